/* Hostile GGUF files: a valid one is broken field by field, cut at every byte and changed at every
 * byte. Each break must be refused with a message that names the culprit. */
#include "test.h"

#include <stdio.h>

#include "gguf_writer.h"
#include "tensor/gguf.h"

/* A valid file and where its fields are. */
struct sample {
    struct writer writer;
    size_t version, tensor_count, key_count;
    size_t first_key_length, first_key_kind, alignment, alignment_kind;
    size_t truth, text_length, array_kind, array_length, array_first_string;
    size_t name_length, name, dims, size0, size1, type, offset;
    size_t second_name, second_offset, second_type, second_size;
};

static void put_keys(struct sample *s)
{
    struct writer *w = &s->writer;

    s->first_key_length = put_text(w, "general.alignment");
    s->first_key_kind = put_u32(w, 4);
    s->alignment_kind = s->first_key_kind;
    s->alignment = put_u32(w, 64);
    put_text(w, "a.truth");
    put_u32(w, 7);
    s->truth = put_bytes(w, "\1", 1);
    put_text(w, "a.text");
    put_u32(w, 8);
    s->text_length = put_text(w, "hello");
    put_text(w, "a.list");
    put_u32(w, 9);
    s->array_kind = put_u32(w, 8);
    s->array_length = put_u64(w, 3);
    s->array_first_string = put_text(w, "one");
    put_text(w, "two");
    put_text(w, "three");
}

static void put_entries(struct sample *s)
{
    struct writer *w = &s->writer;

    s->name_length = put_text(w, "first.weight");
    s->name = s->name_length + 8;
    s->dims = put_u32(w, 2);
    s->size0 = put_u64(w, 64);
    s->size1 = put_u64(w, 3);
    s->type = put_u32(w, 8); /* Q8_0: 2 blocks of 34 bytes a row, 204 in all */
    s->offset = put_u64(w, 0);
    s->second_name = put_text(w, "other.weight") + 8;
    put_u32(w, 1);
    s->second_size = put_u64(w, 10);
    s->second_type = put_u32(w, 0);
    s->second_offset = put_u64(w, 256);
}

static struct sample make_sample(void)
{
    struct sample s = { 0 };
    struct writer *w = &s.writer;
    static const unsigned char zeros[512];

    put_bytes(w, "GGUF", 4);
    s.version = put_u32(w, 3);
    s.tensor_count = put_u64(w, 2);
    s.key_count = put_u64(w, 4);
    put_keys(&s);
    put_entries(&s);
    pad(w, 64);
    put_bytes(w, zeros, 256 + 40); /* the last tensor is not padded */
    return s;
}

/* Opens a copy of exactly that size, so that a sanitizer sees a read past the end. */
static enum den_status open_copy(const unsigned char *bytes, size_t length, struct den_error *err)
{
    struct den_gguf *gguf = NULL;
    unsigned char *copy = malloc(length ? length : 1);
    enum den_status status;
    size_t i;

    assert_non_null(copy);
    memcpy(copy, bytes, length);
    *err = (struct den_error){ 0 };
    status = den_gguf_open_memory(copy, length, "sample", &gguf, err);
    assert_int_equal(status, err->status);
    if (status != DEN_OK) {
        assert_null(gguf);
        assert_true(strncmp(err->message, "gguf: sample: ", 14) == 0);
    }
    for (i = 0; status == DEN_OK && i < den_gguf_tensor_count(gguf); i++) {
        const struct den_tensor *tensor = den_gguf_tensor(gguf, i);
        size_t start = (size_t)((const unsigned char *)tensor->data - copy);

        assert_true(start <= length && tensor->bytes <= length - start);
        assert_ptr_equal(den_gguf_find_tensor(gguf, tensor->name), tensor);
    }
    den_gguf_close(gguf);
    free(copy);
    return status;
}

static void opens_a_valid_file(void **state)
{
    struct sample s = make_sample();
    struct den_error err;

    if (open_copy(s.writer.bytes, s.writer.length, &err) != DEN_OK)
        fail_msg("%s", err.message);
    memcpy(s.writer.bytes + s.version, &(uint32_t){ 2 }, 4);
    assert_int_equal(open_copy(s.writer.bytes, s.writer.length, &err), DEN_OK);
}

struct change {
    size_t at;
    size_t bytes;
    uint64_t value;
    enum den_status status;
    const char *message; /* must be part of it */
};

