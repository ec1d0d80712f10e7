/* A workspace goes out as one file and comes in again: into another home, into its own, and not at
 * all where a byte of it is not as it should be. */
#include "library_scratch.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <zip.h>

#include "desk/bundle.h"
#include "desk/portable.h"
#include "desk/workspaces.h"

static char other_folder[80];
static struct den_database *other;
static struct den_originals *other_originals;

static int open_two(void **state)
{
    char path[160];

    if (open_library(state) != 0)
        return 1;
    snprintf(other_folder, sizeof other_folder, "/tmp/den-other-XXXXXX");
    assert_non_null(mkdtemp(other_folder));
    snprintf(path, sizeof path, "%s/den.db", other_folder);
    assert_ok(den_database_open(path, &other, &err));
    assert_ok(den_originals_open(other_folder, other, &other_originals, &err));
    return 0;
}

static int close_two(void **state)
{
    den_originals_close(other_originals);
    den_database_close(other);
    den_folder_remove(other_folder);
    return close_library(state);
}

static int64_t other_count(const char *sql)
{
    struct den_connection *connection;
    struct den_query query;
    int64_t count = -1;

    assert_ok(den_database_read(other, &connection, &err));
    assert_ok(den_query_start(&query, connection, &err, sql, ""));
    if (den_query_next(&query, &err))
        count = den_query_integer(&query, 0);
    den_query_end(&query);
    assert_ok(den_connection_end(connection, &err));
    return count;
}

/* "House": two documents, one of them pinned, one more in a thread only, a thread whose answer
 * stands on the first. */
static void make_house(char id[80])
{
    json_t *fields = parse("{'id': 'w1', 'name': 'House', 'system': 'Be brief.', "
                           "'retrieval': {'count': 4}, 'tags': ['home']}");
    json_t *made = NULL, *added;
    char sql[1024];
    bool existed;

    assert_ok(den_workspace_create(threads, fields, &made, &existed, &err));
    snprintf(id, 80, "%s", text_at(made, "id"));
    forget(fields), forget(made);
    start_ingest();
    forget(upload("rent.txt", "The rent is due on the third day.", id, false));
    forget(upload("deep/tax.txt", "The tax is due in May.\n\nAnd again in June.", id, false));
    added = upload("alone.txt", "Only one thread has this.", NULL, false);
    wait_for("SELECT count(*) FROM documents WHERE state = 'ready'", 3);
    stop_ingest();
    forget(make_thread("{'id': 't1', 'title': 'Rent', 'workspace': 'w1'}"));
    ask("t1", "{'id': 'q1', 'content': 'When is the rent due?'}");
    snprintf(
        sql, sizeof sql,
        "UPDATE messages SET sources = json('{\"found\": true, \"confidence\": 0.5, \"query\": "
        "\"rent\", \"searched\": 3, \"citations\": [{\"start\": 0, \"end\": 3, \"passages\": "
        "[1], \"supported\": true, \"score\": 0.5}], \"passages\": [{\"number\": 1, "
        "\"document\": \"' || (SELECT id FROM documents WHERE name = 'rent.txt') || '\", "
        "\"name\": \"rent.txt\", \"title\": \"\", \"format\": \"text\", \"heading\": \"\", "
        "\"start\": 0, \"end\": 5, \"text\": \"The r\", \"cosine\": null, \"part\": "
        "{\"ordinal\": 0, \"kind\": \"file\", \"number\": 1, \"label\": \"\"}}]}')");
    change_rows(sql);
    change_rows("UPDATE workspace_documents SET pinned = 1 WHERE document = (SELECT row FROM "
                "documents WHERE name = 'rent.txt')");
    change_rows("INSERT INTO thread_documents SELECT t.row, d.row, 1 FROM threads t, documents d "
                "WHERE d.name = 'alone.txt'");
    forget(added);
}

static const struct den_portable *here(void)
{
    static struct den_portable portable;

    portable =
        (struct den_portable){ .database = database, .originals = originals, .threads = threads };
    return &portable;
}

static const struct den_portable *there(void)
{
    static struct den_portable portable;

    portable = (struct den_portable){ .database = other, .originals = other_originals };
    return &portable;
}

static void export_house(char path[160])
{
    json_t *manifest = NULL;
    char id[80];

    make_house(id);
    snprintf(path, 160, "%s/house.den-workspace", scratch_folder);
    assert_ok(den_workspace_export(here(), id, path, &manifest, &err));
    assert_string_equal(text_at(manifest, "format"), "den.workspace");
    assert_string_equal(text_at(manifest, "documents"), "3");
    assert_string_equal(text_at(manifest, "vectors"), "3");
    assert_string_equal(text_at(manifest, "embedder.name"), "letters");
    json_decref(manifest);
}

