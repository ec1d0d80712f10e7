/* Events reach those whom they concern, in order, and nobody waits for a slow reader. */
#include "thread_scratch.h"

#include <poll.h>

#include "base/limits.h"

static bool is_ringing(struct den_listener *listener)
{
    struct pollfd fd = { .fd = den_listener_fd(listener), .events = POLLIN };

    return poll(&fd, 1, 0) == 1;
}

static void expect(struct den_listener *listener, const char *name, const char *data)
{
    bool is_lost;
    const struct den_event *event = den_listener_take(listener, &is_lost);

    assert_false(is_lost);
    if (!name) {
        assert_null(event);
        return;
    }
    assert_non_null(event);
    assert_string_equal(event->name, name);
    assert_string_equal(event->data, data);
    assert_int_equal(event->length, strlen(data));
    den_event_release(event);
}

static void events_reach_whom_they_concern(void **state)
{
    struct den_listener *all, *one;
    struct den_events *hub;

    assert_ok(den_events_create(&hub, &err));
    den_events_publish(hub, NULL, "nobody hears this", json_object());
    assert_ok(den_listener_create(hub, NULL, &all, &err));
    assert_ok(den_listener_create(hub, "a", &one, &err));
    assert_false(is_ringing(one));
    den_events_publish(hub, "a", "delta", json_pack("{s:i}", "n", 1));
    den_events_publish(hub, "b", "delta", json_pack("{s:i}", "n", 2));
    den_events_publish(hub, NULL, "folders", json_pack("{s:i}", "n", 3));
    assert_true(is_ringing(one));
    expect(one, "delta", "{\"n\":1}");
    assert_true(is_ringing(one));
    expect(one, "folders", "{\"n\":3}");
    assert_false(is_ringing(one));
    expect(one, NULL, NULL);
    expect(all, "folders", "{\"n\":3}");
    expect(all, NULL, NULL);
    den_listener_destroy(all);
    den_events_publish(hub, NULL, "left behind", json_object());
    den_listener_destroy(one);
    den_events_destroy(hub);
}

static void a_slow_reader_is_dropped_alone(void **state)
{
    enum { PIECE = 64 << 10, COUNT = DEN_LISTENER_BYTES_MAX / PIECE + 2 };
    char *text = calloc(1, PIECE);
    struct den_listener *slow, *quick;
    struct den_events *hub;
    const struct den_event *event;
    bool is_lost;
    int i;

    memset(text, 'x', PIECE - 1);
    assert_ok(den_events_create(&hub, &err));
    assert_ok(den_listener_create(hub, "a", &slow, &err));
    assert_ok(den_listener_create(hub, "a", &quick, &err));
    for (i = 0; i < COUNT; i++) {
        den_events_publish(hub, "a", "delta", json_string(text));
        event = den_listener_take(quick, &is_lost);
        assert_non_null(event);
        assert_false(is_lost);
        den_event_release(event);
    }
    assert_true(is_ringing(slow));
    assert_null(den_listener_take(slow, &is_lost));
    assert_true(is_lost);
    den_listener_destroy(slow);
    den_listener_destroy(quick);
    den_events_destroy(hub);
    free(text);
}

static void one_large_event_passes(void **state)
{
    char *text = calloc(1, DEN_LISTENER_BYTES_MAX + 10);
    struct den_listener *listener;
    struct den_events *hub;
    const struct den_event *event;
    bool is_lost;

    memset(text, 'x', DEN_LISTENER_BYTES_MAX + 9);
    assert_ok(den_events_create(&hub, &err));
    assert_ok(den_listener_create(hub, "a", &listener, &err));
    den_events_publish(hub, "a", "message", json_string(text));
    event = den_listener_take(listener, &is_lost);
    assert_non_null(event);
    den_event_release(event);
    den_listener_destroy(listener);
    den_events_destroy(hub);
    free(text);
}

static void there_is_an_end_to_listeners(void **state)
{
    struct den_listener *list[DEN_LISTENERS_MAX], *more = NULL;
    struct den_events *hub;
    size_t i;

    assert_ok(den_events_create(&hub, &err));
    for (i = 0; i < DEN_LISTENERS_MAX; i++)
        assert_ok(den_listener_create(hub, NULL, &list[i], &err));
    assert_fails(den_listener_create(hub, NULL, &more, &err), DEN_BUSY);
    for (i = 0; i < DEN_LISTENERS_MAX; i++)
        den_listener_destroy(list[i]);
    den_events_destroy(hub);
}

int desk_test_events(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(events_reach_whom_they_concern),
        cmocka_unit_test(a_slow_reader_is_dropped_alone),
        cmocka_unit_test(one_large_event_passes),
        cmocka_unit_test(there_is_an_end_to_listeners),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
