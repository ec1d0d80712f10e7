/* See chunk_units.h.
 *
 * Everything is cut at its natural places first and counted in batches, which is one pass of the
 * tokenizer over the text. Only what is too long is cut again and recounted; each round is finer,
 * the last one halves between characters, so that it ends. */
#include "input/chunk_units.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"

enum { CUT_NATURAL, CUT_LINES, CUT_WORDS, CUT_HALVES };
enum { UNITS_FIRST = 256, COUNT_BATCH = 512 };

/* --- sentences --- */

/* Abbreviations before whose point no sentence ends. */
static bool is_abbreviation(const char *text, size_t length, size_t at)
{
    static const char *const words[] = { "mr",  "mrs",  "ms",  "dr",  "prof", "st", "vs",  "etc",
                                         "fig", "eq",   "sec", "ch",  "vol",  "pp", "al",  "approx",
                                         "e.g", "i.e",  "cf",  "inc", "ltd",  "co", "jan", "feb",
                                         "aug", "sept", "oct", "nov", "dec" };
    size_t start = at;
    size_t i;

    while (start > 0 && at - start < 8 &&
           (isalpha((unsigned char)text[start - 1]) || text[start - 1] == '.'))
        start--;
    if (at - start == 1 && isupper((unsigned char)text[start]))
        return true;
    if (at - start == 2 && strncasecmp(text + start, "no", 2) == 0)
        return at + 2 < length && isdigit((unsigned char)text[at + 2]); /* "No. 4" */
    for (i = 0; i < sizeof words / sizeof words[0]; i++)
        if (strlen(words[i]) == at - start && strncasecmp(words[i], text + start, at - start) == 0)
            return true;
    return false;
}

static bool is_wide_end(uint32_t code)
{
    return code == 0x3002 || code == 0xFF01 || code == 0xFF1F || code == 0xFF1B || code == 0xFF61;
}

static bool is_closing(uint32_t code)
{
    return code == '"' || code == '\'' || code == ')' || code == ']' || code == 0x201D ||
           code == 0x2019 || code == 0x300D || code == 0x300F || code == 0xFF09 || code == 0x300B;
}

static size_t skip_closing(const char *text, size_t length, size_t at)
{
    while (at < length) {
        uint32_t code;
        size_t used = den_utf8_decode(text + at, length - at, &code);

        if (!is_closing(code) && !is_wide_end(code) && code != '.' && code != '!' && code != '?')
            break;
        at += used;
    }
    return at;
}

size_t den_sentence_end(const char *text, size_t length, size_t at)
{
    while (at < length) {
        uint32_t code;
        size_t used = den_utf8_decode(text + at, length - at, &code);
        size_t behind;

        if (is_wide_end(code))
            return skip_closing(text, length, at + used);
        at += used;
        if (code != '.' && code != '!' && code != '?')
            continue;
        behind = skip_closing(text, length, at);
        if (behind < length && !strchr(" \t\n", text[behind]))
            continue;
        if (code == '.' && is_abbreviation(text, length, at - 1))
            continue;
        while (behind < length && strchr(" \t\n", text[behind]))
            behind++;
        if (code == '.' && behind < length && islower((unsigned char)text[behind]))
            continue;
        return skip_closing(text, length, at);
    }
    return length;
}

/* --- cutting --- */

static size_t line_end(const char *text, size_t end, size_t at)
{
    const char *found = memchr(text + at, '\n', end - at);

    return found ? (size_t)(found - text) : end;
}

/* Lines up to the next blank one. */
static size_t paragraph_end(const char *text, size_t end, size_t at)
{
    for (;;) {
        size_t next;

        at = line_end(text, end, at);
        if (at >= end)
            return end;
        for (next = at + 1; next < end && (text[next] == ' ' || text[next] == '\t');)
            next++;
        if (next >= end || text[next] == '\n')
            return at;
        at = next;
    }
}

static size_t natural_end(const struct den_part *part, const struct den_block *block, size_t at)
{
    switch (block->kind) {
    case DEN_BLOCK_TABLE:
    case DEN_BLOCK_LIST:
        return line_end(part->text, block->end, at);
    case DEN_BLOCK_CODE:
        return paragraph_end(part->text, block->end, at);
    default:
        return den_sentence_end(part->text, block->end, at);
    }
}

static enum den_status append_unit(struct den_units *units, const char *text, struct den_unit unit,
                                   struct den_error *err)
{
    while (unit.start < unit.end && strchr(" \t\n", text[unit.start]))
        unit.start++;
    while (unit.end > unit.start && strchr(" \t\n", text[unit.end - 1]))
        unit.end--;
    if (unit.start == unit.end)
        return DEN_OK;
    if (units->count == units->capacity) {
        size_t wanted = units->capacity ? units->capacity * 2 : UNITS_FIRST;
        struct den_unit *grown = realloc(units->items, wanted * sizeof *grown);

        if (!grown)
            return den_fail(err, DEN_NO_MEMORY, "chunks: out of memory");
        units->items = grown;
        units->capacity = wanted;
    }
    units->items[units->count++] = unit;
    return DEN_OK;
}

static enum den_status cut_naturally(const struct den_part *part, struct den_units *units,
                                     struct den_error *err)
{
    size_t i;

