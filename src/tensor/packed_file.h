/* Packed file: matrices in the form in which a device multiplies them, on disk.
 *
 *     offset  bytes
 *     0       8      magic "DENPACK1"
 *     8       4      version of the packed formats (kernels/pack.h)
 *     12      4      precision that they were packed for (device.h)
 *     16      8      identity of the source's files: sizes and times (worker/packed_files.h)
 *     24      8      fingerprint of what is in them (den_weights_fingerprint)
 *     32      8      length of this file
 *     40      8      where the table begins
 *     48      4      parts
 *     52      4      0
 *     56      8      sum of these 56 bytes and of the table
 *     4096           the parts' bytes, each at a multiple of 64
 *     table   parts times 56 bytes: u64 name, u32 format, u32 0, u64 inputs, u64 outputs,
 *             u64 offset, u64 bytes, u64 sum; the table ends the file
 *
 * All numbers are little-endian. A part is one tensor's panels, as kernels/pack.h lays them out, in
 * the order in which the model takes them; its name is a hash of the tensor's.
 *
 * The file was written by a process that had read somebody's model, so whoever maps it believes
 * nothing: the parser checks every number against the file's length. What is then left to a liar
 * is what the panels hold, and kernels read any bytes there without harm. Sums are no proof of
 * origin: they find what a disk or an interrupted write has damaged. */
#ifndef DEN_TENSOR_PACKED_FILE_H
#define DEN_TENSOR_PACKED_FILE_H

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

enum {
    DEN_PACKED_HEADER_BYTES = 64,
    DEN_PACKED_ENTRY_BYTES = 56,
    DEN_PACKED_DATA_AT = 4096,
    DEN_PACKED_ALIGNMENT = 64,
    DEN_PACKED_BLOCK_BYTES = 1 << 20 /* summed by themselves, so that threads can share a part */
};

/* What the file is a packing of, and by whom. All must be equal for it to be of use. */
struct den_packed_key {
    uint32_t version;
    uint32_t precision;
    uint64_t files;
    uint64_t fingerprint;
};

struct den_packed_part {
    uint64_t name;
    uint32_t format;
    uint64_t in, out;
    uint64_t offset; /* in the file */
    uint64_t bytes;
    uint64_t sum; /* over its blocks: the sum, modulo 2^64, of den_packed_block_sum() */
};

struct den_packed_header {
    struct den_packed_key key;
    uint64_t bytes, table;
    uint32_t parts;
};

/* Of any bytes; `seed` tells uses apart. A change of one bit, word or block changes it. */
uint64_t den_packed_sum(const void *bytes, size_t length, uint64_t seed);
/* Of block number `index` of a part: the sum counts its place, so that blocks can't trade it. */
uint64_t den_packed_block_sum(const unsigned char *part, uint64_t part_bytes, size_t index);

/* Checks a whole file of `length` bytes but for the parts' own sums. DEN_BAD_FILE says what is
 * wrong. */
enum den_status den_packed_parse(const unsigned char *bytes, size_t length,
                                 struct den_packed_header *out, struct den_error *err);
/* Part `index` of a file that has been checked. Not to be called on memory that others may write:
 * it is read again and checked again, and gives an empty part where it does not hold any more. */
struct den_packed_part den_packed_get(const unsigned char *bytes,
                                      const struct den_packed_header *header, uint32_t index);

/* Writes the table at `header->table`, then the header. `bytes` has room. */
void den_packed_write(unsigned char *bytes, const struct den_packed_header *header,
                      const struct den_packed_part *parts);

#endif
