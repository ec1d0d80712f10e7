/* POST /v1/embeddings: texts to vectors, as numbers or as base64 of little-endian floats. A list of
 * token ids is turned back into text by the model's own tokenizer first. */
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "api/fields.h"
#include "base/checked.h"

struct embedding {
    json_t *body;
    json_t *texts; /* array of strings */
    const char *model;
    bool is_base64;
    int64_t dimensions; /* 0: all */
    struct den_worker *worker;
    float *vectors;
    size_t *tokens, *lengths;
    const char **pointers;
};

static void deinit(struct embedding *embedding, struct den_roster *roster)
{
    if (embedding->worker)
        den_roster_give_back(roster, embedding->worker);
    json_decref(embedding->body);
    json_decref(embedding->texts);
    free(embedding->vectors);
    free(embedding->tokens);
    free(embedding->lengths);
    free((void *)embedding->pointers);
}

/* --- the body --- */

static enum den_status add_text(struct embedding *embedding, json_t *item, struct den_error *err)
{
    json_t *text = NULL;

    if (json_is_string(item)) {
        if (json_string_length(item) == 0)
            return den_fail(err, DEN_INVALID, "'input' has an empty text");
        json_array_append(embedding->texts, item);
        return DEN_OK;
    }
    if (json_array_size(item) == 0 || !json_is_integer(json_array_get(item, 0)))
        return den_fail(err, DEN_INVALID,
                        "'input' must be a text, a list of texts, a list of token ids, or a list "
                        "of such lists");
    if (den_worker_detokenize(embedding->worker, item, &text, err) != DEN_OK)
        return den_fail_at(err, "'input'");
    json_array_append_new(embedding->texts, text);
    return DEN_OK;
}

static enum den_status read_input(struct embedding *embedding, struct den_error *err)
{
    json_t *input = json_object_get(embedding->body, "input"), *item;
    size_t i;

    embedding->texts = json_array();
    if (!input || json_is_null(input))
        return den_fail(err, DEN_INVALID, "'input' is missing");
    if (json_is_string(input) || json_is_integer(json_array_get(input, 0)))
        return add_text(embedding, input, err);
    if (json_array_size(input) == 0)
        return den_fail(err, DEN_INVALID, "'input' must be a text or a list that is not empty");
    if (json_array_size(input) > DEN_EMBEDDING_INPUTS_MAX)
        return den_fail(err, DEN_INVALID, "'input' has %zu texts; at most %d are possible",
                        json_array_size(input), DEN_EMBEDDING_INPUTS_MAX);
    json_array_foreach(input, i,
                       item) if (add_text(embedding, item, err) != DEN_OK) return err->status;
    return DEN_OK;
}

static enum den_status read_body(struct den_request *request, struct embedding *out,
                                 struct den_error *err)
{
    const char *format = "float";

    if (den_request_json(request, &out->body, err) != DEN_OK ||
        den_json_get_text(out->body, "model", &out->model, err) != DEN_OK ||
        den_json_get_text(out->body, "encoding_format", &format, err) != DEN_OK ||
        den_json_get_integer(out->body, "dimensions", 1, DEN_WIDTH_MAX, &out->dimensions, err) !=
            DEN_OK)
        return err->status;
    if (strcmp(format, "float") != 0 && strcmp(format, "base64") != 0)
        return den_fail(err, DEN_INVALID, "'encoding_format' must be 'float' or 'base64'");
    out->is_base64 = strcmp(format, "base64") == 0;
    return DEN_OK;
}

/* --- the work --- */

static enum den_status embed(struct embedding *embedding, struct den_error *err)
{
    const size_t count = json_array_size(embedding->texts);
    const size_t width = den_worker_info(embedding->worker)->width;
    struct den_worker_embed_request request = { .count = count };
    size_t numbers, i;

    if ((size_t)embedding->dimensions > width)
        return den_fail(err, DEN_INVALID, "'dimensions' is %lld; this model has %zu",
                        (long long)embedding->dimensions, width);
    if (!den_checked_multiply(count, width, &numbers))
        return den_fail(err, DEN_TOO_LARGE, "'input' has too many texts");
    embedding->vectors = calloc(numbers, sizeof *embedding->vectors);
    embedding->tokens = calloc(count, sizeof *embedding->tokens);
    embedding->lengths = calloc(count, sizeof *embedding->lengths);
    embedding->pointers = calloc(count, sizeof *embedding->pointers);
    if (!embedding->vectors || !embedding->tokens || !embedding->lengths || !embedding->pointers)
        return den_fail(err, DEN_NO_MEMORY, "embeddings: out of memory");
    for (i = 0; i < count; i++) {
        const json_t *text = json_array_get(embedding->texts, i);

        embedding->pointers[i] = json_string_value(text);
        embedding->lengths[i] = json_string_length(text);
    }
    request.texts = embedding->pointers;
    request.lengths = embedding->lengths;
    request.dimensions = (size_t)embedding->dimensions;
    if (den_worker_embed(embedding->worker, &request, embedding->vectors, embedding->tokens, err) !=
        DEN_OK)
        return err->status == DEN_CONTEXT_FULL ? den_fail_at(err, "'input'") : err->status;
    return DEN_OK;
}

/* --- the reply --- */

static json_t *vector_json(const float *vector, size_t width, bool is_base64)
{
    json_t *value;
    char *text;
    size_t i;

    if (!is_base64) {
        value = json_array();
        for (i = 0; i < width; i++)
            json_array_append_new(value, json_real((double)vector[i]));
        return value;
    }
    text = malloc(4 * (width * sizeof *vector / 3 + 1) + 1);
    if (!text)
        return NULL;
    EVP_EncodeBlock((unsigned char *)text, (const unsigned char *)vector,
                    (int)(width * sizeof *vector));
    value = json_string(text);
    free(text);
    return value;
}

static json_t *reply_json(const struct embedding *embedding)
{
    const struct den_worker_info *info = den_worker_info(embedding->worker);
    const size_t width = embedding->dimensions ? (size_t)embedding->dimensions : info->width;
    json_t *data = json_array();
    json_int_t tokens = 0;
    size_t i;

    for (i = 0; i < json_array_size(embedding->texts); i++) {
        json_array_append_new(
            data,
            json_pack("{s:s, s:I, s:o}", "object", "embedding", "index", (json_int_t)i, "embedding",
                      vector_json(embedding->vectors + i * width, width, embedding->is_base64)));
        tokens += (json_int_t)embedding->tokens[i];
    }
    return json_pack("{s:s, s:o, s:s, s:{s:I, s:I}}", "object", "list", "data", data, "model",
                     info->model_name, "usage", "prompt_tokens", tokens, "total_tokens", tokens);
}

enum MHD_Result den_route_embeddings(struct den_request *request)
{
    struct den_roster *roster = den_desk_roster(den_request_desk(request));
    struct embedding embedding = { 0 };
    struct den_error err = { 0 };
    enum MHD_Result result;

    if (read_body(request, &embedding, &err) == DEN_OK &&
        den_roster_take(roster, embedding.model, DEN_WORKER_EMBEDDING, &embedding.worker, &err) ==
            DEN_OK &&
        read_input(&embedding, &err) == DEN_OK && embed(&embedding, &err) == DEN_OK)
        result = den_reply_json(request, MHD_HTTP_OK, reply_json(&embedding));
    else
        result =
            den_reply_error(request, &err, err.status == DEN_NOT_FOUND ? "model_not_found" : NULL);
    deinit(&embedding, roster);
    return result;
}
