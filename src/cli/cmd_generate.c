/* den generate: one prompt, one answer. Text streams as it comes; with --json it is collected and
 * printed with its figures. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/file.h"
#include "base/json.h"
#include "cli/model_options.h"
#include "cli/model_packed.h"
#include "engine/generation.h"
#include "text/constraint.h"

enum { PROMPT_BYTES_MAX = 64 << 20 };

/* What the generation's callback fills. */
struct answer {
    struct den_engine *engine;
    struct den_generation *generation;
    struct den_buffer text;
    struct den_tokens tokens;
    json_t *logprobs; /* array, or NULL when not asked for */
    bool print;
    struct den_error error;
};

static json_t *token_json(const struct den_engine *engine, den_token token, float logprob)
{
    struct den_token_text piece = den_tokenizer_piece(den_engine_tokenizer(engine), token);
    json_t *text =
        json_stringn(piece.bytes, piece.length); /* NULL where the bytes are part of a character */
    json_t *object = json_pack("{s:i, s:f}", "id", token, "logprob", (double)logprob);

    json_object_set_new(object, "token", text ? text : json_null());
    return object;
}

static void keep_logprobs(struct answer *answer, const struct den_generation_event *event)
{
    json_t *object = token_json(answer->engine, event->token, event->logprob);
    json_t *top = json_array();
    size_t i;

    for (i = 0; i < event->top_count; i++)
        json_array_append_new(
            top, token_json(answer->engine, event->top[i].token, event->top[i].logprob));
    json_object_set_new(object, "top", top);
    json_array_append_new(answer->logprobs, object);
}

static void on_event(void *context, const struct den_generation_event *event)
{
    struct answer *answer = context;

    if (event->token != DEN_TOKEN_NONE) {
        den_tokens_append(&answer->tokens, &event->token, 1, &answer->error);
        if (answer->logprobs)
            keep_logprobs(answer, event);
    }
    if (event->text_length > 0 && answer->print) {
        fwrite(event->text, 1, event->text_length, stdout);
        fflush(stdout);
    } else if (event->text_length > 0) {
        den_buffer_append(&answer->text, event->text, event->text_length);
    }
    if (atomic_load(den_cli_interrupted()))
        den_generation_cancel(answer->generation);
}

static enum den_status encode_prompt(const struct den_engine *engine,
                                     const struct den_arguments *arguments,
                                     const struct den_buffer *prompt, struct den_tokens *out,
                                     struct den_error *err)
{
    const char *system = den_argument_text(arguments, "system");
    struct den_chat_request request = { .add_generation_prompt = true, .now = (int64_t)time(NULL) };
    json_t *messages;
    json_t *text;

    if (den_argument_flag(arguments, "raw"))
        return den_tokenizer_encode(den_engine_tokenizer(engine), prompt->data, prompt->length,
                                    DEN_ENCODE_ADD_SPECIAL | DEN_ENCODE_PARSE_SPECIAL, out, err);
    text = json_stringn(prompt->data, prompt->length);
    if (!text)
        return den_fail(err, DEN_INVALID, "the prompt is not valid UTF-8; --raw takes any bytes");
    messages = json_array();
    if (system && json_array_append_new(messages, json_pack("{s:s, s:s}", "role", "system",
                                                            "content", system)) != 0) {
        json_decref(text);
        json_decref(messages);
        return den_fail(err, DEN_INVALID, "the system prompt is not valid UTF-8");
    }
    json_array_append_new(messages, json_pack("{s:s, s:o}", "role", "user", "content", text));
    request.messages = messages;
    den_chat_encode(den_engine_chat(engine), &request, out, err);
    json_decref(messages);
    return err->status;
}

