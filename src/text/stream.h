/* Stream: tokens in, text out, with nothing premature. Bytes are held back while they may be part
 * of an unfinished character or of a stop string that has begun; a stop string ends the stream and
 * is not part of its text. */
#ifndef DEN_TEXT_STREAM_H
#define DEN_TEXT_STREAM_H

#include "text/tokenizer.h"

struct den_stream;

enum den_status den_stream_create(const struct den_tokenizer *tokenizer, const char *const *stops,
                                  size_t stop_count, struct den_stream **out,
                                  struct den_error *err);
void den_stream_destroy(struct den_stream *stream);

/* Adds a token; appends to `out` what has become certain. *out_stopped: a stop string was completed
 * (its index is den_stream_stop()), and further pushes add nothing. */
enum den_status den_stream_push(struct den_stream *stream, den_token token, struct den_buffer *out,
                                bool *out_stopped, struct den_error *err);
/* The end: appends what was held back; an unfinished character becomes U+FFFD. */
enum den_status den_stream_finish(struct den_stream *stream, struct den_buffer *out,
                                  struct den_error *err);
/* Index of the stop string that ended the stream, or -1. */
int den_stream_stop(const struct den_stream *stream);

#endif
