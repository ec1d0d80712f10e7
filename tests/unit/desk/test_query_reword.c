/* What a model made of a question: which rewordings still ask it. */
#include "thread_scratch.h"

#include "desk/query_reword.h"

static const char conversation[] =
    "[{'role': 'user', 'content': 'Who signed the lease of the mill in 1999?'},"
    " {'role': 'assistant', 'content': 'Anna Becker and Tom Reed signed it.'}]";

static bool holds(const char *question, const char *reworded)
{
    json_t *messages = parse(conversation);
    const bool result = den_query_reword_holds(messages, question, reworded);

    json_decref(messages);
    return result;
}

static void a_whole_question_holds(void **state)
{
    assert_true(holds("When was she born?", "When was Anna Becker born?"));
    assert_true(holds("And in 2003?", "Who signed the lease of the mill in 2003?"));
    assert_true(holds("Why?", "Why did Anna Becker sign the lease?"));
    assert_true(holds("How many lions live in the zoo?", "How many lions live in the zoo?"));
}

static void another_question_does_not(void **state)
{
    assert_false(holds("When was she born?", "When was Anna Becker married?")); /* lost a word */
    assert_false(holds("And in 2003?", "Who signed the lease of the mill in 1999?"));
    assert_false(holds("And in 2003?", "Who signed the lease of the mill in 2003 and 2011?"));
    assert_false(holds("When was she born?", "When was the carpenter from Oslo born?"));
    assert_false(holds("When was it?", "When was it?")); /* leans as much as before */
    assert_false(holds("Who did not sign?", "Who signed the lease?"));
    assert_false(holds("When was she born?", ""));
}

int desk_test_query_reword(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_whole_question_holds),
        cmocka_unit_test(another_question_does_not),
    };

    return cmocka_run_group_tests_name("desk/query_reword", tests, NULL, NULL);
}
