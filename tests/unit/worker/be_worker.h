/* Real worker processes for unit tests. A worker is this same program started with the argument
 * "worker"; the test driver knows nothing of that, so a constructor looks before main() does.
 * Included by one test file. */
#ifndef DEN_TESTS_UNIT_WORKER_BE_WORKER_H
#define DEN_TESTS_UNIT_WORKER_BE_WORKER_H

#include "worker/process.h"

__attribute__((constructor)) static void be_a_worker_if_asked(int argc, char **argv)
{
    den_worker_serve_if_asked(argc, argv);
}

#endif
