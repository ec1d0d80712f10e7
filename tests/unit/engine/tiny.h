/* An engine on a tiny model of tests/fixtures/models, and what transformers says it answers. */
#ifndef DEN_TESTS_UNIT_ENGINE_TINY_H
#define DEN_TESTS_UNIT_ENGINE_TINY_H

#include "test.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/json.h"
#include "engine/engine.h"

enum { TINY_VOCABULARY = 300, TINY_PROMPT = 40 };

static inline struct den_engine *tiny_open(const char *name, struct den_engine_options options)
{
    struct den_engine *engine = NULL;
    struct den_error err = { 0 };
    char path[512];

    snprintf(path, sizeof path, "%s/models/%s", DEN_FIXTURES, name);
    options.path = path;
    if (options.threads == 0)
        options.threads = 2;
    if (den_engine_open(&options, &engine, &err) != DEN_OK)
        fail_msg("%s: %s", path, err.message);
    return engine;
}

static inline struct den_session *tiny_session(struct den_engine *engine)
{
    struct den_session *session = NULL;
    struct den_error err = { 0 };

    if (den_session_create(engine, &session, &err) != DEN_OK)
        fail_msg("%s", err.message);
    return session;
}

static inline void tiny_prompt(const char *name, den_token out[TINY_PROMPT])
{
    struct den_error err = { 0 };
    json_t *prompt = NULL;
    char path[512];
    size_t i;

    snprintf(path, sizeof path, "%s/models/%s/prompt.json", DEN_FIXTURES, name);
    assert_int_equal(den_json_read_file(path, &prompt, &err), DEN_OK);
    for (i = 0; i < TINY_PROMPT; i++)
        out[i] = (den_token)json_integer_value(json_array_get(prompt, i));
    json_decref(prompt);
}

/* Row `row` of the logits that transformers computed for the prompt. */
static inline void tiny_expected(const char *name, size_t row, float out[TINY_VOCABULARY])
{
    struct den_error err = { 0 };
    struct den_buffer bytes;
    char path[512];

    snprintf(path, sizeof path, "%s/models/%s/logits.bin", DEN_FIXTURES, name);
    den_buffer_init(&bytes, 1 << 20);
    assert_int_equal(den_file_read(path, &bytes, &err), DEN_OK);
    memcpy(out, bytes.data + row * TINY_VOCABULARY * sizeof *out, TINY_VOCABULARY * sizeof *out);
    den_buffer_deinit(&bytes);
}

static inline void tiny_expect_row(const char *name, size_t row, const float *got)
{
    float expected[TINY_VOCABULARY];
    size_t i;

    tiny_expected(name, row, expected);
    for (i = 0; i < TINY_VOCABULARY; i++)
        if (!(fabsf(got[i] - expected[i]) < 2e-3f))
            fail_msg("row %zu, logit %zu: %g instead of %g", row, i, (double)got[i],
                     (double)expected[i]);
}

static inline den_token tiny_best(const float *logits)
{
    den_token best = 0;
    den_token i;

    for (i = 1; i < TINY_VOCABULARY; i++)
        if (logits[i] > logits[best])
            best = i;
    return best;
}

#endif