static void check_changes(const struct change *changes, size_t count)
{
    size_t i;

    for (i = 0; i < count; i++) {
        struct sample s = make_sample();
        struct den_error err;

        memcpy(s.writer.bytes + changes[i].at, &changes[i].value, changes[i].bytes);
        if (open_copy(s.writer.bytes, s.writer.length, &err) != changes[i].status ||
            !strstr(err.message, changes[i].message))
            fail_msg("change %zu: got %s: '%s', wanted %s: '%s'", i, den_status_text(err.status),
                     err.message, den_status_text(changes[i].status), changes[i].message);
    }
}
#define CHECK_CHANGES(changes) check_changes(changes, sizeof changes / sizeof changes[0])

static void refuses_bad_headers(void **state)
{
    struct sample s = make_sample();
    const struct change changes[] = {
        { 0, 4, 0x04034B50, DEN_BAD_FILE, "zip archive" },
        { s.version, 4, 1, DEN_UNSUPPORTED, "version 1; Den reads versions 2 and 3, convert" },
        { s.version, 4, 4, DEN_UNSUPPORTED, "version 4" },
        { s.version, 4, 0, DEN_UNSUPPORTED, "version 0" },
        { s.version, 4, 0x03000000, DEN_UNSUPPORTED, "big-endian" },
        { s.tensor_count, 8, 1000, DEN_BAD_FILE, "1000 tensors" },
        { s.tensor_count, 8, UINT64_MAX, DEN_BAD_FILE, "18446744073709551615 tensors" },
        { s.tensor_count, 8, UINT64_MAX / 33, DEN_BAD_FILE, "tensors" },
        { s.key_count, 8, 1000, DEN_BAD_FILE, "1000 keys" },
        { s.key_count, 8, (uint64_t)1 << 63, DEN_BAD_FILE, "keys" },
    };

    CHECK_CHANGES(changes);
}

static void refuses_bad_keys(void **state)
{
    struct sample s = make_sample();
    const struct change changes[] = {
        { s.first_key_length, 8, 0, DEN_BAD_FILE, "key '' has a name of a length outside" },
        { s.first_key_length, 8, 70000, DEN_BAD_FILE, "name of a key" },
        { s.first_key_length, 8, UINT64_MAX, DEN_BAD_FILE, "name of a key" },
        { s.first_key_kind, 4, 13, DEN_BAD_FILE, "'general.alignment' is of kind 13" },
        { s.first_key_kind, 4, 6, DEN_BAD_FILE, "'general.alignment' is of kind f32" },
        { s.alignment, 4, 0, DEN_BAD_FILE, "general.alignment is 0" },
        { s.alignment, 4, 48, DEN_BAD_FILE, "general.alignment is 48" },
        { s.alignment, 4, 1, DEN_BAD_FILE, "general.alignment is 1;" },
        { s.alignment, 4, 0x80000000, DEN_BAD_FILE, "'other.weight' is at offset 256" },
        { s.truth, 1, 2, DEN_BAD_FILE, "'a.truth'" },
        { s.text_length, 8, 100000, DEN_BAD_FILE, "'a.text'" },
        { s.text_length, 8, UINT64_MAX - 7, DEN_BAD_FILE, "'a.text'" },
        { s.array_kind, 4, 9, DEN_UNSUPPORTED, "'a.list' is an array of arrays" },
        { s.array_kind, 4, 99, DEN_BAD_FILE, "'a.list' is of kind 99" },
        { s.array_kind, 4, 12, DEN_BAD_FILE, "" }, /* 24 bytes of numbers, then nonsense */
        { s.array_length, 8, 1000000, DEN_BAD_FILE, "'a.list'" },
        { s.array_length, 8, UINT64_MAX, DEN_BAD_FILE, "'a.list'" },
        { s.array_length, 8, UINT64_MAX / 8, DEN_BAD_FILE, "'a.list'" },
        { s.array_first_string, 8, 1 << 20, DEN_BAD_FILE, "'a.list'" },
        { s.array_first_string, 8, UINT64_MAX, DEN_BAD_FILE, "'a.list'" },
    };

    CHECK_CHANGES(changes);
}

