/* See chat.h.
 *
 * What a template can take is found out when the chat is created, by rendering one message both
 * ways (as a text and as a list with one text part) and looking whether its words come out:
 * templates differ too much for their source to be judged. A template that does not compile is
 * reported when it is first needed, so that the model can still complete raw text.
 *
 * To continue an answer, the prompt has to end where the answer's text does, without the marker
 * that closes a turn. Templates have no switch for that, and looking for the text in the result
 * finds a short one inside a marker, or not at all if the template has trimmed it. So the text
 * gets a mark at its end before it is rendered, and the result is cut where the mark came out:
 * blanks at the end of the text survive, too, because the mark stands behind them. */
#include "text/chat.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "text/chat_messages.h"
#include "text/chat_parts.h"

/* For models without a template: enough to talk with a base model. */
static const char plain_template[] =
    "{% for message in messages %}"
    "{{ message.role | capitalize }}: {{ message.content | default('', true) }}\n\n"
    "{% endfor %}"
    "{% if add_generation_prompt %}Assistant:{% endif %}";

static const char end_mark[] = "[[the text to continue ends here]]";

struct variant {
    struct den_template *compiled; /* NULL: there is none, or it is broken */
    struct den_chat_shape shape;
};

struct den_chat {
    const struct den_tokenizer *tokenizer;
    struct variant plain;
    struct variant tools;
    struct den_error broken; /* why `plain` does not compile; DEN_OK otherwise */
    char *source;            /* of `plain`; "" where it is a guess */
    const struct den_answer_format *format;
    bool reads_calls; /* the template does something with calls in the history */
    json_t *bos;
    json_t *eos;
};

/* Whether one user message with this content comes out of the template. `out` gets the text. */
static bool try_content(const struct den_chat *chat, const struct den_template *compiled,
                        json_t *content, struct den_buffer *out)
{
    struct den_error trouble = { 0 };
    json_t *variables = json_pack("{s:[{s:s, s:o}], s:n, s:b, s:O, s:O}", "messages", "role",
                                  "user", "content", content, "tools", "add_generation_prompt", 1,
                                  "bos_token", chat->bos, "eos_token", chat->eos);

    if (!variables)
        return false;
    den_template_render(compiled, variables, 0, out, &trouble);
    json_decref(variables);
    return trouble.status == DEN_OK && strstr(out->data, "needle in hay") != NULL;
}

static enum den_chat_content find_content(const struct den_chat *chat,
                                          const struct den_template *compiled)
{
    struct den_buffer text;
    struct den_buffer parts;
    enum den_chat_content content = DEN_CHAT_CONTENT_TEXT;
    bool takes_text;
    bool takes_parts;

    den_buffer_init(&text, DEN_TEMPLATE_OUTPUT_BYTES_MAX);
    den_buffer_init(&parts, DEN_TEMPLATE_OUTPUT_BYTES_MAX);
    takes_text = try_content(chat, compiled, json_string("needle in hay"), &text);
    takes_parts = try_content(
        chat, compiled, json_pack("[{s:s, s:s}]", "type", "text", "text", "needle in hay"), &parts);
    if (takes_text && takes_parts && strcmp(text.data, parts.data) == 0)
        content = DEN_CHAT_CONTENT_EITHER;
    else if (!takes_text && takes_parts && !strstr(parts.data, "'text'") &&
             !strstr(parts.data, "\"text\""))
        content = DEN_CHAT_CONTENT_PARTS; /* a dump of the list is no use of it */
    den_buffer_deinit(&text);
    den_buffer_deinit(&parts);
    return content;
}

static void compile(const struct den_chat *chat, const char *source, size_t length,
                    struct variant *out, struct den_error *err)
{
    if (den_template_create(source, length, &out->compiled, err) != DEN_OK)
        return;
    out->shape.content = find_content(chat, out->compiled);
    out->shape.knows_developer = memmem(source, length, "developer", 9) != NULL;
}

enum den_status den_chat_create_source(const struct den_chat_source *source,
                                       const struct den_tokenizer *tokenizer, struct den_chat **out,
                                       struct den_error *err)
{
    struct den_chat *chat = calloc(1, sizeof *chat);
    struct den_error ignored = { 0 };

