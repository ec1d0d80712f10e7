/* Chats: the model-style templates through the whole path, what happens with templates that reject
 * a role or take content in one shape only, and models without a template. */
#include "template_fixtures.h"

#include "text/chat_parts.h"

static struct den_chat *make_chat(const char *plain, const char *tools)
{
    struct den_chat_source source;
    struct den_error err = { 0 };
    struct den_chat *chat = NULL;

    den_chat_source_init(&source);
    den_buffer_append_text(&source.plain, plain);
    den_buffer_append_text(&source.tools, tools);
    den_buffer_append_text(&source.bos, "<s>");
    den_buffer_append_text(&source.eos, "</s>");
    assert_int_equal(den_chat_create_source(&source, NULL, &chat, &err), DEN_OK);
    den_chat_source_deinit(&source);
    return chat;
}

static json_t *parse(const char *text)
{
    struct den_error err = { 0 };
    json_t *value = NULL;

    if (den_json_parse(text, strlen(text), "test", &value, &err) != DEN_OK)
        fail_msg("%s", err.message);
    return value;
}

/* Renders with a generation prompt; the caller frees out->data by deinit. */
static enum den_status render(const struct den_chat *chat, const char *messages, const char *tools,
                              struct den_buffer *out, struct den_error *err)
{
    struct den_chat_request request = { .messages = parse(messages),
                                        .tools = tools ? parse(tools) : NULL,
                                        .add_generation_prompt = true };
    enum den_status status;

    *err = (struct den_error){ 0 };
    den_buffer_init(out, 100000);
    status = den_chat_render(chat, &request, out, err);
    json_decref((json_t *)request.messages);
    json_decref((json_t *)request.tools);
    return status;
}

static void expect(const struct den_chat *chat, const char *messages, const char *wanted)
{
    struct den_buffer out;
    struct den_error err;

    render(chat, messages, NULL, &out, &err);
    assert_string_equal(err.message, "");
    assert_string_equal(out.data, wanted);
    den_buffer_deinit(&out);
}

static const char chatml[] = "{% for m in messages %}<{{ m.role }}>{{ m.content + '' }}{% endfor %}"
                             "{% if add_generation_prompt %}<assistant>{% endif %}";

static void renders_text_and_joins_parts(void **state)
{
    struct den_chat *chat = make_chat(chatml, "");

    expect(chat, "[{\"role\":\"user\",\"content\":\"Hi\"}]", "<user>Hi<assistant>");
    expect(chat,
           "[{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"a\"},"
           "{\"type\":\"text\",\"text\":\"b\"}]}]",
           "<user>a\nb<assistant>");
    expect(chat,
           "[{\"role\":\"developer\",\"content\":\"D\"},{\"role\":\"user\",\"content\":\"U\"}]",
           "<system>D<user>U<assistant>");
    den_chat_destroy(chat);
}

static void keeps_parts_where_the_template_reads_them(void **state)
{
    struct den_chat *chat =
        make_chat("{% for m in messages %}{% if m.content is string %}S:{{ m.content }}{% else %}"
                  "{% for p in m.content %}P:{{ p.text }}{% endfor %}{% endif %}{% endfor %}",
                  "");
    struct den_chat *both =
        make_chat("{% for m in messages %}{% if m.content is string %}{{ m.content }}{% else %}"
                  "{% for p in m.content %}{{ p.text }}{% endfor %}{% endif %};{% endfor %}",
                  "");
    struct den_chat *parts = make_chat(
        "{% for m in messages %}{% for p in m.content if p.type == 'text' %}[{{ p.text }}]"
        "{% endfor %}{% endfor %}",
        "");
    const char *list = "[{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"a\"},"
                       "{\"type\":\"text\",\"text\":\"b\"}]},"
                       "{\"role\":\"assistant\",\"content\":\"c\"}]";

    expect(chat, list, "S:a\nbS:c");
    expect(both, list, "ab;c;");
    expect(parts, list, "[a][b][c]");
    den_chat_destroy(chat);
    den_chat_destroy(both);
    den_chat_destroy(parts);
}

