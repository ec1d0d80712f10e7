/* exp, tanh and erfc of vectors, with a relative error below 1e-6 (tests/unit/kernels). Included
 * after a lanes_*.h; no include guard is needed for a template that one file includes once.
 *
 * exp(x) = 2^n exp(r), n = round(x / ln 2), |r| <= ln 2 / 2, and exp(r) = 1 + r + r^2 P(r). The
 * polynomials are minimax fits (iteratively reweighted least squares on Chebyshev nodes, relative
 * error of the function): P to 3e-9, tanh to 4e-9, erfc to 2e-8 before rounding. */

/* Where exp would leave the normal numbers, it stays at the nearest one: 1.2e-38 or 1.7e38. Never
 * infinity, so that x / (1 + exp(-x)) needs no special case. */
static inline lanes exp_lanes(lanes x)
{
    lanes power, rest, square, value;

    x = smaller_of(all_of(88.0f), larger_of(all_of(-87.3f), x)); /* in this order NaN stays NaN */
    power = rounded(multiply(x, all_of(1.44269504f)));
    rest = fused_minus(power, all_of(0.693359375f), x); /* ln 2 in two pieces, the first exact */
    rest = fused_minus(power, all_of(-2.12194440e-4f), rest);
    square = multiply(rest, rest);
    value = fused(rest, all_of(1.395051243e-3f), all_of(8.368902992e-3f));
    value = fused(value, rest, all_of(4.166620548e-2f));
    value = fused(value, rest, all_of(1.666651873e-1f));
    value = fused(value, rest, all_of(5.000000095e-1f));
    value = add(fused(value, square, rest), all_of(1));
    return times_power(value, power);
}

/* Small arguments have a polynomial of their own: the quotient would cancel there. */
static inline lanes tanh_lanes(lanes x)
{
    lanes size = magnitude_of(x), square = multiply(x, x), small, large;

    small = fused(square, all_of(-5.717036547e-3f), all_of(2.065057899e-2f));
    small = fused(small, square, all_of(-5.374349526e-2f));
    small = fused(small, square, all_of(1.333149125e-1f));
    small = fused(small, square, all_of(-3.333328392e-1f));
    small = fused(multiply(small, square), x, x);
    large = exp_lanes(multiply(size, all_of(2)));
    large = subtract(all_of(1), divide(all_of(2), add(large, all_of(1))));
    return if_less(size, all_of(0.625f), small, with_sign(large, x));
}

/* erfc(x) for x >= 0: exp(-x^2) Q(1 / (1 + 0.3 x)). The rounding error of x^2, which exp would
 * magnify, is computed and taken back. */
static inline lanes erfc_lanes(lanes x)
{
    lanes k, square, lost, value;

    x = smaller_of(x, all_of(9.3f)); /* erfc is 2e-39 there */
    k = divide(all_of(1), fused(x, all_of(0.3f), all_of(1)));
    square = multiply(x, x);
    lost = fused_minus(x, x, square); /* square - x * x, exactly */
    value = fused(k, all_of(-1.295231384e-1f), all_of(4.855644140e-1f));
    value = fused(value, k, all_of(-5.122807363e-1f));
    value = fused(value, k, all_of(5.477232690e-1f));
    value = fused(value, k, all_of(-9.465313449e-2f));
    value = fused(value, k, all_of(2.149271695e-1f));
    value = fused(value, k, all_of(1.483388603e-1f));
    value = fused(value, k, all_of(1.707152747e-1f));
    value = fused(value, k, all_of(1.691880021e-1f));
    value = multiply(value, k);
    value = multiply(value, exp_lanes(subtract(all_of(0), square)));
    return fused(value, lost, value);
}
