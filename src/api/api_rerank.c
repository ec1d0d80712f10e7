/* POST /v1/rerank, /rerank, /reranking: documents by how near they are to a query. Until a model
 * made for this is there, nearness is the cosine of the two embeddings. Jina's shape, as
 * llama-server has it ("documents", "results"), and Hugging Face's text-embeddings-inference's
 * ("texts", a list of index and score). */
#include <stdlib.h>
#include <string.h>

#include "api/api_llama.h"
#include "api/fields.h"
#include "base/checked.h"

struct rerank {
    json_t *body;
    struct den_worker *worker;
    const json_t *documents; /* borrowed */
    bool is_tei, wants_texts;
    int64_t top;  /* 0: all */
    size_t count; /* of the texts: the query, then the documents */
    const char **texts;
    size_t *lengths, *tokens;
    float *vectors;
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
    free((void *)rerank->texts);
    free(rerank->lengths);
    free(rerank->tokens);
    free(rerank->vectors);
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
    if (json_array_size(rerank->documents) > DEN_EMBEDDING_INPUTS_MAX)
        return den_fail(err, DEN_INVALID, "'%s' has %zu texts; at most %d are possible", key,
                        json_array_size(rerank->documents), DEN_EMBEDDING_INPUTS_MAX);
    rerank->count = json_array_size(rerank->documents) + 1;
    rerank->texts = calloc(rerank->count, sizeof *rerank->texts);
    rerank->lengths = calloc(rerank->count, sizeof *rerank->lengths);
    rerank->tokens = calloc(rerank->count, sizeof *rerank->tokens);
    if (!rerank->texts || !rerank->lengths || !rerank->tokens)
        return den_fail(err, DEN_NO_MEMORY, "rerank: out of memory");
    for (i = 0; i < rerank->count; i++) {
        const json_t *text = i == 0 ? query : text_of(json_array_get(rerank->documents, i - 1));

        if (!json_is_string(text))
            return den_fail(err, DEN_INVALID, "'%s[%zu]' must be a text or {\"text\": ...}", key,
                            i - 1);
        /* an empty text has no direction of its own; a space has the model's idea of one */
        rerank->texts[i] = json_string_length(text) > 0 ? json_string_value(text) : " ";
        rerank->lengths[i] = json_string_length(text) > 0 ? json_string_length(text) : 1;
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
    const struct den_worker_embed_request request = {
        .texts = rerank->texts, .lengths = rerank->lengths, .count = rerank->count, .truncate = true
    };
    size_t numbers;

    if (!den_checked_multiply(rerank->count, den_worker_info(rerank->worker)->width, &numbers))
        return den_fail(err, DEN_TOO_LARGE, "rerank: too many documents");
    rerank->vectors = calloc(numbers, sizeof *rerank->vectors);
    if (!rerank->vectors)
        return den_fail(err, DEN_NO_MEMORY, "rerank: out of memory");
    return den_worker_embed(rerank->worker, &request, rerank->vectors, rerank->tokens, err);
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
    const size_t width = den_worker_info(rerank->worker)->width;
    struct rank *ranks = calloc(rerank->count, sizeof *ranks);
    size_t i, j;

    for (i = 1; ranks && i < rerank->count; i++) {
        ranks[i - 1].index = i - 1;
        for (j = 0; j < width; j++) /* both have unit length */
            ranks[i - 1].score +=
                (double)rerank->vectors[j] * (double)rerank->vectors[i * width + j];
    }
    if (ranks)
        qsort(ranks, rerank->count - 1, sizeof *ranks, compare_ranks);
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
    size_t count = rerank->count - 1, i;
    json_t *results = json_array();
    json_int_t tokens = 0;

    if (rerank->top > 0 && (size_t)rerank->top < count)
        count = (size_t)rerank->top;
    for (i = 0; ranks && i < count; i++)
        json_array_append_new(results, result_json(rerank, &ranks[i]));
    for (i = 0; i < rerank->count; i++)
        tokens += (json_int_t)rerank->tokens[i];
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