/* --- there and back --- */

static void a_workspace_comes_in_elsewhere(void **state)
{
    json_t *counts = NULL;
    char path[160];

    export_house(path);
    assert_true(den_portable_is(path));
    assert_ok(den_workspace_import(there(), path, &counts, &err));
    assert_string_equal(text_at(counts, "workspace.name"), "House");
    assert_string_equal(text_at(counts, "workspace.system"), "Be brief.");
    assert_string_equal(text_at(counts, "workspace.retrieval.count"), "4");
    assert_string_equal(text_at(counts, "documents"), "3");
    assert_string_equal(text_at(counts, "waiting"), "0");
    json_decref(counts);
    assert_int_equal(other_count("SELECT count(*) FROM documents WHERE state = 'ready'"), 3);
    assert_int_equal(other_count("SELECT count(*) FROM workspace_documents"), 2);
    assert_int_equal(other_count("SELECT pinned FROM workspace_documents l JOIN documents d ON "
                                 "d.row = l.document WHERE d.name = 'rent.txt'"),
                     1);
    assert_int_equal(other_count("SELECT count(*) FROM thread_documents"), 1);
    assert_int_equal(other_count("SELECT count(*) FROM vectors"), 3);
    assert_int_equal(other_count("SELECT length(vector) FROM vectors"), 2 * FAKE_WIDTH);
    assert_int_equal(other_count("SELECT count(*) FROM items_text WHERE items_text MATCH 'rent'"),
                     1);
    assert_int_equal(other_count("SELECT count(*) FROM messages m, documents d WHERE "
                                 "json_extract(m.sources, '$.passages[0].document') = d.id AND "
                                 "d.name = 'rent.txt'"),
                     1);
    assert_int_equal(other_count("SELECT count(*) FROM threads t JOIN workspaces w ON w.row = "
                                 "t.workspace WHERE t.title = 'Rent'"),
                     1);
    assert_ok(den_database_check(other, &err));
}

static void the_same_again_links_its_documents(void **state)
{
    json_t *counts = NULL;
    char path[160];

    export_house(path);
    assert_ok(den_workspace_import(here(), path, &counts, &err));
    assert_string_equal(text_at(counts, "workspace.name"), "House (2)");
    assert_string_not_equal(text_at(counts, "workspace.id"), "w1");
    assert_string_equal(text_at(counts, "linked"), "3");
    json_decref(counts);
    assert_int_equal(count_of("SELECT count(*) FROM documents"), 3);
    assert_int_equal(count_of("SELECT count(*) FROM items"), 3);
    assert_int_equal(count_of("SELECT count(*) FROM threads"), 2);
    assert_int_equal(count_of("SELECT count(*) FROM workspace_documents"), 4);
}

static void another_embedder_embeds_again(void **state)
{
    json_t *counts = NULL;
    char path[160];

    export_house(path);
    change_rows("DELETE FROM documents");
    change_rows("UPDATE embedders SET name = 'other'");
    assert_ok(den_workspace_import(here(), path, &counts, &err));
    assert_string_equal(text_at(counts, "waiting"), "3");
    json_decref(counts);
    assert_int_equal(count_of("SELECT count(*) FROM vectors"), 0);
    assert_int_equal(count_of("SELECT count(*) FROM documents WHERE state = 'embedding'"), 3);
    atomic_store(&embedder_name, "other");
    start_ingest();
    wait_for("SELECT count(*) FROM documents WHERE state = 'ready'", 3);
    assert_int_equal(count_of("SELECT count(*) FROM vectors"), 3);
}

static void what_was_not_read_is_read_here(void **state)
{
    json_t *fields = parse("{'id': 'w1', 'name': 'New'}"), *made = NULL, *counts = NULL;
    char path[160];
    bool existed;

    assert_ok(den_workspace_create(threads, fields, &made, &existed, &err));
    forget(fields), forget(made);
    start_ingest();
    forget(upload("a.txt", "One text.", "w1", false));
    wait_for("SELECT count(*) FROM documents WHERE state = 'ready'", 1);
    stop_ingest();
    change_rows("DELETE FROM parts");
    change_rows("UPDATE documents SET state = 'waiting', parts = 0, items = 0");
    snprintf(path, sizeof path, "%s/new.den-workspace", scratch_folder);
    assert_ok(den_workspace_export(here(), "w1", path, &counts, &err));
    forget(counts);
    change_rows("DELETE FROM documents");
    assert_ok(den_originals_sweep(originals, &err));
    assert_ok(den_workspace_import(here(), path, &counts, &err));
    assert_string_equal(text_at(counts, "waiting"), "1");
    forget(counts);
    start_ingest();
    wait_for("SELECT count(*) FROM documents WHERE state = 'ready' AND items = 1", 1);
}

