/* Kept responses: found again, replaced, forgotten. */
#include "thread_scratch.h"

#include "desk/responses.h"

static void kept_is_found_until_forgotten(void **state)
{
    json_t *content = json_pack("{s:s}", "text", "\xE4\xBD\xA0"), *found = NULL;

    assert_ok(den_response_keep(database, "resp_1", content, &err));
    assert_ok(den_response_find(database, "resp_1", &found, &err));
    assert_true(json_equal(content, found));
    json_decref(found);
    json_object_set_new(content, "text", json_string("other"));
    assert_ok(den_response_keep(database, "resp_1", content, &err));
    assert_ok(den_response_find(database, "resp_1", &found, &err));
    assert_true(json_equal(content, found));
    json_decref(found);
    assert_ok(den_response_forget(database, "resp_1", &err));
    assert_fails(den_response_find(database, "resp_1", &found, &err), DEN_NOT_FOUND);
    assert_fails(den_response_forget(database, "resp_1", &err), DEN_NOT_FOUND);
    json_decref(content);
}

static void ids_are_no_sql(void **state)
{
    json_t *found = NULL;

    assert_fails(den_response_find(database, "' OR 1=1 --", &found, &err), DEN_NOT_FOUND);
    assert_fails(den_response_forget(database, "%", &err), DEN_NOT_FOUND);
}

int desk_test_responses(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(kept_is_found_until_forgotten),
        cmocka_unit_test(ids_are_no_sql),
    };

    return cmocka_run_group_tests(tests, open_threads, close_threads);
}
