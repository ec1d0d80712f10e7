/* config.json: what it leaves out, what is wrong in it, and both generations of its keys. */
#include "model/changed.h"

static void expect(const char *name, const char *update, enum den_status status, const char *word)
{
    struct changed changed;
    struct den_description description;
    struct den_error err = { 0 };

    changed_config(&changed, name, update);
    if (changed_read(&changed, &description, &err) != status || !strstr(err.message, word))
        fail_msg("%s: status %d, '%s'", update, err.status, err.message);
    changed_remove(&changed);
}

static void refuses_what_is_wrong(void **state)
{
    expect("llama", "{\"num_hidden_layers\": null}", DEN_BAD_FILE, "num_hidden_layers");
    expect("llama", "{\"num_hidden_layers\": 100000}", DEN_BAD_FILE, "num_hidden_layers");
    expect("llama", "{\"hidden_size\": \"32\"}", DEN_BAD_FILE, "hidden_size");
    expect("llama", "{\"hidden_size\": -32}", DEN_BAD_FILE, "hidden_size");
    expect("llama", "{\"num_attention_heads\": 0}", DEN_BAD_FILE, "num_attention_heads");
    expect("llama", "{\"num_attention_heads\": 5, \"num_key_value_heads\": 5, \"head_dim\": null}",
           DEN_BAD_FILE, "hidden_size 32");
    expect("llama", "{\"num_key_value_heads\": 3}", DEN_BAD_FILE, "evenly");
    expect("llama", "{\"rms_norm_eps\": []}", DEN_BAD_FILE, "rms_norm_eps");
    expect("llama", "{\"rope_theta\": -1}", DEN_BAD_FILE, "RoPE base");
    expect("llama", "{\"hidden_act\": \"relu\"}", DEN_UNSUPPORTED, "relu");
    expect("llama", "{\"rope_scaling\": {\"rope_type\": \"spiral\", \"factor\": 2}}",
           DEN_UNSUPPORTED, "spiral");
    expect("llama", "{\"partial_rotary_factor\": 1.5}", DEN_BAD_FILE, "partial_rotary_factor");
    expect("llama", "{\"partial_rotary_factor\": 0.4}", DEN_BAD_FILE, "even");
    expect("gemma2", "{\"query_pre_attn_scalar\": -4}", DEN_BAD_FILE, "query_pre_attn_scalar");
    expect("gemma2", "{\"layer_types\": [\"full_attention\"]}", DEN_BAD_FILE, "layer_types");
    expect("smollm3", "{\"no_rope_layers\": [1]}", DEN_BAD_FILE, "no_rope_layers");
    expect("mixtral", "{\"num_experts_per_tok\": 9}", DEN_BAD_FILE, "experts used");
    expect("qwen2", "{\"use_sliding_window\": 1}", DEN_BAD_FILE, "use_sliding_window");
}

static void read_changed(const char *name, const char *update, struct den_description *out)
{
    struct changed changed;
    struct den_error err = { 0 };

    changed_config(&changed, name, update);
    if (changed_read(&changed, out, &err) != DEN_OK)
        fail_msg("%s", err.message);
    changed_remove(&changed);
}

static void fills_in_what_is_left_out(void **state)
{
    struct den_description d;

    read_changed("llama", "{\"num_key_value_heads\": null, \"head_dim\": null}", &d);
    assert_int_equal(d.kv_heads, d.heads);
    assert_int_equal(d.head_width, 8);
    read_changed("gemma3",
                 "{\"num_attention_heads\": null, \"num_key_value_heads\": null, \"head_dim\": "
                 "null, \"sliding_window_pattern\": null, \"rope_local_base_freq\": null}",
                 &d);
    assert_int_equal(d.heads, 8);
    assert_int_equal(d.kv_heads, 4);
    assert_int_equal(d.head_width, 256);
    assert_int_equal(den_description_window(&d, 4), 6);
    assert_int_equal(den_description_window(&d, 5), 0);
    assert_true(d.rope_base_local == 1e4);
    read_changed("mistral", "{\"sliding_window\": null}", &d);
    assert_int_equal(den_description_window(&d, 0), 0);
    read_changed("smollm3", "{\"no_rope_layers\": null}", &d);
    assert_int_equal(d.layer_flags[2] & DEN_LAYER_NO_ROPE, 0);
    assert_int_equal(d.layer_flags[3] & DEN_LAYER_NO_ROPE, DEN_LAYER_NO_ROPE);
    read_changed("llama", "{\"rope_scaling\": {\"type\": \"dynamic\", \"factor\": 2}}", &d);
    assert_int_equal(d.rope.kind, DEN_ROPE_NONE);
}

static void reads_windows_and_dense_layers(void **state)
{
    struct den_description d;

    fixture_description("qwen2", false, &d); /* max_window_layers: 1 */
    assert_int_equal(den_description_window(&d, 0), 0);
    assert_int_equal(den_description_window(&d, 1), 9);
    read_changed("qwen2", "{\"use_sliding_window\": false}", &d);
    assert_int_equal(den_description_window(&d, 1), 0);
    read_changed("qwen3moe", "{\"mlp_only_layers\": [], \"decoder_sparse_step\": 2}", &d);
    assert_int_equal(d.layer_flags[0] & DEN_LAYER_DENSE, DEN_LAYER_DENSE);
    assert_int_equal(d.layer_flags[1] & DEN_LAYER_DENSE, 0);
    assert_false(d.expert_renormalise);
    read_changed("qwen3moe", "{\"norm_topk_prob\": true}", &d);
    assert_true(d.expert_renormalise);
}

static void reads_both_generations_of_rope_keys(void **state)
{
    struct den_description d;

    read_changed("llama", "{\"rope_theta\": 5000, \"rope_scaling\": null}", &d);
    assert_true(d.rope_base == 5000);
    assert_int_equal(d.rope.kind, DEN_ROPE_NONE);
    read_changed("llama",
                 "{\"rope_theta\": null, \"rope_scaling\": null, \"rope_parameters\": "
                 "{\"rope_type\": \"linear\", \"factor\": 3, \"rope_theta\": 7000}}",
                 &d);
    assert_true(d.rope_base == 7000);
    assert_int_equal(d.rope.kind, DEN_ROPE_LINEAR);
    assert_true(d.rope.factor == 3);
    read_changed("phi3", "{}", &d);
    assert_int_equal(d.rope.kind, DEN_ROPE_LONGROPE);
    assert_int_equal(d.rotary_width, 6);
    assert_true(d.rope.factor == 4); /* 64 tokens, 16 originally */
}

/* A model with pictures keeps the language model's keys one level down. */
static void reads_text_config(void **state)
{
    struct den_description d;

    read_changed("gemma3",
                 "{\"model_type\": \"gemma3\", \"text_config\": {\"hidden_size\": 32, "
                 "\"num_hidden_layers\": 3, \"intermediate_size\": 48, \"num_attention_heads\": 4, "
                 "\"num_key_value_heads\": 2, \"head_dim\": 16}}",
                 &d);
    assert_int_equal(d.layers, 3);
    assert_true(d.post_norms && d.head_norms && d.norm_plus_one && d.tied_embeddings);
}

int model_test_description_config(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refuses_what_is_wrong),
        cmocka_unit_test(fills_in_what_is_left_out),
        cmocka_unit_test(reads_windows_and_dense_layers),
        cmocka_unit_test(reads_both_generations_of_rope_keys),
        cmocka_unit_test(reads_text_config),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
