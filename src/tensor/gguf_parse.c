/* See gguf_parse.h: one pass over the keys and tensor entries of a file.
 *
 * What is allocated stays in proportion to bytes already known to exist: counts are compared with
 * what the rest of the file could possibly hold before a table of that many entries is made (a key
 * takes at least 14 bytes, a tensor entry 33, a string 8). The arena's ceiling is a second line
 * behind that. Sorting is by comparison, not by hash, so that no choice of names makes opening
 * slow: O(n log n) always, duplicates end up as neighbours. */
#include "tensor/gguf_parse.h"

#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "tensor/cursor.h"
#include "tensor/quoted.h"
#include "tensor/sniff.h"

enum {
    KEY_BYTES_MIN = 8 + 1 + 4 + 1,
    TENSOR_BYTES_MIN = 8 + 1 + 4 + 8 + 4 + 8,
    STRING_BYTES_MIN = 8,
    ALIGNMENT_DEFAULT = 32,
    ALIGNMENT_MIN = 8,         /* the format's rule; it also keeps every element type aligned */
    ARENA_BYTES_PER_BYTE = 16, /* the largest of the ratios is key to table entry, 14 : 64 */
    ARENA_BYTES_BASE = 1 << 16
};

/* Bytes of an item; 0 for strings and arrays, which have none of their own. */
static const unsigned char kind_bytes[DEN_GGUF_KINDS] = {
    [DEN_GGUF_U8] = 1,  [DEN_GGUF_I8] = 1,  [DEN_GGUF_U16] = 2, [DEN_GGUF_I16] = 2,
    [DEN_GGUF_U32] = 4, [DEN_GGUF_I32] = 4, [DEN_GGUF_F32] = 4, [DEN_GGUF_BOOL] = 1,
    [DEN_GGUF_U64] = 8, [DEN_GGUF_I64] = 8, [DEN_GGUF_F64] = 8,
};

/* --- header --- */

static enum den_status check_version(const struct den_gguf_part *part, uint32_t version,
                                     struct den_error *err)
{
    if (version == 2 || version == 3)
        return DEN_OK;
    if (version == 1)
        return den_fail(err, DEN_UNSUPPORTED,
                        "gguf: %s: is of version 1; Den reads versions 2 and 3, convert the model "
                        "again with a current tool",
                        part->name);
    if ((version & 0xFFFF) == 0 && version != 0)
        return den_fail(err, DEN_UNSUPPORTED,
                        "gguf: %s: is big-endian (made for another kind of processor); get the "
                        "little-endian file",
                        part->name);
    return den_fail(err, DEN_UNSUPPORTED, "gguf: %s: is of version %u; Den reads versions 2 and 3",
                    part->name, version);
}

static enum den_status cut_short(const struct den_gguf_part *part, const char *where,
                                 struct den_error *err)
{
    return den_fail(err, DEN_BAD_FILE,
                    "gguf: %s: ends inside %s; the file of %zu bytes is truncated or damaged, "
                    "fetch it again",
                    part->name, where, part->bytes);
}

static enum den_status check_count(const struct den_gguf_part *part, const char *what,
                                   uint64_t count, size_t possible, size_t allowed,
                                   struct den_error *err)
{
    if (count > possible)
        return den_fail(err, DEN_BAD_FILE,
                        "gguf: %s: declares %llu %s, but its %zu bytes have room for %zu at most; "
                        "it is truncated or damaged",
                        part->name, (unsigned long long)count, what, part->bytes, possible);
    if (count > allowed)
        return den_fail(err, DEN_BAD_FILE, "gguf: %s: declares %llu %s; %zu are allowed",
                        part->name, (unsigned long long)count, what, allowed);
    return DEN_OK;
}

static enum den_status read_header(struct den_gguf_part *part, struct den_cursor *cursor,
                                   struct den_error *err)
{
    const unsigned char *magic;
    uint32_t version;
    uint64_t tensors;
    uint64_t keys;

