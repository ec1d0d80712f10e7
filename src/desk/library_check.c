/* See library_check.h. */
#include "desk/library_check.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "desk/originals.h"
#include "store/database.h"
#include "store/database_copy.h"
#include "store/query.h"

struct checking {
    const struct den_library_check *check;
    struct den_library_health health;
};

static void tell(struct checking *checking, const char *what, bool repaired)
{
    checking->health.wrong++;
    checking->health.repaired += repaired;
    checking->check->tell(checking->check->context, what, repaired);
}

/* --- the database --- */

static enum den_status check_pages(struct checking *checking, struct den_error *err)
{
    struct den_error trouble = { 0 };

    (void)err;
    if (den_database_check(checking->check->database, &trouble) != DEN_OK)
        tell(checking, trouble.message, false);
    else if (den_database_compare(den_database_path(checking->check->database), &trouble) != DEN_OK)
        tell(checking, trouble.message, false);
    return DEN_OK;
}

static enum den_status count(struct den_connection *connection, const char *sql, size_t *out,
                             struct den_error *err)
{
    struct den_query query;

    den_query_start(&query, connection, err, sql, "");
    if (den_query_next(&query, err))
        *out = (size_t)den_query_integer(&query, 0);
    den_query_end(&query);
    return err->status;
}

/* What rows may be without, and how those that are not as they should be are put right. */
static const struct rule {
    const char *what, *find, *repair;
} rules[] = {
    { "passages without a document or a part",
      "SELECT count(*) FROM items i WHERE NOT EXISTS (SELECT 1 FROM documents d WHERE d.row = "
      "i.document) OR NOT EXISTS (SELECT 1 FROM parts p WHERE p.row = i.part)",
      "DELETE FROM items WHERE document NOT IN (SELECT row FROM documents) OR part NOT IN (SELECT "
      "row FROM parts)" },
    { "vectors without a passage",
      "SELECT count(*) FROM vectors v WHERE NOT EXISTS (SELECT 1 FROM items i WHERE i.row = "
      "v.item)",
      "DELETE FROM vectors WHERE item NOT IN (SELECT row FROM items)" },
    { "documents whose file is not listed",
      "SELECT count(*) FROM documents d WHERE NOT EXISTS (SELECT 1 FROM originals o WHERE o.hash = "
      "d.original)",
      NULL },
    { "listed files that no document wants",
      "SELECT count(*) FROM originals o WHERE NOT EXISTS (SELECT 1 FROM documents d WHERE "
      "d.original = o.hash)",
      "DELETE FROM originals WHERE hash NOT IN (SELECT original FROM documents)" },
    { "rows that refer to rows that are not there", "SELECT count(*) FROM pragma_foreign_key_check",
      NULL },
    { "answers whose sources can't be read",
      "SELECT count(*) FROM messages WHERE sources IS NOT NULL AND NOT json_valid(sources)",
      "UPDATE messages SET sources = NULL WHERE NOT json_valid(sources)" },
    { "embedding models too many that searches ask",
      "SELECT max(count(*) - 1, 0) FROM embedders WHERE current = 1",
      "UPDATE embedders SET current = (row = (SELECT max(row) FROM embedders WHERE current = 1))" },
    { "vectors of another width than their model's",
      "SELECT count(*) FROM vectors v JOIN embedders e ON e.row = v.embedder WHERE "
      "length(v.vector) <> 2 * e.width",
      "DELETE FROM vectors WHERE length(vector) <> 2 * (SELECT width FROM embedders e WHERE e.row "
      "= vectors.embedder)" },
    { "documents that count their passages wrongly",
      "SELECT count(*) FROM documents d WHERE d.state = 'ready' AND d.items <> (SELECT count(*) "
      "FROM items i WHERE i.document = d.row)",
      "UPDATE documents SET items = (SELECT count(*) FROM items i WHERE i.document = "
      "documents.row) WHERE state = 'ready'" },
};

