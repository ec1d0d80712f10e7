/* Parts: their names, the check that makes them trustworthy, and JSON both ways.
 *
 * den_part_check() is one pass over text, blocks and words. It looks at what everything behind it
 * relies on: a block's bytes can be cut out without looking, a chunk made of blocks misses nothing,
 * a word's box can be drawn. Reading from JSON builds the arrays first and checks the whole then,
 * so that there is one place that knows the rules.
 *
 * Boxes are written in quarters of a point: exact in binary, at most two digits behind the point,
 * and a tenth of a millimetre is less than anybody sees. */
#include "input/document.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "base/utf8.h"

#define COORDINATE_MAX 1e6F /* points; 350 metres */

static const char *const part_kinds[] = { "page", "sheet", "slide", "section", "mail", "file" };
static const char *const block_kinds[] = {
    "paragraph", "heading", "list", "table", "code", "note"
};

enum {
    PART_KINDS = sizeof part_kinds / sizeof part_kinds[0],
    BLOCK_KINDS = sizeof block_kinds / sizeof block_kinds[0],
    BLOCK_FIELDS = 8,
    WORD_FIELDS = 6
};

const char *den_part_kind_text(enum den_part_kind kind)
{
    return (size_t)kind < PART_KINDS ? part_kinds[kind] : "unknown";
}

const char *den_block_kind_text(enum den_block_kind kind)
{
    return (size_t)kind < BLOCK_KINDS ? block_kinds[kind] : "unknown";
}

/* --- the check --- */

static bool is_label(const char *label)
{
    size_t length = strlen(label);

    return length <= DEN_DOCUMENT_LABEL_BYTES_MAX && den_utf8_is_valid(label, length);
}

static bool is_boundary(const char *text, size_t length, size_t at)
{
    return at == length || ((unsigned char)text[at] & 0xC0) != 0x80;
}

static bool is_blank(const char *text, size_t start, size_t end)
{
    for (; start < end; start++)
        if (!strchr(" \t\n", text[start]))
            return false;
    return true;
}

static enum den_status check_block(const struct den_block *block, size_t index, const char *text,
                                   size_t length, struct den_error *err)
{
    if ((size_t)block->kind >= BLOCK_KINDS)
        return den_fail(err, DEN_BAD_FILE, "block %zu: is of no known kind", index);
    if (block->level < 0 || block->level > 6 ||
        (block->kind == DEN_BLOCK_HEADING) != (block->level > 0))
        return den_fail(err, DEN_BAD_FILE, "block %zu: a %s of level %d; headings have 1 to 6",
                        index, den_block_kind_text(block->kind), block->level);
    if (block->start >= block->end || block->end > length)
        return den_fail(err, DEN_BAD_FILE, "block %zu: bytes %zu to %zu of %zu", index,
                        block->start, block->end, length);
    if (text &&
        (!is_boundary(text, length, block->start) || !is_boundary(text, length, block->end)))
        return den_fail(err, DEN_BAD_FILE, "block %zu: cuts a character", index);
    if (block->source_start > block->source_end)
        return den_fail(err, DEN_BAD_FILE, "block %zu: ends before it starts in its file", index);
    if ((block->range && !is_label(block->range)) || (block->anchor && !is_label(block->anchor)))
        return den_fail(err, DEN_BAD_FILE, "block %zu: its range or anchor is no text of %d bytes",
                        index, DEN_DOCUMENT_LABEL_BYTES_MAX);
    return DEN_OK;
}

/* `text` may be NULL: then only offsets are looked at. */
static enum den_status check_blocks(const struct den_block *blocks, size_t count, const char *text,
                                    size_t length, struct den_error *err)
{
    size_t at = 0;
    size_t i;

    if (count > DEN_DOCUMENT_PART_BLOCKS_MAX)
        return den_fail(err, DEN_BAD_FILE, "%zu blocks; at most %d", count,
                        DEN_DOCUMENT_PART_BLOCKS_MAX);
    for (i = 0; i < count; i++) {
        if (check_block(&blocks[i], i, text, length, err) != DEN_OK)
            return err->status;
        if (blocks[i].start < at)
            return den_fail(err, DEN_BAD_FILE, "block %zu: begins inside the one before it", i);
        if (text && !is_blank(text, at, blocks[i].start))
            return den_fail(err, DEN_BAD_FILE, "block %zu: leaves out text before it", i);
        at = blocks[i].end;
    }
    if (text && !is_blank(text, at, length))
        return den_fail(err, DEN_BAD_FILE, "text after the last block");
    return DEN_OK;
}

