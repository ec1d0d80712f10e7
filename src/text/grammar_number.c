/* See grammar_number.h. A bound is scaled to an integer: with F digits after the point, the number
 * 12.5 is 1250000 for F = 5. Digits are then chosen from the left, with two marks that tell whether
 * what is written so far is still equal to the beginning of the lower bound (then no digit may be
 * less than the bound's) and of the upper one. Once neither holds, every digit goes, and what is
 * left depends only on how many are to come, so those states are shared. */
#include "text/grammar_number.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NONE UINT32_MAX

enum { DIGITS_MAX = 18, REAL_DIGITS_MAX = 15, FRACTION_MAX = 6 };

struct writer {
    struct den_grammar_builder *builder;
    struct den_automaton *automaton;
    int fraction;                              /* F */
    uint32_t free_whole[DIGITS_MAX + 1];       /* as many digits to come before the point */
    uint32_t free_fraction[DIGITS_MAX + 1][2]; /* as many after it; [1]: one is written already */
};

static int64_t power_of_ten(int exponent)
{
    int64_t power = 1;

    while (exponent-- > 0)
        power *= 10;
    return power;
}

static int count_digits(int64_t value)
{
    int digits = 1;

    while (value >= 10) {
        value /= 10;
        digits++;
    }
    return digits;
}

static void add_digits(struct writer *writer, uint32_t from, uint32_t to, int low, int high)
{
    if (low <= high)
        den_automaton_add_arc(writer->builder, writer->automaton, from, to,
                              (struct den_range){ (uint32_t)('0' + low), (uint32_t)('0' + high) });
}

static void add_point(struct writer *writer, uint32_t from, uint32_t to)
{
    den_automaton_add_arc(writer->builder, writer->automaton, from, to,
                          (struct den_range){ '.', '.' });
}

static uint32_t free_fraction(struct writer *writer, int left, int written)
{
    uint32_t *state = &writer->free_fraction[left][written];

    if (*state != NONE || den_grammar_failed(writer->builder))
        return *state;
    *state = den_automaton_add_state(writer->builder, writer->automaton, written);
    if (left > 0)
        add_digits(writer, *state, free_fraction(writer, left - 1, 1), 0, 9);
    return *state;
}

static uint32_t free_whole(struct writer *writer, int left)
{
    uint32_t *state = &writer->free_whole[left];

    if (*state != NONE || den_grammar_failed(writer->builder))
        return *state;
    *state = den_automaton_add_state(writer->builder, writer->automaton, left == 0);
    if (left > 0)
        add_digits(writer, *state, free_whole(writer, left - 1), 0, 9);
    else if (writer->fraction > 0)
        add_point(writer, *state, free_fraction(writer, writer->fraction, 0));
    return *state;
}

/* Numbers of `whole` digits before the point between `low` and `high` (scaled). */
struct span {
    char low[64], high[64]; /* all digits */
    int whole, all;
};

static bool zeros_from(const char *digits)
{
    return digits[strspn(digits, "0")] == '\0';
}

static void write_from(struct writer *writer, const struct span *span, uint32_t from, int at,
                       unsigned tight);

/* Where a digit leads that keeps the marks `tight` (1: lower, 2: upper). */
static uint32_t after_digit(struct writer *writer, const struct span *span, int at, unsigned tight)
{
    uint32_t state;
    bool final;

    if (tight == 0)
        return at <= span->whole ? free_whole(writer, span->whole - at)
                                 : free_fraction(writer, span->all - at, 1);
    final = at >= span->whole && (!(tight & 1) || zeros_from(span->low + at));
    state = den_automaton_add_state(writer->builder, writer->automaton, final);
    if (at == span->whole && span->all > span->whole) {
        uint32_t point = den_automaton_add_state(writer->builder, writer->automaton, false);

        add_point(writer, state, point);
        write_from(writer, span, point, at, tight);
    } else {
        write_from(writer, span, state, at, tight);
    }
    return state;
}

