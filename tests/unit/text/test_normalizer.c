/* Each normalizing step by hand; the references judge them together in test_tokenizer. */
#include "test.h"

#include <string.h>

#include "text/normalizer.h"

static struct den_token_text text_of(const char *text)
{
    return (struct den_token_text){ text, strlen(text) };
}

static void check(struct den_normalizer_step step, const char *text, const char *wanted)
{
    struct den_normalizer normalizer = { 0 };
    struct den_regex_work *work = den_regex_work_create();
    struct den_buffer buffers[2];
    struct den_token_text out;
    struct den_error err = { 0 };

    assert_non_null(work);
    den_buffer_init(&buffers[0], 4096);
    den_buffer_init(&buffers[1], 4096);
    assert_int_equal(den_normalizer_add(&normalizer, step, &err), DEN_OK);
    assert_int_equal(den_normalizer_run(&normalizer, work, text_of(text), buffers, &out, &err),
                     DEN_OK);
    if (out.length != strlen(wanted) || memcmp(out.bytes, wanted, out.length) != 0)
        fail_msg("'%s' gives '%.*s', not '%s'", text, (int)out.length, out.bytes, wanted);
    den_buffer_deinit(&buffers[0]);
    den_buffer_deinit(&buffers[1]);
    den_regex_work_destroy(work);
    den_normalizer_deinit(&normalizer);
}

#define STEP(...) ((struct den_normalizer_step){ __VA_ARGS__ })

static void runs_each_step(void **state)
{
    check(STEP(.kind = DEN_NORMALIZER_LOWERCASE), "A\xC3\x89\xC4\xB0\xFFZ",
          "a\xC3\xA9i\xCC\x87\xFFz");
    check(STEP(.kind = DEN_NORMALIZER_DROP_MARKS), "e\xCC\x81\xE0\xA4\xBF", "e");
    check(STEP(.kind = DEN_NORMALIZER_DROP_NONSPACING), "e\xCC\x81\xE0\xA4\xBE",
          "e\xE0\xA4\xBE"); /* U+093E is a spacing mark */
    check(STEP(.kind = DEN_NORMALIZER_CLEAN), "a\x01\tb\xC2\xA0\xEF\xBF\xBD", "a b ");
    check(STEP(.kind = DEN_NORMALIZER_SPACE_IDEOGRAPHS), "a\xE4\xBD\xA0\xE3\x81\x82",
          "a \xE4\xBD\xA0 \xE3\x81\x82");
    check(STEP(.kind = DEN_NORMALIZER_REPLACE, .from = text_of("aa"), .to = text_of("b")), "aaaaa",
          "bba");
    check(STEP(.kind = DEN_NORMALIZER_REPLACE, .from = text_of(""), .to = text_of("b")), "aa",
          "aa");
    check(STEP(.kind = DEN_NORMALIZER_PREPEND, .to = text_of("_")), "a", "_a");
    check(STEP(.kind = DEN_NORMALIZER_PREPEND, .to = text_of("_")), "", "");
    check(STEP(.kind = DEN_NORMALIZER_STRIP, .left = true), " \t a b \n", "a b \n");
    check(STEP(.kind = DEN_NORMALIZER_STRIP, .right = true), " a b \xE3\x80\x80", " a b");
    check(STEP(.kind = DEN_NORMALIZER_STRIP, .left = true, .right = true), "  ", "");
    check(STEP(.kind = DEN_NORMALIZER_NMT),
          "a\x7F\xE2\x80\x8B"
          "b\n",
          "a b ");
    check(STEP(.kind = DEN_NORMALIZER_COLLAPSE), "  a   b ", "a b");
    check(STEP(.kind = DEN_NORMALIZER_COLLAPSE), "   ", "");
    check(STEP(.kind = DEN_NORMALIZER_BYTE_ALPHABET), " \xFF", "\xC4\xA0\xC3\xBF");
}

static void replaces_by_pattern_around_broken_bytes(void **state)
{
    struct den_normalizer_step step = { .kind = DEN_NORMALIZER_REPLACE, .to = text_of("-") };
    struct den_error err = { 0 };

    assert_int_equal(den_regex_create("[0-9]+", 6, &step.regex, &err), DEN_OK);
    check(step,
          "a12\xFF"
          "345b\xC3",
          "a-\xFF-b\xC3");
}

static void holds_only_so_many_steps(void **state)
{
    struct den_normalizer normalizer = { 0 };
    struct den_error err = { 0 };
    int i;

    for (i = 0; i < DEN_NORMALIZER_STEPS_MAX; i++)
        assert_int_equal(den_normalizer_add(&normalizer, STEP(.kind = DEN_NORMALIZER_NMT), &err),
                         DEN_OK);
    assert_int_equal(den_normalizer_add(&normalizer, STEP(.kind = DEN_NORMALIZER_NMT), &err),
                     DEN_TOO_LARGE);
    den_normalizer_deinit(&normalizer);
}

int text_test_normalizer(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(runs_each_step),
        cmocka_unit_test(replaces_by_pattern_around_broken_bytes),
        cmocka_unit_test(holds_only_so_many_steps),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
