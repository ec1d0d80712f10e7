/* See grammar_schema.h: conjunctions, and what can be read off them. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "text/grammar_schema.h"

struct den_schema_owned {
    json_t *schema;
    struct den_schema_owned *next;
};

void den_schema_refuse(struct den_schema_compiler *compiler, enum den_status status,
                       const char *pointer, const char *format, ...)
{
    char text[512];
    va_list arguments;

    if (den_grammar_failed(compiler->builder))
        return;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    den_fail(compiler->builder->err, status, "schema: %.300s: %s", pointer, text);
}

/* A name inside a JSON pointer has "~" and "/" escaped (RFC 6901). */
const char *den_schema_place(struct den_schema_compiler *compiler, const char *pointer,
                             const char *name)
{
    size_t length = strlen(pointer), at;
    char *place;

    if (!name)
        return pointer;
    place = den_grammar_memory(compiler->builder, length + 2 * strlen(name) + 2, 1);
    if (!place)
        return pointer;
    memcpy(place, pointer, length);
    at = length;
    place[at++] = '/';
    for (; *name; name++) {
        bool escaped = *name == '~' || *name == '/';

        if (escaped)
            place[at++] = '~';
        if (escaped)
            place[at++] = *name == '~' ? '0' : '1';
        else
            place[at++] = *name;
    }
    place[at] = '\0';
    return place;
}

const json_t *den_schema_own(struct den_schema_compiler *compiler, json_t *schema)
{
    struct den_schema_owned *owned = den_grammar_memory(compiler->builder, 1, sizeof *owned);

    if (!owned || !schema) {
        json_decref(schema);
        if (!den_grammar_failed(compiler->builder))
            den_fail(compiler->builder->err, DEN_NO_MEMORY, "schema: out of memory");
        return json_null(); /* not an object: nobody reads it after a failure */
    }
    owned->schema = schema;
    owned->next = compiler->owned;
    compiler->owned = owned;
    return schema;
}

void den_schema_forget(struct den_schema_compiler *compiler)
{
    struct den_schema_owned *owned;

    for (owned = compiler->owned; owned; owned = owned->next)
        json_decref(owned->schema);
    compiler->owned = NULL;
}

/* --- $ref --- */

static int hex_value(char c)
{
    const char *digits = "0123456789abcdef", *at = c ? strchr(digits, c | 0x20) : NULL;

    return at ? (int)(at - digits) : -1;
}

/* One step of a JSON pointer: undoes ~0, ~1 and %XX. Returns what follows it. */
static const char *read_step(const char *at, char *out)
{
    for (; *at && *at != '/'; at++) {
        if (*at == '~' && (at[1] == '0' || at[1] == '1')) {
            *out++ = at[1] == '0' ? '~' : '/';
            at++;
        } else if (*at == '%' && hex_value(at[1]) >= 0 && hex_value(at[2]) >= 0) {
            *out++ = (char)(hex_value(at[1]) * 16 + hex_value(at[2]));
            at += 2;
        } else {
            *out++ = *at;
        }
    }
    *out = '\0';
    return at;
}

static const json_t *resolve(struct den_schema_compiler *compiler, const char *reference,
                             const char *pointer)
{
    const json_t *target = compiler->root;
    const char *at = reference + 1;
    char *step = den_grammar_memory(compiler->builder, strlen(reference) + 1, 1);

    if (!step)
        return NULL;
    if (reference[0] != '#' || (*at != '\0' && *at != '/')) {
        den_schema_refuse(compiler, DEN_UNSUPPORTED, pointer,
                          "'%.100s' leads out of the document; only '#/...' is possible",
                          reference);
        return NULL;
    }
    while (target && *at) {
        at = read_step(at + 1, step);
        if (json_is_array(target))
            target = *step >= '0' && *step <= '9' ? json_array_get(target, strtoul(step, NULL, 10))
                                                  : NULL;
        else
            target = json_object_get(target, step);
    }
    if (!target)
        den_schema_refuse(compiler, DEN_INVALID, pointer, "there is no '%.100s'", reference);
    return target;
}

/* --- what a schema may say --- */

static const char *const unsupported[] = { "not",          "if",
                                           "contains",     "dependentSchemas",
                                           "dependencies", "unevaluatedItems",
                                           "$dynamicRef",  "$recursiveRef" };

