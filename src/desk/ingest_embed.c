/* Embedding: passages that lack a vector get one, many at a time and of whichever documents, so
 * that folders of small files embed as fast as one large file.
 *
 * What is to be done is asked of the database each time: passages of documents in the state
 * "embedding", then, when there are none, passages that lack a vector of a model that was installed
 * or exchanged since. A batch's vectors are kept in one transaction with their documents' state.
 *
 * Where the last batch ended is remembered, so that a document of a hundred thousand passages is
 * walked through once and not once for each batch. The memory is only a hint: when nothing is found
 * behind it, all is looked through from the start before the work counts as done. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "desk/ingest_parts.h"
#include "space/space.h"

struct passage {
    int64_t row, document;
    char *text;
    size_t length;
};

struct batch {
    struct passage passages[DEN_INGEST_EMBED_BATCH];
    size_t count;
    bool goes_on; /* the last passage's document has more */
    struct den_embed_place place;
};

static void clear(struct batch *batch)
{
    size_t i;

    for (i = 0; i < batch->count; i++)
        free(batch->passages[i].text);
    batch->count = 0;
}

/* --- what is to be done --- */

/* A job that is paused keeps its documents waiting. */
#define NOT_PAUSED                                                                                 \
    "NOT EXISTS (SELECT 1 FROM tasks t JOIN jobs j ON j.row = t.job WHERE t.document = d.row AND " \
    "t.state = 'running' AND j.state = 'paused')"
#define PASSAGES                                                                                   \
    "SELECT i.row, i.document, CASE i.heading WHEN '' THEN i.text ELSE i.heading || char(10) || "  \
    "i.text END, i.ordinal FROM "

static enum den_status add_rows(struct den_query *query, struct batch *out, struct den_error *err)
{
    while (out->count < DEN_INGEST_EMBED_BATCH && den_query_next(query, err)) {
        struct passage *passage = &out->passages[out->count];

        passage->row = den_query_integer(query, 0);
        passage->document = den_query_integer(query, 1);
        passage->length = den_query_bytes(query, 2);
        passage->text = malloc(passage->length + 1);
        if (!passage->text)
            return den_fail(err, DEN_NO_MEMORY, "embedding: out of memory");
        memcpy(passage->text, den_query_text(query, 2), passage->length + 1);
        out->place.document = passage->document;
        out->place.ordinal = den_query_integer(query, 3);
        out->count++;
    }
    return err->status;
}

/* ?1 embedder, ?2 and ?3: behind this document and ordinal, ?4 limit. */
#define WAITING                                                                                    \
    PASSAGES "documents d JOIN items i ON i.document = d.row WHERE d.state = 'embedding' AND "     \
             "d.state <> 'ready' AND d.row >= ?2 AND i.ordinal > CASE d.row WHEN ?2 THEN ?3 "      \
             "ELSE -1 END AND NOT EXISTS (SELECT 1 FROM vectors v WHERE v.item = i.row AND "       \
             "v.embedder = ?1) "                                                                   \
             "AND " NOT_PAUSED " ORDER BY d.row, i.ordinal LIMIT ?4"

static enum den_status find_behind(struct den_connection *connection, int64_t embedder,
                                   struct den_embed_place place, struct batch *out,
                                   struct den_error *err)
{
    struct den_query query;

    den_query_start(&query, connection, err, WAITING, "iiii", embedder, place.document,
                    place.ordinal, (int64_t)DEN_INGEST_EMBED_BATCH + 1);
    out->place = place;
    add_rows(&query, out, err);
    if (out->count == DEN_INGEST_EMBED_BATCH && den_query_next(&query, err))
        out->goes_on = den_query_integer(&query, 1) == out->passages[out->count - 1].document;
    den_query_end(&query);
    return err->status;
}

static enum den_status find_passages(struct den_ingest *ingest, int64_t embedder, struct batch *out,
                                     struct den_error *err)
{
    static const struct den_embed_place start = { .ordinal = -1 };
    const struct den_embed_place place =
        ingest->embed_place.embedder == embedder ? ingest->embed_place : start;
    struct den_connection *connection;

    if (den_database_read(ingest->database, &connection, err) != DEN_OK)
        return err->status;
    find_behind(connection, embedder, place, out, err);
    if (err->status == DEN_OK && out->count == 0 && place.document > 0)
        find_behind(connection, embedder, start, out, err);
    out->place.embedder = embedder;
    ingest->embed_place = out->place;
    return den_connection_end(connection, err);
}

