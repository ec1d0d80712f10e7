/* What a worker's events do to a call, under its lock. */
#ifndef DEN_API_CALL_EVENTS_H
#define DEN_API_CALL_EVENTS_H

#include "api/call.h"

/* The worker's handler; `context` is a choice. */
void den_call_on_event(void *context, const struct den_worker_event *event);

#endif
