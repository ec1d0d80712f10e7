/* A turn: what of a request becomes prompt, constraint, alternative and parser. The engine is a
 * tiny model's tokenizer and template without the model, which turns never ask. */
#include "test.h"

#include <string.h>

#include "schedule/turn.h"

/* --- the engine that a turn sees --- */

static struct den_weights *weights;
static struct den_tokenizer *tokenizer;
static struct den_chat *chat;
static struct den_description description;
static struct den_turn_model *model;

const struct den_tokenizer *den_engine_tokenizer(const struct den_engine *engine)
{
    return tokenizer;
}

const struct den_chat *den_engine_chat(const struct den_engine *engine)
{
    return chat;
}

const struct den_description *den_engine_description(const struct den_engine *engine)
{
    return &description;
}

static int set_up(void **state)
{
    struct den_error err = { 0 };

    if (den_weights_open(DEN_FIXTURES "/models/llama", &weights, &err) != DEN_OK ||
        den_tokenizer_create(weights, &tokenizer, &err) != DEN_OK ||
        den_chat_create(weights, tokenizer, &chat, &err) != DEN_OK ||
        den_turn_model_create(NULL, &model, &err) != DEN_OK)
        fail_msg("%s", err.message);
    description.vocabulary = den_tokenizer_size(tokenizer);
    return 0;
}

static int tear_down(void **state)
{
    den_turn_model_destroy(model);
    den_chat_destroy(chat);
    den_tokenizer_destroy(tokenizer);
    den_weights_close(weights);
    return 0;
}

/* --- what comes of an answer --- */

struct told {
    char text[512], name[64], arguments[512];
};

static void on_part(void *context, const struct den_answer_part *part)
{
    struct told *told = context;
    size_t length;
    char *out = part->kind == DEN_ANSWER_TEXT        ? told->text
                : part->kind == DEN_ANSWER_TOOL_CALL ? told->name
                                                     : told->arguments;

    assert_int_not_equal(part->kind, DEN_ANSWER_REASONING);
    length = strlen(out);
    assert_true(length + part->length < sizeof told->name);
    memcpy(out + length, part->text, part->length);
}

static json_t *messages, *tools, *schema;

static struct den_turn_options ask(struct told *told)
{
    return (struct den_turn_options){ .messages = messages, .handler = on_part, .context = told };
}

static struct den_turn *make(const struct den_turn_options *options)
{
    struct den_error err = { 0 };
    struct den_turn *turn = NULL;

    if (den_turn_create(model, options, &turn, &err) != DEN_OK)
        fail_msg("%s", err.message);
    return turn;
}

/* True where the constraint takes the whole text and may end with it. */
static bool takes(struct den_constraint *constraint, const char *text)
{
    struct den_tokens tokens = { 0 };
    struct den_error err = { 0 };
    bool is_taken = true;
    size_t i;

    assert_int_equal(den_tokenizer_encode(tokenizer, text, strlen(text), 0, &tokens, &err), DEN_OK);
    for (i = 0; i < tokens.count && is_taken; i++)
        is_taken = den_constraint_accept(constraint, tokens.items[i], &err) == DEN_OK;
    den_tokens_deinit(&tokens);
    return is_taken && den_constraint_can_end(constraint);
}

#define CALL "<tool_call>\n{\"name\": \"look\", \"arguments\": {\"at\": \"x\"}}\n</tool_call>"

/* --- */

static void plain_text_is_held_to_nothing(void **state)
{
    struct told told = { 0 };
    struct den_turn_options options = ask(&told);
    struct den_error err = { 0 };
    struct den_turn *turn = make(&options);
    const char *note = "";

    assert_true(den_turn_prompt(turn)->count > 2);
    assert_null(den_turn_constraint(turn));
    assert_null(den_turn_alternative(turn));
    assert_int_equal(den_turn_push(turn, "a <tool_call>", 13, &err), DEN_OK);
    assert_int_equal(den_turn_push(turn, "", 0, &err), DEN_OK);
    assert_int_equal(den_turn_finish(turn, &note, &err), DEN_OK);
    assert_null(note);
    assert_string_equal(told.text, "a <tool_call>");
    assert_int_equal(den_turn_calls(turn), 0);
    den_turn_destroy(turn);
}

static void a_schema_holds_the_whole_answer(void **state)
{
    struct told told = { 0 };
    struct den_turn_options options = ask(&told);
    struct den_turn *turn;

    options.schema = schema;
    turn = make(&options);
    assert_non_null(den_turn_constraint(turn));
    assert_null(den_turn_alternative(turn));
    assert_true(takes(den_turn_constraint(turn), "{\"n\": 12}"));
    den_turn_destroy(turn);
    turn = make(&options);
    assert_false(takes(den_turn_constraint(turn), "well, "));
    den_turn_destroy(turn);
}

static void a_grammar_holds_a_raw_prompt(void **state)
{
    struct den_turn_options options = { .prompt = "say", .grammar = "root ::= \"yes\" | \"no\"" };
    struct den_turn *turn = make(&options);

    assert_true(takes(den_turn_constraint(turn), "yes"));
    assert_false(den_turn_reads_marks(turn));
    den_turn_destroy(turn);
}

