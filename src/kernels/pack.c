/* See pack.h and matmul.h. A panel is filled group by group; within a group the 16 outputs are 16
 * blocks of 16 rows of the file, and four bytes of each go to one line. Q4_0 and Q4_1 blocks keep
 * element j in the low and j + 16 in the high nibble of byte j, which is exactly what a packed line
 * wants, so their bytes are moved and not taken apart. */
#include "kernels/pack.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "base/checked.h"
#include "kernels/pack_codes.h"
#include "kernels/pack_layout.h"

static const struct {
    const char *text;
    size_t elements; /* k of one unit */
    size_t bytes;    /* of one unit of a panel */
} layouts[DEN_PACK_FORMATS] = {
    [DEN_PACK_F32] = { "f32", 1, 64 },
    [DEN_PACK_F16] = { "f16", 1, 32 },
    [DEN_PACK_BF16] = { "bf16", 1, 32 },
    [DEN_PACK_S16] = { "s16", 2, 64 },
    [DEN_PACK_Q4] = { "q4", DEN_GROUP, DEN_Q4_BYTES },
    [DEN_PACK_Q4_MIN] = { "q4_min", DEN_GROUP, DEN_Q4_MIN_BYTES },
    [DEN_PACK_Q4_K] = { "q4_k", DEN_SUPER_GROUP, DEN_Q4_K_BYTES },
    [DEN_PACK_Q8] = { "q8", DEN_GROUP, DEN_Q8_BYTES },
    [DEN_PACK_Q8_K] = { "q8_k", DEN_SUPER_GROUP, DEN_Q8_K_BYTES },
    [DEN_PACK_Q8_16] = { "q8_16", DEN_GROUP, 2 * DEN_Q8_16_HALF_BYTES },
};

enum den_status den_pack_choose(enum den_type type, bool int8, enum den_pack_format *out_format,
                                struct den_error *err)
{
    if (type == DEN_TYPE_F16)
        *out_format = DEN_PACK_F16;
    else if (type == DEN_TYPE_BF16)
        *out_format = DEN_PACK_BF16;
    else if (type == DEN_TYPE_F32 || (den_type_is_quantized(type) && !int8))
        *out_format = DEN_PACK_F32;
    else if (type == DEN_TYPE_Q4_0)
        *out_format = DEN_PACK_Q4;
    else if (type == DEN_TYPE_Q4_1)
        *out_format = DEN_PACK_Q4_MIN;
    else if (type == DEN_TYPE_Q4_K)
        *out_format = DEN_PACK_Q4_K;
    else if (type == DEN_TYPE_Q8_0)
        *out_format = DEN_PACK_Q8;
    else if (den_codes_has_steps(type))
        *out_format = DEN_PACK_Q8_K;
    else if (den_codes_has(type))
        *out_format = DEN_PACK_Q8_16;
    else
        return den_fail(err, DEN_UNSUPPORTED, "weights of type %s can't be multiplied",
                        den_type_info((uint32_t)type)->text ? den_type_info((uint32_t)type)->text
                                                            : "unknown");
    return DEN_OK;
}

bool den_pack_is_quantized(enum den_pack_format format)
{
    return format >= DEN_PACK_Q4;
}

const char *den_pack_format_text(enum den_pack_format format)
{
    return layouts[format].text;
}

enum den_status den_pack_plan(enum den_pack_format format, size_t in, size_t out,
                              struct den_packed *plan, struct den_error *err)
{
    size_t units = in / layouts[format].elements;
    size_t panels = out / DEN_PANEL + (out % DEN_PANEL != 0);
    size_t panel_bytes;
    size_t total;

    if (in == 0 || out == 0 || in % layouts[format].elements != 0)
        return den_fail(err, DEN_INVALID,
                        "matrix of %zu x %zu: the inputs of format %s are a multiple of %zu", in,
                        out, layouts[format].text, layouts[format].elements);
    if (!den_checked_multiply(units, layouts[format].bytes, &panel_bytes) ||
        !den_checked_add(panel_bytes, format == DEN_PACK_S16 ? DEN_S16_SCALES_BYTES : 0,
                         &panel_bytes) ||
        !den_checked_align(panel_bytes, 64, &panel_bytes) ||
        !den_checked_multiply(panels, panel_bytes, &total))
        return den_fail(err, DEN_TOO_LARGE, "matrix of %zu x %zu: larger than memory can be", in,
                        out);
    *plan = (struct den_packed){ .format = format,
                                 .in = in,
                                 .out = out,
                                 .in_padded = in,
                                 .panels = panels,
                                 .panel_bytes = panel_bytes };
    return DEN_OK;
}

