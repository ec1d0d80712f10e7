/* Hostile safetensors files: headers written by hand, each broken in one way. */
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tensor/safetensors.h"

/* A file in an allocation of exactly its size, so that a sanitizer sees a read past the end. */
struct opened {
    unsigned char *bytes;
    size_t length;
    struct den_safetensors *file;
    struct den_error err;
};

static void open_bytes(struct opened *opened, const void *bytes, size_t length)
{
    *opened = (struct opened){ .bytes = malloc(length ? length : 1), .length = length };
    assert_non_null(opened->bytes);
    memcpy(opened->bytes, bytes, length);
    den_safetensors_open_memory(opened->bytes, length, "sample", &opened->file, &opened->err);
    assert_true((opened->err.status == DEN_OK) == (opened->file != NULL));
    if (!opened->file)
        assert_true(strncmp(opened->err.message, "safetensors: sample: ", 21) == 0);
}

static void close_bytes(struct opened *opened)
{
    den_safetensors_close(opened->file);
    free(opened->bytes);
}

/* Writes u64 length | header | `data` bytes 0, 1, 2, ... to `out`; returns how many bytes. */
static size_t compose(unsigned char *out, const char *header, size_t data)
{
    uint64_t length = strlen(header);
    size_t i;

    memcpy(out, &length, 8);
    memcpy(out + 8, header, (size_t)length);
    for (i = 0; i < data; i++)
        out[8 + length + i] = (unsigned char)i;
    return 8 + (size_t)length + data;
}

static void refuse(const char *header, size_t data, enum den_status status, const char *message)
{
    static unsigned char bytes[8192];
    struct opened opened;

    open_bytes(&opened, bytes, compose(bytes, header, data));
    if (opened.err.status != status || !strstr(opened.err.message, message))
        fail_msg("%s\ngot %s: '%s', wanted %s: '%s'", header, den_status_text(opened.err.status),
                 opened.err.message, den_status_text(status), message);
    close_bytes(&opened);
}

/* One tensor "w" with these fields. */
#define W(fields)           "{\"w\":{" fields "}}"
#define F32(shape, offsets) W("\"dtype\":\"F32\",\"shape\":" shape ",\"data_offsets\":" offsets)

static void refuses_bad_entries(void **state)
{
    refuse(F32("[2]", "[0,8]"), 8, DEN_OK, "");
    refuse("{\"w\":7}", 8, DEN_BAD_FILE, "'w' is described by something else");
    refuse(W("\"shape\":[2],\"data_offsets\":[0,8]"), 8, DEN_BAD_FILE, "'w' has no 'dtype'");
    refuse(W("\"dtype\":4,\"shape\":[2],\"data_offsets\":[0,8]"), 8, DEN_BAD_FILE, "no 'dtype'");
    refuse(W("\"dtype\":\"F64\",\"shape\":[1],\"data_offsets\":[0,8]"), 8, DEN_UNSUPPORTED,
           "'w' is of type 'F64'");
    refuse(W("\"dtype\":\"\\u001b[2J\",\"shape\":[1],\"data_offsets\":[0,8]"), 8, DEN_UNSUPPORTED,
           "type '?[2J'");
    refuse(W("\"dtype\":\"F32\",\"data_offsets\":[0,8]"), 8, DEN_BAD_FILE, "'w' has no 'shape'");
    refuse(W("\"dtype\":\"F32\",\"shape\":{},\"data_offsets\":[0,8]"), 8, DEN_BAD_FILE, "'shape'");
    refuse(W("\"dtype\":\"F32\",\"shape\":[2]"), 8, DEN_BAD_FILE, "'data_offsets'");
}

