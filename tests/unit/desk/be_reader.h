/* Real reader processes for unit tests. A reader is this same program started with the argument
 * "reader"; the test driver knows nothing of that, so a constructor looks before main() does.
 * Included by one test file. */
#ifndef DEN_TESTS_UNIT_DESK_BE_READER_H
#define DEN_TESTS_UNIT_DESK_BE_READER_H

#include "desk/reading_process.h"

__attribute__((constructor)) static void be_a_reader_if_asked(int argc, char **argv)
{
    den_reading_serve_if_asked(argc, argv);
}

#endif
