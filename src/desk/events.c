/* See events.h. */
#include "desk/events.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/json.h"
#include "base/limits.h"

struct shared_event {
    struct den_event event; /* first: what listeners see */
    atomic_int holders;
};

struct link {
    struct link *next;
    struct shared_event *shared;
};

struct den_listener {
    struct den_events *events;
    struct den_listener *next;
    char *thread; /* NULL: none */
    int fd;
    /* guarded by the hub's lock */
    struct link *first, **last;
    size_t bytes;
    bool is_lost;
};

struct den_events {
    pthread_mutex_t lock;
    struct den_listener *listeners;
    size_t count;
};

/* --- the hub --- */

enum den_status den_events_create(struct den_events **out, struct den_error *err)
{
    struct den_events *events = calloc(1, sizeof *events);

    if (!events)
        return den_fail(err, DEN_NO_MEMORY, "events: out of memory");
    pthread_mutex_init(&events->lock, NULL);
    *out = events;
    return DEN_OK;
}

void den_events_destroy(struct den_events *events)
{
    if (!events)
        return;
    pthread_mutex_destroy(&events->lock);
    free(events);
}

void den_event_release(const struct den_event *event)
{
    struct shared_event *shared = (struct shared_event *)(uintptr_t)event;

    if (shared && atomic_fetch_sub(&shared->holders, 1) == 1)
        free(shared);
}

/* The text follows the struct. */
static struct shared_event *make_event(const char *name, const json_t *data)
{
    struct den_buffer text;
    struct den_error err = { 0 };
    struct shared_event *shared = NULL;

    den_buffer_init(&text, DEN_LISTENER_BYTES_MAX * 8ul);
    if (data && den_json_show(data, &text, &err) == DEN_OK)
        shared = malloc(sizeof *shared + text.length + 1);
    if (shared) {
        char *copy = (char *)(shared + 1);

        memcpy(copy, text.data, text.length + 1);
        shared->event = (struct den_event){ .name = name, .data = copy, .length = text.length };
        atomic_init(&shared->holders, 1);
    }
    den_buffer_deinit(&text);
    return shared;
}

/* --- under the hub's lock --- */

static void ring(struct den_listener *listener)
{
    const uint64_t one = 1;

    /* it can only fail when the counter is full, and then it is readable already */
    if (write(listener->fd, &one, sizeof one) < 0)
        return;
}

static void drop_queue(struct den_listener *listener)
{
    struct link *link = listener->first, *next;

    for (; link; link = next) {
        next = link->next;
        den_event_release(&link->shared->event);
        free(link);
    }
    listener->first = NULL;
    listener->last = &listener->first;
    listener->bytes = 0;
}

static void lose(struct den_listener *listener)
{
    drop_queue(listener);
    listener->is_lost = true;
    ring(listener);
}

/* An event that alone is larger than a queue (a message of many megabytes) still passes through an
 * empty one. */
static void deliver(struct den_listener *listener, struct shared_event *shared)
{
    struct link *link;

    if (listener->is_lost)
        return;
    link = shared && (!listener->first ||
                      listener->bytes + shared->event.length <= DEN_LISTENER_BYTES_MAX)
               ? malloc(sizeof *link)
               : NULL;
    if (!link) {
        lose(listener);
        return;
    }
    atomic_fetch_add(&shared->holders, 1);
    *link = (struct link){ .shared = shared };
    *listener->last = link;
    listener->last = &link->next;
    listener->bytes += shared->event.length + sizeof *link;
    ring(listener);
}

static bool concerns(const struct den_listener *listener, const char *thread)
{
    return !thread || (listener->thread && strcmp(listener->thread, thread) == 0);
}

/* --- */

void den_events_publish(struct den_events *events, const char *thread, const char *name,
                        json_t *data)
{
    struct den_listener *listener;
    struct shared_event *shared = NULL;
    bool is_made = false;

    pthread_mutex_lock(&events->lock);
    for (listener = events->listeners; listener; listener = listener->next) {
        if (!concerns(listener, thread))
            continue;
        if (!is_made) /* nothing is written when nobody listens */
            shared = make_event(name, data);
        is_made = true;
        deliver(listener, shared);
    }
    pthread_mutex_unlock(&events->lock);
    if (shared)
        den_event_release(&shared->event);
    json_decref(data);
}

enum den_status den_listener_create(struct den_events *events, const char *thread,
                                    struct den_listener **out, struct den_error *err)
{
    struct den_listener *listener = calloc(1, sizeof *listener);
    bool has_room;

    if (!listener)
        return den_fail(err, DEN_NO_MEMORY, "events: out of memory");
    listener->last = &listener->first;
    listener->thread = thread ? strdup(thread) : NULL;
    listener->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if ((thread && !listener->thread) || listener->fd < 0) {
        den_fail(err, DEN_NO_MEMORY, "events: no memory or no descriptor left");
        goto fail;
    }
    pthread_mutex_lock(&events->lock);
    has_room = events->count < DEN_LISTENERS_MAX;
    if (has_room) {
        listener->events = events;
        listener->next = events->listeners;
        events->listeners = listener;
        events->count++;
    }
    pthread_mutex_unlock(&events->lock);
    if (!has_room) {
        den_fail(err, DEN_BUSY, "%d pages listen already; close one", DEN_LISTENERS_MAX);
        goto fail;
    }
    *out = listener;
    return DEN_OK;
fail:
    den_listener_destroy(listener);
    return err->status;
}

static void leave(struct den_listener *listener)
{
    struct den_events *events = listener->events;
    struct den_listener **place;

    pthread_mutex_lock(&events->lock);
    for (place = &events->listeners; *place != listener; place = &(*place)->next)
        ;
    *place = listener->next;
    events->count--;
    pthread_mutex_unlock(&events->lock);
}

void den_listener_destroy(struct den_listener *listener)
{
    if (!listener)
        return;
    if (listener->events)
        leave(listener);
    drop_queue(listener);
    if (listener->fd >= 0)
        close(listener->fd);
    free(listener->thread);
    free(listener);
}

int den_listener_fd(const struct den_listener *listener)
{
    return listener->fd;
}

const struct den_event *den_listener_take(struct den_listener *listener, bool *out_lost)
{
    const struct den_event *event = NULL;
    struct link *link;
    uint64_t count;

    pthread_mutex_lock(&listener->events->lock);
    link = listener->first;
    if (link) {
        listener->first = link->next;
        if (!link->next)
            listener->last = &listener->first;
        event = &link->shared->event; /* the queue's hold becomes the caller's */
        listener->bytes -= event->length + sizeof *link;
        free(link);
    }
    *out_lost = listener->is_lost;
    if (!listener->first && !listener->is_lost && read(listener->fd, &count, sizeof count) < 0)
        errno = 0; /* it was quiet already */
    pthread_mutex_unlock(&listener->events->lock);
    return event;
}
