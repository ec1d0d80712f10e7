/* The parts of tokenizer.json that are lists of steps. Each reads one object (or null) into the
 * tokenizer; a type that is not known is DEN_UNSUPPORTED and named. */
#ifndef DEN_TEXT_TOKENIZER_JSON_H
#define DEN_TEXT_TOKENIZER_JSON_H

#include <jansson.h>

#include "text/tokenizer_parts.h"

enum den_status den_tokenizer_read_normalizer(struct den_tokenizer *tokenizer, const json_t *object,
                                              struct den_error *err);
enum den_status den_tokenizer_read_pretokenizer(struct den_tokenizer *tokenizer,
                                                const json_t *object, struct den_error *err);
enum den_status den_tokenizer_read_decoder(struct den_tokenizer *tokenizer, const json_t *object,
                                           struct den_error *err);
enum den_status den_tokenizer_read_template(struct den_tokenizer *tokenizer, const json_t *object,
                                            struct den_error *err);

/* Helpers they share. */
const char *den_tokenizer_type(const json_t *object); /* "type", or "" */
/* A text field, copied; `fallback` where it is absent. */
enum den_status den_tokenizer_read_text(struct den_tokenizer *tokenizer, const json_t *object,
                                        const char *key, const char *fallback,
                                        struct den_token_text *out, struct den_error *err);
/* "pattern": {"String": ...} or {"Regex": ...}: a copied text, or a compiled expression. */
enum den_status den_tokenizer_read_pattern(struct den_tokenizer *tokenizer, const json_t *object,
                                           struct den_token_text *out_text,
                                           struct den_regex **out_regex, struct den_error *err);

#endif
