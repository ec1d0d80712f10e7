/* See download_file.h. One thread runs all connections of a file through curl's multi interface.
 *
 * A round asks for the file's first byte, which tells its size, its version and where its bytes are
 * now (addresses of content networks are signed and expire), then fetches what is missing until all
 * is there or a new round is needed: the version changed, the address expired, or the server sends
 * us elsewhere. A connection that breaks is taken up again by itself, where it broke off, as often
 * as it brings something new. */
#include "desk/download_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "desk/download_hash.h"
#include "desk/download_journal.h"

enum { JOURNAL_SECONDS = 4 };

enum outcome { GOING, AGAIN, CHANGED }; /* what a round comes to, besides failing */

struct fetch;

struct connection {
    struct fetch *fetch;
    struct den_download_part *part; /* in the journal */
    CURL *easy;                     /* NULL: not under way */
    struct curl_slist *lists[2];
    struct den_http_reply reply;
    char broken[CURL_ERROR_SIZE];
    uint64_t began_at;
    unsigned failures; /* in a row */
    double not_before;
};

struct fetch {
    struct den_http *http;
    struct den_download_progress *progress;
    const struct den_download_file *file;
    char part_path[DEN_PATH_BYTES_MAX], journal_path[DEN_PATH_BYTES_MAX];
    int fd;
    struct den_http_hop hop;
    struct den_http_reply probe;
    struct den_download_journal journal;
    struct connection connections[DEN_DOWNLOAD_CONNECTIONS_MAX];
    uint64_t counted;  /* of progress->bytes_done, by this file */
    uint64_t promised; /* of progress->bytes_total, where the plan did not know its size */
    double journal_at;
    int write_error; /* errno */
    enum outcome outcome;
    struct den_error *err;
};

static void count_bytes(struct fetch *fetch, uint64_t bytes)
{
    fetch->counted += bytes;
    atomic_fetch_add(&fetch->progress->bytes_done, bytes);
}

static void count_anew(struct fetch *fetch, uint64_t bytes)
{
    atomic_fetch_sub(&fetch->progress->bytes_done, fetch->counted);
    fetch->counted = 0;
    count_bytes(fetch, bytes);
}

static bool is_ranged(const struct fetch *fetch)
{
    return fetch->probe.takes_ranges && fetch->journal.bytes > 0;
}

/* --- bytes --- */

static bool write_at(struct fetch *fetch, const char *data, size_t length, uint64_t at)
{
    while (length > 0) {
        const ssize_t written = pwrite(fetch->fd, data, length, (off_t)at);

        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0) {
            fetch->write_error = written < 0 ? errno : EIO;
            return false;
        }
        data += written;
        at += (uint64_t)written;
        length -= (size_t)written;
    }
    return true;
}

/* Returning less than it was given ends the transfer; end_transfer() finds out why. */
static size_t take_bytes(char *data, size_t size, size_t count, void *context)
{
    struct connection *connection = context;
    struct fetch *fetch = connection->fetch;
    struct den_download_part *part = connection->part;
    const size_t length = size * count;
    long code = 0;

    curl_easy_getinfo(connection->easy, CURLINFO_RESPONSE_CODE, &code);
    if (code != (is_ranged(fetch) ? 206 : 200))
        return 0; /* an error's page, or the whole file because it is another one now */
    if (is_ranged(fetch) && (connection->reply.begins != connection->began_at ||
                             connection->reply.total != fetch->journal.bytes))
        return 0;
    if (length > part->end - part->at || part->at + length > DEN_DOWNLOAD_BYTES_MAX)
        return 0; /* more than was asked for */
    if (!write_at(fetch, data, length, part->at))
        return 0;
    part->at += length;
    count_bytes(fetch, length);
    atomic_fetch_add(&fetch->progress->bytes_received, length);
    return length;
}

static enum den_status save_journal(struct fetch *fetch)
{
    fetch->journal_at = den_clock_seconds();
    if (!is_ranged(fetch) || fetch->fd < 0)
        return DEN_OK; /* could not be gone on from anyway */
    if (fdatasync(fetch->fd) != 0)
        return den_fail_errno(fetch->err, DEN_IO, "%s", fetch->part_path);
    return den_download_journal_write(fetch->journal_path, &fetch->journal, fetch->err);
}

