/* rooms: tensor base */
/* The GGUF reader, and every getter on whatever it accepts: each tensor's bytes are decoded, each
 * key is read in every way. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "tensor/gguf.h"

static volatile unsigned sum; /* keeps the reads */

static void read_text(struct den_gguf_string text)
{
    size_t i;

    for (i = 0; i < text.length; i++)
        sum += (unsigned char)text.text[i];
}

static void read_array(const struct den_gguf *gguf, const char *key)
{
    const struct den_gguf_key *array = den_gguf_array(gguf, key);
    struct den_error err = { 0 };
    enum den_gguf_kind kind;
    size_t length;
    size_t i;

    if (den_gguf_get_array(gguf, key, &kind, &length, &err) != DEN_OK)
        return;
    for (i = 0; i <= length && i < 1000; i++) {
        read_text(den_gguf_array_string(array, i));
        sum += (unsigned)den_gguf_array_integer(array, i);
        sum += den_gguf_array_number(array, i) > 0;
    }
}

static void read_key(const struct den_gguf *gguf, size_t index)
{
    const struct den_gguf_string *name = den_gguf_key_name(gguf, index);
    struct den_error err = { 0 };
    struct den_gguf_string text;
    char key[256];
    uint64_t integer;
    double number;
    bool truth;

    if (name->length >= sizeof key)
        return;
    memcpy(key, name->text, name->length);
    key[name->length] = '\0';
    if (strlen(key) == name->length && !den_gguf_has(gguf, key))
        abort();
    sum += den_gguf_get_u64(gguf, key, &integer, &err) == DEN_OK;
    sum += den_gguf_get_f64(gguf, key, &number, &err) == DEN_OK;
    sum += den_gguf_get_bool(gguf, key, &truth, &err) == DEN_OK;
    if (den_gguf_get_string(gguf, key, &text, &err) == DEN_OK)
        read_text(text);
    read_array(gguf, key);
}

static void read_tensor(const struct den_gguf *gguf, size_t index)
{
    const struct den_tensor *tensor = den_gguf_tensor(gguf, index);
    const struct den_type_info *info = den_type_info((uint32_t)tensor->type);
    static float values[256];
    size_t i;

    if (den_gguf_find_tensor(gguf, tensor->name) != tensor)
        abort();
    for (i = 0; i < tensor->bytes; i++)
        sum += ((const unsigned char *)tensor->data)[i];
    if (tensor->type != DEN_TYPE_I8 && tensor->type != DEN_TYPE_I32 && tensor->type != DEN_TYPE_I64)
        den_type_to_f32(tensor->type, tensor->data, values, info->elements);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct den_gguf *gguf = NULL;
    struct den_error err = { 0 };
    size_t i;

    if (den_gguf_open_memory(data, size, "fuzz", &gguf, &err) != DEN_OK) {
        if (gguf || err.status == DEN_OK || err.message[0] == '\0')
            abort();
        return 0;
    }
    for (i = 0; i < den_gguf_key_count(gguf); i++)
        read_key(gguf, i);
    for (i = 0; i < den_gguf_tensor_count(gguf); i++)
        read_tensor(gguf, i);
    den_gguf_close(gguf);
    return 0;
}
