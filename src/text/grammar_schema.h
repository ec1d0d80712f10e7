/* JSON Schema, taken apart. A value often has to fit several schemas at once (allOf, $ref with
 * siblings, a branch of anyOf beside its parent, properties that two patterns match): a conjunction
 * is the list of them, as pointers into the document, and nothing is ever merged into a new schema.
 * Equal conjunctions become one rule, which is what ends recursion. */
#ifndef DEN_TEXT_GRAMMAR_SCHEMA_H
#define DEN_TEXT_GRAMMAR_SCHEMA_H

#include "text/grammar_number.h"
#include "text/grammar_regex.h"

struct den_conjunct {
    const json_t *schema;        /* an object */
    const char *pointer;         /* "#/properties/age" */
    bool any_chosen, one_chosen; /* a branch of its anyOf, its oneOf is in the list */
};

struct den_conjunction {
    struct den_conjunct *items;
    size_t count, capacity;
    bool impossible; /* false is among them */
    bool referred;   /* a $ref led to one of them */
};

struct den_schema_compiler {
    struct den_grammar_builder *builder;
    const json_t *root;
    struct den_schema_rule *rules;  /* a list of those made already */
    struct den_schema_owned *owned; /* schemas made up on the way */
    unsigned depth;
    unsigned branches; /* of anyOf and oneOf followed so far */
};

enum den_schema_type {
    DEN_SCHEMA_NULL = 1,
    DEN_SCHEMA_BOOLEAN = 2,
    DEN_SCHEMA_OBJECT = 4,
    DEN_SCHEMA_ARRAY = 8,
    DEN_SCHEMA_STRING = 16,
    DEN_SCHEMA_INTEGER = 32,
    DEN_SCHEMA_NUMBER = 64, /* always with INTEGER */
    DEN_SCHEMA_ALL = 127
};

/* Fails the builder, with the place in front of the message. */
void den_schema_refuse(struct den_schema_compiler *compiler, enum den_status status,
                       const char *pointer, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* Adds `schema` and all that it includes by $ref and allOf. `name` (or NULL) is the last part of
 * the place, below `pointer`. */
void den_conjunction_add(struct den_schema_compiler *compiler, struct den_conjunction *conjunction,
                         const json_t *schema, const char *pointer, const char *name);
void den_conjunction_copy(struct den_schema_compiler *compiler, struct den_conjunction *conjunction,
                          const struct den_conjunction *from);
/* A schema that was made up; it lives as long as the compiler. Takes `schema`; NULL fails. */
const json_t *den_schema_own(struct den_schema_compiler *compiler, json_t *schema);
void den_schema_forget(struct den_schema_compiler *compiler); /* frees those */
const char *den_schema_place(struct den_schema_compiler *compiler, const char *pointer,
                             const char *name);

unsigned den_schema_types(struct den_schema_compiler *compiler,
                          const struct den_conjunction *conjunction);
/* The same without guessing: a schema that names no type has them all. */
unsigned den_schema_named_types(struct den_schema_compiler *compiler,
                                const struct den_conjunction *conjunction);
/* What a member called `name` has to fit; false where there can be none. */
bool den_schema_member(struct den_schema_compiler *compiler,
                       const struct den_conjunction *conjunction, const char *name,
                       struct den_conjunction *out);
bool den_schema_requires(const struct den_conjunction *conjunction, const char *name);
/* Largest of the lower, least of the upper bounds; `key` names them ("minItems"). */
void den_schema_limits(struct den_schema_compiler *compiler,
                       const struct den_conjunction *conjunction, const char *const keys[2],
                       uint32_t *minimum, uint32_t *maximum);
/* The automaton of a string's patterns, formats and lengths; NULL where only `minimum` and
 * `maximum` bind. With `sure`, formats of which only a part is generated are left out. */
struct den_automaton *den_schema_string(struct den_schema_compiler *compiler,
                                        const struct den_conjunction *conjunction, bool sure,
                                        uint32_t *minimum, uint32_t *maximum);
/* Whether the constant fits; formats are not looked at. */
bool den_schema_accepts(struct den_schema_compiler *compiler, const json_t *schema,
                        const char *pointer, const json_t *value);
/* Whether no value that is generated for `a` fits `b`; false also where that can't be told. */
bool den_schema_distinct(struct den_schema_compiler *compiler, const struct den_conjunction *a,
                         const struct den_conjunction *b, unsigned depth);

/* Each emits the node before `next` that takes such a value. */
uint32_t den_emit_conjunction(struct den_schema_compiler *compiler,
                              const struct den_conjunction *conjunction, uint32_t next);
uint32_t den_emit_schema_at(struct den_schema_compiler *compiler, const json_t *schema,
                            const char *pointer, const char *name, uint32_t next);
uint32_t den_emit_object(struct den_schema_compiler *compiler,
                         const struct den_conjunction *conjunction, uint32_t next);
uint32_t den_emit_array(struct den_schema_compiler *compiler,
                        const struct den_conjunction *conjunction, uint32_t next);
uint32_t den_emit_string(struct den_schema_compiler *compiler,
                         const struct den_conjunction *conjunction, uint32_t next);
uint32_t den_emit_number(struct den_schema_compiler *compiler,
                         const struct den_conjunction *conjunction, bool integer, uint32_t next);
/* A constant, as compact JSON. */
uint32_t den_emit_constant(struct den_schema_compiler *compiler, const json_t *value,
                           uint32_t next);
/* Between two tokens of JSON: nothing, a space, or a line break with up to 16 spaces. */
uint32_t den_emit_blank(struct den_grammar_builder *builder, uint32_t next);
/* After a colon: nothing or a space. */
uint32_t den_emit_space(struct den_grammar_builder *builder, uint32_t next);
/* Any JSON value. */
uint32_t den_emit_value(struct den_grammar_builder *builder, uint32_t next);

#endif
