/* den chat: a conversation in the terminal. Lines are edited and remembered by libedit; the
 * conversation is kept as messages and rendered whole each turn, so that the session's cache (which
 * holds all but the new turn) is what makes it fast. Ctrl-C stops an answer; at the prompt it
 * clears the line; Ctrl-D or /quit ends. */
#include <editline/readline.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "base/json.h"
#include "cli/model_options.h"
#include "engine/generation.h"

enum { INPUT_BYTES_MAX = 16 << 20, HISTORY_LINES_MAX = 1000 };

struct conversation {
    const struct den_arguments *arguments;
    struct den_engine *engine;
    struct den_session *session;
    struct den_generation *generation; /* while an answer runs */
    json_t *messages;
    struct den_buffer answer;
    struct den_sampler_options sampler;
    bool show_stats;
    bool is_terminal;
    bool progress_shown;
};

static const char help_text[] =
    "/help            this list\n"
    "/new             forget the conversation\n"
    "/system TEXT     set the system message (starts anew)\n"
    "/undo            take back the last question and answer\n"
    "/again           answer the last question again\n"
    "/stats           show or hide token counts and speed\n"
    "/save FILE       write the conversation as JSON\n"
    "/quit            end (also Ctrl-D)\n"
    "A line that ends with \\ goes on in the next; \"\"\" begins and ends a longer text.\n"
    "Ctrl-C stops an answer.\n";

static void clear_progress(struct conversation *talk)
{
    if (talk->progress_shown)
        fprintf(stderr, "\r\033[K");
    talk->progress_shown = false;
}

static void on_event(void *context, const struct den_generation_event *event)
{
    struct conversation *talk = context;

    if (event->token == DEN_TOKEN_NONE && event->text_length == 0 && event->prompt_total > 0 &&
        talk->is_terminal) {
        fprintf(stderr, "\rreading %zu of %zu tokens ", event->prompt_done, event->prompt_total);
        talk->progress_shown = true;
    }
    if (event->text_length > 0) {
        clear_progress(talk);
        den_buffer_append(&talk->answer, event->text, event->text_length);
        fwrite(event->text, 1, event->text_length, stdout);
        fflush(stdout);
    }
    if (atomic_load(den_cli_interrupted()))
        den_generation_cancel(talk->generation);
}

static void print_stats(const struct conversation *talk, const struct den_generation_result *result)
{
    fprintf(stderr, "[%zu + %zu of %zu tokens, %.1f tokens/s%s]\n", result->prompt_tokens,
            result->generated_tokens, den_engine_context(talk->engine),
            result->generate_seconds > 0
                ? (double)result->generated_tokens / result->generate_seconds
                : 0.0,
            result->finish == DEN_FINISH_CANCELLED ? ", stopped" : "");
}

static enum den_status generate(struct conversation *talk, const struct den_tokens *prompt,
                                struct den_error *err)
{
    struct den_generation_options options = {
        .prompt = prompt->items,
        .prompt_count = prompt->count,
        .sampler = talk->sampler,
        .max_tokens = (size_t)den_argument_integer(talk->arguments, "max-tokens"),
        .logprobs = -1,
        .on_event = on_event,
        .context = talk,
    };
    const struct den_generation_result *result;

    if (den_generation_create(talk->engine, talk->session, &options, &talk->generation, err) !=
        DEN_OK)
        return err->status;
    if (den_generation_run(talk->engine, talk->generation, err) == DEN_OK) {
        result = den_generation_result(talk->generation);
        clear_progress(talk);
        putchar('\n');
        if (result->finish == DEN_FINISH_ERROR)
            *err = result->error;
        else if (talk->show_stats)
            print_stats(talk, result);
    }
    den_generation_destroy(talk->generation);
    talk->generation = NULL;
    return err->status;
}

/* Answers the conversation as it stands; what was said, also when stopped midway, becomes its last
 * message. */
static enum den_status answer(struct conversation *talk, struct den_error *err)
{
    struct den_chat_request request = {
        .messages = talk->messages,
        .add_generation_prompt = true,
        .now = (int64_t)time(NULL),
    };
    struct den_tokens prompt = { 0 };

    den_buffer_clear(&talk->answer);
    den_cli_clear_interrupt();
    if (den_chat_encode(den_engine_chat(talk->engine), &request, &prompt, err) == DEN_OK &&
        generate(talk, &prompt, err) == DEN_OK)
        json_array_append_new(talk->messages,
                              json_pack("{s:s, s:s%}", "role", "assistant", "content",
                                        talk->answer.data, talk->answer.length));
    den_tokens_deinit(&prompt);
    den_cli_clear_interrupt();
    return err->status;
}

