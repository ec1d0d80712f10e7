/* What verbs need that work on all of Den's home: database and originals, opened together. */
#ifndef DEN_CLI_HOME_FILES_H
#define DEN_CLI_HOME_FILES_H

#include "cli/thread_files.h"

struct den_originals;

struct den_cli_home {
    char path[DEN_PATH_BYTES_MAX]; /* of the home */
    struct den_cli_threads files;
    struct den_originals *originals;
};
enum den_status den_cli_home_open(struct den_cli_home *out, struct den_error *err);
void den_cli_home_close(struct den_cli_home *home);

#endif
