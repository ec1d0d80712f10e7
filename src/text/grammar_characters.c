/* See grammar_characters.h. A range of code points becomes ranges of bytes by being cut until all
 * its members have the same length and differ only in trailing bytes that run through all of 80 to
 * BF: then one chain of byte ranges takes exactly them. */
#include "text/grammar_characters.h"

#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"

/* --- sets --- */

void den_characters_add(struct den_grammar_builder *builder, struct den_characters *set,
                        uint32_t low, uint32_t high)
{
    if (set->count == set->capacity) {
        size_t capacity = set->capacity ? set->capacity * 2 : 8;
        struct den_range *grown = den_grammar_memory(builder, capacity, sizeof *grown);

        if (!grown)
            return;
        if (set->count > 0)
            memcpy(grown, set->items, set->count * sizeof *grown);
        set->items = grown;
        set->capacity = capacity;
    }
    set->items[set->count++] = (struct den_range){ low, high };
}

static int compare_ranges(const void *a, const void *b)
{
    const struct den_range *x = a, *y = b;

    return (x->low > y->low) - (x->low < y->low);
}

void den_characters_finish(struct den_characters *set)
{
    size_t kept = 0, i;

    if (set->count == 0)
        return;
    qsort(set->items, set->count, sizeof *set->items, compare_ranges);
    for (i = 1; i < set->count; i++) {
        if (set->items[i].low <= set->items[kept].high + 1) {
            if (set->items[i].high > set->items[kept].high)
                set->items[kept].high = set->items[i].high;
        } else {
            set->items[++kept] = set->items[i];
        }
    }
    set->count = kept + 1;
}

void den_characters_negate(struct den_grammar_builder *builder, struct den_characters *set)
{
    struct den_characters other = { 0 };
    uint32_t start = 0;
    size_t i;

    for (i = 0; i < set->count; i++) {
        if (set->items[i].low > start)
            den_characters_add(builder, &other, start, set->items[i].low - 1);
        start = set->items[i].high + 1;
    }
    if (start <= DEN_CHARACTER_MAX)
        den_characters_add(builder, &other, start, DEN_CHARACTER_MAX);
    *set = other;
}

/* --- edges --- */

void den_edges_add(struct den_grammar_builder *builder, struct den_edges *edges,
                   struct den_grammar_edge edge)
{
    if (edges->count == edges->capacity) {
        size_t capacity = edges->capacity ? edges->capacity * 2 : 16;
        struct den_grammar_edge *grown = den_grammar_memory(builder, capacity, sizeof *grown);

        if (!grown)
            return;
        if (edges->count > 0)
            memcpy(grown, edges->items, edges->count * sizeof *grown);
        edges->items = grown;
        edges->capacity = capacity;
    }
    edges->items[edges->count++] = edge;
}

/* All members of the range have `length` bytes and a common shape. */
static void add_chain(struct den_grammar_builder *builder, struct den_edges *edges,
                      struct den_range range, size_t length, uint32_t next)
{
    char low[4], high[4];
    size_t i;

    den_utf8_encode(range.low, low);
    den_utf8_encode(range.high, high);
    for (i = length - 1; i > 0; i--) {
        struct den_grammar_edge edge = { .low = (uint8_t)low[i],
                                         .high = (uint8_t)high[i],
                                         .next = next };

        next = den_emit_bytes(builder, &edge, 1);
    }
    den_edges_add(builder, edges,
                  (struct den_grammar_edge){
                      .low = (uint8_t)low[0], .high = (uint8_t)high[0], .next = next });
}

/* All members of the range have `length` bytes. */
static void add_cut(struct den_grammar_builder *builder, struct den_edges *edges,
                    struct den_range range, size_t length, uint32_t next)
{
    size_t i;

