/* Sentences of a summary that say other numbers than its text. */
#include "test.h"

#include <stdlib.h>

#include "desk/report_check.h"

static const char source[] = "Invoice 17 is from Hofmann Mill. The total amount to pay is 340.50 "
                             "euros.\nPayment is due within 14 days. Nobody likes it.";

static void expect(const char *text, const char *expected)
{
    char *checked = den_report_check(text, source);

    assert_string_equal(checked, expected);
    free(checked);
}

static void what_is_true_stays(void **state)
{
    (void)state;
    expect("340.50 euros are to be paid.", "340.50 euros are to be paid.");
    expect("Of invoice 17, 340.50 euros are to be paid. Nobody is happy.",
           "Of invoice 17, 340.50 euros are to be paid. Nobody is happy.");
    expect("", "");
}

static void another_number_is_replaced(void **state)
{
    (void)state;
    expect("Payment is due within 1.4 days.", "Payment is due within 14 days.");
    expect("It is from a mill. The total amount is 3,450 euros to pay.",
           "It is from a mill. The total amount to pay is 340.50 euros.");
}

/* 17 and 14 stand in sentences that have nothing to do with each other. */
static void numbers_of_many_places_are_replaced(void **state)
{
    (void)state;
    expect("Payment of invoice 17 is due within 14 days.", "Payment is due within 14 days.");
}

static void what_is_like_nothing_goes(void **state)
{
    (void)state;
    expect("There were 99 elephants. Nobody likes it.", "Nobody likes it.");
    expect("Payment is due within 15 days. Payment is due in 16 days.",
           "Payment is due within 14 days."); /* once */
}

int desk_test_report_check(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_true_stays),
        cmocka_unit_test(another_number_is_replaced),
        cmocka_unit_test(numbers_of_many_places_are_replaced),
        cmocka_unit_test(what_is_like_nothing_goes),
    };

    (void)argc;
    (void)argv;
    return cmocka_run_group_tests_name("desk/report_check", tests, NULL, NULL);
}
