/* Workspaces, read: their documents. See portable.h.
 *
 * documents.jsonl is taken line by line, and vectors.f16 beside it, a vector for each passage that
 * says it has one. A document that is here already is linked, and its parts, passages and vectors
 * are passed over. Vectors go through the same door as those that are embedded here, which gives
 * them unit length and refuses what has none. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "desk/documents_parts.h"
#include "desk/jobs.h"
#include "desk/portable_parts.h"
#include "input/document.h"
#include "space/space.h"

/* A part of the document that is being read. */
struct part_row {
    int64_t row;
    size_t length; /* of its text */
};

struct arrival {
    struct den_import *import;
    struct den_bundle_member *lines, *vectors;
    uint16_t *half;    /* (width) */
    float *vector;     /* (width) */
    int64_t row;       /* of the document; 0: none yet */
    bool is_here;      /* it was before: what follows is passed over */
    const char *state; /* "failed", "ready", "embedding" or "waiting"; NULL: no document yet */
    struct part_row *parts;
    size_t part_count, part_capacity, items, vector_count;
    char name[DEN_DOCUMENT_NAME_BYTES_MAX + 1];
    uint64_t bytes;
};

/* --- vectors --- */

/* IEEE 754 half precision, without the tables of kernels/. */
static float half_value(uint16_t half)
{
    const int exponent = half >> 10 & 31, fraction = half & 1023;
    float value = exponent == 0 ? (float)fraction / 16777216.0f
                                : (float)(1024 + fraction) / 33554432.0f * (float)(1u << exponent);

    if (exponent == 31)
        value = (float)1e30; /* infinite or no number: refused by its length */
    return half & 0x8000 ? -value : value;
}

static enum den_status take_vector(struct arrival *arrival, int64_t item, struct den_error *err)
{
    const struct den_import *import = arrival->import;
    const size_t width = import->manifest.width;
    const struct den_space_embedder embedder = { .row = import->embedder, .width = width };
    const struct den_space_item placed = { .row = item, .vector = arrival->vector };
    size_t i;

    if (!arrival->vectors)
        return den_fail(err, DEN_BAD_FILE, "a passage has a vector, and the file has no embedder");
    if (den_bundle_read_exactly(arrival->vectors, arrival->half, width * sizeof(uint16_t), err) !=
        DEN_OK)
        return err->status;
    if (arrival->is_here || import->embedder == 0)
        return DEN_OK;
    for (i = 0; i < width; i++) {
        const unsigned char *bytes = (const unsigned char *)&arrival->half[i];

        arrival->vector[i] = half_value((uint16_t)(bytes[0] | bytes[1] << 8));
        if (arrival->vector[i] > 2.0f || arrival->vector[i] < -2.0f)
            return den_fail(err, DEN_BAD_FILE, "a vector is not of unit length");
    }
    arrival->vector_count++;
    if (den_space_put_vectors(import->connection, &embedder, &placed, 1, err) == DEN_INVALID)
        err->status = DEN_BAD_FILE;
    return err->status;
}

/* --- parts and passages --- */

static enum den_status keep_part_row(struct arrival *arrival, int64_t row, size_t length,
                                     struct den_error *err)
{
    if (arrival->part_count >= DEN_DOCUMENT_PARTS_MAX)
        return den_fail(err, DEN_BAD_FILE, "a document has more than %d parts",
                        DEN_DOCUMENT_PARTS_MAX);
    if (arrival->part_count == arrival->part_capacity) {
        const size_t capacity = 2 * arrival->part_capacity + 64;
        struct part_row *parts = realloc(arrival->parts, capacity * sizeof *parts);

        if (!parts)
            return den_fail(err, DEN_NO_MEMORY, "import: out of memory");
        arrival->parts = parts;
        arrival->part_capacity = capacity;
    }
    arrival->parts[arrival->part_count++] = (struct part_row){ row, length };
    return DEN_OK;
}

static enum den_status insert_part(struct arrival *arrival, const struct den_part *part,
                                   struct den_error *err)
{
    struct den_connection *connection = arrival->import->connection;
    json_t *blocks = den_blocks_json(part->blocks, part->block_count);
    json_t *words = den_words_json(part->words, part->word_count);
    char *blocks_text = NULL, *words_text = NULL;

