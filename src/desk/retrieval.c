/* See retrieval.h. */
#include "desk/retrieval.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "base/clock.h"
#include "base/json.h"
#include "desk/embedder_probe.h"
#include "desk/query_rewrite.h"
#include "desk/rerank_found.h"
#include "desk/support.h"
#include "desk/threads_parts.h"

enum {
    FEW_PASSAGES = 100, /* see words_stand_there() */
    HITS_READ = 3,
    QUERY_BYTES_MAX = 8192,    /* more is no question; models of sentences read 256 tokens */
    SEARCH_TEXTS_MAX = 1000,   /* ids, formats or tags in a filter */
    TOKEN_BYTES = 4,           /* of English, about: where no model is asked */
    BUDGET_TOKENS_GUESS = 2000 /* for passages, where no model is asked */
};

static const double MOST_WORDS = 0.6, COSINE_MIN = 0.15, HALF_WORDS = 0.5, NEAR_COSINE = 0.28;

struct den_retrieval {
    struct den_space *space;
    struct den_embed_source source;
    struct den_rerank_source rerank;
};

enum den_status den_retrieval_open(struct den_space *space, const struct den_embed_source *source,
                                   struct den_retrieval **out, struct den_error *err)
{
    struct den_retrieval *retrieval = calloc(1, sizeof *retrieval);

    if (!retrieval)
        return den_fail(err, DEN_NO_MEMORY, "retrieval: out of memory");
    retrieval->space = space;
    retrieval->source = *source;
    *out = retrieval;
    return DEN_OK;
}

void den_retrieval_rerank_with(struct den_retrieval *retrieval,
                               const struct den_rerank_source *source)
{
    retrieval->rerank = *source;
}

void den_retrieval_close(struct den_retrieval *retrieval)
{
    free(retrieval);
}

struct den_space *den_retrieval_space(const struct den_retrieval *retrieval)
{
    return retrieval->space;
}

enum den_status den_retrieval_embed(struct den_retrieval *retrieval, const char *const *texts,
                                    size_t count, float **out, size_t *out_width,
                                    struct den_error *err)
{
    struct den_space_embedder embedder = { 0 };
    size_t numbers, bytes;
    float *vectors;

    if (den_space_current_embedder(retrieval->space, &embedder, err) != DEN_OK)
        return err->status;
    if (embedder.row == 0)
        return den_fail(err, DEN_NOT_FOUND, "retrieval: nothing has been embedded yet");
    if (!den_checked_multiply(count, embedder.width, &numbers) ||
        !den_checked_multiply(numbers, sizeof *vectors, &bytes))
        return den_fail(err, DEN_TOO_LARGE, "retrieval: %zu texts are too many", count);
    vectors = malloc(bytes + sizeof *vectors);
    if (!vectors)
        return den_fail(err, DEN_NO_MEMORY, "retrieval: out of memory");
    if (retrieval->source.embed(retrieval->source.context, embedder.name, texts, count, vectors,
                                embedder.width, err) != DEN_OK) {
        free(vectors);
        return err->status;
    }
    *out = vectors;
    *out_width = embedder.width;
    return DEN_OK;
}

/* --- searching --- */

/* The question's vector; none (and no failure) where no model makes it: words alone decide. */
static enum den_status embed_query(struct den_retrieval *retrieval, struct den_found *found,
                                   float **out, size_t *out_width, struct den_error *err)
{
    const char *texts[] = { found->query };
    struct den_error ignored = { 0 };
    const double began = den_clock_seconds();

    *out = NULL;
    if (den_retrieval_embed(retrieval, texts, 1, out, out_width, err) == DEN_NOT_FOUND ||
        err->status == DEN_INVALID || err->status == DEN_UNSUPPORTED)
        *err = (struct den_error){ 0 };
    found->has_vectors = *out != NULL;
    if (err->status == DEN_OK && *out)
        den_embedder_probe(retrieval, &ignored); /* a full disk is to stop no search */
    found->embed_seconds = den_clock_seconds() - began;
    return err->status;
}

/* Hits whose item has gone since are dropped. */
static enum den_status read_passages(struct den_retrieval *retrieval, struct den_found *found,
                                     struct den_error *err)
{
    struct den_space_result *result = &found->result;
    size_t kept = 0, i;

