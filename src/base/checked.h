/* Arithmetic on sizes that come from outside. Each returns false on overflow and then leaves *out
 * untouched. */
#ifndef DEN_BASE_CHECKED_H
#define DEN_BASE_CHECKED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

static inline bool den_checked_add(size_t a, size_t b, size_t *out)
{
    size_t sum;

    if (__builtin_add_overflow(a, b, &sum))
        return false;
    *out = sum;
    return true;
}

static inline bool den_checked_multiply(size_t a, size_t b, size_t *out)
{
    size_t product;

    if (__builtin_mul_overflow(a, b, &product))
        return false;
    *out = product;
    return true;
}

/* Rounds `value` up to a multiple of `alignment`, a power of two. */
static inline bool den_checked_align(size_t value, size_t alignment, size_t *out)
{
    size_t raised;

    if (!den_checked_add(value, alignment - 1, &raised))
        return false;
    *out = raised & ~(alignment - 1);
    return true;
}

/* True where [offset, offset + length) lies inside [0, total). */
static inline bool den_checked_range(size_t offset, size_t length, size_t total)
{
    return offset <= total && length <= total - offset;
}

#endif
