/* Chunks: what always holds, on texts of every shape and budgets of every size. */
#include "test.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/utf8.h"
#include "collect.h"
#include "input/chunks.h"

/* Much as WordPiece does: a token for each mark, each Chinese character, each four letters. */
static size_t count_text(const char *text, size_t length)
{
    size_t tokens = 0, letters = 0, at = 0;

    while (at < length) {
        uint32_t code;

        at += den_utf8_decode(text + at, length - at, &code);
        if (code < 128 && isalnum((int)code)) {
            tokens += letters++ % 4 == 0;
            continue;
        }
        letters = 0;
        tokens += code > ' ';
    }
    return tokens;
}

static enum den_status count_tokens(void *context, const char *const *texts, const size_t *lengths,
                                    size_t count, size_t *out_counts, struct den_error *err)
{
    size_t i;

    if (context && --*(int *)context < 0)
        return den_fail(err, DEN_BUSY, "the counter is tired");
    for (i = 0; i < count; i++)
        out_counts[i] = count_text(texts[i], lengths[i]);
    return DEN_OK;
}

static bool is_blank(const char *text, size_t start, size_t end)
{
    for (; start < end; start++)
        if (!isspace((unsigned char)text[start]))
            return false;
    return true;
}

static size_t check_chunks(const struct den_part *part, size_t tokens_max, size_t tokens_good,
                           struct den_heading_path *path)
{
    struct den_chunk_options options = { .tokens_max = tokens_max,
                                         .tokens_good = tokens_good,
                                         .count_tokens = count_tokens };
    struct den_error err = { 0 };
    struct den_chunk *chunks = NULL;
    size_t count = 0, at = 0, i;

    assert_int_equal(den_chunks_make(part, path, &options, &chunks, &count, &err), DEN_OK);
    for (i = 0; i < count; i++) {
        const struct den_chunk *chunk = &chunks[i];
        size_t tokens = count_text(part->text + chunk->start, chunk->end - chunk->start);

        assert_true(chunk->start >= at && chunk->start < chunk->end && chunk->end <= part->length);
        assert_true(is_blank(part->text, at, chunk->start));
        assert_true(den_utf8_is_valid(part->text + chunk->start, chunk->end - chunk->start));
        assert_true(den_utf8_is_valid(chunk->heading, strlen(chunk->heading)));
        if (tokens > 1) {
            assert_true(tokens + count_text(chunk->heading, strlen(chunk->heading)) <=
                        (tokens_max ? tokens_max : 220));
            assert_true(chunk->tokens <= (tokens_max ? tokens_max : 220));
        }
        assert_true(chunk->tokens >= tokens);
        at = chunk->end;
    }
    assert_true(is_blank(part->text, at, part->length));
    den_chunks_free(chunks, count);
    return count;
}

static const char *const words[] = {
    "lease",
    "Rent",
    "payment",
    "is",
    "due.",
    "e.g.",
    "A",
    "No!",
    "because",
    "why?",
    "1,234.50",
    "\xE6\x88\xBF\xE7\xA7\x9F\xE3\x80\x82",
    "\xE7\x94\xB2\xE6\x96\xB9\xEF\xBC\x9F",
    "\xC3\xA9t\xC3\xA9",
    "\xF0\x9F\x98\x80",
    "supercalifragilisticexpialidocious_and_more_of_it_without_any_end"
};

static unsigned next_random(unsigned *seed)
{
    *seed = *seed * 1103515245u + 12345u;
    return *seed >> 16;
}

static void make_text(unsigned seed, struct den_buffer *out)
{
    unsigned blocks = 1 + next_random(&seed) % 30, i, k;

    for (i = 0; i < blocks; i++) {
        unsigned kind = next_random(&seed) % 8;
        unsigned length = 1 + next_random(&seed) % (next_random(&seed) % 9 == 0 ? 500 : 40);

        if (kind == 0)
            den_buffer_append(out, "######", 1 + next_random(&seed) % 6);
        if (kind == 0)
            length = 1 + length % 8;
        for (k = 0; k < length; k++) {
            const char *word = words[next_random(&seed) % (sizeof words / sizeof words[0])];

            if (kind == 1 && k % 4 == 0)
                den_buffer_append_text(out, k ? " |\n|" : "|");
            if (kind == 1 && k == 4)
                den_buffer_append_text(out, "---|\n|");
            if (kind == 2)
                den_buffer_append_text(out, k % 9 ? "" : "\n- ");
            if (next_random(&seed) % 20 || kind == 0)
                den_buffer_append_byte(out, ' ');
            den_buffer_append_text(out, word);
            if (kind == 1)
                den_buffer_append_text(out, " |");
        }
        den_buffer_append_text(out, "\n\n");
    }
}

