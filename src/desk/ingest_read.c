/* Reading: one task, from its file to passages whose words are found.
 *
 * The file is an upload that was kept, a path of this machine or a web address; the latter two are
 * copied among the originals first, because what is read must be what is kept. Bytes that are there
 * already are not read again: the document is linked and the task skipped. A path that was read
 * before and has other bytes now keeps its document, whose text is exchanged in one transaction. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/utf8.h"
#include "desk/ingest_draft.h"
#include "desk/ingest_parts.h"
#include "desk/reading.h"
#include "desk/threads_parts.h"
#include "desk/watched_parts.h"
#include "desk/web_page.h"
#include "space/space.h"

/* One task while it runs. */
struct run {
    struct den_ingest *ingest;
    struct den_task *task;
    struct den_document_links links;
    int64_t document; /* 0: a new one */
    int fd;           /* of the original; -1: not open */
    char hash[DEN_HASH_HEX + 1];
    bool holds; /* the original is ours until its row is written */
    char name[DEN_DOCUMENT_NAME_BYTES_MAX + 1];
    char origin[16];
    int format;
    uint64_t bytes;
    int64_t modified; /* Unix milliseconds; of a watched file in nanoseconds as well */
    int64_t modified_ns;
    uint64_t seen_bytes;
    bool replaced;  /* another file, which nobody wants any more perhaps */
    bool exists;    /* these bytes were read already: `document` */
    bool is_read;   /* only vectors are missing */
    bool again;     /* the same bytes, by readers that may find more in them */
    void *embedder; /* NULL: none is installed */
    struct den_draft *draft;
};

static bool is_web(const char *address)
{
    return strncmp(address, "http://", 7) == 0 || strncmp(address, "https://", 8) == 0;
}

/* --- the file --- */

/* The document that an upload's task names. */
static enum den_status find_upload(struct run *run, struct den_error *err)
{
    struct den_connection *connection;
    struct den_query query;

    if (den_database_read(run->ingest->database, &connection, err) != DEN_OK)
        return err->status;
    den_query_start(&query, connection, err,
                    "SELECT original, name, bytes, parts FROM documents WHERE row = ?", "i",
                    run->task->document);
    if (den_query_next(&query, err)) {
        snprintf(run->hash, sizeof run->hash, "%s", den_query_text(&query, 0));
        snprintf(run->name, sizeof run->name, "%s", den_query_text(&query, 1));
        run->bytes = (uint64_t)den_query_integer(&query, 2);
        run->again = json_is_true(json_object_get(run->task->fields, "again"));
        run->is_read = den_query_integer(&query, 3) > 0 && !run->again;
        run->document = run->task->document;
    } else if (err->status == DEN_OK) {
        den_fail(err, DEN_CANCELLED, "the document was deleted");
    }
    den_query_end(&query);
    if (den_connection_end(connection, err) == DEN_OK)
        den_originals_open_file(run->ingest->originals, run->hash, &run->fd, err);
    return err->status;
}

/* A copy of the file at the task's path, among the originals. */
static enum den_status copy_file(struct run *run, struct den_error *err)
{
    struct stat info = { 0 };
    int fd = open(run->task->address, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

    if (fd < 0)
        return den_fail_errno(err, errno == ENOENT ? DEN_NOT_FOUND : DEN_IO, "%.500s",
                              run->task->address);
    if (fstat(fd, &info) != 0 || !S_ISREG(info.st_mode))
        den_fail(err, DEN_UNSUPPORTED, "%.500s is no regular file", run->task->address);
    else if (den_originals_add_file(run->ingest->originals, fd, run->hash, &run->bytes, err) ==
             DEN_OK)
        run->holds = true;
    run->modified_ns = (int64_t)info.st_mtim.tv_sec * 1000000000 + info.st_mtim.tv_nsec;
    run->modified = run->modified_ns / 1000000;
    run->seen_bytes = (uint64_t)info.st_size;
    close(fd);
    return err->status;
}

/* Which document a copied file is: the one with its bytes, else the one read from its path. */
static enum den_status match(struct run *run, struct den_connection *connection,
                             struct den_error *err)
{
    struct den_query query;

