/* Requests before they reach a route (names, origins, methods, bodies), and the form of replies
 * (reply.c). */
#include "test.h"

#include "http_client.h"

static void foreign_pages_are_refused(void **state)
{
    struct fixture *fixture = *state;
    static const char *const hosts[] = { "evil.example", "localhost.evil.example", "10.0.0.1",
                                         "127.0.0.1.evil.example:80" };
    char text[512];
    size_t i;

    for (i = 0; i < sizeof hosts / sizeof hosts[0]; i++) {
        int fd = http_connect(fixture->port);
        struct reply reply;

        snprintf(text, sizeof text, "GET /health HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n",
                 hosts[i]);
        http_send(fd, text, strlen(text));
        reply = http_read(fd);
        assert_int_equal(reply.http, 403);
        assert_non_null(strstr(reply.text, hosts[i]));
        free(reply.text);
    }
    http_expect(fixture->port, "GET /health HTTP/1.1\r\nOrigin: https://evil.example", NULL, 403,
                "permission_error");
    http_expect(fixture->port, "GET /health HTTP/1.1\r\nOrigin: null", NULL, 403, NULL);
    http_expect(fixture->port, "GET /health HTTP/1.1\r\nOrigin: http://localhost:1", NULL, 403,
                NULL);
    http_expect(fixture->port, "OPTIONS /v1/chat/completions HTTP/1.1\r\nOrigin: http://a.example",
                NULL, 403, NULL);
    snprintf(text, sizeof text, "GET /health HTTP/1.1\r\nOrigin: http://localhost:%u",
             fixture->port);
    http_expect(fixture->port, text, NULL, 200, NULL);
}

static void methods_and_routes(void **state)
{
    uint16_t port = ((struct fixture *)*state)->port;

    http_expect(port, "GET /nowhere HTTP/1.1", NULL, 404, "'/nowhere'");
    http_expect(port, "GET /v1/models/ HTTP/1.1", NULL, 404, NULL);
    http_expect(port, "GET /v1/models/fake HTTP/1.1", NULL, 200, "\"role\":\"chat\"");
    http_expect(port, "GET /v1/models/gpt%2F4 HTTP/1.1", NULL, 404, "model_not_found");
    http_expect(port, "DELETE /v1/models HTTP/1.1", NULL, 405, "Allow: GET, HEAD");
    http_expect(port, "GET /v1/chat/completions HTTP/1.1", NULL, 405, "Allow: POST");
    http_expect(port, "PUT /v1/chat/completions HTTP/1.1", "{}", 405, "method_not_allowed");
    http_expect(port, "OPTIONS /v1/chat/completions HTTP/1.1", NULL, 204, "Allow: POST");
    http_expect(port, "POST / HTTP/1.1", "x", 405, NULL);
    http_expect(port, "GET / HTTP/1.1", NULL, 200, "Content-Encoding: gzip");
    http_expect(port, "GET / HTTP/1.1\r\nIf-None-Match: \"abc\"", NULL, 304, "ETag: \"abc\"");
    http_expect(port, "GET / HTTP/1.1\r\nIf-None-Match: \"other\"", NULL, 200, "zipped");
    http_expect(port, "GET /../etc/passwd HTTP/1.1", NULL, 404, NULL);
    http_expect(port, "GET /%00 HTTP/1.1", NULL, 404, NULL); /* hides no rest behind "/" */
}

static void head_has_no_body(void **state)
{
    struct reply reply =
        http_ask(((struct fixture *)*state)->port, "HEAD /v1/models HTTP/1.1", NULL);

    assert_int_equal(reply.http, 200);
    assert_string_equal(strstr(reply.text, "\r\n\r\n"), "\r\n\r\n");
    assert_null(strstr(reply.text, "Content-Length: 0"));
    free(reply.text);
}

static void headers_guard_the_reply(void **state)
{
    static const char *const wanted[] = { "Cache-Control: no-store",
                                          "X-Content-Type-Options: nosniff",
                                          "Referrer-Policy: no-referrer",
                                          "Content-Security-Policy: default-src 'self'",
                                          "X-Frame-Options: DENY" };
    struct reply reply =
        http_ask(((struct fixture *)*state)->port, "GET /v1/models HTTP/1.1", NULL);
    size_t i;

    for (i = 0; i < sizeof wanted / sizeof wanted[0]; i++)
        assert_non_null(strstr(reply.text, wanted[i]));
    assert_null(strstr(reply.text, "Access-Control"));
    free(reply.text);
}