/* --- packing --- */

/* What one panel is made from. Rows beyond the matrix are NULL: their weights are zero. */
struct panel {
    const uint8_t *rows[DEN_PANEL];
    size_t in;
    enum den_type type;
    unsigned char *data;
};

/* Up to 256 values of row `o` from `begin`, a multiple of 256; returns how many. */
static size_t read_piece(const struct panel *panel, size_t o, size_t begin, float *values)
{
    size_t rest = panel->in - begin, offset = 0;
    size_t count = rest < DEN_SUPER_GROUP ? rest : (size_t)DEN_SUPER_GROUP;

    den_type_row_bytes(panel->type, begin, &offset); /* every block divides 256 */
    den_type_to_f32(panel->type, panel->rows[o] + offset, values, count);
    return count;
}

static void pack_f32(const struct panel *panel)
{
    float *out = (float *)(void *)panel->data;
    float values[DEN_SUPER_GROUP];
    size_t o, begin, count, k;

    for (o = 0; o < DEN_PANEL; o++)
        for (begin = 0; panel->rows[o] && begin < panel->in; begin += count) {
            count = read_piece(panel, o, begin, values);
            for (k = 0; k < count; k++)
                out[(begin + k) * DEN_PANEL + o] = values[k];
        }
}

/* The largest magnitude of an output's weights, NaN where one is not finite, and the largest sum of
 * magnitudes over a run. */
static float measure_row(const struct panel *panel, size_t o, double *out_sum)
{
    float values[DEN_SUPER_GROUP], most = 0;
    double sum = 0;
    size_t begin, count, k;

    *out_sum = 0;
    for (begin = 0; begin < panel->in; begin += count) {
        count = read_piece(panel, o, begin, values);
        if (begin % DEN_WIDE_RUN == 0)
            sum = 0;
        for (k = 0; k < count; k++) {
            if (!isfinite(values[k]))
                return NAN;
            most = fmaxf(most, fabsf(values[k]));
            sum += fabs((double)values[k]);
        }
        *out_sum = fmax(*out_sum, sum);
    }
    return most;
}

/* One output: its largest magnitude becomes 4095, or what keeps the magnitudes of each run below
 * DEN_WIDE_SUM, rounding included. One that is not finite makes its whole output NaN. */
static void pack_s16_row(const struct panel *panel, size_t o)
{
    unsigned char *scale_at = panel->data + panel->in / 2 * DEN_LINE_BYTES + o * sizeof(float);
    double sum, inverse = 0;
    float values[DEN_SUPER_GROUP], most = measure_row(panel, o, &sum), scale = most;
    size_t begin, count, k;

    if (most >= 1e-30f) {
        inverse = fmin(DEN_WIDE_MAX / (double)most, (DEN_WIDE_SUM - DEN_WIDE_RUN) / sum);
        scale = (float)(1 / inverse);
    }
    memcpy(scale_at, &scale, sizeof scale);
    for (begin = 0; begin < panel->in && inverse > 0; begin += count) {
        count = read_piece(panel, o, begin, values);
        for (k = begin; k < begin + count; k++) {
            int16_t code = (int16_t)rint((double)values[k - begin] * inverse);

            memcpy(panel->data + k / 2 * DEN_LINE_BYTES + 4 * o + 2 * (k % 2), &code, sizeof code);
        }
    }
}

static void pack_16_bits(const struct panel *panel)
{
    size_t o;
    size_t k;

    for (o = 0; o < DEN_PANEL; o++)
        for (k = 0; panel->rows[o] && k < panel->in; k++)
            memcpy(panel->data + 2 * (k * DEN_PANEL + o), panel->rows[o] + 2 * k, 2);
}

/* Q4_0 (`minima` false: 18-byte blocks) and Q4_1 (20 bytes). */
static void pack_q4(const struct panel *panel, bool minima)
{
    size_t block_bytes = minima ? 20 : 18;
    size_t nibbles = minima ? 4 : 2; /* where they begin in a block */
    size_t group_bytes = minima ? DEN_Q4_MIN_BYTES : DEN_Q4_BYTES;
    size_t o, g, l;

    for (o = 0; o < DEN_PANEL; o++)
        for (g = 0; g < panel->in / DEN_GROUP; g++) {
            unsigned char *group = panel->data + g * group_bytes;
            const uint8_t *block = panel->rows[o] ? panel->rows[o] + g * block_bytes : NULL;

            for (l = 0; l < 4; l++)
                if (block)
                    memcpy(group + 64 * l + 4 * o, block + nibbles + 4 * l, 4);
            if (block)
                memcpy(group + DEN_Q4_SCALES_AT + 2 * o, block, 2);
            if (block && minima)
                memcpy(group + DEN_Q4_MINIMA_AT + 2 * o, block + 2, 2);
        }
}

