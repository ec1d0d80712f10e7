/* Weights: a model on disk, whatever its form. A GGUF file (split or not), or a Hugging Face folder
 * (config.json,
 * *.safetensors, tokenizer.json, tokenizer_config.json, chat_template.jinja). This is the one place
 * that tells them apart; above it, code asks for tensors by name and for the metadata of the form
 * at hand. */
#ifndef DEN_TENSOR_WEIGHTS_H
#define DEN_TENSOR_WEIGHTS_H

#include <jansson.h>

#include "base/buffer.h"
#include "base/status.h"
#include "tensor/gguf.h"
#include "tensor/tensor.h"

struct den_weights;

/* The message for a missing path, an empty folder or a file of another kind says what would be
 * right. */
enum den_status den_weights_open(const char *path, struct den_weights **out, struct den_error *err);
void den_weights_close(struct den_weights *weights);
const char *den_weights_path(const struct den_weights *weights);

/* Exactly one of the two is not NULL. A folder that holds one GGUF model counts as that model. */
const struct den_gguf *den_weights_gguf(const struct den_weights *weights);
const json_t *den_weights_config(const struct den_weights *weights); /* config.json */

/* A text file of a Hugging Face folder ("tokenizer.json"), appended to `out`. DEN_NOT_FOUND where
 * it is absent. */
enum den_status den_weights_read_text(const struct den_weights *weights, const char *name,
                                      struct den_buffer *out, struct den_error *err);

size_t den_weights_tensor_count(const struct den_weights *weights);
const struct den_tensor *den_weights_tensor(const struct den_weights *weights, size_t index);
const struct den_tensor *den_weights_find(const struct den_weights *weights,
                                          const char *name); /* NULL: absent */
/* Total bytes of tensor data. */
size_t den_weights_bytes(const struct den_weights *weights);
/* A hash of the table of tensors (names, types, sizes) and of samples of their data: equal for
 * equal weights, and different, but for an accident of 2^-64, for any two models that training or
 * quantizing has told apart. It reads a few dozen pages. */
uint64_t den_weights_fingerprint(const struct den_weights *weights);
/* Tells the kernel that mapped pages are no longer needed (after packing); they fault back in when
 * read. */
void den_weights_release(const struct den_weights *weights);

#endif
