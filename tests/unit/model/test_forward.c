/* The same logits whatever the way: in one batch, in chunks, token by token, several sequences
 * together; only the rows asked for; cancelled between layers. */
#include "model/fixture.h"

#include "device/cpu/cpu_device.h"
#include "model/parts.h"

static const char *const names[] = { "llama",  "mistral", "smollm3", "qwen2",   "qwen3",
                                     "gemma2", "gemma3",  "phi3",    "mixtral", "qwen3moe" };

enum { NAMES = sizeof names / sizeof names[0] };

static void compare(const char *what, const char *name, const float *got, const float *expected,
                    size_t rows)
{
    double difference = fixture_difference(got, expected, rows * FIXTURE_VOCABULARY);

    if (!(difference < 2e-3))
        fail_msg("%s, %s: %g", name, what, difference);
}

static void agrees_in_chunks_and_token_by_token(void **state)
{
    struct fixture *fixture = malloc(sizeof *fixture);
    size_t i;

    for (i = 0; i < NAMES; i++) {
        size_t at;

        fixture_open(fixture, names[i], false, DEN_PRECISION_FP32, FIXTURE_CONTEXT);
        for (at = 0; at < FIXTURE_PROMPT;) { /* chunks of 1, 2, 3 ... tokens */
            size_t count = at % 11 + 1;

            count = count < FIXTURE_PROMPT - at ? count : FIXTURE_PROMPT - at;
            compare("in chunks", names[i], fixture_run(fixture, 1, at, count),
                    fixture->expected + at * FIXTURE_VOCABULARY, count);
            at += count;
        }
        for (at = 0; at < FIXTURE_PROMPT; at++)
            compare("token by token", names[i], fixture_run(fixture, 2, at, 1),
                    fixture->expected + at * FIXTURE_VOCABULARY, 1);
        fixture_close(fixture);
    }
    free(fixture);
}

enum { STEPS = 10 };

/* Sequence s is at its own place of the prompt and takes its own number of tokens a step. */
static void agrees_with_sequences_together(void **state)
{
    struct fixture *fixture = malloc(sizeof *fixture);
    size_t i;

    for (i = 0; i < NAMES; i++) {
        size_t at[FIXTURE_SEQUENCES] = { 0 };
        int step;

        fixture_open(fixture, names[i], false, DEN_PRECISION_FP32, FIXTURE_CONTEXT);
        for (step = 0; step < STEPS; step++) {
            int32_t tokens[4 * FIXTURE_PROMPT];
            int32_t position[4 * FIXTURE_PROMPT];
            int32_t sequence[4 * FIXTURE_PROMPT];
            int32_t wanted[4 * FIXTURE_PROMPT];
            size_t rows = 0;
            size_t s;
            size_t r;
            const float *logits = NULL;

            for (s = 0; s < FIXTURE_SEQUENCES; s++)
                for (r = 0; r < s + 1 && at[s] < FIXTURE_PROMPT; r++, at[s]++, rows++) {
                    tokens[rows] = fixture->prompt[at[s]];
                    position[rows] = (int32_t)at[s];
                    sequence[rows] = (int32_t)s;
                    wanted[rows] = (int32_t)rows;
                }
            assert_int_equal(
                den_model_run(
                    fixture->model, fixture->forward, fixture->pool,
                    &(struct den_batch){
                        { rows, position, sequence, fixture->pages }, tokens, wanted, rows, NULL },
                    &logits, &fixture->err),
                DEN_OK);
            for (r = 0; r < rows; r++)
                compare("together", names[i], logits + r * FIXTURE_VOCABULARY,
                        fixture->expected + position[r] * FIXTURE_VOCABULARY, 1);
        }
        fixture_close(fixture);
    }
    free(fixture);
}

/* The last layer leaves out the rows that nobody asks for. */
static void gives_only_the_rows_asked_for(void **state)
{
    struct fixture *fixture = malloc(sizeof *fixture);
    size_t i;

    for (i = 0; i < NAMES; i++) {
        const int32_t wanted[] = { 3, 17, FIXTURE_PROMPT - 1 };
        int32_t position[FIXTURE_PROMPT];
        int32_t sequence[FIXTURE_PROMPT] = { 0 };
        const float *logits = NULL;
        size_t count;
        int32_t r;

        fixture_open(fixture, names[i], false, DEN_PRECISION_FP32, FIXTURE_CONTEXT);
        for (r = 0; r < FIXTURE_PROMPT; r++)
            position[r] = r;
        for (count = 0; count <= 3; count++) {
            size_t w;

            assert_int_equal(den_model_run(fixture->model, fixture->forward, fixture->pool,
                                           &(struct den_batch){ { FIXTURE_PROMPT, position,
                                                                  sequence, fixture->pages },
                                                                fixture->prompt,
                                                                wanted,
                                                                count,
                                                                NULL },
                                           &logits, &fixture->err),
                             DEN_OK);
            for (w = 0; w < count; w++)
                compare("some rows", names[i], logits + w * FIXTURE_VOCABULARY,
                        fixture->expected + wanted[w] * FIXTURE_VOCABULARY, 1);
        }
        fixture_close(fixture);
    }
    free(fixture);
}

static void refuses_more_rows_than_it_was_made_for(void **state)
{
    struct fixture *fixture = malloc(sizeof *fixture);
    const struct den_batch batch = { .where = { .rows = 4 * FIXTURE_PROMPT + 1 } };
    const float *logits = NULL;

    fixture_open(fixture, "llama", false, DEN_PRECISION_FP32, FIXTURE_CONTEXT);
    assert_int_equal(den_model_run(fixture->model, fixture->forward, fixture->pool, &batch, &logits,
                                   &fixture->err),
                     DEN_INVALID);
    assert_null(logits);
    fixture_close(fixture);
    free(fixture);
}

static void ends_when_cancelled(void **state)
{
    struct fixture *fixture = malloc(sizeof *fixture);
    const atomic_bool cancel = true;
    const int32_t zero = 0;
    const float *logits = NULL;

    fixture_open(fixture, "llama", false, DEN_PRECISION_FP32, FIXTURE_CONTEXT);
    assert_int_equal(
        den_model_run(fixture->model, fixture->forward, fixture->pool,
                      &(struct den_batch){
                          { 1, &zero, &zero, fixture->pages }, fixture->prompt, &zero, 1, &cancel },
                      &logits, &fixture->err),
        DEN_CANCELLED);
    assert_null(logits);
    fixture_close(fixture);
    free(fixture);
}

/* A file may say that values are wider than keys; attention's scratch memory must hold them. */
static void makes_room_for_wide_values(void **state)
{
    struct fixture *fixture = malloc(sizeof *fixture);
    struct den_forward *forward = NULL;
    struct den_model wide;

    fixture_open(fixture, "llama", false, DEN_PRECISION_FP32, FIXTURE_CONTEXT);
    wide = *fixture->model;
    wide.description.value_width = 4 * wide.description.head_width;
    assert_int_equal(den_forward_create(&wide, FIXTURE_PROMPT, 1, &forward, &fixture->err), DEN_OK);
    assert_true(fixture->device->workspace.head_width >= wide.description.value_width);
    den_forward_destroy(forward);
    fixture_close(fixture);
    free(fixture);
}

int model_test_forward(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(agrees_in_chunks_and_token_by_token),
        cmocka_unit_test(agrees_with_sequences_together),
        cmocka_unit_test(gives_only_the_rows_asked_for),
        cmocka_unit_test(refuses_more_rows_than_it_was_made_for),
        cmocka_unit_test(ends_when_cancelled),
        cmocka_unit_test(makes_room_for_wide_values),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
