/* Normalizers and pre-tokenizers of tokenizer.json: which steps they become, and what is refused.
 * What the steps do, the references judge in test_tokenizer. */
#include "tokenizer_fixture.h"

#include "text/tokenizer_json.h"

static json_t *parse(const char *text)
{
    struct den_error err = { 0 };
    json_t *value = NULL;

    assert_int_equal(den_json_parse(text, strlen(text), "test", &value, &err), DEN_OK);
    return value;
}

static enum den_status read(const char *text, bool normalizer, struct den_tokenizer **out,
                            struct den_error *err)
{
    json_t *value = parse(text);

    assert_int_equal(den_tokenizer_create_empty(4, 4096, out, err), DEN_OK);
    if (normalizer)
        den_tokenizer_read_normalizer(*out, value, err);
    else
        den_tokenizer_read_pretokenizer(*out, value, err);
    json_decref(value);
    return err->status;
}

static void counts_steps(void **state)
{
    static const struct {
        const char *text;
        bool normalizer;
        size_t steps;
    } cases[] = {
        { "null", true, 0 },
        { "{\"type\":\"BertNormalizer\"}", true, 5 },
        { "{\"type\":\"BertNormalizer\",\"lowercase\":false}", true, 2 },
        { "{\"type\":\"BertNormalizer\",\"lowercase\":false,\"strip_accents\":true}", true, 4 },
        { "{\"type\":\"Sequence\",\"normalizers\":[{\"type\":\"NFC\"},{\"type\":\"Nmt\"}]}", true,
          2 },
        { "{\"type\":\"Precompiled\",\"precompiled_charsmap\":\"\"}", true, 0 },
        { "null", false, 0 },
        { "{\"type\":\"ByteLevel\"}", false, 3 },
        { "{\"type\":\"ByteLevel\",\"add_prefix_space\":false,\"use_regex\":false}", false, 1 },
        { "{\"type\":\"BertPreTokenizer\"}", false, 2 },
        { "{\"type\":\"Sequence\",\"pretokenizers\":[]}", false, 0 },
    };
    size_t i;

    for (i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct den_tokenizer *tokenizer = NULL;
        struct den_error err = { 0 };

        assert_int_equal(read(cases[i].text, cases[i].normalizer, &tokenizer, &err), DEN_OK);
        assert_int_equal(cases[i].normalizer ? tokenizer->normalizer.count
                                             : tokenizer->pretokenizer.count,
                         cases[i].steps);
        den_tokenizer_destroy(tokenizer);
    }
}

static void refuses_what_it_does_not_know(void **state)
{
    static const struct {
        const char *text;
        bool normalizer;
        enum den_status status;
        const char *message;
    } cases[] = {
        { "{\"type\":\"Magic\"}", true, DEN_UNSUPPORTED, "Magic" },
        { "{\"type\":\"Magic\"}", false, DEN_UNSUPPORTED, "Magic" },
        { "[]", true, DEN_UNSUPPORTED, "isn't known" },
        { "{\"type\":\"Replace\",\"content\":\"a\"}", true, DEN_BAD_FILE, "pattern" },
        { "{\"type\":\"Replace\",\"pattern\":{\"String\":\"a\"},\"content\":1}", true, DEN_BAD_FILE,
          "content" },
        { "{\"type\":\"Strip\",\"strip_left\":3}", true, DEN_INVALID, "strip_left" },
        { "{\"type\":\"Split\",\"pattern\":{\"String\":\"a\"},\"behavior\":\"Odd\"}", false,
          DEN_UNSUPPORTED, "Odd" },
        { "{\"type\":\"Split\",\"pattern\":{\"Regex\":\"[\"},\"behavior\":\"Isolated\"}", false,
          DEN_UNSUPPORTED, "class" },
    };
    size_t i;

    for (i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct den_tokenizer *tokenizer = NULL;
        struct den_error err = { 0 };

        assert_int_equal(read(cases[i].text, cases[i].normalizer, &tokenizer, &err),
                         cases[i].status);
        assert_non_null(strstr(err.message, cases[i].message));
        den_tokenizer_destroy(tokenizer);
    }
}

int text_test_tokenizer_json_steps(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_steps),
        cmocka_unit_test(refuses_what_it_does_not_know),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
