/* Embeddings: inputs in each of their shapes, vectors as numbers and as base64. */
#include "test.h"

#include "http_client.h"

#define EMBED "POST /v1/embeddings HTTP/1.1"

static uint16_t port_of(void **state)
{
    return ((struct fixture *)*state)->port;
}

static void inputs_in_all_shapes(void **state)
{
    static const struct {
        const char *input;
        size_t count, tokens;
    } cases[] = {
        { "\"four\"", 1, 4 },
        { "[\"a\",\"bcd\"]", 2, 4 },
        { "[72,105]", 1, 2 },
        { "[[72],[105,33]]", 2, 3 },
    };
    size_t i;

    for (i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char body[200];
        json_t *answer;

        snprintf(body, sizeof body, "{\"model\":\"fake-embed\",\"input\":%s}", cases[i].input);
        answer = ask_json(port_of(state), EMBED, body, 200);
        assert_string_equal(text_at(answer, "model"), "fake-embed");
        assert_int_equal(json_array_size(get(answer, "data")), cases[i].count);
        assert_int_equal(json_array_size(get(answer, "data.0.embedding")), 4);
        assert_int_equal(json_integer_value(get(answer, "usage.prompt_tokens")), cases[i].tokens);
        json_decref(answer);
    }
}

static void vectors_in_base64(void **state)
{
    json_t *answer =
        ask_json(port_of(state), EMBED,
                 "{\"input\":\"ab\",\"encoding_format\":\"base64\",\"dimensions\":2}", 200);

    /* 2.0f and 0.5f, little-endian */
    assert_string_equal(text_at(answer, "data.0.embedding"), "AAAAQAAAAD8=");
    json_decref(answer);
}

static void wrong_fields_are_named(void **state)
{
    static const char *const cases[][2] = {
        { "{}", "\"param\":\"input\"" },
        { "{\"input\":\"\"}", "\"param\":\"input\"" },
        { "{\"input\":[]}", "\"param\":\"input\"" },
        { "{\"input\":[true]}", "\"param\":\"input\"" },
        { "{\"input\":{}}", "\"param\":\"input\"" },
        { "{\"input\":\"a\",\"encoding_format\":\"hex\"}", "\"param\":\"encoding_format\"" },
        { "{\"input\":\"a\",\"dimensions\":0}", "\"param\":\"dimensions\"" },
        { "{\"input\":\"a\",\"dimensions\":5}", "\"param\":\"dimensions\"" },
        { "{\"input\":\"a\",\"model\":\"fake\"}", "\"param\":\"model\"" },
    };
    size_t i;

    for (i = 0; i < sizeof cases / sizeof cases[0]; i++)
        http_expect(port_of(state), EMBED, cases[i][0], 400, cases[i][1]);
    http_expect(port_of(state), EMBED, "{\"input\":\"a\",\"model\":\"ada\"}", 404,
                "model_not_found");
}

int api_test_api_embeddings(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(inputs_in_all_shapes),
        cmocka_unit_test(vectors_in_base64),
        cmocka_unit_test(wrong_fields_are_named),
    };

    return cmocka_run_group_tests(tests, start_server, stop_server);
}
