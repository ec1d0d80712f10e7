/* Search: parts of words, Chinese, short words, and queries that mean to be something else. */
#include "thread_scratch.h"

#include "desk/thread_search.h"

static json_t *search(const char *words)
{
    json_t *found = NULL, *hits;

    assert_ok(den_threads_search(threads, words, 0, &found, &err));
    hits = json_incref(json_object_get(found, "hits"));
    json_decref(found);
    return hits;
}

static void expect(const char *words, const char *ids)
{
    json_t *hits = search(words), *hit;
    char seen[256] = "";
    size_t i, used = 0;

    json_array_foreach(hits, i, hit)
    {
        bool is_title = json_is_null(json_object_get(hit, "message"));

        used += (size_t)snprintf(seen + used, sizeof seen - used, "%s%s", i > 0 ? " " : "",
                                 text_at(hit, is_title ? "thread" : "message"));
    }
    if (strcmp(seen, ids) != 0)
        fail_msg("'%s' finds '%s', not '%s'", words, seen, ids);
    json_decref(hits);
}

static int fill(void **state)
{
    open_threads(state);
    json_decref(make_thread("{'id': 'a', 'title': 'Kitchen'}"));
    ask("a", "{'id': 'm1', 'content': 'How long does green tea steep?'}");
    ask("a", "{'id': 'm2', 'content': "
             "'\\u4f60\\u597d\\uff0c\\u8bf7\\u95ee\\u7eff\\u8336\\u600e\\u4e48\\u6ce1\\uff1f'}");
    ask("a", "{'id': 'm3', 'content': 'STEEPLE chase, 100% \\\\ _ * \\\"quoted\\\" text'}");
    ask("a", "{'id': 'm4', 'content': '\\u041f\\u0440\\u0438\\u0432\\u0435\\u0442 "
             "\\ud83d\\ude00\\ud83d\\ude00\\ud83d\\ude00'}");
    return 0;
}

static void parts_of_words_are_found(void **state)
{
    expect("steep", "m3 m1");
    expect("tea steep", "m1");
    expect("kitch", "a");
    expect("absent", "");
    expect("", "");
    expect("  ", "");
}

static void chinese_is_found(void **state)
{
    expect("\xE7\xBB\xBF\xE8\x8C\xB6", "m2");             /* two characters */
    expect("\xE7\xBB\xBF\xE8\x8C\xB6\xE6\x80\x8E", "m2"); /* three */
    expect("\xE8\x8C\xB6", "m2");
    expect("\xE5\x92\x96\xE5\x95\xA1", "");
    expect("\xD0\xBF\xD1\x80\xD0\xB8\xD0\xB2\xD0\xB5\xD1\x82", "m4"); /* the other case */
    expect("\xF0\x9F\x98\x80\xF0\x9F\x98\x80", "m4");
}

static void words_are_never_a_query_language(void **state)
{
    expect("\"quoted\"", "m3");
    expect("\"", "m3");
    expect("100%", "m3");
    expect("%", "m3");
    expect("_", "m3");
    expect("*", "m3");
    expect("steep*", "");
    expect("steep OR", "");
    expect("NEAR(steep tea)", "");
    expect("content:steep", "");
    expect("') DROP TABLE messages", "");
}

static void snippets_mark_what_was_found(void **state)
{
    json_t *hits = search("green");

    assert_string_equal(text_at(hits, "0.title"), "Kitchen");
    assert_string_equal(text_at(hits, "0.role"), "user");
    assert_string_equal(text_at(hits, "0.snippet.0.0"), "How long does ");
    assert_string_equal(text_at(hits, "0.snippet.0.1"), "false");
    assert_string_equal(text_at(hits, "0.snippet.1.0"), "green");
    assert_string_equal(text_at(hits, "0.snippet.1.1"), "true");
    json_decref(hits);
    hits = search("te");
    assert_string_equal(text_at(hits, "1.snippet.1.0"), "te");
    assert_string_equal(text_at(hits, "1.snippet.1.1"), "true");
    json_decref(hits);
}

static void what_is_deleted_is_not_found(void **state)
{
    json_t *answer = NULL;

    assert_ok(den_message_delete(threads, "a", "m1", &err));
    expect("green", "");
    assert_ok(den_thread_delete(threads, "a", &answer, &err));
    json_decref(answer);
    expect("steep", "");
    expect("kitchen", "");
}

static void edits_are_found(void **state)
{
    json_t *fields = parse("{'content': 'oolong'}"), *changed = NULL;

    assert_ok(den_message_change(threads, "a", "m1", fields, &changed, &err));
    expect("oolong", "m1");
    expect("green", "");
    json_decref(changed);
    json_decref(fields);
}

int desk_test_thread_search(int argc, char **argv)
{
#define SEARCH_TEST(name) cmocka_unit_test_setup_teardown(name, fill, close_threads)
    const struct CMUnitTest tests[] = {
        SEARCH_TEST(parts_of_words_are_found),         SEARCH_TEST(chinese_is_found),
        SEARCH_TEST(words_are_never_a_query_language), SEARCH_TEST(snippets_mark_what_was_found),
        SEARCH_TEST(what_is_deleted_is_not_found),     SEARCH_TEST(edits_are_found),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
