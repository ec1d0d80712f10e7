/* Where sentences end. */
#include "test.h"

#include <string.h>

#include "input/chunk_units.h"

static void ends(const char *text, const char *first)
{
    size_t end = den_sentence_end(text, strlen(text), 0);

    if (end != strlen(first))
        fail_msg("'%s' ends after '%.*s'", text, (int)end, text);
}

static void finds_ends_of_sentences(void **state)
{
    ends("One. Two.", "One.");
    ends("Really?! Yes.", "Really?!");
    ends("He said \"no.\" Then", "He said \"no.\"");
    ends("No end here", "No end here");
    ends("", "");
    ends("Line\nbreak. Next", "Line\nbreak.");
}

static void passes_over_points_inside(void **state)
{
    ends("It costs 3.50 euros. Yes", "It costs 3.50 euros.");
    ends("See e.g. Fig. 3 and Dr. No. 4 of J. Smith there. Yes",
         "See e.g. Fig. 3 and Dr. No. 4 of J. Smith there.");
    ends("www.example.org is it. Yes", "www.example.org is it.");
    ends("about approx. this much. Yes", "about approx. this much.");
    ends("it went on. and on", "it went on. and on");
}

static void knows_chinese_marks(void **state)
{
    ends("\xE4\xBD\xA0\xE3\x80\x82\xE5\xA5\xBD", "\xE4\xBD\xA0\xE3\x80\x82");
    ends("\xE4\xBD\xA0\xEF\xBC\x9F\xE2\x80\x9D\xE5\xA5\xBD",
         "\xE4\xBD\xA0\xEF\xBC\x9F\xE2\x80\x9D");
    ends("\xE4\xBD\xA0\xEF\xBC\x8C\xE5\xA5\xBD", "\xE4\xBD\xA0\xEF\xBC\x8C\xE5\xA5\xBD");
}

int input_test_chunk_units(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_ends_of_sentences),
        cmocka_unit_test(passes_over_points_inside),
        cmocka_unit_test(knows_chinese_marks),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
