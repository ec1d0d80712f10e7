/* Plans: what a constraint lets through, chosen blindly among the tokens it allows, is read back as
 * calls of the tools that were asked for. */
#include "tokenizer_fixture.h"

#include "answer_case.h"
#include "text/constraint.h"

static const char tools_text[] =
    "[{\"type\":\"function\",\"function\":{\"name\":\"get_weather\",\"parameters\":{\"type\":"
    "\"object\",\"properties\":{\"city\":{\"type\":\"string\",\"enum\":[\"Oslo\",\"New York\"]},"
    "\"days\":{\"type\":\"integer\",\"minimum\":1,\"maximum\":9},\"deep\":{\"type\":\"boolean\"}},"
    "\"required\":[\"city\",\"days\"],\"additionalProperties\":false}}},"
    "{\"type\":\"function\",\"function\":{\"name\":\"get_time\",\"parameters\":{\"type\":"
    "\"object\","
    "\"properties\":{\"zone\":{\"$ref\":\"#/$defs/zone\"}},\"required\":[\"zone\"],"
    "\"additionalProperties\":false,\"$defs\":{\"zone\":{\"enum\":[1,2,null]}}}}}]";

static const char *const sources[] = {
    "<tool_call>",        "<start_of_turn>",         "<|start_header_id|>",
    "[TOOL_CALLS]",       "<|tool_call|>",           "[TOOL_CALLS] [ARGS]",
    "<|START_ACTION|>",   DS_BEGIN DS_SEP "```json", "<function= <parameter=",
    "<|tool|> <|/tool|>", DS_BEGIN DS_SEP,           "<|channel|> <|message|>",
};

struct fixture {
    struct den_tokenizer *tokenizer;
    struct den_grammar_vocabulary *vocabulary;
    json_t *tools;
};

static int set_up(void **state)
{
    static struct fixture fixture;
    struct den_error err = { 0 };
    json_t *base = read_json("bytes.json");

    fixture.tokenizer = create_json(base, NULL);
    json_decref(base);
    if (den_grammar_vocabulary_create(fixture.tokenizer, &fixture.vocabulary, &err) != DEN_OK)
        return -1;
    fixture.tools = json_loads(tools_text, 0, NULL);
    *state = &fixture;
    return fixture.tools ? 0 : -1;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;

    json_decref(fixture->tools);
    den_grammar_vocabulary_destroy(fixture->vocabulary);
    den_tokenizer_destroy(fixture->tokenizer);
    return 0;
}

static struct den_answer_plan make_plan(const struct fixture *fixture, const char *source,
                                        const char *choice, unsigned flags)
{
    json_t *value = choice ? json_loads(choice, JSON_DECODE_ANY, NULL) : NULL;
    struct den_answer_plan plan = { 0 };
    struct den_error err = { 0 };

    if (den_answer_format_plan(den_answer_format_find(source, NULL), fixture->tools, value, flags,
                               &plan, &err) != DEN_OK)
        fail_msg("%s: %s", source, err.message);
    json_decref(value);
    return plan;
}

static struct den_constraint *hold(const struct fixture *fixture,
                                   const struct den_answer_plan *plan)
{
    const struct den_constraint_options options = { .grammar = plan->grammar,
                                                    .vocabulary = fixture->vocabulary,
                                                    .triggers = plan->triggers,
                                                    .trigger_count = plan->trigger_count,
                                                    .once = plan->once };
    struct den_constraint *constraint = NULL;
    struct den_error err = { 0 };

    if (den_constraint_create(&options, &constraint, &err) != DEN_OK)
        fail_msg("%s", err.message);
    return constraint;
}

static uint64_t next_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

/* Any token that is allowed; DEN_TOKEN_NONE ends the answer. */
static den_token choose(const struct fixture *fixture, const uint32_t *mask, uint64_t *state)
{
    size_t size = den_tokenizer_size(fixture->tokenizer), count = 0, i;
    den_token chosen = DEN_TOKEN_NONE;

    assert_non_null(mask);
    for (i = 0; i < size; i++) {
        if ((mask[i >> 5] >> (i & 31) & 1) == 0)
            continue;
        if (den_tokenizer_is_end(fixture->tokenizer, (den_token)i)) {
            if (next_random(state) % 2 == 0)
                return DEN_TOKEN_NONE;
            continue;
        }
        if (next_random(state) % ++count == 0)
            chosen = (den_token)i;
    }
    return chosen;
}