/* --- one connection --- */

static enum den_status begin_transfer(struct fetch *fetch, struct connection *connection)
{
    const char *if_range = fetch->probe.etag;
    char range[64];

    connection->easy =
        den_http_transfer(fetch->http, &fetch->hop, is_ranged(fetch) ? if_range : NULL,
                          &connection->reply, connection->lists);
    if (!connection->easy)
        return den_fail(fetch->err, DEN_NO_MEMORY, "download: out of memory");
    if (is_ranged(fetch)) {
        snprintf(range, sizeof range, "%llu-%llu", (unsigned long long)connection->part->at,
                 (unsigned long long)connection->part->end - 1);
        curl_easy_setopt(connection->easy, CURLOPT_RANGE, range);
    } else {
        count_anew(fetch, 0);
        connection->part->at = 0;
    }
    connection->began_at = connection->part->at;
    connection->broken[0] = '\0';
    curl_easy_setopt(connection->easy, CURLOPT_ERRORBUFFER, connection->broken);
    curl_easy_setopt(connection->easy, CURLOPT_WRITEFUNCTION, take_bytes);
    curl_easy_setopt(connection->easy, CURLOPT_WRITEDATA, connection);
    curl_easy_setopt(connection->easy, CURLOPT_PRIVATE, connection);
    curl_multi_add_handle(den_http_multi(fetch->http), connection->easy);
    return DEN_OK;
}

static void drop_transfer(struct fetch *fetch, struct connection *connection)
{
    if (!connection->easy)
        return;
    curl_multi_remove_handle(den_http_multi(fetch->http), connection->easy);
    curl_easy_cleanup(connection->easy);
    connection->easy = NULL;
    den_http_lists_free(connection->lists);
}

static bool is_complete(const struct connection *connection)
{
    return connection->part->at >= connection->part->end;
}

/* The connection broke, or the server is busy: once more, later. */
static enum den_status try_later(struct fetch *fetch, struct connection *connection,
                                 const char *why)
{
    double pause;

    if (connection->part->at > connection->began_at)
        connection->failures = 0;
    if (++connection->failures >= DEN_DOWNLOAD_ATTEMPTS_MAX)
        return den_fail(fetch->err, DEN_IO, "%s: %s, %u times in a row; what is there is kept",
                        fetch->hop.url.host, why, connection->failures);
    pause = den_http_pause_s(connection->failures, &connection->reply);
    if (pause > DEN_DOWNLOAD_WAIT_SECONDS_MAX)
        return den_fail(fetch->err, DEN_BUSY, "%s wants us to come back in %.0f minutes",
                        fetch->hop.url.host, pause / 60);
    connection->not_before = den_clock_seconds() + pause;
    return DEN_OK;
}

static enum den_status judge_code(struct fetch *fetch, struct connection *connection, long code,
                                  CURLcode result)
{
    if (den_http_code_is_passing(code)) {
        char why[40];

        snprintf(why, sizeof why, "HTTP %ld", code);
        return try_later(fetch, connection, why);
    }
    if (code == 416 || (is_ranged(fetch) && code == 200) ||
        (code == 206 && connection->reply.total != fetch->journal.bytes)) {
        fetch->outcome = CHANGED;
        return DEN_OK;
    }
    if ((code >= 300 && code < 400) || ((code == 401 || code == 403) && fetch->hop.is_redirect)) {
        fetch->outcome = AGAIN;
        return DEN_OK;
    }
    if (code == 200 || code == 206) {
        if (result == CURLE_WRITE_ERROR)
            return den_fail(fetch->err, DEN_BAD_FILE, "%s sends other bytes than it was asked for",
                            fetch->hop.url.host);
        return try_later(fetch, connection,
                         connection->broken[0] ? connection->broken
                                               : "the connection ended too early");
    }
    return den_http_fail_code(fetch->http, &fetch->hop, code, fetch->err);
}

