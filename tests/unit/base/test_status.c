/* Status and error: the table, and messages that always fit. */
#include "test.h"

#include <errno.h>
#include <string.h>

#include "base/status.h"
#include "base/utf8.h"

static void has_a_complete_table(void **state)
{
    int status;

    for (status = 0; status < DEN_STATUS_COUNT; status++) {
        assert_non_null(den_status_text((enum den_status)status));
        assert_true(strlen(den_status_text((enum den_status)status)) > 1);
        assert_in_range(den_status_http((enum den_status)status), 200, 599);
        assert_in_range(den_status_exit((enum den_status)status), 0, 130);
        assert_true((den_status_exit((enum den_status)status) == 0) == (status == DEN_OK));
        assert_true((den_status_http((enum den_status)status) < 400) == (status == DEN_OK));
        assert_true((den_status_type((enum den_status)status)[0] == '\0') == (status == DEN_OK));
    }
}

static void fills_the_error(void **state)
{
    struct den_error err = { 0 };

    assert_int_equal(den_fail(&err, DEN_BAD_FILE, "%s: %d", "a", 7), DEN_BAD_FILE);
    assert_int_equal(err.status, DEN_BAD_FILE);
    assert_string_equal(err.message, "a: 7");
    errno = ENOENT;
    assert_int_equal(den_fail_errno(&err, DEN_IO, "b"), DEN_IO);
    assert_string_equal(err.message, "b: No such file or directory");
    assert_int_equal(den_fail_at(&err, "c%d", 1), DEN_IO);
    assert_string_equal(err.message, "c1: b: No such file or directory");
}

/* Messages of all lengths around the limit, made of characters of `bytes` bytes. */
static void check_cut(const char *character, size_t bytes)
{
    static char text[DEN_ERROR_BYTES_MAX + 64];
    size_t length;

    for (length = 0; length + bytes < sizeof text; length += bytes) {
        struct den_error err = { 0 };
        size_t i;

        for (i = 0; i + bytes <= length; i += bytes)
            memcpy(text + i, character, bytes);
        text[length] = '\0';
        den_fail(&err, DEN_IO, "%s", text);
        assert_true(den_utf8_is_valid(err.message, strlen(err.message)));
        assert_true(strlen(err.message) + 2 * bytes >=
                    (length < DEN_ERROR_BYTES_MAX ? length : DEN_ERROR_BYTES_MAX));
        den_fail_at(&err, "%s", "in front");
        assert_true(den_utf8_is_valid(err.message, strlen(err.message)));
        errno = EACCES;
        den_fail_errno(&err, DEN_IO, "%s", text);
        assert_true(den_utf8_is_valid(err.message, strlen(err.message)));
        assert_true(strlen(err.message) < sizeof err.message);
    }
}

static void cuts_at_characters(void **state)
{
    check_cut("a", 1);
    check_cut("\xC3\xA9", 2);
    check_cut("\xE4\xBD\xA0", 3);
    check_cut("\xF0\x9F\x98\x80", 4);
}

int base_test_status(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(has_a_complete_table),
        cmocka_unit_test(fills_the_error),
        cmocka_unit_test(cuts_at_characters),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
