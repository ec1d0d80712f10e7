/* The default model, where this machine has it. */
#ifndef DEN_TESTS_QUALITY_REAL_MODEL_H
#define DEN_TESTS_QUALITY_REAL_MODEL_H

#include <stdio.h>
#include <stdlib.h>

#include "base/file.h"
#include "engine/engine.h"

enum { SKIPPED = 77 };

/* DEN_TEST_MODEL, else smollm2 in Den's home; exits with SKIPPED where neither is there. */
static inline const char *real_model_path(void)
{
    static char path[DEN_PATH_BYTES_MAX];
    char home[DEN_PATH_BYTES_MAX];
    struct den_error err = { 0 };
    const char *given = getenv("DEN_TEST_MODEL");

    if (given && *given)
        return given;
    if (den_path_home(home, sizeof home, &err) == DEN_OK &&
        den_path_join(path, sizeof path, home, "models/smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
                      &err) == DEN_OK &&
        den_file_exists(path))
        return path;
    printf("skipped: no model; set DEN_TEST_MODEL to SmolLM2-135M-Instruct.Q4_1.gguf\n");
    exit(SKIPPED);
}

static inline struct den_engine *real_model_open(struct den_engine_options options)
{
    struct den_engine *engine = NULL;
    struct den_error err = { 0 };

    if (den_engine_open(&options, &engine, &err) != DEN_OK) {
        fprintf(stderr, "%s\n", err.message);
        exit(1);
    }
    return engine;
}

#endif
