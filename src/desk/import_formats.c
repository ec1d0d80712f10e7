/* See import_formats.h. Nothing here trusts a link: a parent that is missing ends a walk, and no
 * walk is longer than there are nodes. */
#include "desk/import_formats.h"

#include <math.h>
#include <string.h>

#include "base/buffer.h"
#include "base/json.h"

/* --- small things --- */

static const char *text_of(const json_t *object, const char *key)
{
    return json_string_value(json_object_get(object, key));
}

/* Seconds, perhaps with a fraction, as milliseconds; null for what is no time. */
static json_t *time_of(const json_t *object, const char *key)
{
    double seconds = json_number_value(json_object_get(object, key));

    if (!(seconds > 0 && seconds < 1e11))
        return json_null();
    if (seconds > 1e10) /* it is in milliseconds already */
        seconds /= 1000;
    return json_integer((json_int_t)floor(seconds * 1000 + 0.5));
}

static bool is_spoken(const char *role)
{
    return role && (strcmp(role, "user") == 0 || strcmp(role, "assistant") == 0);
}

/* --- OpenAI's conversations.json --- */

/* Parts that are texts; pictures and sounds are named. */
static void append_parts(const json_t *parts, struct den_buffer *out)
{
    const json_t *part;
    size_t i;

    json_array_foreach(parts, i, part)
    {
        const char *text = json_is_string(part) ? json_string_value(part) : text_of(part, "text");

        if (i > 0 && out->length > 0)
            den_buffer_append_text(out, "\n\n");
        den_buffer_append_text(out, text ? text : "[attachment]");
    }
}

/* The text that a reader saw, or NULL where the node is none of the talk. */
static json_t *openai_content(const json_t *message)
{
    const json_t *content = json_object_get(message, "content");
    const json_t *metadata = json_object_get(message, "metadata");
    const char *type = text_of(content, "content_type"), *recipient = text_of(message, "recipient");
    struct den_buffer text;
    json_t *result = NULL;

    if (!is_spoken(text_of(json_object_get(message, "author"), "role")) || !type ||
        (recipient && strcmp(recipient, "all") != 0) ||
        json_is_true(json_object_get(metadata, "is_visually_hidden_from_conversation")))
        return NULL;
    den_buffer_init(&text, DEN_CONTENT_BYTES_MAX);
    if (strcmp(type, "text") == 0 || strcmp(type, "multimodal_text") == 0)
        append_parts(json_object_get(content, "parts"), &text);
    else if (strcmp(type, "code") == 0 && text_of(content, "text"))
        den_buffer_appendf(&text, "```\n%s\n```", text_of(content, "text"));
    if (text.length > 0 && text.status == DEN_OK)
        result = json_stringn(text.data, text.length);
    den_buffer_deinit(&text);
    return result;
}

/* The nodes of a mapping: {id: text} of those that are talk, and {id: the nearest of those at or
 * above it, or ""} of those that were asked for, so that a hostile tree costs no more than its
 * size.
 */
struct nodes {
    const json_t *mapping;
    json_t *kept, *nearest;
};

static const char *parent_of(const struct nodes *nodes, const char *id)
{
    return text_of(json_object_get(nodes->mapping, id), "parent");
}

/* NULL: there is none, or the way up is a circle. */
static const char *nearest_kept(const struct nodes *nodes, const char *id)
{
    size_t steps = json_object_size(nodes->mapping) + 1;
    const char *found = "", *at;

    for (at = id; at && steps > 0; steps--, at = parent_of(nodes, at)) {
        const char *known = text_of(nodes->nearest, at);

        if (json_object_get(nodes->kept, at))
            known = at;
        if (known) {
            found = known;
            break;
        }
    }
    for (at = id; at && !text_of(nodes->nearest, at) && !json_object_get(nodes->kept, at);
         at = parent_of(nodes, at))
        json_object_set_new(nodes->nearest, at, json_string(found));
    return *found ? found : NULL;
}

/* {node's id: text} of the nodes that are talk. */
static json_t *collect_kept(const json_t *mapping)
{
    json_t *kept = json_object(), *node, *content;
    const char *id;

    json_object_foreach((json_t *)(uintptr_t)mapping, id, node)
    {
        content = openai_content(json_object_get(node, "message"));
        if (content)
            json_object_set_new(kept, id, content);
    }
    return kept;
}

static json_t *openai_message(const struct nodes *nodes, const char *id, json_t *content)
{
    const json_t *node = json_object_get(nodes->mapping, id);
    const json_t *message = json_object_get(node, "message");
    const char *model = text_of(json_object_get(message, "metadata"), "model_slug");

    return json_pack("{s:s, s:s?, s:s, s:O, s:o, s:s}", "id", id, "parent",
                     nearest_kept(nodes, text_of(node, "parent")), "role",
                     text_of(json_object_get(message, "author"), "role"), "content", content,
                     "created", time_of(message, "create_time"), "model", model ? model : "");
}

