/* A worker process is killed at every stage: its requests go on where they were, to the byte; one
 * that kills whatever it meets ends alone; a model that can't be loaded is given up. */
#include "worker/tiny_worker.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>

static pid_t pid_of(const struct den_worker *worker)
{
    struct den_worker_status status;

    den_worker_status(worker, &status);
    return (pid_t)status.pid;
}

static size_t deaths_of(const struct den_worker *worker)
{
    struct den_worker_status status;

    den_worker_status(worker, &status);
    return status.restarts;
}

/* Kills the process that there is, and waits until that has been noticed. */
static void kill_now(const struct den_worker *worker)
{
    size_t before = deaths_of(worker);
    pid_t pid = pid_of(worker);

    while (pid == 0) {
        usleep(200);
        pid = pid_of(worker);
    }
    kill(pid, SIGKILL);
    while (deaths_of(worker) == before)
        usleep(200);
}

static void an_answer_goes_on_to_the_byte(void **state)
{
    struct den_worker *worker = tiny_start_long((struct den_worker_options){ 0 });
    struct den_worker_request request = tiny_prompt_request("tell me", 600);
    static struct answer whole, cut;
    struct den_worker_status status;
    const char *stops[] = { "this is never said" };
    int deaths, round;

    request.stops = stops;
    request.stop_count = 1;
    for (round = 0; round < 2; round++) {
        request.temperature = round ? 0 : 0.9;
        request.logprobs = round ? 2 : -1;
        tiny_ask(worker, &request, &whole);
        tiny_submit(worker, &request, &cut);
        for (deaths = 0; deaths < 3 && !cut.ends; deaths++) {
            int seen = cut.texts;

            while (cut.texts < seen + 20 && !cut.ends)
                usleep(100);
            kill_now(worker);
        }
        tiny_wait(&cut);
        assert_int_equal(deaths, 3);
        assert_string_equal(cut.finish, "length");
        assert_int_equal(cut.generated_tokens, 600);
        assert_int_equal(cut.prompt_tokens, whole.prompt_tokens);
        assert_int_equal(cut.length, whole.length);
        assert_memory_equal(cut.text, whole.text, whole.length);
        assert_int_equal(cut.logprobs, whole.logprobs);
    }
    den_worker_status(worker, &status);
    assert_int_equal(status.restarts, 6);
    assert_int_equal(status.state, DEN_WORKER_READY);
    den_worker_stop(worker);
}

static void a_random_seed_is_kept(void **state)
{
    struct den_worker *worker = tiny_start_long((struct den_worker_options){ 0 });
    struct den_worker_request request = tiny_prompt_request("tell me", 400);
    static struct answer cut, again;

    request.seed = -1;
    tiny_submit(worker, &request, &cut);
    while (cut.texts < 50)
        usleep(100);
    kill_now(worker);
    tiny_wait(&cut);
    request.seed = (int64_t)cut.seed;
    tiny_ask(worker, &request, &again);
    assert_int_equal(again.length, cut.length);
    assert_memory_equal(again.text, cut.text, cut.length);
    den_worker_stop(worker);
}

enum { STREAMS = 12 };

static void all_streams_survive(void **state)
{
    struct den_worker *worker = tiny_start_long((struct den_worker_options){ .sequences = 8 });
    struct den_worker_request request = tiny_prompt_request("", 400);
    struct answer *whole = calloc(STREAMS, sizeof *whole), *cut = calloc(STREAMS, sizeof *cut);
    char prompts[STREAMS][16];
    int i, deaths;

    for (i = 0; i < STREAMS; i++) {
        snprintf(prompts[i], sizeof prompts[i], "number %d", i);
        request.prompt = prompts[i];
        tiny_ask(worker, &request, &whole[i]);
    }
    for (i = 0; i < STREAMS; i++) {
        request.prompt = prompts[i];
        tiny_submit(worker, &request, &cut[i]);
    }
    for (deaths = 0; deaths < 3 && !cut[STREAMS - 1].ends; deaths++) {
        int seen = cut[0].texts;

        while (cut[0].texts < seen + 10 && !cut[0].ends)
            usleep(100);
        kill_now(worker);
    }
    assert_true(deaths >= 1);
    for (i = 0; i < STREAMS; i++) {
        tiny_wait(&cut[i]);
        assert_string_equal(cut[i].finish, "length");
        assert_int_equal(cut[i].length, whole[i].length);
        assert_memory_equal(cut[i].text, whole[i].text, whole[i].length);
    }
    free(whole);
    free(cut);
    den_worker_stop(worker);
}

