/* The queue: what waits survives, what runs is claimed once, what fails does not stop the rest. */
#include "library_scratch.h"

static int64_t add_job(const char *kind, size_t tasks)
{
    const json_t *fields = parse("{'origin': 'file', 'workspace': 'w'}");
    const struct den_job_row row = { .kind = kind, .title = "papers", .fields = fields };
    struct den_connection *connection;
    struct den_task_row task = { .name = "a.txt", .address = "/nowhere/a.txt", .bytes = 10 };
    size_t i;

    assert_ok(den_database_write(database, &connection, &err));
    assert_ok(den_job_open(connection, &row, &task.job, &err));
    for (i = 0; i < tasks; i++)
        assert_ok(den_task_add(connection, &task, &err));
    assert_ok(den_connection_end(connection, &err));
    den_jobs_added(jobs, task.job);
    json_decref((json_t *)fields);
    return task.job;
}

static json_t *job_at(size_t index)
{
    json_t *list = NULL, *job;

    assert_ok(den_jobs_list(jobs, &list, &err));
    job = json_incref(json_array_get(json_object_get(list, "jobs"), index));
    assert_non_null(job);
    json_decref(list);
    return job;
}

static void expect(size_t index, const char *path, const char *wanted)
{
    json_t *job = job_at(index);

    assert_string_equal(text_at(job, path), wanted);
    json_decref(job);
}

static void id_of(size_t index, char out[80])
{
    json_t *job = job_at(index);

    snprintf(out, 80, "%s", text_at(job, "id"));
    json_decref(job);
}

static void end_task(struct den_task *task, const char *state, enum den_status status)
{
    struct den_error reason = { .status = status, .message = "it is torn" };
    struct den_connection *connection;

    assert_ok(den_database_write(database, &connection, &err));
    assert_ok(den_task_set(connection, task, 0, state, &reason, &err));
    assert_ok(den_connection_end(connection, &err));
    den_jobs_release(jobs, task);
}

static void tasks_are_claimed_once_and_jobs_take_turns(void **state)
{
    int64_t first = add_job("add", 5), second = add_job("add", 5);
    struct den_task *a, *b, *c;

    assert_true(den_jobs_claim(jobs, &a) && den_jobs_claim(jobs, &b) && den_jobs_claim(jobs, &c));
    assert_true(a->row != b->row && b->row != c->row && a->row != c->row);
    assert_int_equal(a->job, first);
    assert_int_equal(b->job, second);
    assert_int_equal(c->job, first);
    expect(0, "state", "running");
    expect(0, "workspace", "w");
    den_jobs_release(jobs, a); /* not done: it waits again */
    end_task(b, "done", DEN_OK);
    end_task(c, "done", DEN_OK);
    assert_int_equal(count_of("SELECT count(*) FROM tasks WHERE state = 'waiting'"), 8);
}

static void a_failure_does_not_stop_the_rest(void **state)
{
    struct den_task *task;
    char id[80];
    json_t *job;

    add_job("add", 2);
    assert_true(den_jobs_claim(jobs, &task));
    end_task(task, "failed", DEN_BAD_FILE);
    expect(0, "state", "running");
    expect(0, "failed", "1");
    assert_true(den_jobs_claim(jobs, &task));
    end_task(task, "done", DEN_OK);
    expect(0, "state", "done");
    expect(0, "bytes_done", "20");
    id_of(0, id);
    assert_ok(den_job_get(jobs, id, &job, &err));
    assert_string_equal(text_at(job, "tasks.0.error.code"), "bad_file");
    assert_string_equal(text_at(job, "tasks.0.error.message"), "it is torn");
    assert_int_equal(json_array_size(json_object_get(job, "tasks")), 1);
    json_decref(job);
    assert_ok(den_job_retry(jobs, id, &job, &err));
    assert_string_equal(text_at(job, "state"), "waiting");
    assert_string_equal(text_at(job, "failed"), "0");
    json_decref(job);
    assert_true(den_jobs_claim(jobs, &task));
    end_task(task, "done", DEN_OK);
    expect(0, "done", "2");
    expect(0, "state", "done");
}

/* What was there already, and what no reader knows: each counted, and named up to a bound. */
static void what_is_passed_over_has_its_reason(void **state)
{
    enum { UNKNOWN = DEN_JOB_PASSED_SHOWN_MAX + 3 };
    const json_t *passed, *tasks;
    struct den_task *task;
    char id[80];
    json_t *job;
    size_t i;

    add_job("add", UNKNOWN + 1);
    for (i = 0; i < UNKNOWN + 1; i++) {
        assert_true(den_jobs_claim(jobs, &task));
        end_task(task, "skipped", i == 0 ? DEN_OK : DEN_UNSUPPORTED);
    }
    expect(0, "state", "done");
    id_of(0, id);
    assert_ok(den_job_get(jobs, id, &job, &err));
    assert_int_equal(json_array_size(json_object_get(job, "tasks")), 0);
    passed = json_object_get(job, "passed_over");
    tasks = json_object_get(passed, "tasks");
    assert_int_equal(json_integer_value(json_object_get(passed, "there")), 1);
    assert_int_equal(json_integer_value(json_object_get(passed, "unknown")), UNKNOWN);
    assert_int_equal(json_array_size(tasks), 1 + DEN_JOB_PASSED_SHOWN_MAX);
    assert_true(json_is_null(json_object_get(json_array_get(tasks, 0), "error")));
    assert_string_equal(text_at(job, "passed_over.tasks.1.error.code"), "unsupported");
    json_decref(job);
}

