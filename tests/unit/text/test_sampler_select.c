/* The selection without sorting against plain sorting, on large vocabularies: the survivors must
 * be the same set. */
#include "test.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "text/sampler_core.h"
#include "text/sampler_select.h"

struct ranked {
    den_token token;
    double logit, share;
};

static int by_logit(const void *left, const void *right)
{
    const struct ranked *a = left, *b = right;

    if (a->logit != b->logit)
        return a->logit > b->logit ? -1 : 1;
    return a->token - b->token;
}

static void share_out(struct ranked *items, size_t count)
{
    double total = 0;
    size_t i;

    for (i = 0; i < count; i++)
        total += exp(items[i].logit - items[0].logit);
    for (i = 0; i < count; i++)
        items[i].share = exp(items[i].logit - items[0].logit) / total;
}

/* Top-k, top-p and min-p by the book, on a sorted vocabulary. *out_margin: how close the last
 * decision was, so that the caller can tell rounding from error. */
static size_t by_the_book(const struct den_sampler_options *o, struct ranked *items, size_t count)
{
    size_t kept = count, i;
    double sum = 0;

    qsort(items, count, sizeof *items, by_logit);
    if (o->top_k > 0 && (size_t)o->top_k < kept)
        kept = (size_t)o->top_k;
    share_out(items, kept);
    if (o->top_p < 1) {
        for (i = 0; i < kept; i++) {
            sum += items[i].share;
            if (sum >= (double)o->top_p)
                break;
        }
        kept = i < kept ? i + 1 : kept;
    }
    if (o->min_p > 0)
        while (kept > 1 && items[kept - 1].share < (double)o->min_p * items[0].share)
            kept--;
    return kept;
}

static int by_token(const void *left, const void *right)
{
    const struct den_candidate *a = left, *b = right;

    return a->token - b->token;
}

static void compare(struct den_sampler_options options, const float *logits, size_t vocabulary)
{
    struct ranked *items = calloc(vocabulary, sizeof *items);
    const struct den_candidates *left;
    struct den_candidate *sorted;
    struct den_sampler *sampler;
    struct den_error err = { 0 };
    size_t kept, i, missing = 0;

    options.seed = 1;
    for (i = 0; i < vocabulary; i++)
        items[i] = (struct ranked){ .token = (den_token)i, .logit = logits[i] };
    kept = by_the_book(&options, items, vocabulary);
    assert_int_equal(den_sampler_create_core(&options, vocabulary, NULL, &sampler, &err), DEN_OK);
    den_sampler_sample(sampler, logits);
    left = den_sampler_candidates(sampler);
    sorted = calloc(left->count, sizeof *sorted);
    memcpy(sorted, left->items, left->count * sizeof *sorted);
    qsort(sorted, left->count, sizeof *sorted, by_token);
    for (i = 0; i < kept; i++) {
        struct den_candidate key = { .token = items[i].token };

        missing += !bsearch(&key, sorted, left->count, sizeof key, by_token);
    }
    /* single against double precision may move the cut by a few tokens in ten thousand */
    if (missing > kept / 2000 || left->count > kept + kept / 2000)
        fail_msg("top-k %d, top-p %g, min-p %g of %zu: %zu kept, %zu missing; %zu are right",
                 options.top_k, (double)options.top_p, (double)options.min_p, vocabulary,
                 left->count, missing, kept);
    den_sampler_destroy(sampler);
    free(sorted);
    free(items);
}

static float gauss(void)
{
    float sum = 0;
    int i;

    for (i = 0; i < 12; i++)
        sum += (float)rand() / (float)RAND_MAX;
    return sum - 6;
}

static void sets_equal_those_of_sorting(void **state)
{
    const size_t sizes[] = { 1, 63, 64, 65, 1000, 20001 };
    const int top_ks[] = { 0, 1, 40, 1025 };
    const float top_ps[] = { 1, 0.95f, 0.5f }, min_ps[] = { 0, 0.05f, 0.001f };
    float *logits = calloc(20001, sizeof *logits);
    size_t s, k, p, m, i;

    srand(5);
    for (s = 0; s < sizeof sizes / sizeof sizes[0]; s++)
        for (k = 0; k < 4; k++)
            for (p = 0; p < 3; p++)
                for (m = 0; m < 3; m++) {
                    struct den_sampler_options options = den_sampler_defaults();

                    if (sizes[s] > 2000 && k % 2 != m % 2 && p > 0)
                        continue; /* half of the large ones, for speed */
                    for (i = 0; i < sizes[s]; i++)
                        logits[i] = gauss() * 2.5f;
                    options.top_k = top_ks[k];
                    options.top_p = top_ps[p];
                    options.min_p = min_ps[m];
                    compare(options, logits, sizes[s]);
                }
    free(logits);
}

/* Equal logits everywhere: ties fall to lower tokens, and quickselect must not go quadratic. */
static void ties_fall_to_lower_tokens(void **state)
{
    enum { SIZE = 262144 };
    float *logits = calloc(SIZE, sizeof *logits);
    const int top_ks[] = { 0, 40, 5000 };
    size_t k, i;

    for (k = 0; k < 3; k++) {
        struct den_sampler_options options = den_sampler_defaults();
        const struct den_candidates *left;
        struct den_sampler *sampler;
        struct den_error err = { 0 };

        options.top_k = top_ks[k];
        options.top_p = 0.5f;
        options.seed = 1;
        assert_int_equal(den_sampler_create_core(&options, SIZE, NULL, &sampler, &err), DEN_OK);
        den_sampler_sample(sampler, logits);
        left = den_sampler_candidates(sampler);
        assert_int_equal(left->count, (top_ks[k] ? (size_t)top_ks[k] : SIZE) / 2);
        for (i = 0; i < left->count; i++)
            assert_true((size_t)left->items[i].token < left->count);
        den_sampler_destroy(sampler);
    }
    free(logits);
}

int text_test_sampler_select(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sets_equal_those_of_sorting),
        cmocka_unit_test(ties_fall_to_lower_tokens),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