/* One super-block of one output. */
static void pack_q4_k_block(unsigned char *unit, const uint8_t *block, size_t o)
{
    const uint8_t *nibbles = block + 16;
    size_t g, k;

    memcpy(unit + DEN_Q4_K_D_AT + 2 * o, block, 2);
    memcpy(unit + DEN_Q4_K_DMIN_AT + 2 * o, block + 2, 2);
    for (g = 0; g < 8; g++) {
        unsigned char *lines = unit + DEN_Q4_K_LINES_AT + g * DEN_Q4_LINES_BYTES;
        const uint8_t *from = nibbles + g / 2 * 32;
        unsigned shift = g % 2 * 4;

        den_six_bits(block + 4, (int)g, unit + DEN_Q4_K_SCALES_AT + g * DEN_PANEL + o,
                     unit + DEN_Q4_K_MINIMA_AT + g * DEN_PANEL + o);
        for (k = 0; k < DEN_HALF_GROUP; k++)
            lines[k / 4 * 64 + 4 * o + k % 4] =
                (unsigned char)((from[k] >> shift & 15) | (from[k + 16] >> shift & 15) << 4);
    }
}

static void pack_q4_k(const struct panel *panel)
{
    size_t o, s;

    for (o = 0; o < DEN_PANEL; o++)
        for (s = 0; panel->rows[o] && s < panel->in / DEN_SUPER_GROUP; s++)
            pack_q4_k_block(panel->data + s * DEN_Q4_K_BYTES, panel->rows[o] + s * 144, o);
}

/* Codes q + 128 of `count` lines of one output. */
static void pack_codes(unsigned char *lines, const int8_t *codes, size_t count, size_t o)
{
    size_t k;

    for (k = 0; k < 4 * count; k++)
        lines[k / 4 * 64 + 4 * o + k % 4] = (unsigned char)(codes[k] + 128);
}

static void pack_q8(const struct panel *panel)
{
    size_t o, g;

    for (o = 0; o < DEN_PANEL; o++)
        for (g = 0; panel->rows[o] && g < panel->in / DEN_GROUP; g++) {
            unsigned char *group = panel->data + g * DEN_Q8_BYTES;
            const uint8_t *block = panel->rows[o] + g * 34;

            pack_codes(group, (const int8_t *)block + 2, 8, o);
            memcpy(group + DEN_Q8_SCALES_AT + 2 * o, block, 2);
        }
}

static void pack_q8_k(const struct panel *panel)
{
    const struct den_type_info *info = den_type_info((uint32_t)panel->type);
    struct den_codes codes;
    size_t o, s, h;

    for (o = 0; o < DEN_PANEL; o++)
        for (s = 0; panel->rows[o] && s < panel->in / DEN_SUPER_GROUP; s++) {
            unsigned char *unit = panel->data + s * DEN_Q8_K_BYTES;

            den_codes_read(panel->type, panel->rows[o] + s * info->bytes, &codes);
            memcpy(unit + DEN_Q8_K_D_AT + 2 * o, &codes.d, 2);
            for (h = 0; h < DEN_SUPER_GROUP / DEN_HALF_GROUP; h++) {
                memcpy(unit + DEN_Q8_K_SCALES_AT + h * DEN_PANEL + o, &codes.steps[h], 1);
                pack_codes(unit + DEN_Q8_K_LINES_AT + h * DEN_Q8_K_HALF_BYTES,
                           codes.codes + h * DEN_HALF_GROUP, 4, o);
            }
        }
}

