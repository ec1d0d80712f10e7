/* The shape of a conversation, checked and brought into the form that chat templates expect. */
#ifndef DEN_TEXT_CHAT_MESSAGES_H
#define DEN_TEXT_CHAT_MESSAGES_H

#include <jansson.h>
#include <stdbool.h>

#include "base/status.h"

/* Checks each message (an object with a text role and with content that is text, a list of text
 * parts, or null beside tool calls) and gives a new list: arguments of tool calls that came as JSON
 * text are parsed, because templates treat them as mappings; with `join_parts`, lists of text parts
 * become one text, for templates that know nothing else. */
enum den_status den_chat_messages_read(const json_t *messages, bool join_parts, json_t **out,
                                       struct den_error *err);

/* For templates that refuse a system message: puts its text before the first user message's. NULL:
 * there is no system message or no user message, or memory ran out. */
json_t *den_chat_messages_without_system(const json_t *messages);

#endif