    for (i = 0; i < part->block_count; i++) {
        const struct den_block *block = &part->blocks[i];
        size_t before = units->count;
        size_t at = block->start;

        while (at < block->end) {
            size_t end = natural_end(part, block, at);
            struct den_unit unit = { .block = i, .first = units->count == before };

            unit.start = at;
            unit.end = end;
            if (append_unit(units, part->text, unit, err) != DEN_OK)
                return err->status;
            at = end > at ? end : at + 1;
        }
    }
    return DEN_OK;
}

/* About `bytes` behind `start`, before a word where there is one, else between characters. */
static size_t word_cut(const char *text, size_t start, size_t end, size_t bytes)
{
    size_t cut = start + bytes, at;

    if (cut >= end)
        return end;
    for (at = cut; at > start + bytes / 2; at--)
        if (strchr(" \t\n", text[at]))
            return at;
    while (cut > start && ((unsigned char)text[cut] & 0xC0) == 0x80)
        cut--;
    if (cut > start)
        return cut;
    for (cut = start + 1; cut < end && ((unsigned char)text[cut] & 0xC0) == 0x80;)
        cut++;
    return cut;
}

/* One unit that is too long, more finely, to `out`. */
static enum den_status cut_more(const char *text, const struct den_unit *unit, size_t tokens_max,
                                struct den_units *out, struct den_error *err)
{
    size_t length = unit->end - unit->start;
    size_t bytes = length / 2 + 1; /* CUT_HALVES */
    size_t at = unit->start;
    size_t before = out->count;

    if (unit->cuts == CUT_LINES) /* to words: a bit less than what should fit */
        bytes = length / unit->tokens * tokens_max / 5 * 4 + 1;
    while (at < unit->end) {
        struct den_unit piece = *unit;
        size_t end = unit->cuts == CUT_NATURAL ? line_end(text, unit->end, at)
                                               : word_cut(text, at, unit->end, bytes);

        piece.start = at;
        piece.end = end;
        piece.first = unit->first && out->count == before;
        piece.cuts = unit->cuts < CUT_HALVES ? unit->cuts + 1 : CUT_HALVES;
        if (append_unit(out, text, piece, err) != DEN_OK)
            return err->status;
        at = end > at ? end : at + 1;
    }
    return DEN_OK;
}

/* --- counting --- */

/* Those that have no count yet. */
static enum den_status count_units(const struct den_part *part,
                                   const struct den_chunk_options *options, struct den_units *units,
                                   struct den_error *err)
{
    const char *texts[COUNT_BATCH];
    size_t lengths[COUNT_BATCH], tokens[COUNT_BATCH], places[COUNT_BATCH];
    size_t count = 0;
    size_t i, k;

    for (i = 0; i <= units->count; i++) {
        if (i < units->count && units->items[i].tokens == 0) {
            places[count] = i;
            texts[count] = part->text + units->items[i].start;
            lengths[count++] = units->items[i].end - units->items[i].start;
        }
        if (count == 0 || (count < COUNT_BATCH && i < units->count))
            continue;
        if (options->count_tokens(options->context, texts, lengths, count, tokens, err) != DEN_OK)
            return err->status;
        for (k = 0; k < count; k++)
            units->items[places[k]].tokens = tokens[k] ? tokens[k] : 1;
        count = 0;
    }
    return DEN_OK;
}

static bool is_one_character(const char *text, const struct den_unit *unit)
{
    uint32_t code;

    return den_utf8_decode(text + unit->start, unit->end - unit->start, &code) >=
           unit->end - unit->start;
}

/* One round; *out_cut tells whether there was something too long. */
static enum den_status refine(const struct den_part *part, size_t tokens_max,
                              struct den_units *units, bool *out_cut, struct den_error *err)
{
    struct den_units finer = { 0 };
    size_t i;

    *out_cut = false;
    for (i = 0; i < units->count; i++)
        if (units->items[i].tokens > tokens_max && !is_one_character(part->text, &units->items[i]))
            *out_cut = true;
    if (!*out_cut)
        return DEN_OK;
    for (i = 0; i < units->count; i++) {
        struct den_unit unit = units->items[i];
        bool cut = unit.tokens > tokens_max && !is_one_character(part->text, &unit);

        if (cut) {
            size_t tokens = unit.tokens, before = finer.count, k;

            if (cut_more(part->text, &unit, tokens_max, &finer, err) != DEN_OK)
                goto fail;
            for (k = before; k < finer.count; k++)
                finer.items[k].tokens = finer.count - before == 1 ? tokens : 0;
        } else if (append_unit(&finer, part->text, unit, err) != DEN_OK) {
            goto fail;
        }
    }
    free(units->items);
    *units = finer;
    return DEN_OK;
fail:
    free(finer.items);
    return err->status;
}

enum den_status den_units_make(const struct den_part *part, const struct den_chunk_options *options,
                               size_t tokens_max, struct den_units *out, struct den_error *err)
{
    struct den_units units = { 0 };
    bool cut = true;

    if (cut_naturally(part, &units, err) != DEN_OK)
        goto fail;
    while (cut) {
        if (count_units(part, options, &units, err) != DEN_OK ||
            refine(part, tokens_max, &units, &cut, err) != DEN_OK)
            goto fail;
    }
    *out = units;
    return DEN_OK;
fail:
    free(units.items);
    return err->status;
}

void den_units_free(struct den_units *units)
{
    free(units->items);
    *units = (struct den_units){ 0 };
}