static void merges_a_rejected_system_message(void **state)
{
    struct den_chat *chat = make_chat(
        "{% for m in messages %}{% if m.role == 'system' %}{{ raise_exception('System role not "
        "supported') }}{% endif %}<{{ m.role }}>{{ m.content }}{% endfor %}",
        "");
    struct den_chat *strict = make_chat("{{ raise_exception('Never.') }}", "");
    struct den_buffer out;
    struct den_error err;

    expect(
        chat,
        "[{\"role\":\"system\",\"content\":\"Be brief.\"},{\"role\":\"user\",\"content\":\"Hi\"}]",
        "<user>Be brief.\n\nHi");
    expect(chat, "[{\"role\":\"system\",\"content\":\"Alone.\"}]", "<user>Alone.");
    assert_int_equal(render(strict, "[{\"role\":\"user\",\"content\":\"Hi\"}]", NULL, &out, &err),
                     DEN_INVALID);
    assert_string_equal(err.message, "Never.");
    assert_int_equal(out.length, 0);
    den_buffer_deinit(&out);
    den_chat_destroy(chat);
    den_chat_destroy(strict);
}

static void parses_arguments_and_fills_content(void **state)
{
    struct den_chat *chat =
        make_chat("{% for m in messages %}{{ m.content + '' }}"
                  "{% for c in m.tool_calls or [] %}{{ c.function.arguments.city"
                  " }}{{ c.function.arguments | tojson }}{% endfor %}"
                  "{% endfor %}",
                  "");

    expect(chat,
           "[{\"role\":\"assistant\",\"content\":null,\"tool_calls\":[{\"id\":\"1\",\"type\":"
           "\"function\",\"function\":{\"name\":\"w\",\"arguments\":\"{\\\"city\\\": "
           "\\\"Oslo\\\"}\"}}]}]",
           "Oslo{\"city\": \"Oslo\"}");
    expect(chat,
           "[{\"role\":\"assistant\",\"tool_calls\":[{\"function\":{\"name\":\"w\","
           "\"arguments\":\"\"}}]}]",
           "{}");
    expect(chat,
           "[{\"role\":\"assistant\",\"tool_calls\":[{\"function\":{\"name\":\"w\","
           "\"arguments\":\"{broken\"}}]}]",
           "\"{broken\"");
    den_chat_destroy(chat);
}

static void chooses_the_variant_for_tools(void **state)
{
    struct den_chat *chat =
        make_chat("plain {{ tools }}", "tools {{ tools[0].function.name }}{# <tool_call> #}");
    struct den_buffer out;
    struct den_error err;
    const char *messages = "[{\"role\":\"user\",\"content\":\"Hi\"}]";

    render(chat, messages, "[{\"type\":\"function\",\"function\":{\"name\":\"f\"}}]", &out, &err);
    assert_string_equal(out.data, "tools f");
    den_buffer_deinit(&out);
    render(chat, messages, "[]", &out, &err);
    assert_string_equal(out.data, "plain None");
    den_buffer_deinit(&out);
    assert_int_equal(render(chat, messages, "[{}]", &out, &err), DEN_INVALID);
    assert_non_null(strstr(err.message, "tools[0]"));
    den_buffer_deinit(&out);
    den_chat_destroy(chat);
}

static void passes_extra_variables(void **state)
{
    struct den_chat *chat =
        make_chat("{{ bos_token }}{{ thinking_on }}{{ messages | length }}", "");
    struct den_chat_request request = {
        .messages = parse("[{\"role\":\"user\",\"content\":\"Hi\"}]"),
        .extra = parse("{\"thinking_on\":\"yes\",\"messages\":[],\"bos_token\":\"no\"}")
    };
    struct den_error err = { 0 };
    struct den_buffer out;

    den_buffer_init(&out, 1000);
    assert_int_equal(den_chat_render(chat, &request, &out, &err), DEN_OK);
    assert_string_equal(out.data, "<s>yes1");
    den_buffer_deinit(&out);
    json_decref((json_t *)request.messages);
    json_decref((json_t *)request.extra);
    den_chat_destroy(chat);
}

static void talks_without_a_template(void **state)
{
    struct den_chat *chat = make_chat("", "");

    expect(chat, "[{\"role\":\"user\",\"content\":\"Hi\"}]", "User: Hi\n\nAssistant:");
    den_chat_destroy(chat);
}

static void reports_a_broken_template_when_used(void **state)
{
    struct den_chat *chat = make_chat("{% if x %}", "");
    struct den_buffer out;
    struct den_error err;

    assert_int_equal(render(chat, "[{\"role\":\"user\",\"content\":\"Hi\"}]", NULL, &out, &err),
                     DEN_INVALID);
    assert_non_null(strstr(err.message, "chat template is broken"));
    assert_non_null(strstr(err.message, "{% endif %}"));
    den_buffer_deinit(&out);
    den_chat_destroy(chat);
}

