/* Parts by name in both forms of a model, experts in all their forms, and wrong sizes. */
#include "model/changed.h"

#include "model/layout.h"
#include "model/model.h"

struct opened {
    struct den_weights *weights;
    struct den_description description;
    struct den_layout layout;
};

static void open_layout(struct opened *opened, const char *path)
{
    struct den_error err = { 0 };
    char full[512];

    snprintf(full, sizeof full, "%s/models/%s", DEN_FIXTURES, path);
    if (den_weights_open(full, &opened->weights, &err) != DEN_OK ||
        den_description_read(opened->weights, &opened->description, &err) != DEN_OK)
        fail_msg("%s", err.message);
    den_layout_init(&opened->layout, opened->weights, &opened->description);
}

static void expect_name(const char *path, enum den_part part, bool bias, const char *name)
{
    struct opened opened;
    const struct den_tensor *found;

    open_layout(&opened, path);
    found = den_layout_find(&opened.layout, part, 1, bias);
    if (name)
        assert_string_equal(found ? found->name : "(nothing)", name);
    else
        assert_null(found);
    den_weights_close(opened.weights);
}

static void finds_parts_by_name(void **state)
{
    expect_name("llama.gguf", DEN_PART_QUERY, false, "blk.1.attn_q.weight");
    expect_name("llama", DEN_PART_QUERY, false, "model.layers.1.self_attn.q_proj.weight");
    expect_name("llama", DEN_PART_QUERY, true, NULL);
    expect_name("qwen2", DEN_PART_KEY, true, "model.layers.1.self_attn.k_proj.bias");
    expect_name("llama", DEN_PART_HEAD, false, "lm_head.weight");
    expect_name("llama.gguf", DEN_PART_HEAD, false, "output.weight");
    expect_name("llama", DEN_PART_FFN_NORM, false,
                "model.layers.1.post_attention_layernorm.weight");
    expect_name("gemma2", DEN_PART_FFN_NORM, false,
                "model.layers.1.pre_feedforward_layernorm.weight");
    expect_name("gemma2", DEN_PART_POST_ATTENTION_NORM, false,
                "model.layers.1.post_attention_layernorm.weight");
    expect_name("phi3", DEN_PART_QKV, false, "model.layers.1.self_attn.qkv_proj.weight");
    expect_name("mixtral", DEN_PART_ROUTER, false, "model.layers.1.block_sparse_moe.gate.weight");
    expect_name("mixtral.gguf", DEN_PART_ROUTER, false, "blk.1.ffn_gate_inp.weight");
}

/* The same expert out of a stacked tensor and out of its own: equal bytes (both are bf16). */
static void finds_experts_in_all_forms(void **state)
{
    static const enum den_part parts[] = { DEN_PART_GATE, DEN_PART_UP, DEN_PART_DOWN };
    struct opened folder;
    struct opened file;
    size_t expert;
    size_t i;

    open_layout(&folder, "mixtral");
    open_layout(&file, "mixtral.gguf");
    for (expert = 0; expert < 4; expert++)
        for (i = 0; i < 3; i++) {
            struct den_error err = { 0 };
            struct den_tensor a;
            struct den_tensor b;

            assert_int_equal(den_layout_expert(&folder.layout, parts[i], 1, expert, &a, &err),
                             DEN_OK);
            assert_int_equal(den_layout_expert(&file.layout, parts[i], 1, expert, &b, &err),
                             DEN_OK);
            assert_int_equal(a.bytes, b.bytes);
            assert_int_equal(b.dims, 2);
            assert_memory_equal(a.data, b.data, a.bytes);
        }
    den_weights_close(folder.weights);
    den_weights_close(file.weights);
}

static void tells_of_experts_that_are_missing(void **state)
{
    struct opened opened;
    struct den_tensor tensor;
    struct den_error err = { 0 };

    open_layout(&opened, "mixtral");
    assert_int_equal(den_layout_expert(&opened.layout, DEN_PART_GATE_UP, 0, 0, &tensor, &err),
                     DEN_NOT_FOUND);
    assert_int_equal(err.status, DEN_OK);
    assert_int_equal(den_layout_expert(&opened.layout, DEN_PART_DOWN, 0, 4, &tensor, &err),
                     DEN_BAD_FILE);
    assert_non_null(strstr(err.message, "expert 4"));
    den_weights_close(opened.weights);
    err = (struct den_error){ 0 };
    open_layout(&opened, "mixtral.gguf"); /* a stack of another height than described */
    opened.description.experts = 5;
    assert_int_equal(den_layout_expert(&opened.layout, DEN_PART_DOWN, 0, 4, &tensor, &err),
                     DEN_BAD_FILE);
    assert_non_null(strstr(err.message, "ffn_down_exps"));
    den_weights_close(opened.weights);
}

/* The whole loader: a description that the tensors contradict names the tensor and both sizes. */
static void refuses_tensors_of_other_sizes(void **state)
{
    static const struct {
        const char *update;
        const char *word;
    } cases[] = {
        { "{\"intermediate_size\": 50}", "mlp.gate_proj.weight' has 32 inputs and 48 outputs" },
        { "{\"num_key_value_heads\": 1}", "k_proj.weight" },
        { "{\"hidden_size\": 64, \"head_dim\": 8}", "embed_tokens.weight" },
        { "{\"num_hidden_layers\": 3}", "'model.layers.2.input_layernorm.weight' is missing" },
    };
    size_t i;

    for (i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct changed changed;
        struct den_weights *weights = NULL;
        struct den_device *device = NULL;
        struct den_model *model = NULL;
        struct den_error err = { 0 };

        changed_config(&changed, "llama", cases[i].update);
        assert_int_equal(den_weights_open(changed.path, &weights, &err), DEN_OK);
        assert_int_equal(
            den_device_create(&(struct den_device_options){ .threads = 1 }, &device, &err), DEN_OK);
        assert_int_equal(den_model_create(weights, device, DEN_PRECISION_FP32, 64, &model, &err),
                         DEN_BAD_FILE);
        if (!strstr(err.message, cases[i].word))
            fail_msg("'%s' does not say '%s'", err.message, cases[i].word);
        assert_null(model);
        den_device_destroy(device);
        den_weights_close(weights);
        changed_remove(&changed);
    }
}

int model_test_layout(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_parts_by_name),
        cmocka_unit_test(finds_experts_in_all_forms),
        cmocka_unit_test(tells_of_experts_that_are_missing),
        cmocka_unit_test(refuses_tensors_of_other_sizes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
