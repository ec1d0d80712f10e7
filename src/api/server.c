/* See server.h. The listening socket is ours, so that a port in use has its own message. Against
 * clients that hold connections open and send a byte now and then: when nearly all places are
 * taken, the connection that has been without a complete request for the longest time is closed for
 * the next one. */
#include "api/server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "api/http_request.h"
#include "api/metrics.h"
#include "api/server_parts.h"
#include "base/clock.h"
#include "base/file.h"
#include "guard/origin.h"

enum {
    STACK_BYTES = 512 << 10, /* of a connection's thread; JSON parsing is the deepest */
    HEADER_BYTES_MAX = 32 << 10,
    RESERVE = 32,         /* places that are kept free by closing slow guests ... */
    PATIENCE_SECONDS = 10 /* ... who have taken longer than this */
};

/* --- guests --- */

static struct guest *find_guest(struct den_server *server, int fd)
{
    size_t i;

    for (i = 0; i <= DEN_HTTP_CONNECTIONS_MAX; i++)
        if (server->guests[i].fd == fd)
            return &server->guests[i];
    return NULL;
}

static struct guest *slowest_guest(struct den_server *server)
{
    struct guest *slowest = NULL;
    double latest = den_clock_seconds() - PATIENCE_SECONDS;
    size_t i;

    for (i = 0; i <= DEN_HTTP_CONNECTIONS_MAX; i++) {
        struct guest *guest = &server->guests[i];

        if (guest->fd < 0 || guest->since == 0 || guest->since > latest)
            continue;
        if (!slowest || guest->since < slowest->since)
            slowest = guest;
    }
    return slowest;
}

void den_server_mark(struct den_server *server, int fd, bool is_answering)
{
    struct guest *guest;

    pthread_mutex_lock(&server->lock);
    guest = find_guest(server, fd);
    if (guest)
        guest->since = is_answering ? 0 : den_clock_seconds();
    pthread_mutex_unlock(&server->lock);
}

static void add_guest(struct den_server *server, int fd)
{
    struct guest *place = find_guest(server, -1), *slow;

    if (place) {
        *place = (struct guest){ .fd = fd, .since = den_clock_seconds() };
        server->guest_count++;
    }
    if (server->guest_count + RESERVE > DEN_HTTP_CONNECTIONS_MAX) {
        slow = slowest_guest(server);
        if (slow)
            shutdown(slow->fd, SHUT_RDWR); /* its thread then closes it */
    }
}

static void notify_connection(void *context, struct MHD_Connection *connection, void **socket_state,
                              enum MHD_ConnectionNotificationCode code)
{
    struct den_server *server = context;
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    struct guest *guest;

    (void)socket_state;
    pthread_mutex_lock(&server->lock);
    if (code == MHD_CONNECTION_NOTIFY_STARTED) {
        add_guest(server, info->connect_fd);
    } else {
        guest = find_guest(server, info->connect_fd);
        if (guest) {
            guest->fd = -1;
            server->guest_count--;
        }
    }
    pthread_mutex_unlock(&server->lock);
}

/* --- the listening socket --- */

struct endpoint {
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    } address;
    socklen_t bytes;
};

static enum den_status read_address(const char *text, uint16_t port, struct endpoint *out,
                                    struct den_error *err)
{
    const char *numeric = strcmp(text, "localhost") == 0 ? "127.0.0.1" : text;

    *out = (struct endpoint){ 0 };
    if (inet_pton(AF_INET, numeric, &out->address.v4.sin_addr) == 1) {
        out->address.v4.sin_family = AF_INET;
        out->address.v4.sin_port = htons(port);
        out->bytes = sizeof out->address.v4;
        return DEN_OK;
    }
    if (inet_pton(AF_INET6, numeric, &out->address.v6.sin6_addr) == 1) {
        out->address.v6.sin6_family = AF_INET6;
        out->address.v6.sin6_port = htons(port);
        out->bytes = sizeof out->address.v6;
        return DEN_OK;
    }
    return den_fail(err, DEN_INVALID,
                    "address '%.100s' is not one; give a numeric address such as 127.0.0.1 or ::1",
                    text);
}

