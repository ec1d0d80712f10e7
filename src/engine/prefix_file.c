/* See prefix_file.h. In memory there is an entry for every slot and a hash table that finds a child
 * by its parent and tokens; on disk an entry changes only when its page does, or when it is read a
 * day or more after the use it tells of. */
#include "engine/prefix_file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/checked.h"

enum {
    VERSION = 1,
    HEADER_BYTES = 4096,
    HEADER_USED = 72,
    ENTRY_HEAD_BYTES = 32,
    ZEROS_BYTES = 65536,
    DAY = 24 * 3600
};
static const char magic[8] = { 'D', 'E', 'N', 'P', 'R', 'E', 'F', 'X' };

struct entry {
    uint64_t page_checksum;
    int64_t used_at, written_used_at;
    int32_t parent, depth;
    int32_t next; /* in its bucket */
    uint32_t children;
    bool is_used, is_doomed;
};

struct place {
    int32_t depth, slot;
};

struct den_prefix_file {
    struct den_prefix_file_options options;
    size_t slots, entry_bytes, used;
    uint64_t pages_at;
    struct entry *entries; /* (slots) */
    int32_t *tokens;       /* (slots, page_tokens) */
    int32_t *buckets;      /* (bucket_count), a power of two */
    size_t bucket_count;
    struct place *places; /* (slots): scratch */
    unsigned char *bytes; /* one entry as it is on disk */
    bool is_broken;       /* a write failed: from then on it is only read */
};

uint64_t den_prefix_checksum(const void *bytes, size_t count, uint64_t seed)
{
    const unsigned char *at = bytes;
    uint64_t lanes[4] = { seed ^ 0x243f6a8885a308d3u, seed ^ 0x13198a2e03707344u,
                          seed ^ 0xa4093822299f31d0u, seed ^ 0x082efa98ec4e6c89u };
    uint64_t word, sum = count;
    size_t left = count;
    int i;

    for (; left >= sizeof lanes; left -= sizeof lanes, at += sizeof lanes)
        for (i = 0; i < 4; i++) {
            memcpy(&word, at + 8 * i, 8);
            lanes[i] = (lanes[i] ^ word) * 0x9fb21c651e98df25u;
            lanes[i] ^= lanes[i] >> 32;
        }
    for (i = 0; left > 0; left--, at++, i++)
        lanes[i % 4] = (lanes[i % 4] ^ *at) * 0x9fb21c651e98df25u + (uint64_t)i;
    for (i = 0; i < 4; i++) {
        sum = (sum ^ lanes[i]) * 0x9e3779b97f4a7c15u;
        sum ^= sum >> 29;
    }
    return sum;
}

/* --- bytes --- */

static bool read_at(int descriptor, void *out, size_t count, uint64_t offset)
{
    unsigned char *at = out;

    while (count > 0) {
        ssize_t got = pread(descriptor, at, count, (off_t)offset);

        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return false;
        if (got == 0) { /* a sparse file ends where nothing was written */
            memset(at, 0, count);
            return true;
        }
        at += got;
        count -= (size_t)got;
        offset += (uint64_t)got;
    }
    return true;
}

static bool write_at(struct den_prefix_file *file, const void *bytes, size_t count, uint64_t offset)
{
    const unsigned char *at = bytes;

    while (count > 0 && !file->is_broken) {
        ssize_t put = pwrite(file->options.descriptor, at, count, (off_t)offset);

        if (put < 0 && errno == EINTR)
            continue;
        if (put <= 0) {
            file->is_broken = true; /* most likely the disk is full */
            break;
        }
        at += put;
        count -= (size_t)put;
        offset += (uint64_t)put;
    }
    return !file->is_broken;
}

static uint64_t entry_at(const struct den_prefix_file *file, int32_t slot)
{
    return HEADER_BYTES + (uint64_t)slot * file->entry_bytes;
}

static uint64_t page_at(const struct den_prefix_file *file, int32_t slot)
{
    return file->pages_at + (uint64_t)slot * file->options.page_bytes;
}

