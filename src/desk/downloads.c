/* See downloads.h. One lock guards the list; a thread that runs a download holds no lock, and the
 * entry it runs stays in the list until it lets go of it. */
#include "desk/downloads.h"

#include <openssl/rand.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"
#include "desk/download_job.h"
#include "desk/events.h"
#include "desk/hub_source.h"

enum { ID_BYTES = 9, SOURCE_BYTES_MAX = 2048 };
#define TELL_SECONDS 0.5

enum state { WAITING, RUNNING, PAUSED, DONE, FAILED };
static const char *const state_names[] = { "waiting", "running", "paused", "done", "failed" };

struct entry {
    struct den_downloads *downloads;
    char id[2 * ID_BYTES + 1];
    char *source;
    enum state state;
    bool is_held;    /* a thread runs it */
    bool is_removed; /* freed by that thread */
    char *error;
    struct den_download_progress progress;
};

struct den_downloads {
    pthread_mutex_t lock;
    pthread_cond_t wake;
    pthread_t threads[DEN_DOWNLOADS_RUNNING_MAX];
    size_t thread_count, count;
    struct entry *entries[DEN_DOWNLOADS_MAX];
    bool is_closing;
    double told_at;
    char models[DEN_PATH_BYTES_MAX], path[DEN_PATH_BYTES_MAX];
    char *hub, *token;
    struct den_events *events;
};

/* --- as JSON; with the lock held --- */

static json_t *text_or_null(const char *text)
{
    return text && *text ? json_string(text) : json_null();
}

static json_t *entry_json(const struct entry *entry)
{
    const struct den_download_progress *progress = &entry->progress;
    const uint64_t done = atomic_load(&progress->bytes_done),
                   total = atomic_load(&progress->bytes_total),
                   rate = entry->state == RUNNING ? atomic_load(&progress->bytes_per_s) : 0;
    const bool has_end = rate > 0 && total >= done && total > 0;

    return json_pack("{s:s, s:o, s:s, s:s, s:I, s:o, s:I, s:o, s:o}", "id", entry->id, "name",
                     text_or_null(atomic_load(&progress->has_name) ? progress->name : NULL),
                     "source", entry->source, "state", state_names[entry->state], "bytes_done",
                     (json_int_t)done, "bytes_total",
                     total > 0 ? json_integer((json_int_t)total) : json_null(), "bytes_per_s",
                     (json_int_t)rate, "seconds_left",
                     has_end ? json_integer((json_int_t)((total - done) / rate)) : json_null(),
                     "error", text_or_null(entry->error));
}

static json_t *list_json(const struct den_downloads *downloads)
{
    json_t *list = json_array();
    size_t i;

    for (i = 0; i < downloads->count; i++)
        if (!downloads->entries[i]->is_removed)
            json_array_append_new(list, entry_json(downloads->entries[i]));
    return json_pack("{s:o}", "downloads", list);
}

static void tell(struct den_downloads *downloads)
{
    downloads->told_at = den_clock_seconds();
    if (downloads->events)
        den_events_publish(downloads->events, NULL, "downloads", list_json(downloads));
}

/* The list outlives the program; that it could not be written is no reason to stop. */
static void save(struct den_downloads *downloads)
{
    json_t *list = list_json(downloads);
    struct den_error ignored = { 0 };
    struct den_buffer text;

    den_buffer_init(&text, DEN_DOWNLOADS_MAX * (SOURCE_BYTES_MAX + 4096ul));
    if (den_json_write(list, &text, &ignored) == DEN_OK)
        den_file_write(downloads->path, text.data, text.length, &ignored);
    den_buffer_deinit(&text);
    json_decref(list);
}

static void tell_and_save(struct den_downloads *downloads)
{
    save(downloads);
    tell(downloads);
}

/* --- entries --- */

static void free_entry(struct entry *entry)
{
    if (!entry)
        return;
    free(entry->source);
    free(entry->error);
    free(entry);
}

static void on_tick(void *context)
{
    struct entry *entry = context;
    struct den_downloads *downloads = entry->downloads;

    pthread_mutex_lock(&downloads->lock);
    if (den_clock_seconds() > downloads->told_at + TELL_SECONDS)
        tell(downloads);
    pthread_mutex_unlock(&downloads->lock);
}

static struct entry *make_entry(struct den_downloads *downloads, const char *source)
{
    struct entry *entry = calloc(1, sizeof *entry);
    unsigned char random[ID_BYTES];
    size_t i;