static void refuses_bad_tensors(void **state)
{
    struct sample s = make_sample();
    const struct change changes[] = {
        { s.name_length, 8, 0, DEN_BAD_FILE, "named ''" },
        { s.name_length, 8, 64, DEN_BAD_FILE, "64 bytes" },
        { s.name_length, 8, UINT64_MAX, DEN_BAD_FILE, "name of a tensor" },
        { s.name, 1, 0, DEN_BAD_FILE, "none of them zero" },
        { s.name, 5, 0x656874006FULL, DEN_BAD_FILE, "none of them zero" },
        { s.dims, 4, 0, DEN_BAD_FILE, "'first.weight' has 0 dimensions" },
        { s.dims, 4, 5, DEN_BAD_FILE, "'first.weight' has 5 dimensions" },
        { s.dims, 4, UINT32_MAX, DEN_BAD_FILE, "'first.weight'" },
        { s.size0, 8, 0, DEN_BAD_FILE, "'first.weight' has a dimension of size 0" },
        { s.size1, 8, 0, DEN_BAD_FILE, "'first.weight' has a dimension of size 0" },
        { s.size0, 8, 65, DEN_BAD_FILE, "'first.weight' has rows of 65 elements" },
        { s.size0, 8, UINT64_MAX, DEN_BAD_FILE, "'first.weight' has sizes" },
        { s.size1, 8, (uint64_t)1 << 62, DEN_BAD_FILE, "'first.weight' has sizes" },
        { s.size1, 8, (uint64_t)1 << 57, DEN_BAD_FILE, "" }, /* 2^63 elements fit, bytes do not */
        { s.size1, 8, 4, DEN_BAD_FILE, "'other.weight' is at offset 256" },
        { s.type, 4, 4, DEN_UNSUPPORTED, "'first.weight' is of type 4" },
        { s.type, 4, 1000, DEN_UNSUPPORTED, "'first.weight' is of type 1000" },
        { s.type, 4, UINT32_MAX, DEN_UNSUPPORTED, "'first.weight'" },
        { s.type, 4, 12, DEN_BAD_FILE, "'first.weight' has rows of 64 elements, not a multiple" },
        { s.offset, 8, 64, DEN_BAD_FILE, "'first.weight' is at offset 64" },
        { s.second_offset, 8, 0, DEN_BAD_FILE, "'other.weight' is at offset 0" },
        { s.second_offset, 8, 204, DEN_BAD_FILE, "it must be at 256" },
        { s.second_size, 8, 11, DEN_BAD_FILE, "'other.weight' ends 4 bytes past the end" },
        { s.second_size, 8, (uint64_t)1 << 61, DEN_BAD_FILE, "'other.weight'" },
        { s.second_type, 4, 27, DEN_BAD_FILE, "'other.weight' ends 40 bytes past the end" },
    };

    CHECK_CHANGES(changes);
}

static void refuses_duplicates(void **state)
{
    struct sample s = make_sample();
    struct writer w = { 0 };
    struct den_error err;

    memcpy(s.writer.bytes + s.second_name, "first.weight", 12);
    assert_int_equal(open_copy(s.writer.bytes, s.writer.length, &err), DEN_BAD_FILE);
    assert_non_null(strstr(err.message, "tensor 'first.weight' appears twice"));
    put_header(&w, 0, 3);
    put_key_u32(&w, "same", 1);
    put_key_u32(&w, "between", 1);
    put_key_u32(&w, "same", 2);
    assert_int_equal(open_copy(w.bytes, w.length, &err), DEN_BAD_FILE);
    assert_non_null(strstr(err.message, "key 'same' appears twice"));
}

static void refuses_every_truncation(void **state)
{
    struct sample s = make_sample();
    struct den_error err;
    size_t length;

    for (length = 0; length < s.writer.length; length++)
        if (open_copy(s.writer.bytes, length, &err) != DEN_BAD_FILE)
            fail_msg("%zu of %zu bytes: %s '%s'", length, s.writer.length,
                     den_status_text(err.status), err.message);
}

static void survives_every_changed_byte(void **state)
{
    static const unsigned char values[] = { 0, 1, 7, 9, 0x7F, 0x80, 0xFF };
    struct sample s = make_sample();
    struct den_error err;
    int opened = 0;
    int refused = 0;
    size_t at;
    size_t i;

    for (at = 0; at < s.writer.length; at++) {
        for (i = 0; i < sizeof values; i++) {
            unsigned char old = s.writer.bytes[at];

            s.writer.bytes[at] = values[i];
            if (open_copy(s.writer.bytes, s.writer.length, &err) == DEN_OK)
                opened++;
            else
                refused++;
            s.writer.bytes[at] = old;
        }
    }
    assert_true(opened > 100); /* changes of names and data */
    assert_true(refused > 100);
}

static void quotes_names_in_messages(void **state)
{
    struct sample s = make_sample();
    struct den_error err;

    memcpy(s.writer.bytes + s.name, "\x1b[31m\n", 6);
    memcpy(s.writer.bytes + s.type, &(uint32_t){ 99 }, 4);
    assert_int_equal(open_copy(s.writer.bytes, s.writer.length, &err), DEN_UNSUPPORTED);
    assert_non_null(strstr(err.message, "tensor '?[31m?weight'"));
}