static void holds_for_any_text(void **state)
{
    static const size_t budgets[][2] = { { 0, 0 }, { 32, 16 }, { 64, 64 }, { 300, 20 }, { 16, 1 } };
    static struct collect collect;
    unsigned seed;

    for (seed = 1; seed <= 150; seed++) {
        struct den_error err = { 0 };
        struct den_buffer text;
        size_t i;

        den_buffer_init(&text, 1 << 20);
        make_text(seed, &text);
        assert_int_equal(collect_bytes(text.data, text.length, "a.md", &collect, &err), DEN_OK);
        for (i = 0; i < sizeof budgets / sizeof budgets[0]; i++) {
            struct den_heading_path path = { 0 };

            assert_true(check_chunks(&collect.parts[0], budgets[i][0], budgets[i][1], &path) > 0);
            den_heading_path_free(&path);
        }
        collect_free(&collect);
        den_buffer_deinit(&text);
    }
}

struct made {
    struct collect collect;
    struct den_chunk *chunks;
    size_t count;
    struct den_heading_path path;
};

static void make(struct made *made, const char *text, const char *name, size_t tokens_max,
                 size_t tokens_good)
{
    struct den_chunk_options options = { .tokens_max = tokens_max,
                                         .tokens_good = tokens_good,
                                         .count_tokens = count_tokens };
    struct den_error err = { 0 };

    memset(made, 0, sizeof *made);
    assert_int_equal(collect_text(text, name, &made->collect, &err), DEN_OK);
    assert_int_equal(den_chunks_make(&made->collect.parts[0], &made->path, &options, &made->chunks,
                                     &made->count, &err),
                     DEN_OK);
}

static void unmake(struct made *made)
{
    den_chunks_free(made->chunks, made->count);
    den_heading_path_free(&made->path);
    collect_free(&made->collect);
}

static void assert_chunk(const struct made *made, size_t index, const char *heading,
                         const char *text)
{
    const struct den_chunk *chunk = &made->chunks[index];
    char *found;

    assert_true(index < made->count);
    found = strndup(made->collect.parts[0].text + chunk->start, chunk->end - chunk->start);
    assert_string_equal(found, text);
    assert_string_equal(chunk->heading, heading);
    free(found);
}

static struct made made;

static void keeps_the_path_of_headings(void **state)
{
    make(&made,
         "# Lease\n\nParties are named here and here and here.\n\n## Terms\n\n### Payment\n\n"
         "Rent is due on the first of every month, in advance.\n\n## Ending\n\n"
         "Three months of notice are needed by both of the parties.\n",
         "a.md", 40, 20);
    assert_int_equal(made.count, 3);
    assert_chunk(&made, 0, "Lease", "Lease\n\nParties are named here and here and here.");
    assert_chunk(&made, 1, "Lease > Terms > Payment",
                 "Terms\n\nPayment\n\nRent is due on the first of every month, in advance.");
    assert_chunk(&made, 2, "Lease > Ending",
                 "Ending\n\nThree months of notice are needed by both of the parties.");
    assert_int_equal(made.chunks[1].kind, DEN_BLOCK_PARAGRAPH);
    unmake(&made);
}

static void joins_small_sections(void **state)
{
    make(&made, "# Words\n\n## A\n\none\n\n## B\n\ntwo\n", "a.md", 0, 0);
    assert_int_equal(made.count, 1);
    assert_chunk(&made, 0, "Words", "Words\n\nA\n\none\n\nB\n\ntwo");
    unmake(&made);
}

static void cuts_tables_between_rows(void **state)
{
    size_t i;

    make(&made,
         "Name,City,Year\nAda,London,1815\nAlan,London,1912\nGrace,Newyork,1906\n"
         "Edsger,Rotter,1930\nBarbara,Losang,1939\nDonald,Milwau,1938\n"
         "Dennis,Bronx,1941\nKen,Orleans,1943\n",
         "a.csv", 28, 14);
    assert_true(made.count >= 2);
    assert_chunk(&made, 0, "",
                 "Name\tCity\tYear\nAda\tLondon\t1815\nAlan\tLondon\t1912\nGrace\tNewyork\t1906\n"
                 "Edsger\tRotter\t1930\nBarbara\tLosang\t1939");
    for (i = 1; i < made.count; i++) {
        assert_string_equal(made.chunks[i].heading, "Name | City | Year");
        assert_int_equal(made.chunks[i].kind, DEN_BLOCK_TABLE);
        assert_int_equal(made.collect.parts[0].text[made.chunks[i].start - 1], '\n');
    }
    unmake(&made);
}

