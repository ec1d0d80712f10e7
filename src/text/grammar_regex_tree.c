/* Patterns to trees, by recursive descent; grammar_regex.c makes automata of them. */
#include "text/grammar_regex_tree.h"

#include <string.h>

#include "base/utf8.h"

#define NONE UINT32_MAX

struct parser {
    struct den_grammar_builder *builder;
    const char *start, *at, *end;
    unsigned depth;
};

static struct den_regex *parse_either(struct parser *parser);

static void refuse(struct parser *parser, enum den_status status, const char *what)
{
    int length = (int)(parser->end - parser->start < 200 ? parser->end - parser->start : 200);

    if (!den_grammar_failed(parser->builder))
        den_fail(parser->builder->err, status, "pattern '%.*s': %s at byte %td", length,
                 parser->start, what, parser->at - parser->start);
}

static struct den_regex *make(struct parser *parser, enum den_regex_kind kind)
{
    static struct den_regex nothing = { .kind = DEN_REGEX_EMPTY };
    struct den_regex *tree = den_grammar_memory(parser->builder, 1, sizeof *tree);

    if (!tree)
        return &nothing;
    tree->kind = kind;
    return tree;
}

static bool more(const struct parser *parser)
{
    return parser->at < parser->end && !den_grammar_failed(parser->builder);
}

static bool take(struct parser *parser, const char *text)
{
    size_t length = strlen(text);

    if ((size_t)(parser->end - parser->at) < length || memcmp(parser->at, text, length) != 0)
        return false;
    parser->at += length;
    return true;
}

/* --- characters and classes --- */

static struct den_regex *make_set(struct parser *parser, uint32_t low, uint32_t high)
{
    struct den_regex *tree = make(parser, DEN_REGEX_SET);

    if (tree->kind == DEN_REGEX_SET)
        den_characters_add(parser->builder, &tree->set, low, high);
    return tree;
}

static void add_ranges(struct parser *parser, struct den_characters *set,
                       const struct den_range *ranges, size_t count)
{
    size_t i;

    for (i = 0; i < count; i++)
        den_characters_add(parser->builder, set, ranges[i].low, ranges[i].high);
}

/* \d \w \s and their opposites. With `wide` every character that might count is in it (for use in
 * a negated class), else only those that surely do. */
static void add_shorthand(struct parser *parser, struct den_characters *set, char letter, bool wide)
{
    static const struct den_range digits[] = { { '0', '9' } };
    static const struct den_range word[] = {
        { '0', '9' }, { 'A', 'Z' }, { '_', '_' }, { 'a', 'z' }
    };
    static const struct den_range blank[] = { { 9, 13 }, { ' ', ' ' } };
    static const struct den_range all_blank[] = {
        { 9, 13 },          { 28, 32 },         { 0x85, 0x85 },     { 0xA0, 0xA0 },
        { 0x1680, 0x1680 }, { 0x2000, 0x200A }, { 0x2028, 0x2029 }, { 0x202F, 0x202F },
        { 0x205F, 0x205F }, { 0x3000, 0x3000 }, { 0xFEFF, 0xFEFF }
    };
    struct den_characters own = { 0 };
    bool opposite = letter < 'a';

    if (letter == 'd' || letter == 'D')
        add_ranges(parser, &own, digits, 1);
    else if (letter == 'w' || letter == 'W')
        add_ranges(parser, &own, word, 4);
    else if (wide != opposite)
        add_ranges(parser, &own, all_blank, sizeof all_blank / sizeof all_blank[0]);
    else
        add_ranges(parser, &own, blank, 2);
    if ((letter | 0x20) != 's' && wide != opposite)
        den_characters_add(parser->builder, &own, 0x80, DEN_CHARACTER_MAX);
    den_characters_finish(&own);
    if (opposite)
        den_characters_negate(parser->builder, &own);
    add_ranges(parser, set, own.items, own.count);
}

static uint32_t parse_hex(struct parser *parser, int digits_min, int digits_max)
{
    uint32_t value = 0;
    int count = 0;

    for (; count < digits_max && parser->at < parser->end; count++, parser->at++) {
        char c = *parser->at;

        if (c >= '0' && c <= '9')
            value = value * 16 + (uint32_t)(c - '0');
        else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
            value = value * 16 + (uint32_t)((c | 0x20) - 'a') + 10;
        else
            break;
    }
    if (count < digits_min || value > DEN_CHARACTER_MAX)
        refuse(parser, DEN_INVALID, "an escape that is not a code point");
    return value <= DEN_CHARACTER_MAX ? value : 0;
}

static uint32_t parse_code(struct parser *parser)
{
    uint32_t code, low;

    if (take(parser, "{")) {
        code = parse_hex(parser, 1, 6);
        if (!take(parser, "}"))
            refuse(parser, DEN_INVALID, "a '}' is missing");
        return code;
    }
    code = parse_hex(parser, 4, 4);
    if (code >= 0xD800 && code < 0xDC00 && take(parser, "\\u")) {
        low = parse_hex(parser, 4, 4);
        code = 0x10000 + ((code - 0xD800) << 10) + ((low - 0xDC00) & 0x3FF);
    }
    return code;
}

