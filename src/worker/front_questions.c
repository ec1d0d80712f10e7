/* Questions to the process: each is a frame there and a frame back. Replies are checked like
 * everything that a process sends, and become JSON only here. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/utf8.h"
#include "worker/front.h"
#include "worker/request_json.h"

static enum den_status nonsense(struct den_error *err)
{
    return den_fail(err, DEN_INTERNAL, "the worker process gave an answer that makes no sense");
}

/* --- tokens --- */

/* A piece as a string, or as an array of bytes where it is no text. */
static json_t *show_piece(struct den_message_bytes piece)
{
    json_t *bytes;
    size_t i;

    if (den_utf8_is_valid(piece.text, piece.length))
        return json_stringn(piece.text, piece.length);
    bytes = json_array();
    for (i = 0; i < piece.length; i++)
        json_array_append_new(bytes, json_integer((unsigned char)piece.text[i]));
    return bytes;
}

static enum den_status read_tokens(const struct den_buffer *reply, bool pieces, json_t *out_ids,
                                   struct den_error *err)
{
    struct den_message_reader reader = den_message_reader(reply->data, reply->length);
    uint64_t count = den_message_get(&reader, 4), i;

    for (i = 0; i < count && !reader.failed; i++) {
        int32_t id = (int32_t)(uint32_t)den_message_get(&reader, 4);
        struct den_message_bytes piece = den_message_get_bytes(&reader);
        json_t *one = json_integer(id);

        if (pieces)
            one = json_pack("{s:o, s:o}", "id", one, "piece", show_piece(piece));
        if (!one || json_array_append_new(out_ids, one) != 0)
            return den_fail(err, DEN_NO_MEMORY, "tokenize: out of memory");
    }
    return den_message_is_whole(&reader) ? DEN_OK : nonsense(err);
}

enum den_status den_worker_tokenize(struct den_worker *worker, const char *text, size_t length,
                                    unsigned flags, json_t *out_ids, struct den_error *err)
{
    struct den_buffer question, reply;

    den_buffer_init(&question, DEN_WIRE_PAYLOAD_BYTES_MAX);
    den_buffer_init(&reply, DEN_WIRE_PAYLOAD_BYTES_MAX);
    den_message_put(&question, flags, 4);
    den_buffer_append(&question, text, length);
    if (den_buffer_status(&question, "tokenize", err) == DEN_OK &&
        den_front_ask(worker, DEN_WIRE_TOKENIZE, &question, &reply, err) == DEN_OK)
        read_tokens(&reply, flags & DEN_WORKER_PIECES, out_ids, err);
    den_buffer_deinit(&question);
    den_buffer_deinit(&reply);
    return err->status;
}

static enum den_status write_ids(const json_t *ids, struct den_buffer *out, struct den_error *err)
{
    const json_t *id;
    size_t i;

    json_array_foreach(ids, i, id)
    {
        if (!json_is_integer(id) || json_integer_value(id) < 0 ||
            json_integer_value(id) > INT32_MAX)
            return den_fail(err, DEN_INVALID, "'tokens[%zu]' must be a token id", i);
        den_message_put(out, (uint64_t)json_integer_value(id), 4);
    }
    return den_buffer_status(out, "detokenize", err);
}

/* Bytes that are no character become U+FFFD. */
static json_t *mend(const struct den_buffer *bytes)
{
    struct den_buffer text;
    json_t *value;
    size_t at = 0;

    if (den_utf8_is_valid(bytes->data, bytes->length))
        return json_stringn(bytes->data, bytes->length);
    den_buffer_init(&text, 4 * (size_t)DEN_WIRE_PAYLOAD_BYTES_MAX);
    while (at < bytes->length) {
        char character[4];
        uint32_t code;

        at += den_utf8_decode(bytes->data + at, bytes->length - at, &code);
        den_buffer_append(&text, character, den_utf8_encode(code, character));
    }
    value = text.status == DEN_OK ? json_stringn(text.data, text.length) : NULL;
    den_buffer_deinit(&text);
    return value;
}

