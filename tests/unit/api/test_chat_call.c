/* A call between a worker's thread and a reader: pieces of any size, a full queue, an early end. */
#include "test.h"

#include <poll.h>

#include "api/chat_call.h"
#include "http_client.h"

static struct den_worker worker;
static struct den_desk *desk;

static int open_desk(void **state)
{
    struct den_error err = { 0 };

    worker.info = fake_info;
    return den_desk_create(&worker, &desk, &err);
}

static int close_desk(void **state)
{
    den_desk_destroy(desk);
    return fake_running;
}

static struct den_chat_call *start(const char *text)
{
    struct den_chat_options options;
    struct den_chat_call *call;
    struct den_error err = { 0 };
    json_t *body = json_loads(text, 0, NULL);

    assert_int_equal(den_chat_options_read(body, desk, &options, &err), DEN_OK);
    assert_int_equal(den_chat_call_start(&options, desk, &call, &err), DEN_OK);
    json_decref(body);
    return call;
}

static void await(struct den_chat_call *call)
{
    struct pollfd fd = { .fd = call->event_fd, .events = POLLIN };

    assert_int_equal(poll(&fd, 1, -1), 1);
    den_chat_call_quiet(call);
}

static size_t read_all(struct den_chat_call *call, char *out, size_t piece)
{
    size_t length = 0;
    bool done = false;

    while (!done) {
        size_t got = den_chat_call_take(call, out + length, piece, &done);

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
        struct den_chat_call *call = start("{\"stream\":true,\"max_tokens\":6,\"messages\":"
                                           "[{\"role\":\"user\",\"content\":\"hi\"}]}");
        size_t got = read_all(call, text, pieces[i]);

        assert_true(length == 0 || got == length);
        length = got;
        assert_non_null(strstr(text, "data: [DONE]\n\n"));
        assert_string_equal(strstr(text, "data: [DONE]\n\n"), "data: [DONE]\n\n");
        assert_true(den_chat_call_has_ended(call) && !den_chat_call_is_broken(call));
        den_chat_call_destroy(call);
    }
}

static void a_full_queue_stops_the_worker(void **state)
{
    int before = fake_cancelled;
    struct den_chat_call *call = start("{\"stream\":true,\"messages\":"
                                       "[{\"role\":\"user\",\"content\":\"flood\"}]}");

    while (!den_chat_call_has_ended(call))
        await(call);
    assert_true(den_chat_call_is_broken(call));
    assert_true(call->queue.length <= DEN_HTTP_QUEUE_BYTES_MAX);
    assert_int_equal(fake_cancelled, before + 1);
    den_chat_call_destroy(call);
}

static void a_huge_answer_stops_the_worker(void **state)
{
    struct den_chat_call *call =
        start("{\"messages\":[{\"role\":\"user\",\"content\":\"flood\"}],\"n\":2}");

    while (!den_chat_call_has_ended(call))
        await(call);
    assert_true(den_chat_call_is_broken(call));
    den_chat_call_destroy(call);
}

/* The seed after the largest is 0: seeds count in 63 bits. */
static void the_largest_seed_has_a_next(void **state)
{
    struct den_chat_call *call = start("{\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}],"
                                       "\"n\":2,\"seed\":9223372036854775807}");

    while (!den_chat_call_has_ended(call))
        await(call);
    assert_true(call->choices[0].seed == INT64_MAX);
    assert_true(call->choices[1].seed == 0);
    den_chat_call_destroy(call);
}

static void destroying_ends_all_answers(void **state)
{
    struct den_chat_call *call = start("{\"n\":4,\"max_tokens\":100000,\"messages\":"
                                       "[{\"role\":\"user\",\"content\":\"slow\"}]}");
    int before = fake_cancelled;

    assert_int_equal(fake_running, 4);
    den_chat_call_destroy(call);
    assert_int_equal(fake_running, 0);
    assert_int_equal(fake_cancelled, before + 4);
}

static void a_refused_call_leaves_nothing(void **state)
{
    struct den_chat_options options;
    struct den_chat_call *call = NULL;
    struct den_error err = { 0 };
    json_t *body =
        json_loads("{\"messages\":[{\"role\":\"user\",\"content\":\"busy\"}],\"n\":3}", 0, NULL);

    assert_int_equal(den_chat_options_read(body, desk, &options, &err), DEN_OK);
    assert_int_equal(den_chat_call_start(&options, desk, &call, &err), DEN_BUSY);
    assert_null(call);
    json_decref(body);
}

int api_test_chat_call(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pieces_of_any_size_add_up),
        cmocka_unit_test(a_full_queue_stops_the_worker),
        cmocka_unit_test(a_huge_answer_stops_the_worker),
        cmocka_unit_test(the_largest_seed_has_a_next),
        cmocka_unit_test(destroying_ends_all_answers),
        cmocka_unit_test(a_refused_call_leaves_nothing),
    };

    return cmocka_run_group_tests(tests, open_desk, close_desk);
}
