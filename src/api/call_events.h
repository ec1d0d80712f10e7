/* What a worker's events do to a call, under its lock. */
#ifndef DEN_API_CALL_EVENTS_H
#define DEN_API_CALL_EVENTS_H

#include "api/call.h"

/* The worker's handler; `context` is a choice. */
void den_call_on_event(void *context, const struct den_worker_event *event);

/* Tells the ends that were held (den_call_holds_ends()). Takes the lock. */
void den_call_tell_ends(struct den_call *call);

#endif