/* A large file is not nothing until it is all. */
static void what_is_in_the_middle_counts(void **state)
{
    struct den_task *task;

    add_job("add", 1);
    assert_true(den_jobs_claim(jobs, &task));
    expect(0, "bytes_done", "0");
    atomic_store(&task->permille, 700);
    expect(0, "bytes_done", "2"); /* of 10 bytes, three of which are the reading */
    end_task(task, "running", DEN_OK);
    expect(0, "bytes_done", "3");
    change_rows("INSERT INTO originals VALUES "
                "('aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa', 1, 0)");
    change_rows("INSERT INTO documents (row, id, original, name, origin, bytes, created, updated, "
                "state) SELECT 5, 'd', hash, 'a', 'upload', 1, 0, 0, 'embedding' FROM originals");
    change_rows("UPDATE tasks SET document = 5");
    den_jobs_embedded(jobs, 5, 500);
    expect(0, "bytes_done", "6");
    den_jobs_embedded(jobs, 5, 1000);
    expect(0, "bytes_done", "3"); /* its task says the rest */
    change_rows("UPDATE tasks SET state = 'done'");
    expect(0, "bytes_done", "10");
}

static void a_job_of_failures_has_failed(void **state)
{
    struct den_task *task;

    add_job("add", 1);
    assert_true(den_jobs_claim(jobs, &task));
    end_task(task, "failed", DEN_IO);
    expect(0, "state", "failed");
}

static void a_paused_job_gives_no_tasks(void **state)
{
    struct den_task *held, *task;
    char first[80];
    json_t *job;

    add_job("add", 3);
    id_of(0, first);
    assert_true(den_jobs_claim(jobs, &held));
    assert_ok(den_job_set(jobs, first, "paused", &job, &err));
    assert_string_equal(text_at(job, "state"), "paused");
    json_decref(job);
    assert_true(atomic_load(&held->cancel));
    add_job("add", 1);
    assert_true(den_jobs_claim(jobs, &task));
    assert_true(task->job != held->job);
    end_task(task, "done", DEN_OK);
    den_jobs_release(jobs, held);
    assert_ok(den_job_set(jobs, first, "running", &job, &err));
    json_decref(job);
    assert_true(den_jobs_claim(jobs, &task));
    assert_false(atomic_load(&task->cancel));
    den_jobs_release(jobs, task);
    assert_fails(den_job_set(jobs, first, "done", &job, &err), DEN_INVALID);
    assert_fails(den_job_set(jobs, "none", "paused", &job, &err), DEN_NOT_FOUND);
}

static void a_cancelled_job_ends_and_is_then_forgotten(void **state)
{
    struct den_task *held;
    char id[80];
    json_t *job;

    add_job("add", 3);
    id_of(0, id);
    assert_true(den_jobs_claim(jobs, &held));
    assert_ok(den_jobs_cancel(jobs, id, &err));
    assert_true(atomic_load(&held->cancel));
    expect(0, "state", "cancelled");
    assert_int_equal(count_of("SELECT count(*) FROM tasks WHERE state = 'cancelled'"), 3);
    den_jobs_release(jobs, held);
    assert_fails(den_job_set(jobs, id, "paused", &job, &err), DEN_IN_USE);
    assert_ok(den_jobs_cancel(jobs, id, &err));
    assert_int_equal(count_of("SELECT count(*) FROM jobs"), 0);
    assert_int_equal(count_of("SELECT count(*) FROM tasks"), 0);
    assert_fails(den_jobs_cancel(jobs, id, &err), DEN_NOT_FOUND);
}

static void a_document_takes_its_tasks_with_it(void **state)
{
    struct den_connection *connection;
    int64_t job = add_job("add", 1);

    assert_ok(den_database_write(database, &connection, &err));
    den_execute(connection, &err, "INSERT INTO originals VALUES ('aa', 1, 0); ", "");
    den_execute(connection, &err,
                "INSERT INTO documents (row, id, original, name, origin, bytes, created, updated, "
                "state) VALUES (7, 'd', 'aa', 'a', 'upload', 1, 0, 0, 'embedding')",
                "");
    den_execute(connection, &err, "UPDATE tasks SET document = 7, state = 'running'", "");
    assert_ok(den_tasks_of_document(connection, 7, "done", &err));
    assert_ok(den_connection_end(connection, &err));
    expect(0, "state", "done");
    assert_true(job > 0);
}

static void a_stop_ends_the_wait(void **state)
{
    struct den_task *task = (struct den_task *)&state;

    den_jobs_stop(jobs);
    assert_false(den_jobs_claim(jobs, &task));
    assert_null(task);
}

static void few_ended_jobs_are_kept(void **state)
{
    size_t i;

    for (i = 0; i < DEN_JOBS_KEPT_MAX + 20; i++)
        add_job("add", 0);
    change_rows("UPDATE jobs SET state = 'done', ended = 1");
    add_job("add", 1);
    assert_int_equal(count_of("SELECT count(*) FROM jobs"), DEN_JOBS_KEPT_MAX + 1);
}

int desk_test_jobs(int argc, char **argv)
{
#define LIBRARY_TEST(name) cmocka_unit_test_setup_teardown(name, open_library, close_library)
    const struct CMUnitTest tests[] = {
        LIBRARY_TEST(tasks_are_claimed_once_and_jobs_take_turns),
        LIBRARY_TEST(a_failure_does_not_stop_the_rest),
        LIBRARY_TEST(what_is_passed_over_has_its_reason),
        LIBRARY_TEST(what_is_in_the_middle_counts),
        LIBRARY_TEST(a_job_of_failures_has_failed),
        LIBRARY_TEST(a_paused_job_gives_no_tasks),
        LIBRARY_TEST(a_cancelled_job_ends_and_is_then_forgotten),
        LIBRARY_TEST(a_document_takes_its_tasks_with_it),
        LIBRARY_TEST(a_stop_ends_the_wait),
        LIBRARY_TEST(few_ended_jobs_are_kept),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