    if (!den_cursor_take(cursor, 4, &magic) || memcmp(magic, "GGUF", 4) != 0)
        return den_fail(err, DEN_BAD_FILE, "gguf: %s: is not a GGUF file; %s", part->name,
                        den_sniff(part->data, part->bytes));
    if (!den_cursor_u32(cursor, &version))
        return cut_short(part, "the header", err);
    if (check_version(part, version, err) != DEN_OK)
        return err->status;
    if (!den_cursor_u64(cursor, &tensors) || !den_cursor_u64(cursor, &keys))
        return cut_short(part, "the header", err);
    if (check_count(part, "keys", keys, den_cursor_left(cursor) / KEY_BYTES_MIN, DEN_GGUF_KEYS_MAX,
                    err) != DEN_OK ||
        check_count(part, "tensors", tensors, den_cursor_left(cursor) / TENSOR_BYTES_MIN,
                    DEN_TENSORS_MAX, err) != DEN_OK)
        return err->status;
    part->key_count = (size_t)keys;
    part->tensor_count = (size_t)tensors;
    return DEN_OK;
}

static enum den_status no_memory(const struct den_gguf_part *part, struct den_error *err)
{
    return den_fail(err, DEN_NO_MEMORY, "gguf: %s: out of memory", part->name);
}

static bool read_string(struct den_cursor *cursor, struct den_gguf_string *out)
{
    const unsigned char *text;
    uint64_t length;

    if (!den_cursor_u64(cursor, &length) || !den_cursor_take(cursor, length, &text))
        return false;
    *out = (struct den_gguf_string){ .text = (const char *)text, .length = (size_t)length };
    return true;
}

/* --- keys --- */

static enum den_status bad_key(const struct den_gguf_part *part, const struct den_gguf_key *key,
                               const char *trouble, struct den_error *err)
{
    return den_fail(err, DEN_BAD_FILE, "gguf: %s: key '%s' %s", part->name,
                    den_quoted(key->name.text, key->name.length).text, trouble);
}

/* Records where each of the key's strings begins and ends. */
static enum den_status read_strings(struct den_gguf_part *part, struct den_cursor *cursor,
                                    struct den_gguf_key *key, struct den_error *err)
{
    size_t first = cursor->at;
    uint32_t *starts;
    size_t i;

    if (key->length > den_cursor_left(cursor) / STRING_BYTES_MIN)
        return bad_key(part, key, "holds more strings than the file has room for", err);
    starts = den_arena_array(part->arena, key->length + 1, sizeof *starts);
    if (!starts)
        return no_memory(part, err);
    for (i = 0; i < key->length; i++) {
        struct den_gguf_string string;

        if (!read_string(cursor, &string))
            return bad_key(part, key, "holds a string that runs past the end of the file", err);
        if (cursor->at - first > DEN_GGUF_STRINGS_BYTES_MAX)
            return bad_key(part, key, "holds more than 1 GiB of strings", err);
        starts[i + 1] = (uint32_t)(cursor->at - first);
    }
    key->starts = starts;
    return DEN_OK;
}

static enum den_status read_items(struct den_gguf_part *part, struct den_cursor *cursor,
                                  struct den_gguf_key *key, struct den_error *err)
{
    size_t bytes;
    size_t i;

    key->items = cursor->data + cursor->at;
    if (key->kind == DEN_GGUF_STRING)
        return read_strings(part, cursor, key, err);
    if (!den_checked_multiply(key->length, kind_bytes[key->kind], &bytes) ||
        !den_cursor_take(cursor, bytes, &key->items))
        return bad_key(part, key, "holds a value that runs past the end of the file", err);
    for (i = 0; key->kind == DEN_GGUF_BOOL && i < key->length; i++)
        if (key->items[i] > 1)
            return bad_key(part, key, "holds a truth value that is neither 0 nor 1", err);
    return DEN_OK;
}

static enum den_status read_kind(const struct den_gguf_part *part, struct den_cursor *cursor,
                                 struct den_gguf_key *key, struct den_error *err)
{
    uint32_t kind;