static void refuses_bad_shapes(void **state)
{
    refuse(F32("[0]", "[0,0]"), 0, DEN_BAD_FILE, "positive integers");
    refuse(F32("[-2]", "[0,8]"), 8, DEN_BAD_FILE, "positive integers");
    refuse(F32("[2.0]", "[0,8]"), 8, DEN_BAD_FILE, "positive integers");
    refuse(F32("[\"2\"]", "[0,8]"), 8, DEN_BAD_FILE, "positive integers");
    refuse(F32("[1,1,1,1,2]", "[0,8]"), 8, DEN_UNSUPPORTED, "'w' has 5 dimensions");
    refuse(F32("[4294967296,4294967296]", "[0,8]"), 8, DEN_BAD_FILE, "overflow");
    refuse(F32("[9223372036854775807,3]", "[0,8]"), 8, DEN_BAD_FILE, "overflow");
    refuse(F32("[9223372036854775807]", "[0,8]"), 8, DEN_BAD_FILE, "overflow");
    refuse(F32("[2305843009213693952,2]", "[0,8]"), 8, DEN_BAD_FILE, "overflow");
    refuse(F32("[4294967296,4294967296,1]", "[0,0]"), 0, DEN_BAD_FILE, "product overflows");
    refuse(F32("[99999999999999999999]", "[0,8]"), 8, DEN_BAD_FILE, "positive integers");
    refuse(F32("[3]", "[0,8]"), 8, DEN_BAD_FILE, "has 8 bytes of data; its shape needs 12");
}

static void refuses_bad_offsets(void **state)
{
    refuse(F32("[2]", "[8,0]"), 8, DEN_BAD_FILE, "begin <= end");
    refuse(F32("[2]", "[-8,0]"), 8, DEN_BAD_FILE, "begin <= end");
    refuse(F32("[2]", "[0]"), 8, DEN_BAD_FILE, "begin <= end");
    refuse(F32("[2]", "[0,4,8]"), 8, DEN_BAD_FILE, "begin <= end");
    refuse(F32("[2]", "[0,8.0]"), 8, DEN_BAD_FILE, "begin <= end");
    refuse(F32("[2]", "[0,8]"), 7, DEN_BAD_FILE, "ends 1 bytes past the end of the file");
    refuse(F32("[2]", "[9223372036854775799,9223372036854775807]"), 8, DEN_BAD_FILE,
           "past the end");
    refuse(F32("[2]", "[4,12]"), 12, DEN_BAD_FILE, "'w' begins after a gap");
    refuse(F32("[2]", "[0,8]"), 9, DEN_BAD_FILE, "the last 1 bytes belong to no tensor");
    refuse("{\"a\":{\"dtype\":\"I8\",\"shape\":[4],\"data_offsets\":[0,4]},"
           "\"b\":{\"dtype\":\"I8\",\"shape\":[4],\"data_offsets\":[2,6]}}",
           6, DEN_BAD_FILE, "'b' overlaps");
    refuse("{\"a\":{\"dtype\":\"I8\",\"shape\":[4],\"data_offsets\":[0,4]},"
           "\"a\":{\"dtype\":\"I8\",\"shape\":[4],\"data_offsets\":[4,8]}}",
           8, DEN_BAD_FILE, "duplicate");
}

static void refuses_bad_headers(void **state)
{
    struct opened opened;
    unsigned char bytes[64];
    uint64_t length;

    refuse("{", 0, DEN_BAD_FILE, "not a safetensors file");
    refuse("{ ", 0, DEN_BAD_FILE, "malformed JSON");
    refuse("{}x", 0, DEN_BAD_FILE, "malformed JSON");
    refuse("[]", 0, DEN_BAD_FILE, "not a safetensors file");
    refuse("{\"\xFF\":1}", 0, DEN_BAD_FILE, "malformed JSON");
    memcpy(bytes + 8, "{}      ", 8);
    for (length = 9; length != 0; length <<= 1) { /* ends as 2^63 * 9 wraps to 0 */
        memcpy(bytes, &length, 8);
        open_bytes(&opened, bytes, 16);
        assert_int_equal(opened.err.status, DEN_BAD_FILE);
        close_bytes(&opened);
    }
    length = DEN_SAFETENSORS_HEADER_MAX + 1;
    memcpy(bytes, &length, 8);
    open_bytes(&opened, bytes, 16);
    assert_non_null(strstr(opened.err.message, "declares a header of 104857601 bytes; at most"));
    close_bytes(&opened);
    open_bytes(&opened, "GGUF\3\0\0\0\0\0\0\0", 12);
    assert_non_null(strstr(opened.err.message, "it looks like a GGUF file"));
    close_bytes(&opened);
}

static void limits_depth(void **state)
{
    char header[4096];
    size_t i;

    strncpy(header, "{\"w\":", sizeof header);
    for (i = 5; i < 2000; i++)
        header[i] = '[';
    header[i] = '\0';
    refuse(header, 0, DEN_BAD_FILE, "nested deeper");
}

