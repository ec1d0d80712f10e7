/* See chat_source.h. */
#include "text/chat_source.h"

#include <string.h>

#include "base/json.h"

void den_chat_source_init(struct den_chat_source *source)
{
    den_buffer_init(&source->plain, DEN_TEMPLATE_SOURCE_BYTES_MAX);
    den_buffer_init(&source->tools, DEN_TEMPLATE_SOURCE_BYTES_MAX);
    den_buffer_init(&source->bos, DEN_TOKEN_BYTES_MAX);
    den_buffer_init(&source->eos, DEN_TOKEN_BYTES_MAX);
}

void den_chat_source_deinit(struct den_chat_source *source)
{
    den_buffer_deinit(&source->plain);
    den_buffer_deinit(&source->tools);
    den_buffer_deinit(&source->bos);
    den_buffer_deinit(&source->eos);
}

static enum den_status read_key(const struct den_gguf *gguf, const char *key,
                                struct den_buffer *out, struct den_error *err)
{
    struct den_gguf_string text;
    enum den_status status = den_gguf_get_string(gguf, key, &text, err);

    if (status == DEN_NOT_FOUND)
        return DEN_OK;
    if (status == DEN_OK)
        den_buffer_append(out, text.text, text.length);
    return status == DEN_OK ? den_buffer_status(out, key, err) : status;
}

/* A text file of a folder; absent ones leave `out` empty. */
static enum den_status read_file(const struct den_weights *weights, const char *name,
                                 struct den_buffer *out, struct den_error *err)
{
    struct den_error trouble = { 0 };

    den_weights_read_text(weights, name, out, &trouble);
    if (trouble.status == DEN_OK || trouble.status == DEN_NOT_FOUND)
        return DEN_OK;
    *err = trouble;
    return err->status;
}

static void set_text(struct den_buffer *out, const json_t *text)
{
    den_buffer_clear(out);
    den_buffer_append(out, json_string_value(text), json_string_length(text));
}

/* "chat_template" of a configuration: a text, or a list of named ones. */
static void read_named(const json_t *config, struct den_chat_source *source)
{
    const json_t *value = json_object_get(config, "chat_template");
    size_t i;

    if (json_is_string(value))
        set_text(&source->plain, value);
    for (i = 0; i < json_array_size(value); i++) {
        const json_t *name = json_object_get(json_array_get(value, i), "name");
        const json_t *text = json_object_get(json_array_get(value, i), "template");

        if (!json_is_string(name) || !json_is_string(text))
            continue;
        if (strcmp(json_string_value(name), "tool_use") == 0)
            set_text(&source->tools, text);
        else if (i == 0 || strcmp(json_string_value(name), "default") == 0)
            set_text(&source->plain, text);
    }
}

/* A special token: a text, or an object with its text as "content". */
static void read_token(const json_t *config, const char *key, struct den_buffer *out)
{
    const json_t *value = json_object_get(config, key);

    if (json_is_object(value))
        value = json_object_get(value, "content");
    if (json_is_string(value))
        set_text(out, value);
}

static enum den_status read_config(const struct den_weights *weights, const char *name,
                                   struct den_chat_source *source, bool wants_template,
                                   struct den_error *err)
{
    struct den_buffer text;
    json_t *config = NULL;

    den_buffer_init(&text, DEN_FILE_TEXT_BYTES_MAX);
    if (read_file(weights, name, &text, err) == DEN_OK && text.length > 0 &&
        den_json_parse(text.data, text.length, name, &config, err) == DEN_OK) {
        if (wants_template)
            read_named(config, source);
        read_token(config, "bos_token", &source->bos);
        read_token(config, "eos_token", &source->eos);
    }
    json_decref(config);
    den_buffer_deinit(&text);
    return err->status;
}

static enum den_status read_folder(const struct den_weights *weights,
                                   struct den_chat_source *source, struct den_error *err)
{
    if (read_file(weights, "chat_template.jinja", &source->plain, err) != DEN_OK ||
        read_file(weights, "additional_chat_templates/tool_use.jinja", &source->tools, err) !=
            DEN_OK ||
        read_config(weights, "tokenizer_config.json", source, source->plain.length == 0, err) !=
            DEN_OK)
        return err->status;
    if (source->plain.length == 0)
        read_config(weights, "chat_template.json", source, true, err);
    return err->status;
}

static void name_token(const struct den_tokenizer *tokenizer, den_token token,
                       struct den_buffer *out)
{
    struct den_token_text name;

    if (out->length > 0 || token == DEN_TOKEN_NONE)
        return;
    name = den_tokenizer_name(tokenizer, token);
    den_buffer_append(out, name.bytes, name.length);
}

enum den_status den_chat_source_read(struct den_chat_source *source,
                                     const struct den_weights *weights,
                                     const struct den_tokenizer *tokenizer, struct den_error *err)
{
    const struct den_gguf *gguf = den_weights_gguf(weights);

    if (gguf) {
        if (read_key(gguf, "tokenizer.chat_template", &source->plain, err) != DEN_OK ||
            read_key(gguf, "tokenizer.chat_template.tool_use", &source->tools, err) != DEN_OK)
            return err->status;
    } else if (read_folder(weights, source, err) != DEN_OK) {
        return err->status;
    }
    name_token(tokenizer, den_tokenizer_bos(tokenizer), &source->bos);
    name_token(tokenizer, den_tokenizer_eos(tokenizer), &source->eos);
    if (den_buffer_status(&source->plain, "chat template", err) != DEN_OK)
        return err->status;
    return den_buffer_status(&source->tools, "chat template", err);
}