    den_query_start(&query, connection, err,
                    "SELECT row, original = ?1 AND state <> 'failed' FROM documents WHERE "
                    "original = ?1 OR (address = ?2 AND address <> '' AND ?2 <> '' AND NOT EXISTS "
                    "(SELECT 1 FROM watched_files f JOIN watched_folders w ON w.row = f.folder "
                    "WHERE f.document = documents.row AND w.path || '/' || f.path <> ?2)) "
                    "ORDER BY original = ?1 DESC, row LIMIT 1",
                    "tt", run->hash, run->task->address);
    run->document = 0;
    run->exists = false;
    if (den_query_next(&query, err)) {
        run->document = den_query_integer(&query, 0);
        run->exists = den_query_integer(&query, 1) != 0;
    }
    den_query_end(&query);
    return err->status;
}

static enum den_status fetch_page(struct run *run, struct den_error *err)
{
    const struct den_web_page_options options = { .address = run->task->address,
                                                  .cancel = &run->task->cancel,
                                                  .may_be_local = run->ingest->allows_local };
    struct den_web_page *page = calloc(1, sizeof *page);
    struct den_incoming *incoming;

    if (!page)
        return den_fail(err, DEN_NO_MEMORY, "documents: out of memory");
    if (den_incoming_begin(run->ingest->originals, &incoming, err) != DEN_OK)
        goto done;
    if (den_web_page_fetch(&options, incoming, page, err) != DEN_OK) {
        den_incoming_drop(incoming);
        goto done;
    }
    if (den_incoming_keep(incoming, run->hash, &run->bytes, err) == DEN_OK)
        run->holds = true;
    den_document_clean_name(page->name, run->name);
    run->modified = page->modified;
done:
    free(page);
    return err->status;
}

/* A copy of what is at the task's path or address, and which document that is. */
static enum den_status find_outside(struct run *run, struct den_error *err)
{
    struct den_connection *connection;

    den_document_clean_name(run->task->name, run->name);
    if ((is_web(run->task->address) ? fetch_page(run, err) : copy_file(run, err)) != DEN_OK ||
        den_database_read(run->ingest->database, &connection, err) != DEN_OK)
        return err->status;
    match(run, connection, err);
    if (den_connection_end(connection, err) == DEN_OK && !run->exists)
        den_ingest_open_kept(run->ingest, run->hash, &run->fd, err);
    return err->status;
}

static enum den_status find_file(struct run *run, struct den_error *err)
{
    const char *origin = json_string_value(json_object_get(run->task->fields, "origin"));

    snprintf(run->origin, sizeof run->origin, "%s", origin ? origin : "upload");
    if (!*run->task->address) {
        if (run->task->document == 0)
            return den_fail(err, DEN_CANCELLED, "the document was deleted");
        return find_upload(run, err);
    }
    return find_outside(run, err);
}

/* --- reading --- */

/* Where no model counts: four bytes of Latin letters are a token, and each other character. */
static enum den_status estimate_tokens(void *context, const char *const *texts,
                                       const size_t *lengths, size_t count, size_t *out_counts,
                                       struct den_error *err)
{
    size_t i;

    (void)context;
    (void)err;
    for (i = 0; i < count; i++) {
        size_t characters = den_utf8_count(texts[i], lengths[i]);
        size_t wide = (lengths[i] - characters) / 2;

        out_counts[i] = wide + (characters - (wide < characters ? wide : characters) + 3) / 4;
    }
    return DEN_OK;
}

static enum den_status count_tokens(void *context, const char *const *texts, const size_t *lengths,
                                    size_t count, size_t *out_counts, struct den_error *err)
{
    const struct run *run = context;

    return run->ingest->source.count(run->embedder, texts, lengths, count, out_counts, err);
}

/* Absent is fine: then words alone are kept. */
static enum den_status take_embedder(struct run *run, struct den_error *err)
{
    struct den_error trouble = { 0 };
    char name[128];
    size_t width;

