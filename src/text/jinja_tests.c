/* The tests of `x is ...`. */
#include "text/jinja_call.h"

#include <math.h>

#include "text/jinja_compare.h"
#include "text/jinja_eval.h"
#include "text/jinja_methods.h"
#include "text/jinja_print.h"

#define TEST(name, expression)                                                                     \
    static bool name(struct den_jinja_run *run, const struct den_jinja_call *call,                 \
                     struct den_jinja_value *out)                                                  \
    {                                                                                              \
        struct den_jinja_value value = call->values[0];                                            \
                                                                                                   \
        (void)run;                                                                                 \
        *out = den_jinja_bool(expression);                                                         \
        return true;                                                                               \
    }

TEST(is_defined, value.kind != JINJA_UNDEFINED)
TEST(is_undefined, value.kind == JINJA_UNDEFINED)
TEST(is_none, value.kind == JINJA_NONE)
TEST(is_boolean, value.kind == JINJA_BOOL)
TEST(is_true, value.kind == JINJA_BOOL && value.boolean)
TEST(is_false, value.kind == JINJA_BOOL && !value.boolean)
TEST(is_integer, value.kind == JINJA_INTEGER)
TEST(is_float, value.kind == JINJA_FLOAT)
TEST(is_number, den_jinja_is_number(value))
TEST(is_string, value.kind == JINJA_TEXT)
TEST(is_mapping, value.kind == JINJA_DICT)
TEST(is_iterable, den_jinja_is_iterable(value))
TEST(is_sequence, value.kind == JINJA_TEXT || value.kind == JINJA_LIST ||
                      value.kind == JINJA_TUPLE || value.kind == JINJA_DICT ||
                      value.kind == JINJA_RANGE || value.kind == JINJA_UNDEFINED)
TEST(is_callable, value.kind == JINJA_MACRO || value.kind == JINJA_METHOD ||
                      value.kind == JINJA_FUNCTION || value.kind == JINJA_LOOP ||
                      value.kind == JINJA_JOINER || value.kind == JINJA_UNDEFINED)
TEST(is_filter, value.kind == JINJA_TEXT && den_jinja_filter_find(value.text))
TEST(is_test, value.kind == JINJA_TEXT && den_jinja_test_find(value.text))
TEST(is_escaped,
     value.kind == JINJA_MISSING) /* never: texts are not marked: prompts are never escaped */

static bool is_divisible(struct den_jinja_run *run, const struct den_jinja_call *call,
                         struct den_jinja_value *out)
{
    struct den_jinja_value rest;
    bool is_zero;

    if (!den_jinja_operate(run, JINJA_MODULO, call->values[0], call->values[1], &rest) ||
        !den_jinja_equal(run, rest, den_jinja_integer(0), &is_zero))
        return false;
    *out = den_jinja_bool(is_zero);
    return true;
}

static bool test_parity(struct den_jinja_run *run, const struct den_jinja_call *call,
                        int64_t wanted, struct den_jinja_value *out)
{
    struct den_jinja_value rest;
    bool is_equal;

    if (!den_jinja_operate(run, JINJA_MODULO, call->values[0], den_jinja_integer(2), &rest) ||
        !den_jinja_equal(run, rest, den_jinja_integer(wanted), &is_equal))
        return false;
    *out = den_jinja_bool(is_equal);
    return true;
}

static bool is_odd(struct den_jinja_run *run, const struct den_jinja_call *call,
                   struct den_jinja_value *out)
{
    return test_parity(run, call, 1, out);
}

static bool is_even(struct den_jinja_run *run, const struct den_jinja_call *call,
                    struct den_jinja_value *out)
{
    return test_parity(run, call, 0, out);
}

static bool is_lower(struct den_jinja_run *run, const struct den_jinja_call *call,
                     struct den_jinja_value *out)
{
    struct den_jinja_value text;

    if (!den_jinja_to_text(run, call->values[0], &text))
        return false;
    *out = den_jinja_bool(den_jinja_has_case(text.text, false));
    return true;
}

static bool is_upper(struct den_jinja_run *run, const struct den_jinja_call *call,
                     struct den_jinja_value *out)
{
    struct den_jinja_value text;

    if (!den_jinja_to_text(run, call->values[0], &text))
        return false;
    *out = den_jinja_bool(den_jinja_has_case(text.text, true));
    return true;
}

