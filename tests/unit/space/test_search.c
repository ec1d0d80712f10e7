/* Searching: by words, by vectors, by both, with filters, while things change. */
#include "scratch_space.h"

enum { WIDTH = 4 };

static struct den_space_embedder embedder;
static int64_t apples, pears, wheels, chinese;

static int fill(void **state)
{
    static const float fruit[] = { 1, 0.1f, 0, 0 }, fruits[] = { 1, 0, 0.2f, 0 },
                       traffic[] = { 0, 1, 0, 0 }, report[] = { 0, 0, 0, 1 };
    struct den_error err = { 0 };
    int64_t garden, street;

    if (open_space(state) != 0)
        return 1;
    den_space_embedder(space, "test", WIDTH, &embedder, &err);
    succeed(&err);
    garden = add_document("garden", "pdf", "[\"fruit\",\"home\"]", 1000);
    street = add_document("street", "word", "[]", 2000);
    apples = add_item(garden, "", "Apples ripen in the autumn. ", &embedder, fruit);
    pears = add_item(garden, "Pears", "They are sweeter than apples.", &embedder, fruits);
    wheels = add_item(street, "", "A wheel turns; wheels turn traffic.", &embedder, traffic);
    chinese = add_item(street, "", "\xe5\xb9\xb4\xe5\xba\xa6\xe6\x8a\xa5\xe5\x91\x8a", &embedder,
                       report); /* 年度报告 */
    run_sql("INSERT INTO workspaces (id, name, created, updated) VALUES ('w', 'W', 1, 1)");
    run_sql("INSERT INTO workspace_documents SELECT w.row, d.row, 1, 0 FROM workspaces w, "
            "documents d WHERE d.id = 'garden'");
    run_sql("INSERT INTO threads (id, created, updated) VALUES ('t', 1, 1)");
    run_sql("INSERT INTO thread_documents SELECT t.row, d.row, 1 FROM threads t, documents d WHERE "
            "d.id = 'street'");
    return 0;
}

static struct den_space_result search(const struct den_space_query *query)
{
    struct den_space_result result = { 0 };
    struct den_error err = { 0 };

    den_space_search(space, query, &result, &err);
    succeed(&err);
    return result;
}

/* The item of the first hit, 0 for none; *out_count gets how many there were. */
static int64_t first(const struct den_space_query *query, size_t *out_count)
{
    struct den_space_result result = search(query);
    int64_t item = result.count > 0 ? result.hits[0].item : 0;

    *out_count = result.count;
    den_space_result_free(&result);
    return item;
}

static void words_find_stems_and_chinese(void **state)
{
    size_t count;

    (void)state;
    assert_int_equal(first(&(struct den_space_query){ .words = "What about the apple?" }, &count),
                     apples);
    assert_int_equal(count, 2);
    assert_int_equal(first(&(struct den_space_query){ .words = "pear" }, &count), pears);
    assert_int_equal(count, 1); /* by its heading */
    assert_int_equal(
        first(&(struct den_space_query){ .words = "\xe6\x8a\xa5\xe5\x91\x8a" }, &count),
        chinese); /* 报告 */
    assert_int_equal(first(&(struct den_space_query){ .words = "\xe6\x8a\xa5" }, &count),
                     chinese); /* 报 */
    first(&(struct den_space_query){ .words = "what is the" }, &count);
    assert_int_equal(count, 0);
}

static void no_question_is_a_query_language(void **state)
{
    static const char *const questions[] = { "\"",
                                             "apples\" OR \"wheel",
                                             "text: apples",
                                             "NEAR(apples wheel)",
                                             "apples AND NOT wheel",
                                             "^apples",
                                             "a*b{c}[d]",
                                             "-apples",
                                             "(((",
                                             "\xff\xfe\x80",
                                             "'; DROP TABLE items; --",
                                             "*",
                                             "" };
    size_t count, i;

    (void)state;
    for (i = 0; i < sizeof questions / sizeof questions[0]; i++)
        first(&(struct den_space_query){ .words = questions[i] }, &count);
    first(&(struct den_space_query){ .words = "apples AND NOT wheel" }, &count);
    assert_int_equal(count, 3);
}

static void both_lists_are_joined(void **state)
{
    const float vector[WIDTH] = { 0, 1, 0, 0 };
    struct den_space_query query = { .words = "apples", .vector = vector, .width = WIDTH };
    struct den_space_result result = search(&query);
    size_t i;

    (void)state;
    assert_int_equal(result.count, 4);
    assert_int_equal(result.searched, 4);
    for (i = 0; i < result.count; i++) {
        const struct den_space_hit *hit = &result.hits[i];

        assert_true(i == 0 || result.hits[i - 1].fused >= hit->fused);
        assert_true(hit->document > 0);
        assert_int_equal(hit->word_rank > 0, hit->item == apples || hit->item == pears);
        if (hit->item == wheels) {
            assert_int_equal(hit->vector_rank, 1);
            assert_true(fabs(hit->cosine - 1) < 1e-3);
        }
    }
    den_space_result_free(&result);
}

static size_t count_with(const struct den_space_filter *filter)
{
    const float vector[WIDTH] = { 1, 1, 1, 1 };
    struct den_space_query query = { .vector = vector, .width = WIDTH, .filter = *filter };
    size_t count;

    first(&query, &count);
    return count;
}

