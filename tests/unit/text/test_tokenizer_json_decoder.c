/* Decoders and templates of tokenizer.json: a strip after a fuse is of the whole text, a template's
 * tokens go before and after, and tokens that don't exist are refused. */
#include "tokenizer_fixture.h"

#include "text/tokenizer_json.h"

static enum den_status read(const char *text, bool decoder, struct den_tokenizer **out,
                            struct den_error *err)
{
    json_t *value = NULL;
    size_t i;

    assert_int_equal(den_json_parse(text, strlen(text), "test", &value, err), DEN_OK);
    assert_int_equal(den_tokenizer_create_empty(3, 4096, out, err), DEN_OK);
    for (i = 0; i < 3; i++)
        den_vocabulary_set(&(*out)->vocabulary, i, "xyz" + i, 1, err);
    if (decoder)
        den_tokenizer_read_decoder(*out, value, err);
    else
        den_tokenizer_read_template(*out, value, err);
    json_decref(value);
    return err->status;
}

static void tells_strips_apart(void **state)
{
    static const char fused[] = "{\"type\":\"Sequence\",\"decoders\":[{\"type\":\"ByteFallback\"},"
                                "{\"type\":\"Fuse\"},{\"type\":\"Strip\",\"content\":\" \","
                                "\"start\":1,\"stop\":2}]}";
    struct den_tokenizer *tokenizer = NULL;
    struct den_error err = { 0 };

    assert_int_equal(read(fused, true, &tokenizer, &err), DEN_OK);
    assert_int_equal(tokenizer->decoder.count, 1);
    assert_int_equal(tokenizer->decoder.strip_left, 1);
    assert_int_equal(tokenizer->decoder.strip_right, 2);
    den_tokenizer_destroy(tokenizer);
    assert_int_equal(read("{\"type\":\"Strip\",\"start\":1,\"stop\":0}", true, &tokenizer, &err),
                     DEN_OK);
    assert_int_equal(tokenizer->decoder.count, 1);
    assert_int_equal(tokenizer->decoder.strip_left, 0);
    den_tokenizer_destroy(tokenizer);
    assert_int_equal(read("null", true, &tokenizer, &err), DEN_OK);
    assert_true(tokenizer->decoder.spaced);
    den_tokenizer_destroy(tokenizer);
}

static void reads_templates(void **state)
{
    static const char template[] =
        "{\"type\":\"Sequence\",\"processors\":[{\"type\":\"ByteLevel\"},{\"type\":"
        "\"TemplateProcessing\",\"single\":[{\"SpecialToken\":{\"id\":\"b\"}},{\"Sequence\":{"
        "\"id\":\"A\"}},{\"SpecialToken\":{\"id\":\"e\"}}],\"special_tokens\":{\"b\":{\"ids\":[1,"
        "0]},\"e\":{\"ids\":[2]}}}]}";
    struct den_tokenizer *tokenizer = NULL;
    struct den_error err = { 0 };

    assert_int_equal(read(template, false, &tokenizer, &err), DEN_OK);
    assert_int_equal(tokenizer->prefix.count, 2);
    assert_int_equal(tokenizer->prefix.items[0], 1);
    assert_int_equal(tokenizer->suffix.count, 1);
    assert_int_equal(tokenizer->suffix.items[0], 2);
    den_tokenizer_destroy(tokenizer);
}

static void refuses_wrong_parts(void **state)
{
    static const struct {
        const char *text;
        bool decoder;
        enum den_status status;
    } cases[] = {
        { "{\"type\":\"CTC\"}", true, DEN_UNSUPPORTED },
        { "{\"type\":\"Strip\",\"start\":-1}", true, DEN_INVALID },
        { "{\"type\":\"Replace\",\"pattern\":{\"Regex\":\"a\"},\"content\":\"\"}", true,
          DEN_UNSUPPORTED },
        { "{\"type\":\"PairProcessing\"}", false, DEN_UNSUPPORTED },
        { "{\"type\":\"BertProcessing\",\"cls\":[\"x\",3],\"sep\":[\"x\",0]}", false,
          DEN_BAD_FILE },
        { "{\"type\":\"BertProcessing\"}", false, DEN_BAD_FILE },
        { "{\"type\":\"TemplateProcessing\",\"single\":[{\"SpecialToken\":{\"id\":\"b\"}}]}", false,
          DEN_BAD_FILE },
    };
    size_t i;

    for (i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct den_tokenizer *tokenizer = NULL;
        struct den_error err = { 0 };

        assert_int_equal(read(cases[i].text, cases[i].decoder, &tokenizer, &err), cases[i].status);
        den_tokenizer_destroy(tokenizer);
    }
}

int text_test_tokenizer_json_decoder(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tells_strips_apart),
        cmocka_unit_test(reads_templates),
        cmocka_unit_test(refuses_wrong_parts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