/* --- what is not as it should be --- */

/* Exchanges a member's bytes, adds or (NULL) removes one. */
static void alter(const char *path, const char *name, const char *bytes, size_t length)
{
    int code = 0;
    zip_t *zip = zip_open(path, 0, &code);
    zip_int64_t index;
    zip_source_t *source;

    assert_non_null(zip);
    index = zip_name_locate(zip, name, 0);
    if (!bytes) {
        assert_int_equal(zip_delete(zip, (zip_uint64_t)index), 0);
    } else {
        source = zip_source_buffer(zip, bytes, length, 0);
        assert_true(zip_file_add(zip, name, source, ZIP_FL_OVERWRITE) >= 0);
    }
    assert_int_equal(zip_close(zip), 0);
}

static void expect_refusal(const char *path, const char *said)
{
    json_t *counts = NULL;

    assert_fails(den_workspace_import(there(), path, &counts, &err), DEN_BAD_FILE);
    if (!strstr(err.message, said))
        fail_msg("'%s' does not say '%s'", err.message, said);
    assert_int_equal(other_count("SELECT count(*) FROM workspaces"), 0);
    assert_int_equal(other_count("SELECT count(*) FROM documents"), 0);
    assert_int_equal(other_count("SELECT count(*) FROM originals"), 0);
    assert_int_equal(other_count("SELECT count(*) FROM threads"), 0);
}

static void expect_no_files(void)
{
    char command[256];

    snprintf(command, sizeof command, "test -z \"$(find %s/originals -type f ! -name '.*')\"",
             other_folder);
    assert_int_equal(system(command), 0);
}

static const struct {
    const char *name, *text, *said;
} hostile[] = {
    { "../../escape", "x", "which no workspace's file has" },
    { "originals/../../den.db", "x", "which no workspace's file has" },
    { "originals/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "x",
      "other bytes than its name says" },
    { "manifest.json", "{\"format\": \"den.workspace\", \"version\": 2}", "update Den" },
    { "manifest.json", "{\"format\": \"den.backup\", \"version\": 1}", "den restore" },
    { "manifest.json", "[", "malformed JSON" },
    { "manifest.json",
      "{\"format\":\"den.workspace\",\"version\":1,\"embedder\":{\"name\":\"x\",\"width\":99999999}"
      "}",
      "width" },
    { "workspace.json", "{\"name\": 7}", "name" },
    { "documents.jsonl", "{\"item\": {}}\n", "before any document" },
    { "documents.jsonl", "{\"part\": {}}\n", "none may be" },
    { "documents.jsonl", "{\"document\": {\"id\": \"a\", \"original\": \"../x\"}}\n", "state" },
    { "documents.jsonl",
      "{\"document\":{\"id\":\"a\",\"original\":\"../x\",\"name\":\"a\",\"state\":\"ready\"}}\n",
      "no SHA-256" },
    { "documents.jsonl",
      "{\"document\":{\"id\":\"a\",\"original\":"
      "\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\",\"name\":\"a\","
      "\"state\":\"ready\"}}\n",
      "is missing" },
    { "vectors.f16", "short", "too early" },
    { "threads.jsonl", "{\"thread\": {\"messages\": [{\"role\": \"god\"}]}}\n", "role" },
    { "threads.jsonl", "{\"x\": 1}\n", "no thread and no folder" },
    { "threads.jsonl", "{\"thread\": ", "malformed JSON" },
};

static void what_is_wrong_with_a_file_is_said(void **state)
{
    char path[160], copy[160], command[512];
    size_t i;

    export_house(path);
    snprintf(copy, sizeof copy, "%s/copy.zip", scratch_folder);
    for (i = 0; i < sizeof hostile / sizeof hostile[0]; i++) {
        snprintf(command, sizeof command, "cp %s %s", path, copy);
        assert_int_equal(system(command), 0);
        alter(copy, hostile[i].name, hostile[i].text, strlen(hostile[i].text));
        expect_refusal(copy, hostile[i].said);
        expect_no_files();
    }
    snprintf(command, sizeof command, "head -c 2000 %s > %s", path, copy);
    assert_int_equal(system(command), 0);
    expect_refusal(copy, "cut or damaged");
    snprintf(command, sizeof command, "cp %s %s", path, copy);
    assert_int_equal(system(command), 0);
    alter(copy, "threads.jsonl", NULL, 0);
    expect_refusal(copy, "has no 'threads.jsonl'");
    expect_no_files();
}