    if (!chat)
        return den_fail(err, DEN_NO_MEMORY, "chat: out of memory");
    chat->tokenizer = tokenizer;
    chat->bos = json_stringn(source->bos.data, source->bos.length);
    chat->eos = json_stringn(source->eos.data, source->eos.length);
    chat->source = strndup(source->plain.data, source->plain.length);
    if (!chat->source) {
        den_fail(err, DEN_NO_MEMORY, "chat: out of memory");
        goto fail;
    }
    chat->reads_calls = strstr(chat->source, "tool_calls") != NULL;
    chat->format = den_answer_format_find(
        source->tools.length > 0 ? source->tools.data : chat->source, tokenizer);
    if (!chat->bos || !chat->eos) {
        den_fail(err, DEN_INVALID, "chat: the texts of BOS and EOS are not UTF-8");
        goto fail;
    }
    if (source->plain.length == 0)
        compile(chat, plain_template, strlen(plain_template), &chat->plain, &chat->broken);
    else
        compile(chat, source->plain.data, source->plain.length, &chat->plain, &chat->broken);
    if (source->tools.length > 0)
        compile(chat, source->tools.data, source->tools.length, &chat->tools, &ignored);
    if (chat->broken.status == DEN_NO_MEMORY) {
        *err = chat->broken;
        goto fail;
    }
    *out = chat;
    return DEN_OK;
fail:
    den_chat_destroy(chat);
    return err->status;
}

enum den_status den_chat_create(const struct den_weights *weights,
                                const struct den_tokenizer *tokenizer, struct den_chat **out,
                                struct den_error *err)
{
    struct den_chat_source source;

    den_chat_source_init(&source);
    if (den_chat_source_read(&source, weights, tokenizer, err) == DEN_OK)
        den_chat_create_source(&source, tokenizer, out, err);
    den_chat_source_deinit(&source);
    return err->status;
}

void den_chat_destroy(struct den_chat *chat)
{
    if (!chat)
        return;
    den_template_destroy(chat->plain.compiled);
    den_template_destroy(chat->tools.compiled);
    json_decref(chat->bos);
    json_decref(chat->eos);
    free(chat->source);
    free(chat);
}

const char *den_chat_template_source(const struct den_chat *chat)
{
    return chat->source;
}

const struct den_answer_format *den_chat_answer_format(const struct den_chat *chat)
{
    return chat->format;
}

/* All variables but the messages; those of `extra` go first, so that none of ours can be replaced.
 */
static json_t *collect_variables(const struct den_chat *chat,
                                 const struct den_chat_request *request)
{
    json_t *variables = request->extra ? json_copy((json_t *)request->extra) : json_object();
    json_t *tools =
        json_array_size(request->tools) > 0 && den_answer_format_knows_tools(chat->format)
            ? json_copy((json_t *)request->tools)
            : json_null();

    if (!variables) {
        json_decref(tools);
        return NULL;
    }
    if (!json_object_get(variables, "documents"))
        json_object_set_new(variables, "documents", json_null());
    if (json_object_set_new(variables, "tools", tools) != 0 ||
        json_object_set_new(
            variables, "add_generation_prompt",
            json_boolean(request->add_generation_prompt && !request->continue_last)) != 0 ||
        json_object_set(variables, "bos_token", chat->bos) != 0 ||
        json_object_set(variables, "eos_token", chat->eos) != 0) {
        json_decref(variables);
        return NULL;
    }
    return variables;
}

/* Renders; a template that raises gets the messages once more in each shape that it may be able to
 * take. The first reason is the one reported. */
static void render_shapes(const struct variant *variant, json_t *variables, json_t *messages,
                          const struct den_chat_request *request, struct den_buffer *out,
                          struct den_error *err)
{
    bool (*const repairs[])(json_t * messages) = { den_chat_fill_content, den_chat_merge_system,
                                                   den_chat_shorten_ids, den_chat_split_calls };
    size_t i;

    den_template_render(variant->compiled, variables, request->now, out, err);
    for (i = 0; i < sizeof repairs / sizeof repairs[0] && err->status == DEN_INVALID; i++) {
        struct den_error again = { 0 };

        if (repairs[i](messages) &&
            den_template_render(variant->compiled, variables, request->now, out, &again) == DEN_OK)
            *err = again;
    }
}

/* Whether tools have to be written into the messages, because the template would leave them out. */
static bool must_describe(const struct den_chat *chat, const struct den_chat_request *request)
{
    size_t count = json_array_size(request->messages), i;
    const json_t *last = count > 0 ? json_array_get(request->messages, count - 1) : NULL;

    if (den_answer_format_knows_tools(chat->format))
        return false;
    if (request->continue_last && json_object_get(last, "tool_calls"))
        return false; /* den_chat_mark_last() will refuse it */
    if (json_array_size(request->tools) > 0)
        return true;
    for (i = 0; i < count && !chat->reads_calls; i++) {
        const json_t *message = json_array_get(request->messages, i);
        const char *role = json_string_value(json_object_get(message, "role"));

        if (json_array_size(json_object_get(message, "tool_calls")) > 0 ||
            (role && strcmp(role, "tool") == 0))
            return true;
    }
    return false;
}

/* The messages as the template takes them. */
static enum den_status shape_messages(const struct den_chat *chat,
                                      const struct den_chat_request *request,
                                      const struct den_chat_shape *shape, json_t **out_messages,
                                      struct den_error *err)
{
    json_t *described = NULL;