static enum den_status check_rule(struct checking *checking, struct den_connection *connection,
                                  const struct rule *rule, struct den_error *err)
{
    const bool repairs = checking->check->repairs && rule->repair;
    char what[256];
    size_t found = 0;

    if (count(connection, rule->find, &found, err) != DEN_OK || found == 0)
        return err->status;
    if (repairs)
        den_execute(connection, err, rule->repair, "");
    snprintf(what, sizeof what, "%zu %s", found, rule->what);
    if (err->status == DEN_OK)
        tell(checking, what, repairs);
    return err->status;
}

/* An index that disagrees with its texts fails the check; building it anew puts it right. */
static enum den_status check_index(struct checking *checking, struct den_connection *connection,
                                   const char *const sql[3], struct den_error *err)
{
    struct den_error trouble = { 0 };
    char what[128];

    if (den_execute(connection, &trouble, sql[1], "") == DEN_OK)
        return DEN_OK;
    if (checking->check->repairs)
        den_execute(connection, err, sql[2], "");
    snprintf(what, sizeof what, "the full-text index of %s disagrees with its texts", sql[0]);
    if (err->status == DEN_OK)
        tell(checking, what, checking->check->repairs);
    return err->status;
}

#define INDEX(name, table)                                                                         \
    {                                                                                              \
        name, "INSERT INTO " table " (" table ", rank) VALUES ('integrity-check', 1)",             \
            "INSERT INTO " table " (" table ") VALUES ('rebuild')"                                 \
    }

static enum den_status check_rows(struct checking *checking, struct den_error *err)
{
    static const char *const indexes[][3] = { INDEX("passages", "items_text"),
                                              INDEX("titles", "threads_text") };
    struct den_connection *connection;
    size_t i;

    if (den_database_write(checking->check->database, &connection, err) != DEN_OK)
        return err->status;
    count(connection, "SELECT count(*) FROM documents", &checking->health.documents, err);
    count(connection, "SELECT count(*) FROM items", &checking->health.passages, err);
    count(connection, "SELECT count(*) FROM originals", &checking->health.originals, err);
    for (i = 0; i < sizeof rules / sizeof rules[0] && err->status == DEN_OK; i++)
        check_rule(checking, connection, &rules[i], err);
    for (i = 0; i < sizeof indexes / sizeof indexes[0] && err->status == DEN_OK; i++)
        check_index(checking, connection, indexes[i], err);
    return den_connection_end(connection, err);
}

/* --- the files --- */

static void mark_failed(struct checking *checking, const char *hash, const char *what,
                        struct den_error *err)
{
    struct den_connection *connection;

    if (den_database_write(checking->check->database, &connection, err) != DEN_OK)
        return;
    den_execute(connection, err,
                "UPDATE documents SET state = 'failed', error_code = 'bad_file', error_message = "
                "?2, updated = ?3 WHERE original = ?1",
                "tti", hash, what, den_clock_unix_ms());
    den_connection_end(connection, err);
}

static void tell_file(void *context, const char *hash, const char *what)
{
    struct checking *checking = context;
    struct den_error err = { 0 };
    char sentence[256];

    snprintf(sentence, sizeof sentence,
             "its file %.12s... is missing or damaged (%.150s); add it again", hash, what);
    if (checking->check->repairs)
        mark_failed(checking, hash, sentence, &err);
    tell(checking, what, checking->check->repairs && err.status == DEN_OK);
}

enum den_status den_library_check(const struct den_library_check *check,
                                  struct den_library_health *out, struct den_error *err)
{
    struct checking checking = { .check = check };

    if (check_pages(&checking, err) != DEN_OK || check_rows(&checking, err) != DEN_OK ||
        den_originals_check(check->originals, tell_file, &checking, err) != DEN_OK)
        return err->status;
    if (check->repairs)
        den_originals_sweep(check->originals, err);
    if (err->status == DEN_OK)
        *out = checking.health;
    return err->status;
}
