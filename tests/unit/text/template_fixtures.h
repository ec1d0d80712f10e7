/* Cases whose expected output jinja2 made (tests/fixtures/make_templates.py), run by group: each
 * file of the interpreter has a group of its own. */
#ifndef DEN_TESTS_UNIT_TEXT_TEMPLATE_FIXTURES_H
#define DEN_TESTS_UNIT_TEXT_TEMPLATE_FIXTURES_H

#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "text/template.h"

struct template_result {
    enum den_status status;
    struct den_buffer out;
    struct den_error err;
};

static inline struct template_result run_template(const char *source, size_t length,
                                                  const json_t *variables, int64_t now)
{
    struct template_result result = { .status = DEN_OK };
    struct den_template *compiled = NULL;

    setenv("TZ", "UTC", 1);
    den_buffer_init(&result.out, DEN_TEMPLATE_OUTPUT_BYTES_MAX);
    result.status = den_template_create(source, length, &compiled, &result.err);
    if (result.status == DEN_OK)
        result.status = den_template_render(compiled, variables, now, &result.out, &result.err);
    den_template_destroy(compiled);
    return result;
}

/* Whether the result is what `expected` ({"output"} or {"error"}) wants; says what differs. */
static inline bool matches_case(const struct template_result *result, const json_t *expected,
                                const char *name)
{
    const json_t *output = json_object_get(expected, "output");
    const json_t *error = json_object_get(expected, "error");
    bool is_same;

    if (output)
        is_same = result->status == DEN_OK && result->out.length == json_string_length(output) &&
                  memcmp(result->out.data, json_string_value(output), result->out.length) == 0;
    else
        is_same =
            result->status != DEN_OK &&
            (!json_is_string(error) || strcmp(result->err.message, json_string_value(error)) == 0);
    if (!is_same)
        fprintf(stderr, "%s\n  wanted: %s%s\n  got:    %s%s\n", name, output ? "" : "error ",
                output                  ? json_string_value(output)
                : json_is_string(error) ? json_string_value(error)
                                        : "",
                result->status == DEN_OK ? "" : "error ",
                result->status == DEN_OK ? result->out.data : result->err.message);
    return is_same;
}

static inline json_t *read_fixture(const char *path)
{
    struct den_error err = { 0 };
    json_t *fixture = NULL;

    if (den_json_read_file(path, &fixture, &err) != DEN_OK)
        fail_msg("%s", err.message);
    return fixture;
}

static inline void check_group(const json_t *fixture, const char *group)
{
    const json_t *rows = json_object_get(json_object_get(fixture, "groups"), group);
    int64_t now = json_integer_value(json_object_get(fixture, "now"));
    size_t different = 0;
    size_t i;

    assert_true(json_array_size(rows) > 0);
    for (i = 0; i < json_array_size(rows); i++) {
        const json_t *row = json_array_get(rows, i);
        const json_t *source = json_object_get(row, "template");
        const json_t *variables = json_object_get(row, "variables");
        struct template_result result =
            run_template(json_string_value(source), json_string_length(source),
                         variables ? variables : json_object_get(fixture, "variables"), now);

        different += !matches_case(&result, row, json_string_value(source));
        den_buffer_deinit(&result.out);
    }
    assert_int_equal(different, 0);
}

/* All cases of one group of constructs.json. */
static inline void check_constructs(const char *group)
{
    json_t *fixture = read_fixture(DEN_FIXTURES "/templates/constructs.json");

    check_group(fixture, group);
    json_decref(fixture);
}

/* A template without variables that must fail with a message holding `part`. */
static inline void expect_failure(const char *source, enum den_status status, const char *part)
{
    struct template_result result = run_template(source, strlen(source), NULL, 0);

    assert_int_equal(result.status, status);
    if (!strstr(result.err.message, part))
        fail_msg("'%s' does not hold '%s'", result.err.message, part);
    assert_int_equal(result.out.length, 0);
    den_buffer_deinit(&result.out);
}

static inline void expect_output(const char *source, const char *output)
{
    struct template_result result = run_template(source, strlen(source), NULL, 0);

    assert_string_equal(result.err.message, "");
    assert_int_equal(result.status, DEN_OK);
    assert_string_equal(result.out.data, output);
    den_buffer_deinit(&result.out);
}

#endif
