/* Grammar: a set of texts, compiled so that a sampler can be held to it token by token.
 *
 * Two ways in: JSON Schema (draft 2020-12: the part that docs/internals/text-grammar.md lists; what
 * is not supported is DEN_UNSUPPORTED and named with its place, "#/properties/age/not") and GBNF,
 * llama.cpp's notation. A grammar is made once, is read-only afterwards and may be used by many
 * constraints at once. Compiling an ordinary schema takes well under 10 ms; nesting, size and
 * repetition are bounded by base/limits.h, because grammars come from clients. */
#ifndef DEN_TEXT_GRAMMAR_H
#define DEN_TEXT_GRAMMAR_H

#include <jansson.h>
#include <stddef.h>

#include "base/status.h"

struct den_grammar;

/* Texts that are JSON values valid against `schema` (an object or true), members in the order of
 * `properties`. {"type": "object"} is any JSON object: OpenAI's json_object. */
enum den_status den_grammar_from_schema(const json_t *schema, struct den_grammar **out,
                                        struct den_error *err);

/* GBNF; the start rule is `root`. In addition `@N` stands for a JSON value valid against
 * schemas[N], so that tool calls are written as GBNF around schemas. */
enum den_status den_grammar_from_gbnf(const char *text, size_t length, const json_t *const *schemas,
                                      size_t schema_count, struct den_grammar **out,
                                      struct den_error *err);
void den_grammar_destroy(struct den_grammar *grammar);

#endif