static enum den_status open_socket(struct den_server *server, struct endpoint *endpoint,
                                   int *out_fd, struct den_error *err)
{
    const int yes = 1;
    int fd = socket(endpoint->address.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    if (fd < 0)
        return den_fail_errno(err, DEN_IO, "no socket for address %s", server->address);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (bind(fd, &endpoint->address.any, endpoint->bytes) != 0 || listen(fd, SOMAXCONN) != 0) {
        if (errno == EADDRINUSE)
            den_fail(
                err, DEN_IN_USE,
                "port %u of %s is in use by another program (perhaps a Den that runs already); "
                "stop that one or choose another port",
                server->port, server->address);
        else
            den_fail_errno(err, DEN_IO, "can't listen on port %u of %s", server->port,
                           server->address);
        close(fd);
        return err->status;
    }
    endpoint->bytes = sizeof endpoint->address;
    getsockname(fd, &endpoint->address.any, &endpoint->bytes);
    server->port =
        ntohs(endpoint->address.any.sa_family == AF_INET6 ? endpoint->address.v6.sin6_port
                                                          : endpoint->address.v4.sin_port);
    *out_fd = fd;
    return DEN_OK;
}

/* --- start and stop --- */

static int hex_value(char digit)
{
    if (digit >= '0' && digit <= '9')
        return digit - '0';
    digit = (char)(digit | 0x20);
    return digit >= 'a' && digit <= 'f' ? digit - 'a' + 10 : -1;
}

/* Decodes %XX in place. %00 stays as it is: decoded, it would end the text early, and what was
 * compared would not be what was sent. */
static size_t unescape(void *context, struct MHD_Connection *connection, char *text)
{
    const char *from = text;
    char *to = text;

    (void)context;
    (void)connection;
    while (*from) {
        int high = *from == '%' ? hex_value(from[1]) : -1;
        int low = high >= 0 ? hex_value(from[2]) : -1;

        if (low >= 0 && high + low > 0) {
            *to++ = (char)(16 * high + low);
            from += 3;
        } else {
            *to++ = *from++;
        }
    }
    *to = '\0';
    return (size_t)(to - text);
}

static enum den_status read_text(const char *path, char **out, struct den_error *err)
{
    struct den_buffer text;

    den_buffer_init(&text, DEN_TLS_FILE_BYTES_MAX);
    if (den_file_read(path, &text, err) == DEN_OK) {
        *out = den_buffer_take(&text);
        if (!*out)
            den_fail(err, DEN_NO_MEMORY, "server: out of memory");
    }
    den_buffer_deinit(&text);
    return err->status;
}

static enum den_status read_tls(struct den_server *server, const struct den_server_options *options,
                                struct den_error *err)
{
    if (!options->tls_certificate != !options->tls_key)
        return den_fail(err, DEN_INVALID, "TLS needs both --tls-certificate and --tls-key");
    if (!options->tls_certificate)
        return DEN_OK;
    if (MHD_is_feature_supported(MHD_FEATURE_TLS) != MHD_YES)
        return den_fail(err, DEN_UNSUPPORTED, "this libmicrohttpd was built without TLS");
    if (read_text(options->tls_certificate, &server->certificate, err) != DEN_OK)
        return err->status;
    return read_text(options->tls_key, &server->key, err);
}

static enum den_status start_daemon(struct den_server *server, struct den_error *err)
{
    struct endpoint endpoint;
    unsigned flags = MHD_USE_THREAD_PER_CONNECTION | MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_POLL;
    struct MHD_OptionItem tls[3] = { { MHD_OPTION_END, 0, NULL },
                                     { MHD_OPTION_END, 0, NULL },
                                     { MHD_OPTION_END, 0, NULL } };
    int fd = -1;

    if (read_address(server->address, server->port, &endpoint, err) != DEN_OK ||
        open_socket(server, &endpoint, &fd, err) != DEN_OK)
        return err->status;
    if (endpoint.address.any.sa_family == AF_INET6)
        flags |= MHD_USE_IPv6;
    if (server->certificate) {
        flags |= MHD_USE_TLS;
        tls[0] = (struct MHD_OptionItem){ MHD_OPTION_HTTPS_MEM_CERT, 0, server->certificate };
        tls[1] = (struct MHD_OptionItem){ MHD_OPTION_HTTPS_MEM_KEY, 0, server->key };
    }
    server->daemon = MHD_start_daemon(
        flags, 0, NULL, NULL, den_request_handle, server, MHD_OPTION_LISTEN_SOCKET, fd,
        MHD_OPTION_CONNECTION_LIMIT, (unsigned)DEN_HTTP_CONNECTIONS_MAX,
        MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)DEN_HTTP_IDLE_SECONDS_MAX,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)HEADER_BYTES_MAX, MHD_OPTION_THREAD_STACK_SIZE,
        (size_t)STACK_BYTES, MHD_OPTION_NOTIFY_COMPLETED, den_request_completed, server,
        MHD_OPTION_NOTIFY_CONNECTION, notify_connection, server, MHD_OPTION_UNESCAPE_CALLBACK,
        unescape, NULL, MHD_OPTION_ARRAY, tls, MHD_OPTION_END);
    if (!server->daemon) {
        close(fd);
        if (server->certificate)
            return den_fail(err, DEN_BAD_FILE,
                            "the HTTP server does not start on port %u; most "
                            "likely the TLS files are no PEM certificate and "
                            "its key",
                            server->port);
        return den_fail_errno(err, DEN_INTERNAL, "the HTTP server does not start on port %u",
                              server->port);
    }
    return DEN_OK;
}

