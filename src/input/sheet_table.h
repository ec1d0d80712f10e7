/* Sheet table: cells in the order of a sheet's file, as table blocks with their range.
 *
 * Rows that follow each other are one block; an empty row ends it. Columns keep their places: an
 * empty cell is an empty one in the text too, from the sheet's first used column on. */
#ifndef DEN_INPUT_SHEET_TABLE_H
#define DEN_INPUT_SHEET_TABLE_H

#include "input/part_writer.h"

struct den_sheet_table {
    struct den_writer *writer;
    size_t left;           /* the sheet's first used column, from 0 */
    size_t first_row, row; /* of the open block, from 1; 0: none is open */
    size_t first_column, last_column;
    size_t column; /* where the next cell of the row stands */
};

void den_sheet_begin(struct den_sheet_table *table, struct den_writer *writer, size_t left);
/* Rows and columns go forward. Blank text is no cell. */
void den_sheet_cell(struct den_sheet_table *table, size_t row, size_t column, const char *text,
                    size_t length);
void den_sheet_end(struct den_sheet_table *table);

/* "B12" as a column from 0 and a row from 1; false: it is none. */
bool den_cell_parse(const char *name, size_t *out_column, size_t *out_row);
/* "B12"; `out` has 16 bytes. */
void den_cell_name(size_t column, size_t row, char out[16]);

#endif
