/* Objects of JSON Schema: members in the order in which `properties` names them, optional ones
 * left out at will, then those that patternProperties or additionalProperties allow.
 *
 * Where a schema names properties and does not speak of additional ones, the standard allows any.
 * Here none are: a client that lists what it wants wants that, and a small model let loose among
 * names of its own never ends. Whoever wants more says additionalProperties.
 *
 * The members make a table of nodes: rows[c] is where c members stand already; counts past the last
 * that matters are one. Emitting goes from the last member to the first. */
#include <string.h>

#include "text/grammar_schema.h"

struct name {
    const char *text;
    bool required;
};

/* Members beyond the named ones: names of one kind and what they hold. */
struct extra {
    struct den_automaton *names; /* NULL: any */
    struct den_conjunction value;
};

enum { PATTERNS_MAX = 4, EXTRAS_MAX = 1 << PATTERNS_MAX };

struct object {
    struct den_schema_compiler *compiler;
    const struct den_conjunction *conjunction;
    uint32_t minimum, maximum;
    struct name *names;
    size_t name_count, name_capacity;
    struct extra extras[EXTRAS_MAX];
    size_t extra_count;
    uint32_t extra_rule; /* one more member, with its comma */
    uint32_t first_rule; /* the first member, without */
};

/* --- names --- */

static void add_name(struct object *object, const char *text, bool required)
{
    size_t i;

    for (i = 0; i < object->name_count; i++) {
        if (strcmp(object->names[i].text, text) != 0)
            continue;
        object->names[i].required |= required;
        return;
    }
    if (object->name_count < object->name_capacity)
        object->names[object->name_count++] = (struct name){ text, required };
}

static void read_names(struct object *object)
{
    const struct den_conjunction *conjunction = object->conjunction;
    size_t i, k;

    for (i = 0; i < conjunction->count; i++) {
        const json_t *schema = conjunction->items[i].schema;

        object->name_capacity += json_object_size(json_object_get(schema, "properties")) +
                                 json_array_size(json_object_get(schema, "required"));
    }
    object->names =
        den_grammar_memory(object->compiler->builder, object->name_capacity, sizeof *object->names);
    if (!object->names)
        return;
    for (i = 0; i < conjunction->count; i++) {
        const json_t *properties = json_object_get(conjunction->items[i].schema, "properties");
        const char *name;
        json_t *value;

        if (properties && !json_is_object(properties))
            den_schema_refuse(object->compiler, DEN_INVALID, conjunction->items[i].pointer,
                              "properties must be an object");
        json_object_foreach((json_t *)(uintptr_t)properties, name, value)
            add_name(object, name, false);
    }
    for (i = 0; i < conjunction->count; i++) {
        const json_t *required = json_object_get(conjunction->items[i].schema, "required");

        if (required && !json_is_array(required))
            den_schema_refuse(object->compiler, DEN_INVALID, conjunction->items[i].pointer,
                              "required must be an array");
        for (k = 0; k < json_array_size(required); k++) {
            const char *name = json_string_value(json_array_get(required, k));

            if (name)
                add_name(object, name, true);
            else
                den_schema_refuse(object->compiler, DEN_INVALID, conjunction->items[i].pointer,
                                  "required must be a list of names");
        }
    }
}

/* --- members that are not named --- */

struct pattern {
    size_t item; /* of the conjunction */
    const char *text;
    const json_t *schema;
    struct den_automaton *names, *others;
};