    if (run->ingest->source.take(run->ingest->source.context, &run->embedder, name, &width,
                                 &trouble) == DEN_OK)
        return DEN_OK;
    run->embedder = NULL;
    if (trouble.status != DEN_NOT_FOUND)
        *err = trouble;
    return err->status;
}

static void mark_reading(struct run *run)
{
    struct den_connection *connection;
    struct den_error err = { 0 };

    if (run->document == 0 ||
        den_database_write(run->ingest->database, &connection, &err) != DEN_OK)
        return;
    den_execute(connection, &err,
                "UPDATE documents SET state = 'reading' WHERE row = ? AND state = 'waiting'", "i",
                run->document);
    den_connection_end(connection, &err);
    den_documents_changed(run->ingest->documents, run->document);
}

struct counted { /* the draft's sink, told of how far the reading is */
    struct den_document_sink draft;
    struct run *run;
    size_t parts, expected;
};

static enum den_status take_part(void *context, const struct den_part *part, struct den_error *err)
{
    struct counted *counted = context;

    if (++counted->parts <= counted->expected) {
        atomic_store(&counted->run->task->permille,
                     (unsigned)(counted->parts * 1000 / counted->expected));
        den_jobs_changed(counted->run->ingest->jobs, counted->run->task->job);
    }
    return counted->draft.part(counted->draft.context, part, err);
}

static enum den_status take_facts(void *context, const struct den_document_facts *facts,
                                  struct den_error *err)
{
    struct counted *counted = context;

    if (facts->part_count > 0)
        counted->expected = facts->part_count;
    return counted->draft.facts(counted->draft.context, facts, err);
}

static enum den_status read_parts(struct run *run, struct den_error *err)
{
    struct counted counted = { .run = run };
    const struct den_document_sink sink = { .context = &counted,
                                            .part = take_part,
                                            .facts = take_facts };
    const struct den_chunk_options chunks = { .count_tokens =
                                                  run->embedder ? count_tokens : estimate_tokens,
                                              .context = run };
    struct den_reading reading = { .fd = run->fd,
                                   .name = run->name,
                                   .format = (enum den_format)run->format,
                                   .cancel = &run->task->cancel };

    if (den_draft_create(run->ingest->home, &chunks, &run->draft, err) != DEN_OK)
        return err->status;
    counted.draft = den_draft_sink(run->draft);
    return den_reading_run(&reading, &sink, err);
}

static enum den_status read_file(struct run *run, struct den_error *err)
{
    if (find_file(run, err) != DEN_OK || run->exists || run->is_read)
        return err->status;
    if (den_ingest_sniff(run->fd, run->name, &run->format, err) != DEN_OK ||
        take_embedder(run, err) != DEN_OK)
        return err->status;
    mark_reading(run);
    return read_parts(run, err);
}

/* --- keeping --- */

/* A watched file is not looked at again until it changes, whatever came of it. */
static void note_watched(struct run *run, struct den_connection *connection, struct den_error *err)
{
    const struct den_watched_seen seen = {
        .folder = json_string_value(json_object_get(run->task->fields, "folder")),
        .address = run->task->address,
        .document = run->document,
        .modified_ns = run->modified_ns,
        .bytes = run->seen_bytes,
    };

    if (seen.folder && run->modified_ns != 0 && err->status == DEN_OK)
        den_watched_note(connection, &seen, err);
}

static enum den_status make_row(struct run *run, struct den_connection *connection,
                                struct den_error *err)
{
    const enum den_format format = (enum den_format)run->format;
    const struct den_document_row row = {
        .hash = run->hash,
        .name = run->name,
        .origin = run->origin,
        .address = run->task->address,
        .media_type = den_format_media_type(format, run->name),
        .format = den_format_text(format),
        .state = "reading",
        .bytes = run->bytes,
        .modified = run->modified,
    };

    return den_document_insert(connection, &row, &run->document, err);
}

/* The row of a file whose bytes are new, or of which the bytes have changed. */
static enum den_status renew_row(struct run *run, struct den_connection *connection,
                                 struct den_error *err)
{
    const enum den_format format = (enum den_format)run->format;