/* Every model-style template must cope with what clients send most. */
static void renders_model_templates(void **state)
{
    json_t *fixture = read_fixture(DEN_FIXTURES "/templates/models.json");
    const char *name;
    json_t *source;

    json_object_foreach(json_object_get(fixture, "templates"), name, source)
    {
        struct den_chat *chat = make_chat(json_string_value(source), "");
        struct den_buffer out;
        struct den_error err;

        render(chat,
               "[{\"role\":\"system\",\"content\":\"Be brief.\"},{\"role\":\"user\",\"content\":"
               "[{\"type\":\"text\",\"text\":\"Hello\"}]},{\"role\":\"assistant\",\"content\":"
               "\"Hi.\"},{\"role\":\"user\",\"content\":\"Bye\"}]",
               NULL, &out, &err);
        assert_string_equal(err.message, "");
        if (!strstr(out.data, "Be brief.") || !strstr(out.data, "Hello") ||
            !strstr(out.data, "Bye") || strstr(out.data, "'text'"))
            fail_msg("%s: %s", name, out.data);
        den_buffer_deinit(&out);
        den_chat_destroy(chat);
    }
    json_decref(fixture);
}

/* Renders `messages` to be continued. */
static enum den_status render_open(const struct den_chat *chat, json_t *messages,
                                   struct den_buffer *out, struct den_error *err)
{
    const struct den_chat_request request = { .messages = messages,
                                              .add_generation_prompt = true,
                                              .continue_last = true };

    *err = (struct den_error){ 0 };
    den_buffer_init(out, 100000);
    return den_chat_render(chat, &request, out, err);
}

static void expect_open(const struct den_chat *chat, const char *messages, const char *wanted)
{
    json_t *parsed = parse(messages);
    struct den_buffer out;
    struct den_error err;

    render_open(chat, parsed, &out, &err);
    assert_string_equal(err.message, "");
    assert_string_equal(out.data, wanted);
    den_buffer_deinit(&out);
    json_decref(parsed);
}

static void continues_the_last_text(void **state)
{
    struct den_chat *closed = make_chat(
        "{% for m in messages %}<{{ m.role }}>{{ m.content | trim }}</{{ m.role }}>{% endfor %}"
        "{% if add_generation_prompt %}<assistant>{% endif %}",
        "");
    struct den_chat *parts = make_chat(
        "{% for m in messages %}{% for p in m.content if p.type == 'text' %}[{{ p.text }}]"
        "{% endfor %}{% endfor %}",
        "");
    struct den_chat *none = make_chat("", "");

    /* a text that the markers and the user's message hold, too */
    expect_open(closed,
                "[{\"role\":\"user\",\"content\":\"ant\"},"
                "{\"role\":\"assistant\",\"content\":\"ant\"}]",
                "<user>ant</user><assistant>ant");
    /* blanks at its end are the answer's, whatever the template trims */
    expect_open(closed, "[{\"role\":\"assistant\",\"content\":\" One,\\n \"}]",
                "<assistant>One,\n ");
    expect_open(closed, "[{\"role\":\"assistant\",\"content\":\"\"}]", "<assistant>");
    expect_open(closed,
                "[{\"role\":\"assistant\",\"tool_calls\":[],\"content\":[{\"type\":\"text\","
                "\"text\":\"a\"},{\"type\":\"text\",\"text\":\"b\"}]}]",
                "<assistant>a\nb");
    expect_open(parts,
                "[{\"role\":\"user\",\"content\":\"u\"},{\"role\":\"assistant\",\"content\":"
                "[{\"type\":\"text\",\"text\":\"a\"},{\"type\":\"text\",\"text\":\"b\"}]}]",
                "[u][a][b");
    expect_open(parts, "[{\"role\":\"assistant\",\"content\":[]}]", "[");
    expect_open(none,
                "[{\"role\":\"user\",\"content\":\"Hi\"},"
                "{\"role\":\"assistant\",\"content\":\"Hel\"}]",
                "User: Hi\n\nAssistant: Hel");
    den_chat_destroy(closed);
    den_chat_destroy(parts);
    den_chat_destroy(none);
}