static size_t read_patterns(struct object *object, struct pattern *patterns)
{
    struct den_grammar_builder *builder = object->compiler->builder;
    size_t count = 0, i;

    for (i = 0; i < object->conjunction->count; i++) {
        const struct den_conjunct *item = &object->conjunction->items[i];
        const json_t *own = json_object_get(item->schema, "patternProperties");
        const char *text;
        json_t *schema;

        if (own && !json_is_object(own))
            den_schema_refuse(object->compiler, DEN_INVALID, item->pointer,
                              "patternProperties must be an object");
        json_object_foreach((json_t *)(uintptr_t)own, text, schema)
        {
            if (count == PATTERNS_MAX) {
                den_schema_refuse(
                    object->compiler, DEN_UNSUPPORTED,
                    den_schema_place(object->compiler, item->pointer, "patternProperties"),
                    "at most %d patterns are possible", PATTERNS_MAX);
                return count;
            }
            patterns[count] = (struct pattern){ i, text, schema, NULL, NULL };
            patterns[count].names = den_automaton_pattern(builder, text, strlen(text));
            if (den_grammar_failed(builder))
                den_fail_at(builder->err, "schema: %.200s/patternProperties", item->pointer);
            patterns[count].others = den_automaton_complement(builder, patterns[count].names);
            count++;
        }
    }
    return count;
}

/* The names that propertyNames allows; NULL: all. */
static struct den_automaton *allowed_names(struct object *object)
{
    struct den_grammar_builder *builder = object->compiler->builder;
    struct den_conjunction names = { 0 };
    struct den_automaton *automaton;
    uint32_t minimum, maximum;
    size_t i;

    for (i = 0; i < object->conjunction->count; i++) {
        const struct den_conjunct *item = &object->conjunction->items[i];
        const json_t *schema = json_object_get(item->schema, "propertyNames");

        if (schema)
            den_conjunction_add(object->compiler, &names, schema, item->pointer, "propertyNames");
    }
    if (names.count == 0)
        return NULL;
    for (i = 0; i < names.count; i++)
        if (json_object_get(names.items[i].schema, "anyOf") ||
            json_object_get(names.items[i].schema, "oneOf") ||
            json_object_get(names.items[i].schema, "enum") ||
            json_object_get(names.items[i].schema, "const"))
            den_schema_refuse(object->compiler, DEN_UNSUPPORTED, names.items[i].pointer,
                              "names can be held to pattern, format and length only");
    automaton = den_schema_string(object->compiler, &names, false, &minimum, &maximum);
    return automaton || den_grammar_failed(builder)
               ? automaton
               : den_automaton_length(builder, minimum,
                                      maximum > DEN_GRAMMAR_UNROLL_MAX ? DEN_GRAMMAR_FOREVER
                                                                       : maximum);
}

/* Any name but the named ones, or NULL where nothing is named. */
static struct den_automaton *unnamed(struct object *object)
{
    struct den_grammar_builder *builder = object->compiler->builder;
    const char **words = den_grammar_memory(builder, object->name_count, sizeof *words);
    size_t i;

    if (!words || object->name_count == 0)
        return NULL;
    for (i = 0; i < object->name_count; i++)
        words[i] = object->names[i].text;
    return den_automaton_complement(builder,
                                    den_automaton_words(builder, words, object->name_count));
}

static struct den_automaton *join(struct object *object, struct den_automaton *a,
                                  struct den_automaton *b)
{
    if (!a || !b)
        return a ? a : b;
    return den_automaton_intersect(object->compiler->builder, a, b);
}

/* Whether members that match no pattern may come. */
static bool is_open(const struct object *object)
{
    bool told = false, silent = true;
    size_t i;

    for (i = 0; i < object->conjunction->count; i++) {
        const json_t *schema = object->conjunction->items[i].schema;
        const json_t *additional = json_object_get(schema, "additionalProperties");

        if (json_is_false(additional) ||
            json_is_false(json_object_get(schema, "unevaluatedProperties")))
            return false;
        told |= additional != NULL;
        silent &=
            !json_object_get(schema, "properties") && !json_object_get(schema, "patternProperties");
    }
    return told || silent;
}

