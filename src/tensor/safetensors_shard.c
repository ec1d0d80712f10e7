/* See safetensors_shard.h.
 *
 * Sorted by offset the tensors must tile the data exactly; that one check covers every kind of bad
 * offset. Opening costs the parsing of the JSON and O(n log n) for n tensors; the data is not
 * touched, but for tensors that an old writer left unaligned, which are copied. */
#include "tensor/safetensors_shard.h"

#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "base/json.h"
#include "tensor/quoted.h"
#include "tensor/sniff.h"

enum {
    LENGTH_BYTES = 8,           /* of the u64 in front */
    ARENA_BYTES_BASE = 1 << 20, /* names and tables; and twice the file for unaligned copies */
    ARENA_BYTES_PER_BYTE = 2
};

static enum den_status no_memory(const char *path, struct den_error *err)
{
    return den_fail(err, DEN_NO_MEMORY, "safetensors: %s: out of memory", path);
}

static enum den_status bad_tensor(const struct den_shard *shard, const char *name,
                                  const char *trouble, struct den_error *err)
{
    return den_fail(err, DEN_BAD_FILE, "safetensors: %s: tensor '%s' %s", shard->name,
                    den_quoted(name, strlen(name)).text, trouble);
}

/* --- one tensor's entry --- */

static enum den_status read_type(const struct den_shard *shard, const json_t *entry,
                                 struct den_tensor *tensor, struct den_error *err)
{
    static const struct {
        const char *text;
        enum den_type type;
    } types[] = { { "F32", DEN_TYPE_F32 }, { "F16", DEN_TYPE_F16 }, { "BF16", DEN_TYPE_BF16 },
                  { "I8", DEN_TYPE_I8 },   { "I32", DEN_TYPE_I32 }, { "I64", DEN_TYPE_I64 } };
    const char *text = json_string_value(json_object_get(entry, "dtype"));
    size_t i;

    if (!text)
        return bad_tensor(shard, tensor->name, "has no 'dtype'", err);
    for (i = 0; i < sizeof types / sizeof types[0]; i++)
        if (strcmp(types[i].text, text) == 0) {
            tensor->type = types[i].type;
            return DEN_OK;
        }
    return den_fail(err, DEN_UNSUPPORTED,
                    "safetensors: %s: tensor '%s' is of type '%s'; Den reads F32, F16, BF16, I8, "
                    "I32 and I64",
                    shard->name, den_quoted(tensor->name, strlen(tensor->name)).text,
                    den_quoted(text, strlen(text)).text);
}

/* [out, in] becomes size[0] = in, size[1] = out; [] is one element. */
static enum den_status read_shape(const struct den_shard *shard, const json_t *entry,
                                  struct den_tensor *tensor, struct den_error *err)
{
    const json_t *shape = json_object_get(entry, "shape");
    size_t dims = json_array_size(shape);
    size_t elements = 1;
    size_t i;

    if (!json_is_array(shape))
        return bad_tensor(shard, tensor->name, "has no 'shape'", err);
    if (dims > DEN_TENSOR_DIMS_MAX)
        return den_fail(err, DEN_UNSUPPORTED,
                        "safetensors: %s: tensor '%s' has %zu dimensions; at most %d are supported",
                        shard->name, den_quoted(tensor->name, strlen(tensor->name)).text, dims,
                        DEN_TENSOR_DIMS_MAX);
    tensor->dims = dims > 0 ? (unsigned)dims : 1;
    for (i = 0; i < DEN_TENSOR_DIMS_MAX; i++)
        tensor->size[i] = 1;
    for (i = 0; i < dims; i++) {
        const json_t *size = json_array_get(shape, i);

        if (!json_is_integer(size) || json_integer_value(size) < 1)
            return bad_tensor(shard, tensor->name,
                              "has a shape with something else than positive integers", err);
        tensor->size[dims - 1 - i] = (size_t)json_integer_value(size);
        if (!den_checked_multiply(elements, tensor->size[dims - 1 - i], &elements))
            return bad_tensor(shard, tensor->name, "has a shape whose product overflows", err);
    }
    if (!den_type_row_bytes(tensor->type, tensor->size[0], &tensor->row_bytes) ||
        !den_checked_multiply(tensor->row_bytes, den_tensor_rows(tensor), &tensor->bytes))
        return bad_tensor(shard, tensor->name, "has a shape whose bytes overflow", err);
    return DEN_OK;
}