static void write_on(const struct fixture *fixture, struct den_constraint *constraint,
                     uint64_t *state, struct den_buffer *out)
{
    struct den_error err = { 0 };
    int steps;

    for (steps = 0; steps < 5000; steps++) {
        den_token token = choose(fixture, den_constraint_mask(constraint), state);
        struct den_token_text piece;

        if (token == DEN_TOKEN_NONE) {
            assert_true(den_constraint_can_end(constraint));
            return;
        }
        assert_int_equal(den_constraint_accept(constraint, token, &err), DEN_OK);
        piece = den_answer_format_piece(fixture->tokenizer, token);
        den_buffer_append(out, piece.bytes, piece.length);
    }
    fail_msg("no end: %s", out->data);
}

static void check_call(const char *line, const char *only)
{
    struct den_error err = { 0 };
    json_t *arguments = NULL;
    const char *space = strchr(line, ' ');
    const json_t *days;

    if (only)
        assert_int_equal(strncmp(line, only, (size_t)(space - line)), 0);
    if (den_json_parse(space, strlen(space), line, &arguments, &err) != DEN_OK)
        fail_msg("%s", err.message);
    if (strncmp(line, "get_weather ", 12) == 0) {
        days = json_object_get(arguments, "days");
        assert_true(json_integer_value(days) >= 1 && json_integer_value(days) <= 9);
        assert_true(json_is_string(json_object_get(arguments, "city")));
    } else {
        assert_int_equal(strncmp(line, "get_time ", 9), 0);
        assert_non_null(json_object_get(arguments, "zone"));
    }
    json_decref(arguments);
}

/* Writes blindly after `begin`, and reads what came of it. */
static size_t check_blind(const struct fixture *fixture, const char *source,
                          const struct den_answer_plan *plan, const char *begin, const char *only,
                          uint64_t seed)
{
    const struct answer_options options = { .template_source = source,
                                            .tool_list = fixture->tools };
    struct den_constraint *constraint = hold(fixture, plan);
    struct den_tokens tokens = { 0 };
    struct den_error err = { 0 };
    struct den_buffer answer;
    struct parsed parsed;
    size_t count, i;
    char *line, *rest;

    den_buffer_init(&answer, 1 << 20);
    den_tokenizer_encode(fixture->tokenizer, begin, strlen(begin), DEN_ENCODE_PARSE_SPECIAL,
                         &tokens, &err);
    for (i = 0; i < tokens.count; i++)
        assert_int_equal(den_constraint_accept(constraint, tokens.items[i], &err), DEN_OK);
    den_buffer_append_text(&answer, begin);
    write_on(fixture, constraint, &seed, &answer);
    parsed = parse_answer(&options, answer.data, answer.length, 1);
    if (parsed.count == 0 || parsed.note[0] != '\0')
        fail_msg("%s: %s: %zu calls, note '%s'", source, answer.data, parsed.count, parsed.note);
    for (line = parsed.calls.data; line; line = rest) { /* line breaks may be in arguments, too */
        rest = strstr(line, "\nget_");
        if (rest)
            *rest++ = '\0';
        check_call(line, only);
    }
    count = parsed.count;
    forget(&parsed);
    den_buffer_deinit(&answer);
    den_tokens_deinit(&tokens);
    den_constraint_destroy(constraint);
    return count;
}

static bool may_say(const struct fixture *fixture, const struct den_answer_plan *plan,
                    const char *text)
{
    struct den_constraint *constraint = hold(fixture, plan);
    struct den_tokens tokens = { 0 };
    struct den_error err = { 0 };
    size_t i = 0;

    den_tokenizer_encode(fixture->tokenizer, text, strlen(text), 0, &tokens, &err);
    while (i < tokens.count && den_constraint_accept(constraint, tokens.items[i], &err) == DEN_OK)
        i++;
    den_constraint_destroy(constraint);
    den_tokens_deinit(&tokens);
    return err.status == DEN_OK;
}

