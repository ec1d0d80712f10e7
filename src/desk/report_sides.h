/* Report sides: a document as the units that a comparison is made of.
 *
 * Sentences, each embedded for this, while both documents have few enough; else the library's
 * passages with the vectors that they have. */
#ifndef DEN_DESK_REPORT_SIDES_H
#define DEN_DESK_REPORT_SIDES_H

#include "desk/report_pairs.h"
#include "desk/report_parts.h"

/* An item of the document. */
struct den_side_item {
    int64_t row;
    char *text;
};
struct den_side {
    struct den_side_item *items;
    size_t item_count;
    struct den_unit *units; /* their `passage` is the index of an item */
    size_t unit_count;
    float *vectors; /* of the units; NULL: none */
    size_t width;
};
/* Both documents; DEN_TOO_LARGE: one has more than DEN_REPORT_COMPARED_MAX passages. */
enum den_status den_report_sides(struct den_report *report, const char *const documents[2],
                                 struct den_side out[2], struct den_error *err);
void den_side_deinit(struct den_side *side);

#endif