    for (i = 1; i < length; i++) {
        uint32_t tail = (1u << (6 * i)) - 1;

        if ((range.low & ~tail) == (range.high & ~tail))
            break;
        if ((range.low & tail) != 0) {
            add_cut(builder, edges, (struct den_range){ range.low, range.low | tail }, length,
                    next);
            range.low = (range.low | tail) + 1;
        }
        if ((range.high & tail) != tail && (range.low & ~tail) != (range.high & ~tail)) {
            add_cut(builder, edges, (struct den_range){ range.high & ~tail, range.high }, length,
                    next);
            range.high = (range.high & ~tail) - 1;
        }
    }
    add_chain(builder, edges, range, length, next);
}

static void add_utf8(struct den_grammar_builder *builder, struct den_edges *edges,
                     struct den_range range, uint32_t next)
{
    static const struct den_range blocks[] = { { 0, 0x7F },
                                               { 0x80, 0x7FF },
                                               { 0x800, 0xD7FF },
                                               { 0xE000, 0xFFFF },
                                               { 0x10000, DEN_CHARACTER_MAX } };
    static const size_t lengths[] = { 1, 2, 3, 3, 4 };
    size_t i;

    for (i = 0; i < sizeof blocks / sizeof blocks[0]; i++) {
        struct den_range part = { range.low > blocks[i].low ? range.low : blocks[i].low,
                                  range.high < blocks[i].high ? range.high : blocks[i].high };

        if (part.low <= part.high)
            add_cut(builder, edges, part, lengths[i], next);
    }
}

/* Control characters, quote and backslash: those in the range, behind one backslash. */
static void add_escapes(struct den_grammar_builder *builder, struct den_edges *edges,
                        struct den_range range, uint32_t next)
{
    static const struct {
        uint8_t code;
        char letter;
    } named[] = { { '"', '"' }, { '\\', '\\' }, { 8, 'b' }, { 9, 't' },
                  { 10, 'n' },  { 12, 'f' },    { 13, 'r' } };
    struct den_edges after = { 0 };
    uint32_t code;
    size_t i;

    for (i = 0; i < sizeof named / sizeof named[0]; i++)
        if (named[i].code >= range.low && named[i].code <= range.high)
            den_edges_add(builder, &after,
                          (struct den_grammar_edge){ .low = (uint8_t)named[i].letter,
                                                     .high = (uint8_t)named[i].letter,
                                                     .next = next });
    for (i = 0; i < 2; i++) {
        struct den_edges digits = { 0 };

        for (code = (uint32_t)i * 16 + (i == 0); code < (uint32_t)i * 16 + 16; code++) {
            uint8_t digit = (uint8_t) "0123456789abcdef"[code & 15];

            if (code >= range.low && code <= range.high && !strchr("\b\t\n\f\r", (int)code))
                den_edges_add(
                    builder, &digits,
                    (struct den_grammar_edge){ .low = digit, .high = digit, .next = next });
        }
        if (digits.count == 0)
            continue;
        code = den_emit_bytes(builder, digits.items, digits.count);
        code = den_emit_literal(builder, i == 0 ? "000" : "001", 3, code);
        den_edges_add(builder, &after,
                      (struct den_grammar_edge){ .low = 'u', .high = 'u', .next = code });
    }
    if (after.count > 0)
        den_edges_add(
            builder, edges,
            (struct den_grammar_edge){ .low = '\\',
                                       .high = '\\',
                                       .next = den_emit_bytes(builder, after.items, after.count) });
}

void den_edges_add_range(struct den_grammar_builder *builder, struct den_edges *edges,
                         struct den_range range, enum den_encoding encoding, uint32_t next)
{
    static const struct den_range plain[] = { { 0x20, 0x21 },
                                              { 0x23, 0x5B },
                                              { 0x5D, DEN_CHARACTER_MAX } };
    size_t i;

    if (encoding == DEN_ENCODING_UTF8) {
        add_utf8(builder, edges, range, next);
        return;
    }
    for (i = 0; i < sizeof plain / sizeof plain[0]; i++) {
        struct den_range part = { range.low > plain[i].low ? range.low : plain[i].low,
                                  range.high < plain[i].high ? range.high : plain[i].high };

        if (part.low <= part.high)
            add_utf8(builder, edges, part, next);
    }
    add_escapes(builder, edges, range, next);
}

