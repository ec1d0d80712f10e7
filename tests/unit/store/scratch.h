/* A folder for a test's database, removed by the next run of the same test. */
#ifndef DEN_TESTS_UNIT_STORE_SCRATCH_H
#define DEN_TESTS_UNIT_STORE_SCRATCH_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "test.h"

static char scratch_folder[64];
static char scratch_path[128];

static int make_scratch(void **state)
{
    (void)state;
    snprintf(scratch_folder, sizeof scratch_folder, "/tmp/den-store-XXXXXX");
    assert_non_null(mkdtemp(scratch_folder));
    snprintf(scratch_path, sizeof scratch_path, "%s/den.db", scratch_folder);
    return 0;
}

__attribute__((unused)) static int remove_scratch(void **state)
{
    static const char *const ends[] = {
        "", "-wal", "-shm", "-journal", ".version-1", ".version-2", ".version-3"
    };
    char path[256];
    size_t i;

    (void)state;
    for (i = 0; i < sizeof ends / sizeof ends[0]; i++) {
        snprintf(path, sizeof path, "%s%s", scratch_path, ends[i]);
        unlink(path);
    }
    return rmdir(scratch_folder);
}

#endif
