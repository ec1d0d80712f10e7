/* Each decoding step, at the start of a text, inside it and at its end. */
#include "test.h"

#include <string.h>

#include "text/tokenizer_parts.h"

static struct den_token_text text_of(const char *text)
{
    return (struct den_token_text){ text, strlen(text) };
}

static void check(struct den_decoder_step step, const char *name, const char *first,
                  const char *inside, const char *last)
{
    const char *wanted[] = { first, inside, last };
    struct den_decoder decoder = { 0 };
    struct den_error err = { 0 };
    int place;

    assert_int_equal(den_decoder_add(&decoder, step, &err), DEN_OK);
    for (place = 0; place < 3; place++) {
        struct den_buffer out;

        den_buffer_init(&out, 4096);
        den_decoder_append(&decoder, text_of(name), place == 0, place == 2, &out);
        assert_string_equal(out.data, wanted[place]);
        den_buffer_deinit(&out);
    }
}

#define STEP(...) ((struct den_decoder_step){ __VA_ARGS__ })

static void runs_each_step(void **state)
{
    struct den_decoder_step pieces = { .kind = DEN_DECODER_WORDPIECE,
                                       .from = text_of("##"),
                                       .clean_up = true };
    struct den_decoder_step spaces = { .kind = DEN_DECODER_METASPACE,
                                       .from = text_of("_"),
                                       .drop_first = true };

    check(STEP(.kind = DEN_DECODER_BYTE_ALPHABET),
          "\xC4\xA0"
          "a",
          " a", " a", " a");
    check(STEP(.kind = DEN_DECODER_BYTE_ALPHABET), "a b", "a b", "a b", "a b"); /* not mapped */
    check(STEP(.kind = DEN_DECODER_BYTE_FALLBACK), "<0x41>", "A", "A", "A");
    check(STEP(.kind = DEN_DECODER_BYTE_FALLBACK), "<0x4>", "<0x4>", "<0x4>", "<0x4>");
    check(STEP(.kind = DEN_DECODER_REPLACE, .from = text_of("_"), .to = text_of("--")), "_a_",
          "--a--", "--a--", "--a--");
    check(spaces, "_a_b", "ab", " a b", " a b");
    spaces.drop_first = false;
    check(spaces, "_a_b", " a b", " a b", " a b");
    check(pieces, "##ing", "##ing", "ing", "ing");
    check(pieces, "the", "the", " the", " the");
    check(pieces, ".", ".", ".", ".");
    check(pieces, "n't", "n't", "n't", "n't");
    pieces.clean_up = false;
    check(pieces, ".", ".", " .", " .");
    check(STEP(.kind = DEN_DECODER_WORD_SUFFIX, .from = text_of("</w>")), "a</w>", "a ", "a ", "a");
    check(STEP(.kind = DEN_DECODER_STRIP, .from = text_of(" "), .left = 1, .right = 2), "  a   ",
          " a ", " a ", " a ");
}

static void joins_by_spaces_without_a_decoder(void **state)
{
    struct den_decoder decoder = { .spaced = true };
    struct den_buffer out;

    den_buffer_init(&out, 64);
    den_decoder_append(&decoder, text_of("a"), true, false, &out);
    den_decoder_append(&decoder, text_of("b"), false, true, &out);
    assert_string_equal(out.data, "a b");
    den_buffer_deinit(&out);
}

int text_test_tokenizer_decoder(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(runs_each_step),
        cmocka_unit_test(joins_by_spaces_without_a_decoder),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
