/* Excel (.xlsx): each sheet a part, its cells a table with its range.
 *
 * What is shown is what the file holds of what Excel showed: cached values of formulas, shared
 * strings, numbers with at most 15 digits, dates where the cell's style says so (in ISO form, not
 * in the style's), percentages. Hidden sheets are read and named in the note. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "input/dates.h"
#include "input/sheet_table.h"
#include "input/xml.h"

enum { STYLES_MAX = 65536, NAME_BYTES = 512, FORMAT_BYTES = 256, SHEETS_MAX = 10000 };
enum look { LOOK_PLAIN, LOOK_DATE, LOOK_PERCENT };

struct custom_format {
    long id;
    enum look look;
};

struct sheets {
    struct den_package *package;
    struct den_writer *writer;
    struct den_xml *xml;
    struct den_error *err;
    struct den_buffer strings; /* all shared strings, one behind the other */
    size_t *string_ends;
    size_t string_count, string_capacity;
    struct custom_format *formats;
    size_t format_count;
    unsigned char *looks; /* of each cell style */
    size_t look_count;
    bool from_1904;
    struct den_buffer cell;
};

static enum den_status fail_memory(struct sheets *sheets)
{
    return den_fail(sheets->err, DEN_NO_MEMORY, "%s: out of memory",
                    den_package_file(sheets->package));
}

/* --- shared strings --- */

static bool end_string(struct sheets *sheets)
{
    if (sheets->string_count == sheets->string_capacity) {
        size_t wanted = sheets->string_capacity ? sheets->string_capacity * 2 : 1024;
        size_t *grown = realloc(sheets->string_ends, wanted * sizeof *grown);

        if (!grown)
            return false;
        sheets->string_ends = grown;
        sheets->string_capacity = wanted;
    }
    sheets->string_ends[sheets->string_count++] = sheets->strings.length;
    return true;
}

static enum den_status read_strings(struct sheets *sheets, const char *member)
{
    bool in_text = false;
    enum den_xml_event event;

    if (!member || !den_package_has(sheets->package, member))
        return DEN_OK;
    if (den_xml_open(sheets->package, member, &sheets->xml, sheets->err) != DEN_OK)
        return sheets->err->status;
    while ((event = den_xml_next(sheets->xml)) != DEN_XML_DONE) {
        if (event == DEN_XML_TEXT) {
            if (in_text)
                den_buffer_append_text(&sheets->strings, den_xml_text(sheets->xml));
            continue;
        }
        if (event == DEN_XML_START && den_xml_is(sheets->xml, "rPh"))
            den_xml_skip(sheets->xml); /* how it is pronounced */
        else if (event == DEN_XML_END && den_xml_is(sheets->xml, "si") && !end_string(sheets)) {
            fail_memory(sheets);
            break;
        }
        in_text = event == DEN_XML_START && den_xml_is(sheets->xml, "t");
    }
    den_xml_close(sheets->xml, sheets->err);
    return sheets->err->status == DEN_OK
               ? den_buffer_status(&sheets->strings, "shared strings", sheets->err)
               : sheets->err->status;
}

/* --- styles --- */

/* Whether a number format's code has letters of dates outside of quotes and brackets. */
static enum look look_of_code(const char *code)
{
    bool quoted = false, bracketed = false, percent = false;

    for (; *code; code++) {
        if (*code == '"')
            quoted = !quoted;
        else if (quoted)
            continue;
        else if (*code == '\\' && code[1])
            code++;
        else if (*code == '[' || *code == ']')
            bracketed = *code == '[';
        else if (bracketed)
            continue;
        else if (strchr("yYmMdDhHsS", *code))
            return LOOK_DATE;
        else
            percent = percent || *code == '%';
    }
    return percent ? LOOK_PERCENT : LOOK_PLAIN;
}

static enum look look_of_format(const struct sheets *sheets, long id)
{
    size_t i;

    for (i = 0; i < sheets->format_count; i++)
        if (sheets->formats[i].id == id)
            return sheets->formats[i].look;
    if ((id >= 14 && id <= 22) || (id >= 27 && id <= 36) || (id >= 45 && id <= 47) ||
        (id >= 50 && id <= 58))
        return LOOK_DATE;
    return id == 9 || id == 10 ? LOOK_PERCENT : LOOK_PLAIN;
}

