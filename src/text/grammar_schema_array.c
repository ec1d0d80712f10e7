/* Arrays of JSON Schema: the places that prefixItems names, then any number of `items`. Lengths
 * are counted at run time (REPEAT), whatever they are. uniqueItems can't be counted; it is done
 * where it follows by itself (at most one item) or where the items are an enum: then they come in
 * the enum's order, each once at most. */
#include <stdio.h>

#include "text/grammar_schema.h"

struct array {
    struct den_schema_compiler *compiler;
    const struct den_conjunction *conjunction;
    uint32_t minimum, maximum;
    size_t prefix; /* the longest prefixItems */
    bool open;     /* items beyond the prefix are allowed */
};

/* In drafts before 2020-12 a list under `items` was what is prefixItems now. */
static const json_t *prefix_of(const json_t *schema)
{
    const json_t *items = json_object_get(schema, "items");

    return json_is_array(items) ? items : json_object_get(schema, "prefixItems");
}

static const char *rest_key(const json_t *schema)
{
    return json_is_array(json_object_get(schema, "items")) ? "additionalItems" : "items";
}

/* What the item at `index` has to fit; those past every prefix are alike. */
static void item_at(const struct array *array, size_t index, struct den_conjunction *out)
{
    char name[24];
    size_t i;

    *out = (struct den_conjunction){ 0 };
    snprintf(name, sizeof name, "%zu", index);
    for (i = 0; i < array->conjunction->count; i++) {
        const struct den_conjunct *item = &array->conjunction->items[i];
        const json_t *prefix = prefix_of(item->schema);
        const json_t *rest = json_object_get(item->schema, rest_key(item->schema));

        if (index < json_array_size(prefix))
            den_conjunction_add(array->compiler, out, json_array_get(prefix, index),
                                den_schema_place(array->compiler, item->pointer,
                                                 prefix == json_object_get(item->schema, "items")
                                                     ? "items"
                                                     : "prefixItems"),
                                name);
        else if (rest)
            den_conjunction_add(array->compiler, out, rest, item->pointer, rest_key(item->schema));
    }
}

static void read_array(struct array *array)
{
    static const char *const keys[2] = { "minItems", "maxItems" };
    bool told = false;
    size_t i;

    den_schema_limits(array->compiler, array->conjunction, keys, &array->minimum, &array->maximum);
    for (i = 0; i < array->conjunction->count; i++) {
        const json_t *schema = array->conjunction->items[i].schema;
        const json_t *prefix = prefix_of(schema);

        if (json_array_size(prefix) > array->prefix)
            array->prefix = json_array_size(prefix);
        told |= json_object_get(schema, rest_key(schema)) != NULL;
        if (prefix && !json_is_array(prefix))
            den_schema_refuse(array->compiler, DEN_INVALID, array->conjunction->items[i].pointer,
                              "prefixItems must be an array");
    }
    array->open = told || array->prefix == 0 || array->minimum > array->prefix;
}

static uint32_t emit_close(const struct array *array, uint32_t next)
{
    struct den_grammar_builder *builder = array->compiler->builder;

    return den_emit_blank(builder, den_emit_literal(builder, "]", 1, next));
}

static uint32_t emit_comma(const struct array *array, uint32_t next)
{
    struct den_grammar_builder *builder = array->compiler->builder;

    return den_emit_literal(builder, ",", 1, den_emit_blank(builder, next));
}

/* After the prefix, of which `written` items stand: the rest and the bracket. */
static uint32_t emit_rest(const struct array *array, uint32_t written, uint32_t next)
{
    struct den_grammar_builder *builder = array->compiler->builder;
    uint32_t close = emit_close(array, next), rule, more, first, again;
    uint32_t least = array->minimum > written ? array->minimum - written : 0;
    uint32_t most =
        array->maximum == DEN_GRAMMAR_FOREVER ? DEN_GRAMMAR_FOREVER : array->maximum - written;
    struct den_conjunction item;

    if (!array->open || most == 0)
        return least == 0 ? close : DEN_NODE_DEAD;
    item_at(array, array->prefix, &item);
    if (item.impossible)
        return least == 0 ? close : DEN_NODE_DEAD;
    if (least <= 1 && most == DEN_GRAMMAR_FOREVER) { /* a loop needs no counting */
        again = den_emit_reserve(builder);
        first = den_emit_conjunction(array->compiler, &item, again);
        more = emit_comma(array, first);
        den_emit_fill_choice(builder, again, (uint32_t[]){ more, close }, 2);
        first = written > 0 ? more : den_emit_blank(builder, first);
        return least == 0 ? den_emit_either(builder, first, close) : first;
    }
    rule = den_emit_rule(builder);
    den_emit_rule_start(builder, rule, den_emit_conjunction(array->compiler, &item, DEN_NODE_END));
    if (written == 0) { /* the first has no comma */
        uint32_t others = den_emit_rule(builder);

        den_emit_rule_start(builder, others,
                            emit_comma(array, den_emit_call(builder, rule, DEN_NODE_END)));
        more = den_emit_repeat(builder, others, least > 0 ? least - 1 : 0,
                               most == DEN_GRAMMAR_FOREVER ? most : most - 1, close);
        first = den_emit_blank(builder, den_emit_call(builder, rule, more));
        return least == 0 ? den_emit_either(builder, first, close) : first;
    }
    more = den_emit_rule(builder);
    den_emit_rule_start(builder, more,
                        emit_comma(array, den_emit_call(builder, rule, DEN_NODE_END)));
    return den_emit_repeat(builder, more, least, most, close);
}

