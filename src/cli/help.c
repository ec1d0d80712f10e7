/* See help.h. */
#include "cli/help.h"

#include <string.h>

static const char about[] =
    "Den runs language models on your own machine: chat in a browser page or the terminal, or "
    "point any OpenAI client at it. Nothing leaves the machine.";

/* "--temperature T", with its letter in front where it has one. */
static void print_option_name(const struct den_option *option, FILE *out)
{
    if (option->letter)
        fprintf(out, "-%c, ", option->letter);
    fprintf(out, "--%s", option->name);
    if (option->kind != DEN_OPTION_FLAG)
        fprintf(out, " %s", option->choices ? option->choices : option->value);
}

static int option_width(const struct den_option *option)
{
    int width = (int)strlen(option->name) + 2 + (option->letter ? 4 : 0);

    if (option->kind != DEN_OPTION_FLAG)
        width += 1 + (int)strlen(option->choices ? option->choices : option->value);
    return width;
}

/* Prints `text` wrapped at 100 columns; continuation lines start at column `indent`. */
static void print_wrapped(const char *text, int column, int indent, FILE *out)
{
    bool line_start = true;

    while (*text) {
        size_t word = strcspn(text, " \n");

        if (!line_start && column + 1 + (int)word > 100) {
            fprintf(out, "\n%*s", indent, "");
            column = indent;
        } else if (!line_start) {
            fputc(' ', out);
            column++;
        }
        fprintf(out, "%.*s", (int)word, text);
        column += (int)word;
        text += word;
        line_start = *text == '\n';
        if (line_start) {
            fprintf(out, "\n%*s", indent, "");
            column = indent;
        }
        text += *text != '\0';
    }
    fputc('\n', out);
}

void den_help_overview(FILE *out)
{
    size_t i;

    fprintf(out, "den %s - a local AI desktop environment\n\n", DEN_VERSION);
    print_wrapped(about, 0, 0, out);
    fprintf(out, "\nUsage: den VERB [OPTIONS] [OPERANDS]\n\n");
    for (i = 0; den_verbs[i]; i++)
        fprintf(out, "  %-12s %s\n", den_verbs[i]->name, den_verbs[i]->summary);
    fprintf(
        out,
        "\n'den help VERB' explains one. 'den serve' starts the page at http://127.0.0.1:4327\n");
}

void den_help_verb(const struct den_verb *verb, FILE *out)
{
    enum { COLUMN = 34 };
    size_t i;

    fprintf(out, "den %s - %s\n\nUsage: den %s%s%s%s\n\n", verb->name, verb->summary, verb->name,
            verb->option_count ? " [OPTIONS]" : "", *verb->operands ? " " : "", verb->operands);
    print_wrapped(verb->description, 0, 0, out);
    if (verb->option_count)
        fprintf(out, "\nOptions:\n");
    for (i = 0; i < verb->option_count; i++) {
        const struct den_option *option = &verb->options[i];
        int column = 2 + option_width(option);

        fprintf(out, "  ");
        print_option_name(option, out);
        if (column >= COLUMN - 1) {
            fputc('\n', out);
            column = 0;
        }
        fprintf(out, "%*s", COLUMN - column, "");
        print_wrapped(option->help, COLUMN, COLUMN, out);
        if (option->fallback && option->kind != DEN_OPTION_FLAG)
            fprintf(out, "%*s[default: %s]\n", COLUMN, "", option->fallback);
    }
    if (verb->configurable)
        fprintf(out, "\nEvery option can also be set as DEN_NAME in the environment or \"name\" in "
                     "~/.config/den/config.json.\n");
    if (*verb->examples)
        fprintf(out, "\nExamples:\n%s", verb->examples);
}

static void print_markdown_verb(const struct den_verb *verb, FILE *out)
{
    size_t i;

    fprintf(out, "\n## den %s\n\n%s.\n\n```\nden %s%s%s%s\n```\n\n%s\n", verb->name, verb->summary,
            verb->name, verb->option_count ? " [OPTIONS]" : "", *verb->operands ? " " : "",
            verb->operands, verb->description);
    if (verb->option_count)
        fprintf(out, "\n| option | meaning | default |\n|---|---|---|\n");
    for (i = 0; i < verb->option_count; i++) {
        const struct den_option *option = &verb->options[i];
        const char *at;

        fprintf(out, "| `");
        if (option->letter)
            fprintf(out, "-%c, ", option->letter);
        fprintf(out, "--%s", option->name);
        if (option->kind != DEN_OPTION_FLAG) {
            fputc(' ', out);
            for (at = option->choices ? option->choices : option->value; *at; at++)
                fprintf(out, *at == '|' ? "\\|" : "%c", *at);
        }
        fprintf(out, "` | %s | %s |\n", option->help,
                option->fallback && option->kind != DEN_OPTION_FLAG ? option->fallback : "");
    }
    if (*verb->examples)
        fprintf(out, "\n```sh\n%s```\n", verb->examples);
}

