/* What llama-server tells of itself: /props and /slots. */
#include "test.h"

#include "http_client.h"

static void tells_of_the_model(void **state)
{
    uint16_t port = ((struct fixture *)*state)->port;
    json_t *answer = ask_json(port, "GET /props HTTP/1.1", NULL, 200);

    assert_string_equal(text_at(answer, "model_alias"), "fake");
    assert_int_equal(json_integer_value(get(answer, "default_generation_settings.n_ctx")), 4096);
    assert_int_equal(json_integer_value(get(answer, "total_slots")), 1);
    assert_true(json_is_string(get(answer, "chat_template")));
    json_decref(answer);
    answer = ask_json(port, "GET /slots HTTP/1.1", NULL, 200);
    assert_int_equal(json_array_size(answer), 1);
    assert_true(json_is_false(get(answer, "0.is_processing")));
    json_decref(answer);
    http_expect(port, "GET /props?model=ada HTTP/1.1", NULL, 404, "not_found_error");
    http_expect(port, "GET /slots?model=ada HTTP/1.1", NULL, 404, "not_found_error");
    http_expect(port, "GET /v1/health HTTP/1.1", NULL, 200, "\"status\":\"ok\"");
}

int api_test_api_llama_state(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tells_of_the_model),
    };

    return cmocka_run_group_tests(tests, start_server, stop_server);
}
