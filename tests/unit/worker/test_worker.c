/* A worker process as callers see it: what it says of its model, requests, refusals, questions,
 * sleep, and the descriptors and memory it gives back. */
#include "worker/tiny_worker.h"

#include <dirent.h>

#include <signal.h>

#include "worker/be_worker.h"

static void tells_what_the_model_is(void **state)
{
    struct den_worker *worker = tiny_start("llama", (struct den_worker_options){ 0 });
    const struct den_worker_info *info = den_worker_info(worker);
    struct den_worker_status status;

    assert_int_equal(info->role, DEN_WORKER_CHAT);
    assert_string_equal(info->architecture, "llama");
    assert_string_equal(info->model_name, "tiny");
    assert_int_equal(info->vocabulary, 300);
    assert_int_equal(info->threads, 1);
    assert_true(info->width > 0 && info->context_tokens > 0 && info->parameters > 0);
    assert_string_equal(info->description, "0M BF16");
    den_worker_status(worker, &status);
    assert_int_equal(status.state, DEN_WORKER_READY);
    assert_true(status.pid > 0 && status.pid != getpid());
    assert_true(status.resident_bytes > 1 << 20);
    den_worker_stop(worker);
    assert_int_not_equal(kill((pid_t)status.pid, 0), 0); /* gone, and waited for */
}

static void answers_the_same_with_the_same_seed(void **state)
{
    struct den_worker *worker = tiny_start("llama", (struct den_worker_options){ 0 });
    struct den_worker_request request = tiny_prompt_request("hello there", 40);
    static struct answer first, second, other;

    request.logprobs = 3;
    tiny_ask(worker, &request, &first);
    tiny_ask(worker, &request, &second);
    assert_string_equal(first.finish, "length");
    assert_int_equal(first.generated_tokens, 40);
    assert_int_equal(first.logprobs, 40);
    assert_int_equal(first.alternatives, 120);
    assert_true(first.progress >= 1);
    assert_int_equal(first.seed, 7);
    assert_string_equal(first.text, second.text);
    request.seed = -1;
    tiny_ask(worker, &request, &second);
    tiny_ask(worker, &request, &other);
    assert_true(second.seed != other.seed);
    den_worker_stop(worker);
}

static void many_are_answered_together(void **state)
{
    struct den_worker *worker = tiny_start("llama", (struct den_worker_options){ .sequences = 4 });
    struct den_worker_request request = tiny_prompt_request("one of many", 30);
    struct answer *answers = calloc(41, sizeof *answers);
    struct den_worker_status status;
    int i;

    tiny_ask(worker, &request, &answers[40]);
    for (i = 0; i < 40; i++)
        tiny_submit(worker, &request, &answers[i]);
    for (i = 0; i < 40; i++) {
        tiny_wait(&answers[i]);
        assert_string_equal(answers[i].text, answers[40].text);
    }
    den_worker_status(worker, &status);
    assert_int_equal(status.requests, 41);
    assert_int_equal(status.generated_tokens, 41 * 30);
    assert_true(status.busy_seconds > 0);
    assert_true(status.peak_tokens_per_s == 0); /* no prompt was long enough to tell */
    assert_int_equal(status.running + status.waiting, 0);
    free(answers);
    den_worker_stop(worker);
}

static void refuses_at_once(void **state)
{
    struct den_worker *worker = tiny_start("llama", (struct den_worker_options){ 0 });
    struct den_worker_request request = tiny_prompt_request("x", 5);
    char *long_prompt = malloc(100001);
    struct den_error err = { 0 };
    struct den_ticket *ticket = NULL;
    static struct answer answer;

    memset(long_prompt, 'a', 100000);
    long_prompt[100000] = '\0';
    request.temperature = 1000;
    assert_int_equal(den_worker_submit(worker, &request, tiny_on_event, &answer, &ticket, &err),
                     DEN_INVALID);
    assert_non_null(strstr(err.message, "'temperature'"));
    err = (struct den_error){ 0 };
    request = tiny_prompt_request(long_prompt, 5);
    assert_int_equal(den_worker_submit(worker, &request, tiny_on_event, &answer, &ticket, &err),
                     DEN_CONTEXT_FULL);
    assert_null(ticket);
    free(long_prompt);
    den_worker_stop(worker);
}

static void cancels_and_releases(void **state)
{
    struct den_worker *worker = tiny_start_long((struct den_worker_options){ .sequences = 1 });
    struct den_worker_request request = tiny_prompt_request("x", 100000);
    static struct answer running, waiting, third;

    tiny_submit(worker, &request, &running);
    tiny_submit(worker, &request, &waiting);
    tiny_submit(worker, &request, &third);
    while (running.texts < 3)
        usleep(500);
    den_ticket_cancel(waiting.ticket);
    tiny_wait(&waiting);
    assert_string_equal(waiting.finish, "cancelled");
    assert_int_equal(waiting.texts, 0);
    den_ticket_cancel(running.ticket);
    tiny_wait(&running);
    assert_string_equal(running.finish, "cancelled");
    den_ticket_release(third.ticket); /* cancels, too */
    assert_int_equal(third.ends, 1);
    den_worker_stop(worker);
}

