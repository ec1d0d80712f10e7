/* Packed stores: filled once, mapped the next time, and of no use to another model, another order
 * of parts, or where there is no room. */
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tensor/packed_store.h"

static const struct den_packed_key key = { .version = 3, .precision = 1, .fingerprint = 77 };
static const struct den_packed_part wanted[] = {
    { .name = 1, .format = 4, .in = 64, .out = 16, .bytes = 640 },
    { .name = 2, .format = 5, .in = 32, .out = 160, .bytes = 6401 },
};

struct file {
    FILE *file;
    bool has_room;
    uint64_t asked;
};

static bool make_room(void *context, uint64_t bytes)
{
    struct file *file = context;

    file->asked = bytes;
    return file->has_room && ftruncate(fileno(file->file), (off_t)bytes) == 0;
}

static struct den_packed_store *open_store(struct file *file, bool is_finished, uint64_t files)
{
    struct den_packed_place place = { .finished = is_finished ? fileno(file->file) : -1,
                                      .unfinished = is_finished ? -1 : fileno(file->file),
                                      .files = files,
                                      .make_room = make_room,
                                      .context = file };
    struct den_packed_store *store = NULL;
    struct den_error err = { 0 };

    assert_int_equal(den_packed_store_create(&place, &store, &err), DEN_OK);
    return store;
}

static struct file new_file(void)
{
    struct file file = { .file = tmpfile(), .has_room = true };

    assert_non_null(file.file);
    return file;
}

/* Fills both parts; returns the state at the end. */
static enum den_packed_state fill(struct file *file, uint64_t room)
{
    struct den_packed_store *store = open_store(file, false, 5);
    enum den_packed_state state;
    size_t i;

    den_packed_store_begin(store, &key, room);
    for (i = 0; i < 2; i++) {
        uint64_t unused;
        unsigned char *data = den_packed_store_take(store, &wanted[i], &unused);

        if (!data)
            continue;
        assert_int_equal((uintptr_t)data % 64, 0);
        memset(data, (int)(i + 1), wanted[i].bytes);
        den_packed_store_filled(store, 100 + i);
    }
    den_packed_store_end(store);
    state = den_packed_store_state(store);
    den_packed_store_destroy(store);
    return state;
}

static void is_filled_and_mapped(void **state)
{
    struct file file = new_file();
    struct den_packed_store *store;
    uint64_t sum = 0;
    size_t i, j;

    assert_int_equal(fill(&file, 20000), DEN_PACKED_MADE);
    assert_true(file.asked >= 20000 + DEN_PACKED_DATA_AT);
    assert_true(lseek(fileno(file.file), 0, SEEK_END) < 12000); /* cut to what it holds */
    store = open_store(&file, true, 5);
    den_packed_store_begin(store, &key, 20000);
    assert_int_equal(den_packed_store_state(store), DEN_PACKED_MAPPED);
    assert_true(den_packed_store_needs_sums(store));
    for (i = 0; i < 2; i++) {
        const unsigned char *data = den_packed_store_take(store, &wanted[i], &sum);

        assert_non_null(data);
        assert_int_equal(sum, 100 + i);
        for (j = 0; j < wanted[i].bytes; j++)
            assert_int_equal(data[j], i + 1);
    }
    den_packed_store_end(store);
    assert_int_equal(den_packed_store_state(store), DEN_PACKED_MAPPED);
    assert_true(den_packed_store_bytes(store) > 7000);
    den_packed_store_destroy(store);
    fclose(file.file);
}

/* What begin() makes of a finished file under another key. */
static enum den_packed_state begin_with(struct file *file, struct den_packed_key other,
                                        uint64_t files)
{
    struct den_packed_store *store = open_store(file, true, files);
    enum den_packed_state state;
    uint64_t unused;

    den_packed_store_begin(store, &other, 20000);
    state = den_packed_store_state(store);
    if (state == DEN_PACKED_BAD)
        assert_null(den_packed_store_take(store, &wanted[0], &unused));
    den_packed_store_destroy(store);
    return state;
}

static void is_of_no_use_to_another_model(void **state)
{
    struct file file = new_file();
    struct den_packed_key other = key;

    assert_int_equal(fill(&file, 20000), DEN_PACKED_MADE);
    assert_int_equal(begin_with(&file, key, 5), DEN_PACKED_MAPPED);
    assert_int_equal(begin_with(&file, key, 6), DEN_PACKED_BAD);
    other.fingerprint++;
    assert_int_equal(begin_with(&file, other, 5), DEN_PACKED_BAD);
    other = key;
    other.version++;
    assert_int_equal(begin_with(&file, other, 5), DEN_PACKED_BAD);
    other = key;
    other.precision++;
    assert_int_equal(begin_with(&file, other, 5), DEN_PACKED_BAD);
    fclose(file.file);
}

static void refuses_parts_in_another_order(void **state)
{
    struct file file = new_file();
    struct den_packed_store *store;
    uint64_t unused;

    assert_int_equal(fill(&file, 20000), DEN_PACKED_MADE);
    store = open_store(&file, true, 5);
    den_packed_store_begin(store, &key, 20000);
    assert_null(den_packed_store_take(store, &wanted[1], &unused));
    assert_int_equal(den_packed_store_state(store), DEN_PACKED_BAD);
    assert_null(den_packed_store_take(store, &wanted[0], &unused));
    den_packed_store_end(store);
    assert_int_equal(den_packed_store_state(store), DEN_PACKED_BAD);
    den_packed_store_destroy(store);
    /* a model that takes fewer parts than there are */
    store = open_store(&file, true, 5);
    den_packed_store_begin(store, &key, 20000);
    assert_non_null(den_packed_store_take(store, &wanted[0], &unused));
    den_packed_store_end(store);
    assert_int_equal(den_packed_store_state(store), DEN_PACKED_BAD);
    den_packed_store_destroy(store);
    fclose(file.file);
}

/* No room at all, or less than the parts turn out to need: nothing is made, nobody is hurt. */
static void does_without_room(void **state)
{
    struct file file = new_file();

    assert_int_equal(fill(&file, 1000), DEN_PACKED_NONE); /* for one part, not for both */
    assert_int_equal(begin_with(&file, key, 5), DEN_PACKED_BAD);
    assert_int_equal(fill(&file, 0), DEN_PACKED_NONE);
    file.has_room = false;
    assert_int_equal(fill(&file, 20000), DEN_PACKED_NONE);
    assert_int_equal(fill(&file, UINT64_MAX - 8), DEN_PACKED_NONE);
    fclose(file.file);
}

/* Half a file, as a death leaves it. */
static void is_unfinished_until_its_end(void **state)
{
    struct file file = new_file();
    struct den_packed_store *store = open_store(&file, false, 5);
    uint64_t unused;

    den_packed_store_begin(store, &key, 20000);
    assert_non_null(den_packed_store_take(store, &wanted[0], &unused));
    den_packed_store_filled(store, 1);
    assert_int_equal(begin_with(&file, key, 5), DEN_PACKED_BAD);
    den_packed_store_destroy(store);
    assert_int_equal(begin_with(&file, key, 5), DEN_PACKED_BAD);
    fclose(file.file);
}

int tensor_test_packed_store(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(is_filled_and_mapped),
        cmocka_unit_test(is_of_no_use_to_another_model),
        cmocka_unit_test(refuses_parts_in_another_order),
        cmocka_unit_test(does_without_room),
        cmocka_unit_test(is_unfinished_until_its_end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