static void forced_calls_are_calls(void **state)
{
    const struct fixture *fixture = *state;
    size_t i, several = 0;
    uint64_t seed;

    for (i = 0; i < sizeof sources / sizeof sources[0]; i++) {
        struct den_answer_plan any =
            make_plan(fixture, sources[i], "\"required\"", DEN_ANSWER_DIRECT);
        struct den_answer_plan one =
            make_plan(fixture, sources[i], "\"required\"", DEN_ANSWER_DIRECT | DEN_ANSWER_SINGLE);
        struct den_answer_plan named = make_plan(
            fixture, sources[i], "{\"type\":\"function\",\"function\":{\"name\":\"get_time\"}}",
            DEN_ANSWER_DIRECT);

        assert_int_equal(any.trigger_count, 0);
        for (seed = 1; seed <= 10; seed++) {
            several += check_blind(fixture, sources[i], &any, "", NULL, seed * 7919) > 1;
            assert_int_equal(check_blind(fixture, sources[i], &one, "", NULL, seed * 7919), 1);
            assert_int_equal(check_blind(fixture, sources[i], &named, "", "get_time", seed * 7919),
                             1);
        }
        den_grammar_destroy(any.grammar);
        den_grammar_destroy(one.grammar);
        den_grammar_destroy(named.grammar);
    }
    assert_true(several > 10);
}

/* A model that reasons may do so before a call that must be, and its reasoning is no text. */
static void reasoning_comes_before_forced_calls(void **state)
{
    static const struct {
        const char *source, *open, *close, *call;
    } cases[] = {
        { "<tool_call> <think>", "<think>\n", "</think>\n\n",
          "<tool_call>\n{\"name\": \"get_time\", \"arguments\": {\"zone\": 1}}\n</tool_call>" },
        { "[TOOL_CALLS] [ARGS] [THINK]", "[THINK]", "[/THINK]",
          "[TOOL_CALLS]get_time[ARGS]{\"zone\": 1}" },
        { "<tool_call> \342\227\201think\342\226\267", "\342\227\201think\342\226\267",
          "\342\227\201/think\342\226\267",
          "<tool_call>\n{\"name\": \"get_time\", \"arguments\": {\"zone\": 1}}\n</tool_call>" },
        { "<|channel|> <|message|>", "<|channel|>analysis<|message|>", "<|end|><|start|>assistant",
          "<|channel|>commentary to=functions.get_time <|constrain|>json<|message|>{\"zone\": 1}" },
    };
    static const char thought[] = "Is 3 < 4? <</ [/T <|e \342\227\201 { \\ yes </thin> <";
    const struct fixture *fixture = *state;
    char answer[512];
    size_t i;

    for (i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct den_answer_plan plan = make_plan(fixture, cases[i].source, "\"required\"", 0);
        struct den_answer_plan opened =
            make_plan(fixture, cases[i].source, "\"required\"", DEN_ANSWER_OPENED);
        struct den_answer_plan direct =
            make_plan(fixture, cases[i].source, "\"required\"", DEN_ANSWER_DIRECT);

        assert_true(plan.reasons && opened.reasons && !direct.reasons);
        snprintf(answer, sizeof answer, "%s%s%s%s", cases[i].open, thought, cases[i].close,
                 cases[i].call);
        assert_true(may_say(fixture, &plan, answer));
        assert_false(may_say(fixture, &direct, answer));
        assert_true(may_say(fixture, &plan, cases[i].call));
        if (!strstr(cases[i].source, "channel")) {
            const struct answer_options as = { .template_source = cases[i].source };
            struct parsed parsed = parse_answer(&as, answer, 1, 3);

            assert_int_equal(parsed.text.length, 0);
            assert_string_equal(parsed.reasoning.data, thought);
            assert_string_equal(parsed.calls.data, "get_time {\"zone\": 1}");
            forget(&parsed);
            assert_true(may_say(fixture, &opened, answer + strlen(cases[i].open)));
            assert_true(may_say(fixture, &opened, "hm"));
            assert_false(may_say(fixture, &plan, "hm"));
        }
        snprintf(answer, sizeof answer, "%s%s%sNo.", cases[i].open, thought, cases[i].close);
        assert_false(may_say(fixture, &plan, answer)); /* a call has to follow */
        den_grammar_destroy(plan.grammar);
        den_grammar_destroy(opened.grammar);
        den_grammar_destroy(direct.grammar);
    }
}

/* A model that would call for ever is stopped. */
static void calls_are_bounded(void **state)
{
    const struct fixture *fixture = *state;
    struct den_answer_plan plan = make_plan(fixture, "<tool_call>", "\"required\"", false);
    char answer[96 * (DEN_TOOL_CALLS_PLANNED_MAX + 1)] = "";
    int i;

    for (i = 0; i <= DEN_TOOL_CALLS_PLANNED_MAX; i++) {
        assert_int_equal(may_say(fixture, &plan, answer), true);
        snprintf(answer + strlen(answer), sizeof answer - strlen(answer), "%s%s", i > 0 ? "\n" : "",
                 "<tool_call>\n{\"name\": \"get_time\", \"arguments\": {\"zone\": 1}}\n"
                 "</tool_call>");
    }
    assert_int_equal(may_say(fixture, &plan, answer), false);
    den_grammar_destroy(plan.grammar);
}

