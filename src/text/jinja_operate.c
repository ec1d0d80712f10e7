/* Arithmetic of the template language, as Python's operators: / always gives a float, // and %
 * round towards minus infinity, + and * work on texts and lists too. Integers have 64 bits. */
#include "text/jinja_eval.h"

#include <math.h>

#include "text/jinja_format.h"
#include "text/jinja_string.h"

static bool overflow(struct den_jinja_run *run)
{
    return den_jinja_fail(run, "the result does not fit in a 64-bit integer");
}

static bool fail_operands(struct den_jinja_run *run, enum den_jinja_operator op,
                          struct den_jinja_value left, struct den_jinja_value right)
{
    if (left.kind == JINJA_UNDEFINED)
        return den_jinja_undefined_fail(run, left);
    if (right.kind == JINJA_UNDEFINED)
        return den_jinja_undefined_fail(run, right);
    return den_jinja_fail(run, "unsupported operand types for %s: '%s' and '%s'%s",
                          den_jinja_operator_text(op), den_jinja_type_name(left),
                          den_jinja_type_name(right),
                          op == JINJA_ADD && (left.kind == JINJA_TEXT || right.kind == JINJA_TEXT)
                              ? "; '~' joins any values as text"
                              : "");
}

static bool power_of_integers(struct den_jinja_run *run, int64_t base, int64_t exponent,
                              struct den_jinja_value *out)
{
    int64_t result = 1;

    if (exponent < 0) {
        if (base == 0)
            return den_jinja_fail(run, "0 can't be raised to a negative power");
        *out = den_jinja_number(pow((double)base, (double)exponent));
        return true;
    }
    while (exponent > 0) {
        if ((exponent & 1) && __builtin_mul_overflow(result, base, &result))
            return overflow(run);
        exponent >>= 1;
        if (exponent > 0 && __builtin_mul_overflow(base, base, &base))
            return overflow(run);
    }
    *out = den_jinja_integer(result);
    return true;
}

static bool divide_integers(struct den_jinja_run *run, enum den_jinja_operator op, int64_t a,
                            int64_t b, struct den_jinja_value *out)
{
    int64_t quotient;
    int64_t rest;

    if (b == 0)
        return den_jinja_fail(run, "division by zero");
    if (op == JINJA_DIVIDE) {
        *out = den_jinja_number((double)a / (double)b);
        return true;
    }
    if (b == -1) { /* INT64_MIN / -1 traps */
        if (op == JINJA_FLOOR_DIVIDE && a == INT64_MIN)
            return overflow(run);
        *out = den_jinja_integer(op == JINJA_FLOOR_DIVIDE ? -a : 0);
        return true;
    }
    quotient = a / b;
    rest = a % b;
    if (rest != 0 && (rest < 0) != (b < 0)) {
        quotient--;
        rest += b;
    }
    *out = den_jinja_integer(op == JINJA_FLOOR_DIVIDE ? quotient : rest);
    return true;
}

static bool operate_integers(struct den_jinja_run *run, enum den_jinja_operator op, int64_t a,
                             int64_t b, struct den_jinja_value *out)
{
    int64_t result;
    bool has_overflow;

    switch (op) {
    case JINJA_ADD:
        has_overflow = __builtin_add_overflow(a, b, &result);
        break;
    case JINJA_SUBTRACT:
        has_overflow = __builtin_sub_overflow(a, b, &result);
        break;
    case JINJA_MULTIPLY:
        has_overflow = __builtin_mul_overflow(a, b, &result);
        break;
    case JINJA_POWER:
        return power_of_integers(run, a, b, out);
    default:
        return divide_integers(run, op, a, b, out);
    }
    if (has_overflow)
        return overflow(run);
    *out = den_jinja_integer(result);
    return true;
}

static double modulo(double a, double b)
{
    double rest = fmod(a, b);

    if (rest == 0)
        return copysign(0.0, b);
    return (rest < 0) != (b < 0) ? rest + b : rest;
}

/* Rounded from the exact remainder, so that no error of the division shows. */
static double floor_quotient(double a, double b)
{
    double rest = fmod(a, b);
    double quotient = (a - rest) / b;
    double whole;

    if (rest != 0 && (rest < 0) != (b < 0))
        quotient -= 1;
    if (quotient == 0)
        return copysign(0.0, a / b);
    whole = floor(quotient);
    return quotient - whole > 0.5 ? whole + 1 : whole;
}

