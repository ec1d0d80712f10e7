/* See folders.h. Each shelf is a table; what differs between the two is their SQL, as data. */
#include "desk/folders.h"

#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "desk/events.h"
#include "desk/threads_parts.h"

struct shelf {
    const char *name; /* of the list in JSON */
    const char *noun;
    bool has_text;
    int64_t count_max;
    const char *list, *find, *count, *insert, *update, *erase;
};

static const struct shelf shelves[] = {
    [DEN_SHELF_FOLDERS] = {
        .name = "folders",
        .noun = "folder",
        .count_max = DEN_FOLDERS_MAX,
        .list = "SELECT id, name, '' FROM folders ORDER BY name COLLATE NOCASE, created",
        .find = "SELECT id, name, '' FROM folders WHERE id = ?",
        .count = "SELECT count(*) FROM folders",
        .insert = "INSERT INTO folders (id, name, created) VALUES (?1, ?2, ?4)",
        .update = "UPDATE folders SET name = coalesce(?2, name) WHERE id = ?1",
        .erase = "DELETE FROM folders WHERE id = ?",
    },
    [DEN_SHELF_PROMPTS] = {
        .name = "prompts",
        .noun = "prompt",
        .has_text = true,
        .count_max = DEN_PROMPTS_MAX,
        .list = "SELECT id, name, text FROM prompts ORDER BY name COLLATE NOCASE, created",
        .find = "SELECT id, name, text FROM prompts WHERE id = ?",
        .count = "SELECT count(*) FROM prompts",
        .insert = "INSERT INTO prompts (id, name, text, created) VALUES (?1, ?2, ?3, ?4)",
        .update = "UPDATE prompts SET name = coalesce(?2, name), text = coalesce(?3, text) "
                  "WHERE id = ?1",
        .erase = "DELETE FROM prompts WHERE id = ?",
    },
};

static json_t *item_json(const struct shelf *shelf, struct den_query *query)
{
    json_t *item =
        json_pack("{s:o, s:o}", "id", den_text_json(query, 0), "name", den_text_json(query, 1));

    if (item && shelf->has_text)
        json_object_set_new(item, "text", den_text_json(query, 2));
    return item;
}

static enum den_status read_list(struct den_connection *connection, const struct shelf *shelf,
                                 json_t **out, struct den_error *err)
{
    json_t *list = json_array();
    struct den_query query;

    den_query_start(&query, connection, err, shelf->list, "");
    while (den_query_next(&query, err))
        if (json_array_append_new(list, item_json(shelf, &query)) != 0)
            den_fail(err, DEN_NO_MEMORY, "%s: out of memory", shelf->name);
    den_query_end(&query);
    if (err->status == DEN_OK)
        *out = json_pack("{s:O}", shelf->name, list);
    json_decref(list);
    return err->status;
}

static enum den_status find_item(struct den_connection *connection, const struct shelf *shelf,
                                 const char *id, json_t **out, struct den_error *err)
{
    struct den_query query;

    *out = NULL;
    den_query_start(&query, connection, err, shelf->find, "t", id);
    if (den_query_next(&query, err))
        *out = item_json(shelf, &query);
    den_query_end(&query);
    return err->status;
}

static enum den_status fail_absent(const struct shelf *shelf, const char *id, struct den_error *err)
{
    return den_fail(err, DEN_NOT_FOUND, "there is no %s '%.64s'", shelf->noun,
                    den_id_is_valid(id) ? id : "");
}

/* Ends a change, and tells all of the list as it is now. */
static enum den_status conclude(struct den_threads *threads, struct den_connection *connection,
                                enum den_shelf shelf, struct den_error *err)
{
    json_t *list = NULL;

    if (err->status == DEN_OK)
        read_list(connection, &shelves[shelf], &list, err);
    if (den_connection_end(connection, err) != DEN_OK || !threads->events) {
        json_decref(list);
        return err->status;
    }
    if (shelf == DEN_SHELF_PROMPTS) { /* the page fetches them when they are wanted */
        json_decref(list);
        list = json_object();
    }
    den_events_publish(threads->events, NULL, shelves[shelf].name, list);
    return DEN_OK;
}