static void required_calls_are_held_from_the_start(void **state)
{
    json_t *choice = json_string("required");
    struct told told = { 0 };
    struct den_turn_options options = ask(&told);
    struct den_error err = { 0 };
    struct den_turn *turn;
    const char *note;

    options.tools = tools;
    options.tool_choice = choice;
    turn = make(&options);
    assert_true(den_turn_reads_marks(turn));
    assert_false(takes(den_turn_constraint(turn), "hello"));
    assert_true(takes(den_turn_constraint(turn), CALL));
    assert_int_equal(den_turn_push(turn, CALL, strlen(CALL), &err), DEN_OK);
    assert_int_equal(den_turn_finish(turn, &note, &err), DEN_OK);
    assert_null(note);
    assert_int_equal(den_turn_calls(turn), 1);
    assert_string_equal(told.name, "look");
    assert_string_equal(told.arguments, "{\"at\": \"x\"}");
    assert_string_equal(told.text, "");
    den_turn_destroy(turn);
    json_decref(choice);
}

/* Text is free until a call begins. */
static void auto_leaves_text_free(void **state)
{
    struct told told = { 0 };
    struct den_turn_options options = ask(&told);
    struct den_turn *turn;

    options.tools = tools;
    turn = make(&options);
    assert_null(den_turn_alternative(turn));
    assert_null(den_constraint_mask(den_turn_constraint(turn)));
    assert_true(takes(den_turn_constraint(turn), "well, hello"));
    assert_true(takes(den_turn_constraint(turn), CALL));
    den_turn_destroy(turn);
}

static void tools_and_a_schema_are_two_ways(void **state)
{
    struct told told = { 0 };
    struct den_turn_options options = ask(&told);
    struct den_turn *turn;

    options.tools = tools;
    options.schema = schema;
    turn = make(&options);
    assert_non_null(den_turn_alternative(turn));
    assert_true(takes(den_turn_constraint(turn), "{\"n\": 3}"));
    assert_true(takes(den_turn_alternative(turn), CALL));
    den_turn_destroy(turn);
    turn = make(&options);
    assert_false(takes(den_turn_constraint(turn), "hello"));
    assert_false(takes(den_turn_alternative(turn), "hello"));
    den_turn_destroy(turn);
}

static void none_is_as_without_tools(void **state)
{
    json_t *choice = json_string("none");
    struct told told = { 0 };
    struct den_turn_options plain = ask(&told), options = ask(&told);
    struct den_turn *without = make(&plain), *turn;

    options.tools = tools;
    options.tool_choice = choice;
    turn = make(&options);
    assert_null(den_turn_constraint(turn));
    assert_int_equal(den_turn_prompt(turn)->count, den_turn_prompt(without)->count);
    den_turn_destroy(turn);
    den_turn_destroy(without);
    json_decref(choice);
}

static void a_prediction_becomes_tokens(void **state)
{
    json_t *parts = json_pack("[{s:s, s:s}, {s:i}, {s:s}]", "type", "text", "text", "Hello ", "x",
                              1, "text", "there");
    json_t *text = json_string("Hello there");
    struct den_turn *one = make(&(struct den_turn_options){ .prompt = "a", .prediction = text });
    struct den_turn *other = make(&(struct den_turn_options){ .prompt = "a", .prediction = parts });
    struct den_turn *none = make(&(struct den_turn_options){ .prompt = "a" });
    const struct den_tokens *tokens = den_turn_predicted(one);

    assert_in_range(tokens->count, 2, 11);
    assert_int_equal(den_turn_predicted(other)->count, tokens->count);
    assert_memory_equal(den_turn_predicted(other)->items, tokens->items,
                        tokens->count * sizeof *tokens->items);
    assert_int_equal(den_turn_predicted(none)->count, 0);
    den_turn_destroy(one);
    den_turn_destroy(other);
    den_turn_destroy(none);
    json_decref(parts);
    json_decref(text);
}

static void what_is_wrong_is_said(void **state)
{
    struct told told = { 0 };
    struct den_turn_options options = ask(&told);
    struct den_error err = { 0 };
    struct den_turn *turn = NULL;
    json_t *ids = json_pack("[i, i]", 1, 1000000);

    options.grammar = "root ::= (";
    assert_int_not_equal(den_turn_create(model, &options, &turn, &err), DEN_OK);
    err = (struct den_error){ 0 };
    options = (struct den_turn_options){ .prompt_tokens = ids };
    assert_int_equal(den_turn_create(model, &options, &turn, &err), DEN_INVALID);
    assert_non_null(strstr(err.message, "'prompt[1]'"));
    assert_null(turn);
    json_decref(ids);
}

int schedule_test_turn(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_text_is_held_to_nothing),
        cmocka_unit_test(a_schema_holds_the_whole_answer),
        cmocka_unit_test(a_grammar_holds_a_raw_prompt),
        cmocka_unit_test(required_calls_are_held_from_the_start),
        cmocka_unit_test(auto_leaves_text_free),
        cmocka_unit_test(tools_and_a_schema_are_two_ways),
        cmocka_unit_test(none_is_as_without_tools),
        cmocka_unit_test(a_prediction_becomes_tokens),
        cmocka_unit_test(what_is_wrong_is_said),
    };
    int failed;

    messages = json_pack("[{s:s, s:s}]", "role", "user", "content", "hi");
    tools = json_loads("[{\"type\": \"function\", \"function\": {\"name\": \"look\", "
                       "\"parameters\": {\"type\": \"object\", \"required\": [\"at\"], "
                       "\"additionalProperties\": false, "
                       "\"properties\": {\"at\": {\"type\": \"string\"}}}}}]",
                       0, NULL);
    schema = json_loads("{\"type\": \"object\", \"properties\": {\"n\": {\"type\": \"integer\"}}, "
                        "\"required\": [\"n\"], \"additionalProperties\": false}",
                        0, NULL);
    failed = cmocka_run_group_tests(tests, set_up, tear_down);
    json_decref(messages);
    json_decref(tools);
    json_decref(schema);
    return failed;
}
