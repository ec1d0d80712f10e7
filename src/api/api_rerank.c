/* POST /v1/rerank, /rerank, /reranking: documents by how near they are to a query. Until a model
 * made for this is there, nearness is the cosine of the two embeddings. Jina's shape, as
 * llama-server has it ("documents", "results"), and Hugging Face's text-embeddings-inference's
 * ("texts", a list of index and score). */
#include <stdlib.h>
#include <string.h>

#include "api/api_llama.h"
#include "api/embed_texts.h"
#include "api/fields.h"

struct rerank {
    json_t *body;
    struct den_worker *worker;
    const json_t *documents; /* borrowed */
    bool is_tei, wants_texts;
    int64_t top;   /* 0: all */
    json_t *texts; /* the query, then the documents */
    struct den_embedded embedded;
};

struct rank {
    size_t index;
    double score;
};

static void deinit(struct rerank *rerank, struct den_roster *roster)
{
    if (rerank->worker)
        den_roster_give_back(roster, rerank->worker);
    json_decref(rerank->body);
    json_decref(rerank->texts);
    den_embedded_deinit(&rerank->embedded);
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
    rerank->texts = json_array();
    json_array_append(rerank->texts, (json_t *)query);
    for (i = 0; i < json_array_size(rerank->documents); i++) {
        const json_t *text = text_of(json_array_get(rerank->documents, i));

        if (!json_is_string(text))
            return den_fail(err, DEN_INVALID, "'%s[%zu]' must be a text or {\"text\": ...}", key,
                            i);
        /* an empty text has no direction of its own; a space has the model's idea of one */
        json_array_append_new(rerank->texts, json_string_length(text) > 0
                                                 ? json_incref((json_t *)text)
                                                 : json_string(" "));
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
        den_json_get_bool(out->body, "return_text", &out->wants_texts, err) != DEN_OK)
        return err->status;
    out->documents = json_object_get(out->body, "documents");
    if (!out->documents) {
        out->documents = json_object_get(out->body, "texts");
        out->is_tei = out->documents != NULL;
    }
    return read_documents(out, err);
}

static enum den_status embed(struct rerank *rerank, struct den_error *err)
{
    const struct den_embed_options options = { .texts = rerank->texts, .truncate = true };

    return den_embed_texts(rerank->worker, &options, &rerank->embedded, err);
}

/* --- the reply --- */

static int compare_ranks(const void *left, const void *right)
{
    const struct rank *a = left, *b = right;

    if (a->score != b->score)
        return a->score < b->score ? 1 : -1;
    return a->index < b->index ? -1 : 1; /* equals stay in the client's order */
}

static struct rank *make_ranks(const struct den_embedded *embedded)
{
    struct rank *ranks = calloc(embedded->count, sizeof *ranks);
    const float *query = embedded->vectors;
    size_t i, j;

    for (i = 1; ranks && i < embedded->count; i++) {
        ranks[i - 1].index = i - 1;
        for (j = 0; j < embedded->width; j++) /* both have unit length */
            ranks[i - 1].score += (double)query[j] * (double)query[i * embedded->width + j];
    }
    if (ranks)
        qsort(ranks, embedded->count - 1, sizeof *ranks, compare_ranks);
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
    struct rank *ranks = make_ranks(&rerank->embedded);
    size_t count = rerank->embedded.count - 1, i;
    const json_int_t tokens = (json_int_t)rerank->embedded.tokens;
    json_t *results = json_array();

    if (rerank->top > 0 && (size_t)rerank->top < count)
        count = (size_t)rerank->top;
    for (i = 0; ranks && i < count; i++)
        json_array_append_new(results, result_json(rerank, &ranks[i]));
    free(ranks);
    if (rerank->is_tei)
        return results;
    return json_pack("{s:s, s:s, s:{s:I, s:I}, s:o}", "model",
                     den_worker_info(rerank->worker)->model_name, "object", "list", "usage",
                     "prompt_tokens", tokens, "total_tokens", tokens, "results", results);
}

enum MHD_Result den_route_rerank(struct den_request *request)
{
    struct den_roster *roster = den_desk_roster(den_request_desk(request));
    struct rerank rerank = { 0 };
    struct den_error err = { 0 };
    const char *model = NULL;
    enum MHD_Result result;

    if (read_body(request, &rerank, &model, &err) == DEN_OK &&
        den_roster_take(roster, model, DEN_WORKER_EMBEDDING, &rerank.worker, &err) == DEN_OK &&
        embed(&rerank, &err) == DEN_OK)
        result = den_reply_json(request, MHD_HTTP_OK, reply_json(&rerank));
    else
        result = den_reply_error(request, &err, NULL);
    deinit(&rerank, roster);
    return result;
}
