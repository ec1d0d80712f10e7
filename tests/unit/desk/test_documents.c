/* The library: listing by all its filters, changing, removing, and names that are safe. */
#include "library_scratch.h"

static void add_documents(void)
{
    static const char letters[] = "abcdefghij";
    char hash[DEN_HASH_HEX + 1], name[32];
    struct den_connection *connection;
    size_t i;

    change_rows("INSERT INTO workspaces (id, name, created, updated) VALUES ('w', 'W', 0, 0)");
    for (i = 0; i < 10; i++) {
        struct den_document_row row = { .hash = hash,
                                        .name = name,
                                        .origin = "upload",
                                        .address = "",
                                        .media_type = "text/plain",
                                        .format = "text",
                                        .state = i % 2 ? "ready" : "failed",
                                        .bytes = 1 };
        const struct den_document_links links = { .workspace = i < 3 ? "w" : NULL };
        int64_t document;

        keep_bytes(letters + i, 1, hash);
        snprintf(name, sizeof name, "folder/%c_100%%.txt", letters[i]);
        assert_ok(den_database_write(database, &connection, &err));
        assert_ok(den_document_insert(connection, &row, &document, &err));
        assert_ok(den_document_link(connection, document, &links, &err));
        assert_ok(den_connection_end(connection, &err));
        den_originals_let_go(originals, hash);
    }
}

static json_t *list_of(struct den_document_list list)
{
    json_t *found = NULL;

    assert_ok(den_documents_list(documents, &list, &found, &err));
    return found;
}

static size_t count_list(struct den_document_list list)
{
    json_t *found = list_of(list);
    size_t count = json_array_size(json_object_get(found, "documents"));

    json_decref(found);
    return count;
}

static void the_list_is_filtered_and_paged(void **state)
{
    struct den_document_list list = { .limit = 4 };
    size_t pages = 0, total = 0;
    char next[64];
    json_t *found;

    add_documents();
    assert_int_equal(count_list((struct den_document_list){ 0 }), 10);
    assert_int_equal(count_list((struct den_document_list){ .workspace = "w" }), 3);
    assert_int_equal(count_list((struct den_document_list){ .workspace = "none" }), 0);
    assert_int_equal(count_list((struct den_document_list){ .state = "ready" }), 5);
    assert_int_equal(count_list((struct den_document_list){ .words = "FOLDER/C" }), 1);
    assert_int_equal(count_list((struct den_document_list){ .words = "_100%" }), 10);
    assert_int_equal(count_list((struct den_document_list){ .words = "1_0" }), 0);
    do {
        found = list_of(list);
        total += json_array_size(json_object_get(found, "documents"));
        snprintf(next, sizeof next, "%s", text_at(found, "next"));
        list.before = next;
        json_decref(found);
        pages++;
    } while (strcmp(next, "null") != 0);
    assert_int_equal(total, 10);
    assert_int_equal(pages, 3);
    list.before = "x";
    assert_fails(den_documents_list(documents, &list, &found, &err), DEN_INVALID);
}

static void a_document_is_changed_and_removed(void **state)
{
    json_t *found, *fields, *changed;
    struct den_document_file file;
    char id[80], byte;

    add_documents();
    found = list_of((struct den_document_list){ .workspace = "w", .limit = 1 });
    assert_string_equal(text_at(found, "documents.0.pinned"), "false");
    snprintf(id, sizeof id, "%s", text_at(found, "documents.0.id"));
    json_decref(found);
    fields = parse("{'title': 'The lease', 'tags': ['home', 'tax']}");
    assert_ok(den_document_change(documents, id, fields, &changed, &err));
    assert_string_equal(text_at(changed, "title"), "The lease");
    assert_string_equal(text_at(changed, "tags.1"), "tax");
    forget(fields), forget(changed);
    fields = parse("{'tags': ['']}");
    assert_fails(den_document_change(documents, id, fields, &changed, &err), DEN_INVALID);
    forget(fields);
    assert_ok(den_document_open(documents, id, &file, &err));
    assert_int_equal(read(file.fd, &byte, 1), 1);
    assert_int_equal(byte, 'c');
    assert_string_equal(file.name, "c_100%.txt");
    den_document_file_close(&file);
    assert_ok(den_document_delete(documents, id, &err));
    assert_fails(den_document_delete(documents, id, &err), DEN_NOT_FOUND);
    assert_fails(den_document_open(documents, id, &file, &err), DEN_NOT_FOUND);
    assert_int_equal(count_of("SELECT count(*) FROM documents"), 9);
    assert_int_equal(count_of("SELECT count(*) FROM originals"), 9);
}

