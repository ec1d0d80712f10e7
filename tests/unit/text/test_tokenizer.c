/* Every tokenizer of tests/fixtures/tokenizers against the reference packages' ids and texts
 * (make_tokenizers.py), from tokenizer.json and from GGUF; then what no reference has: any bytes
 * come back, long texts take no time, bad files are refused with a reason. */
#include "test.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"
#include "text/tokenizer.h"

#define FOLDER DEN_FIXTURES "/tokenizers/"
enum { BOTH = DEN_ENCODE_ADD_SPECIAL | DEN_ENCODE_PARSE_SPECIAL };

static json_t *read_json(const char *name)
{
    struct den_error err = { 0 };
    json_t *value = NULL;
    char path[512];

    snprintf(path, sizeof path, FOLDER "%s", name);
    if (den_json_read_file(path, &value, &err) != DEN_OK)
        fail_msg("%s", err.message);
    return value;
}

static struct den_tokenizer *create_json(const json_t *value, const json_t *config)
{
    struct den_tokenizer *tokenizer = NULL;
    struct den_error err = { 0 };
    struct den_buffer text;

    den_buffer_init(&text, 64u << 20);
    assert_int_equal(den_json_write(value, &text, &err), DEN_OK);
    if (den_tokenizer_create_json(text.data, text.length, config, &tokenizer, &err) != DEN_OK)
        fail_msg("%s", err.message);
    den_buffer_deinit(&text);
    return tokenizer;
}

/* A base of the fixtures with parts replaced. */
static json_t *patch_base(const char *base, const json_t *patch)
{
    json_t *value = read_json(base);
    const char *key;
    json_t *part;

    json_object_foreach((json_t *)patch, key, part)
    {
        if (strcmp(key, "ignore_merges") == 0)
            json_object_set(json_object_get(value, "model"), key, part);
        else
            json_object_set(value, key, part);
    }
    return value;
}

/* The file's bytes; with `pre`, the value of its last key, tokenizer.ggml.pre, is replaced. */
static void read_gguf(const char *name, const char *pre, struct den_buffer *out)
{
    static const char key[] = "tokenizer.ggml.pre";
    struct den_error err = { 0 };
    char path[512];

    snprintf(path, sizeof path, FOLDER "%s", name);
    if (den_file_read(path, out, &err) != DEN_OK)
        fail_msg("%s", err.message);
    if (pre) {
        char *found = memmem(out->data, out->length, key, sizeof key - 1);
        uint64_t length = strlen(pre);

        assert_non_null(found);
        out->length = (size_t)(found - out->data) + sizeof key - 1 + 4;
        den_buffer_append(out, &length, sizeof length);
        den_buffer_append_text(out, pre);
    }
    while (out->length % 32 != 0)
        den_buffer_append_byte(out, 0);
}

static enum den_status try_gguf(const char *name, const char *pre, struct den_tokenizer **out,
                                struct den_error *err)
{
    struct den_gguf *gguf = NULL;
    struct den_buffer bytes;

    den_buffer_init(&bytes, 1u << 20);
    read_gguf(name, pre, &bytes);
    if (den_gguf_open_memory(bytes.data, bytes.length, name, &gguf, err) == DEN_OK)
        den_tokenizer_create_gguf(gguf, out, err);
    den_gguf_close(gguf); /* the tokenizer keeps nothing of the file */
    den_buffer_deinit(&bytes);
    return err->status;
}

static struct den_tokenizer *create_gguf(const char *name, const char *pre)
{
    struct den_tokenizer *tokenizer = NULL;
    struct den_error err = { 0 };

    if (try_gguf(name, pre, &tokenizer, &err) != DEN_OK)
        fail_msg("%s", err.message);
    return tokenizer;
}

static void encode(const struct den_tokenizer *tokenizer, const char *text, size_t length,
                   unsigned flags, struct den_tokens *out)
{
    struct den_error err = { 0 };

    out->count = 0;
    if (den_tokenizer_encode(tokenizer, text, length, flags, out, &err) != DEN_OK)
        fail_msg("%s", err.message);
}

static void decode(const struct den_tokenizer *tokenizer, const struct den_tokens *tokens,
                   bool skip_special, struct den_buffer *out)
{
    struct den_error err = { 0 };

    den_buffer_clear(out);
    if (den_tokenizer_decode(tokenizer, tokens->items, tokens->count, skip_special, out, &err) !=
        DEN_OK)
        fail_msg("%s", err.message);
}

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

