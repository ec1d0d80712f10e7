/* GBNF, llama.cpp's notation for grammars:
 *
 *   root  ::= "[" item ("," item)* "]"     # a comment
 *   item  ::= [0-9]+ | "x"{2,3} | [^a-z] | . | @0
 *
 * A rule goes on until the next "name ::="; literals and classes know the escapes \n \r \t \\ \" \[
 * \] \xHH \uHHHH \UHHHHHHHH. "@N" is a JSON value valid against schema N. Rules are parsed to trees
 * first, since the grammar is built from the back. */
#include <stdio.h>
#include <string.h>

#include "base/utf8.h"
#include "text/grammar_characters.h"

enum kind { SEQUENCE, ALTERNATIVES, TEXT, CLASS, REFERENCE, HOLE, REPETITION };

struct tree {
    enum kind kind;
    const char *text; /* TEXT */
    size_t length;
    struct den_characters set;
    uint32_t number;    /* of the rule or hole */
    struct tree *first; /* of the list below */
    struct tree *next;  /* in the list above */
    uint32_t minimum, maximum;
};

struct rule {
    const char *name;
    struct tree *body; /* NULL: not defined (yet) */
    uint32_t number;   /* in the grammar */
};

struct parser {
    struct den_grammar_builder *builder;
    const char *start, *at, *end;
    struct rule *rules;
    size_t rule_count, rule_capacity;
    size_t hole_count;
    unsigned depth;
};

static struct tree *parse_alternatives(struct parser *parser);

static void refuse(struct parser *parser, const char *what)
{
    size_t line = 1;
    const char *at;

    for (at = parser->start; at < parser->at && at < parser->end; at++)
        line += *at == '\n';
    if (!den_grammar_failed(parser->builder))
        den_fail(parser->builder->err, DEN_INVALID, "grammar: line %zu: %s", line, what);
}

static bool more(const struct parser *parser)
{
    return parser->at < parser->end && !den_grammar_failed(parser->builder);
}

static bool take(struct parser *parser, char c)
{
    if (parser->at >= parser->end || *parser->at != c)
        return false;
    parser->at++;
    return true;
}

static void skip_blank(struct parser *parser)
{
    while (parser->at < parser->end) {
        if (*parser->at == '#')
            while (parser->at < parser->end && *parser->at != '\n')
                parser->at++;
        else if (strchr(" \t\r\n", *parser->at) && *parser->at)
            parser->at++;
        else
            return;
    }
}

static bool is_name(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_';
}

static size_t name_length(const struct parser *parser)
{
    size_t length = 0;

    while (parser->at + length < parser->end && is_name(parser->at[length]))
        length++;
    return length;
}

/* Whether "name ::=" comes next. */
static bool at_rule(const struct parser *parser)
{
    struct parser ahead = *parser;

    ahead.at += name_length(parser);
    if (ahead.at == parser->at)
        return false;
    skip_blank(&ahead);
    return ahead.end - ahead.at >= 3 && memcmp(ahead.at, "::=", 3) == 0;
}

static struct tree *make(struct parser *parser, enum kind kind)
{
    static const struct tree nothing = { .kind = SEQUENCE };
    struct tree *tree = den_grammar_memory(parser->builder, 1, sizeof *tree);

    if (tree)
        tree->kind = kind;
    return tree ? tree : (struct tree *)(uintptr_t)&nothing; /* read only after a failure */
}

/* The rule called `length` bytes of `name`, made when it is first met. */
static struct rule *find_rule(struct parser *parser, const char *name, size_t length)
{
    struct rule *rule;
    size_t i;

    for (i = 0; i < parser->rule_count; i++)
        if (strlen(parser->rules[i].name) == length &&
            memcmp(parser->rules[i].name, name, length) == 0)
            return &parser->rules[i];
    if (parser->rule_count == parser->rule_capacity) {
        size_t capacity = parser->rule_capacity ? parser->rule_capacity * 2 : 16;
        struct rule *grown = den_grammar_memory(parser->builder, capacity, sizeof *grown);

        if (!grown)
            return NULL;
        if (parser->rule_count > 0)
            memcpy(grown, parser->rules, parser->rule_count * sizeof *grown);
        parser->rules = grown;
        parser->rule_capacity = capacity;
    }
    rule = &parser->rules[parser->rule_count];
    *rule = (struct rule){ .name = den_arena_text(parser->builder->arena, name, length) };
    if (!rule->name) {
        refuse(parser, "too many rules");
        return NULL;
    }
    rule->number = parser->rule_count == 0 ? 0 : den_emit_rule(parser->builder);
    parser->rule_count++;
    return rule;
}

/* --- characters --- */

