/* The keys of gguf.h: typed values out of the table that gguf_parse.c has checked.
 *
 * Writers differ in the width and sign they give to a number, and some give a per-layer array where
 * others give one value, so a getter asks for a meaning (an unsigned integer, a number, a truth
 * value, text) and accepts every form that carries it. Whatever can't carry it is a fault of the
 * file, reported with the key's name; it never becomes a default. */
#include "tensor/gguf.h"

#include <math.h>
#include <string.h>

#include "tensor/gguf_parse.h"

static const char *const kind_names[DEN_GGUF_KINDS] = {
    [DEN_GGUF_U8] = "u8",       [DEN_GGUF_I8] = "i8",     [DEN_GGUF_U16] = "u16",
    [DEN_GGUF_I16] = "i16",     [DEN_GGUF_U32] = "u32",   [DEN_GGUF_I32] = "i32",
    [DEN_GGUF_F32] = "f32",     [DEN_GGUF_BOOL] = "bool", [DEN_GGUF_STRING] = "string",
    [DEN_GGUF_ARRAY] = "array", [DEN_GGUF_U64] = "u64",   [DEN_GGUF_I64] = "i64",
    [DEN_GGUF_F64] = "f64",
};

/* --- one item --- */

/* Any item of an integer kind fits one of the two; `unsigned_value` holds where `is_negative` does
 * not. */
struct integer {
    bool is_negative;
    int64_t signed_value;
    uint64_t unsigned_value;
};

/* READ(type) copies item `index` out of the map, where it may be unaligned. */
#define READ(type)                                                                                 \
    type value;                                                                                    \
    memcpy(&value, key->items + index * sizeof value, sizeof value)

static struct integer of_signed(int64_t value)
{
    return (struct integer){ .is_negative = value < 0,
                             .signed_value = value,
                             .unsigned_value = (uint64_t)value };
}

static struct integer of_unsigned(uint64_t value)
{
    return (struct integer){ .signed_value = value > INT64_MAX ? INT64_MAX : (int64_t)value,
                             .unsigned_value = value };
}

/* False where the items are no integers (or truth values). */
static bool integer_at(const struct den_gguf_key *key, size_t index, struct integer *out)
{
    switch (key->kind) {
    case DEN_GGUF_U8:
    case DEN_GGUF_BOOL: {
        READ(uint8_t);
        *out = of_unsigned(value);
        return true;
    }
    case DEN_GGUF_I8: {
        READ(int8_t);
        *out = of_signed(value);
        return true;
    }
    case DEN_GGUF_U16: {
        READ(uint16_t);
        *out = of_unsigned(value);
        return true;
    }
    case DEN_GGUF_I16: {
        READ(int16_t);
        *out = of_signed(value);
        return true;
    }
    case DEN_GGUF_U32: {
        READ(uint32_t);
        *out = of_unsigned(value);
        return true;
    }
    case DEN_GGUF_I32: {
        READ(int32_t);
        *out = of_signed(value);
        return true;
    }
    case DEN_GGUF_U64: {
        READ(uint64_t);
        *out = of_unsigned(value);
        return true;
    }
    case DEN_GGUF_I64: {
        READ(int64_t);
        *out = of_signed(value);
        return true;
    }
    default:
        return false;
    }
}

/* False where the items are no numbers. */
static bool number_at(const struct den_gguf_key *key, size_t index, double *out)
{
    struct integer integer;

    if (key->kind == DEN_GGUF_F32) {
        READ(float);
        *out = (double)value;
        return true;
    }
    if (key->kind == DEN_GGUF_F64) {
        READ(double);
        *out = value;
        return true;
    }
    if (key->kind == DEN_GGUF_BOOL || !integer_at(key, index, &integer))
        return false;
    *out = integer.is_negative ? (double)integer.signed_value : (double)integer.unsigned_value;
    return true;
}

static struct den_gguf_string string_at(const struct den_gguf_key *key, size_t index)
{
    size_t text = key->starts[index] + sizeof(uint64_t);

    return (struct den_gguf_string){ .text = (const char *)key->items + text,
                                     .length = key->starts[index + 1] - text };
}

/* --- keys with one value --- */

static enum den_status wrong_kind(const struct den_gguf_part *part, const char *name,
                                  const struct den_gguf_key *key, const char *wanted,
                                  struct den_error *err)
{
    return den_fail(err, DEN_BAD_FILE, "gguf: %s: key '%s' is %s%s; it must be %s", part->name,
                    name, key->is_array ? "an array of " : "of kind ", kind_names[key->kind],
                    wanted);
}

/* An array counts as one value where all its items are the same. */
static enum den_status check_uniform(const struct den_gguf_part *part, const char *name,
                                     const struct den_gguf_key *key, struct den_error *err)
{
    size_t i;

    if (!key->is_array)
        return DEN_OK;
    if (key->length == 0)
        return den_fail(err, DEN_BAD_FILE, "gguf: %s: key '%s' is an empty array; it needs a value",
                        part->name, name);
    for (i = 1; i < key->length; i++) {
        double first = 0;
        double other = 0;

        number_at(key, 0, &first);
        number_at(key, i, &other);
        if (first < other || first > other)
            return den_fail(err, DEN_UNSUPPORTED,
                            "gguf: %s: key '%s' differs from layer to layer (%g, then %g), which "
                            "Den doesn't support here",
                            part->name, name, first, other);
    }
    return DEN_OK;
}

