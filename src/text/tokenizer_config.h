/* The files beside tokenizer.json that say which tokens begin and end a text. */
#ifndef DEN_TEXT_TOKENIZER_CONFIG_H
#define DEN_TEXT_TOKENIZER_CONFIG_H

#include <jansson.h>

#include "text/tokenizer.h"

/* BOS, EOS and whether they are added, from tokenizer_config.json (NULL: from the names and the
 * template alone). Call before den_tokenizer_finish(). */
enum den_status den_tokenizer_apply_config(struct den_tokenizer *tokenizer, const json_t *config,
                                           struct den_error *err);
/* generation_config.json's eos_token_id (a number or a list) also ends answers. After finish. */
void den_tokenizer_apply_ends(struct den_tokenizer *tokenizer, const json_t *generation);

#endif
