/* JSON Schema to grammar: see grammar_schema.h for how schemas are taken apart.
 *
 * A value is emitted in place; what a $ref led to becomes a rule, one for each distinct
 * conjunction, so that a schema may contain itself. anyOf and oneOf branch: each branch joins the
 * conjunction and the walk goes on. What can't be (an empty enum, a required member that is false)
 * is a DEAD node, which nothing ever enters; if that reaches the root the whole is refused. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "text/grammar_schema.h"

struct den_schema_rule {
    const struct den_conjunct *items; /* sorted by address */
    size_t count;
    uint32_t rule;
    struct den_schema_rule *next;
};

/* --- blanks, constants, any value --- */

uint32_t den_emit_space(struct den_grammar_builder *builder, uint32_t next)
{
    return den_emit_either(builder, next, den_emit_literal(builder, " ", 1, next));
}

uint32_t den_emit_blank(struct den_grammar_builder *builder, uint32_t next)
{
    enum { INDENT_MAX = 16 };
    uint32_t choices[3] = { next };

    if (builder->space_rule == 0) {
        builder->space_rule = den_emit_rule(builder);
        den_emit_rule_start(builder, builder->space_rule,
                            den_emit_literal(builder, " ", 1, DEN_NODE_END));
    }
    choices[1] = den_emit_literal(builder, " ", 1, next);
    choices[2] = den_emit_literal(
        builder, "\n", 1, den_emit_repeat(builder, builder->space_rule, 0, INDENT_MAX, next));
    return den_emit_choice(builder, choices, 3);
}

uint32_t den_emit_constant(struct den_schema_compiler *compiler, const json_t *value, uint32_t next)
{
    char *text = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);

    if (!text) {
        den_schema_refuse(compiler, DEN_INVALID, "#", "a constant that can't be written");
        return DEN_NODE_DEAD;
    }
    next = den_emit_literal(compiler->builder, text, strlen(text), next);
    free(text);
    return next;
}

static uint32_t emit_any_string(struct den_grammar_builder *builder, uint32_t next)
{
    next = den_emit_literal(builder, "\"", 1, next);
    next = den_emit_repeat(builder, den_emit_character_rule(builder), 0, DEN_GRAMMAR_FOREVER, next);
    return den_emit_literal(builder, "\"", 1, next);
}

/* `open` blank [item {"," blank item}] blank `close`; the item is what `make` emits. */
static uint32_t emit_list(struct den_grammar_builder *builder, const char *ends,
                          uint32_t (*make)(struct den_grammar_builder *, uint32_t), uint32_t next)
{
    uint32_t again = den_emit_reserve(builder);
    uint32_t close = den_emit_blank(builder, den_emit_literal(builder, ends + 1, 1, next));
    uint32_t item = make(builder, again);
    uint32_t choices[2] = { den_emit_literal(builder, ",", 1, den_emit_blank(builder, item)),
                            close };

    den_emit_fill_choice(builder, again, choices, 2);
    return den_emit_literal(builder, ends, 1,
                            den_emit_either(builder, den_emit_blank(builder, item), close));
}

static uint32_t make_member(struct den_grammar_builder *builder, uint32_t next)
{
    uint32_t value = den_emit_space(builder, den_emit_value(builder, next));

    return emit_any_string(builder, den_emit_literal(builder, ":", 1, value));
}

static uint32_t emit_any_number(struct den_grammar_builder *builder, bool integer, uint32_t next)
{
    static const char *const patterns[] = {
        "^-?(0|[1-9][0-9]{0,14})(\\.[0-9]{1,15})?([eE][+-]?[0-9]{1,2})?$",
        "^(0|-?[1-9][0-9]{0,17})$"
    };
    uint32_t *rule = integer ? &builder->integer_rule : &builder->number_rule;
    const char *pattern = patterns[integer];

    if (*rule == 0) {
        struct den_automaton *automaton = den_automaton_pattern(builder, pattern, strlen(pattern));

        *rule = den_emit_rule(builder);
        den_emit_rule_start(
            builder, *rule,
            den_emit_automaton(builder, automaton, DEN_ENCODING_UTF8, DEN_NODE_END));
    }
    return den_emit_call(builder, *rule, next);
}

