/* Packed files: what is written is read again, every changed byte of the frame and every cut is
 * noticed, and a table that lies about places is refused though its sum is right. */
#include "test.h"

#include <stdlib.h>
#include <string.h>

#include "tensor/packed_file.h"

enum { PARTS = 3, PART_BYTES = 192, TABLE_AT = DEN_PACKED_DATA_AT + PARTS * PART_BYTES };
enum { FILE_BYTES = TABLE_AT + PARTS * DEN_PACKED_ENTRY_BYTES };

struct made {
    unsigned char bytes[FILE_BYTES];
    struct den_packed_header header;
    struct den_packed_part parts[PARTS];
};

static struct made *make(void)
{
    struct made *made = calloc(1, sizeof *made);
    size_t i;

    assert_non_null(made);
    made->header = (struct den_packed_header){ .key = { 7, 2, 0x1122334455667788u, 99 },
                                               .bytes = FILE_BYTES,
                                               .table = TABLE_AT,
                                               .parts = PARTS };
    for (i = 0; i < PARTS; i++)
        made->parts[i] = (struct den_packed_part){ .name = i + 1,
                                                   .format = (uint32_t)(10 + i),
                                                   .in = 64 + i,
                                                   .out = 1u << 20,
                                                   .offset = DEN_PACKED_DATA_AT + i * PART_BYTES,
                                                   .bytes = PART_BYTES,
                                                   .sum = ~(uint64_t)i };
    den_packed_write(made->bytes, &made->header, made->parts);
    return made;
}

static enum den_status parse(const struct made *made, size_t length)
{
    struct den_packed_header header;
    struct den_error err = { 0 };
    enum den_status status = den_packed_parse(made->bytes, length, &header, &err);

    assert_int_equal(err.status, status);
    return status;
}

static void gives_back_what_was_written(void **state)
{
    struct made *made = make();
    struct den_packed_header header;
    struct den_error err = { 0 };
    uint32_t i;

    assert_int_equal(den_packed_parse(made->bytes, FILE_BYTES, &header, &err), DEN_OK);
    assert_true(header.bytes == FILE_BYTES && header.table == TABLE_AT && header.parts == PARTS);
    assert_memory_equal(&header.key, &made->header.key, sizeof header.key);
    for (i = 0; i < PARTS; i++) {
        struct den_packed_part part = den_packed_get(made->bytes, &header, i);

        assert_true(part.name == i + 1 && part.format == 10 + i && part.in == 64 + i);
        assert_true(part.out == 1u << 20 && part.bytes == PART_BYTES && part.sum == ~(uint64_t)i);
        assert_true(part.offset == made->parts[i].offset);
    }
    free(made);
}

static void notices_every_byte_of_the_frame(void **state)
{
    struct made *made = make();
    size_t at, bit;

    for (at = 0; at < FILE_BYTES; at++) {
        if (at == DEN_PACKED_HEADER_BYTES)
            at = TABLE_AT; /* between them lie the parts, which have sums of their own */
        for (bit = 0; bit < 8; bit++) {
            made->bytes[at] ^= (unsigned char)(1u << bit);
            assert_int_equal(parse(made, FILE_BYTES), DEN_BAD_FILE);
            made->bytes[at] ^= (unsigned char)(1u << bit);
        }
    }
    assert_int_equal(parse(made, FILE_BYTES), DEN_OK);
    for (at = 0; at < FILE_BYTES; at++)
        assert_int_equal(parse(made, at), DEN_BAD_FILE);
    free(made);
}

/* Written with a right sum, as a process that was taken over would. */
static void refuses_places_outside_of_the_data(void **state)
{
    static const struct {
        uint64_t offset, bytes;
    } lies[] = {
        { 0, PART_BYTES },
        { DEN_PACKED_DATA_AT + 1, PART_BYTES },
        { DEN_PACKED_DATA_AT, 0 },
        { DEN_PACKED_DATA_AT, TABLE_AT },
        { TABLE_AT, 64 },
        { UINT64_MAX - 63, 128 },
        { DEN_PACKED_DATA_AT, UINT64_MAX },
    };
    size_t i;

    for (i = 0; i < sizeof lies / sizeof lies[0]; i++) {
        struct made *made = make();

        made->parts[1].offset = lies[i].offset;
        made->parts[1].bytes = lies[i].bytes;
        den_packed_write(made->bytes, &made->header, made->parts);
        assert_int_equal(parse(made, FILE_BYTES), DEN_BAD_FILE);
        free(made);
    }
}

static void sums_tell_changes(void **state)
{
    enum { LENGTH = 300 };
    unsigned char bytes[LENGTH];
    uint64_t sum, seen[LENGTH + 1];
    size_t i, j;

    for (i = 0; i < LENGTH; i++)
        bytes[i] = (unsigned char)(i * 7);
    for (i = 0; i <= LENGTH; i++) { /* also of lengths that share their bytes */
        seen[i] = den_packed_sum(bytes, i, 5);
        for (j = 0; j < i; j++)
            assert_true(seen[i] != seen[j]);
    }
    sum = seen[LENGTH];
    assert_true(sum != den_packed_sum(bytes, LENGTH, 6));
    for (i = 0; i < LENGTH; i++) {
        bytes[i] ^= 0x80;
        assert_true(den_packed_sum(bytes, LENGTH, 5) != sum);
        for (j = 0; j < i; j++) { /* two changes don't hide each other */
            bytes[j] ^= 0x80;
            assert_true(den_packed_sum(bytes, LENGTH, 5) != sum);
            bytes[j] ^= 0x80;
        }
        bytes[i] ^= 0x80;
    }
}

static void sums_count_the_place_of_a_block(void **state)
{
    const size_t length = 2 * (size_t)DEN_PACKED_BLOCK_BYTES + 100;
    unsigned char *part = calloc(1, length);
    uint64_t first, second, rest;

    assert_non_null(part);
    first = den_packed_block_sum(part, length, 0);
    second = den_packed_block_sum(part, length, 1);
    rest = den_packed_block_sum(part, length, 2);
    assert_true(first != second && second != rest);
    part[length - 1] = 1;
    assert_true(den_packed_block_sum(part, length, 2) != rest);
    assert_true(den_packed_block_sum(part, length, 1) == second);
    free(part);
}

int tensor_test_packed_file(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gives_back_what_was_written),
        cmocka_unit_test(notices_every_byte_of_the_frame),
        cmocka_unit_test(refuses_places_outside_of_the_data),
        cmocka_unit_test(sums_tell_changes),
        cmocka_unit_test(sums_count_the_place_of_a_block),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