static int32_t *tokens_of(const struct den_prefix_file *file, int32_t slot)
{
    return file->tokens + (size_t)slot * file->options.page_tokens;
}

static bool write_entry(struct den_prefix_file *file, int32_t slot)
{
    struct entry *entry = &file->entries[slot];
    uint64_t checksum;

    memcpy(file->bytes + 8, &entry->page_checksum, 8);
    memcpy(file->bytes + 16, &entry->used_at, 8);
    memcpy(file->bytes + 24, &entry->parent, 4);
    memcpy(file->bytes + 28, &entry->depth, 4);
    memcpy(file->bytes + ENTRY_HEAD_BYTES, tokens_of(file, slot),
           file->entry_bytes - ENTRY_HEAD_BYTES);
    checksum = den_prefix_checksum(file->bytes + 8, file->entry_bytes - 8, (uint64_t)slot);
    checksum = checksum ? checksum : 1;
    memcpy(file->bytes, &checksum, 8);
    entry->written_used_at = entry->used_at;
    return write_at(file, file->bytes, file->entry_bytes, entry_at(file, slot));
}

static bool clear_entry(struct den_prefix_file *file, int32_t slot)
{
    memset(file->bytes, 0, file->entry_bytes);
    return write_at(file, file->bytes, file->entry_bytes, entry_at(file, slot));
}

/* --- the tree in memory --- */

static int32_t *bucket_of(const struct den_prefix_file *file, int32_t parent, const int32_t *tokens)
{
    uint64_t hash = den_prefix_checksum(tokens, file->options.page_tokens * sizeof *tokens,
                                        (uint64_t)(int64_t)parent);

    return &file->buckets[hash & (file->bucket_count - 1)];
}

int32_t den_prefix_file_find(const struct den_prefix_file *file, int32_t parent,
                             const int32_t *tokens)
{
    int32_t slot = *bucket_of(file, parent, tokens);

    while (slot >= 0 &&
           (file->entries[slot].parent != parent ||
            memcmp(tokens_of(file, slot), tokens, file->options.page_tokens * sizeof *tokens) != 0))
        slot = file->entries[slot].next;
    return slot;
}

static void link_slot(struct den_prefix_file *file, int32_t slot)
{
    struct entry *entry = &file->entries[slot];
    int32_t *bucket = bucket_of(file, entry->parent, tokens_of(file, slot));

    entry->next = *bucket;
    *bucket = slot;
    entry->is_used = true;
    file->used++;
    if (entry->parent >= 0)
        file->entries[entry->parent].children++;
}

static void unlink_slot(struct den_prefix_file *file, int32_t slot)
{
    struct entry *entry = &file->entries[slot];
    int32_t *link = bucket_of(file, entry->parent, tokens_of(file, slot));

    while (*link != slot)
        link = &file->entries[*link].next;
    *link = entry->next;
    entry->is_used = false;
    file->used--;
    if (entry->parent >= 0)
        file->entries[entry->parent].children--;
}

static int by_depth(const void *left, const void *right)
{
    const struct place *a = left, *b = right;

    return a->depth != b->depth ? (a->depth > b->depth) - (a->depth < b->depth)
                                : (a->slot > b->slot) - (a->slot < b->slot);
}

/* Forgets a page and all behind it, the last first. Damage is rare: the whole index is sorted. */
static void forget(struct den_prefix_file *file, int32_t slot)
{
    size_t count = 0, doomed = 0, i;

    if (file->entries[slot].children == 0) {
        unlink_slot(file, slot);
        clear_entry(file, slot);
        return;
    }
    for (i = 0; i < file->slots; i++)
        if (file->entries[i].is_used)
            file->places[count++] = (struct place){ file->entries[i].depth, (int32_t)i };
    qsort(file->places, count, sizeof *file->places, by_depth);
    for (i = 0; i < count; i++) {
        struct entry *entry = &file->entries[file->places[i].slot];

        entry->is_doomed = file->places[i].slot == slot ||
                           (entry->parent >= 0 && file->entries[entry->parent].is_doomed);
        if (entry->is_doomed)
            file->places[doomed++] = file->places[i];
    }
    while (doomed-- > 0) {
        unlink_slot(file, file->places[doomed].slot);
        clear_entry(file, file->places[doomed].slot);
    }
}

