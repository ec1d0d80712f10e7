/* See full_text.h. FTS5 hands a tokenizer over by name; ours walks the text, hands stretches of
 * alphabetic scripts to "porter unicode61", and makes pairs of the rest itself. */
#include "store/full_text.h"

#include <sqlite3.h>
#include <stdlib.h>

#include "base/utf8.h"

typedef int (*emit_token)(void *context, int flags, const char *token, int length, int start,
                          int end);

struct tokenizer {
    fts5_tokenizer words;
    Fts5Tokenizer *word_tokenizer;
};

struct shifted {
    void *context;
    emit_token emit;
    int by;
};

bool den_full_text_is_paired(uint32_t code)
{
    return (code >= 0x2e80 && code <= 0x2fdf) || /* radicals */
           (code >= 0x3040 && code <= 0x30ff) || /* hiragana, katakana */
           (code >= 0x3400 && code <= 0x4dbf) || /* ideographs, extension A */
           (code >= 0x4e00 && code <= 0x9fff) || /* ideographs */
           (code >= 0xac00 && code <= 0xd7af) || /* hangul */
           (code >= 0xf900 && code <= 0xfaff) || /* compatibility ideographs */
           (code >= 0x20000 && code <= 0x3134f); /* extensions B to G */
}

static int emit_shifted(void *context, int flags, const char *token, int length, int start, int end)
{
    struct shifted *shifted = context;

    return shifted->emit(shifted->context, flags, token, length, start + shifted->by,
                         end + shifted->by);
}

/* The run of paired (or of other) characters that begins at `start`; its end. */
static size_t run_end(const char *text, size_t length, size_t start, bool *out_paired)
{
    bool is_first = true;

    *out_paired = false;
    while (start < length) {
        uint32_t code;
        size_t step = den_utf8_decode(text + start, length - start, &code);
        bool paired = den_full_text_is_paired(code);

        if (is_first)
            *out_paired = paired;
        else if (paired != *out_paired)
            break;
        is_first = false;
        start += step;
    }
    return start;
}

static int emit_pairs(void *context, emit_token emit, int flags, const char *text, size_t start,
                      size_t end)
{
    bool is_question = (flags & FTS5_TOKENIZE_QUERY) != 0;
    size_t at = start;
    int code = SQLITE_OK;

    while (at < end && code == SQLITE_OK) {
        uint32_t ignored;
        size_t first = den_utf8_decode(text + at, end - at, &ignored);
        size_t next = at + first;
        size_t stop = next < end ? next + den_utf8_decode(text + next, end - next, &ignored) : next;

        if (next < end || !is_question || at == start)
            code = emit(context, 0, text + at, (int)(stop - at), (int)at, (int)stop);
        at = next;
    }
    return code;
}

static int tokenize(Fts5Tokenizer *handle, void *context, int flags, const char *text, int length,
                    emit_token emit)
{
    struct tokenizer *tokenizer = (struct tokenizer *)handle;
    size_t at = 0, total = length > 0 ? (size_t)length : 0;
    int code = SQLITE_OK;

    while (at < total && code == SQLITE_OK) {
        bool paired;
        size_t end = run_end(text, total, at, &paired);
        struct shifted shifted = { context, emit, (int)at };

        code = paired ? emit_pairs(context, emit, flags, text, at, end)
                      : tokenizer->words.xTokenize(tokenizer->word_tokenizer, &shifted, flags,
                                                   text + at, (int)(end - at), emit_shifted);
        at = end;
    }
    return code;
}

static void destroy(Fts5Tokenizer *handle)
{
    struct tokenizer *tokenizer = (struct tokenizer *)handle;

    if (tokenizer && tokenizer->word_tokenizer)
        tokenizer->words.xDelete(tokenizer->word_tokenizer);
    free(tokenizer);
}

static int create(void *context, const char **arguments, int count, Fts5Tokenizer **out)
{
    static const char *words[] = { "unicode61", "remove_diacritics", "2" };
    fts5_api *api = context;
    struct tokenizer *tokenizer = calloc(1, sizeof *tokenizer);
    void *inner;
    int code;

    (void)arguments;
    (void)count;
    if (!tokenizer)
        return SQLITE_NOMEM;
    code = api->xFindTokenizer(api, "porter", &inner, &tokenizer->words);
    if (code == SQLITE_OK)
        code = tokenizer->words.xCreate(inner, words, 3, &tokenizer->word_tokenizer);
    if (code != SQLITE_OK) {
        destroy((Fts5Tokenizer *)tokenizer);
        return code;
    }
    *out = (Fts5Tokenizer *)tokenizer;
    return SQLITE_OK;
}

/* FTS5 gives its functions to who binds a pointer for them. */
static int find_api(struct sqlite3 *handle, fts5_api **out)
{
    sqlite3_stmt *statement = NULL;
    int code = sqlite3_prepare_v2(handle, "SELECT fts5(?1)", -1, &statement, NULL);

    *out = NULL;
    if (code == SQLITE_OK)
        code = sqlite3_bind_pointer(statement, 1, (void *)out, "fts5_api_ptr", NULL);
    if (code == SQLITE_OK && sqlite3_step(statement) != SQLITE_ROW)
        code = SQLITE_ERROR;
    sqlite3_finalize(statement);
    return code == SQLITE_OK && !*out ? SQLITE_ERROR : code;
}

int den_full_text_register(struct sqlite3 *handle)
{
    fts5_tokenizer functions = { create, destroy, tokenize };
    fts5_api *api;
    int code = find_api(handle, &api);

    return code == SQLITE_OK ? api->xCreateTokenizer(api, "den", api, &functions, NULL) : code;
}
