/* Whether no value that is generated for one conjunction fits another: what oneOf needs to know of
 * its branches, since a value that fits two of them fits none. Types first; then, for each type
 * that both have, a reason why its values can't be the same: constants, bounds, lengths, patterns
 * with an empty intersection, or a member that both require and that is distinct in itself. */
#include <math.h>
#include <string.h>

#include "text/grammar_schema.h"

enum { DISTINCT_DEPTH_MAX = 4 };

/* The list of constants of a conjunction: those of its first enum or const; NULL: none. */
static const json_t *constants(const struct den_conjunction *conjunction, bool *single)
{
    size_t i;

    for (i = 0; i < conjunction->count; i++) {
        const json_t *constant = json_object_get(conjunction->items[i].schema, "const");
        const json_t *list = json_object_get(conjunction->items[i].schema, "enum");

        *single = constant != NULL;
        if (constant || json_is_array(list))
            return constant ? constant : list;
    }
    return NULL;
}

static bool fits(struct den_schema_compiler *compiler, const struct den_conjunction *conjunction,
                 const json_t *value)
{
    size_t i;

    for (i = 0; i < conjunction->count; i++)
        if (!den_schema_accepts(compiler, conjunction->items[i].schema,
                                conjunction->items[i].pointer, value))
            return false;
    return !conjunction->impossible;
}

/* True where `a` is a list of constants and none that fits it fits `b`. */
static bool constants_apart(struct den_schema_compiler *compiler, const struct den_conjunction *a,
                            const struct den_conjunction *b)
{
    bool single = false;
    const json_t *list = constants(a, &single);
    size_t i;

    for (i = 0; list && i < (single ? 1 : json_array_size(list)); i++) {
        const json_t *value = single ? list : json_array_get(list, i);

        if (fits(compiler, a, value) && fits(compiler, b, value))
            return false;
    }
    return list != NULL;
}

static void number_bounds(const struct den_conjunction *conjunction, double *low, double *high)
{
    size_t i;

    *low = -INFINITY;
    *high = INFINITY;
    for (i = 0; i < conjunction->count; i++) {
        const json_t *schema = conjunction->items[i].schema;
        const json_t *minimum = json_object_get(schema, "minimum");
        const json_t *maximum = json_object_get(schema, "maximum");
        const json_t *above = json_object_get(schema, "exclusiveMinimum");
        const json_t *below = json_object_get(schema, "exclusiveMaximum");

        if (minimum)
            *low = fmax(*low, json_number_value(minimum));
        if (json_is_number(above)) /* nextafter: the bound itself is out */
            *low = fmax(*low, nextafter(json_number_value(above), INFINITY));
        if (maximum)
            *high = fmin(*high, json_number_value(maximum));
        if (json_is_number(below))
            *high = fmin(*high, nextafter(json_number_value(below), -INFINITY));
    }
}

static bool numbers_apart(const struct den_conjunction *a, const struct den_conjunction *b)
{
    double a_low, a_high, b_low, b_high;

    number_bounds(a, &a_low, &a_high);
    number_bounds(b, &b_low, &b_high);
    return a_low > b_high || b_low > a_high;
}

static bool strings_apart(struct den_schema_compiler *compiler, const struct den_conjunction *a,
                          const struct den_conjunction *b)
{
    uint32_t a_least, a_most, b_least, b_most;
    struct den_automaton *first = den_schema_string(compiler, a, true, &a_least, &a_most);
    struct den_automaton *second = den_schema_string(compiler, b, true, &b_least, &b_most);

    if (a_least > b_most || b_least > a_most)
        return true;
    if (!first && second && a_most != DEN_GRAMMAR_FOREVER)
        first = den_automaton_length(compiler->builder, a_least, a_most);
    if (!first || !second)
        return false;
    return den_automaton_is_empty(compiler->builder,
                                  den_automaton_intersect(compiler->builder, first, second));
}

static bool arrays_apart(struct den_schema_compiler *compiler, const struct den_conjunction *a,
                         const struct den_conjunction *b)
{
    static const char *const keys[2] = { "minItems", "maxItems" };
    uint32_t a_least, a_most, b_least, b_most;

    den_schema_limits(compiler, a, keys, &a_least, &a_most);
    den_schema_limits(compiler, b, keys, &b_least, &b_most);
    return a_least > b_most || b_least > a_most;
}

/* A member that one of them requires keeps them apart where what `a` has there (if it may be there
 * at all) never fits `b`. */
static bool member_apart(struct den_schema_compiler *compiler, const struct den_conjunction *a,
                         const struct den_conjunction *b, const char *name, unsigned depth)
{
    struct den_conjunction own, other;

    return !den_schema_member(compiler, a, name, &own) ||
           !den_schema_member(compiler, b, name, &other) ||
           den_schema_distinct(compiler, &own, &other, depth + 1);
}

static bool objects_apart(struct den_schema_compiler *compiler, const struct den_conjunction *a,
                          const struct den_conjunction *b, unsigned depth)
{
    size_t side, i, k;

    for (side = 0; side < 2; side++) {
        const struct den_conjunction *requiring = side == 0 ? a : b;

        for (i = 0; i < requiring->count; i++) {
            const json_t *required = json_object_get(requiring->items[i].schema, "required");

            for (k = 0; k < json_array_size(required); k++) {
                const char *name = json_string_value(json_array_get(required, k));

                if (name && member_apart(compiler, a, b, name, depth))
                    return true;
            }
        }
    }
    return false;
}

bool den_schema_distinct(struct den_schema_compiler *compiler, const struct den_conjunction *a,
                         const struct den_conjunction *b, unsigned depth)
{
    unsigned both = den_schema_types(compiler, a) & den_schema_named_types(compiler, b);

    if (den_grammar_failed(compiler->builder) || depth > DISTINCT_DEPTH_MAX)
        return false;
    if (both == 0 || constants_apart(compiler, a, b) || constants_apart(compiler, b, a))
        return true;
    if (both & (DEN_SCHEMA_NULL | DEN_SCHEMA_BOOLEAN))
        return false;
    if ((both & (DEN_SCHEMA_NUMBER | DEN_SCHEMA_INTEGER)) && !numbers_apart(a, b))
        return false;
    if ((both & DEN_SCHEMA_STRING) && !strings_apart(compiler, a, b))
        return false;
    if ((both & DEN_SCHEMA_ARRAY) && !arrays_apart(compiler, a, b))
        return false;
    if (both & DEN_SCHEMA_OBJECT)
        return objects_apart(compiler, a, b, depth);
    return true;
}
