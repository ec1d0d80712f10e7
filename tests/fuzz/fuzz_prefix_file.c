/* rooms: engine base */
/* The prefix file. The first byte chooses: even, the rest is a whole file; odd, it becomes the
 * entries and pages of a file with a sound header, the entries with sound checksums where their
 * first byte says so, and the bytes after them are what is then done with the file. */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "engine/prefix_file.h"

enum {
    TOKENS = 2,
    PAGE = 24,
    SLOTS = 7,
    ENTRY = 32 + 4 * TOKENS,
    PAGES_AT = 8192,
    NOW = 1800000000
};

static const struct den_prefix_file_options *options_for(int descriptor)
{
    static struct den_prefix_file_options options = { .bytes_max = 8192 + SLOTS * (PAGE + ENTRY),
                                                      .page_tokens = TOKENS,
                                                      .page_bytes = PAGE,
                                                      .vocabulary = 4,
                                                      .now = NOW };

    options.descriptor = descriptor;
    return &options;
}

static void put(int descriptor, const void *bytes, size_t size, size_t at)
{
    if (size > 0 && pwrite(descriptor, bytes, size, (off_t)at) != (ssize_t)size)
        abort();
}

static struct den_prefix_file *open_file(int descriptor)
{
    struct den_prefix_file *file = NULL;
    struct den_error err = { 0 };

    if (den_prefix_file_open(options_for(descriptor), &file, &err) != DEN_OK)
        abort(); /* whatever was in it */
    if (den_prefix_file_slots(file) != SLOTS || den_prefix_file_pages(file) > SLOTS)
        abort();
    return file;
}

/* Small numbers where the bytes are flags of what to make sound. */
static void put_entries(int descriptor, const uint8_t **data, size_t *size)
{
    const int64_t recent = NOW - 5;
    int slot;

    for (slot = 0; slot<SLOTS && * size> ENTRY; slot++, *data += ENTRY + 1, *size -= ENTRY + 1) {
        unsigned char entry[ENTRY];
        uint64_t checksum;

        memcpy(entry, *data + 1, ENTRY);
        if (**data & 2)
            memcpy(entry + 16, &recent, sizeof recent);
        checksum = den_prefix_checksum(entry + 8, ENTRY - 8, (uint64_t)slot);
        if (**data & 1)
            memcpy(entry, &checksum, sizeof checksum);
        put(descriptor, entry, ENTRY, (size_t)(4096 + slot * ENTRY));
    }
}

/* A walk through the tree, down by tokens, that reads, writes and touches on its way. */
static void use(struct den_prefix_file *file, const uint8_t *data, size_t size)
{
    int32_t slot = DEN_PREFIX_SLOT_NONE;
    unsigned char page[PAGE] = { 0 };

    for (; size > 0; data++, size--) {
        const int32_t tokens[TOKENS] = { *data & 3, *data >> 2 & 3 };
        int32_t next = den_prefix_file_find(file, slot, tokens);

        switch (*data >> 4 & 3) {
        case 0:
            next = DEN_PREFIX_SLOT_NONE;
            break;
        case 1:
            if (next >= 0)
                den_prefix_file_touch(file, next, NOW + 24 * 3600);
            break;
        case 2:
            page[0] = *data;
            if (next < 0)
                next = den_prefix_file_write(file, slot, tokens, page, NOW);
            break;
        default:
            if (next >= 0 && !den_prefix_file_read(file, next, NOW, page))
                next = DEN_PREFIX_SLOT_NONE;
        }
        slot = next;
        if (den_prefix_file_pages(file) > SLOTS)
            abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int descriptor = memfd_create("fuzz", MFD_CLOEXEC);
    struct den_prefix_file *file;
    size_t pages;

    if (descriptor < 0 || size == 0) {
        close(descriptor);
        return 0;
    }
    if (data[0] & 1) {
        den_prefix_file_close(open_file(descriptor));
        data++, size--;
        put_entries(descriptor, &data, &size);
        put(descriptor, data, size < SLOTS * PAGE ? size : SLOTS * PAGE, PAGES_AT);
    } else {
        put(descriptor, data + 1, size - 1, 0);
    }
    file = open_file(descriptor);
    use(file, data, size);
    pages = den_prefix_file_pages(file);
    den_prefix_file_close(file);
    file = open_file(descriptor);
    if (den_prefix_file_pages(file) != pages) /* what is in memory is what is on disk */
        abort();
    den_prefix_file_close(file);
    close(descriptor);
    return 0;
}