/* Text first, then a trigger: from there on it is a call. */
static void triggers_wake_the_grammar(void **state)
{
    const struct fixture *fixture = *state;
    size_t i;
    uint64_t seed;

    for (i = 0; i < sizeof sources / sizeof sources[0]; i++) {
        struct den_answer_plan plan = make_plan(fixture, sources[i], NULL, false);
        char begin[256];

        assert_true(plan.trigger_count > 0 && plan.once);
        snprintf(begin, sizeof begin, "%s%s", strstr(sources[i], "channel") ? "" : "Let me see.\n",
                 plan.triggers[0]);
        for (seed = 1; seed <= 5; seed++)
            check_blind(fixture, sources[i], &plan, begin, NULL, seed * 104729);
        den_grammar_destroy(plan.grammar);
    }
}

/* Llama's calls begin as other JSON does, which must stay possible. */
static void llama_may_write_other_json(void **state)
{
    const struct fixture *fixture = *state;
    struct den_answer_plan plan = make_plan(fixture, "<|start_header_id|>", "\"auto\"", false);

    assert_true(may_say(fixture, &plan, "{\"name\": \"Ada\", \"age\": 36} is she."));
    assert_true(may_say(fixture, &plan, "{\"name\": \"get\", \"age\": 36}"));
    assert_true(may_say(fixture, &plan, "{\"name\": \"get_weathers\", \"age\": 36}"));
    assert_true(may_say(fixture, &plan, "{\"name\": \"get_weather\", \"parameters\": {\"city\""));
    assert_false(may_say(fixture, &plan, "{\"name\": \"get_weather\", \"age\": 36}"));
    assert_false(may_say(fixture, &plan, "<|python_tag|>print(1)"));
    den_grammar_destroy(plan.grammar);
}

static void expect_refusal(const char *tools, const char *choice, enum den_status status,
                           const char *begins)
{
    json_t *list = json_loads(tools, 0, NULL);
    json_t *value = choice ? json_loads(choice, JSON_DECODE_ANY, NULL) : NULL;
    struct den_answer_plan plan = { 0 };
    struct den_error err = { 0 };

    assert_non_null(list);
    assert_int_equal(
        den_answer_format_plan(den_answer_format_find("", NULL), list, value, false, &plan, &err),
        status);
    if (strncmp(err.message, begins, strlen(begins)) != 0)
        fail_msg("%s: %s", tools, err.message);
    den_grammar_destroy(plan.grammar);
    json_decref(list);
    json_decref(value);
}

#define TOOL(more) "[{\"type\":\"function\",\"function\":{" more "}}]"

static void refuses_what_can_not_be(void **state)
{
    expect_refusal(TOOL("\"name\":\"f\""), "\"none\"", DEN_OK, "");
    expect_refusal("[]", NULL, DEN_OK, "");
    expect_refusal("[]", "\"required\"", DEN_INVALID, "'tool_choice'");
    expect_refusal(TOOL("\"name\":\"f\""), "\"maybe\"", DEN_INVALID, "'tool_choice'");
    expect_refusal(TOOL("\"name\":\"f\""), "{\"type\":\"function\",\"function\":{\"name\":\"g\"}}",
                   DEN_INVALID, "'tool_choice' names 'g'");
    expect_refusal(TOOL("\"name\":\"f g\""), NULL, DEN_INVALID, "'tools[0].function.name'");
    expect_refusal(TOOL("\"name\":7"), NULL, DEN_INVALID, "'tools[0].function.name'");
    expect_refusal(TOOL("\"name\":\"f\",\"parameters\":[]"), NULL, DEN_INVALID,
                   "'tools[0].function.parameters'");
    expect_refusal(
        TOOL("\"name\":\"f\",\"strict\":true,\"parameters\":{\"type\":\"object\","
             "\"properties\":{\"a\":{\"if\":{\"type\":\"string\"},\"then\":{\"minLength\":"
             "3}}}}"),
        NULL, DEN_UNSUPPORTED, "'tools[0].function.parameters'");
    expect_refusal(TOOL("\"name\":\"f\",\"parameters\":{\"type\":\"object\",\"properties\":{\"a\":"
                        "{\"if\":{\"type\":\"string\"},\"then\":{\"minLength\":3}}}}"),
                   NULL, DEN_OK, "");
    expect_refusal(TOOL("\"name\":\"f\",\"parameters\":{\"type\":\"thing\"}"), NULL, DEN_INVALID,
                   "'tools[0].function.parameters'");
}

