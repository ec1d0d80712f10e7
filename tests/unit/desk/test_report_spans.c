/* Runs of words that a value may be: what a column asks for, the grammar, what stands in a text. */
#include "test.h"

#include <stdlib.h>
#include <string.h>

#include "desk/report_spans.h"

static void expect(const char *text, enum den_span_kind kind, const char *grammar)
{
    char *made = den_report_span_grammar(text, kind);

    if (grammar)
        assert_string_equal(made, grammar);
    else
        assert_null(made);
    free(made);
}

static void columns_ask_for_kinds(void **state)
{
    (void)state;
    assert_int_equal(den_report_span_kind("Amount", "what is to be paid"), DEN_SPAN_MONEY);
    assert_int_equal(den_report_span_kind("Due", "when it has to be paid"), DEN_SPAN_DATE);
    assert_int_equal(den_report_span_kind("Dogs", "how many dogs there are"), DEN_SPAN_NUMBER);
    assert_int_equal(den_report_span_kind("Owner", "who owns the house"), DEN_SPAN_WORDS);
    assert_int_equal(den_report_span_kind("\xE9\x87\x91\xE9\xA2\x9D", ""), DEN_SPAN_MONEY);
}

static void money_is_a_number_with_its_currency(void **state)
{
    (void)state;
    expect("Of 20 kg at 0.62 euros, EUR 12.40 in all.", DEN_SPAN_MONEY,
           "root ::= \"0.62\" \" \" \"euros\" | \"EUR\" \" \" \"12.40\"\n");
    expect("It is $5 or \xE2\x82\xAC"
           "7.50 now.",
           DEN_SPAN_MONEY,
           "root ::= \"$5\" | \"\xE2\x82\xAC"
           "7.50\"\n");
    expect("Nothing here.", DEN_SPAN_MONEY, NULL);
    expect("Only 12 here.", DEN_SPAN_MONEY, "root ::= \"12\" (\" \" \"here\")?\n"); /* any number */
}

static void dates_are_whole(void **state)
{
    (void)state;
    expect("Invoice 17 of 3 May 2024 from Hofmann.", DEN_SPAN_DATE,
           "root ::= \"3\" \" \" \"May\" \" \" \"2024\"\n");
    expect("Due 2024-06-01, or May 5, 2025.", DEN_SPAN_DATE,
           "root ::= \"2024-06-01\" | \"May\" \" \" \"5\" \", \" \"2025\"\n");
}

static void runs_end_with_their_sentence(void **state)
{
    (void)state;
    expect("Tom Reed. The \"old\" mill", DEN_SPAN_WORDS,
           "root ::= \"Tom\" (\" \" \"Reed\")? | \"Reed\" | \"old\" (\"\\\" \" \"mill\")? | "
           "\"mill\"\n");
    expect("one\ntwo", DEN_SPAN_NUMBER, NULL); /* words are no digits */
    expect("", DEN_SPAN_WORDS, NULL);
    expect(".,;!", DEN_SPAN_WORDS, NULL);
}

static void hostile_texts_make_bounded_grammars(void **state)
{
    char *text = malloc(200001), *made;
    size_t i;

    (void)state;
    for (i = 0; i < 200000; i++)
        text[i] = "a1\xE6\x97\xA5\" \\\n.,"[i % 11];
    text[200000] = '\0';
    made = den_report_span_grammar(text, DEN_SPAN_WORDS);
    assert_true(!made || strlen(made) < 1 << 19);
    free(made);
    memset(text, 'x', 200000);
    assert_null(den_report_span_grammar(text, DEN_SPAN_WORDS)); /* no word is so long */
    free(text);
}

static void values_stand_at_the_borders_of_words(void **state)
{
    (void)state;
    assert_true(den_report_stands_in("340.50  Euros", "The total is 340.50 euros."));
    assert_true(den_report_stands_in("anna becker", "To Anna\nBecker."));
    assert_false(den_report_stands_in("12", "It is 312."));
    assert_false(den_report_stands_in("1,200", "It is 1,200.50 or 21,200."));
    assert_true(den_report_stands_in("1,200", "It is 1,200.50, no, 1,200."));
    assert_false(den_report_stands_in("", "anything"));
    assert_false(den_report_stands_in("Becker", "Beckers"));
}

int desk_test_report_spans(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(columns_ask_for_kinds),
        cmocka_unit_test(money_is_a_number_with_its_currency),
        cmocka_unit_test(dates_are_whole),
        cmocka_unit_test(runs_end_with_their_sentence),
        cmocka_unit_test(hostile_texts_make_bounded_grammars),
        cmocka_unit_test(values_stand_at_the_borders_of_words),
    };

    (void)argc;
    (void)argv;
    return cmocka_run_group_tests_name("desk/report_spans", tests, NULL, NULL);
}