static void check_keywords(struct den_schema_compiler *compiler, const json_t *schema,
                           const char *pointer)
{
    const json_t *unevaluated = json_object_get(schema, "unevaluatedProperties");
    size_t i;

    for (i = 0; i < sizeof unsupported / sizeof unsupported[0]; i++)
        if (json_object_get(schema, unsupported[i]))
            den_schema_refuse(compiler, DEN_UNSUPPORTED,
                              den_schema_place(compiler, pointer, unsupported[i]),
                              "this keyword can't be generated from");
    if (json_is_object(unevaluated))
        den_schema_refuse(compiler, DEN_UNSUPPORTED,
                          den_schema_place(compiler, pointer, "unevaluatedProperties"),
                          "only true and false can be generated from");
}

static bool add_item(struct den_schema_compiler *compiler, struct den_conjunction *conjunction,
                     struct den_conjunct item)
{
    size_t i;

    for (i = 0; i < conjunction->count; i++)
        if (conjunction->items[i].schema == item.schema)
            return false;
    if (conjunction->count >= DEN_GRAMMAR_CONJUNCTS_MAX) {
        den_schema_refuse(compiler, DEN_TOO_LARGE, item.pointer,
                          "more than %d schemas apply to one value", DEN_GRAMMAR_CONJUNCTS_MAX);
        return false;
    }
    if (conjunction->count == conjunction->capacity) {
        size_t capacity = conjunction->capacity ? conjunction->capacity * 2 : 4;
        struct den_conjunct *grown = den_grammar_memory(compiler->builder, capacity, sizeof *grown);

        if (!grown)
            return false;
        if (conjunction->count > 0)
            memcpy(grown, conjunction->items, conjunction->count * sizeof *grown);
        conjunction->items = grown;
        conjunction->capacity = capacity;
    }
    conjunction->items[conjunction->count++] = item;
    return true;
}

/* {"a": ["b"]} means: no a, or a b. */
static void add_dependent(struct den_schema_compiler *compiler, struct den_conjunction *conjunction,
                          const json_t *schema, const char *pointer)
{
    const json_t *dependent = json_object_get(schema, "dependentRequired");
    const char *place = den_schema_place(compiler, pointer, "dependentRequired");
    const char *name;
    json_t *needed;

    if (dependent && !json_is_object(dependent))
        den_schema_refuse(compiler, DEN_INVALID, place, "it must be an object");
    json_object_foreach((json_t *)(uintptr_t)dependent, name, needed)
    {
        json_t *made = json_pack("{s: [{s: {s: b}}, {s: O}]}", "anyOf", "properties", name, 0,
                                 "required", needed);

        den_conjunction_add(compiler, conjunction, den_schema_own(compiler, made), place, name);
    }
}

static void add_all(struct den_schema_compiler *compiler, struct den_conjunction *conjunction,
                    const json_t *schema, const char *pointer)
{
    const json_t *all = json_object_get(schema, "allOf");
    const char *place = den_schema_place(compiler, pointer, "allOf");
    char index[24];
    size_t i;

    if (all && !json_is_array(all))
        den_schema_refuse(compiler, DEN_INVALID, place, "it must be an array");
    for (i = 0; i < json_array_size(all) && !den_grammar_failed(compiler->builder); i++) {
        snprintf(index, sizeof index, "%zu", i);
        den_conjunction_add(compiler, conjunction, json_array_get(all, i), place, index);
    }
}

