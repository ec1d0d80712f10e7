/* GGUF versions 2 and 3: keys and tensors of a mapped file, every field checked before it is
 * believed.
 *
 * A file is untrusted. All counts, lengths, offsets and products are checked against the file's
 * size before anything is allocated, and what is allocated is bounded by it. After den_gguf_open()
 * succeeds every key, string and tensor lies inside the map. Split files (NAME-00001-of-0000N.gguf)
 * are opened through the first and behave as one. */
#ifndef DEN_TENSOR_GGUF_H
#define DEN_TENSOR_GGUF_H

#include "base/status.h"
#include "tensor/tensor.h"

struct den_gguf;

enum den_gguf_kind {
    DEN_GGUF_U8,
    DEN_GGUF_I8,
    DEN_GGUF_U16,
    DEN_GGUF_I16,
    DEN_GGUF_U32,
    DEN_GGUF_I32,
    DEN_GGUF_F32,
    DEN_GGUF_BOOL,
    DEN_GGUF_STRING,
    DEN_GGUF_ARRAY,
    DEN_GGUF_U64,
    DEN_GGUF_I64,
    DEN_GGUF_F64,
    DEN_GGUF_KINDS
};

struct den_gguf_string {
    const char *text; /* not terminated */
    size_t length;
};

enum den_status den_gguf_open(const char *path, struct den_gguf **out_gguf, struct den_error *err);
/* Reads from memory that stays valid and unchanged until close; for fuzzing, tests and inherited
 * maps. Tensors are as aligned as `data` is, up to 8 bytes. */
enum den_status den_gguf_open_memory(const void *data, size_t bytes, const char *name,
                                     struct den_gguf **out_gguf, struct den_error *err);
void den_gguf_close(struct den_gguf *gguf);
const char *den_gguf_path(const struct den_gguf *gguf);
/* Tells the kernel that mapped pages are not needed again soon. */
void den_gguf_release(const struct den_gguf *gguf);

size_t den_gguf_tensor_count(const struct den_gguf *gguf);
const struct den_tensor *den_gguf_tensor(const struct den_gguf *gguf, size_t index);
const struct den_tensor *den_gguf_find_tensor(const struct den_gguf *gguf,
                                              const char *name); /* NULL: absent */

/* Keys. Each getter returns DEN_NOT_FOUND silently (err untouched) where the key is absent, so that
 * an optional key is `if (den_gguf_get_u64(...) == DEN_OK)`; a key of the wrong kind is
 * DEN_BAD_FILE with a message. Integers of any width convert where the value fits, a one-element or
 * uniform array of integers counts as its value. Numbers that are not finite are refused. */
size_t den_gguf_key_count(const struct den_gguf *gguf);
const struct den_gguf_string *den_gguf_key_name(const struct den_gguf *gguf, size_t index);
bool den_gguf_has(const struct den_gguf *gguf, const char *key);
enum den_status den_gguf_get_u64(const struct den_gguf *gguf, const char *key, uint64_t *out,
                                 struct den_error *err);
enum den_status den_gguf_get_f64(const struct den_gguf *gguf, const char *key, double *out,
                                 struct den_error *err);
enum den_status den_gguf_get_bool(const struct den_gguf *gguf, const char *key, bool *out,
                                  struct den_error *err);
enum den_status den_gguf_get_string(const struct den_gguf *gguf, const char *key,
                                    struct den_gguf_string *out, struct den_error *err);

/* Arrays: the length, then items by index (checked when opened; an index out of range, and
 * an array that is NULL, gives zero or ""). */
enum den_status den_gguf_get_array(const struct den_gguf *gguf, const char *key,
                                   enum den_gguf_kind *out_kind, size_t *out_length,
                                   struct den_error *err);
/* The array itself, for reading many of its items; NULL where `key` is none. */
const struct den_gguf_key *den_gguf_array(const struct den_gguf *gguf, const char *key);
struct den_gguf_string den_gguf_array_string(const struct den_gguf_key *array, size_t index);
int64_t den_gguf_array_integer(const struct den_gguf_key *array, size_t index);
double den_gguf_array_number(const struct den_gguf_key *array, size_t index);

#endif
