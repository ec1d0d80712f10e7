/* GBNF: each construct, and each way to get it wrong. */
#include "grammar_try.h"

static void constructs_mean_what_they_should(void **state)
{
    takes("root ::= \"a\" [b-d]+ (\"x\" | \"y\"){2,3} # comment\n", "abxy\nabcdyyy");
    refuses("root ::= \"a\" [b-d]+ (\"x\" | \"y\"){2,3}", "axx\nabx\nabxxxx\nabe");
    takes("root ::= item (\",\" item)*\nitem ::= [^\\\"\\n,] | \"\\x41\\u00e9\\U0001F600\"",
          "x,\xc3\xa9,\xf0\x9f\x98\x80\nA\xc3\xa9\xf0\x9f\x98\x80");
    refuses("root ::= item (\",\" item)*\nitem ::= [^\\\"\\n,] | \"zz\"", "x,\n,x\n\"\nzzz\n\xc3");
    takes("root ::= \"(\" root? \")\"", "()\n((()))");
    refuses("root ::= \"(\" root? \")\"", "(()\n)(");
    takes("root ::= . .{2}", "abc\n\xe6\xbc\xa2\xe6\xbc\xa2\xe6\xbc\xa2");
    refuses("root ::= . .{2}", "ab\nabcd");
    takes("root ::= a{1,1000000} b\na ::= \"x\"\nb ::= \"y\" |\n  \"z\"", "xxxxy\nxz");
    takes("root ::= \"a\" root | \"b\"", "aaab\nb");
    takes("root ::= (\"a\"? \"b\"?)* \"c\"", "abbac\nc");
    takes("root ::= \"a\" b\n\nb ::= \"\" | \"x\"", "a\nax");
}

static void holes_take_schemas(void **state)
{
    static const char source[] = "root ::= \"<call>\" @1 \"</call>\" @0?";
    json_t *schemas[2] = { json_true(), json_loads("{\"type\": \"integer\"}", 0, NULL) };
    struct den_grammar *grammar = NULL;
    struct den_error err = { 0 };

    assert_int_equal(den_grammar_from_gbnf(source, strlen(source), (const json_t *const *)schemas,
                                           2, &grammar, &err),
                     DEN_OK);
    assert_true(grammar_takes(grammar, "<call>12</call>"));
    assert_true(grammar_takes(grammar, "<call>-3</call>{\"a\": [1]}"));
    assert_false(grammar_takes(grammar, "<call>x</call>"));
    assert_false(grammar_takes(grammar, "<call>1.5</call>"));
    den_grammar_destroy(grammar);
    json_decref(schemas[1]);
}

static void mistakes_are_named(void **state)
{
    fails("root ::= root \"a\" | \"b\"", DEN_INVALID, "rule 'root' is left-recursive");
    fails("root ::= a\na ::= b? \"x\"\nb ::= c{0,5} a\nc ::= \"y\"", DEN_INVALID, "left-recursive");
    fails("root ::= x", DEN_INVALID, "no rule 'x'");
    fails("a ::= \"x\"", DEN_INVALID, "no rule 'root'");
    fails("root ::= \"a\nroot2 ::= b", DEN_INVALID, "'\"' is missing");
    fails("root ::= [a", DEN_INVALID, "']' is missing");
    fails("root ::= (\"a\"", DEN_INVALID, "')' is missing");
    fails("root ::= \"a\"{3,2}", DEN_INVALID, "{m,n}");
    fails("root ::= \"a\"{2000000}", DEN_INVALID, "1000000");
    fails("root ::= [z-a]", DEN_INVALID, "out of order");
    fails("root ::= \"\\q\"", DEN_INVALID, "escape");
    fails("root ::= @0", DEN_INVALID, "schema");
    fails("root ::= \"a\"\nroot ::= \"b\"", DEN_INVALID, "line 2");
    fails("root ::= \"a\" $", DEN_INVALID, "line 1");
    fails("root ::= \"a\" root", DEN_INVALID, "no way out");
    fails("root ::= (\"a\"?){1,1000}", DEN_UNSUPPORTED, "may be empty");
}

int text_test_grammar_gbnf(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(constructs_mean_what_they_should),
        cmocka_unit_test(holes_take_schemas),
        cmocka_unit_test(mistakes_are_named),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
