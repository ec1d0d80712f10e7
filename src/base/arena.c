/* See arena.h. Layout of a chunk: [header | bytes ...], chunks linked from newest to oldest. */
#include "base/arena.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"

enum { CHUNK_BYTES_MIN = 64 * 1024, CHUNK_BYTES_STEP_MAX = 64 * 1024 * 1024 };

struct chunk {
    struct chunk *older;
    size_t used;
    size_t capacity;
    _Alignas(64) unsigned char bytes[];
};

struct den_arena {
    struct chunk *newest;
    size_t bytes_max;
    size_t reserved;
    size_t used;
};

struct den_arena *den_arena_create(size_t bytes_max)
{
    struct den_arena *arena = calloc(1, sizeof *arena);

    if (arena)
        arena->bytes_max = bytes_max;
    return arena;
}

void den_arena_destroy(struct den_arena *arena)
{
    if (!arena)
        return;
    while (arena->newest) {
        struct chunk *chunk = arena->newest;

        arena->newest = chunk->older;
        free(chunk);
    }
    free(arena);
}

static struct chunk *add_chunk(struct den_arena *arena, size_t bytes_wanted)
{
    size_t capacity = arena->newest ? arena->newest->capacity * 2 : CHUNK_BYTES_MIN;
    size_t room = arena->bytes_max - arena->reserved;
    size_t total;
    struct chunk *chunk;

    if (capacity > CHUNK_BYTES_STEP_MAX)
        capacity = CHUNK_BYTES_STEP_MAX;
    if (capacity > room)
        capacity = room;
    if (capacity < bytes_wanted)
        capacity = bytes_wanted;
    if (capacity > room || !den_checked_add(sizeof *chunk, capacity, &total) ||
        !den_checked_align(total, 64, &total))
        return NULL;
    chunk = aligned_alloc(64, total);
    if (!chunk)
        return NULL;
    chunk->older = arena->newest;
    chunk->used = 0;
    chunk->capacity = capacity;
    arena->newest = chunk;
    arena->reserved += capacity;
    return chunk;
}

void *den_arena_alloc(struct den_arena *arena, size_t bytes)
{
    size_t alignment = bytes >= 64 ? 64 : 16;
    struct chunk *chunk = arena->newest;
    size_t start;
    size_t end;

    if (chunk && den_checked_align(chunk->used, alignment, &start) &&
        den_checked_add(start, bytes, &end) && end <= chunk->capacity) {
        /* the common case: room in the newest chunk */
    } else {
        chunk = add_chunk(arena, bytes);
        if (!chunk)
            return NULL;
        start = 0;
        end = bytes;
    }
    chunk->used = end;
    arena->used += bytes;
    return memset(chunk->bytes + start, 0, bytes);
}

void *den_arena_array(struct den_arena *arena, size_t count, size_t size)
{
    size_t bytes;

    if (!den_checked_multiply(count, size, &bytes))
        return NULL;
    return den_arena_alloc(arena, bytes);
}

char *den_arena_text(struct den_arena *arena, const char *text, size_t length)
{
    size_t bytes;
    char *copy;

    if (!den_checked_add(length, 1, &bytes))
        return NULL;
    copy = den_arena_alloc(arena, bytes);
    if (copy && length > 0)
        memcpy(copy, text, length);
    return copy;
}

size_t den_arena_used(const struct den_arena *arena)
{
    return arena->used;
}
