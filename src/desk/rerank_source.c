/* Scores from the roster's workers: see rerank.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "desk/rerank.h"
#include "desk/rerank_late.h"
#include "desk/roster.h"

static enum den_status score_pairs(struct den_worker *worker,
                                   const struct den_rerank_question *question,
                                   struct den_rerank_scores *out, struct den_error *err)
{
    const size_t count = question->count;
    struct den_worker_embed_request request = { .texts = question->texts,
                                                .count = count,
                                                .truncate = true };
    float *scores = calloc(count + 1, sizeof *scores);
    size_t *lengths = calloc(count + 1, sizeof *lengths), i;
    size_t *tokens = calloc(count + 1, sizeof *tokens);

    if (!scores || !lengths || !tokens) {
        den_fail(err, DEN_NO_MEMORY, "rerank: out of memory");
        goto done;
    }
    for (i = 0; i < count; i++)
        lengths[i] = strlen(question->texts[i]);
    request.lengths = lengths;
    if (den_worker_rerank(worker, question->query, &request, scores, tokens, err) != DEN_OK)
        goto done;
    for (i = 0; i < count; i++) {
        out->scores[i] = (double)scores[i];
        out->tokens += tokens[i];
    }
done:
    free(scores);
    free(lengths);
    free(tokens);
    return err->status;
}

static enum den_status score(void *context, const struct den_rerank_question *question,
                             struct den_rerank_scores *out, struct den_error *err)
{
    const bool late = question->way == DEN_RERANK_LANGUAGE_MODEL;
    struct den_worker *worker;

    if (den_roster_take(context, question->model, late ? DEN_WORKER_CHAT : DEN_WORKER_RERANKER,
                        &worker, err) != DEN_OK)
        return err->status;
    out->tokens = 0;
    out->way = late ? DEN_RERANK_LANGUAGE_MODEL : DEN_RERANK_CROSS_ENCODER;
    snprintf(out->model, sizeof out->model, "%s", den_worker_info(worker)->model_name);
    if (late)
        den_rerank_late(worker, question, out, err);
    else
        score_pairs(worker, question, out, err);
    den_roster_give_back(context, worker);
    return err->status;
}

/* Looks, and loads nothing. */
static bool can(void *context, enum den_rerank_way way)
{
    const enum den_worker_role role =
        way == DEN_RERANK_LANGUAGE_MODEL ? DEN_WORKER_CHAT : DEN_WORKER_RERANKER;

    return den_roster_has(context, role);
}

struct den_rerank_source den_rerank_source_of(struct den_roster *roster)
{
    return (struct den_rerank_source){ .context = roster, .score = score, .can = can };
}