    if (!den_cursor_u32(cursor, &kind))
        return bad_key(part, key, "has no value: the file ends there", err);
    if (kind >= DEN_GGUF_KINDS)
        return den_fail(err, DEN_BAD_FILE, "gguf: %s: key '%s' is of kind %u; 0 to 12 exist",
                        part->name, den_quoted(key->name.text, key->name.length).text, kind);
    key->kind = (enum den_gguf_kind)kind;
    return DEN_OK;
}

static enum den_status read_key(struct den_gguf_part *part, struct den_cursor *cursor,
                                struct den_gguf_key *key, struct den_error *err)
{
    uint64_t length;

    if (!read_string(cursor, &key->name))
        return cut_short(part, "the name of a key", err);
    if (key->name.length == 0 || key->name.length > DEN_GGUF_KEY_BYTES_MAX)
        return bad_key(part, key, "has a name of a length outside 1 to 65535 bytes", err);
    if (read_kind(part, cursor, key, err) != DEN_OK)
        return err->status;
    key->length = 1;
    if (key->kind == DEN_GGUF_ARRAY) {
        key->is_array = true;
        if (read_kind(part, cursor, key, err) != DEN_OK)
            return err->status;
        if (key->kind == DEN_GGUF_ARRAY)
            return den_fail(err, DEN_UNSUPPORTED,
                            "gguf: %s: key '%s' is an array of arrays; no known model has one",
                            part->name, den_quoted(key->name.text, key->name.length).text);
        if (!den_cursor_u64(cursor, &length) || length > SIZE_MAX / 8)
            return bad_key(part, key, "has an array that runs past the end of the file", err);
        key->length = (size_t)length;
    }
    return read_items(part, cursor, key, err);
}

static int compare_texts(const char *a, size_t a_length, const char *b, size_t b_length)
{
    int order = memcmp(a, b, a_length < b_length ? a_length : b_length);

    return order != 0 ? order : (a_length > b_length) - (a_length < b_length);
}

static int compare_keys(const void *left, const void *right)
{
    const struct den_gguf_key *const *a = left;
    const struct den_gguf_key *const *b = right;

    return compare_texts((*a)->name.text, (*a)->name.length, (*b)->name.text, (*b)->name.length);
}

static enum den_status index_keys(struct den_gguf_part *part, struct den_error *err)
{
    size_t i;

    part->keys_by_name = den_arena_array(part->arena, part->key_count, sizeof *part->keys_by_name);
    if (!part->keys_by_name)
        return no_memory(part, err);
    for (i = 0; i < part->key_count; i++)
        part->keys_by_name[i] = &part->keys[i];
    qsort(part->keys_by_name, part->key_count, sizeof *part->keys_by_name, compare_keys);
    for (i = 1; i < part->key_count; i++)
        if (compare_keys(&part->keys_by_name[i - 1], &part->keys_by_name[i]) == 0)
            return bad_key(part, part->keys_by_name[i], "appears twice", err);
    return DEN_OK;
}

static enum den_status read_keys(struct den_gguf_part *part, struct den_cursor *cursor,
                                 struct den_error *err)
{
    uint64_t alignment = ALIGNMENT_DEFAULT;
    enum den_status status;
    size_t i;

    part->keys = den_arena_array(part->arena, part->key_count, sizeof *part->keys);
    if (!part->keys)
        return no_memory(part, err);
    for (i = 0; i < part->key_count; i++)
        if (read_key(part, cursor, &part->keys[i], err) != DEN_OK)
            return err->status;
    if (index_keys(part, err) != DEN_OK)
        return err->status;
    status = den_gguf_part_u64(part, "general.alignment", &alignment, err);
    if (status != DEN_OK && status != DEN_NOT_FOUND)
        return status;
    if (alignment < ALIGNMENT_MIN || alignment > UINT32_MAX || (alignment & (alignment - 1)) != 0)
        return den_fail(err, DEN_BAD_FILE,
                        "gguf: %s: general.alignment is %llu; it must be a power of two of at "
                        "least 8",
                        part->name, (unsigned long long)alignment);
    part->alignment = (size_t)alignment;
    return DEN_OK;
}