/* Passages of documents that count as ready: the model is new. */
static enum den_status find_old(struct den_ingest *ingest, int64_t embedder, struct batch *out,
                                struct den_error *err)
{
    int64_t rows[DEN_INGEST_EMBED_BATCH];
    struct den_connection *connection;
    struct den_query query;
    size_t count = 0, i;

    if (den_space_missing(ingest->space, embedder, rows, DEN_INGEST_EMBED_BATCH, &count, err) !=
            DEN_OK ||
        count == 0 || den_database_read(ingest->database, &connection, err) != DEN_OK)
        return err->status;
    for (i = 0; i < count && err->status == DEN_OK; i++) {
        den_query_start(&query, connection, err,
                        PASSAGES "items i JOIN documents d ON d.row = i.document WHERE i.row = ? "
                                 "AND " NOT_PAUSED,
                        "i", rows[i]);
        add_rows(&query, out, err);
        den_query_end(&query);
    }
    return den_connection_end(connection, err);
}

/* Whether the index was made by another model than the one that now has the role. */
static bool is_exchanged(struct den_ingest *ingest)
{
    struct den_connection *connection;
    struct den_error err = { 0 };
    struct den_query query;
    char name[128];
    bool found;

    if (!ingest->source.name(ingest->source.context, name) ||
        den_database_read(ingest->database, &connection, &err) != DEN_OK)
        return false;
    den_query_start(&query, connection, &err,
                    "SELECT 1 FROM embedders WHERE current = 1 AND name <> ? AND EXISTS (SELECT 1 "
                    "FROM items)",
                    "t", name);
    found = den_query_next(&query, &err);
    den_query_end(&query);
    den_connection_end(connection, &err);
    return found;
}

/* Whether an embedding model should be woken at all. */
static bool is_needed(struct den_ingest *ingest)
{
    struct den_connection *connection;
    struct den_error err = { 0 };
    struct den_query query;
    bool found;

    if (den_database_read(ingest->database, &connection, &err) != DEN_OK)
        return false;
    den_query_start(&query, connection, &err,
                    "SELECT 1 WHERE EXISTS (SELECT 1 FROM documents d WHERE d.state = 'embedding' "
                    "AND d.state <> 'ready' AND " NOT_PAUSED ") OR EXISTS (SELECT 1 FROM items) "
                    "AND EXISTS (SELECT 1 FROM documents WHERE instr(note, ?1) > 0)",
                    "t", DEN_NOTE_NO_EMBEDDER);
    found = den_query_next(&query, &err);
    den_query_end(&query);
    den_connection_end(connection, &err);
    return found || is_exchanged(ingest);
}

/* --- keeping it --- */

#define LACKS                                                                                      \
    "EXISTS (SELECT 1 FROM items i WHERE i.document = ?1 AND NOT EXISTS (SELECT 1 FROM vectors v " \
    "WHERE v.item = i.row AND v.embedder = ?2))"

/* Documents of which nothing is missing any more are ready, and so are their tasks. */
static enum den_status finish(struct den_connection *connection, int64_t document, int64_t embedder,
                              struct den_error *err)
{
    den_execute(connection, err,
                "UPDATE documents SET state = 'ready', note = trim(replace(note, ?3, ''), '; ') "
                "WHERE row = ?1 AND state IN ('embedding', 'ready') AND NOT " LACKS,
                "iit", document, embedder, DEN_NOTE_NO_EMBEDDER);
    if (err->status == DEN_OK && den_connection_changes(connection) > 0)
        den_tasks_of_document(connection, document, "done", err);
    return err->status;
}

/* Of documents and their jobs, once what was done to them is there to be read: who tells of a
 * change reads it, and before its transaction's end would find what was. */
static void tell_of(struct den_ingest *ingest, const int64_t *documents, size_t count)
{
    struct den_connection *connection;
    struct den_error ignored = { 0 };
    size_t i;

    for (i = 0; i < count; i++)
        den_documents_changed(ingest->documents, documents[i]);
    if (count == 0 || den_database_read(ingest->database, &connection, &ignored) != DEN_OK)
        return;
    for (i = 0; i < count; i++)
        den_jobs_changed_by(ingest->jobs, connection, documents[i]);
    den_connection_end(connection, &ignored);
}

