/* den template: the prompt that a conversation becomes, exactly as the model will read it. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/file.h"
#include "base/json.h"
#include "cli/model_options.h"

static enum den_status read_list(const struct den_arguments *arguments, const char *name,
                                 json_t **out, struct den_error *err)
{
    const char *path = den_argument_text(arguments, name);
    struct den_buffer text;

    if (!path)
        return DEN_OK;
    den_buffer_init(&text, DEN_FILE_TEXT_BYTES_MAX);
    if (strcmp(path, "-") == 0) {
        if (den_cli_read_operand(path, &text, err) == DEN_OK)
            den_json_parse(text.data, text.length, "standard input", out, err);
    } else {
        den_json_read_file(path, out, err);
    }
    den_buffer_deinit(&text);
    if (err->status == DEN_OK && !json_is_array(*out))
        den_fail(err, DEN_INVALID, "%s: must be a JSON array of %s", path, name);
    return err->status;
}

static enum den_status render_with_model(const struct den_arguments *arguments,
                                         const struct den_chat_request *request,
                                         struct den_buffer *out, struct den_error *err)
{
    char path[DEN_PATH_BYTES_MAX];
    struct den_weights *weights = NULL;
    struct den_tokenizer *tokenizer = NULL;
    struct den_chat *chat = NULL;

    if (den_cli_model_path(arguments, path, sizeof path, err) == DEN_OK &&
        den_weights_open(path, &weights, err) == DEN_OK &&
        den_tokenizer_create(weights, &tokenizer, err) == DEN_OK &&
        den_chat_create(weights, tokenizer, &chat, err) == DEN_OK)
        den_chat_render(chat, request, out, err);
    den_chat_destroy(chat);
    den_tokenizer_destroy(tokenizer);
    den_weights_close(weights);
    return err->status;
}

static enum den_status render_with_file(const char *path, const struct den_chat_request *request,
                                        struct den_buffer *out, struct den_error *err)
{
    struct den_template *template = NULL;
    struct den_buffer source;
    json_t *variables =
        json_pack("{s:O, s:b, s:s, s:s}", "messages", request->messages, "add_generation_prompt",
                  (int)request->add_generation_prompt, "bos_token", "<s>", "eos_token", "</s>");

    if (variables && request->tools)
        json_object_set(variables, "tools", (json_t *)(uintptr_t)request->tools);
    den_buffer_init(&source, DEN_TEMPLATE_SOURCE_BYTES_MAX);
    if (!variables)
        den_fail(err, DEN_NO_MEMORY, "template: out of memory");
    else if (den_file_read(path, &source, err) == DEN_OK &&
             den_template_create(source.data, source.length, &template, err) == DEN_OK)
        den_template_render(template, variables, request->now, out, err);
    den_template_destroy(template);
    den_buffer_deinit(&source);
    json_decref(variables);
    return err->status;
}

static enum den_status run(const struct den_arguments *arguments, struct den_error *err)
{
    const char *file = den_argument_text(arguments, "file");
    json_t *messages = NULL;
    json_t *tools = NULL;
    struct den_chat_request request;
    struct den_buffer out;

    den_buffer_init(&out, DEN_TEMPLATE_OUTPUT_BYTES_MAX);
    if (!den_argument_text(arguments, "messages"))
        den_fail(err, DEN_INVALID,
                 "den template: --messages is missing: a JSON file like [{\"role\": \"user\", "
                 "\"content\": \"Hello\"}]");
    else if (read_list(arguments, "messages", &messages, err) == DEN_OK &&
             read_list(arguments, "tools", &tools, err) == DEN_OK) {
        request = (struct den_chat_request){
            .messages = messages,
            .tools = tools,
            .add_generation_prompt = !den_argument_flag(arguments, "no-generation-prompt"),
            .now = (int64_t)time(NULL),
        };
        if (file)
            render_with_file(file, &request, &out, err);
        else
            render_with_model(arguments, &request, &out, err);
    }
    if (err->status == DEN_OK && den_argument_flag(arguments, "json"))
        den_cli_print_json(json_pack("{s:s%}", "prompt", out.data, out.length), err);
    else if (err->status == DEN_OK)
        fwrite(out.data, 1, out.length, stdout);
    den_buffer_deinit(&out);
    json_decref(messages);
    json_decref(tools);
    return err->status;
}

static const struct den_option options[] = {
    DEN_OPTION_MODEL,
    { .name = "file",
      .kind = DEN_OPTION_TEXT,
      .value = "T.jinja",
      .help = "a template file instead of the model's" },
    { .name = "messages",
      .kind = DEN_OPTION_TEXT,
      .value = "F.json",
      .help = "the conversation: a JSON array of "
              "messages as OpenAI's API has them; - reads standard input" },
    { .name = "tools", .kind = DEN_OPTION_TEXT, .value = "F.json", .help = "tools, likewise" },
    { .name = "no-generation-prompt",
      .kind = DEN_OPTION_FLAG,
      .help = "end after the last message, without the opening of an answer" },
    DEN_OPTION_JSON,
};

const struct den_verb den_verb_template = {
    .name = "template",
    .summary = "show the prompt that a conversation becomes",
    .operands = "",
    .description =
        "Renders the model's chat template (Jinja) with a conversation and prints the result.",
    .examples =
        "den template --messages conversation.json\n"
        "den template --file chat_template.jinja --messages conversation.json --tools tools.json\n",
    .options = options,
    .option_count = sizeof options / sizeof options[0],
    .run = run,
};
