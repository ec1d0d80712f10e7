/* The tests of `is`, compared with jinja2. */
#include "template_fixtures.h"

static void agrees_with_jinja2(void **state)
{
    check_constructs("jinja_tests");
}

int text_test_jinja_tests(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(agrees_with_jinja2),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
