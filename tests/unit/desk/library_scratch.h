/* A library in a folder of its own, with an embedder made of letters. */
#ifndef DEN_TESTS_UNIT_DESK_LIBRARY_SCRATCH_H
#define DEN_TESTS_UNIT_DESK_LIBRARY_SCRATCH_H

#include <math.h>
#include <stdatomic.h>
#include <sys/stat.h>

#include "thread_scratch.h"

#include "base/clock.h"
#include "base/file.h"
#include "desk/documents_parts.h"
#include "desk/ingest.h"
#include "desk/jobs.h"
#include "space/space.h"
#include "store/query.h"

enum { FAKE_WIDTH = 32 };

static struct den_originals *originals;
static struct den_space *space;
static struct den_documents *documents;
static struct den_jobs *jobs;
static struct den_ingest *ingest;
static atomic_bool embedder_is_there;
static atomic_bool embedder_fails;
static atomic_size_t embedded; /* texts */
/* the test exchanges it while threads ask for it */
static _Atomic(const char *) embedder_name = "letters";

/* How often each letter is in the text, at unit length. */
static void count_letters(const char *text, size_t length, float *out)
{
    float sum = 0;
    size_t i;

    memset(out, 0, FAKE_WIDTH * sizeof *out);
    for (i = 0; i < length; i++)
        out[(unsigned char)text[i] % FAKE_WIDTH] += 1;
    for (i = 0; i < FAKE_WIDTH; i++)
        sum += out[i] * out[i];
    for (i = 0; i < FAKE_WIDTH; i++)
        out[i] /= sqrtf(sum);
}

static enum den_status fake_take(void *context, void **out_handle, char out_name[128],
                                 size_t *out_width, struct den_error *problem)
{
    (void)context;
    if (!atomic_load(&embedder_is_there))
        return den_fail(problem, DEN_NOT_FOUND, "there is no embedding model");
    snprintf(out_name, 128, "%s", atomic_load(&embedder_name));
    *out_width = FAKE_WIDTH;
    *out_handle = &embedder_is_there;
    return DEN_OK;
}

static void fake_give_back(void *context, void *handle)
{
    (void)context;
    (void)handle;
}

static enum den_status fake_count(void *handle, const char *const *texts, const size_t *lengths,
                                  size_t count, size_t *out_counts, struct den_error *problem)
{
    size_t i;

    (void)handle;
    (void)texts;
    (void)problem;
    for (i = 0; i < count; i++)
        out_counts[i] = lengths[i] / 4 + 1;
    return DEN_OK;
}

static enum den_status fake_embed(void *handle, const char *const *texts, const size_t *lengths,
                                  size_t count, float *out, struct den_error *problem)
{
    size_t i;

    (void)handle;
    if (atomic_load(&embedder_fails))
        return den_fail(problem, DEN_INTERNAL, "the embedder broke");
    for (i = 0; i < count; i++)
        count_letters(texts[i], lengths[i], out + i * FAKE_WIDTH);
    atomic_fetch_add(&embedded, count);
    return DEN_OK;
}

static bool fake_name(void *context, char out[128])
{
    (void)context;
    snprintf(out, 128, "%s", atomic_load(&embedder_name));
    return atomic_load(&embedder_is_there);
}

__attribute__((unused)) static void start_ingest(void)
{
    const struct den_ingest_options options = { .database = database,
                                                .originals = originals,
                                                .documents = documents,
                                                .jobs = jobs,
                                                .space = space,
                                                .home = scratch_folder,
                                                .source = { .take = fake_take,
                                                            .give_back = fake_give_back,
                                                            .name = fake_name,
                                                            .count = fake_count,
                                                            .embed = fake_embed } };

    assert_ok(den_ingest_open(&options, &ingest, &err));
}

/* Ends what works, as the end of the program would; what waits stays. */
__attribute__((unused)) static void stop_ingest(void)
{
    den_ingest_close(ingest);
    ingest = NULL;
    den_jobs_close(jobs);
    assert_ok(den_jobs_open(database, events, &jobs, &err));
}

