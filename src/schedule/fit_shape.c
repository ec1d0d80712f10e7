/* Shapes: see fit.h. Reading one means counting the elements of each matrix and how many bytes they
 * take, in the file and packed.
 *
 * Where a shape names a quantization only, the types of the matrices are those that llama.cpp's
 * quantizer gives: the matrix of logits in Q6_K, and in the mixtures ("_M") half of the values and
 * of the down projections in the next better type. A width that is no multiple of 256 makes it fall
 * back to the types with blocks of 32. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/limits.h"
#include "schedule/fit.h"

/* Bits an element in the file, and packed (kernels/pack_layout.h; a unit test compares). */
static const struct {
    const char *text;
    double file_bits, packed_bits;
} types[] = {
    { "F32", 32, 32 },         { "F16", 16, 16 },         { "BF16", 16, 16 },
    { "Q4_0", 4.5, 4.5 },      { "Q4_1", 5, 5 },          { "Q4_K", 4.5, 4.625 },
    { "Q8_0", 8.5, 8.5 },      { "Q6_K", 6.5625, 8.625 }, { "Q3_K", 3.4375, 8.625 },
    { "IQ4_XS", 4.25, 8.625 }, { "Q5_0", 5.5, 12 },       { "Q5_1", 6, 12 },
    { "Q2_K", 2.625, 12 },     { "Q5_K", 5.5, 12 },       { "IQ4_NL", 4.5, 12 },
    { "MXFP4", 4.25, 12 },
};

/* What quantizers make of a name: the type of most matrices, and of the better half. */
static const struct {
    const char *text, *main, *better;
} quantizations[] = {
    { "Q4_K_M", "Q4_K", "Q6_K" }, { "Q4_K_S", "Q4_K", "Q5_K" }, { "Q5_K_M", "Q5_K", "Q6_K" },
    { "Q5_K_S", "Q5_K", "Q5_K" }, { "Q3_K_M", "Q3_K", "Q5_K" }, { "Q2_K", "Q2_K", "Q3_K" },
};

static double larger_of(double a, double b)
{
    return a > b ? a : b;
}

struct counted {
    double file, packed; /* bytes */
};

static const char *fall_back(const char *type)
{
    static const char *const pairs[][2] = { { "Q4_K", "Q5_0" },
                                            { "Q5_K", "Q5_1" },
                                            { "Q6_K", "Q8_0" },
                                            { "Q3_K", "IQ4_NL" },
                                            { "Q2_K", "IQ4_NL" } };
    size_t i;

    for (i = 0; i < sizeof pairs / sizeof pairs[0]; i++)
        if (strcmp(type, pairs[i][0]) == 0)
            return pairs[i][1];
    return type;
}

/* False: there is no such type. */
static bool add(struct counted *sum, const char *type, double elements)
{
    size_t i;

    for (i = 0; type && i < sizeof types / sizeof types[0]; i++) {
        if (strcmp(types[i].text, type) != 0)
            continue;
        sum->file += elements * types[i].file_bits / 8;
        sum->packed += elements * types[i].packed_bits / 8;
        return true;
    }
    return false;
}

struct elements {
    double attention, value, down, up; /* of all layers, all experts included */
};

static struct elements count_layers(const struct den_fit_shape *shape)
{
    const double layers = (double)shape->layers, width = (double)shape->width;
    const double query = (double)(shape->heads * shape->head_width);
    const double key = (double)(shape->kv_heads * shape->head_width);
    const double output = (double)(shape->heads * shape->value_width);
    const double inner =
        shape->experts ? (double)(shape->experts * shape->expert_width) : (double)shape->ffn_width;

    return (struct elements){
        .attention = layers * width * (query + key + output),
        .value = layers * width * (double)(shape->kv_heads * shape->value_width),
        .down = layers * width * inner,
        .up = layers * width * inner * (shape->is_encoder ? 1 : 2),
    };
}

static bool add_quantized(const struct den_fit_shape *shape, const char *name,
                          struct counted *layers, const char **out_ends)
{
    const struct elements count = count_layers(shape);
    const bool is_coarse = shape->width % 256 != 0;
    const char *main = name, *better = name;
    size_t i;

    *out_ends = name;
    for (i = 0; i < sizeof quantizations / sizeof quantizations[0]; i++)
        if (strcmp(quantizations[i].text, name) == 0) {
            main = is_coarse ? fall_back(quantizations[i].main) : quantizations[i].main;
            better = is_coarse ? fall_back(quantizations[i].better) : quantizations[i].better;
        }
    if (name[0] == 'Q' && strcmp(name, "Q8_0") != 0)
        *out_ends = is_coarse ? "Q8_0" : "Q6_K";
    return add(layers, main, count.attention + count.up + (count.value + count.down) / 2) &&
           add(layers, better, (count.value + count.down) / 2);
}

static bool add_types(const json_t *listed, struct counted *layers)
{
    const char *type;
    json_t *elements;

    json_object_foreach(
        (json_t *)listed, type,
        elements) if (!json_is_integer(elements) || json_integer_value(elements) < 0 ||
                      !add(layers, type, (double)json_integer_value(elements))) return false;
    return true;
}

/* An encoder's products are in 16 bits whatever its file has. */
static void finish_encoder(struct den_fit_shape *out)
{
    const struct elements count = count_layers(out);
    struct counted words = { 0 };

    add(&words, "F32", (double)out->vocabulary * (double)out->width);
    out->embedding_bytes = 0;
    out->embedding_file_bytes = words.file;
    out->layer_bytes = 2 * (count.attention + count.value + count.down + count.up);
    out->head_bytes = 0;
    out->read_bytes = out->layer_bytes;
}

