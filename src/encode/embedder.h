/* Embedder: texts to vectors whose cosine says how alike their meanings are.
 *
 * A sentence encoder (BERT from its Hugging Face folder or GGUF) read as sentence-transformers
 * reads it: tokens, the model, pooling as its folder says (mean over tokens, or the first token),
 * unit length. Texts are sorted by length and packed into batches without padding, so that no
 * arithmetic is spent on nothing.
 *
 * A reranker (cross-encoder) is the same machine with another end: a question and a text are read
 * as one, and a head makes a single number of them that says how well the text answers. It scores
 * only, as an embedder embeds only; den_embedder_ranks() says which one was opened. */
#ifndef DEN_ENCODE_EMBEDDER_H
#define DEN_ENCODE_EMBEDDER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "device/device.h"
#include "text/tokenizer.h"

struct den_embedder;

struct den_embedder_options {
    const char *path; /* Hugging Face folder or GGUF file */
    int threads;      /* 0: all */
    const char *cpu_features;
    enum den_precision precision;
    struct den_packed_store *packed; /* as in den_device_options */
};

/* DEN_UNSUPPORTED where the model is neither a sentence encoder nor a reranker. */
enum den_status den_embedder_open(const struct den_embedder_options *options,
                                  struct den_embedder **out, struct den_error *err);
void den_embedder_close(struct den_embedder *embedder);
bool den_embedder_ranks(const struct den_embedder *embedder);
size_t den_embedder_width(const struct den_embedder *embedder);   /* of a vector; 1: a reranker's */
size_t den_embedder_context(const struct den_embedder *embedder); /* tokens of one text at most */
size_t den_embedder_parameters(const struct den_embedder *embedder);
const char *den_embedder_name(const struct den_embedder *embedder);
const char *den_embedder_architecture(const struct den_embedder *embedder); /* "bert" */
const struct den_tokenizer *den_embedder_tokenizer(const struct den_embedder *embedder);
const struct den_device *den_embedder_device(const struct den_embedder *embedder);

struct den_embed_request {
    const char *const *texts; /* (count) */
    const size_t *lengths;    /* (count) bytes */
    size_t count;
    bool truncate;     /* longer than the context: cut; otherwise DEN_CONTEXT_FULL names the text */
    size_t dimensions; /* keep the first so many and normalise again (Matryoshka); 0: all */
    const atomic_bool *cancel; /* looked at between batches; NULL: none */
    const char *query;         /* a reranker's: what each text is scored for; else NULL */
    size_t query_length;
};
/* out_vectors (count, dimensions or width), unit length, or a reranker's scores (count): logits, of
 * any sign and size; out_tokens (count) or NULL. One thread drives an embedder at a time. A text
 * that is too long beside its query is cut first, the query to half of the context at most. */
enum den_status den_embedder_run(struct den_embedder *embedder,
                                 const struct den_embed_request *request, float *out_vectors,
                                 size_t *out_tokens, struct den_error *err);

#endif