static void stop_ends_what_runs(void **state)
{
    struct den_worker *worker = tiny_start_long((struct den_worker_options){ 0 });
    struct den_worker_request request = tiny_prompt_request("x", 100000);
    static struct answer answer;

    tiny_submit(worker, &request, &answer);
    while (answer.texts < 3)
        usleep(500);
    den_worker_stop(worker);
    assert_int_equal(answer.ends, 1);
    assert_string_equal(answer.finish, "cancelled");
    den_ticket_release(answer.ticket);
}

static void answers_questions(void **state)
{
    struct den_worker *worker = tiny_start("llama", (struct den_worker_options){ 0 });
    json_t *ids = json_array(), *pieces = json_array(), *text = NULL;
    struct den_error err = { 0 };
    size_t i;

    assert_int_equal(den_worker_tokenize(worker, "hello, wörld", 13, 0, ids, &err), DEN_OK);
    assert_true(json_array_size(ids) > 2);
    assert_int_equal(den_worker_detokenize(worker, ids, &text, &err), DEN_OK);
    assert_non_null(strstr(json_string_value(text), "wörld"));
    assert_int_equal(
        den_worker_tokenize(worker, "hello, wörld", 13, DEN_WORKER_PIECES, pieces, &err), DEN_OK);
    assert_int_equal(json_array_size(pieces), json_array_size(ids));
    for (i = 0; i < json_array_size(ids); i++)
        assert_true(
            json_equal(json_object_get(json_array_get(pieces, i), "id"), json_array_get(ids, i)));
    json_decref(text);
    json_decref(ids);
    ids = json_pack("[i]", 1000000);
    assert_int_equal(den_worker_detokenize(worker, ids, &text, &err), DEN_INVALID);
    json_decref(ids);
    json_decref(pieces);
    den_worker_stop(worker);
}

static void large_requests_go_by_shared_memory(void **state)
{
    struct den_worker *worker = tiny_start("llama", (struct den_worker_options){ 0 });
    size_t length = 2 << 20;
    char *text = malloc(length);
    json_t *ids = json_array(), *back = NULL;
    struct den_error err = { 0 };

    memset(text, 'e', length);
    assert_int_equal(den_worker_tokenize(worker, text, length, 0, ids, &err), DEN_OK);
    assert_true(json_array_size(ids) > 1000);
    assert_int_equal(den_worker_detokenize(worker, ids, &back, &err), DEN_OK);
    assert_true(json_string_length(back) >= length);
    json_decref(ids);
    json_decref(back);
    free(text);
    den_worker_stop(worker);
}

static void sleeps_and_wakes(void **state)
{
    struct den_worker *worker = tiny_start_long((struct den_worker_options){ 0 });
    struct den_worker_request request = tiny_prompt_request("hello", 10);
    static struct answer before, after;
    struct den_worker_status status;
    struct den_error err = { 0 };

    tiny_ask(worker, &request, &before);
    assert_int_equal(den_worker_sleep(worker, &err), DEN_OK);
    den_worker_status(worker, &status);
    usleep(100000); /* and stays so: nobody wants anything */
    den_worker_status(worker, &status);
    assert_int_equal(status.state, DEN_WORKER_ASLEEP);
    assert_int_equal(status.pid, 0);
    assert_int_equal(status.resident_bytes, 0);
    assert_int_equal(den_worker_sleep(worker, &err), DEN_OK); /* it does already */
    tiny_ask(worker, &request, &after);
    assert_string_equal(before.text, after.text);
    den_worker_status(worker, &status);
    assert_int_equal(status.restarts, 0);
    request.max_tokens = 100000;
    tiny_submit(worker, &request, &after);
    assert_int_equal(den_worker_sleep(worker, &err), DEN_BUSY);
    den_ticket_release(after.ticket);
    den_worker_stop(worker);
}

static void idleness_puts_to_sleep(void **state)
{
    struct den_worker *worker =
        tiny_start("llama", (struct den_worker_options){ .idle_seconds = 0.05 });
    struct den_worker_request request = tiny_prompt_request("hello", 10);
    struct den_worker_status status = { 0 };
    static struct answer answer;

    tiny_ask(worker, &request, &answer);
    do {
        usleep(1000);
        den_worker_status(worker, &status);
    } while (status.state != DEN_WORKER_ASLEEP || status.pid != 0);
    usleep(100000);
    den_worker_status(worker, &status);
    assert_int_equal(status.state, DEN_WORKER_ASLEEP);
    tiny_ask(worker, &request, &answer);
    assert_string_equal(answer.finish, "length");
    den_worker_stop(worker);
}

