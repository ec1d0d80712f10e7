/* Pages as poppler and tesseract print them. */
#include "test.h"

#include <string.h>

#include "base/buffer.h"
#include "collect.h"

static struct collect collect;
static struct den_error err;

static enum den_status read_layout(const char *text)
{
    return collect_with(den_reader_read_pdf_layout, text, strlen(text), "a.pdf", &collect, &err);
}

#define WORD(left, top, right, bottom, text)                                                       \
    "<word xMin=\"" left "\" yMin=\"" top "\" xMax=\"" right "\" yMax=\"" bottom "\">" text        \
    "</word>\n"
#define LINE         "</line><line xMin=\"0\">"
#define BLOCK(right) "</block><block xMin=\"0\" xMax=\"" right "\">"
#define BODY                                                                                       \
    BLOCK("300")                                                                                   \
    LINE WORD("10", "100", "150", "110", "The") WORD("155", "100", "290", "110", "rent")           \
        LINE WORD("10", "112", "160", "122", "is") WORD("165", "112", "200", "122", "due.")        \
            LINE WORD("10", "124", "60", "134", "A&amp;B&#233;")

static void joins_words_into_paragraphs(void **state)
{
    const struct den_part *page;

    assert_int_equal(read_layout("<doc><page width=\"612.5\" height=\"792\">" BLOCK("200")
                                     LINE WORD("10", "20", "90", "44", "Lease") BODY
                                 "</page><page width=\"100\" height=\"200\"></page></doc>"),
                     DEN_OK);
    assert_int_equal(collect.count, 2);
    page = &collect.parts[0];
    assert_int_equal(page->kind, DEN_PART_PAGE);
    assert_int_equal(page->number, 1);
    assert_true(page->width == 612.5F && page->height == 792 && !page->scanned);
    assert_int_equal(page->block_count, 2);
    assert_block(page, 0, "heading", "Lease");
    assert_int_equal(page->blocks[0].level, 1);
    assert_block(page, 1, "paragraph", "The rent is due.\nA&B\xC3\xA9");
    assert_int_equal(page->word_count, 6);
    assert_int_equal(page->words[5].end - page->words[5].start, 5);
    assert_memory_equal(page->text + page->words[2].start, "rent", 4);
    assert_true(page->words[2].left == 155 && page->words[2].bottom == 110);
    assert_int_equal(collect.parts[1].number, 2); /* empty pages are pages */
    assert_int_equal(collect.parts[1].length, 0);
    collect_free(&collect);
}

static void finds_rows_of_tables(void **state)
{
    assert_int_equal(
        read_layout("<doc><page width=\"600\" height=\"800\">" BLOCK("200") LINE WORD(
            "10", "100", "40", "110", "Name") LINE WORD("100", "100", "140", "110", "Price")
                        LINE WORD("10", "112", "40", "122", "Red")
                            WORD("42", "112", "70", "122", "apple")
                                LINE WORD("100", "112", "120", "122", "1.20") "</page></doc>"),
        DEN_OK);
    assert_block(&collect.parts[0], 0, "table", "Name\tPrice\nRed apple\t1.20");
    collect_free(&collect);
}

static void joins_chinese_without_spaces(void **state)
{
    assert_int_equal(
        read_layout("<doc><page width=\"600\" height=\"800\">" BLOCK("70")
                        LINE WORD("10", "100", "60", "110", "\xE7\xA7\x9F\xE9\x87\x91") LINE WORD(
                            "10", "112", "60", "122", "\xE6\x94\xAF\xE4\xBB\x98\xE3\x80\x82")
                            LINE WORD("10", "124", "60", "134", "ok") "</page></doc>"),
        DEN_OK);
    assert_block(&collect.parts[0], 0, "paragraph",
                 "\xE7\xA7\x9F\xE9\x87\x91\xE6\x94\xAF\xE4\xBB\x98\xE3\x80\x82 ok");
    collect_free(&collect);
}

