/* OpenDocument (.odt, .ods, .odp): one content.xml with text, sheets or slides in it.
 *
 * Text becomes sections at headings of level 1, as in Word. Sheets give their cells as they were
 * shown, but for dates, which are ISO; cells and rows that are repeated are written as often as
 * they are there, as long as there is something in them. Notes and comments follow the paragraph
 * that they stand in. */
#include <stdlib.h>
#include <string.h>

#include "input/sheet_table.h"
#include "input/xml.h"

enum { NAME_BYTES = 512, NOTES_BYTES_MAX = 4 << 20, HIDDEN_MAX = 256, REPEAT_MAX = 1000 };

struct open_document {
    struct den_package *package;
    struct den_writer *writer;
    struct den_error *err;
    struct den_xml *xml;
    struct den_buffer text;  /* of the open paragraph or cell */
    struct den_buffer notes; /* found in it, a zero byte behind each */
    int lists, tables, in_note, in_shape_title, in_notes_page;
    int paragraphs;
    bool item_begun, row_begun, cell_begun;
    int level; /* of the open heading; 0: a paragraph */
    /* sheets */
    bool is_sheets;
    struct den_sheet_table sheet;
    size_t sheet_number, row, column, repeat_row, repeat_column;
    char value[64];           /* of a date or truth value, instead of the cell's text */
    char *hidden[HIDDEN_MAX]; /* styles of hidden tables */
    size_t hidden_count;
    char style[NAME_BYTES]; /* being declared */
};

/* --- paragraphs --- */

static void write_notes(struct open_document *document)
{
    size_t at = 0;

    while (at < document->notes.length) {
        const char *note = document->notes.data + at;

        den_writer_block_begin(document->writer, DEN_BLOCK_NOTE, 0);
        den_writer_string(document->writer, note);
        den_writer_block_end(document->writer);
        at += strlen(note) + 1;
    }
    den_buffer_clear(&document->notes);
}

static void name_part(struct open_document *document)
{
    struct den_writer *writer = document->writer;

    if (writer->part.kind == DEN_PART_SLIDE) {
        den_writer_label(writer, document->text.data);
    } else if (document->level == 1 && writer->part.kind == DEN_PART_SECTION) {
        if (writer->block_count > 0 || writer->continued) {
            den_writer_part_end(writer);
            den_writer_part_begin(writer, DEN_PART_SECTION, 0, document->text.data);
        } else {
            den_writer_label(writer, document->text.data);
        }
    }
}

static void write_paragraph(struct open_document *document)
{
    struct den_writer *writer = document->writer;
    enum den_block_kind kind = document->in_notes_page ? DEN_BLOCK_NOTE
                               : document->level > 0   ? DEN_BLOCK_HEADING
                               : document->lists > 0   ? DEN_BLOCK_LIST
                                                       : DEN_BLOCK_PARAGRAPH;

    if (document->text.data[strspn(document->text.data, " \t\n")]) {
        if (kind == DEN_BLOCK_HEADING)
            name_part(document);
        if (kind == DEN_BLOCK_LIST && writer->block_count > 0 &&
            writer->blocks[writer->block_count - 1].kind == DEN_BLOCK_LIST)
            den_writer_gap(writer, 1);
        den_writer_block_begin_verbatim(writer, kind, document->level);
        if (kind == DEN_BLOCK_LIST && document->item_begun)
            den_writer_string(writer, "- ");
        document->item_begun = false;
        den_writer_text(writer, document->text.data, document->text.length);
        den_writer_block_end(writer);
    }
    den_buffer_clear(&document->text);
    write_notes(document);
}

static void start_paragraph(struct open_document *document, bool heading)
{
    if (document->in_note > 0) {
        if (document->notes.length > 0 && document->notes.data[document->notes.length - 1] != '\0')
            den_buffer_append_byte(&document->notes, ' ');
        return;
    }
    if (document->paragraphs++ > 0 || document->tables > 0 || document->is_sheets) {
        if (document->text.length > 0)
            den_buffer_append_byte(&document->text, ' ');
        return;
    }
    document->level = 0;
    if (heading)
        document->level = (int)den_xml_attribute_number(document->xml, "outline-level", 1);
    else if (document->in_shape_title)
        document->level = 1;
    if (document->level < 0 || document->level > 9)
        document->level = 1;
}

static void end_paragraph(struct open_document *document)
{
    if (document->in_note > 0)
        return;
    if (document->paragraphs > 0)
        document->paragraphs--;
    if (document->paragraphs == 0 && document->tables == 0 && !document->is_sheets)
        write_paragraph(document);
}

/* --- tables of texts and slides --- */

static void start_table(struct open_document *document)
{
    if (document->tables++ == 0) {
        den_writer_block_begin(document->writer, DEN_BLOCK_TABLE, 0);
        document->row_begun = false;
    }
}

static void start_text_cell(struct open_document *document)
{
    if (document->tables != 1)
        return;
    if (document->cell_begun)
        den_writer_break(document->writer, '\t');
    document->cell_begun = true;
}

