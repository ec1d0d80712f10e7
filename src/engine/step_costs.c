/* See step_costs.h. */
#include "engine/step_costs.h"

/* A row more in units, while nothing is known: 0.25 was measured with SmolLM2 and AVX-512 VNNI, 0.4
 * with AVX2, less with larger models. */
static const double row_guess = 0.25;
static const double unit_speed = 0.1;   /* about the last ten steps */
static const double shape_speed = 0.04; /* about the last 25 steps of this size, after the first */
static const double outlier = 2;        /* a step that lost its core says little about its rows */

static double at_most(double value, double limit)
{
    return value < limit ? value : limit;
}

static double at_least(double value, double limit)
{
    return value > limit ? value : limit;
}

/* The number of rows nearest below (or above) that has been seen; 0: none. */
static size_t seen_below(const struct den_step_costs *costs, size_t rows)
{
    while (rows > 0 && costs->seen[rows] == 0)
        rows--;
    return rows;
}

static size_t seen_above(const struct den_step_costs *costs, size_t rows)
{
    while (rows <= DEN_COSTED_ROWS_MAX && costs->seen[rows] == 0)
        rows++;
    return rows <= DEN_COSTED_ROWS_MAX ? rows : 0;
}

double den_step_costs_estimate(const struct den_step_costs *costs, size_t rows)
{
    size_t limited = rows <= DEN_COSTED_ROWS_MAX ? rows : DEN_COSTED_ROWS_MAX;
    size_t below, above;

    if (rows <= 1)
        return 1;
    below = seen_below(costs, limited);
    above = seen_above(costs, limited);
    if (below == rows)
        return costs->shape[rows];
    if (below <= 1 && above == 0)
        return 1 + row_guess * (double)(rows - 1);
    if (below == 0)
        below = 1;
    if (above == 0) { /* on the line from one row through the last that was seen */
        double slope = (costs->shape[below] - 1) / (double)(below - 1);

        return 1 + slope * (double)(rows - 1);
    }
    {
        double low = below == 1 ? 1 : costs->shape[below];
        double share = (double)(rows - below) / (double)(above - below);

        return low + share * (costs->shape[above] - low);
    }
}

void den_step_costs_learn(struct den_step_costs *costs, size_t rows, double seconds)
{
    double shape, units, speed;

    if (rows < 1 || rows > DEN_COSTED_ROWS_MAX || seconds <= 0)
        return;
    shape = den_step_costs_estimate(costs, rows);
    if (costs->unit <= 0) {
        costs->unit = seconds / shape;
    } else {
        units = seconds / costs->unit;
        costs->unit += unit_speed * (at_least(at_most(seconds / shape, costs->unit * outlier),
                                              costs->unit / outlier) -
                                     costs->unit);
        if (rows > 1) {
            /* the first few steps of a size are averaged with the guess */
            speed = at_least(1.0 / (costs->seen[rows] + 2.0), shape_speed);
            units = at_least(at_most(units, shape * outlier), shape / outlier);
            costs->shape[rows] = at_least(shape + speed * (units - shape), 1);
        }
    }
    if (rows == 1 || costs->shape[rows] <= 0)
        costs->shape[rows] = shape;
    if (costs->seen[rows] < UINT32_MAX)
        costs->seen[rows]++;
}