enum den_status den_gguf_part_u64(const struct den_gguf_part *part, const char *name, uint64_t *out,
                                  struct den_error *err)
{
    const struct den_gguf_key *key = den_gguf_part_find(part, name);
    struct integer value = { 0 };

    if (!key)
        return DEN_NOT_FOUND;
    if (key->kind == DEN_GGUF_BOOL || (key->length > 0 && !integer_at(key, 0, &value)))
        return wrong_kind(part, name, key, "an integer", err);
    if (check_uniform(part, name, key, err) != DEN_OK)
        return err->status;
    if (value.is_negative)
        return den_fail(err, DEN_BAD_FILE, "gguf: %s: key '%s' is %lld; it must not be negative",
                        part->name, name, (long long)value.signed_value);
    *out = value.unsigned_value;
    return DEN_OK;
}

enum den_status den_gguf_get_u64(const struct den_gguf *gguf, const char *key, uint64_t *out,
                                 struct den_error *err)
{
    return den_gguf_part_u64(&gguf->parts[0], key, out, err);
}

enum den_status den_gguf_get_f64(const struct den_gguf *gguf, const char *key, double *out,
                                 struct den_error *err)
{
    const struct den_gguf_part *part = &gguf->parts[0];
    const struct den_gguf_key *found = den_gguf_part_find(part, key);
    double value = 0;

    if (!found)
        return DEN_NOT_FOUND;
    if (found->length > 0 && !number_at(found, 0, &value))
        return wrong_kind(part, key, found, "a number", err);
    if (check_uniform(part, key, found, err) != DEN_OK)
        return err->status;
    if (!isfinite(value))
        return den_fail(err, DEN_BAD_FILE, "gguf: %s: key '%s' is %g; it must be finite",
                        part->name, key, value);
    *out = value;
    return DEN_OK;
}

enum den_status den_gguf_get_bool(const struct den_gguf *gguf, const char *key, bool *out,
                                  struct den_error *err)
{
    const struct den_gguf_part *part = &gguf->parts[0];
    const struct den_gguf_key *found = den_gguf_part_find(part, key);
    struct integer value;

    if (!found)
        return DEN_NOT_FOUND;
    if (found->is_array || !integer_at(found, 0, &value) || value.unsigned_value > 1)
        return wrong_kind(part, key, found, "a truth value", err);
    *out = value.unsigned_value == 1;
    return DEN_OK;
}

enum den_status den_gguf_get_string(const struct den_gguf *gguf, const char *key,
                                    struct den_gguf_string *out, struct den_error *err)
{
    const struct den_gguf_part *part = &gguf->parts[0];
    const struct den_gguf_key *found = den_gguf_part_find(part, key);

    if (!found)
        return DEN_NOT_FOUND;
    if (found->is_array || found->kind != DEN_GGUF_STRING)
        return wrong_kind(part, key, found, "a string", err);
    *out = string_at(found, 0);
    return DEN_OK;
}

/* --- all keys, and arrays --- */

size_t den_gguf_key_count(const struct den_gguf *gguf)
{
    return gguf->parts[0].key_count;
}

const struct den_gguf_string *den_gguf_key_name(const struct den_gguf *gguf, size_t index)
{
    return index < gguf->parts[0].key_count ? &gguf->parts[0].keys[index].name : NULL;
}

bool den_gguf_has(const struct den_gguf *gguf, const char *key)
{
    return den_gguf_part_find(&gguf->parts[0], key) != NULL;
}

enum den_status den_gguf_get_array(const struct den_gguf *gguf, const char *key,
                                   enum den_gguf_kind *out_kind, size_t *out_length,
                                   struct den_error *err)
{
    const struct den_gguf_part *part = &gguf->parts[0];
    const struct den_gguf_key *found = den_gguf_part_find(part, key);

    if (!found)
        return DEN_NOT_FOUND;
    if (!found->is_array)
        return wrong_kind(part, key, found, "an array", err);
    *out_kind = found->kind;
    *out_length = found->length;
    return DEN_OK;
}

const struct den_gguf_key *den_gguf_array(const struct den_gguf *gguf, const char *key)
{
    const struct den_gguf_key *found = den_gguf_part_find(&gguf->parts[0], key);

    return found && found->is_array ? found : NULL;
}

struct den_gguf_string den_gguf_array_string(const struct den_gguf_key *array, size_t index)
{
    if (!array || index >= array->length || array->kind != DEN_GGUF_STRING)
        return (struct den_gguf_string){ .text = "", .length = 0 };
    return string_at(array, index);
}

int64_t den_gguf_array_integer(const struct den_gguf_key *array, size_t index)
{
    struct integer value;

    return array && index < array->length && integer_at(array, index, &value) ? value.signed_value
                                                                              : 0;
}

double den_gguf_array_number(const struct den_gguf_key *array, size_t index)
{
    double value;

    return array && index < array->length && number_at(array, index, &value) ? value : 0;
}