static bool operate_numbers(struct den_jinja_run *run, enum den_jinja_operator op, double a,
                            double b, struct den_jinja_value *out)
{
    double result;

    switch (op) {
    case JINJA_ADD:
        result = a + b;
        break;
    case JINJA_SUBTRACT:
        result = a - b;
        break;
    case JINJA_MULTIPLY:
        result = a * b;
        break;
    case JINJA_POWER:
        if (a == 0 && b < 0)
            return den_jinja_fail(run, "0 can't be raised to a negative power");
        result = pow(a, b);
        if (isnan(result) && !isnan(a) && !isnan(b))
            return den_jinja_fail(run, "a negative number can't be raised to a fraction");
        if (isinf(result) && !isinf(a) && !isinf(b))
            return den_jinja_fail(run, "the result is too large for a float");
        break;
    default:
        if (b == 0)
            return den_jinja_fail(run, "division by zero");
        if (op == JINJA_DIVIDE) {
            result = a / b;
            break;
        }
        result = op == JINJA_MODULO ? modulo(a, b) : floor_quotient(a, b);
    }
    *out = den_jinja_number(result);
    return true;
}

static bool join_lists(struct den_jinja_run *run, struct den_jinja_value left,
                       struct den_jinja_value right, struct den_jinja_value *out)
{
    struct den_jinja_list *list = den_jinja_list_new(run, left.list->count + right.list->count);
    size_t i;

    if (!list)
        return false;
    for (i = 0; i < left.list->count + right.list->count; i++)
        if (!den_jinja_list_add(run, list,
                                i < left.list->count ? left.list->items[i]
                                                     : right.list->items[i - left.list->count]))
            return false;
    *out = den_jinja_of_list(list, left.kind);
    return true;
}

static bool repeat_list(struct den_jinja_run *run, struct den_jinja_value value, int64_t times,
                        struct den_jinja_value *out)
{
    struct den_jinja_list *list = den_jinja_list_new(run, 0);
    size_t i;

    if (!list)
        return false;
    for (; times > 0 && value.list->count > 0; times--)
        for (i = 0; i < value.list->count; i++)
            if (!den_jinja_list_add(run, list, value.list->items[i]))
                return false;
    *out = den_jinja_of_list(list, value.kind);
    return true;
}

static bool join_texts(struct den_jinja_run *run, const struct den_jinja_text *left,
                       const struct den_jinja_text *right, struct den_jinja_value *out)
{
    struct den_buffer buffer;

    den_jinja_buffer_init(&buffer);
    den_buffer_append(&buffer, left->bytes, left->length);
    den_buffer_append(&buffer, right->bytes, right->length);
    return den_jinja_buffer_finish(run, &buffer, out);
}

static bool repeat(struct den_jinja_run *run, struct den_jinja_value value, int64_t times,
                   struct den_jinja_value *out)
{
    if (value.kind == JINJA_TEXT)
        return den_jinja_repeat(run, value.text, times, out);
    return repeat_list(run, value, times, out);
}

static bool is_sequence(struct den_jinja_value value)
{
    return value.kind == JINJA_TEXT || value.kind == JINJA_LIST || value.kind == JINJA_TUPLE;
}

bool den_jinja_operate(struct den_jinja_run *run, enum den_jinja_operator op,
                       struct den_jinja_value left, struct den_jinja_value right,
                       struct den_jinja_value *out)
{
    int64_t a;
    int64_t b;
    bool is_left_integer = den_jinja_as_integer(left, &a);
    bool is_right_integer = den_jinja_as_integer(right, &b);

    if (is_left_integer && is_right_integer)
        return operate_integers(run, op, a, b, out);
    if (den_jinja_is_number(left) && den_jinja_is_number(right))
        return operate_numbers(run, op, den_jinja_as_number(left), den_jinja_as_number(right), out);
    if (op == JINJA_ADD && left.kind == JINJA_TEXT && right.kind == JINJA_TEXT)
        return join_texts(run, left.text, right.text, out);
    if (op == JINJA_ADD && left.kind == right.kind &&
        (left.kind == JINJA_LIST || left.kind == JINJA_TUPLE))
        return join_lists(run, left, right, out);
    if (op == JINJA_MULTIPLY && is_sequence(left) && is_right_integer)
        return repeat(run, left, b, out);
    if (op == JINJA_MULTIPLY && is_sequence(right) && is_left_integer)
        return repeat(run, right, a, out);
    if (op == JINJA_MODULO && left.kind == JINJA_TEXT)
        return den_jinja_format_percent(run, left.text, right, out);
    return fail_operands(run, op, left, right);
}

bool den_jinja_negate(struct den_jinja_run *run, struct den_jinja_value value, bool is_minus,
                      struct den_jinja_value *out)
{
    int64_t integer;

    if (value.kind == JINJA_UNDEFINED)
        return den_jinja_undefined_fail(run, value);
    if (den_jinja_as_integer(value, &integer)) {
        if (is_minus && integer == INT64_MIN)
            return overflow(run);
        *out = den_jinja_integer(is_minus ? -integer : integer);
        return true;
    }
    if (value.kind != JINJA_FLOAT)
        return den_jinja_fail(run, "bad operand type for unary %c: '%s'", is_minus ? '-' : '+',
                              den_jinja_type_name(value));
    *out = den_jinja_number(is_minus ? -value.number : value.number);
    return true;
}
