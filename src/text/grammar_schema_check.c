/* Whether a constant fits a schema: the values of an enum are filtered by whatever else applies to
 * them when the grammar is made. Keywords that are not looked at (format) count as fulfilled. */
#include <math.h>
#include <string.h>

#include "base/utf8.h"
#include "text/grammar_schema.h"

static bool check(struct den_schema_compiler *compiler, const json_t *schema, const char *pointer,
                  const json_t *value);

static unsigned type_of(const json_t *value)
{
    switch (json_typeof(value)) {
    case JSON_OBJECT:
        return DEN_SCHEMA_OBJECT;
    case JSON_ARRAY:
        return DEN_SCHEMA_ARRAY;
    case JSON_STRING:
        return DEN_SCHEMA_STRING;
    case JSON_INTEGER:
        return DEN_SCHEMA_INTEGER;
    case JSON_REAL:
        return json_real_value(value) == floor(json_real_value(value)) ? DEN_SCHEMA_INTEGER
                                                                       : DEN_SCHEMA_NUMBER;
    case JSON_NULL:
        return DEN_SCHEMA_NULL;
    default:
        return DEN_SCHEMA_BOOLEAN;
    }
}

static bool check_type(struct den_schema_compiler *compiler, const json_t *schema,
                       const char *pointer, const json_t *value)
{
    struct den_conjunct item = { .schema = schema, .pointer = pointer };
    struct den_conjunction alone = { .items = &item, .count = 1 };

    return !json_object_get(schema, "type") ||
           (den_schema_types(compiler, &alone) & type_of(value));
}

static bool check_list(const json_t *schema, const json_t *value)
{
    const json_t *list = json_object_get(schema, "enum");
    const json_t *constant = json_object_get(schema, "const");
    bool found = !list;
    size_t i;

    for (i = 0; i < json_array_size(list) && !found; i++)
        found = json_equal(json_array_get(list, i), value);
    return found && (!constant || json_equal(constant, value));
}

static bool check_number(const json_t *schema, const json_t *value)
{
    const json_t *minimum = json_object_get(schema, "minimum");
    const json_t *maximum = json_object_get(schema, "maximum");
    const json_t *above = json_object_get(schema, "exclusiveMinimum");
    const json_t *below = json_object_get(schema, "exclusiveMaximum");
    const json_t *factor = json_object_get(schema, "multipleOf");
    double number = json_number_value(value);

    if ((minimum && number < json_number_value(minimum)) ||
        (maximum && number > json_number_value(maximum)) ||
        (json_is_number(above) && number <= json_number_value(above)) ||
        (json_is_number(below) && number >= json_number_value(below)))
        return false;
    if ((json_is_true(above) && number <= json_number_value(minimum)) ||
        (json_is_true(below) && number >= json_number_value(maximum)))
        return false;
    return !factor || json_number_value(factor) <= 0 ||
           fabs(remainder(number, json_number_value(factor))) < 1e-9;
}

static bool outside(struct den_schema_compiler *compiler, const json_t *schema, const char *pointer,
                    const char *const keys[2], size_t count)
{
    struct den_conjunct item = { .schema = schema, .pointer = pointer };
    struct den_conjunction alone = { .items = &item, .count = 1 };
    uint32_t minimum, maximum;

    den_schema_limits(compiler, &alone, keys, &minimum, &maximum);
    return count < minimum || count > maximum;
}

static bool check_string(struct den_schema_compiler *compiler, const json_t *schema,
                         const char *pointer, const json_t *value)
{
    static const char *const keys[2] = { "minLength", "maxLength" };
    const json_t *pattern = json_object_get(schema, "pattern");
    const char *text = json_string_value(value);
    size_t length = json_string_length(value);

    if (outside(compiler, schema, pointer, keys, den_utf8_count(text, length)))
        return false;
    return !json_is_string(pattern) ||
           den_automaton_matches(compiler->builder,
                                 den_automaton_pattern(compiler->builder,
                                                       json_string_value(pattern),
                                                       json_string_length(pattern)),
                                 text, length);
}

