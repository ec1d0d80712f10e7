/* Conversations of Den, OpenAI and Open WebUI come in, whole or with a reason. */
#include "thread_scratch.h"

#include "base/buffer.h"
#include "desk/folders.h"
#include "desk/thread_export.h"
#include "desk/thread_import.h"
#include "desk/workspaces.h"

static json_t *import(const char *file)
{
    char *copy = strdup(file), *at;
    json_t *result = NULL;

    for (at = copy; *at; at++)
        if (*at == '\'')
            *at = '"';
    assert_ok(den_threads_import(threads, copy, strlen(copy), &result, &err));
    free(copy);
    return result;
}

/* "threads messages skipped" */
static void expect_counts(const char *file, const char *counts)
{
    json_t *result = import(file);
    char seen[64];

    snprintf(seen, sizeof seen, "%lld %lld %zu",
             json_integer_value(json_object_get(result, "threads")),
             json_integer_value(json_object_get(result, "messages")),
             json_array_size(json_object_get(result, "skipped")));
    if (strcmp(seen, counts) != 0)
        fail_msg("%s, not %s: %s", seen, counts, json_dumps(result, 0));
    json_decref(result);
}

static json_t *get(const char *id)
{
    json_t *thread = NULL;

    assert_ok(den_thread_get(threads, id, &thread, &err));
    return thread;
}

/* --- Den's own --- */

static bool append(void *context, const char *bytes, size_t length)
{
    return den_buffer_append(context, bytes, length);
}

static void export_all(struct den_buffer *out)
{
    den_buffer_init(out, 1 << 20);
    assert_ok(den_threads_export(threads, append, out, &err));
}

static void what_is_exported_comes_back(void **state)
{
    json_t *fields = parse("{'id': 'f', 'name': 'Work'}"), *made = NULL, *before, *after, *pinned;
    struct den_buffer file;
    bool existed;

    assert_ok(den_shelf_add(threads, DEN_SHELF_FOLDERS, fields, &made, &existed, &err));
    forget(made), forget(fields);
    forget(make_thread("{'id': 'a', 'title': 'T', 'system': 'S', 'model': 'm', 'folder': 'f', "
                       "'parameters': {'top_k': 4}}"));
    ask("a", "{'id': 'q1', 'content': 'one', 'attachments': [{'name': 'n', 'text': 'x'}]}");
    ask("a", "{'id': 'q2', 'parent': 'q1', 'content': 'two'}");
    ask("a", "{'id': 'q3', 'parent': 'q1', 'content': 'three \\ud83d\\ude00'}");
    ask("a", "{'id': 'q4', 'content': 'another root'}");
    fields = parse("{'head': 'q2', 'pinned': true}");
    assert_ok(den_thread_change(threads, "a", fields, &pinned, &err));
    forget(fields), forget(pinned);
    before = get("a");
    export_all(&file);
    assert_ok(den_thread_purge(threads, "a", &err));
    assert_ok(den_shelf_delete(threads, DEN_SHELF_FOLDERS, "f", &err));
    expect_counts(file.data, "1 4 0");
    after = get("a");
    json_object_del(before, "preview"); /* of the newest message, which an import can't know */
    json_object_del(after, "preview");
    if (!json_equal(before, after))
        fail_msg("%s\n%s", json_dumps(before, 0), json_dumps(after, 0));
    expect_counts(file.data, "0 0 1"); /* it is there already */
    forget(before), forget(after);
    den_buffer_deinit(&file);
}

static void a_thread_reads_well_as_markdown(void **state)
{
    struct den_buffer file;
    char name[DEN_EXPORT_NAME_BYTES];
    const char *body;

    forget(make_thread("{'id': 'a', 'title': 'Tea & \\u8336: 2 Ways!'}"));
    ask("a", "{'id': 'q1', 'content': 'one', 'attachments': [{'name': 'n.txt', 'text': 'x'}]}");
    ask("a", "{'id': 'q2', 'parent': 'q1', 'content': 'two'}");
    den_buffer_init(&file, 1 << 20);
    assert_ok(den_thread_export(threads, "a", DEN_EXPORT_MARKDOWN, &file, name, &err));
    assert_string_equal(name, "tea-2-ways.md");
    body = strstr(file.data, "## You");
    assert_non_null(body);
    assert_string_equal(body, "## You\n\n*Attached: n.txt*\n\none\n\n## You\n\ntwo\n");
    assert_fails(den_thread_export(threads, "b", DEN_EXPORT_JSON, &file, name, &err),
                 DEN_NOT_FOUND);
    den_buffer_deinit(&file);
}

