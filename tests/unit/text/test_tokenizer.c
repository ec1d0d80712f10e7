/* Every tokenizer of tests/fixtures/tokenizers against the reference packages' ids and texts (made
 * by make_tokenizers.py), from tokenizer.json and from GGUF; and what a tokenizer tells of its
 * tokens. */
#include "tokenizer_fixture.h"

enum { BOTH = DEN_ENCODE_ADD_SPECIAL | DEN_ENCODE_PARSE_SPECIAL };

/* One string of a case: ids, and text but where the reference could only write a replacement. */
static void check_string(const struct den_tokenizer *tokenizer, const char *label,
                         const json_t *text, const json_t *ids, const json_t *wanted,
                         unsigned flags)
{
    struct den_tokens tokens = { 0 };
    struct den_buffer decoded;
    const char *expected;
    size_t length;
    size_t i;

    if (!json_is_string(wanted))
        wanted = text;
    expected = json_string_value(wanted);
    length = json_string_length(wanted);
    den_buffer_init(&decoded, 1u << 20);
    encode(tokenizer, json_string_value(text), json_string_length(text), flags, &tokens);
    if (tokens.count != json_array_size(ids))
        fail_msg("%s: '%s' gives %zu tokens, not %zu", label, json_string_value(text), tokens.count,
                 json_array_size(ids));
    for (i = 0; i < tokens.count; i++)
        if (tokens.items[i] != json_integer_value(json_array_get(ids, i)))
            fail_msg("%s: '%s': token %zu is %d, not %lld", label, json_string_value(text), i,
                     tokens.items[i], (long long)json_integer_value(json_array_get(ids, i)));
    decode(tokenizer, &tokens, true, &decoded);
    if (!memmem(expected, length, "\xEF\xBF\xBD", 3) && !strstr(expected, "\xE2\x81\x87") &&
        (decoded.length != length || memcmp(decoded.data, expected, length) != 0))
        fail_msg("%s: '%s' decodes as '%s', not '%s'", label, json_string_value(text), decoded.data,
                 expected);
    den_buffer_deinit(&decoded);
    den_tokens_deinit(&tokens);
}

static void check_case(const struct den_tokenizer *tokenizer, const json_t *test,
                       const json_t *corpus, const char *form)
{
    const json_t *ids = json_object_get(test, "ids");
    const json_t *texts = json_object_get(test, "texts");
    const json_t *at = json_object_get(test, "at");
    unsigned flags = json_object_get(test, "plain") ? DEN_ENCODE_PARSE_SPECIAL : BOTH;
    char label[128];
    size_t i;

    snprintf(label, sizeof label, "%s (%s)", json_string_value(json_object_get(test, "name")),
             form);
    assert_true(json_array_size(ids) > 50);
    for (i = 0; i < json_array_size(ids); i++) {
        size_t which = at ? (size_t)json_integer_value(json_array_get(at, i)) : i;

        check_string(tokenizer, label, json_array_get(corpus, which), json_array_get(ids, i),
                     json_array_get(texts, i), flags);
    }
}

static void agrees_with_the_references(void **state)
{
    json_t *cases = read_json("cases.json");
    json_t *corpus = read_json("corpus.json");
    size_t forms = 0;
    size_t i;

    for (i = 0; i < json_array_size(cases); i++) {
        const json_t *test = json_array_get(cases, i);
        const char *base = json_string_value(json_object_get(test, "base"));
        const char *gguf = json_string_value(json_object_get(test, "gguf"));
        const char *pre = json_string_value(json_object_get(test, "pre"));
        struct den_tokenizer *tokenizer;

        if (base) {
            json_t *value = patch_base(base, json_object_get(test, "patch"));

            tokenizer = create_json(value, NULL);
            check_case(tokenizer, test, corpus, "json");
            den_tokenizer_destroy(tokenizer);
            json_decref(value);
            forms++;
        }
        if (gguf) {
            tokenizer = create_gguf(gguf, pre);
            check_case(tokenizer, test, corpus, "gguf");
            den_tokenizer_destroy(tokenizer);
            forms++;
        }
    }
    assert_true(forms > 90);
    json_decref(cases);
    json_decref(corpus);
}

static void tells_about_tokens(void **state)
{
    struct den_tokenizer *tokenizer = create_gguf("bytes.gguf", "gpt-2");
    struct den_tokens tokens = { 0 };
    struct den_token_text text;
    struct den_buffer decoded;
    struct den_error err = { 0 };
    den_token wrong = 2600;

    assert_int_equal(den_tokenizer_size(tokenizer), 2600);
    assert_int_equal(den_tokenizer_bos(tokenizer), 1);
    assert_int_equal(den_tokenizer_eos(tokenizer), 2);
    assert_true(den_tokenizer_is_end(tokenizer, 2));
    assert_true(den_tokenizer_is_end(tokenizer, 0)); /* <|endoftext|> */
    assert_false(den_tokenizer_is_end(tokenizer, 1));
    assert_true(den_tokenizer_is_special(tokenizer, 1));
    assert_int_equal(den_tokenizer_find(tokenizer, "<|im_end|>", 10), 2);
    assert_int_equal(den_tokenizer_find(tokenizer, "<|nothing|>", 11), DEN_TOKEN_NONE);
    assert_int_equal(den_tokenizer_piece(tokenizer, 1).length, 0);
    text = den_tokenizer_name(tokenizer, 1);
    assert_memory_equal(text.bytes, "<|im_start|>", 12);
    assert_int_equal(den_tokenizer_name(tokenizer, -1).length, 0);
    assert_int_equal(den_tokenizer_piece(tokenizer, 2600).length, 0);
    encode(tokenizer, "<|im_start|>a b", 15, DEN_ENCODE_PARSE_SPECIAL, &tokens);
    den_buffer_init(&decoded, 1024);
    decode(tokenizer, &tokens, false, &decoded);
    assert_string_equal(decoded.data, "<|im_start|>a b");
    assert_int_equal(den_tokenizer_decode(tokenizer, &wrong, 1, true, &decoded, &err), DEN_INVALID);
    den_buffer_deinit(&decoded);
    den_tokens_deinit(&tokens);
    den_tokenizer_destroy(tokenizer);
}

int text_test_tokenizer(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(agrees_with_the_references),
        cmocka_unit_test(tells_about_tokens),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