    found->passages = calloc(result->count + 1, sizeof *found->passages);
    if (!found->passages)
        return den_fail(err, DEN_NO_MEMORY, "retrieval: out of memory");
    for (i = 0; i < result->count && err->status == DEN_OK; i++) {
        if (den_space_passage(retrieval->space, result->hits[i].item, 0, 0, &found->passages[kept],
                              err) == DEN_OK)
            result->hits[kept++] = result->hits[i];
        else if (err->status == DEN_NOT_FOUND)
            *err = (struct den_error){ 0 };
    }
    result->count = kept;
    return err->status;
}

/* In a space of few passages no word is rare, so that BM25, and with it the confidence, says
 * little: there a passage that has most of the question's words, and is not far from it in
 * meaning, is found as well. Half of them ("Who pays for the heating?"), or one that is the only
 * one ("How much is the deposit?"), have to be nearer. */
static bool words_stand_there(const struct den_found *found)
{
    struct den_terms question, passage;
    size_t words, i;

    if (found->result.searched > FEW_PASSAGES)
        return false;
    den_terms_read(found->query, strlen(found->query), &question);
    words = question.word_count + question.number_count;
    for (i = 0; words > 0 && i < found->result.count && i < HITS_READ; i++) {
        const double cosine = found->result.hits[i].cosine;
        double share;

        den_terms_read(found->passages[i].text, strlen(found->passages[i].text), &passage);
        share = den_support_words(&question, &passage, NULL);
        if ((words > 1 && share >= MOST_WORDS && (isnan(cosine) || cosine >= COSINE_MIN)) ||
            (share >= HALF_WORDS && cosine >= NEAR_COSINE))
            return true;
    }
    return false;
}

/* To a model of English sentences all Chinese texts are alike. A Chinese question that shares not
 * even a pair of characters with the Chinese passages found is not answered by them. */
static bool is_alike_by_script_alone(const struct den_found *found)
{
    struct den_terms question, passage;
    size_t i;

    den_terms_read(found->query, strlen(found->query), &question);
    if (question.chinese_count == 0 || question.chinese_count < question.word_count)
        return false;
    for (i = 0; i < found->result.count && i < HITS_READ; i++) {
        den_terms_read(found->passages[i].text, strlen(found->passages[i].text), &passage);
        if ((i == 0 && passage.chinese_count == 0) ||
            den_support_words(&question, &passage, NULL) > 0)
            return false;
    }
    return true;
}

/* The question as it is searched for; NULL: no memory. */
static char *complete_query(struct den_retrieval *retrieval,
                            const struct den_retrieval_query *search)
{
    const struct den_embed_source *source = &retrieval->source;
    char *completed = NULL;

    if (search->rewrite == DEN_REWRITE_OFF)
        return strdup(search->query);
    if (search->rewrite == DEN_REWRITE_MODEL && source->rewrite &&
        den_query_may_lean(search->conversation, search->query))
        completed = source->rewrite(source->context, search->model ? search->model : "",
                                    search->conversation, search->query);
    return completed ? completed : den_query_rewrite(search->conversation, search->query);
}

static enum den_status check_query(const char *query, struct den_error *err)
{
    if (query[strspn(query, " \t\r\n")] == '\0')
        return den_fail(err, DEN_INVALID, "'query' must not be empty");
    if (strlen(query) > QUERY_BYTES_MAX)
        return den_fail(err, DEN_INVALID, "'query' has %zu bytes; at most %d are searched for",
                        strlen(query), QUERY_BYTES_MAX);
    return DEN_OK;
}

enum den_status den_retrieval_search(struct den_retrieval *retrieval,
                                     const struct den_retrieval_query *search,
                                     struct den_found *out, struct den_error *err)
{
    const size_t more = den_rerank_wanted(&retrieval->rerank, search->rerank);
    struct den_space_query query = { .filter = search->filter,
                                     .count = search->count > more ? search->count : more,
                                     .diversity = search->diversity };
    struct den_found found = { 0 };
    float *vector = NULL;