void den_help_markdown(FILE *out)
{
    size_t i;

    fprintf(out, "# Command line\n\nMade by `den help --markdown`; do not edit.\n\n%s\n", about);
    for (i = 0; den_verbs[i]; i++)
        print_markdown_verb(den_verbs[i], out);
}

/* roff treats backslashes, leading dots and hyphens specially. */
static void print_roff(const char *text, FILE *out)
{
    bool line_start = true;

    for (; *text; text++) {
        if (line_start && (*text == '.' || *text == '\''))
            fputs("\\&", out);
        if (*text == '\\')
            fputs("\\e", out);
        else if (*text == '-')
            fputs("\\-", out);
        else
            fputc(*text, out);
        line_start = *text == '\n';
    }
}

static void print_man_verb(const struct den_verb *verb, FILE *out)
{
    size_t i;

    fprintf(out, ".SS den %s %s\n", verb->name, verb->operands);
    print_roff(verb->description, out);
    fputc('\n', out);
    for (i = 0; i < verb->option_count; i++) {
        const struct den_option *option = &verb->options[i];

        fprintf(out, ".TP\n.B ");
        if (option->letter)
            fprintf(out, "\\-%c, ", option->letter);
        fprintf(out, "\\-\\-");
        print_roff(option->name, out);
        if (option->kind != DEN_OPTION_FLAG)
            fprintf(out, " %s", option->choices ? option->choices : option->value);
        fputc('\n', out);
        print_roff(option->help, out);
        if (option->fallback && option->kind != DEN_OPTION_FLAG)
            fprintf(out, " Default: %s.", option->fallback);
        fputc('\n', out);
    }
}

void den_help_man(FILE *out)
{
    size_t i;

    fprintf(out,
            ".TH DEN 1 \"\" \"den %s\"\n.SH NAME\nden \\- a local AI desktop environment\n"
            ".SH SYNOPSIS\n.B den\nVERB [OPTIONS] [OPERANDS]\n.SH DESCRIPTION\n",
            DEN_VERSION);
    print_roff(about, out);
    fprintf(out, "\n.SH VERBS\n");
    for (i = 0; den_verbs[i]; i++)
        print_man_verb(den_verbs[i], out);
    fprintf(out, ".SH FILES\n.TP\n.I $DEN_HOME\nmodels and data; by default ~/.local/share/den\n"
                 ".TP\n.I ~/.config/den/config.json\nsettings of den serve\n");
}

static void print_words(const struct den_verb *verb, FILE *out)
{
    size_t i;

    for (i = 0; i < verb->option_count; i++)
        fprintf(out, "--%s ", verb->options[i].name);
    fprintf(out, "--help");
}

static void print_bash(FILE *out)
{
    size_t i;

    fprintf(out, "_den() {\n  local word=\"${COMP_WORDS[COMP_CWORD]}\" words=\"\"\n"
                 "  if [ \"$COMP_CWORD\" = 1 ]; then words=\"");
    for (i = 0; den_verbs[i]; i++)
        fprintf(out, "%s ", den_verbs[i]->name);
    fprintf(out, "\"\n  else case \"${COMP_WORDS[1]}\" in\n");
    for (i = 0; den_verbs[i]; i++) {
        fprintf(out, "    %s) words=\"", den_verbs[i]->name);
        print_words(den_verbs[i], out);
        fprintf(out, "\";;\n");
    }
    fprintf(
        out,
        "  esac; fi\n  case \"$word\" in -*|'') COMPREPLY=($(compgen -W \"$words\" -- "
        "\"$word\"));;\n"
        "  *) if [ \"$COMP_CWORD\" = 1 ]; then COMPREPLY=($(compgen -W \"$words\" -- \"$word\"));\n"
        "     else COMPREPLY=($(compgen -f -- \"$word\")); fi;;\n  esac\n}\n"
        "complete -F _den den\n");
}

static void print_fish(FILE *out)
{
    size_t i;
    size_t j;

    for (i = 0; den_verbs[i]; i++) {
        const struct den_verb *verb = den_verbs[i];

        fprintf(out, "complete -c den -n __fish_use_subcommand -a %s -d '%s'\n", verb->name,
                verb->summary);
        for (j = 0; j < verb->option_count; j++)
            fprintf(out, "complete -c den -n '__fish_seen_subcommand_from %s' -l %s%s\n",
                    verb->name, verb->options[j].name,
                    verb->options[j].kind == DEN_OPTION_FLAG ? "" : " -r");
    }
}

enum den_status den_help_completion(const char *shell, FILE *out, struct den_error *err)
{
    if (strcmp(shell, "bash") == 0) {
        print_bash(out);
    } else if (strcmp(shell, "zsh") == 0) {
        fprintf(out, "autoload -U +X bashcompinit && bashcompinit\n");
        print_bash(out);
    } else if (strcmp(shell, "fish") == 0) {
        print_fish(out);
    } else {
        return den_fail(err, DEN_INVALID, "completion: '%s' is not one of bash, zsh, fish", shell);
    }
    return DEN_OK;
}