enum den_status den_worker_detokenize(struct den_worker *worker, const json_t *ids,
                                      json_t **out_text, struct den_error *err)
{
    struct den_buffer question, reply;
    json_t *text;

    den_buffer_init(&question, DEN_WIRE_PAYLOAD_BYTES_MAX);
    den_buffer_init(&reply, DEN_WIRE_PAYLOAD_BYTES_MAX);
    if (write_ids(ids, &question, err) == DEN_OK &&
        den_front_ask(worker, DEN_WIRE_DETOKENIZE, &question, &reply, err) == DEN_OK) {
        text = mend(&reply);
        if (text)
            *out_text = text;
        else
            den_fail(err, DEN_NO_MEMORY, "detokenize: out of memory");
    }
    den_buffer_deinit(&question);
    den_buffer_deinit(&reply);
    return err->status;
}

/* --- templates --- */

static enum den_status write_request(const struct den_worker_request *request,
                                     struct den_buffer *out, struct den_error *err)
{
    json_t *object = den_request_to_json(request);

    if (!object)
        return den_fail(err, DEN_INVALID, "the request can't be copied");
    den_json_write(object, out, err);
    json_decref(object);
    return err->status;
}

enum den_status den_worker_apply_template(struct den_worker *worker,
                                          const struct den_worker_request *request, json_t **out,
                                          struct den_error *err)
{
    struct den_buffer question, reply;
    struct den_message_reader reader;
    struct den_message_bytes text;
    uint64_t tokens;

    den_buffer_init(&question, DEN_WIRE_PAYLOAD_BYTES_MAX);
    den_buffer_init(&reply, DEN_WIRE_PAYLOAD_BYTES_MAX);
    if (write_request(request, &question, err) != DEN_OK ||
        den_front_ask(worker, DEN_WIRE_TEMPLATE, &question, &reply, err) != DEN_OK)
        goto done;
    reader = den_message_reader(reply.data, reply.length);
    tokens = den_message_get(&reader, 8);
    text = den_message_get_text(&reader);
    if (!den_message_is_whole(&reader) || tokens > INT64_MAX) {
        nonsense(err);
        goto done;
    }
    *out = json_pack("{s:s%, s:I}", "prompt", text.text, text.length, "tokens", (json_int_t)tokens);
    if (!*out)
        den_fail(err, DEN_NO_MEMORY, "template: out of memory");
done:
    den_buffer_deinit(&question);
    den_buffer_deinit(&reply);
    return err->status;
}

/* --- embeddings and scores --- */

/* What is asked of a process that embeds, or scores for a query. */
struct embed_question {
    const struct den_worker_embed_request *request;
    const char *query; /* NULL: embeds */
    size_t width;      /* of what comes back for a text */
};

/* Texts from `first` on that go into one slice: a few, so that other clients' come in between. */
static size_t slice(const struct den_worker_embed_request *request, size_t first)
{
    size_t count = 0, bytes = 0;

    while (first + count < request->count && count < DEN_EMBED_SLICE_TEXTS_MAX &&
           (count == 0 || bytes + request->lengths[first + count] <= DEN_EMBED_SLICE_BYTES_MAX))
        bytes += request->lengths[first + count++];
    return count;
}

static enum den_status write_slice(const struct embed_question *question, size_t first,
                                   size_t count, struct den_buffer *out, struct den_error *err)
{
    const struct den_worker_embed_request *request = question->request;
    size_t i;

    den_message_put(out, request->truncate, 1);
    den_message_put(out, request->batch, 1);
    den_message_put(out, request->dimensions, 4);
    den_message_put(out, count + (question->query != NULL), 4);
    if (question->query)
        den_message_put_bytes(out, question->query, strlen(question->query));
    for (i = first; i < first + count; i++)
        den_message_put_bytes(out, request->texts[i], request->lengths[i]);
    return den_buffer_status(out, "embed", err);
}

static enum den_status read_slice(const struct den_buffer *reply, size_t count, size_t width,
                                  float *out_vectors, size_t *out_tokens, struct den_error *err)
{
    struct den_message_reader reader = den_message_reader(reply->data, reply->length);
    size_t i;

    if (den_message_get(&reader, 4) != count || den_message_get(&reader, 4) != width ||
        reader.left != count * 4 + count * width * 4)
        return nonsense(err);
    for (i = 0; i < count; i++) {
        size_t tokens = (size_t)den_message_get(&reader, 4);

        if (out_tokens)
            out_tokens[i] = tokens;
    }
    for (i = 0; i < count * width; i++)
        out_vectors[i] = den_message_get_float(&reader);
    return DEN_OK;
}