/* Names that match exactly the patterns of `matching` (bits), and what those members hold. */
static void add_extra(struct object *object, const struct pattern *patterns, size_t count,
                      unsigned matching, struct den_automaton *names)
{
    struct extra extra = { .names = names };
    size_t i, k;

    for (k = 0; k < count; k++) {
        bool matches = matching >> k & 1;
        const char *pointer = object->conjunction->items[patterns[k].item].pointer;

        extra.names = join(object, extra.names, matches ? patterns[k].names : patterns[k].others);
        if (matches)
            den_conjunction_add(object->compiler, &extra.value, patterns[k].schema,
                                den_schema_place(object->compiler, pointer, "patternProperties"),
                                patterns[k].text);
    }
    for (i = 0; i < object->conjunction->count; i++) {
        const struct den_conjunct *item = &object->conjunction->items[i];
        const json_t *additional = json_object_get(item->schema, "additionalProperties");
        bool own = false;

        for (k = 0; k < count; k++)
            own |= patterns[k].item == i && (matching >> k & 1);
        if (additional && !own)
            den_conjunction_add(object->compiler, &extra.value, additional, item->pointer,
                                "additionalProperties");
    }
    if (!extra.value.impossible)
        object->extras[object->extra_count++] = extra;
}

static void read_extras(struct object *object)
{
    struct pattern patterns[PATTERNS_MAX];
    size_t count = read_patterns(object, patterns);
    bool open = is_open(object);
    struct den_automaton *names;
    unsigned matching;

    if ((count == 0 && !open) || den_grammar_failed(object->compiler->builder))
        return;
    names = join(object, unnamed(object), allowed_names(object));
    for (matching = open ? 0 : 1; matching < 1u << count; matching++)
        add_extra(object, patterns, count, matching, names);
}

/* --- emitting --- */

static uint32_t emit_after_name(struct object *object, const struct den_conjunction *value,
                                uint32_t next)
{
    struct den_grammar_builder *builder = object->compiler->builder;

    next = den_emit_conjunction(object->compiler, value, next);
    return den_emit_literal(builder, ":", 1, den_emit_space(builder, next));
}

static uint32_t emit_extra(struct object *object, const struct extra *extra)
{
    struct den_grammar_builder *builder = object->compiler->builder;
    uint32_t next = emit_after_name(object, &extra->value, DEN_NODE_END);

    next = den_emit_literal(builder, "\"", 1, next);
    if (extra->names)
        next = den_emit_automaton(builder, extra->names, DEN_ENCODING_JSON, next);
    else
        next = den_emit_repeat(builder, den_emit_character_rule(builder), 0, DEN_GRAMMAR_FOREVER,
                               next);
    return den_emit_literal(builder, "\"", 1, next);
}

static uint32_t emit_comma(struct object *object, uint32_t next)
{
    struct den_grammar_builder *builder = object->compiler->builder;

    return den_emit_literal(builder, ",", 1, den_emit_blank(builder, next));
}

static void make_extra_rules(struct object *object)
{
    struct den_grammar_builder *builder = object->compiler->builder;
    uint32_t choices[EXTRAS_MAX], any;
    size_t i;

    if (object->extra_count == 0)
        return;
    for (i = 0; i < object->extra_count; i++)
        choices[i] = emit_extra(object, &object->extras[i]);
    any = den_emit_choice(builder, choices, object->extra_count);
    object->first_rule = den_emit_rule(builder);
    den_emit_rule_start(builder, object->first_rule, any);
    object->extra_rule = den_emit_rule(builder);
    den_emit_rule_start(
        builder, object->extra_rule,
        emit_comma(object, den_emit_call(builder, object->first_rule, DEN_NODE_END)));
}

