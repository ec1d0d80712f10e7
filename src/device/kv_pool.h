/* The key/value cache's memory: pages, and their bytes for who moves them out of the pool and back
 * (engine/prefix_file.h). */
#ifndef DEN_DEVICE_KV_POOL_H
#define DEN_DEVICE_KV_POOL_H

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "tensor/type.h"

struct den_device;

/* One page holds `page_tokens` consecutive tokens of one sequence, keys and values of all layers.
 * Inside a page, for each layer and KV head: keys transposed (head_width, page_tokens), so that
 * scores of 16 tokens fill a vector, then values (page_tokens, value_width). Elements are f16, f32
 * in the reference mode, or (Q8_0) int8: then each key and each value of a head has one f32 scale,
 * (page_tokens) of keys and as many of values behind the values. */
struct den_kv_layout {
    size_t layers;
    size_t kv_heads;
    size_t head_width;  /* of keys (and queries) */
    size_t value_width; /* of values */
    size_t page_tokens; /* a multiple of 16; 64 by default */
    enum den_type type; /* F16, F32 or Q8_0 */
};

/* Memory for `pages` pages; which page belongs to whom is the engine's business. */
struct den_kv_pool;
enum den_status den_kv_pool_create(struct den_device *device, const struct den_kv_layout *layout,
                                   size_t pages, struct den_kv_pool **out, struct den_error *err);
void den_kv_pool_destroy(struct den_kv_pool *pool);
const struct den_kv_layout *den_kv_pool_layout(const struct den_kv_pool *pool);
size_t den_kv_pool_page_bytes(const struct den_kv_pool *pool);
void den_kv_pool_copy_page(struct den_kv_pool *pool, int32_t from, int32_t to);
/* den_kv_pool_page_bytes() of them; valid as long as the pool. Any bytes may be put back without
 * harm to memory, but what is computed from bytes that were not a page of the same layout means
 * nothing. */
unsigned char *den_kv_pool_page(struct den_kv_pool *pool, int32_t page);

#endif