static bool add_format(struct sheets *sheets)
{
    char code[FORMAT_BYTES];
    struct custom_format *grown;

    if (sheets->format_count >= STYLES_MAX ||
        !den_xml_attribute(sheets->xml, "formatCode", code, sizeof code))
        return true;
    grown = realloc(sheets->formats, (sheets->format_count + 1) * sizeof *grown);
    if (!grown)
        return false;
    sheets->formats = grown;
    grown[sheets->format_count++] =
        (struct custom_format){ .id = den_xml_attribute_number(sheets->xml, "numFmtId", -1),
                                .look = look_of_code(code) };
    return true;
}

static bool add_look(struct sheets *sheets)
{
    unsigned char *grown;
    long id = den_xml_attribute_number(sheets->xml, "numFmtId", 0);

    if (sheets->look_count >= STYLES_MAX)
        return true;
    grown = realloc(sheets->looks, sheets->look_count + 1);
    if (!grown)
        return false;
    sheets->looks = grown;
    grown[sheets->look_count++] = (unsigned char)look_of_format(sheets, id);
    return true;
}

static enum den_status read_styles(struct sheets *sheets, const char *member)
{
    bool in_cells = false, fine = true;
    enum den_xml_event event;

    if (!member || !den_package_has(sheets->package, member))
        return DEN_OK;
    if (den_xml_open(sheets->package, member, &sheets->xml, sheets->err) != DEN_OK)
        return sheets->err->status;
    while (fine && (event = den_xml_next(sheets->xml)) != DEN_XML_DONE) {
        if (event == DEN_XML_TEXT)
            continue;
        if (den_xml_is(sheets->xml, "cellXfs"))
            in_cells = event == DEN_XML_START;
        else if (event == DEN_XML_START && den_xml_is(sheets->xml, "numFmt"))
            fine = add_format(sheets);
        else if (event == DEN_XML_START && in_cells && den_xml_is(sheets->xml, "xf"))
            fine = add_look(sheets);
    }
    den_xml_close(sheets->xml, sheets->err);
    return fine ? sheets->err->status : fail_memory(sheets);
}

/* --- cells --- */

static void show_number(const struct sheets *sheets, struct den_buffer *cell, long style)
{
    enum look look = style >= 0 && (size_t)style < sheets->look_count
                         ? (enum look)sheets->looks[style]
                         : LOOK_PLAIN;
    char *end, shown[DEN_DATE_BYTES];
    double value = strtod(cell->data, &end);

    if (end == cell->data || *end || !isfinite(value))
        return; /* as it stands */
    if (look == LOOK_DATE)
        den_date_of_serial(value, sheets->from_1904, shown);
    else if (look == LOOK_PERCENT)
        snprintf(shown, sizeof shown, "%.10g%%", value * 100);
    else
        snprintf(shown, sizeof shown, "%.15g", value);
    den_buffer_clear(cell);
    den_buffer_append_text(cell, shown);
}

static void show_shared(const struct sheets *sheets, struct den_buffer *cell)
{
    char *end;
    unsigned long index = strtoul(cell->data, &end, 10);
    size_t start;

    if (end == cell->data || index >= sheets->string_count) {
        den_buffer_clear(cell);
        return;
    }
    start = index > 0 ? sheets->string_ends[index - 1] : 0;
    den_buffer_clear(cell);
    den_buffer_append(cell, sheets->strings.data + start, sheets->string_ends[index] - start);
}

struct cursor {
    size_t row, column;
    char type[16];
    long style;
};

static void begin_cell(struct sheets *sheets, struct cursor *cursor)
{
    char name[24];
    size_t row, column;

    cursor->type[0] = '\0';
    cursor->column++;
    if (den_xml_attribute(sheets->xml, "r", name, sizeof name) &&
        den_cell_parse(name, &column, &row)) {
        cursor->column = column + 1;
        cursor->row = row;
    }
    den_xml_attribute(sheets->xml, "t", cursor->type, sizeof cursor->type);
    cursor->style = den_xml_attribute_number(sheets->xml, "s", -1);
    den_buffer_clear(&sheets->cell);
}

static void end_cell(struct sheets *sheets, const struct cursor *cursor,
                     struct den_sheet_table *table)
{
    struct den_buffer *cell = &sheets->cell;

