/* What a step costs by its number of rows, as measured while it runs.
 *
 * Reading the weights is most of a step of one row, and a second row shares it: by how much depends
 * on the model, the instruction set, the memory, and on who else uses the machine. So costs are
 * learned from the steps that are taken anyway, in two parts with two speeds: the `unit`, what a
 * row alone costs in seconds, follows the machine's load and the depth within tens of steps;
 * the shape, what a step of n rows costs in units, follows slowly. Choices depend on the shape
 * alone, so a busy neighbour, who makes all steps slower, changes none. */
#ifndef DEN_ENGINE_STEP_COSTS_H
#define DEN_ENGINE_STEP_COSTS_H

#include <stddef.h>
#include <stdint.h>

enum { DEN_COSTED_ROWS_MAX = 64 };

struct den_step_costs {
    double unit;                            /* seconds; 0: nothing is known */
    double shape[DEN_COSTED_ROWS_MAX + 1];  /* of steps of n rows, in units, where seen */
    uint32_t seen[DEN_COSTED_ROWS_MAX + 1]; /* steps of n rows */
};

/* Takes the time of a step of `rows` rows, each with logits; others than 1 to DEN_COSTED_ROWS_MAX
 * are ignored. */
void den_step_costs_learn(struct den_step_costs *costs, size_t rows, double seconds);
/* In units; 1 for one row. Rows that have not been seen are judged by those that have. */
double den_step_costs_estimate(const struct den_step_costs *costs, size_t rows);

#endif