const struct den_gguf_key *den_gguf_part_find(const struct den_gguf_part *part, const char *name)
{
    size_t length = strlen(name);
    size_t low = 0;
    size_t high = part->key_count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const struct den_gguf_key *key = part->keys_by_name[middle];
        int order = compare_texts(name, length, key->name.text, key->name.length);

        if (order == 0)
            return key;
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return NULL;
}

/* --- tensors --- */

static enum den_status bad_tensor(const struct den_gguf_part *part, const struct den_tensor *tensor,
                                  const char *trouble, struct den_error *err)
{
    return den_fail(err, DEN_BAD_FILE, "gguf: %s: tensor '%s' %s", part->name,
                    den_quoted(tensor->name, strlen(tensor->name)).text, trouble);
}

static enum den_status read_tensor_name(struct den_gguf_part *part, struct den_cursor *cursor,
                                        struct den_tensor *tensor, struct den_error *err)
{
    struct den_gguf_string name;

    if (!read_string(cursor, &name))
        return cut_short(part, "the name of a tensor", err);
    if (name.length == 0 || name.length >= DEN_TENSOR_NAME_MAX ||
        memchr(name.text, '\0', name.length))
        return den_fail(err, DEN_BAD_FILE,
                        "gguf: %s: a tensor is named '%s' (%zu bytes); names have 1 to %d bytes, "
                        "none of them zero",
                        part->name, den_quoted(name.text, name.length).text, name.length,
                        DEN_TENSOR_NAME_MAX - 1);
    tensor->name = den_arena_text(part->arena, name.text, name.length);
    return tensor->name ? DEN_OK : no_memory(part, err);
}

static enum den_status read_sizes(const struct den_gguf_part *part, struct den_cursor *cursor,
                                  struct den_tensor *tensor, struct den_error *err)
{
    size_t elements = 1;
    uint32_t dims;
    uint64_t size;
    uint32_t i;

    if (!den_cursor_u32(cursor, &dims))
        return cut_short(part, "a tensor's entry", err);
    if (dims < 1 || dims > DEN_TENSOR_DIMS_MAX)
        return den_fail(err, DEN_BAD_FILE, "gguf: %s: tensor '%s' has %u dimensions; 1 to %d exist",
                        part->name, den_quoted(tensor->name, strlen(tensor->name)).text, dims,
                        DEN_TENSOR_DIMS_MAX);
    tensor->dims = dims;
    for (i = 0; i < DEN_TENSOR_DIMS_MAX; i++)
        tensor->size[i] = 1;
    for (i = 0; i < dims; i++) {
        if (!den_cursor_u64(cursor, &size))
            return cut_short(part, "a tensor's entry", err);
        if (size == 0)
            return bad_tensor(part, tensor, "has a dimension of size 0", err);
        if (size > INT64_MAX || !den_checked_multiply(elements, (size_t)size, &elements))
            return bad_tensor(part, tensor, "has sizes whose product overflows", err);
        tensor->size[i] = (size_t)size;
    }
    return DEN_OK;
}

static enum den_status read_type(const struct den_gguf_part *part, struct den_cursor *cursor,
                                 struct den_tensor *tensor, struct den_error *err)
{
    const struct den_type_info *info;
    uint32_t number;

    if (!den_cursor_u32(cursor, &number))
        return cut_short(part, "a tensor's entry", err);
    info = den_type_info(number);
    if (!info->text)
        return den_fail(err, DEN_UNSUPPORTED,
                        "gguf: %s: tensor '%s' is of type %u, which Den does not read; "
                        "Q4_K_M, Q8_0 and F16 files are always readable",
                        part->name, den_quoted(tensor->name, strlen(tensor->name)).text, number);
    tensor->type = (enum den_type)number;
    if (tensor->size[0] % info->elements != 0)
        return den_fail(err, DEN_BAD_FILE,
                        "gguf: %s: tensor '%s' has rows of %zu elements, not a multiple of %u as "
                        "%s needs",
                        part->name, den_quoted(tensor->name, strlen(tensor->name)).text,
                        tensor->size[0], info->elements, info->text);
    if (!den_type_row_bytes(tensor->type, tensor->size[0], &tensor->row_bytes) ||
        !den_checked_multiply(tensor->row_bytes, den_tensor_rows(tensor), &tensor->bytes))
        return bad_tensor(part, tensor, "has a size in bytes that overflows", err);
    return DEN_OK;
}