static enum den_status print_answer(const struct answer *answer,
                                    const struct den_arguments *arguments, struct den_error *err)
{
    const struct den_generation_result *result = den_generation_result(answer->generation);
    json_t *tokens = json_array();
    json_t *object;
    size_t i;

    if (answer->print) {
        putchar('\n');
        if (den_argument_flag(arguments, "stats"))
            fprintf(stderr,
                    "prompt %zu tokens in %.3f s, answer %zu tokens in %.3f s (%.1f tokens/s), "
                    "%zu of %zu guesses right, seed %llu\n",
                    result->prompt_tokens, result->prompt_seconds, result->generated_tokens,
                    result->generate_seconds,
                    result->generate_seconds > 0
                        ? (double)result->generated_tokens / result->generate_seconds
                        : 0,
                    result->accepted_tokens, result->guessed_tokens,
                    (unsigned long long)result->seed);
        return DEN_OK;
    }
    for (i = 0; i < answer->tokens.count; i++)
        json_array_append_new(tokens, json_integer(answer->tokens.items[i]));
    object = json_pack("{s:s%, s:o, s:I, s:I, s:s, s:I, s:f, s:f, s:f}", "text", answer->text.data,
                       answer->text.length, "tokens", tokens, "prompt_tokens",
                       (json_int_t)result->prompt_tokens, "generated_tokens",
                       (json_int_t)result->generated_tokens, "finish_reason",
                       den_finish_text(result->finish), "seed", (json_int_t)result->seed, "load_s",
                       den_engine_load_seconds(answer->engine), "prompt_s", result->prompt_seconds,
                       "generate_s", result->generate_seconds);
    if (object) {
        json_object_set_new(object, "packed", json_string(den_cli_packed_state()));
        json_object_set_new(object, "guessed_tokens",
                            json_integer((json_int_t)result->guessed_tokens));
        json_object_set_new(object, "accepted_tokens",
                            json_integer((json_int_t)result->accepted_tokens));
    }
    if (object && answer->logprobs)
        json_object_set(object, "logprobs", answer->logprobs);
    return den_cli_print_json(object, err);
}

/* What holds the answer to --json-schema or --grammar; all NULL without either. */
struct holder {
    struct den_grammar *grammar;
    struct den_grammar_vocabulary *vocabulary;
    struct den_constraint *constraint;
};

static enum den_status compile(const char *schema_path, const char *grammar_path,
                               struct den_grammar **out, struct den_error *err)
{
    struct den_buffer source;
    json_t *schema = NULL;

    if (schema_path) {
        if (den_json_read_file(schema_path, &schema, err) == DEN_OK)
            den_grammar_from_schema(schema, out, err);
        json_decref(schema);
        return err->status;
    }
    den_buffer_init(&source, DEN_GRAMMAR_SOURCE_BYTES_MAX);
    if (den_file_read(grammar_path, &source, err) == DEN_OK)
        den_grammar_from_gbnf(source.data, source.length, NULL, 0, out, err);
    den_buffer_deinit(&source);
    return err->status;
}

static enum den_status hold(struct holder *holder, const struct den_arguments *arguments,
                            const struct den_engine *engine, struct den_error *err)
{
    const char *schema = den_argument_text(arguments, "json-schema");
    const char *grammar = den_argument_text(arguments, "grammar");
    struct den_constraint_options options = { 0 };

    if (!schema && !grammar)
        return DEN_OK;
    if (schema && grammar)
        return den_fail(err, DEN_INVALID, "--json-schema and --grammar exclude each other");
    if (compile(schema, grammar, &holder->grammar, err) != DEN_OK)
        return den_fail_at(err, "%s", schema ? schema : grammar);
    if (den_grammar_vocabulary_create(den_engine_tokenizer(engine), &holder->vocabulary, err) !=
        DEN_OK)
        return err->status;
    options.grammar = holder->grammar;
    options.vocabulary = holder->vocabulary;
    return den_constraint_create(&options, &holder->constraint, err);
}

static void let_go(struct holder *holder)
{
    den_constraint_destroy(holder->constraint);
    den_grammar_vocabulary_destroy(holder->vocabulary);
    den_grammar_destroy(holder->grammar);
}

static enum den_status generate(struct answer *answer, const struct den_arguments *arguments,
                                const struct den_tokens *prompt, struct den_error *err)
{
    struct den_generation_options options = {
        .prompt = prompt->items,
        .prompt_count = prompt->count,
        .max_tokens = (size_t)den_argument_integer(arguments, "max-tokens"),
        .logprobs = den_argument_given(arguments, "logprobs")
                        ? (int)den_argument_integer(arguments, "logprobs")
                        : -1,
        .on_event = on_event,
        .context = answer,
    };
    struct den_session *session = NULL;
    struct holder holder = { 0 };
    const struct den_generation_result *result;

    options.stop_count = den_argument_all(arguments, "stop", &options.stops);
    if (den_cli_sampler(arguments, &options.sampler, err) != DEN_OK)
        return err->status;
    if (hold(&holder, arguments, answer->engine, err) != DEN_OK ||
        den_session_create(answer->engine, &session, err) != DEN_OK) {
        let_go(&holder);
        return err->status;
    }
    options.constraint = holder.constraint;
    if (den_generation_create(answer->engine, session, &options, &answer->generation, err) ==
            DEN_OK &&
        den_generation_run(answer->engine, answer->generation, err) == DEN_OK) {
        result = den_generation_result(answer->generation);
        if (result->finish == DEN_FINISH_ERROR)
            *err = result->error;
        else if (print_answer(answer, arguments, err) == DEN_OK &&
                 result->finish == DEN_FINISH_CANCELLED)
            den_fail(err, DEN_CANCELLED, "interrupted");
    }
    den_generation_destroy(answer->generation);
    den_session_destroy(session);
    let_go(&holder);
    return err->status;
}

