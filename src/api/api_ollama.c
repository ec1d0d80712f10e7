/* POST /api/chat and /api/generate: Ollama's answers, as lines of JSON unless "stream" is false.
 * The calls of tools are told whole, before the last line; durations are nanoseconds. */
#include <stdlib.h>
#include <string.h>

#include "api/ollama.h"
#include "api/openai.h"
#include "base/clock.h"

/* --- what all routes share --- */

json_t *den_ollama_error_json(unsigned http, const struct den_error *error, const char *code)
{
    json_t *message = json_string(error->message);

    (void)http;
    (void)code;
    if (!message) /* bytes from outside that are no UTF-8 */
        message = json_string(den_status_text(error->status));
    return json_pack("{s:o}", "error", message);
}

json_t *den_ollama_name_json(const char *name)
{
    return strchr(name, ':') ? json_string(name) : json_sprintf("%s:latest", name);
}

/* --- lines --- */

static struct den_ollama_state *state_of(const struct den_call *call)
{
    return call->options.state;
}

static json_int_t nanoseconds(double seconds)
{
    return (json_int_t)(seconds * 1e9);
}

/* Adds what the answer grew by, under the names that the route has for it. Takes over `text`. */
static json_t *line_json(const struct den_call *call, json_t *text)
{
    json_t *line =
        json_pack("{s:o, s:o, s:b}", "model", den_ollama_name_json(call->model->model_name),
                  "created_at", den_time_json(den_clock_unix()), "done", 0);

    if (state_of(call)->is_generate)
        json_object_set_new(line, "response", text);
    else
        json_object_set_new(line, "message",
                            json_pack("{s:s, s:o}", "role", "assistant", "content", text));
    return line;
}

/* Where thinking and tool calls of a line go. */
static json_t *holder(const struct den_call *call, json_t *line)
{
    return state_of(call)->is_generate ? line : json_object_get(line, "message");
}

static json_t *calls_json(const struct den_choice *choice)
{
    json_t *calls = json_array();
    size_t i;

    for (i = 0; i < choice->tool_count; i++) {
        const struct den_call_tool *tool = &choice->tools[i];
        json_t *arguments = json_loadb(tool->arguments.data ? tool->arguments.data : "",
                                       tool->arguments.length, JSON_DECODE_ANY, NULL);

        json_array_append_new(calls,
                              json_pack("{s:s, s:{s:I, s:s, s:o}}", "id", tool->id, "function",
                                        "index", (json_int_t)i, "name", tool->name, "arguments",
                                        arguments ? arguments : json_object()));
    }
    return calls;
}

static void add_measures(const struct den_choice *choice, json_t *line)
{
    const struct den_worker_event *end = &choice->end;
    const struct den_ollama_state *state = state_of(choice->call);
    json_t *measures = json_pack(
        "{s:b, s:s, s:I, s:I, s:I, s:I, s:I, s:I}", "done", 1, "done_reason",
        strcmp(choice->finish, "length") == 0 ? "length" : "stop", "total_duration",
        nanoseconds(den_clock_seconds() - state->started_at), "load_duration",
        nanoseconds(state->loaded_seconds), "prompt_eval_count", (json_int_t)end->prompt_tokens,
        "prompt_eval_duration", nanoseconds(end->prompt_seconds), "eval_count",
        (json_int_t)end->generated_tokens, "eval_duration", nanoseconds(end->generate_seconds));

    json_object_update_new(line, measures);
    den_note_add(line, choice);
}

static void note_start(struct den_choice *choice, const struct den_worker_event *event)
{
    struct den_ollama_state *state = state_of(choice->call);

    (void)event;
    if (state->loaded_seconds == 0)
        state->loaded_seconds = den_clock_seconds() - state->started_at;
}

/* A line more than Ollama sends: what an answer of a workspace stands on. */
static void begin(struct den_call *call)
{
    json_t *line;

    if (!call->options.grounding)
        return;
    line = line_json(call, json_string(""));
    den_call_add_sources(line, call);
    den_call_send_line(call, line);
}

static void send_text(struct den_choice *choice, const struct den_worker_event *event)
{
    if (event->text_length > 0)
        den_call_send_line(choice->call,
                           line_json(choice->call, json_stringn(event->text, event->text_length)));
}

static void send_thinking(struct den_choice *choice, const struct den_worker_event *event)
{
    json_t *line = line_json(choice->call, json_string(""));

    json_object_set_new(holder(choice->call, line), "thinking",
                        json_stringn(event->text, event->text_length));
    den_call_send_line(choice->call, line);
}

