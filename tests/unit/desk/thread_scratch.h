/* Threads in a database of their own, and short ways to ask for things in tests. */
#ifndef DEN_TESTS_UNIT_DESK_THREAD_SCRATCH_H
#define DEN_TESTS_UNIT_DESK_THREAD_SCRATCH_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "test.h"

#include "base/json.h"
#include "desk/events.h"
#include "desk/thread_messages.h"
#include "desk/threads.h"
#include "store/database.h"

static char scratch_folder[64];
static char scratch_path[128];
static struct den_database *database;
static struct den_events *events;
static struct den_threads *threads;
static struct den_error err;

#define assert_ok(call)                                                                            \
    do {                                                                                           \
        err = (struct den_error){ 0 };                                                             \
        if ((call) != DEN_OK)                                                                      \
            fail_msg("%s: %s", #call, err.message);                                                \
    } while (0)
#define assert_fails(call, expected)                                                               \
    do {                                                                                           \
        err = (struct den_error){ 0 };                                                             \
        assert_int_equal((call), expected);                                                        \
        assert_int_equal(err.status, expected);                                                    \
        assert_true(err.message[0] != '\0');                                                       \
    } while (0)

__attribute__((unused)) static int open_threads(void **state)
{
    (void)state;
    snprintf(scratch_folder, sizeof scratch_folder, "/tmp/den-desk-XXXXXX");
    assert_non_null(mkdtemp(scratch_folder));
    snprintf(scratch_path, sizeof scratch_path, "%s/den.db", scratch_folder);
    assert_ok(den_database_open(scratch_path, &database, &err));
    assert_ok(den_events_create(&events, &err));
    assert_ok(den_threads_open(database, events, &threads, &err));
    return 0;
}

__attribute__((unused)) static int close_threads(void **state)
{
    static const char *const ends[] = { "", "-wal", "-shm", ".serving" };
    char path[256];
    size_t i;

    (void)state;
    err = (struct den_error){ 0 };
    den_database_check(database, &err);
    den_threads_close(threads);
    den_events_destroy(events);
    den_database_close(database);
    for (i = 0; i < sizeof ends / sizeof ends[0]; i++) {
        snprintf(path, sizeof path, "%s%s", scratch_path, ends[i]);
        unlink(path);
    }
    rmdir(scratch_folder);
    return err.status != DEN_OK;
}

/* JSON with ' for ", which C needs no escape for. */
__attribute__((unused)) static json_t *parse(const char *text)
{
    char *copy = strdup(text), *at;
    json_t *value;

    for (at = copy; *at; at++)
        if (*at == '\'')
            *at = '"';
    value = json_loads(copy, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
    assert_non_null(value);
    free(copy);
    return value;
}

/* The text at a path such as "messages.0.content"; "" for what is none. Valid until the next call.
 */
__attribute__((unused)) static const char *text_at(const json_t *value, const char *path)
{
    static char number[32];
    char copy[128], *part, *rest = NULL;

    snprintf(copy, sizeof copy, "%s", path);
    for (part = strtok_r(copy, ".", &rest); part; part = strtok_r(NULL, ".", &rest))
        value = json_is_array(value) ? json_array_get(value, strtoul(part, NULL, 10))
                                     : json_object_get(value, part);
    if (json_is_string(value))
        return json_string_value(value);
    if (json_is_boolean(value))
        return json_is_true(value) ? "true" : "false";
    if (json_is_null(value))
        return "null";
    if (!json_is_integer(value))
        return "";
    snprintf(number, sizeof number, "%lld", (long long)json_integer_value(value));
    return number;
}

__attribute__((unused)) static json_t *make_thread(const char *fields)
{
    json_t *given = parse(fields), *thread = NULL;
    bool existed;

    assert_ok(den_thread_create(threads, given, &thread, &existed, &err));
    json_decref(given);
    return thread;
}

__attribute__((unused)) static void forget(json_t *value)
{
    json_decref(value);
}

__attribute__((unused)) static void ask(const char *thread, const char *fields)
{
    struct den_message_added added = { 0 };
    json_t *given = parse(fields);

    assert_ok(den_message_add(threads, thread, given, false, &added, &err));
    den_message_added_deinit(&added);
    json_decref(given);
}

#endif
