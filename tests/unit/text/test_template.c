/* Templates as a whole: the bounds that a hostile one meets, the messages people read, and
 * templates in the style of shipped models over many conversations, compared with jinja2. */
#include "template_fixtures.h"

#include <pthread.h>

static void stops_runaway_work(void **state)
{
    expect_failure("{% for i in range(10**9) %}x{% endfor %}", DEN_TOO_LARGE, "range");
    expect_failure("{% for i in range(99999) %}{% for j in range(99999) %}{% endfor %}{% endfor %}",
                   DEN_TOO_LARGE, "steps");
    expect_failure("{{ 'a' * 10**9 }}", DEN_TOO_LARGE, "MiB");
    expect_failure("{{ [0] * 10**9 }}", DEN_TOO_LARGE, "memory");
    expect_failure("{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}", DEN_TOO_LARGE, "deeper");
    expect_failure("{{ 9 ** 9 ** 9 ** 9 }}", DEN_INVALID, "64-bit");
    expect_failure("{{ 9223372036854775807 + 1 }}", DEN_INVALID, "64-bit");
    expect_failure("{{ -9223372036854775807 - 2 }}", DEN_INVALID, "64-bit");
    expect_failure("{{ 99999999999999999999 }}", DEN_INVALID, "64 bits");
    expect_failure("{{ '%999999999d' % 1 }}", DEN_TOO_LARGE, "width");
    expect_failure("{{ '{:999999999}'.format('a') }}", DEN_TOO_LARGE, "width");
    expect_failure("{{ 'x'.center(10**12) }}", DEN_TOO_LARGE, "padded");
    expect_failure("{{ 'x' | indent(10**12) }}", DEN_TOO_LARGE, "MiB");
    expect_failure("{% set ns = namespace(x='a') %}{% for i in range(60) %}"
                   "{% set ns.x = ns.x + ns.x %}{% endfor %}",
                   DEN_TOO_LARGE, "MiB");
    expect_failure("{% set ns = namespace(x=[1]) %}{% for i in range(500) %}"
                   "{% set ns.x = [ns.x] %}{% endfor %}{{ ns.x }}",
                   DEN_TOO_LARGE, "deeper");
    expect_failure("{% set ns = namespace() %}{% set ns.me = ns %}{{ ns }}", DEN_TOO_LARGE,
                   "deeper");
    expect_failure("{% set x = 'a' * 1000000 %}{% for i in range(100) %}{{ x }}{% endfor %}",
                   DEN_TOO_LARGE, "output");
    expect_failure("{% macro m() %}{{ 'a' * 1000000 }}{% endmacro %}"
                   "{% for i in range(1000) %}{% set x = m() %}{% endfor %}",
                   DEN_TOO_LARGE, "MiB");
}

static void bounds_nesting_of_the_source(void **state)
{
    enum { DEEP = 100000 };
    char *source = malloc(DEEP + 16);
    const char *const openings[] = { "(", "[", "-", "not ", "{1:" };
    size_t i;

    for (i = 0; i < sizeof openings / sizeof openings[0]; i++) {
        size_t length = strlen(openings[i]);
        size_t used = 2;
        struct template_result result;

        memcpy(source, "{{", 2);
        while (used + length < DEEP) {
            memcpy(source + used, openings[i], length);
            used += length;
        }
        result = run_template(source, used, NULL, 0);
        assert_int_not_equal(result.status, DEN_OK);
        den_buffer_deinit(&result.out);
    }
    free(source);
}

static void accepts_long_flat_chains(void **state)
{
    struct den_buffer source;
    struct template_result result;
    int i;

    den_buffer_init(&source, 1 << 20);
    den_buffer_append_text(&source, "{{ 1");
    for (i = 0; i < 5000; i++)
        den_buffer_append_text(&source, " + 1");
    den_buffer_append_text(&source, " }}{% if false %}");
    for (i = 0; i < 2000; i++)
        den_buffer_append_text(&source, "{% elif false %}x");
    den_buffer_append_text(&source, "{% else %} end{% endif %}");
    result = run_template(source.data, source.length, NULL, 0);
    assert_string_equal(result.err.message, "");
    assert_string_equal(result.out.data, "5001 end");
    den_buffer_deinit(&result.out);
    den_buffer_deinit(&source);
}

static void rejects_what_is_no_template(void **state)
{
    char *large = calloc(1, DEN_TEMPLATE_SOURCE_BYTES_MAX + 1);
    struct template_result result = run_template(large, DEN_TEMPLATE_SOURCE_BYTES_MAX + 1, NULL, 0);

    assert_int_equal(result.status, DEN_TOO_LARGE);
    den_buffer_deinit(&result.out);
    free(large);
    expect_failure("\xff\xfe", DEN_INVALID, "UTF-8");
}

