/* Page ranges: page numbers as people write them: "3, 7 to 9 and 12". */
#ifndef DEN_DESK_PAGE_RANGES_H
#define DEN_DESK_PAGE_RANGES_H

#include <stddef.h>

enum { DEN_PAGE_RANGES_MAX = 64 };
struct den_page_ranges { /* begins as { 0 } */
    size_t count;        /* of pages */
    size_t used;
    size_t first[DEN_PAGE_RANGES_MAX], last[DEN_PAGE_RANGES_MAX];
};
/* Pages come in rising order; when the ranges are used up, pages are counted and not named. */
void den_page_ranges_add(struct den_page_ranges *ranges, size_t page);
/* "page 3", "pages 3, 7 to 9 and 12", with ", and 40 more" where some are not named. Cut where it
 * does not fit. */
void den_page_ranges_write(const struct den_page_ranges *ranges, char *out, size_t capacity);

#endif
