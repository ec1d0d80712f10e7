/* See packed_file.h.
 *
 * The sum has eight lanes of 64 bits that multiply and rotate, so that no product waits for the one
 * before it: it runs at the speed of memory. Each step can be undone, so any change inside one word
 * changes its lane for good. */
#include "tensor/packed_file.h"

#include <stdbool.h>
#include <string.h>

#include "base/checked.h"

enum { LANES = 8, WORD = 8, MAGIC_BYTES = 8, SUM_AT = 56 };

static const char magic[MAGIC_BYTES + 1] = "DENPACK1";
static const uint64_t MULTIPLIER = 0xd1342543de82ef95u; /* odd: multiplying can be undone */

/* --- numbers --- */

static uint64_t get(const unsigned char *at, size_t bytes)
{
    uint64_t value = 0;
    size_t i;

    for (i = 0; i < bytes; i++)
        value |= (uint64_t)at[i] << (8 * i);
    return value;
}

static void put(unsigned char *at, uint64_t value, size_t bytes)
{
    size_t i;

    for (i = 0; i < bytes; i++)
        at[i] = (unsigned char)(value >> (8 * i));
}

/* --- sums --- */

static uint64_t rotate(uint64_t value, unsigned bits)
{
    return value << bits | value >> (64 - bits);
}

static uint64_t step(uint64_t lane, uint64_t word)
{
    return rotate((lane ^ word) * MULTIPLIER, 29);
}

static uint64_t word_at(const unsigned char *at)
{
    uint64_t word;

    memcpy(&word, at, sizeof word); /* in the machine's order: little-endian is all there is */
    return word;
}

/* `at` is `blocks` times 64 bytes. Lanes in an array would be stored and loaded at each step, which
 * halves the speed. */
static void sum_blocks(const unsigned char *at, size_t blocks, uint64_t lanes[LANES])
{
    uint64_t a = lanes[0], b = lanes[1], c = lanes[2], d = lanes[3];
    uint64_t e = lanes[4], f = lanes[5], g = lanes[6], h = lanes[7];

    for (; blocks > 0; blocks--, at += LANES * WORD) {
        a = step(a, word_at(at));
        b = step(b, word_at(at + 8));
        c = step(c, word_at(at + 16));
        d = step(d, word_at(at + 24));
        e = step(e, word_at(at + 32));
        f = step(f, word_at(at + 40));
        g = step(g, word_at(at + 48));
        h = step(h, word_at(at + 56));
    }
    memcpy(lanes, (uint64_t[]){ a, b, c, d, e, f, g, h }, LANES * sizeof *lanes);
}

uint64_t den_packed_sum(const void *bytes, size_t length, uint64_t seed)
{
    const unsigned char *at = bytes;
    unsigned char rest[LANES * WORD] = { 0 };
    size_t whole = length / sizeof rest, i;
    uint64_t lanes[LANES], sum = seed ^ length;

    for (i = 0; i < LANES; i++)
        lanes[i] = seed + (i + 1) * MULTIPLIER;
    sum_blocks(at, whole, lanes);
    if (length > whole * sizeof rest)
        memcpy(rest, at + whole * sizeof rest, length - whole * sizeof rest);
    sum_blocks(rest, 1, lanes);
    for (i = 0; i < LANES; i++)
        sum = step(sum, lanes[i]);
    sum ^= sum >> 32;
    sum *= MULTIPLIER;
    return sum ^ sum >> 29;
}

uint64_t den_packed_block_sum(const unsigned char *part, uint64_t part_bytes, size_t index)
{
    uint64_t begin = (uint64_t)index * DEN_PACKED_BLOCK_BYTES;
    uint64_t rest = part_bytes - begin;

    return den_packed_sum(
        part + begin, rest < DEN_PACKED_BLOCK_BYTES ? (size_t)rest : DEN_PACKED_BLOCK_BYTES, index);
}

/* Of the header without its sum, and of the table. */
static uint64_t frame_sum(const unsigned char *bytes, uint64_t table, uint64_t parts)
{
    uint64_t header = den_packed_sum(bytes, SUM_AT, 0);

    return den_packed_sum(bytes + table, (size_t)parts * DEN_PACKED_ENTRY_BYTES, header);
}

/* --- reading --- */

