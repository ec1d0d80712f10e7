/* Paths to rows of the table: fixed ones, patterns, what the patterns stood for. */
#include "test.h"

#include <string.h>

#include "api/routes.h"

static void patterns_take_their_parts(void **state)
{
    struct den_route_values values = { 0 };

    assert_string_equal(den_route_find("/v1/models/a/b:c", &values)->path, "/v1/models/{id*}");
    assert_string_equal(values.text[0], "a/b:c");
    assert_string_equal(den_route_find("/v1/models", &values)->path, "/v1/models");
    assert_null(den_route_find("/v1/models/", &values));
    assert_null(den_route_find("/v1", &values));
    assert_null(den_route_find("v1/models", &values));
    assert_null(den_route_find("", &values));
    assert_null(den_route_find("/v1/chat/completions/x", &values));
}

static void parts_are_bounded(void **state)
{
    struct den_route_values values;
    char path[2 * DEN_ROUTE_VALUE_BYTES_MAX] = "/v1/models/";
    size_t start = strlen(path);

    memset(path + start, 'a', DEN_ROUTE_VALUE_BYTES_MAX - 1);
    assert_non_null(den_route_find(path, &values));
    assert_int_equal(strlen(values.text[0]), DEN_ROUTE_VALUE_BYTES_MAX - 1);
    path[start + DEN_ROUTE_VALUE_BYTES_MAX - 1] = 'a';
    assert_null(den_route_find(path, &values));
}

static void allow_lists_what_there_is(void **state)
{
    const struct den_route all = { .get = den_route_health,
                                   .post = den_route_health,
                                   .put = den_route_health,
                                   .patch = den_route_health,
                                   .remove = den_route_health };
    const struct den_route one = { .remove = den_route_health };
    char allow[DEN_ROUTE_ALLOW_BYTES];

    den_route_allow(&all, allow);
    assert_string_equal(allow, "GET, HEAD, POST, PUT, PATCH, DELETE");
    den_route_allow(&one, allow);
    assert_string_equal(allow, "DELETE");
}

/* Every pattern must be found by a path of its own shape, or an earlier row hides it. */
static void no_row_is_hidden(void **state)
{
    const struct den_route *route;
    size_t i;

    for (i = 0; (route = den_route_at(i)) != NULL; i++) {
        struct den_route_values values;
        char path[256];
        size_t used = 0;
        const char *at;

        for (at = route->path; *at; at++) {
            path[used++] = *at == '{' ? 'x' : *at;
            if (*at == '{')
                at = strchr(at, '}');
        }
        path[used] = '\0';
        assert_ptr_equal(den_route_find(path, &values), route);
        assert_true(route->get || route->post || route->put || route->patch || route->remove);
    }
}

int api_test_routes(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(patterns_take_their_parts),
        cmocka_unit_test(parts_are_bounded),
        cmocka_unit_test(allow_lists_what_there_is),
        cmocka_unit_test(no_row_is_hidden),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
