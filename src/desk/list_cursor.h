/* List cursor: how long lists are handed out a piece at a time.
 *
 * A list is sorted by one to three numbers of its rows; its "next" holds those of the last row that
 * was given ("3_1700000000000_12"), and the query for the next piece asks for what is behind them.
 * So a piece costs the same wherever it lies, and rows that come or go between two pieces make none
 * appear twice. */
#ifndef DEN_DESK_LIST_CURSOR_H
#define DEN_DESK_LIST_CURSOR_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

struct den_query;

enum { DEN_CURSOR_NUMBERS_MAX = 3, DEN_CURSOR_TEXT_BYTES = 64 };

/* `text` NULL leaves `numbers` as they are: before the first row. DEN_INVALID: it is no "next". */
enum den_status den_cursor_read(const char *text, size_t count, int64_t *numbers,
                                struct den_error *err);

/* 0 is 50. */
size_t den_list_limit(size_t asked, size_t maximum);

struct den_list_piece {
    size_t limit; /* the query gives one row more, if there is one */
    size_t count; /* of the columns that the list is sorted by */
    int columns[DEN_CURSOR_NUMBERS_MAX];
    json_t *(*row_json)(void *context, struct den_query *query);
    void *context;
};
/* {`name`: rows, "next": text or null}, of a query that was started. Ends the query. */
enum den_status den_list_read(struct den_query *query, const struct den_list_piece *piece,
                              const char *name, json_t **out, struct den_error *err);

#endif
