/* See sheet_table.h. */
#include "input/sheet_table.h"

#include <stdio.h>
#include <string.h>

enum { GAP_COLUMNS_MAX = 256 }; /* a hole so wide is not drawn, or one cell could cost 16 KiB */

void den_sheet_begin(struct den_sheet_table *table, struct den_writer *writer, size_t left)
{
    *table = (struct den_sheet_table){ .writer = writer, .left = left };
}

bool den_cell_parse(const char *name, size_t *out_column, size_t *out_row)
{
    size_t column = 0, row = 0;

    while (*name >= 'A' && *name <= 'Z' && column <= DEN_DOCUMENT_COLUMNS_MAX)
        column = column * 26 + (size_t)(*name++ - 'A' + 1);
    while (*name >= '0' && *name <= '9' && row <= DEN_DOCUMENT_ROWS_MAX)
        row = row * 10 + (size_t)(*name++ - '0');
    if (column == 0 || column > DEN_DOCUMENT_COLUMNS_MAX || row == 0 ||
        row > DEN_DOCUMENT_ROWS_MAX || *name)
        return false;
    *out_column = column - 1;
    *out_row = row;
    return true;
}

void den_cell_name(size_t column, size_t row, char out[16])
{
    char letters[8];
    size_t count = 0, at = 0;

    for (column++; column > 0 && count < sizeof letters; column = (column - 1) / 26)
        letters[count++] = (char)('A' + (column - 1) % 26);
    while (count > 0)
        out[at++] = letters[--count];
    snprintf(out + at, 16 - at, "%zu", row % 100000000);
}

static void end_block(struct den_sheet_table *table)
{
    char first[16], last[16], range[40];

    if (table->first_row == 0)
        return;
    den_cell_name(table->first_column, table->first_row, first);
    den_cell_name(table->last_column, table->row, last);
    snprintf(range, sizeof range, "%s:%s", first, last);
    den_writer_range(table->writer, range);
    den_writer_block_end(table->writer);
    table->first_row = 0;
}

static void begin_row(struct den_sheet_table *table, size_t row)
{
    if (table->first_row > 0 &&
        (row != table->row + 1 || den_writer_is_nearly_full(table->writer))) {
        end_block(table);
        if (den_writer_is_nearly_full(table->writer))
            den_writer_part_continue(table->writer);
    }
    if (table->first_row == 0) {
        den_writer_block_begin(table->writer, DEN_BLOCK_TABLE, 0);
        table->first_row = row;
        table->first_column = DEN_DOCUMENT_COLUMNS_MAX;
        table->last_column = 0;
    } else {
        den_writer_break(table->writer, '\n');
    }
    table->row = row;
    table->column = table->left;
}

void den_sheet_cell(struct den_sheet_table *table, size_t row, size_t column, const char *text,
                    size_t length)
{
    size_t i;

    while (length > 0 && strchr(" \t\r\n", text[length - 1]) && text[length - 1])
        length--;
    if (length == 0 || row == 0 || (table->first_row > 0 && row < table->row))
        return;
    if (table->first_row == 0 || row > table->row)
        begin_row(table, row);
    for (i = 0; table->column < column && i < GAP_COLUMNS_MAX; i++, table->column++)
        den_writer_break(table->writer, '\t');
    table->column = column > table->column ? column : table->column;
    den_writer_text(table->writer, text, length);
    if (column < table->first_column)
        table->first_column = column;
    if (column > table->last_column)
        table->last_column = column;
}

void den_sheet_end(struct den_sheet_table *table)
{
    end_block(table);
}