static void pack_q8_16(const struct panel *panel)
{
    const struct den_type_info *info = den_type_info((uint32_t)panel->type);
    struct den_codes codes;
    size_t o, k, h;

    for (o = 0; o < DEN_PANEL; o++)
        for (k = 0; panel->rows[o] && k < panel->in; k += info->elements) {
            den_codes_read(panel->type, panel->rows[o] + k / info->elements * info->bytes, &codes);
            for (h = 0; h < info->elements / DEN_HALF_GROUP; h++) {
                unsigned char *half = panel->data + (k / DEN_HALF_GROUP + h) * DEN_Q8_16_HALF_BYTES;

                pack_codes(half, codes.codes + h * DEN_HALF_GROUP, 4, o);
                memcpy(half + DEN_Q8_16_SCALES_AT + 4 * o, &codes.scales[h], 4);
                memcpy(half + DEN_Q8_16_MINIMA_AT + 4 * o, &codes.minima[h], 4);
            }
        }
}

static void pack_panel(enum den_pack_format format, const struct panel *panel)
{
    switch (format) {
    case DEN_PACK_F32:
        pack_f32(panel);
        break;
    case DEN_PACK_F16:
    case DEN_PACK_BF16:
        pack_16_bits(panel);
        break;
    case DEN_PACK_S16:
        for (size_t o = 0; o < DEN_PANEL; o++)
            if (panel->rows[o])
                pack_s16_row(panel, o);
        break;
    case DEN_PACK_Q4:
    case DEN_PACK_Q4_MIN:
        pack_q4(panel, format == DEN_PACK_Q4_MIN);
        break;
    case DEN_PACK_Q4_K:
        pack_q4_k(panel);
        break;
    case DEN_PACK_Q8:
        pack_q8(panel);
        break;
    case DEN_PACK_Q8_K:
        pack_q8_k(panel);
        break;
    default:
        pack_q8_16(panel);
    }
}

void den_pack_panels(const struct den_packed *packed, const struct den_pack_source *source,
                     size_t panel_begin, size_t panel_end)
{
    size_t p, o;

    for (p = panel_begin; p < panel_end; p++) {
        struct panel panel = { .in = packed->in,
                               .type = source->type,
                               .data = packed->data + p * packed->panel_bytes };

        for (o = 0; o < DEN_PANEL && p * DEN_PANEL + o < packed->out; o++)
            panel.rows[o] = (const uint8_t *)source->rows + (p * DEN_PANEL + o) * source->row_bytes;
        memset(panel.data, 0, packed->panel_bytes); /* the padding, and scales of absent outputs */
        pack_panel(packed->format, &panel);
    }
}

/* --- unpacking ---
 *
 * The inverse, for embedding tables that serve as output matrix too and are kept once: strided and
 * slow, but it reads one row a token. Operations and their order are those of den_type_to_f32(). */

static float f16_at(const unsigned char *bytes)
{
    uint16_t half;

    memcpy(&half, bytes, sizeof half);
    return den_f16_to_f32(half);
}

static float f32_at(const unsigned char *bytes)
{
    float value;

    memcpy(&value, bytes, sizeof value);
    return value;
}

/* Nibble of output `o` at k (0 to 31) of a group's four lines. */
static int nibble_at(const unsigned char *lines, size_t o, size_t k)
{
    return lines[k % 16 / 4 * DEN_LINE_BYTES + 4 * o + k % 4] >> (k / 16 * 4) & 15;
}

static int code_at(const unsigned char *lines, size_t o, size_t k)
{
    return lines[k / 4 * DEN_LINE_BYTES + 4 * o + k % 4] - 128;
}

static void unpack_plain(const struct den_packed *packed, const unsigned char *panel, size_t o,
                         float *out)
{
    size_t bytes = packed->format == DEN_PACK_F32 ? 4 : 2;
    uint16_t half;
    size_t k;

    for (k = 0; k < packed->in; k++) {
        const unsigned char *at = panel + (k * DEN_PANEL + o) * bytes;

        memcpy(&half, at, sizeof half);
        if (packed->format == DEN_PACK_F32)
            out[k] = f32_at(at);
        else
            out[k] = packed->format == DEN_PACK_F16 ? den_f16_to_f32(half) : den_bf16_to_f32(half);
    }
}

static void unpack_s16(const struct den_packed *packed, const unsigned char *panel, size_t o,
                       float *out)
{
    float scale = f32_at(panel + packed->in / 2 * DEN_LINE_BYTES + o * sizeof(float));
    size_t k;

    for (k = 0; k < packed->in; k++) {
        int16_t code;

        memcpy(&code, panel + k / 2 * DEN_LINE_BYTES + 4 * o + 2 * (k % 2), sizeof code);
        out[k] = scale * (float)code;
    }
}