static void write_from(struct writer *writer, const struct span *span, uint32_t from, int at,
                       unsigned tight)
{
    int low = tight & 1 ? span->low[at] - '0' : 0;
    int high = tight & 2 ? span->high[at] - '0' : 9;
    int first = low, last = high;

    if (at == span->all || den_grammar_failed(writer->builder))
        return;
    if (tight == 3 && low == high) {
        add_digits(writer, from, after_digit(writer, span, at + 1, 3), low, low);
        return;
    }
    if (tight & 1)
        add_digits(writer, from, after_digit(writer, span, at + 1, 1), low, first++);
    if (tight & 2)
        add_digits(writer, from, after_digit(writer, span, at + 1, 2), last--, high);
    if (first <= last)
        add_digits(writer, from, after_digit(writer, span, at + 1, 0), first, last);
}

static void write_digits(char *out, int count, int64_t value)
{
    int i;

    out[count] = '\0';
    for (i = count - 1; i >= 0; i--) {
        out[i] = (char)('0' + value % 10);
        value /= 10;
    }
}

/* Adds the numbers from `low` to `high`, both scaled and not negative, after the state `from`. */
static void write_range(struct writer *writer, uint32_t from, int64_t low, int64_t high)
{
    int64_t scale = power_of_ten(writer->fraction);
    int whole;

    for (whole = count_digits(low / scale); low <= high && whole <= count_digits(high / scale);
         whole++) {
        int64_t least = whole == 1 ? 0 : power_of_ten(whole - 1) * scale;
        int64_t most = power_of_ten(whole) * scale - 1;
        struct span span = { .whole = whole, .all = whole + writer->fraction };

        least = low > least ? low : least;
        most = high < most ? high : most;
        write_digits(span.low, span.all, least);
        write_digits(span.high, span.all, most);
        write_from(writer, &span, from, 0, 3);
    }
}

/* --- bounds --- */

static double unscale(int64_t value, int fraction)
{
    char text[64];

    snprintf(text, sizeof text, "%llde-%d", (long long)value, fraction);
    return strtod(text, NULL);
}

/* The least scaled value at or above `bound` (above it, when that is excluded). */
static int64_t scale_up(double bound, bool excluded, int fraction, int64_t limit)
{
    double product = bound * (double)power_of_ten(fraction);
    int64_t value;

    if (product >= (double)limit)
        return unscale(limit, fraction) > bound || (!excluded && unscale(limit, fraction) >= bound)
                   ? limit
                   : limit + 1;
    if (product <= -(double)limit)
        return -limit;
    value = (int64_t)floor(product) - 2;
    while (unscale(value, fraction) < bound || (excluded && unscale(value, fraction) <= bound))
        value++;
    return value;
}

/* Digits after the point that writing `value` takes. */
static int fraction_digits(double value)
{
    char text[64];
    int digits;

    for (digits = 0; digits < REAL_DIGITS_MAX; digits++) {
        snprintf(text, sizeof text, "%.*f", digits, value);
        if (strtod(text, NULL) == value)
            return digits;
    }
    return REAL_DIGITS_MAX;
}

/* How many digits after the point leave room for the bounds' digits before it. */
static int choose_fraction(const struct den_number_bounds *bounds)
{
    double largest = 1;
    int wanted = FRACTION_MAX, room;

    if (bounds->has_minimum)
        largest = fmax(largest, fabs(bounds->minimum));
    if (bounds->has_maximum)
        largest = fmax(largest, fabs(bounds->maximum));
    if (bounds->has_minimum && fraction_digits(bounds->minimum) > wanted)
        wanted = fraction_digits(bounds->minimum);
    if (bounds->has_maximum && fraction_digits(bounds->maximum) > wanted)
        wanted = fraction_digits(bounds->maximum);
    room = largest < 1e15 ? REAL_DIGITS_MAX - count_digits((int64_t)largest) : 0;
    return wanted < room ? wanted : room;
}

static int64_t clamp(int64_t value, int64_t limit)
{
    if (value > limit)
        return limit + 1;
    return value < -limit ? -limit - 1 : value;
}