static bool check_array(struct den_schema_compiler *compiler, const json_t *schema,
                        const char *pointer, const json_t *value)
{
    static const char *const keys[2] = { "minItems", "maxItems" };
    const json_t *items = json_object_get(schema, "items");
    const json_t *prefix = json_is_array(items) ? items : json_object_get(schema, "prefixItems");
    const json_t *rest = json_is_array(items) ? json_object_get(schema, "additionalItems") : items;
    size_t count = json_array_size(value), i, k;

    if (outside(compiler, schema, pointer, keys, count))
        return false;
    for (i = 0; i < count; i++) {
        const json_t *own = i < json_array_size(prefix) ? json_array_get(prefix, i) : rest;

        if (own && !check(compiler, own, pointer, json_array_get(value, i)))
            return false;
        for (k = 0; json_is_true(json_object_get(schema, "uniqueItems")) && k < i; k++)
            if (json_equal(json_array_get(value, i), json_array_get(value, k)))
                return false;
    }
    return true;
}

static bool check_object(struct den_schema_compiler *compiler, const json_t *schema,
                         const char *pointer, const json_t *value)
{
    static const char *const keys[2] = { "minProperties", "maxProperties" };
    struct den_conjunct item = { .schema = schema, .pointer = pointer };
    struct den_conjunction alone = { .items = &item, .count = 1 }, member;
    const json_t *required = json_object_get(schema, "required");
    const char *name;
    json_t *one;
    size_t i;

    if (outside(compiler, schema, pointer, keys, json_object_size(value)))
        return false;
    for (i = 0; i < json_array_size(required); i++) {
        const char *needed = json_string_value(json_array_get(required, i));

        if (needed && !json_object_get(value, needed))
            return false;
    }
    json_object_foreach((json_t *)(uintptr_t)value, name, one)
    {
        if (!den_schema_member(compiler, &alone, name, &member))
            return false;
        for (i = 0; i < member.count; i++)
            if (!check(compiler, member.items[i].schema, member.items[i].pointer, one))
                return false;
    }
    return true;
}

static bool check_branches(struct den_schema_compiler *compiler, const json_t *schema,
                           const char *pointer, const json_t *value)
{
    const json_t *any = json_object_get(schema, "anyOf");
    const json_t *one = json_object_get(schema, "oneOf");
    size_t fitting = 0, i;
    bool found = !any;

    for (i = 0; i < json_array_size(any) && !found; i++)
        found = check(compiler, json_array_get(any, i), pointer, value);
    for (i = 0; i < json_array_size(one); i++)
        fitting += check(compiler, json_array_get(one, i), pointer, value);
    return found && (!one || fitting == 1);
}

/* One schema of a conjunction, without what it includes. */
static bool check_own(struct den_schema_compiler *compiler, const json_t *schema,
                      const char *pointer, const json_t *value)
{
    if (!check_type(compiler, schema, pointer, value) || !check_list(schema, value) ||
        !check_branches(compiler, schema, pointer, value))
        return false;
    if (json_is_number(value))
        return check_number(schema, value);
    if (json_is_string(value))
        return check_string(compiler, schema, pointer, value);
    if (json_is_array(value))
        return check_array(compiler, schema, pointer, value);
    return !json_is_object(value) || check_object(compiler, schema, pointer, value);
}

static bool check(struct den_schema_compiler *compiler, const json_t *schema, const char *pointer,
                  const json_t *value)
{
    struct den_conjunction all = { 0 };
    bool fits = true;
    size_t i;

    if (++compiler->depth > DEN_GRAMMAR_DEPTH_MAX * 2)
        den_schema_refuse(compiler, DEN_TOO_LARGE, pointer, "schemas are nested too deep");
    den_conjunction_add(compiler, &all, schema, pointer, NULL);
    for (i = 0; i < all.count && fits; i++)
        fits = check_own(compiler, all.items[i].schema, all.items[i].pointer, value);
    compiler->depth--;
    return fits && !all.impossible && !den_grammar_failed(compiler->builder);
}

bool den_schema_accepts(struct den_schema_compiler *compiler, const json_t *schema,
                        const char *pointer, const json_t *value)
{
    return check(compiler, schema, pointer, value);
}
