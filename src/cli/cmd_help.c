/* den help: all that is written about the verbs, for people, man, Markdown and shells. */
#include "cli/help.h"

static enum den_status run(const struct den_arguments *arguments, struct den_error *err)
{
    const char *name = den_operand(arguments, 0);
    const struct den_verb *verb;

    if (den_argument_flag(arguments, "man"))
        den_help_man(stdout);
    else if (den_argument_flag(arguments, "markdown"))
        den_help_markdown(stdout);
    else if (den_argument_text(arguments, "completion"))
        return den_help_completion(den_argument_text(arguments, "completion"), stdout, err);
    else if (!name)
        den_help_overview(stdout);
    else if ((verb = den_verb_find(name)) != NULL)
        den_help_verb(verb, stdout);
    else
        return den_fail(err, DEN_INVALID, "there is no verb '%s'; 'den help' lists them", name);
    return DEN_OK;
}

static const struct den_option options[] = {
    { .name = "man",
      .kind = DEN_OPTION_FLAG,
      .help = "the manual page, in roff: den help --man | man -l -" },
    { .name = "markdown",
      .kind = DEN_OPTION_FLAG,
      .help = "the reference in Markdown (docs/CLI.md)" },
    { .name = "completion",
      .kind = DEN_OPTION_TEXT,
      .value = "SHELL",
      .choices = "bash|zsh|fish",
      .help = "a completion script: source <(den help --completion bash)" },
};

const struct den_verb den_verb_help = {
    .name = "help",
    .summary = "explain a verb",
    .operands = "[VERB]",
    .operands_max = 1,
    .description = "Without VERB, lists all verbs.",
    .examples = "den help generate\nden help --man | man -l -\n",
    .options = options,
    .option_count = sizeof options / sizeof options[0],
    .run = run,
};