static void survives_what_is_no_xml(void **state)
{
    static const char text[] = "<doc><page width=\"1e999\" height=\"-5\"><block ><line >"
                               "<word xMin=\"nan\" yMin=\"99999999999\">a\x01\x02 b</word>"
                               "<word xMin=\"1\">&#0;&#xx;&</word></line><word ></word>"
                               "<word xMin=\"5\" >unclosed";
    size_t length;

    for (length = 0; length <= strlen(text); length++) {
        enum den_status status =
            collect_with(den_reader_read_pdf_layout, text, length, "a.pdf", &collect, &err);

        assert_true(status == DEN_OK || status == DEN_BAD_FILE);
        assert_int_equal(status == DEN_OK, length >= 5);
        collect_free(&collect);
    }
    assert_int_equal(read_layout(text), DEN_OK);
    assert_block(&collect.parts[0], 0, "paragraph", "a b &#0;&#xx;& unclosed");
    collect_free(&collect);
    assert_int_equal(read_layout("nothing of the kind"), DEN_BAD_FILE);
}

static void goes_on_where_a_page_has_too_many_words(void **state)
{
    struct den_buffer text;
    size_t i, words = 0;

    den_buffer_init(&text, 64 << 20);
    den_buffer_append_text(&text, "<doc><page width=\"100\" height=\"100\"><block xMax=\"9\">");
    for (i = 0; i < 100000; i++)
        den_buffer_append_text(&text, "<line ><word xMin=\"1\" xMax=\"2\">word</word>");
    assert_int_equal(read_layout(text.data), DEN_OK);
    assert_int_equal(collect.count, 2);
    for (i = 0; i < collect.count; i++) {
        assert_int_equal(collect.parts[i].number, 1);
        words += collect.parts[i].word_count;
    }
    assert_int_equal(words, 100000);
    collect_free(&collect);
    den_buffer_deinit(&text);
}

static enum den_status recognised(const struct den_reader_source *source,
                                  const struct den_document_sink *sink, struct den_error *failure)
{
    struct den_reader_source page = *source;

    page.first_number = 7;
    return den_reader_read_recognised(&page, 0.5, sink, failure);
}

static void reads_recognised_words(void **state)
{
    static const char text[] =
        "level\tpage_num\tblock_num\tpar_num\tline_num\tword_num\tleft\ttop\twidth\theight\tconf"
        "\ttext\n"
        "1\t1\t0\t0\t0\t0\t0\t0\t1700\t2200\t-1\t\n"
        "3\t1\t1\t1\t0\t0\t94\t110\t477\t59\t-1\t\n"
        "4\t1\t1\t1\t1\t0\t94\t110\t477\t59\t-1\t\n"
        "5\t1\t1\t1\t1\t1\t94\t110\t160\t45\t95.98\tLease\n"
        "5\t1\t1\t1\t1\t2\t275\t110\t296\t45\t29.9\tnoise\n"
        "5\t1\t1\t1\t1\t3\t275\t110\t100\t45\t30\t\xE7\xA7\x9F\n"
        "5\t1\t1\t1\t1\t4\t375\t110\t96\t45\t90\t\xE9\x87\x91\n"
        "5\t1\t1\t1\n"
        "3\t1\t1\t2\t0\t0\t94\t110\t477\t59\t-1\t\n"
        "5\t1\t1\t2\t1\t1\t94\t200\t100\t45\t90\tNext \"quoted\n";

    assert_int_equal(collect_with(recognised, text, strlen(text), "scan", &collect, &err), DEN_OK);
    assert_int_equal(collect.count, 1);
    assert_int_equal(collect.parts[0].number, 7);
    assert_true(collect.parts[0].scanned && collect.parts[0].width == 850);
    assert_block(&collect.parts[0], 0, "paragraph", "Lease \xE7\xA7\x9F\xE9\x87\x91");
    assert_block(&collect.parts[0], 1, "paragraph", "Next \"quoted");
    assert_true(collect.parts[0].words[0].left == 47 && collect.parts[0].words[0].right == 127);
    collect_free(&collect);
    assert_int_equal(collect_with(recognised, "x", 1, "scan", &collect, &err), DEN_BAD_FILE);
}

int input_test_page_layout(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(joins_words_into_paragraphs),
        cmocka_unit_test(finds_rows_of_tables),
        cmocka_unit_test(joins_chinese_without_spaces),
        cmocka_unit_test(survives_what_is_no_xml),
        cmocka_unit_test(goes_on_where_a_page_has_too_many_words),
        cmocka_unit_test(reads_recognised_words),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
