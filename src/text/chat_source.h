/* Where a model keeps its chat template and the texts of its BOS and EOS.
 *
 * GGUF: the key tokenizer.chat_template, and tokenizer.chat_template.tool_use for conversations
 * with tools. Folders: chat_template.jinja (additional_chat_templates/tool_use.jinja), else
 * chat_template in tokenizer_config.json, a text or a list of {name, template}, else
 * chat_template.json. */
#ifndef DEN_TEXT_CHAT_SOURCE_H
#define DEN_TEXT_CHAT_SOURCE_H

#include "base/buffer.h"
#include "text/tokenizer.h"

struct den_chat_source {
    struct den_buffer plain; /* empty: the model has no template */
    struct den_buffer tools; /* empty: the plain one serves conversations with tools, too */
    struct den_buffer bos;
    struct den_buffer eos;
};

void den_chat_source_init(struct den_chat_source *source);
void den_chat_source_deinit(struct den_chat_source *source);
/* DEN_NOT_FOUND never: a model without a template leaves `plain` empty. */
enum den_status den_chat_source_read(struct den_chat_source *source,
                                     const struct den_weights *weights,
                                     const struct den_tokenizer *tokenizer, struct den_error *err);

#endif