/* --- unique items --- */

static const json_t *enumerated(const struct den_conjunction *conjunction)
{
    const json_t *values = NULL;
    size_t i;

    for (i = 0; i < conjunction->count && !values; i++)
        values = json_object_get(conjunction->items[i].schema, "enum");
    return json_is_array(values) ? values : NULL;
}

static bool wants_unique(const struct array *array)
{
    size_t i;

    for (i = 0; i < array->conjunction->count; i++)
        if (json_is_true(json_object_get(array->conjunction->items[i].schema, "uniqueItems")))
            return array->maximum > 1;
    return false;
}

static bool fits(const struct array *array, const struct den_conjunction *item, const json_t *value)
{
    size_t i;

    for (i = 0; i < item->count; i++)
        if (!den_schema_accepts(array->compiler, item->items[i].schema, item->items[i].pointer,
                                value))
            return false;
    return true;
}

/* A subset of the enum's values, in their order: rows[c] is where c of them stand already. */
static uint32_t emit_subset(const struct array *array, const struct den_conjunction *item,
                            const json_t *values, uint32_t next)
{
    struct den_grammar_builder *builder = array->compiler->builder;
    size_t count = json_array_size(values), most = array->maximum, i, c;
    uint32_t close = emit_close(array, next), *rows;

    most = most > count ? count : most;
    rows = den_grammar_memory(builder, most + 2, sizeof *rows);
    for (c = 0; rows && c <= most; c++)
        rows[c] = c >= array->minimum ? close : DEN_NODE_DEAD;
    for (i = count; rows && i-- > 0 && !den_grammar_failed(builder);) {
        const json_t *value = json_array_get(values, i);

        if (!fits(array, item, value))
            continue;
        for (c = 0; c < most; c++) {
            uint32_t one = den_emit_constant(array->compiler, value, rows[c + 1]);

            one = c > 0 ? emit_comma(array, one) : den_emit_blank(builder, one);
            rows[c] = den_emit_either(builder, one, rows[c]);
        }
    }
    return rows ? den_emit_literal(builder, "[", 1, rows[0]) : DEN_NODE_DEAD;
}

/* The place of the schema that says uniqueItems. */
static const char *unique_place(const struct array *array)
{
    size_t i;

    for (i = 0; i + 1 < array->conjunction->count; i++)
        if (json_is_true(json_object_get(array->conjunction->items[i].schema, "uniqueItems")))
            break;
    return den_schema_place(array->compiler, array->conjunction->items[i].pointer, "uniqueItems");
}

uint32_t den_emit_array(struct den_schema_compiler *compiler,
                        const struct den_conjunction *conjunction, uint32_t next)
{
    struct den_grammar_builder *builder = compiler->builder;
    struct array array = { .compiler = compiler, .conjunction = conjunction };
    struct den_conjunction item;
    uint32_t node;
    size_t i;

    read_array(&array);
    if (array.minimum > array.maximum || den_grammar_failed(builder))
        return DEN_NODE_DEAD;
    if (wants_unique(&array)) {
        item_at(&array, 0, &item);
        if (array.prefix == 0 && enumerated(&item))
            return emit_subset(&array, &item, enumerated(&item), next);
        den_schema_refuse(compiler, DEN_UNSUPPORTED, unique_place(&array),
                          "items can be kept unique only where they are an enum");
    }
    if (array.prefix > array.maximum)
        array.prefix = array.maximum;
    node = emit_rest(&array, (uint32_t)array.prefix, next);
    for (i = array.prefix; i-- > 0 && !den_grammar_failed(builder);) {
        item_at(&array, i, &item);
        node = den_emit_conjunction(compiler, &item, node);
        node = i > 0 ? emit_comma(&array, node) : den_emit_blank(builder, node);
        if (i >= array.minimum)
            node = den_emit_either(builder, node, emit_close(&array, next));
    }
    return den_emit_literal(builder, "[", 1, node);
}
