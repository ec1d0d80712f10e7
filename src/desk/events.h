/* Events: who looks on is told at once what has changed.
 *
 * Whoever changes something publishes an event: a name and a JSON object, written once and shared
 * by all who listen. A listener hears what concerns everybody and what concerns the one thread it
 * named. Publishing never waits: each listener has a bounded queue, and one whose queue is full is
 * marked as lost, gets nothing more, and has to begin again by reading what there is. An eventfd
 * wakes its reader. */
#ifndef DEN_DESK_EVENTS_H
#define DEN_DESK_EVENTS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/status.h"

struct den_events;
struct den_listener;

enum den_status den_events_create(struct den_events **out, struct den_error *err);
/* No listener may be left. */
void den_events_destroy(struct den_events *events);

/* `thread` NULL: for all; else for those that named it. Takes over `data`; NULL (no memory) marks
 * the listeners as lost. `name` is static text. */
void den_events_publish(struct den_events *events, const char *thread, const char *name,
                        json_t *data);

/* `thread` NULL: only what is for all. DEN_BUSY beyond DEN_LISTENERS_MAX. */
enum den_status den_listener_create(struct den_events *events, const char *thread,
                                    struct den_listener **out, struct den_error *err);
void den_listener_destroy(struct den_listener *listener);
/* Readable while there is something to take, or the listener is lost. */
int den_listener_fd(const struct den_listener *listener);

/* One event, shared and unchanging. */
struct den_event {
    const char *name;
    const char *data; /* JSON in one line */
    size_t length;
};
/* The next event, given back by den_event_release(); NULL: none now. *out_lost: there will be none
 * any more. */
const struct den_event *den_listener_take(struct den_listener *listener, bool *out_lost);
void den_event_release(const struct den_event *event);

#endif
