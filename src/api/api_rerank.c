/* POST /v1/rerank, /rerank, /reranking: documents by how well they answer a query. A cross-encoder
 * says so where one is installed or named; a chat model that is named by how likely it finds the
 * query after the document (desk/rerank_late.h); else it is the cosine of two embeddings. Jina's
 * shape, as llama-server has it ("documents", "results"), and Hugging Face's
 * text-embeddings-inference's ("texts", a list of index and score). */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/api_llama.h"
#include "api/embed_texts.h"
#include "api/fields.h"
#include "desk/rerank.h"

struct rerank {
    json_t *body;
    const char *query;
    const json_t *documents; /* borrowed */
    bool is_tei, wants_texts, raw_scores;
    int64_t top;        /* 0: all */
    json_t *texts;      /* of the documents */
    const char **plain; /* (count) the same, borrowed */
    double *scores;     /* (count) */
    size_t count, tokens;
    char model[DEN_RERANK_MODEL_BYTES];
};

struct rank {
    size_t index;
    double score;
};

static void deinit(struct rerank *rerank)
{
    json_decref(rerank->body);
    json_decref(rerank->texts);
    free(rerank->plain);
    free(rerank->scores);
}

/* A document is a text or {"text": ...}. */
static const json_t *text_of(const json_t *document)
{
    return json_is_object(document) ? json_object_get(document, "text") : document;
}

static enum den_status read_documents(struct rerank *rerank, struct den_error *err)
{
    const json_t *query = json_object_get(rerank->body, "query");
    const char *key = rerank->is_tei ? "texts" : "documents";
    size_t i;

    if (!json_is_string(query) || json_string_length(query) == 0)
        return den_fail(err, DEN_INVALID, "'query' must be a string that is not empty");
    if (json_array_size(rerank->documents) == 0)
        return den_fail(err, DEN_INVALID, "'%s' must be a list of texts that is not empty", key);
    if (den_texts_check_count(rerank->documents, key, err) != DEN_OK)
        return err->status;
    rerank->query = json_string_value(query);
    rerank->count = json_array_size(rerank->documents);
    rerank->texts = json_array();
    rerank->plain = calloc(rerank->count, sizeof *rerank->plain);
    rerank->scores = calloc(rerank->count, sizeof *rerank->scores);
    if (!rerank->texts || !rerank->plain || !rerank->scores)
        return den_fail(err, DEN_NO_MEMORY, "rerank: out of memory");
    for (i = 0; i < rerank->count; i++) {
        const json_t *text = text_of(json_array_get(rerank->documents, i));

        if (!json_is_string(text))
            return den_fail(err, DEN_INVALID, "'%s[%zu]' must be a text or {\"text\": ...}", key,
                            i);
        /* an empty text has no direction of its own; a space has the model's idea of one */
        json_array_append_new(rerank->texts, json_string_length(text) > 0
                                                 ? json_incref((json_t *)text)
                                                 : json_string(" "));
        rerank->plain[i] = json_string_value(json_array_get(rerank->texts, i));
    }
    return DEN_OK;
}

static enum den_status read_body(struct den_request *request, struct rerank *out,
                                 const char **out_model, struct den_error *err)
{
    if (den_request_json(request, &out->body, err) != DEN_OK ||
        den_json_get_text(out->body, "model", out_model, err) != DEN_OK ||
        den_json_get_integer(out->body, "top_n", 1, INT64_MAX, &out->top, err) != DEN_OK ||
        den_json_get_bool(out->body, "return_documents", &out->wants_texts, err) != DEN_OK ||
        den_json_get_bool(out->body, "return_text", &out->wants_texts, err) != DEN_OK ||
        den_json_get_bool(out->body, "raw_scores", &out->raw_scores, err) != DEN_OK)
        return err->status;
    out->documents = json_object_get(out->body, "documents");
    if (!out->documents) {
        out->documents = json_object_get(out->body, "texts");
        out->is_tei = out->documents != NULL;
    }
    return read_documents(out, err);
}

/* --- scores --- */

/* The query and the documents as vectors of unit length: their cosines. */
static enum den_status score_by_cosine(struct rerank *rerank, struct den_worker *worker,
                                       struct den_error *err)
{
    json_t *texts = json_array();
    const struct den_embed_options options = { .texts = texts, .truncate = true };
    struct den_embedded embedded = { 0 };
    size_t i, j;

    json_array_append(texts, json_object_get(rerank->body, "query"));
    json_array_extend(texts, rerank->texts);
    if (den_embed_texts(worker, &options, &embedded, err) == DEN_OK)
        for (i = 0; i < rerank->count; i++)
            for (j = 0; j < embedded.width; j++)
                rerank->scores[i] += (double)embedded.vectors[j] *
                                     (double)embedded.vectors[(i + 1) * embedded.width + j];
    rerank->tokens = embedded.tokens;
    snprintf(rerank->model, sizeof rerank->model, "%s", den_worker_info(worker)->model_name);
    den_embedded_deinit(&embedded);
    json_decref(texts);
    return err->status;
}