static enum den_status read_offsets(const struct den_shard *shard, const json_t *entry,
                                    struct den_tensor *tensor, struct den_error *err)
{
    const json_t *offsets = json_object_get(entry, "data_offsets");
    const json_t *begin = json_array_get(offsets, 0);
    const json_t *end = json_array_get(offsets, 1);
    size_t room = shard->bytes - shard->data_start;
    size_t from;
    size_t to;

    if (json_array_size(offsets) != 2 || !json_is_integer(begin) || !json_is_integer(end) ||
        json_integer_value(begin) < 0 || json_integer_value(end) < json_integer_value(begin))
        return bad_tensor(shard, tensor->name,
                          "has 'data_offsets' that are not [begin, end] with begin <= end", err);
    from = (size_t)json_integer_value(begin);
    to = (size_t)json_integer_value(end);
    if (to - from != tensor->bytes)
        return den_fail(err, DEN_BAD_FILE,
                        "safetensors: %s: tensor '%s' has %zu bytes of data; its shape needs %zu",
                        shard->name, den_quoted(tensor->name, strlen(tensor->name)).text, to - from,
                        tensor->bytes);
    if (to > room)
        return den_fail(err, DEN_BAD_FILE,
                        "safetensors: %s: tensor '%s' ends %zu bytes past the end of the file of "
                        "%zu bytes; the download is incomplete, fetch it again",
                        shard->name, den_quoted(tensor->name, strlen(tensor->name)).text, to - room,
                        shard->bytes);
    tensor->data = shard->data + shard->data_start + from;
    return DEN_OK;
}

/* --- one file --- */

static int compare_places(const void *left, const void *right)
{
    const struct den_tensor *const *a = left;
    const struct den_tensor *const *b = right;
    uintptr_t a_place = (uintptr_t)(*a)->data;
    uintptr_t b_place = (uintptr_t)(*b)->data;

    return (a_place > b_place) - (a_place < b_place);
}

/* The tensors, in the order of their offsets, must tile the data. */
static enum den_status check_tiling(const struct den_shard *shard, struct den_error *err)
{
    const unsigned char *expected = shard->data + shard->data_start;
    const struct den_tensor **order =
        den_arena_array(shard->arena, shard->tensor_count, sizeof *order);
    size_t i;

    if (!order)
        return no_memory(shard->name, err);
    for (i = 0; i < shard->tensor_count; i++)
        order[i] = &shard->tensors[i];
    qsort(order, shard->tensor_count, sizeof *order, compare_places);
    for (i = 0; i < shard->tensor_count; i++) {
        const unsigned char *place = order[i]->data;

        if (place < expected)
            return bad_tensor(shard, order[i]->name, "overlaps with another", err);
        if (place > expected)
            return bad_tensor(shard, order[i]->name, "begins after a gap", err);
        expected += order[i]->bytes;
    }
    if (expected != shard->data + shard->bytes)
        return den_fail(err, DEN_BAD_FILE,
                        "safetensors: %s: the last %zu bytes belong to no tensor", shard->name,
                        (size_t)(shard->data + shard->bytes - expected));
    return DEN_OK;
}

/* Writers before 2023 did not pad the header: their tensors may begin anywhere. */
static enum den_status align_tensors(struct den_shard *shard, struct den_error *err)
{
    size_t i;

    for (i = 0; i < shard->tensor_count; i++) {
        struct den_tensor *tensor = &shard->tensors[i];
        void *copy;

        if ((uintptr_t)tensor->data % den_type_info(tensor->type)->bytes == 0)
            continue;
        copy = den_arena_alloc(shard->arena, tensor->bytes);
        if (!copy)
            return no_memory(shard->name, err);
        tensor->data = memcpy(copy, tensor->data, tensor->bytes);
    }
    return DEN_OK;
}

static enum den_status read_entry(struct den_shard *shard, const char *name, const json_t *entry,
                                  struct den_error *err)
{
    struct den_tensor *tensor = &shard->tensors[shard->tensor_count];

    tensor->name = den_arena_text(shard->arena, name, strlen(name));
    if (!tensor->name)
        return no_memory(shard->name, err);
    if (!json_is_object(entry))
        return bad_tensor(shard, name, "is described by something else than an object", err);
    if (read_type(shard, entry, tensor, err) != DEN_OK ||
        read_shape(shard, entry, tensor, err) != DEN_OK ||
        read_offsets(shard, entry, tensor, err) != DEN_OK)
        return err->status;
    shard->tensor_count++;
    return DEN_OK;
}

