/* Tools as OpenAI's clients give them, in all the ways the API has had: `tools` and `tool_choice`
 * (a word, one function, or a set of allowed ones), and before those `functions` and
 * `function_call`, which are converted in the body, messages included, so that nothing below knows
 * of them. */
#include "api/openai.h"

#include <string.h>

/* --- checks --- */

static bool is_name(const json_t *value)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                  "_-.";
    const char *text = json_string_value(value);
    size_t length = json_string_length(value);

    return text && length > 0 && length <= 64 && strspn(text, allowed) == length;
}

static enum den_status check_tool(const json_t *tool, size_t index, struct den_error *err)
{
    const char *type = json_string_value(json_object_get(tool, "type"));
    const json_t *function = json_object_get(tool, "function"), *parameters;

    if (!json_is_object(tool))
        return den_fail(err, DEN_INVALID, "'tools[%zu]' must be an object", index);
    if (!type || strcmp(type, "function") != 0)
        return den_fail(err, type ? DEN_UNSUPPORTED : DEN_INVALID,
                        "'tools[%zu].type' must be 'function'", index);
    if (!json_is_object(function))
        return den_fail(err, DEN_INVALID, "'tools[%zu].function' must be an object", index);
    if (!is_name(json_object_get(function, "name")))
        return den_fail(err, DEN_INVALID,
                        "'tools[%zu].function.name' must be a text of 1 to 64 letters, digits, "
                        "'_', '-' and '.'",
                        index);
    parameters = json_object_get(function, "parameters");
    if (parameters && !json_is_null(parameters) && !json_is_object(parameters))
        return den_fail(err, DEN_INVALID, "'tools[%zu].function.parameters' must be an object",
                        index);
    return DEN_OK;
}

static enum den_status check_tools(const json_t *tools, struct den_error *err)
{
    size_t i;

    if (json_array_size(tools) > DEN_TOOLS_MAX)
        return den_fail(err, DEN_INVALID, "'tools' has %zu tools; at most %d are possible",
                        json_array_size(tools), DEN_TOOLS_MAX);
    for (i = 0; i < json_array_size(tools); i++)
        if (check_tool(json_array_get(tools, i), i, err) != DEN_OK)
            return err->status;
    return DEN_OK;
}

static json_t *find_tool(const json_t *tools, const char *name)
{
    json_t *tool;
    size_t i;

    json_array_foreach((json_t *)tools, i, tool)
    {
        const json_t *function = json_object_get(tool, "function");
        const char *own = json_string_value(json_object_get(function, "name"));

        if (own && strcmp(own, name) == 0)
            return tool;
    }
    return NULL;
}

/* --- the choice --- */

/* {"type": "function", "function": {"name"}}; the name may also stand beside `type`, as OpenAI's
 * responses have it. */
static const char *name_in(const json_t *reference)
{
    const json_t *function = json_object_get(reference, "function");

    return json_string_value(json_object_get(function ? function : reference, "name"));
}

static enum den_status choose_one(struct den_call_options *options, const json_t *choice,
                                  struct den_error *err)
{
    const char *name = name_in(choice);
    json_t *chosen;

    if (!name)
        return den_fail(err, DEN_INVALID, "'tool_choice.function.name' is missing");
    if (!find_tool(options->request.tools, name))
        return den_fail(err, DEN_INVALID, "'tool_choice' names '%.64s', which is not in 'tools'",
                        name);
    chosen = json_pack("{s:s, s:{s:s}}", "type", "function", "function", "name", name);
    options->request.tool_choice = chosen;
    if (json_object_set_new(options->body, "tool_choice", chosen) != 0)
        return den_fail(err, DEN_NO_MEMORY, "request: out of memory");
    return DEN_OK;
}

/* Keeps the allowed ones; their mode is then the choice. */
static enum den_status choose_allowed(struct den_call_options *options, const json_t *choice,
                                      struct den_error *err)
{
    const json_t *allowed = json_object_get(choice, "allowed_tools");
    const json_t *holder = json_is_object(allowed) ? allowed : choice;
    json_t *mode = json_object_get(holder, "mode"), *names = json_object_get(holder, "tools");
    json_t *kept = json_array(), *item;
    size_t i;

    json_array_foreach(names, i, item)
    {
        const char *name = name_in(item);
        json_t *tool = name ? find_tool(options->request.tools, name) : NULL;

        if (!tool) {
            json_decref(kept);
            return den_fail(err, DEN_INVALID, "'tool_choice' allows a tool that is not in 'tools'");
        }
        json_array_append(kept, tool);
    }
    json_incref(mode);
    json_object_set_new(options->body, "tools", kept);
    json_object_set_new(options->body, "tool_choice", mode ? mode : json_string("auto"));
    options->request.tools = kept;
    options->request.tool_choice = json_object_get(options->body, "tool_choice");
    return DEN_OK;
}

static enum den_status choose_word(struct den_call_options *options, const char *word,
                                   struct den_error *err)
{
    const bool has_tools = json_array_size(options->request.tools) > 0;