static void bodies_that_are_no_request(void **state)
{
    uint16_t port = ((struct fixture *)*state)->port;
    char deep[300];

    memset(deep, '[', sizeof deep - 1);
    deep[sizeof deep - 1] = '\0';
    http_expect(port, CHAT, "", 400, "empty");
    http_expect(port, CHAT, "{\"messages\":", 400, "malformed JSON");
    http_expect(port, CHAT, "[1]", 400, "must be a JSON object");
    http_expect(port, CHAT, "null", 400, "must be a JSON object");
    http_expect(port, CHAT, deep, 400, "nested deeper");
    http_expect(port, CHAT, "{\"a\":1,\"a\":2}", 400, "duplicate");
    http_expect(port, CHAT, "{\"a\":\"\xFF\"}", 400, "malformed JSON");
    http_expect(port, CHAT, "{\"seed\":123456789012345678901234567890}", 400, NULL);
    http_expect(port, CHAT, "{\"temperature\":1e999}", 400, NULL);
}

static void chunked_bodies_are_read(void **state)
{
    uint16_t port = ((struct fixture *)*state)->port;
    const char text[] = CHAT "\r\nHost: localhost\r\nConnection: close\r\n"
                             "Transfer-Encoding: chunked\r\n\r\n"
                             "e\r\n{\"messages\":[{\r\n1f\r\n\"role\":\"user\",\"content\":"
                             "\"hi\"}]}\r\n0\r\n\r\n";
    int fd = http_connect(port);
    struct reply reply;
    size_t i;

    for (i = 0; i < sizeof text - 1; i++) /* a byte at a time */
        http_send(fd, text + i, 1);
    reply = http_read(fd);
    assert_int_equal(reply.http, 200);
    free(reply.text);
}

static void announced_size_is_refused_at_once(void **state)
{
    uint16_t port = ((struct fixture *)*state)->port;
    const char text[] = CHAT "\r\nHost: localhost\r\nContent-Length: 99999999999\r\n\r\n";
    int fd = http_connect(port);
    struct reply reply;

    http_send(fd, text, sizeof text - 1);
    reply = http_read(fd);
    assert_int_equal(reply.http, 413);
    assert_non_null(strstr(reply.text, "99999999999"));
    free(reply.text);
}

/* Before a token was shown, a client gets a few kilobytes. */
static void strangers_send_little(void **state)
{
    uint16_t port = ((struct fixture *)*state)->port;
    char *body = malloc(DEN_HTTP_OPEN_BODY_BYTES_MAX + 2);

    memset(body, ' ', DEN_HTTP_OPEN_BODY_BYTES_MAX + 1);
    body[DEN_HTTP_OPEN_BODY_BYTES_MAX + 1] = '\0';
    http_expect(port, "POST /api/login HTTP/1.1", body, 413, "request_too_large");
    http_expect(port, "POST /api/login HTTP/1.1", body + 1, 400, NULL);
    free(body);
}

static void grown_size_is_refused(void **state)
{
    uint16_t port = ((struct fixture *)*state)->port;
    const char head[] = CHAT "\r\nHost: localhost\r\nConnection: close\r\n"
                             "Transfer-Encoding: chunked\r\n\r\n";
    static char chunk[8 + (1 << 20)];
    int fd = http_connect(port), i;
    struct reply reply;

    memcpy(chunk, "100000\r\n", 8);
    memset(chunk + 8, ' ', 1 << 20);
    http_send(fd, head, sizeof head - 1);
    for (i = 0; i < 33; i++) {
        http_send(fd, chunk, 8 + (1 << 20));
        http_send(fd, "\r\n", 2);
    }
    http_send(fd, "0\r\n\r\n", 5);
    reply = http_read(fd);
    assert_int_equal(reply.http, 413);
    free(reply.text);
    http_expect(port, "GET /health HTTP/1.1", NULL, 200, NULL);
}

static void huge_headers_are_refused(void **state)
{
    uint16_t port = ((struct fixture *)*state)->port;
    static char value[100000];
    int fd = http_connect(port);
    struct reply reply;

    memset(value, 'a', sizeof value);
    http_send(fd, "GET /health HTTP/1.1\r\nHost: localhost\r\nX: ", 43);
    http_send(fd, value, sizeof value);
    http_send(fd, "\r\n\r\n", 4);
    reply = http_read(fd);
    assert_true(reply.http != 200);
    free(reply.text);
    http_expect(port, "GET /health HTTP/1.1", NULL, 200, NULL);
}

int api_test_http_request(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(foreign_pages_are_refused),
        cmocka_unit_test(methods_and_routes),
        cmocka_unit_test(head_has_no_body),
        cmocka_unit_test(headers_guard_the_reply),
        cmocka_unit_test(bodies_that_are_no_request),
        cmocka_unit_test(chunked_bodies_are_read),
        cmocka_unit_test(announced_size_is_refused_at_once),
        cmocka_unit_test(strangers_send_little),
        cmocka_unit_test(grown_size_is_refused),
        cmocka_unit_test(huge_headers_are_refused),
    };

    return cmocka_run_group_tests(tests, start_server, stop_server);
}
