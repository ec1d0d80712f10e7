/* What poppler and tesseract print about pages, as parts.
 *
 * pdftotext -bbox-layout calls its output XHTML, but puts words into it as they are in the file:
 * control characters too, at which an XML parser stops. So the few tags it has are looked for here,
 * and nothing else in it means anything. tesseract's TSV has a row for each page, block, paragraph,
 * line and word. */
#include "input/readers.h"

#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "input/lines.h"
#include "input/page_layout.h"

enum { WORD_BYTES_MAX = 4096, CONFIDENCE_MIN = 30, COLUMNS = 12 };

/* --- pdftotext -bbox-layout --- */

/* The number behind ` name="` in the tag [tag, end). */
static float attribute(const char *tag, const char *end, const char *name)
{
    const char *found = memmem(tag, (size_t)(end - tag), name, strlen(name));
    const char *quote;

    if (!found)
        return 0;
    found += strlen(name);
    quote = memchr(found, '"', (size_t)(end - found));
    return den_page_layout_number(found, (size_t)((quote ? quote : end) - found));
}

static struct den_word box_of(const char *tag, const char *end)
{
    return (struct den_word){ .left = attribute(tag, end, " xMin=\""),
                              .top = attribute(tag, end, " yMin=\""),
                              .right = attribute(tag, end, " xMax=\""),
                              .bottom = attribute(tag, end, " yMax=\"") };
}

/* One character for the entity at `text`; returns its bytes, 0 if it is none. */
static size_t take_entity(const char *text, size_t length, struct den_buffer *out)
{
    static const struct {
        const char *name;
        char byte;
    } known[] = {
        { "&amp;", '&' }, { "&lt;", '<' }, { "&gt;", '>' }, { "&quot;", '"' }, { "&apos;", '\'' }
    };
    uint32_t code = 0;
    size_t at = 2, i;
    char bytes[4];

    for (i = 0; i < sizeof known / sizeof known[0]; i++)
        if (length >= strlen(known[i].name) &&
            memcmp(text, known[i].name, strlen(known[i].name)) == 0) {
            den_buffer_append_byte(out, known[i].byte);
            return strlen(known[i].name);
        }
    if (length < 4 || text[1] != '#')
        return 0;
    while (at < length && at < 10 && text[at] >= '0' && text[at] <= '9')
        code = code * 10 + (uint32_t)(text[at++] - '0');
    if (at == 2 || at >= length || text[at] != ';' || code == 0)
        return 0;
    den_buffer_append(out, bytes, den_utf8_encode(code, bytes));
    return at + 1;
}

static void take_word(struct den_page_layout *layout, const char *tag, const char *end,
                      const char *until)
{
    struct den_word box = box_of(tag, end);
    struct den_buffer text;
    const char *at = end + 1;

    den_buffer_init(&text, WORD_BYTES_MAX);
    while (at < until && text.status == DEN_OK) {
        size_t used = *at == '&' ? take_entity(at, (size_t)(until - at), &text) : 0;

        if (used == 0)
            den_buffer_append_byte(&text, *at);
        at += used ? used : 1;
    }
    den_page_layout_word(layout, text.data, text.length, &box);
    den_buffer_deinit(&text);
}

static bool is_tag(const char *tag, const char *end, const char *name)
{
    size_t length = strlen(name);

    return (size_t)(end - tag) >= length && memcmp(tag, name, length) == 0;
}

static void walk_tags(struct den_page_layout *layout, const char *text, size_t length)
{
    const char *at = text, *last = text + length;

    while (at < last && !den_writer_failed(layout->writer)) {
        const char *tag = memchr(at, '<', (size_t)(last - at));
        const char *end = tag ? memchr(tag, '>', (size_t)(last - tag)) : NULL;

        if (!end)
            break;
        at = end + 1;
        if (is_tag(tag, end, "<word ")) {
            const char *until = memmem(at, (size_t)(last - at), "</word>", 7);

            take_word(layout, tag, end, until ? until : last);
            at = until ? until + 7 : last;
        } else if (is_tag(tag, end, "<line ")) {
            den_page_layout_line_begin(layout);
        } else if (is_tag(tag, end, "<block ")) {
            den_page_layout_block_begin(layout, attribute(tag, end, " xMax=\""));
        } else if (is_tag(tag, end, "<page ")) {
            den_page_layout_page_begin(layout, attribute(tag, end, " width=\""),
                                       attribute(tag, end, " height=\""));
        } else if (is_tag(tag, end, "</page")) {
            den_page_layout_page_end(layout);
        }
    }
}