    if (run->document == 0)
        return make_row(run, connection, err);
    run->replaced = run->holds;
    if (run->holds)
        den_originals_want(connection, run->hash, run->bytes, err);
    return den_execute(connection, err,
                       "UPDATE documents SET original = ?2, bytes = ?3, format = ?4, media_type = "
                       "?5, modified = coalesce(nullif(?6, 0), modified), updated = ?7 "
                       "WHERE row = ?1",
                       "ititt"
                       "ii",
                       run->document, run->hash, (int64_t)run->bytes, den_format_text(format),
                       den_format_media_type(format, run->name), run->modified,
                       den_clock_unix_ms());
}

static enum den_status keep_text(struct run *run, struct den_connection *connection,
                                 struct den_error *err)
{
    const struct den_draft_facts facts = den_draft_facts(run->draft);
    const bool lacks_model = !run->embedder && facts.items > 0;
    const bool embeds = run->embedder && facts.items > 0;
    char note[DEN_DOCUMENT_NOTE_BYTES_MAX + sizeof DEN_NOTE_NO_EMBEDDER + 8];

    snprintf(note, sizeof note, "%.*s%s%s", DEN_DOCUMENT_NOTE_BYTES_MAX, facts.note,
             lacks_model && *facts.note ? "; " : "", lacks_model ? DEN_NOTE_NO_EMBEDDER : "");
    if (den_draft_keep(run->draft, connection, run->document, err) != DEN_OK)
        return err->status;
    den_execute(connection, err,
                "UPDATE documents SET title = CASE ?2 WHEN '' THEN title ELSE ?2 END, author = ?3, "
                "note = ?4, parts = ?5, items = ?6, tokens = ?7, state = ?8, error_code = NULL, "
                "error_message = NULL, reader = ?9 WHERE row = ?1",
                "itttiiiti", run->document, facts.title, facts.author, note, (int64_t)facts.parts,
                (int64_t)facts.items, (int64_t)facts.tokens, embeds ? "embedding" : "ready",
                (int64_t)den_format_reader_version((enum den_format)run->format));
    return den_task_set(connection, run->task, run->document, embeds ? "running" : "done", NULL,
                        err);
}

/* The document may have been removed while it was read. */
static enum den_status check_row(struct run *run, struct den_connection *connection,
                                 struct den_error *err)
{
    struct den_query query;

    if (run->document == 0 || err->status != DEN_OK)
        return err->status;
    den_query_start(&query, connection, err, "SELECT 1 FROM documents WHERE row = ?", "i",
                    run->document);
    if (!den_query_next(&query, err) && err->status == DEN_OK)
        den_fail(err, DEN_CANCELLED, "the document was deleted");
    den_query_end(&query);
    return err->status;
}

static enum den_status keep(struct run *run, struct den_error *err)
{
    struct den_connection *connection;

    if (den_database_write(run->ingest->database, &connection, err) != DEN_OK)
        return err->status;
    if (*run->task->address) /* the other reader may have read the same bytes meanwhile */
        match(run, connection, err);
    check_row(run, connection, err);
    if (err->status == DEN_OK && run->is_read) {
        den_document_set_state(connection, run->document, "embedding", NULL, err);
        den_task_set(connection, run->task, run->document, "running", NULL, err);
    } else if (err->status == DEN_OK && run->exists) {
        den_task_set(connection, run->task, run->document, "skipped", NULL, err);
    } else if (err->status == DEN_OK && renew_row(run, connection, err) == DEN_OK) {
        keep_text(run, connection, err);
    }
    if (err->status == DEN_OK)
        den_document_link(connection, run->document, &run->links, err);
    note_watched(run, connection, err);
    return den_connection_end(connection, err);
}

/* --- failing --- */

/* Files of a folder that no reader knows are passed over; nobody asked for them by name. */
static bool is_passed_over(const struct run *run, const struct den_error *reason)
{
    return run->document == 0 && strcmp(run->origin, "upload") != 0 &&
           !is_web(run->task->address) &&
           (reason->status == DEN_UNSUPPORTED ||
            (reason->status == DEN_NOT_FOUND && strcmp(run->origin, "folder") == 0));
}

static bool has_parts(const struct run *run, struct den_connection *connection,
                      struct den_error *err)
{
    struct den_query query;
    bool found;

