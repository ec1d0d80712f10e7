/* JSON Schema keyword by keyword. tests/quality/structured.py holds whole schemas, and what is
 * generated from them, against python-jsonschema. */
#include "grammar_try.h"

static void types_are_told_apart(void **state)
{
    takes("{\"type\": \"null\"}", "null");
    takes("{\"type\": [\"boolean\", \"null\"]}", "true\nfalse\nnull");
    refuses("{\"type\": \"boolean\"}", "null\ntru\n1\n\"true\"");
    takes("{\"type\": \"string\", \"nullable\": true}", "null\n\"\"");
    takes("true", "{\"a\": [1, \"x\", null]}\n-1.5e3\n\"\\u00e9\"\n[]\n{}");
    refuses("true", "{\"a\" :1}\n[1,]\n01\n.5\n1.\n+1\n{a:1}\nnul");
    fails("{\"type\": \"text\"}", DEN_INVALID, "#/type");
    fails("false", DEN_INVALID, "contradicts itself");
    fails("3", DEN_INVALID, "#");
}

static void strings_are_valid_json(void **state)
{
    takes("{\"type\": \"string\"}",
          "\"\"\n\"a\\\"\\\\\\/"
          "\\b\\n\"\n\"\\ud83d\\ude00\"\n\"\xc3\xa9\xe6\xbc\xa2\xf0\x9f\x98\x80\"");
    refuses("{\"type\": \"string\"}",
            "\"\\ud83d\"\n\"\\ude00\"\n\"\\u0000\"\n\"\\x\"\n\"\t\"\n\"\xc3\"\n\"\xed\xa0\x80\"\n\""
            "\xc0\x80\"\n\"a");
    takes("{\"type\": \"string\", \"minLength\": 2, \"maxLength\": 3}",
          "\"ab\"\n\"\\ud83d\\ude00\xc3\xa9\"\n\"abc\"");
    refuses("{\"type\": \"string\", \"minLength\": 2, \"maxLength\": 3}", "\"a\"\n\"abcd\"\n\"\"");
}

static void numbers_keep_their_bounds(void **state)
{
    takes("{\"type\": \"integer\"}", "0\n-1\n123456789012345678");
    refuses("{\"type\": \"integer\"}", "-0\n1.0\n1e3\n1234567890123456789\n00");
    takes("{\"type\": \"integer\", \"minimum\": -12, \"maximum\": 130}",
          "-12\n-9\n0\n99\n130\n100");
    refuses("{\"type\": \"integer\", \"minimum\": -12, \"maximum\": 130}",
            "-13\n131\n200\n-20\n013");
    takes("{\"type\": \"integer\", \"exclusiveMinimum\": 9007199254740993}", "9007199254740994");
    refuses("{\"type\": \"integer\", \"exclusiveMinimum\": 9007199254740993}", "9007199254740993");
    takes("{\"type\": \"number\", \"exclusiveMinimum\": 0, \"maximum\": 1.5}", "0.1\n1.5\n1.50\n1");
    refuses("{\"type\": \"number\", \"exclusiveMinimum\": 0, \"maximum\": 1.5}",
            "0\n0.0\n1.500001\n2\n-1\n1.51");
    takes("{\"type\": \"integer\", \"multipleOf\": 7}", "0\n7\n-49\n7000");
    refuses("{\"type\": \"integer\", \"multipleOf\": 7}", "1\n-48\n71");
    takes("{\"type\": \"number\", \"multipleOf\": 0.25}", "0.5\n-1.75\n3\n2.50");
    refuses("{\"type\": \"number\", \"multipleOf\": 0.25}", "0.3\n0.251");
    takes("{\"minimum\": 3, \"exclusiveMinimum\": true, \"type\": \"integer\"}", "4");
    refuses("{\"minimum\": 3, \"exclusiveMinimum\": true, \"type\": \"integer\"}", "3");
    fails("{\"type\": \"integer\", \"minimum\": \"3\"}", DEN_INVALID, "#/minimum");
    fails("{\"type\": \"number\", \"multipleOf\": 0.00123456789}", DEN_UNSUPPORTED, "#/multipleOf");
    fails("{\"type\": \"integer\", \"minimum\": 3, \"maximum\": 2}", DEN_INVALID, "contradicts");
}