static bool is_coordinate(float value)
{
    return isfinite(value) && fabsf(value) <= COORDINATE_MAX;
}

static enum den_status check_words(const struct den_part *part, struct den_error *err)
{
    size_t at = 0;
    size_t i;

    if (part->word_count > DEN_DOCUMENT_PART_WORDS_MAX)
        return den_fail(err, DEN_BAD_FILE, "%zu words; at most %d", part->word_count,
                        DEN_DOCUMENT_PART_WORDS_MAX);
    for (i = 0; i < part->word_count; i++) {
        const struct den_word *word = &part->words[i];

        if (word->start < at || word->start >= word->end || word->end > part->length ||
            !is_boundary(part->text, part->length, word->start) ||
            !is_boundary(part->text, part->length, word->end))
            return den_fail(err, DEN_BAD_FILE, "word %zu: bytes %zu to %zu of %zu", i, word->start,
                            word->end, part->length);
        if (!is_coordinate(word->left) || !is_coordinate(word->top) ||
            !is_coordinate(word->right) || !is_coordinate(word->bottom))
            return den_fail(err, DEN_BAD_FILE, "word %zu: lies nowhere", i);
        at = word->end;
    }
    return DEN_OK;
}

enum den_status den_part_check(const struct den_part *part, struct den_error *err)
{
    if ((size_t)part->kind >= PART_KINDS)
        return den_fail(err, DEN_BAD_FILE, "part: is of no known kind");
    if (part->number == 0 || part->number > UINT32_MAX)
        return den_fail(err, DEN_BAD_FILE, "part: number %zu; they begin with 1", part->number);
    if (!part->label || !is_label(part->label))
        return den_fail(err, DEN_BAD_FILE, "part: its label is no text of at most %d bytes",
                        DEN_DOCUMENT_LABEL_BYTES_MAX);
    if (!is_coordinate(part->width) || !is_coordinate(part->height) || part->width < 0 ||
        part->height < 0)
        return den_fail(err, DEN_BAD_FILE, "part: has no size that a page can have");
    if (part->length > DEN_DOCUMENT_PART_TEXT_MAX)
        return den_fail(err, DEN_BAD_FILE, "part: %zu bytes of text; at most %u", part->length,
                        DEN_DOCUMENT_PART_TEXT_MAX);
    if (part->length > 0 && (!part->text || memchr(part->text, '\0', part->length)))
        return den_fail(err, DEN_BAD_FILE, "part: its text holds a zero byte");
    if (!den_utf8_is_valid(part->text, part->length))
        return den_fail(err, DEN_BAD_FILE, "part: its text is not UTF-8");
    if (check_blocks(part->blocks, part->block_count, part->text ? part->text : "", part->length,
                     err) != DEN_OK ||
        check_words(part, err) != DEN_OK)
        return den_fail_at(err, "part");
    return DEN_OK;
}

/* --- to JSON --- */

static json_t *quarters(float value)
{
    double quarter = round((double)value * 4) / 4;

    return quarter == floor(quarter) ? json_integer((json_int_t)quarter) : json_real(quarter);
}

json_t *den_blocks_json(const struct den_block *blocks, size_t count)
{
    json_t *array = json_array();
    size_t i;

    for (i = 0; i < count; i++) {
        const struct den_block *block = &blocks[i];
        json_t *row = json_pack("[s, i, I, I, I, I, s?, s?]", den_block_kind_text(block->kind),
                                block->level, (json_int_t)block->start, (json_int_t)block->end,
                                (json_int_t)block->source_start, (json_int_t)block->source_end,
                                block->range, block->anchor);

        if (json_array_append_new(array, row) != 0) {
            json_decref(array);
            return NULL;
        }
    }
    return array;
}

