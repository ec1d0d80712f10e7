/* Lines of a text, with their places: what the readers of plain formats walk over. */
#ifndef DEN_INPUT_LINES_H
#define DEN_INPUT_LINES_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

struct den_line {
    const char *text;
    size_t at, length; /* without its end */
    size_t next;       /* where the next one begins; the text's length after the last */
};

/* The line that begins at `at`, which is below `length`. */
static inline struct den_line den_line_at(const char *text, size_t length, size_t at)
{
    struct den_line line = { .text = text + at, .at = at };
    size_t end = at;

    while (end < length && text[end] != '\n' && text[end] != '\r')
        end++;
    line.length = end - at;
    line.next = end;
    if (end < length)
        line.next += text[end] == '\r' && end + 1 < length && text[end + 1] == '\n' ? 2 : 1;
    return line;
}

static inline bool den_line_is_blank(const struct den_line *line)
{
    size_t i;

    for (i = 0; i < line->length; i++)
        if (line->text[i] != ' ' && line->text[i] != '\t' && line->text[i] != '\f')
            return false;
    return true;
}

#endif