    if (!entry)
        return NULL;
    entry->downloads = downloads;
    entry->progress.tick = on_tick;
    entry->progress.context = entry;
    entry->source = strdup(source);
    if (!entry->source || RAND_bytes(random, sizeof random) != 1) {
        free_entry(entry);
        return NULL;
    }
    for (i = 0; i < ID_BYTES; i++)
        snprintf(entry->id + 2 * i, 3, "%02x", random[i]);
    return entry;
}

static struct entry *find(struct den_downloads *downloads, const char *id, struct den_error *err)
{
    size_t i;

    for (i = 0; i < downloads->count; i++)
        if (strcmp(downloads->entries[i]->id, id) == 0 && !downloads->entries[i]->is_removed)
            return downloads->entries[i];
    den_fail(err, DEN_NOT_FOUND, "there is no download '%.64s'", id);
    return NULL;
}

static void take_out(struct den_downloads *downloads, struct entry *entry)
{
    size_t i = 0;

    while (downloads->entries[i] != entry)
        i++;
    downloads->count--;
    memmove(downloads->entries + i, downloads->entries + i + 1,
            (downloads->count - i) * sizeof downloads->entries[0]);
}

/* Gone from the list, from memory and, unless the model is whole, from the disk. */
static void forget(struct den_downloads *downloads, struct entry *entry)
{
    size_t i;
    bool is_shared = false;

    take_out(downloads, entry);
    for (i = 0; i < downloads->count; i++)
        is_shared =
            is_shared || strcmp(downloads->entries[i]->progress.name, entry->progress.name) == 0;
    if (entry->state != DONE && !is_shared && atomic_load(&entry->progress.has_name))
        den_download_discard(downloads->models, entry->progress.name);
    free_entry(entry);
}

static void set_error(struct entry *entry, const char *message)
{
    free(entry->error);
    entry->error = message ? strdup(message) : NULL;
}

/* --- threads --- */

static struct entry *next_waiting(const struct den_downloads *downloads)
{
    size_t i;

    for (i = 0; i < downloads->count; i++)
        if (downloads->entries[i]->state == WAITING && !downloads->entries[i]->is_held)
            return downloads->entries[i];
    return NULL;
}

static void settle(struct den_downloads *downloads, struct entry *entry,
                   const struct den_error *result)
{
    const bool was_stopped = atomic_load(&entry->progress.must_stop);

    entry->is_held = false;
    if (result->status == DEN_OK)
        entry->state = DONE;
    else if (result->status != DEN_CANCELLED || !was_stopped)
        entry->state = FAILED;
    else if (entry->state == RUNNING) /* the program ends; else whoever stopped it has said why */
        entry->state = WAITING;
    set_error(entry, entry->state == FAILED ? result->message : NULL);
    atomic_store(&entry->progress.must_stop, false);
    atomic_store(&entry->progress.bytes_per_s, 0);
    if (entry->is_removed)
        forget(downloads, entry);
    tell_and_save(downloads);
    if (result->status == DEN_OK && downloads->events)
        den_events_publish(downloads->events, NULL, "models", json_object());
}

static void *run(void *context)
{
    struct den_downloads *downloads = context;
    struct den_download_options options = {
        .http = { .hub = downloads->hub, .token = downloads->token },
        .models = downloads->models,
    };
    struct den_error result;
    struct entry *entry;

    pthread_mutex_lock(&downloads->lock);
    while (!downloads->is_closing) {
        entry = next_waiting(downloads);
        if (!entry) {
            pthread_cond_wait(&downloads->wake, &downloads->lock);
            continue;
        }
        entry->state = RUNNING;
        entry->is_held = true;
        tell_and_save(downloads);
        pthread_mutex_unlock(&downloads->lock);
        options.http.progress = &entry->progress;
        result = (struct den_error){ 0 };
        den_download_run(&options, entry->source, &result);
        pthread_mutex_lock(&downloads->lock);
        settle(downloads, entry, &result);
    }
    pthread_mutex_unlock(&downloads->lock);
    return NULL;
}

/* --- the list on disk --- */

static enum state read_state(const char *text)
{
    enum state state;

    for (state = WAITING; state <= FAILED; state++)
        if (text && strcmp(text, state_names[state]) == 0)
            return state == RUNNING ? WAITING : state;
    return PAUSED;
}