enum den_status den_read_pdf_layout(const struct den_input *input, struct den_writer *writer,
                                    struct den_error *err)
{
    struct den_page_layout layout;

    if (!memmem(input->data, input->length < 4096 ? input->length : 4096, "<doc>", 5) &&
        !memmem(input->data, input->length, "<doc>", 5))
        return den_fail(err, DEN_BAD_FILE, "%s: is no layout of pages", input->name);
    den_page_layout_init(&layout, writer, false);
    walk_tags(&layout, input->data, input->length);
    den_page_layout_page_end(&layout);
    den_page_layout_deinit(&layout);
    return den_writer_status(writer, err);
}

/* --- tesseract's TSV --- */

struct columns {
    const char *text[COLUMNS];
    size_t length[COLUMNS];
};

static bool split_row(const struct den_line *line, struct columns *out)
{
    size_t at = 0, column;

    for (column = 0; column < COLUMNS; column++) {
        const char *tab = memchr(line->text + at, '\t', line->length - at);
        size_t end = tab && column < COLUMNS - 1 ? (size_t)(tab - line->text) : line->length;

        out->text[column] = line->text + at;
        out->length[column] = end - at;
        if (end == line->length)
            break;
        at = end + 1;
    }
    return column >= COLUMNS - 2; /* the text may be missing */
}

static void take_row(struct den_page_layout *layout, const struct columns *row, float scale)
{
    enum { LEVEL, LEFT = 6, TOP, WIDTH, HEIGHT, CONFIDENCE, TEXT };
    enum { PAGE = '1', PARAGRAPH = '3', LINE = '4', WORD = '5' };
    char level = row->length[LEVEL] == 1 ? row->text[LEVEL][0] : '\0';
    float left = den_page_layout_number(row->text[LEFT], row->length[LEFT]) * scale;
    float top = den_page_layout_number(row->text[TOP], row->length[TOP]) * scale;
    float width = den_page_layout_number(row->text[WIDTH], row->length[WIDTH]) * scale;
    float height = den_page_layout_number(row->text[HEIGHT], row->length[HEIGHT]) * scale;
    struct den_word box = {
        .left = left, .top = top, .right = left + width, .bottom = top + height
    };

    if (level == PAGE)
        den_page_layout_page_begin(layout, width, height);
    else if (level == PARAGRAPH)
        den_page_layout_block_begin(layout, box.right);
    else if (level == LINE)
        den_page_layout_line_begin(layout);
    else if (level == WORD && row->length[TEXT] > 0 &&
             den_page_layout_number(row->text[CONFIDENCE], row->length[CONFIDENCE]) >=
                 CONFIDENCE_MIN)
        den_page_layout_word(layout, row->text[TEXT], row->length[TEXT], &box);
}

enum den_status den_read_recognised(const struct den_input *input, struct den_writer *writer,
                                    struct den_error *err)
{
    struct den_page_layout layout;
    size_t at = 0;

    if (input->length < 6 || memcmp(input->data, "level\t", 6) != 0)
        return den_fail(err, DEN_BAD_FILE, "%s: is no table of recognised words", input->name);
    den_page_layout_init(&layout, writer, true);
    while (at < input->length && !den_writer_failed(writer)) {
        struct den_line line = den_line_at(input->data, input->length, at);
        struct columns row = { 0 };

        if (split_row(&line, &row))
            take_row(&layout, &row, (float)input->scale);
        at = line.next;
    }
    den_page_layout_page_end(&layout);
    den_page_layout_deinit(&layout);
    return den_writer_status(writer, err);
}