enum den_status den_server_start(const struct den_server_options *options, struct den_server **out,
                                 struct den_error *err)
{
    const char *address = options->address ? options->address : "127.0.0.1";
    const struct den_access_options access = { .path = options->tokens,
                                               .master = options->token,
                                               .required = options->token != NULL };
    struct den_server *server;
    size_t i;

    if (!options->token && !den_address_is_loopback(address))
        return den_fail(err, DEN_FORBIDDEN,
                        "address %s can be reached by others, so a token is needed", address);
    server = calloc(1, sizeof *server);
    if (!server)
        return den_fail(err, DEN_NO_MEMORY, "server: out of memory");
    pthread_mutex_init(&server->lock, NULL);
    for (i = 0; i <= DEN_HTTP_CONNECTIONS_MAX; i++)
        server->guests[i].fd = -1;
    server->port = options->port;
    server->address = strdup(address);
    pthread_mutex_init(&server->sandbox_lock, NULL);
    server->home = options->home ? strdup(options->home) : NULL;
    server->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    server->metrics = den_metrics_create();
    if (!server->metrics || !server->address || (options->home && !server->home) ||
        server->stop_fd < 0) {
        den_fail(err, DEN_NO_MEMORY, "server: out of memory");
        goto fail;
    }
    server->desk = options->desk;
    if (den_access_open(&access, &server->access, err) != DEN_OK ||
        read_tls(server, options, err) != DEN_OK || start_daemon(server, err) != DEN_OK)
        goto fail;
    *out = server;
    return DEN_OK;
fail:
    den_server_stop(server);
    return err->status;
}

void den_server_stop(struct den_server *server)
{
    const uint64_t one = 1;

    if (!server)
        return;
    if (server->stop_fd >= 0 && write(server->stop_fd, &one, sizeof one) < 0)
        abort(); /* an eventfd of our own can't refuse its first 1 */
    if (server->daemon)
        MHD_stop_daemon(server->daemon);
    if (server->stop_fd >= 0)
        close(server->stop_fd);
    pthread_mutex_destroy(&server->lock);
    den_metrics_destroy(server->metrics);
    free(server->address);
    pthread_mutex_destroy(&server->sandbox_lock);
    den_access_close(server->access);
    if (server->key)
        explicit_bzero(server->key, strlen(server->key));
    free(server->certificate);
    free(server->key);
    free(server->home);
    free(server);
}

const struct den_sandbox_report *den_server_sandbox(struct den_server *server)
{
    struct den_error ignored = { 0 };

    pthread_mutex_lock(&server->sandbox_lock);
    if (!server->sandbox_known)
        den_sandbox_probe(&server->sandbox, &ignored); /* failed: no level, no walls */
    server->sandbox_known = true;
    pthread_mutex_unlock(&server->sandbox_lock);
    return &server->sandbox;
}

uint16_t den_server_port(const struct den_server *server)
{
    return server->port;
}
