/* See metrics.h. A row for each route and one for what has none; in a row a counter for each HTTP
 * status that Den sends and a histogram of seconds. The rows are bounded by the table of routes: no
 * client can make the metrics grow. */
#include "api/metrics.h"

#include <pthread.h>
#include <stdlib.h>

enum { ROWS_MAX = 256, BUCKETS = 14 };

/* Upper bounds in seconds: a lookup takes a millisecond, a long answer minutes. */
static const double bounds[BUCKETS] = { 0.001, 0.005, 0.01, 0.05, 0.1, 0.25, 0.5,
                                        1,     2.5,   5,    10,   30,  60,   300 };

static const unsigned statuses[] = { 0,   200, 201, 204, 206, 302, 304, 400, 401, 403, 404, 405,
                                     409, 411, 413, 415, 416, 422, 429, 499, 500, 501, 503 };

enum { STATUSES = sizeof statuses / sizeof statuses[0] };

struct row {
    uint64_t by_status[STATUSES + 1]; /* the last: any other */
    uint64_t by_time[BUCKETS + 1];    /* the last: longer than all bounds */
    double seconds;
};

struct den_metrics {
    pthread_mutex_t lock; /* guards all below */
    const struct den_route *routes[ROWS_MAX];
    struct row rows[ROWS_MAX];
    size_t count;
};

struct den_metrics *den_metrics_create(void)
{
    struct den_metrics *metrics = calloc(1, sizeof *metrics);

    if (metrics)
        pthread_mutex_init(&metrics->lock, NULL);
    return metrics;
}

void den_metrics_destroy(struct den_metrics *metrics)
{
    if (!metrics)
        return;
    pthread_mutex_destroy(&metrics->lock);
    free(metrics);
}

static struct row *find_row(struct den_metrics *metrics, const struct den_route *route)
{
    size_t i;

    for (i = 0; i < metrics->count; i++)
        if (metrics->routes[i] == route)
            return &metrics->rows[i];
    if (metrics->count < ROWS_MAX)
        metrics->routes[metrics->count++] = route;
    return &metrics->rows[metrics->count - 1];
}

void den_metrics_count(struct den_metrics *metrics, const struct den_route *route, unsigned http,
                       double seconds)
{
    size_t status = 0, bucket = 0;
    struct row *row;

    while (status < STATUSES && statuses[status] != http)
        status++;
    while (bucket < BUCKETS && seconds > bounds[bucket])
        bucket++;
    pthread_mutex_lock(&metrics->lock);
    row = find_row(metrics, route);
    row->by_status[status]++;
    row->by_time[bucket]++;
    row->seconds += seconds;
    pthread_mutex_unlock(&metrics->lock);
}

void den_metrics_label(const char *text, struct den_buffer *out)
{
    for (; *text; text++) {
        if (*text == '\n')
            den_buffer_append_text(out, "\\n");
        else if (*text == '"' || *text == '\\')
            den_buffer_appendf(out, "\\%c", *text);
        else
            den_buffer_append_byte(out, *text);
    }
}

static void write_label(const struct den_route *route, struct den_buffer *out)
{
    den_buffer_append_text(out, "{route=\"");
    den_metrics_label(route ? route->path : "none", out);
    den_buffer_append_text(out, "\"");
}

static void write_counts(const struct den_metrics *metrics, struct den_buffer *out)
{
    size_t i, j;

    den_buffer_append_text(out, "# HELP den_http_requests_total Requests by route and HTTP status "
                                "(gone: the client left before the answer).\n"
                                "# TYPE den_http_requests_total counter\n");
    for (i = 0; i < metrics->count; i++)
        for (j = 0; j <= STATUSES; j++) {
            if (metrics->rows[i].by_status[j] == 0)
                continue;
            den_buffer_append_text(out, "den_http_requests_total");
            write_label(metrics->routes[i], out);
            if (j == 0 || j == STATUSES)
                den_buffer_appendf(out, ",status=\"%s\"", j == 0 ? "gone" : "other");
            else
                den_buffer_appendf(out, ",status=\"%u\"", statuses[j]);
            den_buffer_appendf(out, "} %llu\n", (unsigned long long)metrics->rows[i].by_status[j]);
        }
}

static void write_histogram(const struct den_route *route, const struct row *row,
                            struct den_buffer *out)
{
    unsigned long long sum = 0;
    size_t i;

    for (i = 0; i <= BUCKETS; i++) {
        sum += row->by_time[i];
        den_buffer_append_text(out, "den_http_request_seconds_bucket");
        write_label(route, out);
        if (i < BUCKETS)
            den_buffer_appendf(out, ",le=\"%g\"} %llu\n", bounds[i], sum);
        else
            den_buffer_appendf(out, ",le=\"+Inf\"} %llu\n", sum);
    }
    den_buffer_append_text(out, "den_http_request_seconds_sum");
    write_label(route, out);
    den_buffer_appendf(out, "} %.6f\n", row->seconds);
    den_buffer_append_text(out, "den_http_request_seconds_count");
    write_label(route, out);
    den_buffer_appendf(out, "} %llu\n", sum);
}

void den_metrics_write(struct den_metrics *metrics, struct den_buffer *out)
{
    size_t i;

    pthread_mutex_lock(&metrics->lock);
    write_counts(metrics, out);
    den_buffer_append_text(out, "# HELP den_http_request_seconds From a request's first header to "
                                "the end of its answer.\n"
                                "# TYPE den_http_request_seconds histogram\n");
    for (i = 0; i < metrics->count; i++)
        write_histogram(metrics->routes[i], &metrics->rows[i], out);
    pthread_mutex_unlock(&metrics->lock);
}
