/* See model_packed.h. Syncing hundreds of megabytes takes seconds, so a thread does it while the
 * verb works; the process ends no sooner than the thread. */
#include "cli/model_packed.h"

#include <pthread.h>
#include <stdlib.h>

#include "worker/model_files.h"
#include "worker/packed_files.h"

enum { MODELS_MAX = 8 };

struct den_cli_packed {
    struct den_packed_files files;
    struct den_packed_store *store;
    pthread_t thread;
    bool is_finishing;
};

static struct {
    struct den_cli_packed *models[MODELS_MAX]; /* kept reachable until the process ends */
    size_t count;
    enum den_packed_state last;
} all;

static bool make_room(void *context, uint64_t bytes)
{
    const struct den_cli_packed *packed = context;

    return den_packed_files_make_room(&packed->files, bytes);
}

static void wait_for_all(void)
{
    size_t i;

    for (i = 0; i < all.count; i++)
        if (all.models[i]->is_finishing)
            pthread_join(all.models[i]->thread, NULL);
}

struct den_cli_packed *den_cli_packed_begin(const char *model_path)
{
    struct den_cli_packed *packed = all.count < MODELS_MAX ? calloc(1, sizeof *packed) : NULL;
    struct den_model_files files = { 0 };
    struct den_packed_place place = { .make_room = make_room, .context = packed };
    struct den_error ignored = { 0 };

    if (!packed)
        return NULL;
    packed->files = (struct den_packed_files){ .finished = -1, .unfinished = -1 };
    if (den_model_files_open(model_path, &files, &ignored) == DEN_OK)
        den_packed_files_open(model_path, &files, &packed->files);
    den_model_files_close(&files);
    place.finished = packed->files.finished;
    place.unfinished = packed->files.unfinished;
    place.files = packed->files.files;
    if (den_packed_store_create(&place, &packed->store, &ignored) != DEN_OK) {
        den_packed_files_close(&packed->files);
        free(packed);
        return NULL;
    }
    if (all.count == 0)
        atexit(wait_for_all);
    all.models[all.count++] = packed;
    return packed;
}

struct den_packed_store *den_cli_packed_store(struct den_cli_packed *packed)
{
    return packed ? packed->store : NULL;
}

static void *finish(void *context)
{
    struct den_cli_packed *packed = context;
    struct den_error ignored = { 0 }; /* the next process tries again */

    den_packed_files_finish(&packed->files, &ignored);
    return NULL;
}

void den_cli_packed_end(struct den_cli_packed *packed, bool is_loaded)
{
    if (!packed)
        return;
    all.last = is_loaded ? den_packed_store_state(packed->store) : DEN_PACKED_NONE;
    if (all.last == DEN_PACKED_BAD)
        den_packed_files_reject(&packed->files);
    if (all.last == DEN_PACKED_MADE)
        packed->is_finishing = pthread_create(&packed->thread, NULL, finish, packed) == 0;
    if (!packed->is_finishing)
        den_packed_files_close(&packed->files);
}

const char *den_cli_packed_state(void)
{
    return den_packed_state_text(all.last);
}