json_t *den_words_json(const struct den_word *words, size_t count)
{
    json_t *array = json_array();
    size_t i;

    for (i = 0; i < count; i++) {
        const struct den_word *word = &words[i];
        json_t *row = json_pack("[I, I, o, o, o, o]", (json_int_t)word->start,
                                (json_int_t)word->end, quarters(word->left), quarters(word->top),
                                quarters(word->right), quarters(word->bottom));

        if (json_array_append_new(array, row) != 0) {
            json_decref(array);
            return NULL;
        }
    }
    return array;
}

json_t *den_part_json(const struct den_part *part)
{
    return json_pack("{s: {s: s, s: I, s: s, s: o, s: o, s: b, s: s%, s: o, s: o}}", "part", "kind",
                     den_part_kind_text(part->kind), "number", (json_int_t)part->number, "label",
                     part->label, "width", quarters(part->width), "height", quarters(part->height),
                     "scanned", part->scanned, "text", part->text ? part->text : "", part->length,
                     "blocks", den_blocks_json(part->blocks, part->block_count), "words",
                     den_words_json(part->words, part->word_count));
}

/* --- from JSON --- */

static bool get_size(const json_t *value, size_t *out)
{
    json_int_t integer = json_integer_value(value);

    if (!json_is_integer(value) || integer < 0)
        return false;
    *out = (size_t)integer;
    return true;
}

static bool get_float(const json_t *value, float *out)
{
    double number = json_number_value(value);

    if (!json_is_number(value) || fabs(number) > (double)COORDINATE_MAX)
        return false;
    *out = (float)number;
    return true;
}

/* A text that a C string can hold. */
static bool get_text(const json_t *value, const char **out)
{
    if (!json_is_string(value) || strlen(json_string_value(value)) != json_string_length(value))
        return false;
    *out = json_string_value(value);
    return true;
}

static bool get_text_or_null(const json_t *value, const char **out)
{
    *out = NULL;
    return json_is_null(value) || get_text(value, out);
}

static bool get_kind(const json_t *value, const char *const *names, size_t count, size_t *out)
{
    const char *text;

    if (!get_text(value, &text))
        return false;
    for (*out = 0; *out < count; ++*out)
        if (strcmp(names[*out], text) == 0)
            return true;
    return false;
}

static bool read_block(const json_t *row, struct den_block *block)
{
    const json_t *level = json_array_get(row, 1);
    size_t kind;

    if (json_array_size(row) != BLOCK_FIELDS ||
        !get_kind(json_array_get(row, 0), block_kinds, BLOCK_KINDS, &kind) ||
        !json_is_integer(level) || json_integer_value(level) < 0 || json_integer_value(level) > 6)
        return false;
    block->kind = (enum den_block_kind)kind;
    block->level = (int)json_integer_value(level);
    return get_size(json_array_get(row, 2), &block->start) &&
           get_size(json_array_get(row, 3), &block->end) &&
           get_size(json_array_get(row, 4), &block->source_start) &&
           get_size(json_array_get(row, 5), &block->source_end) &&
           get_text_or_null(json_array_get(row, 6), &block->range) &&
           get_text_or_null(json_array_get(row, 7), &block->anchor);
}

static enum den_status read_blocks(const json_t *json, struct den_block **out, size_t *out_count,
                                   struct den_error *err)
{
    size_t count = json_array_size(json);
    struct den_block *blocks;
    size_t i;

    if (!json_is_array(json) || count > DEN_DOCUMENT_PART_BLOCKS_MAX)
        return den_fail(err, DEN_BAD_FILE, "\"blocks\" is no array of at most %d",
                        DEN_DOCUMENT_PART_BLOCKS_MAX);
    blocks = calloc(count + 1, sizeof *blocks);
    if (!blocks)
        return den_fail(err, DEN_NO_MEMORY, "blocks: out of memory");
    for (i = 0; i < count; i++)
        if (!read_block(json_array_get(json, i), &blocks[i])) {
            free(blocks);
            return den_fail(err, DEN_BAD_FILE, "block %zu: not as a block is written", i);
        }
    *out = blocks;
    *out_count = count;
    return DEN_OK;
}

