/* Rendering with bounds of one's own, smaller than those of base/limits.h: for fuzzing, tests. */
#ifndef DEN_TEXT_TEMPLATE_LIMITS_H
#define DEN_TEXT_TEMPLATE_LIMITS_H

#include "text/template.h"

struct den_template_limits {
    size_t steps_max;        /* DEN_TEMPLATE_STEPS_MAX */
    size_t memory_bytes_max; /* DEN_TEMPLATE_MEMORY_BYTES_MAX */
};

enum den_status den_template_render_limited(const struct den_template *compiled,
                                            const json_t *variables, int64_t now,
                                            const struct den_template_limits *limits,
                                            struct den_buffer *out, struct den_error *err);

#endif
