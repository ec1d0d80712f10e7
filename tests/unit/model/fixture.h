/* The tiny models of tests/fixtures/models: opening one, its prompt, the logits transformers gives,
 * and a cache of its own. */
#ifndef DEN_TESTS_UNIT_MODEL_FIXTURE_H
#define DEN_TESTS_UNIT_MODEL_FIXTURE_H

#include "test.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/file.h"
#include "base/json.h"
#include "model/model.h"

enum {
    FIXTURE_VOCABULARY = 300,
    FIXTURE_PROMPT = 40,
    FIXTURE_PAGE = 16,
    FIXTURE_SEQUENCES = 4,
    FIXTURE_CONTEXT = 64,
    FIXTURE_PAGES = FIXTURE_CONTEXT / FIXTURE_PAGE
};

struct fixture {
    struct den_weights *weights;
    struct den_device *device;
    struct den_model *model;
    struct den_forward *forward;
    struct den_kv_pool *pool;
    int32_t tables[FIXTURE_SEQUENCES][FIXTURE_PAGES];
    const int32_t *pages[FIXTURE_SEQUENCES];
    int32_t prompt[FIXTURE_PROMPT];
    float expected[FIXTURE_PROMPT * FIXTURE_VOCABULARY];
    struct den_error err;
};

static inline void fixture_expected(const char *name, const char *file, float *out, size_t rows)
{
    struct den_error err = { 0 };
    struct den_buffer bytes;
    char path[512];

    snprintf(path, sizeof path, "%s/models/%s/%s", DEN_FIXTURES, name, file);
    den_buffer_init(&bytes, 1 << 20);
    assert_int_equal(den_file_read(path, &bytes, &err), DEN_OK);
    assert_int_equal(bytes.length, rows * FIXTURE_VOCABULARY * sizeof *out);
    memcpy(out, bytes.data, bytes.length);
    den_buffer_deinit(&bytes);
}

static inline void fixture_prompt(const char *name, int32_t *out)
{
    struct den_error err = { 0 };
    json_t *prompt = NULL;
    char path[512];
    size_t i;

    snprintf(path, sizeof path, "%s/models/%s/prompt.json", DEN_FIXTURES, name);
    assert_int_equal(den_json_read_file(path, &prompt, &err), DEN_OK);
    assert_int_equal(json_array_size(prompt), FIXTURE_PROMPT);
    for (i = 0; i < FIXTURE_PROMPT; i++)
        out[i] = (int32_t)json_integer_value(json_array_get(prompt, i));
    json_decref(prompt);
}

/* `name` is a folder's; with `gguf` the file NAME.gguf beside it is opened. */
static inline void fixture_open(struct fixture *fixture, const char *name, bool gguf,
                                enum den_precision precision, size_t context)
{
    const struct den_device_options options = { .threads = 2 };
    const struct den_description *d;
    char path[512];
    size_t s;
    size_t p;

    memset(fixture, 0, sizeof *fixture);
    snprintf(path, sizeof path, "%s/models/%s%s", DEN_FIXTURES, name, gguf ? ".gguf" : "");
    if (den_weights_open(path, &fixture->weights, &fixture->err) != DEN_OK ||
        den_device_create(&options, &fixture->device, &fixture->err) != DEN_OK ||
        den_model_create(fixture->weights, fixture->device, precision, context, &fixture->model,
                         &fixture->err) != DEN_OK)
        fail_msg("%s: %s", path, fixture->err.message);
    d = den_model_description(fixture->model);
    assert_int_equal(d->vocabulary, FIXTURE_VOCABULARY);
    assert_int_equal(den_forward_create(fixture->model, 4 * FIXTURE_PROMPT, 4 * FIXTURE_PROMPT,
                                        &fixture->forward, &fixture->err),
                     DEN_OK);
    assert_int_equal(den_kv_pool_create(
                         fixture->device,
                         &(struct den_kv_layout){
                             .layers = d->layers,
                             .kv_heads = d->kv_heads,
                             .head_width = d->head_width,
                             .value_width = d->value_width,
                             .page_tokens = FIXTURE_PAGE,
                             .type = precision == DEN_PRECISION_FP32 ? DEN_TYPE_F32 : DEN_TYPE_F16,
                         },
                         FIXTURE_SEQUENCES * FIXTURE_PAGES, &fixture->pool, &fixture->err),
                     DEN_OK);
    for (s = 0; s < FIXTURE_SEQUENCES; s++) {
        for (p = 0; p < FIXTURE_PAGES; p++) /* scattered, so that a wrong table shows */
            fixture->tables[s][p] = (int32_t)((p * FIXTURE_SEQUENCES + 3 * s + 1) %
                                              (FIXTURE_SEQUENCES * FIXTURE_PAGES));
        fixture->pages[s] = fixture->tables[s];
    }
    fixture_prompt(name, fixture->prompt);
    fixture_expected(name, "logits.bin", fixture->expected, FIXTURE_PROMPT);
}

static inline void fixture_close(struct fixture *fixture)
{
    den_kv_pool_destroy(fixture->pool);
    den_forward_destroy(fixture->forward);
    den_model_destroy(fixture->model);
    den_device_destroy(fixture->device);
    den_weights_close(fixture->weights);
}

/* Rows [first, first + count) of the prompt in one sequence, all logits wanted. */
static inline const float *fixture_run(struct fixture *fixture, int32_t sequence, size_t first,
                                       size_t count)
{
    int32_t position[FIXTURE_PROMPT];
    int32_t sequences[FIXTURE_PROMPT];
    int32_t rows[FIXTURE_PROMPT];
    const float *logits = NULL;
    size_t i;

    for (i = 0; i < count; i++) {
        position[i] = (int32_t)(first + i);
        sequences[i] = sequence;
        rows[i] = (int32_t)i;
    }
    if (den_model_run(fixture->model, fixture->forward, fixture->pool,
                      &(struct den_batch){ .where = { count, position, sequences, fixture->pages },
                                           .tokens = fixture->prompt + first,
                                           .logit_rows = rows,
                                           .logit_count = count },
                      &logits, &fixture->err) != DEN_OK)
        fail_msg("%s", fixture->err.message);
    return logits;
}

/* max |difference| relative to the spread (standard deviation) of what is expected. */
static inline double fixture_difference(const float *got, const float *expected, size_t count)
{
    double mean = 0;
    double variance = 0;
    double largest = 0;
    size_t i;

    for (i = 0; i < count; i++)
        mean += (double)expected[i] / (double)count;
    for (i = 0; i < count; i++) {
        double difference = fabs((double)got[i] - (double)expected[i]);

        variance += ((double)expected[i] - mean) * ((double)expected[i] - mean) / (double)count;
        if (!(difference <= largest)) /* NaN too */
            largest = difference;
    }
    return largest / sqrt(variance);
}

#endif