/* --- the others' --- */

static void openai_is_read(void **state)
{
    static const char file[] =
        "[{'title': 'Tides', 'create_time': 1700000000.5, 'update_time': 1700000100, "
        "'conversation_id': 'conv-1', 'current_node': 'n5', 'mapping': {"
        "'root': {'id': 'root', 'message': null, 'parent': null, 'children': ['n1']},"
        "'n1': {'id': 'n1', 'message': {'author': {'role': 'system'}, 'content': {'content_type': "
        "'text', 'parts': ['']}}, 'parent': 'root', 'children': ['n2']},"
        "'n2': {'id': 'n2', 'message': {'author': {'role': 'user'}, 'create_time': 1700000001, "
        "'content': {'content_type': 'multimodal_text', 'parts': [{'asset_pointer': 'x'}, 'Why "
        "tides?']}}, 'parent': 'n1', 'children': ['n3', 'n4']},"
        "'n3': {'id': 'n3', 'message': {'author': {'role': 'assistant'}, 'create_time': "
        "1700000002, 'recipient': 'browser', 'content': {'content_type': 'code', 'text': "
        "'search()'}}, 'parent': 'n2', 'children': ['n5']},"
        "'n4': {'id': 'n4', 'message': {'author': {'role': 'assistant'}, 'create_time': "
        "1700000004, 'content': {'content_type': 'text', 'parts': ['Sun.']}}, 'parent': 'n2', "
        "'children': []},"
        "'n5': {'id': 'n5', 'message': {'author': {'role': 'assistant'}, 'create_time': "
        "1700000003, 'metadata': {'model_slug': 'gpt-4'}, 'content': {'content_type': 'text', "
        "'parts': ['The moon. \\ud83c']}}, 'parent': 'n3', 'children': []}}}]";
    json_t *thread;

    expect_counts(file, "1 3 0");
    thread = get("conv-1");
    assert_string_equal(text_at(thread, "title"), "Tides");
    assert_string_equal(text_at(thread, "created"), "1700000000500");
    assert_string_equal(text_at(thread, "updated"), "1700000100000");
    assert_string_equal(text_at(thread, "head"), "n5");
    assert_string_equal(text_at(thread, "messages.0.content"), "[attachment]\n\nWhy tides?");
    assert_string_equal(text_at(thread, "messages.0.parent"), "null");
    assert_string_equal(text_at(thread, "messages.1.id"), "n5");
    assert_string_equal(text_at(thread, "messages.1.parent"), "n2");
    assert_string_equal(text_at(thread, "messages.1.model"), "gpt-4");
    assert_string_equal(text_at(thread, "messages.1.content"), "The moon. \xEF\xBF\xBD");
    assert_string_equal(text_at(thread, "messages.2.content"), "Sun.");
    forget(thread);
}

static void open_webui_is_read(void **state)
{
    static const char file[] =
        "[{'id': 'w1', 'title': 'Bread', 'pinned': true, 'created_at': 1700000000, 'updated_at': "
        "1700000200, 'chat': {'params': {'system': 'Bake.'}, 'history': {'currentId': 'b', "
        "'messages': {"
        "'a': {'id': 'a', 'parentId': null, 'childrenIds': ['b', 'c'], 'role': 'user', 'content': "
        "'How?', 'timestamp': 1700000001, 'files': [{'type': 'file', 'name': 'r.txt', 'file': "
        "{'data': {'content': 'flour'}}}]},"
        "'b': {'id': 'b', 'parentId': 'a', 'role': 'assistant', 'content': 'Slowly.', 'model': "
        "'llama3', 'timestamp': 1700000003},"
        "'c': {'id': 'c', 'parentId': 'a', 'role': 'assistant', 'content': 'Fast.', 'timestamp': "
        "1700000002}}}}},"
        "{'id': 'w2', 'chat': {'title': 'Old', 'messages': [{'id': 'x', 'role': 'user', 'content': "
        "'hi'}, {'id': 'y', 'role': 'assistant', 'content': 'ho'}]}},"
        "{'id': 'w3', 'chat': {'title': 'Bad'}}]";
    json_t *thread;

    expect_counts(file, "2 5 1");
    thread = get("w1");
    assert_string_equal(text_at(thread, "pinned"), "true");
    assert_string_equal(text_at(thread, "system"), "Bake.");
    assert_string_equal(text_at(thread, "head"), "b");
    assert_string_equal(text_at(thread, "messages.0.attachments.0.text"), "flour");
    assert_string_equal(text_at(thread, "messages.1.id"), "c");
    assert_string_equal(text_at(thread, "messages.2.model"), "llama3");
    forget(thread);
    thread = get("w2");
    assert_string_equal(text_at(thread, "title"), "Old");
    assert_string_equal(text_at(thread, "messages.1.parent"), "x");
    forget(thread);
}

