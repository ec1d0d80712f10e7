/* See rerank_found.h. */
#include "desk/rerank_found.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"

static bool is_wanted(const struct den_rerank_source *source, enum den_rerank_way way)
{
    if (way == DEN_RERANK_AUTO)
        return source->can && source->can(source->context, DEN_RERANK_CROSS_ENCODER);
    return way != DEN_RERANK_OFF && source->score;
}

size_t den_rerank_wanted(const struct den_rerank_source *source, enum den_rerank_way way)
{
    return is_wanted(source, way) ? den_rerank_candidates(way) : 0;
}

/* Drops the hits from `count` on. */
static void keep(struct den_found *found, size_t count)
{
    size_t i;

    for (i = count; i < found->result.count; i++)
        den_passage_free(&found->passages[i]);
    if (found->result.count > count)
        found->result.count = count;
}

/* What is needed to score and to move the first `count` hits. */
struct bench {
    size_t count;
    const char **texts;
    double *before, *scores;
    size_t *order;
    struct den_space_hit *hits;
    struct den_passage *passages;
};

static enum den_status open_bench(struct den_found *found, size_t count, struct bench *out,
                                  struct den_error *err)
{
    size_t i;

    *out = (struct bench){ .count = count,
                           .texts = calloc(count + 1, sizeof *out->texts),
                           .before = calloc(count + 1, sizeof *out->before),
                           .scores = calloc(count + 1, sizeof *out->scores),
                           .order = calloc(count + 1, sizeof *out->order),
                           .hits = calloc(count + 1, sizeof *out->hits),
                           .passages = calloc(count + 1, sizeof *out->passages) };
    found->rerank_scores = calloc(found->result.count + 1, sizeof *found->rerank_scores);
    if (!out->texts || !out->before || !out->scores || !out->order || !out->hits ||
        !out->passages || !found->rerank_scores)
        return den_fail(err, DEN_NO_MEMORY, "rerank: out of memory");
    for (i = 0; i < count; i++) {
        out->texts[i] = found->passages[i].text;
        out->before[i] = found->result.hits[i].fused;
        out->hits[i] = found->result.hits[i];
        out->passages[i] = found->passages[i];
    }
    return DEN_OK;
}

static void close_bench(struct bench *bench)
{
    free(bench->texts);
    free(bench->before);
    free(bench->scores);
    free(bench->order);
    free(bench->hits);
    free(bench->passages);
}

static void move(const struct bench *bench, struct den_found *found)
{
    size_t i;

    for (i = 0; i < found->result.count; i++)
        found->rerank_scores[i] = NAN;
    for (i = 0; i < bench->count; i++) {
        const size_t from = bench->order[i];

        found->result.hits[i] = bench->hits[from];
        found->passages[i] = bench->passages[from];
        found->rerank_scores[i] = bench->scores[from];
    }
}

static enum den_status rerank(const struct den_rerank_source *source, enum den_rerank_way way,
                              struct den_found *found, struct den_error *err)
{
    const size_t most = den_rerank_candidates(way);
    const double began = den_clock_seconds();
    struct den_rerank_scores scores = { 0 };
    struct den_rerank_question question = { .way = way, .query = found->query };
    struct bench bench;

    question.count = found->result.count < most ? found->result.count : most;
    if (way == DEN_RERANK_AUTO)
        question.way = DEN_RERANK_CROSS_ENCODER;
    if (open_bench(found, question.count, &bench, err) != DEN_OK)
        goto done;
    question.texts = bench.texts;
    scores.scores = bench.scores;
    if (source->score(source->context, &question, &scores, err) != DEN_OK)
        goto done;
    den_rerank_order(scores.way, bench.before, bench.scores, bench.count, bench.order);
    move(&bench, found);
    snprintf(found->reranked_by, sizeof found->reranked_by, "%s", scores.model);
    found->rerank_seconds = den_clock_seconds() - began;
done:
    close_bench(&bench);
    if (err->status != DEN_OK) {
        free(found->rerank_scores);
        found->rerank_scores = NULL;
    }
    return err->status;
}

enum den_status den_rerank_found(const struct den_rerank_source *source, enum den_rerank_way way,
                                 size_t count, struct den_found *found, struct den_error *err)
{
    if (is_wanted(source, way) && found->result.count > 0)
        rerank(source, way, found, err);
    if (way == DEN_RERANK_AUTO && (err->status == DEN_NOT_FOUND || err->status == DEN_UNSUPPORTED ||
                                   err->status == DEN_BAD_FILE))
        *err = (struct den_error){ 0 }; /* nobody asked for it by name: the search stands */
    if (count > 0)
        keep(found, count);
    return err->status;
}