static void end_text_cell(struct open_document *document)
{
    if (document->tables != 1)
        return;
    den_writer_text(document->writer, document->text.data, document->text.length);
    den_buffer_clear(&document->text);
}

static void end_table(struct open_document *document)
{
    if (document->tables == 0 || --document->tables > 0)
        return;
    den_writer_block_end(document->writer);
    write_notes(document);
}

/* --- sheets --- */

static size_t repeats(struct open_document *document, const char *name)
{
    long count = den_xml_attribute_number(document->xml, name, 1);

    return count < 1 ? 1 : (size_t)count;
}

static void start_sheet(struct open_document *document)
{
    char name[NAME_BYTES] = "", style[NAME_BYTES] = "";
    size_t i;

    den_xml_attribute(document->xml, "name", name, sizeof name);
    den_xml_attribute(document->xml, "style-name", style, sizeof style);
    den_writer_part_begin(document->writer, DEN_PART_SHEET, ++document->sheet_number, name);
    den_sheet_begin(&document->sheet, document->writer, 0);
    document->row = 1;
    for (i = 0; i < document->hidden_count; i++)
        if (strcmp(document->hidden[i], style) == 0)
            den_writer_note(document->writer, "The hidden sheet '%.100s' was read too.", name);
}

static void start_sheet_cell(struct open_document *document)
{
    char type[16] = "";

    document->repeat_column = repeats(document, "number-columns-repeated");
    document->value[0] = '\0';
    den_buffer_clear(&document->text);
    if (den_xml_attribute(document->xml, "value-type", type, sizeof type)) {
        if (strcmp(type, "date") == 0)
            den_xml_attribute(document->xml, "date-value", document->value, sizeof document->value);
        else if (strcmp(type, "boolean") == 0)
            den_xml_attribute(document->xml, "boolean-value", document->value,
                              sizeof document->value);
    }
}

static void end_sheet_cell(struct open_document *document)
{
    const char *text = document->value[0] ? document->value : document->text.data;
    size_t length = document->value[0] ? strlen(text) : document->text.length;
    size_t i, count = document->repeat_column < REPEAT_MAX ? document->repeat_column : REPEAT_MAX;

    for (i = 0; length > 0 && i < count; i++)
        if (document->column + i < DEN_DOCUMENT_COLUMNS_MAX)
            den_sheet_cell(&document->sheet, document->row, document->column + i, text, length);
    if (document->column < DEN_DOCUMENT_COLUMNS_MAX)
        document->column += document->repeat_column < DEN_DOCUMENT_COLUMNS_MAX
                                ? document->repeat_column
                                : DEN_DOCUMENT_COLUMNS_MAX;
    den_buffer_clear(&document->text);
}

static void end_sheet(struct open_document *document)
{
    den_sheet_end(&document->sheet);
    write_notes(document);
    den_writer_part_end(document->writer);
}

static void end_row(struct open_document *document)
{
    document->row +=
        document->repeat_row < DEN_DOCUMENT_ROWS_MAX ? document->repeat_row : DEN_DOCUMENT_ROWS_MAX;
    if (document->row > DEN_DOCUMENT_ROWS_MAX)
        document->row = DEN_DOCUMENT_ROWS_MAX;
}

/* --- elements --- */

static void take_style(struct open_document *document)
{
    char value[16];

    if (den_xml_is(document->xml, "style")) {
        document->style[0] = '\0';
        den_xml_attribute(document->xml, "name", document->style, sizeof document->style);
    } else if (den_xml_is(document->xml, "table-properties") &&
               den_xml_attribute(document->xml, "display", value, sizeof value) &&
               strcmp(value, "false") == 0 && document->hidden_count < HIDDEN_MAX) {
        document->hidden[document->hidden_count] = strdup(document->style);
        document->hidden_count += document->hidden[document->hidden_count] != NULL;
    }
}

static void append(struct open_document *document, const char *text)
{
    den_buffer_append_text(document->in_note > 0 ? &document->notes : &document->text, text);
}

/* White space that is an element. */
static bool take_space(struct open_document *document)
{
    struct den_xml *xml = document->xml;
    long count;

    if (den_xml_is(xml, "tab"))
        append(document, "\t");
    else if (den_xml_is(xml, "line-break"))
        append(document, "\n");
    else if (den_xml_is(xml, "s"))
        for (count = den_xml_attribute_number(xml, "c", 1); count > 0 && count < 1000; count--)
            append(document, " ");
    else
        return false;
    return true;
}

static void start_slide(struct open_document *document)
{
    char shown[16];

    den_writer_part_begin(document->writer, DEN_PART_SLIDE, 0, "");
    if (den_xml_attribute(document->xml, "visibility", shown, sizeof shown) &&
        strcmp(shown, "hidden") == 0)
        den_writer_note(document->writer, "The hidden slide %zu was read too.",
                        document->writer->part.number);
}