/* After a backslash: the code point of an escape, or NONE with `*letter` one of dDwWsS. */
static uint32_t parse_escape(struct parser *parser, bool in_class, char *letter)
{
    static const char names[] = "tnvfr0", codes[] = "\t\n\v\f\r\0";
    const char *found;
    uint32_t code;
    char c;

    if (!more(parser)) {
        refuse(parser, DEN_INVALID, "it ends in a backslash");
        return 0;
    }
    c = *parser->at;
    if (strchr("dDwWsS", c)) {
        parser->at++;
        *letter = c;
        return NONE;
    }
    if (strchr("pP", c) || (c >= '1' && c <= '9') || (!in_class && strchr("bBk", c))) {
        refuse(parser, DEN_UNSUPPORTED,
               strchr("pP", c)   ? "Unicode properties can't be generated from"
               : strchr("bB", c) ? "word boundaries can't be generated from"
                                 : "back references can't be generated from");
        return 0;
    }
    if (take(parser, "u"))
        return parse_code(parser);
    if (take(parser, "x"))
        return parse_hex(parser, 2, 2);
    if (c == 'c' && parser->end - parser->at > 1) {
        parser->at += 2;
        return (uint32_t)parser->at[-1] & 31;
    }
    found = strchr(names, c);
    if (found || c == 'b') {
        parser->at++;
        return found ? (uint32_t)codes[found - names] : 8;
    }
    parser->at += den_utf8_decode(parser->at, (size_t)(parser->end - parser->at), &code);
    return code;
}

/* One end of a range in a class; NONE: a shorthand, added already. */
static uint32_t parse_class_item(struct parser *parser, struct den_characters *set, bool negated)
{
    uint32_t code;
    char letter = 0;

    if (take(parser, "\\")) {
        code = parse_escape(parser, true, &letter);
        if (code == NONE)
            add_shorthand(parser, set, letter, negated);
        return code;
    }
    parser->at += den_utf8_decode(parser->at, (size_t)(parser->end - parser->at), &code);
    return code;
}

static struct den_regex *parse_class(struct parser *parser)
{
    struct den_regex *tree = make(parser, DEN_REGEX_SET);
    struct den_characters set = { 0 };
    bool negated = take(parser, "^");

    while (more(parser) && *parser->at != ']') {
        uint32_t low = parse_class_item(parser, &set, negated), high = low;

        if (more(parser) && low != NONE && parser->end - parser->at > 1 && *parser->at == '-' &&
            parser->at[1] != ']') {
            parser->at++;
            high = parse_class_item(parser, &set, negated);
            if (high == NONE || high < low)
                refuse(parser, DEN_INVALID, "a range that is out of order");
        }
        if (low != NONE && high != NONE)
            den_characters_add(parser->builder, &set, low, high);
    }
    if (!take(parser, "]"))
        refuse(parser, DEN_INVALID, "a ']' is missing");
    den_characters_finish(&set);
    if (negated)
        den_characters_negate(parser->builder, &set);
    if (tree->kind == DEN_REGEX_SET)
        tree->set = set;
    return tree;
}

/* --- the tree --- */

static struct den_regex *parse_group(struct parser *parser)
{
    struct den_regex *tree;

    if (take(parser, "?")) {
        bool named = take(parser, "P<") || (parser->end - parser->at > 1 && *parser->at == '<' &&
                                            !strchr("=!", parser->at[1]) && take(parser, "<"));

        while (named && more(parser) && *parser->at != '>')
            parser->at++;
        if (!take(parser, named ? ">" : ":"))
            refuse(parser, DEN_UNSUPPORTED,
                   "lookaround and flags in groups can't be generated from");
    }
    if (++parser->depth > DEN_GRAMMAR_DEPTH_MAX)
        refuse(parser, DEN_TOO_LARGE, "groups are nested too deep");
    tree = parse_either(parser);
    parser->depth--;
    if (!take(parser, ")"))
        refuse(parser, DEN_INVALID, "a ')' is missing");
    return tree;
}

static struct den_regex *parse_dot(struct parser *parser)
{
    static const struct den_range ends[] = { { '\n', '\n' }, { '\r', '\r' }, { 0x2028, 0x2029 } };
    struct den_regex *tree = make(parser, DEN_REGEX_SET);

    if (tree->kind != DEN_REGEX_SET)
        return tree;
    add_ranges(parser, &tree->set, ends, 3);
    den_characters_finish(&tree->set);
    den_characters_negate(parser->builder, &tree->set);
    return tree;
}

static struct den_regex *parse_atom(struct parser *parser)
{
    struct den_regex *tree;
    uint32_t code;
    char letter = 0;

