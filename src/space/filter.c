/* Filters: which items a search may find, as a set of bits.
 *
 * A set is made of the documents that pass, then of their items, and kept for the next search with
 * the same filter while nothing changed. Whether something did, a connection tells by its `PRAGMA
 * data_version`, a number that differs after commits of others; the space counts such differences
 * as states. A connection that is new to the space counts as one that saw something: it costs a
 * set that is made again, never one that is stale. */
#include "space/space_parts.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "store/database.h"
#include "store/query.h"

/* --- states --- */

static enum den_status read_state(struct den_space *space, struct den_connection *connection,
                                  uint64_t *out, struct den_error *err)
{
    struct den_query query;
    int64_t version = 0;
    size_t i;

    den_query_start(&query, connection, err, "PRAGMA data_version", "");
    if (den_query_next(&query, err))
        version = den_query_integer(&query, 0);
    den_query_end(&query);
    if (err->status != DEN_OK)
        return err->status;
    pthread_mutex_lock(&space->cache_lock);
    for (i = 0; i < DEN_DATABASE_READERS_MAX; i++)
        if (space->seen[i].connection == connection || !space->seen[i].connection)
            break;
    if (i == DEN_DATABASE_READERS_MAX || space->seen[i].connection != connection ||
        space->seen[i].version != version)
        space->state++;
    if (i < DEN_DATABASE_READERS_MAX)
        space->seen[i] = (struct den_seen){ connection, version };
    *out = space->state;
    pthread_mutex_unlock(&space->cache_lock);
    return DEN_OK;
}

/* --- the filter as JSON: the key that it is kept under --- */

static void append_text(struct den_buffer *out, const char *text)
{
    den_buffer_append_byte(out, '"');
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;

        if (c == '"' || c == '\\' || c < 0x20)
            den_buffer_appendf(out, "\\u%04x", c);
        else
            den_buffer_append_byte(out, *text);
    }
    den_buffer_append_byte(out, '"');
}

static void append_list(struct den_buffer *out, const char *const *texts, size_t count)
{
    size_t i;

    den_buffer_append_byte(out, '[');
    for (i = 0; i < count; i++) {
        if (i > 0)
            den_buffer_append_byte(out, ',');
        append_text(out, texts[i]);
    }
    den_buffer_append_byte(out, ']');
}

/* Lists as SQL takes them, each an array of JSON. */
struct lists {
    struct den_buffer documents, formats, tags;
};

static void init_lists(struct lists *lists, const struct den_space_filter *filter)
{
    const size_t most = DEN_DATABASE_TEXT_BYTES_MAX / 4;

    den_buffer_init(&lists->documents, most);
    den_buffer_init(&lists->formats, most);
    den_buffer_init(&lists->tags, most);
    append_list(&lists->documents, filter->documents, filter->document_count);
    append_list(&lists->formats, filter->formats, filter->format_count);
    append_list(&lists->tags, filter->tags, filter->tag_count);
}

static void free_lists(struct lists *lists)
{
    den_buffer_deinit(&lists->documents);
    den_buffer_deinit(&lists->formats);
    den_buffer_deinit(&lists->tags);
}

static char *key_of(const struct den_space_filter *filter, const struct lists *lists)
{
    struct den_buffer key;
    char *text;

    den_buffer_init(&key, DEN_DATABASE_TEXT_BYTES_MAX);
    append_text(&key, filter->workspace ? filter->workspace : "");
    append_text(&key, filter->thread ? filter->thread : "");
    den_buffer_append_text(&key, lists->documents.data);
    den_buffer_append_text(&key, lists->formats.data);
    den_buffer_append_text(&key, lists->tags.data);
    den_buffer_appendf(&key, "%" PRId64 ",%" PRId64 ",%d", filter->modified_from,
                       filter->modified_until, filter->skip_pinned);
    text = den_buffer_take(&key);
    den_buffer_deinit(&key);
    return text;
}

static bool lets_all_through(const struct den_space_filter *filter)
{
    return !filter->workspace && !filter->thread && !filter->document_count &&
           !filter->format_count && !filter->tag_count && !filter->modified_from &&
           !filter->modified_until;
}