enum den_status den_shelf_list(struct den_threads *threads, enum den_shelf shelf, json_t **out,
                               struct den_error *err)
{
    struct den_connection *connection;

    if (den_database_read(threads->database, &connection, err) != DEN_OK)
        return err->status;
    read_list(connection, &shelves[shelf], out, err);
    return den_connection_end(connection, err);
}

/* --- changing --- */

static enum den_status read_fields(const struct shelf *shelf, const json_t *fields,
                                   const char **name, const char **text, struct den_error *err)
{
    if (den_text_get(fields, "name", DEN_NAME_BYTES_MAX, name, err) != DEN_OK)
        return err->status;
    if (*name && !**name)
        return den_fail(err, DEN_INVALID, "'name' must not be empty");
    if (shelf->has_text)
        den_text_get(fields, "text", DEN_CONTENT_BYTES_MAX, text, err);
    return err->status;
}

static enum den_status check_room(struct den_connection *connection, const struct shelf *shelf,
                                  struct den_error *err)
{
    struct den_query query;

    den_query_start(&query, connection, err, shelf->count, "");
    if (den_query_next(&query, err) && den_query_integer(&query, 0) >= shelf->count_max)
        den_fail(err, DEN_TOO_LARGE, "there are %lld %s already; delete some",
                 (long long)shelf->count_max, shelf->name);
    den_query_end(&query);
    return err->status;
}

enum den_status den_shelf_add(struct den_threads *threads, enum den_shelf which,
                              const json_t *fields, json_t **out, bool *out_existed,
                              struct den_error *err)
{
    const struct shelf *shelf = &shelves[which];
    const char *name = NULL, *text = NULL;
    char id[DEN_ID_LENGTH_MAX + 1];
    struct den_connection *connection;
    json_t *there = NULL, *wanted;

    if (den_id_choose(fields, "id", id, err) != DEN_OK ||
        read_fields(shelf, fields, &name, &text, err) != DEN_OK)
        return err->status;
    if (!name || (shelf->has_text && !text))
        return den_fail(err, DEN_INVALID, "'%s' is missing", name ? "text" : "name");
    if (den_database_write(threads->database, &connection, err) != DEN_OK)
        return err->status;
    wanted = json_pack("{s:s, s:s, s:s*}", "id", id, "name", name, "text", text);
    if (find_item(connection, shelf, id, &there, err) == DEN_OK && there &&
        !json_equal(there, wanted))
        den_fail(err, DEN_IN_USE, "'id': there is another %s '%s'", shelf->noun, id);
    if (err->status == DEN_OK && !there && check_room(connection, shelf, err) == DEN_OK)
        den_execute(connection, err, shelf->insert, "ttti", id, name, text, den_clock_unix_ms());
    *out_existed = there != NULL;
    json_decref(there);
    if (conclude(threads, connection, which, err) == DEN_OK)
        *out = wanted;
    else
        json_decref(wanted);
    return err->status;
}

enum den_status den_shelf_change(struct den_threads *threads, enum den_shelf which, const char *id,
                                 const json_t *fields, json_t **out, struct den_error *err)
{
    const struct shelf *shelf = &shelves[which];
    const char *name = NULL, *text = NULL;
    struct den_connection *connection;
    json_t *item = NULL;

    if (read_fields(shelf, fields, &name, &text, err) != DEN_OK ||
        den_database_write(threads->database, &connection, err) != DEN_OK)
        return err->status;
    den_execute(connection, err, shelf->update, shelf->has_text ? "ttt" : "tt", id, name, text);
    if (find_item(connection, shelf, id, &item, err) == DEN_OK && !item)
        fail_absent(shelf, id, err);
    if (conclude(threads, connection, which, err) == DEN_OK)
        *out = item;
    else
        json_decref(item);
    return err->status;
}

enum den_status den_shelf_delete(struct den_threads *threads, enum den_shelf which, const char *id,
                                 struct den_error *err)
{
    const struct shelf *shelf = &shelves[which];
    struct den_connection *connection;

    if (den_database_write(threads->database, &connection, err) != DEN_OK)
        return err->status;
    if (den_execute(connection, err, shelf->erase, "t", id) == DEN_OK &&
        den_connection_changes(connection) == 0)
        fail_absent(shelf, id, err);
    return conclude(threads, connection, which, err);
}