    den_query_start(&query, connection, err, "SELECT 1 FROM documents WHERE row = ? AND parts > 0",
                    "i", run->document);
    found = den_query_next(&query, err);
    den_query_end(&query);
    return found;
}

/* What was read before stays; whether its vectors are all there is the embedder's to see. */
static void keep_old_text(struct run *run, struct den_connection *connection, struct den_error *err)
{
    den_execute(connection, err,
                "UPDATE documents SET state = CASE WHEN items > 0 THEN 'embedding' ELSE 'ready' "
                "END, reader = ?2 WHERE row = ?1",
                "ii", run->document,
                (int64_t)den_format_reader_version((enum den_format)run->format));
}

/* A document whose new bytes can't be read does not go on saying the old ones. */
static void record_failure(struct run *run, struct den_connection *connection,
                           const struct den_error *reason, struct den_error *err)
{
    if (is_passed_over(run, reason)) {
        den_task_set(connection, run->task, 0, "skipped", reason, err);
        note_watched(run, connection, err);
        return;
    }
    if (*run->hash && (run->document == 0 || run->holds))
        renew_row(run, connection, err);
    if (run->document != 0 && run->again && has_parts(run, connection, err)) {
        keep_old_text(run, connection, err);
    } else if (run->document != 0) {
        den_execute(connection, err, "DELETE FROM parts WHERE document = ?", "i", run->document);
        den_execute(connection, err,
                    "UPDATE documents SET parts = 0, items = 0, tokens = 0, reader = ?2 "
                    "WHERE row = ?1",
                    "ii", run->document,
                    (int64_t)den_format_reader_version((enum den_format)run->format));
        den_document_set_state(connection, run->document, "failed", reason, err);
        den_document_link(connection, run->document, &run->links, err);
    }
    den_task_set(connection, run->task, run->document, "failed", reason, err);
    note_watched(run, connection, err);
}

static void fail(struct run *run, const struct den_error *reason)
{
    struct den_connection *connection;
    struct den_error err = { 0 };

    if (atomic_load(&run->task->cancel)) /* it waits again, or is cancelled already */
        return;
    if (den_database_write(run->ingest->database, &connection, &err) != DEN_OK)
        return;
    check_row(run, connection, &err);
    if (err.status == DEN_CANCELLED) {
        err = (struct den_error){ 0 };
        den_task_set(connection, run->task, 0, "cancelled", NULL, &err);
    } else {
        record_failure(run, connection, reason, &err);
    }
    if (den_connection_end(connection, &err) != DEN_OK)
        sleep(1); /* a full disk: the task waits again, and is not to be tried without end */
}

/* --- the whole --- */

static void end_run(struct run *run)
{
    struct den_ingest *ingest = run->ingest;
    struct den_error ignored = { 0 };

    if (run->fd >= 0)
        close(run->fd);
    if (run->holds) {
        den_originals_let_go(ingest->originals, run->hash);
        if (run->replaced)
            den_originals_sweep(ingest->originals, &ignored);
    }
    if (run->embedder)
        ingest->source.give_back(ingest->source.context, run->embedder);
    den_draft_destroy(run->draft);
    if (run->document != 0)
        den_documents_changed(ingest->documents, run->document);
    den_ingest_wake(ingest);
}

void den_ingest_run(struct den_ingest *ingest, struct den_task *task)
{
    struct run run = { .ingest = ingest, .task = task, .fd = -1 };
    struct den_error err = { 0 };

    run.links = den_ingest_links(task->fields);
    if (read_file(&run, &err) != DEN_OK || keep(&run, &err) != DEN_OK)
        fail(&run, &err);
    end_run(&run);
}