static void filters_let_through_what_they_say(void **state)
{
    const char *garden[] = { "garden" }, *word[] = { "word" }, *home[] = { "home", "x\"y" };

    (void)state;
    assert_int_equal(count_with(&(struct den_space_filter){ 0 }), 4);
    assert_int_equal(count_with(&(struct den_space_filter){ .workspace = "w" }), 2);
    assert_int_equal(count_with(&(struct den_space_filter){ .workspace = "w", .thread = "t" }), 4);
    assert_int_equal(count_with(&(struct den_space_filter){ .thread = "t" }), 2);
    assert_int_equal(count_with(&(struct den_space_filter){ .workspace = "none" }), 0);
    assert_int_equal(
        count_with(&(struct den_space_filter){ .documents = garden, .document_count = 1 }), 2);
    assert_int_equal(count_with(&(struct den_space_filter){ .formats = word, .format_count = 1 }),
                     2);
    assert_int_equal(count_with(&(struct den_space_filter){ .tags = home, .tag_count = 2 }), 2);
    assert_int_equal(count_with(&(struct den_space_filter){ .modified_from = 1500 }), 2);
    assert_int_equal(
        count_with(&(struct den_space_filter){ .modified_from = 1, .modified_until = 1500 }), 2);
    assert_int_equal(
        count_with(&(struct den_space_filter){ .workspace = "w", .modified_from = 1500 }), 0);
}

static void a_kept_filter_sees_changes(void **state)
{
    struct den_space_filter filter = { .workspace = "w" };

    (void)state;
    assert_int_equal(count_with(&filter), 2);
    run_sql("INSERT INTO workspace_documents SELECT w.row, d.row, 1, 1 FROM workspaces w, "
            "documents d WHERE d.id = 'street'");
    assert_int_equal(count_with(&filter), 4);
    filter.skip_pinned = true;
    assert_int_equal(count_with(&filter), 2);
    run_sql("DELETE FROM workspace_documents WHERE pinned");
    filter.skip_pinned = false;
    assert_int_equal(count_with(&filter), 2);
}

static void what_is_removed_is_not_found(void **state)
{
    const float vector[WIDTH] = { 0, 1, 1, 0 };
    struct den_space_query query = { .words = "quince", .vector = vector, .width = WIDTH };
    struct den_error err = { 0 };
    struct den_passage passage;
    size_t count;
    int64_t document, item;

    (void)state;
    document = add_document("late", "pdf", "[]", 1);
    item = add_item(document, "", "A quince.", &embedder, vector);
    assert_int_equal(first(&query, &count), item);
    assert_int_equal(count, 5);
    run_sql("DELETE FROM documents WHERE id = 'late'");
    assert_int_not_equal(first(&query, &count), item);
    assert_int_equal(count, 4);
    assert_int_equal(den_space_passage(space, item, 0, 0, &passage, &err), DEN_NOT_FOUND);
}

static void passages_say_where_they_stand(void **state)
{
    struct den_passage passage;
    struct den_error err = { 0 };

    (void)state;
    den_space_passage(space, pears, 0, 0, &passage, &err);
    succeed(&err);
    assert_string_equal(passage.document, "garden");
    assert_string_equal(passage.name, "garden.txt");
    assert_string_equal(passage.title, "Title of garden");
    assert_string_equal(passage.format, "pdf");
    assert_string_equal(passage.part_kind, "page");
    assert_string_equal(passage.heading, "Pears");
    assert_string_equal(passage.text, "They are sweeter than apples.");
    assert_int_equal(passage.start, 28);
    assert_int_equal(passage.end, 57);
    assert_int_equal(passage.first, 1);
    den_passage_free(&passage);
    den_space_passage(space, pears, 3, 3, &passage, &err);
    succeed(&err);
    assert_string_equal(passage.text, "Apples ripen in the autumn. They are sweeter than apples.");
    assert_int_equal(passage.start, 0);
    assert_int_equal(passage.first, 0);
    assert_int_equal(passage.last, 1);
    den_passage_free(&passage);
}

static void wrong_questions_are_refused(void **state)
{
    const float vector[WIDTH] = { NAN, 0, 0, 0 };
    struct den_space_query query = { .vector = vector, .width = WIDTH };
    struct den_space_result result;
    struct den_error err = { 0 };

    (void)state;
    assert_int_equal(den_space_search(space, &query, &result, &err), DEN_INVALID);
    err = (struct den_error){ 0 };
    query.width = 3;
    query.vector = (const float[]){ 1, 0, 0 };
    assert_int_equal(den_space_search(space, &query, &result, &err), DEN_INVALID);
    err = (struct den_error){ 0 };
    query = (struct den_space_query){ .words = "x", .count = 1 << 20 };
    assert_int_equal(den_space_search(space, &query, &result, &err), DEN_INVALID);
}

int space_test_search(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_find_stems_and_chinese),
        cmocka_unit_test(no_question_is_a_query_language),
        cmocka_unit_test(both_lists_are_joined),
        cmocka_unit_test(filters_let_through_what_they_say),
        cmocka_unit_test(a_kept_filter_sees_changes),
        cmocka_unit_test(what_is_removed_is_not_found),
        cmocka_unit_test(passages_say_where_they_stand),
        cmocka_unit_test(wrong_questions_are_refused),
    };

    return cmocka_run_group_tests(tests, fill, close_space);
}
