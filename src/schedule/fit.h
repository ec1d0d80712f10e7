/* Fit: will a model run here, with what context, about how fast? One formula, used by `den models`,
 * by /api/models, /api/fit, and before anything is downloaded.
 *
 * Memory is not guessed but counted: it is what the engine takes, term by term (weights as they are
 * packed, cache, scratch rows, what stays mapped while a model is loaded), from the shape of the
 * model alone. Two figures are measured: the process without a model, and a tokenizer a word of its
 * vocabulary. tests/api/test_fit.py holds the sum against the peak of real worker processes.
 * Speed is the memory's read bandwidth, measured, over the bytes that a token reads, times the
 * share of it that models have reached on this machine (schedule/fit_machine.h).
 *
 * A shape travels as JSON, in models/catalogue.json, from a worker that has loaded the model, and
 * in $DEN_HOME/shapes.json where the front remembers it (docs/internals/models.md has the keys). */
#ifndef DEN_SCHEDULE_FIT_H
#define DEN_SCHEDULE_FIT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

struct den_fit_shape {
    bool is_encoder; /* of sentences: no cache, weights in 16 bits */
    bool tied;       /* one matrix looks up words and makes logits */
    size_t layers, width, heads, kv_heads, head_width, value_width, ffn_width, vocabulary;
    size_t experts, experts_used, expert_width; /* 0: none */
    size_t context_tokens;                      /* trained with */
    /* bytes as packed in memory */
    double layer_bytes;     /* all layers */
    double embedding_bytes; /* the look-up table */
    double head_bytes;      /* the matrix of logits; 0 when tied */
    double read_bytes;      /* what one token reads of them */
    /* bytes in the file, which stay mapped until a part is packed */
    double layer_file_bytes, embedding_file_bytes, head_file_bytes;
};

/* Reads and checks a shape. Its weights are given by "types" (elements by type of the layers) with
 * "embedding_type" and "head_type", or by "quantization" alone ("Q4_K_M"), from which the types
 * that quantizers give to each matrix follow. */
enum den_status den_fit_shape_read(const json_t *value, struct den_fit_shape *out,
                                   struct den_error *err);
/* All that is known is the size of the files: the shape of a llama of that size. */
struct den_fit_shape den_fit_shape_of_bytes(uint64_t file_bytes);

struct den_fit_settings {
    size_t context_tokens; /* of a conversation; 0: the model's own, at most 8192 */
    size_t conversations;  /* whose cache is full at once; 0: 1 */
    size_t batch_rows;     /* 0: 512 */
    int threads;           /* 0: 1 */
    bool int8_cache;       /* keys and values in 8 bits rather than 16 */
};

/* Of the worker process at its peak. */
uint64_t den_fit_memory(const struct den_fit_shape *shape, const struct den_fit_settings *settings);

struct den_fit_machine {
    uint64_t total_bytes;
    uint64_t free_bytes;     /* that Den could take: available, and what its own models hold */
    uint64_t budget_bytes;   /* of all models together */
    double read_bytes_per_s; /* measured; 0: unknown */
    double read_share;       /* of it that models reach */
    int threads;
};

enum den_fit_verdict { DEN_FIT_FITS, DEN_FIT_TIGHT, DEN_FIT_TOO_LARGE };
const char *den_fit_verdict_text(enum den_fit_verdict verdict); /* "fits", "tight", "too large" */

struct den_fit {
    enum den_fit_verdict verdict;
    uint64_t memory_bytes; /* at the context that was asked for */
    size_t context_tokens; /* the largest that fits; 0: none does */
    double tokens_per_s;   /* generated, in one conversation; 0: not known (or an encoder) */
    bool is_guess;         /* from the size of its files alone */
    char why[192];         /* a sentence */
};
struct den_fit den_fit(const struct den_fit_shape *shape, const struct den_fit_settings *settings,
                       const struct den_fit_machine *machine);
json_t *den_fit_json(const struct den_fit *fit);

#endif