static enum den_status end_transfer(struct fetch *fetch, struct connection *connection,
                                    CURLcode result)
{
    long code = 0;

    curl_easy_getinfo(connection->easy, CURLINFO_RESPONSE_CODE, &code);
    drop_transfer(fetch, connection);
    if (fetch->write_error) {
        errno = fetch->write_error;
        return den_fail_errno(fetch->err, DEN_IO, "%s", fetch->part_path);
    }
    if (result == CURLE_OK && code == 200 && connection->part->end == UINT64_MAX)
        connection->part->end = connection->part->at; /* its size was not known before */
    if (is_complete(connection))
        return DEN_OK;
    if (result == CURLE_PEER_FAILED_VERIFICATION)
        return den_fail(fetch->err, DEN_FORBIDDEN, "%s: %s", fetch->hop.url.host,
                        connection->broken);
    if (code == 0)
        return try_later(fetch, connection,
                         connection->broken[0] ? connection->broken : curl_easy_strerror(result));
    return judge_code(fetch, connection, code, result);
}

/* --- a round --- */

static enum den_status take_messages(struct fetch *fetch)
{
    CURLMsg *message;
    int left;

    while (fetch->err->status == DEN_OK &&
           (message = curl_multi_info_read(den_http_multi(fetch->http), &left)) != NULL) {
        struct connection *connection = NULL;

        if (message->msg != CURLMSG_DONE)
            continue;
        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&connection);
        end_transfer(fetch, connection, message->data.result);
    }
    return fetch->err->status;
}

/* Starts the connections whose time has come. *out_wait: seconds until the next one's has. */
static bool start_due(struct fetch *fetch, double *out_wait)
{
    const double now = den_clock_seconds();
    bool is_done = true;
    size_t i;

    *out_wait = 1;
    for (i = 0; i < fetch->journal.count; i++) {
        struct connection *connection = &fetch->connections[i];

        if (is_complete(connection))
            continue;
        is_done = false;
        if (connection->easy)
            continue;
        if (connection->not_before > now) {
            if (connection->not_before - now < *out_wait)
                *out_wait = connection->not_before - now;
        } else if (begin_transfer(fetch, connection) != DEN_OK) {
            break;
        }
    }
    return is_done;
}

static enum den_status run_round(struct fetch *fetch)
{
    double wait;
    int running;
    size_t i;

    for (i = 0; i < fetch->journal.count; i++)
        fetch->connections[i] =
            (struct connection){ .fetch = fetch, .part = &fetch->journal.parts[i] };
    fetch->outcome = GOING;
    while (fetch->err->status == DEN_OK && fetch->outcome == GOING && !start_due(fetch, &wait)) {
        if (fetch->err->status != DEN_OK)
            break;
        curl_multi_perform(den_http_multi(fetch->http), &running);
        if (take_messages(fetch) != DEN_OK || fetch->outcome != GOING)
            break;
        if (den_clock_seconds() > fetch->journal_at + JOURNAL_SECONDS &&
            save_journal(fetch) != DEN_OK)
            break;
        den_http_wait(fetch->http, wait, fetch->err);
    }
    for (i = 0; i < fetch->journal.count; i++)
        drop_transfer(fetch, &fetch->connections[i]);
    return fetch->err->status;
}

/* --- versions --- */

/* The size that the answer to the probe tells; 0: none. */
static uint64_t size_of(const struct den_http_reply *probe)
{
    return probe->linked_bytes ? probe->linked_bytes : probe->total;
}

static const char *identity_of(const struct den_http_reply *probe)
{
    if (*probe->linked)
        return probe->linked;
    return *probe->etag ? probe->etag : probe->modified;
}

/* Reserves the room; says at once when there is none. */
static enum den_status open_part(struct fetch *fetch)
{
    const uint64_t bytes = fetch->journal.bytes;

