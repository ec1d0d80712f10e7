/* See page_layout.h. */
#include "input/page_layout.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"

#define LARGER_PRINTED 1.15F /* sizes are exact */
#define LARGER_SCANNED 1.4F  /* heights are those of the letters that happen to be there */
#define PLACE_MAX      1e6

enum {
    TEXTS_BYTES_MAX = 4 << 20, /* of one page */
    HEADING_LINES_MAX = 3,
    HEADING_BYTES_MAX = 240,
    HEADING_LEVEL_2 = 150, /* percent of the usual height */
    HEADING_LEVEL_1 = 190
};

void den_page_layout_init(struct den_page_layout *layout, struct den_writer *writer, bool scanned)
{
    *layout = (struct den_page_layout){ .writer = writer,
                                        .scanned = scanned,
                                        .larger = scanned ? LARGER_SCANNED : LARGER_PRINTED };
    den_buffer_init(&layout->texts, TEXTS_BYTES_MAX);
}

void den_page_layout_deinit(struct den_page_layout *layout)
{
    free(layout->words);
    free(layout->lines);
    den_buffer_deinit(&layout->texts);
}

float den_page_layout_number(const char *text, size_t length)
{
    double value = 0, unit = 1;
    size_t at = 0;
    bool negative = length > 0 && text[0] == '-';

    for (at = negative; at < length && isdigit((unsigned char)text[at]) && value < PLACE_MAX; at++)
        value = value * 10 + (text[at] - '0');
    if (at < length && text[at] == '.')
        for (at++; at < length && isdigit((unsigned char)text[at]) && unit > 1e-9; at++)
            value += (text[at] - '0') * (unit /= 10);
    if (value > PLACE_MAX)
        return 0;
    return (float)(negative ? -value : value);
}

/* --- gathering --- */

static bool grow(struct den_page_layout *layout, void *items, size_t count, size_t *capacity,
                 size_t size)
{
    void **array = items;
    size_t wanted = *capacity ? *capacity * 2 : 256;
    void *grown;

    if (count < *capacity)
        return true;
    grown = realloc(*array, wanted * size);
    if (!grown) {
        struct den_error err = { 0 };

        den_fail(&err, DEN_NO_MEMORY, "page: out of memory");
        den_writer_fail(layout->writer, &err);
        return false;
    }
    *array = grown;
    *capacity = wanted;
    return true;
}

void den_page_layout_page_begin(struct den_page_layout *layout, float width, float height)
{
    den_page_layout_page_end(layout);
    layout->in_page = true;
    layout->width = width > 0 ? width : 0;
    layout->height = height > 0 ? height : 0;
    den_writer_part_begin(layout->writer, DEN_PART_PAGE, 0, "");
    layout->writer->part.width = layout->width;
    layout->writer->part.height = layout->height;
    layout->writer->part.scanned = layout->scanned;
    layout->block_begins = true;
}

void den_page_layout_block_begin(struct den_page_layout *layout, float right)
{
    layout->block_begins = true;
    layout->block_right = right;
}

void den_page_layout_line_begin(struct den_page_layout *layout)
{
    layout->line_begins = true;
}

static void flush(struct den_page_layout *layout);

void den_page_layout_word(struct den_page_layout *layout, const char *text, size_t length,
                          const struct den_word *box)
{
    struct den_page_layout_line *line;

    if (!layout->in_page || length == 0 || den_writer_failed(layout->writer))
        return;
    if (layout->word_count >= DEN_DOCUMENT_PART_WORDS_MAX ||
        layout->texts.length + length > TEXTS_BYTES_MAX)
        flush(layout);
    if (!grow(layout, &layout->words, layout->word_count, &layout->word_capacity,
              sizeof *layout->words) ||
        !grow(layout, &layout->lines, layout->line_count, &layout->line_capacity,
              sizeof *layout->lines))
        return;
    if (layout->line_begins || layout->block_begins || layout->line_count == 0)
        layout->lines[layout->line_count++] = (struct den_page_layout_line){
            .first = layout->word_count, .right = layout->block_right, .opens = layout->block_begins
        };
    layout->line_begins = layout->block_begins = false;
    line = &layout->lines[layout->line_count - 1];
    line->count++;
    if (box->bottom - box->top > line->height)
        line->height = box->bottom - box->top;
    layout->words[layout->word_count++] =
        (struct den_page_layout_word){ .text = layout->texts.length,
                                       .length = length,
                                       .left = box->left,
                                       .top = box->top,
                                       .right = box->right,
                                       .bottom = box->bottom };
    if (length > TEXTS_BYTES_MAX / 2)
        length = layout->words[layout->word_count - 1].length = 0; /* no word is so long */
    den_buffer_append(&layout->texts, text, length);
}