    if (cell->length == 0 || cell->status != DEN_OK || cursor->column == 0 ||
        cursor->column > DEN_DOCUMENT_COLUMNS_MAX)
        return;
    if (strcmp(cursor->type, "s") == 0)
        show_shared(sheets, cell);
    else if (strcmp(cursor->type, "b") == 0) {
        const char *truth = cell->data[0] == '1' ? "TRUE" : "FALSE";

        den_buffer_clear(cell);
        den_buffer_append_text(cell, truth);
    } else if (cursor->type[0] == '\0' || strcmp(cursor->type, "n") == 0)
        show_number(sheets, cell, cursor->style);
    den_sheet_cell(table, cursor->row, cursor->column - 1, cell->data, cell->length);
}

static size_t first_column(struct sheets *sheets)
{
    char range[48];
    size_t row, column;
    char *colon;

    if (!den_xml_attribute(sheets->xml, "ref", range, sizeof range))
        return 0;
    colon = strchr(range, ':');
    if (colon)
        *colon = '\0';
    return den_cell_parse(range, &column, &row) ? column : 0;
}

static void read_cells(struct sheets *sheets)
{
    struct den_sheet_table table;
    struct cursor cursor = { 0 };
    bool in_value = false, in_cell = false;
    enum den_xml_event event;

    den_sheet_begin(&table, sheets->writer, 0);
    while ((event = den_xml_next(sheets->xml)) != DEN_XML_DONE &&
           !den_writer_failed(sheets->writer)) {
        bool start = event == DEN_XML_START;

        if (event == DEN_XML_TEXT) {
            if (in_value)
                den_buffer_append_text(&sheets->cell, den_xml_text(sheets->xml));
            continue;
        }
        in_value =
            start && in_cell && (den_xml_is(sheets->xml, "v") || den_xml_is(sheets->xml, "t"));
        if (start && den_xml_is(sheets->xml, "dimension")) {
            table.left = first_column(sheets);
        } else if (start && den_xml_is(sheets->xml, "row")) {
            long row = den_xml_attribute_number(sheets->xml, "r", (long)cursor.row + 1);

            cursor.row = row > 0 && row <= DEN_DOCUMENT_ROWS_MAX ? (size_t)row : cursor.row + 1;
            cursor.column = 0;
        } else if (den_xml_is(sheets->xml, "c")) {
            if (start)
                begin_cell(sheets, &cursor);
            else
                end_cell(sheets, &cursor, &table);
            in_cell = start;
        } else if (start && den_xml_is(sheets->xml, "rPh")) {
            den_xml_skip(sheets->xml);
        }
    }
    den_sheet_end(&table);
}

/* --- comments --- */

static enum den_status read_comments(struct sheets *sheets, const char *member)
{
    bool in_text = false, open = false;
    enum den_xml_event event;
    char cell[24];

    if (!member || !den_package_has(sheets->package, member))
        return DEN_OK;
    if (den_xml_open(sheets->package, member, &sheets->xml, sheets->err) != DEN_OK)
        return sheets->err->status;
    while ((event = den_xml_next(sheets->xml)) != DEN_XML_DONE) {
        if (event == DEN_XML_TEXT) {
            if (in_text && open)
                den_writer_string(sheets->writer, den_xml_text(sheets->xml));
            continue;
        }
        in_text = event == DEN_XML_START && den_xml_is(sheets->xml, "t");
        if (!den_xml_is(sheets->xml, "comment"))
            continue;
        open = event == DEN_XML_START;
        if (!open) {
            den_writer_block_end(sheets->writer);
            continue;
        }
        den_writer_block_begin(sheets->writer, DEN_BLOCK_NOTE, 0);
        if (den_xml_attribute(sheets->xml, "ref", cell, sizeof cell)) {
            den_writer_range(sheets->writer, cell);
            den_writer_string(sheets->writer, cell);
            den_writer_string(sheets->writer, ": ");
        }
    }
    return den_xml_close(sheets->xml, sheets->err);
}

/* --- the workbook --- */

struct sheet {
    char name[NAME_BYTES], id[NAME_BYTES];
    bool hidden;
};

