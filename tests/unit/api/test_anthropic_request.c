/* Anthropic's bodies to the request that a worker gets: blocks to messages, tools, and what is
 * refused. */
#include "test.h"

#include <stdlib.h>
#include <string.h>

#include "api/anthropic.h"

static const struct den_surface surface = { .name = "test", .free_state = free };

static enum den_status read_body(const char *text, struct den_call_options *out,
                                 struct den_error *err)
{
    *err = (struct den_error){ 0 };
    *out = den_call_defaults(&surface);
    out->body = json_loads(text, 0, NULL);
    assert_non_null(out->body);
    return den_anthropic_read(out, false, err);
}

/* Quotes are written ' here. */
static char *quoted(const char *text)
{
    char *copy = strdup(text), *at;

    for (at = copy; *at; at++)
        if (*at == '\'')
            *at = '"';
    return copy;
}

static void assert_json(const json_t *value, const char *wanted)
{
    char *text = quoted(wanted);
    json_t *expected = json_loads(text, JSON_DECODE_ANY, NULL);

    assert_non_null(expected);
    if (!json_equal((json_t *)value, expected))
        fail_msg("%s is not %s", json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY), text);
    json_decref(expected);
    free(text);
}

static void check_messages(const char *fields, const char *wanted)
{
    struct den_call_options options;
    struct den_error err;
    char *inner = quoted(fields);
    char body[4096];

    snprintf(body, sizeof body, "{\"max_tokens\":9,%s}", inner);
    if (read_body(body, &options, &err) != DEN_OK)
        fail_msg("%s: %s", body, err.message);
    assert_json(options.request.messages, wanted);
    den_call_options_deinit(&options);
    free(inner);
}

static void blocks_become_messages(void **state)
{
    check_messages("'messages':[{'role':'user','content':'hi'}]",
                   "[{'role':'user','content':'hi'}]");
    check_messages("'system':'be brief','messages':[{'role':'user','content':'hi'}]",
                   "[{'role':'system','content':'be brief'},{'role':'user','content':'hi'}]");
    check_messages("'system':[{'type':'text','text':'a'},{'type':'text','text':'b'}],"
                   "'messages':[{'role':'user','content':[{'type':'text','text':'x'},"
                   "{'type':'document','source':{'type':'text','data':'y'}}]}]",
                   "[{'role':'system','content':'a\\nb'},{'role':'user','content':'x\\ny'}]");
}

static void calls_and_results_keep_their_order(void **state)
{
    check_messages(
        "'messages':[{'role':'user','content':'q'},"
        "{'role':'assistant','content':[{'type':'thinking','thinking':'hm','signature':'s'},"
        "{'type':'text','text':'let me see'},"
        "{'type':'tool_use','id':'t1','name':'f','input':{'a':1}}]},"
        "{'role':'user','content':[{'type':'tool_result','tool_use_id':'t1','content':'one'},"
        "{'type':'text','text':'and now?'}]}]",
        "[{'role':'user','content':'q'},"
        "{'role':'assistant','reasoning_content':'hm','content':'let me see','tool_calls':"
        "[{'id':'t1','type':'function','function':{'name':'f','arguments':{'a':1}}}]},"
        "{'role':'tool','tool_call_id':'t1','content':'one'},"
        "{'role':'user','content':'and now?'}]");
    check_messages("'messages':[{'role':'user','content':[{'type':'tool_result','tool_use_id':'t',"
                   "'is_error':true,'content':[{'type':'text','text':'no'}]}]}]",
                   "[{'role':'tool','tool_call_id':'t','content':'Error: no'}]");
    check_messages("'messages':[{'role':'assistant','content':[{'type':'tool_use','id':'t','name':"
                   "'f','input':{}}]}]",
                   "[{'role':'assistant','content':null,'tool_calls':[{'id':'t','type':'function',"
                   "'function':{'name':'f','arguments':{}}}]}]");
}

#define QUESTION "\"max_tokens\":9,\"messages\":[{\"role\":\"user\",\"content\":\"x\"}]"
#define TOOLS    "\"tools\":[{\"name\":\"f\",\"input_schema\":{\"type\":\"object\"}}]"

