/* The documents of $DEN_HOME, opened by a verb that asks them, with the models for it. */
#ifndef DEN_CLI_ASKED_DOCUMENTS_H
#define DEN_CLI_ASKED_DOCUMENTS_H

#include "cli/thread_files.h"
#include "desk/retrieval.h"
#include "desk/roster.h"

struct den_cli_documents {
    struct den_cli_threads files;
    struct den_roster *roster;
    struct den_space *space;
    struct den_retrieval *retrieval;
};
/* `model` NULL: the default one. No model is loaded before it is needed. */
enum den_status den_cli_documents_open(const char *model, struct den_cli_documents *out,
                                       struct den_error *err);
void den_cli_documents_close(struct den_cli_documents *open);

#endif
