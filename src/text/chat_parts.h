/* A chat made from the text of its template, without a model file: for tests, and for templates
 * given on the command line. */
#ifndef DEN_TEXT_CHAT_PARTS_H
#define DEN_TEXT_CHAT_PARTS_H

#include "text/chat.h"
#include "text/chat_source.h"

/* `tokenizer` may be NULL: then den_chat_encode() is DEN_UNSUPPORTED. `source` is only read. */
enum den_status den_chat_create_source(const struct den_chat_source *source,
                                       const struct den_tokenizer *tokenizer, struct den_chat **out,
                                       struct den_error *err);

#endif
