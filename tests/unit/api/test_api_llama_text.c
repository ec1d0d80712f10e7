/* llama-server's tokenize, detokenize and apply-template, with its shape of errors. */
#include "test.h"

#include "http_client.h"

static uint16_t port_of(void **state)
{
    return ((struct fixture *)*state)->port;
}

static void text_and_tokens(void **state)
{
    json_t *answer =
        ask_json(port_of(state), "POST /tokenize HTTP/1.1", "{\"content\":\"Hi!\"}", 200);

    assert_int_equal(json_array_size(get(answer, "tokens")), 3);
    assert_int_equal(json_integer_value(get(answer, "tokens.1")), 'i');
    json_decref(answer);
    http_expect(port_of(state), "POST /tokenize HTTP/1.1", "{}", 200, "{\"tokens\":[]}");
    http_expect(port_of(state), "POST /detokenize HTTP/1.1", "{\"tokens\":[72,105]}", 200,
                "{\"content\":\"Hi\"}");
    http_expect(port_of(state), "POST /detokenize HTTP/1.1", "{}", 200, "{\"content\":\"\"}");
    http_expect(port_of(state), "POST /apply-template HTTP/1.1",
                "{\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}]}", 200,
                "{\"prompt\":\"prompt\"}");
}

static void wrong_fields_are_named(void **state)
{
    static const char *const cases[][3] = {
        { "POST /tokenize HTTP/1.1", "{\"content\":5}", "'content'" },
        { "POST /tokenize HTTP/1.1", "{\"content\":\"a\",\"with_pieces\":1}", "with_pieces" },
        { "POST /tokenize HTTP/1.1", "[]", "must be a JSON object" },
        { "POST /detokenize HTTP/1.1", "{\"tokens\":\"a\"}", "'tokens'" },
        { "POST /apply-template HTTP/1.1", "{}", "'messages'" },
        { "POST /apply-template HTTP/1.1", "{\"messages\":[],\"chat_template_kwargs\":[]}",
          "chat_template_kwargs" },
    };
    size_t i;

    for (i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        json_t *answer = ask_json(port_of(state), cases[i][0], cases[i][1], 400);

        assert_int_equal(json_integer_value(get(answer, "error.code")), 400);
        assert_string_equal(text_at(answer, "error.type"), "invalid_request_error");
        if (!strstr(text_at(answer, "error.message"), cases[i][2]))
            fail_msg("%s: %s", cases[i][1], text_at(answer, "error.message"));
        json_decref(answer);
    }
    http_expect(port_of(state), "POST /tokenize HTTP/1.1", "{\"content\":\"a\",\"model\":\"ada\"}",
                404, "not_found_error");
    http_expect(port_of(state), "GET /tokenize HTTP/1.1", NULL, 405, "\"code\":405");
}

int api_test_api_llama_text(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_and_tokens),
        cmocka_unit_test(wrong_fields_are_named),
    };

    return cmocka_run_group_tests(tests, start_server, stop_server);
}
