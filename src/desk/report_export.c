/* See report_export.h. */
#include "desk/report_export.h"

#include <string.h>

#include "desk/report_parts.h"

static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));

    return text ? text : "";
}

/* "page 7" of a passage; "" where its document has one part only. */
static void write_place(const json_t *passage, struct den_buffer *out)
{
    const json_t *part = json_object_get(passage, "part");

    if (strcmp(text_of(part, "kind"), "file") != 0)
        den_buffer_appendf(out, "%s %lld", text_of(part, "kind"),
                           (long long)json_integer_value(json_object_get(part, "number")));
}

static const json_t *passage_of(const json_t *report, const json_t *cell)
{
    const json_t *index = json_object_get(cell, "passage"),
                 *passages = json_object_get(json_object_get(report, "result"), "passages");

    return json_is_integer(index) ? json_array_get(passages, (size_t)json_integer_value(index))
                                  : NULL;
}

/* --- CSV --- */

static void write_field(const char *text, struct den_buffer *out)
{
    const bool is_formula = *text && strchr("=+-@\t\r", *text) != NULL,
               needs_quotes = strpbrk(text, "\",\r\n") != NULL;

    if (needs_quotes)
        den_buffer_append_byte(out, '"');
    if (is_formula)
        den_buffer_append_byte(out, '\'');
    for (; *text; text++) {
        if (*text == '"')
            den_buffer_append_byte(out, '"');
        den_buffer_append_byte(out, *text);
    }
    if (needs_quotes)
        den_buffer_append_byte(out, '"');
}

/* "Amount: page 1; Date: page 2 (not supported)"; of documents with one part, what is not. */
static void write_sources(const json_t *report, const json_t *row, struct den_buffer *out)
{
    const json_t *columns = json_object_get(report, "columns");
    struct den_buffer text, place;
    json_t *cell;
    size_t i;

    den_buffer_init(&text, DEN_CONTENT_BYTES_MAX);
    den_buffer_init(&place, DEN_CONTENT_BYTES_MAX);
    json_array_foreach(json_object_get(row, "cells"), i, cell)
    {
        const json_t *passage = passage_of(report, cell);
        const bool is_supported = json_is_true(json_object_get(cell, "supported"));

        den_buffer_clear(&place);
        if (passage)
            write_place(passage, &place);
        if (!passage || (is_supported && place.length == 0))
            continue;
        den_buffer_appendf(&text, "%s%s:%s%s%s", text.length > 0 ? "; " : "",
                           text_of(json_array_get(columns, i), "name"), place.length > 0 ? " " : "",
                           place.length > 0 ? place.data : "",
                           is_supported ? "" : " (not supported)");
    }
    write_field(text.data, out);
    den_buffer_deinit(&text);
    den_buffer_deinit(&place);
}

void den_report_write_csv(const json_t *report, struct den_buffer *out)
{
    json_t *column, *row, *cell;
    size_t i, k;

    den_buffer_append_text(out, "Document");
    json_array_foreach(json_object_get(report, "columns"), i, column)
    {
        den_buffer_append_byte(out, ',');
        write_field(text_of(column, "name"), out);
    }
    den_buffer_append_text(out, ",Sources\r\n");
    json_array_foreach(json_object_get(json_object_get(report, "result"), "rows"), i, row)
    {
        write_field(text_of(row, "name"), out);
        json_array_foreach(json_object_get(row, "cells"), k, cell)
        {
            den_buffer_append_byte(out, ',');
            write_field(text_of(cell, "text"), out);
        }
        den_buffer_append_byte(out, ',');
        write_sources(report, row, out);
        den_buffer_append_text(out, "\r\n");
    }
}

/* --- Markdown --- */

/* Within a row, a bar and a line break would end the cell. */
static void write_cell(const char *text, struct den_buffer *out)
{
    den_buffer_append_byte(out, ' ');
    for (; *text; text++) {
        if (*text == '|')
            den_buffer_append_byte(out, '\\');
        den_buffer_append_byte(out, *text == '\n' || *text == '\r' ? ' ' : *text);
    }
    den_buffer_append_text(out, " |");
}

