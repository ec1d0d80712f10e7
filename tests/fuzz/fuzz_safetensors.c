/* rooms: tensor base */
/* The safetensors reader: every byte of every tensor that it accepts is read. */
#include <stdint.h>
#include <stdlib.h>

#include "tensor/safetensors.h"

static volatile unsigned sum; /* keeps the reads */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct den_safetensors *file = NULL;
    struct den_error err = { 0 };
    size_t total = 0;
    size_t i;

    if (den_safetensors_open_memory(data, size, "fuzz", &file, &err) != DEN_OK) {
        if (file || err.status == DEN_OK || err.message[0] == '\0')
            abort();
        return 0;
    }
    for (i = 0; i < den_safetensors_count(file); i++) {
        const struct den_tensor *tensor = den_safetensors_tensor(file, i);
        size_t j;

        if (den_safetensors_find(file, tensor->name) != tensor)
            abort();
        for (j = 0; j < tensor->bytes; j++)
            sum += ((const unsigned char *)tensor->data)[j];
        total += tensor->bytes;
    }
    if (total > size)
        abort();
    den_safetensors_close(file);
    return 0;
}