uint32_t den_emit_value(struct den_grammar_builder *builder, uint32_t next)
{
    uint32_t choices[7];

    if (builder->value_rule == 0 && !den_grammar_failed(builder)) {
        builder->value_rule = den_emit_rule(builder);
        choices[0] = emit_list(builder, "{}", make_member, DEN_NODE_END);
        choices[1] = emit_list(builder, "[]", den_emit_value, DEN_NODE_END);
        choices[2] = emit_any_string(builder, DEN_NODE_END);
        choices[3] = emit_any_number(builder, false, DEN_NODE_END);
        choices[4] = den_emit_literal(builder, "true", 4, DEN_NODE_END);
        choices[5] = den_emit_literal(builder, "false", 5, DEN_NODE_END);
        choices[6] = den_emit_literal(builder, "null", 4, DEN_NODE_END);
        den_emit_rule_start(builder, builder->value_rule, den_emit_choice(builder, choices, 7));
    }
    return den_emit_call(builder, builder->value_rule, next);
}

/* --- strings and numbers --- */

/* Formats of which all that validators take is what is generated. */
static bool is_exact(const char *format)
{
    static const char *const exact[] = { "date", "time",  "date-time", "uuid",
                                         "ipv4", "email", "duration" };
    size_t i;

    for (i = 0; i < sizeof exact / sizeof exact[0]; i++)
        if (strcmp(exact[i], format) == 0)
            return true;
    return false;
}

static struct den_automaton *join(struct den_schema_compiler *compiler, struct den_automaton *a,
                                  struct den_automaton *b)
{
    if (!a || !b)
        return a ? a : b;
    return den_automaton_intersect(compiler->builder, a, b);
}

struct den_automaton *den_schema_string(struct den_schema_compiler *compiler,
                                        const struct den_conjunction *conjunction, bool sure,
                                        uint32_t *minimum, uint32_t *maximum)
{
    static const char *const keys[2] = { "minLength", "maxLength" };
    struct den_grammar_builder *builder = compiler->builder;
    struct den_automaton *automaton = NULL;
    uint32_t most;
    size_t i;

    den_schema_limits(compiler, conjunction, keys, minimum, maximum);
    for (i = 0; i < conjunction->count && !den_grammar_failed(builder); i++) {
        const struct den_conjunct *item = &conjunction->items[i];
        const json_t *pattern = json_object_get(item->schema, "pattern");
        const json_t *format = json_object_get(item->schema, "format");

        if ((pattern && !json_is_string(pattern)) || (format && !json_is_string(format))) {
            den_schema_refuse(compiler, DEN_INVALID, item->pointer,
                              "pattern and format must be strings");
            continue;
        }
        if (pattern)
            automaton = join(compiler, automaton,
                             den_automaton_pattern(builder, json_string_value(pattern),
                                                   json_string_length(pattern)));
        if (den_grammar_failed(builder))
            den_fail_at(builder->err, "schema: %.200s/pattern", item->pointer);
        else if (format && (!sure || is_exact(json_string_value(format))))
            automaton =
                join(compiler, automaton, den_automaton_format(builder, json_string_value(format)));
    }
    if (!automaton || (*minimum == 0 && *maximum == DEN_GRAMMAR_FOREVER))
        return automaton;
    /* a length is unrolled here; one that would be too long to unroll is cut, which is safe */
    most = DEN_GRAMMAR_STATES_MAX / 2 / (automaton->state_count + 1);
    if (*maximum != DEN_GRAMMAR_FOREVER && *maximum > most && *minimum < most)
        *maximum = most;
    return den_automaton_intersect(builder, automaton,
                                   den_automaton_length(builder, *minimum, *maximum));
}

