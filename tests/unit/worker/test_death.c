/* A worker process is killed at every stage: its requests go on where they were, to the byte; one
 * that kills whatever it meets ends alone; a model that can't be loaded is given up. */
#include "worker/tiny_worker.h"

#include <fcntl.h>
#include <pthread.h>
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

/* Waits until each of the first `count` that has not ended has said `more` tokens more to the
 * front. What the teller has told says nothing: it may still be telling of a dead process. */
static void wait_for_tokens(struct den_worker *worker, size_t count, size_t more)
{
    struct den_worker_activity before[16], now[16];
    size_t known = den_worker_activity(worker, before, count), i, k, left;

    do {
        const size_t found = den_worker_activity(worker, now, count);

        usleep(200);
        for (left = i = 0; i < known; i++)
            for (k = 0; k < found; k++)
                left += now[k].id == before[i].id &&
                        now[k].generated_tokens < before[i].generated_tokens + more;
    } while (left > 0);
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

/* Tokens that the one request has, or as if there were many once it has ended. */
static size_t written(struct den_worker *worker)
{
    struct den_worker_activity now;

    return den_worker_activity(worker, &now, 1) == 1 ? now.generated_tokens : 10000;
}

static void an_answer_goes_on_to_the_byte(void **state)
{
    struct den_worker *worker = tiny_start_long((struct den_worker_options){ 0 });
    struct den_worker_request request = tiny_prompt_request("tell me", 600);
    static struct answer whole, cut;
    struct den_worker_status status;
    const char *stops[] = { "this is never said" };
    int deaths, round, total = 0;

    request.stops = stops;
    request.stop_count = 1;
    for (round = 0; round < 2; round++) {
        request.temperature = round ? 0 : 0.9;
        request.logprobs = round ? 2 : -1;
        tiny_ask(worker, &request, &whole);
        tiny_submit(worker, &request, &cut);
        for (deaths = 0; deaths < 3 && written(worker) < 300; deaths++) {
            wait_for_tokens(worker, 1, 20);
            kill_now(worker);
        }
        tiny_wait(&cut);
        assert_true(deaths >= 1); /* a quick machine has answered before the third */
        total += deaths;
        assert_string_equal(cut.finish, "length");
        assert_int_equal(cut.generated_tokens, 600);
        assert_int_equal(cut.prompt_tokens, whole.prompt_tokens);
        assert_int_equal(cut.length, whole.length);
        assert_memory_equal(cut.text, whole.text, whole.length);
        assert_int_equal(cut.logprobs, whole.logprobs);
    }
    den_worker_status(worker, &status);
    assert_int_equal(status.restarts, total);
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
        wait_for_tokens(worker, 8, 10);
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

/* A process that stands still answers no ping: it is ended like a dead one. */
static void a_hung_process_is_replaced(void **state)
{
    struct den_worker *worker =
        tiny_start_long((struct den_worker_options){ .silent_seconds = 0.5 });
    struct den_worker_request request = tiny_prompt_request("tell me", 3000);
    struct den_worker_status status;
    static struct answer whole, cut;
    pid_t hung;

    tiny_ask(worker, &request, &whole);
    tiny_submit(worker, &request, &cut);
    wait_for_tokens(worker, 1, 20);
    hung = pid_of(worker);
    kill(hung, SIGSTOP);
    tiny_wait(&cut);
    assert_string_equal(cut.finish, "length");
    assert_int_equal(cut.length, whole.length);
    assert_memory_equal(cut.text, whole.text, whole.length);
    den_worker_status(worker, &status);
    assert_true(status.restarts >= 1 && status.pid != hung);
    den_worker_stop(worker);
}

enum { POISON_WORDS = 3000 };

struct poison {
    struct den_worker *worker;
    atomic_bool stop;
    atomic_int kills;
};

/* Kills every process that has begun with the poison. */
static void *be_poisonous(void *context)
{
    struct poison *poison = context;
    pid_t killed = 0;

    while (!poison->stop) {
        struct den_worker_activity now[8];
        size_t count = den_worker_activity(poison->worker, now, 8), i;
        pid_t pid = pid_of(poison->worker);

        for (i = 0; i < count; i++)
            if (strcmp(now[i].surface, "poison") == 0 && now[i].state == DEN_ACTIVITY_READING &&
                pid > 0 && pid != killed) {
                kill(pid, SIGKILL);
                killed = pid;
                poison->kills++;
            }
        usleep(50);
    }
    return NULL;
}

/* One of several requests kills each process that begins with it: it ends, the others go on. */
static void poison_ends_alone(void **state)
{
    struct poison poison = { .worker = tiny_start_long((struct den_worker_options){ 0 }) };
    struct den_worker_request request = tiny_prompt_request("tell me", 400);
    static struct answer whole, poisoned, good[4];
    char *words = malloc(POISON_WORDS * 2 + 1);
    pthread_t killer;
    int i;

    for (i = 0; i < POISON_WORDS; i++)
        memcpy(words + 2 * i, "a ", 3);
    tiny_ask(poison.worker, &request, &whole);
    assert_int_equal(pthread_create(&killer, NULL, be_poisonous, &poison), 0);
    tiny_submit(poison.worker, &request, &good[0]);
    tiny_submit(poison.worker, &request, &good[1]);
    request.surface = "poison";
    request.prompt = words;
    tiny_submit(poison.worker, &request, &poisoned);
    request.surface = "";
    request.prompt = "tell me";
    tiny_submit(poison.worker, &request, &good[2]);
    tiny_submit(poison.worker, &request, &good[3]);
    tiny_wait(&poisoned);
    assert_string_equal(poisoned.finish, "error");
    assert_non_null(strstr(poisoned.error.message, "twice in a row"));
    for (i = 0; i < 4; i++) {
        tiny_wait(&good[i]);
        assert_string_equal(good[i].finish, "length");
        assert_int_equal(good[i].generated_tokens, 400);
    }
    assert_in_range(poison.kills, 2, 6);
    poison.stop = true;
    pthread_join(killer, NULL);
    free(words);
    den_worker_stop(poison.worker);
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
        cmocka_unit_test(a_hung_process_is_replaced),
        cmocka_unit_test(poison_ends_alone),
        cmocka_unit_test(a_truncated_model_kills_nobody),
    };

    return cmocka_run_group_tests(tests, NULL, tiny_clean);
}
