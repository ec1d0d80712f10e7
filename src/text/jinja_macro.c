/* Calls of macros: parameters, defaults, and the special names caller, kwargs and varargs, which
 * exist only in a macro whose body reads them. See jinja_eval.h. */
#include "text/jinja_eval.h"

#include <string.h>

static bool same_name(const struct den_jinja_text *a, const struct den_jinja_text *b)
{
    return a == b || (a->length == b->length && memcmp(a->bytes, b->bytes, a->length) == 0);
}

static bool take_keyword(const struct den_jinja_arguments *arguments,
                         const struct den_jinja_text *name, struct den_jinja_value *out)
{
    size_t i;

    for (i = 0; i < arguments->keyword_count; i++)
        if (!arguments->keywords[i].is_used && same_name(arguments->keywords[i].name, name)) {
            arguments->keywords[i].is_used = true;
            *out = arguments->keywords[i].value;
            return true;
        }
    return false;
}

/* Positional arguments first, then keywords; defaults are evaluated in the macro's own scope and
 * see the parameters before them. *out_taken: how many positional arguments were used. */
static bool bind_parameters(struct den_jinja_run *run, const struct den_jinja_node *macro,
                            const struct den_jinja_arguments *arguments, size_t *out_taken)
{
    const struct den_jinja_node *parameter;
    struct den_jinja_value value;
    size_t i = 0;

    if (!den_jinja_undefined_hint(run, "a macro's parameter was not provided", &value))
        return false;
    for (parameter = macro->first; parameter; parameter = parameter->next)
        if (!den_jinja_scope_set(run, run->scope, parameter->name, value))
            return false;
    for (parameter = macro->first; parameter; parameter = parameter->next, i++) {
        if (i < arguments->count)
            value = arguments->items[i];
        else if (!take_keyword(arguments, parameter->name, &value)) {
            if (!parameter->first)
                continue;
            if (!den_jinja_eval(run, parameter->first, &value))
                return false;
        }
        if (!den_jinja_scope_set(run, run->scope, parameter->name, value))
            return false;
    }
    *out_taken = i < arguments->count ? i : arguments->count;
    return true;
}

/* The special names that the body reads; what is left over otherwise is an error. */
static bool bind_rest(struct den_jinja_run *run, const struct den_jinja_node *macro,
                      const struct den_jinja_arguments *arguments, size_t taken)
{
    struct den_jinja_value value;
    struct den_jinja_dict *kwargs;
    struct den_jinja_list *varargs;
    size_t i;

    if (macro->uses & JINJA_USES_CALLER) {
        if (!take_keyword(arguments, run->special[JINJA_NAME_CALLER], &value) &&
            !den_jinja_undefined_hint(run, "No caller defined", &value))
            return false;
        if (!den_jinja_scope_set(run, run->scope, run->special[JINJA_NAME_CALLER], value))
            return false;
    }
    kwargs = den_jinja_dict_new(run);
    varargs = den_jinja_list_new(run, 0);
    if (!kwargs || !varargs)
        return false;
    for (i = 0; i < arguments->keyword_count; i++) {
        const struct den_jinja_keyword *keyword = &arguments->keywords[i];
        struct den_jinja_value key = { .kind = JINJA_TEXT, .text = keyword->name };

        if (keyword->is_used)
            continue;
        if (!(macro->uses & JINJA_USES_KWARGS))
            return den_jinja_fail(run, "macro '%.*s' takes no keyword argument '%.*s'",
                                  (int)macro->name->length, macro->name->bytes,
                                  (int)keyword->name->length, keyword->name->bytes);
        if (!den_jinja_dict_set(run, kwargs, key, keyword->value))
            return false;
    }
    if (taken < arguments->count && !(macro->uses & JINJA_USES_VARARGS))
        return den_jinja_fail(run, "macro '%.*s' takes not more than %zu argument(s), %zu given",
                              (int)macro->name->length, macro->name->bytes, taken,
                              arguments->count);
    for (i = taken; i < arguments->count; i++)
        if (!den_jinja_list_add(run, varargs, arguments->items[i]))
            return false;
    value = (struct den_jinja_value){ .kind = JINJA_DICT, .dict = kwargs };
    if ((macro->uses & JINJA_USES_KWARGS) &&
        !den_jinja_scope_set(run, run->scope, run->special[JINJA_NAME_KWARGS], value))
        return false;
    return !(macro->uses & JINJA_USES_VARARGS) ||
           den_jinja_scope_set(run, run->scope, run->special[JINJA_NAME_VARARGS],
                               den_jinja_of_list(varargs, JINJA_TUPLE));
}

static bool has_parameter(const struct den_jinja_node *macro, const struct den_jinja_text *name)
{
    const struct den_jinja_node *parameter;

    for (parameter = macro->first; parameter; parameter = parameter->next)
        if (parameter->name == name)
            return true;
    return false;
}

/* In Jinja these are local only where the body reads them; a parameter of that name wins. */
static bool bind_all(struct den_jinja_run *run, const struct den_jinja_node *macro,
                     const struct den_jinja_arguments *arguments)
{
    struct den_jinja_node reduced = *macro;
    size_t taken;

    if (!bind_parameters(run, macro, arguments, &taken))
        return false;
    if (has_parameter(macro, run->special[JINJA_NAME_CALLER]))
        reduced.uses &= ~(unsigned)JINJA_USES_CALLER;
    if (has_parameter(macro, run->special[JINJA_NAME_KWARGS]))
        reduced.uses &= ~(unsigned)JINJA_USES_KWARGS;
    if (has_parameter(macro, run->special[JINJA_NAME_VARARGS]))
        reduced.uses &= ~(unsigned)JINJA_USES_VARARGS;
    return bind_rest(run, &reduced, arguments, taken);
}

bool den_jinja_macro_call(struct den_jinja_run *run, const struct den_jinja_macro *macro,
                          const struct den_jinja_arguments *arguments, struct den_jinja_value *out)
{
    struct den_jinja_scope *scope = den_jinja_scope_new(run, macro->scope);
    struct den_jinja_scope *outer = run->scope;
    bool is_done;

    if (!scope || !den_jinja_enter(run))
        return false;
    run->scope = scope;
    is_done = bind_all(run, macro->node, arguments) &&
              den_jinja_capture_body(run, macro->node->second, scope, out);
    run->scope = outer;
    den_jinja_leave(run);
    return is_done;
}