static void refuses_every_truncation(void **state)
{
    static unsigned char bytes[8192];
    const char *header = "{\"__metadata__\":{\"format\":\"pt\"},"
                         "\"a\":{\"dtype\":\"BF16\",\"shape\":[3,2],\"data_offsets\":[0,12]},"
                         "\"b\":{\"dtype\":\"I64\",\"shape\":[],\"data_offsets\":[12,20]}}";
    size_t length = compose(bytes, header, 20);
    struct opened opened;
    size_t cut;

    for (cut = 0; cut < length; cut++) {
        open_bytes(&opened, bytes, cut);
        assert_int_equal(opened.err.status, DEN_BAD_FILE);
        close_bytes(&opened);
    }
    open_bytes(&opened, bytes, length);
    assert_int_equal(opened.err.status, DEN_OK);
    assert_int_equal(den_safetensors_count(opened.file), 2);
    close_bytes(&opened);
}

static void aligns_what_is_not(void **state)
{
    static unsigned char bytes[8192];
    char header[256];
    size_t blanks;

    for (blanks = 0; blanks < 8; blanks++) {
        struct opened opened;
        const struct den_tensor *tensor;
        float value;
        float wanted;

        snprintf(header, sizeof header, "%s%*s", F32("[2]", "[0,8]"), (int)blanks, "");
        open_bytes(&opened, bytes, compose(bytes, header, 8));
        assert_int_equal(opened.err.status, DEN_OK);
        tensor = den_safetensors_find(opened.file, "w");
        assert_int_equal((uintptr_t)tensor->data % sizeof(float), 0);
        if ((8 + strlen(header)) % sizeof(float) == 0) /* used in place */
            assert_ptr_equal(tensor->data, opened.bytes + 8 + strlen(header));
        memcpy(&value, (const float *)tensor->data + 1, sizeof value);
        memcpy(&wanted, "\4\5\6\7", sizeof wanted);
        assert_true(value == wanted);
        close_bytes(&opened);
    }
}

static void limits_tensors(void **state)
{
    const size_t count = DEN_TENSORS_MAX + 1;
    unsigned char *bytes = malloc(count * 80);
    char *header = malloc(count * 80);
    struct opened opened;
    size_t at = 1;
    size_t i;

    assert_non_null(bytes);
    assert_non_null(header);
    header[0] = '{';
    for (i = 0; i < count; i++)
        at += (size_t)snprintf(
            header + at, 80,
            "\"%zu\":{\"dtype\":\"I8\",\"shape\":[1],\"data_offsets\":[%zu,%zu]}%c", i, i, i + 1,
            i + 1 < count ? ',' : '}');
    header[at] = '\0';
    open_bytes(&opened, bytes, compose(bytes, header, count));
    assert_int_equal(opened.err.status, DEN_BAD_FILE);
    assert_non_null(strstr(opened.err.message, "has 65537 tensors; 65536 are allowed"));
    close_bytes(&opened);
    free(bytes);
    free(header);
}

static void survives_every_changed_byte(void **state)
{
    static unsigned char bytes[8192];
    static const unsigned char values[] = { 0, '0', '9', '"', '[', ']', '}', ',', 0x80, 0xFF };
    size_t length = compose(bytes, F32("[2,3]", "[0,24]"), 24);
    int opened_ok = 0;
    size_t at;
    size_t i;

    for (at = 0; at < length; at++) {
        for (i = 0; i < sizeof values; i++) {
            unsigned char old = bytes[at];
            struct opened opened;

            bytes[at] = values[i];
            open_bytes(&opened, bytes, length);
            opened_ok += opened.err.status == DEN_OK;
            close_bytes(&opened);
            bytes[at] = old;
        }
    }
    assert_true(opened_ok >= 24 * (int)sizeof values); /* the data may be anything */
}

int tensor_test_safetensors_shard(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refuses_bad_entries),
        cmocka_unit_test(refuses_bad_shapes),
        cmocka_unit_test(refuses_bad_offsets),
        cmocka_unit_test(refuses_bad_headers),
        cmocka_unit_test(limits_depth),
        cmocka_unit_test(refuses_every_truncation),
        cmocka_unit_test(aligns_what_is_not),
        cmocka_unit_test(limits_tensors),
        cmocka_unit_test(survives_every_changed_byte),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
