/* Searches beside writers: two threads search while one adds, replaces and removes items, and the
 * embedder is changed under all of them. No search fails, each sees something that was true at one
 * moment, and what is found in the end is what a sort of everything finds. A fixed number of steps;
 * meant for the sanitizers as much as for itself. */
#include "scratch_space.h"

#include <pthread.h>
#include <stdatomic.h>

enum { WIDTH = 64, FIRST = 120, STEPS = 40, SEARCHES = 60, COUNT = 10, DOCUMENTS = 4 };

static int64_t documents[DOCUMENTS];
static struct den_space_embedder old, new;
static atomic_bool has_ended;
static atomic_int failures, searches;

/* The vector of an item, by its row: the same each time it is asked for. */
static void make_vector(int64_t row, const struct den_space_embedder *embedder, float *out)
{
    uint64_t state = (uint64_t)row * 7919 + (uint64_t)embedder->row * 104729;
    size_t i;

    for (i = 0; i < WIDTH; i++)
        out[i] = noise(&state);
    make_unit(out, WIDTH);
}

static void write_vectors(struct den_connection *connection, int64_t row, bool both,
                          struct den_error *err)
{
    float vector[WIDTH];
    const struct den_space_item item = { .row = row, .vector = vector };

    make_vector(row, &old, vector);
    den_space_put_vectors(connection, &old, &item, 1, err);
    if (!both)
        return;
    make_vector(row, &new, vector);
    den_space_put_vectors(connection, &new, &item, 1, err);
}

static int64_t write_item(int number, bool both, struct den_error *err)
{
    struct den_connection *connection;
    char text[64];
    int64_t row;

    if (den_database_write(database, &connection, err) != DEN_OK)
        return 0;
    snprintf(text, sizeof text, "item %d of colour%d", number, number % 7);
    den_execute(connection, err,
                "INSERT INTO items (document, part, ordinal, start, stop, heading, text, tokens) "
                "SELECT ?1, p.row, 1000 + ?2, 0, 1, '', ?3, 1 FROM parts p WHERE p.document = ?1",
                "iit", documents[number % DOCUMENTS], (int64_t)number, text);
    row = den_connection_last_row(connection);
    write_vectors(connection, row, both, err);
    den_connection_end(connection, err);
    return row;
}

static void change(const char *sql, int64_t row, struct den_error *err)
{
    struct den_connection *connection;

    if (den_database_write(database, &connection, err) != DEN_OK)
        return;
    den_execute(connection, err, sql, "i", row);
    den_connection_end(connection, err);
}

static void *search_often(void *context)
{
    uint64_t state = (uint64_t)(uintptr_t)context + 1;
    int asked;

    /* at least so many, and on until the writer has ended */
    for (asked = 0; asked < SEARCHES || (!atomic_load(&has_ended) && asked < 100 * SEARCHES);
         asked++) {
        float vector[WIDTH];
        struct den_space_query query = { .words = "colour3 item",
                                         .vector = vector,
                                         .width = WIDTH,
                                         .count = COUNT,
                                         .diversity = NAN };
        struct den_space_result result = { 0 };
        struct den_error err = { 0 };
        size_t i;

        for (i = 0; i < WIDTH; i++)
            vector[i] = noise(&state);
        make_unit(vector, WIDTH);
        if (den_space_search(space, &query, &result, &err) != DEN_OK || result.count != COUNT)
            atomic_fetch_add(&failures, 1);
        for (i = 0; i < result.count; i++)
            if (isnan(result.hits[i].cosine) || fabs(result.hits[i].cosine) > 1.001 ||
                (i > 0 && result.hits[i].item == result.hits[i - 1].item))
                atomic_fetch_add(&failures, 1);
        den_space_result_free(&result);
        atomic_fetch_add(&searches, 1);
    }
    return NULL;
}

/* Items come and go; half way through, searches are handed over to the other embedder. */
static void write_beside(struct den_error *err)
{
    int step;

    for (step = 0; step < STEPS && err->status == DEN_OK; step++) {
        const int64_t row = write_item(FIRST + step, true, err);

        if (step % 3 == 1)
            change("DELETE FROM items WHERE row = ?", row, err);
        if (step % 3 == 2)
            change("UPDATE vectors SET vector = vector WHERE item = ?", row, err);
        if (step == STEPS / 2 && den_space_switch(space, new.row, err) == DEN_OK)
            old = new; /* the row is gone: from here on one vector is written twice */
    }
}

static double dot(const float *a, const float *b)
{
    double sum = 0;
    size_t i;

    for (i = 0; i < WIDTH; i++)
        sum += (double)a[i] * (double)b[i];
    return sum;
}

/* No item that is not among the hits is nearer than the last of them. */
static void expect_the_nearest(void)
{
    float question[WIDTH], vector[WIDTH];
    struct den_space_query query = {
        .vector = question, .width = WIDTH, .count = COUNT, .no_feedback = true
    };
    struct den_space_result result;
    struct den_error err = { 0 };
    struct den_connection *connection;
    struct den_query rows;
    size_t nearer = 0, there = 0, i;
    uint64_t state = 99;
    struct den_space_memory memory;
    double least = 1;

    make_vector(5, &new, question);
    question[0] += noise(&state) / 10;
    make_unit(question, WIDTH);
    den_space_search(space, &query, &result, &err);
    succeed(&err);
    assert_int_equal(result.count, COUNT);
    for (i = 0; i < COUNT; i++)
        least = fmin(least, result.hits[i].cosine);
    den_database_read(database, &connection, &err);
    den_query_start(&rows, connection, &err, "SELECT row FROM items", "");
    for (; den_query_next(&rows, &err); there++) {
        make_vector(den_query_integer(&rows, 0), &new, vector);
        nearer += dot(question, vector) > least + 1e-3; /* halves */
    }
    den_query_end(&rows);
    den_connection_end(connection, &err);
    succeed(&err);
    assert_true(nearer < COUNT);
    assert_int_equal(there, result.searched);
    den_space_memory(space, &memory);
    assert_true(memory.vectors >= there && memory.vectors < 2 * there);
    assert_int_equal(memory.codes_bytes, 1024 * WIDTH); /* one block */
    assert_true(memory.rows_bytes >= 1024 * 16 && memory.rows_bytes < 1024 * 20);
    assert_true(memory.find_bytes >= 4 * memory.vectors && memory.sets_bytes == 0);
    den_space_result_free(&result);
}

static void searches_hold_beside_writers(void **state)
{
    struct den_error err = { 0 };
    pthread_t threads[2];
    size_t i;
    int n;

    (void)state;
    for (n = 0; n < DOCUMENTS; n++)
        documents[n] = add_document((const char *[]){ "a", "b", "c", "d" }[n], "text", "[]", 1);
    den_space_embedder(space, "old", WIDTH, &old, &err);
    den_space_embedder(space, "new", WIDTH, &new, &err);
    for (n = 0; n < FIRST && err.status == DEN_OK; n++)
        write_item(n, true, &err);
    succeed(&err);
    for (i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, search_often, (void *)(uintptr_t)i), 0);
    write_beside(&err);
    atomic_store(&has_ended, true);
    for (i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    succeed(&err);
    assert_int_equal(failures, 0);
    assert_true(searches >= 2 * SEARCHES);
    expect_the_nearest();
}

int space_test_search_beside(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(searches_hold_beside_writers, open_space, close_space),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