/* `expected` is where the data of this tensor has to begin; moves it to where the next one's does.
 */
static enum den_status read_offset(const struct den_gguf_part *part, struct den_cursor *cursor,
                                   const struct den_tensor *tensor, size_t *expected,
                                   struct den_error *err)
{
    uint64_t offset;
    size_t end;

    if (!den_cursor_u64(cursor, &offset))
        return cut_short(part, "a tensor's entry", err);
    if (offset != *expected)
        return den_fail(err, DEN_BAD_FILE,
                        "gguf: %s: tensor '%s' is at offset %llu of the data; after the tensors "
                        "before it, it must be at %zu",
                        part->name, den_quoted(tensor->name, strlen(tensor->name)).text,
                        (unsigned long long)offset, *expected);
    if (!den_checked_add(*expected, tensor->bytes, &end) ||
        !den_checked_align(end, part->alignment, expected))
        return bad_tensor(part, tensor, "ends past what an address can hold", err);
    return DEN_OK;
}

/* The data area begins after the entries, so only now can the tensors be placed. */
static enum den_status place_tensors(struct den_gguf_part *part, size_t directory_end,
                                     struct den_error *err)
{
    size_t start = directory_end;
    size_t i;

    for (i = 0; i < part->tensor_count; i++) {
        struct den_tensor *tensor = &part->tensors[i];

        if (!den_checked_align(start, part->alignment, &start))
            return bad_tensor(part, tensor, "begins past what an address can hold", err);
        if (!den_checked_range(start, tensor->bytes, part->bytes))
            return den_fail(err, DEN_BAD_FILE,
                            "gguf: %s: tensor '%s' ends %zu bytes past the end of the file of %zu "
                            "bytes; the download is incomplete, fetch it again",
                            part->name, den_quoted(tensor->name, strlen(tensor->name)).text,
                            tensor->bytes - (start < part->bytes ? part->bytes - start : 0),
                            part->bytes);
        tensor->data = part->data + start;
        start += tensor->bytes;
    }
    return DEN_OK;
}

static enum den_status read_tensors(struct den_gguf_part *part, struct den_cursor *cursor,
                                    struct den_error *err)
{
    size_t expected = 0;
    size_t i;

    part->tensors = den_arena_array(part->arena, part->tensor_count, sizeof *part->tensors);
    if (!part->tensors)
        return no_memory(part, err);
    for (i = 0; i < part->tensor_count; i++) {
        struct den_tensor *tensor = &part->tensors[i];

        if (read_tensor_name(part, cursor, tensor, err) != DEN_OK ||
            read_sizes(part, cursor, tensor, err) != DEN_OK ||
            read_type(part, cursor, tensor, err) != DEN_OK ||
            read_offset(part, cursor, tensor, &expected, err) != DEN_OK)
            return err->status;
    }
    return place_tensors(part, cursor->at, err);
}

enum den_status den_gguf_parse(struct den_gguf_part *part, struct den_error *err)
{
    struct den_cursor cursor = { .data = part->data, .bytes = part->bytes };
    size_t ceiling;

    if (!den_checked_multiply(part->bytes, ARENA_BYTES_PER_BYTE, &ceiling) ||
        !den_checked_add(ceiling, ARENA_BYTES_BASE, &ceiling))
        ceiling = SIZE_MAX;
    part->arena = den_arena_create(ceiling);
    if (!part->arena)
        return no_memory(part, err);
    if (read_header(part, &cursor, err) != DEN_OK || read_keys(part, &cursor, err) != DEN_OK ||
        read_tensors(part, &cursor, err) != DEN_OK)
        return err->status;
    return DEN_OK;
}

void den_gguf_part_deinit(struct den_gguf_part *part)
{
    den_arena_destroy(part->arena);
    den_map_close(&part->map);
    free(part->name);
    *part = (struct den_gguf_part){ 0 };
}
