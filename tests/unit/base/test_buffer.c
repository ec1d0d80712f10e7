/* Buffer: growth, the ceiling, and the failure that it remembers. */
#include "test.h"

#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"

static void grows_and_terminates(void **state)
{
    struct den_buffer buffer;
    int i;

    den_buffer_init(&buffer, 1 << 20);
    assert_string_equal(buffer.data, "");
    for (i = 0; i < 10000; i++) {
        assert_true(den_buffer_append_byte(&buffer, (char)('a' + i % 26)));
        assert_int_equal(buffer.data[buffer.length], '\0');
    }
    assert_int_equal(buffer.length, 10000);
    for (i = 0; i < 10000; i++)
        assert_int_equal(buffer.data[i], 'a' + i % 26);
    den_buffer_deinit(&buffer);
    assert_string_equal(buffer.data, "");
    den_buffer_deinit(&buffer); /* twice does no harm */
}

static void formats(void **state)
{
    struct den_buffer buffer;
    char text[600];

    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    den_buffer_init(&buffer, 1000);
    assert_true(den_buffer_appendf(&buffer, "%d+%s;", 12, "a"));
    assert_true(den_buffer_appendf(&buffer, "%s", text)); /* longer than the first allocation */
    assert_true(den_buffer_appendf(&buffer, "%s", ""));
    assert_int_equal(buffer.length, 5 + 599);
    assert_memory_equal(buffer.data, "12+a;xxx", 8);
    den_buffer_deinit(&buffer);
}

static void stops_at_its_ceiling(void **state)
{
    struct den_buffer buffer;
    struct den_error err = { 0 };

    den_buffer_init(&buffer, 10);
    assert_true(den_buffer_append(&buffer, "0123456789", 10)); /* exactly full */
    assert_int_equal(den_buffer_status(&buffer, "body", &err), DEN_OK);
    assert_false(den_buffer_append_byte(&buffer, 'x'));
    assert_string_equal(buffer.data, "0123456789");
    assert_false(den_buffer_append(&buffer, "", 0)); /* the failure stays */
    assert_int_equal(den_buffer_status(&buffer, "body", &err), DEN_TOO_LARGE);
    assert_string_equal(err.message, "body: larger than the limit of 10 bytes");
    den_buffer_clear(&buffer);
    assert_true(den_buffer_append_text(&buffer, "again"));
    assert_false(den_buffer_append_text(&buffer, "longer"));
    assert_string_equal(buffer.data, "again"); /* never a part */
    den_buffer_deinit(&buffer);
}

static void refuses_lengths_that_wrap(void **state)
{
    struct den_buffer buffer;

    den_buffer_init(&buffer, SIZE_MAX);
    assert_true(den_buffer_append_byte(&buffer, 'a'));
    assert_false(den_buffer_reserve(&buffer, SIZE_MAX));
    assert_int_equal(buffer.status, DEN_TOO_LARGE);
    den_buffer_clear(&buffer);
    assert_false(den_buffer_reserve(&buffer, SIZE_MAX - 1)); /* doubling can't reach it */
    den_buffer_deinit(&buffer);
}

static void consumes_from_the_front(void **state)
{
    struct den_buffer buffer;

    den_buffer_init(&buffer, 100);
    den_buffer_consume(&buffer, 5); /* of nothing */
    den_buffer_append_text(&buffer, "hello world");
    den_buffer_consume(&buffer, 6);
    assert_string_equal(buffer.data, "world");
    den_buffer_consume(&buffer, 100);
    assert_string_equal(buffer.data, "");
    assert_int_equal(buffer.length, 0);
    den_buffer_deinit(&buffer);
}

static void hands_over(void **state)
{
    struct den_buffer buffer;
    char *text;

    den_buffer_init(&buffer, 10);
    text = den_buffer_take(&buffer); /* of an empty one: still to be freed */
    assert_string_equal(text, "");
    free(text);
    den_buffer_append_text(&buffer, "mine");
    text = den_buffer_take(&buffer);
    assert_string_equal(text, "mine");
    free(text);
    assert_string_equal(buffer.data, "");
    den_buffer_append_text(&buffer, "partly");
    den_buffer_append_text(&buffer, "too long for it");
    assert_null(den_buffer_take(&buffer)); /* half a text is not handed out */
    den_buffer_deinit(&buffer);
}

int base_test_buffer(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(grows_and_terminates),    cmocka_unit_test(formats),
        cmocka_unit_test(stops_at_its_ceiling),    cmocka_unit_test(refuses_lengths_that_wrap),
        cmocka_unit_test(consumes_from_the_front), cmocka_unit_test(hands_over),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
