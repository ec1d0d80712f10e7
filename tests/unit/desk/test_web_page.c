/* Web pages from a small site of our own: what is fetched, what is refused, and that nothing of
 * this machine or its network can be asked for by an address from outside. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sys/socket.h>

#include "base/file.h"
#include "desk/thread_scratch.h"
#include "desk/web_page.h"

static struct den_originals *originals;
static int listener = -1, asked; /* how many requests came */
static char site[64];            /* "http://127.0.0.1:12345" */
static const char *robots = "";  /* what /robots.txt says; NULL: 404 */
static char last_request[4096];

/* --- the site --- */

static void say(int fd, const char *head, const char *body)
{
    char text[2048];
    int length = snprintf(text, sizeof text,
                          "HTTP/1.1 %s\r\nConnection: close\r\nContent-Length: %zu\r\n\r\n%s", head,
                          strlen(body), body);

    assert_int_equal(send(fd, text, (size_t)length, MSG_NOSIGNAL), length);
}

static void say_endlessly(int fd)
{
    static char block[1 << 16];
    static const char head[] = "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n";

    send(fd, head, sizeof head - 1, MSG_NOSIGNAL);
    while (send(fd, block, sizeof block, MSG_NOSIGNAL) > 0)
        continue;
}

static void answer(int fd, const char *path)
{
    if (strcmp(path, "/robots.txt") == 0 && robots)
        say(fd, "200 OK", robots);
    else if (strcmp(path, "/page") == 0)
        say(fd,
            "200 OK\r\nContent-Type: text/html; charset=utf-8\r\n"
            "Last-Modified: Wed, 31 Jan 2024 12:00:00 GMT\r\nSet-Cookie: a=b",
            "<p>hello</p>");
    else if (strcmp(path, "/moved") == 0)
        say(fd, "302 Found\r\nLocation: /page\r\nSet-Cookie: a=b", "moved");
    else if (strcmp(path, "/around") == 0)
        say(fd, "302 Found\r\nLocation: /around", "");
    else if (strcmp(path, "/file") == 0)
        say(fd, "302 Found\r\nLocation: file:///etc/passwd", "");
    else if (strcmp(path, "/secret") == 0)
        say(fd, "401 Unauthorized", "no");
    else if (strcmp(path, "/endless") == 0)
        say_endlessly(fd);
    else
        say(fd, "404 Not Found", "nothing here");
}

static void *serve(void *unused)
{
    (void)unused;
    for (;;) {
        int fd = accept(listener, NULL, NULL);
        char path[256] = "";
        ssize_t length;

        if (fd < 0)
            return NULL;
        length = recv(fd, last_request, sizeof last_request - 1, 0);
        last_request[length > 0 ? length : 0] = '\0';
        asked++;
        if (sscanf(last_request, "GET %255s", path) == 1)
            answer(fd, path);
        close(fd);
    }
}

static pthread_t server;

static int open_site(void **state)
{
    struct sockaddr_in address = { .sin_family = AF_INET,
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t length = sizeof address;

    open_threads(state);
    assert_ok(den_originals_open(scratch_folder, database, &originals, &err));
    listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(listener, (struct sockaddr *)&address, length), 0);
    assert_int_equal(getsockname(listener, (struct sockaddr *)&address, &length), 0);
    assert_int_equal(listen(listener, 16), 0);
    snprintf(site, sizeof site, "http://127.0.0.1:%d", ntohs(address.sin_port));
    asked = 0;
    robots = "";
    return pthread_create(&server, NULL, serve, NULL);
}

static int close_site(void **state)
{
    char folder[128];

    shutdown(listener, SHUT_RDWR);
    pthread_join(server, NULL);
    close(listener);
    den_originals_close(originals);
    snprintf(folder, sizeof folder, "%s/originals", scratch_folder);
    den_folder_remove(folder);
    return close_threads(state);
}

/* `address` begins with '/' for one of the site's. *out_bytes: how much came. */
static enum den_status fetch(const char *address, bool may_be_local, struct den_web_page *out,
                             uint64_t *out_bytes)
{
    char whole[512], hash[DEN_HASH_HEX + 1];
    struct den_incoming *incoming;
    const struct den_web_page_options options = { .address = whole, .may_be_local = may_be_local };
    struct den_error ignored = { 0 };

    snprintf(whole, sizeof whole, "%s%s", *address == '/' ? site : "", address);
    assert_ok(den_incoming_begin(originals, &incoming, &err));
    if (den_web_page_fetch(&options, incoming, out, &err) != DEN_OK) {
        den_incoming_drop(incoming);
        return err.status;
    }
    den_incoming_keep(incoming, hash, out_bytes, &ignored);
    den_originals_let_go(originals, hash);
    return DEN_OK;
}