static enum den_status convert_openai(const json_t *conversation, json_t **out,
                                      struct den_error *err)
{
    const char *id = text_of(conversation, "conversation_id"), *title, *node;
    struct nodes nodes = { .mapping = json_object_get(conversation, "mapping") };
    json_t *messages, *content;

    if (!json_is_object(nodes.mapping))
        return den_fail(err, DEN_INVALID, "its 'mapping' is not an object");
    messages = json_array();
    nodes.kept = collect_kept(nodes.mapping);
    nodes.nearest = json_object();
    json_object_foreach(nodes.kept, node, content)
    {
        json_array_append_new(messages, openai_message(&nodes, node, content));
    }
    title = text_of(conversation, "title");
    *out = json_pack(
        "{s:s*, s:s, s:o, s:o, s:s?, s:o}", "id", id ? id : text_of(conversation, "id"), "title",
        title ? title : "", "created", time_of(conversation, "create_time"), "updated",
        time_of(conversation, "update_time"), "head",
        nearest_kept(&nodes, text_of(conversation, "current_node")), "messages", messages);
    json_decref(nodes.kept);
    json_decref(nodes.nearest);
    return *out ? DEN_OK : den_fail(err, DEN_NO_MEMORY, "import: out of memory");
}

/* --- Open WebUI --- */

static json_t *webui_attachments(const json_t *message)
{
    json_t *list = json_array(), *file;
    size_t i;

    json_array_foreach(json_object_get(message, "files"), i, file)
    {
        const json_t *inner = json_object_get(file, "file");
        const char *name = text_of(file, "name");
        const char *text = text_of(json_object_get(inner, "data"), "content");

        if (name && text)
            json_array_append_new(list, json_pack("{s:s, s:s}", "name", name, "text", text));
    }
    return list;
}

static json_t *webui_message(const char *id, const json_t *message, const char *parent)
{
    const char *model = text_of(message, "model"), *content = text_of(message, "content");

    return json_pack("{s:s, s:s?, s:s, s:s, s:o, s:s, s:o}", "id", id, "parent", parent, "role",
                     text_of(message, "role"), "content", content ? content : "", "created",
                     time_of(message, "timestamp"), "model", model ? model : "", "attachments",
                     webui_attachments(message));
}

static json_t *webui_tree(const json_t *tree)
{
    json_t *messages = json_array(), *message;
    const char *id;

    json_object_foreach((json_t *)(uintptr_t)tree, id, message)
    {
        if (is_spoken(text_of(message, "role")))
            json_array_append_new(messages,
                                  webui_message(id, message, text_of(message, "parentId")));
    }
    return messages;
}

/* Older exports: a list, each message the child of the one before. */
static json_t *webui_line(const json_t *list)
{
    json_t *messages = json_array(), *message;
    const char *parent = NULL, *id;
    size_t i;

    json_array_foreach(list, i, message)
    {
        id = text_of(message, "id");
        if (!id || !is_spoken(text_of(message, "role")))
            continue;
        json_array_append_new(messages, webui_message(id, message, parent));
        parent = id;
    }
    return messages;
}

static enum den_status convert_webui(const json_t *conversation, json_t **out,
                                     struct den_error *err)
{
    const json_t *chat = json_object_get(conversation, "chat");
    const json_t *history = json_object_get(chat, "history");
    const json_t *tree = json_object_get(history, "messages");
    const char *title = text_of(conversation, "title");
    const char *system = text_of(json_object_get(chat, "params"), "system");

    if (!json_is_object(tree) && !json_is_array(json_object_get(chat, "messages")))
        return den_fail(err, DEN_INVALID, "its 'chat' has no messages");
    if (!title)
        title = text_of(chat, "title");
    if (!system)
        system = text_of(chat, "system");
    *out = json_pack(
        "{s:s*, s:s, s:o, s:o, s:b, s:s, s:s?, s:o}", "id", text_of(conversation, "id"), "title",
        title ? title : "", "created", time_of(conversation, "created_at"), "updated",
        time_of(conversation, "updated_at"), "pinned",
        json_is_true(json_object_get(conversation, "pinned")), "system", system ? system : "",
        "head", text_of(history, "currentId"), "messages",
        json_is_object(tree) ? webui_tree(tree) : webui_line(json_object_get(chat, "messages")));
    return *out ? DEN_OK : den_fail(err, DEN_NO_MEMORY, "import: out of memory");
}

/* --- */

enum den_status den_import_convert(json_t *conversation, json_t **out_thread, struct den_error *err)
{
    if (!json_is_object(conversation))
        return den_fail(err, DEN_UNSUPPORTED, "it is not an object");
    if (json_object_get(conversation, "mapping"))
        return convert_openai(conversation, out_thread, err);
    if (json_is_object(json_object_get(conversation, "chat")))
        return convert_webui(conversation, out_thread, err);
    if (!json_is_array(json_object_get(conversation, "messages")))
        return den_fail(err, DEN_UNSUPPORTED,
                        "it is no conversation of Den, OpenAI's export or Open WebUI");
    *out_thread = json_incref(conversation);
    return DEN_OK;
}
