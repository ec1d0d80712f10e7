/* tokenizer.json files that must be refused, each with its reason. */
#include "tokenizer_fixture.h"

static void refuses_bad_json(void **state)
{
    static const struct {
        const char *text;
        enum den_status status;
        const char *message;
    } cases[] = {
        { "", DEN_INVALID, "JSON" },
        { "[]", DEN_BAD_FILE, "vocab" },
        { "{\"model\":{\"type\":\"BPE\",\"vocab\":{},\"merges\":[]}}", DEN_BAD_FILE, "empty" },
        { "{\"model\":{\"type\":\"BPE\",\"vocab\":{\"a\":-1},\"merges\":[]}}", DEN_BAD_FILE, "-1" },
        { "{\"model\":{\"type\":\"BPE\",\"vocab\":{\"a\":1000000},\"merges\":[]}}", DEN_BAD_FILE,
          "dense" },
        { "{\"model\":{\"type\":\"BPE\",\"vocab\":{\"a\":0,\"b\":0},\"merges\":[]}}", DEN_BAD_FILE,
          "two tokens" },
        { "{\"model\":{\"type\":\"BPE\",\"vocab\":{\"a\":0},\"merges\":[\"a b\"]}}", DEN_BAD_FILE,
          "merge 0" },
        { "{\"model\":{\"type\":\"BPE\",\"vocab\":{\"a\":0},\"merges\":[\"a\"]}}", DEN_BAD_FILE,
          "two tokens" },
        { "{\"model\":{\"type\":\"WordLevel\",\"vocab\":{\"a\":0}}}", DEN_UNSUPPORTED,
          "WordLevel" },
        { "{\"model\":{\"type\":\"Unigram\",\"unk_id\":9,\"vocab\":[[\"a\",-1]]}}", DEN_INVALID,
          "unk_id" },
        { "{\"model\":{\"type\":\"Unigram\",\"vocab\":[[1,2]]}}", DEN_BAD_FILE, "score" },
        { "{\"model\":{\"type\":\"BPE\",\"vocab\":{\"a\":0},\"merges\":[]},\"pre_tokenizer\":"
          "{\"type\":\"Split\",\"pattern\":{\"Regex\":\"(\"},\"behavior\":\"Isolated\"}}",
          DEN_BAD_FILE, "regular expression" },
        { "{\"model\":{\"type\":\"BPE\",\"vocab\":{\"a\":0},\"merges\":[]},\"pre_tokenizer\":"
          "{\"type\":\"Wonder\"}}",
          DEN_UNSUPPORTED, "Wonder" },
        { "{\"model\":{\"type\":\"BPE\",\"vocab\":{\"a\":0},\"merges\":[]},\"normalizer\":"
          "{\"type\":\"Precompiled\",\"precompiled_charsmap\":\"////\"}}",
          DEN_BAD_FILE, "charsmap" },
        { "{\"model\":{\"type\":\"BPE\",\"vocab\":{\"a\":0},\"merges\":[]},\"post_processor\":"
          "{\"type\":\"BertProcessing\",\"cls\":[\"a\",7],\"sep\":[\"a\",0]}}",
          DEN_BAD_FILE, "token 7" },
    };
    size_t i;

    for (i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct den_tokenizer *tokenizer = NULL;
        struct den_error err = { 0 };

        assert_int_equal(
            den_tokenizer_create_json(cases[i].text, strlen(cases[i].text), NULL, &tokenizer, &err),
            cases[i].status);
        if (!strstr(err.message, cases[i].message))
            fail_msg("'%s' doesn't say '%s'", err.message, cases[i].message);
        assert_null(tokenizer);
    }
}

int text_test_tokenizer_json(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refuses_bad_json),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
