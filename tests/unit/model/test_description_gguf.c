/* GGUF keys: the same description as the folder of the same model, and hostile values. */
#include "model/changed.h"

#include <math.h>

static void agrees_with_the_folder(void **state)
{
    static const char *const names[] = {
        "llama",  "llama_yarn", "smollm3", "qwen2_full", "qwen3",
        "gemma2", "gemma3",     "phi3",    "mixtral",    "qwen3moe"
    };
    size_t i;

    for (i = 0; i < sizeof names / sizeof names[0]; i++) {
        struct den_description a;
        struct den_description b;

        fixture_description(names[i], false, &a);
        fixture_description(names[i], true, &b);
        assert_string_equal(a.architecture, b.architecture);
        assert_int_equal(a.layers, b.layers);
        assert_int_equal(a.width, b.width);
        assert_int_equal(a.heads, b.heads);
        assert_int_equal(a.kv_heads, b.kv_heads);
        assert_int_equal(a.head_width, b.head_width);
        assert_int_equal(a.ffn_width, b.ffn_width);
        assert_int_equal(a.vocabulary, b.vocabulary);
        assert_int_equal(a.context_tokens, b.context_tokens);
        assert_int_equal(a.rotary_width, b.rotary_width);
        assert_int_equal(a.window, b.window);
        assert_int_equal(a.experts, b.experts);
        assert_int_equal(a.experts_used, b.experts_used);
        assert_int_equal(a.expert_width, b.expert_width);
        assert_int_equal(a.expert_renormalise, b.expert_renormalise);
        assert_int_equal(a.activation, b.activation);
        assert_int_equal(a.tied_embeddings, b.tied_embeddings);
        assert_int_equal(a.attention_bias, b.attention_bias);
        assert_memory_equal(a.layer_flags, b.layer_flags, sizeof a.layer_flags);
        assert_true(a.rope_base == b.rope_base && a.rope_base_local == b.rope_base_local);
        assert_true(fabsf(a.attention_scale - b.attention_scale) < 1e-7f);
        assert_true(a.attention_softcap == b.attention_softcap);
        assert_true(a.logit_softcap == b.logit_softcap);
        assert_true(a.norm_epsilon == b.norm_epsilon);
        assert_true(a.embed_scale == b.embed_scale);
    }
}

static void expect(const char *name, const char *key, uint32_t value, const char *word)
{
    struct changed changed;
    struct den_description description;
    struct den_error err = { 0 };

    changed_gguf(&changed, name, key, &value);
    if (changed_read(&changed, &description, &err) != DEN_BAD_FILE || !strstr(err.message, word))
        fail_msg("%s = %u: status %d, '%s'", key, value, err.status, err.message);
    changed_remove(&changed);
}

static void refuses_hostile_values(void **state)
{
    const float nan_value = NAN;
    uint32_t nan_bits;

    memcpy(&nan_bits, &nan_value, sizeof nan_bits);
    expect("llama", "llama.block_count", 0, "layers");
    expect("llama", "llama.block_count", UINT32_MAX, "layers");
    expect("llama", "llama.embedding_length", 0, "width");
    expect("llama", "llama.embedding_length", UINT32_MAX, "width");
    expect("llama", "llama.attention.head_count", 0, "heads");
    expect("llama", "llama.attention.head_count_kv", 0, "heads");
    expect("llama", "llama.attention.head_count_kv", 3, "evenly");
    expect("llama", "llama.attention.key_length", 0, "head width");
    expect("llama", "llama.attention.key_length", 1u << 31, "head width");
    expect("llama", "llama.attention.value_length", 0, "value width");
    expect("llama", "llama.context_length", 0, "context");
    expect("llama", "llama.feed_forward_length", 0, "feed-forward");
    expect("llama", "llama.rope.dimension_count", 9, "RoPE width");
    expect("llama", "llama.rope.dimension_count", 7, "even");
    expect("llama", "llama.rope.freq_base", nan_bits, "freq_base");
    expect("llama", "llama.rope.freq_base", 0, "RoPE base");
    expect("llama", "llama.attention.layer_norm_rms_epsilon", nan_bits, "epsilon");
    expect("llama_yarn", "llama.rope.scaling.factor", 0, "factor");
    expect("mixtral", "llama.expert_count", UINT32_MAX, "experts");
    expect("mixtral", "llama.expert_used_count", 5, "experts used");
    expect("qwen3moe", "qwen3moe.expert_feed_forward_length", 0, "expert width");
    expect("gemma2", "gemma2.attention.sliding_window", UINT32_MAX, "window");
}

static void names_the_missing_key(void **state)
{
    struct changed changed;
    struct den_description description;
    struct den_error err = { 0 };
    struct den_buffer bytes;
    char *found;

    /* the key's name is broken, and with it the key is gone */
    changed_gguf(&changed, "llama", "llama.block_count", &(uint32_t){ 2 });
    den_buffer_init(&bytes, 1 << 20);
    assert_int_equal(den_file_read(changed.path, &bytes, &err), DEN_OK);
    found = memmem(bytes.data, bytes.length, "llama.block_count", 17);
    assert_non_null(found);
    found[6] = 'X';
    changed_write(changed.path, bytes.data, bytes.length);
    den_buffer_deinit(&bytes);
    assert_int_equal(changed_read(&changed, &description, &err), DEN_BAD_FILE);
    assert_non_null(strstr(err.message, "'llama.block_count' is missing"));
    changed_remove(&changed);
}

int model_test_description_gguf(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(agrees_with_the_folder),
        cmocka_unit_test(refuses_hostile_values),
        cmocka_unit_test(names_the_missing_key),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