static void test_fetches_a_page(void **state)
{
    struct den_web_page page;
    uint64_t bytes = 0;

    (void)state;
    if (fetch("/moved", true, &page, &bytes) != DEN_OK)
        fail_msg("%s", err.message);
    assert_int_equal(bytes, strlen("<p>hello</p>"));
    assert_string_equal(page.media_type, "text/html");
    assert_string_equal(page.name, "page.html");
    assert_non_null(strstr(page.address, "/page"));
    assert_true(page.modified == 1706702400000);
    assert_null(strcasestr(last_request, "cookie")); /* none is sent back */
    assert_non_null(strstr(last_request, "User-Agent: den/"));
}

static void test_says_why_not(void **state)
{
    struct den_web_page page;
    uint64_t bytes;

    (void)state;
    assert_int_equal(fetch("/nowhere", true, &page, &bytes), DEN_NOT_FOUND);
    assert_int_equal(fetch("/secret", true, &page, &bytes), DEN_UNAUTHORIZED);
    assert_int_equal(fetch("/around", true, &page, &bytes), DEN_IO);
    assert_non_null(strstr(err.message, "redirects"));
    assert_int_equal(fetch("/file", true, &page, &bytes), DEN_INVALID);
    assert_int_equal(fetch("/endless", true, &page, &bytes), DEN_TOO_LARGE);
}

static void test_robots(void **state)
{
    struct den_web_page page;
    uint64_t bytes;

    (void)state;
    robots = "User-agent: *\nDisallow: /page\n";
    assert_int_equal(fetch("/page", true, &page, &bytes), DEN_FORBIDDEN);
    assert_non_null(strstr(err.message, "robots.txt"));
    assert_int_equal(fetch("/moved", true, &page, &bytes), DEN_FORBIDDEN); /* where it leads */
    robots = "User-agent: *\nDisallow: /page\n\nUser-agent: den\nAllow: /\n";
    assert_int_equal(fetch("/page", true, &page, &bytes), DEN_OK);
    robots = NULL;
    assert_int_equal(fetch("/page", true, &page, &bytes), DEN_OK);
}

static void test_refuses_what_is_not_public(void **state)
{
    static const char *const addresses[] = { "http://127.0.0.1/",
                                             "http://localhost/",
                                             "http://0.0.0.0/",
                                             "http://2130706433/",
                                             "http://0x7f.1/",
                                             "http://[::1]/",
                                             "http://[::ffff:127.0.0.1]/",
                                             "http://[64:ff9b::7f00:1]/",
                                             "http://169.254.169.254/latest/meta-data/",
                                             "http://10.0.0.1/",
                                             "http://192.168.1.1/",
                                             "http://172.16.0.1/",
                                             "http://100.64.0.1/",
                                             "http://[fe80::1]/",
                                             "http://[fd00::1]/",
                                             "https://user:word@127.0.0.1/",
                                             "http://127.0.0.1@127.0.0.1/",
                                             "file:///etc/passwd",
                                             "gopher://127.0.0.1/",
                                             "ftp://127.0.0.1/",
                                             "/page" };
    struct den_web_page page;
    uint64_t bytes;
    size_t i;

    (void)state;
    for (i = 0; i < sizeof addresses / sizeof addresses[0]; i++) {
        enum den_status status = fetch(addresses[i], false, &page, &bytes);

        if (status != DEN_FORBIDDEN && status != DEN_INVALID)
            fail_msg("%s: status %d: %s", addresses[i], (int)status, err.message);
    }
    assert_int_equal(asked, 0);
}

static void test_can_be_cancelled(void **state)
{
    atomic_bool cancel = true;
    char address[128];
    struct den_web_page page;
    struct den_incoming *incoming;
    struct den_web_page_options options = { .address = address,
                                            .cancel = &cancel,
                                            .may_be_local = true };

    (void)state;
    snprintf(address, sizeof address, "%s/endless", site);
    assert_ok(den_incoming_begin(originals, &incoming, &err));
    assert_fails(den_web_page_fetch(&options, incoming, &page, &err), DEN_CANCELLED);
    den_incoming_drop(incoming);
}

int desk_test_web_page(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_fetches_a_page, open_site, close_site),
        cmocka_unit_test_setup_teardown(test_says_why_not, open_site, close_site),
        cmocka_unit_test_setup_teardown(test_robots, open_site, close_site),
        cmocka_unit_test_setup_teardown(test_refuses_what_is_not_public, open_site, close_site),
        cmocka_unit_test_setup_teardown(test_can_be_cancelled, open_site, close_site),
    };

    (void)argc;
    (void)argv;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
