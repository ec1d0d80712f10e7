/* Sums of exponentials over a vocabulary, four lanes at a time, the same on every machine.
 *
 * libm's expf differs in its last bit between processors (it has variants with and without fused
 * multiply-add), which would make a seed mean different tokens. This one is plain IEEE single
 * arithmetic in a fixed order: Cody and Waite's range reduction and a polynomial of degree 7;
 * relative error below 2e-7. Compiler vectors (SSE2 or NEON at the least) make one cost about
 * 4 ns. */
#ifndef DEN_TEXT_SAMPLER_MATH_H
#define DEN_TEXT_SAMPLER_MATH_H

#include <stddef.h>

/* exp(x) for x <= 0; 0 below -87. */
float den_exp_negative(float x);
/* The largest of `values`; NaNs are passed over; -INFINITY when there is none. */
float den_values_max(const float *values, size_t count);
/* Sum of exp(value - maximum) over values >= floor; NaNs count as 0. No value may pass `maximum`.
 */
double den_values_exp_sum(const float *values, size_t count, float maximum, float floor);
/* Copies, turning NaN into -INFINITY and +INFINITY into the largest float. */
void den_values_copy_clean(float *to, const float *from, size_t count);

#endif
