/* What is read of an encoder's folder and GGUF keys, and what is refused, by name. */
#include "model/encoder_fixture.h"

#include "model/bert_description.h"

static enum den_status read_path(const char *path, struct den_bert_description *out,
                                 struct den_error *err)
{
    struct den_weights *weights = NULL;

    *err = (struct den_error){ 0 };
    if (den_weights_open(path, &weights, err) == DEN_OK)
        (void)den_bert_description_read(weights, out, err);
    den_weights_close(weights);
    return err->status;
}

static void reads_every_form(void **state)
{
    struct den_bert_description d;
    struct den_error err;

    assert_int_equal(read_path(encoder_path("bert"), &d, &err), DEN_OK);
    assert_string_equal(d.architecture, "bert");
    assert_string_equal(d.name, "bert");
    assert_true(d.layers == 2 && d.width == 32 && d.heads == 4 && d.ffn_width == 48);
    assert_true(d.vocabulary == 91 && d.positions == 64 && d.position_offset == 0);
    assert_true(d.context_tokens == 24 && d.pooling == DEN_POOLING_MEAN);
    assert_true(d.epsilon == 1e-12f && d.activation == DEN_ACTIVATION_GELU_ERF);
    assert_int_equal(d.parameters, 91 * 32 + 64 * 32 + 2 * 32 + 2 * 32 +
                                       2 * (4 * 33 * 32 + 33 * 48 + 49 * 32 + 4 * 32));
    assert_int_equal(read_path(encoder_path("bert.gguf"), &d, &err), DEN_OK);
    assert_string_equal(d.name, "tiny bert");
    assert_true(d.layers == 2 && d.width == 32 && d.vocabulary == 91 && d.token_types == 2);
    assert_true(d.context_tokens == 64 && d.pooling == DEN_POOLING_MEAN);
    assert_int_equal(read_path(encoder_path("roberta"), &d, &err), DEN_OK);
    assert_string_equal(d.architecture, "xlm-roberta");
    assert_true(d.position_offset == 1 && d.positions == 40 && d.context_tokens == 30);
    assert_true(d.pooling == DEN_POOLING_FIRST && d.activation == DEN_ACTIVATION_GELU_TANH);
}

static void refuses_by_name(void **state)
{
    static const struct {
        const char *key, *value; /* value as JSON; NULL: the key is taken out */
        enum den_status status;
        const char *word;
    } cases[] = {
        { "model_type", "\"distilbert\"", DEN_UNSUPPORTED, "distilbert" },
        { "model_type", NULL, DEN_UNSUPPORTED, "model type" },
        { "hidden_act", "\"relu\"", DEN_UNSUPPORTED, "relu" },
        { "position_embedding_type", "\"relative_key\"", DEN_UNSUPPORTED, "relative_key" },
        { "is_decoder", "true", DEN_UNSUPPORTED, "decoder" },
        { "hidden_size", NULL, DEN_BAD_FILE, "'hidden_size' is missing" },
        { "num_hidden_layers", NULL, DEN_BAD_FILE, "num_hidden_layers" },
        { "num_attention_heads", NULL, DEN_BAD_FILE, "num_attention_heads" },
        { "intermediate_size", NULL, DEN_BAD_FILE, "intermediate_size" },
        { "vocab_size", NULL, DEN_BAD_FILE, "vocab_size" },
        { "max_position_embeddings", NULL, DEN_BAD_FILE, "max_position_embeddings" },
        { "hidden_size", "0", DEN_BAD_FILE, "hidden_size" },
        { "hidden_size", "-32", DEN_BAD_FILE, "hidden_size" },
        { "hidden_size", "\"32\"", DEN_BAD_FILE, "hidden_size" },
        { "hidden_size", "33", DEN_BAD_FILE, "width 33" },
        { "num_attention_heads", "5", DEN_BAD_FILE, "5 heads" },
        { "num_hidden_layers", "2000000000", DEN_BAD_FILE, "2000000000 layers" },
        { "vocab_size", "2000000000", DEN_BAD_FILE, "2000000000 words" },
    };
    size_t i;

    for (i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const char *folder = copy_encoder();
        struct den_bert_description d = { .width = 99 };
        struct den_error err;

        change_config(folder, cases[i].key,
                      cases[i].value ? json_loads(cases[i].value, JSON_DECODE_ANY, NULL) : NULL);
        if (read_path(folder, &d, &err) != cases[i].status || !strstr(err.message, cases[i].word))
            fail_msg("%s: %d, '%s'", cases[i].key, (int)err.status, err.message);
        assert_int_equal(d.width, 99); /* set only on success */
        remove_encoder(folder);
    }
}

