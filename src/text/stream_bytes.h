/* The stream on bytes: what den_stream_push() builds on, and what tests drive. */
#ifndef DEN_TEXT_STREAM_BYTES_H
#define DEN_TEXT_STREAM_BYTES_H

#include "text/stream.h"

/* As den_stream_push(), with a token's bytes instead of the token. */
enum den_status den_stream_push_bytes(struct den_stream *stream, const char *bytes, size_t length,
                                      struct den_buffer *out, bool *out_stopped,
                                      struct den_error *err);

#endif
