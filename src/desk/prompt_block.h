/* Prompt blocks: texts of others inside a prompt, so that they stay texts.
 *
 * A quoted text stands between fences of backticks, more than any run of them in it, so that it
 * can't end its block. A text that holds the names of a model's control tokens ("<|im_end|>") would
 * have them read as those tokens, because prompts are encoded so: there the names are broken by a
 * blank after their first character. Only what goes into the prompt is changed, never what is kept
 * or shown. */
#ifndef DEN_DESK_PROMPT_BLOCK_H
#define DEN_DESK_PROMPT_BLOCK_H

#include <jansson.h>

#include "base/buffer.h"
#include "base/status.h"

struct den_worker;

/* How many tokens a text has for the model that will read it. */
struct den_token_counter {
    struct den_worker *worker;
    /* As den_worker_tokenize(); NULL: four bytes are held to be a token. */
    enum den_status (*tokenize)(struct den_worker *worker, const char *text, size_t length,
                                unsigned flags, json_t *out_ids, struct den_error *err);
};

/* The title and a line break, then the text between fences. */
void den_prompt_block(struct den_buffer *out, const char *title, const char *text);

/* Appends `text` so that it has no control tokens for the model; *out_tokens: how many it has. */
enum den_status den_prompt_safe_text(const struct den_token_counter *counter, const char *text,
                                     struct den_buffer *out, size_t *out_tokens,
                                     struct den_error *err);

#endif
