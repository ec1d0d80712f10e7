/* Questions that lean on others: which do, and what becomes of them. */
#include "test.h"

#include <stdlib.h>
#include <string.h>

#include "desk/query_rewrite.h"

static void tells_what_leans(void **state)
{
    static const char *const leaning[] = {
        "And in 2024?",
        "Why?",
        "in 2024?",
        "What about France?",
        "and the other tenant?",
        "How much does it cost?",
        "Who signed it?",
        "when was that?",
        "\xE9\x82\xA3"
        "2024\xE5\xB9\xB4\xE5\x91\xA2\xEF\xBC\x9F",                     /* and 2024? */
        "\xE5\xAE\x83\xE5\xA4\x9A\xE5\xB0\x91\xE9\x92\xB1\xEF\xBC\x9F", /* how much is it? */
    };
    static const char *const whole[] = {
        "",
        "vacation policy",
        "What is the notice period of the lease for the flat in Harbour Street?",
        "Who signed the lease?",
        "Revenue in 2024",
        "Is there anything in the report that says how large the boilers of the plant were built?",
        "\xE7\xA7\x9F\xE9\x87\x91\xE6\x98\xAF\xE5\xA4\x9A\xE5\xB0\x91\xEF\xBC\x9F", /* the rent? */
    };
    size_t i;

    for (i = 0; i < sizeof leaning / sizeof leaning[0]; i++)
        if (!den_query_leans(leaning[i]))
            fail_msg("'%s' leans", leaning[i]);
    for (i = 0; i < sizeof whole / sizeof whole[0]; i++)
        if (den_query_leans(whole[i]))
            fail_msg("'%s' stands alone", whole[i]);
}

/* `questions` are divided by '|'; the last one is asked. */
static void check(const char *questions, const char *expected)
{
    json_t *conversation = json_array();
    char copy[512], *part, *rest = NULL, *last = NULL, *found;

    snprintf(copy, sizeof copy, "%s", questions);
    for (part = strtok_r(copy, "|", &rest); part; part = strtok_r(NULL, "|", &rest)) {
        if (last) {
            json_array_append_new(conversation,
                                  json_pack("{s:s, s:s}", "role", "user", "content", last));
            json_array_append_new(conversation, json_pack("{s:s, s:s}", "role", "assistant",
                                                          "content", "It was 7 in 1999."));
        }
        last = part;
    }
    found = den_query_rewrite(conversation, last);
    assert_string_equal(found, expected);
    free(found);
    json_decref(conversation);
}

static void completes(void **state)
{
    check("What was the revenue in 2023?|And in 2024?", "What was the revenue in 2024?");
    check("What was the revenue in 2023?|And in 2024?|and in 2025?",
          "What was the revenue in 2025?");
    check("Who signed the lease of the mill?|When?", "signed lease mill When?");
    check("Who signed the lease of the mill?|How long does it last?",
          "signed lease mill How long does it last?");
    check("Rent of the mill in 2023?|And the rent of the barn in 2024?",
          "mill And the rent of the barn in 2024?");
    check("Who signed the lease?|vacation policy", "vacation policy");
    check("And in 2024?", "And in 2024?");
    check("2023\xE5\xB9\xB4\xE7\x9A\x84\xE6\x94\xB6\xE5\x85\xA5\xEF\xBC\x9F|"
          "\xE9\x82\xA3"
          "2024\xE5\xB9\xB4\xE5\x91\xA2\xEF\xBC\x9F",
          "2024\xE5\xB9\xB4\xE7\x9A\x84\xE6\x94\xB6\xE5\x85\xA5\xEF\xBC\x9F");
}

static void takes_what_is_odd(void **state)
{
    json_t *odd = json_pack("[n, {s:i}, {s:s, s:n}, {s:s, s:s}]", "role", 3, "role", "user",
                            "content", "role", "user", "content", "\xff\xfe");
    char *found = den_query_rewrite(odd, "why?");

    assert_non_null(found);
    free(found);
    found = den_query_rewrite(NULL, "why?");
    assert_string_equal(found, "why?");
    free(found);
    json_decref(odd);
}

int desk_test_query_rewrite(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tells_what_leans),
        cmocka_unit_test(completes),
        cmocka_unit_test(takes_what_is_odd),
    };

    return cmocka_run_group_tests_name("desk/query_rewrite", tests, NULL, NULL);
}
