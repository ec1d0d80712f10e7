/* Passages: what a hit is, in the words and places of its document. */
#include "space/space_parts.h"

#include <stdlib.h>
#include <string.h>

#include "store/database.h"
#include "store/query.h"

/* The item in its part. */
struct place {
    int64_t document, part;
    int64_t ordinal;
};

static enum den_status copy_text(struct den_query *query, int column, char **out,
                                 struct den_error *err)
{
    size_t bytes = den_query_bytes(query, column);

    *out = strndup(den_query_text(query, column), bytes);
    return *out ? DEN_OK : den_fail(err, DEN_NO_MEMORY, "space: out of memory");
}

static enum den_status read_texts(struct den_query *query, struct den_passage *out,
                                  struct den_error *err)
{
    char **const texts[] = { &out->document,  &out->name,  &out->title,   &out->format,
                             &out->part_kind, &out->label, &out->heading, &out->text };
    size_t i;

    for (i = 0; i < sizeof texts / sizeof texts[0]; i++)
        if (copy_text(query, (int)i, texts[i], err) != DEN_OK)
            return err->status;
    return DEN_OK;
}

static enum den_status read_item(struct den_connection *connection, int64_t item,
                                 struct den_passage *out, struct place *place,
                                 struct den_error *err)
{
    struct den_query query;

    den_query_start(&query, connection, err,
                    "SELECT d.id, d.name, d.title, d.format, p.kind, p.label, i.heading, i.text, "
                    "p.ordinal, p.number, i.start, i.stop, i.ordinal, i.document, i.part "
                    "FROM items i JOIN documents d ON d.row = i.document "
                    "JOIN parts p ON p.row = i.part WHERE i.row = ?",
                    "i", item);
    if (!den_query_next(&query, err)) {
        if (err->status == DEN_OK)
            den_fail(err, DEN_NOT_FOUND, "space: there is no item %lld", (long long)item);
    } else if (read_texts(&query, out, err) == DEN_OK) {
        out->item = item;
        out->part = (size_t)den_query_integer(&query, 8);
        out->number = (size_t)den_query_integer(&query, 9);
        out->start = (size_t)den_query_integer(&query, 10);
        out->end = (size_t)den_query_integer(&query, 11);
        out->first = out->last = (size_t)den_query_integer(&query, 12);
        *place = (struct place){ .document = den_query_integer(&query, 13),
                                 .part = den_query_integer(&query, 14),
                                 .ordinal = den_query_integer(&query, 12) };
    }
    den_query_end(&query);
    return err->status;
}

/* Neighbours may overlap: their text is cut out of the part's, from the first byte to the last. */
static enum den_status widen(struct den_connection *connection, const struct place *place,
                             const int64_t around[2], struct den_passage *out,
                             struct den_error *err)
{
    struct den_query query;
    char *text = NULL;

    den_query_start(&query, connection, err,
                    "SELECT substr(CAST(p.text AS BLOB), r.start + 1, r.stop - r.start), "
                    "r.start, r.stop, r.first, r.last FROM parts p, "
                    "(SELECT min(start) AS start, max(stop) AS stop, min(ordinal) AS first, "
                    "max(ordinal) AS last FROM items WHERE document = ?1 AND part = ?2 "
                    "AND ordinal BETWEEN ?3 AND ?4) r WHERE p.row = ?2",
                    "iiii", place->document, place->part, place->ordinal - around[0],
                    place->ordinal + around[1]);
    if (den_query_next(&query, err) &&
        den_query_integer(&query, 3) < den_query_integer(&query, 4)) {
        text = strndup(den_query_blob(&query, 0) ? den_query_blob(&query, 0) : "",
                       den_query_bytes(&query, 0));
        if (!text)
            den_fail(err, DEN_NO_MEMORY, "space: out of memory");
    }
    if (text) {
        free(out->text);
        out->text = text;
        out->start = (size_t)den_query_integer(&query, 1);
        out->end = (size_t)den_query_integer(&query, 2);
        out->first = (size_t)den_query_integer(&query, 3);
        out->last = (size_t)den_query_integer(&query, 4);
    }
    den_query_end(&query);
    return err->status;
}

enum den_status den_space_passage(struct den_space *space, int64_t item, size_t before,
                                  size_t after, struct den_passage *out, struct den_error *err)
{
    const int64_t around[2] = {
        (int64_t)(before < DEN_SPACE_COUNT_MAX ? before : DEN_SPACE_COUNT_MAX),
        (int64_t)(after < DEN_SPACE_COUNT_MAX ? after : DEN_SPACE_COUNT_MAX)
    };
    struct den_connection *connection;
    struct den_passage passage = { 0 };
    struct place place = { 0 };

    if (den_database_read(space->database, &connection, err) != DEN_OK)
        return err->status;
    if (read_item(connection, item, &passage, &place, err) == DEN_OK && before + after > 0)
        widen(connection, &place, around, &passage, err);
    if (den_connection_end(connection, err) == DEN_OK)
        *out = passage;
    else
        den_passage_free(&passage);
    return err->status;
}

void den_passage_free(struct den_passage *passage)
{
    free(passage->document);
    free(passage->name);
    free(passage->title);
    free(passage->format);
    free(passage->part_kind);
    free(passage->label);
    free(passage->heading);
    free(passage->text);
    *passage = (struct den_passage){ 0 };
}