void den_conjunction_add(struct den_schema_compiler *compiler, struct den_conjunction *conjunction,
                         const json_t *schema, const char *pointer, const char *name)
{
    const char *place = den_schema_place(compiler, pointer, name);
    const json_t *reference;

    if (den_grammar_failed(compiler->builder) || json_is_true(schema))
        return;
    if (json_is_false(schema)) {
        conjunction->impossible = true;
        return;
    }
    if (!json_is_object(schema)) {
        den_schema_refuse(compiler, DEN_INVALID, place,
                          "a schema must be an object, true or false");
        return;
    }
    if (++compiler->depth > DEN_GRAMMAR_DEPTH_MAX * 2)
        den_schema_refuse(compiler, DEN_TOO_LARGE, place, "schemas are nested too deep");
    else if (add_item(compiler, conjunction, (struct den_conjunct){ schema, place, 0, 0 })) {
        check_keywords(compiler, schema, place);
        reference = json_object_get(schema, "$ref");
        if (reference && !json_is_string(reference))
            den_schema_refuse(compiler, DEN_INVALID, den_schema_place(compiler, place, "$ref"),
                              "it must be a string");
        if (json_is_string(reference)) {
            const char *to = json_string_value(reference);
            const json_t *target = resolve(compiler, to, den_schema_place(compiler, place, "$ref"));

            conjunction->referred = true;
            if (target)
                den_conjunction_add(compiler, conjunction, target, to, NULL);
        }
        add_all(compiler, conjunction, schema, place);
        add_dependent(compiler, conjunction, schema, place);
    }
    compiler->depth--;
}

void den_conjunction_copy(struct den_schema_compiler *compiler, struct den_conjunction *conjunction,
                          const struct den_conjunction *from)
{
    size_t i;

    *conjunction =
        (struct den_conjunction){ .impossible = from->impossible, .referred = from->referred };
    for (i = 0; i < from->count; i++)
        add_item(compiler, conjunction, from->items[i]);
}

/* --- types --- */

static unsigned type_bit(const json_t *name)
{
    static const struct {
        const char *name;
        unsigned bits;
    } types[] = { { "null", DEN_SCHEMA_NULL },
                  { "boolean", DEN_SCHEMA_BOOLEAN },
                  { "object", DEN_SCHEMA_OBJECT },
                  { "array", DEN_SCHEMA_ARRAY },
                  { "string", DEN_SCHEMA_STRING },
                  { "integer", DEN_SCHEMA_INTEGER },
                  { "number", DEN_SCHEMA_NUMBER | DEN_SCHEMA_INTEGER } };
    size_t i;

    for (i = 0; json_is_string(name) && i < sizeof types / sizeof types[0]; i++)
        if (strcmp(types[i].name, json_string_value(name)) == 0)
            return types[i].bits;
    return 0;
}

static unsigned own_types(struct den_schema_compiler *compiler, const struct den_conjunct *item)
{
    const json_t *type = json_object_get(item->schema, "type");
    unsigned types = 0, bit;
    size_t i;

    if (!type)
        return DEN_SCHEMA_ALL;
    for (i = 0; i < (json_is_array(type) ? json_array_size(type) : 1); i++) {
        bit = type_bit(json_is_array(type) ? json_array_get(type, i) : type);
        types |= bit;
        if (bit == 0)
            den_schema_refuse(compiler, DEN_INVALID,
                              den_schema_place(compiler, item->pointer, "type"),
                              "there are null, boolean, object, array, string, integer and number");
    }
    if (json_is_true(json_object_get(item->schema, "nullable")))
        types |= DEN_SCHEMA_NULL;
    return types;
}

/* Keywords of one type, where no type is named, are taken to mean that type. */
static unsigned implied_types(const json_t *schema)
{
    static const struct {
        unsigned type;
        const char *keys[10];
    } hints[] = {
        { DEN_SCHEMA_OBJECT,
          { "properties", "required", "additionalProperties", "patternProperties", "propertyNames",
            "minProperties", "maxProperties", "dependentRequired" } },
        { DEN_SCHEMA_ARRAY, { "items", "prefixItems", "minItems", "maxItems", "uniqueItems" } },
        { DEN_SCHEMA_STRING, { "pattern", "format", "minLength", "maxLength" } },
        { DEN_SCHEMA_NUMBER | DEN_SCHEMA_INTEGER,
          { "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf" } },
    };
    unsigned types = 0;
    size_t i, k;

    for (i = 0; i < sizeof hints / sizeof hints[0]; i++)
        for (k = 0; k < 10 && hints[i].keys[k]; k++)
            if (json_object_get(schema, hints[i].keys[k]))
                types |= hints[i].type;
    return types;
}

unsigned den_schema_named_types(struct den_schema_compiler *compiler,
                                const struct den_conjunction *conjunction)
{
    unsigned types = conjunction->impossible ? 0 : DEN_SCHEMA_ALL;
    size_t i;

    for (i = 0; i < conjunction->count; i++)
        types &= own_types(compiler, &conjunction->items[i]);
    return types;
}

