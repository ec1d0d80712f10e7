/* Inside of the safetensors reader: one file, checked.
 *
 *     u64 n, little-endian | n bytes of JSON, blank-padded | data
 *     JSON: { "name": { "dtype": "F32", "shape": [out, in], "data_offsets": [begin, end] }, ...,
 *             "__metadata__": { text: text } }
 *
 * Offsets count from the start of the data. The format allows neither gaps nor overlaps. */
#ifndef DEN_TENSOR_SAFETENSORS_SHARD_H
#define DEN_TENSOR_SAFETENSORS_SHARD_H

#include "base/arena.h"
#include "base/file.h"
#include "base/status.h"
#include "tensor/tensor.h"

struct den_shard {
    char *name;         /* the path, for messages */
    struct den_map map; /* unmapped at the end; empty where the caller lent the memory */
    const unsigned char *data;
    size_t bytes;
    size_t data_start;
    struct den_arena *arena; /* names, copies of unaligned tensors, and `tensors` */
    size_t tensor_count;
    struct den_tensor *tensors;
};

/* On failure, too, den_shard_deinit() is due. */
enum den_status den_shard_open(struct den_shard *shard, const char *path, struct den_error *err);
enum den_status den_shard_open_memory(struct den_shard *shard, const void *data, size_t bytes,
                                      const char *name, struct den_error *err);
void den_shard_deinit(struct den_shard *shard);

#endif