static void says_what_can_not_be_continued(void **state)
{
    static const char *const messages[] = {
        "[{\"role\":\"assistant\",\"content\":\"A\"},{\"role\":\"user\",\"content\":\"U\"}]",
        "[{\"role\":\"assistant\",\"content\":\"A\",\"tool_calls\":[{\"function\":"
        "{\"name\":\"f\",\"arguments\":\"\"}}]}]",
        "[{\"role\":\"assistant\",\"content\":\"A\"}]",
    };
    struct den_chat *chat =
        make_chat("{% for m in messages if m.role == 'user' %}{{ m.content }}{% endfor %}", "");
    size_t i;

    for (i = 0; i < sizeof messages / sizeof messages[0]; i++) {
        json_t *parsed = parse(messages[i]);
        struct den_buffer out;
        struct den_error err;

        assert_int_equal(render_open(chat, parsed, &out, &err),
                         i == 2 ? DEN_UNSUPPORTED : DEN_INVALID);
        assert_non_null(strstr(err.message, i == 2 ? "can't continue an answer" : "tool calls"));
        assert_int_equal(out.length, 0);
        den_buffer_deinit(&out);
        json_decref(parsed);
    }
    den_chat_destroy(chat);
}

/* Whatever the template, a continued prompt ends with the text, and is how the whole turn begins
 * (but for the blank that some templates trim). */
static void continues_with_model_templates(void **state)
{
    json_t *fixture = read_fixture(DEN_FIXTURES "/templates/models.json");
    json_t *messages = parse("[{\"role\":\"user\",\"content\":\"end\"},"
                             "{\"role\":\"assistant\",\"content\":\"end \"}]");
    const char *name;
    json_t *source;

    json_object_foreach(json_object_get(fixture, "templates"), name, source)
    {
        struct den_chat *chat = make_chat(json_string_value(source), "");
        const struct den_chat_request closed = { .messages = messages };
        struct den_buffer open, whole;
        struct den_error err;

        if (render_open(chat, messages, &open, &err) != DEN_OK)
            fail_msg("%s: %s", name, err.message);
        den_buffer_init(&whole, 100000);
        if (den_chat_render(chat, &closed, &whole, &err) != DEN_OK)
            fail_msg("%s: %s", name, err.message);
        if (open.length < 4 || strcmp(open.data + open.length - 4, "end ") != 0 ||
            open.length > whole.length + 1 || memcmp(open.data, whole.data, open.length - 1) != 0 ||
            strstr(whole.data + open.length - 1, "end "))
            fail_msg("%s: %s", name, open.data);
        den_buffer_deinit(&open);
        den_buffer_deinit(&whole);
        den_chat_destroy(chat);
    }
    json_decref(messages);
    json_decref(fixture);
}

/* Prompts with tools, calls and results in each family's style, as transformers renders them. */
static void writes_tools_as_the_reference(void **state)
{
    json_t *fixture = read_fixture(DEN_FIXTURES "/templates/models.json");
    const json_t *rows = json_object_get(fixture, "renders");
    size_t compared = 0, i;

    for (i = 0; i < json_array_size(rows); i++) {
        const json_t *row = json_array_get(rows, i);
        const char *name = json_string_value(json_object_get(row, "template"));
        const char *wanted = json_string_value(json_object_get(row, "output"));
        const json_t *variables =
            json_array_get(json_object_get(fixture, "conversations"),
                           (size_t)json_integer_value(json_object_get(row, "conversation")));
        struct den_chat *chat = make_chat(
            json_string_value(json_object_get(json_object_get(fixture, "templates"), name)), "");
        const struct den_chat_request request = {
            .messages = json_object_get(variables, "messages"),
            .tools = json_object_get(variables, "tools"),
            .add_generation_prompt =
                json_is_true(json_object_get(variables, "add_generation_prompt")),
            .extra = variables,
            .now = json_integer_value(json_object_get(fixture, "now"))
        };
        struct den_buffer out;
        struct den_error err = { 0 };

        den_buffer_init(&out, 1 << 20);
        setenv("TZ", "UTC", 1);
        if (wanted && json_array_size(request.tools) > 0 &&
            den_answer_format_knows_tools(den_chat_answer_format(chat))) {
            den_chat_render(chat, &request, &out, &err);
            if (strcmp(out.data, wanted) != 0)
                fail_msg("%s:\n%s%s\nwanted:\n%s", name, err.message, out.data, wanted);
            compared++;
        }
        den_buffer_deinit(&out);
        den_chat_destroy(chat);
    }
    assert_true(compared >= 40);
    json_decref(fixture);
}

