/* Jinja values: what a template computes with.
 *
 * A value is 16 bytes passed by copy; what it points to lives in the arena of the render (or of the
 * compiled template, for constants) and is never freed alone. The kinds mirror Python's, because
 * templates are written against Python: texts are sequences of code points, dicts keep insertion
 * order and take any hashable key, booleans are integers, a filter such as `map` yields an iterator
 * that is walked once. Integers are 64 bits; passing that range is an error. Only namespaces can be
 * changed by a template, as in transformers' sandbox. Cost: a list index is O(1), a dict lookup
 * O(1) expected, a text index O(1) for ASCII, else O(n). */
#ifndef DEN_TEXT_JINJA_VALUE_H
#define DEN_TEXT_JINJA_VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"

struct den_jinja_run;

enum den_jinja_kind {
    JINJA_MISSING, /* no value at all: an argument not given; a template never sees it */
    JINJA_UNDEFINED,
    JINJA_NONE,
    JINJA_BOOL,
    JINJA_INTEGER,
    JINJA_FLOAT,
    JINJA_TEXT,
    JINJA_LIST,
    JINJA_TUPLE,
    JINJA_DICT,
    JINJA_NAMESPACE,
    JINJA_RANGE,
    JINJA_VIEW,     /* dict.keys(), .values(), .items() */
    JINJA_ITERATOR, /* what map, select, reverse ... give: walked once */
    JINJA_MACRO,
    JINJA_METHOD,
    JINJA_FUNCTION,
    JINJA_LOOP,
    JINJA_CYCLER,
    JINJA_JOINER
};

struct den_jinja_text {
    const char *bytes; /* valid UTF-8, terminated by no zero */
    size_t length;     /* in bytes */
    size_t count;      /* in code points; equal to length for ASCII */
};

struct den_jinja_value {
    enum den_jinja_kind kind;
    union {
        bool boolean;
        int64_t integer;
        double number;
        const struct den_jinja_text *text;
        struct den_jinja_list *list; /* also of tuples, views and iterators */
        struct den_jinja_dict *dict; /* also of namespaces */
        const struct den_jinja_range *range;
        const struct den_jinja_undefined *undefined;
        const struct den_jinja_macro *macro;
        const struct den_jinja_method *method;
        const struct den_jinja_builtin *function;
        struct den_jinja_loop *loop;
        struct den_jinja_cycler *cycler;
        struct den_jinja_joiner *joiner;
    };
};

struct den_jinja_list {
    struct den_jinja_value *items;
    size_t count;
    size_t capacity;
    size_t next;      /* iterators: the first item not yet taken */
    const char *name; /* views: "dict_keys" ...; iterators: Python's type name; groups: "group" */
};

struct den_jinja_entry {
    struct den_jinja_value key;
    struct den_jinja_value value;
    uint64_t hash;
};

struct den_jinja_dict {
    struct den_jinja_entry *entries; /* in order of insertion */
    size_t count;
    size_t capacity;
    uint32_t *slots; /* open addressing over entry index + 1; NULL while the dict is small */
    size_t slot_count;
};

struct den_jinja_range {
    int64_t start;
    int64_t step;
    size_t count;
    int64_t stop; /* as written, for printing */
};

/* Why a value is undefined, so that using it can say so. */
struct den_jinja_undefined {
    const char *hint;            /* the whole message, or NULL */
    const char *object;          /* "dict object", or NULL for a plain name */
    struct den_jinja_value name; /* what was looked up */
};

struct den_jinja_method {
    struct den_jinja_value self;
    const struct den_jinja_builtin *builtin;
};

struct den_jinja_cycler {
    struct den_jinja_list *items;
    size_t position;
};

struct den_jinja_joiner {
    struct den_jinja_value separator;
    bool used;
};

#define JINJA_VALUE_NONE    ((struct den_jinja_value){ .kind = JINJA_NONE })
#define JINJA_VALUE_MISSING ((struct den_jinja_value){ .kind = JINJA_MISSING })

