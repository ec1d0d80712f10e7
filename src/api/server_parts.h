/* The inside of a server, shared by server.c and http_request.c. */
#ifndef DEN_API_SERVER_PARTS_H
#define DEN_API_SERVER_PARTS_H

#include <microhttpd.h>
#include <pthread.h>

#include "api/server.h"
#include "base/limits.h"
#include "guard/access.h"
#include "guard/sandbox.h"

/* A connection and since when it has been sending a request that is not complete. */
struct guest {
    int fd;       /* -1: the place is free */
    double since; /* 0: a request is being answered */
};

struct den_server {
    struct MHD_Daemon *daemon;
    struct den_desk *desk;
    struct den_metrics *metrics; /* api/metrics.h */
    char *address;
    struct den_access *access;
    char *certificate, *key; /* PEM texts; NULL: no TLS */
    char *home;              /* as /api/server tells it; NULL: not known */
    uint16_t port;
    int stop_fd;                  /* an eventfd, readable from den_server_stop() on */
    pthread_mutex_t lock;         /* guards `guests` */
    pthread_mutex_t sandbox_lock; /* guards the next two */
    bool sandbox_known;
    struct den_sandbox_report sandbox;
    size_t guest_count;
    struct guest guests[DEN_HTTP_CONNECTIONS_MAX + 1];
};

/* Which walls stand around a worker on this machine; found out once, at the first question. */
const struct den_sandbox_report *den_server_sandbox(struct den_server *server);

/* Tells whether the request of the connection on `fd` is complete and being answered. */
void den_server_mark(struct den_server *server, int fd, bool is_answering);

#endif