/* --- opening --- */

static void make_header(const struct den_prefix_file *file, unsigned char out[HEADER_USED])
{
    const uint32_t version = VERSION, page_tokens = (uint32_t)file->options.page_tokens;
    const uint64_t page_bytes = file->options.page_bytes, slots = file->slots;
    uint64_t checksum;

    memcpy(out, magic, sizeof magic);
    memcpy(out + 8, &version, 4);
    memcpy(out + 12, &page_tokens, 4);
    memcpy(out + 16, &page_bytes, 8);
    memcpy(out + 24, &slots, 8);
    memcpy(out + 32, file->options.identity, DEN_PREFIX_IDENTITY_BYTES);
    checksum = den_prefix_checksum(out, 64, 0);
    memcpy(out + 64, &checksum, 8);
}

/* Everything in it goes. */
static enum den_status start_anew(struct den_prefix_file *file, struct den_error *err)
{
    unsigned char header[HEADER_USED];

    make_header(file, header);
    if (ftruncate(file->options.descriptor, 0) != 0 || !write_at(file, header, HEADER_USED, 0))
        return den_fail_errno(err, DEN_IO, "prefix file");
    return DEN_OK;
}

/* What an entry says on its own; that its parent exists is for later. */
static bool take_entry(struct den_prefix_file *file, int32_t slot, const unsigned char *bytes)
{
    struct entry *entry = &file->entries[slot];
    int32_t *tokens = tokens_of(file, slot);
    uint64_t checksum, wanted;
    size_t i;

    memcpy(&checksum, bytes, 8);
    wanted = den_prefix_checksum(bytes + 8, file->entry_bytes - 8, (uint64_t)slot);
    if (checksum == 0 || checksum != (wanted ? wanted : 1))
        return false;
    memcpy(&entry->page_checksum, bytes + 8, 8);
    memcpy(&entry->used_at, bytes + 16, 8);
    memcpy(&entry->parent, bytes + 24, 4);
    memcpy(&entry->depth, bytes + 28, 4);
    memcpy(tokens, bytes + ENTRY_HEAD_BYTES, file->entry_bytes - ENTRY_HEAD_BYTES);
    entry->written_used_at = entry->used_at;
    for (i = 0; i < file->options.page_tokens; i++)
        if (tokens[i] < 0 || (size_t)tokens[i] >= file->options.vocabulary)
            return false;
    return entry->parent >= DEN_PREFIX_SLOT_NONE && entry->parent < (int32_t)file->slots &&
           entry->depth >= 0 && (entry->parent < 0) == (entry->depth == 0);
}

static bool is_expired(const struct den_prefix_file *file, const struct entry *entry)
{
    int64_t oldest = file->options.now - (int64_t)DEN_PREFIX_FILE_DAYS_MAX * DAY;

    return entry->used_at < oldest || entry->used_at > file->options.now + DAY;
}

/* Parents come before their children, so that what hangs on nothing is found in one pass. */
static bool is_placed(const struct den_prefix_file *file, const struct place *place)
{
    const struct entry *entry = &file->entries[place->slot];

    return !is_expired(file, entry) &&
           (entry->parent < 0 || (file->entries[entry->parent].is_used &&
                                  file->entries[entry->parent].depth == entry->depth - 1)) &&
           den_prefix_file_find(file, entry->parent, tokens_of(file, place->slot)) < 0;
}

