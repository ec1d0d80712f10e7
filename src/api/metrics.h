/* Metrics: how many requests came by each route, how they ended and how long they took. Counted by
 * the server, told by GET /metrics. */
#ifndef DEN_API_METRICS_H
#define DEN_API_METRICS_H

#include "api/routes.h"

struct den_metrics;

struct den_metrics *den_metrics_create(void); /* NULL: out of memory */
void den_metrics_destroy(struct den_metrics *metrics);
/* One request is over. `route` NULL: there was none. `http` 0: the client went away. */
void den_metrics_count(struct den_metrics *metrics, const struct den_route *route, unsigned http,
                       double seconds);
/* Appends the request counters and histograms in Prometheus's text format. */
void den_metrics_write(struct den_metrics *metrics, struct den_buffer *out);
/* A label's value: quotes, backslashes and line breaks escaped. */
void den_metrics_label(const char *text, struct den_buffer *out);

#endif
