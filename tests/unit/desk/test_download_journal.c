/* Journals: written and read back, divided, and damaged ones refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <unistd.h>

#include "base/file.h"
#include "desk/download_journal.h"

static char path[64];

static int make_path(void **state)
{
    snprintf(path, sizeof path, "/tmp/den-journal-%d", (int)getpid());
    return 0;
}

static int remove_path(void **state)
{
    unlink(path);
    return 0;
}

static void what_is_written_is_read(void **state)
{
    struct den_download_journal journal = {
        .identity = "\"abc\"", .bytes = 100, .count = 2, .parts = { { 10, 50 }, { 50, 100 } }
    };
    struct den_download_journal back;
    struct den_error err = { 0 };

    assert_false(den_download_journal_read(path, &back));
    assert_int_equal(den_download_journal_write(path, &journal, &err), DEN_OK);
    assert_true(den_download_journal_read(path, &back));
    assert_string_equal(back.identity, journal.identity);
    assert_int_equal(back.bytes, 100);
    assert_int_equal(back.count, 2);
    assert_memory_equal(back.parts, journal.parts, 2 * sizeof journal.parts[0]);
    assert_int_equal(den_download_journal_missing(&back), 90);
}

static void damaged_ones_are_refused(void **state)
{
    static const char *const texts[] = {
        "",
        "[]",
        "{}",
        "{\"version\": 2, \"of\": \"a\", \"bytes\": 9, \"parts\": []}",
        "{\"version\": 1, \"bytes\": 9, \"parts\": []}",
        "{\"version\": 1, \"of\": \"a\", \"bytes\": 0, \"parts\": []}",
        "{\"version\": 1, \"of\": \"a\", \"bytes\": 9}",
        "{\"version\": 1, \"of\": \"a\", \"bytes\": 9, \"parts\": [[2, 1]]}",
        "{\"version\": 1, \"of\": \"a\", \"bytes\": 9, \"parts\": [[-1, 1]]}",
        "{\"version\": 1, \"of\": \"a\", \"bytes\": 9, \"parts\": [[0, 10]]}",
        "{\"version\": 1, \"of\": \"a\", \"bytes\": 9, \"parts\": [[],[],[],[],[]]}",
    };
    struct den_download_journal back;
    struct den_error err = { 0 };
    size_t i;

    for (i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        assert_int_equal(den_file_write(path, texts[i], strlen(texts[i]), &err), DEN_OK);
        if (den_download_journal_read(path, &back))
            fail_msg("%s was taken", texts[i]);
    }
}

static void parts_cover_the_file(void **state)
{
    static const uint64_t sizes[] = { 1,
                                      4095,
                                      DEN_DOWNLOAD_SEGMENT_BYTES_MIN - 1,
                                      2 * DEN_DOWNLOAD_SEGMENT_BYTES_MIN,
                                      123456789,
                                      DEN_DOWNLOAD_BYTES_MAX };
    struct den_download_journal journal;
    size_t i, k;

    for (i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        journal = (struct den_download_journal){ .bytes = sizes[i] };
        den_download_journal_divide(&journal, true);
        assert_int_equal(journal.parts[0].at, 0);
        for (k = 1; k < journal.count; k++)
            assert_int_equal(journal.parts[k].at, journal.parts[k - 1].end);
        assert_int_equal(journal.parts[journal.count - 1].end, sizes[i]);
        assert_int_equal(den_download_journal_missing(&journal), sizes[i]);
        den_download_journal_divide(&journal, false);
        assert_int_equal(journal.count, 1);
    }
    journal = (struct den_download_journal){ 0 };
    den_download_journal_divide(&journal, true);
    assert_int_equal(journal.count, 1);
    assert_int_equal(journal.parts[0].end, UINT64_MAX);
}

int desk_test_download_journal(int argc, char **argv)
{
#define ON_DISK(name) cmocka_unit_test_setup_teardown(name, make_path, remove_path)
    const struct CMUnitTest tests[] = {
        ON_DISK(what_is_written_is_read),
        ON_DISK(damaged_ones_are_refused),
        cmocka_unit_test(parts_cover_the_file),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
