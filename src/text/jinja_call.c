/* Calls and their arguments; see jinja_call.h. */
#include "text/jinja_call.h"

#include <string.h>

#include "text/jinja_eval.h"

const struct den_jinja_builtin *den_jinja_builtin_find(const struct den_jinja_builtin *table,
                                                       size_t count,
                                                       const struct den_jinja_text *name)
{
    struct den_jinja_value value = { .kind = JINJA_TEXT, .text = name };
    size_t i;

    for (i = 0; i < count; i++)
        if (den_jinja_text_is(value, table[i].name))
            return &table[i];
    return NULL;
}

struct parameter {
    const char *name;
    size_t length;
    bool is_optional;
};

/* Reads the next parameter of a signature; false at its end. A "*" is returned as such. */
static bool next_parameter(const char **at, struct parameter *out)
{
    while (**at == ' ')
        (*at)++;
    if (**at == '\0')
        return false;
    out->name = *at;
    out->length = strcspn(*at, " ?");
    *at += out->length;
    out->is_optional = **at == '?';
    *at += out->is_optional;
    return true;
}

static struct den_jinja_keyword *find_keyword(const struct den_jinja_arguments *arguments,
                                              const struct parameter *parameter)
{
    size_t i;

    for (i = 0; i < arguments->keyword_count; i++)
        if (arguments->keywords[i].name->length == parameter->length &&
            memcmp(arguments->keywords[i].name->bytes, parameter->name, parameter->length) == 0)
            return &arguments->keywords[i];
    return NULL;
}

/* Fills call->values along the signature. `arguments` is changed only in the keywords' marks. */
static bool bind(struct den_jinja_run *run, const struct den_jinja_builtin *builtin,
                 struct den_jinja_value first, const struct den_jinja_arguments *arguments,
                 struct den_jinja_call *call)
{
    const char *at = builtin->signature;
    struct parameter parameter;
    size_t given = 0;
    size_t used_keywords = 0;
    size_t index = 0;

    while (next_parameter(&at, &parameter)) {
        struct den_jinja_keyword *keyword;
        struct den_jinja_value value = JINJA_VALUE_MISSING;

        if (*parameter.name == '*') {
            call->rest = *arguments;
            call->rest.items = given < arguments->count ? arguments->items + given : NULL;
            call->rest.count = arguments->count - given;
            return true;
        }
        if (index == 0 && first.kind != JINJA_MISSING) {
            value = first;
        } else if (given < arguments->count) {
            value = arguments->items[given++];
        } else if ((keyword = find_keyword(arguments, &parameter)) != NULL) {
            value = keyword->value;
            used_keywords++;
        } else if (!parameter.is_optional) {
            return den_jinja_fail(run, "%s: the argument '%.*s' is missing", builtin->name,
                                  (int)parameter.length, parameter.name);
        }
        call->values[index++] = value;
    }
    if (given < arguments->count || used_keywords < arguments->keyword_count)
        return den_jinja_fail(run, "%s: too many or unknown arguments; it takes (%s)",
                              builtin->name, builtin->signature);
    return true;
}

bool den_jinja_builtin_call(struct den_jinja_run *run, const struct den_jinja_builtin *builtin,
                            struct den_jinja_value first,
                            const struct den_jinja_arguments *arguments,
                            struct den_jinja_value *out)
{
    struct den_jinja_call call = { .name = builtin->name };
    bool is_done;

    if (!den_jinja_enter(run))
        return false;
    is_done = bind(run, builtin, first, arguments, &call) && builtin->run(run, &call, out);
    den_jinja_leave(run);
    return is_done;
}

static bool call_joiner(struct den_jinja_run *run, struct den_jinja_joiner *joiner,
                        struct den_jinja_value *out)
{
    if (!joiner->used) {
        joiner->used = true;
        return den_jinja_text_view(run, "", 0, out);
    }
    *out = joiner->separator;
    return true;
}

bool den_jinja_value_call(struct den_jinja_run *run, struct den_jinja_value function,
                          const struct den_jinja_arguments *arguments, struct den_jinja_value *out)
{
    switch (function.kind) {
    case JINJA_MACRO:
        return den_jinja_macro_call(run, function.macro, arguments, out);
    case JINJA_METHOD:
        return den_jinja_builtin_call(run, function.method->builtin, function.method->self,
                                      arguments, out);
    case JINJA_FUNCTION:
        return den_jinja_builtin_call(run, function.function, JINJA_VALUE_MISSING, arguments, out);
    case JINJA_LOOP:
        return den_jinja_loop_call(run, function.loop, arguments, out);
    case JINJA_JOINER:
        return call_joiner(run, function.joiner, out);
    case JINJA_UNDEFINED:
        return den_jinja_undefined_fail(run, function);
    default:
        return den_jinja_fail(run,
                              "'%s' object is not callable; a macro, function or method was "
                              "expected",
                              den_jinja_type_name(function));
    }
}

bool den_jinja_argument_integer(struct den_jinja_run *run, const struct den_jinja_call *call,
                                size_t index, int64_t fallback, int64_t *out)
{
    struct den_jinja_value value = call->values[index];

    if (value.kind == JINJA_MISSING || value.kind == JINJA_NONE) {
        *out = fallback;
        return true;
    }
    if (value.kind == JINJA_UNDEFINED)
        return den_jinja_undefined_fail(run, value);
    return den_jinja_as_integer(value, out) ||
           den_jinja_fail(run, "%s: argument %zu must be an integer, not %s", call->name, index,
                          den_jinja_type_name(value));
}

bool den_jinja_argument_text(struct den_jinja_run *run, const struct den_jinja_call *call,
                             size_t index, const struct den_jinja_text **out)
{
    struct den_jinja_value value = call->values[index];

    *out = NULL;
    if (value.kind == JINJA_MISSING || value.kind == JINJA_NONE)
        return true;
    if (value.kind == JINJA_UNDEFINED)
        return den_jinja_undefined_fail(run, value);
    if (value.kind != JINJA_TEXT)
        return den_jinja_fail(run, "%s: argument %zu must be a string, not %s", call->name, index,
                              den_jinja_type_name(value));
    *out = value.text;
    return true;
}
