/* Tensor index: the tensors of all files of one model in one table, found by name.
 *
 * Filled with den_tensor_index_reserve() and _add(), then sorted once by _sort(); from then on
 * finding costs O(log n) comparisons. Sorting by comparison rather than hashing keeps hostile names
 * from making it slow. The tensors' names and data stay with the files that own them. */
#ifndef DEN_TENSOR_TENSOR_INDEX_H
#define DEN_TENSOR_TENSOR_INDEX_H

#include "base/status.h"
#include "tensor/tensor.h"

struct den_tensor_index {
    size_t count;
    struct den_tensor *tensors;        /* in the order of the files */
    const struct den_tensor **by_name; /* the same, sorted */
};

/* Room for all `total` tensors; `what` ("gguf: path") begins messages. */
enum den_status den_tensor_index_reserve(struct den_tensor_index *index, size_t total,
                                         const char *what, struct den_error *err);
void den_tensor_index_add(struct den_tensor_index *index, const struct den_tensor *tensors,
                          size_t count);
/* DEN_BAD_FILE where two have the same name. */
enum den_status den_tensor_index_sort(struct den_tensor_index *index, const char *what,
                                      struct den_error *err);
void den_tensor_index_deinit(struct den_tensor_index *index);

/* NULL where absent or out of range. */
const struct den_tensor *den_tensor_index_at(const struct den_tensor_index *index, size_t at);
const struct den_tensor *den_tensor_index_find(const struct den_tensor_index *index,
                                               const char *name);

#endif