static void opens_files_without_tensors(void **state)
{
    struct writer w = { 0 };
    struct den_error err;

    put_header(&w, 0, 0);
    assert_int_equal(open_copy(w.bytes, w.length, &err), DEN_OK);
    w.length = 0;
    put_header(&w, 0, 1);
    put_key_u32(&w, "general.alignment", 8);
    assert_int_equal(open_copy(w.bytes, w.length, &err), DEN_OK);
}

/* The smallest possible keys, in reverse order: sorting, and the arena at its highest ratio. */
static void opens_many_small_keys(void **state)
{
    enum { KEYS = 500 };
    static struct writer w;
    struct den_gguf *gguf = NULL;
    struct den_error err = { 0 };
    uint64_t value;
    char name[16];
    int i;

    put_header(&w, 0, KEYS);
    for (i = 0; i < KEYS; i++) {
        snprintf(name, sizeof name, "%x", KEYS - i);
        put_text(&w, name);
        put_u32(&w, 0);
        put_bytes(&w, &(uint8_t){ (uint8_t)i }, 1);
    }
    assert_int_equal(den_gguf_open_memory(w.bytes, w.length, "many", &gguf, &err), DEN_OK);
    for (i = 0; i < KEYS; i++) {
        snprintf(name, sizeof name, "%x", KEYS - i);
        assert_int_equal(den_gguf_get_u64(gguf, name, &value, &err), DEN_OK);
        assert_int_equal(value, (uint8_t)i);
    }
    den_gguf_close(gguf);
}

/* A header with these counts before so many zero bytes, which have room for the entries. */
static void check_counts(uint64_t tensors, uint64_t keys, size_t zeros, const char *message)
{
    struct writer w = { 0 };
    unsigned char *bytes = calloc(1, 24 + zeros);
    struct den_error err;

    assert_non_null(bytes);
    put_header(&w, tensors, keys);
    memcpy(bytes, w.bytes, w.length);
    assert_int_equal(open_copy(bytes, 24 + zeros, &err), DEN_BAD_FILE);
    if (!strstr(err.message, message))
        fail_msg("'%s', wanted '%s'", err.message, message);
    free(bytes);
}

static void limits_counts(void **state)
{
    check_counts(0, DEN_GGUF_KEYS_MAX + 1, 14 * (DEN_GGUF_KEYS_MAX + 1),
                 "declares 65537 keys; 65536 are allowed");
    check_counts(0, DEN_GGUF_KEYS_MAX + 1, 14 * (DEN_GGUF_KEYS_MAX + 1) - 1, "have room for 65536");
    check_counts(DEN_TENSORS_MAX + 1, 0, 33 * (DEN_TENSORS_MAX + 1),
                 "declares 65537 tensors; 65536 are allowed");
    check_counts(DEN_TENSORS_MAX + 1, 0, 33 * (DEN_TENSORS_MAX + 1) - 1, "have room for 65536");
}

static void limits_key_names(void **state)
{
    static struct writer w; /* a header, then a name that goes on behind it */
    struct den_error err;
    size_t length;

    for (length = DEN_GGUF_KEY_BYTES_MAX; length <= DEN_GGUF_KEY_BYTES_MAX + 1; length++) {
        unsigned char *bytes = calloc(1, 100 + length);

        assert_non_null(bytes);
        w.length = 0;
        put_header(&w, 0, 1);
        put_u64(&w, length);
        memcpy(bytes, w.bytes, w.length);
        memset(bytes + w.length, 'x', length); /* then kind 0, value 0 */
        assert_int_equal(open_copy(bytes, w.length + length + 5, &err),
                         length > DEN_GGUF_KEY_BYTES_MAX ? DEN_BAD_FILE : DEN_OK);
        free(bytes);
    }
    assert_non_null(strstr(err.message, "outside 1 to 65535 bytes"));
}

int tensor_test_gguf_parse(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(opens_a_valid_file),
        cmocka_unit_test(refuses_bad_headers),
        cmocka_unit_test(refuses_bad_keys),
        cmocka_unit_test(refuses_bad_tensors),
        cmocka_unit_test(refuses_duplicates),
        cmocka_unit_test(refuses_every_truncation),
        cmocka_unit_test(survives_every_changed_byte),
        cmocka_unit_test(quotes_names_in_messages),
        cmocka_unit_test(opens_files_without_tensors),
        cmocka_unit_test(opens_many_small_keys),
        cmocka_unit_test(limits_counts),
        cmocka_unit_test(limits_key_names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