    if (fetch->fd < 0)
        fetch->fd = open(fetch->part_path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fetch->fd < 0)
        return den_fail_errno(fetch->err, DEN_IO, "%s", fetch->part_path);
    if (bytes > 0 && fallocate(fetch->fd, 0, 0, (off_t)bytes) != 0 &&
        (errno == ENOSPC || errno == EFBIG || errno == EDQUOT))
        return den_fail_errno(fetch->err, DEN_IO, "%s needs %.1f MB", fetch->part_path,
                              (double)bytes / 1e6);
    return DEN_OK;
}

static enum den_status begin_anew(struct fetch *fetch, const char *identity)
{
    fetch->journal = (struct den_download_journal){ .bytes = size_of(&fetch->probe) };
    snprintf(fetch->journal.identity, sizeof fetch->journal.identity, "%s", identity);
    unlink(fetch->journal_path);
    if (fetch->fd >= 0 && ftruncate(fetch->fd, 0) != 0)
        return den_fail_errno(fetch->err, DEN_IO, "%s", fetch->part_path);
    if (fetch->fd < 0)
        unlink(fetch->part_path);
    den_download_journal_divide(&fetch->journal, fetch->probe.takes_ranges);
    count_anew(fetch, 0);
    return DEN_OK;
}

/* Asks what the file is now, and decides what of it is there. */
static enum den_status probe(struct fetch *fetch)
{
    const struct den_download_file *file = fetch->file;
    const char *identity;
    struct stat info;

    den_http_hop_deinit(&fetch->hop);
    if (den_http_ask(fetch->http, file->url, NULL, &fetch->hop, &fetch->probe, fetch->err) !=
        DEN_OK)
        return fetch->err->status;
    if (fetch->probe.code == 416)
        return den_fail(fetch->err, DEN_BAD_FILE, "the file at %s is empty", fetch->hop.url.host);
    if (file->bytes > 0 && size_of(&fetch->probe) > 0 && file->bytes != size_of(&fetch->probe))
        return den_fail(fetch->err, DEN_BAD_FILE,
                        "the file has %llu bytes at %s and should have %llu",
                        (unsigned long long)size_of(&fetch->probe), fetch->hop.url.host,
                        (unsigned long long)file->bytes);
    identity = identity_of(&fetch->probe);
    if (!fetch->probe.takes_ranges || !*identity ||
        (fetch->fd < 0 &&
         (!den_download_journal_read(fetch->journal_path, &fetch->journal) ||
          stat(fetch->part_path, &info) != 0 || (uint64_t)info.st_size > fetch->journal.bytes)) ||
        strcmp(identity, fetch->journal.identity) != 0 ||
        size_of(&fetch->probe) != fetch->journal.bytes) {
        if (begin_anew(fetch, identity) != DEN_OK)
            return fetch->err->status;
    } else {
        count_anew(fetch, fetch->journal.bytes - den_download_journal_missing(&fetch->journal));
    }
    if (file->bytes == 0) {
        atomic_fetch_add(&fetch->progress->bytes_total, fetch->journal.bytes - fetch->promised);
        fetch->promised = fetch->journal.bytes;
    }
    return open_part(fetch);
}

static enum den_status fetch_all(struct fetch *fetch)
{
    unsigned changes = 0, rounds = 0;
    uint64_t before;

    for (;;) {
        if (probe(fetch) != DEN_OK)
            return fetch->err->status;
        before = fetch->counted;
        run_round(fetch);
        if (fetch->err->status != DEN_OK || fetch->outcome == GOING)
            break;
        rounds = fetch->counted > before ? 1 : rounds + 1;
        if (fetch->outcome == CHANGED) {
            fetch->journal.identity[0] = '\0'; /* so that the next round begins anew */
            changes++;
        }
        if (changes > DEN_DOWNLOAD_CHANGES_MAX || rounds > DEN_DOWNLOAD_ATTEMPTS_MAX)
            return den_fail(fetch->err, DEN_IO,
                            fetch->outcome == CHANGED ? "the file at %s does not stay the same"
                                                      : "%s refuses what it offered before",
                            fetch->hop.url.host);
    }
    if (fetch->fd >= 0 && fetch->err->status != DEN_OK) {
        struct den_error ignored = { 0 }, *err = fetch->err;

        fetch->err = &ignored;
        save_journal(fetch);
        fetch->err = err;
    }
    return fetch->err->status;
}