static void objects_have_their_members_in_order(void **state)
{
    static const char schema[] =
        "{\"properties\": {\"a\": {\"type\": \"integer\"}, \"b\": {}, \"c\": "
        "{\"const\": 1}}, \"required\": [\"b\"]}";

    takes(schema, "{\"b\": 1}\n{\"a\":1,\"b\":[]}\n{\"a\": 1, \"b\": 2, \"c\": 1}\n{ \"b\":1 }");
    refuses(schema, "{}\n{\"b\":1,\"a\":1}\n{\"a\":1}\n{\"b\":1,}\n{,\"b\":1}\n{\"b\":1,\"d\":1}\n"
                    "{\"b\":1\"c\":1}");
    takes("{\"properties\": {\"a\": true}, \"additionalProperties\": {\"type\": \"null\"}}",
          "{\"ab\":null,\"\":null}\n{\"a\":3,\"x\":null}\n{}");
    refuses("{\"properties\": {\"a\": true}, \"additionalProperties\": {\"type\": \"null\"}}",
            "{\"x\":3}\n{\"x\":null,\"a\":3}\n{\"a\":1,\"\\u0061\":null}");
    takes("{\"patternProperties\": {\"^x-\": {\"type\": \"integer\"}, \"z$\": {\"minimum\": 5}}}",
          "{\"x-1\":1,\"x-z\":5,\"az\":7.5}");
    refuses("{\"patternProperties\": {\"^x-\": {\"type\": \"integer\"}, \"z$\": {\"minimum\": 5}}}",
            "{\"x-z\":4}\n{\"x-z\":5.5}\n{\"y\":1}");
    takes("{\"type\": \"object\", \"minProperties\": 2, \"maxProperties\": 3}",
          "{\"a\":1,\"b\":2}\n{\"a\":1,\"b\":2,\"c\":3}");
    refuses("{\"type\": \"object\", \"minProperties\": 2, \"maxProperties\": 3}",
            "{}\n{\"a\":1}\n{\"a\":1,\"b\":2,\"c\":3,\"d\":4}");
    takes("{\"type\": \"object\", \"propertyNames\": {\"pattern\": \"^[a-z]+$\"}}", "{\"ab\":1}");
    refuses("{\"type\": \"object\", \"propertyNames\": {\"pattern\": \"^[a-z]+$\"}}", "{\"A\":1}");
    takes("{\"properties\":{\"a\":{},\"b\":{}},\"dependentRequired\":{\"a\":[\"b\"]}}",
          "{\"b\":1}\n{\"a\":1,\"b\":1}\n{}");
    refuses("{\"properties\":{\"a\":{},\"b\":{}},\"dependentRequired\":{\"a\":[\"b\"]}}",
            "{\"a\":1}");
    takes("{\"properties\":{\"a\":false,\"b\":{\"const\":2}}}", "{}\n{\"b\":2}");
}

static void arrays_have_their_lengths(void **state)
{
    takes("{\"items\": {\"type\": \"integer\"}, \"minItems\": 1, \"maxItems\": 3}",
          "[1]\n[1, 2,3]");
    refuses("{\"items\": {\"type\": \"integer\"}, \"minItems\": 1, \"maxItems\": 3}",
            "[]\n[1,2,3,4]\n[null]\n[1,]");
    takes(
        "{\"prefixItems\": [{\"const\": \"a\"}, {\"type\": \"null\"}], \"items\": {\"const\": 1}}",
        "[]\n[\"a\"]\n[\"a\",null]\n[\"a\",null,1,1]");
    refuses(
        "{\"prefixItems\": [{\"const\": \"a\"}, {\"type\": \"null\"}], \"items\": {\"const\": 1}}",
        "[null]\n[\"a\",1]\n[\"a\",null,2]");
    takes("{\"type\": \"array\", \"maxItems\": 0}", "[]\n[ ]");
    refuses("{\"type\": \"array\", \"maxItems\": 0}", "[1]");
    takes("{\"uniqueItems\": true, \"items\": {\"enum\": [1, 2, 3]}, \"minItems\": 2}",
          "[1,3]\n[1,2,3]");
    refuses("{\"uniqueItems\": true, \"items\": {\"enum\": [1, 2, 3]}, \"minItems\": 2}",
            "[1]\n[1,1]");
    fails("{\"uniqueItems\": true, \"items\": {\"type\": \"string\"}}", DEN_UNSUPPORTED,
          "#/uniqueItems");
}

