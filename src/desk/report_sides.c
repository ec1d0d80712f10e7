/* See report_sides.h. */
#include "desk/report_sides.h"

#include <stdlib.h>
#include <string.h>

#include "desk/retrieval.h"
#include "desk/sentences.h"

enum { EMBED_BATCH = 64, ITEM_SENTENCES_MAX = 256 };

void den_side_deinit(struct den_side *side)
{
    size_t i;

    for (i = 0; i < side->item_count; i++)
        free(side->items[i].text);
    free(side->items);
    free(side->units);
    free(side->vectors);
    *side = (struct den_side){ 0 };
}

/* --- items --- */

static enum den_status load_items(struct den_report *report, const char *document,
                                  struct den_side *out, struct den_error *err)
{
    struct den_connection *connection;
    struct den_query query;

    out->items = calloc(DEN_REPORT_COMPARED_MAX, sizeof *out->items);
    if (!out->items)
        return den_fail(err, DEN_NO_MEMORY, "reports: out of memory");
    if (den_database_read(report->reports->database, &connection, err) != DEN_OK)
        return err->status;
    den_query_start(&query, connection, err,
                    "SELECT i.row, i.text FROM items i JOIN documents d ON d.row = i.document "
                    "WHERE d.id = ? ORDER BY i.ordinal",
                    "t", document);
    while (den_query_next(&query, err)) {
        struct den_side_item *item = &out->items[out->item_count];

        if (out->item_count == DEN_REPORT_COMPARED_MAX) {
            den_fail(err, DEN_TOO_LARGE,
                     "a document has more than %d passages, which is more than are compared",
                     DEN_REPORT_COMPARED_MAX);
            break;
        }
        item->row = den_query_integer(&query, 0);
        item->text = strdup(den_query_text(&query, 1));
        if (!item->text) {
            den_fail(err, DEN_NO_MEMORY, "reports: out of memory");
            break;
        }
        out->item_count++;
    }
    den_query_end(&query);
    return den_connection_end(connection, err);
}

/* --- units --- */

static void set_unit(struct den_unit *unit, const char *text, size_t length, size_t item)
{
    *unit = (struct den_unit){ .text = text, .length = length, .passage = item };
    den_terms_read(text, length, &unit->terms);
}

/* Sentences of all items; false: there are too many. */
static bool split_sentences(struct den_side *side)
{
    struct den_sentence places[ITEM_SENTENCES_MAX];
    size_t i, k, count;

    side->unit_count = 0;
    for (i = 0; i < side->item_count; i++) {
        const char *text = side->items[i].text;

        count = den_sentences_split(text, strlen(text), places, ITEM_SENTENCES_MAX);
        if (count == ITEM_SENTENCES_MAX || side->unit_count + count > DEN_REPORT_COMPARED_MAX)
            return false;
        for (k = 0; k < count; k++)
            set_unit(&side->units[side->unit_count++], text + places[k].start,
                     places[k].end - places[k].start, i);
    }
    return true;
}

static void take_items(struct den_side *side)
{
    size_t i;

    for (i = 0; i < side->item_count; i++)
        set_unit(&side->units[i], side->items[i].text, strlen(side->items[i].text), i);
    side->unit_count = side->item_count;
}

/* --- vectors --- */

static void point_at_vectors(struct den_side *side)
{
    size_t i;

    for (i = 0; i < side->unit_count; i++)
        side->units[i].vector = side->vectors + i * side->width;
}

static enum den_status add_batch(struct den_side *side, size_t from, const float *vectors,
                                 size_t count, size_t width, struct den_error *err)
{
    if (!side->vectors) {
        side->vectors = calloc(side->unit_count * width + 1, sizeof *side->vectors);
        side->width = width;
        if (!side->vectors)
            return den_fail(err, DEN_NO_MEMORY, "reports: out of memory");
    }
    if (width != side->width) /* the model was exchanged meanwhile */
        return den_fail(err, DEN_BUSY, "the embedding model was exchanged; try again");
    memcpy(side->vectors + from * width, vectors, count * width * sizeof *vectors);
    return DEN_OK;
}

