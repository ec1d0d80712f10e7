/* The description and the table of routes say the same: every path and every method is in both. */
#include "test.h"

#include <ctype.h>
#include <string.h>

#include "api/openapi_data.h"
#include "api/routes.h"
#include "http_client.h"

/* "{id*}" of the table is "{id}" in the description. */
static void describe(const char *path, char *out)
{
    for (; *path; path++)
        if (*path != '*')
            *out++ = *path;
    *out = '\0';
}

static void check_method(const json_t *paths, const char *path, const char *method, bool is_there)
{
    const json_t *item = json_object_get(paths, path);

    if (is_there && !item)
        fail_msg("%s is in no fragment of src/api/openapi", path);
    if (is_there != (json_object_get(item, method) != NULL))
        fail_msg("%s %s: %s", method, path,
                 is_there ? "is in no fragment of src/api/openapi" : "is described, not served");
}

static void routes_and_description_agree(void **state)
{
    json_t *whole = json_loadb((const char *)den_openapi_data, den_openapi_bytes, 0, NULL);
    const json_t *paths = json_object_get(whole, "paths");
    const struct den_route *route;
    size_t i;

    assert_non_null(whole);
    assert_string_equal(json_string_value(json_object_get(whole, "openapi")), "3.1.0");
    for (i = 0; (route = den_route_at(i)) != NULL; i++) {
        char path[200];

        describe(route->path, path);
        check_method(paths, path, "get", route->get != NULL);
        check_method(paths, path, "post", route->post != NULL);
        check_method(paths, path, "put", route->put != NULL);
        check_method(paths, path, "patch", route->patch != NULL);
        check_method(paths, path, "delete", route->remove != NULL);
    }
    json_decref(whole);
}

static void described_paths_are_served(void **state)
{
    json_t *whole = json_loadb((const char *)den_openapi_data, den_openapi_bytes, 0, NULL);
    const char *path;
    json_t *item;

    json_object_foreach(json_object_get(whole, "paths"), path, item)
    {
        struct den_route_values values;

        if (!den_route_find(path, &values))
            fail_msg("%s is described, not served", path);
    }
    json_decref(whole);
}

static void it_is_served(void **state)
{
    http_expect(((struct fixture *)*state)->port, "GET /openapi.json HTTP/1.1", NULL, 200,
                "/v1/chat/completions");
}

int api_test_api_openapi(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(routes_and_description_agree),
        cmocka_unit_test(described_paths_are_served),
        cmocka_unit_test_setup_teardown(it_is_served, start_server, stop_server),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
