/* POST /v1/embeddings: texts to vectors, as numbers or as base64 of little-endian floats. A list of
 * token ids is turned back into text by the model's own tokenizer first. */
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "api/embed_texts.h"
#include "api/fields.h"

struct embedding {
    json_t *body;
    json_t *texts; /* array of strings */
    const char *model;
    bool is_base64;
    int64_t dimensions; /* 0: all */
    struct den_worker *worker;
    struct den_embedded embedded;
};

static void deinit(struct embedding *embedding, struct den_roster *roster)
{
    if (embedding->worker)
        den_roster_give_back(roster, embedding->worker);
    json_decref(embedding->body);
    json_decref(embedding->texts);
    den_embedded_deinit(&embedding->embedded);
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
    if (den_texts_check_count(input, "input", err) != DEN_OK)
        return err->status;
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

/* --- the reply --- */

/* The floats as they lie in memory, which is little-endian wherever Den runs. */
static json_t *base64_json(const float *vector, size_t width)
{
    const size_t bytes = width * sizeof *vector;
    char *text = malloc(4 * (bytes / 3 + 1) + 1);
    json_t *value = NULL;

    if (text) {
        EVP_EncodeBlock((unsigned char *)text, (const unsigned char *)vector, (int)bytes);
        value = json_string(text);
    }
    free(text);
    return value;
}

static json_t *reply_json(const struct embedding *embedding)
{
    const struct den_embedded *embedded = &embedding->embedded;
    const json_int_t tokens = (json_int_t)embedded->tokens;
    json_t *data = json_array();
    size_t i;

    for (i = 0; i < embedded->count; i++) {
        json_t *vector = embedding->is_base64
                             ? base64_json(embedded->vectors + i * embedded->width, embedded->width)
                             : den_embedded_json(embedded, i);

        json_array_append_new(data, json_pack("{s:s, s:I, s:o}", "object", "embedding", "index",
                                              (json_int_t)i, "embedding", vector));
    }
    return json_pack("{s:s, s:o, s:s, s:{s:I, s:I}}", "object", "list", "data", data, "model",
                     den_worker_info(embedding->worker)->model_name, "usage", "prompt_tokens",
                     tokens, "total_tokens", tokens);
}

enum MHD_Result den_route_embeddings(struct den_request *request)
{
    struct den_roster *roster = den_desk_roster(den_request_desk(request));
    struct embedding embedding = { 0 };
    struct den_embed_options options = { 0 };
    struct den_error err = { 0 };
    enum MHD_Result result;

    if (read_body(request, &embedding, &err) == DEN_OK &&
        den_roster_take(roster, embedding.model, DEN_WORKER_EMBEDDING, &embedding.worker, &err) ==
            DEN_OK &&
        read_input(&embedding, &err) == DEN_OK) {
        options.texts = embedding.texts;
        options.dimensions = embedding.dimensions;
        den_embed_texts(embedding.worker, &options, &embedding.embedded, &err);
    }
    if (err.status == DEN_OK)
        result = den_reply_json(request, MHD_HTTP_OK, reply_json(&embedding));
    else
        result =
            den_reply_error(request, &err, err.status == DEN_NOT_FOUND ? "model_not_found" : NULL);
    deinit(&embedding, roster);
    return result;
}