/* Files that claim more bytes than any disk has are refused before the first is written. */
static void what_the_disk_has_no_room_for_is_refused(void **state)
{
    enum { FILES = 4096 };
    static const unsigned char entry[] = { 'P', 'K', 1, 2 }, claimed[] = { 0xF0, 0xFF, 0xFF, 0xFF };
    json_t *counts = NULL;
    char path[160], name[80];
    unsigned char *bytes;
    struct stat status;
    size_t i, changed = 0;
    int code = 0, fd;
    zip_t *zip;

    export_house(path);
    zip = zip_open(path, 0, &code);
    assert_non_null(zip);
    for (i = 0; i < FILES; i++) {
        snprintf(name, sizeof name, "originals/%064zx", i + 1);
        assert_true(zip_file_add(zip, name, zip_source_buffer(zip, "x", 1, 0), 0) >= 0);
    }
    assert_int_equal(zip_close(zip), 0);
    fd = open(path, O_RDWR);
    assert_int_equal(fstat(fd, &status), 0);
    bytes = mmap(NULL, (size_t)status.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    assert_true(bytes != MAP_FAILED);
    for (i = 0; i + 46 + 74 <= (size_t)status.st_size;
         i++) /* sizes and names of the central directory */
        if (memcmp(bytes + i, entry, 4) == 0 && memcmp(bytes + i + 46, "originals/0", 11) == 0) {
            memcpy(bytes + i + 24, claimed, 4);
            changed++;
        }
    assert_true(changed >= FILES);
    munmap(bytes, (size_t)status.st_size);
    close(fd);
    assert_fails(den_workspace_import(there(), path, &counts, &err), DEN_IO);
    assert_non_null(strstr(err.message, "MiB are needed"));
    expect_no_files();
}

static void vectors_without_a_direction_are_refused(void **state)
{
    static const char zeros[3 * 2 * FAKE_WIDTH];
    char infinite[3 * 2 * FAKE_WIDTH];
    char path[160];

    export_house(path);
    alter(path, "vectors.f16", zeros, sizeof zeros);
    expect_refusal(path, "no direction");
    memset(infinite, 0x7c, sizeof infinite);
    alter(path, "vectors.f16", infinite, sizeof infinite);
    expect_refusal(path, "unit length");
}

/* Every byte of the file may be another: it is refused, or it is as good as before. */
static void no_damage_does_harm(void **state)
{
    char path[160], copy[160];
    long length, at;
    FILE *file;
    char *bytes;

    export_house(path);
    snprintf(copy, sizeof copy, "%s/copy.zip", scratch_folder);
    file = fopen(path, "r");
    assert_int_equal(fseek(file, 0, SEEK_END), 0);
    length = ftell(file);
    rewind(file);
    bytes = malloc((size_t)length);
    assert_int_equal(fread(bytes, 1, (size_t)length, file), length);
    fclose(file);
    for (at = 0; at < length; at += length / 60 + 1) {
        struct den_error trouble = { 0 };
        json_t *counts = NULL;

        bytes[at] ^= 0x55;
        file = fopen(copy, "w");
        fwrite(bytes, 1, (size_t)length, file);
        fclose(file);
        if (den_workspace_import(there(), copy, &counts, &trouble) != DEN_OK)
            assert_true(trouble.status == DEN_BAD_FILE || trouble.status == DEN_UNSUPPORTED ||
                        trouble.status == DEN_TOO_LARGE);
        json_decref(counts);
        bytes[at] ^= 0x55;
    }
    free(bytes);
    assert_ok(den_database_check(other, &err));
    assert_int_equal(other_count("SELECT count(*) FROM documents WHERE original NOT IN (SELECT "
                                 "hash FROM originals)"),
                     0);
}

int desk_test_portable(int argc, char **argv)
{
#define TWO_TEST(name) cmocka_unit_test_setup_teardown(name, open_two, close_two)
    const struct CMUnitTest tests[] = {
        TWO_TEST(a_workspace_comes_in_elsewhere),
        TWO_TEST(the_same_again_links_its_documents),
        TWO_TEST(another_embedder_embeds_again),
        TWO_TEST(what_was_not_read_is_read_here),
        TWO_TEST(what_is_wrong_with_a_file_is_said),
        TWO_TEST(what_the_disk_has_no_room_for_is_refused),
        TWO_TEST(vectors_without_a_direction_are_refused),
        TWO_TEST(no_damage_does_harm),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
