/* What becomes of a question's words. */
#include "test.h"

#include <stdio.h>
#include <string.h>

#include "base/buffer.h"
#include "space/words.h"

/* All words as FTS5 gets them, with blanks between. */
static void becomes(const char *question, const char *want)
{
    struct den_words words;
    struct den_buffer text;
    size_t i;

    den_buffer_init(&text, 1 << 20);
    den_words_split(question, &words);
    for (i = 0; i < words.count; i++) {
        if (i > 0)
            den_buffer_append_byte(&text, ' ');
        den_words_quote(&words.word[i], &text);
    }
    assert_string_equal(text.data, want);
    den_buffer_deinit(&text);
}

static void words_are_quoted_and_counted_once(void **state)
{
    (void)state;
    becomes("Where is the Deposit, and what of the deposit?", "\"deposit\"");
    becomes("E-mail: a.b@example.org (2024)", "\"e\" \"mail\" \"b\" \"example\" \"org\" \"2024\"");
    becomes("NOT \"rent\" OR NEAR(x, y) AND col:z*", "\"rent\" \"near\" \"x\" \"y\" \"col\" \"z\"");
    becomes("na\xc3\xafve caf\xc3\xa9\xe2\x80\x94"
            "bar",
            "\"na\xc3\xafve\" \"caf\xc3\xa9\" \"bar\"");
    becomes("", "");
    becomes("what is it", "");
    becomes("\xff\xfe\xc3", "");
}

static void chinese_becomes_pairs(void **state)
{
    (void)state;
    becomes("\xe5\xb9\xb4\xe5\xba\xa6\xe6\x8a\xa5", /* 年度报 */
            "\"\xe5\xb9\xb4\xe5\xba\xa6\" \"\xe5\xba\xa6\xe6\x8a\xa5\"");
    becomes("2024\xe5\xb9\xb4", "\"2024\" \"\xe5\xb9\xb4\"*");
    becomes("\xe4\xbb\x80\xe4\xb9\x88\xef\xbc\x9f", ""); /* 什么？ */
}

static void there_are_limits(void **state)
{
    char text[DEN_SPACE_TERMS_MAX * 16], long_word[400];
    struct den_words words;
    size_t i, length = 0;

    (void)state;
    for (i = 0; i < 2 * DEN_SPACE_TERMS_MAX; i++)
        length += (size_t)snprintf(text + length, sizeof text - length, "w%zu ", i);
    den_words_split(text, &words);
    assert_int_equal(words.count, DEN_SPACE_TERMS_MAX);
    memset(long_word, 'x', sizeof long_word);
    long_word[sizeof long_word - 1] = '\0';
    den_words_split(long_word, &words);
    assert_int_equal(words.count, 0);
}

int space_test_words(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_are_quoted_and_counted_once),
        cmocka_unit_test(chinese_becomes_pairs),
        cmocka_unit_test(there_are_limits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