unsigned den_schema_types(struct den_schema_compiler *compiler,
                          const struct den_conjunction *conjunction)
{
    unsigned types = den_schema_named_types(compiler, conjunction), implied = 0;
    bool named = false;
    size_t i;

    for (i = 0; i < conjunction->count; i++) {
        named |= json_object_get(conjunction->items[i].schema, "type") != NULL;
        implied |= implied_types(conjunction->items[i].schema);
    }
    return !named && implied ? types & implied : types;
}

void den_schema_limits(struct den_schema_compiler *compiler,
                       const struct den_conjunction *conjunction, const char *const keys[2],
                       uint32_t *minimum, uint32_t *maximum)
{
    size_t i, k;

    *minimum = 0;
    *maximum = DEN_GRAMMAR_FOREVER;
    for (i = 0; i < conjunction->count; i++) {
        for (k = 0; k < 2; k++) {
            const json_t *value = json_object_get(conjunction->items[i].schema, keys[k]);
            const char *pointer = conjunction->items[i].pointer;
            double limit = value ? json_number_value(value) : 0;

            if (!value)
                continue;
            if (!json_is_number(value) || limit < 0 || limit != floor(limit))
                den_schema_refuse(compiler, DEN_INVALID,
                                  den_schema_place(compiler, pointer, keys[k]),
                                  "it must be an integer, 0 or more");
            else if (k == 0 && limit > DEN_GRAMMAR_REPEAT_MAX)
                den_schema_refuse(compiler, DEN_UNSUPPORTED,
                                  den_schema_place(compiler, pointer, keys[k]),
                                  "at most %d is possible", DEN_GRAMMAR_REPEAT_MAX);
            else if (k == 0 && limit > *minimum)
                *minimum = (uint32_t)limit;
            else if (k == 1 && limit < *maximum)
                *maximum = (uint32_t)limit;
        }
    }
}

/* --- members --- */

bool den_schema_requires(const struct den_conjunction *conjunction, const char *name)
{
    size_t i, k;

    for (i = 0; i < conjunction->count; i++) {
        const json_t *required = json_object_get(conjunction->items[i].schema, "required");

        for (k = 0; k < json_array_size(required); k++) {
            const char *one = json_string_value(json_array_get(required, k));

            if (one && strcmp(one, name) == 0)
                return true;
        }
    }
    return false;
}

/* Adds the schemas of the patterns that `name` matches; true if there is one. */
static bool add_matching(struct den_schema_compiler *compiler, const struct den_conjunct *item,
                         const char *name, struct den_conjunction *out)
{
    const json_t *patterns = json_object_get(item->schema, "patternProperties");
    const char *pattern, *place = den_schema_place(compiler, item->pointer, "patternProperties");
    json_t *schema;
    bool found = false;

    json_object_foreach((json_t *)(uintptr_t)patterns, pattern, schema)
    {
        struct den_automaton *automaton =
            den_automaton_pattern(compiler->builder, pattern, strlen(pattern));

        if (!den_automaton_matches(compiler->builder, automaton, name, strlen(name)))
            continue;
        found = true;
        den_conjunction_add(compiler, out, schema, place, pattern);
    }
    return found;
}

bool den_schema_member(struct den_schema_compiler *compiler,
                       const struct den_conjunction *conjunction, const char *name,
                       struct den_conjunction *out)
{
    size_t i;

    *out = (struct den_conjunction){ 0 };
    for (i = 0; i < conjunction->count; i++) {
        const struct den_conjunct *item = &conjunction->items[i];
        const json_t *own = json_object_get(json_object_get(item->schema, "properties"), name);
        const json_t *rest = json_object_get(item->schema, "additionalProperties");

        if (own)
            den_conjunction_add(compiler, out, own,
                                den_schema_place(compiler, item->pointer, "properties"), name);
        if (!add_matching(compiler, item, name, out) && !own && rest)
            den_conjunction_add(compiler, out, rest, item->pointer, "additionalProperties");
    }
    return !out->impossible && !den_grammar_failed(compiler->builder);
}