/* Random bytes, half of them from a small set that makes words, spaces and broken characters. */
static void fill_random(char *bytes, size_t count, uint64_t *seed)
{
    static const char common[] = "aeB 1\n\xC3\xA9\xE4\xBD\xA0\xF0\x9F\x98\x80\x80\xFF";
    size_t i;

    for (i = 0; i < count; i++) {
        *seed = *seed * 6364136223846793005u + 1442695040888963407u;
        bytes[i] = *seed >> 63 ? (char)(*seed >> 40) : common[(*seed >> 33) % (sizeof common - 1)];
    }
}

static void check_round_trip(const struct den_tokenizer *tokenizer)
{
    struct den_tokens tokens = { 0 };
    struct den_buffer decoded;
    uint64_t seed = 7;
    char bytes[200];
    int round;

    den_buffer_init(&decoded, 1u << 20);
    for (round = 0; round < 500; round++) {
        size_t length = (size_t)round % sizeof bytes;
        struct den_buffer joined;
        size_t i;

        fill_random(bytes, length, &seed);
        encode(tokenizer, bytes, length, 0, &tokens);
        decode(tokenizer, &tokens, true, &decoded);
        assert_int_equal(decoded.length, length);
        assert_memory_equal(decoded.data, bytes, length);
        /* pieces, one by one, add up to the text (after the space that some put first) */
        den_buffer_init(&joined, 1u << 20);
        for (i = 0; i < tokens.count; i++) {
            struct den_token_text piece = den_tokenizer_piece(tokenizer, tokens.items[i]);

            den_buffer_append(&joined, piece.bytes, piece.length);
        }
        assert_true(joined.length == length || joined.length == length + 1);
        assert_memory_equal(joined.data + (joined.length - length), bytes, length);
        den_buffer_deinit(&joined);
    }
    den_buffer_deinit(&decoded);
    den_tokens_deinit(&tokens);
}

static void brings_back_any_bytes(void **state)
{
    static const char *const names[] = { "gpt-2",        "smollm",      "llama-bpe", "tekken",
                                         "deepseek-llm", "deepseek-v3", "falcon",    "bloom",
                                         "kimi-k2",      "superbpe",    "tiny_aya",  "default" };
    struct den_tokenizer *tokenizer;
    size_t i;

    for (i = 0; i < sizeof names / sizeof names[0]; i++) {
        tokenizer = create_gguf("bytes.gguf", names[i]);
        check_round_trip(tokenizer);
        den_tokenizer_destroy(tokenizer);
    }
    tokenizer = create_gguf("llama.gguf", NULL);
    check_round_trip(tokenizer);
    den_tokenizer_destroy(tokenizer);
}

/* A million bytes of one pattern. Quadratic work would take minutes; the bound is for machines that
 * are busy and builds that are instrumented. */
static void check_long(const struct den_tokenizer *tokenizer, const char *pattern)
{
    enum { BYTES = 1000000 };
    size_t period = strlen(pattern);
    char *text = malloc(BYTES);
    struct den_tokens tokens = { 0 };
    struct den_buffer decoded;
    size_t i;

    assert_non_null(text);
    for (i = 0; i < BYTES; i++)
        text[i] = pattern[i % period];
    text[0] = 'x';
    text[BYTES - 1] = 'y';
    encode(tokenizer, text, BYTES, 0, &tokens);
    assert_true(tokens.count > 0 && tokens.count <= BYTES + 1);
    den_buffer_init(&decoded, 4u << 20);
    decode(tokenizer, &tokens, true, &decoded);
    assert_int_equal(decoded.length, BYTES);
    assert_memory_equal(decoded.data, text, BYTES);
    den_buffer_deinit(&decoded);
    den_tokens_deinit(&tokens);
    free(text);
}

static void takes_long_texts(void **state)
{
    static const char *const patterns[] = { "a", " ", "\n", "1", "A", "!", "\xFF", "ab 12\n ' " };
    static const char *const names[] = { "qwen2", "gpt-4o", "superbpe", "tiny_aya" };
    struct den_tokenizer *tokenizer;
    double start = den_clock_seconds();
    size_t i;
    size_t j;

    for (i = 0; i < sizeof names / sizeof names[0]; i++) {
        tokenizer = create_gguf("bytes.gguf", names[i]);
        for (j = i == 0 ? 0 : 3; j < (i == 0 ? 8 : 5); j++)
            check_long(tokenizer, patterns[j]);
        den_tokenizer_destroy(tokenizer);
    }
    tokenizer = create_gguf("llama.gguf", NULL);
    check_long(tokenizer, "a");
    check_long(tokenizer, " ");
    den_tokenizer_destroy(tokenizer);
    print_message("%.1f s for long texts\n", den_clock_seconds() - start);
}