/* Python's `is`: the same object; small values count as the same when they are equal. */
static bool is_same(struct den_jinja_run *run, const struct den_jinja_call *call,
                    struct den_jinja_value *out)
{
    struct den_jinja_value a = call->values[0];
    struct den_jinja_value b = call->values[1];
    bool is_equal = false;

    if (a.kind == b.kind) {
        if (a.kind == JINJA_LIST || a.kind == JINJA_DICT || a.kind == JINJA_TUPLE)
            is_equal = a.list == b.list;
        else if (!den_jinja_equal(run, a, b, &is_equal))
            return false;
    }
    *out = den_jinja_bool(is_equal);
    return true;
}

static bool is_in(struct den_jinja_run *run, const struct den_jinja_call *call,
                  struct den_jinja_value *out)
{
    bool is_found;

    if (!den_jinja_contains(run, call->values[1], call->values[0], &is_found))
        return false;
    *out = den_jinja_bool(is_found);
    return true;
}

static bool is_equal(struct den_jinja_run *run, const struct den_jinja_call *call,
                     struct den_jinja_value *out)
{
    bool is_same_value;

    if (!den_jinja_equal(run, call->values[0], call->values[1], &is_same_value))
        return false;
    *out = den_jinja_bool(is_same_value);
    return true;
}

static bool is_not_equal(struct den_jinja_run *run, const struct den_jinja_call *call,
                         struct den_jinja_value *out)
{
    if (!is_equal(run, call, out))
        return false;
    out->boolean = !out->boolean;
    return true;
}

static bool order(struct den_jinja_run *run, const struct den_jinja_call *call, const char *sign,
                  int *out)
{
    return den_jinja_compare(run, call->values[0], call->values[1], sign, out);
}

static bool is_less(struct den_jinja_run *run, const struct den_jinja_call *call,
                    struct den_jinja_value *out)
{
    int result;

    if (!order(run, call, "<", &result))
        return false;
    *out = den_jinja_bool(result == -1);
    return true;
}

static bool is_less_equal(struct den_jinja_run *run, const struct den_jinja_call *call,
                          struct den_jinja_value *out)
{
    int result;

    if (!order(run, call, "<=", &result))
        return false;
    *out = den_jinja_bool(result <= 0);
    return true;
}

static bool is_greater(struct den_jinja_run *run, const struct den_jinja_call *call,
                       struct den_jinja_value *out)
{
    int result;

    if (!order(run, call, ">", &result))
        return false;
    *out = den_jinja_bool(result == 1);
    return true;
}

static bool is_greater_equal(struct den_jinja_run *run, const struct den_jinja_call *call,
                             struct den_jinja_value *out)
{
    int result;

    if (!order(run, call, ">=", &result))
        return false;
    *out = den_jinja_bool(result == 0 || result == 1);
    return true;
}

const struct den_jinja_builtin *den_jinja_test_find(const struct den_jinja_text *name)
{
    static const struct den_jinja_builtin tests[] = {
        { "defined", "value", is_defined },
        { "undefined", "value", is_undefined },
        { "none", "value", is_none },
        { "boolean", "value", is_boolean },
        { "true", "value", is_true },
        { "false", "value", is_false },
        { "integer", "value", is_integer },
        { "float", "value", is_float },
        { "number", "value", is_number },
        { "string", "value", is_string },
        { "mapping", "value", is_mapping },
        { "iterable", "value", is_iterable },
        { "sequence", "value", is_sequence },
        { "callable", "value", is_callable },
        { "filter", "value", is_filter },
        { "test", "value", is_test },
        { "escaped", "value", is_escaped },
        { "odd", "value", is_odd },
        { "even", "value", is_even },
        { "divisibleby", "value num", is_divisible },
        { "lower", "value", is_lower },
        { "upper", "value", is_upper },
        { "sameas", "value other", is_same },
        { "in", "value seq", is_in },
        { "==", "value other", is_equal },
        { "eq", "value other", is_equal },
        { "equalto", "value other", is_equal },
        { "!=", "value other", is_not_equal },
        { "ne", "value other", is_not_equal },
        { "<", "value other", is_less },
        { "lt", "value other", is_less },
        { "lessthan", "value other", is_less },
        { "<=", "value other", is_less_equal },
        { "le", "value other", is_less_equal },
        { ">", "value other", is_greater },
        { "gt", "value other", is_greater },
        { "greaterthan", "value other", is_greater },
        { ">=", "value other", is_greater_equal },
        { "ge", "value other", is_greater_equal },
    };

    return den_jinja_builtin_find(tests, sizeof tests / sizeof tests[0], name);
}
