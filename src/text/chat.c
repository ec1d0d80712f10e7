/* See chat.h.
 *
 * Which template: GGUF keeps it under tokenizer.chat_template, with variants beside it
 * (tokenizer.chat_template.tool_use); a folder in chat_template.jinja or in tokenizer_config.json's
 * chat_template, a text or a list of named ones. With tools, the tool_use variant is taken where
 * there is one.
 *
 * Two habits of templates are met here rather than in every caller. Some know content as text only,
 * others as a list of parts: lists of text parts are joined unless the template's source speaks of
 * parts (it reads a ".type" or "['type']"). Some refuse a system message; its text then goes before
 * the first user message's and the template is tried again. */
#include "text/chat.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "text/chat_messages.h"

static const char plain_template[] =
    "{% for message in messages %}{{ message.role }}: {{ message.content }}\n{% endfor %}"
    "{% if add_generation_prompt %}assistant:{% endif %}";

struct den_chat {
    const struct den_tokenizer *tokenizer;
    struct den_template *general;
    struct den_template *with_tools; /* NULL: the general one */
    bool knows_parts;
    bool writes_bos; /* the source speaks of bos_token */
    bool is_guess;
    char *bos;
    char *eos;
};

/* --- finding and compiling --- */

static bool mentions(const char *source, size_t length, const char *words)
{
    return memmem(source, length, words, strlen(words)) != NULL;
}

static enum den_status add_template(struct den_chat *chat, const char *source, size_t length,
                                    bool for_tools, struct den_error *err)
{
    struct den_template **place = for_tools ? &chat->with_tools : &chat->general;

    if (*place)
        return DEN_OK; /* the first of a name counts */
    if (den_template_create(source, length, place, err) != DEN_OK)
        return den_fail_at(err, "the model's chat template");
    if (for_tools)
        return DEN_OK;
    chat->knows_parts = mentions(source, length, ".type") || mentions(source, length, "['type']") ||
                        mentions(source, length, "[\"type\"]");
    chat->writes_bos = mentions(source, length, "bos_token");
    return DEN_OK;
}

static enum den_status from_gguf(struct den_chat *chat, const struct den_gguf *gguf,
                                 struct den_error *err)
{
    struct den_gguf_string source;
    enum den_status status = den_gguf_get_string(gguf, "tokenizer.chat_template", &source, err);

    if (status == DEN_OK && add_template(chat, source.text, source.length, false, err) != DEN_OK)
        return err->status;
    if (status != DEN_OK && status != DEN_NOT_FOUND)
        return status;
    status = den_gguf_get_string(gguf, "tokenizer.chat_template.tool_use", &source, err);
    if (status == DEN_OK)
        return add_template(chat, source.text, source.length, true, err);
    return status == DEN_NOT_FOUND ? DEN_OK : status;
}

/* tokenizer_config.json: "chat_template": text, or [{"name": "default", "template": text}, ...] */
static enum den_status from_config(struct den_chat *chat, const json_t *config,
                                   struct den_error *err)
{
    const json_t *value = json_object_get(config, "chat_template");
    const json_t *item;
    size_t i;

    if (json_is_string(value))
        return add_template(chat, json_string_value(value), json_string_length(value), false, err);
    json_array_foreach((json_t *)(uintptr_t)value, i, item)
    {
        const char *name = json_string_value(json_object_get(item, "name"));
        const json_t *source = json_object_get(item, "template");
        bool for_tools = name && strcmp(name, "tool_use") == 0;

        if (!name || !json_is_string(source) || (!for_tools && strcmp(name, "default") != 0))
            continue;
        if (add_template(chat, json_string_value(source), json_string_length(source), for_tools,
                         err) != DEN_OK)
            return err->status;
    }
    return DEN_OK;
}

/* Reads a text file of the folder; an absent one leaves `out` empty. */
static enum den_status read_optional(const struct den_weights *weights, const char *name,
                                     struct den_buffer *out, struct den_error *err)
{
    struct den_error trouble = { 0 };

    if (den_weights_read_text(weights, name, out, &trouble) == DEN_OK ||
        trouble.status == DEN_NOT_FOUND)
        return DEN_OK;
    *err = trouble;
    return err->status;
}

/* A special token's text in tokenizer_config.json: "<s>" or {"content": "<s>"}. */
static const char *special_text(const json_t *config, const char *key)
{
    const json_t *value = json_object_get(config, key);

    if (json_is_object(value))
        value = json_object_get(value, "content");
    return json_string_value(value);
}

static enum den_status from_folder(struct den_chat *chat, const struct den_weights *weights,
                                   struct den_error *err)
{
    struct den_buffer text;
    json_t *config = NULL;
    const char *name;

