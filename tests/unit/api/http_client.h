/* The least HTTP client that a test can do with: raw bytes out, raw bytes in. */
#ifndef DEN_TESTS_UNIT_API_HTTP_CLIENT_H
#define DEN_TESTS_UNIT_API_HTTP_CLIENT_H

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "api/server.h"
#include "fake_worker.h"

struct reply {
    int http;
    char *text; /* headers and body */
    size_t length;
};

static inline int http_connect(uint16_t port)
{
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(port) };
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
    return fd;
}

static inline void http_send(int fd, const char *bytes, size_t length)
{
    while (length > 0) {
        ssize_t sent = send(fd, bytes, length, MSG_NOSIGNAL);

        if (sent <= 0)
            return; /* the server may refuse the rest */
        bytes += sent;
        length -= (size_t)sent;
    }
}

/* Everything until the server closes. */
static inline struct reply http_read(int fd)
{
    struct reply reply = { .text = calloc(1, 1) };
    char block[4096];
    ssize_t got;

    while ((got = recv(fd, block, sizeof block, 0)) > 0) {
        reply.text = realloc(reply.text, reply.length + (size_t)got + 1);
        memcpy(reply.text + reply.length, block, (size_t)got);
        reply.length += (size_t)got;
        reply.text[reply.length] = '\0';
    }
    if (strncmp(reply.text, "HTTP/1.1 ", 9) == 0)
        reply.http = (int)strtol(reply.text + 9, NULL, 10);
    close(fd);
    return reply;
}

/* `head` is the request line and headers without Host and Connection. */
static inline int http_begin(uint16_t port, const char *head, const char *body)
{
    int fd = http_connect(port);
    char text[4096];
    int length;

    length = snprintf(text, sizeof text, "%s\r\nHost: localhost:%u\r\nConnection: close\r\n", head,
                      port);
    if (body)
        length += snprintf(text + length, sizeof text - (size_t)length, "Content-Length: %zu\r\n",
                           strlen(body));
    length += snprintf(text + length, sizeof text - (size_t)length, "\r\n");
    http_send(fd, text, (size_t)length);
    if (body)
        http_send(fd, body, strlen(body));
    return fd;
}

static inline struct reply http_ask(uint16_t port, const char *head, const char *body)
{
    return http_read(http_begin(port, head, body));
}

#define CHAT "POST /v1/chat/completions HTTP/1.1"

/* Asks and compares the status and a part of the reply; `part` NULL: any. */
static inline void http_expect(uint16_t port, const char *head, const char *body, int http,
                               const char *part)
{
    struct reply reply = http_ask(port, head, body);

    if (reply.http != http || (part && !strstr(reply.text, part)))
        fail_msg("%s %.200s: expected %d and '%s', got:\n%s", head, body ? body : "", http,
                 part ? part : "", reply.text);
    free(reply.text);
}

/* One server on a free port with fake workers, as cmocka's state. */
struct fixture {
    struct den_desk *desk;
    struct den_server *server;
    uint16_t port;
};

static int homes; /* desks that use it */

/* $DEN_HOME with the models "fake" and "fake-embed", which are empty folders. */
static inline int make_home(void)
{
    static const char *const folders[] = { "", "/models", "/models/fake", "/models/fake-embed",
                                           "/models/fake-embed/modules.json" };
    static char home[] = "/tmp/den-api-XXXXXX";
    char path[256];
    size_t i;

    if (homes++ > 0)
        return 0;
    if (!mkdtemp(home))
        return -1;
    for (i = 1; i < sizeof folders / sizeof folders[0]; i++) {
        snprintf(path, sizeof path, "%s%s", home, folders[i]);
        mkdir(path, 0700);
    }
    return setenv("DEN_HOME", home, 1);
}

static inline void remove_home(void)
{
    static const char *const folders[] = { "/models/fake-embed/modules.json",
                                           "/models/fake-embed",
                                           "/models/fake",
                                           "/models",
                                           "/den.db",
                                           "/den.db-wal",
                                           "/den.db-shm",
                                           "/den.db.serving",
                                           "" };
    char path[256];
    size_t i;

    if (--homes > 0)
        return;
    for (i = 0; i < sizeof folders / sizeof folders[0]; i++) {
        snprintf(path, sizeof path, "%s%s", getenv("DEN_HOME"), folders[i]);
        remove(path);
    }
}

static inline struct den_desk *make_desk(void)
{
    const struct den_desk_options options = { .roster = { .chat_model = "fake" } };
    struct den_desk *desk = NULL;
    struct den_error err = { 0 };

    if (make_home() != 0 || den_desk_create(&options, &desk, &err) != DEN_OK)
        fail_msg("no desk: %s", err.message);
    return desk;
}

static inline int start_server(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);
    struct den_server_options options = { .desk = make_desk() };
    struct den_error err = { 0 };

    fixture->desk = options.desk;
    if (den_server_start(&options, &fixture->server, &err) != DEN_OK)
        return -1;
    fixture->port = den_server_port(fixture->server);
    *state = fixture;
    return 0;
}

static inline int stop_server(void **state)
{
    struct fixture *fixture = *state;

    den_server_stop(fixture->server);
    den_desk_destroy(fixture->desk);
    free(fixture);
    remove_home();
    return fake_running; /* no request may outlive its server */
}

/* --- JSON in and out --- */

static inline json_t *get(const json_t *value, const char *path)
{
    char name[32];
    const char *at = path;

    while (*at && value) { /* "choices.0.delta" */
        size_t length = strcspn(at, ".");

        snprintf(name, sizeof name, "%.*s", (int)length, at);
        value = json_is_array(value) ? json_array_get(value, strtoul(name, NULL, 10))
                                     : json_object_get(value, name);
        at += length + (at[length] == '.');
    }
    if (!value)
        fail_msg("no %s", path);
    return (json_t *)value;
}

static inline const char *text_at(const json_t *value, const char *path)
{
    const char *text = json_string_value(get(value, path));

    if (!text)
        fail_msg("%s is no text", path);
    return text;
}

/* The JSON of an answer that must have the status. */
static inline json_t *ask_json(uint16_t port, const char *head, const char *body, int http)
{
    struct reply reply = http_ask(port, head, body);
    json_t *value;

    if (reply.http != http)
        fail_msg("%s %.200s: expected %d, got:\n%s", head, body ? body : "", http, reply.text);
    value = json_loads(strstr(reply.text, "\r\n\r\n") + 4, 0, NULL);
    assert_non_null(value);
    free(reply.text);
    return value;
}

/* The data of a stream's events, without the chunked encoding around them; [DONE] becomes true. */
static inline json_t *ask_events(uint16_t port, const char *head, const char *body)
{
    struct reply reply = http_ask(port, head, body);
    json_t *events = json_array();
    char *at = reply.text;

    if (reply.http != 200)
        fail_msg("%s %.200s:\n%s", head, body, reply.text);
    assert_non_null(strstr(reply.text, "text/event-stream"));
    while ((at = strstr(at, "data: ")) != NULL) {
        char *end = strstr(at, "\n\n");

        assert_non_null(end);
        at += 6;
        if (strncmp(at, "[DONE]", 6) == 0)
            json_array_append_new(events, json_true());
        else
            json_array_append_new(events, json_loadb(at, (size_t)(end - at), 0, NULL));
    }
    free(reply.text);
    return events;
}

#endif