static void restore(struct den_downloads *downloads, const json_t *item)
{
    const char *source = json_string_value(json_object_get(item, "source"));
    const char *id = json_string_value(json_object_get(item, "id"));
    const char *name = json_string_value(json_object_get(item, "name"));
    struct entry *entry;

    if (!source || !id || strlen(id) != 2 * ID_BYTES || downloads->count == DEN_DOWNLOADS_MAX)
        return;
    entry = make_entry(downloads, source);
    if (!entry)
        return;
    snprintf(entry->id, sizeof entry->id, "%s", id);
    entry->state = read_state(json_string_value(json_object_get(item, "state")));
    set_error(entry, json_string_value(json_object_get(item, "error")));
    atomic_store(&entry->progress.bytes_done,
                 (uint64_t)json_integer_value(json_object_get(item, "bytes_done")));
    atomic_store(&entry->progress.bytes_total,
                 (uint64_t)json_integer_value(json_object_get(item, "bytes_total")));
    if (name) {
        snprintf(entry->progress.name, sizeof entry->progress.name, "%s", name);
        atomic_store(&entry->progress.has_name, true);
    }
    downloads->entries[downloads->count++] = entry;
}

/* A list that can't be read is begun anew: the parts on disk are found again by their source. */
static void restore_all(struct den_downloads *downloads)
{
    struct den_error ignored = { 0 };
    json_t *root = NULL, *item;
    size_t i;

    if (!den_file_exists(downloads->path) ||
        den_json_read_file(downloads->path, &root, &ignored) != DEN_OK)
        return;
    json_array_foreach(json_object_get(root, "downloads"), i, item) restore(downloads, item);
    json_decref(root);
}

enum den_status den_downloads_open(const struct den_downloads_options *options,
                                   struct den_downloads **out, struct den_error *err)
{
    struct den_downloads *downloads = calloc(1, sizeof *downloads);
    const char *token = options->token ? options->token : den_hub_token();

    if (!downloads)
        return den_fail(err, DEN_NO_MEMORY, "downloads: out of memory");
    pthread_mutex_init(&downloads->lock, NULL);
    pthread_cond_init(&downloads->wake, NULL);
    downloads->events = options->events;
    downloads->hub = strdup(options->hub ? options->hub : den_hub_default());
    downloads->token = token ? strdup(token) : NULL;
    if (!downloads->hub || (token && !downloads->token)) {
        den_fail(err, DEN_NO_MEMORY, "downloads: out of memory");
        goto fail;
    }
    snprintf(downloads->models, sizeof downloads->models, "%s", options->models);
    if (den_folder_create(options->folder, err) != DEN_OK ||
        den_path_join(downloads->path, sizeof downloads->path, options->folder, "queue.json",
                      err) != DEN_OK)
        goto fail;
    restore_all(downloads);
    while (downloads->thread_count < DEN_DOWNLOADS_RUNNING_MAX) {
        if (pthread_create(&downloads->threads[downloads->thread_count], NULL, run, downloads) !=
            0) {
            den_fail(err, DEN_NO_MEMORY, "downloads: no thread can be made");
            goto fail;
        }
        downloads->thread_count++;
    }
    *out = downloads;
    return DEN_OK;
fail:
    den_downloads_close(downloads);
    return err->status;
}

void den_downloads_close(struct den_downloads *downloads)
{
    size_t i;

    if (!downloads)
        return;
    pthread_mutex_lock(&downloads->lock);
    downloads->is_closing = true;
    for (i = 0; i < downloads->count; i++)
        if (downloads->entries[i]->is_held)
            atomic_store(&downloads->entries[i]->progress.must_stop, true);
    pthread_cond_broadcast(&downloads->wake);
    pthread_mutex_unlock(&downloads->lock);
    for (i = 0; i < downloads->thread_count; i++)
        pthread_join(downloads->threads[i], NULL);
    for (i = 0; i < downloads->count; i++)
        free_entry(downloads->entries[i]);
    pthread_cond_destroy(&downloads->wake);
    pthread_mutex_destroy(&downloads->lock);
    free(downloads->hub);
    free(downloads->token);
    free(downloads);
}

/* --- what can be asked of it --- */

static enum den_status give(json_t *value, json_t **out, struct den_error *err)
{
    if (!value)
        return den_fail(err, DEN_NO_MEMORY, "downloads: out of memory");
    *out = value;
    return DEN_OK;
}

enum den_status den_downloads_list(struct den_downloads *downloads, json_t **out,
                                   struct den_error *err)
{
    pthread_mutex_lock(&downloads->lock);
    give(list_json(downloads), out, err);
    pthread_mutex_unlock(&downloads->lock);
    return err->status;
}