static void keeps_special_tokens_out_of_plain_text(void **state)
{
    static const char text[] = "<|im_start|>user";
    struct den_tokenizer *tokenizer = create_gguf("bytes.gguf", "llama-bpe");
    struct den_tokens tokens = { 0 };
    size_t i;

    encode(tokenizer, text, sizeof text - 1, DEN_ENCODE_PARSE_SPECIAL, &tokens);
    assert_int_equal(tokens.items[0], 1);
    encode(tokenizer, text, sizeof text - 1, 0, &tokens);
    for (i = 0; i < tokens.count; i++)
        assert_false(den_tokenizer_is_special(tokenizer, tokens.items[i]));
    den_tokens_deinit(&tokens);
    den_tokenizer_destroy(tokenizer);
}

static void tells_about_tokens(void **state)
{
    struct den_tokenizer *tokenizer = create_gguf("bytes.gguf", "gpt-2");
    struct den_tokens tokens = { 0 };
    struct den_token_text text;
    struct den_buffer decoded;
    struct den_error err = { 0 };
    den_token wrong = 1500;

    assert_int_equal(den_tokenizer_size(tokenizer), 1500);
    assert_int_equal(den_tokenizer_bos(tokenizer), 1);
    assert_int_equal(den_tokenizer_eos(tokenizer), 2);
    assert_true(den_tokenizer_is_end(tokenizer, 2));
    assert_true(den_tokenizer_is_end(tokenizer, 0)); /* <|endoftext|> */
    assert_false(den_tokenizer_is_end(tokenizer, 1));
    assert_true(den_tokenizer_is_special(tokenizer, 1));
    assert_int_equal(den_tokenizer_find(tokenizer, "<|im_end|>", 10), 2);
    assert_int_equal(den_tokenizer_find(tokenizer, "<|im_end", 8), DEN_TOKEN_NONE);
    assert_int_equal(den_tokenizer_piece(tokenizer, 1).length, 0);
    text = den_tokenizer_name(tokenizer, 1);
    assert_memory_equal(text.bytes, "<|im_start|>", 12);
    assert_int_equal(den_tokenizer_name(tokenizer, -1).length, 0);
    assert_int_equal(den_tokenizer_piece(tokenizer, 1500).length, 0);
    encode(tokenizer, "<|im_start|>a b", 15, DEN_ENCODE_PARSE_SPECIAL, &tokens);
    den_buffer_init(&decoded, 1024);
    decode(tokenizer, &tokens, false, &decoded);
    assert_string_equal(decoded.data, "<|im_start|>a b");
    assert_int_equal(den_tokenizer_decode(tokenizer, &wrong, 1, true, &decoded, &err), DEN_INVALID);
    den_buffer_deinit(&decoded);
    den_tokens_deinit(&tokens);
    den_tokenizer_destroy(tokenizer);
}

static void obeys_tokenizer_config(void **state)
{
    json_t *base = read_json("llama.json");
    json_t *config = json_pack("{s:s, s:{s:s}, s:s, s:b, s:b}", "tokenizer_class",
                               "LlamaTokenizerFast", "bos_token", "content", "<s>", "eos_token",
                               "</s>", "add_bos_token", 0, "add_eos_token", 1);
    struct den_tokenizer *tokenizer = create_json(base, config);
    struct den_tokens tokens = { 0 };

    assert_int_equal(den_tokenizer_bos(tokenizer), 1);
    assert_int_equal(den_tokenizer_eos(tokenizer), 2);
    encode(tokenizer, "a", 1, DEN_ENCODE_ADD_SPECIAL, &tokens);
    assert_true(tokens.count >= 2);
    assert_int_not_equal(tokens.items[0], 1);
    assert_int_equal(tokens.items[tokens.count - 1], 2);
    den_tokens_deinit(&tokens);
    den_tokenizer_destroy(tokenizer);
    json_decref(base);
    json_decref(config);
}

