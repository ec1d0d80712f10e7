/* See download_http.h. One curl multi handle keeps the connections of a download, so that the
 * second question to a host needs no new one. */
#include "desk/download_http.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"

enum { CONNECT_SECONDS_MAX = 30, TICK_MS = 250 };

struct den_http {
    CURLM *multi;
    struct den_download_url hub;
    char *hub_text; /* without a final '/' */
    char *token;
    bool is_local;
    struct den_download_progress *progress;
    size_t start_bytes; /* of the question at hand: only so many are wanted; 0: all */
    double rated_at;    /* when the rate was last looked at, ... */
    uint64_t rated;     /* ... and what had been received by then */
};

static void start_curl(void)
{
    curl_global_init(CURL_GLOBAL_DEFAULT);
}

enum den_status den_http_create(const struct den_http_options *options, struct den_http **out,
                                struct den_error *err)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    struct den_http *http = calloc(1, sizeof *http);
    size_t length;

    pthread_once(&once, start_curl);
    if (!http)
        return den_fail(err, DEN_NO_MEMORY, "download: out of memory");
    http->is_local = options->is_local;
    http->progress = options->progress;
    http->multi = curl_multi_init();
    http->hub_text = strdup(options->hub);
    http->token = options->token && *options->token ? strdup(options->token) : NULL;
    if (!http->multi || !http->hub_text || (options->token && *options->token && !http->token)) {
        den_fail(err, DEN_NO_MEMORY, "download: out of memory");
        goto fail;
    }
    for (length = strlen(http->hub_text); length > 0 && http->hub_text[length - 1] == '/';)
        http->hub_text[--length] = '\0';
    if (den_download_url_parse(http->hub_text, &http->hub, err) != DEN_OK) {
        den_fail_at(err, "the hub's address");
        goto fail;
    }
    *out = http;
    return DEN_OK;
fail:
    den_http_destroy(http);
    return err->status;
}

void den_http_destroy(struct den_http *http)
{
    if (!http)
        return;
    curl_multi_cleanup(http->multi);
    if (http->token)
        explicit_bzero(http->token, strlen(http->token));
    free(http->token);
    free(http->hub_text);
    free(http);
}

const char *den_http_hub(const struct den_http *http)
{
    return http->hub_text;
}

CURLM *den_http_multi(struct den_http *http)
{
    return http->multi;
}

void den_http_hop_deinit(struct den_http_hop *hop)
{
    free(hop->pin);
    *hop = (struct den_http_hop){ 0 };
}

/* --- headers --- */

static bool value_of(const char *line, size_t length, const char *name, char *out, size_t capacity)
{
    const size_t wanted = strlen(name);

    if (length <= wanted || strncasecmp(line, name, wanted) != 0 || line[wanted] != ':')
        return false;
    line += wanted + 1;
    length -= wanted + 1;
    while (length > 0 && (*line == ' ' || *line == '\t'))
        line++, length--;
    while (length > 0 && strchr("\r\n \t", line[length - 1]))
        length--;
    if (length >= capacity)
        return false;
    memcpy(out, line, length);
    out[length] = '\0';
    return true;
}

/* Digits only: strtoull() would take signs and spaces. */
static uint64_t number_of(const char *text, const char **out_end)
{
    uint64_t value = 0;

    while (*text >= '0' && *text <= '9' && value < DEN_DOWNLOAD_BYTES_MAX)
        value = value * 10 + (uint64_t)(*text++ - '0');
    if (out_end)
        *out_end = text;
    return value;
}

/* "bytes 0-0/12345" */
static void read_content_range(struct den_http_reply *reply, const char *text)
{
    const char *at = text;

    if (strncmp(text, "bytes ", 6) != 0)
        return;
    reply->begins = number_of(text + 6, &at);
    at = strchr(at, '/');
    if (at)
        reply->total = number_of(at + 1, NULL);
}

/* W/"abc" and "abc" become abc. */
static void strip_quotes(char *text)
{
    size_t length;

    if (strncmp(text, "W/", 2) == 0)
        memmove(text, text + 2, strlen(text + 2) + 1);
    length = strlen(text);
    if (length >= 2 && text[0] == '"' && text[length - 1] == '"') {
        memmove(text, text + 1, length - 2);
        text[length - 2] = '\0';
    }
}

static void read_next(struct den_http_reply *reply, const char *text)
{
    const char *open = strchr(text, '<'), *close = open ? strchr(open, '>') : NULL;

    if (close && strstr(close, "rel=\"next\""))
        snprintf(reply->next, sizeof reply->next, "%.*s", (int)(close - open - 1), open + 1);
}