static uint32_t parse_hex(struct parser *parser, int digits)
{
    uint32_t value = 0;

    for (; digits > 0; digits--, parser->at++) {
        static const char all[] = "0123456789abcdef";
        const char *digit =
            parser->at < parser->end && *parser->at ? strchr(all, *parser->at | 0x20) : NULL;

        if (!digit) {
            refuse(parser, "an escape lacks hexadecimal digits");
            return 0;
        }
        value = value * 16 + (uint32_t)(digit - all);
    }
    if (value > DEN_CHARACTER_MAX || (value >= 0xD800 && value < 0xE000)) {
        refuse(parser, "an escape that is not a code point");
        return 0;
    }
    return value;
}

static uint32_t parse_character(struct parser *parser)
{
    uint32_t code;
    char c;

    if (!take(parser, '\\')) {
        if (parser->at >= parser->end)
            return 0;
        parser->at += den_utf8_decode(parser->at, (size_t)(parser->end - parser->at), &code);
        return code;
    }
    c = parser->at < parser->end ? *parser->at++ : '\0';
    switch (c) {
    case 'n':
        return '\n';
    case 'r':
        return '\r';
    case 't':
        return '\t';
    case 'x':
        return parse_hex(parser, 2);
    case 'u':
        return parse_hex(parser, 4);
    case 'U':
        return parse_hex(parser, 8);
    default:
        if (c == '\0' || !strchr("\\\"[]-^", c))
            refuse(parser, "an unknown escape; there are \\n \\r \\t \\\\ \\\" \\[ \\] \\xHH "
                           "\\uHHHH \\UHHHHHHHH");
        return (uint32_t)(unsigned char)c;
    }
}

static struct tree *parse_text(struct parser *parser)
{
    struct tree *tree = make(parser, TEXT);
    size_t room = (size_t)(parser->end - parser->at) + 4, length = 0;
    const char *quote = memchr(parser->at, '"', (size_t)(parser->end - parser->at));
    char *text;

    while (quote && quote[-1] == '\\') { /* a bound is enough: escapes only shrink */
        size_t rest = (size_t)(parser->end - quote - 1);

        quote = memchr(quote + 1, '"', rest);
    }
    if (quote)
        room = (size_t)(quote - parser->at) * 2 + 8;
    text = den_grammar_memory(parser->builder, room, 1);
    while (text && more(parser) && *parser->at != '"' && length + 4 < room)
        length += den_utf8_encode(parse_character(parser), text + length);
    if (!take(parser, '"'))
        refuse(parser, "a '\"' is missing");
    if (tree->kind == TEXT) {
        tree->text = text;
        tree->length = length;
    }
    return tree;
}

static struct tree *parse_class(struct parser *parser)
{
    struct tree *tree = make(parser, CLASS);
    struct den_characters set = { 0 };
    bool negated = take(parser, '^');

    while (more(parser) && *parser->at != ']') {
        uint32_t low = parse_character(parser), high = low;

        if (parser->end - parser->at > 1 && *parser->at == '-' && parser->at[1] != ']') {
            parser->at++;
            high = parse_character(parser);
        }
        if (high < low)
            refuse(parser, "a range that is out of order");
        else
            den_characters_add(parser->builder, &set, low, high);
    }
    if (!take(parser, ']'))
        refuse(parser, "a ']' is missing");
    den_characters_finish(&set);
    if (negated)
        den_characters_negate(parser->builder, &set);
    if (tree->kind == CLASS)
        tree->set = set;
    return tree;
}

static bool parse_count(struct parser *parser, uint32_t *out)
{
    const char *start;
    uint32_t value = 0;

    skip_blank(parser);
    for (start = parser->at; parser->at < parser->end && *parser->at >= '0' && *parser->at <= '9';
         parser->at++)
        if (value <= DEN_GRAMMAR_REPEAT_MAX)
            value = value * 10 + (uint32_t)(*parser->at - '0');
    if (value > DEN_GRAMMAR_REPEAT_MAX)
        refuse(parser, "a repetition of more than 1000000 times");
    if (parser->at == start)
        return false;
    *out = value;
    skip_blank(parser);
    return true;
}

/* --- rules --- */

static struct tree *parse_hole(struct parser *parser)
{
    struct tree *tree = make(parser, HOLE);
    uint32_t number = 0;

    if (parser->at >= parser->end || *parser->at < '0' || *parser->at > '9' ||
        !parse_count(parser, &number) || number >= parser->hole_count)
        refuse(parser, "'@' wants the number of a schema");
    else if (tree->kind == HOLE)
        tree->number = number;
    return tree;
}

static struct tree *parse_item(struct parser *parser)
{
    struct tree *tree;
    struct rule *rule;
    size_t length;