static enum den_status run(const struct den_arguments *arguments, struct den_error *err)
{
    struct den_cli_engine wanted = { .precision = den_argument_text(arguments, "precision"),
                                     .speculation = den_argument_text(arguments, "speculation"),
                                     .draft = den_argument_text(arguments, "draft"),
                                     .sequences = 1 };
    struct answer answer = { .print = !den_argument_flag(arguments, "json") };
    struct den_tokens tokens = { 0 };
    struct den_buffer prompt;

    den_buffer_init(&prompt, PROMPT_BYTES_MAX);
    den_buffer_init(&answer.text, SIZE_MAX);
    if (den_argument_given(arguments, "logprobs"))
        answer.logprobs = json_array();
    den_cli_catch_interrupt();
    if (den_cli_read_operand(den_operand(arguments, 0), &prompt, err) == DEN_OK &&
        den_cli_engine_open(arguments, &wanted, &answer.engine, err) == DEN_OK &&
        encode_prompt(answer.engine, arguments, &prompt, &tokens, err) == DEN_OK)
        generate(&answer, arguments, &tokens, err);
    den_engine_close(answer.engine);
    den_tokens_deinit(&tokens);
    den_tokens_deinit(&answer.tokens);
    den_buffer_deinit(&prompt);
    den_buffer_deinit(&answer.text);
    json_decref(answer.logprobs);
    return err->status;
}

static const struct den_option options[] = {
    DEN_OPTION_MODEL,
    { .name = "max-tokens",
      .letter = 'n',
      .kind = DEN_OPTION_INTEGER,
      .value = "N",
      .fallback = "0",
      .minimum = 0,
      .maximum = DEN_CONTEXT_TOKENS_MAX,
      .help = "stop after N tokens; 0 goes on until the answer ends" },
    DEN_OPTIONS_SAMPLER,
    { .name = "system",
      .kind = DEN_OPTION_TEXT,
      .value = "TEXT",
      .help = "a system message before the prompt" },
    { .name = "stop",
      .kind = DEN_OPTION_TEXT,
      .value = "TEXT",
      .help = "end the answer at TEXT; may be repeated" },
    { .name = "json-schema",
      .kind = DEN_OPTION_TEXT,
      .value = "FILE",
      .help = "hold the answer to a JSON Schema: it is JSON and valid, whatever the model" },
    { .name = "grammar",
      .kind = DEN_OPTION_TEXT,
      .value = "FILE",
      .help = "hold the answer to a grammar in llama.cpp's GBNF notation" },
    { .name = "raw",
      .kind = DEN_OPTION_FLAG,
      .help = "the prompt as it is, without the model's chat template" },
    { .name = "logprobs",
      .kind = DEN_OPTION_INTEGER,
      .value = "K",
      .minimum = 0,
      .maximum = DEN_LOGPROBS_MAX,
      .help = "with --json: log-probability of each token and of its K likeliest alternatives" },
    { .name = "stats",
      .kind = DEN_OPTION_FLAG,
      .help = "print token counts and speed on standard error" },
    DEN_OPTIONS_ENGINE,
    DEN_OPTION_PRECISION,
    DEN_OPTION_SPECULATION,
    DEN_OPTION_DRAFT,
    DEN_OPTION_JSON,
};

const struct den_verb den_verb_generate = {
    .name = "generate",
    .summary = "answer one prompt",
    .operands = "PROMPT",
    .operands_min = 1,
    .operands_max = 1,
    .description = "Prints the model's answer to PROMPT, as it is produced. A PROMPT of - is read "
                   "from standard input. "
                   "Ctrl-C stops the answer (exit code 130).",
    .examples =
        "den generate --temperature 0 \"What is the capital of France? Answer in one sentence.\"\n"
        "den generate --raw --max-tokens 32 \"Once upon a time\"\n"
        "den generate --json --logprobs 3 --seed 7 \"Name a colour.\"\n"
        "den generate --json-schema person.json \"Describe Ada Lovelace.\"\n"
        "den generate - < question.txt\n",
    .options = options,
    .option_count = sizeof options / sizeof options[0],
    .run = run,
};
