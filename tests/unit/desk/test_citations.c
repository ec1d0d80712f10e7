/* Citations: which sentences get which markers, and where those stand. */
#include "test.h"

#include <stdlib.h>
#include <string.h>

#include "desk/citations.h"

static json_t *passages(void)
{
    return json_pack(
        "[{s:i, s:s, s:s, s:s}, {s:i, s:s, s:s, s:s}, {s:i, s:s, s:s, s:s}]", "number", 1, "title",
        "Lease", "heading", "Parties", "text",
        "The lease of the mill was signed by Anna Becker in March 1999. It ends in 2029.", "number",
        2, "title", "Lease", "heading", "Rent", "text",
        "The tenant pays a rent of 1,200 euros each month. Pets are not allowed in the house.",
        "number", 3, "title", "\xE7\xA7\x9F\xE7\xBA\xA6", "heading", "", "text",
        "\xE6\x88\xBF\xE7\xA7\x9F\xE6\xAF\x8F\xE6\x9C\x88"
        "1200"
        "\xE5\x85\x83\xE3\x80\x82"); /* the rent is 1200 yuan a month */
}

static struct den_cited cite(const char *content)
{
    struct den_cited cited = { 0 };
    struct den_error err = { 0 };
    json_t *given = passages();

    if (den_citations_make(content, given, NULL, &cited, &err) != DEN_OK)
        fail_msg("%s", err.message);
    json_decref(given);
    return cited;
}

static void check(const char *content, const char *expected)
{
    struct den_cited cited = cite(content);

    assert_string_equal(cited.content, expected);
    den_cited_deinit(&cited);
}

static void sentences_get_their_passage(void **state)
{
    check("Anna Becker signed the lease in March 1999. The rent is 1200 euros each month.",
          "Anna Becker signed the lease in March 1999. [1] The rent is 1200 euros each month. [2]");
    check("Pets are not allowed.\n\nThe lease ends in 2029!",
          "Pets are not allowed. [2]\n\nThe lease ends in 2029! [1]");
    check("\xE6\x88\xBF\xE7\xA7\x9F\xE6\xAF\x8F\xE6\x9C\x88"
          "1200\xE5\x85\x83\xE3\x80\x82",
          "\xE6\x88\xBF\xE7\xA7\x9F\xE6\xAF\x8F\xE6\x9C\x88"
          "1200\xE5\x85\x83\xE3\x80\x82 [3]");
}

static void what_is_not_said_gets_none(void **state)
{
    check("The rent is 900 euros each month.", "The rent is 900 euros each month.");
    check("Boris Miller signed the lease of the mill.",
          "Boris Miller signed the lease of the mill.");
    check("Pets are allowed in the house.", "Pets are allowed in the house.");
    check("Tomatoes need much water.", "Tomatoes need much water.");
    check("Who signed the lease of the mill?", "Who signed the lease of the mill?");
    check("```\nThe lease ends in 2029.\n```", "```\nThe lease ends in 2029.\n```");
    check("", "");
}

static void wrong_markers_are_set_right(void **state)
{
    check("The lease ends in 2029. [2]", "The lease ends in 2029. [1]");
    check("The lease ends in 2029 [1].", "The lease ends in 2029. [1]");
    check("The lease ends in 2029. [7]", "The lease ends in 2029. [1]");
    check("The moon is far away. [9]", "The moon is far away.");
    check("The lease ends in 2029. [1][1]", "The lease ends in 2029. [1]");
    check("The lease ends in 2029. [1, 2]", "The lease ends in 2029. [1]");
    check("See a[1] for it.", "See a[1] for it.");
}

static void what_is_unsupported_is_told(void **state)
{
    struct den_cited cited = cite("The rent is 900 euros each month. [2]");
    const json_t *citation = json_array_get(cited.citations, 0);

    assert_string_equal(cited.content, "The rent is 900 euros each month. [2]");
    assert_true(json_is_false(json_object_get(citation, "supported")));
    den_cited_deinit(&cited);
}

/* A marker before the full stop is no number of the sentence's. */
static void a_marker_inside_says_nothing(void **state)
{
    struct den_cited cited = cite("The lease [1] ends in 2029 [1]. Pets are not allowed [2].");
    const json_t *citation;
    size_t i;

    assert_string_equal(cited.content, "The lease ends in 2029. [1] Pets are not allowed. [2]");
    assert_int_equal(json_array_size(cited.citations), 2);
    json_array_foreach(cited.citations, i, citation)
    {
        assert_true(json_is_true(json_object_get(citation, "supported")));
        assert_true(json_number_value(json_object_get(citation, "score")) > 0.8);
    }
    den_cited_deinit(&cited);
}

static void places_are_in_utf16(void **state)
{
    struct den_cited cited = cite("\xF0\x9F\x8F\xA0 \xC3\xBC! The lease ends in 2029. [1]");
    const json_t *citation = json_array_get(cited.citations, 0);

    assert_int_equal(json_array_size(cited.citations), 1);
    /* the house takes two units, the u with dots one */
    assert_int_equal(json_integer_value(json_object_get(citation, "start")), 30);
    assert_int_equal(json_integer_value(json_object_get(citation, "end")), 33);
    assert_true(json_is_true(json_object_get(citation, "supported")));
    assert_int_equal(json_integer_value(json_array_get(json_object_get(citation, "passages"), 0)),
                     1);
    den_cited_deinit(&cited);
}

static void nothing_to_cite_changes_nothing(void **state)
{
    struct den_cited cited = { 0 };
    struct den_error err = { 0 };
    json_t *none = json_array();

    assert_int_equal(den_citations_make("One. Two.", none, NULL, &cited, &err), DEN_OK);
    assert_string_equal(cited.content, "One. Two.");
    assert_int_equal(json_array_size(cited.citations), 0);
    den_cited_deinit(&cited);
    json_decref(none);
}

int desk_test_citations(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sentences_get_their_passage),
        cmocka_unit_test(what_is_not_said_gets_none),
        cmocka_unit_test(wrong_markers_are_set_right),
        cmocka_unit_test(what_is_unsupported_is_told),
        cmocka_unit_test(a_marker_inside_says_nothing),
        cmocka_unit_test(places_are_in_utf16),
        cmocka_unit_test(nothing_to_cite_changes_nothing),
    };

    return cmocka_run_group_tests_name("desk/citations", tests, NULL, NULL);
}
