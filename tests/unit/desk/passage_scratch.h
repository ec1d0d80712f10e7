/* Documents with passages in a database of their own, and an embedder that counts words: vectors
 * are alike where texts share words, and all of it is the same each time. */
#ifndef DEN_TESTS_UNIT_DESK_PASSAGE_SCRATCH_H
#define DEN_TESTS_UNIT_DESK_PASSAGE_SCRATCH_H

#include "thread_scratch.h"

#include <ctype.h>
#include <math.h>

#include "desk/retrieval.h"
#include "store/query.h"

enum { WIDTH = 256 };

static struct den_space *space;
static struct den_retrieval *retrieval;
static size_t embedded;              /* texts, since the start */
static enum den_status embed_status; /* not DEN_OK: the model fails so */

static void embed_words(const char *text, float *out)
{
    double sum = 0;
    size_t i;

    memset(out, 0, WIDTH * sizeof *out);
    while (*text) {
        uint32_t hash = 2166136261u;
        size_t length = 0;

        while (isalnum((unsigned char)text[length])) {
            hash = (hash ^ (uint32_t)tolower((unsigned char)text[length])) * 16777619u;
            length++;
        }
        if (length > 2)
            out[hash % WIDTH] += 1;
        text += length ? length : 1;
    }
    for (i = 0; i < WIDTH; i++)
        sum += out[i] * out[i];
    for (i = 0; i < WIDTH && sum > 0; i++)
        out[i] = (float)(out[i] / sqrt(sum));
    if (sum == 0)
        out[0] = 1;
}

static enum den_status embed_all(void *context, const char *name, const char *const *texts,
                                 size_t count, float *out, size_t width, struct den_error *error)
{
    size_t i;

    if (embed_status != DEN_OK)
        return den_fail(error, embed_status, "there is no such model");
    assert_string_equal(name, "words");
    assert_int_equal(width, WIDTH);
    for (i = 0; i < count; i++)
        embed_words(texts[i], out + i * WIDTH);
    embedded += count;
    return DEN_OK;
}

__attribute__((unused)) static int open_passages(void **state)
{
    const struct den_embed_source source = { .embed = embed_all };

    open_threads(state);
    embedded = 0;
    embed_status = DEN_OK;
    assert_ok(den_space_open(database, &space, &err));
    assert_ok(den_retrieval_open(space, &source, &retrieval, &err));
    return 0;
}

__attribute__((unused)) static int close_passages(void **state)
{
    den_retrieval_close(retrieval);
    den_space_close(space);
    return close_threads(state);
}

/* A document whose only part is a page; its passages are divided by '|'. */
__attribute__((unused)) static void add_passages(const char *id, const char *workspace,
                                                 const char *text)
{
    struct den_connection *connection;
    struct den_space_embedder embedder;
    char copy[8192], *part, *rest = NULL;
    int64_t document, page, ordinal = 0, at = 0;

    assert_ok(den_space_embedder(space, "words", WIDTH, &embedder, &err));
    assert_ok(den_database_write(database, &connection, &err));
    den_execute(connection, &err,
                "INSERT OR IGNORE INTO originals (hash, bytes, created) VALUES ('00', 1, 1)", "");
    den_execute(connection, &err,
                "INSERT INTO documents (id, original, name, title, origin, format, bytes, created, "
                "updated, state) VALUES (?1, '00', ?1 || '.txt', 'Title of ' || ?1, 'upload', "
                "'text', 1, 1, 1, 'ready')",
                "t", id);
    document = den_connection_last_row(connection);
    snprintf(copy, sizeof copy, "%s", text);
    for (part = copy; *part; part++)
        if (*part == '|')
            *part = '\n';
    den_execute(connection, &err,
                "INSERT INTO parts (document, ordinal, kind, number, text) VALUES (?, 0, 'page', "
                "7, ?)",
                "it", document, copy);
    page = den_connection_last_row(connection);
    for (part = strtok_r(copy, "\n", &rest); part; part = strtok_r(NULL, "\n", &rest)) {
        float vector[WIDTH];
        struct den_space_item item = { .vector = vector };

        den_execute(connection, &err,
                    "INSERT INTO items (document, part, ordinal, start, stop, heading, text, "
                    "tokens) VALUES (?, ?, ?, ?, ?, 'Terms', ?, 9)",
                    "iiiiit", document, page, ordinal++, at, at + (int64_t)strlen(part), part);
        at += (int64_t)strlen(part) + 1;
        item.row = den_connection_last_row(connection);
        embed_words(part, vector);
        den_space_put_vectors(connection, &embedder, &item, 1, &err);
    }
    if (workspace)
        den_execute(connection, &err,
                    "INSERT INTO workspace_documents (workspace, document, added) SELECT row, ?, 1 "
                    "FROM workspaces WHERE id = ?",
                    "it", document, workspace);
    assert_ok(den_connection_end(connection, &err));
}

__attribute__((unused)) static void make_workspace(const char *fields)
{
    json_t *given = parse(fields), *workspace = NULL;
    bool existed;

    assert_ok(den_workspace_create(threads, given, &workspace, &existed, &err));
    json_decref(given);
    json_decref(workspace);
}

#endif