/* --- the hostile --- */

static void hostile_trees_are_skipped(void **state)
{
    static const char node[] = "'message': {'author': {'role': 'user'}, 'content': "
                               "{'content_type': 'text', 'parts': ['x']}}";
    static const char hidden[] = "'message': null";
    char file[2048];

    snprintf(file, sizeof file,
             "[{'id': 'circle', 'mapping': {'a': {%s, 'parent': 'b'}, 'b': {%s, "
             "'parent': 'a'}}}]",
             node, node);
    expect_counts(file, "0 0 1");
    snprintf(file, sizeof file, "[{'id': 'self', 'mapping': {'a': {%s, 'parent': 'a'}}}]", node);
    expect_counts(file, "0 0 1");
    snprintf(file, sizeof file,
             "[{'id': 'above', 'mapping': {'a': {%s, 'parent': 'b'}, 'b': {%s, 'parent': 'c'}, "
             "'c': {%s, 'parent': 'b'}}}]",
             node, hidden, hidden);
    expect_counts(file, "1 1 0");
    snprintf(file, sizeof file, "[{'id': 'gone', 'mapping': {'a': {%s, 'parent': 'nowhere'}}}]",
             node);
    expect_counts(file, "1 1 0");
    expect_counts("[{'messages': [{'id': 'a', 'role': 'user'}, {'id': 'a', 'role': 'user'}]}]",
                  "0 0 1");
    expect_counts("[{'messages': [{'id': '../x', 'role': 'user', 'content': 'y'}]}]", "1 1 0");
    expect_counts("[{'messages': [{'role': 'tool'}]}, {'messages': []}, {'messages': [7]}, {}, 7, "
                  "null, {'mapping': 7}, {'mapping': {}}, {'chat': {}}]",
                  "0 0 9");
    expect_counts("[{'id': {}, 'title': 7, 'created': 'x', 'parameters': {'a': 1}, 'head': 'q', "
                  "'folder': 'no', 'messages': [{'role': 'user', 'measures': [], 'attachments': {},"
                  " 'error': 7, 'created': -5, 'seq': 'x'}]}]",
                  "1 1 0");
}

/* A continued answer counts on from the number that is kept. */
static void counts_stay_countable(void **state)
{
    json_t *thread = NULL;

    expect_counts("[{'id': 'huge', 'messages': [{'role': 'user', 'content': 'x', "
                  "'seq': 9223372036854775807}]}]",
                  "1 1 0");
    assert_ok(den_thread_get(threads, "huge", &thread, &err));
    assert_string_equal(text_at(thread, "messages.0.seq"), "0");
    forget(thread);
}

static void a_long_chain_is_imported(void **state)
{
    enum { COUNT = 100000 };
    struct den_buffer file;
    json_t *result = NULL, *thread = NULL;
    int i;

    den_buffer_init(&file, 64 << 20);
    den_buffer_append_text(&file, "[{\"id\":\"long\",\"mapping\":{");
    for (i = 0; i < COUNT; i++) /* every second one is hidden */
        den_buffer_appendf(&file, "%s\"n%d\":{\"parent\":\"n%d\",\"message\":%s}", i > 0 ? "," : "",
                           i, i - 1,
                           i % 2 ? "null"
                                 : "{\"author\":{\"role\":\"user\"},\"content\":{\"content_type\":"
                                   "\"text\",\"parts\":[\"word\"]}}");
    den_buffer_append_text(&file, "}}]");
    assert_ok(den_threads_import(threads, file.data, file.length, &result, &err));
    assert_string_equal(text_at(result, "messages"), "50000");
    den_buffer_deinit(&file);
    assert_ok(den_thread_get(threads, "long", &thread, &err));
    assert_string_equal(text_at(thread, "messages.49999.parent"), "n99996");
    assert_ok(den_thread_purge(threads, "long", &err));
    forget(result), forget(thread);
}

