/* Parsing of what follows a verb: see verb.h. Long options take "--name value" or "--name=value",
 * letters "-m value" or
 * "-mvalue"; "--" ends options; a lone "-" is an operand (standard input). */
#include "cli/verb.h"

#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/json.h"

struct value {
    const char **items; /* in order of appearance; the last one counts */
    size_t count;
    bool given; /* not from the table's default */
};

struct den_arguments {
    const struct den_verb *verb;
    struct value *values; /* parallel to verb->options */
    const char **operands;
    size_t operand_count;
    json_t *config; /* owns texts taken from config.json */
    bool want_help;
};

static const struct den_option *option_at(const struct den_arguments *arguments, const char *name,
                                          struct value **out_value)
{
    size_t i;

    for (i = 0; i < arguments->verb->option_count; i++)
        if (strcmp(arguments->verb->options[i].name, name) == 0) {
            *out_value = &arguments->values[i];
            return &arguments->verb->options[i];
        }
    return NULL;
}

static enum den_status add_value(struct value *value, const char *text, struct den_error *err)
{
    const char **items = realloc(value->items, (value->count + 1) * sizeof *items);

    if (!items)
        return den_fail(err, DEN_NO_MEMORY, "arguments: out of memory");
    items[value->count] = text;
    value->items = items;
    value->count++;
    return DEN_OK;
}

static bool is_choice(const char *choices, const char *text)
{
    size_t length = strlen(text);

    while (*choices) {
        size_t span = strcspn(choices, "|");

        if (span == length && strncmp(choices, text, span) == 0)
            return true;
        choices += span + (choices[span] == '|');
    }
    return false;
}

/* Checks one value against its table row, so that verbs can trust what they read. */
static enum den_status check_value(const struct den_option *option, const char *text,
                                   struct den_error *err)
{
    double number;
    char *end;

    if (option->choices && !is_choice(option->choices, text))
        return den_fail(err, DEN_INVALID, "--%s: '%s' is not one of %s", option->name, text,
                        option->choices);
    if (option->kind != DEN_OPTION_INTEGER && option->kind != DEN_OPTION_NUMBER)
        return DEN_OK;
    errno = 0;
    number =
        option->kind == DEN_OPTION_INTEGER ? (double)strtoll(text, &end, 10) : strtod(text, &end);
    if (end == text || *end != '\0' || errno != 0 || !isfinite(number))
        return den_fail(err, DEN_INVALID, "--%s: '%s' is not %s", option->name, text,
                        option->kind == DEN_OPTION_INTEGER ? "a whole number" : "a number");
    if (number < option->minimum || number > option->maximum)
        return den_fail(err, DEN_INVALID,
                        "--%s: %s is out of range; it must be between %.15g and %.15g",
                        option->name, text, option->minimum, option->maximum);
    return DEN_OK;
}

static enum den_status unknown_option(const struct den_arguments *arguments, const char *text,
                                      struct den_error *err)
{
    return den_fail(err, DEN_INVALID, "den %s: there is no option '%s'; see den help %s",
                    arguments->verb->name, text, arguments->verb->name);
}

static const struct den_option *find_option(struct den_arguments *arguments, const char *text,
                                            const char **out_inline, struct value **out_value)
{
    size_t i;

    *out_inline = NULL;
    for (i = 0; i < arguments->verb->option_count; i++) {
        const struct den_option *option = &arguments->verb->options[i];
        size_t length = strlen(option->name);

        *out_value = &arguments->values[i];
        if (text[1] == '-' && strncmp(text + 2, option->name, length) == 0 &&
            (text[2 + length] == '\0' || text[2 + length] == '=')) {
            *out_inline = text[2 + length] == '=' ? text + 3 + length : NULL;
            return option;
        }
        if (text[1] != '-' && option->letter && text[1] == option->letter) {
            *out_inline = text[2] ? text + 2 : NULL;
            return option;
        }
    }
    return NULL;
}

