#include <stdbool.h>
#include <stddef.h>

struct ring {
    int *items;
    size_t capacity;
    size_t first;
    size_t count;
};

bool ring_push(struct ring *ring, int item)
{
    if (ring->count == ring->capacity)
        return false;
    ring->items[(ring->first + ring->count) % ring->capacity] = item;
    ring->count++;
    return true;
}

bool ring_pop(struct ring *ring, int *out_item)
{
    if (ring->count == 0)
        return false;
    *out_item = ring->items[ring->first];
    ring->first = (ring->first + 1) % ring->capacity;
    ring->count--;
    return true;
}
