/* See space.h. Opening, closing, and telling that something changed. */
#include "space/space_parts.h"

#include <stdlib.h>

#include "base/team.h"
#include "hardware/cpu.h"
#include "kernels/self_check.h"
#include "store/database.h"

enum { TEAM_MAX = 8 }; /* more cores than that read no faster from memory */

static enum den_status prepare(struct den_space *space, struct den_error *err)
{
    struct den_cpu cpu;
    int members;

    den_cpu_read(&cpu);
    den_kernels_select_proven(cpu.features, &space->kernels);
    members = cpu.cores < TEAM_MAX ? cpu.cores : TEAM_MAX;
    if (members > 1 && den_team_create(members, &space->team, err) != DEN_OK)
        return err->status;
    return DEN_OK;
}

static enum den_status read_everything(struct den_space *space, struct den_error *err)
{
    struct den_connection *connection;

    if (den_database_read(space->database, &connection, err) != DEN_OK)
        return err->status;
    den_space_sync(space, connection, err);
    return den_connection_end(connection, err);
}

enum den_status den_space_open(struct den_database *database, struct den_space **out,
                               struct den_error *err)
{
    struct den_space *space = calloc(1, sizeof *space);

    if (!space)
        return den_fail(err, DEN_NO_MEMORY, "space: out of memory");
    space->database = database;
    pthread_mutex_init(&space->team_lock, NULL);
    pthread_mutex_init(&space->cache_lock, NULL);
    pthread_rwlock_init(&space->index_lock, NULL);
    space->state = 1;
    if (prepare(space, err) != DEN_OK || read_everything(space, err) != DEN_OK)
        goto fail;
    *out = space;
    return DEN_OK;
fail:
    den_space_close(space);
    return err->status;
}

void den_space_memory(struct den_space *space, struct den_space_memory *out)
{
    const struct den_vector_index *index = &space->index;
    size_t blocks, i;

    *out = (struct den_space_memory){ 0 };
    pthread_rwlock_rdlock(&space->index_lock);
    blocks = index->block_count;
    out->vectors = index->rows;
    out->codes_bytes = blocks * DEN_INDEX_BLOCK_ROWS * index->stride;
    out->rows_bytes = blocks * sizeof **index->blocks + index->block_capacity * sizeof(void *);
    out->find_bytes = index->place_count * sizeof *index->places;
    pthread_rwlock_unlock(&space->index_lock);
    pthread_mutex_lock(&space->cache_lock);
    for (i = 0; i < DEN_SPACE_FILTERS_KEPT; i++) {
        const struct den_item_set *set = space->kept[i].set;

        if (set)
            out->sets_bytes += (size_t)(set->bit_count + 7) / 8 + set->count * sizeof *set->items;
    }
    pthread_mutex_unlock(&space->cache_lock);
}

void den_space_close(struct den_space *space)
{
    if (!space)
        return;
    den_team_destroy(space->team);
    den_space_drop_sets(space);
    den_vector_index_deinit(&space->index);
    pthread_rwlock_destroy(&space->index_lock);
    pthread_mutex_destroy(&space->cache_lock);
    pthread_mutex_destroy(&space->team_lock);
    free(space);
}
