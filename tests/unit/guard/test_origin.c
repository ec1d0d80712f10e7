/* Hosts and origins: a table of who may ask. */
#include "test.h"

#include <stdlib.h>

#include "guard/origin.h"

static void loopback_addresses(void **state)
{
    static const char *const yes[] = { "127.0.0.1",       "127.255.0.3", "::1",
                                       "localhost",       "LOCALHOST",   "den.localhost",
                                       "::ffff:127.0.0.1" };
    static const char *const no[] = {
        "0.0.0.0", "::",         "10.0.0.1",         "128.0.0.1", "localhos",      "xlocalhost",
        "",        ".localhost", "127.0.0.1.nip.io", "127.1",     "::ffff:8.8.8.8"
    };
    size_t i;

    for (i = 0; i < sizeof yes / sizeof yes[0]; i++)
        assert_true(den_address_is_loopback(yes[i]));
    for (i = 0; i < sizeof no / sizeof no[0]; i++)
        if (den_address_is_loopback(no[i]))
            fail_msg("'%s' is not loopback", no[i]);
}

static void hosts(void **state)
{
    static const struct {
        const char *host, *bound;
        bool allowed;
    } cases[] = {
        { "localhost", "127.0.0.1", true },
        { "localhost:4327", "127.0.0.1", true },
        { "LocalHost:8080", "127.0.0.1", true },
        { "127.0.0.1:4327", "127.0.0.1", true },
        { "[::1]:4327", "127.0.0.1", true },
        { "[::1]", "::1", true },
        { "den.localhost:1", "127.0.0.1", true },
        { "evil.example", "127.0.0.1", false },
        { "evil.example:4327", "0.0.0.0", false },
        { "localhost.evil.example", "127.0.0.1", false },
        { "127.0.0.1.evil.example", "127.0.0.1", false },
        { "localhost@evil.example", "127.0.0.1", false },
        { "localhost:80:80", "127.0.0.1", false },
        { "localhost:", "127.0.0.1", false },
        { "localhost:x", "127.0.0.1", false },
        { "localhost:99999", "127.0.0.1", false },
        { "localhost:-1", "127.0.0.1", false },
        { "[::1", "127.0.0.1", false },
        { "[::1]x", "127.0.0.1", false },
        { "::1", "::1", false }, /* a port after the first colon that is none */
        { "", "127.0.0.1", false },
        { " localhost", "127.0.0.1", false },
        { NULL, "127.0.0.1", false },
        { "192.168.1.5:4327", "192.168.1.5", true },
        { "192.168.1.6:4327", "192.168.1.5", false },
        { "192.168.1.5", "0.0.0.0", true },
        { "[fe80::1]:80", "::", true },
        { "192.168.1.5", "127.0.0.1", false },
        { "[2001:DB8::1]", "2001:db8:0::1", true },
    };
    size_t i;

    for (i = 0; i < sizeof cases / sizeof cases[0]; i++)
        if (den_host_is_allowed(cases[i].host, cases[i].bound) != cases[i].allowed)
            fail_msg("Host '%s' on %s should%s be allowed", cases[i].host, cases[i].bound,
                     cases[i].allowed ? "" : " not");
}

static void origins(void **state)
{
    static const struct {
        const char *origin, *host;
        bool allowed;
    } cases[] = {
        { NULL, "localhost:4327", true },
        { "http://localhost:4327", "localhost:4327", true },
        { "https://den.localhost", "den.localhost", true },
        { "HTTP://LOCALHOST:4327", "localhost:4327", true },
        { "http://localhost:3000", "localhost:4327", false },
        { "http://127.0.0.1:4327", "localhost:4327", false },
        { "http://localhost:4327.evil.example", "localhost:4327", false },
        { "http://evil.example", "localhost:4327", false },
        { "null", "localhost:4327", false },
        { "", "localhost:4327", false },
        { "file://localhost:4327", "localhost:4327", false },
        { "chrome-extension://localhost:4327", "localhost:4327", false },
        { "http://localhost:4327", NULL, false },
    };
    size_t i;

    for (i = 0; i < sizeof cases / sizeof cases[0]; i++)
        if (den_origin_is_allowed(cases[i].origin, cases[i].host) != cases[i].allowed)
            fail_msg("Origin '%s' at %s should%s be allowed", cases[i].origin, cases[i].host,
                     cases[i].allowed ? "" : " not");
}

int guard_test_origin(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(loopback_addresses),
        cmocka_unit_test(hosts),
        cmocka_unit_test(origins),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