    den_buffer_init(&text, DEN_FILE_TEXT_BYTES_MAX);
    if (read_optional(weights, "chat_template.jinja", &text, err) != DEN_OK ||
        (text.length > 0 && add_template(chat, text.data, text.length, false, err) != DEN_OK))
        goto done;
    den_buffer_clear(&text);
    if (read_optional(weights, "tokenizer_config.json", &text, err) != DEN_OK || text.length == 0 ||
        den_json_parse(text.data, text.length, "tokenizer_config.json", &config, err) != DEN_OK)
        goto done;
    if ((name = special_text(config, "bos_token")) != NULL)
        chat->bos = strdup(name);
    if ((name = special_text(config, "eos_token")) != NULL)
        chat->eos = strdup(name);
    from_config(chat, config, err);
done:
    json_decref(config);
    den_buffer_deinit(&text);
    return err->status;
}

static char *token_name(const struct den_tokenizer *tokenizer, den_token token)
{
    struct den_token_text name = { "", 0 };

    if (token != DEN_TOKEN_NONE)
        name = den_tokenizer_name(tokenizer, token);
    return strndup(name.bytes, name.length);
}

enum den_status den_chat_create(const struct den_weights *weights,
                                const struct den_tokenizer *tokenizer, struct den_chat **out,
                                struct den_error *err)
{
    const struct den_gguf *gguf = den_weights_gguf(weights);
    struct den_chat *chat = calloc(1, sizeof *chat);

    if (!chat)
        return den_fail(err, DEN_NO_MEMORY, "chat: out of memory");
    chat->tokenizer = tokenizer;
    if ((gguf ? from_gguf(chat, gguf, err) : from_folder(chat, weights, err)) != DEN_OK)
        goto fail;
    if (!chat->general) {
        chat->is_guess = true;
        if (add_template(chat, plain_template, sizeof plain_template - 1, false, err) != DEN_OK)
            goto fail;
    }
    if (!chat->bos)
        chat->bos = token_name(tokenizer, den_tokenizer_bos(tokenizer));
    if (!chat->eos)
        chat->eos = token_name(tokenizer, den_tokenizer_eos(tokenizer));
    if (!chat->bos || !chat->eos) {
        den_fail(err, DEN_NO_MEMORY, "chat: out of memory");
        goto fail;
    }
    *out = chat;
    return DEN_OK;
fail:
    den_chat_destroy(chat);
    return err->status;
}

void den_chat_destroy(struct den_chat *chat)
{
    if (!chat)
        return;
    den_template_destroy(chat->general);
    den_template_destroy(chat->with_tools);
    free(chat->bos);
    free(chat->eos);
    free(chat);
}

bool den_chat_is_guess(const struct den_chat *chat)
{
    return chat->is_guess;
}

/* --- rendering --- */

static json_t *variables_of(const struct den_chat *chat, const struct den_chat_request *request,
                            json_t *messages)
{
    json_t *variables = json_pack("{s:O, s:b, s:s, s:s}", "messages", messages,
                                  "add_generation_prompt", (int)request->add_generation_prompt,
                                  "bos_token", chat->bos, "eos_token", chat->eos);

    if (variables && request->tools && json_array_size(request->tools) > 0)
        json_object_set(variables, "tools", (json_t *)(uintptr_t)request->tools);
    if (variables && request->extra)
        json_object_update_missing(variables, (json_t *)(uintptr_t)request->extra);
    return variables;
}

static enum den_status render(const struct den_chat *chat, const struct den_chat_request *request,
                              json_t *messages, struct den_buffer *out, struct den_error *err)
{
    const struct den_template *template = chat->general;
    json_t *variables = variables_of(chat, request, messages);

    if (!variables)
        return den_fail(err, DEN_NO_MEMORY, "chat: out of memory");
    if (chat->with_tools && json_object_get(variables, "tools"))
        template = chat->with_tools;
    den_template_render(template, variables, request->now, out, err);
    json_decref(variables);
    return err->status;
}

enum den_status den_chat_render(const struct den_chat *chat, const struct den_chat_request *request,
                                struct den_buffer *out, struct den_error *err)
{
    struct den_error again = { 0 };
    json_t *messages;
    json_t *merged;

    if (den_chat_messages_read(request->messages, !chat->knows_parts, &messages, err) != DEN_OK)
        return err->status;
    if (render(chat, request, messages, out, err) == DEN_INVALID &&
        (merged = den_chat_messages_without_system(messages)) != NULL) {
        if (render(chat, request, merged, out, &again) == DEN_OK)
            *err = again;
        json_decref(merged);
    }
    json_decref(messages);
    return err->status;
}

enum den_status den_chat_encode(const struct den_chat *chat, const struct den_chat_request *request,
                                struct den_tokens *out, struct den_error *err)
{
    unsigned flags = DEN_ENCODE_PARSE_SPECIAL;
    struct den_buffer text;

    den_buffer_init(&text, DEN_TEMPLATE_OUTPUT_BYTES_MAX);
    if (!chat->writes_bos)
        flags |= DEN_ENCODE_ADD_SPECIAL;
    if (den_chat_render(chat, request, &text, err) == DEN_OK)
        den_tokenizer_encode(chat->tokenizer, text.data, text.length, flags, out, err);
    den_buffer_deinit(&text);
    return err->status;
}
