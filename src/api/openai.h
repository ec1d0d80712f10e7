/* What OpenAI's surfaces share: usage, tools, and the fields of chat and plain completions. */
#ifndef DEN_API_OPENAI_H
#define DEN_API_OPENAI_H

#include "api/fields.h"

/* What only the encoding of a chat or a completion needs. */
struct den_openai_state {
    bool include_usage;
    bool wants_measures; /* the request has a "den" object */
    bool wants_progress; /* ... with "progress": true */
    bool legacy;         /* asked with `functions`: answered with `function_call` */
    bool echo;           /* completions: the prompt comes before the text */
    json_t *prompts;     /* completions: array of texts or of token arrays, borrowed */
    size_t per_prompt;   /* completions: answers for each */
};

/* temperature, top_p, penalties, max_tokens, seed, stop, n, stream, stream_options, logit_bias,
 * preset, den, grammar and the sampling extras. The state must be set. */
enum den_status den_openai_fields_read(struct den_call_options *options, struct den_error *err);

/* POST /v1/chat/completions: the whole body, from options->body. */
enum den_status den_chat_options_read(struct den_call_options *options, struct den_error *err);
/* Tools and the choice among them, in chat's shape. */
enum den_status den_openai_tools_read(struct den_call_options *options, struct den_error *err);

json_t *den_openai_usage_json(const struct den_call *call);
/* A tool call as chat has it: {id, type, function: {name, arguments}}. */
json_t *den_openai_tool_json(const struct den_call_tool *tool);
/* A text that may hold U+0000. */
json_t *den_answer_text_json(const struct den_buffer *text);

extern const struct den_surface den_surface_chat;

#endif