/* Two run and one waits; what is told of them is told in the order in which they came. */
static void tells_what_it_does(void **state)
{
    struct den_worker *worker = tiny_start_long((struct den_worker_options){ .sequences = 2 });
    struct den_worker_request request = tiny_prompt_request("tell me", 100000);
    struct den_worker_activity seen[4];
    static struct answer answers[3];
    const char *const surfaces[] = { "openai.chat", NULL,
                                     "a name that is far too long for its place" };
    int i;

    assert_int_equal(den_worker_activity(worker, seen, 4), 0);
    for (i = 0; i < 3; i++) {
        request.surface = surfaces[i];
        tiny_submit(worker, &request, &answers[i]);
    }
    while (answers[0].texts < 5 || answers[1].texts < 5)
        usleep(500);
    assert_int_equal(den_worker_activity(worker, seen, 4), 3);
    assert_string_equal(seen[0].surface, "openai.chat");
    assert_string_equal(seen[1].surface, "");
    assert_string_equal(seen[2].surface, "a name that is far too long for");
    for (i = 0; i < 2; i++) {
        assert_int_equal(seen[i].state, DEN_ACTIVITY_WRITING);
        assert_true(seen[i].generated_tokens >= 5 && seen[i].tokens_per_s > 0);
        assert_true(seen[i].prompt_tokens > 0);
        assert_int_equal(seen[i].prompt_done, seen[i].prompt_tokens);
    }
    assert_true(seen[0].id < seen[1].id && seen[1].id < seen[2].id);
    assert_true(seen[0].age_seconds >= seen[2].age_seconds && seen[2].age_seconds >= 0);
    assert_int_equal(seen[2].state, DEN_ACTIVITY_WAITING);
    assert_int_equal(seen[2].prompt_tokens + seen[2].generated_tokens, 0);
    assert_int_equal(den_worker_activity(worker, seen, 1), 1); /* no more than there is room for */
    for (i = 0; i < 3; i++)
        den_ticket_release(answers[i].ticket);
    assert_int_equal(den_worker_activity(worker, seen, 4), 0);
    den_worker_stop(worker);
}

static size_t count_descriptors(void)
{
    DIR *listing = opendir("/proc/self/fd");
    size_t count = 0;

    while (readdir(listing))
        count++;
    closedir(listing);
    return count;
}

static void leaves_no_descriptor_behind(void **state)
{
    size_t before;
    int i;

    den_worker_stop(tiny_start("llama", (struct den_worker_options){ 0 }));
    before = count_descriptors();
    for (i = 0; i < 3; i++)
        den_worker_stop(tiny_start("llama.gguf", (struct den_worker_options){ 0 }));
    assert_int_equal(count_descriptors(), before);
}

static void tells_why_a_model_cant_be_loaded(void **state)
{
    struct den_worker *worker = NULL;
    struct den_error err = { 0 };

    assert_int_equal(tiny_try("absent.gguf", (struct den_worker_options){ 0 }, &worker, &err),
                     DEN_NOT_FOUND);
    assert_non_null(strstr(err.message, "absent.gguf: No such file or directory"));
    err = (struct den_error){ 0 };
    assert_int_equal(tiny_try("llama/config.json", (struct den_worker_options){ 0 }, &worker, &err),
                     DEN_BAD_FILE);
    assert_non_null(strstr(err.message, "config.json"));
    err = (struct den_error){ 0 };
    assert_int_equal(
        tiny_try("llama", (struct den_worker_options){ .context_tokens = 1 << 22 }, &worker, &err),
        DEN_INVALID);
    assert_non_null(strstr(err.message, "context"));
    assert_null(worker);
}

int worker_test_worker(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tells_what_the_model_is),
        cmocka_unit_test(answers_the_same_with_the_same_seed),
        cmocka_unit_test(many_are_answered_together),
        cmocka_unit_test(refuses_at_once),
        cmocka_unit_test(cancels_and_releases),
        cmocka_unit_test(stop_ends_what_runs),
        cmocka_unit_test(answers_questions),
        cmocka_unit_test(large_requests_go_by_shared_memory),
        cmocka_unit_test(sleeps_and_wakes),
        cmocka_unit_test(idleness_puts_to_sleep),
        cmocka_unit_test(tells_what_it_does),
        cmocka_unit_test(leaves_no_descriptor_behind),
        cmocka_unit_test(tells_why_a_model_cant_be_loaded),
    };

    return cmocka_run_group_tests(tests, NULL, tiny_clean);
}
