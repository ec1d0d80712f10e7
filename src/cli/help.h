/* Everything people read about the verbs, printed from the tables of verb.h. */
#ifndef DEN_CLI_HELP_H
#define DEN_CLI_HELP_H

#include <stdio.h>

#include "cli/verb.h"

void den_help_overview(FILE *out);
void den_help_verb(const struct den_verb *verb, FILE *out);
/* The reference in Markdown (docs/CLI.md), the manual page in roff, completion for "bash", "zsh" or
 * "fish". */
void den_help_markdown(FILE *out);
void den_help_man(FILE *out);
enum den_status den_help_completion(const char *shell, FILE *out, struct den_error *err);

#endif