static void start_element(struct open_document *document)
{
    struct den_xml *xml = document->xml;
    char value[32];

    if (den_xml_is(xml, "p") || den_xml_is(xml, "h")) {
        start_paragraph(document, den_xml_is(xml, "h"));
    } else if (den_xml_is(xml, "note-body") || den_xml_is(xml, "annotation")) {
        if (document->in_note++ == 0)
            den_buffer_append_text(&document->notes,
                                   den_xml_is(xml, "annotation") ? "Comment: " : "Note: ");
    } else if (den_xml_is(xml, "list")) {
        document->lists++;
    } else if (den_xml_is(xml, "list-item")) {
        document->item_begun = true;
    } else if (den_xml_is(xml, "page")) {
        start_slide(document);
    } else if (den_xml_is(xml, "frame")) {
        document->in_shape_title =
            den_xml_attribute(xml, "class", value, sizeof value) && strcmp(value, "title") == 0;
    } else if (den_xml_is(xml, "notes")) {
        document->in_notes_page = 1;
    } else if (den_xml_is(xml, "table")) {
        if (document->is_sheets)
            start_sheet(document);
        else
            start_table(document);
    } else if (den_xml_is(xml, "table-row")) {
        if (document->tables == 1 && document->row_begun)
            den_writer_break(document->writer, '\n');
        document->row_begun = true;
        document->cell_begun = document->tables > 1 && document->cell_begun;
        document->column = 0;
        document->repeat_row = repeats(document, "number-rows-repeated");
    } else if (den_xml_is(xml, "table-cell") || den_xml_is(xml, "covered-table-cell")) {
        if (document->is_sheets)
            start_sheet_cell(document);
        else
            start_text_cell(document);
    } else if (!take_space(document)) {
        take_style(document);
    }
}

static void end_element(struct open_document *document)
{
    struct den_xml *xml = document->xml;

    if (den_xml_is(xml, "p") || den_xml_is(xml, "h")) {
        end_paragraph(document);
    } else if (den_xml_is(xml, "note-body") || den_xml_is(xml, "annotation")) {
        if (document->in_note > 0 && --document->in_note == 0)
            den_buffer_append_byte(&document->notes, '\0');
    } else if (den_xml_is(xml, "list")) {
        document->lists -= document->lists > 0;
    } else if (den_xml_is(xml, "page")) {
        den_writer_part_end(document->writer);
    } else if (den_xml_is(xml, "frame")) {
        document->in_shape_title = 0;
    } else if (den_xml_is(xml, "notes")) {
        document->in_notes_page = 0;
    } else if (den_xml_is(xml, "table")) {
        if (document->is_sheets)
            end_sheet(document);
        else
            end_table(document);
    } else if (den_xml_is(xml, "table-row")) {
        end_row(document);
    } else if (den_xml_is(xml, "table-cell") || den_xml_is(xml, "covered-table-cell")) {
        if (document->is_sheets)
            end_sheet_cell(document);
        else
            end_text_cell(document);
    }
}

static bool is_skipped(const struct den_xml *xml)
{
    return den_xml_is(xml, "tracked-changes") || den_xml_is(xml, "note-citation") ||
           den_xml_is(xml, "creator") || den_xml_is(xml, "date") ||
           den_xml_is(xml, "sequence-decls") || den_xml_is(xml, "forms") ||
           den_xml_is(xml, "page-number") || den_xml_is(xml, "event-listeners");
}

static void read_content(struct open_document *document)
{
    enum den_xml_event event;

    while ((event = den_xml_next(document->xml)) != DEN_XML_DONE &&
           !den_writer_failed(document->writer)) {
        if (event == DEN_XML_TEXT) {
            if (document->paragraphs > 0 || document->in_note > 0 || document->tables > 0 ||
                document->is_sheets)
                append(document, den_xml_text(document->xml));
        } else if (event == DEN_XML_START && is_skipped(document->xml)) {
            den_xml_skip(document->xml);
        } else if (event == DEN_XML_START) {
            start_element(document);
        } else {
            end_element(document);
        }
        if (document->text.status != DEN_OK)
            den_buffer_clear(&document->text);
        if (document->notes.status != DEN_OK)
            den_buffer_clear(&document->notes);
    }
}

enum den_status den_read_open_document(const struct den_input *input, struct den_writer *writer,
                                       struct den_error *err)
{
    struct open_document document = { .writer = writer, .err = err };

    document.is_sheets = input->format == DEN_FORMAT_OPEN_SHEETS;
    den_buffer_init(&document.text, DEN_DOCUMENT_PART_TEXT_MAX);
    den_buffer_init(&document.notes, NOTES_BYTES_MAX);
    if (den_package_open(input, &document.package, err) == DEN_OK &&
        den_xml_open(document.package, "content.xml", &document.xml, err) == DEN_OK) {
        den_package_facts(document.package, "meta.xml", writer);
        if (input->format == DEN_FORMAT_OPEN_TEXT)
            den_writer_part_begin(writer, DEN_PART_SECTION, 0, "");
        read_content(&document);
        den_writer_part_end(writer);
        if (den_xml_close(document.xml, err) == DEN_OK)
            den_writer_status(writer, err);
    }
    while (document.hidden_count > 0)
        free(document.hidden[--document.hidden_count]);
    den_buffer_deinit(&document.text);
    den_buffer_deinit(&document.notes);
    den_package_close(document.package);
    return err->status;
}
