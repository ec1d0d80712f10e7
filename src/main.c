/* den: finds the verb, parses its arguments, runs it. Errors are printed here, once, with their
 * exit code. The same program is also what a worker's or a reader's process runs; who that is, is
 * asked first. */
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "cli/help.h"
#include "cli/verb.h"
#include "desk/reading_process.h"
#include "guard/sandbox.h"
#include "guard/sandbox_program.h"
#include "worker/process.h"

static int report(const struct den_error *err)
{
    fprintf(stderr, "den: %s\n", err->message);
    return den_status_exit(err->status);
}

static int run_verb(const struct den_verb *verb, int argc, char **argv)
{
    struct den_error err = { 0 };
    struct den_arguments *arguments = NULL;
    int code = 0;

    if (den_arguments_parse(verb, argc, argv, &arguments, &err) != DEN_OK)
        return report(&err);
    if (den_arguments_want_help(arguments))
        den_help_verb(verb, stdout);
    else if (verb->run(arguments, &err) != DEN_OK)
        code = report(&err);
    den_arguments_destroy(arguments);
    if (fflush(stdout) != 0 && code == 0) {
        perror("den: standard output");
        code = den_status_exit(DEN_IO);
    }
    return code;
}

int main(int argc, char **argv)
{
    const char *name = argc > 1 ? argv[1] : "help";
    const struct den_verb *verb;

    den_sandbox_answer_probe(argc, argv);
    den_sandbox_become_program(argc, argv);
    den_worker_serve_if_asked(argc, argv);
    den_reading_serve_if_asked(argc, argv);
    signal(SIGPIPE, SIG_IGN);
    if (strcmp(name, "--version") == 0 || strcmp(name, "-V") == 0) {
        printf("den %s\n", DEN_VERSION);
        return 0;
    }
    if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0)
        name = "help";
    verb = den_verb_find(name);
    if (!verb) {
        fprintf(stderr, "den: there is no verb '%s'; 'den help' lists them\n", name);
        return den_status_exit(DEN_INVALID);
    }
    return run_verb(verb, argc > 2 ? argc - 2 : 0, argv + 2);
}
