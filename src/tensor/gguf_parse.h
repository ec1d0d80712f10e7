/* Inside of the GGUF reader: what one file of a model holds after it has been checked.
 *
 * Format, versions 2 and 3, all little-endian:
 *     "GGUF" | u32 version | u64 tensors | u64 keys | keys | tensor entries | padding | data
 *     key:    string name | u32 kind | value
 *     value:  1, 2, 4 or 8 bytes by kind; string; array = u32 kind | u64 length | items
 *     string: u64 length | bytes
 *     tensor: string name | u32 dims | u64 size[dims] | u32 type | u64 offset in the data
 * The data begins, and each tensor in it, at a multiple of general.alignment (default 32). Tensors
 * follow each other in the order of their entries without gaps beyond that padding.
 *
 * Nothing is read again after the check where a change would harm: the map is shared, and another
 * program may write to the file while it is open. Kinds, lengths and string boundaries are kept
 * here; item bytes are re-read from the map, where any value is harmless. */
#ifndef DEN_TENSOR_GGUF_PARSE_H
#define DEN_TENSOR_GGUF_PARSE_H

#include "base/arena.h"
#include "base/file.h"
#include "tensor/gguf.h"
#include "tensor/tensor_index.h"

struct den_gguf_key {
    struct den_gguf_string name;
    enum den_gguf_kind kind;    /* of the value, or of an array's items */
    bool is_array;              /* items of arrays are never arrays */
    size_t length;              /* items; 1 where it is no array */
    const unsigned char *items; /* in the map, not aligned */
    /* strings only: item i has its length field at starts[i] and ends at starts[i + 1], from
     * `items` on */
    const uint32_t *starts;
};

/* One file. */
struct den_gguf_part {
    char *name;         /* for messages: the path */
    struct den_map map; /* unmapped at the end; empty where the caller lent the memory */
    const unsigned char *data;
    size_t bytes;
    struct den_arena *arena; /* all that follows */
    size_t alignment;
    size_t key_count;
    struct den_gguf_key *keys; /* in the file's order */
    struct den_gguf_key **keys_by_name;
    size_t tensor_count;
    struct den_tensor *tensors; /* in the file's order; names are copies, data is in the map */
};

struct den_gguf {
    size_t part_count;
    struct den_gguf_part *parts;   /* keys are those of parts[0] */
    struct den_tensor_index index; /* tensors of all parts */
};

/* Checks everything and fills the part, whose name, data and bytes are given. On failure the part
 * is to be torn down as on success. */
enum den_status den_gguf_parse(struct den_gguf_part *part, struct den_error *err);
void den_gguf_part_deinit(struct den_gguf_part *part);

/* Binary search; NULL where absent. */
const struct den_gguf_key *den_gguf_part_find(const struct den_gguf_part *part, const char *name);
/* As den_gguf_get_u64(), of one part. */
enum den_status den_gguf_part_u64(const struct den_gguf_part *part, const char *name, uint64_t *out,
                                  struct den_error *err);

#endif
