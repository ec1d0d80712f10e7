/* The encoder against transformers: token vectors from a folder and from GGUF, in both precisions;
 * that a text's vectors are the same bits in any company; refusals of damaged files. */
#include "model/encoder_fixture.h"

#include "model/bert.h"

enum { ROWS = 128 };

struct opened {
    struct den_weights *weights;
    struct den_device *device;
    struct den_bert *bert;
    struct den_error err;
};

static enum den_status open_bert(struct opened *out, const char *path, int threads,
                                 enum den_precision precision)
{
    struct den_device_options options = { .threads = threads };

    *out = (struct opened){ 0 };
    if (den_weights_open(path, &out->weights, &out->err) != DEN_OK ||
        den_device_create(&options, &out->device, &out->err) != DEN_OK)
        return out->err.status;
    return den_bert_create(out->weights, out->device, precision, ROWS, &out->bert, &out->err);
}

static void close_bert(struct opened *opened)
{
    den_bert_destroy(opened->bert);
    den_device_destroy(opened->device);
    den_weights_close(opened->weights);
}

static void agrees_with_transformers(void **state)
{
    static const struct {
        const char *path;
        const char *expected;
        enum den_precision precision;
        double slack;
    } cases[] = {
        { "bert", "bert/expected.json", DEN_PRECISION_FP32, 2e-5 },
        { "bert.gguf", "bert/expected.json", DEN_PRECISION_FP32, 2e-5 },
        { "roberta", "roberta/expected.json", DEN_PRECISION_FP32, 2e-5 },
        { "bert", "bert/expected.json", DEN_PRECISION_INT16, 5e-3 },
        { "bert.gguf", "bert/expected.json", DEN_PRECISION_INT16, 5e-3 },
        { "roberta", "roberta/expected.json", DEN_PRECISION_INT16, 5e-3 },
    };
    size_t i, row;

    for (i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        json_t *expected = encoder_json(cases[i].expected);
        const json_t *hidden = json_object_get(expected, "hidden");
        int32_t tokens[ROWS];
        size_t begin[2] = { 0 };
        struct den_bert_batch batch = { .tokens = tokens, .begin = begin, .texts = 1 };
        struct opened opened;
        const float *found;

        assert_int_equal(open_bert(&opened, encoder_path(cases[i].path), 2, cases[i].precision),
                         DEN_OK);
        begin[1] = encoder_tokens(expected, 3, tokens);
        assert_true(begin[1] > 10);
        found = den_bert_run(opened.bert, &batch);
        for (row = 0; row < begin[1]; row++) {
            double off = largest_difference(json_array_get(hidden, row), found + row * 32);

            if (!(off < cases[i].slack))
                fail_msg("%s, case %zu, token %zu: off by %g", cases[i].path, i, row, off);
        }
        close_bert(&opened);
        json_decref(expected);
    }
}

/* All texts in one batch, each alone, and with other numbers of threads: the same bits. */
static void texts_stand_alone(void **state)
{
    json_t *expected = encoder_json("bert/expected.json");
    int32_t tokens[ROWS];
    size_t begin[8] = { 0 }, t;
    struct den_bert_batch all = { .tokens = tokens, .begin = begin, .texts = 7 };
    float together[ROWS * 32];
    int threads;

    for (t = 0; t < 7; t++)
        begin[t + 1] = begin[t] + encoder_tokens(expected, t, tokens + begin[t]);
    assert_true(begin[7] <= ROWS);
    for (threads = 1; threads <= 3; threads++) {
        struct opened opened;

        assert_int_equal(open_bert(&opened, encoder_path("bert"), threads, DEN_PRECISION_INT16),
                         DEN_OK);
        if (threads == 1)
            memcpy(together, den_bert_run(opened.bert, &all), begin[7] * 32 * sizeof(float));
        else
            assert_memory_equal(together, den_bert_run(opened.bert, &all),
                                begin[7] * 32 * sizeof(float));
        for (t = 0; t < 7; t++) {
            size_t own[2] = { 0, begin[t + 1] - begin[t] };
            struct den_bert_batch one = { .tokens = tokens + begin[t], .begin = own, .texts = 1 };

            assert_memory_equal(together + begin[t] * 32, den_bert_run(opened.bert, &one),
                                own[1] * 32 * sizeof(float));
        }
        close_bert(&opened);
    }
    json_decref(expected);
}

static void refuse(const char *folder, enum den_status status, const char *word)
{
    struct opened opened;

    if (open_bert(&opened, folder, 1, DEN_PRECISION_FP32) != status)
        fail_msg("%s: %d, %s", word, (int)opened.err.status, opened.err.message);
    if (!strstr(opened.err.message, word))
        fail_msg("'%s' does not say '%s'", opened.err.message, word);
    close_bert(&opened);
}

/* Sizes that the tensors do not have, and a file cut short. */
static void refuses_what_does_not_fit(void **state)
{
    static const struct {
        const char *key;
        int value;
        const char *word;
    } changes[] = {
        { "hidden_size", 64, "word_embeddings" },
        { "vocab_size", 92, "word_embeddings" },
        { "max_position_embeddings", 65, "position_embeddings" },
        { "type_vocab_size", 3, "token_type_embeddings" },
        { "intermediate_size", 44, "intermediate" },
        { "num_hidden_layers", 3, "encoder.layer.2" },
    };
    size_t i;

    for (i = 0; i < sizeof changes / sizeof changes[0]; i++) {
        const char *folder = copy_encoder();

        change_config(folder, changes[i].key, json_integer(changes[i].value));
        refuse(folder, DEN_BAD_FILE, changes[i].word);
        remove_encoder(folder);
    }
}

static void refuses_a_truncated_file(void **state)
{
    static const off_t lengths[] = { 0, 4, 200, 5000, 70000 };
    size_t i;

    for (i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        const char *folder = copy_encoder();
        char path[200];

        snprintf(path, sizeof path, "%s/model.safetensors", folder);
        assert_int_equal(truncate(path, lengths[i]), 0);
        refuse(folder, DEN_BAD_FILE, "model.safetensors");
        remove_encoder(folder);
    }
}

int model_test_bert(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(agrees_with_transformers),
        cmocka_unit_test(texts_stand_alone),
        cmocka_unit_test(refuses_what_does_not_fit),
        cmocka_unit_test(refuses_a_truncated_file),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