static bool read_word(const json_t *row, struct den_word *word)
{
    return json_array_size(row) == WORD_FIELDS && get_size(json_array_get(row, 0), &word->start) &&
           get_size(json_array_get(row, 1), &word->end) &&
           get_float(json_array_get(row, 2), &word->left) &&
           get_float(json_array_get(row, 3), &word->top) &&
           get_float(json_array_get(row, 4), &word->right) &&
           get_float(json_array_get(row, 5), &word->bottom);
}

static enum den_status read_words(const json_t *json, struct den_word **out, size_t *out_count,
                                  struct den_error *err)
{
    size_t count = json_array_size(json);
    struct den_word *words;
    size_t i;

    if (!json_is_array(json) || count > DEN_DOCUMENT_PART_WORDS_MAX)
        return den_fail(err, DEN_BAD_FILE, "\"words\" is no array of at most %d",
                        DEN_DOCUMENT_PART_WORDS_MAX);
    words = calloc(count + 1, sizeof *words);
    if (!words)
        return den_fail(err, DEN_NO_MEMORY, "words: out of memory");
    for (i = 0; i < count; i++)
        if (!read_word(json_array_get(json, i), &words[i])) {
            free(words);
            return den_fail(err, DEN_BAD_FILE, "word %zu: not as a word is written", i);
        }
    *out = words;
    *out_count = count;
    return DEN_OK;
}

static enum den_status read_fields(const json_t *json, struct den_part *part, struct den_error *err)
{
    const json_t *text = json_object_get(json, "text");
    const json_t *scanned = json_object_get(json, "scanned");
    size_t kind;

    if (!get_kind(json_object_get(json, "kind"), part_kinds, PART_KINDS, &kind) ||
        !get_size(json_object_get(json, "number"), &part->number) ||
        !get_text(json_object_get(json, "label"), &part->label) ||
        !get_float(json_object_get(json, "width"), &part->width) ||
        !get_float(json_object_get(json, "height"), &part->height) || !json_is_boolean(scanned) ||
        !json_is_string(text))
        return den_fail(err, DEN_BAD_FILE, "part: a field is missing or of another type");
    part->kind = (enum den_part_kind)kind;
    part->scanned = json_is_true(scanned);
    part->text = json_string_value(text);
    part->length = json_string_length(text);
    return DEN_OK;
}

enum den_status den_part_from_json(const json_t *json, struct den_part *out, struct den_error *err)
{
    const json_t *inner = json_object_get(json, "part");
    struct den_part part = { 0 };
    struct den_block *blocks = NULL;
    struct den_word *words = NULL;

    if (read_fields(inner, &part, err) != DEN_OK ||
        read_blocks(json_object_get(inner, "blocks"), &blocks, &part.block_count, err) != DEN_OK)
        goto fail;
    part.blocks = blocks;
    if (read_words(json_object_get(inner, "words"), &words, &part.word_count, err) != DEN_OK)
        goto fail;
    part.words = words;
    if (den_part_check(&part, err) != DEN_OK)
        goto fail;
    *out = part;
    return DEN_OK;
fail:
    free(blocks);
    free(words);
    return err->status;
}

void den_part_free(struct den_part *part)
{
    if (!part)
        return;
    free((void *)(uintptr_t)part->blocks);
    free((void *)(uintptr_t)part->words);
    *part = (struct den_part){ 0 };
}

enum den_status den_blocks_from_json(const json_t *json, size_t length,
                                     struct den_block **out_blocks, size_t *out_count,
                                     struct den_error *err)
{
    struct den_block *blocks;
    size_t count;

    if (read_blocks(json, &blocks, &count, err) != DEN_OK)
        return err->status;
    if (check_blocks(blocks, count, NULL, length, err) != DEN_OK) {
        free(blocks);
        return err->status;
    }
    *out_blocks = blocks;
    *out_count = count;
    return DEN_OK;
}