/* --- headings --- */

static size_t bytes_of_line(const struct den_page_layout *layout,
                            const struct den_page_layout_line *line)
{
    size_t bytes = 0;
    size_t i;

    for (i = 0; i < line->count; i++)
        bytes += layout->words[line->first + i].length + 1;
    return bytes;
}

static size_t slot_of(float height)
{
    float half = height * 2;

    return half < 0 ? 0 : half >= DEN_LAYOUT_HEIGHTS ? DEN_LAYOUT_HEIGHTS - 1 : (size_t)half;
}

/* The height that half of the text does not pass. */
static float usual_height(struct den_page_layout *layout)
{
    size_t total = 0, below = 0;
    size_t i;

    for (i = 0; i < layout->line_count; i++)
        layout->heights[slot_of(layout->lines[i].height)] +=
            bytes_of_line(layout, &layout->lines[i]);
    for (i = 0; i < DEN_LAYOUT_HEIGHTS; i++)
        total += layout->heights[i];
    for (i = 0; i < DEN_LAYOUT_HEIGHTS && below * 2 < total; i++)
        below += layout->heights[i];
    return (float)i / 2;
}

static bool has_letter(const struct den_page_layout *layout,
                       const struct den_page_layout_line *line)
{
    const struct den_page_layout_word *word = &layout->words[line->first];
    const struct den_page_layout_word *last = &layout->words[line->first + line->count - 1];
    size_t at;

    for (at = word->text; at < last->text + last->length; at++)
        if (isalpha((unsigned char)layout->texts.data[at]) ||
            (unsigned char)layout->texts.data[at] >= 0x80)
            return true;
    return false;
}

/* Marks runs of large lines at a block's beginning. */
static void find_headings(struct den_page_layout *layout)
{
    float usual = usual_height(layout);
    size_t i = 0;

    while (i < layout->line_count) {
        size_t run = i, bytes = 0;
        float percent = usual > 0 ? layout->lines[i].height / usual * 100 : 0;

        while (run < layout->line_count && (run == i || !layout->lines[run].opens) &&
               layout->lines[run].height >= usual * layout->larger) {
            bytes += bytes_of_line(layout, &layout->lines[run]);
            run++;
        }
        if (layout->lines[i].opens && run > i && run - i <= HEADING_LINES_MAX &&
            bytes <= HEADING_BYTES_MAX && has_letter(layout, &layout->lines[i]))
            for (; i < run; i++)
                layout->lines[i].level = percent >= HEADING_LEVEL_1   ? 1
                                         : percent >= HEADING_LEVEL_2 ? 2
                                                                      : 3;
        i = run > i ? run : i + 1;
    }
}

/* --- tables --- */

/* Whether `line` stands in the same height as the one before it, to its right. */
static bool is_beside(const struct den_page_layout *layout, const struct den_page_layout_line *line)
{
    const struct den_page_layout_line *before = line - 1;
    const struct den_page_layout_word *last = &layout->words[before->first + before->count - 1];
    const struct den_page_layout_word *first = &layout->words[line->first];
    float top = first->top > last->top ? first->top : last->top;
    float bottom = first->bottom < last->bottom ? first->bottom : last->bottom;

    return first->left >= last->right && bottom - top > (first->bottom - first->top) / 2;
}

static void find_tables(struct den_page_layout *layout)
{
    size_t i = 0;

    while (i < layout->line_count) {
        size_t end = i + 1;
        bool table = false;

        for (; end < layout->line_count && !layout->lines[end].opens; end++) {
            layout->lines[end].beside = is_beside(layout, &layout->lines[end]);
            table = table || layout->lines[end].beside;
        }
        for (; i < end; i++)
            layout->lines[i].table = table;
    }
}

/* --- writing --- */

