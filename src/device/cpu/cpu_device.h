/* The CPU device's inside: what its files share. Nothing outside device/cpu includes this. */
#ifndef DEN_DEVICE_CPU_CPU_DEVICE_H
#define DEN_DEVICE_CPU_CPU_DEVICE_H

#include <assert.h>

#include "base/team.h"
#include "device/device.h"
#include "kernels/kernels.h"

enum {
    DEN_ATTENTION_QUERIES = 48, /* rows of a block times heads of a group: 8 tiles of 6 */
    DEN_ATTENTION_TILE = 64,    /* tokens between two softmax steps */
    DEN_ATTENTION_CHUNK = 128,  /* tokens of one partial result; doubled for long contexts ... */
    DEN_ATTENTION_CHUNKS = 64,  /* ... so that a row has at most so many partial results */
    DEN_ROPE_TABLES = 2         /* models have one or two sets of frequencies */
};

/* One block of query rows of one sequence, as den_device_attention() plans it. */
struct den_attention_block {
    size_t row;         /* first row */
    size_t rows;        /* at least 1 */
    size_t first;       /* first chunk that any row sees */
    size_t chunks;      /* chunks seen */
    size_t chunk_width; /* tokens */
    size_t item;        /* first of its work items: kv_heads or kv_heads * chunks of them */
};

/* What one member of the team writes to. */
struct den_attention_scratch {
    float *queries; /* (DEN_ATTENTION_QUERIES or heads, head_width) */
    float *scores;  /* (queries, DEN_ATTENTION_TILE) */
    float *partial; /* (queries, head_width): weighted values of the chunk in hand */
    float *total;   /* (queries, head_width): of the chunks before it */
    struct den_softmax *partial_state; /* (queries) */
    struct den_softmax *total_state;   /* (queries) */
};

/* Cosines and sines of the rows of the last batch, kept from layer to layer. */
struct den_rope_table {
    size_t rows;  /* 0: empty */
    size_t pairs; /* rotary_width / 2 */
    float magnitude;
    float *inverse_frequency; /* (pairs): a copy, compared before reuse */
    int32_t *positions;       /* (rows) */
    float *cosine;            /* (rows, pairs) */
    float *sine;
};

/* One mapping; den_device_workspace() draws its layout. Pages come when a batch first reaches
 * them. */
struct den_workspace {
    void *memory;
    size_t memory_bytes;
    size_t rows;
    size_t width_max;
    size_t heads;
    size_t head_width;
    float *normed;              /* (max(rows, threads), width_max): f(input) in f32 */
    unsigned char *quantized;   /* the same in int8: struct den_activations is placed here */
    size_t quantized_row_bytes; /* of one row, where each member has one of its own */
    struct den_attention_block *blocks; /* (rows) */
    struct den_attention_scratch *own;  /* (threads) */
    float *partials;                    /* (partials_max, head_width) */
    struct den_softmax *partial_states; /* (partials_max) */
    size_t partials_max;
    struct den_rope_table ropes[DEN_ROPE_TABLES];
    unsigned rope_next; /* the table to overwrite on a miss */
};

/* One allocation for den_device_text_attention(): each member's keys and scores. */
struct den_text_scratch {
    void *memory;
    size_t rows_max; /* of a text, a multiple of 16 */
    size_t head_width;
    size_t member_floats;
};

/* One tensor of a matrix. */
struct den_matrix_part {
    struct den_packed packed;
    bool is_kept;  /* its bytes lie in the packed store and are not ours to free */
    size_t output; /* its first output in the whole */
    size_t panel;  /* its first panel in the whole */
};

struct den_matrix {
    size_t in;
    size_t out;
    size_t in_padded; /* the largest of the quantized parts; 0: there is none */
    size_t panels;
    size_t bytes;
    bool has_float; /* a part takes f32 activations */
    bool is_wide;   /* all parts take i16 activations */
    int count;
    struct den_matrix_part parts[];
};

struct den_kv_pool {
    struct den_kv_layout layout;
    size_t element_bytes;
    size_t head_bytes; /* keys and values of one head of one layer in one page */
    size_t page_bytes;
    size_t pages;
    unsigned char *memory; /* pages * page_bytes, mapped */
    size_t memory_bytes;
};

/* Keys of `kv_head` of `layer` in `page`: (head_width, page_tokens); values follow them. */
static inline unsigned char *den_kv_keys(const struct den_kv_pool *pool, int32_t page, size_t layer,
                                         size_t kv_head)
{
    assert(page >= 0 && (size_t)page < pool->pages);
    return pool->memory + (size_t)page * pool->page_bytes +
           (layer * pool->layout.kv_heads + kv_head) * pool->head_bytes;
}

/* (page_tokens, value_width) */
static inline unsigned char *den_kv_values(const struct den_kv_pool *pool, int32_t page,
                                           size_t layer, size_t kv_head)
{
    return den_kv_keys(pool, page, layer, kv_head) +
           pool->layout.head_width * pool->layout.page_tokens * pool->element_bytes;
}

/* Of an int8 cache: scales of keys (page_tokens), then of values (page_tokens). */
static inline float *den_kv_scales(const struct den_kv_pool *pool, int32_t page, size_t layer,
                                   size_t kv_head)
{
    const struct den_kv_layout *layout = &pool->layout;

    return (float *)(void *)(den_kv_keys(pool, page, layer, kv_head) +
                             (layout->head_width + layout->value_width) * layout->page_tokens);
}

/* --- cpu_kept.c: matrices in the packed store --- */

/* Where `packed`, which has all but its data, lies in the store; NULL: nowhere. *out_is_packed: its
 * bytes are there, and are what they were; else they are to be packed and then told of. */
unsigned char *den_kept_take(struct den_device *device, const struct den_packed *packed,
                             const char *name, bool *out_is_packed);
void den_kept_filled(struct den_device *device, const struct den_packed *packed);

/* Zeroed, page-aligned, in huge pages where the system has them; NULL: out of memory. */
void *den_pages_map(size_t bytes);
void den_pages_unmap(void *memory, size_t bytes);

struct den_device {
    struct den_team *team;
    int threads;
    struct den_kernels kernels;
    char features[256];
    struct den_packed_store *store; /* NULL: none */
    bool is_keeping;                /* between begin_weights() and end_weights() */
    struct den_workspace workspace;
    struct den_text_scratch text;
    struct den_unfused *unfused; /* NULL: everything is fused */
};

/* f(input) of one row as `op` says, in f32. */
void den_cpu_function(const struct den_device *device, const struct den_linear *op,
                      const float *input, size_t in, float *output);
/* den_device_linear() with every fusion, and without those that are switched off. */
void den_cpu_linear(struct den_device *device, const struct den_linear *op);
void den_cpu_linear_unfused(struct den_device *device, const struct den_linear *op);

#endif