static void refuses_unknown_names(void **state)
{
    struct den_tokenizer *tokenizer = NULL;
    struct den_error err = { 0 };

    assert_int_equal(try_gguf("bytes.gguf", "no-such-thing", &tokenizer, &err), DEN_UNSUPPORTED);
    assert_non_null(strstr(err.message, "no-such-thing"));
    assert_non_null(strstr(err.message, "smollm"));
    assert_null(tokenizer);
}

static void refuses_bad_json(void **state)
{
    static const struct {
        const char *text;
        enum den_status status;
        const char *message;
    } cases[] = {
        { "", DEN_INVALID, "JSON" },
        { "[]", DEN_BAD_FILE, "vocab" },
        { "{\"model\":{\"type\":\"BPE\",\"vocab\":{},\"merges\":[]}}", DEN_BAD_FILE, "empty" },
        { "{\"model\":{\"type\":\"BPE\",\"vocab\":{\"a\":-1},\"merges\":[]}}", DEN_BAD_FILE, "-1" },
        { "{\"model\":{\"type\":\"BPE\",\"vocab\":{\"a\":1000000},\"merges\":[]}}", DEN_BAD_FILE,
          "dense" },
        { "{\"model\":{\"type\":\"BPE\",\"vocab\":{\"a\":0,\"b\":0},\"merges\":[]}}", DEN_BAD_FILE,
          "two tokens" },
        { "{\"model\":{\"type\":\"BPE\",\"vocab\":{\"a\":0},\"merges\":[\"a b\"]}}", DEN_BAD_FILE,
          "merge 0" },
        { "{\"model\":{\"type\":\"BPE\",\"vocab\":{\"a\":0},\"merges\":[\"a\"]}}", DEN_BAD_FILE,
          "two tokens" },
        { "{\"model\":{\"type\":\"WordLevel\",\"vocab\":{\"a\":0}}}", DEN_UNSUPPORTED,
          "WordLevel" },
        { "{\"model\":{\"type\":\"Unigram\",\"unk_id\":9,\"vocab\":[[\"a\",-1]]}}", DEN_INVALID,
          "unk_id" },
        { "{\"model\":{\"type\":\"Unigram\",\"vocab\":[[1,2]]}}", DEN_BAD_FILE, "score" },
        { "{\"model\":{\"type\":\"BPE\",\"vocab\":{\"a\":0},\"merges\":[]},\"pre_tokenizer\":"
          "{\"type\":\"Split\",\"pattern\":{\"Regex\":\"(\"},\"behavior\":\"Isolated\"}}",
          DEN_BAD_FILE, "regular expression" },
        { "{\"model\":{\"type\":\"BPE\",\"vocab\":{\"a\":0},\"merges\":[]},\"pre_tokenizer\":"
          "{\"type\":\"Wonder\"}}",
          DEN_UNSUPPORTED, "Wonder" },
        { "{\"model\":{\"type\":\"BPE\",\"vocab\":{\"a\":0},\"merges\":[]},\"normalizer\":"
          "{\"type\":\"Precompiled\",\"precompiled_charsmap\":\"////\"}}",
          DEN_BAD_FILE, "charsmap" },
        { "{\"model\":{\"type\":\"BPE\",\"vocab\":{\"a\":0},\"merges\":[]},\"post_processor\":"
          "{\"type\":\"BertProcessing\",\"cls\":[\"a\",7],\"sep\":[\"a\",0]}}",
          DEN_BAD_FILE, "token 7" },
    };
    size_t i;

    for (i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct den_tokenizer *tokenizer = NULL;
        struct den_error err = { 0 };

        assert_int_equal(
            den_tokenizer_create_json(cases[i].text, strlen(cases[i].text), NULL, &tokenizer, &err),
            cases[i].status);
        if (!strstr(err.message, cases[i].message))
            fail_msg("'%s' doesn't say '%s'", err.message, cases[i].message);
        assert_null(tokenizer);
    }
}

int text_test_tokenizer(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(agrees_with_the_references),
        cmocka_unit_test(brings_back_any_bytes),
        cmocka_unit_test(takes_long_texts),
        cmocka_unit_test(keeps_special_tokens_out_of_plain_text),
        cmocka_unit_test(tells_about_tokens),
        cmocka_unit_test(obeys_tokenizer_config),
        cmocka_unit_test(refuses_unknown_names),
        cmocka_unit_test(refuses_bad_json),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