static const char *last_role(const struct conversation *talk)
{
    size_t count = json_array_size(talk->messages);
    const json_t *last = count ? json_array_get(talk->messages, count - 1) : NULL;
    const char *role = json_string_value(json_object_get(last, "role"));

    return role ? role : "";
}

static void drop_last(struct conversation *talk, const char *role)
{
    if (strcmp(last_role(talk), role) == 0)
        json_array_remove(talk->messages, json_array_size(talk->messages) - 1);
}

static void start_anew(struct conversation *talk, const char *system)
{
    json_array_clear(talk->messages);
    if (system && *system &&
        json_array_append_new(talk->messages,
                              json_pack("{s:s, s:s}", "role", "system", "content", system)) != 0)
        fprintf(stderr, "den: the system prompt was not valid UTF-8; there is none now\n");
}

static void save(const struct conversation *talk, const char *path)
{
    struct den_error err = { 0 };
    struct den_buffer text;

    den_buffer_init(&text, SIZE_MAX);
    if (den_json_write(talk->messages, &text, &err) == DEN_OK)
        den_file_write(path, text.data, text.length, &err);
    fprintf(stderr, "%s\n", err.status == DEN_OK ? "saved" : err.message);
    den_buffer_deinit(&text);
}

/* A turn that fails is reported and taken back; the conversation goes on. */
static void take_turn(struct conversation *talk)
{
    struct den_error err = { 0 };

    if (answer(talk, &err) == DEN_OK)
        return;
    clear_progress(talk);
    fprintf(stderr, "den: %s\n", err.message);
    if (err.status == DEN_CONTEXT_FULL)
        fprintf(stderr, "/new starts over, /undo takes back a turn\n");
    drop_last(talk, "user");
}

/* Returns false when the conversation is over. */
static bool obey(struct conversation *talk, const char *line)
{
    const char *rest = strchr(line, ' ');
    size_t length = rest ? (size_t)(rest - line) : strlen(line);

    rest = rest ? rest + 1 : "";
#define IS(name) (length == sizeof(name) - 1 && strncmp(line, name, length) == 0)
    if (IS("/quit") || IS("/exit") || IS("/q"))
        return false;
    if (IS("/help")) {
        fputs(help_text, stdout);
    } else if (IS("/new")) {
        start_anew(talk, den_argument_text(talk->arguments, "system"));
    } else if (IS("/system")) {
        start_anew(talk, rest);
    } else if (IS("/undo")) {
        drop_last(talk, "assistant");
        drop_last(talk, "user");
    } else if (IS("/again")) {
        drop_last(talk, "assistant");
        if (strcmp(last_role(talk), "user") == 0)
            take_turn(talk);
    } else if (IS("/stats")) {
        talk->show_stats = !talk->show_stats;
    } else if (IS("/save") && *rest) {
        save(talk, rest);
    } else {
        fprintf(stderr, "there is no command %.*s; /help lists them\n", (int)length, line);
    }
#undef IS
    return true;
}

static char *read_line(const struct conversation *talk, const char *prompt)
{
    char *line = NULL;
    size_t capacity = 0;
    ssize_t length;

    if (talk->is_terminal)
        return readline(prompt);
    length = getline(&line, &capacity, stdin);
    if (length < 0) {
        free(line);
        return NULL;
    }
    while (length > 0 && (line[length - 1] == '\n' || line[length - 1] == '\r'))
        line[--length] = '\0';
    return line;
}

/* One input of one or more lines into `out`; false at the end of input. */
static bool read_input(const struct conversation *talk, struct den_buffer *out)
{
    bool quoted = false;
    bool more = true;

    den_buffer_clear(out);
    while (more) {
        char *line = read_line(talk, out->length || quoted ? "... " : "> ");
        size_t length;

        if (!line)
            return out->length > 0 || out->status != DEN_OK;
        length = strlen(line);
        if (strcmp(line, "\"\"\"") == 0) {
            quoted = !quoted;
            more = quoted;
        } else {
            more = quoted || (length > 0 && line[length - 1] == '\\');
            den_buffer_append(out, line, length - (!quoted && more));
            if (more)
                den_buffer_append_byte(out, '\n');
        }
        free(line);
    }
    return true;
}