static void tell_of_batch(struct den_ingest *ingest, const struct batch *batch)
{
    int64_t documents[DEN_INGEST_EMBED_BATCH];
    size_t count = 0, i;

    for (i = 0; i < batch->count; i++)
        if (count == 0 || documents[count - 1] != batch->passages[i].document)
            documents[count++] = batch->passages[i].document;
    tell_of(ingest, documents, count);
}

/* Of the last document, where it goes on: small ones are done before anybody has looked. */
static void tell_how_far(struct den_ingest *ingest, const struct batch *batch)
{
    const int64_t document = batch->passages[batch->count - 1].document;
    struct den_connection *connection;
    struct den_error ignored = { 0 };
    struct den_query query;
    int64_t items = 0;

    if (ingest->told_document != 0 && (!batch->goes_on || ingest->told_document != document))
        den_jobs_embedded(ingest->jobs, ingest->told_document, 1000);
    ingest->told_document = batch->goes_on ? document : 0;
    if (!batch->goes_on || den_database_read(ingest->database, &connection, &ignored) != DEN_OK)
        return;
    den_query_start(&query, connection, &ignored, "SELECT items FROM documents WHERE row = ?", "i",
                    document);
    if (den_query_next(&query, &ignored))
        items = den_query_integer(&query, 0);
    den_query_end(&query);
    if (items > batch->place.ordinal)
        den_jobs_embedded(ingest->jobs, document,
                          (unsigned)((batch->place.ordinal + 1) * 1000 / items));
    den_connection_end(connection, &ignored);
}

static enum den_status keep(struct den_ingest *ingest, const struct den_space_embedder *embedder,
                            const struct batch *batch, const float *vectors, struct den_error *err)
{
    struct den_space_item items[DEN_INGEST_EMBED_BATCH];
    struct den_connection *connection;
    size_t i, count = 0;

    if (den_database_write(ingest->database, &connection, err) != DEN_OK)
        return err->status;
    for (i = 0; i < batch->count && err->status == DEN_OK; i++) {
        struct den_query query;

        /* a document may have been removed or read again meanwhile */
        den_query_start(&query, connection, err, "SELECT 1 FROM items WHERE row = ?", "i",
                        batch->passages[i].row);
        if (den_query_next(&query, err))
            items[count++] =
                (struct den_space_item){ batch->passages[i].row, vectors + i * embedder->width };
        den_query_end(&query);
    }
    if (err->status == DEN_OK && count > 0)
        den_space_put_vectors(connection, embedder, items, count, err);
    for (i = 0; i < batch->count && err->status == DEN_OK; i++)
        if (i + 1 == batch->count ? !batch->goes_on
                                  : batch->passages[i].document != batch->passages[i + 1].document)
            finish(connection, batch->passages[i].document, embedder->row, err);
    if (den_connection_end(connection, err) == DEN_OK && batch->count > 0) {
        tell_how_far(ingest, batch);
        tell_of_batch(ingest, batch);
    }
    return err->status;
}

/* They are found by their words; what was wrong is said, and a retry tries again. */
static void give_up(struct den_ingest *ingest, const struct batch *batch,
                    const struct den_error *reason)
{
    struct den_connection *connection;
    struct den_error err = { 0 };
    size_t i;

    if (den_database_write(ingest->database, &connection, &err) != DEN_OK)
        return;
    for (i = 0; i < batch->count; i++) {
        const int64_t document = batch->passages[i].document;

        den_execute(connection, &err,
                    "UPDATE documents SET state = 'failed', error_code = ?2, error_message = ?3 "
                    "WHERE row = ?1 AND state = 'embedding'",
                    "itt", document, den_document_error_code(reason->status), reason->message);
        den_execute(connection, &err,
                    "UPDATE tasks SET error_code = ?2, error_message = ?3 WHERE document = ?1 AND "
                    "state = 'running'",
                    "itt", document, den_document_error_code(reason->status), reason->message);
        den_tasks_of_document(connection, document, "failed", &err);
    }
    den_connection_end(connection, &err);
    tell_of_batch(ingest, batch);
}

/* --- a batch --- */