static void ends_at_chinese_sentences(void **state)
{
    size_t i;

    make(&made,
         "\xE7\xA7\x9F\xE9\x87\x91\xE6\xAF\x8F\xE6\x9C\x88\xE6\x94\xAF\xE4\xBB\x98\xE3\x80\x82"
         "\xE6\x8A\xBC\xE9\x87\x91\xE6\x98\xAF\xE4\xB8\xA4\xE4\xB8\xAA\xE6\x9C\x88\xEF\xBC\x81"
         "\xE8\xB0\x81\xE6\x94\xAF\xE4\xBB\x98\xEF\xBC\x9F"
         "\xE7\xA7\x9F\xE6\x88\xB7\xE6\x94\xAF\xE4\xBB\x98\xE3\x80\x82",
         "a.txt", 20, 8);
    assert_true(made.count > 1);
    for (i = 0; i < made.count; i++) {
        const char *end = made.collect.parts[0].text + made.chunks[i].end - 3;

        assert_true(memcmp(end, "\xE3\x80\x82", 3) == 0 || memcmp(end, "\xEF\xBC\x81", 3) == 0 ||
                    memcmp(end, "\xEF\xBC\x9F", 3) == 0);
    }
    unmake(&made);
}

static void cuts_a_huge_word(void **state)
{
    static char text[20001];

    memset(text, 'x', 20000);
    make(&made, text, "a.txt", 64, 32);
    assert_true(made.count >= 20000 / 4 / 64);
    assert_int_equal(made.chunks[made.count - 1].end, 20000);
    unmake(&made);
}

static void goes_on_in_the_next_part(void **state)
{
    static const struct den_block block = { .kind = DEN_BLOCK_PARAGRAPH, .end = 5 };
    struct den_part page = { .kind = DEN_PART_PAGE,
                             .number = 2,
                             .label = "",
                             .text = "goes.",
                             .length = 5,
                             .blocks = &block,
                             .block_count = 1 };
    struct den_part sheet = page;
    struct den_chunk_options options = { .count_tokens = count_tokens };
    struct den_error err = { 0 };
    struct den_chunk *chunks;
    size_t count;

    make(&made, "# Chapter\n\nbegins\n", "a.md", 0, 0);
    made.path.kind = DEN_PART_PAGE;
    assert_int_equal(den_chunks_make(&page, &made.path, &options, &chunks, &count, &err), DEN_OK);
    assert_string_equal(chunks[0].heading, "Chapter");
    den_chunks_free(chunks, count);
    sheet.kind = DEN_PART_SHEET;
    sheet.label = "Costs";
    assert_int_equal(den_chunks_make(&sheet, &made.path, &options, &chunks, &count, &err), DEN_OK);
    assert_string_equal(chunks[0].heading, "Costs");
    den_chunks_free(chunks, count);
    unmake(&made);
}

static void passes_failures_on(void **state)
{
    static struct collect collect;
    int calls;

    for (calls = 0; calls < 3; calls++) {
        struct den_heading_path path = { 0 };
        int left = calls;
        struct den_chunk_options options = { .count_tokens = count_tokens, .context = &left };
        struct den_error err = { 0 };
        struct den_chunk *chunks = NULL;
        size_t count;

        assert_int_equal(collect_text("# a\n\nb\n\n# c\n\nd\n", "a.md", &collect, &err), DEN_OK);
        assert_int_equal(den_chunks_make(&collect.parts[0], &path, &options, &chunks, &count, &err),
                         DEN_BUSY);
        assert_null(chunks);
        den_heading_path_free(&path);
        collect_free(&collect);
    }
}

int input_test_chunks(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(holds_for_any_text),        cmocka_unit_test(keeps_the_path_of_headings),
        cmocka_unit_test(joins_small_sections),      cmocka_unit_test(cuts_tables_between_rows),
        cmocka_unit_test(ends_at_chinese_sentences), cmocka_unit_test(cuts_a_huge_word),
        cmocka_unit_test(goes_on_in_the_next_part),  cmocka_unit_test(passes_failures_on),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