static void send_end(struct den_choice *choice)
{
    json_t *line;

    if (choice->tool_count > 0) {
        line = line_json(choice->call, json_string(""));
        json_object_set_new(holder(choice->call, line), "tool_calls", calls_json(choice));
        den_call_send_line(choice->call, line);
    }
    line = line_json(choice->call, json_string(""));
    add_measures(choice, line);
    den_call_add_citations(line, choice->call);
    den_call_send_line(choice->call, line);
}

static void send_error(struct den_choice *choice)
{
    den_call_send_line(choice->call, den_ollama_error_json(0, &choice->error, NULL));
}

static json_t *whole(struct den_call *call)
{
    const struct den_choice *choice = &call->choices[0];
    json_t *line = line_json(call, den_answer_text_json(&choice->text));

    if (choice->reasoning.length > 0)
        json_object_set_new(holder(call, line), "thinking",
                            den_answer_text_json(&choice->reasoning));
    if (choice->tool_count > 0)
        json_object_set_new(holder(call, line), "tool_calls", calls_json(choice));
    add_measures(choice, line);
    den_call_add_sources(line, call);
    return line;
}

/* Both are told alike; `is_generate` of the state says which names the route has for it. */
#define SURFACE(route)                                                                             \
    {                                                                                              \
        .name = "ollama." route, .content_type = "application/x-ndjson", .gathers = true,          \
        .begin = begin, .progress = note_start, .text = send_text, .reasoning = send_thinking,     \
        .end = send_end, .error = send_error, .whole = whole, .free_state = free,                  \
    }

static const struct den_surface chat_surface = SURFACE("chat");
static const struct den_surface generate_surface = SURFACE("generate");

/* --- routes --- */

/* Nothing to answer: the model is loaded, or unloaded. */
static enum MHD_Result answer_empty(struct den_request *request,
                                    const struct den_call_options *options, bool is_generate)
{
    struct den_roster *roster = den_desk_roster(den_request_desk(request));
    const bool unload = den_ollama_wants_unload(options->body);
    struct den_worker *worker = NULL;
    struct den_error err = { 0 };
    json_t *reply;

    if (unload) {
        struct den_roster_entry entry;

        if (den_roster_find(roster, options->model, &entry, &err) == DEN_OK && entry.info)
            den_roster_unload(roster, options->model, &err);
    } else if (den_roster_take(roster, options->model, DEN_WORKER_CHAT, &worker, &err) == DEN_OK) {
        den_roster_give_back(roster, worker);
    }
    if (err.status != DEN_OK)
        return den_reply_error(request, &err, NULL);
    reply = json_pack("{s:o, s:o, s:b, s:s}", "model", den_ollama_name_json(options->model),
                      "created_at", den_time_json(den_clock_unix()), "done", 1, "done_reason",
                      unload ? "unload" : "load");
    if (is_generate)
        json_object_set_new(reply, "response", json_string(""));
    else
        json_object_set_new(reply, "message",
                            json_pack("{s:s, s:s}", "role", "assistant", "content", ""));
    return den_reply_json(request, 200, reply);
}

static enum MHD_Result answer(struct den_request *request, bool is_generate)
{
    struct den_call_options options =
        den_call_defaults(is_generate ? &generate_surface : &chat_surface);
    struct den_ollama_state *state = calloc(1, sizeof *state);
    struct den_error err = { 0 };
    enum MHD_Result result;
    bool is_empty = false;

    options.state = state;
    if (!state) {
        den_fail(&err, DEN_NO_MEMORY, "chat: out of memory");
    } else {
        *state = (struct den_ollama_state){ .is_generate = is_generate,
                                            .started_at = den_clock_seconds() };
        if (den_request_json(request, &options.body, &err) == DEN_OK &&
            den_ollama_read(&options, &is_empty, &err) == DEN_OK && !is_empty)
            return den_call_answer(request, &options);
    }
    result = err.status == DEN_OK ? answer_empty(request, &options, is_generate)
                                  : den_reply_error(request, &err, NULL);
    den_call_options_deinit(&options);
    return result;
}

enum MHD_Result den_route_ollama_chat(struct den_request *request)
{
    return answer(request, false);
}

enum MHD_Result den_route_ollama_generate(struct den_request *request)
{
    return answer(request, true);
}
