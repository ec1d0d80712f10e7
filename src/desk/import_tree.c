/* See import_tree.h. The messages are put in order first: numbered by time and linked to their
 * first child and next sibling. Where time alone does not put each parent before its children, they
 * are walked from the roots level by level; what the walk does not reach hangs in a circle. */
#include "desk/import_tree.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "desk/answer_parameters.h"
#include "desk/threads_parts.h"

enum { NONE = -1, SOURCES_MAX = 10000 /* passages of one answer, and citations */ };

struct node {
    const json_t *message;
    int64_t created;
    int parent, first_child, last_child, next_sibling; /* places in `nodes`; NONE */
    int64_t row;                                       /* once inserted */
};

struct tree {
    struct node *nodes; /* (count), by time */
    int *order;         /* (count): roots first, level by level */
    int count, ordered;
};

static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));

    return text ? text : "";
}

/* Milliseconds between 1970 and the year 5138; else `otherwise`. */
static int64_t time_of(const json_t *object, const char *key, int64_t otherwise)
{
    int64_t time = json_integer_value(json_object_get(object, key));

    return time > 0 && time < 100000000000000 ? time : otherwise;
}

/* A count of changes; what is no such count (it goes on from here, and must not overflow) is 0. */
static int64_t seq_of(const json_t *message)
{
    int64_t seq = json_integer_value(json_object_get(message, "seq"));

    return seq > 0 && seq < (int64_t)1 << 52 ? seq : 0;
}

/* --- order --- */

static int compare_times(const void *left, const void *right)
{
    const struct node *a = left, *b = right;

    if (a->created != b->created)
        return a->created < b->created ? -1 : 1;
    return a->row < b->row ? -1 : a->row > b->row; /* as they came */
}

static enum den_status fill_nodes(struct tree *tree, const json_t *messages, struct den_error *err)
{
    int64_t created = 1;
    json_t *message;
    size_t i;

    json_array_foreach(messages, i, message)
    {
        const char *role = text_of(message, "role");

        if (strcmp(role, "user") != 0 && strcmp(role, "assistant") != 0)
            return den_fail(err, DEN_INVALID, "its message %zu has no role 'user' or 'assistant'",
                            i);
        if (strlen(text_of(message, "content")) > DEN_CONTENT_BYTES_MAX)
            return den_fail(err, DEN_TOO_LARGE, "its message %zu has more than %u bytes", i,
                            DEN_CONTENT_BYTES_MAX);
        created = time_of(message, "created", created);
        tree->nodes[i] = (struct node){ .message = message,
                                        .created = created,
                                        .parent = NONE,
                                        .first_child = NONE,
                                        .last_child = NONE,
                                        .next_sibling = NONE,
                                        .row = (int64_t)i };
    }
    qsort(tree->nodes, (size_t)tree->count, sizeof *tree->nodes, compare_times);
    return DEN_OK;
}

static enum den_status link_nodes(struct tree *tree, struct den_error *err)
{
    json_t *places = json_object(); /* {id: place} */
    int i;

    for (i = 0; i < tree->count && err->status == DEN_OK; i++) {
        const char *id = text_of(tree->nodes[i].message, "id");

        if (*id && json_object_get(places, id))
            den_fail(err, DEN_INVALID, "two of its messages have the id '%.64s'", id);
        else if (*id)
            json_object_set_new(places, id, json_integer(i));
    }
    for (i = 0; i < tree->count && err->status == DEN_OK; i++) {
        const json_t *place = json_object_get(places, text_of(tree->nodes[i].message, "parent"));
        struct node *node = &tree->nodes[i], *parent;

        if (!place)
            continue;
        node->parent = (int)json_integer_value(place);
        parent = &tree->nodes[node->parent];
        if (parent->last_child == NONE)
            parent->first_child = i;
        else
            tree->nodes[parent->last_child].next_sibling = i;
        parent->last_child = i;
    }
    json_decref(places);
    return err->status;
}

/* By time where that puts every parent before its children, as in what Den made itself. */
static bool is_ordered_by_time(const struct tree *tree)
{
    int i;

    for (i = 0; i < tree->count; i++)
        if (tree->nodes[i].parent >= i)
            return false;
    return true;
}

static enum den_status walk(struct tree *tree, struct den_error *err)
{
    int i, child;

    if (is_ordered_by_time(tree)) {
        for (i = 0; i < tree->count; i++)
            tree->order[i] = i;
        return DEN_OK;
    }
    for (i = 0; i < tree->count; i++)
        if (tree->nodes[i].parent == NONE)
            tree->order[tree->ordered++] = i;
    for (i = 0; i < tree->ordered; i++)
        for (child = tree->nodes[tree->order[i]].first_child; child != NONE;
             child = tree->nodes[child].next_sibling)
            tree->order[tree->ordered++] = child;
    if (tree->ordered < tree->count)
        return den_fail(err, DEN_INVALID, "%d of its messages are each other's parents",
                        tree->count - tree->ordered);
    return DEN_OK;
}

