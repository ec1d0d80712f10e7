/* The prefix file: what is written is found again, what is damaged is not, and no bytes of a file
 * make it do more than start anew. */
#include "test.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/limits.h"
#include "engine/prefix_file.h"

enum { TOKENS = 4, PAGE = 1000, SLOTS = 6, ENTRY = 32 + 4 * TOKENS, PAGES_AT = 8192 };

static const int64_t now = 1800000000;
static const int64_t day = 24 * 3600;

static struct den_prefix_file_options options_for(int descriptor)
{
    struct den_prefix_file_options options = { .descriptor = descriptor,
                                               .bytes_max = 8192 + SLOTS * (PAGE + ENTRY) + 500,
                                               .page_tokens = TOKENS,
                                               .page_bytes = PAGE,
                                               .vocabulary = 100,
                                               .now = now };

    memset(options.identity, 7, sizeof options.identity);
    return options;
}

static struct den_prefix_file *open_with(const struct den_prefix_file_options *options)
{
    struct den_prefix_file *file = NULL;
    struct den_error err = { 0 };

    if (den_prefix_file_open(options, &file, &err) != DEN_OK)
        fail_msg("%s", err.message);
    return file;
}

static struct den_prefix_file *open_file(int descriptor)
{
    struct den_prefix_file_options options = options_for(descriptor);

    return open_with(&options);
}

static int new_descriptor(void)
{
    int descriptor = memfd_create("prefix", MFD_CLOEXEC);

    assert_true(descriptor >= 0);
    return descriptor;
}

static void fill(unsigned char *page, int number)
{
    int i;

    for (i = 0; i < PAGE; i++)
        page[i] = (unsigned char)(number * 31 + i * 7);
}

static int32_t put(struct den_prefix_file *file, int32_t parent, int number, int64_t when)
{
    const int32_t tokens[TOKENS] = { number, 1, 2, 3 };
    unsigned char page[PAGE];

    fill(page, number);
    return den_prefix_file_write(file, parent, tokens, page, when);
}

static int32_t find(const struct den_prefix_file *file, int32_t parent, int number)
{
    const int32_t tokens[TOKENS] = { number, 1, 2, 3 };

    return den_prefix_file_find(file, parent, tokens);
}

static bool holds(struct den_prefix_file *file, int32_t slot, int number)
{
    unsigned char page[PAGE], wanted[PAGE];

    fill(wanted, number);
    return slot >= 0 && den_prefix_file_read(file, slot, now, page) &&
           memcmp(page, wanted, PAGE) == 0;
}

static void finds_again_what_was_written(void **state)
{
    int descriptor = new_descriptor();
    struct den_prefix_file *file = open_file(descriptor);
    int32_t first, second, other;
    struct stat info;

    assert_int_equal(den_prefix_file_slots(file), SLOTS);
    assert_int_equal(find(file, DEN_PREFIX_SLOT_NONE, 1), DEN_PREFIX_SLOT_NONE);
    first = put(file, DEN_PREFIX_SLOT_NONE, 1, now);
    second = put(file, first, 2, now);
    other = put(file, first, 3, now);
    put(file, DEN_PREFIX_SLOT_NONE, 2, now); /* the same tokens after others */
    den_prefix_file_close(file);
    assert_int_equal(fstat(descriptor, &info), 0);
    assert_true((uint64_t)info.st_size <= options_for(descriptor).bytes_max);
    file = open_file(descriptor);
    assert_int_equal(den_prefix_file_pages(file), 4);
    assert_int_equal(find(file, DEN_PREFIX_SLOT_NONE, 1), first);
    assert_int_equal(find(file, first, 2), second);
    assert_int_not_equal(find(file, DEN_PREFIX_SLOT_NONE, 2), second);
    assert_int_equal(find(file, second, 3), DEN_PREFIX_SLOT_NONE);
    assert_true(holds(file, first, 1) && holds(file, second, 2) && holds(file, other, 3));
    den_prefix_file_close(file);
    close(descriptor);
}

