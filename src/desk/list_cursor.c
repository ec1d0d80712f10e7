/* See list_cursor.h. */
#include "desk/list_cursor.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "store/query.h"

enum { LIMIT_DEFAULT = 50 };

enum den_status den_cursor_read(const char *text, size_t count, int64_t *numbers,
                                struct den_error *err)
{
    int64_t read[DEN_CURSOR_NUMBERS_MAX];
    size_t i;

    if (!text)
        return DEN_OK;
    for (i = 0; i < count; i++) {
        char *end;

        errno = 0;
        read[i] = *text >= '0' && *text <= '9' ? strtoll(text, &end, 10) : -1;
        if (read[i] < 0 || errno || *end != (i + 1 < count ? '_' : '\0'))
            return den_fail(err, DEN_INVALID, "'before' must be the 'next' of another list");
        text = end + 1;
    }
    for (i = 0; i < count; i++)
        numbers[i] = read[i];
    return DEN_OK;
}

size_t den_list_limit(size_t asked, size_t maximum)
{
    return asked == 0 ? LIMIT_DEFAULT : asked > maximum ? maximum : asked;
}

static void write_cursor(const int64_t *numbers, size_t count, char out[DEN_CURSOR_TEXT_BYTES])
{
    size_t used = 0, i;

    for (i = 0; i < count && used < DEN_CURSOR_TEXT_BYTES; i++)
        used += (size_t)snprintf(out + used, DEN_CURSOR_TEXT_BYTES - used, "%s%" PRId64,
                                 i ? "_" : "", numbers[i]);
}

/* One row more than asked for tells whether there is a next piece. */
static enum den_status read_rows(struct den_query *query, const struct den_list_piece *piece,
                                 json_t *rows, char next[DEN_CURSOR_TEXT_BYTES],
                                 struct den_error *err)
{
    int64_t last[DEN_CURSOR_NUMBERS_MAX] = { 0 };
    size_t i;

    while (den_query_next(query, err)) {
        if (json_array_size(rows) == piece->limit) {
            write_cursor(last, piece->count, next);
            break;
        }
        for (i = 0; i < piece->count; i++)
            last[i] = den_query_integer(query, piece->columns[i]);
        if (json_array_append_new(rows, piece->row_json(piece->context, query)) != 0)
            den_fail(err, DEN_NO_MEMORY, "lists: out of memory");
    }
    return err->status;
}

enum den_status den_list_read(struct den_query *query, const struct den_list_piece *piece,
                              const char *name, json_t **out, struct den_error *err)
{
    char next[DEN_CURSOR_TEXT_BYTES] = "";
    json_t *rows = json_array(), *list;

    if (read_rows(query, piece, rows, next, err) == DEN_OK) {
        list = json_pack("{s:O, s:s?}", name, rows, "next", *next ? next : NULL);
        if (list)
            *out = list;
        else
            den_fail(err, DEN_NO_MEMORY, "lists: out of memory");
    }
    den_query_end(query);
    json_decref(rows);
    return err->status;
}