static void converse(struct conversation *talk)
{
    struct den_buffer input;

    den_buffer_init(&input, INPUT_BYTES_MAX);
    while (read_input(talk, &input)) {
        struct den_error err = { 0 };
        json_t *text;

        den_cli_clear_interrupt();
        if (den_buffer_status(&input, "your message", &err) != DEN_OK) { /* never sent cut short */
            fprintf(stderr, "den: %s\n", err.message);
            continue;
        }
        if (input.length == 0)
            continue;
        if (talk->is_terminal)
            add_history(input.data);
        if (input.data[0] == '/' && !strchr(input.data, '\n')) {
            if (!obey(talk, input.data))
                break;
            continue;
        }
        text = json_stringn(input.data, input.length);
        if (!text) {
            fprintf(stderr, "den: that was not valid UTF-8; try again\n");
            continue;
        }
        json_array_append_new(talk->messages,
                              json_pack("{s:s, s:o}", "role", "user", "content", text));
        take_turn(talk);
    }
    den_buffer_deinit(&input);
}

static void history(const struct conversation *talk, bool write)
{
    char home[DEN_PATH_BYTES_MAX];
    char path[DEN_PATH_BYTES_MAX];
    struct den_error ignored = { 0 };

    if (!talk->is_terminal || den_path_home(home, sizeof home, &ignored) != DEN_OK ||
        den_path_join(path, sizeof path, home, "chat_history", &ignored) != DEN_OK)
        return;
    if (!write) {
        using_history();
        stifle_history(HISTORY_LINES_MAX);
        read_history(path);
    } else if (den_folder_create(home, &ignored) == DEN_OK) {
        write_history(path);
    }
}

static enum den_status run(const struct den_arguments *arguments, struct den_error *err)
{
    struct den_cli_engine wanted = { .speculation = den_argument_text(arguments, "speculation"),
                                     .draft = den_argument_text(arguments, "draft"),
                                     .sequences = 1 };
    struct conversation talk = {
        .arguments = arguments,
        .messages = json_array(),
        .is_terminal = isatty(STDIN_FILENO) && isatty(STDOUT_FILENO),
    };

    talk.show_stats = talk.is_terminal;
    den_buffer_init(&talk.answer, SIZE_MAX);
    if (den_cli_sampler(arguments, &talk.sampler, err) == DEN_OK &&
        den_cli_engine_open(arguments, &wanted, &talk.engine, err) == DEN_OK &&
        den_session_create(talk.engine, &talk.session, err) == DEN_OK) {
        if (talk.is_terminal)
            printf("%s, %zu tokens of context. /help lists commands, Ctrl-D ends.\n",
                   den_engine_description(talk.engine)->name, den_engine_context(talk.engine));
        start_anew(&talk, den_argument_text(arguments, "system"));
        den_cli_catch_interrupt();
        history(&talk, false);
        converse(&talk);
        history(&talk, true);
    }
    den_session_destroy(talk.session);
    den_engine_close(talk.engine);
    den_buffer_deinit(&talk.answer);
    json_decref(talk.messages);
    return err->status;
}

static const struct den_option options[] = {
    DEN_OPTION_MODEL,
    { .name = "system", .kind = DEN_OPTION_TEXT, .value = "TEXT", .help = "a system message" },
    { .name = "max-tokens",
      .letter = 'n',
      .kind = DEN_OPTION_INTEGER,
      .value = "N",
      .fallback = "0",
      .minimum = 0,
      .maximum = DEN_CONTEXT_TOKENS_MAX,
      .help = "longest answer; 0: until the context is full" },
    DEN_OPTIONS_SAMPLER,
    DEN_OPTIONS_ENGINE,
    DEN_OPTION_SPECULATION,
    DEN_OPTION_DRAFT,
};

const struct den_verb den_verb_chat = {
    .name = "chat",
    .summary = "talk with a model in the terminal",
    .operands = "",
    .description = "A conversation with streaming answers, line editing and history (kept in "
                   "$DEN_HOME/chat_history). "
                   "/help lists commands. Ctrl-C stops an answer, Ctrl-D ends. Input that is not a "
                   "terminal is read line "
                   "by line, so that conversations can be scripted.",
    .examples = "den chat\nden chat --preset creative --system \"You are a poet.\"\nprintf "
                "'Hi\\nAnd again\\n' | den chat\n",
    .options = options,
    .option_count = sizeof options / sizeof options[0],
    .run = run,
};
