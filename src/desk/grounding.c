/* See grounding.h. */
#include "desk/grounding.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/utf8.h"
#include "desk/citations.h"
#include "desk/grounding_parts.h"
#include "desk/sentences.h"
#include "desk/threads_parts.h"

static const char refusal_english[] = "This is not in your documents.";
static const char refusal_chinese[] =
    "\xE8\xBF\x99\xE4\xB8\x8D\xE5\x9C\xA8\xE6\x82\xA8\xE7\x9A\x84\xE6\x96\x87\xE6\xA1\xA3\xE4\xB8"
    "\xAD\xE3\x80\x82"; /* the same */

/* --- what is pinned --- */

static struct den_passage read_pinned(struct den_query *query)
{
    struct den_passage passage = { .document = strdup(den_query_text(query, 0)),
                                   .name = strdup(den_query_text(query, 1)),
                                   .title = strdup(den_query_text(query, 2)),
                                   .format = strdup(den_query_text(query, 3)),
                                   .part = (size_t)den_query_integer(query, 4),
                                   .part_kind = strdup(den_query_text(query, 5)),
                                   .number = (size_t)den_query_integer(query, 6),
                                   .label = strdup(den_query_text(query, 7)),
                                   .heading = strdup(""),
                                   .end = den_query_bytes(query, 8),
                                   .text = strdup(den_query_text(query, 8)) };

    return passage;
}

static bool is_whole(const struct den_passage *passage)
{
    return passage->document && passage->name && passage->title && passage->format &&
           passage->part_kind && passage->label && passage->heading && passage->text;
}

/* The parts of the workspace's pinned documents, in order. */
static enum den_status load_pinned(struct den_grounding *grounding, struct den_threads *threads,
                                   const char *workspace, struct den_error *err)
{
    struct den_connection *connection;
    struct den_query query;

    if (!workspace)
        return DEN_OK;
    if (den_database_read(threads->database, &connection, err) != DEN_OK)
        return err->status;
    den_query_start(&query, connection, err,
                    "SELECT d.id, d.name, d.title, d.format, p.ordinal, p.kind, p.number, p.label, "
                    "p.text FROM workspaces w JOIN workspace_documents l ON l.workspace = w.row "
                    "JOIN documents d ON d.row = l.document JOIN parts p ON p.document = d.row "
                    "WHERE w.id = ? AND l.pinned <> 0 AND p.text <> '' "
                    "ORDER BY l.added, d.row, p.ordinal LIMIT ?",
                    "ti", workspace, (int64_t)DEN_GROUNDING_PINNED_MAX + 1);
    while (den_query_next(&query, err)) {
        struct den_passage passage = read_pinned(&query);

        if (!is_whole(&passage))
            den_fail(err, DEN_NO_MEMORY, "answers: out of memory");
        else if (grounding->pinned_count == DEN_GROUNDING_PINNED_MAX)
            den_fail(err, DEN_CONTEXT_FULL,
                     "the pinned documents have more than %d pages; unpin some",
                     DEN_GROUNDING_PINNED_MAX);
        if (err->status == DEN_OK)
            grounding->pinned[grounding->pinned_count++] = passage;
        else
            den_passage_free(&passage);
    }
    den_query_end(&query);
    return den_connection_end(connection, err);
}

/* --- beginning --- */

static bool is_chinese(const char *text)
{
    size_t length = strlen(text), step;
    uint32_t code;

    for (; length > 0; text += step, length -= step) {
        step = den_utf8_decode(text, length, &code);
        if (code >= 0x3400 && code <= 0x9fff)
            return true;
    }
    return false;
}

static enum den_status search(struct den_grounding *grounding,
                              const struct den_grounding_options *options, struct den_error *err)
{
    const struct den_retrieval_query query = {
        .query = options->question,
        .filter = { .workspace = options->workspace,
                    .thread = options->thread,
                    .skip_pinned = options->workspace != NULL },
        .conversation = options->conversation,
        .rewrite = options->settings.rewrite,
        .model = options->model,
        .count = (size_t)options->settings.count,
        .diversity = options->settings.diversity,
    };

    if (den_retrieval_search(grounding->retrieval, &query, &grounding->found, err) == DEN_INVALID)
        *err = (struct den_error){ 0 }; /* no question that can be searched for: nothing is found */
    return err->status;
}