static enum den_status embed_batch(struct den_report *report, struct den_side *side, size_t from,
                                   size_t count, struct den_error *err)
{
    char *texts[EMBED_BATCH] = { 0 };
    float *vectors = NULL;
    size_t i, width = 0;

    for (i = 0; i < count && err->status == DEN_OK; i++) {
        texts[i] = strndup(side->units[from + i].text, side->units[from + i].length);
        if (!texts[i])
            den_fail(err, DEN_NO_MEMORY, "reports: out of memory");
    }
    if (err->status == DEN_OK &&
        den_retrieval_embed(report->reports->source.retrieval, (const char *const *)texts, count,
                            &vectors, &width, err) == DEN_OK)
        add_batch(side, from, vectors, count, width, err);
    free(vectors);
    for (i = 0; i < count; i++)
        free(texts[i]);
    return err->status;
}

/* Without a model that embeds, words alone decide. */
static enum den_status embed_units(struct den_report *report, struct den_side *side,
                                   struct den_error *err)
{
    size_t from, count;

    for (from = 0; from < side->unit_count; from += count) {
        count = side->unit_count - from < EMBED_BATCH ? side->unit_count - from : EMBED_BATCH;
        if (den_report_go_on(report, err) != DEN_OK)
            return err->status;
        if (embed_batch(report, side, from, count, err) == DEN_NOT_FOUND ||
            err->status == DEN_INVALID || err->status == DEN_UNSUPPORTED) {
            *err = (struct den_error){ 0 };
            free(side->vectors);
            side->vectors = NULL;
            return DEN_OK;
        }
        if (err->status != DEN_OK)
            return err->status;
    }
    if (side->vectors)
        point_at_vectors(side);
    return DEN_OK;
}

/* IEEE half precision, as vectors are kept; theirs are never infinite. */
static float half_value(uint16_t bits)
{
    const int exponent = (bits >> 10) & 31;
    float value = (float)(bits & 1023) / 1024.0f;
    int i;

    if (exponent > 0)
        value += 1;
    for (i = exponent > 0 ? exponent : 1; i < 15; i++)
        value /= 2;
    for (; i > 15; i--)
        value *= 2;
    return bits & 0x8000 ? -value : value;
}

/* The library's own vectors; units that have none are compared by words. */
static enum den_status load_vectors(struct den_report *report, struct den_side *side, size_t width,
                                    struct den_error *err)
{
    struct den_connection *connection;
    struct den_query query;
    size_t i, k;

    side->vectors = calloc(side->unit_count * width + 1, sizeof *side->vectors);
    side->width = width;
    if (!side->vectors)
        return den_fail(err, DEN_NO_MEMORY, "reports: out of memory");
    if (den_database_read(report->reports->database, &connection, err) != DEN_OK)
        return err->status;
    for (i = 0; i < side->unit_count && err->status == DEN_OK; i++) {
        den_query_start(&query, connection, err,
                        "SELECT v.vector FROM embedders e JOIN vectors v ON v.embedder = e.row "
                        "WHERE e.current = 1 AND v.item = ?",
                        "i", side->items[side->units[i].passage].row);
        if (den_query_next(&query, err) && den_query_bytes(&query, 0) == width * 2) {
            const uint8_t *bytes = den_query_blob(&query, 0);

            for (k = 0; k < width; k++)
                side->vectors[i * width + k] =
                    half_value((uint16_t)(bytes[2 * k] | bytes[2 * k + 1] << 8));
            side->units[i].vector = side->vectors + i * width;
        }
        den_query_end(&query);
    }
    return den_connection_end(connection, err);
}

static enum den_status add_vectors(struct den_report *report, struct den_side *side,
                                   bool by_sentences, struct den_error *err)
{
    struct den_space_embedder embedder = { 0 };

    if (by_sentences)
        return embed_units(report, side, err);
    if (den_space_current_embedder(den_retrieval_space(report->reports->source.retrieval),
                                   &embedder, err) != DEN_OK ||
        embedder.row == 0)
        return err->status;
    return load_vectors(report, side, embedder.width, err);
}

enum den_status den_report_sides(struct den_report *report, const char *const documents[2],
                                 struct den_side out[2], struct den_error *err)
{
    bool by_sentences = true;
    size_t i;

    for (i = 0; i < 2; i++) {
        if (load_items(report, documents[i], &out[i], err) != DEN_OK)
            return err->status;
        out[i].units = calloc(DEN_REPORT_COMPARED_MAX, sizeof *out[i].units);
        if (!out[i].units)
            return den_fail(err, DEN_NO_MEMORY, "reports: out of memory");
        by_sentences = split_sentences(&out[i]) && by_sentences;
    }
    for (i = 0; i < 2 && !by_sentences; i++)
        take_items(&out[i]);
    for (i = 0; i < 2; i++)
        if (add_vectors(report, &out[i], by_sentences, err) != DEN_OK)
            return err->status;
    return DEN_OK;
}
