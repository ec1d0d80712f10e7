/* Coarse parts that int8 holds exactly, fine parts that are small, and their sum the input. */
#include "test.h"

#include <math.h>
#include <stdlib.h>

#include "model/split.h"

enum { ROWS = 3, WIDTH = 83 /* two groups and a rest */ };

static void splits_into_grid_and_rest(void **state)
{
    float input[ROWS * WIDTH];
    float output[2 * ROWS * WIDTH];
    size_t row;
    size_t k;
    size_t j;

    srand(3);
    for (k = 0; k < ROWS * WIDTH; k++)
        input[k] = (float)(rand() % 20001 - 10000) / 3000.0f;
    for (k = 32; k < 64; k++)
        input[k] = 0; /* a group of nothing */
    den_split_rows(input, ROWS, WIDTH, output);
    for (row = 0; row < ROWS; row++)
        for (k = 0; k < WIDTH; k++) {
            size_t first = k / 32 * 32;
            float largest = 0;
            float coarse = output[2 * row * WIDTH + k];
            float fine = output[(2 * row + 1) * WIDTH + k];

            for (j = first; j < first + 32 && j < WIDTH; j++)
                largest = fmaxf(largest, fabsf(input[row * WIDTH + j]));
            assert_true(fabsf(coarse + fine - input[row * WIDTH + k]) <= 1e-6f * largest);
            assert_true(fabsf(fine) <= 0.501f * largest / 127);
            if (largest > 0)
                assert_true(fabsf(coarse * 127 / largest - rintf(coarse * 127 / largest)) < 1e-3f);
        }
}

int model_test_split(int argc, char **argv)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(splits_into_grid_and_rest) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
