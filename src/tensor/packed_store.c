/* See packed_store.h.
 *
 * A finished file is mapped read-only and shared, so that processes that run the same model share
 * its pages, and pages that nobody multiplies with cost the system nothing to drop. A file that is
 * being filled is mapped shared and writable: what is packed goes to the page cache, which is the
 * memory that the weights live in from then on. */
#include "tensor/packed_store.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/checked.h"

struct den_packed_store {
    struct den_packed_place place;
    enum den_packed_state state;
    unsigned char *data; /* the mapping; NULL: none */
    size_t mapped_bytes;
    struct den_packed_header header;
    uint32_t next; /* part to be taken */
    /* FILLING */
    struct den_packed_part *parts; /* (part_capacity) */
    size_t part_capacity;
    uint64_t used;   /* bytes of the file */
    bool is_skipped; /* a part had no place: the file will not be whole */
};

const char *den_packed_state_text(enum den_packed_state state)
{
    static const char *const texts[] = { [DEN_PACKED_NONE] = "none",
                                         [DEN_PACKED_MAPPED] = "mapped",
                                         [DEN_PACKED_FILLING] = "filling",
                                         [DEN_PACKED_MADE] = "made",
                                         [DEN_PACKED_BAD] = "bad" };

    return texts[state];
}

enum den_status den_packed_store_create(const struct den_packed_place *place,
                                        struct den_packed_store **out, struct den_error *err)
{
    struct den_packed_store *store = calloc(1, sizeof *store);

    if (!store)
        return den_fail(err, DEN_NO_MEMORY, "packed file: out of memory");
    store->place = *place;
    *out = store;
    return DEN_OK;
}

void den_packed_store_destroy(struct den_packed_store *store)
{
    if (!store)
        return;
    if (store->data)
        munmap(store->data, store->mapped_bytes);
    free(store->parts);
    free(store);
}

enum den_packed_state den_packed_store_state(const struct den_packed_store *store)
{
    return store->state;
}

bool den_packed_store_needs_sums(const struct den_packed_store *store)
{
    return store->state == DEN_PACKED_FILLING ||
           (store->state == DEN_PACKED_MAPPED && !store->place.is_trusted);
}

uint64_t den_packed_store_bytes(const struct den_packed_store *store)
{
    return store->state == DEN_PACKED_MAPPED || store->state == DEN_PACKED_MADE
               ? store->header.bytes
               : 0;
}

/* --- beginning --- */

static bool map(struct den_packed_store *store, int descriptor, int protection, size_t bytes)
{
    void *data = mmap(NULL, bytes, protection, MAP_SHARED, descriptor, 0);

    if (data == MAP_FAILED)
        return false;
    store->data = data;
    store->mapped_bytes = bytes;
    return true;
}

static void unmap(struct den_packed_store *store)
{
    munmap(store->data, store->mapped_bytes);
    store->data = NULL;
}

static bool key_equals(const struct den_packed_key *a, const struct den_packed_key *b)
{
    return a->version == b->version && a->precision == b->precision && a->files == b->files &&
           a->fingerprint == b->fingerprint;
}

/* True: the file is mapped and is this model's. */
static bool open_finished(struct den_packed_store *store, const struct den_packed_key *key)
{
    struct den_error ignored = { 0 };
    struct stat info;

    if (fstat(store->place.finished, &info) != 0 || !S_ISREG(info.st_mode) ||
        info.st_size < DEN_PACKED_DATA_AT ||
        !map(store, store->place.finished, PROT_READ, (size_t)info.st_size))
        return false;
    if (den_packed_parse(store->data, store->mapped_bytes, &store->header, &ignored) == DEN_OK &&
        key_equals(&store->header.key, key))
        return true;
    unmap(store);
    return false;
}

/* True: there is room for `room` bytes of parts, and a table of as many parts as can be. */
static bool open_unfinished(struct den_packed_store *store, const struct den_packed_key *key,
                            uint64_t room)
{
    size_t bytes = 0;

    if (!den_checked_add(room, DEN_PACKED_DATA_AT, &bytes) ||
        !store->place.make_room(store->place.context, bytes) ||
        !map(store, store->place.unfinished, PROT_READ | PROT_WRITE, bytes))
        return false;
    store->header = (struct den_packed_header){ .key = *key };
    store->used = DEN_PACKED_DATA_AT;
    return true;
}