    if (strcmp(word, "none") == 0) {
        options->request.tools = NULL;
        options->request.tool_choice = NULL;
        return DEN_OK;
    }
    if (strcmp(word, "auto") == 0)
        return DEN_OK;
    if (strcmp(word, "required") != 0)
        return den_fail(err, DEN_INVALID,
                        "'tool_choice' must be 'auto', 'none', 'required' or an object that names "
                        "a function");
    if (!has_tools)
        return den_fail(err, DEN_INVALID,
                        "'tool_choice' is only allowed to be 'required' when 'tools' has any");
    return DEN_OK;
}

static enum den_status choose(struct den_call_options *options, struct den_error *err)
{
    const json_t *choice = json_object_get(options->body, "tool_choice");
    const char *type = json_string_value(json_object_get(choice, "type"));

    if (!choice || json_is_null(choice))
        return DEN_OK;
    if (json_is_string(choice)) {
        options->request.tool_choice = choice;
        return choose_word(options, json_string_value(choice), err);
    }
    if (type && strcmp(type, "allowed_tools") == 0) {
        if (choose_allowed(options, choice, err) != DEN_OK)
            return err->status;
        choice = options->request.tool_choice;
        return choose_word(options, json_is_string(choice) ? json_string_value(choice) : "", err);
    }
    if (type && strcmp(type, "function") == 0)
        return choose_one(options, choice, err);
    return den_fail(err, DEN_INVALID,
                    "'tool_choice' must be 'auto', 'none', 'required', {\"type\": \"function\", "
                    "...} or {\"type\": \"allowed_tools\", ...}");
}

/* --- the older names --- */

static enum den_status convert_functions(json_t *body, struct den_openai_state *state,
                                         struct den_error *err)
{
    json_t *functions = json_object_get(body, "functions"), *function, *tools;
    const json_t *choice = json_object_get(body, "function_call");
    size_t i;

    if (functions && !json_is_null(functions) && !json_is_array(functions))
        return den_fail(err, DEN_INVALID, "'functions' must be a list");
    if (json_array_size(functions) == 0 || json_array_size(json_object_get(body, "tools")) > 0)
        return DEN_OK;
    state->legacy = true;
    tools = json_array();
    json_array_foreach(functions, i, function) json_array_append_new(
        tools, json_pack("{s:s, s:O}", "type", "function", "function", function));
    json_object_set_new(body, "tools", tools);
    json_object_set_new(body, "parallel_tool_calls", json_false());
    if (json_is_string(choice))
        json_object_set_new(body, "tool_choice", json_deep_copy(choice));
    else if (json_is_object(choice))
        json_object_set_new(
            body, "tool_choice",
            json_pack("{s:s, s:o}", "type", "function", "function", json_deep_copy(choice)));
    return DEN_OK;
}

/* {"role": "assistant", "function_call": {...}} and {"role": "function", "name": ...}. */
static void convert_messages(json_t *messages)
{
    json_t *message;
    size_t i, calls = 0;

    json_array_foreach(messages, i, message)
    {
        json_t *call = json_object_get(message, "function_call");
        const char *role = json_string_value(json_object_get(message, "role"));

        if (json_is_object(call)) {
            json_object_set_new(message, "tool_calls",
                                json_pack("[{s:o, s:s, s:O}]", "id",
                                          json_sprintf("call_%zu", ++calls), "type", "function",
                                          "function", call));
            json_object_del(message, "function_call");
        } else if (role && strcmp(role, "function") == 0) {
            json_object_set_new(message, "role", json_string("tool"));
            json_object_set_new(message, "tool_call_id", json_sprintf("call_%zu", calls));
        }
    }
}

enum den_status den_openai_tools_read(struct den_call_options *options, struct den_error *err)
{
    struct den_openai_state *state = options->state;
    bool parallel = true;
    const struct den_field tools = { .key = "tools",
                                     .kind = DEN_FIELD_ARRAY,
                                     .offset = offsetof(struct den_worker_request, tools) };

    convert_messages(json_object_get(options->body, "messages"));
    if (convert_functions(options->body, state, err) != DEN_OK ||
        den_fields_read(options->body, &tools, 1, &options->request, err) != DEN_OK ||
        check_tools(options->request.tools, err) != DEN_OK ||
        den_json_get_bool(options->body, "parallel_tool_calls", &parallel, err) != DEN_OK)
        return err->status;
    options->request.single_tool_call = !parallel;
    if (choose(options, err) != DEN_OK)
        return err->status;
    if (json_array_size(options->request.tools) == 0) {
        options->request.tools = NULL;
        options->request.tool_choice = NULL;
    }
    return DEN_OK;
}

json_t *den_openai_tool_json(const struct den_call_tool *tool)
{
    return json_pack("{s:s, s:s, s:{s:s, s:o}}", "id", tool->id, "type", "function", "function",
                     "name", tool->name, "arguments", den_answer_text_json(&tool->arguments));
}
