/* The least HTTP client that a test can do with: raw bytes out, raw bytes in. */
#ifndef DEN_TESTS_UNIT_API_HTTP_CLIENT_H
#define DEN_TESTS_UNIT_API_HTTP_CLIENT_H

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
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

/* One server on a free port with a fake worker, as cmocka's state. */
struct fixture {
    struct den_worker worker;
    struct den_server *server;
    uint16_t port;
};

static inline int start_server(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);
    struct den_server_options options = { .worker = &fixture->worker };
    struct den_error err = { 0 };

    fixture->worker.info = fake_info;
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
    free(fixture);
    return fake_running; /* no request may outlive its server */
}

#endif