static void keeps_the_allowed(void **state)
{
    const struct fixture *fixture = *state;
    struct den_answer_plan plan = make_plan(
        fixture, "",
        "{\"type\":\"allowed_tools\",\"allowed_tools\":{\"mode\":\"required\",\"tools\":[{\"type\":"
        "\"function\",\"function\":{\"name\":\"get_time\"}}]}}",
        false);
    uint64_t seed;

    for (seed = 1; seed <= 10; seed++)
        check_blind(fixture, "", &plan, "", "get_time", seed * 31);
    den_grammar_destroy(plan.grammar);
}

/* A tokenizer in which marks and another token are control tokens. */
static struct den_tokenizer *make_marked(void)
{
    json_t *base = read_json("bytes.json");
    json_t *added = json_object_get(base, "added_tokens");
    json_int_t id = 0;
    struct den_tokenizer *tokenizer;
    size_t i;

    static const char *const names[] = { "<tool_call>", "</tool_call>", "<|im_end|>" };
    const char *key;
    json_t *value;

    json_object_foreach(json_object_get(json_object_get(base, "model"), "vocab"), key, value) id =
        json_integer_value(value) >= id ? json_integer_value(value) + 1 : id;
    for (i = 0; i < json_array_size(added); i++) {
        value = json_object_get(json_array_get(added, i), "id");
        id = json_integer_value(value) >= id ? json_integer_value(value) + 1 : id;
    }
    for (i = 0; i < 3; i++)
        json_array_append_new(added,
                              json_pack("{s:I, s:s, s:b, s:b, s:b, s:b, s:b}", "id", id + (int)i,
                                        "content", names[i], "special", 1, "single_word", 0,
                                        "lstrip", 0, "rstrip", 0, "normalized", 0));
    tokenizer = create_json(base, NULL);
    json_decref(base);
    return tokenizer;
}

/* The mark is one control token, which has no text: it wakes the grammar and reaches the parser. */
static void marks_may_be_control_tokens(void **state)
{
    struct fixture fixture = *(const struct fixture *)*state;
    struct den_tokens tokens = { 0 };
    struct den_error err = { 0 };
    struct den_answer_plan plan;
    struct den_token_text piece;
    uint64_t seed;

    fixture.tokenizer = make_marked();
    assert_int_equal(den_grammar_vocabulary_create(fixture.tokenizer, &fixture.vocabulary, &err),
                     DEN_OK);
    den_tokenizer_encode(fixture.tokenizer, "<tool_call><|im_end|>", 21, DEN_ENCODE_PARSE_SPECIAL,
                         &tokens, &err);
    assert_int_equal(tokens.count, 2);
    assert_int_equal(den_tokenizer_piece(fixture.tokenizer, tokens.items[0]).length, 0);
    piece = den_answer_format_piece(fixture.tokenizer, tokens.items[0]);
    assert_int_equal(piece.length, 11);
    assert_memory_equal(piece.bytes, "<tool_call>", 11);
    assert_int_equal(den_answer_format_piece(fixture.tokenizer, tokens.items[1]).length, 0);
    plan = make_plan(&fixture, "<tool_call>", "\"auto\"", false);
    for (seed = 1; seed <= 10; seed++)
        check_blind(&fixture, "<tool_call>", &plan, "Hm. <tool_call>", NULL, seed * 17);
    den_grammar_destroy(plan.grammar);
    den_tokens_deinit(&tokens);
    den_grammar_vocabulary_destroy(fixture.vocabulary);
    den_tokenizer_destroy(fixture.tokenizer);
}

int text_test_answer_format_plan(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(forced_calls_are_calls),
        cmocka_unit_test(triggers_wake_the_grammar),
        cmocka_unit_test(llama_may_write_other_json),
        cmocka_unit_test(refuses_what_can_not_be),
        cmocka_unit_test(keeps_the_allowed),
        cmocka_unit_test(calls_are_bounded),
        cmocka_unit_test(marks_may_be_control_tokens),
        cmocka_unit_test(reasoning_comes_before_forced_calls),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
