/* Parsing of verbs' arguments: where values come from, and what is refused. */
#include "test.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/verb.h"

static const struct den_option options[] = {
    { .name = "level",
      .letter = 'l',
      .kind = DEN_OPTION_INTEGER,
      .value = "N",
      .fallback = "3",
      .minimum = -5,
      .maximum = 10 },
    { .name = "ratio", .kind = DEN_OPTION_NUMBER, .value = "R", .minimum = 0, .maximum = 1 },
    { .name = "word", .letter = 'w', .kind = DEN_OPTION_TEXT, .value = "W" },
    { .name = "mode", .kind = DEN_OPTION_TEXT, .value = "M", .choices = "fast|slow" },
    { .name = "loud", .kind = DEN_OPTION_FLAG },
};

static struct den_verb verb = {
    .name = "try",
    .operands = "FILE...",
    .operands_min = 0,
    .operands_max = 2,
    .options = options,
    .option_count = sizeof options / sizeof options[0],
};

/* Parses a NULL-terminated list; NULL and the error when refused. */
static struct den_arguments *parse(struct den_error *err, char **argv)
{
    struct den_arguments *arguments = NULL;
    int argc = 0;

    *err = (struct den_error){ 0 };
    while (argv[argc])
        argc++;
    if (den_arguments_parse(&verb, argc, argv, &arguments, err) != DEN_OK)
        assert_null(arguments);
    return arguments;
}
#define PARSE(err, ...) parse(err, (char *[]){ __VA_ARGS__, NULL })

static void reads_every_form(void **state)
{
    struct den_error err;
    const char *const *words;
    struct den_arguments *a = PARSE(&err, "--level=-4", "one", "--ratio", "0.5", "-wx", "-w", "y",
                                    "--loud", "--mode", "slow", "--", "--two");

    assert_non_null(a);
    assert_int_equal(den_argument_integer(a, "level"), -4);
    assert_true(den_argument_number(a, "ratio") == 0.5);
    assert_int_equal(den_argument_all(a, "word", &words), 2);
    assert_string_equal(words[0], "x");
    assert_string_equal(den_argument_text(a, "word"), "y");
    assert_true(den_argument_flag(a, "loud"));
    assert_int_equal(den_operand_count(a), 2);
    assert_string_equal(den_operand(a, 1), "--two");
    assert_null(den_operand(a, 2));
    den_arguments_destroy(a);
}

static void defaults_are_not_given(void **state)
{
    struct den_error err;
    struct den_arguments *a = PARSE(&err, "-");

    assert_non_null(a);
    assert_int_equal(den_argument_integer(a, "level"), 3);
    assert_false(den_argument_given(a, "level"));
    assert_true(isnan(den_argument_number(a, "ratio")));
    assert_null(den_argument_text(a, "mode"));
    assert_false(den_argument_flag(a, "loud"));
    assert_string_equal(den_operand(a, 0), "-");
    den_arguments_destroy(a);
}

static void refuses_with_the_cause(void **state)
{
    static const struct {
        char *line[4];
        const char *cause;
    } cases[] = {
        { { "--level", "11" }, "between -5 and 10" },
        { { "--level", "1.5" }, "whole number" },
        { { "--level", "" }, "whole number" },
        { { "--level" }, "needs a value" },
        { { "--ratio", "inf" }, "number" },
        { { "--mode", "fas" }, "fast|slow" },
        { { "--mode", "fast|slow" }, "fast|slow" },
        { { "--lou" }, "no option '--lou'" },
        { { "--loud=yes" }, "no value" },
        { { "-x" }, "no option '-x'" },
        { { "a", "b", "c" }, "one operand too many" },
    };
    size_t i;

    for (i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct den_error err;

        assert_null(parse(&err, (char **)cases[i].line));
        assert_int_equal(err.status, DEN_INVALID);
        if (!strstr(err.message, cases[i].cause))
            fail_msg("'%s' lacks '%s'", err.message, cases[i].cause);
    }
}

static void help_needs_no_operands(void **state)
{
    struct den_error err;
    struct den_arguments *a;

    verb.operands_min = 2;
    a = PARSE(&err, "--help");
    verb.operands_min = 0;
    assert_non_null(a);
    assert_true(den_arguments_want_help(a));
    den_arguments_destroy(a);
}

static void write_config(const char *folder, const char *text)
{
    char path[512];
    FILE *file;

    snprintf(path, sizeof path, "%s/den", folder);
    mkdir(path, 0700);
    snprintf(path, sizeof path, "%s/den/config.json", folder);
    file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static void line_beats_environment_beats_file(void **state)
{
    char folder[] = "/tmp/den-test-XXXXXX";
    struct den_error err;
    struct den_arguments *a;

    assert_non_null(mkdtemp(folder));
    setenv("XDG_CONFIG_HOME", folder, 1);
    write_config(folder, "{\"level\": 7, \"ratio\": 0.25, \"loud\": true, \"word\": \"w\"}");
    setenv("DEN_RATIO", "0.75", 1);
    verb.configurable = true;
    a = PARSE(&err, "--word", "line");
    assert_non_null(a);
    assert_int_equal(den_argument_integer(a, "level"), 7);
    assert_true(den_argument_number(a, "ratio") == 0.75);
    assert_string_equal(den_argument_text(a, "word"), "line");
    assert_true(den_argument_flag(a, "loud"));
    den_arguments_destroy(a);
    write_config(folder, "{\"level\": 70}");
    assert_null(PARSE(&err, "x"));
    assert_non_null(strstr(err.message, "between"));
    write_config(folder, "{\"level\": ");
    assert_null(PARSE(&err, "x"));
    assert_non_null(strstr(err.message, "config.json"));
    verb.configurable = false;
    unsetenv("DEN_RATIO");
    unsetenv("XDG_CONFIG_HOME");
}

int cli_test_arguments(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_every_form),
        cmocka_unit_test(defaults_are_not_given),
        cmocka_unit_test(refuses_with_the_cause),
        cmocka_unit_test(help_needs_no_operands),
        cmocka_unit_test(line_beats_environment_beats_file),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