static void tags_are_joined_and_links_are_checked(void **state)
{
    json_t *tags = parse("['b', 'a', 'b']"), *more = parse("['c', 'a']"), *found;
    struct den_document_links links = { .tags = tags };
    struct den_connection *connection;

    add_documents();
    assert_ok(den_database_write(database, &connection, &err));
    assert_ok(den_document_link(connection, 1, &links, &err));
    links.tags = more;
    assert_ok(den_document_link(connection, 1, &links, &err));
    assert_ok(den_connection_end(connection, &err));
    found = list_of((struct den_document_list){ .words = "a_100" });
    assert_int_equal(json_array_size(json_object_get(
                         json_array_get(json_object_get(found, "documents"), 0), "tags")),
                     3);
    assert_string_equal(text_at(found, "documents.0.tags.0"), "b");
    assert_string_equal(text_at(found, "documents.0.tags.2"), "c");
    json_decref(found);
    links = (struct den_document_links){ .workspace = "nowhere" };
    assert_ok(den_database_write(database, &connection, &err));
    err = (struct den_error){ 0 };
    assert_int_equal(den_document_links_check(connection, &links, &err), DEN_NOT_FOUND);
    den_connection_end(connection, &err);
    forget(tags), forget(more);
}

static void names_are_made_safe(void **state)
{
    static const struct {
        const char *given, *wanted;
    } cases[] = {
        { "a.txt", "a.txt" },
        { "/etc/passwd", "etc/passwd" },
        { "../../x/./y//z.pdf", "x/y/z.pdf" },
        { "..", "unnamed" },
        { "", "unnamed" },
        { "a\nb\x7f.txt", "a b .txt" },
        { "\xff\xfe.txt", "\xEF\xBF\xBD\xEF\xBF\xBD.txt" },
        { "\xF0\x9F\x93\x84 page.md", "\xF0\x9F\x93\x84 page.md" },
        { "...", "..." },
    };
    char out[DEN_DOCUMENT_NAME_BYTES_MAX + 1], *longest = calloc(1, 8192);
    size_t i;

    for (i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        den_document_clean_name(cases[i].given, out);
        assert_string_equal(out, cases[i].wanted);
    }
    for (i = 0; i < 8100; i += 3)
        memcpy(longest + i, "\xE4\xB8\xAD", 3);
    den_document_clean_name(longest, out);
    assert_int_equal(strlen(out), DEN_DOCUMENT_NAME_BYTES_MAX / 3 * 3);
    for (i = 0; i < 8100; i++)
        longest[i] = i % 5 ? 'x' : '/';
    den_document_clean_name(longest, out);
    assert_true(strlen(out) <= DEN_DOCUMENT_NAME_BYTES_MAX && out[strlen(out) - 1] != '/');
    free(longest);
}

int desk_test_documents(int argc, char **argv)
{
#define LIBRARY_TEST(name) cmocka_unit_test_setup_teardown(name, open_library, close_library)
    const struct CMUnitTest tests[] = {
        LIBRARY_TEST(the_list_is_filtered_and_paged),
        LIBRARY_TEST(a_document_is_changed_and_removed),
        LIBRARY_TEST(tags_are_joined_and_links_are_checked),
        cmocka_unit_test(names_are_made_safe),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
