/* HTTP for downloads: one question after another, each to an address that may be asked.
 *
 * libcurl makes the connections; what it would also decide by itself is decided here. Redirects are
 * followed by hand, five at most, so that each address passes the rules of download_address.h, and
 * so that the hub's token goes to the hub's own origin and nowhere else. Answers that mean "later"
 * (429, 5xx, a connection that broke) are asked again after a pause that doubles, or as long as
 * Retry-After wants.
 *
 * A struct den_http belongs to one thread. While it waits, it looks four times a second whether its
 * download shall stop, and calls `tick`. */
#ifndef DEN_DESK_DOWNLOAD_HTTP_H
#define DEN_DESK_DOWNLOAD_HTTP_H

#include <curl/curl.h>
#include <stdatomic.h>
#include <stdint.h>

#include "base/buffer.h"
#include "desk/download_address.h"

/* What a download says of itself while it runs, and what it is told. All may be read and written
 * by any thread. */
struct den_download_progress {
    atomic_bool must_stop;
    _Atomic uint64_t bytes_done, bytes_total; /* total 0: not known */
    _Atomic uint64_t bytes_received;          /* over the network, by this run */
    _Atomic uint64_t bytes_per_s;             /* over the last seconds */
    atomic_bool is_verifying;
    void (*tick)(void *context); /* on the download's thread, while it runs; may be NULL */
    void *context;
    char name[256]; /* of the model; written once, before `has_name` */
    atomic_bool has_name;
};

struct den_http_options {
    const char *hub;   /* "https://huggingface.co" */
    const char *token; /* for the hub; NULL: none */
    bool is_local;     /* asked for by who sits at this machine: any first address will do */
    struct den_download_progress *progress;
};

struct den_http;

enum den_status den_http_create(const struct den_http_options *options, struct den_http **out,
                                struct den_error *err);
void den_http_destroy(struct den_http *http);
const char *den_http_hub(const struct den_http *http);

/* Where a request goes: what is left when all redirects are followed. Freed by den_http_hop_deinit;
 * begins as zero. */
struct den_http_hop {
    struct den_download_url url;
    char *pin;        /* the addresses; NULL: a proxy finds them */
    bool is_hub;      /* the token may go there */
    bool may_proxy;   /* as the environment says */
    bool is_redirect; /* it is not where the caller asked */
};
void den_http_hop_deinit(struct den_http_hop *hop);

/* What the headers of an answer say. */
struct den_http_reply {
    long code;
    uint64_t total;  /* bytes of the whole file; 0: not said */
    uint64_t begins; /* of a 206: where its part begins */
    bool takes_ranges;
    double retry_after_s; /* -1: not said */
    char etag[256];       /* with its quotes; weak ones with W/ */
    char modified[64];
    char linked[256]; /* X-Linked-Etag: the hub's hash of the file, without quotes */
    uint64_t linked_bytes;
    char location[DEN_URL_BYTES_MAX]; /* as sent */
    char next[DEN_URL_BYTES_MAX];     /* Link: <...>; rel="next" */
};

/* Asks for `url`, for its first byte only where `body` is NULL: the way to learn size, ETag and
 * whether parts can be had, which servers that sign addresses answer where HEAD is refused.
 * *out_hop, if not NULL, is where the answer came from. Other answers than 200 and 206 are errors;
 * 401 and 403 are DEN_UNAUTHORIZED. */
enum den_status den_http_ask(struct den_http *http, const char *url, struct den_buffer *body,
                             struct den_http_hop *out_hop, struct den_http_reply *out,
                             struct den_error *err);

/* As den_http_ask(), for the first `bytes` of the file: what `body`, whose ceiling is no less, then
 * holds at most. DEN_TOO_LARGE where the server sends all of it regardless and it is more. */
enum den_status den_http_ask_start(struct den_http *http, const char *url, struct den_buffer *body,
                                   size_t bytes, struct den_http_reply *out, struct den_error *err);

/* A transfer to be run by den_http_multi(): address, pins, token, limits, and the headers read into
 * `reply`; `range_of`, an ETag, becomes If-Range. The caller adds range and write function, and
 * frees the lists after the transfer. */
CURL *den_http_transfer(struct den_http *http, const struct den_http_hop *hop, const char *range_of,
                        struct den_http_reply *reply, struct curl_slist *out_lists[2]);
CURLM *den_http_multi(struct den_http *http);
void den_http_lists_free(struct curl_slist *lists[2]);

/* Waits for the transfers or `seconds` (a quarter of one at most) and calls the tick. DEN_CANCELLED
 * once the download shall stop. */
enum den_status den_http_wait(struct den_http *http, double seconds, struct den_error *err);

/* 408, 425, 429, 5xx: the same request may do better later. */
bool den_http_code_is_passing(long code);
/* How long to wait before attempt `failures` + 1. */
double den_http_pause_s(unsigned failures, const struct den_http_reply *reply);
/* What a final answer `code` from `hop` means, in words. */
enum den_status den_http_fail_code(const struct den_http *http, const struct den_http_hop *hop,
                                   long code, struct den_error *err);

#endif
