/* rooms: tensor base */
/* Packed files: a first byte, then a file whose header and table the byte may ask to be given the
 * right sum, as a process that was taken over would give it. Every byte of every part that is
 * accepted is read. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "tensor/packed_file.h"

static volatile unsigned sum; /* keeps the reads */

/* The header's own numbers stay as they are; only the sum is made right. */
static void make_sum_right(unsigned char *bytes, size_t size)
{
    uint64_t table = 0, parts = 0, right;
    size_t i;

    if (size < DEN_PACKED_DATA_AT)
        return;
    for (i = 0; i < 8; i++)
        table |= (uint64_t)bytes[40 + i] << (8 * i);
    for (i = 0; i < 4; i++)
        parts |= (uint64_t)bytes[48 + i] << (8 * i);
    if (table > size || parts > (size - table) / DEN_PACKED_ENTRY_BYTES)
        return;
    right = den_packed_sum(bytes, 56, 0);
    right = den_packed_sum(bytes + table, (size_t)parts * DEN_PACKED_ENTRY_BYTES, right);
    for (i = 0; i < 8; i++)
        bytes[56 + i] = (unsigned char)(right >> (8 * i));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct den_packed_header header;
    struct den_error err = { 0 };
    unsigned char *bytes = NULL;
    uint32_t i;

    if (size == 0 || posix_memalign((void **)&bytes, 64, size) != 0)
        return 0;
    memcpy(bytes, data + 1, --size);
    if (data[0] & 1)
        make_sum_right(bytes, size);
    if (den_packed_parse(bytes, size, &header, &err) != DEN_OK) {
        if (err.status == DEN_OK || err.message[0] == '\0')
            abort();
        free(bytes);
        return 0;
    }
    for (i = 0; i < header.parts; i++) {
        struct den_packed_part part = den_packed_get(bytes, &header, i);
        uint64_t blocks = (part.bytes + DEN_PACKED_BLOCK_BYTES - 1) / DEN_PACKED_BLOCK_BYTES, b;

        if (part.bytes == 0 || part.offset % DEN_PACKED_ALIGNMENT != 0)
            abort();
        for (b = 0; b < blocks; b++)
            sum += (unsigned)den_packed_block_sum(bytes + part.offset, part.bytes, b);
    }
    free(bytes);
    return 0;
}
