/* Verbs as data. Each cmd_NAME.c holds one struct den_verb: its summary, its options with their
 * defaults and bounds, its examples, and the function that runs it. `den help`, `--help`, the man
 * page, the reference in docs/CLI.md and shell completion are all printed from these tables
 * (help.c), so none of them can disagree with what the program accepts.
 *
 * A value is looked for on the command line, then, for verbs marked `configurable`, in the
 * environment (DEN_CPU_FEATURES for
 * --cpu-features), then in config.json ("cpu-features"), then in the table's default. All values
 * are checked against the table before a verb runs. */
#ifndef DEN_CLI_VERB_H
#define DEN_CLI_VERB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

enum den_option_kind { DEN_OPTION_FLAG, DEN_OPTION_TEXT, DEN_OPTION_INTEGER, DEN_OPTION_NUMBER };

struct den_option {
    const char *name; /* without dashes */
    char letter;      /* 0: none */
    enum den_option_kind kind;
    const char *value;    /* what help calls the value: "FILE" */
    const char *fallback; /* the default as text; NULL: absent */
    double minimum, maximum;
    const char *choices; /* "int8|fp32" or NULL */
    const char *help;
};

struct den_arguments;

struct den_verb {
    const char *name;
    const char *summary;  /* one line, no full stop */
    const char *operands; /* "PROMPT" or "" */
    int operands_min;
    int operands_max; /* -1: any number */
    bool configurable;
    const char *description;
    const char *examples; /* lines beginning with "den " */
    const struct den_option *options;
    size_t option_count;
    enum den_status (*run)(const struct den_arguments *arguments, struct den_error *err);
};

/* The table of verbs, in the order help shows them; ends with NULL. */
extern const struct den_verb *const den_verbs[];
const struct den_verb *den_verb_find(const char *name);

/* Parses what follows the verb. `--help` anywhere sets den_arguments_want_help(). */
enum den_status den_arguments_parse(const struct den_verb *verb, int argc, char **argv,
                                    struct den_arguments **out, struct den_error *err);
void den_arguments_destroy(struct den_arguments *arguments);
bool den_arguments_want_help(const struct den_arguments *arguments);

/* By name; asking for an option that the verb's table lacks is a programmer's error. */
bool den_argument_given(const struct den_arguments *arguments,
                        const char *name); /* not by default */
bool den_argument_flag(const struct den_arguments *arguments, const char *name);
const char *den_argument_text(const struct den_arguments *arguments,
                              const char *name); /* NULL: absent */
int64_t den_argument_integer(const struct den_arguments *arguments, const char *name);
double den_argument_number(const struct den_arguments *arguments, const char *name);
/* All values of an option that may be repeated; returns their count. */
size_t den_argument_all(const struct den_arguments *arguments, const char *name,
                        const char *const **out);
size_t den_operand_count(const struct den_arguments *arguments);
const char *den_operand(const struct den_arguments *arguments, size_t index);

#endif
