/* Sniff: what a file that isn't what it should be probably is, for the message. */
#ifndef DEN_TENSOR_SNIFF_H
#define DEN_TENSOR_SNIFF_H

#include <stddef.h>

/* A phrase such as "it looks like a safetensors file". Never NULL; reads at most the first 64 of
 * `bytes`. */
const char *den_sniff(const void *data, size_t bytes);

#endif
