/* The checks that every description must pass, whatever it was read from. */
#include "model/changed.h"

#include <math.h>

/* SmolLM2's figures. */
static struct den_description good(void)
{
    return (struct den_description){ .layers = 30,
                                     .width = 576,
                                     .heads = 9,
                                     .kv_heads = 3,
                                     .head_width = 64,
                                     .value_width = 64,
                                     .ffn_width = 1536,
                                     .vocabulary = 49152,
                                     .context_tokens = 8192,
                                     .norm_epsilon = 1e-5f,
                                     .embed_scale = 1,
                                     .logit_scale = 1,
                                     .rotary_width = 64,
                                     .rope_base = 1e5 };
}

static void expect_bad(struct den_description description, const char *word)
{
    struct den_error err = { 0 };

    assert_int_equal(den_description_check(&description, &err), DEN_BAD_FILE);
    if (!strstr(err.message, word))
        fail_msg("'%s' does not name '%s'", err.message, word);
}

/* CHANGED(field, value): a good description but for one field. */
#define CHANGED(field, value, word)                                                                \
    do {                                                                                           \
        struct den_description d = good();                                                         \
        d.field = (value);                                                                         \
        expect_bad(d, word);                                                                       \
    } while (0)

static void accepts_a_real_one(void **state)
{
    struct den_description d = good();
    struct den_error err = { 0 };

    assert_int_equal(den_description_check(&d, &err), DEN_OK);
    d.experts = 8;
    d.experts_used = 2;
    d.expert_width = 1536;
    assert_int_equal(den_description_check(&d, &err), DEN_OK);
}

static void refuses_impossible_sizes(void **state)
{
    CHANGED(layers, 0, "layers");
    CHANGED(layers, DEN_LAYERS_MAX + 1, "layers");
    CHANGED(width, 0, "width");
    CHANGED(width, SIZE_MAX, "width");
    CHANGED(heads, 0, "attention heads");
    CHANGED(kv_heads, 0, "key/value heads");
    CHANGED(kv_heads, 2, "evenly");
    CHANGED(kv_heads, 18, "evenly");
    CHANGED(head_width, 0, "head width");
    CHANGED(head_width, DEN_HEAD_WIDTH_MAX + 2, "head width");
    CHANGED(value_width, 0, "value width");
    CHANGED(ffn_width, 0, "feed-forward");
    CHANGED(vocabulary, 0, "vocabulary");
    CHANGED(vocabulary, DEN_VOCABULARY_MAX + 1, "vocabulary");
    CHANGED(context_tokens, 0, "context");
    CHANGED(rotary_width, 66, "RoPE width");
    CHANGED(rotary_width, 33, "even");
    CHANGED(experts, DEN_EXPERTS_MAX + 1, "experts");
    CHANGED(experts, 4, "experts used");
    CHANGED(experts_used, 1, "experts used");
}

static void refuses_impossible_numbers(void **state)
{
    CHANGED(norm_epsilon, -1, "epsilon");
    CHANGED(norm_epsilon, NAN, "epsilon");
    CHANGED(rope_base, 0, "RoPE base");
    CHANGED(rope_base, NAN, "RoPE base");
    CHANGED(rope_base_local, INFINITY, "RoPE base");
    CHANGED(attention_scale, -1, "scale");
    CHANGED(logit_scale, NAN, "scale");
    CHANGED(logit_softcap, INFINITY, "caps");
}

static void refuses_impossible_scaling(void **state)
{
    CHANGED(rope, ((struct den_rope_scaling){ .kind = DEN_ROPE_LINEAR, .factor = 0 }), "factor");
    CHANGED(rope, ((struct den_rope_scaling){ .kind = DEN_ROPE_YARN, .factor = 4 }), "original");
    CHANGED(rope,
            ((struct den_rope_scaling){
                .kind = DEN_ROPE_LLAMA3,
                .factor = 4,
                .original_context = 8192,
                .low_frequency_factor = 4,
                .high_frequency_factor = 4,
            }),
            "rising");
    CHANGED(rope,
            ((struct den_rope_scaling){
                .kind = DEN_ROPE_YARN, .factor = 4, .original_context = 8192, .beta_fast = -1 }),
            "beta");
}

static void names_the_architectures_there_are(void **state)
{
    struct changed changed;
    struct den_description description;
    struct den_error err = { 0 };

    changed_config(&changed, "llama", "{\"model_type\": \"mamba\"}");
    assert_int_equal(changed_read(&changed, &description, &err), DEN_UNSUPPORTED);
    assert_non_null(strstr(err.message, "'mamba'"));
    assert_non_null(strstr(err.message, "llama, mistral, mixtral, smollm3, qwen2, qwen3, "));
    changed_remove(&changed);
    err = (struct den_error){ 0 };
    changed_config(&changed, "llama", "{\"model_type\": 7}");
    assert_int_equal(changed_read(&changed, &description, &err), DEN_BAD_FILE);
    changed_remove(&changed);
}

static void tells_the_window_of_each_layer(void **state)
{
    struct den_description d = good();

    d.window = 128;
    d.layer_flags[1] = DEN_LAYER_WINDOWED;
    assert_int_equal(den_description_window(&d, 0), 0);
    assert_int_equal(den_description_window(&d, 1), 128);
}

int model_test_description(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(accepts_a_real_one),
        cmocka_unit_test(refuses_impossible_sizes),
        cmocka_unit_test(refuses_impossible_numbers),
        cmocka_unit_test(refuses_impossible_scaling),
        cmocka_unit_test(names_the_architectures_there_are),
        cmocka_unit_test(tells_the_window_of_each_layer),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