    if (check_query(search->query, err) != DEN_OK)
        return err->status;
    found.query = complete_query(retrieval, search);
    if (!found.query)
        return den_fail(err, DEN_NO_MEMORY, "retrieval: out of memory");
    if (embed_query(retrieval, &found, &vector, &query.width, err) != DEN_OK)
        goto fail;
    query.words = found.query;
    query.vector = vector;
    if (den_space_search(retrieval->space, &query, &found.result, err) != DEN_OK ||
        read_passages(retrieval, &found, err) != DEN_OK ||
        den_rerank_found(&retrieval->rerank, search->rerank, search->count, &found, err) != DEN_OK)
        goto fail;
    found.found = found.result.count > 0 &&
                  (found.result.confidence >= DEN_CONFIDENCE_FOUND || words_stand_there(&found)) &&
                  !is_alike_by_script_alone(&found);
    free(vector);
    *out = found;
    return DEN_OK;
fail:
    free(vector);
    den_found_deinit(&found);
    return err->status;
}

void den_found_deinit(struct den_found *found)
{
    size_t i;

    for (i = 0; found->passages && i < found->result.count; i++)
        den_passage_free(&found->passages[i]);
    free(found->passages);
    free(found->rerank_scores);
    free(found->query);
    den_space_result_free(&found->result);
    *found = (struct den_found){ 0 };
}

/* --- as JSON --- */

static json_t *number_or_null(double value)
{
    return isnan(value) ? json_null() : json_real(value);
}

/* The model's own place for the hit, 1 ...: among those that are left. */
static json_t *rank_or_null(const struct den_found *found, size_t index)
{
    const double *scores = found->rerank_scores;
    json_int_t rank = 1;
    size_t i;

    if (!scores || isnan(scores[index]))
        return json_null();
    for (i = 0; i < found->result.count; i++)
        rank += scores[i] > scores[index];
    return json_integer(rank);
}

json_t *den_found_hit_json(const struct den_found *found, size_t index, bool in_prompt)
{
    const struct den_space_hit *hit = &found->result.hits[index];
    const struct den_passage *passage = &found->passages[index];
    json_t *json = den_passage_json(passage);

    json_object_set_new(json, "word_rank", json_integer(hit->word_rank));
    json_object_set_new(json, "bm25", json_real(hit->bm25));
    json_object_set_new(json, "vector_rank", json_integer(hit->vector_rank));
    json_object_set_new(json, "cosine", number_or_null(hit->cosine));
    json_object_set_new(json, "fused", json_real(hit->fused));
    json_object_set_new(json, "rerank_score",
                        number_or_null(found->rerank_scores ? found->rerank_scores[index] : NAN));
    json_object_set_new(json, "rerank_rank", rank_or_null(found, index));
    json_object_set_new(json, "in_prompt", json_boolean(in_prompt));
    return json;
}

json_t *den_passage_json(const struct den_passage *passage)
{
    return json_pack("{s:s, s:s, s:s, s:s, s:{s:I, s:s, s:I, s:s}, s:s, s:I, s:I, s:s}", "document",
                     passage->document, "name", passage->name, "title", passage->title, "format",
                     passage->format, "part", "ordinal", (json_int_t)passage->part, "kind",
                     passage->part_kind, "number", (json_int_t)passage->number, "label",
                     passage->label, "heading", passage->heading, "start",
                     (json_int_t)passage->start, "end", (json_int_t)passage->end, "text",
                     passage->text);
}

static json_t *found_json(const struct den_found *found,
                          const struct den_retrieval_settings *settings)
{
    const size_t budget =
        settings->budget_tokens > 0 ? (size_t)settings->budget_tokens : (size_t)BUDGET_TOKENS_GUESS;
    json_t *hits = json_array();
    size_t tokens = 0, i;

    for (i = 0; i < found->result.count; i++) {
        tokens += strlen(found->passages[i].text) / TOKEN_BYTES + 1;
        json_array_append_new(
            hits, den_found_hit_json(found, i, (int64_t)i < settings->count && tokens <= budget));
    }
    return json_pack("{s:s, s:o, s:f, s:b, s:I, s:s?, s:{s:f, s:f, s:f, s:f, s:f}}", "query",
                     found->query, "hits", hits, "confidence", found->result.confidence, "found",
                     (int)found->found, "searched", (json_int_t)found->result.searched,
                     "reranked_by", *found->reranked_by ? found->reranked_by : NULL, "seconds",
                     "embed", found->embed_seconds, "words", found->result.words_seconds, "vectors",
                     found->result.vectors_seconds, "fuse", found->result.fuse_seconds, "rerank",
                     found->rerank_seconds);
}

/* --- a request's body --- */