static void write_table(const json_t *report, struct den_buffer *out)
{
    const json_t *columns = json_object_get(report, "columns");
    json_t *column, *row, *cell;
    size_t i, k;

    den_buffer_append_text(out, "| Document |");
    json_array_foreach(columns, i, column)
    {
        write_cell(text_of(column, "name"), out);
    }
    den_buffer_append_text(out, "\n|---|");
    for (i = 0; i < json_array_size(columns); i++)
        den_buffer_append_text(out, "---|");
    den_buffer_append_byte(out, '\n');
    json_array_foreach(json_object_get(json_object_get(report, "result"), "rows"), i, row)
    {
        den_buffer_append_byte(out, '|');
        write_cell(text_of(row, "name"), out);
        json_array_foreach(json_object_get(row, "cells"), k, cell)
        {
            struct den_buffer text;

            den_buffer_init(&text, DEN_CONTENT_BYTES_MAX);
            den_buffer_append_text(&text, text_of(cell, "text"));
            if (json_is_integer(json_object_get(cell, "passage")))
                den_buffer_appendf(&text, " [%lld]",
                                   (long long)json_integer_value(json_object_get(cell, "passage")) +
                                       1);
            write_cell(text.data, out);
            den_buffer_deinit(&text);
        }
        den_buffer_append_byte(out, '\n');
    }
}

void den_report_write_markdown(const json_t *report, struct den_buffer *out)
{
    const json_t *result = json_object_get(report, "result");
    json_t *passage;
    size_t i;

    den_buffer_appendf(out, "# %s\n\n", text_of(report, "title"));
    if (json_is_array(json_object_get(result, "rows")))
        write_table(report, out);
    else
        den_buffer_appendf(out, "%s\n", text_of(result, "text"));
    json_array_foreach(json_object_get(result, "passages"), i, passage)
    {
        struct den_buffer place;

        den_buffer_init(&place, DEN_CONTENT_BYTES_MAX);
        write_place(passage, &place);
        den_buffer_appendf(out, "%s[%zu] %s%s%s  \n", i == 0 ? "\n" : "", i + 1,
                           text_of(passage, "name"), place.length > 0 ? ", " : "", place.data);
        den_buffer_deinit(&place);
    }
}

/* --- files --- */

/* Letters and digits of the title; others become one '-'. */
static void make_name(const char *title, const char *end, char out[DEN_REPORT_NAME_BYTES])
{
    size_t used = 0;

    for (; *title && used < DEN_REPORT_NAME_BYTES - 16; title++) {
        const bool is_plain = (*title >= 'a' && *title <= 'z') ||
                              (*title >= 'A' && *title <= 'Z') || (*title >= '0' && *title <= '9');

        if (is_plain)
            out[used++] = *title;
        else if (used > 0 && out[used - 1] != '-')
            out[used++] = '-';
    }
    while (used > 0 && out[used - 1] == '-')
        used--;
    if (used == 0) {
        memcpy(out, "report", 6);
        used = 6;
    }
    memcpy(out + used, end, strlen(end) + 1);
}

enum den_status den_report_export(struct den_reports *reports, const char *id,
                                  enum den_report_format format, struct den_buffer *out,
                                  char out_name[DEN_REPORT_NAME_BYTES], struct den_error *err)
{
    json_t *report = NULL;

    if (den_report_get(reports, id, &report, err) != DEN_OK)
        return err->status;
    if (format == DEN_REPORT_CSV && strcmp(text_of(report, "kind"), "table") != 0)
        den_fail(err, DEN_UNSUPPORTED, "only tables are written as CSV; this is a %s",
                 text_of(report, "kind"));
    else if (format == DEN_REPORT_CSV)
        den_report_write_csv(report, out);
    else
        den_report_write_markdown(report, out);
    make_name(text_of(report, "title"), format == DEN_REPORT_CSV ? ".csv" : ".md", out_name);
    json_decref(report);
    return err->status == DEN_OK ? den_buffer_status(out, "the report", err) : err->status;
}
