/* Packed store: where a device finds its matrices already packed, or puts them for the next time.
 *
 * Whoever opens a model gives the device a store with two descriptors, either of which may be -1: a
 * finished packed file to read, and an empty one to fill. While the model is loaded, one tensor
 * after the other, the device asks for the place of each. In the order of events:
 *
 *     begin    the finished file is mapped and compared with the model; where it fits: MAPPED
 *              else room is asked for in the unfinished one, which is mapped to be written: FILLING
 *              else NONE: the device takes memory of its own, as it does for any part below for
 *              which take() gives no place
 *     take     the next part's place: packed already, or to be packed to and told with filled()
 *     reject   what is there is not what its sum says: from here on memory, and BAD at the end
 *     end      FILLING becomes MADE: the header is written, the file cut to its length
 *
 * So a model loads in every case, and packing into the file takes the memory that packing takes
 * without one. Neither descriptor is closed here. The mapping lives as long as the store, which
 * outlives the device's matrices. One thread uses a store. */
#ifndef DEN_TENSOR_PACKED_STORE_H
#define DEN_TENSOR_PACKED_STORE_H

#include <stdbool.h>

#include "tensor/packed_file.h"

enum den_packed_state {
    DEN_PACKED_NONE,    /* weights are in memory of the process */
    DEN_PACKED_MAPPED,  /* ... in the finished file */
    DEN_PACKED_FILLING, /* ... go to the unfinished one; never after end() */
    DEN_PACKED_MADE,    /* ... in the unfinished one, which is complete but has no name yet */
    DEN_PACKED_BAD,     /* the finished file is damaged or not this model's: it should go */
    DEN_PACKED_STATES
};
const char *den_packed_state_text(enum den_packed_state state); /* "none", "mapped" ... */

struct den_packed_place {
    int finished, unfinished; /* -1: there is none */
    uint64_t files;           /* identity of the source's files */
    bool is_trusted;          /* the finished one was summed before and has not changed since */
    /* Makes the unfinished file `bytes` long, all of it allocated on the disk, so that writing to a
     * mapping of it can't fail. False: there is no room. */
    bool (*make_room)(void *context, uint64_t bytes);
    void *context;
};

struct den_packed_store;

enum den_status den_packed_store_create(const struct den_packed_place *place,
                                        struct den_packed_store **out, struct den_error *err);
void den_packed_store_destroy(struct den_packed_store *store);
enum den_packed_state den_packed_store_state(const struct den_packed_store *store);
/* A finished file that has to be summed part by part as it is taken. */
bool den_packed_store_needs_sums(const struct den_packed_store *store);

/* `files` of the key is the place's. `room`: what all parts together can take at most; 0: the
 * weights of this model are not to be kept. */
void den_packed_store_begin(struct den_packed_store *store, const struct den_packed_key *key,
                            uint64_t room);
/* `wanted` without offset and sum. MAPPED: the part's bytes, and what their sum should be. FILLING:
 * bytes to pack to. NULL: there is no place in the file. */
unsigned char *den_packed_store_take(struct den_packed_store *store,
                                     const struct den_packed_part *wanted, uint64_t *out_sum);
void den_packed_store_filled(struct den_packed_store *store, uint64_t sum);
void den_packed_store_reject(struct den_packed_store *store);
void den_packed_store_end(struct den_packed_store *store);
/* Bytes of the finished or made file; 0: none. */
uint64_t den_packed_store_bytes(const struct den_packed_store *store);

#endif