uint32_t den_emit_string(struct den_schema_compiler *compiler,
                         const struct den_conjunction *conjunction, uint32_t next)
{
    struct den_grammar_builder *builder = compiler->builder;
    uint32_t minimum, maximum;
    struct den_automaton *automaton =
        den_schema_string(compiler, conjunction, false, &minimum, &maximum);

    if (minimum > maximum)
        return DEN_NODE_DEAD;
    next = den_emit_literal(builder, "\"", 1, next);
    if (automaton)
        next = den_emit_automaton(builder, automaton, DEN_ENCODING_JSON, next);
    else
        next = den_emit_repeat(builder, den_emit_character_rule(builder), minimum, maximum, next);
    return den_emit_literal(builder, "\"", 1, next);
}

/* Takes one keyword's bound into `bounds` where it is tighter. */
static void read_bound(struct den_schema_compiler *compiler, const struct den_conjunct *item,
                       int which, struct den_number_bounds *bounds)
{
    static const char *const keys[] = { "minimum", "exclusiveMinimum", "maximum",
                                        "exclusiveMaximum" };
    const json_t *value = json_object_get(item->schema, keys[which]);
    bool upper = which >= 2, excluded = which & 1;
    double bound = json_number_value(value);

    if (!value || (excluded && json_is_boolean(value)))
        return; /* a boolean is draft 4's way; see below */
    if (!json_is_number(value)) {
        den_schema_refuse(compiler, DEN_INVALID,
                          den_schema_place(compiler, item->pointer, keys[which]),
                          "it must be a number");
        return;
    }
    excluded |= json_is_true(json_object_get(item->schema, keys[which | 1]));
    if (upper && (!bounds->has_maximum || bound < bounds->maximum ||
                  (bound <= bounds->maximum && excluded))) {
        bounds->has_maximum = true;
        bounds->maximum = bound;
        bounds->maximum_excluded = excluded;
        bounds->maximum_is_integer = json_is_integer(value);
        bounds->maximum_integer = json_integer_value(value);
    } else if (!upper && (!bounds->has_minimum || bound > bounds->minimum ||
                          (bound >= bounds->minimum && excluded))) {
        bounds->has_minimum = true;
        bounds->minimum = bound;
        bounds->minimum_excluded = excluded;
        bounds->minimum_is_integer = json_is_integer(value);
        bounds->minimum_integer = json_integer_value(value);
    }
}

uint32_t den_emit_number(struct den_schema_compiler *compiler,
                         const struct den_conjunction *conjunction, bool integer, uint32_t next)
{
    struct den_number_bounds bounds = { .integer = integer };
    struct den_grammar_builder *builder = compiler->builder;
    struct den_automaton *automaton = NULL;
    size_t i;
    int which;

    for (i = 0; i < conjunction->count; i++)
        for (which = 0; which < 4; which++)
            read_bound(compiler, &conjunction->items[i], which, &bounds);
    for (i = 0; i < conjunction->count && !den_grammar_failed(builder); i++) {
        const struct den_conjunct *item = &conjunction->items[i];
        const json_t *factor = json_object_get(item->schema, "multipleOf");

        if (factor && !(json_is_number(factor) && json_number_value(factor) > 0))
            den_schema_refuse(compiler, DEN_INVALID,
                              den_schema_place(compiler, item->pointer, "multipleOf"),
                              "it must be a number above 0");
        else if (factor)
            automaton = join(compiler, automaton,
                             den_automaton_multiple(builder, json_number_value(factor)));
        if (factor && den_grammar_failed(builder))
            den_fail_at(builder->err, "schema: %.200s/multipleOf", item->pointer);
    }
    if (!automaton && !bounds.has_minimum && !bounds.has_maximum)
        return emit_any_number(builder, integer, next);
    automaton = join(compiler, automaton, den_automaton_number(builder, &bounds));
    return den_emit_automaton(builder, automaton, DEN_ENCODING_UTF8, next);
}

/* --- enum and const --- */

