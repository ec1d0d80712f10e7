/* See turn.h. How the parts that a request may have go together:
 *
 *     tools                the template writes them, or a system message describes them
 *     tool_choice "none"   as if there were no tools
 *     tools, auto          a call, once begun, is held to the tools' grammar (triggers)
 *     tools, required      the whole answer is
 *     schema or grammar    the whole answer is
 *     tools, auto, schema  the whole answer is held to either: it is a call, or it is the JSON
 *
 * An answer that is held to a grammar from its first token has no room for reasoning, so none is
 * looked for in it. */
#include "schedule/turn.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct den_turn_model {
    const struct den_engine *engine;
    const struct den_answer_format *format;
    pthread_mutex_t lock;
    struct den_grammar_vocabulary *vocabulary; /* guarded by the lock until it is set */
};

struct den_turn {
    struct den_turn_model *model;
    struct den_tokens prompt, predicted;
    struct den_grammar *schema_grammar;
    struct den_answer_plan plan; /* its grammar is ours */
    struct den_constraint *constraint, *alternative;
    struct den_answer_parser *parser; /* NULL: all is text */
    den_answer_handler handler;
    void *context;
};

/* --- of a model --- */

enum den_status den_turn_model_create(const struct den_engine *engine, struct den_turn_model **out,
                                      struct den_error *err)
{
    struct den_turn_model *model = calloc(1, sizeof *model);

    if (!model)
        return den_fail(err, DEN_NO_MEMORY, "model: out of memory");
    model->engine = engine;
    model->format = den_chat_answer_format(den_engine_chat(engine));
    pthread_mutex_init(&model->lock, NULL);
    *out = model;
    return DEN_OK;
}

void den_turn_model_destroy(struct den_turn_model *model)
{
    if (!model)
        return;
    den_grammar_vocabulary_destroy(model->vocabulary);
    pthread_mutex_destroy(&model->lock);
    free(model);
}

bool den_turn_model_knows_tools(const struct den_turn_model *model)
{
    return den_answer_format_knows_tools(model->format);
}

bool den_turn_model_knows_reasoning(const struct den_turn_model *model)
{
    return den_answer_format_knows_reasoning(model->format);
}

static enum den_status find_vocabulary(struct den_turn_model *model,
                                       const struct den_grammar_vocabulary **out,
                                       struct den_error *err)
{
    pthread_mutex_lock(&model->lock);
    if (!model->vocabulary)
        den_grammar_vocabulary_create(den_engine_tokenizer(model->engine), &model->vocabulary, err);
    *out = model->vocabulary;
    pthread_mutex_unlock(&model->lock);
    return err->status;
}

/* --- the prompt --- */

static bool has_tools(const struct den_turn_options *options)
{
    const char *choice = json_string_value(options->tool_choice);

    return json_array_size(options->tools) > 0 && !(choice && strcmp(choice, "none") == 0);
}

/* A conversation that ends with an assistant's text asks for the rest of it, not for another turn;
 * one that ends with tool calls is the template's to judge. */
static bool ends_with_answer(const json_t *messages)
{
    const json_t *last = json_array_size(messages) > 0
                             ? json_array_get(messages, json_array_size(messages) - 1)
                             : NULL;
    const char *role = json_string_value(json_object_get(last, "role"));

    return role && strcmp(role, "assistant") == 0 &&
           json_array_size(json_object_get(last, "tool_calls")) == 0;
}

/* What the template is given. *out_described, where it is set, owns the messages. */
static enum den_status describe_chat(const struct den_turn_model *model,
                                     const struct den_turn_options *options,
                                     struct den_chat_request *out, json_t **out_described,
                                     struct den_error *err)
{
    *out = (struct den_chat_request){ .messages = options->messages,
                                      .add_generation_prompt = true,
                                      .continue_last = ends_with_answer(options->messages),
                                      .extra = options->template_variables,
                                      .now = options->now };
    if (!has_tools(options))
        return DEN_OK;
    if (den_answer_format_knows_tools(model->format)) {
        out->tools = options->tools;
        return DEN_OK;
    }
    if (den_answer_format_describe_tools(model->format, options->messages, options->tools,
                                         out_described, err) != DEN_OK)
        return err->status;
    out->messages = *out_described;
    return DEN_OK;
}

static enum den_status read_tokens(const json_t *ids, size_t vocabulary, struct den_tokens *out,
                                   struct den_error *err)
{
    const json_t *id;
    size_t i;