static void names_line_and_remedy(void **state)
{
    expect_failure("a\nb\n{{ 1 + }}", DEN_INVALID, "line 3: ");
    expect_failure("\n\n\n{{ x.y }}", DEN_INVALID, "template: line 4: 'x' is undefined");
    expect_failure("{% set d = {} %}\n{{ d.a.b }}", DEN_INVALID,
                   "line 2: 'dict object' has no attribute 'a'");
    expect_failure("{% if true %}\nx", DEN_INVALID, "{% endif %}");
    expect_failure("{{ [1].append(2) }}", DEN_INVALID, "unsafe");
    expect_failure("{{ 'a' + 1 }}", DEN_INVALID, "'~'");
    expect_failure("{% include 'secrets.txt' %}", DEN_INVALID, "stands alone");
    expect_failure("{{ raise_exception('Only this.') }}", DEN_INVALID, "Only this.");
}

static void leaves_output_alone_on_failure(void **state)
{
    struct den_template *compiled;
    struct den_error err = { 0 };
    struct den_buffer out;
    const char *source = "abc{{ raise_exception('no') }}";

    assert_int_equal(den_template_create(source, strlen(source), &compiled, &err), DEN_OK);
    den_buffer_init(&out, 100);
    den_buffer_append_text(&out, "before");
    assert_int_equal(den_template_render(compiled, NULL, 0, &out, &err), DEN_INVALID);
    assert_string_equal(err.message, "no");
    assert_string_equal(out.data, "before");
    den_buffer_deinit(&out);
    den_template_destroy(compiled);
}

static void *render_often(void *context)
{
    size_t wrong = 0;
    int i;

    for (i = 0; i < 200; i++) {
        struct den_error err = { 0 };
        struct den_buffer out;

        den_buffer_init(&out, 1000);
        den_template_render(context, NULL, 0, &out, &err);
        wrong += strcmp(out.data, "0:a 1:b 2:c ") != 0;
        den_buffer_deinit(&out);
    }
    return (void *)wrong;
}

static void renders_on_many_threads(void **state)
{
    const char *source = "{% macro m(i, x) %}{{ i }}:{{ x }} {% endmacro %}"
                         "{% for x in 'abc' %}{{ m(loop.index0, x) }}{% endfor %}";
    struct den_template *compiled;
    struct den_error err = { 0 };
    pthread_t threads[4];
    int i;

    assert_int_equal(den_template_create(source, strlen(source), &compiled, &err), DEN_OK);
    for (i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, render_often, compiled), 0);
    for (i = 0; i < 4; i++) {
        void *wrong;

        pthread_join(threads[i], &wrong);
        assert_null(wrong);
    }
    den_template_destroy(compiled);
}

static void renders_models_as_jinja2_does(void **state)
{
    json_t *fixture = read_fixture(DEN_FIXTURES "/templates/models.json");
    const json_t *renders = json_object_get(fixture, "renders");
    int64_t now = json_integer_value(json_object_get(fixture, "now"));
    size_t different = 0;
    size_t i;

    assert_true(json_array_size(renders) > 100);
    for (i = 0; i < json_array_size(renders); i++) {
        const json_t *row = json_array_get(renders, i);
        const char *name = json_string_value(json_object_get(row, "template"));
        const json_t *source = json_object_get(json_object_get(fixture, "templates"), name);
        size_t index = (size_t)json_integer_value(json_object_get(row, "conversation"));
        const json_t *variables = json_array_get(json_object_get(fixture, "conversations"), index);
        struct template_result result =
            run_template(json_string_value(source), json_string_length(source), variables, now);

        different += !matches_case(&result, row, name);
        den_buffer_deinit(&result.out);
    }
    assert_int_equal(different, 0);
    json_decref(fixture);
}

/* A file of random cases (make_templates.py --random), for differential runs by hand. */
static void agrees_on_random_cases(void **state)
{
    const char *path = getenv("DEN_TEMPLATE_CASES");
    json_t *fixture;

    if (!path)
        return;
    fixture = read_fixture(path);
    check_group(fixture, "random");
    json_decref(fixture);
}

int text_test_template(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stops_runaway_work),
        cmocka_unit_test(bounds_nesting_of_the_source),
        cmocka_unit_test(accepts_long_flat_chains),
        cmocka_unit_test(rejects_what_is_no_template),
        cmocka_unit_test(names_line_and_remedy),
        cmocka_unit_test(leaves_output_alone_on_failure),
        cmocka_unit_test(renders_on_many_threads),
        cmocka_unit_test(renders_models_as_jinja2_does),
        cmocka_unit_test(agrees_on_random_cases),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