/* The page's bytes become zeros: what nobody may find again shall not lie there. */
static void wipe(struct den_prefix_file *file, int32_t slot)
{
    static const unsigned char zeros[ZEROS_BYTES];
    size_t left = file->options.page_bytes;
    uint64_t at = page_at(file, slot);

    clear_entry(file, slot);
    while (left > 0) {
        size_t count = left < ZEROS_BYTES ? left : ZEROS_BYTES;

        if (!write_at(file, zeros, count, at))
            return;
        at += count;
        left -= count;
    }
}

static enum den_status read_index(struct den_prefix_file *file, struct den_error *err)
{
    struct place *places = file->places;
    unsigned char *bytes = malloc(file->slots * file->entry_bytes);
    size_t count = 0, i;

    if (!bytes) {
        den_fail(err, DEN_NO_MEMORY, "prefix file: out of memory for %zu pages", file->slots);
    } else if (!read_at(file->options.descriptor, bytes, file->slots * file->entry_bytes,
                        HEADER_BYTES)) {
        den_fail_errno(err, DEN_IO, "prefix file");
    } else {
        for (i = 0; i < file->slots; i++)
            if (take_entry(file, (int32_t)i, bytes + i * file->entry_bytes))
                places[count++] = (struct place){ file->entries[i].depth, (int32_t)i };
        qsort(places, count, sizeof *places, by_depth);
        for (i = 0; i < count; i++)
            if (is_placed(file, &places[i]))
                link_slot(file, places[i].slot);
            else
                wipe(file, places[i].slot);
    }
    free(bytes);
    return err->status;
}

static enum den_status take_memory(struct den_prefix_file *file, struct den_error *err)
{
    size_t page_tokens = file->options.page_tokens;

    for (file->bucket_count = 16; file->bucket_count < file->slots;)
        file->bucket_count *= 2;
    file->entries = calloc(file->slots, sizeof *file->entries);
    file->tokens = calloc(file->slots * page_tokens, sizeof *file->tokens);
    file->buckets = malloc(file->bucket_count * sizeof *file->buckets);
    file->places = calloc(file->slots, sizeof *file->places);
    file->bytes = calloc(1, file->entry_bytes);
    if (!file->places || !file->entries || !file->tokens || !file->buckets || !file->bytes)
        return den_fail(err, DEN_NO_MEMORY, "prefix file: out of memory for %zu pages",
                        file->slots);
    memset(file->buckets, 0xff, file->bucket_count * sizeof *file->buckets); /* all -1 */
    return DEN_OK;
}

static enum den_status choose_sizes(struct den_prefix_file *file, struct den_error *err)
{
    const struct den_prefix_file_options *options = &file->options;
    size_t slot_bytes;
    uint64_t slots;

    if (options->page_tokens == 0 || options->page_tokens > 65536 || options->page_bytes == 0)
        return den_fail(err, DEN_INVALID, "prefix file: pages of %zu tokens and %zu bytes",
                        options->page_tokens, options->page_bytes);
    file->entry_bytes = ENTRY_HEAD_BYTES + options->page_tokens * sizeof(int32_t);
    if (!den_checked_add(options->page_bytes, file->entry_bytes, &slot_bytes))
        return den_fail(err, DEN_TOO_LARGE, "prefix file: a page of %zu bytes",
                        options->page_bytes);
    slots = options->bytes_max > DEN_PREFIX_FILE_BYTES_MAX ? DEN_PREFIX_FILE_BYTES_MAX
                                                           : options->bytes_max;
    slots = slots > 2 * HEADER_BYTES ? (slots - 2 * HEADER_BYTES) / slot_bytes : 0;
    if (slots == 0)
        return den_fail(err, DEN_TOO_LARGE,
                        "prefix file: %llu bytes hold no page of %zu; allow it more",
                        (unsigned long long)options->bytes_max, options->page_bytes);
    file->slots = slots < DEN_PREFIX_FILE_PAGES_MAX ? (size_t)slots : DEN_PREFIX_FILE_PAGES_MAX;
    file->pages_at = HEADER_BYTES + (uint64_t)file->slots * file->entry_bytes;
    file->pages_at = (file->pages_at + HEADER_BYTES - 1) / HEADER_BYTES * HEADER_BYTES;
    return DEN_OK;
}

