/* Whether a set's scans are right on this machine; kernels/self_check.h says why that is asked. */
#include "kernels/scan.h"

#include <math.h>
#include <string.h>

enum { ROWS = 5, STRIDE = 2 * DEN_SCAN_ALIGNMENT, WIDTH = 100 };

static const float TOLERANCE = 1e-4f; /* of sums of some hundreds */

struct bench {
    int8_t query[STRIDE], rows[ROWS * STRIDE];
    float floats[STRIDE];
    uint16_t halves[WIDTH];
};

static void fill(struct bench *bench)
{
    uint64_t state = 3;
    size_t i;

    memset(bench, 0, sizeof *bench);
    for (i = 0; i < ROWS * STRIDE; i++) {
        state = state * 6364136223846793005u + 1442695040888963407u;
        bench->rows[i] = (int8_t)((int)(state >> 40) % 255 - 127);
        if (i < STRIDE) {
            bench->query[i] = (int8_t)(i % 3 ? (int)(state >> 50) % 255 - 127 : 127);
            bench->floats[i] = (float)((int)(state >> 45) % 2001 - 1000) / 1000;
        }
        if (i < WIDTH)
            bench->halves[i] = (uint16_t)(0x2800 | (state >> 33 & 0x8fff)); /* 0.03 to 2 */
    }
}

static bool near(float a, float b)
{
    return fabsf(a - b) <= TOLERANCE * fmaxf(fabsf(a), 100);
}

bool den_scan_kernels_agree(const struct den_scan_kernels *trusted,
                            const struct den_scan_kernels *candidate)
{
    struct bench bench;
    int32_t sums[2][ROWS];

    fill(&bench);
    if (candidate->dot_i8 != trusted->dot_i8) {
        trusted->dot_i8(bench.query, bench.rows, ROWS, STRIDE, sums[0]);
        candidate->dot_i8(bench.query, bench.rows, ROWS, STRIDE, sums[1]);
        if (memcmp(sums[0], sums[1], sizeof sums[0]) != 0)
            return false;
    }
    if (candidate->dot_f32_i8 != trusted->dot_f32_i8 &&
        !near(trusted->dot_f32_i8(bench.floats, bench.rows, STRIDE),
              candidate->dot_f32_i8(bench.floats, bench.rows, STRIDE)))
        return false;
    return candidate->dot_f32_f16 == trusted->dot_f32_f16 ||
           near(trusted->dot_f32_f16(bench.floats, bench.halves, WIDTH),
                candidate->dot_f32_f16(bench.floats, bench.halves, WIDTH));
}
