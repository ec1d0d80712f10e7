/* GGUF files that leave things unsaid, or say what is not known. */
#include "tokenizer_fixture.h"

static void refuses_unknown_names(void **state)
{
    struct den_tokenizer *tokenizer = NULL;
    struct den_error err = { 0 };

    assert_int_equal(try_gguf("bytes.gguf", "no-such-thing", &tokenizer, &err), DEN_UNSUPPORTED);
    assert_non_null(strstr(err.message, "no-such-thing"));
    assert_non_null(strstr(err.message, "smollm"));
    assert_null(tokenizer);
}

static void adds_what_each_model_wants(void **state)
{
    static const struct {
        const char *file;
        den_token first;
        den_token last;
    } cases[] = { { "llama.gguf", 1, -1 }, { "t5.gguf", -1, 1 }, { "bert.gguf", 2, 3 } };
    struct den_tokens tokens = { 0 };
    struct den_tokens bare = { 0 };
    size_t i;

    for (i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct den_tokenizer *tokenizer = create_gguf(cases[i].file, NULL);
        size_t added = (cases[i].first >= 0) + (cases[i].last >= 0);

        encode(tokenizer, "the end", 7, DEN_ENCODE_ADD_SPECIAL, &tokens);
        encode(tokenizer, "the end", 7, 0, &bare);
        assert_int_equal(tokens.count, bare.count + added);
        if (cases[i].first >= 0)
            assert_int_equal(tokens.items[0], cases[i].first);
        if (cases[i].last >= 0)
            assert_int_equal(tokens.items[tokens.count - 1], cases[i].last);
        assert_memory_equal(tokens.items + (cases[i].first >= 0), bare.items,
                            bare.count * sizeof *bare.items);
        den_tokenizer_destroy(tokenizer);
    }
    den_tokens_deinit(&tokens);
    den_tokens_deinit(&bare);
}

/* A file whose vocabulary is cut short: every key stays, the token list is renamed away. */
static void wants_a_vocabulary(void **state)
{
    struct den_tokenizer *tokenizer = NULL;
    struct den_error err = { 0 };
    struct den_gguf *gguf = NULL;
    struct den_buffer bytes;
    char *found;

    den_buffer_init(&bytes, 1u << 20);
    read_gguf("bytes.gguf", NULL, &bytes);
    found = memmem(bytes.data, bytes.length, "tokenizer.ggml.tokens", 21);
    assert_non_null(found);
    found[20] = 'X';
    assert_int_equal(den_gguf_open_memory(bytes.data, bytes.length, "x", &gguf, &err), DEN_OK);
    assert_int_equal(den_tokenizer_create_gguf(gguf, &tokenizer, &err), DEN_BAD_FILE);
    assert_non_null(strstr(err.message, "tokenizer.ggml.tokens"));
    den_gguf_close(gguf);
    den_buffer_deinit(&bytes);
}

/* Cuts tokenizer.ggml.tokens down to its first item: behind the key lie the kinds of the value and
 * of its items (4 bytes each), their count, then each with its length before it (8 bytes). */
static void keep_one_token(struct den_buffer *bytes)
{
    static const char key[] = "tokenizer.ggml.tokens";
    char *found = memmem(bytes->data, bytes->length, key, sizeof key - 1);
    char *second = NULL;
    char *at;
    uint64_t count;
    uint64_t i;

    assert_non_null(found);
    at = found + sizeof key - 1 + 8;
    memcpy(&count, at, sizeof count);
    memcpy(at, &(uint64_t){ 1 }, sizeof count);
    at += sizeof count;
    for (i = 0; i < count; i++) {
        uint64_t length;

        second = i == 1 ? at : second;
        memcpy(&length, at, sizeof length);
        at += sizeof length + length;
    }
    assert_non_null(second);
    memmove(second, at, (size_t)(bytes->data + bytes->length - at));
    bytes->length -= (size_t)(at - second);
    while (bytes->length % 32 != 0)
        den_buffer_append_byte(bytes, 0);
}

/* The ids that a family has where the file names none may lie beyond a small vocabulary. */
static void wants_no_special_token_beyond_the_vocabulary(void **state)
{
    struct den_tokenizer *tokenizer = NULL;
    struct den_error err = { 0 };
    struct den_gguf *gguf = NULL;
    struct den_buffer bytes;
    char *found;

    den_buffer_init(&bytes, 1u << 20);
    read_gguf("t5.gguf", NULL, &bytes);
    found = memmem(bytes.data, bytes.length, "tokenizer.ggml.eos_token_id", 27);
    assert_non_null(found);
    found[26] = 'X';
    keep_one_token(&bytes);
    assert_int_equal(den_gguf_open_memory(bytes.data, bytes.length, "x", &gguf, &err), DEN_OK);
    if (den_tokenizer_create_gguf(gguf, &tokenizer, &err) != DEN_OK)
        fail_msg("%s", err.message);
    assert_int_equal(den_tokenizer_size(tokenizer), 1);
    assert_int_equal(den_tokenizer_eos(tokenizer), DEN_TOKEN_NONE);
    den_tokenizer_destroy(tokenizer);
    den_gguf_close(gguf);
    den_buffer_deinit(&bytes);
}

int text_test_tokenizer_gguf(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refuses_unknown_names),
        cmocka_unit_test(adds_what_each_model_wants),
        cmocka_unit_test(wants_a_vocabulary),
        cmocka_unit_test(wants_no_special_token_beyond_the_vocabulary),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
