/* Jinja calls: how arguments meet the functions written in C.
 *
 * Filters, tests, methods and global functions are rows of tables: a name, a signature and a C
 * function. The signature is the parameters' names in order, separated by spaces: "width first?
 * blank?" has one required and two optional parameters; a last "*" takes any further arguments,
 * which the function finds in `rest`. Filters and tests get the value on their left, methods their
 * object, as the first parameter; the signature begins with it. */
#ifndef DEN_TEXT_JINJA_CALL_H
#define DEN_TEXT_JINJA_CALL_H

#include "text/jinja_node.h"
#include "text/jinja_run.h"

enum { JINJA_PARAMETERS_MAX = 8 };

struct den_jinja_keyword {
    const struct den_jinja_text *name;
    struct den_jinja_value value;
    bool is_used;
};

struct den_jinja_arguments {
    struct den_jinja_value *items; /* positional */
    size_t count;
    struct den_jinja_keyword *keywords;
    size_t keyword_count;
};

struct den_jinja_call {
    const char *name;                                    /* of the function, for messages */
    struct den_jinja_value values[JINJA_PARAMETERS_MAX]; /* kind MISSING where not given */
    struct den_jinja_arguments rest;                     /* what "*" takes */
};

struct den_jinja_builtin {
    const char *name;
    const char *signature;
    bool (*run)(struct den_jinja_run *run, const struct den_jinja_call *call,
                struct den_jinja_value *out);
};

/* Rows by name; NULL where there is none. */
const struct den_jinja_builtin *den_jinja_filter_find(const struct den_jinja_text *name);
const struct den_jinja_builtin *den_jinja_test_find(const struct den_jinja_text *name);
const struct den_jinja_builtin *den_jinja_method_find(struct den_jinja_value object,
                                                      const struct den_jinja_text *name);
bool den_jinja_global_find(const struct den_jinja_text *name, struct den_jinja_value *out);
const struct den_jinja_builtin *den_jinja_builtin_find(const struct den_jinja_builtin *table,
                                                       size_t count,
                                                       const struct den_jinja_text *name);

/* Calls a row with `first` (unless MISSING) in front of the arguments. */
bool den_jinja_builtin_call(struct den_jinja_run *run, const struct den_jinja_builtin *builtin,
                            struct den_jinja_value first,
                            const struct den_jinja_arguments *arguments,
                            struct den_jinja_value *out);
/* Calls any callable value. */
bool den_jinja_value_call(struct den_jinja_run *run, struct den_jinja_value function,
                          const struct den_jinja_arguments *arguments, struct den_jinja_value *out);

/* Arguments by type; a missing one gives the default (`none` counts as missing for texts and
 * integers). Others fail with a message that names the function and the parameter's place. */
bool den_jinja_argument_integer(struct den_jinja_run *run, const struct den_jinja_call *call,
                                size_t index, int64_t fallback, int64_t *out);
bool den_jinja_argument_text(struct den_jinja_run *run, const struct den_jinja_call *call,
                             size_t index,
                             const struct den_jinja_text **out); /* NULL where missing */
static inline bool den_jinja_argument_flag(const struct den_jinja_call *call, size_t index)
{
    return den_jinja_is_true(call->values[index]);
}

#endif