/* --- the whole file --- */

static enum den_status sync_folder_of(const char *path, struct den_error *err)
{
    char folder[DEN_PATH_BYTES_MAX];
    int fd;

    snprintf(folder, sizeof folder, "%s", path);
    *strrchr(folder, '/') = '\0';
    fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 || fsync(fd) != 0)
        den_fail_errno(err, DEN_IO, "%s", folder);
    if (fd >= 0)
        close(fd);
    return err->status;
}

static enum den_status finish(struct fetch *fetch)
{
    const struct den_download_file *file = fetch->file;
    const char *sha256 = file->sha256;
    uint64_t bytes = fetch->journal.parts[fetch->journal.count - 1].end;

    if (!*sha256 && strlen(fetch->probe.linked) == 64 &&
        strspn(fetch->probe.linked, "0123456789abcdef") == 64)
        sha256 = fetch->probe.linked;
    if (ftruncate(fetch->fd, (off_t)bytes) != 0)
        return den_fail_errno(fetch->err, DEN_IO, "%s", fetch->part_path);
    if (file->bytes > 0 && bytes != file->bytes)
        den_fail(fetch->err, DEN_BAD_FILE, "the file has %llu bytes and should have %llu",
                 (unsigned long long)bytes, (unsigned long long)file->bytes);
    atomic_store(&fetch->progress->is_verifying, true);
    if (fetch->err->status == DEN_OK)
        den_download_check(fetch->fd, bytes, sha256, file->git_hash, fetch->progress, fetch->err);
    atomic_store(&fetch->progress->is_verifying, false);
    if (fetch->err->status == DEN_BAD_FILE) {
        unlink(fetch->part_path);
        unlink(fetch->journal_path);
        count_anew(fetch, 0);
    }
    if (fetch->err->status == DEN_CANCELLED) {
        struct den_error ignored = { 0 };

        den_download_journal_write(fetch->journal_path, &fetch->journal, &ignored);
    }
    if (fetch->err->status != DEN_OK)
        return fetch->err->status;
    if (fsync(fetch->fd) != 0 || rename(fetch->part_path, file->path) != 0)
        return den_fail_errno(fetch->err, DEN_IO, "%s", file->path);
    unlink(fetch->journal_path);
    return sync_folder_of(file->path, fetch->err);
}

enum den_status den_download_file(struct den_http *http, struct den_download_progress *progress,
                                  const struct den_download_file *file, struct den_error *err)
{
    struct fetch *fetch = calloc(1, sizeof *fetch);

    if (!fetch)
        return den_fail(err, DEN_NO_MEMORY, "download: out of memory");
    fetch->http = http;
    fetch->progress = progress;
    fetch->file = file;
    fetch->fd = -1;
    fetch->err = err;
    fetch->journal_at = den_clock_seconds();
    if ((size_t)snprintf(fetch->part_path, sizeof fetch->part_path, "%s.part", file->path) >=
            sizeof fetch->part_path ||
        (size_t)snprintf(fetch->journal_path, sizeof fetch->journal_path, "%s.journal",
                         file->path) >= sizeof fetch->journal_path)
        den_fail(err, DEN_INVALID, "%.200s...: the path is too long", file->path);
    else if (fetch_all(fetch) == DEN_OK)
        finish(fetch);
    if (fetch->fd >= 0)
        close(fetch->fd);
    den_http_hop_deinit(&fetch->hop);
    free(fetch);
    return err->status;
}

bool den_download_is_there(const struct den_download_file *file)
{
    struct den_error ignored = { 0 };
    struct stat info;
    bool is_there;
    int fd = open(file->path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);

    if (fd < 0)
        return false;
    is_there = fstat(fd, &info) == 0 && S_ISREG(info.st_mode) &&
               (file->bytes == 0 || (uint64_t)info.st_size == file->bytes) &&
               den_download_check(fd, (uint64_t)info.st_size, file->sha256, file->git_hash, NULL,
                                  &ignored) == DEN_OK;
    close(fd);
    return is_there;
}