static void scale_bounds(const struct den_number_bounds *bounds, int fraction, int64_t limit,
                         int64_t *low, int64_t *high)
{
    *low = -limit;
    *high = limit;
    if (bounds->has_minimum && bounds->minimum_is_integer && fraction == 0)
        *low = clamp(bounds->minimum_integer, limit) + bounds->minimum_excluded;
    else if (bounds->has_minimum)
        *low = scale_up(bounds->minimum, bounds->minimum_excluded, fraction, limit);
    if (bounds->has_maximum && bounds->maximum_is_integer && fraction == 0)
        *high = clamp(bounds->maximum_integer, limit) - bounds->maximum_excluded;
    else if (bounds->has_maximum)
        *high = -scale_up(-bounds->maximum, bounds->maximum_excluded, fraction, limit);
    *low = *low < -limit ? -limit : *low;
    *high = *high > limit ? limit : *high;
}

struct den_automaton *den_automaton_number(struct den_grammar_builder *builder,
                                           const struct den_number_bounds *bounds)
{
    struct writer writer = { .builder = builder, .automaton = den_automaton_create(builder) };
    int64_t limit = power_of_ten(bounds->integer ? DIGITS_MAX : REAL_DIGITS_MAX) - 1, low, high;
    uint32_t start, minus;
    int i;

    writer.fraction = bounds->integer ? 0 : choose_fraction(bounds);
    for (i = 0; i <= DIGITS_MAX; i++)
        writer.free_whole[i] = writer.free_fraction[i][0] = writer.free_fraction[i][1] = NONE;
    scale_bounds(bounds, writer.fraction, limit, &low, &high);
    start = den_automaton_add_state(builder, writer.automaton, false);
    write_range(&writer, start, low > 0 ? low : 0, high);
    if (low < 0) {
        minus = den_automaton_add_state(builder, writer.automaton, false);
        den_automaton_add_arc(builder, writer.automaton, start, minus,
                              (struct den_range){ '-', '-' });
        write_range(&writer, minus, high < 0 ? -high : 1, -low);
    }
    return writer.automaton;
}

/* --- multiples --- */

/* States: (what is after the point so far: none, 0 digits, 1 ...) x (remainder). */
struct den_automaton *den_automaton_multiple(struct den_grammar_builder *builder, double factor)
{
    struct den_automaton *automaton = den_automaton_create(builder);
    int fraction = fraction_digits(factor), layer, digit;
    int64_t divisor, i, layers = fraction == 0 ? 1 : fraction + 2;
    uint32_t start, first;

    divisor = factor < 1e6 && fraction <= FRACTION_MAX
                  ? (int64_t)llround(factor * (double)power_of_ten(fraction))
                  : 0;
    if (divisor < 1 || divisor * layers > DEN_GRAMMAR_STATES_MAX / 8) {
        if (!den_grammar_failed(builder))
            den_fail(builder->err, DEN_UNSUPPORTED,
                     "multiples of %g can't be generated; small integers and decimals can", factor);
        return automaton;
    }
    start = den_automaton_add_state(builder, automaton, false);
    first = start + 1;
    for (i = 0; i < divisor * layers && !den_grammar_failed(builder); i++) {
        int written = i / divisor == 0 ? 0 : (int)(i / divisor) - 1;
        bool whole = i / divisor != 1; /* not right after the point */
        int64_t rest = i % divisor * power_of_ten(fraction - written) % divisor;

        den_automaton_add_state(builder, automaton, whole && rest == 0);
    }
    den_automaton_add_arc(builder, automaton, start, start, (struct den_range){ '-', '-' });
    for (i = -1; i < divisor * layers && !den_grammar_failed(builder); i++) {
        int64_t rest = i < 0 ? 0 : i % divisor;
        uint32_t from = i < 0 ? start : first + (uint32_t)i;

        layer = i < 0 ? 0 : (int)(i / divisor);
        if (layer == 0 && i >= 0 && fraction > 0)
            den_automaton_add_arc(builder, automaton, from, first + (uint32_t)(divisor + rest),
                                  (struct den_range){ '.', '.' });
        if (layer == layers - 1 && layer > 0)
            continue;
        for (digit = 0; digit < 10; digit++) {
            int64_t next = (rest * 10 + digit) % divisor + (layer ? layer + 1 : 0) * divisor;

            den_automaton_add_arc(
                builder, automaton, from, first + (uint32_t)next,
                (struct den_range){ (uint32_t)('0' + digit), (uint32_t)('0' + digit) });
        }
    }
    return automaton;
}
