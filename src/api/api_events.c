/* GET /api/events: what changes, as server-sent events, for as long as the page is open.
 *
 * The stream begins with "hello"; a comment goes out when nothing else has for a while, so that
 * proxies keep the connection and a page that is gone is noticed. A reader so slow that its queue
 * is full is cut off: the page connects again and reads its thread anew. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/api_threads.h"
#include "api/reply.h"
#include "base/clock.h"
#include "base/limits.h"
#include "desk/events.h"
#include "desk/threads.h"

enum {
    SILENCE_SECONDS_MAX = 15,
    BLOCK_BYTES = 16 << 10,
    NAME_BYTES_MAX = 64,
};

struct stream {
    struct den_request *request;
    struct den_listener *listener;
    struct den_buffer out; /* what is being sent, from `sent` on */
    size_t sent;
};

static void write_event(struct stream *stream, const char *name, const char *data, size_t length)
{
    den_buffer_append_text(&stream->out, "event: ");
    den_buffer_append_text(&stream->out, name);
    den_buffer_append_text(&stream->out, "\ndata: ");
    den_buffer_append(&stream->out, data, length);
    den_buffer_append_text(&stream->out, "\n\n");
}

static size_t take_bytes(struct stream *stream, char *out, size_t capacity)
{
    size_t length = stream->out.length - stream->sent;

    if (length > capacity)
        length = capacity;
    memcpy(out, stream->out.data + stream->sent, length);
    stream->sent += length;
    if (stream->sent == stream->out.length) {
        den_buffer_clear(&stream->out);
        stream->sent = 0;
    }
    return length;
}

/* Moves events from the listener's queue to `out` until a block is full or none is left; false: the
 * listener is lost. */
static bool fetch_events(struct stream *stream)
{
    const struct den_event *event;
    bool is_lost = false;

    while (stream->out.length < BLOCK_BYTES) {
        event = den_listener_take(stream->listener, &is_lost);
        if (!event)
            break;
        write_event(stream, event->name, event->data, event->length);
        den_event_release(event);
    }
    return !is_lost && stream->out.status == DEN_OK;
}

static ssize_t read_stream(void *context, uint64_t position, char *out, size_t capacity)
{
    struct stream *stream = context;

    (void)position;
    for (;;) {
        if (stream->out.length == 0 && !fetch_events(stream))
            return MHD_CONTENT_READER_END_WITH_ERROR;
        if (stream->out.length > 0)
            return (ssize_t)take_bytes(stream, out, capacity);
        switch (den_request_wait(stream->request, den_listener_fd(stream->listener),
                                 SILENCE_SECONDS_MAX)) {
        case DEN_WAIT_READY:
            break;
        case DEN_WAIT_TIMEOUT:
            den_buffer_append_text(&stream->out, ": still here\n\n");
            break;
        case DEN_WAIT_GONE:
            return MHD_CONTENT_READER_END_WITH_ERROR;
        }
    }
}

static void free_stream(void *context)
{
    struct stream *stream = context;

    den_listener_destroy(stream->listener);
    den_buffer_deinit(&stream->out);
    free(stream);
}

static struct stream *open_stream(struct den_request *request, const char *thread,
                                  struct den_error *err)
{
    struct stream *stream = calloc(1, sizeof *stream);
    char hello[NAME_BYTES_MAX];

    if (!stream) {
        den_fail(err, DEN_NO_MEMORY, "events: out of memory");
        return NULL;
    }
    stream->request = request;
    den_buffer_init(&stream->out, DEN_LISTENER_BYTES_MAX * 8ul + BLOCK_BYTES);
    if (den_listener_create(den_threads_events(den_request_threads(request)), thread,
                            &stream->listener, err) != DEN_OK) {
        free_stream(stream);
        return NULL;
    }
    snprintf(hello, sizeof hello, "{\"now\":%lld}", (long long)den_clock_unix_ms());
    write_event(stream, "hello", hello, strlen(hello));
    return stream;
}

enum MHD_Result den_route_events(struct den_request *request)
{
    const char *thread = den_request_query(request, "thread");
    struct MHD_Response *response;
    struct den_error err = { 0 };
    struct stream *stream;

    stream = open_stream(request, thread && *thread ? thread : NULL, &err);
    if (!stream)
        return den_reply_error(request, &err, NULL);
    response = MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, BLOCK_BYTES, read_stream, stream,
                                                 free_stream);
    if (!response) {
        free_stream(stream);
        return MHD_NO;
    }
    MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE,
                            "text/event-stream; charset=utf-8");
    MHD_add_response_header(response, "X-Accel-Buffering", "no"); /* nginx: pass it on at once */
    return den_reply_queue(request, MHD_HTTP_OK, response, "no-store");
}