uint32_t den_emit_characters(struct den_grammar_builder *builder, const struct den_characters *set,
                             enum den_encoding encoding, uint32_t next)
{
    struct den_edges edges = { 0 };
    size_t i;

    for (i = 0; i < set->count; i++)
        den_edges_add_range(builder, &edges, set->items[i], encoding, next);
    return edges.count ? den_emit_bytes(builder, edges.items, edges.count) : DEN_NODE_DEAD;
}

/* --- a character of a JSON string, RFC 8259 section 7 --- */

/* One byte out of `pairs` ("09af": 0 to 9, a to f), then `next`. */
static uint32_t emit_one_of(struct den_grammar_builder *builder, const char *pairs, uint32_t next)
{
    struct den_grammar_edge edges[8];
    size_t count = 0;

    for (; *pairs; pairs += 2)
        edges[count++] = (struct den_grammar_edge){ .low = (uint8_t)pairs[0],
                                                    .high = (uint8_t)pairs[1],
                                                    .next = next };
    return den_emit_bytes(builder, edges, count);
}

/* What may follow "\u": any code but U+0000, surrogates only in pairs. */
static uint32_t emit_code(struct den_grammar_builder *builder)
{
    static const char any[] = "09afAF";
    uint32_t one = emit_one_of(builder, any, DEN_NODE_END);
    uint32_t two = emit_one_of(builder, any, one);
    uint32_t three = emit_one_of(builder, any, two);
    uint32_t low_half =
        emit_one_of(builder, "\\\\",
                    emit_one_of(builder, "uu",
                                emit_one_of(builder, "ddDD", emit_one_of(builder, "cfCF", two))));
    uint32_t high_half = emit_one_of(
        builder, "89abAB", emit_one_of(builder, any, emit_one_of(builder, any, low_half)));
    uint32_t last = emit_one_of(builder, "19afAF", DEN_NODE_END); /* after 000 */
    uint32_t zeros = den_emit_either(builder, emit_one_of(builder, "19afAF", one),
                                     emit_one_of(builder, "00", last));
    uint32_t choices[4];

    zeros = den_emit_either(builder, emit_one_of(builder, "19afAF", two),
                            emit_one_of(builder, "00", zeros));
    choices[0] = emit_one_of(builder, "19acefACEF", three);
    choices[1] = emit_one_of(builder, "00", zeros);
    choices[2] = emit_one_of(builder, "ddDD", emit_one_of(builder, "07", two));
    choices[3] = emit_one_of(builder, "ddDD", high_half);
    return den_emit_choice(builder, choices, 4);
}

uint32_t den_emit_character_rule(struct den_grammar_builder *builder)
{
    static const struct den_range plain[] = { { 0x20, 0x21 },
                                              { 0x23, 0x5B },
                                              { 0x5D, DEN_CHARACTER_MAX } };
    struct den_edges edges = { 0 };
    struct den_edges escape = { 0 };
    uint32_t rule = builder->grammar->character_rule;
    uint32_t after;
    const char *letter;
    size_t i;

    if (rule != 0)
        return rule;
    for (letter = "\"\\/bfnrt"; *letter; letter++)
        den_edges_add(builder, &escape,
                      (struct den_grammar_edge){ .low = (uint8_t)*letter,
                                                 .high = (uint8_t)*letter,
                                                 .next = DEN_NODE_END });
    den_edges_add(builder, &escape,
                  (struct den_grammar_edge){ .low = 'u', .high = 'u', .next = emit_code(builder) });
    after = den_emit_bytes(builder, escape.items, escape.count);
    for (i = 0; i < sizeof plain / sizeof plain[0]; i++)
        add_utf8(builder, &edges, plain[i], DEN_NODE_END);
    den_edges_add(builder, &edges,
                  (struct den_grammar_edge){ .low = '\\', .high = '\\', .next = after });
    rule = den_emit_rule(builder);
    den_emit_rule_start(builder, rule, den_emit_bytes(builder, edges.items, edges.count));
    builder->grammar->character_rule = rule;
    return rule;
}