static struct den_packed_part read_part(const unsigned char *at)
{
    return (struct den_packed_part){ .name = get(at, 8),
                                     .format = (uint32_t)get(at + 8, 4),
                                     .in = get(at + 16, 8),
                                     .out = get(at + 24, 8),
                                     .offset = get(at + 32, 8),
                                     .bytes = get(at + 40, 8),
                                     .sum = get(at + 48, 8) };
}

static bool part_is_sound(const struct den_packed_part *part, uint64_t table)
{
    return part->offset >= DEN_PACKED_DATA_AT && part->offset % DEN_PACKED_ALIGNMENT == 0 &&
           part->bytes > 0 && den_checked_range(part->offset, part->bytes, table);
}

enum den_status den_packed_parse(const unsigned char *bytes, size_t length,
                                 struct den_packed_header *out, struct den_error *err)
{
    struct den_packed_header header;
    size_t table_bytes = 0, i;

    if (length < DEN_PACKED_DATA_AT || memcmp(bytes, magic, MAGIC_BYTES) != 0)
        return den_fail(err, DEN_BAD_FILE, "packed file: is none, or was never completed");
    header = (struct den_packed_header){ .key = { .version = (uint32_t)get(bytes + 8, 4),
                                                  .precision = (uint32_t)get(bytes + 12, 4),
                                                  .files = get(bytes + 16, 8),
                                                  .fingerprint = get(bytes + 24, 8) },
                                         .bytes = get(bytes + 32, 8),
                                         .table = get(bytes + 40, 8),
                                         .parts = (uint32_t)get(bytes + 48, 4) };
    if (header.bytes != length)
        return den_fail(err, DEN_BAD_FILE, "packed file: has %zu bytes and should have %llu",
                        length, (unsigned long long)header.bytes);
    if (header.parts == 0 || header.parts > DEN_TENSORS_MAX || header.table < DEN_PACKED_DATA_AT ||
        !den_checked_multiply(header.parts, DEN_PACKED_ENTRY_BYTES, &table_bytes) ||
        !den_checked_range((size_t)header.table, table_bytes, length) ||
        header.table + table_bytes != length)
        return den_fail(err, DEN_BAD_FILE,
                        "packed file: a table of %u parts at %llu does not end the file",
                        header.parts, (unsigned long long)header.table);
    if (get(bytes + SUM_AT, 8) != frame_sum(bytes, header.table, header.parts))
        return den_fail(err, DEN_BAD_FILE, "packed file: its header or table is damaged");
    for (i = 0; i < header.parts; i++) {
        struct den_packed_part part = den_packed_get(bytes, &header, (uint32_t)i);

        if (part.bytes == 0)
            return den_fail(err, DEN_BAD_FILE, "packed file: part %zu lies outside of the data", i);
    }
    *out = header;
    return DEN_OK;
}

struct den_packed_part den_packed_get(const unsigned char *bytes,
                                      const struct den_packed_header *header, uint32_t index)
{
    struct den_packed_part part =
        read_part(bytes + header->table + (size_t)index * DEN_PACKED_ENTRY_BYTES);

    return part_is_sound(&part, header->table) ? part : (struct den_packed_part){ 0 };
}

/* --- writing --- */

void den_packed_write(unsigned char *bytes, const struct den_packed_header *header,
                      const struct den_packed_part *parts)
{
    unsigned char *at = bytes + header->table;
    uint32_t i;

    for (i = 0; i < header->parts; i++, at += DEN_PACKED_ENTRY_BYTES) {
        put(at, parts[i].name, 8);
        put(at + 8, parts[i].format, 8);
        put(at + 16, parts[i].in, 8);
        put(at + 24, parts[i].out, 8);
        put(at + 32, parts[i].offset, 8);
        put(at + 40, parts[i].bytes, 8);
        put(at + 48, parts[i].sum, 8);
    }
    memset(bytes, 0, DEN_PACKED_HEADER_BYTES);
    put(bytes + 8, header->key.version, 4);
    put(bytes + 12, header->key.precision, 4);
    put(bytes + 16, header->key.files, 8);
    put(bytes + 24, header->key.fingerprint, 8);
    put(bytes + 32, header->bytes, 8);
    put(bytes + 40, header->table, 8);
    put(bytes + 48, header->parts, 4);
    memcpy(bytes, magic, MAGIC_BYTES);
    put(bytes + SUM_AT, frame_sum(bytes, header->table, header->parts), 8);
}