enum den_status den_downloads_get(struct den_downloads *downloads, const char *id, json_t **out,
                                  struct den_error *err)
{
    struct entry *entry;

    pthread_mutex_lock(&downloads->lock);
    entry = find(downloads, id, err);
    if (entry)
        give(entry_json(entry), out, err);
    pthread_mutex_unlock(&downloads->lock);
    return err->status;
}

static void start(struct den_downloads *downloads, struct entry *entry)
{
    entry->state = WAITING;
    set_error(entry, NULL);
    pthread_cond_broadcast(&downloads->wake);
    tell_and_save(downloads);
}

static struct entry *find_source(struct den_downloads *downloads, const char *source)
{
    size_t i;

    for (i = 0; i < downloads->count; i++)
        if (strcmp(downloads->entries[i]->source, source) == 0 &&
            !downloads->entries[i]->is_removed && downloads->entries[i]->state != DONE)
            return downloads->entries[i];
    return NULL;
}

/* The oldest that is over makes room. */
static bool make_room(struct den_downloads *downloads)
{
    size_t i;

    for (i = 0; i < downloads->count && downloads->count == DEN_DOWNLOADS_MAX; i++)
        if (downloads->entries[i]->state == DONE && !downloads->entries[i]->is_held)
            forget(downloads, downloads->entries[i]);
    return downloads->count < DEN_DOWNLOADS_MAX;
}

enum den_status den_downloads_add(struct den_downloads *downloads, const char *source, json_t **out,
                                  bool *out_existed, struct den_error *err)
{
    struct den_hub_source *parsed = calloc(1, sizeof *parsed);
    struct entry *entry;

    if (!parsed)
        return den_fail(err, DEN_NO_MEMORY, "downloads: out of memory");
    if (strlen(source) >= SOURCE_BYTES_MAX)
        den_fail(err, DEN_INVALID, "'source' is longer than %d bytes", SOURCE_BYTES_MAX - 1);
    else
        den_hub_source_parse(source, parsed, err);
    free(parsed);
    if (err->status != DEN_OK)
        return err->status;
    pthread_mutex_lock(&downloads->lock);
    entry = find_source(downloads, source);
    *out_existed = entry != NULL;
    if (!entry) {
        if (!make_room(downloads))
            den_fail(err, DEN_BUSY, "there are %d downloads already; remove some",
                     DEN_DOWNLOADS_MAX);
        else if ((entry = make_entry(downloads, source)) == NULL)
            den_fail(err, DEN_NO_MEMORY, "downloads: out of memory");
        else
            downloads->entries[downloads->count++] = entry;
    }
    if (entry && (!*out_existed || entry->state == FAILED || entry->state == PAUSED))
        start(downloads, entry);
    if (entry)
        give(entry_json(entry), out, err);
    pthread_mutex_unlock(&downloads->lock);
    return err->status;
}

enum den_status den_downloads_set(struct den_downloads *downloads, const char *id,
                                  const char *state, json_t **out, struct den_error *err)
{
    const bool is_pause = strcmp(state, "paused") == 0;
    struct entry *entry;

    if (!is_pause && strcmp(state, "running") != 0)
        return den_fail(err, DEN_INVALID, "'state' must be \"paused\" or \"running\"");
    pthread_mutex_lock(&downloads->lock);
    entry = find(downloads, id, err);
    if (entry && entry->state == DONE) {
        den_fail(err, DEN_IN_USE, "the download is done");
    } else if (entry && is_pause) {
        entry->state = PAUSED;
        if (entry->is_held)
            atomic_store(&entry->progress.must_stop, true);
        tell_and_save(downloads);
    } else if (entry && entry->state != RUNNING) {
        start(downloads, entry);
    }
    if (entry && err->status == DEN_OK)
        give(entry_json(entry), out, err);
    pthread_mutex_unlock(&downloads->lock);
    return err->status;
}

enum den_status den_downloads_remove(struct den_downloads *downloads, const char *id,
                                     struct den_error *err)
{
    struct entry *entry;

    pthread_mutex_lock(&downloads->lock);
    entry = find(downloads, id, err);
    if (entry && entry->is_held) {
        entry->is_removed = true;
        atomic_store(&entry->progress.must_stop, true);
    } else if (entry) {
        forget(downloads, entry);
    }
    if (entry)
        tell_and_save(downloads);
    pthread_mutex_unlock(&downloads->lock);
    return err->status;
}
