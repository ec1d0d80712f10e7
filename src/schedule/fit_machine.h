/* What the fit formula needs to know of this machine, and what it learns of it.
 *
 * The read bandwidth is measured a few times, a minute apart or more, and the best is kept in a
 * file ($DEN_HOME/machine.json) with the processor and the cores it was measured for; another
 * processor or count begins anew. The share of it that models reach begins at a figure of our own
 * measurements and is then replaced by the best that this machine's models have been seen to reach
 * (den_fit_machine_learn()). */
#ifndef DEN_SCHEDULE_FIT_MACHINE_H
#define DEN_SCHEDULE_FIT_MACHINE_H

#include "schedule/fit.h"

/* `path` NULL: nothing is kept. A quarter of a second the first time. budget_bytes stays 0. */
enum den_status den_fit_machine_read(const char *path, struct den_fit_machine *out,
                                     struct den_error *err);
/* A model whose tokens read `bytes` each made `tokens_per_s` in one conversation. Writes the file
 * when that is a better share than is known by more than a twentieth. */
enum den_status den_fit_machine_learn(const char *path, double bytes, double tokens_per_s,
                                      struct den_error *err);

#endif