static void tools_and_choices_are_translated(void **state)
{
    static const struct {
        const char *choice, *wanted;
        bool single;
    } cases[] = {
        { "{\"type\":\"any\"}", "'required'", false },
        { "{\"type\":\"none\"}", "'none'", false },
        { "{\"type\":\"any\",\"disable_parallel_tool_use\":true}", "'required'", true },
        { "{\"type\":\"tool\",\"name\":\"f\"}", "{'type':'function','function':{'name':'f'}}",
          false },
    };
    struct den_call_options options;
    struct den_error err;
    char body[512];
    size_t i;

    for (i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        snprintf(body, sizeof body, "{" QUESTION "," TOOLS ",\"tool_choice\":%s}", cases[i].choice);
        assert_int_equal(read_body(body, &options, &err), DEN_OK);
        assert_json(options.request.tools, "[{'type':'function','function':{'name':'f',"
                                           "'description':'','parameters':{'type':'object'}}}]");
        assert_json(options.request.tool_choice, cases[i].wanted);
        assert_int_equal(options.request.single_tool_call, cases[i].single);
        den_call_options_deinit(&options);
    }
    assert_int_equal(
        read_body("{" QUESTION "," TOOLS ",\"tool_choice\":{\"type\":\"auto\"}}", &options, &err),
        DEN_OK);
    assert_null(options.request.tool_choice);
    den_call_options_deinit(&options);
}

static void sampling_thinking_and_schemas_are_read(void **state)
{
    struct den_call_options options;
    struct den_error err;

    assert_int_equal(
        read_body("{" QUESTION ",\"temperature\":0.5,\"top_k\":7,\"stop_sequences\":[\"a\",\"b\"],"
                  "\"stream\":true,\"thinking\":{\"type\":\"disabled\"},\"output_config\":"
                  "{\"format\":{\"type\":\"json_schema\",\"schema\":{\"type\":\"array\"}}}}",
                  &options, &err),
        DEN_OK);
    assert_true(options.request.temperature == 0.5);
    assert_int_equal(options.request.top_k, 7);
    assert_int_equal(options.request.max_tokens, 9);
    assert_int_equal(options.request.stop_count, 2);
    assert_true(options.stream);
    assert_json(options.request.schema, "{'type':'array'}");
    assert_json(options.request.template_variables, "{'enable_thinking':false}");
    den_call_options_deinit(&options);
}

static void what_is_wrong_is_named(void **state)
{
    static const struct {
        const char *body;
        enum den_status status;
        const char *words;
    } cases[] = {
        { "{\"max_tokens\":1}", DEN_INVALID, "'messages'" },
        { "{\"messages\":[{\"role\":\"user\",\"content\":\"x\"}]}", DEN_INVALID, "'max_tokens'" },
        { "{\"max_tokens\":1,\"messages\":[{\"role\":\"system\",\"content\":\"x\"}]}", DEN_INVALID,
          "'messages[0].role'" },
        { "{\"max_tokens\":1,\"messages\":[{\"role\":\"user\",\"content\":7}]}", DEN_INVALID,
          "'messages[0].content'" },
        { "{\"max_tokens\":1,\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"image\"}]}]"
          "}",
          DEN_UNSUPPORTED, "'messages[0].content[0]'" },
        { "{\"max_tokens\":1,\"messages\":[{\"role\":\"user\",\"content\":[7]}]}", DEN_INVALID,
          "'messages[0].content[0]'" },
        { "{\"max_tokens\":1,\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":"
          "\"tool_result\"}]}]}",
          DEN_INVALID, "tool_use_id" },
        { "{" QUESTION ",\"tools\":[{\"type\":\"bash_20250124\",\"name\":\"bash\"}]}",
          DEN_UNSUPPORTED, "'tools[0].type'" },
        { "{" QUESTION ",\"tools\":[{\"name\":\"f\"}]}", DEN_INVALID, "input_schema" },
        { "{" QUESTION "," TOOLS ",\"tool_choice\":{\"type\":\"tool\",\"name\":\"g\"}}",
          DEN_INVALID, "'tool_choice.name'" },
        { "{" QUESTION ",\"temperature\":1.5}", DEN_INVALID, "'temperature'" },
        { "{" QUESTION ",\"thinking\":{\"type\":\"maybe\"}}", DEN_INVALID, "'thinking.type'" },
        { "{" QUESTION ",\"system\":[{\"type\":\"text\"}]}", DEN_INVALID, "'system[0].text'" },
    };
    struct den_call_options options;
    struct den_error err;
    size_t i;

    for (i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        if (read_body(cases[i].body, &options, &err) != cases[i].status ||
            !strstr(err.message, cases[i].words))
            fail_msg("%s: %d %s", cases[i].body, (int)err.status, err.message);
        den_call_options_deinit(&options);
    }
}

int api_test_anthropic_request(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blocks_become_messages),
        cmocka_unit_test(calls_and_results_keep_their_order),
        cmocka_unit_test(tools_and_choices_are_translated),
        cmocka_unit_test(sampling_thinking_and_schemas_are_read),
        cmocka_unit_test(what_is_wrong_is_named),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
