/* How a format writes one call: shared by the description of tools and the history as text. */
#ifndef DEN_TEXT_ANSWER_FORMAT_WRITE_H
#define DEN_TEXT_ANSWER_FORMAT_WRITE_H

#include "text/answer_format.h"

/* Appends a call without what stands around a list of calls. `arguments` is JSON, or what the
 * format has in its place. */
void den_answer_format_write_call(const struct den_answer_format *format, const char *name,
                                  const char *arguments, struct den_buffer *out);

#endif