static enum den_status check(const struct den_space_filter *filter, struct den_error *err)
{
    if (filter->document_count > DEN_SPACE_LIST_MAX || filter->format_count > DEN_SPACE_LIST_MAX ||
        filter->tag_count > DEN_SPACE_LIST_MAX)
        return den_fail(err, DEN_TOO_LARGE, "space: a filter may list %d ids at most",
                        DEN_SPACE_LIST_MAX);
    return DEN_OK;
}

/* --- making a set --- */

static void free_set(struct den_item_set *set)
{
    if (!set)
        return;
    free(set->bits);
    free(set->items);
    free(set);
}

/* Documents of the workspace and of the thread, where either is asked for; of them those that the
 * other conditions let through; their items in order. The workspace's pinned documents are left
 * out where the thread does not have them itself. */
static const char items_sql[] =
    "SELECT i.row FROM documents d JOIN items i ON i.document = d.row WHERE "
    "((?1 IS NULL AND ?2 IS NULL) OR d.row IN (SELECT wd.document FROM workspace_documents wd "
    "JOIN workspaces w ON w.row = wd.workspace WHERE w.id = ?1 AND NOT (?3 AND wd.pinned)) "
    "OR d.row IN (SELECT td.document FROM thread_documents td JOIN threads t ON t.row = td.thread "
    "WHERE t.id = ?2)) "
    "AND (?4 = '[]' OR d.id IN (SELECT value FROM json_each(?4))) "
    "AND (?5 = '[]' OR d.format IN (SELECT value FROM json_each(?5))) "
    "AND (?6 = '[]' OR EXISTS (SELECT 1 FROM json_each(d.tags) g WHERE g.value IN "
    "(SELECT value FROM json_each(?6)))) "
    "AND (?7 = 0 OR coalesce(d.modified, d.created) >= ?7) "
    "AND (?8 = 0 OR coalesce(d.modified, d.created) <= ?8) ORDER BY i.row";

static enum den_status start_items(struct den_query *query, struct den_connection *connection,
                                   const struct den_space_filter *filter, const struct lists *lists,
                                   struct den_error *err)
{
    return den_query_start(query, connection, err, items_sql, "ttitttii", filter->workspace,
                           filter->thread, (int64_t)filter->skip_pinned, lists->documents.data,
                           lists->formats.data, lists->tags.data, filter->modified_from,
                           filter->modified_until);
}

static enum den_status set_bits(struct den_item_set *set, struct den_error *err)
{
    size_t i;

    if (set->count == 0)
        return DEN_OK;
    set->bit_count = set->items[set->count - 1] + 1;
    set->bits = calloc((size_t)set->bit_count / 64 + 1, sizeof *set->bits);
    if (!set->bits)
        return den_fail(err, DEN_NO_MEMORY, "space: no memory for a filter");
    for (i = 0; i < set->count; i++)
        set->bits[set->items[i] / 64] |= 1ull << (set->items[i] % 64);
    return DEN_OK;
}

static enum den_status fill_set(struct den_query *query, struct den_item_set *set,
                                struct den_error *err)
{
    size_t capacity = 0;

    while (den_query_next(query, err)) {
        if (set->count == capacity) {
            size_t more = capacity ? 2 * capacity : 256;
            int64_t *items = realloc(set->items, more * sizeof *items);

            if (!items)
                return den_fail(err, DEN_NO_MEMORY, "space: no memory for a filter");
            set->items = items;
            capacity = more;
        }
        set->items[set->count++] = den_query_integer(query, 0);
    }
    return err->status == DEN_OK ? set_bits(set, err) : err->status;
}

static enum den_status make_set(struct den_connection *connection,
                                const struct den_space_filter *filter, const struct lists *lists,
                                struct den_item_set **out, struct den_error *err)
{
    struct den_item_set *set = calloc(1, sizeof *set);
    struct den_query query = { 0 };

    if (!set)
        return den_fail(err, DEN_NO_MEMORY, "space: no memory for a filter");
    if (start_items(&query, connection, filter, lists, err) != DEN_OK ||
        fill_set(&query, set, err) != DEN_OK)
        goto fail;
    den_query_end(&query);
    *out = set;
    return DEN_OK;
fail:
    den_query_end(&query);
    free_set(set);
    return err->status;
}

/* --- keeping it --- */

static void drop_kept(struct den_kept_set *kept)
{
    free(kept->key);
    free_set(kept->set);
    *kept = (struct den_kept_set){ 0 };
}

