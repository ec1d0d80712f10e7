/* Read bandwidth: how fast this machine delivers bytes from memory to its cores, measured.
 *
 * Decoding reads every weight once a token, so this figure over the bytes of a model is the ceiling
 * of tokens a second; `den bench` reports its share of it and `den doctor` predicts with it. */
#ifndef DEN_HARDWARE_BANDWIDTH_H
#define DEN_HARDWARE_BANDWIDTH_H

#include <stddef.h>

#include "base/status.h"

struct den_bandwidth_options {
    int threads;    /* readers; 0: one for each core that this process may use */
    size_t bytes;   /* size of the buffer; 0: four times the last-level cache, at least 256 MiB */
    double seconds; /* how long to measure; 0: a quarter of a second */
};

/* Best pass over the buffer, in bytes a second. Takes `seconds` and the time to fill the buffer. */
enum den_status den_bandwidth_measure(const struct den_bandwidth_options *options,
                                      double *out_bytes_per_s, struct den_error *err);

#endif
