/* safetensors: tensors of one file, or of all shards that an index names, mapped and checked.
 *
 * A file is u64 header length, a JSON header, then data. Types F32, F16, BF16, I8, I32, I64 become
 * ours, F64 and others are refused by name. Shapes are reversed into our order (tensor.h). Offsets
 * must agree with the shape and tile the data without gaps and overlaps. Source:
 * github.com/huggingface/safetensors, README "Format". */
#ifndef DEN_TENSOR_SAFETENSORS_H
#define DEN_TENSOR_SAFETENSORS_H

#include "base/status.h"
#include "tensor/tensor.h"

struct den_safetensors;

/* `path` is a .safetensors file or a folder holding model.safetensors or
 * model.safetensors.index.json and its shards. */
enum den_status den_safetensors_open(const char *path, struct den_safetensors **out,
                                     struct den_error *err);
enum den_status den_safetensors_open_memory(const void *data, size_t bytes, const char *name,
                                            struct den_safetensors **out, struct den_error *err);
void den_safetensors_close(struct den_safetensors *file);
/* Tells the kernel that mapped pages are not needed again soon. */
void den_safetensors_release(const struct den_safetensors *file);
size_t den_safetensors_count(const struct den_safetensors *file);
const struct den_tensor *den_safetensors_tensor(const struct den_safetensors *file, size_t index);
const struct den_tensor *den_safetensors_find(const struct den_safetensors *file, const char *name);

#endif
