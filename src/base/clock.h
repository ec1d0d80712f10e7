/* Time: a monotonic clock for durations, wall time for stamps. */
#ifndef DEN_BASE_CLOCK_H
#define DEN_BASE_CLOCK_H

#include <stdint.h>

/* Seconds since an arbitrary start, never going back. */
double den_clock_seconds(void);
/* Seconds since 1970-01-01 UTC. */
int64_t den_clock_unix(void);
/* Milliseconds since then. */
int64_t den_clock_unix_ms(void);

#endif
