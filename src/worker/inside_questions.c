/* See inside.h: questions that a clerk answers on the spot, and embedding, which a clerk unpacks
 * and the embedder's thread answers. */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "worker/inside.h"
#include "worker/message.h"
#include "worker/request_json.h"
#include "worker/worker.h"

static void reply(uint64_t id, struct den_buffer *payload, const struct den_error *err)
{
    if (err->status == DEN_OK)
        den_inside_send(DEN_WIRE_REPLY, id, payload);
    else
        den_inside_refuse(id, err);
    den_buffer_deinit(payload);
}

/* --- tokens --- */

void den_inside_tokenize(struct den_inside *inside, const struct den_wire_frame *frame)
{
    const struct den_tokenizer *tokenizer = den_inside_tokenizer(inside);
    struct den_message_reader reader = den_message_reader(frame->payload, frame->length);
    unsigned wanted = (unsigned)den_message_get(&reader, 4), flags = 0;
    struct den_tokens tokens = { 0 };
    struct den_error err = { 0 };
    struct den_buffer payload;
    size_t i;

    flags |= wanted & DEN_WORKER_ADD_SPECIAL ? DEN_ENCODE_ADD_SPECIAL : 0;
    flags |= wanted & DEN_WORKER_PARSE_SPECIAL ? DEN_ENCODE_PARSE_SPECIAL : 0;
    den_buffer_init(&payload, DEN_WIRE_PAYLOAD_BYTES_MAX);
    if (den_tokenizer_encode(tokenizer, (const char *)reader.at, reader.left, flags, &tokens,
                             &err) == DEN_OK) {
        den_message_put(&payload, tokens.count, 4);
        for (i = 0; i < tokens.count; i++) {
            struct den_token_text piece = { "", 0 };

            if (wanted & DEN_WORKER_PIECES)
                piece = den_tokenizer_piece(tokenizer, tokens.items[i]);
            den_message_put(&payload, (uint32_t)tokens.items[i], 4);
            den_message_put_bytes(&payload, piece.bytes, piece.length);
        }
        den_buffer_status(&payload, "tokenize", &err);
    }
    den_tokens_deinit(&tokens);
    reply(frame->id, &payload, &err);
}

void den_inside_detokenize(struct den_inside *inside, const struct den_wire_frame *frame)
{
    struct den_message_reader reader = den_message_reader(frame->payload, frame->length);
    struct den_tokens tokens = { 0 };
    struct den_error err = { 0 };
    struct den_buffer payload;

    den_buffer_init(&payload, DEN_WIRE_PAYLOAD_BYTES_MAX);
    while (reader.left > 0 && !reader.failed && err.status == DEN_OK) {
        den_token token = (den_token)(uint32_t)den_message_get(&reader, 4);

        den_tokens_append(&tokens, &token, 1, &err);
    }
    if (err.status == DEN_OK)
        den_tokenizer_decode(den_inside_tokenizer(inside), tokens.items, tokens.count, false,
                             &payload, &err);
    den_tokens_deinit(&tokens);
    reply(frame->id, &payload, &err);
}

/* --- templates --- */

static enum den_status render(struct den_inside *inside, const struct den_request_copy *copy,
                              struct den_buffer *out, struct den_error *err)
{
    const struct den_worker_request *request = &copy->request;
    const struct den_turn_options options = { .messages = request->messages,
                                              .tools = request->tools,
                                              .tool_choice = request->tool_choice,
                                              .template_variables = request->template_variables,
                                              .now = copy->extra.now };
    struct den_turn *turn = NULL;
    struct den_buffer text;

    if (!inside->engine)
        return den_fail(err, DEN_UNSUPPORTED, "the model makes embeddings; it has no template");
    if (!request->messages)
        return den_fail(err, DEN_INVALID, "'messages' is missing; a template needs a conversation");
    den_buffer_init(&text, DEN_WIRE_PAYLOAD_BYTES_MAX);
    if (den_turn_render(inside->turns, &options, &text, err) == DEN_OK &&
        den_turn_create(inside->turns, &options, &turn, err) == DEN_OK) {
        den_message_put(out, den_turn_prompt(turn)->count, 8);
        den_message_put_bytes(out, text.data, text.length);
        den_buffer_status(out, "template", err);
    }
    den_turn_destroy(turn);
    den_buffer_deinit(&text);
    return err->status;
}

void den_inside_template(struct den_inside *inside, const struct den_wire_frame *frame)
{
    struct den_request_copy copy = { 0 };
    struct den_error err = { 0 };
    struct den_buffer payload;
    json_t *document = NULL;

    den_buffer_init(&payload, DEN_WIRE_PAYLOAD_BYTES_MAX);
    if (den_json_parse((const char *)frame->payload, frame->length, "request", &document, &err) ==
            DEN_OK &&
        den_request_from_json(document, &copy, &err) == DEN_OK)
        render(inside, &copy, &payload, &err);
    den_request_copy_deinit(&copy);
    reply(frame->id, &payload, &err);
}