    if (den_chat_tools_check(request->tools, err) != DEN_OK ||
        den_chat_messages_shape(request->messages, shape, out_messages, err) != DEN_OK ||
        !must_describe(chat, request))
        return err->status;
    json_decref(*out_messages); /* it was for the check: what is described comes first */
    *out_messages = NULL;
    if (den_answer_format_describe_tools(chat->format, request->messages, request->tools,
                                         &described, err) == DEN_OK)
        den_chat_messages_shape(described, shape, out_messages, err);
    json_decref(described);
    return err->status;
}

static enum den_status render_all(const struct den_chat *chat,
                                  const struct den_chat_request *request, struct den_buffer *out,
                                  struct den_error *err)
{
    bool has_tools = json_array_size(request->tools) > 0;
    const struct variant *variant = has_tools && chat->tools.compiled ? &chat->tools : &chat->plain;
    json_t *messages = NULL;
    json_t *variables;

    if (!variant->compiled) {
        *err = chat->broken;
        return den_fail_at(err, "the model's chat template is broken");
    }
    if (request->extra && !json_is_object(request->extra))
        return den_fail(err, DEN_INVALID, "the template's extra variables must be an object");
    if (shape_messages(chat, request, &variant->shape, &messages, err) != DEN_OK)
        return err->status;
    if (request->continue_last && den_chat_mark_last(messages, end_mark, err) != DEN_OK) {
        json_decref(messages);
        return err->status;
    }
    variables = collect_variables(chat, request);
    if (variables && json_object_set(variables, "messages", messages) == 0)
        render_shapes(variant, variables, messages, request, out, err);
    else
        den_fail(err, DEN_NO_MEMORY, "chat: out of memory");
    json_decref(variables);
    json_decref(messages);
    return err->status;
}

/* Where the last mark begins; NULL: there is none. */
static const char *find_mark(const struct den_buffer *text)
{
    const size_t length = sizeof end_mark - 1;
    const char *end = text->data + text->length;
    const char *next = memmem(text->data, text->length, end_mark, length);
    const char *found = NULL;

    while (next) {
        found = next;
        next += length;
        next = memmem(next, (size_t)(end - next), end_mark, length);
    }
    return found;
}

enum den_status den_chat_render(const struct den_chat *chat, const struct den_chat_request *request,
                                struct den_buffer *out, struct den_error *err)
{
    struct den_buffer whole;
    const char *mark;

    if (!request->continue_last)
        return render_all(chat, request, out, err);
    den_buffer_init(&whole, DEN_TEMPLATE_OUTPUT_BYTES_MAX);
    if (render_all(chat, request, &whole, err) != DEN_OK)
        goto done;
    mark = find_mark(&whole);
    if (!mark) {
        den_fail(err, DEN_UNSUPPORTED,
                 "this model's template can't continue an answer: it does not write the text of "
                 "an assistant's last message; the last message must be a user's");
        goto done;
    }
    den_buffer_append(out, whole.data, (size_t)(mark - whole.data));
    den_buffer_status(out, "chat", err);
done:
    den_buffer_deinit(&whole);
    return err->status;
}

static bool begins_with(const struct den_buffer *text, const json_t *token)
{
    size_t length = json_string_length(token);

    return length > 0 && text->length >= length &&
           memcmp(text->data, json_string_value(token), length) == 0;
}

static bool ends_with(const struct den_buffer *text, const json_t *token)
{
    size_t length = json_string_length(token);

    return length > 0 && text->length >= length &&
           memcmp(text->data + text->length - length, json_string_value(token), length) == 0;
}

enum den_status den_chat_encode(const struct den_chat *chat, const struct den_chat_request *request,
                                struct den_tokens *out, struct den_error *err)
{
    unsigned flags = DEN_ENCODE_PARSE_SPECIAL;
    size_t before = out->count;
    struct den_buffer text;

    if (!chat->tokenizer)
        return den_fail(err, DEN_UNSUPPORTED, "chat: there is no tokenizer to encode with");
    den_buffer_init(&text, DEN_TEMPLATE_OUTPUT_BYTES_MAX);
    if (den_chat_render(chat, request, &text, err) == DEN_OK) {
        if (!begins_with(&text, chat->bos))
            flags |= DEN_ENCODE_ADD_SPECIAL;
        den_tokenizer_encode(chat->tokenizer, text.data, text.length, flags, out, err);
        /* a tokenizer that ends texts with EOS would end the answer before it begins */
        if (err->status == DEN_OK && (flags & DEN_ENCODE_ADD_SPECIAL) && out->count > before &&
            out->items[out->count - 1] == den_tokenizer_eos(chat->tokenizer) &&
            !ends_with(&text, chat->eos))
            out->count--;
    }
    den_buffer_deinit(&text);
    return err->status;
}
