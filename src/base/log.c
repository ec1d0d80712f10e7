/* See log.h. */
#include "base/log.h"

#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/buffer.h"

static struct {
    _Atomic enum den_log_level level;
    bool json;
    int fd;
    pthread_mutex_t writing;
    unsigned lost; /* lines since the last one that was written; under `writing` */
} log_to = { .writing = PTHREAD_MUTEX_INITIALIZER };

void den_log_start(enum den_log_level level, bool json, int fd)
{
    log_to.level = level;
    log_to.json = json;
    log_to.fd = fd;
}

bool den_log_wants(enum den_log_level level)
{
    return level != DEN_LOG_NONE && level <= log_to.level;
}

/* In quotes, with everything escaped that could end them or the line. Bytes beyond ASCII are
 * shown as \u00XX in JSON, which need not be valid UTF-8 then. */
static void append_quoted(struct den_buffer *line, const char *text)
{
    den_buffer_append_byte(line, '"');
    for (; *text; text++) {
        const unsigned char byte = (unsigned char)*text;

        if (byte == '"' || byte == '\\') {
            den_buffer_append_byte(line, '\\');
            den_buffer_append_byte(line, *text);
        } else if (byte < ' ' || byte > '~') {
            den_buffer_appendf(line, "\\u%04x", byte);
        } else {
            den_buffer_append_byte(line, *text);
        }
    }
    den_buffer_append_byte(line, '"');
}

static bool is_plain(const char *text)
{
    if (!*text)
        return false;
    for (; *text; text++)
        if (*text <= ' ' || *text > '~' || *text == '"' || *text == '=' || *text == '\\')
            return false;
    return true;
}

static void append_field(struct den_buffer *line, const struct den_log_field *field)
{
    den_buffer_appendf(line, log_to.json ? ", \"%s\": " : " %s=", field->name);
    if (!field->text)
        den_buffer_appendf(line, "%.10g", field->number);
    else if (!log_to.json && is_plain(field->text))
        den_buffer_append_text(line, field->text);
    else
        append_quoted(line, field->text);
}

static void format_line(struct den_buffer *line, enum den_log_level level, const char *event,
                        const struct den_log_field *fields, size_t count)
{
    static const char *const names[] = { "none", "error", "warning", "info", "debug" };
    struct timespec now;
    struct tm utc;
    char date[32];
    size_t i;

    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &utc);
    strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%S", &utc);
    den_buffer_appendf(line,
                       log_to.json
                           ? "{\"time\": \"%s.%03ldZ\", \"level\": \"%s\", \"event\": \"%s\""
                           : "%s.%03ldZ %s %s",
                       date, now.tv_nsec / 1000000, names[level], event);
    for (i = 0; i < count; i++)
        append_field(line, &fields[i]);
    den_buffer_append_text(line, log_to.json ? "}\n" : "\n");
}

/* A pipe that polls as writable takes DEN_LOG_LINE_BYTES_MAX whole, so the write can't block. */
static bool has_reader_ready(void)
{
    struct pollfd out = { .fd = log_to.fd, .events = POLLOUT };

    return poll(&out, 1, 0) == 1 && (out.revents & (POLLOUT | POLLERR | POLLHUP));
}

static void write_line(const struct den_buffer *line)
{
    if (line->status == DEN_OK && write(log_to.fd, line->data, line->length) < 0)
        log_to.level = DEN_LOG_NONE; /* nobody reads any more */
}

static void tell_of_lost(void)
{
    struct den_buffer line;

    den_buffer_init(&line, DEN_LOG_LINE_BYTES_MAX);
    format_line(&line, DEN_LOG_WARNING, "log_lost",
                &(struct den_log_field){ .name = "lines", .number = log_to.lost }, 1);
    write_line(&line);
    den_buffer_deinit(&line);
    log_to.lost = 0;
}

void den_log(enum den_log_level level, const char *event, const struct den_log_field *fields,
             size_t count)
{
    struct den_buffer line;

    if (!den_log_wants(level))
        return;
    den_buffer_init(&line, DEN_LOG_LINE_BYTES_MAX);
    format_line(&line, level, event, fields, count);
    pthread_mutex_lock(&log_to.writing);
    if (log_to.lost && has_reader_ready())
        tell_of_lost();
    if (!log_to.lost && has_reader_ready())
        write_line(&line);
    else
        log_to.lost++;
    pthread_mutex_unlock(&log_to.writing);
    den_buffer_deinit(&line);
}