static enum den_status parse_option(struct den_arguments *arguments, int argc, char **argv, int *at,
                                    struct den_error *err)
{
    const char *text = argv[*at];
    const char *given;
    struct value *value;
    const struct den_option *option = find_option(arguments, text, &given, &value);

    if (!option)
        return unknown_option(arguments, text, err);
    if (option->kind == DEN_OPTION_FLAG) {
        if (given)
            return den_fail(err, DEN_INVALID, "--%s takes no value", option->name);
        given = "true";
    } else if (!given) {
        if (*at + 1 >= argc)
            return den_fail(err, DEN_INVALID, "--%s needs a value: %s", option->name,
                            option->value);
        given = argv[++*at];
    }
    if (option->kind != DEN_OPTION_FLAG && check_value(option, given, err) != DEN_OK)
        return err->status;
    value->given = true;
    return add_value(value, given, err);
}

static enum den_status parse_all(struct den_arguments *arguments, int argc, char **argv,
                                 struct den_error *err)
{
    bool options_ended = false;
    int i;

    for (i = 0; i < argc; i++) {
        const char *text = argv[i];

        if (!options_ended && strcmp(text, "--") == 0)
            options_ended = true;
        else if (!options_ended && (strcmp(text, "--help") == 0 || strcmp(text, "-h") == 0))
            arguments->want_help = true;
        else if (options_ended || text[0] != '-' || text[1] == '\0')
            arguments->operands[arguments->operand_count++] = text;
        else if (parse_option(arguments, argc, argv, &i, err) != DEN_OK)
            return err->status;
    }
    return DEN_OK;
}

static const char *from_environment(const struct den_option *option)
{
    char name[64] = "DEN_";
    size_t i;

    for (i = 0; option->name[i] && i + 5 < sizeof name; i++)
        name[4 + i] = option->name[i] == '-' ? '_' : (char)toupper((unsigned char)option->name[i]);
    name[4 + i] = '\0';
    return getenv(name);
}

/* A setting of config.json as text; numbers are kept in the object as strings so that one check
 * serves all. */
static const char *from_config(struct den_arguments *arguments, const struct den_option *option)
{
    json_t *value = json_object_get(arguments->config, option->name);
    char number[64];

    if (!value || json_is_null(value))
        return NULL;
    if (json_is_string(value))
        return json_string_value(value);
    if (json_is_boolean(value))
        return json_is_true(value) ? "true" : NULL;
    if (json_is_integer(value))
        snprintf(number, sizeof number, "%lld", (long long)json_integer_value(value));
    else
        snprintf(number, sizeof number, "%.17g", json_number_value(value));
    json_object_set_new(arguments->config, option->name, json_string(number));
    return json_string_value(json_object_get(arguments->config, option->name));
}

static enum den_status load_config(struct den_arguments *arguments, struct den_error *err)
{
    char path[DEN_PATH_BYTES_MAX];
    struct den_error ignored = { 0 };

    if (den_path_config(path, sizeof path, &ignored) != DEN_OK || !den_file_exists(path))
        return DEN_OK;
    if (den_json_read_file(path, &arguments->config, err) != DEN_OK)
        return err->status;
    if (!json_is_object(arguments->config))
        return den_fail(err, DEN_INVALID, "%s: must hold a JSON object, as in {\"port\": 4327}",
                        path);
    return DEN_OK;
}

/* Fills what the command line left open: environment, settings file, default. */
static enum den_status complete(struct den_arguments *arguments, struct den_error *err)
{
    size_t i;

    if (arguments->verb->configurable && load_config(arguments, err) != DEN_OK)
        return err->status;
    for (i = 0; i < arguments->verb->option_count; i++) {
        const struct den_option *option = &arguments->verb->options[i];
        struct value *value = &arguments->values[i];
        const char *text = NULL;

        if (value->count > 0)
            continue;
        if (arguments->verb->configurable) {
            text = from_environment(option);
            if (!text || !*text)
                text = from_config(arguments, option);
            if (text && check_value(option, text, err) != DEN_OK)
                return den_fail_at(err, "from the environment or config.json");
            value->given = text != NULL;
        }
        if (!text)
            text = option->fallback;
        if (text && add_value(value, text, err) != DEN_OK)
            return err->status;
    }
    return DEN_OK;
}

