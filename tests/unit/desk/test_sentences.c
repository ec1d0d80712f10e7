/* Sentences: where they end, and which markers are theirs. */
#include "test.h"

#include <stdio.h>
#include <string.h>

#include "desk/sentences.h"

/* The sentences, divided by '|', each with its markers. */
static void check(const char *text, const char *expected)
{
    struct den_sentence sentences[32];
    size_t count = den_sentences_split(text, strlen(text), sentences, 32), i;
    char found[1024] = "";
    size_t used = 0;

    for (i = 0; i < count; i++) {
        const struct den_sentence *at = &sentences[i];

        used += (size_t)snprintf(found + used, sizeof found - used, "%s%.*s~%.*s", i ? "|" : "",
                                 (int)(at->end - at->start), text + at->start,
                                 (int)(at->markers_end - at->end), text + at->end);
    }
    assert_string_equal(found, expected);
}

static void ends_are_found(void **state)
{
    check("", "");
    check("  \n ", "");
    check("One", "One~");
    check("One. Two! Three?", "One.~|Two!~|Three?~");
    check("It costs 3.50 euros. Really?!", "It costs 3.50 euros.~|Really?!~");
    check("Dr. Becker and J. Smith met, e.g. in May. Then they left.",
          "Dr. Becker and J. Smith met, e.g. in May.~|Then they left.~");
    check("He said \"Stop.\" She left.", "He said \"Stop.\"~|She left.~");
    check("- one\n- two", "- one~|- two~");
    check("see a.out for it", "see a.out for it~");
    check("\xE4\xB8\x80\xE3\x80\x82\xE4\xBA\x8C\xEF\xBC\x81", /* two sentences */
          "\xE4\xB8\x80\xE3\x80\x82~|\xE4\xBA\x8C\xEF\xBC\x81~");
}

static void markers_are_the_sentences(void **state)
{
    check("One. [1] Two. [2][3] Three.", "One.~ [1]|Two.~ [2][3]|Three.~");
    check("One [1]. Two.", "One [1].~|Two.~");
    check("No end mark [2]\nNext", "No end mark~ [2]|Next~");
    check("An [x] and [1234] are none.", "An [x] and [1234] are none.~");
    check("Both. [1, 2] Three.", "Both.~ [1, 2]|Three.~");
    check("[1]", "[1]~");
}

static void code_is_one_block(void **state)
{
    check("Look.\n```c\na[0] = 1. + b;\n```\nDone.", "Look.~|```c\na[0] = 1. + b;\n```~|Done.~");
    check("```\nnever closed.", "```\nnever closed.~");
}

static void capacity_is_kept(void **state)
{
    struct den_sentence two[2];

    assert_int_equal(den_sentences_split("A b. C d. E f.", 14, two, 2), 2);
}

static void what_goes_round_is_cut(void **state)
{
    static const char *const cases[][2] = {
        { "The rent is 990 EUR. [1] Lease 2019 2019 2019 2019 ? [2]", "The rent is 990 EUR. [1]" },
        { "It is three 3 6 12 3 6 12 3 6 12 4. [1]", "It is three 3 6 12 [1]" },
        { "One. We go and go and go and go. [1] Three. [2]", "One. Three. [2]" },
        { "No, no, no is said twice: no no. [1]", "No, no, no is said twice: no no. [1]" },
        { "A 2 2 and a 2 2.", "A 2 2 and a 2 2." },
        { "```\n0 0 0 0 0\n```", "```\n0 0 0 0 0\n```" },
        { "", "" },
    };
    size_t i;

    for (i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[128];

        snprintf(text, sizeof text, "%s", cases[i][0]);
        assert_int_equal(den_sentences_cut_loops(text, strlen(text)), strlen(cases[i][1]));
        assert_string_equal(text, cases[i][1]);
    }
}

int desk_test_sentences(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ends_are_found),         cmocka_unit_test(markers_are_the_sentences),
        cmocka_unit_test(code_is_one_block),      cmocka_unit_test(capacity_is_kept),
        cmocka_unit_test(what_goes_round_is_cut),
    };

    return cmocka_run_group_tests_name("desk/sentences", tests, NULL, NULL);
}