/* --- rows --- */

/* JSON text of a member of the right type; NULL: none. Free it. */
static char *json_of(const json_t *object, const char *key, json_type type)
{
    const json_t *value = json_object_get(object, key);

    return value && json_typeof(value) == type ? json_dumps(value, JSON_COMPACT) : NULL;
}

/* What an answer stood on, as far as it has the form that pages show; NULL: none. Free it. */
static char *sources_of(const json_t *message)
{
    static const char *const lists[] = { "passages", "citations" };
    static const char *const texts[] = { "document", "name", "title", "format", "heading", "text" };
    const json_t *sources = json_object_get(message, "sources"), *item;
    size_t i, k;

    if (!json_is_object(sources) || !json_is_boolean(json_object_get(sources, "found")))
        return NULL;
    for (i = 0; i < 2; i++)
        if (!json_is_array(json_object_get(sources, lists[i])) ||
            json_array_size(json_object_get(sources, lists[i])) > SOURCES_MAX)
            return NULL;
    json_array_foreach(json_object_get(sources, "passages"), i, item)
    {
        for (k = 0; k < sizeof texts / sizeof texts[0]; k++)
            if (!json_is_string(json_object_get(item, texts[k])))
                return NULL;
        if (!json_is_integer(json_object_get(item, "number")) ||
            !json_is_object(json_object_get(item, "part")))
            return NULL;
    }
    json_array_foreach(json_object_get(sources, "citations"), i, item)
    {
        if (!json_is_integer(json_object_get(item, "start")) ||
            !json_is_integer(json_object_get(item, "end")) ||
            !json_is_array(json_object_get(item, "passages")))
            return NULL;
    }
    return json_dumps(sources, JSON_COMPACT);
}

static bool is_finish(const char *finish)
{
    return strcmp(finish, "length") == 0 || strcmp(finish, "stopped") == 0 ||
           strcmp(finish, "error") == 0;
}

static enum den_status insert_message(struct den_connection *connection, struct tree *tree,
                                      int64_t thread, struct node *node, struct den_error *err)
{
    const json_t *message = node->message, *error = json_object_get(message, "error");
    const char *finish = text_of(message, "finish");
    char *attachments = json_of(message, "attachments", JSON_ARRAY);
    char *measures = json_of(message, "measures", JSON_OBJECT);
    char *sources = sources_of(message);
    char made[DEN_ID_LENGTH_MAX + 1];
    struct den_message_row row = {
        .thread = thread,
        .id = text_of(message, "id"),
        .parent = node->parent == NONE ? 0 : tree->nodes[node->parent].row,
        .role = text_of(message, "role"),
        .content = text_of(message, "content"),
        .reasoning = text_of(message, "reasoning"),
        .created = node->created,
        .model = text_of(message, "model"),
        .finish = is_finish(finish) ? finish : "stop",
        .measures = measures,
        .attachments = attachments,
        .seq = seq_of(message),
        .sources = sources,
    };

    if (json_is_object(error)) {
        row.error_code = text_of(error, "code");
        row.error_message = text_of(error, "message");
    }
    if (!den_id_is_valid(row.id) && den_id_make(made, err) == DEN_OK)
        row.id = made;
    if (err->status == DEN_OK)
        den_message_insert(connection, &row, &node->row, err);
    free(attachments);
    free(measures);
    free(sources);
    return err->status;
}

static enum den_status check_free(struct den_connection *connection, const char *id,
                                  struct den_error *err)
{
    struct den_query query;

    den_query_start(&query, connection, err, "SELECT deleted FROM threads WHERE id = ?", "t", id);
    if (den_query_next(&query, err))
        den_fail(err, DEN_IN_USE,
                 den_query_is_null(&query, 0) ? "it is there already" : "it is in the bin");
    den_query_end(&query);
    return err->status;
}

static enum den_status insert_thread(struct den_connection *connection, const json_t *thread,
                                     const struct tree *tree, int64_t *out_row,
                                     struct den_error *err)
{
    char *parameters = json_of(thread, "parameters", JSON_OBJECT), made[DEN_ID_LENGTH_MAX + 1];
    const char *id = text_of(thread, "id"), *title = text_of(thread, "title");
    char shortened[DEN_TITLE_BYTES_MAX];
    struct den_error ignored = { 0 };
    int64_t created = time_of(thread, "created", den_clock_unix_ms());