/* The tokens of all texts of a reply that read_slice() found whole. */
static uint64_t tokens_of(const struct den_buffer *reply, size_t count)
{
    struct den_message_reader reader = den_message_reader(reply->data, reply->length);
    uint64_t tokens = 0;
    size_t i;

    den_message_get(&reader, 8); /* count and width */
    for (i = 0; i < count; i++)
        tokens += den_message_get(&reader, 4);
    return tokens;
}

/* Embeddings count as a request whose prompt was read. */
static void count_embedding(struct den_worker *worker, uint64_t tokens, double seconds)
{
    pthread_mutex_lock(&worker->lock);
    worker->sums.requests++;
    worker->sums.prompt_tokens += tokens;
    worker->sums.prompt_seconds += seconds;
    pthread_mutex_unlock(&worker->lock);
}

/* Slice by slice, so that other clients' come in between. */
static enum den_status ask_all(struct den_worker *worker, const struct embed_question *ask,
                               float *out_numbers, size_t *out_tokens, struct den_error *err)
{
    const struct den_worker_embed_request *request = ask->request;
    double start = den_clock_seconds();
    uint64_t tokens = 0;
    size_t first, count;

    for (first = 0; first < request->count; first += count) {
        struct den_buffer question, reply;

        count = slice(request, first);
        den_buffer_init(&question, DEN_WIRE_PAYLOAD_BYTES_MAX);
        den_buffer_init(&reply, DEN_WIRE_PAYLOAD_BYTES_MAX);
        if (write_slice(ask, first, count, &question, err) == DEN_OK &&
            den_front_ask(worker, DEN_WIRE_EMBED, &question, &reply, err) == DEN_OK &&
            read_slice(&reply, count, ask->width, out_numbers + first * ask->width,
                       out_tokens ? out_tokens + first : NULL, err) == DEN_OK)
            tokens += tokens_of(&reply, count);
        den_buffer_deinit(&question);
        den_buffer_deinit(&reply);
        if (err->status != DEN_OK)
            return err->status;
    }
    count_embedding(worker, tokens, den_clock_seconds() - start);
    return DEN_OK;
}

enum den_status den_worker_embed(struct den_worker *worker,
                                 const struct den_worker_embed_request *request, float *out_vectors,
                                 size_t *out_tokens, struct den_error *err)
{
    const struct embed_question ask = { .request = request,
                                        .width = request->dimensions ? request->dimensions
                                                                     : worker->info.width };

    if (worker->info.role != DEN_WORKER_EMBEDDING)
        return den_fail(err, DEN_UNSUPPORTED, "model '%s' %s; it makes no embeddings",
                        worker->model_name,
                        worker->info.role == DEN_WORKER_CHAT ? "writes text" : "is a reranker");
    if (request->dimensions > worker->info.width)
        return den_fail(err, DEN_INVALID, "'dimensions' is %zu; the model's vectors have %zu",
                        request->dimensions, worker->info.width);
    if (request->count > DEN_EMBED_TEXTS_MAX)
        return den_fail(err, DEN_TOO_LARGE, "'input' has %zu texts; at most %d are possible",
                        request->count, DEN_EMBED_TEXTS_MAX);
    return ask_all(worker, &ask, out_vectors, out_tokens, err);
}

enum den_status den_worker_rerank(struct den_worker *worker, const char *query,
                                  const struct den_worker_embed_request *request, float *out_scores,
                                  size_t *out_tokens, struct den_error *err)
{
    const struct embed_question ask = { .request = request, .query = query, .width = 1 };

    if (worker->info.role != DEN_WORKER_RERANKER)
        return den_fail(err, DEN_UNSUPPORTED, "model '%s' is no reranker", worker->model_name);
    if (request->count > DEN_EMBED_TEXTS_MAX)
        return den_fail(err, DEN_TOO_LARGE, "there are %zu texts; at most %d are possible",
                        request->count, DEN_EMBED_TEXTS_MAX);
    return ask_all(worker, &ask, out_scores, out_tokens, err);
}