static bool fits_all(struct den_schema_compiler *compiler,
                     const struct den_conjunction *conjunction, const json_t *value)
{
    size_t i;

    for (i = 0; i < conjunction->count; i++)
        if (!den_schema_accepts(compiler, conjunction->items[i].schema,
                                conjunction->items[i].pointer, value))
            return false;
    return true;
}

/* False where neither enum nor const is among them. */
static bool emit_enumerated(struct den_schema_compiler *compiler,
                            const struct den_conjunction *conjunction, uint32_t next,
                            uint32_t *out_node)
{
    const json_t *values = NULL, *constant = NULL;
    uint32_t *choices;
    size_t i, count = 0;

    for (i = 0; i < conjunction->count && !values && !constant; i++) {
        const struct den_conjunct *item = &conjunction->items[i];

        constant = json_object_get(item->schema, "const");
        values = json_object_get(item->schema, "enum");
        if (values && !json_is_array(values))
            den_schema_refuse(compiler, DEN_INVALID,
                              den_schema_place(compiler, item->pointer, "enum"),
                              "it must be an array");
    }
    if (!values && !constant)
        return false;
    choices = den_grammar_memory(compiler->builder, json_array_size(values) + 2, sizeof *choices);
    for (i = 0; choices && i < (constant ? 1 : json_array_size(values)); i++) {
        const json_t *value = constant ? constant : json_array_get(values, i);

        if (fits_all(compiler, conjunction, value))
            choices[count++] = den_emit_constant(compiler, value, next);
    }
    *out_node = choices ? den_emit_choice(compiler->builder, choices, count) : DEN_NODE_DEAD;
    return true;
}

/* --- branches --- */

static uint32_t emit_settled(struct den_schema_compiler *compiler,
                             const struct den_conjunction *conjunction, uint32_t next)
{
    struct den_grammar_builder *builder = compiler->builder;
    unsigned types = den_schema_types(compiler, conjunction);
    uint32_t choices[8], node;
    size_t count = 0;

    if (conjunction->impossible || den_grammar_failed(builder))
        return DEN_NODE_DEAD;
    if (conjunction->count == 0)
        return den_emit_value(builder, next);
    if (emit_enumerated(compiler, conjunction, next, &node))
        return node;
    if (types & DEN_SCHEMA_OBJECT)
        choices[count++] = den_emit_object(compiler, conjunction, next);
    if (types & DEN_SCHEMA_ARRAY)
        choices[count++] = den_emit_array(compiler, conjunction, next);
    if (types & DEN_SCHEMA_STRING)
        choices[count++] = den_emit_string(compiler, conjunction, next);
    if (types & DEN_SCHEMA_INTEGER)
        choices[count++] =
            den_emit_number(compiler, conjunction, !(types & DEN_SCHEMA_NUMBER), next);
    if (types & DEN_SCHEMA_BOOLEAN) {
        choices[count++] = den_emit_literal(builder, "true", 4, next);
        choices[count++] = den_emit_literal(builder, "false", 5, next);
    }
    if (types & DEN_SCHEMA_NULL)
        choices[count++] = den_emit_literal(builder, "null", 4, next);
    return den_emit_choice(builder, choices, count);
}

/* The conjunction with a branch of item `index`'s anyOf or oneOf chosen. */
static void choose(struct den_schema_compiler *compiler, const struct den_conjunction *conjunction,
                   size_t index, size_t branch, struct den_conjunction *out)
{
    const struct den_conjunct *item = &conjunction->items[index];
    const char *key =
        !item->any_chosen && json_object_get(item->schema, "anyOf") ? "anyOf" : "oneOf";
    char name[24];

    den_conjunction_copy(compiler, out, conjunction);
    if (den_grammar_failed(compiler->builder))
        return;
    if (key[0] == 'a')
        out->items[index].any_chosen = true;
    else
        out->items[index].one_chosen = true;
    snprintf(name, sizeof name, "%zu", branch);
    den_conjunction_add(compiler, out, json_array_get(json_object_get(item->schema, key), branch),
                        den_schema_place(compiler, item->pointer, key), name);
}