static struct den_item_set *find_kept(struct den_space *space, const char *key, uint64_t state)
{
    struct den_item_set *set = NULL;
    size_t i;

    pthread_mutex_lock(&space->cache_lock);
    for (i = 0; i < DEN_SPACE_FILTERS_KEPT && !set; i++) {
        struct den_kept_set *kept = &space->kept[i];

        if (!kept->key || kept->state != state || strcmp(kept->key, key) != 0)
            continue;
        kept->users++;
        kept->used = ++space->uses;
        set = kept->set;
    }
    pthread_mutex_unlock(&space->cache_lock);
    return set;
}

/* In the place of the one that was not used for longest; where all are in use it is not kept, and
 * freed by its only user. */
static void keep(struct den_space *space, char *key, uint64_t state, struct den_item_set *set)
{
    struct den_kept_set *place = NULL;
    size_t i;

    pthread_mutex_lock(&space->cache_lock);
    for (i = 0; i < DEN_SPACE_FILTERS_KEPT; i++) {
        struct den_kept_set *kept = &space->kept[i];

        if (kept->users == 0 && (!place || kept->used < place->used))
            place = kept;
    }
    if (place) {
        drop_kept(place);
        *place = (struct den_kept_set){
            .key = key, .set = set, .users = 1, .state = state, .used = ++space->uses
        };
    }
    pthread_mutex_unlock(&space->cache_lock);
    if (!place)
        free(key);
}

void den_space_return_set(struct den_space *space, struct den_item_set *set)
{
    bool is_kept = false;
    size_t i;

    if (!set)
        return;
    pthread_mutex_lock(&space->cache_lock);
    for (i = 0; i < DEN_SPACE_FILTERS_KEPT; i++)
        if (space->kept[i].set == set) {
            space->kept[i].users--;
            is_kept = true;
        }
    pthread_mutex_unlock(&space->cache_lock);
    if (!is_kept)
        free_set(set);
}

void den_space_drop_sets(struct den_space *space)
{
    size_t i;

    for (i = 0; i < DEN_SPACE_FILTERS_KEPT; i++)
        drop_kept(&space->kept[i]);
}

static enum den_status count_items(struct den_space *space, struct den_connection *connection,
                                   uint64_t state, size_t *out, struct den_error *err)
{
    struct den_query query;
    bool is_known;

    pthread_mutex_lock(&space->cache_lock);
    is_known = space->item_count_state == state;
    *out = space->item_count;
    pthread_mutex_unlock(&space->cache_lock);
    if (is_known)
        return DEN_OK;
    den_query_start(&query, connection, err, "SELECT count(*) FROM items", "");
    if (den_query_next(&query, err))
        *out = (size_t)den_query_integer(&query, 0);
    den_query_end(&query);
    pthread_mutex_lock(&space->cache_lock);
    space->item_count = *out;
    space->item_count_state = err->status == DEN_OK ? state : 0;
    pthread_mutex_unlock(&space->cache_lock);
    return err->status;
}

enum den_status den_space_take_set(struct den_space *space, struct den_connection *connection,
                                   const struct den_space_filter *filter,
                                   struct den_item_set **out_set, size_t *out_all,
                                   struct den_error *err)
{
    struct den_item_set *set = NULL;
    struct lists lists;
    uint64_t state;
    char *key;

    *out_set = NULL;
    if (check(filter, err) != DEN_OK || read_state(space, connection, &state, err) != DEN_OK ||
        count_items(space, connection, state, out_all, err) != DEN_OK || lets_all_through(filter))
        return err->status;
    init_lists(&lists, filter);
    key = key_of(filter, &lists);
    if (!key || den_buffer_status(&lists.documents, "filter", err) != DEN_OK ||
        den_buffer_status(&lists.formats, "filter", err) != DEN_OK ||
        den_buffer_status(&lists.tags, "filter", err) != DEN_OK) {
        free(key);
        if (err->status == DEN_OK)
            den_fail(err, DEN_NO_MEMORY, "space: no memory for a filter");
        goto end;
    }
    set = find_kept(space, key, state);
    if (set) {
        free(key);
    } else if (make_set(connection, filter, &lists, &set, err) == DEN_OK) {
        keep(space, key, state, set);
    } else {
        free(key);
    }
    *out_set = set;
end:
    free_lists(&lists);
    return err->status;
}
