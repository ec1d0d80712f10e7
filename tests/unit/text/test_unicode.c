/* Unicode against Python's unicodedata: hashes over every code point (Unicode 14), made by
 *     python3 tests/fixtures/make_unicode_hashes.py
 * and the properties of the normalization forms on random text. */
#include "test.h"

#include <string.h>

#include "base/utf8.h"
#include "text/unicode.h"

static uint64_t hash_bytes(uint64_t hash, const void *bytes, size_t length)
{
    const unsigned char *at = bytes;

    while (length-- > 0)
        hash = (hash ^ *at++) * 0x100000001B3u;
    return hash;
}

static uint64_t hash_form(enum den_unicode_form form)
{
    uint64_t hash = 0xCBF29CE484222325u;
    struct den_error err = { 0 };
    struct den_buffer out;
    uint32_t code;

    den_buffer_init(&out, 1024);
    for (code = 0; code <= 0x10FFFF; code++) {
        /* between letters and marks, so that order and composition have work */
        char text[16] = "a";
        size_t length = 1;

        if (code >= 0xD800 && code <= 0xDFFF)
            continue;
        length += den_utf8_encode(code, text + length);
        memcpy(text + length, "\xCC\x81\xCC\xA3z", 5);
        den_buffer_clear(&out);
        assert_int_equal(den_unicode_normalize(form, text, length + 5, &out, &err), DEN_OK);
        hash = hash_bytes(hash, out.data, out.length);
    }
    den_buffer_deinit(&out);
    return hash;
}

static void normalizes_every_code_point(void **state)
{
    assert_int_equal(hash_form(DEN_UNICODE_NFC), 0xAD0683340513B958u);
    assert_int_equal(hash_form(DEN_UNICODE_NFD), 0xD4C34B2B25567BC7u);
    assert_int_equal(hash_form(DEN_UNICODE_NFKC), 0x6D128C7E7B828C18u);
    assert_int_equal(hash_form(DEN_UNICODE_NFKD), 0xB337737F40291376u);
}

static void knows_every_code_point(void **state)
{
    uint64_t categories = 0xCBF29CE484222325u;
    uint64_t lower = categories;
    uint64_t spaces = categories;
    uint32_t code;

    for (code = 0; code <= 0x10FFFF; code++) {
        unsigned char category = (unsigned char)den_unicode_category(code);
        unsigned char space = den_unicode_is_space(code);
        uint32_t lowered[2];
        size_t count;
        size_t i;

        categories = hash_bytes(categories, &category, 1);
        spaces = hash_bytes(spaces, &space, 1);
        if (code >= 0xD800 && code <= 0xDFFF)
            continue;
        count = den_unicode_lower(code, lowered);
        for (i = 0; i < count; i++) {
            char bytes[4];

            lower = hash_bytes(lower, bytes, den_utf8_encode(lowered[i], bytes));
        }
    }
    assert_int_equal(categories, 0x20CA5C6F353E7219u);
    assert_int_equal(lower, 0xC319D02E8283B91Eu);
    assert_int_equal(spaces, 0x05D570BB8C3EC7ACu);
}

static void passes_broken_bytes(void **state)
{
    static const char text[] = "e\xCC\x81\xFF\xCC\x81\xC3";
    struct den_error err = { 0 };
    struct den_buffer out;

    den_buffer_init(&out, 1024);
    assert_int_equal(den_unicode_normalize(DEN_UNICODE_NFC, text, sizeof text - 1, &out, &err),
                     DEN_OK);
    assert_string_equal(out.data, "\xC3\xA9\xFF\xCC\x81\xC3");
    den_buffer_deinit(&out);
}

/* 60,000 marks of two classes in turn: sorted stably, and without quadratic work. */
static void sorts_long_runs(void **state)
{
    enum { PAIRS = 30000 };
    struct den_error err = { 0 };
    struct den_buffer text;
    struct den_buffer out;
    size_t i;

    den_buffer_init(&text, 1u << 20);
    den_buffer_init(&out, 1u << 20);
    for (i = 0; i < PAIRS; i++)
        den_buffer_append_text(&text, "\xCC\x81\xCC\xA3"); /* class 230, class 220 */
    assert_int_equal(den_unicode_normalize(DEN_UNICODE_NFD, text.data, text.length, &out, &err),
                     DEN_OK);
    assert_int_equal(out.length, text.length);
    for (i = 0; i < 2 * PAIRS; i++)
        assert_memory_equal(out.data + 2 * i, i < PAIRS ? "\xCC\xA3" : "\xCC\x81", 2);
    den_buffer_deinit(&text);
    den_buffer_deinit(&out);
}

static void tells_word_characters(void **state)
{
    static const struct {
        uint32_t code;
        bool word;
    } cases[] = { { 'a', true },     { '_', true },     { '-', false },   { 0xE9, true },
                  { 0x301, true },   { 0x200D, true },  { 0x203F, true }, { 0xB2, false },
                  { 0x24B6, true },  { 0x2460, false }, { 0x4E00, true }, { 0x3002, false },
                  { 0x1F600, false } };
    size_t i;

    for (i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_int_equal(den_unicode_is_word(cases[i].code), cases[i].word);
}

int text_test_unicode(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(normalizes_every_code_point), cmocka_unit_test(knows_every_code_point),
        cmocka_unit_test(passes_broken_bytes),         cmocka_unit_test(sorts_long_runs),
        cmocka_unit_test(tells_word_characters),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