/* Keeps what `own` generates out of `other`, another branch of the same oneOf: where that requires
 * a member that `own` doesn't, `own` goes without it. */
static bool keep_out(struct den_schema_compiler *compiler, struct den_conjunction *own,
                     const struct den_conjunction *other)
{
    unsigned both = den_schema_types(compiler, own) & den_schema_named_types(compiler, other);
    size_t i, k;

    if (den_schema_distinct(compiler, own, other, 0))
        return true;
    if (both != DEN_SCHEMA_OBJECT)
        return false;
    for (i = 0; i < other->count; i++) {
        const json_t *required = json_object_get(other->items[i].schema, "required");

        for (k = 0; k < json_array_size(required); k++) {
            const char *name = json_string_value(json_array_get(required, k));

            if (!name || den_schema_requires(own, name))
                continue;
            den_conjunction_add(
                compiler, own,
                den_schema_own(compiler, json_pack("{s: {s: b}}", "properties", name, 0)),
                other->items[i].pointer, NULL);
            return true;
        }
    }
    return false;
}

static void separate(struct den_schema_compiler *compiler,
                     const struct den_conjunction *conjunction, size_t index, size_t branch,
                     struct den_conjunction *own)
{
    const struct den_conjunct *item = &conjunction->items[index];
    size_t count = json_array_size(json_object_get(item->schema, "oneOf")), i;

    for (i = 0; i < count && !den_grammar_failed(compiler->builder); i++) {
        struct den_conjunction other;

        if (i == branch)
            continue;
        choose(compiler, conjunction, index, i, &other);
        if (!keep_out(compiler, own, &other))
            den_schema_refuse(compiler, DEN_UNSUPPORTED,
                              den_schema_place(compiler, item->pointer, "oneOf"),
                              "branches %zu and %zu can't be told apart, so a value could fit "
                              "both; use anyOf, or a constant member that differs",
                              branch, i);
    }
}

static uint32_t emit_branches(struct den_schema_compiler *compiler,
                              const struct den_conjunction *conjunction, size_t index,
                              uint32_t next)
{
    const struct den_conjunct *item = &conjunction->items[index];
    bool any = !item->any_chosen && json_object_get(item->schema, "anyOf");
    const json_t *branches = json_object_get(item->schema, any ? "anyOf" : "oneOf");
    size_t count = json_array_size(branches), i;
    uint32_t *choices = den_grammar_memory(compiler->builder, count, sizeof *choices);

    if (count == 0)
        den_schema_refuse(compiler, DEN_INVALID,
                          den_schema_place(compiler, item->pointer, any ? "anyOf" : "oneOf"),
                          "it must be an array with a schema in it");
    compiler->branches += (unsigned)count;
    if (compiler->branches > DEN_GRAMMAR_BRANCHES_MAX * 16)
        den_schema_refuse(compiler, DEN_TOO_LARGE, item->pointer,
                          "anyOf and oneOf combine to too many branches");
    for (i = 0; i < count && !den_grammar_failed(compiler->builder); i++) {
        struct den_conjunction branch;

        choose(compiler, conjunction, index, i, &branch);
        if (!any)
            separate(compiler, conjunction, index, i, &branch);
        choices[i] = den_emit_conjunction(compiler, &branch, next);
    }
    return den_grammar_failed(compiler->builder)
               ? DEN_NODE_DEAD
               : den_emit_choice(compiler->builder, choices, count);
}

static uint32_t emit_in_place(struct den_schema_compiler *compiler,
                              const struct den_conjunction *conjunction, uint32_t next)
{
    size_t i;

    for (i = 0; i < conjunction->count; i++) {
        const struct den_conjunct *item = &conjunction->items[i];

        if ((!item->any_chosen && json_object_get(item->schema, "anyOf")) ||
            (!item->one_chosen && json_object_get(item->schema, "oneOf")))
            return emit_branches(compiler, conjunction, i, next);
    }
    return emit_settled(compiler, conjunction, next);
}

