/* Dates: of mails, of office files, and day numbers of sheets (as Excel and Python show them). */
#include "test.h"

#include <string.h>

#include "input/dates.h"

static void reads_dates(void **state)
{
    assert_true(den_date_milliseconds("2024-03-01T10:00:00Z") == 1709287200000);
    assert_true(den_date_milliseconds("2024-03-01T10:00:00+01:00") == 1709283600000);
    assert_true(den_date_milliseconds("2024-03-01T10:00:00.25Z") == 1709287200000);
    assert_true(den_date_milliseconds(" 2024-03-01") == 1709251200000);
    assert_true(den_date_milliseconds("Fri, 01 Mar 2024 10:00:00 +0100") == 1709283600000);
    assert_true(den_date_milliseconds("1 Mar 2024 10:00 -0500") == 1709305200000);
    assert_true(den_date_milliseconds("Thu, 29 Feb 2024 23:59:59 GMT") == 1709251199000);
}

static void refuses_others(void **state)
{
    assert_true(den_date_milliseconds("") == 0);
    assert_true(den_date_milliseconds("yesterday") == 0);
    assert_true(den_date_milliseconds("2024-13-01") == 0);
    assert_true(den_date_milliseconds("99999-01-01") == 0);
}

static void shows_serials(void **state)
{
    static const struct {
        double serial;
        int from_1904;
        const char *shown;
    } cases[] = { { 1, 0, "1900-01-01" },
                  { 59, 0, "1900-02-28" },
                  { 61, 0, "1900-03-01" },
                  { 45352, 0, "2024-03-01" },
                  { 45352.604166666664, 0, "2024-03-01 14:30:00" },
                  { 0.5, 0, "12:00:00" },
                  { 43890, 1, "2024-03-01" },
                  { 45352.999999999, 0, "2024-03-02" },
                  { -1, 0, "-1" },
                  { 1e9, 0, "1000000000" } };
    size_t i;

    for (i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char shown[DEN_DATE_BYTES];

        den_date_of_serial(cases[i].serial, cases[i].from_1904, shown);
        assert_string_equal(shown, cases[i].shown);
    }
}

int input_test_dates(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_dates),
        cmocka_unit_test(refuses_others),
        cmocka_unit_test(shows_serials),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
