/* Answers in a terminal: which sentence is underlined and named, and that pipes get plain text. */
#include "test.h"

#include <stdlib.h>
#include <string.h>

#include "cli/answer_marks.h"
#include "desk/citations.h"

static void expect_print(const char *text, const json_t *citations, bool underlines,
                         const char *wanted)
{
    size_t length;
    char *shown;
    FILE *out = open_memstream(&shown, &length);

    assert_non_null(out);
    den_cli_answer_print(out, text, citations, underlines);
    den_cli_doubts_print(out, text, citations);
    fclose(out);
    assert_string_equal(shown, wanted);
    free(shown);
}

static json_t *citation(size_t start, size_t end, size_t passage, bool supported)
{
    return json_pack("{s:I, s:I, s:[I], s:b}", "start", (json_int_t)start, "end", (json_int_t)end,
                     "passages", (json_int_t)passage, "supported", supported);
}

/* With characters of two UTF-16 units before: offsets are in units, not in bytes. */
static void the_sentence_without_support_is_named(void **state)
{
    const char *text = "\xF0\x9F\x8F\xA0 M\xC3\xBCller pays. [1] It costs 900 euros. [2] [3]\nEnd.";
    json_t *citations = json_pack("[o, o, o]", citation(16, 19, 1, true),
                                  citation(40, 43, 2, false), citation(44, 47, 3, false));

    expect_print(text, citations, true,
                 "\xF0\x9F\x8F\xA0 M\xC3\xBCller pays. [1] \033[4mIt costs 900 euros.\033[24m [2] "
                 "[3]\nEnd.\n\nNot clearly said by its source; check it there:\n"
                 "  It costs 900 euros. [2] [3]\n");
    expect_print(text, citations, false,
                 "\xF0\x9F\x8F\xA0 M\xC3\xBCller pays. [1] It costs 900 euros. [2] [3]\nEnd.\n"
                 "\nNot clearly said by its source; check it there:\n"
                 "  It costs 900 euros. [2] [3]\n");
    json_decref(citations);
}

static void where_all_is_supported_nothing_is_added(void **state)
{
    json_t *citations = json_pack("[o]", citation(12, 15, 1, true));

    expect_print("Anna is in. [1]", citations, true, "Anna is in. [1]\n");
    expect_print("Anna is in.", NULL, true, "Anna is in.\n");
    expect_print("", NULL, true, "\n");
    json_decref(citations);
}

/* What the citations really say of an answer, in English and Chinese. */
static void real_citations_are_found(void **state)
{
    json_t *passages =
        json_pack("[{s:i, s:s, s:s, s:s}]", "number", 1, "text", "The rent is 1200 euros a month.",
                  "title", "Lease", "heading", "");
    struct den_error err = { 0 };
    struct den_cited cited = { 0 };

    assert_int_equal(den_citations_make("The rent is 1200 euros a month [1]. "
                                        "\xE7\xA7\x9F\xE9\x87\x91\xE6\x98\xAF\xE4\xB9\x9D\xE7\x99"
                                        "\xBE\xE6\xAC\xA7\xE5\x85\x83\xE3\x80\x82[1] Bye.",
                                        passages, NULL, &cited, &err),
                     DEN_OK);
    expect_print(cited.content, cited.citations, true,
                 "The rent is 1200 euros a month. [1] "
                 "\033[4m\xE7\xA7\x9F\xE9\x87\x91\xE6\x98\xAF\xE4\xB9\x9D\xE7\x99\xBE\xE6\xAC\xA7"
                 "\xE5\x85\x83\xE3\x80\x82\033[24m [1] Bye.\n\nNot clearly said by its source; "
                 "check it there:\n"
                 "  \xE7\xA7\x9F\xE9\x87\x91\xE6\x98\xAF\xE4\xB9\x9D\xE7\x99\xBE\xE6\xAC\xA7"
                 "\xE5\x85\x83\xE3\x80\x82 [1]\n");
    den_cited_deinit(&cited);
    json_decref(passages);
}

int cli_test_answer_marks(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_sentence_without_support_is_named),
        cmocka_unit_test(where_all_is_supported_nothing_is_added),
        cmocka_unit_test(real_citations_are_found),
    };

    return cmocka_run_group_tests_name("cli/answer_marks", tests, NULL, NULL);
}