/* --- rules --- */

static int compare_conjuncts(const void *a, const void *b)
{
    const struct den_conjunct *x = a, *y = b;
    uintptr_t p = (uintptr_t)x->schema, q = (uintptr_t)y->schema;

    return (p > q) - (p < q);
}

static bool is_same(const struct den_schema_rule *rule, const struct den_conjunction *conjunction)
{
    size_t i;

    if (rule->count != conjunction->count)
        return false;
    for (i = 0; i < rule->count; i++)
        if (rule->items[i].schema != conjunction->items[i].schema ||
            rule->items[i].any_chosen != conjunction->items[i].any_chosen ||
            rule->items[i].one_chosen != conjunction->items[i].one_chosen)
            return false;
    return true;
}

static uint32_t emit_as_rule(struct den_schema_compiler *compiler,
                             const struct den_conjunction *conjunction, uint32_t next)
{
    struct den_schema_rule *rule;
    struct den_conjunction sorted;

    den_conjunction_copy(compiler, &sorted, conjunction);
    if (den_grammar_failed(compiler->builder))
        return DEN_NODE_DEAD;
    qsort(sorted.items, sorted.count, sizeof *sorted.items, compare_conjuncts);
    for (rule = compiler->rules; rule; rule = rule->next)
        if (is_same(rule, &sorted))
            return den_emit_call(compiler->builder, rule->rule, next);
    rule = den_grammar_memory(compiler->builder, 1, sizeof *rule);
    if (!rule)
        return DEN_NODE_DEAD;
    rule->items = sorted.items;
    rule->count = sorted.count;
    rule->rule = den_emit_rule(compiler->builder);
    rule->next = compiler->rules;
    compiler->rules = rule;
    den_emit_rule_start(compiler->builder, rule->rule,
                        emit_in_place(compiler, conjunction, DEN_NODE_END));
    return den_emit_call(compiler->builder, rule->rule, next);
}

uint32_t den_emit_conjunction(struct den_schema_compiler *compiler,
                              const struct den_conjunction *conjunction, uint32_t next)
{
    uint32_t node = DEN_NODE_DEAD;

    if (den_grammar_failed(compiler->builder) || conjunction->impossible)
        return DEN_NODE_DEAD;
    if (++compiler->depth > DEN_GRAMMAR_DEPTH_MAX * 2)
        den_schema_refuse(compiler, DEN_TOO_LARGE,
                          conjunction->count ? conjunction->items[0].pointer : "#",
                          "schemas are nested too deep");
    else if (conjunction->referred)
        node = emit_as_rule(compiler, conjunction, next);
    else
        node = emit_in_place(compiler, conjunction, next);
    compiler->depth--;
    return node;
}

uint32_t den_emit_schema_at(struct den_schema_compiler *compiler, const json_t *schema,
                            const char *pointer, const char *name, uint32_t next)
{
    struct den_conjunction conjunction = { 0 };

    den_conjunction_add(compiler, &conjunction, schema, pointer, name);
    return den_emit_conjunction(compiler, &conjunction, next);
}

uint32_t den_emit_schema(struct den_grammar_builder *builder, const json_t *schema, uint32_t next)
{
    struct den_schema_compiler compiler = { .builder = builder, .root = schema };
    bool literal = builder->literal;
    uint32_t node;

    builder->literal = false;
    node = den_emit_schema_at(&compiler, schema, "#", NULL, next);
    builder->literal = literal;
    den_schema_forget(&compiler);
    return node;
}

enum den_status den_grammar_from_schema(const json_t *schema, struct den_grammar **out,
                                        struct den_error *err)
{
    struct den_grammar_builder builder;

    if (den_grammar_builder_init(&builder, err) == DEN_OK) {
        den_emit_rule_start(&builder, 0, den_emit_schema(&builder, schema, DEN_NODE_END));
        den_grammar_builder_finish(&builder, NULL, 0, out);
    }
    den_grammar_builder_deinit(&builder);
    return err->status;
}
