/* What is taken for a fact about the user, what for a secret, and which two facts are one. */
#include "test.h"

#include <math.h>
#include <string.h>

#include "desk/memory_rules.h"

static size_t count(const char *message)
{
    struct den_memory_span spans[4];

    return den_memory_sentences(message, spans, 4);
}

static void facts_are_found(void **state)
{
    static const char *const facts[] = {
        "I am vegetarian.",
        "I'm allergic to peanuts.",
        "By the way, hi. I\xE2\x80\x99m a teacher from Ghent.",
        "My daughter is called Ann.",
        "my name is Omar",
        "I work as a nurse in Leeds.",
        "I live in Porto with two cats. What could I plant?",
        "I don't eat meat.",
        "I have been a plumber for ten years.",
        "I was born in 1984-03-14.",
        "Please remember that the lift is broken.",
        "Call me Sam.",
        "I prefer short answers.",
        "\xE6\x88\x91\xE6\x98\xAF\xE6\x95\x99\xE5\xB8\x88\xE3\x80\x82", /* I am a teacher */
        "\xE6\x88\x91\xE4\xBD\x8F\xE5\x9C\xA8\xE5\x8C\x97\xE4\xBA\xAC\xE3\x80\x82", /* in Beijing */
    };
    size_t i;

    for (i = 0; i < sizeof facts / sizeof facts[0]; i++)
        if (count(facts[i]) != 1)
            fail_msg("'%s' has a fact", facts[i]);
    assert_int_equal(count("I am vegetarian. My son is four. I like rain. I live here."), 4);
}

static void what_is_of_the_moment_is_none(void **state)
{
    static const char *const others[] = {
        "",
        "What is the capital of France?",
        "I am trying to write a letter.",
        "I'm not sure about that.",
        "I have a question about taxes.",
        "I have tried everything.",
        "I have to go to the bank.",
        "My code is broken.",
        "My question is simple.",
        "I like this.",
        "Am I vegetarian?",
        "I am vegetarian?",
        "The rent is due.",
        "He is my brother.",
        "```\nI am vegetarian.\n```",
        "\xE6\x88\x91\xE6\x9C\x89\xE4\xB8\x80\xE4\xB8\xAA\xE9\x97\xAE\xE9\xA2\x98\xE3\x80\x82",
        "\xE6\x88\x91\xE6\x98\xAF\xE8\xB0\x81\xEF\xBC\x9F", /* who am I? */
    };
    size_t i;

    for (i = 0; i < sizeof others / sizeof others[0]; i++)
        if (count(others[i]) != 0)
            fail_msg("'%s' has none", others[i]);
}

static void secrets_are_none(void **state)
{
    static const char *const secrets[] = {
        "My password is hunter2.",
        "My PIN is 4711.",
        "My card is 4111 1111 1111 1111.",
        "My account is 12345678 90 and I use it daily.",
        "I use sk-a81kd9fj3k2l4m5n6o7p for it.",
        "My number is +44 7700 900123.",
        "\xE6\x88\x91\xE7\x9A\x84\xE5\xAF\x86\xE7\xA0\x81\xE6\x98\xAF hunter2.",
    };
    size_t i;

    for (i = 0; i < sizeof secrets / sizeof secrets[0]; i++) {
        assert_true(den_memory_is_secret(secrets[i]));
        if (count(secrets[i]) != 0)
            fail_msg("'%s' is a secret", secrets[i]);
    }
    assert_false(den_memory_is_secret("I was born on 14.03.1984 in a spinning mill."));
}

static void one_fact_is_known_again(void **state)
{
    assert_true(den_memory_is_same("The user is vegetarian.", "I am vegetarian.", NAN) ||
                den_memory_is_same("The user is vegetarian.", "The user is a vegetarian", NAN));
    assert_true(den_memory_is_same("The user eats no meat.", "The user never eats meat.", 0.95));
    assert_false(den_memory_is_same("The user eats meat.", "The user never eats meat.", 0.95));
    assert_false(
        den_memory_is_same("The user's daughter is Ann.", "The user's daughter is Eve.", 0.95));
    assert_false(den_memory_is_same("The user has 2 cats.", "The user has 3 cats.", 0.95));
    assert_false(den_memory_is_same("The user likes rain.", "The user likes tea.", NAN));
}

static void what_is_made_up_is_refused(void **state)
{
    assert_true(den_memory_is_faithful("The user is a nurse in Leeds.", "I work as a nurse in "
                                                                        "Leeds."));
    assert_true(
        den_memory_is_faithful("The user's daughter is called Ann.", "My daughter is called Ann."));
    assert_false(den_memory_is_faithful("The user's daughter is called Ann and she is 10.",
                                        "My daughter is called Ann."));
    assert_false(den_memory_is_faithful("The user is a carpenter from Oslo.", "I am vegetarian."));
    assert_false(den_memory_is_faithful("The user eats fish.", "I don't eat fish."));
    assert_false(den_memory_is_faithful("The user.", "I live in Leeds."));
}

int desk_test_memory_rules(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(facts_are_found),
        cmocka_unit_test(what_is_of_the_moment_is_none),
        cmocka_unit_test(secrets_are_none),
        cmocka_unit_test(one_fact_is_known_again),
        cmocka_unit_test(what_is_made_up_is_refused),
    };

    return cmocka_run_group_tests_name("desk/memory_rules", tests, NULL, NULL);
}
