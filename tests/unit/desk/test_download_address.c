/* Addresses: which are public, and where a redirect may lead. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <netinet/in.h>

#include "desk/download_address.h"

static struct den_error err;

static bool is_public(const char *text)
{
    struct sockaddr_in ipv4 = { .sin_family = AF_INET };
    struct sockaddr_in6 ipv6 = { .sin6_family = AF_INET6 };

    if (inet_pton(AF_INET, text, &ipv4.sin_addr) == 1)
        return den_download_address_is_public((struct sockaddr *)&ipv4);
    assert_int_equal(inet_pton(AF_INET6, text, &ipv6.sin6_addr), 1);
    return den_download_address_is_public((struct sockaddr *)&ipv6);
}

static void public_addresses(void **state)
{
    static const char *const yes[] = {
        "1.1.1.1",         "8.8.8.8",      "100.63.255.255",      "100.128.0.0", "172.15.255.255",
        "172.32.0.0",      "192.167.1.1",  "198.17.255.255",      "198.20.0.0",  "223.255.255.255",
        "2606:4700::1111", "2a00:1450::1", "2001:4860:4860::8888"
    };
    static const char *const no[] = {
        "0.0.0.0",
        "10.0.0.1",
        "100.64.0.1",
        "100.127.255.255",
        "127.0.0.1",
        "127.255.255.254",
        "169.254.169.254",
        "172.16.0.1",
        "172.31.255.255",
        "192.0.0.1",
        "192.0.2.1",
        "192.168.0.1",
        "198.18.0.1",
        "198.19.255.255",
        "198.51.100.1",
        "203.0.113.1",
        "224.0.0.1",
        "239.255.255.255",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::ffff:8.8.8.8",
        "::ffff:127.0.0.1",
        "64:ff9b::8.8.8.8",
        "64:ff9b:1::1",
        "100::1",
        "fe80::1",
        "fc00::1",
        "fd00:ec2::254",
        "ff02::1",
        "2001:db8::1",
        "2001::1",
        "2001:20::1",
        "2002:7f00:1::",
        "3fff::1",
    };
    size_t i;

    for (i = 0; i < sizeof yes / sizeof yes[0]; i++)
        if (!is_public(yes[i]))
            fail_msg("%s is public", yes[i]);
    for (i = 0; i < sizeof no / sizeof no[0]; i++)
        if (is_public(no[i]))
            fail_msg("%s is not public", no[i]);
}

static void names_are_resolved_before_they_are_judged(void **state)
{
    static const char *const cases[] = { "http://127.0.0.1/", "http://2130706433/",
                                         "http://0x7f.1/", "http://[::1]:80/",
                                         "http://localhost/" };
    struct den_download_url url;
    bool found_public = true;
    char *pin = NULL;
    size_t i;

    for (i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        err = (struct den_error){ 0 };
        assert_int_equal(den_download_url_parse(cases[i], &url, &err), DEN_OK);
        assert_int_equal(den_download_resolve(&url, true, &found_public, &pin, &err),
                         DEN_FORBIDDEN);
        assert_null(pin);
    }
    err = (struct den_error){ 0 };
    assert_int_equal(den_download_url_parse("http://127.0.0.1:81/", &url, &err), DEN_OK);
    assert_int_equal(den_download_resolve(&url, false, &found_public, &pin, &err), DEN_OK);
    assert_false(found_public);
    assert_string_equal(pin, "127.0.0.1:81:127.0.0.1");
    free(pin);
}

static void redirects(void **state)
{
    struct den_download_url base, next;

    err = (struct den_error){ 0 };
    assert_int_equal(den_download_url_parse("https://hub.example/a/b?c", &base, &err), DEN_OK);
    assert_int_equal(den_download_url_follow(&base, "../d?e=1", &next, &err), DEN_OK);
    assert_string_equal(next.text, "https://hub.example/d?e=1");
    assert_true(den_download_url_same_origin(&base, &next));
    assert_int_equal(den_download_url_follow(&base, "//cdn.example:444/x", &next, &err), DEN_OK);
    assert_string_equal(next.host, "cdn.example");
    assert_false(den_download_url_same_origin(&base, &next));
    assert_int_equal(den_download_url_follow(&base, "http://hub.example/", &next, &err),
                     DEN_FORBIDDEN);
    err = (struct den_error){ 0 };
    assert_int_equal(den_download_url_follow(&base, "ftp://hub.example/", &next, &err),
                     DEN_INVALID);
    err = (struct den_error){ 0 };
    assert_int_equal(den_download_url_follow(&base, "https://u:p@hub.example/", &next, &err),
                     DEN_INVALID);
}

int desk_test_download_address(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(public_addresses),
        cmocka_unit_test(names_are_resolved_before_they_are_judged),
        cmocka_unit_test(redirects),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
