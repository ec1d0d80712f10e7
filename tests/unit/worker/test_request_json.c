/* A request survives its way through JSON; what is no request is refused. */
#include "test.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "worker/request_json.h"

static void all_fields_survive(void **state)
{
    const char *const stops[] = { "one", "\xc3\xa9" };
    const int32_t tokens[] = { 5, 0, 299 };
    struct den_worker_request request = den_worker_request_defaults();
    struct den_request_extra extra = {
        .now = 1700000000, .again = true, .tokens = tokens, .token_count = 3, .drawn = 4
    };
    struct den_request_copy copy;
    struct den_error err = { 0 };
    json_t *messages = json_pack("[{s:s, s:s}]", "role", "user", "content", "hi");
    json_t *schema = json_true(), *object;

    request.messages = messages;
    request.schema = schema;
    request.grammar = "root ::= \"a\"";
    request.preset = "factual";
    request.temperature = 0.1;
    request.dry_base = 1.75;
    request.repeat_last_n = -1;
    request.max_tokens = 12;
    request.seed = (int64_t)1 << 52;
    request.logprobs = 3;
    request.batch = request.single_tool_call = true;
    request.stops = stops;
    request.stop_count = 2;
    object = den_request_to_json(&request);
    assert_non_null(object);
    assert_true(den_request_set_extra(object, &extra));
    assert_int_equal(den_request_from_json(object, &copy, &err), DEN_OK);
    assert_true(json_equal(copy.request.messages, messages));
    assert_true(json_is_true(copy.request.schema));
    assert_null(copy.request.tools);
    assert_null(copy.request.prompt);
    assert_string_equal(copy.request.grammar, request.grammar);
    assert_string_equal(copy.request.preset, "factual");
    assert_true(copy.request.temperature == 0.1 && copy.request.dry_base == 1.75);
    assert_true(isnan(copy.request.top_p) && copy.request.top_k == -1);
    assert_int_equal(copy.request.repeat_last_n, -1);
    assert_int_equal(copy.request.max_tokens, 12);
    assert_int_equal(copy.request.seed, request.seed);
    assert_int_equal(copy.request.logprobs, 3);
    assert_true(copy.request.batch && copy.request.single_tool_call && !copy.request.ignore_end);
    assert_int_equal(copy.request.stop_count, 2);
    assert_string_equal(copy.request.stops[1], stops[1]);
    assert_int_equal(copy.extra.now, 1700000000);
    assert_int_equal(copy.extra.token_count, 3);
    assert_memory_equal(copy.extra.tokens, tokens, sizeof tokens);
    assert_int_equal(copy.extra.drawn, 4);
    assert_true(copy.extra.again);
    den_request_copy_deinit(&copy);
    json_decref(messages);
}

static void infinite_numbers_are_refused(void **state)
{
    struct den_worker_request request = den_worker_request_defaults();

    request.temperature = INFINITY;
    assert_null(den_request_to_json(&request));
}

static void what_is_no_request_is_refused(void **state)
{
    const char *const texts[] = { "[]",
                                  "{\"temperature\": \"hot\"}",
                                  "{\"stops\": [1]}",
                                  "{\"resume\": [-1]}",
                                  "{\"resume\": [\"a\"]}",
                                  "{\"logprobs\": 1e99}",
                                  "{\"drawn\": -3}",
                                  "{\"prompt\": 7}" };
    size_t i;

    for (i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct den_request_copy copy;
        struct den_error err = { 0 };

        assert_int_equal(den_request_from_json(json_loads(texts[i], 0, NULL), &copy, &err),
                         DEN_INVALID);
        assert_true(err.message[0] != '\0');
    }
}

int worker_test_request_json(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_fields_survive),
        cmocka_unit_test(infinite_numbers_are_refused),
        cmocka_unit_test(what_is_no_request_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
