/* See web_page.h. One question is one curl transfer, whose redirects are not followed by curl: the
 * next address comes back here and is looked at like the first. */
#include "desk/web_page.h"

#include <curl/curl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/utf8.h"
#include "desk/download_address.h"
#include "desk/web_robots.h"

enum { CONNECT_SECONDS_MAX = 30, ROBOTS_SECONDS_MAX = 20 };

struct question {
    const struct den_web_page_options *options;
    struct den_error *err;
    struct den_download_url url;
    long seconds_max;
    /* where the body goes: one of them */
    struct den_incoming *incoming;
    struct den_buffer *text;
    uint64_t received, bytes_max;
    /* the answer */
    long code;
    char location[DEN_URL_BYTES_MAX];
    char media_type[128];
    int64_t modified;
};

static void start_curl(void)
{
    curl_global_init(CURL_GLOBAL_DEFAULT);
}

/* --- one transfer --- */

static size_t take_body(char *data, size_t size, size_t count, void *context)
{
    struct question *question = context;
    const size_t length = size * count;

    if (question->code == 0 || question->code / 100 != 2)
        return length; /* what redirects and refusals say in their bodies is for people */
    question->received += length;
    if (question->received > question->bytes_max) {
        if (question->text)
            return 0; /* enough of it */
        den_fail(question->err, DEN_TOO_LARGE, "%s has more than %llu MiB",
                 question->options->address, (unsigned long long)question->bytes_max >> 20);
        return 0;
    }
    if (question->text)
        return den_buffer_append(question->text, data, length) ? length : 0;
    return den_incoming_append(question->incoming, data, length, question->err) == DEN_OK ? length
                                                                                          : 0;
}

static bool take_value(const char *line, size_t length, const char *name, char *out,
                       size_t capacity)
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
    if (length < capacity && !memchr(line, '\0', length)) {
        memcpy(out, line, length);
        out[length] = '\0';
    }
    return true;
}

static size_t take_header(char *line, size_t size, size_t count, void *context)
{
    struct question *question = context;
    const size_t length = size * count;

    if (length > 12 && strncmp(line, "HTTP/", 5) == 0) {
        const char *space = memchr(line, ' ', length);

        question->code = space ? strtol(space + 1, NULL, 10) : 0;
        question->location[0] = question->media_type[0] = '\0';
    } else if (!take_value(line, length, "Location", question->location,
                           sizeof question->location)) {
        take_value(line, length, "Content-Type", question->media_type, sizeof question->media_type);
    }
    return length;
}

static int look_at_cancel(void *context, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
    const struct question *question = context;
    const atomic_bool *cancel = question->options->cancel;

    (void)a, (void)b, (void)c, (void)d;
    return cancel && atomic_load(cancel);
}

/* The pin decides where the connection goes; this looks once more at the last moment. */
static curl_socket_t open_socket(void *context, curlsocktype purpose, struct curl_sockaddr *address)
{
    const struct question *question = context;

    (void)purpose;
    if (!question->options->may_be_local && !den_download_address_is_public(&address->addr))
        return CURL_SOCKET_BAD;
    return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

static void set_options(CURL *easy, struct question *question, struct curl_slist *pins)
{
    curl_easy_setopt(easy, CURLOPT_URL, question->url.text);
    curl_easy_setopt(easy, CURLOPT_RESOLVE, pins);
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_PROXY, "");
    curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_USERAGENT, "den/" DEN_VERSION);
    curl_easy_setopt(easy, CURLOPT_ACCEPT_ENCODING, "");
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT, (long)CONNECT_SECONDS_MAX);
    curl_easy_setopt(easy, CURLOPT_TIMEOUT, question->seconds_max);
    curl_easy_setopt(easy, CURLOPT_FILETIME, 1L);
    curl_easy_setopt(easy, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, open_socket);
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, question);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, take_header);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, question);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, take_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, question);
    curl_easy_setopt(easy, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(easy, CURLOPT_XFERINFOFUNCTION, look_at_cancel);
    curl_easy_setopt(easy, CURLOPT_XFERINFODATA, question);
}

static enum den_status run_transfer(struct question *question, struct curl_slist *pins)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    char broken[CURL_ERROR_SIZE] = "";
    curl_off_t modified = -1;
    CURLcode result;
    CURL *easy;

    pthread_once(&once, start_curl);
    easy = curl_easy_init();
    if (!easy)
        return den_fail(question->err, DEN_NO_MEMORY, "web: out of memory");
    set_options(easy, question, pins);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, broken);
    result = curl_easy_perform(easy);
    curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &question->code);
    curl_easy_getinfo(easy, CURLINFO_FILETIME_T, &modified);
    question->modified = modified > 0 ? (int64_t)modified * 1000 : 0;
    curl_easy_cleanup(easy);
    if (question->err->status != DEN_OK)
        return question->err->status;
    if (result == CURLE_ABORTED_BY_CALLBACK)
        return den_fail(question->err, DEN_CANCELLED, "fetching %s was cancelled",
                        question->options->address);
    if (result == CURLE_WRITE_ERROR && question->text)
        result = CURLE_OK; /* as much as is looked at */
    if (result != CURLE_OK)
        return den_fail(question->err, DEN_IO, "%s can't be fetched: %s", question->url.host,
                        *broken ? broken : curl_easy_strerror(result));
    return DEN_OK;
}

/* Asks question->url, if that may be asked. */
static enum den_status ask(struct question *question)
{
    struct curl_slist *pins = NULL;
    bool is_public = true;
    char *pin = NULL;