static size_t read_header(char *line, size_t size, size_t count, void *context)
{
    struct den_http_reply *reply = context;
    const size_t length = size * count;
    char text[DEN_URL_BYTES_MAX];

    if (length > 5 && strncmp(line, "HTTP/", 5) == 0)
        *reply = (struct den_http_reply){ .retry_after_s = -1 };
    else if (value_of(line, length, "ETag", reply->etag, sizeof reply->etag) ||
             value_of(line, length, "Last-Modified", reply->modified, sizeof reply->modified))
        return length;
    else if (value_of(line, length, "X-Linked-Etag", reply->linked, sizeof reply->linked))
        strip_quotes(reply->linked);
    else if (value_of(line, length, "X-Linked-Size", text, sizeof text))
        reply->linked_bytes = number_of(text, NULL);
    else if (value_of(line, length, "Content-Range", text, sizeof text))
        read_content_range(reply, text);
    else if (value_of(line, length, "Content-Length", text, sizeof text) && reply->total == 0)
        reply->total = number_of(text, NULL); /* of the part, in a 206: Content-Range corrects it */
    else if (value_of(line, length, "Retry-After", text, sizeof text) && text[0] >= '0' &&
             text[0] <= '9')
        reply->retry_after_s = (double)number_of(text, NULL);
    else if (value_of(line, length, "Location", reply->location, sizeof reply->location))
        return length;
    else if (value_of(line, length, "Link", text, sizeof text))
        read_next(reply, text);
    return length;
}

/* --- transfers --- */

static struct curl_slist *append(struct curl_slist *list, const char *text, bool *is_whole)
{
    struct curl_slist *longer = curl_slist_append(list, text);

    *is_whole = *is_whole && longer;
    return longer ? longer : list;
}

CURL *den_http_transfer(struct den_http *http, const struct den_http_hop *hop, const char *range_of,
                        struct den_http_reply *reply, struct curl_slist *out_lists[2])
{
    CURL *easy = curl_easy_init();
    char line[1024];
    bool is_whole = easy != NULL;

    out_lists[0] = out_lists[1] = NULL;
    if (!easy)
        return NULL;
    if (hop->pin)
        out_lists[1] = append(NULL, hop->pin, &is_whole);
    if (hop->is_hub && http->token) {
        snprintf(line, sizeof line, "Authorization: Bearer %s", http->token);
        out_lists[0] = append(out_lists[0], line, &is_whole);
        explicit_bzero(line, sizeof line);
    }
    if (range_of && *range_of && strncmp(range_of, "W/", 2) != 0) {
        snprintf(line, sizeof line, "If-Range: %s", range_of);
        out_lists[0] = append(out_lists[0], line, &is_whole);
    }
    *reply = (struct den_http_reply){ .retry_after_s = -1 };
    curl_easy_setopt(easy, CURLOPT_URL, hop->url.text);
    curl_easy_setopt(easy, CURLOPT_RESOLVE, out_lists[1]);
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, out_lists[0]);
    if (!hop->may_proxy)
        curl_easy_setopt(easy, CURLOPT_PROXY, "");
    curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_USERAGENT, "den/" DEN_VERSION);
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT, (long)CONNECT_SECONDS_MAX);
    curl_easy_setopt(easy, CURLOPT_LOW_SPEED_LIMIT, 1L);
    curl_easy_setopt(easy, CURLOPT_LOW_SPEED_TIME, (long)DEN_DOWNLOAD_SILENT_SECONDS_MAX);
    /* Parts over HTTP/2 would share one connection, which is what several are there to avoid. */
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, read_header);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, reply);
    if (is_whole)
        return easy;
    curl_easy_cleanup(easy);
    den_http_lists_free(out_lists);
    return NULL;
}

void den_http_lists_free(struct curl_slist *lists[2])
{
    curl_slist_free_all(lists[0]);
    curl_slist_free_all(lists[1]);
    lists[0] = lists[1] = NULL;
}

/* A mean that forgets half of what it knew in two seconds or so. */
static void update_rate(struct den_http *http)
{
    const uint64_t received = atomic_load(&http->progress->bytes_received);
    const double now = den_clock_seconds(), seconds = now - http->rated_at;
    double rate, before;

    if (http->rated_at > 0 && seconds < 0.5)
        return;
    if (http->rated_at > 0) {
        before = (double)atomic_load(&http->progress->bytes_per_s);
        rate = (double)(received - http->rated) / seconds;
        atomic_store(&http->progress->bytes_per_s,
                     (uint64_t)(before > 0 ? 0.8 * before + 0.2 * rate : rate));
    }
    http->rated_at = now;
    http->rated = received;
}

enum den_status den_http_wait(struct den_http *http, double seconds, struct den_error *err)
{
    const double wanted = seconds * 1000;

