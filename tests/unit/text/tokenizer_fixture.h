/* What the tests of tokenizers share: the files of tests/fixtures/tokenizers as tokenizers. */
#ifndef DEN_TESTS_UNIT_TEXT_TOKENIZER_FIXTURE_H
#define DEN_TESTS_UNIT_TEXT_TOKENIZER_FIXTURE_H

#include "test.h"

#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/json.h"
#include "text/tokenizer.h"

#define FOLDER DEN_FIXTURES "/tokenizers/"

static inline json_t *read_json(const char *name)
{
    struct den_error err = { 0 };
    json_t *value = NULL;
    char path[512];

    snprintf(path, sizeof path, FOLDER "%s", name);
    if (den_json_read_file(path, &value, &err) != DEN_OK)
        fail_msg("%s", err.message);
    return value;
}

static inline struct den_tokenizer *create_json(const json_t *value, const json_t *config)
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
static inline json_t *patch_base(const char *base, const json_t *patch)
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
static inline void read_gguf(const char *name, const char *pre, struct den_buffer *out)
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

static inline enum den_status try_gguf(const char *name, const char *pre,
                                       struct den_tokenizer **out, struct den_error *err)
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

static inline struct den_tokenizer *create_gguf(const char *name, const char *pre)
{
    struct den_tokenizer *tokenizer = NULL;
    struct den_error err = { 0 };

    if (try_gguf(name, pre, &tokenizer, &err) != DEN_OK)
        fail_msg("%s", err.message);
    return tokenizer;
}

static inline void encode(const struct den_tokenizer *tokenizer, const char *text, size_t length,
                          unsigned flags, struct den_tokens *out)
{
    struct den_error err = { 0 };

    out->count = 0;
    if (den_tokenizer_encode(tokenizer, text, length, flags, out, &err) != DEN_OK)
        fail_msg("%s", err.message);
}

static inline void decode(const struct den_tokenizer *tokenizer, const struct den_tokens *tokens,
                          bool skip_special, struct den_buffer *out)
{
    struct den_error err = { 0 };

    den_buffer_clear(out);
    if (den_tokenizer_decode(tokenizer, tokens->items, tokens->count, skip_special, out, &err) !=
        DEN_OK)
        fail_msg("%s", err.message);
}

#endif