    if (!blocks || !words)
        den_fail(err, DEN_NO_MEMORY, "import: out of memory");
    else if (den_json_text(blocks, &blocks_text, err) == DEN_OK &&
             den_json_text(words, &words_text, err) == DEN_OK)
        den_execute(connection, err,
                    "INSERT INTO parts (document, ordinal, kind, number, label, width, height, "
                    "scanned, text, blocks, words) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                    "iititrribtt", arrival->row, (int64_t)arrival->part_count,
                    den_part_kind_text(part->kind), (int64_t)part->number, part->label,
                    (double)part->width, (double)part->height, (int64_t)part->scanned,
                    part->text ? part->text : "", part->length, blocks_text, words_text);
    free(blocks_text);
    free(words_text);
    json_decref(blocks);
    json_decref(words);
    return err->status;
}

static enum den_status take_part(struct arrival *arrival, const json_t *line, struct den_error *err)
{
    struct den_part part = { 0 };

    if (arrival->state == NULL || arrival->items > 0)
        return den_fail(err, DEN_BAD_FILE, "a part stands where none may be");
    if (arrival->is_here)
        return DEN_OK;
    if (den_part_from_json(line, &part, err) != DEN_OK)
        return err->status;
    if (insert_part(arrival, &part, err) == DEN_OK)
        keep_part_row(arrival, den_connection_last_row(arrival->import->connection), part.length,
                      err);
    den_part_free(&part);
    return err->status;
}

static enum den_status take_item(struct arrival *arrival, const json_t *json, struct den_error *err)
{
    struct den_connection *connection = arrival->import->connection;
    struct den_portable_item item;
    int64_t row = 0;

    if (arrival->state == NULL)
        return den_fail(err, DEN_BAD_FILE, "a passage stands before any document");
    if (den_portable_read_item(json, &item, err) != DEN_OK)
        return err->status;
    if (!arrival->is_here) {
        if (item.part >= arrival->part_count || item.stop > arrival->parts[item.part].length)
            return den_fail(err, DEN_BAD_FILE, "a passage lies outside of its document");
        den_execute(connection, err,
                    "INSERT INTO items (document, part, ordinal, modality, kind, start, stop, "
                    "heading, text, tokens) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                    "iiittiitti", arrival->row, arrival->parts[item.part].row,
                    (int64_t)arrival->items, *item.modality ? item.modality : "text",
                    *item.kind ? item.kind : "paragraph", (int64_t)item.start, (int64_t)item.stop,
                    item.heading, item.text, (int64_t)item.tokens);
        row = den_connection_last_row(connection);
    }
    arrival->items++;
    return err->status == DEN_OK && item.has_vector ? take_vector(arrival, row, err) : err->status;
}

/* --- documents --- */

/* The same bytes under the same name. */
static enum den_status find_here(struct arrival *arrival,
                                 const struct den_portable_document *document,
                                 struct den_error *err)
{
    struct den_query query;

    arrival->row = 0;
    den_query_start(&query, arrival->import->connection, err,
                    "SELECT row, id FROM documents WHERE original = ? AND name = ? ORDER BY row "
                    "LIMIT 1",
                    "tt", document->hash, document->name);
    if (den_query_next(&query, err)) {
        arrival->row = den_query_integer(&query, 0);
        if (json_object_set_new(arrival->import->ids, document->id, den_text_json(&query, 1)) != 0)
            den_fail(err, DEN_NO_MEMORY, "import: out of memory");
    }
    den_query_end(&query);
    arrival->is_here = arrival->row != 0;
    return err->status;
}

static enum den_status choose_id(struct arrival *arrival, const char *wanted,
                                 char out[DEN_ID_LENGTH_MAX + 1], struct den_error *err)
{
    struct den_query query;
    bool is_taken;

    snprintf(out, DEN_ID_LENGTH_MAX + 1, "%s", den_id_is_valid(wanted) ? wanted : "");
    den_query_start(&query, arrival->import->connection, err,
                    "SELECT 1 FROM documents WHERE id = ?", "t", out);
    is_taken = den_query_next(&query, err);
    den_query_end(&query);
    if (err->status == DEN_OK && (!*out || is_taken))
        den_id_make(out, err);
    if (err->status == DEN_OK &&
        json_object_set_new(arrival->import->ids, wanted, json_string(out)) != 0)
        den_fail(err, DEN_NO_MEMORY, "import: out of memory");
    return err->status;
}

