/* Import formats: other programs' conversations in the shape of Den's own export.
 *
 * OpenAI's export keeps a conversation as a `mapping` of nodes, each with its message, its parent
 * and its children, among them system and tool messages that a reader never saw; Open WebUI as
 * `chat.history.messages`, or in older exports a plain list. Both become a thread with a list of
 * messages; a message whose parent was left out hangs below the nearest one above that was kept. */
#ifndef DEN_DESK_IMPORT_FORMATS_H
#define DEN_DESK_IMPORT_FORMATS_H

#include <jansson.h>

#include "base/status.h"

/* A new object, or `conversation` itself with one more reference where it is Den's. DEN_INVALID
 * says what is wrong with it, DEN_UNSUPPORTED that it is of no known kind. */
enum den_status den_import_convert(json_t *conversation, json_t **out_thread,
                                   struct den_error *err);

#endif