/* Tools for a template that has never heard of them, and a history of their use. */
static void describes_tools_to_plain_templates(void **state)
{
    struct den_chat *chat = make_chat("{% for m in messages %}<{{ m.role }}>{{ m.content }}"
                                      "{% endfor %}",
                                      "");
    const char *tools = "[{\"type\":\"function\",\"function\":{\"name\":\"get_weather\"}}]";
    struct den_buffer out;
    struct den_error err;

    render(chat,
           "[{\"role\":\"system\",\"content\":\"Be brief.\"},{\"role\":\"user\",\"content\":"
           "\"Hi\"}]",
           tools, &out, &err);
    assert_string_equal(err.message, "");
    assert_ptr_equal(strstr(out.data, "<system>Be brief.\n\n# Tools\n"), out.data);
    assert_non_null(strstr(out.data, "\"name\":\"get_weather\""));
    assert_non_null(strstr(out.data, "<tool_call>\n{\"name\": \"FUNCTION-NAME\", \"arguments\": "));
    den_buffer_deinit(&out);
    expect(
        chat,
        "[{\"role\":\"user\",\"content\":\"Hi\"},{\"role\":\"assistant\",\"content\":null,"
        "\"tool_calls\":[{\"id\":\"1\",\"function\":{\"name\":\"f\",\"arguments\":\"{\\\"a\\\":1}"
        "\"}},"
        "{\"id\":\"2\",\"function\":{\"name\":\"g\",\"arguments\":{}}}]},{\"role\":\"tool\","
        "\"tool_call_id\":\"1\",\"content\":\"one\"},{\"role\":\"tool\",\"tool_call_id\":\"2\","
        "\"content\":\"two\"},{\"role\":\"user\",\"content\":\"So?\"}]",
        "<user>Hi<assistant><tool_call>\n{\"name\": \"f\", \"arguments\": {\"a\":1}}\n"
        "</tool_call>\n<tool_call>\n{\"name\": \"g\", \"arguments\": {}}\n</tool_call><user>"
        "<tool_response>\none\n</tool_response>\n<tool_response>\ntwo\n</tool_response><user>So?");
    assert_false(den_answer_format_knows_tools(den_chat_answer_format(chat)));
    den_chat_destroy(chat);
}

/* Ids and parallel calls that a template refuses are put as it wants them. */
static void repairs_calls(void **state)
{
    struct den_chat *chat = make_chat(
        "{% for m in messages %}{% for c in m.tool_calls or [] %}{% if m.tool_calls | length > 1 "
        "or c.id | length != 9 %}{{ raise_exception('no') }}{% endif %}[{{ c.function.name }}"
        "{% endfor %}{% if m.role == 'tool' %}{{ m.content }}]{% endif %}{% endfor %}",
        "");

    expect(
        chat,
        "[{\"role\":\"assistant\",\"tool_calls\":[{\"id\":\"call_1\",\"function\":{\"name\":\"f\"}}"
        ","
        "{\"id\":\"call_2\",\"function\":{\"name\":\"g\"}}]},{\"role\":\"tool\",\"tool_call_id\":"
        "\"call_2\",\"content\":\"two\"},{\"role\":\"tool\",\"tool_call_id\":\"call_1\","
        "\"content\":\"one\"}]",
        "[fone][gtwo]");
    den_chat_destroy(chat);
}

int text_test_chat(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(renders_text_and_joins_parts),
        cmocka_unit_test(keeps_parts_where_the_template_reads_them),
        cmocka_unit_test(merges_a_rejected_system_message),
        cmocka_unit_test(parses_arguments_and_fills_content),
        cmocka_unit_test(chooses_the_variant_for_tools),
        cmocka_unit_test(writes_tools_as_the_reference),
        cmocka_unit_test(describes_tools_to_plain_templates),
        cmocka_unit_test(repairs_calls),
        cmocka_unit_test(passes_extra_variables),
        cmocka_unit_test(talks_without_a_template),
        cmocka_unit_test(reports_a_broken_template_when_used),
        cmocka_unit_test(renders_model_templates),
        cmocka_unit_test(continues_the_last_text),
        cmocka_unit_test(says_what_can_not_be_continued),
        cmocka_unit_test(continues_with_model_templates),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
