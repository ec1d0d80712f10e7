/* What is remembered of a model's shape, and when it no longer counts. */
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "desk/model_fits.h"

static char home[64];

static int set_up(void **state)
{
    snprintf(home, sizeof home, "/tmp/den-fits-XXXXXX");
    assert_non_null(mkdtemp(home));
    setenv("DEN_HOME", home, 1);
    return 0;
}

static struct den_fit fit_of(const char *name, uint64_t bytes, const json_t *shape)
{
    const struct den_fit_settings settings = { .context_tokens = 512, .threads = 2 };
    struct den_model_fits *fits;
    struct den_error err = { 0 };
    struct den_fit fit;

    assert_int_equal(den_model_fits_create(&fits, &err), DEN_OK);
    assert_true(den_model_fits_machine(fits)->read_bytes_per_s > 1e6);
    fit = den_model_fits_of(fits, name, bytes, shape, &settings);
    den_model_fits_destroy(fits);
    return fit;
}

static void what_a_worker_told_counts_until_the_files_change(void **state)
{
    json_t *shape = json_pack("{s:i, s:i, s:i, s:i, s:i, s:i, s:b, s:s}", "layers", 4, "width", 256,
                              "heads", 4, "ffn_width", 512, "vocabulary", 1000, "context", 1024,
                              "tied", 1, "quantization", "F16");
    struct den_model_fits *fits;
    struct den_error err = { 0 };

    assert_non_null(strstr(fit_of("mine", 5000000, NULL).why, "guess"));
    assert_int_equal(den_model_fits_create(&fits, &err), DEN_OK);
    den_model_fits_learn(fits, "mine", 5000000, shape, 0);
    den_model_fits_destroy(fits);
    assert_null(strstr(fit_of("mine", 5000000, NULL).why, "guess"));
    assert_non_null(strstr(fit_of("mine", 5000001, NULL).why, "guess"));
    assert_int_equal(fit_of("mine", 5000000, NULL).memory_bytes,
                     fit_of("other", 1, shape).memory_bytes);
    json_decref(shape);
}

/* 100 MB a token at 4,000 tokens a second is no share of any desktop's bandwidth: it is cut. */
static void the_best_speed_seen_raises_later_estimates(void **state)
{
    json_t *shape = json_pack("{s:i, s:i, s:i, s:i, s:i, s:i, s:b, s:s}", "layers", 16, "width",
                              1024, "heads", 16, "ffn_width", 2048, "vocabulary", 1000, "context",
                              1024, "tied", 1, "quantization", "Q8_0");
    const double before = fit_of("fast", 2, shape).tokens_per_s;
    struct den_model_fits *fits;
    struct den_error err = { 0 };
    double after;

    assert_true(before > 0);
    assert_int_equal(den_model_fits_create(&fits, &err), DEN_OK);
    den_model_fits_learn(fits, "fast", 2, shape, 1e6);
    den_model_fits_destroy(fits);
    after = fit_of("fast", 2, shape).tokens_per_s;
    assert_true(after > 1.9 * before && after < 2.1 * before);
    assert_int_equal(den_model_fits_create(&fits, &err), DEN_OK);
    den_model_fits_learn(fits, "fast", 2, shape, 1); /* a slow one says nothing */
    den_model_fits_destroy(fits);
    assert_true(fit_of("fast", 2, shape).tokens_per_s == after);
    json_decref(shape);
}

int desk_test_model_fits(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_a_worker_told_counts_until_the_files_change),
        cmocka_unit_test(the_best_speed_seen_raises_later_estimates),
    };

    return cmocka_run_group_tests(tests, set_up, NULL);
}
