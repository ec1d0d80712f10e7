/* What the interpreter's files without a fixture group of their own do (characters, order, dicts,
 * binding of arguments), and that no group of the fixtures is forgotten. */
#include "template_fixtures.h"

#include "text/jinja_unicode.h"
#include "text/template_limits.h"

static void every_group_has_a_test(void **state)
{
    static const char *const groups[] = {
        "jinja_attribute",      "jinja_exec",   "jinja_filters",      "jinja_filters_list",
        "jinja_filters_markup", "jinja_format", "jinja_globals",      "jinja_lexer",
        "jinja_literal",        "jinja_macro",  "jinja_methods_text", "jinja_operate",
        "jinja_print",          "jinja_tests",  "jinja_time",         "jinja_value"
    };
    json_t *fixture = read_fixture(DEN_FIXTURES "/templates/constructs.json");
    json_t *all = json_object_get(fixture, "groups");
    size_t i;

    assert_int_equal(json_object_size(all), sizeof groups / sizeof groups[0]);
    for (i = 0; i < sizeof groups / sizeof groups[0]; i++)
        assert_non_null(json_object_get(all, groups[i]));
    json_decref(fixture);
}

static void knows_characters(void **state)
{
    uint32_t out[3];

    assert_true(den_jinja_char_is(0x4E2D, JINJA_IS_ALPHA));
    assert_false(den_jinja_char_is(0x1F600, JINJA_IS_ALPHA));
    assert_true(den_jinja_char_is(0x0663, JINJA_IS_DECIMAL));
    assert_true(den_jinja_char_is(0xBD, JINJA_IS_NUMERIC));
    assert_false(den_jinja_char_is(0xBD, JINJA_IS_DIGIT));
    assert_true(den_jinja_char_is(0x200B, JINJA_IS_HIDDEN));
    assert_false(den_jinja_char_is(0x10FFFF + 1, JINJA_IS_ALPHA));
    assert_int_equal(den_jinja_char_case(0xDF, JINJA_TO_UPPER, out), 2);
    assert_int_equal(out[1], 'S');
    assert_int_equal(den_jinja_char_case(0x1C4, JINJA_TO_TITLE, out), 1);
    assert_int_equal(out[0], 0x1C5);
    assert_int_equal(den_jinja_char_case(0x101, JINJA_TO_UPPER, out), 1);
    assert_int_equal(out[0], 0x100);
    assert_int_equal(den_jinja_char_case(0x102, JINJA_TO_UPPER, out), 1);
    assert_int_equal(out[0], 0x102); /* between two small letters of a run with step 2 */
}

static void sorts_stably_and_completely(void **state)
{
    expect_output("{% set ns = namespace(x=1, l=[]) %}{% for i in range(2000) %}"
                  "{% set ns.x = (ns.x * 7919 + 13) % 10007 %}{% set ns.l = ns.l + [ns.x] %}"
                  "{% endfor %}{% set s = ns.l | sort %}{% set ns.bad = 0 %}"
                  "{% for x in s %}{% if loop.previtem is defined and "
                  "loop.previtem > x %}{% set ns.bad = ns.bad + 1 %}{% endif %}{% endfor %}"
                  "{{ s | length }} {{ ns.bad }} {{ s | sum == ns.l | sum }}",
                  "2000 0 True");
    expect_output("{% set rows = [] %}{{ [{'k': 1, 'n': 'a'}, {'k': 0, 'n': 'b'}, "
                  "{'k': 1, 'n': 'c'}, {'k': 0, 'n': 'd'}] | sort(attribute='k') | "
                  "map(attribute='n') | join }} {{ [{'k': 1, 'n': 'a'}, {'k': 0, 'n': 'b'}, "
                  "{'k': 1, 'n': 'c'}, {'k': 0, 'n': 'd'}] | sort(attribute='k', reverse=true) | "
                  "map(attribute='n') | join }}",
                  "bdac acbd");
}

static void finds_every_key_of_a_large_dict(void **state)
{
    expect_output("{% set ns = namespace(pairs=[], wrong=0) %}{% for i in range(1500) %}"
                  "{% set ns.pairs = ns.pairs + [('key' ~ i, i), (i, -i)] %}{% endfor %}"
                  "{% set d = dict(ns.pairs) %}{% for i in range(1500) %}"
                  "{% if d['key' ~ i] != i or d[i] != -i or d[i + 0.0] != -i %}"
                  "{% set ns.wrong = ns.wrong + 1 %}{% endif %}{% endfor %}"
                  "{{ d | length }} {{ ns.wrong }} {{ d.key9999 is defined }}",
                  "3000 0 False");
}

static void names_the_argument_at_fault(void **state)
{
    expect_failure("{{ 'a' | replace('b') }}", DEN_INVALID, "replace: the argument 'new'");
    expect_failure("{{ 'a' | indent('x', nope=1) }}", DEN_INVALID, "width? first? blank?");
    expect_failure("{{ 'a' | truncate('x') }}", DEN_INVALID, "must be an integer, not str");
    expect_failure("{{ 'a'.split(5) }}", DEN_INVALID, "split: argument 1 must be a string");
    expect_failure("{{ 5 | nope }}", DEN_INVALID, "no filter named 'nope'");
    expect_failure("{{ 5 is nope }}", DEN_INVALID, "no test named 'nope'");
}

static void keeps_smaller_limits(void **state)
{
    static const struct den_template_limits few_steps = { .steps_max = 1000,
                                                          .memory_bytes_max = 1 << 20 };
    const char *loop = "{% for i in range(5000) %}{% endfor %}";
    const char *grow = "{% set ns = namespace(x='ab') %}{% for i in range(18) %}"
                       "{% set ns.x = ns.x + ns.x %}{% endfor %}";
    static const struct den_template_limits little_memory = { .steps_max = 1000000,
                                                              .memory_bytes_max = 1 << 18 };
    struct den_template *compiled;
    struct den_error err = { 0 };
    struct den_buffer out;

    den_buffer_init(&out, 1000);
    assert_int_equal(den_template_create(loop, strlen(loop), &compiled, &err), DEN_OK);
    assert_int_equal(den_template_render_limited(compiled, NULL, 0, &few_steps, &out, &err),
                     DEN_TOO_LARGE);
    assert_non_null(strstr(err.message, "1000 steps"));
    den_template_destroy(compiled);
    err = (struct den_error){ 0 };
    assert_int_equal(den_template_create(grow, strlen(grow), &compiled, &err), DEN_OK);
    assert_int_equal(den_template_render_limited(compiled, NULL, 0, &little_memory, &out, &err),
                     DEN_TOO_LARGE);
    assert_non_null(strstr(err.message, "memory"));
    den_template_destroy(compiled);
    den_buffer_deinit(&out);
}

int text_test_jinja(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_group_has_a_test),
        cmocka_unit_test(knows_characters),
        cmocka_unit_test(sorts_stably_and_completely),
        cmocka_unit_test(finds_every_key_of_a_large_dict),
        cmocka_unit_test(names_the_argument_at_fault),
        cmocka_unit_test(keeps_smaller_limits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
