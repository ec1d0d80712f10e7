/* Reading lines: what a reader's child says, on its way to the sink.
 *
 * The child may have been taken over by what it read, so nothing it says is believed: lines are
 * bounded in length and number, parsed with bounds, and checked field by field; it can't say more
 * than a reader may. input/document.h has the format. */
#ifndef DEN_DESK_READING_LINES_H
#define DEN_DESK_READING_LINES_H

#include "base/buffer.h"
#include "input/document.h"

struct den_reading_members;

struct den_reading_lines {
    const char *name;                    /* of the file, for messages */
    struct den_reading_members *members; /* take what is read otherwise; NULL: the child may not */
    const struct den_document_sink *sink;
    struct den_buffer pending; /* the start of a line */
    size_t part_count;
    bool has_ended;          /* the last line came ... */
    struct den_error ending; /* ... and said this */
};
void den_reading_lines_init(struct den_reading_lines *lines, const char *name,
                            const struct den_document_sink *sink);
void den_reading_lines_deinit(struct den_reading_lines *lines);

/* `bytes` as they came, cut anywhere. Fails as the sink does, and with DEN_BAD_FILE or
 * DEN_TOO_LARGE where the lines are not what they should be. */
enum den_status den_reading_lines_take(struct den_reading_lines *lines, const char *bytes,
                                       size_t length, struct den_error *err);

#endif