enum den_status den_grounding_begin(struct den_retrieval *retrieval, struct den_threads *threads,
                                    const struct den_grounding_options *options,
                                    struct den_grounding **out, struct den_error *err)
{
    struct den_grounding *grounding = calloc(1, sizeof *grounding);

    *out = NULL;
    if (!grounding)
        return den_fail(err, DEN_NO_MEMORY, "answers: out of memory");
    grounding->retrieval = retrieval;
    grounding->settings = options->settings;
    grounding->is_chinese = is_chinese(options->question);
    grounding->passages = json_array();
    grounding->citations = json_array();
    grounding->pinned = calloc(DEN_GROUNDING_PINNED_MAX, sizeof *grounding->pinned);
    if (!grounding->pinned)
        den_fail(err, DEN_NO_MEMORY, "answers: out of memory");
    if (err->status != DEN_OK ||
        load_pinned(grounding, threads, options->workspace, err) != DEN_OK ||
        search(grounding, options, err) != DEN_OK) {
        den_grounding_destroy(grounding);
        return err->status;
    }
    if (grounding->pinned_count == 0 && grounding->found.result.searched == 0 &&
        !options->settings.only_documents) {
        den_grounding_destroy(grounding);
        return DEN_OK;
    }
    *out = grounding;
    return DEN_OK;
}

void den_grounding_destroy(struct den_grounding *grounding)
{
    size_t i;

    if (!grounding)
        return;
    for (i = 0; i < grounding->pinned_count; i++)
        den_passage_free(&grounding->pinned[i]);
    free(grounding->pinned);
    den_found_deinit(&grounding->found);
    json_decref(grounding->passages);
    json_decref(grounding->citations);
    free(grounding);
}

static bool has_found(const struct den_grounding *grounding)
{
    return grounding->pinned_count > 0 || grounding->found.found;
}

const char *den_grounding_refusal(const struct den_grounding *grounding)
{
    if (!grounding->settings.only_documents || has_found(grounding))
        return NULL;
    return grounding->is_chinese ? refusal_chinese : refusal_english;
}

/* --- what comes of it --- */

json_t *den_grounding_sources(const struct den_grounding *grounding)
{
    return json_pack("{s:b, s:f, s:s, s:I, s:O, s:O}", "found", (int)has_found(grounding),
                     "confidence", grounding->found.result.confidence, "query",
                     grounding->found.query ? grounding->found.query : "", "searched",
                     (json_int_t)grounding->found.result.searched, "passages", grounding->passages,
                     "citations", grounding->citations);
}

static enum den_status embed(void *context, const char *const *texts, size_t count, float **out,
                             size_t *out_width, struct den_error *err)
{
    return den_retrieval_embed(context, texts, count, out, out_width, err);
}

enum den_status den_grounding_cite(struct den_grounding *grounding, const char *content, char **out,
                                   struct den_error *err)
{
    const struct den_citation_embedder embedder = { .context = grounding->retrieval,
                                                    .embed = embed };
    char *text = strdup(content);
    struct den_cited cited = { 0 };

    if (!text)
        return den_fail(err, DEN_NO_MEMORY, "answers: out of memory");
    if (json_array_size(grounding->passages) == 0) {
        *out = text;
        return DEN_OK;
    }
    if (grounding->is_small)
        den_sentences_cut_loops(text, strlen(text));
    den_citations_make(text, grounding->passages, &embedder, &cited, err);
    free(text);
    if (err->status != DEN_OK)
        return err->status;
    json_decref(grounding->citations);
    grounding->citations = cited.citations;
    *out = cited.content;
    return DEN_OK;
}
