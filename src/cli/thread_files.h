/* The conversations of $DEN_HOME, opened by a verb. */
#ifndef DEN_CLI_THREAD_FILES_H
#define DEN_CLI_THREAD_FILES_H

#include "cli/verb.h"
#include "desk/threads.h"

struct den_cli_threads {
    struct den_database *database;
    struct den_threads *threads;
};

enum den_status den_cli_threads_open(struct den_cli_threads *out, struct den_error *err);
void den_cli_threads_close(struct den_cli_threads *open);

#endif
