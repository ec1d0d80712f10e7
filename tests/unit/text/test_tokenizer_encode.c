/* What no reference has: any bytes come back, and long texts take no time. */
#include "tokenizer_fixture.h"

#include <stdlib.h>
#include "base/clock.h"

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

int text_test_tokenizer_encode(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(brings_back_any_bytes),
        cmocka_unit_test(takes_long_texts),
        cmocka_unit_test(keeps_special_tokens_out_of_plain_text),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
