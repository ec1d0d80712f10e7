/* A draft of a document of any size holds one part of it in memory. */
#include "library_scratch.h"

#include <malloc.h>

#include "desk/ingest_draft.h"

enum { PARTS = 500, TEXT_BYTES = 20000, HEAP_MAX = 4 << 20 };

static enum den_status count_bytes(void *context, const char *const *texts, const size_t *lengths,
                                   size_t count, size_t *out_counts, struct den_error *problem)
{
    size_t i;

    (void)context;
    (void)texts;
    (void)problem;
    for (i = 0; i < count; i++)
        out_counts[i] = lengths[i] / 4 + 1;
    return DEN_OK;
}

static struct den_draft *make_draft(void)
{
    const struct den_chunk_options chunks = { .count_tokens = count_bytes };
    struct den_draft *draft = NULL;

    assert_ok(den_draft_create(scratch_folder, &chunks, &draft, &err));
    return draft;
}

/* A page of sentences, in one paragraph. */
static void add_page(struct den_draft *draft, size_t number, const char *text)
{
    const struct den_document_sink sink = den_draft_sink(draft);
    const struct den_block block = { .kind = DEN_BLOCK_PARAGRAPH, .end = TEXT_BYTES };
    const struct den_part part = { .kind = DEN_PART_PAGE,
                                   .number = number,
                                   .label = "",
                                   .text = text,
                                   .length = TEXT_BYTES,
                                   .blocks = &block,
                                   .block_count = 1 };

    assert_ok(sink.part(sink.context, &part, &err));
}

static char *make_text(void)
{
    static const char sentence[] = "Bees fly as far as they have to. ";
    char *text = malloc(TEXT_BYTES + 1);
    size_t i;

    for (i = 0; i < TEXT_BYTES; i++)
        text[i] = sentence[i % (sizeof sentence - 1)];
    text[TEXT_BYTES - 1] = '.';
    text[TEXT_BYTES] = '\0';
    return text;
}

static size_t heap_bytes(void)
{
    return mallinfo2().uordblks + mallinfo2().hblkhd;
}

static void memory_does_not_grow_with_the_pages(void **state)
{
    struct den_draft *draft = make_draft();
    struct den_connection *connection;
    char *text = make_text();
    size_t number, before = heap_bytes(), most = 0;

    for (number = 1; number <= PARTS; number++) {
        add_page(draft, number, text);
        most = heap_bytes() > most ? heap_bytes() : most;
    }
    assert_true(most < before + HEAP_MAX);
    assert_int_equal(den_draft_facts(draft).parts, PARTS);
    assert_true(den_draft_facts(draft).items > PARTS);
    change_rows("INSERT INTO originals VALUES "
                "('aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa', 1, 0)");
    change_rows("INSERT INTO documents (row, id, original, name, origin, bytes, created, updated, "
                "state) SELECT 1, 'd', hash, 'a', 'upload', 1, 0, 0, 'reading' FROM originals");
    assert_ok(den_database_write(database, &connection, &err));
    assert_ok(den_draft_keep(draft, connection, 1, &err));
    assert_ok(den_connection_end(connection, &err));
    assert_int_equal(count_of("SELECT count(*) FROM parts"), PARTS);
    assert_int_equal(count_of("SELECT count(*) FROM parts WHERE number = ordinal + 1"), PARTS);
    assert_int_equal(count_of("SELECT count(*) FROM items"), den_draft_facts(draft).items);
    assert_int_equal(count_of("SELECT max(ordinal) + 1 FROM items"), den_draft_facts(draft).items);
    den_draft_destroy(draft);
    free(text);
}

int desk_test_ingest_draft(int argc, char **argv)
{
#define LIBRARY_TEST(name) cmocka_unit_test_setup_teardown(name, open_library, close_library)
    const struct CMUnitTest tests[] = {
        LIBRARY_TEST(memory_does_not_grow_with_the_pages),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