    json_array_foreach(ids, i, id)
    {
        json_int_t value = json_is_integer(id) ? json_integer_value(id) : -1;
        den_token token = (den_token)value;

        if (value < 0 || (uint64_t)value >= vocabulary)
            return den_fail(err, DEN_INVALID, "'prompt[%zu]' must be a token id between 0 and %zu",
                            i, vocabulary - 1);
        if (den_tokens_append(out, &token, 1, err) != DEN_OK)
            return err->status;
    }
    return DEN_OK;
}

static enum den_status make_prompt(const struct den_turn_model *model,
                                   const struct den_turn_options *options, struct den_tokens *out,
                                   struct den_error *err)
{
    const struct den_tokenizer *tokenizer = den_engine_tokenizer(model->engine);
    struct den_chat_request chat;
    json_t *described = NULL;

    if (options->prompt_tokens)
        return read_tokens(options->prompt_tokens,
                           den_engine_description(model->engine)->vocabulary, out, err);
    if (!options->messages)
        return den_tokenizer_encode(tokenizer, options->prompt, strlen(options->prompt),
                                    DEN_ENCODE_ADD_SPECIAL | DEN_ENCODE_PARSE_SPECIAL, out, err);
    if (describe_chat(model, options, &chat, &described, err) == DEN_OK)
        den_chat_encode(den_engine_chat(model->engine), &chat, out, err);
    json_decref(described);
    return err->status;
}

enum den_status den_turn_render(struct den_turn_model *model,
                                const struct den_turn_options *options, struct den_buffer *out,
                                struct den_error *err)
{
    struct den_chat_request chat;
    json_t *described = NULL;

    if (describe_chat(model, options, &chat, &described, err) == DEN_OK)
        den_chat_render(den_engine_chat(model->engine), &chat, out, err);
    json_decref(described);
    return err->status;
}

/* Parts that are not a text say nothing. */
static enum den_status make_prediction(const struct den_turn_model *model, const json_t *prediction,
                                       struct den_tokens *out, struct den_error *err)
{
    const struct den_tokenizer *tokenizer = den_engine_tokenizer(model->engine);
    struct den_buffer text;
    const json_t *part;
    size_t i;

    if (!prediction)
        return DEN_OK;
    den_buffer_init(&text, DEN_ENCODE_BYTES_MAX);
    if (json_is_string(prediction))
        den_buffer_append(&text, json_string_value(prediction), json_string_length(prediction));
    json_array_foreach(prediction, i, part)
    {
        const json_t *piece = json_object_get(part, "text");

        if (json_is_string(piece))
            den_buffer_append(&text, json_string_value(piece), json_string_length(piece));
    }
    if (den_buffer_status(&text, "prediction", err) == DEN_OK)
        den_tokenizer_encode(tokenizer, text.data, text.length, 0, out, err);
    den_buffer_deinit(&text);
    return err->status;
}

/* True where the prompt's last words open a block of reasoning. */
static bool opens_reasoning(const struct den_turn *turn)
{
    const size_t tail = turn->prompt.count < 16 ? turn->prompt.count : 16;
    struct den_error ignored = { 0 };
    struct den_buffer text;
    bool opens = false;

    den_buffer_init(&text, DEN_FILE_TEXT_BYTES_MAX);
    if (den_tokenizer_decode(den_engine_tokenizer(turn->model->engine),
                             turn->prompt.items + turn->prompt.count - tail, tail, false, &text,
                             &ignored) == DEN_OK)
        opens = den_answer_format_opens_reasoning(turn->model->format, text.data, text.length);
    den_buffer_deinit(&text);
    return opens;
}

/* --- what the answer is held to --- */

/* `plan`: with its triggers; NULL: from the first token on, to its end. */
static enum den_status hold(struct den_turn *turn, const struct den_grammar *grammar,
                            const struct den_answer_plan *plan, struct den_constraint **out,
                            struct den_error *err)
{
    struct den_constraint_options options = { .grammar = grammar };

    if (find_vocabulary(turn->model, &options.vocabulary, err) != DEN_OK)
        return err->status;
    if (plan) {
        options.triggers = plan->triggers;
        options.trigger_count = plan->trigger_count;
        options.once = plan->once;
    }
    return den_constraint_create(&options, out, err);
}