/* --- embeddings --- */

struct embedding {
    struct den_embed_job job;
    uint64_t id;
    size_t width;
    unsigned char *bytes; /* the texts */
    const char **texts;
    size_t *lengths;
};

static void free_embedding(struct embedding *embedding)
{
    free(embedding->bytes);
    free(embedding->texts);
    free(embedding->lengths);
    free(embedding->job.vectors);
    free(embedding->job.tokens);
    free(embedding);
}

static void on_embedded(struct den_embed_job *job)
{
    struct embedding *embedding = job->context;
    size_t count = job->request.count, i;
    struct den_buffer payload;

    den_buffer_init(&payload, DEN_WIRE_PAYLOAD_BYTES_MAX);
    if (job->error.status == DEN_OK) {
        den_message_put(&payload, count, 4);
        den_message_put(&payload, embedding->width, 4);
        for (i = 0; i < count; i++)
            den_message_put(&payload, job->tokens[i], 4);
        for (i = 0; i < count * embedding->width; i++)
            den_message_put_float(&payload, job->vectors[i]);
    }
    reply(embedding->id, &payload, &job->error);
    free_embedding(embedding);
}

static bool read_texts(struct embedding *embedding, struct den_message_reader *reader, size_t count)
{
    size_t i;

    if (count > reader->left / 4) /* each has a length at least */
        return false;
    embedding->texts = calloc(count + 1, sizeof *embedding->texts);
    embedding->lengths = calloc(count + 1, sizeof *embedding->lengths);
    embedding->job.vectors = calloc(count * embedding->width + 1, sizeof(float));
    embedding->job.tokens = calloc(count + 1, sizeof(size_t));
    if (!embedding->texts || !embedding->lengths || !embedding->job.vectors ||
        !embedding->job.tokens)
        return false;
    for (i = 0; i < count; i++) {
        struct den_message_bytes text = den_message_get_bytes(reader);

        embedding->texts[i] = text.text;
        embedding->lengths[i] = text.length;
    }
    return den_message_is_whole(reader);
}

/* To a reranker the first text is what the others are scored for. False: there are no others. */
static bool take_query(struct embedding *embedding)
{
    struct den_embed_request *request = &embedding->job.request;

    if (request->count < 2)
        return false;
    request->query = *request->texts++;
    request->query_length = *request->lengths++;
    request->count--;
    return true;
}

/* NULL: it does not add up, or there is no memory. */
static struct embedding *unpack(const struct den_inside *inside, const struct den_wire_frame *frame)
{
    struct embedding *embedding = calloc(1, sizeof *embedding);
    struct den_message_reader reader;
    bool truncate, batch;
    size_t dimensions, count;

    if (!embedding)
        return NULL;
    embedding->bytes = malloc(frame->length + 1);
    if (!embedding->bytes)
        goto fail;
    memcpy(embedding->bytes, frame->payload, frame->length);
    reader = den_message_reader(embedding->bytes, frame->length);
    truncate = den_message_get(&reader, 1) == 1;
    batch = den_message_get(&reader, 1) == 1;
    dimensions = (size_t)den_message_get(&reader, 4);
    count = (size_t)den_message_get(&reader, 4);
    embedding->id = frame->id;
    embedding->width = den_embedder_width(inside->embedder);
    if (dimensions > embedding->width || count == 0)
        goto fail;
    if (dimensions > 0)
        embedding->width = dimensions;
    if (!read_texts(embedding, &reader, count))
        goto fail;
    embedding->job.request = (struct den_embed_request){ .texts = embedding->texts,
                                                         .lengths = embedding->lengths,
                                                         .count = count,
                                                         .truncate = truncate,
                                                         .dimensions = dimensions };
    if (den_embedder_ranks(inside->embedder) && !take_query(embedding))
        goto fail;
    embedding->job.batch = batch;
    embedding->job.on_done = on_embedded;
    embedding->job.context = embedding;
    return embedding;
fail:
    free_embedding(embedding);
    return NULL;
}

void den_inside_embed(struct den_inside *inside, const struct den_wire_frame *frame)
{
    struct den_error err = { 0 };
    struct embedding *embedding = inside->embedder ? unpack(inside, frame) : NULL;

    if (embedding) {
        den_embed_queue_add(inside->embedding, &embedding->job);
        return;
    }
    if (inside->embedder)
        den_fail(&err, DEN_INVALID, "embed: the request can't be read");
    else
        den_fail(&err, DEN_UNSUPPORTED, "the model makes no embeddings");
    den_inside_refuse(frame->id, &err);
}