static enum den_status check_operands(const struct den_arguments *arguments, struct den_error *err)
{
    const struct den_verb *verb = arguments->verb;
    int count = (int)arguments->operand_count;

    if (count < verb->operands_min)
        return den_fail(err, DEN_INVALID, "den %s: %s is missing; see den help %s", verb->name,
                        verb->operands, verb->name);
    if (verb->operands_max >= 0 && count > verb->operands_max)
        return den_fail(err, DEN_INVALID,
                        "den %s: '%s' is one operand too many; quote texts that hold spaces",
                        verb->name, arguments->operands[verb->operands_max]);
    return DEN_OK;
}

enum den_status den_arguments_parse(const struct den_verb *verb, int argc, char **argv,
                                    struct den_arguments **out, struct den_error *err)
{
    struct den_arguments *arguments = calloc(1, sizeof *arguments);

    if (!arguments)
        return den_fail(err, DEN_NO_MEMORY, "arguments: out of memory");
    arguments->verb = verb;
    arguments->values = calloc(verb->option_count + 1, sizeof *arguments->values);
    arguments->operands = calloc((size_t)argc + 1, sizeof *arguments->operands);
    if (!arguments->values || !arguments->operands) {
        den_fail(err, DEN_NO_MEMORY, "arguments: out of memory");
        goto fail;
    }
    if (parse_all(arguments, argc, argv, err) != DEN_OK)
        goto fail;
    if (!arguments->want_help &&
        (complete(arguments, err) != DEN_OK || check_operands(arguments, err) != DEN_OK))
        goto fail;
    *out = arguments;
    return DEN_OK;
fail:
    den_arguments_destroy(arguments);
    return err->status;
}

void den_arguments_destroy(struct den_arguments *arguments)
{
    size_t i;

    if (!arguments)
        return;
    for (i = 0; arguments->values && i < arguments->verb->option_count; i++)
        free(arguments->values[i].items);
    free(arguments->values);
    free(arguments->operands);
    json_decref(arguments->config);
    free(arguments);
}

bool den_arguments_want_help(const struct den_arguments *arguments)
{
    return arguments->want_help;
}

static const struct value *value_of(const struct den_arguments *arguments, const char *name)
{
    struct value *value = NULL;
    const struct den_option *option = option_at(arguments, name, &value);

    assert(option);
    (void)option;
    return value;
}

bool den_argument_given(const struct den_arguments *arguments, const char *name)
{
    return value_of(arguments, name)->given;
}

bool den_argument_flag(const struct den_arguments *arguments, const char *name)
{
    const char *text = den_argument_text(arguments, name);

    return text && strcmp(text, "false") != 0 && strcmp(text, "0") != 0;
}

const char *den_argument_text(const struct den_arguments *arguments, const char *name)
{
    const struct value *value = value_of(arguments, name);

    return value->count > 0 ? value->items[value->count - 1] : NULL;
}

int64_t den_argument_integer(const struct den_arguments *arguments, const char *name)
{
    const char *text = den_argument_text(arguments, name);

    return text ? strtoll(text, NULL, 10) : 0;
}

double den_argument_number(const struct den_arguments *arguments, const char *name)
{
    const char *text = den_argument_text(arguments, name);

    return text ? strtod(text, NULL) : NAN;
}

size_t den_argument_all(const struct den_arguments *arguments, const char *name,
                        const char *const **out)
{
    const struct value *value = value_of(arguments, name);

    *out = value->items;
    return value->count;
}

size_t den_operand_count(const struct den_arguments *arguments)
{
    return arguments->operand_count;
}

const char *den_operand(const struct den_arguments *arguments, size_t index)
{
    return index < arguments->operand_count ? arguments->operands[index] : NULL;
}
