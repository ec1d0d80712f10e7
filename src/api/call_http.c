/* The connection's side of a call: it waits in den_request_wait(), which also notices that the
 * client has hung up, and then ends the call, which cancels its requests. */
#include <stdlib.h>
#include <string.h>

#include "api/call.h"

enum {
    SILENCE_SECONDS_MAX =
        15, /* then a sign of life goes out, so that proxies keep the connection */
    BLOCK_BYTES = 16 << 10
};

struct stream {
    struct den_request *request;
    struct den_call *call;
};

/* Bytes for the client, in a buffer of libmicrohttpd's. */
static ssize_t read_stream(void *context, uint64_t position, char *out, size_t capacity)
{
    struct stream *stream = context;
    const char *sign = stream->call->surface->sign_of_life;

    (void)position;
    for (;;) {
        bool done;
        size_t length = den_call_take(stream->call, out, capacity, &done);

        if (length > 0)
            return (ssize_t)length;
        if (den_call_is_broken(stream->call))
            return MHD_CONTENT_READER_END_WITH_ERROR;
        if (done)
            return MHD_CONTENT_READER_END_OF_STREAM;
        if (den_call_settle(stream->call))
            continue;
        switch (den_request_wait(stream->request, stream->call->event_fd, SILENCE_SECONDS_MAX)) {
        case DEN_WAIT_READY:
            den_call_quiet(stream->call);
            break;
        case DEN_WAIT_TIMEOUT:
            if (!sign || capacity < strlen(sign))
                break;
            memcpy(out, sign, strlen(sign));
            return (ssize_t)strlen(sign);
        case DEN_WAIT_GONE:
            return MHD_CONTENT_READER_END_WITH_ERROR;
        }
    }
}

static void free_stream(void *context)
{
    struct stream *stream = context;

    den_call_destroy(stream->call);
    free(stream);
}

static enum MHD_Result reply_stream(struct den_request *request, struct den_call *call)
{
    struct stream *stream = malloc(sizeof *stream);
    struct MHD_Response *response;

    if (!stream) {
        den_call_destroy(call);
        return MHD_NO;
    }
    *stream = (struct stream){ .request = request, .call = call };
    response = MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, BLOCK_BYTES, read_stream, stream,
                                                 free_stream);
    if (!response) {
        free_stream(stream);
        return MHD_NO;
    }
    MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, call->surface->content_type);
    MHD_add_response_header(response, "X-Accel-Buffering", "no"); /* nginx: pass it on at once */
    return den_reply_queue(request, MHD_HTTP_OK, response, "no-store");
}

static enum MHD_Result reply_whole(struct den_request *request, struct den_call *call)
{
    struct den_error err = { 0 };
    enum MHD_Result result;
    size_t i;

    while (!den_call_has_ended(call)) {
        if (den_request_wait(request, call->event_fd, -1) == DEN_WAIT_GONE) {
            den_call_destroy(call);
            return MHD_NO;
        }
        den_call_quiet(call);
    }
    if (!den_call_is_broken(call))
        den_call_settle(call);
    if (den_call_is_broken(call))
        den_fail(&err, DEN_TOO_LARGE, "the answer does not fit into memory; ask for a stream");
    for (i = 0; err.status == DEN_OK && i < call->count; i++)
        err = call->choices[i].error;
    if (err.status == DEN_OK)
        den_call_cite(call);
    if (err.status != DEN_OK)
        result = den_reply_error(request, &err, NULL);
    else
        result = den_reply_json(request, MHD_HTTP_OK, call->surface->whole(call));
    den_call_destroy(call);
    return result;
}

enum MHD_Result den_call_answer(struct den_request *request, struct den_call_options *options)
{
    struct den_call *call;
    struct den_error err = { 0 };

    if (den_call_ground(options, den_request_desk(request), &err) != DEN_OK) {
        den_call_options_deinit(options);
        return den_reply_error(request, &err,
                               err.status == DEN_NOT_FOUND ? "model_not_found" : NULL);
    }
    if (den_call_start(options, den_desk_roster(den_request_desk(request)), &call, &err) != DEN_OK)
        return den_reply_error(request, &err,
                               err.status == DEN_NOT_FOUND ? "model_not_found" : NULL);
    return options->stream ? reply_stream(request, call) : reply_whole(request, call);
}
