/* See prompt_block.h. */
#include "desk/prompt_block.h"

#include <ctype.h>
#include <string.h>

#include "worker/worker.h"

enum { TOKEN_BYTES_GUESS = 4 };

/* Backticks enough that none in the text can end the block. */
static size_t fence_of(const char *text)
{
    size_t longest = 2, run;

    for (; *text; text += run ? run : 1) {
        run = strspn(text, "`");
        if (run > longest)
            longest = run;
    }
    return longest + 1;
}

static void append_fence(struct den_buffer *out, size_t length)
{
    while (length-- > 0)
        den_buffer_append_byte(out, '`');
    den_buffer_append_byte(out, '\n');
}

void den_prompt_block(struct den_buffer *out, const char *title, const char *text)
{
    const size_t fence = fence_of(text);

    den_buffer_appendf(out, "%s\n", title);
    append_fence(out, fence);
    den_buffer_append_text(out, text);
    if (*text && text[strlen(text) - 1] != '\n')
        den_buffer_append_byte(out, '\n');
    append_fence(out, fence);
    den_buffer_append_byte(out, '\n');
}

/* --- control tokens --- */

static enum den_status count(const struct den_token_counter *counter, const char *text,
                             unsigned flags, json_t *ids, struct den_error *err)
{
    return counter->tokenize(counter->worker, text, strlen(text), flags, ids, err);
}

/* Names of control tokens begin with '<' or '[' and a mark or letter. */
static bool may_begin_token(const char *text)
{
    const unsigned char next = (unsigned char)text[1];

    return (*text == '<' || *text == '[') &&
           (isalpha(next) || next == '|' || next == '/' || next >= 0x80);
}

static void append_broken(const char *text, struct den_buffer *out)
{
    for (; *text; text++) {
        den_buffer_append_byte(out, *text);
        if (may_begin_token(text))
            den_buffer_append_byte(out, ' ');
    }
}

enum den_status den_prompt_safe_text(const struct den_token_counter *counter, const char *text,
                                     struct den_buffer *out, size_t *out_tokens,
                                     struct den_error *err)
{
    json_t *plain, *special;

    if (!counter->tokenize) {
        append_broken(text, out);
        *out_tokens = strlen(text) / TOKEN_BYTES_GUESS + 1;
        return DEN_OK;
    }
    plain = json_array();
    special = json_array();
    if (count(counter, text, 0, plain, err) == DEN_OK &&
        count(counter, text, DEN_WORKER_PARSE_SPECIAL, special, err) == DEN_OK) {
        *out_tokens = json_array_size(plain);
        if (json_equal(plain, special))
            den_buffer_append_text(out, text);
        else
            append_broken(text, out);
    }
    json_decref(plain);
    json_decref(special);
    return err->status;
}
