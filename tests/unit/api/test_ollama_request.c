/* Ollama's bodies to the request that a worker gets, and what its clients mean by keep_alive. */
#include "test.h"

#include <stdlib.h>
#include <string.h>

#include "api/ollama.h"

static const struct den_surface surface = { .name = "test", .free_state = free };

static enum den_status read_body(const char *text, bool is_generate, struct den_call_options *out,
                                 bool *out_is_empty, struct den_error *err)
{
    struct den_ollama_state *state = calloc(1, sizeof *state);

    *err = (struct den_error){ 0 };
    *out = den_call_defaults(&surface);
    state->is_generate = is_generate;
    out->state = state;
    out->body = json_loads(text, 0, NULL);
    assert_non_null(out->body);
    return den_ollama_read(out, out_is_empty, err);
}

static void messages_get_the_ids_they_lack(void **state)
{
    struct den_call_options options;
    struct den_error err;
    const json_t *messages, *call;
    bool empty;

    assert_int_equal(
        read_body("{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"q\"},"
                  "{\"role\":\"assistant\",\"content\":\"\",\"thinking\":\"hm\",\"tool_calls\":"
                  "[{\"function\":{\"name\":\"f\",\"arguments\":{}}},"
                  "{\"function\":{\"name\":\"g\",\"arguments\":{}}}]},"
                  "{\"role\":\"tool\",\"tool_name\":\"f\",\"content\":\"1\"},"
                  "{\"role\":\"tool\",\"tool_name\":\"g\",\"content\":\"2\"}]}",
                  false, &options, &empty, &err),
        DEN_OK);
    assert_false(empty);
    assert_true(options.stream);
    messages = options.request.messages;
    assert_int_equal(json_array_size(messages), 4);
    call = json_array_get(json_object_get(json_array_get(messages, 1), "tool_calls"), 1);
    assert_string_equal(json_string_value(json_object_get(call, "id")), "call_1");
    assert_string_equal(
        json_string_value(json_object_get(json_array_get(messages, 3), "tool_call_id")), "call_1");
    assert_string_equal(
        json_string_value(json_object_get(json_array_get(messages, 1), "reasoning_content")), "hm");
    den_call_options_deinit(&options);
}

static void a_prompt_is_a_question_or_raw(void **state)
{
    struct den_call_options options;
    struct den_error err;
    bool empty;

    assert_int_equal(
        read_body("{\"model\":\"m\",\"prompt\":\"p\",\"system\":\"s\",\"stream\":false}", true,
                  &options, &empty, &err),
        DEN_OK);
    assert_int_equal(json_array_size(options.request.messages), 2);
    assert_false(options.stream);
    den_call_options_deinit(&options);
    assert_int_equal(
        read_body("{\"model\":\"m\",\"prompt\":\"p\",\"raw\":true}", true, &options, &empty, &err),
        DEN_OK);
    assert_null(options.request.messages);
    assert_string_equal(options.request.prompt, "p");
    den_call_options_deinit(&options);
    assert_int_equal(read_body("{\"model\":\"m\"}", true, &options, &empty, &err), DEN_OK);
    assert_true(empty);
    den_call_options_deinit(&options);
}

static void options_and_formats_are_read(void **state)
{
    struct den_call_options options;
    struct den_error err;
    bool empty;

    assert_int_equal(
        read_body(
            "{\"model\":\"m\",\"prompt\":\"p\",\"format\":\"json\",\"think\":false,\"options\":"
            "{\"num_predict\":7,\"temperature\":0.25,\"seed\":3,\"stop\":[\"x\"],\"top_k\":5,"
            "\"num_ctx\":4096,\"mirostat\":1}}",
            true, &options, &empty, &err),
        DEN_OK);
    assert_int_equal(options.request.max_tokens, 7);
    assert_true(options.request.temperature == 0.25);
    assert_int_equal(options.request.seed, 3);
    assert_int_equal(options.request.stop_count, 1);
    assert_int_equal(options.request.top_k, 5);
    assert_string_equal(json_string_value(json_object_get(options.request.schema, "type")),
                        "object");
    assert_true(
        json_is_false(json_object_get(options.request.template_variables, "enable_thinking")));
    den_call_options_deinit(&options);
    assert_int_equal(
        read_body("{\"model\":\"m\",\"prompt\":\"p\",\"options\":{\"num_predict\":-1}}", true,
                  &options, &empty, &err),
        DEN_OK);
    assert_int_equal(options.request.max_tokens, -1);
    den_call_options_deinit(&options);
}

static void keep_alive_of_nothing_unloads(void **state)
{
    static const struct {
        const char *body;
        bool unload;
    } cases[] = { { "{\"keep_alive\":0}", true },
                  { "{\"keep_alive\":\"0\"}", true },
                  { "{\"keep_alive\":\"0s\"}", true },
                  { "{\"keep_alive\":\"5m\"}", false },
                  { "{\"keep_alive\":-1}", false },
                  { "{\"keep_alive\":\"0.5h\"}", false },
                  { "{}", false },
                  { "{\"keep_alive\":\"0x\"}", false } };
    size_t i;

    for (i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        json_t *body = json_loads(cases[i].body, 0, NULL);

        if (den_ollama_wants_unload(body) != cases[i].unload)
            fail_msg("%s", cases[i].body);
        json_decref(body);
    }
}

static void what_is_wrong_is_named(void **state)
{
    static const struct {
        const char *body;
        bool is_generate;
        enum den_status status;
        const char *words;
    } cases[] = {
        { "{\"messages\":[]}", false, DEN_INVALID, "'model'" },
        { "{\"model\":\"m\",\"messages\":7}", false, DEN_INVALID, "'messages'" },
        { "{\"model\":\"m\",\"messages\":[7]}", false, DEN_INVALID, "'messages'" },
        { "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"images\":[\"a\"]}]}", false,
          DEN_UNSUPPORTED, "images" },
        { "{\"model\":\"m\",\"messages\":[{\"role\":\"assistant\",\"tool_calls\":[{}]}]}", false,
          DEN_INVALID, "function" },
        { "{\"model\":\"m\",\"prompt\":\"p\",\"suffix\":\"s\"}", true, DEN_UNSUPPORTED,
          "'suffix'" },
        { "{\"model\":\"m\",\"prompt\":\"p\",\"format\":\"xml\"}", true, DEN_INVALID, "'format'" },
        { "{\"model\":\"m\",\"prompt\":\"p\",\"think\":7}", true, DEN_INVALID, "'think'" },
        { "{\"model\":\"m\",\"prompt\":\"p\",\"options\":{\"temperature\":-1}}", true, DEN_INVALID,
          "'temperature'" },
        { "{\"model\":\"m\",\"prompt\":\"p\",\"tools\":{}}", true, DEN_INVALID, "'tools'" },
    };
    struct den_call_options options;
    struct den_error err;
    bool empty;
    size_t i;

    for (i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        if (read_body(cases[i].body, cases[i].is_generate, &options, &empty, &err) !=
                cases[i].status ||
            !strstr(err.message, cases[i].words))
            fail_msg("%s: %d %s", cases[i].body, (int)err.status, err.message);
        den_call_options_deinit(&options);
    }
}

int api_test_ollama_request(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_get_the_ids_they_lack),
        cmocka_unit_test(a_prompt_is_a_question_or_raw),
        cmocka_unit_test(options_and_formats_are_read),
        cmocka_unit_test(keep_alive_of_nothing_unloads),
        cmocka_unit_test(what_is_wrong_is_named),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