#define PASSAGE                                                                                    \
    "{'number': 1, 'document': 'd', 'name': 'a.txt', 'title': '', 'format': 'text', 'heading': "   \
    "'', 'text': 'x', 'part': {'ordinal': 0}}"
#define SOURCES(passages, citations)                                                               \
    "{'found': true, 'passages': [" passages "], 'citations': [" citations "]}"

/* A thread with one question, whose sources are `sources`. */
static json_t *import_sources(const char *id, const char *workspace, const char *sources)
{
    struct den_buffer file;

    den_buffer_init(&file, 1 << 16);
    den_buffer_appendf(&file,
                       "{'format': 'den.threads', 'threads': [{'id': '%s', %s'messages': [{'id': "
                       "'q', 'role': 'user', 'content': 'x', 'sources': %s}]}]}",
                       id, workspace, sources);
    expect_counts(file.data, "1 1 0");
    den_buffer_deinit(&file);
    return get(id);
}

static void sources_and_workspace_come_back(void **state)
{
    json_t *fields = parse("{'id': 'w', 'name': 'House'}"), *made = NULL, *thread;
    struct den_buffer file;
    bool existed;

    assert_ok(den_workspace_create(threads, fields, &made, &existed, &err));
    json_decref(made);
    json_decref(fields);
    thread = import_sources("a", "'workspace': 'w', ",
                            SOURCES(PASSAGE, "{'start': 0, 'end': 1, 'passages': [1]}"));
    assert_string_equal(text_at(thread, "workspace"), "w");
    assert_string_equal(text_at(thread, "messages.0.sources.passages.0.name"), "a.txt");
    assert_string_equal(text_at(thread, "messages.0.sources.citations.0.end"), "1");
    json_decref(thread);
    export_all(&file);
    assert_non_null(strstr(file.data, "\"workspace_name\":\"House\""));
    den_buffer_deinit(&file);
    /* of another machine: the name leads to it */
    thread = import_sources("b", "'workspace': 'other', 'workspace_name': 'HOUSE', ", "null");
    assert_string_equal(text_at(thread, "workspace"), "w");
    json_decref(thread);
    thread = import_sources("c", "'workspace': 'other', 'workspace_name': 'Barn', ", "null");
    assert_string_equal(text_at(thread, "workspace"), "null");
    forget(thread);
}

static void odd_sources_are_left_out(void **state)
{
    static const char *const odd[] = {
        "7",
        "{}",
        "{'found': true, 'passages': 1, 'citations': []}",
        SOURCES("{'number': 1}", ""),
        SOURCES("7", ""),
        SOURCES(PASSAGE, "{'start': '0'}"),
        SOURCES(PASSAGE, "null"),
    };
    char id[8];
    size_t i;

    for (i = 0; i < sizeof odd / sizeof odd[0]; i++) {
        json_t *thread;

        snprintf(id, sizeof id, "t%zu", i);
        thread = import_sources(id, "", odd[i]);
        assert_string_equal(text_at(thread, "messages.0.sources"), "null");
        json_decref(thread);
    }
}

int desk_test_thread_import(int argc, char **argv)
{
#define THREAD_TEST(name) cmocka_unit_test_setup_teardown(name, open_threads, close_threads)
    const struct CMUnitTest tests[] = {
        THREAD_TEST(what_is_exported_comes_back),
        THREAD_TEST(a_thread_reads_well_as_markdown),
        THREAD_TEST(openai_is_read),
        THREAD_TEST(open_webui_is_read),
        THREAD_TEST(hostile_trees_are_skipped),
        THREAD_TEST(counts_stay_countable),
        THREAD_TEST(a_long_chain_is_imported),
        THREAD_TEST(sources_and_workspace_come_back),
        THREAD_TEST(odd_sources_are_left_out),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
