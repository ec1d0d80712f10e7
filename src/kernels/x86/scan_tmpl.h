/* The products of f32 with codes or halves, for any width of lanes: a set's file includes its lanes
 * (lanes_*.h) and then this. The contract is kernels/scan.h; four sums at a time hide the latency
 * of an addition. */

static float dot_f32_i8(const float *query, const int8_t *codes, size_t stride)
{
    lanes sums[4] = { all_of(0), all_of(0), all_of(0), all_of(0) };
    size_t i, j;

    for (i = 0; i < stride; i += 4 * LANES)
        for (j = 0; j < 4; j++)
            sums[j] =
                fused(load(query + i + j * LANES), load_bytes(codes + i + j * LANES), sums[j]);
    return sum_of(add(add(sums[0], sums[1]), add(sums[2], sums[3])));
}

static float dot_f32_f16(const float *query, const uint16_t *row, size_t width)
{
    lanes sums[4] = { all_of(0), all_of(0), all_of(0), all_of(0) };
    size_t i = 0, j;

    for (; i + 4 * LANES <= width; i += 4 * LANES)
        for (j = 0; j < 4; j++)
            sums[j] = fused(load(query + i + j * LANES), load_half(row + i + j * LANES), sums[j]);
    for (; i + LANES <= width; i += LANES)
        sums[0] = fused(load(query + i), load_half(row + i), sums[0]);
    if (i < width)
        sums[1] = fused(load_some(query + i, width - i, all_of(0)),
                        load_half_some(row + i, width - i), sums[1]);
    return sum_of(add(add(sums[0], sums[1]), add(sums[2], sums[3])));
}