/* Killed again before the one request could say another token. */
static void twice_in_a_row_is_the_end(void **state)
{
    struct den_worker *worker = tiny_start_long((struct den_worker_options){ 0 });
    struct den_worker_request request = tiny_prompt_request("tell me", 16000);
    static struct answer answer;
    struct den_error err = { 0 };
    json_t *ids = json_array();

    tiny_submit(worker, &request, &answer);
    while (answer.texts < 10)
        usleep(100);
    while (!answer.ends) {
        pid_t pid = pid_of(worker);

        if (pid > 0)
            kill(pid, SIGKILL);
        usleep(1000);
    }
    tiny_wait(&answer);
    assert_string_equal(answer.finish, "error");
    assert_non_null(strstr(answer.error.message, "died"));
    /* the worker lives on, perhaps after the pause that follows a failure */
    do {
        err = (struct den_error){ 0 };
        usleep(1000);
    } while (den_worker_tokenize(worker, "x", 1, 0, ids, &err) != DEN_OK);
    json_decref(ids);
    den_worker_stop(worker);
}

static void a_cancel_reaches_a_dead_worker(void **state)
{
    struct den_worker *worker = tiny_start_long((struct den_worker_options){ 0 });
    struct den_worker_request request = tiny_prompt_request("tell me", 16000);
    static struct answer answer;

    tiny_submit(worker, &request, &answer);
    while (answer.texts < 10)
        usleep(100);
    kill(pid_of(worker), SIGKILL);
    den_ticket_release(answer.ticket);
    assert_string_equal(answer.finish, "cancelled");
    den_worker_stop(worker);
}

/* A copy of a model of which more is cut off than its header tells. */
static void a_truncated_model_kills_nobody(void **state)
{
    struct den_worker *worker = NULL;
    struct den_worker_request request = tiny_prompt_request("tell me", 10);
    struct den_error err = { 0 };
    static struct answer answer;
    char folder[64] = "/tmp/den-test-cut-XXXXXX", path[128], command[512];

    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/m.gguf", folder);
    snprintf(command, sizeof command, "cp %s/models/llama.gguf %s", DEN_FIXTURES, path);
    assert_int_equal(system(command), 0);
    worker = tiny_start(path, (struct den_worker_options){ 0 });
    tiny_ask(worker, &request, &answer);
    assert_string_equal(answer.finish, "length");
    assert_int_equal(truncate(path, 5000), 0);
    kill(pid_of(worker), SIGKILL);
    request.max_tokens = 50;
    while (pid_of(worker) != 0)
        usleep(200);
    assert_int_equal(
        den_worker_submit(worker, &request, tiny_on_event, &answer, &answer.ticket, &err),
        DEN_BAD_FILE);
    assert_non_null(strstr(err.message, "m.gguf"));
    den_worker_stop(worker);
    err = (struct den_error){ 0 };
    assert_int_equal(tiny_try(path, (struct den_worker_options){ 0 }, &worker, &err), DEN_BAD_FILE);
    unlink(path);
    rmdir(folder);
}

int worker_test_death(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_answer_goes_on_to_the_byte),
        cmocka_unit_test(a_random_seed_is_kept),
        cmocka_unit_test(all_streams_survive),
        cmocka_unit_test(twice_in_a_row_is_the_end),
        cmocka_unit_test(a_cancel_reaches_a_dead_worker),
        cmocka_unit_test(a_truncated_model_kills_nobody),
    };

    return cmocka_run_group_tests(tests, NULL, tiny_clean);
}