static enum den_status find_bytes(struct arrival *arrival, const char *hash, struct den_error *err)
{
    struct den_query query;

    den_query_start(&query, arrival->import->connection, err,
                    "SELECT bytes FROM originals WHERE hash = ?", "t", hash);
    if (den_query_next(&query, err))
        arrival->bytes = (uint64_t)den_query_integer(&query, 0);
    else if (err->status == DEN_OK)
        den_fail(err, DEN_BAD_FILE, "the file of a document, originals/%.12s..., is missing", hash);
    den_query_end(&query);
    return err->status;
}

static enum den_status insert_document(struct arrival *arrival,
                                       const struct den_portable_document *document,
                                       struct den_error *err)
{
    const int64_t now = den_clock_unix_ms();
    char id[DEN_ID_LENGTH_MAX + 1], *tags = NULL;

    if (choose_id(arrival, document->id, id, err) != DEN_OK ||
        find_bytes(arrival, document->hash, err) != DEN_OK ||
        (document->tags && den_json_text(document->tags, &tags, err) != DEN_OK))
        return err->status;
    if (den_execute(arrival->import->connection, err,
                    "INSERT INTO documents (id, original, name, origin, address, media_type, "
                    "format, title, author, tags, bytes, modified, created, updated, state, note) "
                    "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, nullif(?, 0), ?, ?, 'waiting', ?)",
                    "ttttttttttiiiit", id, document->hash, document->name,
                    *document->address ? "web" : "upload", document->address, document->media_type,
                    document->format, document->title, document->author, tags ? tags : "[]",
                    (int64_t)arrival->bytes, document->modified,
                    document->created ? document->created : now, now, document->note) == DEN_OK)
        arrival->row = den_connection_last_row(arrival->import->connection);
    free(tags);
    return err->status;
}

static enum den_status link_document(struct arrival *arrival,
                                     const struct den_portable_document *document,
                                     struct den_error *err)
{
    if (!document->linked)
        return DEN_OK;
    return den_execute(arrival->import->connection, err,
                       "INSERT INTO workspace_documents (workspace, document, added, pinned) "
                       "VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
                       "iiii", arrival->import->workspace, arrival->row, den_clock_unix_ms(),
                       (int64_t)document->pinned);
}

/* It was not read where it came from: here it is, as an upload would be. */
static enum den_status queue_reading(struct arrival *arrival, struct den_error *err)
{
    struct den_import *import = arrival->import;
    struct den_task_row task = {
        .document = arrival->row, .name = arrival->name, .address = "", .bytes = arrival->bytes
    };

    if (import->job == 0) {
        json_t *fields = json_pack("{s:s}", "origin", "upload");
        const struct den_job_row job = { .kind = "add", .title = arrival->name, .fields = fields };

        den_job_open(import->connection, &job, &import->job, err);
        json_decref(fields);
    }
    task.job = import->job;
    if (err->status == DEN_OK)
        den_task_add(import->connection, &task, err);
    return err->status;
}

static enum den_status fail_document(struct arrival *arrival,
                                     const struct den_portable_document *document,
                                     struct den_error *err)
{
    return den_execute(arrival->import->connection, err,
                       "UPDATE documents SET state = 'failed', error_code = ?2, error_message = ?3 "
                       "WHERE row = ?1",
                       "itt", arrival->row, *document->error_code ? document->error_code : "io",
                       *document->error_message ? document->error_message
                                                : "it could not be read where it came from");
}

/* What follows is of this document. */
static enum den_status begin_document(struct arrival *arrival, const json_t *json,
                                      struct den_error *err)
{
    static const char *const states[] = { "failed", "ready", "embedding", "waiting" };
    struct den_portable_document document;
    size_t i;