static void the_leaf_used_longest_ago_makes_room(void **state)
{
    int descriptor = new_descriptor();
    struct den_prefix_file *file = open_file(descriptor);
    int32_t slots[SLOTS + 1];
    int i;

    slots[0] = put(file, DEN_PREFIX_SLOT_NONE, 0, now - 100); /* the oldest, but no leaf */
    for (i = 1; i < SLOTS; i++)
        slots[i] = put(file, slots[0], i, now - 50 + i);
    assert_true(holds(file, slots[1], 1)); /* used now */
    slots[SLOTS] = put(file, slots[3], 77, now);
    assert_int_equal(slots[SLOTS], slots[2]);
    assert_int_equal(find(file, slots[0], 2), DEN_PREFIX_SLOT_NONE);
    assert_true(holds(file, find(file, slots[3], 77), 77));
    assert_int_equal(den_prefix_file_pages(file), SLOTS);
    den_prefix_file_close(file);
    file = open_file(descriptor);
    assert_int_equal(den_prefix_file_pages(file), SLOTS);
    assert_true(holds(file, find(file, slots[3], 77), 77));
    den_prefix_file_close(file);
    close(descriptor);
}

/* One text as long as the file: there is nothing to take but its own beginning. */
static void never_takes_the_beginning_of_the_same_text(void **state)
{
    int descriptor = new_descriptor();
    struct den_prefix_file *file = open_file(descriptor);
    int32_t slot = DEN_PREFIX_SLOT_NONE;
    int i;

    for (i = 0; i < SLOTS; i++)
        assert_true((slot = put(file, slot, i, now)) >= 0);
    assert_int_equal(put(file, slot, 50, now), DEN_PREFIX_SLOT_NONE);
    assert_int_equal(den_prefix_file_pages(file), SLOTS);
    assert_true(holds(file, slot, SLOTS - 1));
    den_prefix_file_close(file);
    close(descriptor);
}

static void starts_anew_for_another_model(void **state)
{
    int descriptor = new_descriptor(), i;

    for (i = 0; i < 3; i++) {
        struct den_prefix_file_options options = options_for(descriptor);
        struct den_prefix_file *file = open_file(descriptor);

        put(file, DEN_PREFIX_SLOT_NONE, 1, now);
        den_prefix_file_close(file);
        if (i == 0)
            options.identity[31]++;
        else if (i == 1)
            options.bytes_max += PAGE + ENTRY;
        else
            assert_int_equal(pwrite(descriptor, "x", 1, 3), 1);
        file = open_with(&options);
        assert_int_equal(den_prefix_file_pages(file), 0);
        den_prefix_file_close(file);
    }
    close(descriptor);
}

static void forgets_what_is_damaged(void **state)
{
    int descriptor = new_descriptor();
    struct den_prefix_file *file = open_file(descriptor);
    int32_t first = put(file, DEN_PREFIX_SLOT_NONE, 1, now), second = put(file, first, 2, now);
    int32_t third = put(file, second, 3, now), apart = put(file, DEN_PREFIX_SLOT_NONE, 4, now);
    unsigned char page[PAGE];

    assert_int_equal(pwrite(descriptor, "damage", 6, PAGES_AT + second * PAGE + 500), 6);
    assert_true(holds(file, first, 1) && holds(file, third, 3));
    assert_false(den_prefix_file_read(file, second, now, page));
    assert_int_equal(den_prefix_file_pages(file), 2); /* with all behind it */
    assert_int_equal(find(file, first, 2), DEN_PREFIX_SLOT_NONE);
    assert_true(holds(file, apart, 4));
    den_prefix_file_close(file);
    file = open_file(descriptor);
    assert_int_equal(den_prefix_file_pages(file), 2);
    den_prefix_file_close(file);
    assert_int_equal(pwrite(descriptor, "\xff", 1, 4096 + first * ENTRY + 33), 1);
    file = open_file(descriptor); /* an entry */
    assert_int_equal(den_prefix_file_pages(file), 1);
    assert_true(holds(file, apart, 4));
    den_prefix_file_close(file);
    close(descriptor);
}