static enum den_status read_weights(const json_t *value, struct den_fit_shape *out,
                                    struct den_error *err)
{
    const json_t *listed = json_object_get(value, "types");
    const char *quantization = NULL, *embedding = NULL, *head = NULL, *ends = NULL;
    const double words = (double)out->vocabulary * (double)out->width;
    struct counted layers = { 0 }, table = { 0 }, logits = { 0 };

    if (den_json_get_text(value, "quantization", &quantization, err) != DEN_OK ||
        den_json_get_text(value, "embedding_type", &embedding, err) != DEN_OK ||
        den_json_get_text(value, "head_type", &head, err) != DEN_OK)
        return err->status;
    if (listed ? !add_types(listed, &layers)
               : !quantization || !add_quantized(out, quantization, &layers, &ends))
        return den_fail(err, DEN_INVALID, "shape: its weights have an unknown type");
    if (!add(&table, embedding ? embedding : ends, words) ||
        (!out->tied && !add(&logits, head ? head : ends, words)))
        return den_fail(err, DEN_INVALID, "shape: 'embedding_type' or 'head_type' is no type");
    out->layer_bytes = layers.packed;
    out->layer_file_bytes = layers.file;
    out->embedding_bytes = table.packed;
    out->embedding_file_bytes = table.file;
    out->head_bytes = logits.packed;
    out->head_file_bytes = logits.file;
    out->read_bytes = layers.packed + (out->tied ? table.packed : logits.packed);
    if (out->experts > 0) {
        const struct elements count = count_layers(out);
        const double all = count.attention + count.value + count.down + count.up;
        const double idle =
            (count.down + count.up) * (1 - (double)out->experts_used / (double)out->experts);

        out->read_bytes -= layers.packed * idle / all;
    }
    return DEN_OK;
}

static enum den_status read_size(const json_t *value, const char *key, size_t maximum, size_t *out,
                                 struct den_error *err)
{
    int64_t number = (int64_t)*out;

    if (den_json_get_integer(value, key, *out ? 0 : 1, (int64_t)maximum, &number, err) != DEN_OK)
        return err->status;
    if (number > 0)
        *out = (size_t)number;
    return *out > 0 ? DEN_OK : den_fail(err, DEN_INVALID, "shape: '%s' is missing", key);
}

enum den_status den_fit_shape_read(const json_t *value, struct den_fit_shape *out,
                                   struct den_error *err)
{
    struct den_fit_shape shape = { 0 };
    int64_t experts = 0, used = 0, expert_width = 0;

    if (!json_is_object(value))
        return den_fail(err, DEN_INVALID, "shape: is no JSON object");
    if (den_json_get_bool(value, "encoder", &shape.is_encoder, err) != DEN_OK ||
        den_json_get_bool(value, "tied", &shape.tied, err) != DEN_OK ||
        read_size(value, "layers", DEN_LAYERS_MAX, &shape.layers, err) != DEN_OK ||
        read_size(value, "width", DEN_WIDTH_MAX, &shape.width, err) != DEN_OK ||
        read_size(value, "heads", DEN_HEADS_MAX, &shape.heads, err) != DEN_OK)
        return err->status;
    shape.kv_heads = shape.heads;
    shape.head_width = shape.width / shape.heads;
    if (read_size(value, "kv_heads", DEN_HEADS_MAX, &shape.kv_heads, err) != DEN_OK ||
        read_size(value, "head_width", DEN_HEAD_WIDTH_MAX, &shape.head_width, err) != DEN_OK)
        return err->status;
    shape.value_width = shape.head_width;
    if (read_size(value, "value_width", DEN_HEAD_WIDTH_MAX, &shape.value_width, err) != DEN_OK ||
        read_size(value, "ffn_width", DEN_WIDTH_MAX, &shape.ffn_width, err) != DEN_OK ||
        read_size(value, "vocabulary", DEN_VOCABULARY_MAX, &shape.vocabulary, err) != DEN_OK ||
        read_size(value, "context", DEN_CONTEXT_TOKENS_MAX, &shape.context_tokens, err) != DEN_OK ||
        den_json_get_integer(value, "experts", 0, 65536, &experts, err) != DEN_OK ||
        den_json_get_integer(value, "experts_used", 0, experts, &used, err) != DEN_OK ||
        den_json_get_integer(value, "expert_width", 0, DEN_WIDTH_MAX, &expert_width, err) != DEN_OK)
        return err->status;
    shape.experts = (size_t)experts;
    shape.experts_used = (size_t)used;
    shape.expert_width = (size_t)expert_width;
    if (read_weights(value, &shape, err) != DEN_OK)
        return err->status;
    if (shape.is_encoder)
        finish_encoder(&shape);
    *out = shape;
    return DEN_OK;
}

/* Llamas of all sizes: width grows with the cube root of the bytes, layers with half of that. The
 * packed form takes about as much as the file. */
struct den_fit_shape den_fit_shape_of_bytes(uint64_t file_bytes)
{
    const double bytes = (double)file_bytes;
    const double width = larger_of(256, ceil(cbrt(bytes * 16 / 64) / 64) * 64);
    struct den_fit_shape shape = {
        .tied = true,
        .layers = (size_t)larger_of(4, floor(width / 128)),
        .width = (size_t)width,
        .head_width = 64,
        .value_width = 64,
        .ffn_width = (size_t)(width * 3),
        .vocabulary = 100000,
        .context_tokens = 8192,
        .layer_bytes = bytes * 0.9,
        .layer_file_bytes = bytes * 0.9,
        .embedding_bytes = bytes * 0.1,
        .embedding_file_bytes = bytes * 0.1,
        .read_bytes = bytes,
    };

    shape.heads = shape.width / 64;
    shape.kv_heads = shape.heads / 4 > 0 ? shape.heads / 4 : 1;
    return shape;
}