static inline struct den_jinja_value den_jinja_bool(bool boolean)
{
    return (struct den_jinja_value){ .kind = JINJA_BOOL, .boolean = boolean };
}

static inline struct den_jinja_value den_jinja_integer(int64_t integer)
{
    return (struct den_jinja_value){ .kind = JINJA_INTEGER, .integer = integer };
}

static inline struct den_jinja_value den_jinja_number(double number)
{
    return (struct den_jinja_value){ .kind = JINJA_FLOAT, .number = number };
}

static inline struct den_jinja_value den_jinja_of_list(struct den_jinja_list *list,
                                                       enum den_jinja_kind kind)
{
    return (struct den_jinja_value){ .kind = kind, .list = list };
}

/* In the functions below a false result means that den_jinja_fail() has been called on `run`. */

/* Wraps bytes that outlive the value; NULL when the arena is full. */
const struct den_jinja_text *den_jinja_text_wrap(struct den_arena *arena, const char *bytes,
                                                 size_t length);
bool den_jinja_text(struct den_jinja_run *run, const char *bytes, size_t length,
                    struct den_jinja_value *out);
/* The same without a copy. */
bool den_jinja_text_view(struct den_jinja_run *run, const char *bytes, size_t length,
                         struct den_jinja_value *out);
bool den_jinja_text_is(struct den_jinja_value value, const char *literal);

struct den_jinja_list *den_jinja_list_new(struct den_jinja_run *run, size_t capacity);
bool den_jinja_list_add(struct den_jinja_run *run, struct den_jinja_list *list,
                        struct den_jinja_value item);
/* An iterator over `list`, which it takes over. `name` is Python's name of its type. */
struct den_jinja_value den_jinja_iterator(struct den_jinja_list *list, const char *name);

struct den_jinja_dict *den_jinja_dict_new(struct den_jinja_run *run);
bool den_jinja_dict_set(struct den_jinja_run *run, struct den_jinja_dict *dict,
                        struct den_jinja_value key, struct den_jinja_value value);
/* *out_found is NULL where the key is absent; a key that can't be hashed is absent too. */
bool den_jinja_dict_find(struct den_jinja_run *run, const struct den_jinja_dict *dict,
                         struct den_jinja_value key, const struct den_jinja_value **out_found);

/* Undefined values: by name, by attribute of an object, by a hint of static text. */
bool den_jinja_undefined_name(struct den_jinja_run *run, const struct den_jinja_text *name,
                              struct den_jinja_value *out);
bool den_jinja_undefined_item(struct den_jinja_run *run, struct den_jinja_value object,
                              struct den_jinja_value key, struct den_jinja_value *out);
bool den_jinja_undefined_hint(struct den_jinja_run *run, const char *hint,
                              struct den_jinja_value *out);
/* Fails with the reason why `value` is undefined. */
bool den_jinja_undefined_fail(struct den_jinja_run *run, struct den_jinja_value value);

/* Python's type name: "str", "dict", "NoneType" ... */
const char *den_jinja_type_name(struct den_jinja_value value);
bool den_jinja_is_true(struct den_jinja_value value);
static inline bool den_jinja_is_number(struct den_jinja_value value)
{
    return value.kind == JINJA_BOOL || value.kind == JINJA_INTEGER || value.kind == JINJA_FLOAT;
}
/* Booleans and integers. */
bool den_jinja_as_integer(struct den_jinja_value value, int64_t *out);
double den_jinja_as_number(struct den_jinja_value value);

/* len(); *out_has is false for values without one. */
void den_jinja_length(struct den_jinja_value value, size_t *out_length, bool *out_has);
/* Everything that `for` would visit, as a list that must not be changed; takes what is left of an
 * iterator. Fails for values that can't be iterated. */
bool den_jinja_items(struct den_jinja_run *run, struct den_jinja_value value,
                     struct den_jinja_list **out);
bool den_jinja_is_iterable(struct den_jinja_value value);
int64_t den_jinja_range_at(const struct den_jinja_range *range, size_t index);

#endif
