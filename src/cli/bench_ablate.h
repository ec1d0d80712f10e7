/* `den bench --ablate`: the table of what each fusion, batching, prefix reuse, threads and kernels
 * bring. */
#ifndef DEN_CLI_BENCH_ABLATE_H
#define DEN_CLI_BENCH_ABLATE_H

#include "cli/verb.h"

enum den_status den_cli_bench_ablate(const struct den_arguments *arguments, struct den_error *err);

#endif
