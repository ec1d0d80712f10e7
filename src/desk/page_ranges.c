/* See page_ranges.h. */
#include "desk/page_ranges.h"

#include <stdarg.h>
#include <stdio.h>

void den_page_ranges_add(struct den_page_ranges *ranges, size_t page)
{
    const size_t used = ranges->used;

    if (used > 0 && ranges->last[used - 1] == page)
        return;
    ranges->count++;
    if (used > 0 && ranges->last[used - 1] + 1 == page) {
        ranges->last[used - 1] = page;
    } else if (used < DEN_PAGE_RANGES_MAX) {
        ranges->first[used] = ranges->last[used] = page;
        ranges->used++;
    }
}

__attribute__((format(printf, 4, 5))) static size_t append(char *out, size_t capacity,
                                                           size_t length, const char *format, ...)
{
    va_list arguments;
    int added;

    if (length >= capacity)
        return length;
    va_start(arguments, format);
    added = vsnprintf(out + length, capacity - length, format, arguments);
    va_end(arguments);
    return added < 0 ? length : length + (size_t)added;
}

void den_page_ranges_write(const struct den_page_ranges *ranges, char *out, size_t capacity)
{
    size_t length = append(out, capacity, 0, ranges->count == 1 ? "page" : "pages");
    size_t named = 0, i;

    for (i = 0; i < ranges->used; i++) {
        const size_t first = ranges->first[i], last = ranges->last[i];
        const char *before = i == 0 ? " " : i + 1 == ranges->used ? " and " : ", ";

        named += last - first + 1;
        if (first == last)
            length = append(out, capacity, length, "%s%zu", before, first);
        else
            length = append(out, capacity, length, "%s%zu %s %zu", before, first,
                            last == first + 1 && ranges->used == 1 ? "and" : "to", last);
    }
    if (named < ranges->count)
        append(out, capacity, length, ", and %zu more", ranges->count - named);
}