static void schemas_combine(void **state)
{
    takes("{\"allOf\": [{\"type\": \"integer\", \"minimum\": 3}, {\"maximum\": 5}]}", "3\n5");
    refuses("{\"allOf\": [{\"type\": \"integer\", \"minimum\": 3}, {\"maximum\": 5}]}",
            "2\n6\nnull");
    takes(
        "{\"anyOf\": [{\"type\": \"integer\"}, {\"type\": \"null\"}], \"enum\": [1, \"a\", null]}",
        "1\nnull");
    refuses(
        "{\"anyOf\": [{\"type\": \"integer\"}, {\"type\": \"null\"}], \"enum\": [1, \"a\", null]}",
        "\"a\"\n2");
    takes("{\"enum\": [1, 2, 3, 40, \"abc\"], \"type\": \"integer\", \"minimum\": 2, "
          "\"multipleOf\": 2}",
          "2\n40");
    refuses("{\"enum\": [1, 2, 3, 40, \"abc\"], \"type\": \"integer\", \"multipleOf\": 2}", "1\n3");
    takes(
        "{\"type\":\"object\",\"properties\":{\"a\":{},\"b\":{}},\"oneOf\":[{\"required\":[\"a\"]},"
        "{\"required\":[\"b\"]}]}",
        "{\"a\":1}\n{\"b\":1}");
    refuses(
        "{\"type\":\"object\",\"properties\":{\"a\":{},\"b\":{}},\"oneOf\":[{\"required\":[\"a\"]},"
        "{\"required\":[\"b\"]}]}",
        "{\"a\":1,\"b\":1}\n{}");
    takes("{\"oneOf\":[{\"type\":\"string\",\"pattern\":\"^a\"},{\"type\":\"string\",\"pattern\":"
          "\"^b\"}"
          "]}",
          "\"ax\"\n\"b\"");
    fails("{\"oneOf\": [{\"type\": \"integer\"}, {\"type\": \"number\"}]}", DEN_UNSUPPORTED,
          "#/oneOf");
    fails("{\"oneOf\": [{}, {\"type\": \"object\"}]}", DEN_UNSUPPORTED, "#/oneOf");
    fails("{\"properties\": {\"a\": {\"not\": {}}}}", DEN_UNSUPPORTED, "#/properties/a/not");
    fails("{\"properties\": {\"a/b\": {\"if\": {}}}}", DEN_UNSUPPORTED, "#/properties/a~1b/if");
}

static void references_may_recurse(void **state)
{
    static const char list[] =
        "{\"$ref\":\"#/$defs/n\",\"$defs\":{\"n\":{\"properties\":{\"next\":{"
        "\"anyOf\":[{\"$ref\":\"#/$defs/n\"},{\"type\":\"null\"}]}},\"required\":"
        "[\"next\"]}}}";
    char deep[201];

    takes(list, "{\"next\":null}\n{\"next\": {\"next\": {\"next\":null}}}");
    refuses(list, "{}\n{\"next\":{}}\n{\"next\":{\"next\":null}");
    memset(deep, '[', 200);
    deep[200] = '\0';
    refuses("true", deep);
    fails("{\"$ref\": \"#/$defs/x\"}", DEN_INVALID, "#/$ref");
    fails("{\"$ref\": \"other.json\"}", DEN_UNSUPPORTED, "other.json");
    fails("{\"required\":[\"a\"],\"properties\":{\"a\":{\"$ref\":\"#\"}}}", DEN_INVALID,
          "no way out");
    takes("{\"$ref\": \"#/definitions/a~1b%25\", \"definitions\": {\"a/b%\": {\"const\": 1}}}",
          "1");
}

/* What a client sends must not take more than it should. */
static void sizes_are_bounded(void **state)
{
    takes("{\"type\": \"string\", \"maxLength\": 900000}", "\"abc\"");
    takes("{\"items\": {\"items\": {\"const\": 1}, \"maxItems\": 900000}, \"maxItems\": 900000}",
          "[[1,1],[1]]");
    fails("{\"items\": {}, \"minItems\": 100000000}", DEN_UNSUPPORTED, "#/minItems");
    fails("{\"type\": \"string\", \"pattern\": \"^((a{1,900}){1,900}){1,900}$\"}", DEN_TOO_LARGE,
          "");
    fails("{\"type\": \"integer\", \"multipleOf\": 999983}", DEN_UNSUPPORTED, "#/multipleOf");
}

int text_test_grammar_schema(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(types_are_told_apart),
        cmocka_unit_test(strings_are_valid_json),
        cmocka_unit_test(numbers_keep_their_bounds),
        cmocka_unit_test(objects_have_their_members_in_order),
        cmocka_unit_test(arrays_have_their_lengths),
        cmocka_unit_test(schemas_combine),
        cmocka_unit_test(references_may_recurse),
        cmocka_unit_test(sizes_are_bounded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
