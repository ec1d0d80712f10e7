/* Starting, stopping, and what connections may do to the server. */
#include "test.h"

#define FAKE_WORKER_HERE
#include "http_client.h"

#include <microhttpd.h>

#include "api/assets.h"

/* The page of these tests, instead of the real one. */
const struct den_asset *den_asset_find(const char *path)
{
    static const struct den_asset page = { .path = "/",
                                           .content_type = "text/html; charset=utf-8",
                                           .etag = "\"abc\"",
                                           .data = (const unsigned char *)"zipped",
                                           .bytes = 6 };

    return strcmp(path, "/") == 0 ? &page : NULL;
}

static void wait_until(atomic_int *value, int wanted)
{
    while (*value != wanted)
        usleep(2000);
}

static void port_in_use_is_named(void **state)
{
    struct fixture *fixture = *state;
    struct den_server_options options = { .desk = fixture->desk, .port = fixture->port };
    struct den_server *second = NULL;
    struct den_error err = { 0 };
    char number[8];

    assert_int_equal(den_server_start(&options, &second, &err), DEN_IN_USE);
    snprintf(number, sizeof number, "%u", fixture->port);
    assert_non_null(strstr(err.message, number));
    assert_null(second);
}

static void other_addresses_need_a_token(void **state)
{
    struct fixture *fixture = *state;
    struct den_server_options options = { .desk = fixture->desk, .address = "0.0.0.0" };
    struct den_server *server = NULL;
    struct den_error err = { 0 };

    assert_int_equal(den_server_start(&options, &server, &err), DEN_FORBIDDEN);
    err = (struct den_error){ 0 };
    options.address = "no.such.name";
    options.token = "a-token-of-twenty-letters";
    assert_int_equal(den_server_start(&options, &server, &err), DEN_INVALID);
    err = (struct den_error){ 0 };
    options.address = "0.0.0.0";
    assert_int_equal(den_server_start(&options, &server, &err), DEN_OK);
    http_expect(den_server_port(server), "GET /v1/models HTTP/1.1", NULL, 401, "invalid_api_key");
    http_expect(den_server_port(server),
                "GET /v1/models HTTP/1.1\r\nAuthorization: Bearer a-token-of-twenty-letter", NULL,
                401, "WWW-Authenticate: Bearer");
    http_expect(den_server_port(server),
                "GET /v1/models HTTP/1.1\r\nAuthorization: Bearer a-token-of-twenty-letters", NULL,
                200, "fake");
    http_expect(den_server_port(server), CHAT, "{}", 401, NULL);
    http_expect(den_server_port(server), "GET /nowhere HTTP/1.1", NULL, 401, NULL);
    http_expect(den_server_port(server), "GET /health HTTP/1.1", NULL, 200, NULL);
    http_expect(den_server_port(server), "GET / HTTP/1.1", NULL, 200, "zipped");
    den_server_stop(server);
}

static void listens_on_ipv6(void **state)
{
    struct fixture *fixture = *state;
    struct den_server_options options = { .desk = fixture->desk, .address = "::1" };
    struct sockaddr_in6 address = { .sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT };
    const char text[] = "GET /health HTTP/1.1\r\nHost: [::1]\r\nConnection: close\r\n\r\n";
    struct den_server *server;
    struct den_error err = { 0 };
    struct reply reply;
    int fd;

    if (den_server_start(&options, &server, &err) != DEN_OK) {
        assert_int_equal(err.status, DEN_IO); /* a machine without IPv6 */
        skip();
    }
    address.sin6_port = htons(den_server_port(server));
    fd = socket(AF_INET6, SOCK_STREAM, 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
    http_send(fd, text, sizeof text - 1);
    reply = http_read(fd);
    assert_int_equal(reply.http, 200);
    free(reply.text);
    den_server_stop(server);
}

static void hanging_up_ends_the_generation(void **state)
{
    static const char *const bodies[] = {
        "{\"messages\":[{\"role\":\"user\",\"content\":\"slow\"}],\"max_tokens\":1000000,"
        "\"stream\":true}",
        "{\"messages\":[{\"role\":\"user\",\"content\":\"slow\"}],\"max_tokens\":1000000}",
        "{\"messages\":[{\"role\":\"user\",\"content\":\"slow\"}],\"max_tokens\":1000000,\"n\":5}",
    };
    struct fixture *fixture = *state;
    size_t i;

    for (i = 0; i < 3; i++) {
        int fd = http_begin(fixture->port, CHAT, bodies[i]);
        int before = fake_cancelled, count = i == 2 ? 5 : 1;

        wait_until(&fake_running, count);
        close(fd);
        wait_until(&fake_running, 0);
        assert_int_equal(fake_cancelled, before + count);
    }
}

/* The reader takes nothing while a flood comes. The queue has a ceiling, the flood then ends, and a
 * second client is served all the while. */
static void slow_readers_hurt_only_themselves(void **state)
{
    struct fixture *fixture = *state;
    int before = fake_cancelled;
    int fd = http_begin(fixture->port, CHAT,
                        "{\"messages\":[{\"role\":\"user\",\"content\":\"flood\"}],"
                        "\"stream\":true}");

    wait_until(&fake_running, 1);
    http_expect(fixture->port, CHAT, "{\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]}", 200,
                "word word word word ");
    wait_until(&fake_running, 0);
    assert_int_equal(fake_cancelled, before + 1);
    close(fd);
}

static void unfinished_requests_are_let_go(void **state)
{
    struct fixture *fixture = *state;
    static const char *const starts[] = {
        "",
        "G",
        "GET / HT",
        "GET / HTTP/1.1\r\nHost: localh",
        CHAT "\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{\"messages\"",
        CHAT "\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab",
    };
    size_t i;

    for (i = 0; i < sizeof starts / sizeof starts[0]; i++) {
        int fd = http_connect(fixture->port);

        http_send(fd, starts[i], strlen(starts[i]));
        close(fd);
    }
    http_expect(fixture->port, "GET /health HTTP/1.1", NULL, 200, "ok");
}

static void stopping_ends_what_runs(void **state)
{
    struct fixture *own;
    void *own_state;
    int fd, other, before = fake_cancelled;
    struct reply reply;

    assert_int_equal(start_server(&own_state), 0);
    own = own_state;
    fd = http_begin(own->port, CHAT,
                    "{\"messages\":[{\"role\":\"user\",\"content\":\"slow\"}],\"max_tokens\":"
                    "1000000,\"stream\":true}");
    other = http_begin(own->port, CHAT,
                       "{\"messages\":[{\"role\":\"user\",\"content\":\"slow\"}],\"max_tokens\":"
                       "1000000}");
    wait_until(&fake_running, 2);
    assert_int_equal(stop_server(&own_state), 0);
    assert_int_equal(fake_cancelled, before + 2);
    reply = http_read(fd);
    assert_null(strstr(reply.text, "[DONE]"));
    free(reply.text);
    free(http_read(other).text);
}

int api_test_server(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(port_in_use_is_named),
        cmocka_unit_test(other_addresses_need_a_token),
        cmocka_unit_test(listens_on_ipv6),
        cmocka_unit_test(hanging_up_ends_the_generation),
        cmocka_unit_test(slow_readers_hurt_only_themselves),
        cmocka_unit_test(unfinished_requests_are_let_go),
        cmocka_unit_test(stopping_ends_what_runs),
    };

    return cmocka_run_group_tests(tests, start_server, stop_server);
}