    if (take(parser, '"'))
        return parse_text(parser);
    if (take(parser, '['))
        return parse_class(parser);
    if (take(parser, '@'))
        return parse_hole(parser);
    if (take(parser, '.')) {
        tree = make(parser, CLASS);
        if (tree->kind == CLASS)
            den_characters_add(parser->builder, &tree->set, 0, DEN_CHARACTER_MAX);
        return tree;
    }
    if (take(parser, '(')) {
        if (++parser->depth > DEN_GRAMMAR_DEPTH_MAX)
            refuse(parser, "parentheses are nested too deep");
        tree = parse_alternatives(parser);
        parser->depth--;
        if (!take(parser, ')'))
            refuse(parser, "a ')' is missing");
        return tree;
    }
    length = name_length(parser);
    tree = make(parser, REFERENCE);
    rule = length > 0 ? find_rule(parser, parser->at, length) : NULL;
    if (!rule)
        refuse(parser, "a character that means nothing here");
    else if (tree->kind == REFERENCE)
        tree->number = (uint32_t)(rule - parser->rules);
    parser->at += length;
    return tree;
}

static struct tree *parse_repetition(struct parser *parser, struct tree *item)
{
    uint32_t minimum = 0, maximum = DEN_GRAMMAR_FOREVER;
    struct tree *tree;

    if (take(parser, '?')) {
        maximum = 1;
    } else if (take(parser, '+')) {
        minimum = 1;
    } else if (take(parser, '{')) {
        bool counted = parse_count(parser, &minimum);

        maximum = minimum;
        if (take(parser, ',') && !parse_count(parser, &maximum))
            maximum = DEN_GRAMMAR_FOREVER;
        else if (!counted)
            refuse(parser, "a repetition without a number");
        if (!take(parser, '}') || minimum > maximum)
            refuse(parser, "a repetition that is not {m}, {m,} or {m,n} with m <= n");
    } else if (!take(parser, '*')) {
        return item;
    }
    tree = make(parser, REPETITION);
    if (tree->kind == REPETITION) {
        tree->first = item;
        tree->minimum = minimum;
        tree->maximum = maximum;
    }
    return tree;
}

static struct tree *parse_sequence(struct parser *parser)
{
    struct tree *tree = make(parser, SEQUENCE), *last = NULL;

    skip_blank(parser);
    while (more(parser) && *parser->at != '|' && *parser->at != ')' && !at_rule(parser)) {
        struct tree *item = parse_item(parser);

        skip_blank(parser);
        if (more(parser) && strchr("*+?{", *parser->at))
            item = parse_repetition(parser, item);
        if (den_grammar_failed(parser->builder))
            break;
        if (last)
            last->next = item;
        else
            tree->first = item;
        last = item;
        skip_blank(parser);
    }
    return tree;
}

static struct tree *parse_alternatives(struct parser *parser)
{
    struct tree *tree = make(parser, ALTERNATIVES), *last = parse_sequence(parser);

    if (den_grammar_failed(parser->builder))
        return tree;
    tree->first = last;
    while (more(parser) && take(parser, '|')) {
        struct tree *item = parse_sequence(parser);

        if (den_grammar_failed(parser->builder))
            break;
        last->next = item;
        last = item;
    }
    return tree;
}

static void parse_rules(struct parser *parser)
{
    find_rule(parser, "root", 4);
    skip_blank(parser);
    while (more(parser)) {
        size_t length = name_length(parser), index;
        struct rule *rule;
        struct tree *body;

        if (!at_rule(parser)) {
            refuse(parser, "expected 'name ::= ...'");
            return;
        }
        rule = find_rule(parser, parser->at, length);
        if (!rule)
            return;
        index = (size_t)(rule - parser->rules);
        if (rule->body) {
            refuse(parser, "a rule of this name stands above already");
            return;
        }
        parser->at += length;
        skip_blank(parser);
        parser->at += 3;
        body = parse_alternatives(parser);
        parser->rules[index].body = body;
        skip_blank(parser);
        if (more(parser) && !at_rule(parser))
            refuse(parser, "expected 'name ::= ...' or the end");
    }
}

/* --- into the grammar --- */

struct emitter {
    struct den_grammar_builder *builder;
    const struct rule *rules;
    const json_t *const *schemas;
    uint32_t *holes; /* rules of the schemas; 0: not made yet */
};

static uint32_t emit(struct emitter *emitter, const struct tree *tree, uint32_t next);

/* Of a list, the last is emitted first. */
static uint32_t emit_sequence(struct emitter *emitter, const struct tree *tree, uint32_t next)
{
    const struct tree **items, *item;
    size_t count = 0;

    for (item = tree->first; item; item = item->next)
        count++;
    items = den_grammar_memory(emitter->builder, count, sizeof *items);
    if (!items)
        return DEN_NODE_DEAD;
    for (item = tree->first, count = 0; item; item = item->next)
        items[count++] = item;
    while (count-- > 0)
        next = emit(emitter, items[count], next);
    return next;
}

