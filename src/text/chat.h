/* Chat: from a conversation to the prompt a model was trained on. Joins a tokenizer's special
 * tokens, the model's own template (tokenizer.chat_template in GGUF; chat_template.jinja or
 * tokenizer_config.json in a folder) and messages. A model without a template gets a plain one
 * (role: text), so that base models can be talked to. */
#ifndef DEN_TEXT_CHAT_H
#define DEN_TEXT_CHAT_H

#include "text/answer_format.h"
#include "text/template.h"
#include "text/tokenizer.h"

struct den_chat;

enum den_status den_chat_create(const struct den_weights *weights,
                                const struct den_tokenizer *tokenizer, struct den_chat **out,
                                struct den_error *err);
void den_chat_destroy(struct den_chat *chat);
/* The model's template; "" where it has none. Lives as long as `chat`. */
const char *den_chat_template_source(const struct den_chat *chat);
/* How the model writes calls and reasoning: of the template for tools where there is one. */
const struct den_answer_format *den_chat_answer_format(const struct den_chat *chat);

struct den_chat_request {
    const json_t *messages; /* array of {role, content, ...} as OpenAI has them; content is text or
                               a list of text parts */
    const json_t *tools;    /* NULL: none */
    bool add_generation_prompt;
    bool continue_last; /* the last message is an assistant's (without tool calls) whose text goes
                           on: the result ends with that text, and add_generation_prompt is
                           ignored. DEN_UNSUPPORTED if the template does not write that text */
    const json_t
        *extra; /* NULL, or an object of further template variables (enable_thinking, ...) */
    int64_t now;
};

/* Checks the messages' shape (DEN_INVALID names the index and the field), renders, and appends to
 * `out`. The result holds its own BOS where the template writes one; encode it with PARSE_SPECIAL,
 * and with ADD_SPECIAL only if it does not. */
enum den_status den_chat_render(const struct den_chat *chat, const struct den_chat_request *request,
                                struct den_buffer *out, struct den_error *err);
/* Renders and encodes. */
enum den_status den_chat_encode(const struct den_chat *chat, const struct den_chat_request *request,
                                struct den_tokens *out, struct den_error *err);

#endif
