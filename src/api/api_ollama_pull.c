/* POST /api/pull as Ollama's clients know it: lines of {status, digest, total, completed} until
 * {"status": "success"} or {"error": "text"}.
 *
 * The download is one of /api/downloads like any other. It goes on when its client hangs up, and
 * who asks again sees how far it is. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/ollama.h"
#include "api/reply.h"
#include "desk/downloads.h"
#include "desk/events.h"
#include "desk/threads.h"

enum { SECONDS_BETWEEN_LINES = 1, LINE_BYTES_MAX = 4096 };

struct pull {
    struct den_request *request;
    struct den_downloads *downloads;
    struct den_listener *listener; /* "downloads" events wake it */
    char id[DEN_ID_LENGTH_MAX + 1];
    char line[LINE_BYTES_MAX];
    size_t length, sent;
    unsigned lines;
    bool has_ended;
    struct den_error result; /* once it has ended */
};

static const char *text_of(const json_t *download, const char *key)
{
    const char *text = json_string_value(json_object_get(download, key));

    return text ? text : "";
}

/* What the download's state is in Ollama's words. */
static json_t *status_json(struct pull *pull, const json_t *download)
{
    const char *state = text_of(download, "state"), *name = text_of(download, "name");
    const json_t *total = json_object_get(download, "bytes_total");
    char status[DEN_NAME_BYTES_MAX + 16];

    pull->has_ended = true;
    if (strcmp(state, "done") == 0)
        return json_pack("{s:s}", "status", "success");
    if (strcmp(state, "failed") == 0 || strcmp(state, "paused") == 0) {
        den_fail(&pull->result, DEN_IO, "%s",
                 *state == 'p' ? "the download was paused" : text_of(download, "error"));
        return json_pack("{s:s}", "error", pull->result.message);
    }
    pull->has_ended = false;
    if (!*name || pull->lines == 0)
        return json_pack("{s:s}", "status", "pulling manifest");
    snprintf(status, sizeof status, "pulling %s", name);
    return json_pack("{s:s, s:s, s:I, s:I}", "status", status, "digest", name, "total",
                     json_integer_value(total), "completed",
                     json_integer_value(json_object_get(download, "bytes_done")));
}

static void write_line(struct pull *pull)
{
    struct den_error err = { 0 };
    json_t *download = NULL, *line;
    char *text;

    if (den_downloads_get(pull->downloads, pull->id, &download, &err) == DEN_OK) {
        line = status_json(pull, download);
    } else {
        pull->has_ended = true;
        den_fail(&pull->result, DEN_CANCELLED, "the download was cancelled");
        line = json_pack("{s:s}", "error", pull->result.message);
    }
    text = json_dumps(line, JSON_COMPACT);
    pull->length = text ? (size_t)snprintf(pull->line, sizeof pull->line, "%s\n", text) : 0;
    pull->sent = 0;
    pull->lines++;
    free(text);
    json_decref(line);
    json_decref(download);
}

/* That something happened is all that counts. False: the listener is lost, and would always
 * wake. */
static bool drop_events(struct pull *pull)
{
    const struct den_event *event;
    bool is_lost = false;

    while ((event = den_listener_take(pull->listener, &is_lost)) != NULL)
        den_event_release(event);
    return !is_lost;
}

/* False: the client is gone. */
static bool wait_for_news(struct pull *pull)
{
    const enum den_wait wait =
        den_request_wait(pull->request, den_listener_fd(pull->listener), SECONDS_BETWEEN_LINES);

    return drop_events(pull) && wait != DEN_WAIT_GONE;
}

static ssize_t read_pull(void *context, uint64_t position, char *out, size_t capacity)
{
    struct pull *pull = context;
    size_t length;

    (void)position;
    if (pull->sent == pull->length) {
        if (pull->has_ended)
            return MHD_CONTENT_READER_END_OF_STREAM;
        if (pull->lines > 0 && !wait_for_news(pull))
            return MHD_CONTENT_READER_END_WITH_ERROR;
        write_line(pull);
    }
    length = pull->length - pull->sent;
    if (length > capacity)
        length = capacity;
    memcpy(out, pull->line + pull->sent, length);
    pull->sent += length;
    return length > 0 ? (ssize_t)length : MHD_CONTENT_READER_END_WITH_ERROR;
}

static void free_pull(void *context)
{
    struct pull *pull = context;

    if (pull)
        den_listener_destroy(pull->listener);
    free(pull);
}

static enum MHD_Result reply_at_end(struct den_request *request, struct pull *pull)
{
    struct den_error err;

    do
        write_line(pull);
    while (!pull->has_ended && wait_for_news(pull));
    err = pull->result;
    free_pull(pull);
    if (err.status != DEN_OK)
        return den_reply_error(request, &err, NULL);
    return den_reply_json(request, MHD_HTTP_OK, json_pack("{s:s}", "status", "success"));
}

static enum MHD_Result reply_as_stream(struct den_request *request, struct pull *pull)
{
    struct MHD_Response *response = MHD_create_response_from_callback(
        MHD_SIZE_UNKNOWN, LINE_BYTES_MAX, read_pull, pull, free_pull);

    if (!response) {
        free_pull(pull);
        return MHD_NO;
    }
    MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, "application/x-ndjson");
    return den_reply_queue(request, MHD_HTTP_OK, response, "no-store");
}

static enum den_status begin(struct den_request *request, const json_t *body, struct pull *pull,
                             struct den_error *err)
{
    struct den_desk *desk = den_request_desk(request);
    const char *source = NULL;
    json_t *download = NULL;
    bool existed;

    pull->request = request;
    pull->downloads = den_desk_downloads(desk);
    if (den_json_get_text(body, json_object_get(body, "model") ? "model" : "name", &source, err) !=
        DEN_OK)
        return err->status;
    if (!source || !*source)
        return den_fail(err, DEN_INVALID, "'model' is missing");
    if (den_listener_create(den_threads_events(den_desk_threads(desk)), NULL, &pull->listener,
                            err) != DEN_OK ||
        den_downloads_add(pull->downloads, source, &download, &existed, err) != DEN_OK)
        return err->status;
    snprintf(pull->id, sizeof pull->id, "%s", text_of(download, "id"));
    json_decref(download);
    return DEN_OK;
}

enum MHD_Result den_route_ollama_pull(struct den_request *request)
{
    struct pull *pull = calloc(1, sizeof *pull);
    struct den_error err = { 0 };
    bool is_stream = true;
    json_t *body = NULL;

    if (!pull)
        den_fail(&err, DEN_NO_MEMORY, "pull: out of memory");
    else if (den_request_json(request, &body, &err) == DEN_OK &&
             den_json_get_bool(body, "stream", &is_stream, &err) == DEN_OK)
        begin(request, body, pull, &err);
    json_decref(body);
    if (err.status != DEN_OK) {
        free_pull(pull);
        return den_reply_error(request, &err, NULL);
    }
    return is_stream ? reply_as_stream(request, pull) : reply_at_end(request, pull);
}
