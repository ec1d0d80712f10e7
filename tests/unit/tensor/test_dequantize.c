/* den_type_to_f32() against the gguf package: same bits on edge-case and random blocks of each type
 * (tests/fixtures/make_tensor_types.py). */
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tensor/type.h"

enum { FIXTURE_BYTES_MAX = 1 << 20, ELEMENTS_MAX = 4096 };

struct record {
    uint32_t type;
    uint32_t elements;
    const unsigned char *blocks;
    const unsigned char *values;
};

static unsigned char *read_fixture(size_t *out_bytes)
{
    FILE *file = fopen(DEN_FIXTURES "/tensor_types.bin", "rb");
    unsigned char *data = malloc(FIXTURE_BYTES_MAX);

    assert_non_null(file);
    assert_non_null(data);
    *out_bytes = fread(data, 1, FIXTURE_BYTES_MAX, file);
    fclose(file);
    return data;
}

/* Reads the record at `at`, returns where the next begins. */
static size_t next_record(const unsigned char *data, size_t bytes, size_t at, struct record *out)
{
    size_t row;

    assert_true(at + 8 <= bytes);
    memcpy(&out->type, data + at, 4);
    memcpy(&out->elements, data + at + 4, 4);
    assert_true(out->elements <= ELEMENTS_MAX);
    assert_true(den_type_row_bytes((enum den_type)out->type, out->elements, &row));
    out->blocks = data + at + 8;
    out->values = out->blocks + row;
    at += 8 + row + 4 * (size_t)out->elements;
    assert_true(at <= bytes);
    return at;
}

static void check_values(const struct record *record, const float *values)
{
    uint32_t i;

    for (i = 0; i < record->elements; i++) {
        float wanted;

        memcpy(&wanted, record->values + 4 * (size_t)i, 4);
        if (memcmp(&wanted, &values[i], 4) != 0)
            fail_msg("%s element %u: %a, the gguf package says %a",
                     den_type_info(record->type)->text, i, (double)values[i], (double)wanted);
    }
}

static void agrees_with_the_gguf_package(void **state)
{
    size_t bytes;
    unsigned char *data = read_fixture(&bytes);
    bool seen[DEN_TYPE_COUNT] = { false };
    size_t at = 0;
    uint32_t type;

    while (at < bytes) {
        static float values[ELEMENTS_MAX];
        struct record record;

        at = next_record(data, bytes, at, &record);
        den_type_to_f32((enum den_type)record.type, record.blocks, values, record.elements);
        check_values(&record, values);
        seen[record.type] = true;
    }
    for (type = 0; type < DEN_TYPE_COUNT; type++)
        if (den_type_info(type)->text && type != DEN_TYPE_I8 && type != DEN_TYPE_I32 &&
            type != DEN_TYPE_I64 && !seen[type])
            fail_msg("the fixture has no %s", den_type_info(type)->text);
    free(data);
}

static void reads_from_any_address(void **state)
{
    size_t bytes;
    unsigned char *data = read_fixture(&bytes);
    unsigned char *moved = malloc(bytes + 1);
    size_t at = 0;

    assert_non_null(moved);
    memcpy(moved + 1, data, bytes);
    while (at < bytes) {
        static float values[ELEMENTS_MAX];
        struct record record;

        at = next_record(moved + 1, bytes, at, &record);
        den_type_to_f32((enum den_type)record.type, record.blocks, values, record.elements);
        check_values(&record, values);
    }
    free(moved);
    free(data);
}

static void writes_nothing_for_no_elements(void **state)
{
    float untouched = 7;

    den_type_to_f32(DEN_TYPE_Q4_K, NULL, &untouched, 0);
    den_type_to_f32(DEN_TYPE_F32, NULL, &untouched, 0);
    assert_true(untouched == 7);
}

int tensor_test_dequantize(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(agrees_with_the_gguf_package),
        cmocka_unit_test(reads_from_any_address),
        cmocka_unit_test(writes_nothing_for_no_elements),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
