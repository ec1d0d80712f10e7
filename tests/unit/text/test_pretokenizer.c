/* Splitting by hand: the five behaviors, the classes, the rewriting steps, broken bytes. */
#include "test.h"

#include <string.h>

#include "text/pretokenizer.h"

static struct den_token_text text_of(const char *text)
{
    return (struct den_token_text){ text, strlen(text) };
}

/* Words joined by '|'. Takes over the step's regex. */
static void check(struct den_pretokenizer_step step, const char *text, bool first,
                  const char *wanted)
{
    struct den_pretokenizer pretokenizer = { 0 };
    struct den_error err = { 0 };
    struct den_words words;
    struct den_buffer joined;
    size_t i;

    den_buffer_init(&joined, 4096);
    assert_int_equal(den_words_init(&words, &err), DEN_OK);
    assert_int_equal(den_pretokenizer_add(&pretokenizer, step, &err), DEN_OK);
    assert_int_equal(den_pretokenizer_run(&pretokenizer, text_of(text), first, &words, &err),
                     DEN_OK);
    for (i = 0; i < words.spans.count; i++) {
        if (i > 0)
            den_buffer_append_byte(&joined, '|');
        den_buffer_append(&joined, words.text + words.spans.items[i].start,
                          words.spans.items[i].length);
    }
    assert_string_equal(joined.data, wanted);
    den_buffer_deinit(&joined);
    den_words_deinit(&words);
    den_pretokenizer_deinit(&pretokenizer);
}

static struct den_regex *compile(const char *pattern)
{
    struct den_regex *regex = NULL;
    struct den_error err = { 0 };

    assert_int_equal(den_regex_create(pattern, strlen(pattern), &regex, &err), DEN_OK);
    return regex;
}

#define STEP(...) ((struct den_pretokenizer_step){ __VA_ARGS__ })

/* The tokenizers package's own answers for \d over "12ab3-4". */
static void obeys_each_behavior(void **state)
{
    static const char *const wanted[][2] = { { "ab|-", "1|2|3|4" },
                                             { "1|2|ab|3|-|4", "1|2|ab|3|-|4" },
                                             { "1|2|ab3|-4", "1|2ab|3-|4" },
                                             { "1|2ab|3-|4", "1|2|ab3|-4" },
                                             { "12|ab|3|-|4", "12|ab|3|-|4" } };
    int behavior;
    int invert;

    for (behavior = 0; behavior < 5; behavior++)
        for (invert = 0; invert < 2; invert++)
            check(STEP(.behavior = (enum den_split_behavior)behavior, .invert = invert == 1,
                       .regex = compile("\\d")),
                  "12ab3-4", true, wanted[behavior][invert]);
}

static void splits_by_classes_and_literals(void **state)
{
    check(STEP(.kind = DEN_PRETOKENIZER_DIGITS, .behavior = DEN_SPLIT_ISOLATED),
          "a12\xC2\xBD\xD9\xA3", true, "a|1|2|\xC2\xBD|\xD9\xA3");
    check(STEP(.kind = DEN_PRETOKENIZER_PUNCTUATION, .behavior = DEN_SPLIT_ISOLATED),
          "a$b\xC2\xAB"
          "c",
          true, "a|$|b|\xC2\xAB|c");
    check(STEP(.kind = DEN_PRETOKENIZER_SPACES, .behavior = DEN_SPLIT_REMOVED),
          " a b\xC2\xA0"
          "c\x1C",
          true, "a|b|c\x1C");
    check(STEP(.kind = DEN_PRETOKENIZER_WORDS, .behavior = DEN_SPLIT_REMOVED, .invert = true),
          "a_b--c \xC3\xA9", true, "a_b|--|c|\xC3\xA9");
    check(STEP(.kind = DEN_PRETOKENIZER_LITERAL, .behavior = DEN_SPLIT_MERGED_WITH_PREVIOUS,
               .text = text_of("--")),
          "a--b---", true, "a--|b--|-");
}

static void groups_digits_from_the_right(void **state)
{
    check(STEP(.kind = DEN_PRETOKENIZER_DIGIT_GROUPS, .behavior = DEN_SPLIT_ISOLATED),
          "12345678 x1234y 123", true, "12|345|678| x|1|234|y |123");
    check(STEP(.kind = DEN_PRETOKENIZER_DIGIT_GROUPS, .behavior = DEN_SPLIT_ISOLATED,
               .whole_only = true),
          "x1234y 1234", true, "x1234y |1|234");
    check(STEP(.kind = DEN_PRETOKENIZER_DIGIT_GROUPS, .behavior = DEN_SPLIT_ISOLATED),
          "\xD9\xA1\xD9\xA2\xD9\xA3\xD9\xA4", true, "\xD9\xA1|\xD9\xA2\xD9\xA3\xD9\xA4");
}

static void rewrites_text(void **state)
{
    struct den_pretokenizer_step meta = { .kind = DEN_PRETOKENIZER_METASPACE,
                                          .behavior = DEN_SPLIT_MERGED_WITH_NEXT,
                                          .split = true,
                                          .prefix = DEN_METASPACE_ALWAYS,
                                          .text = text_of("_") };

    check(meta, " Hello  you", true, "_Hello|_|_you");
    check(meta, "Hello", false, "_Hello");
    meta.prefix = DEN_METASPACE_FIRST;
    check(meta, "Hello", true, "_Hello");
    check(meta, "Hello", false, "Hello");
    meta.prefix = DEN_METASPACE_NEVER;
    meta.split = false;
    check(meta, "a b c", true, "a_b_c");
    check(STEP(.kind = DEN_PRETOKENIZER_BYTE_PREFIX), "a", true, " a");
    check(STEP(.kind = DEN_PRETOKENIZER_BYTE_PREFIX), " a", true, " a");
    check(STEP(.kind = DEN_PRETOKENIZER_BYTE_PREFIX), "", true, "");
    check(STEP(.kind = DEN_PRETOKENIZER_BYTE_ALPHABET), " \xFF", true, "\xC4\xA0\xC3\xBF");
}

/* Broken bytes match nothing, not even "everything"; what empty matches cut stays whole. */
static void matches_around_broken_bytes(void **state)
{
    check(STEP(.behavior = DEN_SPLIT_ISOLATED, .regex = compile("[^0-9]")),
          "ab\xFF\xC3"
          "1c",
          true, "a|b|\xFF\xC3|1|c");
    check(STEP(.behavior = DEN_SPLIT_REMOVED, .regex = compile("[^0-9]+")),
          "ab\xFF\xC3"
          "1c",
          true, "\xFF\xC3|1");
    check(STEP(.behavior = DEN_SPLIT_ISOLATED, .regex = compile("(?=b)")), "abab", true, "a|ba|b");
    check(STEP(.behavior = DEN_SPLIT_ISOLATED, .regex = compile("x*")), "\xC3\xA9", true,
          "\xC3\xA9");
}

int text_test_pretokenizer(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(obeys_each_behavior),
        cmocka_unit_test(splits_by_classes_and_literals),
        cmocka_unit_test(groups_digits_from_the_right),
        cmocka_unit_test(rewrites_text),
        cmocka_unit_test(matches_around_broken_bytes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