    question->code = 0;
    question->received = 0;
    question->location[0] = question->media_type[0] = '\0';
    if (den_download_resolve(&question->url, !question->options->may_be_local, &is_public, &pin,
                             question->err) != DEN_OK)
        return question->err->status != DEN_FORBIDDEN
                   ? question->err->status
                   : den_fail(question->err, DEN_FORBIDDEN,
                              "%s is not on the public network, so no page is fetched from it",
                              question->url.host);
    pins = curl_slist_append(NULL, pin);
    if (!pins)
        den_fail(question->err, DEN_NO_MEMORY, "web: out of memory");
    else
        run_transfer(question, pins);
    curl_slist_free_all(pins);
    free(pin);
    return question->err->status;
}

static bool is_redirect(const struct question *question)
{
    return (question->code == 301 || question->code == 302 || question->code == 303 ||
            question->code == 307 || question->code == 308) &&
           question->location[0];
}

/* Goes to where the answer points. */
static enum den_status follow(struct question *question)
{
    struct den_download_url *next = malloc(sizeof *next);

    if (!next)
        return den_fail(question->err, DEN_NO_MEMORY, "web: out of memory");
    if (den_download_url_follow(&question->url, question->location, next, question->err) == DEN_OK)
        question->url = *next;
    free(next);
    return question->err->status;
}

/* --- robots.txt --- */

/* "/a/b?c" of "https://host/a/b?c" */
static const char *path_of(const struct den_download_url *url)
{
    const char *host = strstr(url->text, "://");
    const char *path = host ? strchr(host + 3, '/') : NULL;

    return path ? path : "/";
}

/* Fetches robots.txt of the site of `question` and looks whether its address may be fetched. By
 * RFC 9309: one that can't be had (4xx) allows all, one that fails (5xx) forbids all. */
static enum den_status ask_robots(const struct question *page)
{
    struct question *robots = calloc(1, sizeof *robots);
    struct den_buffer text;
    unsigned hops = 0;
    bool allowed;

    if (!robots)
        return den_fail(page->err, DEN_NO_MEMORY, "web: out of memory");
    den_buffer_init(&text, 2 * (size_t)DEN_WEB_ROBOTS_BYTES_MAX);
    *robots = (struct question){ .options = page->options,
                                 .err = page->err,
                                 .seconds_max = ROBOTS_SECONDS_MAX,
                                 .text = &text,
                                 .bytes_max = DEN_WEB_ROBOTS_BYTES_MAX };
    snprintf(robots->location, sizeof robots->location, "/robots.txt");
    robots->url = page->url;
    if (follow(robots) != DEN_OK)
        goto end;
    while (ask(robots) == DEN_OK && is_redirect(robots) && hops++ < DEN_DOWNLOAD_REDIRECTS_MAX)
        if (follow(robots) != DEN_OK)
            break;
    if (page->err->status == DEN_IO)
        den_fail_at(page->err, "%s: its robots.txt", page->options->address);
    if (page->err->status != DEN_OK)
        goto end;
    allowed = robots->code / 100 == 4 || is_redirect(robots) ||
              (robots->code / 100 == 2 &&
               den_robots_allow(text.data, text.length, "den", path_of(&page->url)));
    if (!allowed)
        den_fail(page->err, DEN_FORBIDDEN,
                 robots->code / 100 == 2
                     ? "%s asks programs not to fetch this address (its robots.txt)"
                     : "%s does not say what may be fetched: its robots.txt fails",
                 page->url.host);
end:
    den_buffer_deinit(&text);
    free(robots);
    return page->err->status;
}

/* --- the page --- */

static enum den_status judge(const struct question *question)
{
    const long code = question->code;
    const char *host = question->url.host;

    if (code / 100 == 2)
        return DEN_OK;
    if (code == 404 || code == 410)
        return den_fail(question->err, DEN_NOT_FOUND, "%s has no such page (%ld)", host, code);
    if (code == 401 || code == 403)
        return den_fail(question->err, DEN_UNAUTHORIZED,
                        "%s does not show this page to everybody (%ld)", host, code);
    return den_fail(question->err, DEN_IO, "%s answers %ld instead of the page", host, code);
}

static enum den_status fetch(struct question *question)
{
    unsigned hops = 0;

    for (;;) {
        if (ask_robots(question) != DEN_OK || ask(question) != DEN_OK)
            return question->err->status;
        if (!is_redirect(question))
            return judge(question);
        if (++hops > DEN_DOWNLOAD_REDIRECTS_MAX)
            return den_fail(question->err, DEN_IO, "%s: more than %d redirects",
                            question->options->address, DEN_DOWNLOAD_REDIRECTS_MAX);
        if (follow(question) != DEN_OK)
            return question->err->status;
    }
}

enum den_status den_web_page_fetch(const struct den_web_page_options *options,
                                   struct den_incoming *incoming, struct den_web_page *out,
                                   struct den_error *err)
{
    struct question *question = calloc(1, sizeof *question);

    if (!question)
        return den_fail(err, DEN_NO_MEMORY, "web: out of memory");
    question->options = options;
    question->err = err;
    question->incoming = incoming;
    question->seconds_max = DEN_WEB_PAGE_SECONDS_MAX;
    question->bytes_max = DEN_WEB_PAGE_BYTES_MAX;
    if (den_download_url_parse(options->address, &question->url, err) != DEN_OK ||
        fetch(question) != DEN_OK)
        goto end;
    *out = (struct den_web_page){ .modified = question->modified };
    memcpy(out->address, question->url.text, sizeof out->address);
    question->media_type[strcspn(question->media_type, "; \t")] = '\0';
    snprintf(out->media_type, sizeof out->media_type, "%s", question->media_type);
    if (!den_utf8_is_valid(out->media_type, strlen(out->media_type)))
        out->media_type[0] = '\0';
    den_web_page_name(out->address, out->media_type, out->name);
end:
    free(question);
    return err->status;
}