/* Chinese and Japanese, which have no spaces between words. */
static bool is_unspaced(uint32_t code)
{
    return (code >= 0x2E80 && code <= 0x9FFF && code != 0x3000) ||
           (code >= 0xF900 && code <= 0xFAFF) || (code >= 0xFF00 && code <= 0xFF60) ||
           (code >= 0x20000 && code <= 0x3FFFF);
}

static uint32_t first_code(const struct den_page_layout *layout,
                           const struct den_page_layout_word *word)
{
    uint32_t code = ' ';

    if (word->length > 0)
        den_utf8_decode(layout->texts.data + word->text, word->length, &code);
    return code;
}

static uint32_t last_code(const struct den_page_layout *layout,
                          const struct den_page_layout_word *word)
{
    const char *text = layout->texts.data + word->text;
    size_t at = word->length;
    uint32_t code = ' ';

    while (at > 0 && word->length - at < 4 && ((unsigned char)text[at - 1] & 0xC0) == 0x80)
        at--;
    if (at > 0)
        den_utf8_decode(text + at - 1, word->length - at + 1, &code);
    return code;
}

static bool is_bullet(uint32_t code)
{
    return code == 0x2022 || code == 0x25AA || code == 0x25E6 || code == 0x2023 || code == 0xB7 ||
           code == 0x25CF || code == 0x25A0 || code == 0xF0B7;
}

static bool has_bullet(const struct den_page_layout *layout,
                       const struct den_page_layout_line *line)
{
    const struct den_page_layout_word *word = &layout->words[line->first];

    return is_bullet(first_code(layout, word)) ||
           (word->length == 1 && strchr("-*", layout->texts.data[word->text]));
}

/* The line before ended although this one's first word had room there. */
static bool ended_early(const struct den_page_layout *layout,
                        const struct den_page_layout_line *line)
{
    const struct den_page_layout_line *before = line - 1;
    const struct den_page_layout_word *last = &layout->words[before->first + before->count - 1];
    const struct den_page_layout_word *first = &layout->words[line->first];

    return last->right + (first->right - first->left) + line->height / 2 < line->right;
}

static void write_word(struct den_page_layout *layout, size_t index, bool opens)
{
    const struct den_page_layout_word *word = &layout->words[index];
    struct den_word box = {
        .left = word->left, .top = word->top, .right = word->right, .bottom = word->bottom
    };

    if (!opens &&
        !(is_unspaced(last_code(layout, word - 1)) && is_unspaced(first_code(layout, word))))
        den_writer_space(layout->writer);
    den_writer_word(layout->writer, layout->texts.data + word->text, word->length, &box);
}

static void write_line(struct den_page_layout *layout, size_t index)
{
    const struct den_page_layout_line *line = &layout->lines[index];
    bool opens = line->opens || index == 0 || (!line->table && line->level != line[-1].level);
    bool bullet = has_bullet(layout, line);
    size_t i;

    if (opens && line->table)
        den_writer_block_begin(layout->writer, DEN_BLOCK_TABLE, 0);
    else if (line->table)
        den_writer_break(layout->writer, line->beside ? '\t' : '\n');
    else if (opens && line->level > 0)
        den_writer_block_begin(layout->writer, DEN_BLOCK_HEADING, line->level);
    else if (opens)
        den_writer_block_begin(layout->writer, bullet ? DEN_BLOCK_LIST : DEN_BLOCK_PARAGRAPH, 0);
    else if (bullet || (line->level == 0 && ended_early(layout, line)))
        den_writer_break(layout->writer, '\n');
    for (i = 0; i < line->count; i++)
        write_word(layout, line->first + i, opens && i == 0);
}

/* Writes what was gathered. */
static void flush(struct den_page_layout *layout)
{
    size_t i;

    find_headings(layout);
    find_tables(layout);
    for (i = 0; i < layout->line_count; i++)
        write_line(layout, i);
    den_writer_block_end(layout->writer);
    layout->line_count = 0;
    layout->word_count = 0;
    den_buffer_clear(&layout->texts);
    layout->block_begins = true;
}

void den_page_layout_page_end(struct den_page_layout *layout)
{
    if (!layout->in_page)
        return;
    flush(layout);
    den_writer_part_end(layout->writer);
    layout->in_page = false;
}