enum den_status den_prefix_file_open(const struct den_prefix_file_options *options,
                                     struct den_prefix_file **out, struct den_error *err)
{
    struct den_prefix_file *file = calloc(1, sizeof *file);
    unsigned char header[HEADER_USED], wanted[HEADER_USED];

    if (!file)
        return den_fail(err, DEN_NO_MEMORY, "prefix file: out of memory");
    file->options = *options;
    if (choose_sizes(file, err) != DEN_OK || take_memory(file, err) != DEN_OK)
        goto fail;
    make_header(file, wanted);
    if (!read_at(options->descriptor, header, HEADER_USED, 0)) {
        den_fail_errno(err, DEN_IO, "prefix file");
        goto fail;
    }
    if (memcmp(header, wanted, HEADER_USED) != 0)
        start_anew(file, err);
    else
        read_index(file, err);
    if (err->status != DEN_OK)
        goto fail;
    *out = file;
    return DEN_OK;
fail:
    den_prefix_file_close(file);
    return err->status;
}

void den_prefix_file_close(struct den_prefix_file *file)
{
    if (!file)
        return;
    free(file->entries);
    free(file->tokens);
    free(file->buckets);
    free(file->places);
    free(file->bytes);
    free(file);
}

/* --- pages --- */

bool den_prefix_file_read(struct den_prefix_file *file, int32_t slot, int64_t now,
                          unsigned char *out_page)
{
    if (!read_at(file->options.descriptor, out_page, file->options.page_bytes,
                 page_at(file, slot)) ||
        den_prefix_checksum(out_page, file->options.page_bytes, 0) !=
            file->entries[slot].page_checksum) {
        forget(file, slot);
        return false;
    }
    den_prefix_file_touch(file, slot, now);
    return true;
}

void den_prefix_file_touch(struct den_prefix_file *file, int32_t slot, int64_t now)
{
    struct entry *entry = &file->entries[slot];

    entry->used_at = now;
    if (now - entry->written_used_at >= DAY)
        write_entry(file, slot);
}

/* A free slot, or that of the leaf used longest ago, which is not `parent`. */
static int32_t find_room(struct den_prefix_file *file, int32_t parent)
{
    int32_t oldest = DEN_PREFIX_SLOT_NONE;
    size_t i;

    for (i = 0; i < file->slots; i++) {
        const struct entry *entry = &file->entries[i];

        if (!entry->is_used)
            return (int32_t)i;
        if (entry->children == 0 && (int32_t)i != parent &&
            (oldest < 0 || entry->used_at < file->entries[oldest].used_at))
            oldest = (int32_t)i;
    }
    return oldest;
}

int32_t den_prefix_file_write(struct den_prefix_file *file, int32_t parent, const int32_t *tokens,
                              const unsigned char *page, int64_t now)
{
    int32_t slot = file->is_broken ? DEN_PREFIX_SLOT_NONE : find_room(file, parent);
    struct entry *entry;

    if (slot < 0)
        return DEN_PREFIX_SLOT_NONE;
    entry = &file->entries[slot];
    if (entry->is_used)
        forget(file, slot);
    *entry = (struct entry){
        .page_checksum = den_prefix_checksum(page, file->options.page_bytes, 0),
        .used_at = now,
        .parent = parent,
        .depth = parent >= 0 ? file->entries[parent].depth + 1 : 0,
    };
    memcpy(tokens_of(file, slot), tokens, file->options.page_tokens * sizeof *tokens);
    if (!write_at(file, page, file->options.page_bytes, page_at(file, slot)) ||
        !write_entry(file, slot))
        return DEN_PREFIX_SLOT_NONE;
    link_slot(file, slot);
    return slot;
}

size_t den_prefix_file_slots(const struct den_prefix_file *file)
{
    return file->slots;
}

size_t den_prefix_file_pages(const struct den_prefix_file *file)
{
    return file->used;
}
