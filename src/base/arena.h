/* Arena: many allocations with one lifetime, freed together.
 *
 * A loaded model is one arena, a request another. Allocation bumps a pointer in the current chunk;
 * a chunk that is full is followed by another of at least twice its size. There is no free of a
 * single piece. Memory comes zeroed. An arena is used by one thread at a time. A ceiling, given at
 * creation, bounds what hostile input can make it take. */
#ifndef DEN_BASE_ARENA_H
#define DEN_BASE_ARENA_H

#include <stddef.h>

struct den_arena;

/* `bytes_max` is the ceiling over all chunks. Returns NULL when out of memory. */
struct den_arena *den_arena_create(size_t bytes_max);
void den_arena_destroy(struct den_arena *arena);

/* Zeroed memory aligned to 64 bytes for sizes of 64 and more, else to 16. NULL: out of memory or
 * past the ceiling. */
void *den_arena_alloc(struct den_arena *arena, size_t bytes);

/* `count` items of `size` bytes; NULL also when the product overflows. */
void *den_arena_array(struct den_arena *arena, size_t count, size_t size);

/* A terminated copy of `length` bytes of `text`. */
char *den_arena_text(struct den_arena *arena, const char *text, size_t length);

/* Bytes handed out so far. */
size_t den_arena_used(const struct den_arena *arena);

#endif