static uint32_t emit_alternatives(struct emitter *emitter, const struct tree *tree, uint32_t next)
{
    const struct tree *item;
    uint32_t *choices;
    size_t count = 0;

    for (item = tree->first; item; item = item->next)
        count++;
    choices = den_grammar_memory(emitter->builder, count, sizeof *choices);
    if (!choices)
        return DEN_NODE_DEAD;
    for (item = tree->first, count = 0; item; item = item->next)
        choices[count++] = emit(emitter, item, next);
    return den_emit_choice(emitter->builder, choices, count);
}

static uint32_t emit_repetition(struct emitter *emitter, const struct tree *tree, uint32_t next)
{
    struct den_grammar_builder *builder = emitter->builder;
    uint32_t node, inner, rule;

    if (tree->maximum == 1 && tree->minimum == 0)
        return den_emit_either(builder, emit(emitter, tree->first, next), next);
    if (tree->maximum == DEN_GRAMMAR_FOREVER && tree->minimum <= 1) {
        node = den_emit_reserve(builder);
        inner = emit(emitter, tree->first, node);
        den_emit_fill_choice(builder, node, (uint32_t[]){ inner, next }, 2);
        return tree->minimum == 1 ? inner : node;
    }
    rule = den_emit_rule(builder);
    den_emit_rule_start(builder, rule, emit(emitter, tree->first, DEN_NODE_END));
    return den_emit_repeat(builder, rule, tree->minimum, tree->maximum, next);
}

static uint32_t emit_hole(struct emitter *emitter, uint32_t number, uint32_t next)
{
    struct den_grammar_builder *builder = emitter->builder;
    uint32_t *rule = &emitter->holes[number];

    if (*rule == 0) {
        *rule = den_emit_rule(builder);
        den_emit_rule_start(builder, *rule,
                            den_emit_schema(builder, emitter->schemas[number], DEN_NODE_END));
    }
    return den_emit_call(builder, *rule, next);
}

static uint32_t emit(struct emitter *emitter, const struct tree *tree, uint32_t next)
{
    struct den_grammar_builder *builder = emitter->builder;

    if (den_grammar_failed(builder))
        return DEN_NODE_DEAD;
    switch (tree->kind) {
    case SEQUENCE:
        return emit_sequence(emitter, tree, next);
    case ALTERNATIVES:
        return emit_alternatives(emitter, tree, next);
    case TEXT:
        return den_emit_literal(builder, tree->text, tree->length, next);
    case CLASS:
        return den_emit_characters(builder, &tree->set, DEN_ENCODING_UTF8, next);
    case REFERENCE:
        return den_emit_call(builder, emitter->rules[tree->number].number, next);
    case HOLE:
        return emit_hole(emitter, tree->number, next);
    default:
        return emit_repetition(emitter, tree, next);
    }
}

static void compile(struct den_grammar_builder *builder, struct parser *parser,
                    const json_t *const *schemas)
{
    struct emitter emitter = { .builder = builder, .schemas = schemas };
    size_t i;

    parse_rules(parser);
    emitter.rules = parser->rules;
    emitter.holes = den_grammar_memory(builder, parser->hole_count, sizeof *emitter.holes);
    builder->literal = true;
    for (i = 0; i < parser->rule_count && !den_grammar_failed(builder); i++) {
        if (!parser->rules[i].body)
            den_fail(builder->err, DEN_INVALID, "grammar: there is no rule '%.64s'",
                     parser->rules[i].name);
        else
            den_emit_rule_start(builder, parser->rules[i].number,
                                emit(&emitter, parser->rules[i].body, DEN_NODE_END));
    }
}

enum den_status den_grammar_from_gbnf(const char *text, size_t length, const json_t *const *schemas,
                                      size_t schema_count, struct den_grammar **out,
                                      struct den_error *err)
{
    struct den_grammar_builder builder;
    struct parser parser = { .start = text, .at = text, .end = text + length };
    const char **names;
    size_t i;

    if (length > DEN_GRAMMAR_SOURCE_BYTES_MAX)
        return den_fail(err, DEN_TOO_LARGE, "grammar: %zu bytes; at most %u are possible", length,
                        DEN_GRAMMAR_SOURCE_BYTES_MAX);
    if (den_grammar_builder_init(&builder, err) == DEN_OK) {
        parser.builder = &builder;
        parser.hole_count = schema_count;
        compile(&builder, &parser, schemas);
        /* rules were numbered as they were met, before any without a name */
        names = den_grammar_memory(&builder, parser.rule_count, sizeof *names);
        for (i = 0; names && i < parser.rule_count; i++)
            names[i] = parser.rules[i].name;
        den_grammar_builder_finish(&builder, names, parser.rule_count, out);
    }
    den_grammar_builder_deinit(&builder);
    return err->status;
}
