/* Parts: JSON and back gives the same, and nothing false gets through the check. */
#include "test.h"

#include <math.h>
#include <string.h>

#include "base/json.h"
#include "input/document.h"

static const struct den_block blocks[] = {
    { .kind = DEN_BLOCK_HEADING, .level = 2, .start = 0, .end = 5, .anchor = "top" },
    { .kind = DEN_BLOCK_TABLE,
      .start = 7,
      .end = 14,
      .source_start = 10,
      .source_end = 90,
      .range = "A1:B2" },
};
static const struct den_word words[] = {
    { .start = 0, .end = 5, .left = 1.25F, .top = 2, .right = 30.5F, .bottom = 12.75F },
};
static const struct den_part good = {
    .kind = DEN_PART_SHEET,
    .number = 3,
    .label = "Sheet \xE4\xBD\xA0",
    .width = 595.25F,
    .height = 842,
    .scanned = true,
    .text = "Title\n\n\xC3\xA9\tb\nc\td",
    .length = 14,
    .blocks = blocks,
    .block_count = 2,
    .words = words,
    .word_count = 1,
};

static void goes_through_json(void **state)
{
    struct den_error err = { 0 };
    struct den_part back;
    struct den_buffer text;
    json_t *json = den_part_json(&good), *read = NULL;

    den_buffer_init(&text, 65536);
    assert_int_equal(den_json_write(json, &text, &err), DEN_OK);
    assert_null(memchr(text.data, '\n', text.length));
    assert_int_equal(den_json_parse(text.data, text.length, "part", &read, &err), DEN_OK);
    assert_int_equal(den_part_from_json(read, &back, &err), DEN_OK);
    assert_int_equal(back.kind, DEN_PART_SHEET);
    assert_int_equal(back.number, 3);
    assert_string_equal(back.label, good.label);
    assert_true(back.width == 595.25F && back.height == 842 && back.scanned);
    assert_int_equal(back.length, good.length);
    assert_memory_equal(back.text, good.text, good.length);
    assert_int_equal(back.block_count, 2);
    assert_int_equal(back.blocks[0].level, 2);
    assert_string_equal(back.blocks[0].anchor, "top");
    assert_null(back.blocks[0].range);
    assert_string_equal(back.blocks[1].range, "A1:B2");
    assert_int_equal(back.blocks[1].source_end, 90);
    assert_int_equal(back.word_count, 1);
    assert_true(back.words[0].left == 1.25F && back.words[0].bottom == 12.75F);
    den_part_free(&back);
    json_decref(json);
    json_decref(read);
    den_buffer_deinit(&text);
}

static void refuses(const struct den_part *part, const char *why)
{
    struct den_error err = { 0 };

    assert_int_equal(den_part_check(part, &err), DEN_BAD_FILE);
    if (!strstr(err.message, why))
        fail_msg("'%s' does not say '%s'", err.message, why);
}

static void checks_parts(void **state)
{
    struct den_error err = { 0 };
    struct den_part part = good;
    struct den_word word = words[0];

    assert_int_equal(den_part_check(&part, &err), DEN_OK);
    part.number = 0;
    refuses(&part, "begin with 1");
    part = good;
    part.label = "\xFF";
    refuses(&part, "label");
    part = good;
    part.width = NAN;
    refuses(&part, "size");
    part = good;
    part.text = "Title\n\n\xC3\x28\tb\nc\td";
    refuses(&part, "UTF-8");
    part.text = "Title\n\n\xC3\xA9\tb\0c\td";
    refuses(&part, "zero");
    part = good;
    part.kind = (enum den_part_kind)99;
    refuses(&part, "kind");
    part = good;
    part.words = &word;
    word.right = INFINITY;
    refuses(&part, "nowhere");
    word = words[0];
    word.end = 15;
    refuses(&part, "bytes 0 to 15");
    word.start = 8; /* inside the e with its accent */
    word.end = 10;
    refuses(&part, "word 0");
}