    if (take(parser, "("))
        return parse_group(parser);
    if (take(parser, "["))
        return parse_class(parser);
    if (take(parser, "^"))
        return make_set(parser, DEN_REGEX_BEGIN, DEN_REGEX_BEGIN);
    if (take(parser, "$"))
        return make_set(parser, DEN_REGEX_END, DEN_REGEX_END);
    if (take(parser, "."))
        return parse_dot(parser);
    if (take(parser, "\\")) {
        code = parse_escape(parser, false, &letter);
        if (code != NONE)
            return make_set(parser, code, code);
        tree = make(parser, DEN_REGEX_SET);
        if (tree->kind == DEN_REGEX_SET) {
            add_shorthand(parser, &tree->set, letter, false);
            den_characters_finish(&tree->set);
        }
        return tree;
    }
    if (strchr("*+?", *parser->at))
        refuse(parser, DEN_INVALID, "nothing to repeat");
    parser->at += den_utf8_decode(parser->at, (size_t)(parser->end - parser->at), &code);
    return make_set(parser, code, code);
}

static bool parse_count(struct parser *parser, uint32_t *out)
{
    uint32_t value = 0;
    const char *start = parser->at;

    for (; parser->at < parser->end && *parser->at >= '0' && *parser->at <= '9'; parser->at++)
        if (value <= DEN_GRAMMAR_REPEAT_MAX)
            value = value * 10 + (uint32_t)(*parser->at - '0');
    *out = value;
    return parser->at > start;
}

/* False, with nothing taken, where no quantifier stands. */
static bool parse_quantifier(struct parser *parser, uint32_t *minimum, uint32_t *maximum)
{
    const char *start = parser->at;

    *minimum = 0;
    *maximum = DEN_GRAMMAR_FOREVER;
    if (take(parser, "*"))
        return true;
    if (take(parser, "+")) {
        *minimum = 1;
        return true;
    }
    if (take(parser, "?")) {
        *maximum = 1;
        return true;
    }
    if (take(parser, "{") && parse_count(parser, minimum)) {
        *maximum = *minimum;
        if (take(parser, ",") && !parse_count(parser, maximum))
            *maximum = DEN_GRAMMAR_FOREVER;
        if (take(parser, "}"))
            return true;
    }
    parser->at = start;
    return false;
}

static struct den_regex *parse_repeated(struct parser *parser)
{
    struct den_regex *atom = parse_atom(parser), *repeat;
    uint32_t minimum, maximum;

    if (!more(parser) || !parse_quantifier(parser, &minimum, &maximum))
        return atom;
    if (minimum > maximum)
        refuse(parser, DEN_INVALID, "a repetition that is out of order");
    if (minimum > DEN_GRAMMAR_UNROLL_MAX ||
        (maximum > DEN_GRAMMAR_UNROLL_MAX && maximum != DEN_GRAMMAR_FOREVER))
        refuse(parser, DEN_UNSUPPORTED, "a repetition of more than 1000 times");
    take(parser, "?"); /* lazy: the same strings */
    repeat = make(parser, DEN_REGEX_REPEAT);
    if (repeat->kind == DEN_REGEX_REPEAT) {
        repeat->first = atom;
        repeat->minimum = minimum;
        repeat->maximum = maximum;
    }
    return repeat;
}

/* A failed parser hands out one shared tree, which must stay as it is. */
static void append(struct den_regex *list, struct den_regex **last, struct den_regex *item)
{
    if (list->kind == DEN_REGEX_EMPTY || item == *last)
        return;
    if (*last)
        (*last)->next = item;
    else
        list->first = item;
    *last = item;
}

static struct den_regex *parse_join(struct parser *parser)
{
    struct den_regex *joined = make(parser, DEN_REGEX_JOIN), *last = NULL;

    while (more(parser) && *parser->at != '|' && *parser->at != ')') {
        struct den_regex *item = parse_repeated(parser);

        if (den_grammar_failed(parser->builder))
            break;
        append(joined, &last, item);
    }
    return joined;
}

static struct den_regex *parse_either(struct parser *parser)
{
    struct den_regex *first = parse_join(parser), *either, *last = NULL;

    if (!more(parser) || *parser->at != '|')
        return first;
    either = make(parser, DEN_REGEX_EITHER);
    append(either, &last, first);
    while (more(parser) && take(parser, "|")) {
        struct den_regex *item = parse_join(parser);

        if (den_grammar_failed(parser->builder))
            break;
        append(either, &last, item);
    }
    return either;
}

struct den_regex *den_regex_parse(struct den_grammar_builder *builder, const char *pattern,
                                  size_t length)
{
    struct parser parser = {
        .builder = builder, .start = pattern, .at = pattern, .end = pattern + length
    };
    struct den_regex *tree;

    if (length > DEN_REGEX_BYTES_MAX)
        refuse(&parser, DEN_TOO_LARGE, "longer than 16384 bytes");
    tree = parse_either(&parser);
    if (more(&parser))
        refuse(&parser, DEN_INVALID, "a ')' without its '('");
    return tree;
}