    if (den_answer_parameters_check(json_object_get(thread, "parameters"), &ignored) != DEN_OK) {
        free(parameters); /* those of another version: the defaults do */
        parameters = NULL;
    }
    den_text_shorten(title, 200, shortened, sizeof shortened);
    if (!den_id_is_valid(id))
        id = den_id_make(made, err) == DEN_OK ? made : "";
    if (check_free(connection, id, err) == DEN_OK &&
        den_execute(connection, err,
                    "INSERT INTO threads (id, title, renamed, pinned, created, updated, model, "
                    "system, parameters, folder, workspace) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, "
                    "(SELECT id FROM folders WHERE id = ?), (SELECT row FROM workspaces WHERE id = "
                    "?11 OR name = ?12 COLLATE NOCASE ORDER BY id = ?11 DESC LIMIT 1))",
                    "ttiiiitttttt", id, shortened, (int64_t)(shortened[0] != '\0'),
                    (int64_t)json_is_true(json_object_get(thread, "pinned")), created,
                    time_of(thread, "updated",
                            tree->count > 0 ? tree->nodes[tree->count - 1].created : created),
                    text_of(thread, "model"), text_of(thread, "system"),
                    parameters ? parameters : "{}", text_of(thread, "folder"),
                    text_of(thread, "workspace"), text_of(thread, "workspace_name")) == DEN_OK)
        *out_row = den_connection_last_row(connection);
    free(parameters);
    return err->status;
}

/* The head, where there is such a message, and a preview; the time of change stays as it was. */
static enum den_status conclude(struct den_connection *connection, int64_t row,
                                const json_t *thread, const struct tree *tree,
                                struct den_error *err)
{
    const char *preview =
        tree->count > 0 ? text_of(tree->nodes[tree->order[tree->count - 1]].message, "content")
                        : "";
    struct den_query query;
    int64_t updated = 0;

    den_query_start(&query, connection, err, "SELECT updated FROM threads WHERE row = ?", "i", row);
    if (den_query_next(&query, err))
        updated = den_query_integer(&query, 0);
    den_query_end(&query);
    den_thread_touch(connection, row, NULL, preview, err);
    return den_execute(connection, err,
                       "UPDATE threads SET updated = ?2, head = (SELECT id FROM messages WHERE "
                       "thread = ?1 ORDER BY id = ?3 DESC, row DESC LIMIT 1) WHERE row = ?1",
                       "iit", row, updated, text_of(thread, "head"));
}

/* Documents that were the thread's alone, as far as they are here. */
static enum den_status attach_documents(struct den_connection *connection, int64_t row,
                                        const json_t *thread, struct den_error *err)
{
    const json_t *document;
    size_t i;

    json_array_foreach(json_object_get(thread, "documents"), i, document)
    {
        if (i < SOURCES_MAX)
            den_execute(connection, err,
                        "INSERT OR IGNORE INTO thread_documents (thread, document, added) "
                        "SELECT ?, row, ? FROM documents WHERE id = ?",
                        "iit", row, den_clock_unix_ms(), text_of(document, "id"));
    }
    return err->status;
}

enum den_status den_import_insert(struct den_connection *connection, const json_t *thread,
                                  int64_t *out_row, size_t *out_messages, struct den_error *err)
{
    const json_t *messages = json_object_get(thread, "messages");
    size_t count = json_array_size(messages);
    struct tree tree = { .count = (int)count };
    int64_t row = 0;
    int i;

    if (count == 0)
        return den_fail(err, DEN_INVALID, "it has no messages");
    if (count > DEN_THREAD_MESSAGES_MAX)
        return den_fail(err, DEN_TOO_LARGE, "it has %zu messages; at most %d are kept", count,
                        DEN_THREAD_MESSAGES_MAX);
    tree.nodes = calloc(count, sizeof *tree.nodes);
    tree.order = calloc(count, sizeof *tree.order);
    if (!tree.nodes || !tree.order)
        den_fail(err, DEN_NO_MEMORY, "import: out of memory");
    else if (fill_nodes(&tree, messages, err) == DEN_OK && link_nodes(&tree, err) == DEN_OK &&
             walk(&tree, err) == DEN_OK)
        insert_thread(connection, thread, &tree, &row, err);
    for (i = 0; i < tree.count && err->status == DEN_OK; i++)
        insert_message(connection, &tree, row, &tree.nodes[tree.order[i]], err);
    if (err->status == DEN_OK && attach_documents(connection, row, thread, err) == DEN_OK &&
        conclude(connection, row, thread, &tree, err) == DEN_OK) {
        *out_row = row;
        *out_messages = count;
    }
    free(tree.nodes);
    free(tree.order);
    return err->status;
}
