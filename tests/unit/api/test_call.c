/* A call between a worker's thread and a reader: pieces of any size, a full queue, an early end. */
#include "test.h"

#include <poll.h>

#include "api/openai.h"
#include "http_client.h"

static struct den_desk *desk;

static int open_desk(void **state)
{
    desk = make_desk();
    return 0;
}

static int close_desk(void **state)
{
    den_desk_destroy(desk);
    remove_home();
    return fake_running;
}

static enum den_status try_start(const char *text, struct den_call **out, struct den_error *err)
{
    struct den_call_options options = den_call_defaults(&den_surface_chat);

    options.state = calloc(1, sizeof(struct den_openai_state));
    options.body = json_loads(text, 0, NULL);
    assert_int_equal(den_chat_options_read(&options, err), DEN_OK);
    return den_call_start(&options, den_desk_roster(desk), out, err);
}

static struct den_call *start(const char *text)
{
    struct den_call *call = NULL;
    struct den_error err = { 0 };

    assert_int_equal(try_start(text, &call, &err), DEN_OK);
    return call;
}

static void await(struct den_call *call)
{
    struct pollfd fd = { .fd = call->event_fd, .events = POLLIN };

    assert_int_equal(poll(&fd, 1, -1), 1);
    den_call_quiet(call);
}

static size_t read_all(struct den_call *call, char *out, size_t piece)
{
    size_t length = 0;
    bool done = false;

    while (!done) {
        size_t got = den_call_take(call, out + length, piece, &done);

        assert_true(got <= piece);
        length += got;
        if (got == 0 && !done)
            await(call);
    }
    out[length] = '\0';
    return length;
}

static void pieces_of_any_size_add_up(void **state)
{
    const size_t pieces[] = { 1, 7, 100, 4096 };
    char text[8192];
    size_t length = 0, i;

    for (i = 0; i < 4; i++) {
        struct den_call *call = start("{\"stream\":true,\"max_tokens\":6,\"messages\":"
                                      "[{\"role\":\"user\",\"content\":\"hi\"}]}");
        size_t got = read_all(call, text, pieces[i]);

        assert_true(length == 0 || got == length);
        length = got;
        assert_non_null(strstr(text, "data: [DONE]\n\n"));
        assert_string_equal(strstr(text, "data: [DONE]\n\n"), "data: [DONE]\n\n");
        assert_true(den_call_has_ended(call) && !den_call_is_broken(call));
        den_call_destroy(call);
    }
}

static void a_full_queue_stops_the_worker(void **state)
{
    int before = fake_cancelled;
    struct den_call *call = start("{\"stream\":true,\"messages\":"
                                  "[{\"role\":\"user\",\"content\":\"flood\"}]}");

    while (!den_call_has_ended(call))
        await(call);
    assert_true(den_call_is_broken(call));
    assert_true(call->queue.length <= DEN_HTTP_QUEUE_BYTES_MAX);
    assert_int_equal(fake_cancelled, before + 1);
    den_call_destroy(call);
}

static void a_huge_answer_stops_the_worker(void **state)
{
    struct den_call *call =
        start("{\"messages\":[{\"role\":\"user\",\"content\":\"flood\"}],\"n\":2}");

    while (!den_call_has_ended(call))
        await(call);
    assert_true(den_call_is_broken(call));
    den_call_destroy(call);
}

/* The seed after the largest is 0: seeds count in 63 bits. */
static void the_largest_seed_has_a_next(void **state)
{
    struct den_call *call = start("{\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}],"
                                  "\"n\":2,\"seed\":9223372036854775807}");

    while (!den_call_has_ended(call))
        await(call);
    assert_true(call->choices[0].end.seed == INT64_MAX);
    assert_true(call->choices[1].end.seed == 0);
    den_call_destroy(call);
}

static void destroying_ends_all_answers(void **state)
{
    struct den_call *call = start("{\"n\":4,\"max_tokens\":100000,\"messages\":"
                                  "[{\"role\":\"user\",\"content\":\"slow\"}]}");
    int before = fake_cancelled;

    assert_int_equal(fake_running, 4);
    den_call_destroy(call);
    assert_int_equal(fake_running, 0);
    assert_int_equal(fake_cancelled, before + 4);
}

/* While one answer is given up the others still write, and find the queue full. */
static void destroying_a_flood_is_fine(void **state)
{
    int i;

    for (i = 0; i < 8; i++)
        den_call_destroy(start("{\"stream\":true,\"n\":4,\"messages\":"
                               "[{\"role\":\"user\",\"content\":\"flood\"}]}"));
    assert_int_equal(fake_running, 0);
}

static void a_refused_call_leaves_nothing(void **state)
{
    struct den_call *call = NULL;
    struct den_error err = { 0 };

    assert_int_equal(
        try_start("{\"messages\":[{\"role\":\"user\",\"content\":\"busy\"}],\"n\":3}", &call, &err),
        DEN_BUSY);
    err = (struct den_error){ 0 };
    assert_int_equal(try_start("{\"model\":\"gpt-4o\",\"messages\":"
                               "[{\"role\":\"user\",\"content\":\"hi\"}]}",
                               &call, &err),
                     DEN_NOT_FOUND);
    assert_null(call);
}

static void no_time_is_no_speed(void **state)
{
    const struct den_worker_info info = { .context_tokens = 99 };
    struct den_call call = { .model = &info };
    const struct den_choice choice = { .call = &call };
    json_t *object = den_measures_json(&choice);

    assert_true(json_real_value(json_object_get(object, "tokens_per_s")) == 0);
    assert_int_equal(json_integer_value(json_object_get(object, "context_tokens")), 99);
    json_decref(object);
}

static void tokens_keep_their_bytes(void **state)
{
    const struct den_worker_logprob own = { .text = "a\0\xE2\x82", .length = 4, .logprob = 0 };
    const struct den_worker_logprob top = { .text = "", .length = 0, .logprob = -INFINITY };
    const struct den_worker_event event = { .logprob = &own, .top = &top, .top_count = 1 };
    json_t *object = den_logprob_json(&event), *bytes = json_object_get(object, "bytes");
    const json_t *token = json_object_get(object, "token");

    assert_int_equal(json_string_length(token), 5);
    assert_memory_equal(json_string_value(token), "a\0\xEF\xBF\xBD", 5);
    assert_int_equal(json_array_size(bytes), 4);
    assert_int_equal(json_integer_value(json_array_get(bytes, 3)), 0x82);
    assert_true(json_real_value(get(object, "top_logprobs.0.logprob")) == -9999.0);
    json_decref(object);
}

int api_test_call(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pieces_of_any_size_add_up),
        cmocka_unit_test(a_full_queue_stops_the_worker),
        cmocka_unit_test(a_huge_answer_stops_the_worker),
        cmocka_unit_test(the_largest_seed_has_a_next),
        cmocka_unit_test(destroying_ends_all_answers),
        cmocka_unit_test(destroying_a_flood_is_fine),
        cmocka_unit_test(a_refused_call_leaves_nothing),
        cmocka_unit_test(no_time_is_no_speed),
        cmocka_unit_test(tokens_keep_their_bytes),
    };

    return cmocka_run_group_tests(tests, open_desk, close_desk);
}