__attribute__((unused)) static int open_library(void **state)
{
    struct den_documents_options options;

    if (open_threads(state) != 0)
        return 1;
    atomic_store(&embedder_is_there, true);
    atomic_store(&embedder_fails, false);
    atomic_store(&embedder_name, "letters");
    atomic_store(&embedded, 0);
    assert_ok(den_originals_open(scratch_folder, database, &originals, &err));
    assert_ok(den_space_open(database, &space, &err));
    options = (struct den_documents_options){ database, originals, events };
    assert_ok(den_documents_open(&options, &documents, &err));
    assert_ok(den_jobs_open(database, events, &jobs, &err));
    return 0;
}

__attribute__((unused)) static int close_library(void **state)
{
    char folder[sizeof scratch_folder];
    int failed;

    snprintf(folder, sizeof folder, "%s", scratch_folder);
    den_ingest_close(ingest);
    ingest = NULL;
    den_jobs_close(jobs);
    den_documents_close(documents);
    den_space_close(space);
    den_originals_close(originals);
    failed = close_threads(state);
    den_folder_remove(folder);
    return failed;
}

/* --- asking --- */

__attribute__((unused)) static int64_t count_of(const char *sql)
{
    struct den_connection *connection;
    struct den_query query;
    int64_t count = -1;

    assert_ok(den_database_read(database, &connection, &err));
    assert_ok(den_query_start(&query, connection, &err, sql, ""));
    if (den_query_next(&query, &err))
        count = den_query_integer(&query, 0);
    den_query_end(&query);
    assert_ok(den_connection_end(connection, &err));
    return count;
}

__attribute__((unused)) static void change_rows(const char *sql)
{
    struct den_connection *connection;

    assert_ok(den_database_write(database, &connection, &err));
    den_execute(connection, &err, sql, "");
    assert_ok(den_connection_end(connection, &err));
}

/* What became of each document, for whoever reads why a wait was in vain. */
__attribute__((unused)) static void print_documents(void)
{
    struct den_connection *connection;
    struct den_query query;

    assert_ok(den_database_read(database, &connection, &err));
    assert_ok(den_query_start(&query, connection, &err,
                              "SELECT name, state, ifnull(error_message, '') FROM documents", ""));
    while (den_query_next(&query, &err))
        print_message("%s: %s %s\n", den_query_text(&query, 0), den_query_text(&query, 1),
                      den_query_text(&query, 2));
    den_query_end(&query);
    assert_ok(den_connection_end(connection, &err));
}

/* Waits until `sql` gives `wanted`; what takes ten minutes does not come. */
__attribute__((unused)) static void wait_for(const char *sql, int64_t wanted)
{
    int tries;

    for (tries = 0; tries < 60000 && count_of(sql) != wanted; tries++)
        usleep(10000);
    if (count_of(sql) != wanted)
        print_documents();
    assert_int_equal(count_of(sql), wanted);
}

__attribute__((unused)) static void keep_bytes(const void *bytes, size_t length,
                                               char out_hash[DEN_HASH_HEX + 1])
{
    struct den_incoming *incoming;
    uint64_t kept;

    assert_ok(den_incoming_begin(originals, &incoming, &err));
    assert_ok(den_incoming_append(incoming, bytes, length, &err));
    assert_ok(den_incoming_keep(incoming, out_hash, &kept, &err));
    assert_int_equal(kept, length);
}

/* {"document", "job"} */
__attribute__((unused)) static json_t *upload(const char *name, const char *text,
                                              const char *workspace, bool expected_existed)
{
    char hash[DEN_HASH_HEX + 1];
    struct den_ingest_upload given = {
        .hash = hash, .bytes = strlen(text), .name = name, .workspace = workspace
    };
    json_t *added = NULL;
    bool existed = false;

    keep_bytes(text, strlen(text), hash);
    assert_ok(den_ingest_add_upload(ingest, &given, &added, &existed, &err));
    assert_int_equal(existed, expected_existed);
    return added;
}

__attribute__((unused)) static void write_text(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");

    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

#endif