    curl_multi_poll(http->multi, NULL, 0, wanted < TICK_MS ? (int)wanted + 1 : TICK_MS, NULL);
    update_rate(http);
    if (http->progress->tick)
        http->progress->tick(http->progress->context);
    if (atomic_load(&http->progress->must_stop))
        return den_fail(err, DEN_CANCELLED, "the download was stopped");
    return DEN_OK;
}

static size_t keep_body(char *data, size_t size, size_t count, void *context)
{
    return context && den_buffer_append(context, data, size * count) ? size * count : 0;
}

/* One request to one address. *out_broken: it may be tried again; else `reply` has the answer. */
static enum den_status ask_once(struct den_http *http, const struct den_http_hop *hop,
                                struct den_buffer *body, struct den_http_reply *reply,
                                char out_broken[CURL_ERROR_SIZE], struct den_error *err)
{
    struct curl_slist *lists[2];
    CURL *easy = den_http_transfer(http, hop, NULL, reply, lists);
    CURLMsg *message = NULL;
    CURLcode result = CURLE_OK;
    int running = 1, left;
    char range[32];

    out_broken[0] = '\0';
    if (!easy)
        return den_fail(err, DEN_NO_MEMORY, "download: out of memory");
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, out_broken);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, keep_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, body);
    snprintf(range, sizeof range, "0-%zu", http->start_bytes ? http->start_bytes - 1 : 0);
    if (!body || http->start_bytes)
        curl_easy_setopt(easy, CURLOPT_RANGE, range);
    curl_multi_add_handle(http->multi, easy);
    while (err->status == DEN_OK && !message) {
        curl_multi_perform(http->multi, &running);
        message = curl_multi_info_read(http->multi, &left);
        if (message)
            result = message->data.result;
        else
            den_http_wait(http, 1, err);
    }
    curl_multi_remove_handle(http->multi, easy);
    curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &reply->code);
    reply->takes_ranges = reply->code == 206;
    /* A write that was refused: the headers of a probe are all that was wanted of it. */
    if (result == CURLE_WRITE_ERROR && (!body || reply->code >= 300))
        result = CURLE_OK;
    if (body && den_buffer_status(body, "the hub's answer", err) != DEN_OK)
        result = CURLE_OK;
    if (result == CURLE_OK)
        out_broken[0] = '\0';
    else if (!out_broken[0])
        snprintf(out_broken, CURL_ERROR_SIZE, "%s", curl_easy_strerror(result));
    curl_easy_cleanup(easy);
    den_http_lists_free(lists);
    if (result == CURLE_PEER_FAILED_VERIFICATION || result == CURLE_SSL_CACERT_BADFILE)
        return den_fail(err, DEN_FORBIDDEN, "%s: %s", hop->url.host, out_broken);
    return err->status;
}

bool den_http_code_is_passing(long code)
{
    return code == 408 || code == 425 || code == 429 || code >= 500;
}

double den_http_pause_s(unsigned failures, const struct den_http_reply *reply)
{
    double pause = 0.5;

    if (reply && reply->retry_after_s >= 0)
        return reply->retry_after_s;
    while (--failures > 0 && pause < 16)
        pause *= 2;
    return pause;
}

enum den_status den_http_fail_code(const struct den_http *http, const struct den_http_hop *hop,
                                   long code, struct den_error *err)
{
    const char *host = hop->url.host;

    switch (code) {
    case 401:
    case 403:
        if (!hop->is_hub)
            return den_fail(err, DEN_FORBIDDEN, "%s does not give it out (HTTP %ld)", host, code);
        return den_fail(err, DEN_UNAUTHORIZED,
                        http->token ? "%s does not give it out for the token in HF_TOKEN "
                                      "(HTTP %ld); accept the model's terms there"
                                    : "%s does not give it out without a token (HTTP %ld): the "
                                      "model is gated, private or does not exist; accept its "
                                      "terms there and set HF_TOKEN",
                        host, code);
    case 404:
    case 410:
        return den_fail(err, DEN_NOT_FOUND, "%s has no such thing (HTTP %ld): %.300s", host, code,
                        hop->url.text);
    case 429:
        return den_fail(err, DEN_BUSY, "%s asks us to slow down (HTTP 429); try again later", host);
    default:
        return den_fail(err, DEN_IO, "%s answered HTTP %ld", host, code);
    }
}

/* --- redirects --- */

static bool has_proxy(void)
{
    static const char *const names[] = { "https_proxy", "HTTPS_PROXY", "http_proxy", "all_proxy",
                                         "ALL_PROXY" };
    size_t i;

    for (i = 0; i < sizeof names / sizeof names[0]; i++) {
        const char *value = getenv(names[i]);

        if (value && *value)
            return true;
    }
    return false;
}