static void unpack_q4(const unsigned char *group, bool minima, size_t o, float *out)
{
    float d = f16_at(group + DEN_Q4_SCALES_AT + 2 * o);
    size_t k;

    for (k = 0; k < DEN_GROUP; k++) {
        int q = nibble_at(group, o, k);

        out[k] =
            minima ? d * (float)q + f16_at(group + DEN_Q4_MINIMA_AT + 2 * o) : d * (float)(q - 8);
    }
}

static void unpack_q4_k(const unsigned char *unit, size_t o, float *out)
{
    float d = f16_at(unit + DEN_Q4_K_D_AT + 2 * o);
    float dmin = f16_at(unit + DEN_Q4_K_DMIN_AT + 2 * o);
    size_t k;

    for (k = 0; k < DEN_SUPER_GROUP; k++) {
        size_t g = k / DEN_GROUP;
        const unsigned char *lines = unit + DEN_Q4_K_LINES_AT + g * DEN_Q4_LINES_BYTES;
        float scale = unit[DEN_Q4_K_SCALES_AT + g * DEN_PANEL + o];
        float minimum = unit[DEN_Q4_K_MINIMA_AT + g * DEN_PANEL + o];

        out[k] = d * scale * (float)nibble_at(lines, o, k % DEN_GROUP) - dmin * minimum;
    }
}

static void unpack_q8(const unsigned char *group, size_t o, float *out)
{
    float d = f16_at(group + DEN_Q8_SCALES_AT + 2 * o);
    size_t k;

    for (k = 0; k < DEN_GROUP; k++)
        out[k] = d * (float)code_at(group, o, k);
}

static void unpack_q8_k(const unsigned char *unit, size_t o, float *out)
{
    float d = f16_at(unit + DEN_Q8_K_D_AT + 2 * o);
    size_t k;

    for (k = 0; k < DEN_SUPER_GROUP; k++) {
        size_t h = k / DEN_HALF_GROUP;
        float step = (int8_t)unit[DEN_Q8_K_SCALES_AT + h * DEN_PANEL + o];

        out[k] = d * step *
                 (float)code_at(unit + DEN_Q8_K_LINES_AT + h * DEN_Q8_K_HALF_BYTES, o,
                                k % DEN_HALF_GROUP);
    }
}

static void unpack_q8_16(const unsigned char *half, size_t o, float *out)
{
    float scale = f32_at(half + DEN_Q8_16_SCALES_AT + 4 * o);
    float minimum = f32_at(half + DEN_Q8_16_MINIMA_AT + 4 * o);
    size_t k;

    for (k = 0; k < DEN_HALF_GROUP; k++)
        out[k] = scale * (float)code_at(half, o, k) + minimum;
}

void den_packed_row_to_f32(const struct den_packed *packed, size_t row, float *out)
{
    const unsigned char *panel = packed->data + row / DEN_PANEL * packed->panel_bytes;
    size_t o = row % DEN_PANEL;
    size_t k;

    switch (packed->format) {
    case DEN_PACK_S16:
        unpack_s16(packed, panel, o, out);
        break;
    case DEN_PACK_Q4:
        for (k = 0; k < packed->in; k += DEN_GROUP)
            unpack_q4(panel + k / DEN_GROUP * DEN_Q4_BYTES, false, o, out + k);
        break;
    case DEN_PACK_Q4_MIN:
        for (k = 0; k < packed->in; k += DEN_GROUP)
            unpack_q4(panel + k / DEN_GROUP * DEN_Q4_MIN_BYTES, true, o, out + k);
        break;
    case DEN_PACK_Q4_K:
        for (k = 0; k < packed->in; k += DEN_SUPER_GROUP)
            unpack_q4_k(panel + k / DEN_SUPER_GROUP * DEN_Q4_K_BYTES, o, out + k);
        break;
    case DEN_PACK_Q8:
        for (k = 0; k < packed->in; k += DEN_GROUP)
            unpack_q8(panel + k / DEN_GROUP * DEN_Q8_BYTES, o, out + k);
        break;
    case DEN_PACK_Q8_K:
        for (k = 0; k < packed->in; k += DEN_SUPER_GROUP)
            unpack_q8_k(panel + k / DEN_SUPER_GROUP * DEN_Q8_K_BYTES, o, out + k);
        break;
    case DEN_PACK_Q8_16:
        for (k = 0; k < packed->in; k += DEN_HALF_GROUP)
            unpack_q8_16(panel + k / DEN_HALF_GROUP * DEN_Q8_16_HALF_BYTES, o, out + k);
        break;
    default:
        unpack_plain(packed, panel, o, out);
    }
}