static void checks_blocks(void **state)
{
    struct den_block own[2];
    struct den_part part = good;

    part.blocks = own;
#define WITH(change, why)                                                                          \
    memcpy(own, blocks, sizeof own);                                                               \
    change;                                                                                        \
    refuses(&part, why)
    WITH(own[1].start = 4, "inside");
    WITH(own[1].end = 20, "of 14");
    WITH(own[1].end = 7, "bytes 7 to 7");
    WITH(own[1].start = 8, "cuts");
    WITH(own[1].start = 9, "leaves out");
    WITH(own[1].end = 11, "after the last");
    WITH(own[0].level = 0, "level 0");
    WITH(own[0].level = 7, "level 7");
    WITH(own[1].level = 1, "level 1");
    WITH(own[1].source_end = 9, "ends before");
    WITH(own[1].range = "\xFF", "range");
    WITH(own[0].kind = (enum den_block_kind)6, "kind");
#undef WITH
}

static void refuses_other_json(void **state)
{
    static const char *const texts[] = {
        "{}",
        "[]",
        "{\"part\": {}}",
        "{\"part\": {\"kind\": \"page\", \"number\": -1, \"label\": \"\", \"width\": 0, "
        "\"height\": 0, \"scanned\": false, \"text\": \"\", \"blocks\": [], \"words\": []}}",
        "{\"part\": {\"kind\": \"book\", \"number\": 1, \"label\": \"\", \"width\": 0, "
        "\"height\": 0, \"scanned\": false, \"text\": \"\", \"blocks\": [], \"words\": []}}",
        "{\"part\": {\"kind\": \"page\", \"number\": 1, \"label\": \"a\\u0000b\", \"width\": 0, "
        "\"height\": 0, \"scanned\": false, \"text\": \"\", \"blocks\": [], \"words\": []}}",
        "{\"part\": {\"kind\": \"page\", \"number\": 1, \"label\": \"\", \"width\": 0, "
        "\"height\": 0, \"scanned\": false, \"text\": \"abc\", \"blocks\": [[\"paragraph\", 0, 0, "
        "3, 0, 0, null]], \"words\": []}}",
        "{\"part\": {\"kind\": \"page\", \"number\": 1, \"label\": \"\", \"width\": 0, "
        "\"height\": 0, \"scanned\": false, \"text\": \"a\\u0000c\", \"blocks\": [[\"paragraph\", "
        "0, 0, 3, 0, 0, null, null]], \"words\": []}}",
        "{\"part\": {\"kind\": \"page\", \"number\": 1, \"label\": \"\", \"width\": 1e30, "
        "\"height\": 0, \"scanned\": false, \"text\": \"\", \"blocks\": [], \"words\": []}}",
    };
    size_t i;

    for (i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct den_error err = { 0 };
        struct den_part part;
        json_t *json = NULL;

        assert_int_equal(den_json_parse(texts[i], strlen(texts[i]), "part", &json, &err), DEN_OK);
        assert_int_equal(den_part_from_json(json, &part, &err), DEN_BAD_FILE);
        assert_string_not_equal(err.message, "");
        json_decref(json);
    }
}

static void reads_kept_blocks(void **state)
{
    struct den_error err = { 0 };
    struct den_block *read;
    size_t count;
    json_t *json = den_blocks_json(blocks, 2);

    assert_int_equal(den_blocks_from_json(json, 14, &read, &count, &err), DEN_OK);
    assert_int_equal(count, 2);
    assert_int_equal(read[1].end, 14);
    free(read);
    assert_int_equal(den_blocks_from_json(json, 13, &read, &count, &err), DEN_BAD_FILE);
    json_decref(json);
}

int input_test_part(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(goes_through_json), cmocka_unit_test(checks_parts),
        cmocka_unit_test(checks_blocks),     cmocka_unit_test(refuses_other_json),
        cmocka_unit_test(reads_kept_blocks),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