/* After the named members, of which `written` stand: extra ones and the brace. */
static uint32_t emit_tail(struct object *object, uint32_t written, uint32_t close)
{
    struct den_grammar_builder *builder = object->compiler->builder;
    uint32_t least = object->minimum > written ? object->minimum - written : 0;
    uint32_t most =
        object->maximum == DEN_GRAMMAR_FOREVER ? DEN_GRAMMAR_FOREVER : object->maximum - written;
    uint32_t node;

    if (object->maximum < written || (object->extra_count == 0 && least > 0))
        return DEN_NODE_DEAD;
    if (object->extra_count == 0 || most == 0)
        return close;
    if (written > 0)
        return den_emit_repeat(builder, object->extra_rule, least, most, close);
    node = den_emit_repeat(builder, object->extra_rule, least > 0 ? least - 1 : 0,
                           most == DEN_GRAMMAR_FOREVER ? most : most - 1, close);
    node = den_emit_blank(builder, den_emit_call(builder, object->first_rule, node));
    return least == 0 ? den_emit_either(builder, node, close) : node;
}

/* Puts the member `name` in front of every row. */
static void emit_member(struct object *object, const struct name *name, uint32_t *rows,
                        uint32_t last)
{
    struct den_grammar_builder *builder = object->compiler->builder;
    struct den_conjunction value;
    bool possible = den_schema_member(object->compiler, object->conjunction, name->text, &value);
    json_t *text = json_string(name->text);
    uint32_t rule = 0, member = DEN_NODE_DEAD, target = DEN_NODE_DEAD, c;

    if (possible && last > 1) { /* many rows share one copy */
        rule = den_emit_rule(builder);
        den_emit_rule_start(builder, rule,
                            den_emit_constant(object->compiler, text,
                                              emit_after_name(object, &value, DEN_NODE_END)));
    }
    for (c = 0; c <= last; c++) {
        uint32_t to = c < last || object->maximum == DEN_GRAMMAR_FOREVER
                          ? rows[c < last ? c + 1 : c]
                          : DEN_NODE_DEAD;
        uint32_t node = DEN_NODE_DEAD;

        if (possible && to != DEN_NODE_DEAD) {
            if (rule != 0)
                member = den_emit_call(builder, rule, to);
            else if (to != target)
                member =
                    den_emit_constant(object->compiler, text, emit_after_name(object, &value, to));
            target = to;
            node = c > 0 ? emit_comma(object, member) : den_emit_blank(builder, member);
        }
        rows[c] = name->required ? node : den_emit_either(builder, node, rows[c]);
    }
    json_decref(text);
}

uint32_t den_emit_object(struct den_schema_compiler *compiler,
                         const struct den_conjunction *conjunction, uint32_t next)
{
    static const char *const keys[2] = { "minProperties", "maxProperties" };
    struct object object = { .compiler = compiler, .conjunction = conjunction };
    struct den_grammar_builder *builder = compiler->builder;
    uint32_t *rows, close, last, c;
    size_t i;

    den_schema_limits(compiler, conjunction, keys, &object.minimum, &object.maximum);
    read_names(&object);
    read_extras(&object);
    if (den_grammar_failed(builder) || object.minimum > object.maximum)
        return DEN_NODE_DEAD;
    make_extra_rules(&object);
    last = object.maximum == DEN_GRAMMAR_FOREVER ? object.minimum : object.maximum;
    last = last > object.name_count ? (uint32_t)object.name_count : last;
    last = last == 0 && object.maximum > 0 ? 1 : last;
    if (object.maximum != DEN_GRAMMAR_FOREVER && object.maximum > object.name_count) {
        last = (uint32_t)object.name_count + (object.name_count == 0); /* never passed by names */
    }
    rows = den_grammar_memory(builder, (size_t)last + 1, sizeof *rows);
    close = den_emit_blank(builder, den_emit_literal(builder, "}", 1, next));
    for (c = 0; rows && c <= last; c++)
        rows[c] = emit_tail(&object, c, close);
    for (i = object.name_count; rows && i-- > 0 && !den_grammar_failed(builder);)
        emit_member(&object, &object.names[i], rows, last);
    return rows ? den_emit_literal(builder, "{", 1, rows[0]) : DEN_NODE_DEAD;
}
