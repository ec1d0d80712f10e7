/* A client's messages, checked, and put into the shape that templates expect. */
#ifndef DEN_TEXT_CHAT_MESSAGES_H
#define DEN_TEXT_CHAT_MESSAGES_H

#include <jansson.h>
#include <stdbool.h>

#include "base/status.h"

/* How a template takes a message's content. */
enum den_chat_content {
    DEN_CHAT_CONTENT_TEXT,   /* a text only: parts are joined by newlines */
    DEN_CHAT_CONTENT_EITHER, /* as it comes */
    DEN_CHAT_CONTENT_PARTS   /* a list of parts only: a text becomes one part */
};

struct den_chat_shape {
    enum den_chat_content content;
    bool knows_developer; /* the template names the role; otherwise it becomes `system` */
};

/* Checks `messages` (a fault begins with the field, "'messages[1].content'"; parts other than text
 * are DEN_UNSUPPORTED) and makes a copy in which the
 * content has the template's shape, the arguments of tool calls are objects where they were JSON
 * texts, and the text of reasoning has each of the names that templates read. */
enum den_status den_chat_messages_shape(const json_t *messages, const struct den_chat_shape *shape,
                                        json_t **out_messages, struct den_error *err);
/* DEN_INVALID unless `tools` is a list of OpenAI's tools. */
enum den_status den_chat_tools_check(const json_t *tools, struct den_error *err);

/* For templates that reject what OpenAI allows. Each changes shaped messages in place and tells
 * whether there was anything to change: a system message at the front joins the first user message;
 * a content of null beside tool calls becomes an empty text. */
bool den_chat_merge_system(json_t *messages);
bool den_chat_fill_content(json_t *messages);
/* ... ids of calls become nine letters and digits, which mistral's templates insist on; a message
 * of several calls becomes one a call, each with its result behind it, for llama's. */
bool den_chat_shorten_ids(json_t *messages);
bool den_chat_split_calls(json_t *messages);

/* Appends `mark` to the text of the last of shaped messages. DEN_INVALID unless that message is an
 * assistant's, without tool calls. */
enum den_status den_chat_mark_last(json_t *messages, const char *mark, struct den_error *err);

#endif