/* The header is an object: read_length() has seen its brace. */
static enum den_status read_entries(struct den_shard *shard, json_t *header, struct den_error *err)
{
    size_t count = json_object_size(header);
    const char *name;
    json_t *entry;

    if (count > DEN_TENSORS_MAX)
        return den_fail(err, DEN_BAD_FILE, "safetensors: %s: has %zu tensors; %d are allowed",
                        shard->name, count, DEN_TENSORS_MAX);
    shard->tensors = den_arena_array(shard->arena, count, sizeof *shard->tensors);
    if (!shard->tensors)
        return no_memory(shard->name, err);
    json_object_foreach(header, name, entry)
    {
        if (strcmp(name, "__metadata__") == 0)
            continue;
        if (read_entry(shard, name, entry, err) != DEN_OK)
            return err->status;
    }
    return DEN_OK;
}

/* Fills *out_length with the bytes of JSON, which then lie inside the file. */
static enum den_status read_length(const struct den_shard *shard, size_t *out_length,
                                   struct den_error *err)
{
    uint64_t length;

    if (shard->bytes < LENGTH_BYTES + 2 || shard->data[LENGTH_BYTES] != '{')
        return den_fail(err, DEN_BAD_FILE, "safetensors: %s: is not a safetensors file; %s",
                        shard->name, den_sniff(shard->data, shard->bytes));
    memcpy(&length, shard->data, sizeof length);
    if (length > DEN_SAFETENSORS_HEADER_MAX)
        return den_fail(err, DEN_BAD_FILE,
                        "safetensors: %s: declares a header of %llu bytes; at most %u are allowed",
                        shard->name, (unsigned long long)length, DEN_SAFETENSORS_HEADER_MAX);
    if (length > shard->bytes - LENGTH_BYTES)
        return den_fail(err, DEN_BAD_FILE,
                        "safetensors: %s: ends inside its header; the file of %zu bytes is "
                        "truncated, fetch it again",
                        shard->name, shard->bytes);
    *out_length = (size_t)length;
    return DEN_OK;
}

/* Checks a shard whose name, data and bytes are given, and fills the rest. */
static enum den_status parse(struct den_shard *shard, struct den_error *err)
{
    json_t *header = NULL;
    size_t ceiling;
    size_t length = 0;

    if (read_length(shard, &length, err) != DEN_OK)
        return err->status;
    if (!den_checked_multiply(shard->bytes, ARENA_BYTES_PER_BYTE, &ceiling) ||
        !den_checked_add(ceiling, ARENA_BYTES_BASE, &ceiling))
        ceiling = SIZE_MAX;
    shard->arena = den_arena_create(ceiling);
    if (!shard->arena)
        return no_memory(shard->name, err);
    shard->data_start = LENGTH_BYTES + length;
    if (den_json_parse((const char *)shard->data + LENGTH_BYTES, length, shard->name, &header,
                       err) != DEN_OK) {
        if (err->status == DEN_INVALID) /* the file's fault, not the caller's */
            err->status = DEN_BAD_FILE;
        return den_fail_at(err, "safetensors");
    }
    if (read_entries(shard, header, err) == DEN_OK && check_tiling(shard, err) == DEN_OK)
        align_tensors(shard, err);
    json_decref(header);
    return err->status;
}

enum den_status den_shard_open(struct den_shard *shard, const char *path, struct den_error *err)
{
    shard->name = strdup(path);
    if (!shard->name)
        return no_memory(path, err);
    if (den_map_open(&shard->map, path, err) != DEN_OK)
        return den_fail_at(err, "safetensors");
    shard->data = shard->map.data;
    shard->bytes = shard->map.bytes;
    return parse(shard, err);
}

enum den_status den_shard_open_memory(struct den_shard *shard, const void *data, size_t bytes,
                                      const char *name, struct den_error *err)
{
    *shard = (struct den_shard){ .name = strdup(name), .data = data, .bytes = bytes };
    if (!shard->name)
        return no_memory(name, err);
    return parse(shard, err);
}

void den_shard_deinit(struct den_shard *shard)
{
    den_arena_destroy(shard->arena);
    den_map_close(&shard->map);
    free(shard->name);
    *shard = (struct den_shard){ 0 };
}
