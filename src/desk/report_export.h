/* Report export: reports as files for other programs.
 *
 * A table is CSV by RFC 4180: a header, CRLF behind each row, fields in quotes where they need
 * them. A spreadsheet would run a cell that begins with '=', '+', '-', '@', a tab or a carriage
 * return: such a cell gets an apostrophe before it. Everything is Markdown: the text, or the table,
 * and below it where each marker leads. */
#ifndef DEN_DESK_REPORT_EXPORT_H
#define DEN_DESK_REPORT_EXPORT_H

#include <jansson.h>

#include "base/buffer.h"

/* `report` has its result. Each row ends with a field that says where its values stand. */
void den_report_write_csv(const json_t *report, struct den_buffer *out);
void den_report_write_markdown(const json_t *report, struct den_buffer *out);

#endif
