/* Added tokens: leftmost, longest, and what their flags do. */
#include "tokenizer_fixture.h"

#include "text/tokenizer_parts.h"

static void add(struct den_tokenizer *tokenizer, const char *text, struct den_added_token added)
{
    struct den_error err = { 0 };

    added.text = den_tokenizer_keep(tokenizer, text, strlen(text));
    assert_int_equal(den_tokenizer_add(tokenizer, added, false, &err), DEN_OK);
}

/* Matches of a text as "token@start-end " in a row. */
static void check(const struct den_tokenizer *tokenizer, const char *text, unsigned flags,
                  const char *wanted)
{
    struct den_token_text all = { text, strlen(text) };
    struct den_added_match match;
    struct den_buffer found;
    size_t done = 0;
    size_t at = 0;

    den_buffer_init(&found, 4096);
    while (den_added_find(&tokenizer->raw_added, all, at, done, flags, &match)) {
        den_buffer_appendf(&found, "%d@%zu-%zu ", match.added->token, match.start, match.end);
        done = match.end;
        at = match.next;
    }
    assert_string_equal(found.data, wanted);
    den_buffer_deinit(&found);
}

static void finds_by_the_rules(void **state)
{
    struct den_tokenizer *tokenizer = NULL;
    struct den_error err = { 0 };

    assert_int_equal(den_tokenizer_create_empty(16, 4096, &tokenizer, &err), DEN_OK);
    check(tokenizer, "nothing is added yet", DEN_ENCODE_PARSE_SPECIAL, "");
    add(tokenizer, "<a>", (struct den_added_token){ .token = 1, .special = true });
    add(tokenizer, "<a><b>", (struct den_added_token){ .token = 2 });
    add(tokenizer, "<l>", (struct den_added_token){ .token = 3, .strip_left = true });
    add(tokenizer, "<r>", (struct den_added_token){ .token = 4, .strip_right = true });
    add(tokenizer, "word", (struct den_added_token){ .token = 5, .single_word = true });
    add(tokenizer, "", (struct den_added_token){ .token = 6 });
    check(tokenizer, "x<a>y<a><b>", DEN_ENCODE_PARSE_SPECIAL, "1@1-4 2@5-11 ");
    check(tokenizer, "x<a>y<a><b>", 0, "2@5-11 ");
    check(tokenizer, "a \n<l> b", 0, "3@1-6 ");
    check(tokenizer, "a <r> \xE3\x80\x80 b", 0, "4@2-10 ");
    check(tokenizer, "<r>  <l>", 0, "4@0-5 3@5-8 "); /* the space is taken once */
    check(tokenizer, "word words sword (word) \xC3\xA9word", 0, "5@0-4 5@18-22 ");
    den_tokenizer_destroy(tokenizer);
}

int text_test_tokenizer_added(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_by_the_rules),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