/* Decides whether hop->url may be asked, and how. `*was_public` tells about the hops before. */
static enum den_status prepare_hop(struct den_http *http, struct den_http_hop *hop,
                                   bool *was_public, struct den_error *err)
{
    bool must_be_public, is_public = true;

    free(hop->pin);
    hop->pin = NULL;
    hop->is_hub = den_download_url_same_origin(&hop->url, &http->hub);
    hop->may_proxy = http->is_local || hop->is_hub;
    if (hop->may_proxy && has_proxy())
        return DEN_OK;
    must_be_public = !hop->is_hub && (!http->is_local || (hop->is_redirect && *was_public));
    if (den_download_resolve(&hop->url, must_be_public, &is_public, &hop->pin, err) != DEN_OK)
        return err->status;
    *was_public = is_public;
    return DEN_OK;
}

/* Follows the redirects from hop->url; in the end `out` is no redirect. What the hub says of the
 * file on the way (its hash) is kept. */
static enum den_status follow(struct den_http *http, struct den_http_hop *hop,
                              struct den_buffer *body, struct den_http_reply *out,
                              char out_broken[CURL_ERROR_SIZE], struct den_error *err)
{
    struct den_download_url next;
    char linked[sizeof out->linked] = "";
    uint64_t linked_bytes = 0;
    bool was_public = true;
    int count;

    for (count = 0; count <= DEN_DOWNLOAD_REDIRECTS_MAX; count++) {
        if (prepare_hop(http, hop, &was_public, err) == DEN_IO) {
            snprintf(out_broken, CURL_ERROR_SIZE, "%.200s", err->message);
            *err = (struct den_error){ 0 };
            return DEN_OK; /* the network is away */
        }
        if (err->status != DEN_OK || ask_once(http, hop, body, out, out_broken, err) != DEN_OK)
            return err->status;
        if (hop->is_hub && *out->linked) {
            memcpy(linked, out->linked, sizeof linked);
            linked_bytes = out->linked_bytes;
        }
        memcpy(out->linked, linked, sizeof linked);
        out->linked_bytes = linked_bytes;
        if (*out_broken || out->code < 300 || out->code >= 400 || !*out->location)
            return DEN_OK;
        if (den_download_url_follow(&hop->url, out->location, &next, err) != DEN_OK)
            return err->status;
        hop->url = next;
        hop->is_redirect = true;
        if (body)
            den_buffer_clear(body);
    }
    return den_fail(err, DEN_IO, "%s sends us on more than %d times", hop->url.host,
                    DEN_DOWNLOAD_REDIRECTS_MAX);
}

/* Waits out a pause; a Retry-After that is too long is a refusal. */
static enum den_status pause_for(struct den_http *http, double seconds,
                                 const struct den_http_hop *hop, struct den_error *err)
{
    const double until = den_clock_seconds() + seconds;

    if (seconds > DEN_DOWNLOAD_WAIT_SECONDS_MAX)
        return den_fail(err, DEN_BUSY, "%s wants us to come back in %.0f minutes", hop->url.host,
                        seconds / 60);
    while (den_clock_seconds() < until)
        if (den_http_wait(http, until - den_clock_seconds(), err) != DEN_OK)
            return err->status;
    return DEN_OK;
}

enum den_status den_http_ask(struct den_http *http, const char *url, struct den_buffer *body,
                             struct den_http_hop *out_hop, struct den_http_reply *out,
                             struct den_error *err)
{
    struct den_download_url first;
    struct den_http_hop hop = { 0 };
    char broken[CURL_ERROR_SIZE];
    unsigned failures;

    if (den_download_url_parse(url, &first, err) != DEN_OK)
        return err->status;
    for (failures = 1;; failures++) {
        hop.url = first;
        hop.is_redirect = false;
        if (body)
            den_buffer_clear(body);
        if (follow(http, &hop, body, out, broken, err) != DEN_OK ||
            (!*broken && !den_http_code_is_passing(out->code)))
            break;
        if (failures >= DEN_DOWNLOAD_ATTEMPTS_MAX) {
            if (*broken)
                den_fail(err, DEN_IO, "%s: %s", hop.url.host, broken);
            break;
        }
        if (pause_for(http, den_http_pause_s(failures, *broken ? NULL : out), &hop, err) != DEN_OK)
            break;
    }
    /* 416: the first byte of an empty file was asked for. */
    if (err->status == DEN_OK && out->code != 200 && out->code != 206 && out->code != 416)
        den_http_fail_code(http, &hop, out->code, err);
    if (err->status == DEN_OK && out_hop) {
        *out_hop = hop;
        return DEN_OK;
    }
    den_http_hop_deinit(&hop);
    return err->status;
}

enum den_status den_http_ask_start(struct den_http *http, const char *url, struct den_buffer *body,
                                   size_t bytes, struct den_http_reply *out, struct den_error *err)
{
    http->start_bytes = bytes;
    den_http_ask(http, url, body, NULL, out, err);
    http->start_bytes = 0;
    return err->status;
}
