/* See tensor.h. The readers have checked that these products fit. */
#include "tensor/tensor.h"

size_t den_tensor_rows(const struct den_tensor *tensor)
{
    return tensor->size[1] * tensor->size[2] * tensor->size[3];
}

size_t den_tensor_elements(const struct den_tensor *tensor)
{
    return tensor->size[0] * den_tensor_rows(tensor);
}