static enum den_status read_sheet(struct sheets *sheets, const struct sheet *sheet, size_t number,
                                  const char *member)
{
    struct den_relations relations;
    const char *comments;

    if (den_relations_read(sheets->package, member, &relations, sheets->err) != DEN_OK)
        return sheets->err->status;
    comments = den_relations_by_type(&relations, "comments");
    den_writer_part_begin(sheets->writer, DEN_PART_SHEET, number, sheet->name);
    if (sheet->hidden)
        den_writer_note(sheets->writer, "The hidden sheet '%.100s' was read too.", sheet->name);
    if (den_xml_open(sheets->package, member, &sheets->xml, sheets->err) == DEN_OK) {
        read_cells(sheets);
        if (den_xml_close(sheets->xml, sheets->err) == DEN_OK)
            read_comments(sheets, comments);
    }
    den_writer_part_end(sheets->writer);
    den_relations_free(&relations);
    return sheets->err->status;
}

/* Names and ids in the workbook's order; *out is freed with free(). */
static enum den_status list_sheets(struct sheets *sheets, const char *workbook, struct sheet **out,
                                   size_t *out_count)
{
    struct sheet *list = NULL, *grown;
    size_t count = 0;
    enum den_xml_event event;
    char state[16];

    if (den_xml_open(sheets->package, workbook, &sheets->xml, sheets->err) != DEN_OK)
        return sheets->err->status;
    while ((event = den_xml_next(sheets->xml)) != DEN_XML_DONE) {
        if (event != DEN_XML_START)
            continue;
        if (den_xml_is(sheets->xml, "workbookPr") &&
            den_xml_attribute(sheets->xml, "date1904", state, sizeof state))
            sheets->from_1904 = state[0] == '1' || state[0] == 't';
        if (!den_xml_is(sheets->xml, "sheet") || count >= SHEETS_MAX)
            continue;
        grown = realloc(list, (count + 1) * sizeof *list);
        if (!grown) {
            fail_memory(sheets);
            break;
        }
        list = grown;
        list[count] = (struct sheet){ 0 };
        den_xml_attribute(sheets->xml, "name", list[count].name, NAME_BYTES);
        if (!den_xml_relation(sheets->xml, list[count].id, NAME_BYTES))
            continue;
        list[count].hidden = den_xml_attribute(sheets->xml, "state", state, sizeof state) &&
                             strcmp(state, "visible") != 0;
        count++;
    }
    *out = list;
    *out_count = count;
    return den_xml_close(sheets->xml, sheets->err);
}

static enum den_status read_workbook(struct sheets *sheets, const char *workbook)
{
    struct den_relations relations = { 0 };
    struct sheet *list = NULL;
    size_t count = 0, i;

    if (den_relations_read(sheets->package, workbook, &relations, sheets->err) != DEN_OK ||
        read_styles(sheets, den_relations_by_type(&relations, "styles")) != DEN_OK ||
        read_strings(sheets, den_relations_by_type(&relations, "sharedStrings")) != DEN_OK ||
        list_sheets(sheets, workbook, &list, &count) != DEN_OK)
        goto done;
    for (i = 0; i < count && sheets->err->status == DEN_OK; i++) {
        const char *member = den_relations_by_id(&relations, list[i].id);

        if (member && den_package_has(sheets->package, member))
            read_sheet(sheets, &list[i], i + 1, member);
    }
done:
    free(list);
    den_relations_free(&relations);
    return sheets->err->status;
}

enum den_status den_read_sheets(const struct den_input *input, struct den_writer *writer,
                                struct den_error *err)
{
    struct sheets sheets = { .writer = writer, .err = err };
    char *workbook = NULL;

    den_buffer_init(&sheets.strings, DEN_DOCUMENT_STRINGS_MAX);
    den_buffer_init(&sheets.cell, DEN_DOCUMENT_CELL_BYTES_MAX);
    if (den_package_open(input, &sheets.package, err) == DEN_OK)
        workbook = den_package_main(sheets.package, "xl/workbook.xml", err);
    if (workbook) {
        den_package_facts(sheets.package, "docProps/core.xml", writer);
        if (read_workbook(&sheets, workbook) == DEN_OK)
            den_writer_status(writer, err);
    }
    free(workbook);
    free(sheets.string_ends);
    free(sheets.formats);
    free(sheets.looks);
    den_buffer_deinit(&sheets.strings);
    den_buffer_deinit(&sheets.cell);
    den_package_close(sheets.package);
    return err->status;
}