static enum den_status embed_batch(struct den_ingest *ingest, void *handle,
                                   const struct den_space_embedder *embedder,
                                   const struct batch *batch, struct den_error *err)
{
    const char *texts[DEN_INGEST_EMBED_BATCH];
    size_t lengths[DEN_INGEST_EMBED_BATCH], numbers, i;
    float *vectors;

    if (!den_checked_multiply(batch->count, embedder->width, &numbers) ||
        (vectors = calloc(numbers, sizeof *vectors)) == NULL)
        return den_fail(err, DEN_NO_MEMORY, "embedding: out of memory");
    for (i = 0; i < batch->count; i++) {
        texts[i] = batch->passages[i].text;
        lengths[i] = batch->passages[i].length;
    }
    if (ingest->source.embed(handle, texts, lengths, batch->count, vectors, err) == DEN_OK)
        keep(ingest, embedder, batch, vectors, err);
    free(vectors);
    return err->status;
}

/* Documents that lack nothing, and do not know it: their vectors were there before they were read
 * again, or had been kept when the program died. */
static void finish_rest(struct den_ingest *ingest, int64_t embedder)
{
    int64_t documents[DEN_INGEST_EMBED_BATCH];
    struct den_connection *connection;
    struct den_error err = { 0 };
    struct den_query query;
    size_t count = 0, i;

    if (den_database_write(ingest->database, &connection, &err) != DEN_OK)
        return;
    den_query_start(&query, connection, &err,
                    "SELECT d.row FROM documents d WHERE d.state = 'embedding' AND d.state <> "
                    "'ready' AND " NOT_PAUSED " LIMIT ?",
                    "i", (int64_t)DEN_INGEST_EMBED_BATCH);
    while (den_query_next(&query, &err))
        documents[count++] = den_query_integer(&query, 0);
    den_query_end(&query);
    for (i = 0; i < count; i++)
        finish(connection, documents[i], embedder, &err);
    if (den_connection_end(connection, &err) == DEN_OK)
        tell_of(ingest, documents, count);
}

/* When nothing lacks a vector of the new model, searches ask it. */
static void switch_over(struct den_ingest *ingest, const struct den_space_embedder *embedder)
{
    struct den_error ignored = { 0 };

    if (!embedder->current)
        den_space_switch(ingest->space, embedder->row, &ignored);
}

static bool embed_next(struct den_ingest *ingest, void *handle,
                       const struct den_space_embedder *embedder)
{
    struct batch *batch = calloc(1, sizeof *batch);
    struct den_error err = { 0 };
    bool has_more = false;

    if (!batch)
        return false;
    if (find_passages(ingest, embedder->row, batch, &err) == DEN_OK && batch->count == 0)
        find_old(ingest, embedder->row, batch, &err);
    if (err.status == DEN_OK && batch->count == 0) {
        finish_rest(ingest, embedder->row);
        switch_over(ingest, embedder);
    } else if (err.status == DEN_OK) {
        if (embed_batch(ingest, handle, embedder, batch, &err) != DEN_OK &&
            !atomic_load(&ingest->is_closing))
            give_up(ingest, batch, &err);
        has_more = err.status == DEN_OK || err.status == DEN_TOO_LARGE;
    }
    clear(batch);
    free(batch);
    return has_more;
}

/* The model was removed meanwhile: documents are found by their words, and wait for another. */
static void do_without(struct den_ingest *ingest)
{
    struct den_connection *connection;
    struct den_error err = { 0 };

    if (den_database_write(ingest->database, &connection, &err) != DEN_OK)
        return;
    den_execute(connection, &err,
                "UPDATE tasks SET state = 'done' WHERE state = 'running' AND document IN (SELECT "
                "row FROM documents WHERE state = 'embedding')",
                "");
    den_execute(connection, &err,
                "UPDATE documents SET state = 'ready', note = CASE WHEN instr(note, ?1) > 0 THEN "
                "note WHEN note = '' THEN ?1 ELSE note || '; ' || ?1 END WHERE state = 'embedding'",
                "t", DEN_NOTE_NO_EMBEDDER);
    den_jobs_settle(connection, &err);
    den_connection_end(connection, &err);
}

bool den_ingest_embed(struct den_ingest *ingest)
{
    struct den_space_embedder embedder = { 0 };
    struct den_error err = { 0 };
    bool has_more = false;
    size_t width;
    void *handle;
    char name[128];

    if (!is_needed(ingest))
        return false;
    if (ingest->source.take(ingest->source.context, &handle, name, &width, &err) != DEN_OK) {
        if (err.status == DEN_NOT_FOUND)
            do_without(ingest);
        return false;
    }
    if (den_space_embedder(ingest->space, name, width, &embedder, &err) == DEN_OK)
        has_more = embed_next(ingest, handle, &embedder);
    ingest->source.give_back(ingest->source.context, handle);
    return has_more;
}