static void wipes_what_nobody_used(void **state)
{
    int descriptor = new_descriptor();
    struct den_prefix_file_options options = options_for(descriptor);
    struct den_prefix_file *file = open_file(descriptor);
    int32_t old = put(file, DEN_PREFIX_SLOT_NONE, 1, now - DEN_PREFIX_FILE_DAYS_MAX * day - 1);
    int32_t behind = put(file, old, 2, now), recent = put(file, DEN_PREFIX_SLOT_NONE, 3, now);
    unsigned char page[PAGE], zeros[PAGE] = { 0 };

    den_prefix_file_close(file);
    file = open_file(descriptor);
    assert_int_equal(den_prefix_file_pages(file), 1);
    assert_true(holds(file, recent, 3));
    assert_int_equal(pread(descriptor, page, PAGE, PAGES_AT + old * PAGE), PAGE);
    assert_memory_equal(page, zeros, PAGE);
    assert_int_equal(pread(descriptor, page, PAGE, PAGES_AT + behind * PAGE), PAGE);
    assert_memory_equal(page, zeros, PAGE);
    den_prefix_file_touch(file, recent, now + 20 * day); /* a use is remembered */
    den_prefix_file_close(file);
    options.now = now + 40 * day;
    file = open_with(&options);
    assert_true(holds(file, find(file, DEN_PREFIX_SLOT_NONE, 3), 3));
    den_prefix_file_close(file);
    close(descriptor);
}

static void lives_with_a_file_that_takes_no_more(void **state)
{
    int descriptor = memfd_create("prefix", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    struct den_prefix_file *file = open_file(descriptor);
    int32_t first = put(file, DEN_PREFIX_SLOT_NONE, 1, now);

    assert_int_equal(fcntl(descriptor, F_ADD_SEALS, F_SEAL_GROW | F_SEAL_SHRINK), 0);
    assert_int_equal(put(file, first, 2, now), DEN_PREFIX_SLOT_NONE);
    assert_int_equal(put(file, first, 3, now), DEN_PREFIX_SLOT_NONE);
    assert_true(holds(file, first, 1));
    den_prefix_file_close(file);
    close(descriptor);
}

static void refuses_what_can_be_no_file(void **state)
{
    int descriptor = new_descriptor();
    struct den_prefix_file_options options = options_for(descriptor);
    struct den_prefix_file *file = NULL;
    struct den_error err = { 0 };

    options.bytes_max = 9000;
    assert_int_equal(den_prefix_file_open(&options, &file, &err), DEN_TOO_LARGE);
    options = options_for(descriptor);
    options.page_bytes = 0;
    err = (struct den_error){ 0 };
    assert_int_equal(den_prefix_file_open(&options, &file, &err), DEN_INVALID);
    options = options_for(-1);
    err = (struct den_error){ 0 };
    assert_int_equal(den_prefix_file_open(&options, &file, &err), DEN_IO);
    assert_null(file);
    close(descriptor);
}

/* Every byte of header and entries is changed in turn. */
static void survives_any_damage_of_the_index(void **state)
{
    int descriptor = new_descriptor(), i;
    struct den_prefix_file *file = open_file(descriptor);
    int32_t first = put(file, DEN_PREFIX_SLOT_NONE, 1, now);

    put(file, first, 2, now);
    den_prefix_file_close(file);
    for (i = 0; i < 3 * ENTRY + 72; i++) {
        off_t at = i < 72 ? i : 4096 + i - 72;
        unsigned char byte, changed;

        assert_int_equal(pread(descriptor, &byte, 1, at), 1);
        changed = byte ^ 0x55;
        assert_int_equal(pwrite(descriptor, &changed, 1, at), 1);
        file = open_file(descriptor);
        assert_true(den_prefix_file_pages(file) <= 2 - (i < 72 ? 2 : i - 72 < 2 * ENTRY));
        den_prefix_file_close(file);
        if (i >= 72 + 2 * ENTRY)
            continue;
        file = open_file(descriptor); /* whole again */
        first = find(file, DEN_PREFIX_SLOT_NONE, 1);
        first = first >= 0 ? first : put(file, DEN_PREFIX_SLOT_NONE, 1, now);
        if (find(file, first, 2) < 0)
            put(file, first, 2, now);
        assert_int_equal(den_prefix_file_pages(file), 2);
        den_prefix_file_close(file);
    }
    close(descriptor);
}

int engine_test_prefix_file(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_again_what_was_written),
        cmocka_unit_test(the_leaf_used_longest_ago_makes_room),
        cmocka_unit_test(never_takes_the_beginning_of_the_same_text),
        cmocka_unit_test(starts_anew_for_another_model),
        cmocka_unit_test(forgets_what_is_damaged),
        cmocka_unit_test(wipes_what_nobody_used),
        cmocka_unit_test(lives_with_a_file_that_takes_no_more),
        cmocka_unit_test(refuses_what_can_be_no_file),
        cmocka_unit_test(survives_any_damage_of_the_index),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