    if (den_portable_read_document(json, &document, err) != DEN_OK ||
        find_here(arrival, &document, err) != DEN_OK)
        return err->status;
    memcpy(arrival->name, document.name, sizeof arrival->name);
    arrival->part_count = arrival->items = arrival->vector_count = 0;
    for (i = 0; i + 1 < sizeof states / sizeof states[0]; i++)
        if (strcmp(document.state, states[i]) == 0)
            break;
    arrival->state = states[i];
    if (!arrival->is_here && insert_document(arrival, &document, err) == DEN_OK &&
        strcmp(arrival->state, "failed") == 0)
        fail_document(arrival, &document, err);
    if (err->status != DEN_OK || link_document(arrival, &document, err) != DEN_OK)
        return err->status;
    arrival->import->documents++;
    arrival->import->linked += arrival->is_here;
    if (json_array_append_new(arrival->import->tell, json_integer(arrival->row)) != 0)
        return den_fail(err, DEN_NO_MEMORY, "import: out of memory");
    return DEN_OK;
}

/* Counts and state of the document that has ended. One that was read is ready if it lacks no
 * vector; else the embedder finds it. */
static enum den_status end_document(struct arrival *arrival, struct den_error *err)
{
    const bool is_read = arrival->state && strcmp(arrival->state, "waiting") != 0;
    const bool has_failed = arrival->state && strcmp(arrival->state, "failed") == 0;
    const bool is_whole = arrival->items == arrival->vector_count;

    if (!arrival->state || arrival->is_here)
        return DEN_OK;
    den_execute(arrival->import->connection, err,
                "UPDATE documents SET parts = ?2, items = ?3, tokens = (SELECT "
                "coalesce(sum(tokens), 0) FROM items WHERE document = ?1) WHERE row = ?1",
                "iii", arrival->row, (int64_t)arrival->part_count, (int64_t)arrival->items);
    if (has_failed)
        return err->status;
    arrival->import->waiting += !is_read || !is_whole;
    if (!is_read && arrival->part_count == 0)
        return queue_reading(arrival, err);
    return den_execute(arrival->import->connection, err,
                       "UPDATE documents SET state = ?2 WHERE row = ?1", "it", arrival->row,
                       is_whole ? "ready" : "embedding");
}

/* --- lines --- */

static enum den_status take_line(struct arrival *arrival, const json_t *line, struct den_error *err)
{
    const json_t *document = json_object_get(line, "document");
    const json_t *item = json_object_get(line, "item");

    if (json_object_get(line, "part"))
        return take_part(arrival, line, err);
    if (item)
        return take_item(arrival, item, err);
    if (!document)
        return den_fail(err, DEN_BAD_FILE, "a line is no document, part or passage");
    if (end_document(arrival, err) != DEN_OK)
        return err->status;
    return begin_document(arrival, document, err);
}

static enum den_status open_members(struct arrival *arrival, struct den_error *err)
{
    struct den_import *import = arrival->import;
    const size_t width = import->manifest.width;

    if (den_bundle_member_open(import->bundle, "documents.jsonl", DEN_BUNDLE_LINES_BYTES_MAX,
                               &arrival->lines, err) != DEN_OK ||
        width == 0)
        return err->status;
    arrival->half = calloc(width, sizeof *arrival->half);
    arrival->vector = calloc(width, sizeof *arrival->vector);
    if (!arrival->half || !arrival->vector)
        return den_fail(err, DEN_NO_MEMORY, "import: out of memory");
    return den_bundle_member_open(import->bundle, "vectors.f16", DEN_BUNDLE_LINES_BYTES_MAX,
                                  &arrival->vectors, err);
}

enum den_status den_import_documents(struct den_import *import, struct den_error *err)
{
    struct arrival arrival = { .import = import };
    json_t *line = NULL;

    if (open_members(&arrival, err) == DEN_OK) {
        while (den_bundle_next(arrival.lines, &line, err)) {
            if (take_line(&arrival, line, err) != DEN_OK)
                den_fail_at(err, "documents.jsonl");
            json_decref(line);
        }
        if (err->status == DEN_OK)
            end_document(&arrival, err);
    }
    den_bundle_member_close(arrival.lines);
    den_bundle_member_close(arrival.vectors);
    free(arrival.half);
    free(arrival.vector);
    free(arrival.parts);
    return err->status;
}