static void modules_say_how_to_pool(void **state)
{
    static const struct {
        const char *name, *text;
        enum den_status status;
        const char *word;
        enum den_pooling pooling;
    } cases[] = {
        { "1_Pooling/config.json", "{\"pooling_mode_max_tokens\": true}", DEN_OK, "",
          DEN_POOLING_MAX },
        { "1_Pooling/config.json", "{\"pooling_mode_lasttoken\": true}", DEN_OK, "",
          DEN_POOLING_LAST },
        { "1_Pooling/config.json",
          "{\"pooling_mode_cls_token\": true, \"pooling_mode_mean_tokens\": true}", DEN_UNSUPPORTED,
          "2 poolings", 0 },
        { "1_Pooling/config.json", "{\"pooling_mode_weightedmean_tokens\": true}", DEN_UNSUPPORTED,
          "weightedmean", 0 },
        { "1_Pooling/config.json", "[", DEN_BAD_FILE, "1_Pooling", 0 },
        { "modules.json", "[{\"type\": \"sentence_transformers.models.Dense\"}]", DEN_UNSUPPORTED,
          "Dense", 0 },
        { "modules.json", "[{\"type\": \"x.Pooling\", \"path\": \"../../etc\"}]", DEN_BAD_FILE,
          "../../etc", 0 },
        { "modules.json", "{}", DEN_BAD_FILE, "modules.json", 0 },
        { "sentence_bert_config.json", "{\"max_seq_length\": 1}", DEN_BAD_FILE, "1 tokens", 0 },
        { "sentence_bert_config.json", "{\"max_seq_length\": 9000}", DEN_OK, "", DEN_POOLING_MEAN },
    };
    size_t i;

    for (i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const char *folder = copy_encoder();
        struct den_bert_description d;
        struct den_error err;

        write_encoder_file(folder, cases[i].name, cases[i].text);
        if (read_path(folder, &d, &err) != cases[i].status ||
            (cases[i].word[0] && !strstr(err.message, cases[i].word)))
            fail_msg("case %zu: %d, '%s'", i, (int)err.status, err.message);
        if (err.status == DEN_OK)
            assert_int_equal(d.pooling, cases[i].pooling);
        remove_encoder(folder);
    }
}

/* A bare transformer's folder: the mean over tokens, the length of its positions. */
static void extra_files_may_be_absent(void **state)
{
    const char *folder = copy_encoder();
    struct den_bert_description d;
    struct den_error err;
    char path[200];

    snprintf(path, sizeof path, "%s/modules.json", folder);
    assert_int_equal(unlink(path), 0);
    snprintf(path, sizeof path, "%s/sentence_bert_config.json", folder);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(read_path(folder, &d, &err), DEN_OK);
    assert_true(d.pooling == DEN_POOLING_MEAN && d.context_tokens == 64);
    remove_encoder(folder);
}

/* A chat model is no encoder. */
static void refuses_other_models(void **state)
{
    struct den_bert_description d;
    struct den_error err;
    char path[512];

    snprintf(path, sizeof path, "%s/models/llama.gguf", DEN_FIXTURES);
    assert_int_equal(read_path(path, &d, &err), DEN_UNSUPPORTED);
    assert_non_null(strstr(err.message, "llama"));
    snprintf(path, sizeof path, "%s/models/qwen2", DEN_FIXTURES);
    assert_int_equal(read_path(path, &d, &err), DEN_UNSUPPORTED);
    assert_non_null(strstr(err.message, "qwen2"));
}

int model_test_bert_description(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_every_form),        cmocka_unit_test(refuses_by_name),
        cmocka_unit_test(modules_say_how_to_pool), cmocka_unit_test(extra_files_may_be_absent),
        cmocka_unit_test(refuses_other_models),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
