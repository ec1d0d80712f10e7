/* Frequencies of each kind of scaling. That they are transformers' own is what the logits of
 * test_model.c prove; here: the shapes of the curves, both forms of a model, bad factors. */
#include "model/changed.h"

#include <math.h>

#include "model/rope.h"

static void make(const char *name, bool gguf, size_t context, bool local,
                 struct den_rope_frequencies *out, struct den_description *description)
{
    struct den_weights *weights = NULL;
    struct den_error err = { 0 };
    char path[512];

    snprintf(path, sizeof path, "%s/models/%s%s", DEN_FIXTURES, name, gguf ? ".gguf" : "");
    if (den_weights_open(path, &weights, &err) != DEN_OK ||
        den_description_read(weights, description, &err) != DEN_OK ||
        den_rope_frequencies_make(weights, description, context, local, out, &err) != DEN_OK)
        fail_msg("%s", err.message);
    den_weights_close(weights);
}

static float plain(const struct den_description *d, double base, size_t i)
{
    return (float)pow(base, -2.0 * (double)i / (double)d->rotary_width);
}

static bool is_close(float a, float b)
{
    return fabsf(a - b) <= 1e-6f * fabsf(b);
}

static void agrees_between_both_forms(void **state)
{
    static const char *const names[] = { "llama", "llama_yarn", "gemma3", "phi3", "qwen3" };
    size_t n;
    size_t i;

    for (n = 0; n < 5; n++) {
        struct den_rope_frequencies a;
        struct den_rope_frequencies b;
        struct den_description d;

        make(names[n], false, 64, false, &a, &d);
        make(names[n], true, 64, false, &b, &d);
        for (i = 0; i < d.rotary_width / 2; i++)
            assert_true(is_close(a.inverse_frequency[i], b.inverse_frequency[i]));
        assert_true(is_close(a.magnitude, b.magnitude));
    }
}

static void leaves_the_fast_and_slows_the_slow(void **state)
{
    struct den_rope_frequencies made;
    struct den_description d;

    make("qwen3", false, 64, false, &made, &d);
    assert_true(is_close(made.inverse_frequency[3], plain(&d, d.rope_base, 3)));
    assert_true(made.magnitude == 1);
    make("llama", false, 64, false, &made, &d); /* llama3, factor 4 */
    assert_true(is_close(made.inverse_frequency[0], plain(&d, 1e4, 0)));
    assert_true(is_close(made.inverse_frequency[3], plain(&d, 1e4, 3) / 4));
    assert_true(made.magnitude == 1);
    make("llama_yarn", false, 64, false, &made, &d);
    assert_true(is_close(made.inverse_frequency[3], plain(&d, 1e4, 3) / 4));
    assert_true(is_close(made.magnitude, 1.1386294f)); /* 0.1 ln 4 + 1 */
    make("llama_linear", false, 64, false, &made, &d);
    assert_true(is_close(made.inverse_frequency[0], 0.4f));
}

static void scales_only_global_layers_of_gemma3(void **state)
{
    struct den_rope_frequencies made;
    struct den_description d;

    make("gemma3", false, 64, false, &made, &d);
    assert_true(is_close(made.inverse_frequency[2], plain(&d, 1e6, 2) / 8));
    make("gemma3", false, 64, true, &made, &d);
    assert_true(is_close(made.inverse_frequency[2], plain(&d, 1e4, 2)));
}

static void takes_long_factors_past_the_original_context(void **state)
{
    struct den_rope_frequencies made;
    struct den_description d;

    make("phi3", true, 16, false, &made, &d);
    assert_true(is_close(made.inverse_frequency[2], plain(&d, 1e4, 2) / 1.3f));
    make("phi3", true, 17, false, &made, &d);
    assert_true(is_close(made.inverse_frequency[2], plain(&d, 1e4, 2) / 2.5f));
    assert_true(is_close(made.magnitude, 1.2247449f)); /* sqrt(1 + ln 4 / ln 16) */
}

static void refuses_bad_factors(void **state)
{
    static const char *const updates[] = {
        "{\"rope_scaling\": {\"type\": \"su\", \"long_factor\": [1, 2], \"short_factor\": [1, 1, "
        "1]}}",
        "{\"rope_scaling\": {\"type\": \"longrope\", \"long_factor\": [1, 0, 2]}}",
        "{\"rope_scaling\": {\"type\": \"longrope\", \"long_factor\": [1, \"x\", 2]}}",
        "{\"rope_scaling\": {\"type\": \"longrope\"}}",
    };
    size_t i;

    for (i = 0; i < sizeof updates / sizeof updates[0]; i++) {
        struct changed changed;
        struct den_weights *weights = NULL;
        struct den_description d;
        struct den_rope_frequencies made;
        struct den_error err = { 0 };

        changed_config(&changed, "phi3", updates[i]);
        assert_int_equal(den_weights_open(changed.path, &weights, &err), DEN_OK);
        assert_int_equal(den_description_read(weights, &d, &err), DEN_OK);
        assert_int_equal(den_rope_frequencies_make(weights, &d, 64, false, &made, &err),
                         DEN_BAD_FILE);
        assert_non_null(strstr(err.message, "long_factor"));
        den_weights_close(weights);
        changed_remove(&changed);
    }
}

int model_test_rope(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(agrees_between_both_forms),
        cmocka_unit_test(leaves_the_fast_and_slows_the_slow),
        cmocka_unit_test(scales_only_global_layers_of_gemma3),
        cmocka_unit_test(takes_long_factors_past_the_original_context),
        cmocka_unit_test(refuses_bad_factors),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