void den_packed_store_begin(struct den_packed_store *store, const struct den_packed_key *given,
                            uint64_t room)
{
    struct den_packed_key key = *given;

    key.files = store->place.files;
    if (room == 0 || store->data)
        return;
    if (store->place.finished >= 0)
        store->state = open_finished(store, &key) ? DEN_PACKED_MAPPED : DEN_PACKED_BAD;
    if (!store->data && store->place.unfinished >= 0 && open_unfinished(store, &key, room))
        store->state = DEN_PACKED_FILLING;
}

/* --- parts --- */

/* Parts come in the order in which they were packed. */
static unsigned char *take_mapped(struct den_packed_store *store,
                                  const struct den_packed_part *wanted, uint64_t *out_sum)
{
    struct den_packed_part part = { 0 };

    if (store->next < store->header.parts)
        part = den_packed_get(store->data, &store->header, store->next);
    if (part.bytes == 0 || part.name != wanted->name || part.format != wanted->format ||
        part.in != wanted->in || part.out != wanted->out || part.bytes != wanted->bytes) {
        den_packed_store_reject(store);
        return NULL;
    }
    store->next++;
    *out_sum = part.sum;
    return store->data + part.offset;
}

static bool remember(struct den_packed_store *store, const struct den_packed_part *part)
{
    if (store->next == store->part_capacity) {
        size_t capacity = store->part_capacity ? 2 * store->part_capacity : 256;
        struct den_packed_part *more =
            capacity <= DEN_TENSORS_MAX ? realloc(store->parts, capacity * sizeof *more) : NULL;

        if (!more)
            return false;
        store->parts = more;
        store->part_capacity = capacity;
    }
    store->parts[store->next++] = *part;
    return true;
}

/* Behind the parts so far, with room left for a table that has this one too. */
static unsigned char *take_room(struct den_packed_store *store,
                                const struct den_packed_part *wanted)
{
    struct den_packed_part part = *wanted;
    size_t table = ((size_t)store->next + 1) * DEN_PACKED_ENTRY_BYTES, end = 0;

    part.offset = store->used;
    if (store->is_skipped || !den_checked_add(store->used, wanted->bytes, &end) ||
        !den_checked_align(end, DEN_PACKED_ALIGNMENT, &end) ||
        !den_checked_range(end, table, store->mapped_bytes) || !remember(store, &part)) {
        store->is_skipped = true;
        return NULL;
    }
    store->used = end;
    return store->data + part.offset;
}

unsigned char *den_packed_store_take(struct den_packed_store *store,
                                     const struct den_packed_part *wanted, uint64_t *out_sum)
{
    if (store->state == DEN_PACKED_MAPPED)
        return take_mapped(store, wanted, out_sum);
    return store->state == DEN_PACKED_FILLING ? take_room(store, wanted) : NULL;
}

void den_packed_store_filled(struct den_packed_store *store, uint64_t sum)
{
    store->parts[store->next - 1].sum = sum;
}

/* Parts that were taken stay where they are: their sums were right. */
void den_packed_store_reject(struct den_packed_store *store)
{
    store->state = DEN_PACKED_BAD;
}

/* --- end --- */

/* Nothing is written to the file's pages after this, also not by mistake. */
static void complete(struct den_packed_store *store)
{
    struct den_packed_header *header = &store->header;

    header->parts = store->next;
    header->table = store->used;
    header->bytes = header->table + (uint64_t)header->parts * DEN_PACKED_ENTRY_BYTES;
    den_packed_write(store->data, header, store->parts);
    if (ftruncate(store->place.unfinished, (off_t)header->bytes) == 0 &&
        mprotect(store->data, store->mapped_bytes, PROT_READ) == 0)
        store->state = DEN_PACKED_MADE;
    else
        store->state = DEN_PACKED_NONE;
}

void den_packed_store_end(struct den_packed_store *store)
{
    if (store->state == DEN_PACKED_FILLING && !store->is_skipped && store->next > 0)
        complete(store);
    else if (store->state == DEN_PACKED_FILLING)
        store->state = DEN_PACKED_NONE;
    else if (store->state == DEN_PACKED_MAPPED && store->next != store->header.parts)
        store->state = DEN_PACKED_BAD;
    free(store->parts);
    store->parts = NULL;
    store->part_capacity = 0;
}
