/* From a thread to the conversation that a model reads: OpenAI's messages with plain texts. */
#include <stdio.h>
#include <string.h>

#include "base/buffer.h"
#include "desk/answers_parts.h"
#include "desk/prompt_block.h"

static void append_attachment(struct den_buffer *out, const json_t *attachment)
{
    const char *name = json_string_value(json_object_get(attachment, "name"));
    const char *text = json_string_value(json_object_get(attachment, "text"));
    char title[DEN_NAME_BYTES_MAX + 2];

    if (!name || !text)
        return;
    snprintf(title, sizeof title, "%s:", name);
    den_prompt_block(out, title, text);
}

/* Two questions in a row (an answer between them was deleted) become one: most templates want the
 * roles to alternate. */
static void append_message(json_t *list, const char *role, const struct den_buffer *text)
{
    json_t *last = json_array_get(list, json_array_size(list) - 1);
    const char *last_role = json_string_value(json_object_get(last, "role"));
    json_t *joined;

    if (!last || !last_role || strcmp(last_role, role) != 0) {
        json_array_append_new(
            list, json_pack("{s:s, s:s%}", "role", role, "content", text->data, text->length));
        return;
    }
    joined =
        json_sprintf("%s\n\n%s", json_string_value(json_object_get(last, "content")), text->data);
    json_object_set_new(last, "content", joined);
}

static enum den_status append_path(const json_t *path, json_t *list, struct den_error *err)
{
    struct den_buffer text;
    size_t i, k;

    den_buffer_init(&text, DEN_HTTP_BODY_BYTES_MAX * 4ul);
    for (i = 0; i < json_array_size(path) && err->status == DEN_OK; i++) {
        const json_t *message = json_array_get(path, i);
        const json_t *attachments = json_object_get(message, "attachments");

        den_buffer_clear(&text);
        for (k = 0; k < json_array_size(attachments); k++)
            append_attachment(&text, json_array_get(attachments, k));
        den_buffer_append_text(&text, json_string_value(json_object_get(message, "content")));
        if (den_buffer_status(&text, "the conversation", err) == DEN_OK)
            append_message(list, json_string_value(json_object_get(message, "role")), &text);
    }
    den_buffer_deinit(&text);
    return err->status;
}

static enum den_status append_system(struct den_connection *connection, int64_t thread,
                                     json_t *list, struct den_error *err)
{
    struct den_query query;

    den_query_start(&query, connection, err,
                    "SELECT CASE t.system WHEN '' THEN coalesce(w.system, '') ELSE t.system END "
                    "FROM threads t LEFT JOIN workspaces w ON w.row = t.workspace WHERE t.row = ?",
                    "i", thread);
    if (den_query_next(&query, err) && den_query_bytes(&query, 0) > 0)
        json_array_append_new(
            list, json_pack("{s:s, s:o}", "role", "system", "content", den_text_json(&query, 0)));
    den_query_end(&query);
    return err->status;
}

enum den_status den_answer_prompt(struct den_connection *connection, int64_t thread,
                                  int64_t message, json_t **out, struct den_error *err)
{
    json_t *list = json_array(), *path = NULL;

    if (append_system(connection, thread, list, err) == DEN_OK &&
        den_message_path(connection, message, &path, err) == DEN_OK)
        append_path(path, list, err);
    json_decref(path);
    if (err->status == DEN_OK)
        *out = list;
    else
        json_decref(list);
    return err->status;
}