/* DEN_NOT_FOUND, DEN_UNSUPPORTED: no such model does it that way. */
static enum den_status score_by_model(struct rerank *rerank, struct den_roster *roster,
                                      const char *model, enum den_rerank_way way,
                                      struct den_error *err)
{
    const struct den_rerank_source source = den_rerank_source_of(roster);
    const struct den_rerank_question question = { .way = way,
                                                  .model = model,
                                                  .query = rerank->query,
                                                  .texts = rerank->plain,
                                                  .count = rerank->count };
    struct den_rerank_scores scores = { .scores = rerank->scores };
    size_t i;

    if (source.score(source.context, &question, &scores, err) != DEN_OK)
        return err->status;
    for (i = 0; way == DEN_RERANK_CROSS_ENCODER && !rerank->raw_scores && i < rerank->count; i++)
        rerank->scores[i] = 1 / (1 + exp(-rerank->scores[i]));
    rerank->tokens = scores.tokens;
    memcpy(rerank->model, scores.model, sizeof rerank->model);
    return DEN_OK;
}

/* By the model that is named, whatever it is, else by the best kind there is. */
static enum den_status score(struct rerank *rerank, struct den_roster *roster, const char *model,
                             struct den_error *err)
{
    const bool is_named = model && *model;
    struct den_worker *worker;

    if (score_by_model(rerank, roster, model, DEN_RERANK_CROSS_ENCODER, err) == DEN_OK ||
        err->status != (is_named ? DEN_UNSUPPORTED : DEN_NOT_FOUND))
        return err->status;
    *err = (struct den_error){ 0 };
    if (den_roster_take(roster, model, DEN_WORKER_EMBEDDING, &worker, err) == DEN_OK) {
        score_by_cosine(rerank, worker, err);
        den_roster_give_back(roster, worker);
        return err->status;
    }
    if (!is_named || err->status != DEN_UNSUPPORTED)
        return err->status;
    *err = (struct den_error){ 0 };
    return score_by_model(rerank, roster, model, DEN_RERANK_LANGUAGE_MODEL, err);
}

/* --- the reply --- */

static int compare_ranks(const void *left, const void *right)
{
    const struct rank *a = left, *b = right;

    if (a->score != b->score)
        return a->score < b->score ? 1 : -1;
    return a->index < b->index ? -1 : 1; /* equals stay in the client's order */
}

static struct rank *make_ranks(const struct rerank *rerank)
{
    struct rank *ranks = calloc(rerank->count, sizeof *ranks);
    size_t i;

    for (i = 0; ranks && i < rerank->count; i++)
        ranks[i] = (struct rank){ i, rerank->scores[i] };
    if (ranks)
        qsort(ranks, rerank->count, sizeof *ranks, compare_ranks);
    return ranks;
}

static json_t *result_json(const struct rerank *rerank, const struct rank *rank)
{
    json_t *text = (json_t *)text_of(json_array_get(rerank->documents, rank->index));
    json_t *result = json_pack("{s:I, s:f}", "index", (json_int_t)rank->index,
                               rerank->is_tei ? "score" : "relevance_score", rank->score);

    if (rerank->wants_texts && rerank->is_tei)
        json_object_set(result, "text", text);
    else if (rerank->wants_texts)
        json_object_set_new(result, "document", json_pack("{s:O}", "text", text));
    return result;
}

static json_t *reply_json(const struct rerank *rerank)
{
    struct rank *ranks = make_ranks(rerank);
    size_t count = rerank->count, i;
    const json_int_t tokens = (json_int_t)rerank->tokens;
    json_t *results = json_array();

    if (rerank->top > 0 && (size_t)rerank->top < count)
        count = (size_t)rerank->top;
    for (i = 0; ranks && i < count; i++)
        json_array_append_new(results, result_json(rerank, &ranks[i]));
    free(ranks);
    if (rerank->is_tei)
        return results;
    return json_pack("{s:s, s:s, s:{s:I, s:I}, s:o}", "model", rerank->model, "object", "list",
                     "usage", "prompt_tokens", tokens, "total_tokens", tokens, "results", results);
}

enum MHD_Result den_route_rerank(struct den_request *request)
{
    struct den_roster *roster = den_desk_roster(den_request_desk(request));
    struct rerank rerank = { 0 };
    struct den_error err = { 0 };
    const char *model = NULL;
    enum MHD_Result result;

    if (read_body(request, &rerank, &model, &err) == DEN_OK &&
        score(&rerank, roster, model, &err) == DEN_OK)
        result = den_reply_json(request, MHD_HTTP_OK, reply_json(&rerank));
    else
        result = den_reply_error(request, &err, NULL);
    deinit(&rerank);
    return result;
}
