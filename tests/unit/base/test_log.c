/* One line an event: levels, both forms, and what can't break a line. */
#include "test.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/log.h"

static char text[2 * DEN_LOG_LINE_BYTES_MAX];

/* Logs `value` and returns the line. */
static const char *line(enum den_log_level set, bool json, enum den_log_level level,
                        const char *value)
{
    const struct den_log_field fields[] = { { "value", value, 0 }, { "ms", NULL, 12 } };
    ssize_t length;
    int fds[2];

    assert_int_equal(pipe(fds), 0);
    den_log_start(set, json, fds[1]);
    den_log(level, "happened", fields, 2);
    den_log_start(DEN_LOG_NONE, false, -1);
    close(fds[1]);
    length = read(fds[0], text, sizeof text - 1);
    close(fds[0]);
    text[length > 0 ? length : 0] = '\0';
    return text;
}

static void levels(void **state)
{
    int set, level;

    for (set = DEN_LOG_NONE; set <= DEN_LOG_DEBUG; set++)
        for (level = DEN_LOG_ERROR; level <= DEN_LOG_DEBUG; level++) {
            bool wanted = *line((enum den_log_level)set, false, (enum den_log_level)level, "x");

            assert_int_equal(wanted, level <= set);
        }
}

static void forms(void **state)
{
    const char *written = line(DEN_LOG_INFO, false, DEN_LOG_INFO, "/v1/models");

    assert_non_null(strstr(written, "Z info happened value=/v1/models ms=12\n"));
    assert_int_equal(written[4], '-');
    assert_int_equal(written[10], 'T');
    written = line(DEN_LOG_INFO, true, DEN_LOG_WARNING, "/v1/models");
    assert_memory_equal(written, "{\"time\": \"", 10);
    assert_non_null(strstr(written, "\"level\": \"warning\", \"event\": \"happened\", "
                                    "\"value\": \"/v1/models\", \"ms\": 12}\n"));
}

static void nothing_breaks_a_line(void **state)
{
    static char long_text[DEN_LOG_LINE_BYTES_MAX + 1];
    const char *written;

    written = line(DEN_LOG_INFO, false, DEN_LOG_INFO, "a b\n2026 info forged status=200\x1b[2J");
    assert_non_null(strstr(written, "value=\"a b\\u000a2026 info forged status=200\\u001b[2J\""));
    assert_ptr_equal(strchr(written, '\n'), written + strlen(written) - 1);
    written = line(DEN_LOG_INFO, true, DEN_LOG_INFO, "quote\" back\\ \xff");
    assert_non_null(strstr(written, "\"quote\\\" back\\\\ \\u00ff\""));
    assert_non_null(strstr(line(DEN_LOG_INFO, false, DEN_LOG_INFO, ""), " value=\"\" "));
    memset(long_text, 'x', sizeof long_text - 1);
    assert_string_equal(line(DEN_LOG_INFO, false, DEN_LOG_INFO, long_text), "");
}

/* A pipe that nobody reads holds 64 KiB: logging goes on without blocking, and the loss is told. */
static void who_does_not_read_stops_nothing(void **state)
{
    static char value[1000], held[1 << 17];
    const struct den_log_field field = { "value", value, 0 };
    ssize_t length;
    int fds[2], i;

    memset(value, 'x', sizeof value - 1);
    assert_int_equal(pipe(fds), 0);
    den_log_start(DEN_LOG_INFO, false, fds[1]);
    for (i = 0; i < 200; i++)
        den_log(DEN_LOG_INFO, "filled", &field, 1);
    length = read(fds[0], held, sizeof held);
    assert_true(length > 32768 && length < 100000);
    den_log(DEN_LOG_INFO, "after", NULL, 0);
    den_log_start(DEN_LOG_NONE, false, -1);
    length = read(fds[0], held, sizeof held - 1);
    held[length] = '\0';
    assert_non_null(strstr(held, "Z warning log_lost lines=1"));
    assert_null(strstr(held, "filled"));
    assert_non_null(strstr(held, "Z info after\n"));
    close(fds[0]);
    close(fds[1]);
}

int base_test_log(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(levels),
        cmocka_unit_test(forms),
        cmocka_unit_test(nothing_breaks_a_line),
        cmocka_unit_test(who_does_not_read_stops_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