static enum den_status compile(struct den_turn *turn, const struct den_turn_options *options,
                               struct den_error *err)
{
    if (options->schema)
        den_grammar_from_schema(options->schema, &turn->schema_grammar, err);
    else if (options->grammar)
        den_grammar_from_gbnf(options->grammar, strlen(options->grammar), NULL, 0,
                              &turn->schema_grammar, err);
    if (err->status == DEN_OK && has_tools(options) && options->messages)
        den_answer_format_plan(turn->model->format, options->tools, options->tool_choice,
                               (options->single_tool_call ? DEN_ANSWER_SINGLE : 0u) |
                                   (opens_reasoning(turn) ? DEN_ANSWER_OPENED : 0u),
                               &turn->plan, err);
    return err->status;
}

static enum den_status make_constraints(struct den_turn *turn,
                                        const struct den_turn_options *options,
                                        struct den_error *err)
{
    struct den_grammar *schema, *calls;

    if (compile(turn, options, err) != DEN_OK)
        return err->status;
    schema = turn->schema_grammar;
    calls = turn->plan.grammar;
    if (calls && (!schema || turn->plan.trigger_count == 0))
        return hold(turn, calls, &turn->plan, &turn->constraint, err);
    if (schema && hold(turn, schema, NULL, &turn->constraint, err) != DEN_OK)
        return err->status;
    return schema && calls ? hold(turn, calls, NULL, &turn->alternative, err) : DEN_OK;
}

static enum den_status make_parser(struct den_turn *turn, const struct den_turn_options *options,
                                   struct den_error *err)
{
    bool held = turn->constraint && !turn->plan.reasons &&
                (turn->schema_grammar || turn->plan.trigger_count == 0);
    const struct den_answer_parser_options parser = {
        .format = turn->model->format,
        .tools = has_tools(options),
        .reasoning = !held && den_answer_format_knows_reasoning(turn->model->format),
        .opened = !held && options->messages && opens_reasoning(turn),
        .tool_list = options->tools,
        .handler = options->handler,
        .context = options->context,
    };

    if (!options->messages || !(parser.tools || parser.reasoning || parser.opened))
        return DEN_OK;
    return den_answer_parser_create(&parser, &turn->parser, err);
}

/* --- the contract --- */

enum den_status den_turn_create(struct den_turn_model *model,
                                const struct den_turn_options *options, struct den_turn **out,
                                struct den_error *err)
{
    struct den_turn *turn = calloc(1, sizeof *turn);

    if (!turn)
        return den_fail(err, DEN_NO_MEMORY, "request: out of memory");
    turn->model = model;
    turn->handler = options->handler;
    turn->context = options->context;
    if (make_prompt(model, options, &turn->prompt, err) != DEN_OK ||
        make_prediction(model, options->prediction, &turn->predicted, err) != DEN_OK ||
        make_constraints(turn, options, err) != DEN_OK || make_parser(turn, options, err) != DEN_OK)
        goto fail;
    *out = turn;
    return DEN_OK;
fail:
    den_turn_destroy(turn);
    return err->status;
}

void den_turn_destroy(struct den_turn *turn)
{
    if (!turn)
        return;
    den_answer_parser_destroy(turn->parser);
    den_constraint_destroy(turn->constraint);
    den_constraint_destroy(turn->alternative);
    den_grammar_destroy(turn->plan.grammar);
    den_grammar_destroy(turn->schema_grammar);
    den_tokens_deinit(&turn->prompt);
    den_tokens_deinit(&turn->predicted);
    free(turn);
}

const struct den_tokens *den_turn_prompt(const struct den_turn *turn)
{
    return &turn->prompt;
}

const struct den_tokens *den_turn_predicted(const struct den_turn *turn)
{
    return &turn->predicted;
}

struct den_constraint *den_turn_constraint(const struct den_turn *turn)
{
    return turn->constraint;
}

struct den_constraint *den_turn_alternative(const struct den_turn *turn)
{
    return turn->alternative;
}

bool den_turn_reads_marks(const struct den_turn *turn)
{
    return turn->parser != NULL;
}

enum den_status den_turn_push(struct den_turn *turn, const char *text, size_t length,
                              struct den_error *err)
{
    const struct den_answer_part part = { .kind = DEN_ANSWER_TEXT, .text = text, .length = length };

    if (length == 0)
        return DEN_OK;
    if (turn->parser)
        return den_answer_parser_push(turn->parser, text, length, err);
    turn->handler(turn->context, &part);
    return DEN_OK;
}

enum den_status den_turn_finish(struct den_turn *turn, const char **out_note, struct den_error *err)
{
    *out_note = NULL;
    return turn->parser ? den_answer_parser_finish(turn->parser, out_note, err) : DEN_OK;
}

size_t den_turn_calls(const struct den_turn *turn)
{
    return turn->parser ? den_answer_parser_calls(turn->parser) : 0;
}