/* Texts of a list; the array is the caller's, the texts live as long as `fields`. */
static enum den_status read_texts(const json_t *fields, const char *key, const char *const **out,
                                  size_t *out_count, struct den_error *err)
{
    const json_t *list = json_object_get(fields, key);
    const size_t count = json_array_size(list);
    const char **texts;
    size_t i;

    if (!list || json_is_null(list))
        return DEN_OK;
    if (!json_is_array(list) || count > SEARCH_TEXTS_MAX)
        return den_fail(err, DEN_INVALID, "'%s' must be a list of at most %d texts", key,
                        SEARCH_TEXTS_MAX);
    texts = calloc(count + 1, sizeof *texts);
    if (!texts)
        return den_fail(err, DEN_NO_MEMORY, "retrieval: out of memory");
    *out = texts;
    *out_count = count;
    for (i = 0; i < count; i++) {
        texts[i] = json_string_value(json_array_get(list, i));
        if (!texts[i])
            return den_fail(err, DEN_INVALID, "'%s[%zu]' must be a text", key, i);
    }
    return DEN_OK;
}

static enum den_status read_filter(const json_t *fields, struct den_space_filter *out,
                                   struct den_error *err)
{
    if (den_json_get_text(fields, "workspace", &out->workspace, err) != DEN_OK ||
        den_json_get_text(fields, "thread", &out->thread, err) != DEN_OK ||
        den_json_get_integer(fields, "modified_from", INT64_MIN, INT64_MAX, &out->modified_from,
                             err) != DEN_OK ||
        den_json_get_integer(fields, "modified_until", INT64_MIN, INT64_MAX, &out->modified_until,
                             err) != DEN_OK ||
        read_texts(fields, "documents", &out->documents, &out->document_count, err) != DEN_OK ||
        read_texts(fields, "formats", &out->formats, &out->format_count, err) != DEN_OK)
        return err->status;
    return read_texts(fields, "tags", &out->tags, &out->tag_count, err);
}

static enum den_status read_search(const json_t *fields, struct den_retrieval_query *out,
                                   const struct den_retrieval_settings *settings,
                                   struct den_error *err)
{
    int64_t count = settings->count;
    const char *rerank = "auto";

    out->rewrite = settings->rewrite;
    out->diversity = settings->diversity;
    out->conversation = json_object_get(fields, "conversation");
    if (out->conversation && !json_is_array(out->conversation) && !json_is_null(out->conversation))
        return den_fail(err, DEN_INVALID, "'conversation' must be a list of messages");
    if (den_json_get_text(fields, "query", &out->query, err) != DEN_OK ||
        den_json_get_integer(fields, "count", 1, DEN_RETRIEVAL_COUNT_MAX, &count, err) != DEN_OK ||
        den_json_get_number(fields, "diversity", 0, 1, &out->diversity, err) != DEN_OK ||
        den_json_get_text(fields, "rerank", &rerank, err) != DEN_OK ||
        den_rerank_way_read(rerank, &out->rerank, err) != DEN_OK)
        return err->status;
    if (!out->query)
        return den_fail(err, DEN_INVALID, "'query' is missing; it must be a string");
    out->count = (size_t)count;
    return DEN_OK;
}

enum den_status den_retrieval_answer(struct den_retrieval *retrieval, struct den_threads *threads,
                                     const json_t *fields, json_t **out, struct den_error *err)
{
    struct den_retrieval_settings settings = den_retrieval_defaults();
    struct den_retrieval_query search = { 0 };
    json_t *workspace = NULL;
    struct den_found found;

    if (read_filter(fields, &search.filter, err) != DEN_OK)
        goto done;
    if (search.filter.workspace) {
        if (den_workspace_get(threads, search.filter.workspace, &workspace, err) != DEN_OK) {
            den_fail_at(err, "'workspace'");
            goto done;
        }
        den_retrieval_settings_read(json_object_get(workspace, "retrieval"), &settings, err);
        search.model = json_string_value(json_object_get(workspace, "model"));
    }
    if (err->status == DEN_OK && read_search(fields, &search, &settings, err) == DEN_OK &&
        den_retrieval_search(retrieval, &search, &found, err) == DEN_OK) {
        *out = found_json(&found, &settings);
        den_found_deinit(&found);
    }
done:
    json_decref(workspace);
    free((void *)(uintptr_t)search.filter.documents);
    free((void *)(uintptr_t)search.filter.formats);
    free((void *)(uintptr_t)search.filter.tags);
    return err->status;
}
