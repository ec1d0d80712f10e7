/* See thread_search.h. The query is built as text for FTS5 (each word a quoted string) and bound as
 * a value. What FTS5's highlight() gives, with two control characters around each match, is cut to
 * a snippet here; texts found without the index are marked in the same way first. */
#include "desk/thread_search.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/buffer.h"
#include "base/utf8.h"
#include "desk/threads_parts.h"

enum {
    MARK_BEGIN = 1, /* as in the SQL below */
    MARK_END = 2,
    BYTES_BEFORE = 60, /* of a snippet, around its first match */
    BYTES_AFTER = 180,
    INDEXED_CHARACTERS = 3
};

struct words {
    char text[DEN_TITLE_BYTES_MAX]; /* the words, each terminated */
    const char *word[DEN_SEARCH_WORDS_MAX];
    bool is_short[DEN_SEARCH_WORDS_MAX];
    size_t count, indexed;
    struct den_buffer match; /* FTS5's query, of the indexed ones */
};

/* --- the words --- */

static void add_word(struct words *words, const char *word)
{
    const char *at;

    if (words->count == DEN_SEARCH_WORDS_MAX)
        return;
    words->is_short[words->count] = den_utf8_count(word, strlen(word)) < INDEXED_CHARACTERS;
    words->word[words->count] = word;
    if (!words->is_short[words->count++]) {
        den_buffer_append_text(&words->match, words->indexed++ > 0 ? " \"" : "\"");
        for (at = word; *at; at++) {
            den_buffer_append_byte(&words->match, *at);
            if (*at == '"') /* doubled: one that is meant */
                den_buffer_append_byte(&words->match, '"');
        }
        den_buffer_append_byte(&words->match, '"');
    }
}

static enum den_status split_words(const char *text, struct words *out, struct den_error *err)
{
    char *rest = NULL, *word;

    if (strlen(text) >= sizeof out->text)
        return den_fail(err, DEN_TOO_LARGE, "'q' may have %zu bytes at most", sizeof out->text - 1);
    if (!den_utf8_is_valid(text, strlen(text)))
        return den_fail(err, DEN_INVALID, "'q' must be UTF-8");
    snprintf(out->text, sizeof out->text, "%s", text);
    for (word = strtok_r(out->text, " \t\r\n", &rest); word;
         word = strtok_r(NULL, " \t\r\n", &rest))
        add_word(out, word);
    return den_buffer_status(&out->match, "search", err);
}

/* --- texts without the index --- */

/* ASCII letters of either case match, as in SQL's LIKE. */
static const char *find_word(const char *text, const char *word)
{
    return strcasestr(text, word);
}

static bool has_short_words(const struct words *words, const char *text)
{
    size_t i;

    for (i = 0; i < words->count; i++)
        if (words->is_short[i] && !find_word(text, words->word[i]))
            return false;
    return true;
}

/* Marks the first match of the first word that is there, unless the index has marked some. */
static void mark(const struct words *words, const char *text, struct den_buffer *out)
{
    size_t i;

    den_buffer_clear(out);
    for (i = 0; i < words->count && !strchr(text, MARK_BEGIN); i++) {
        const char *found = find_word(text, words->word[i]);

        if (!found)
            continue;
        den_buffer_append(out, text, (size_t)(found - text));
        den_buffer_append_byte(out, MARK_BEGIN);
        den_buffer_append(out, found, strlen(words->word[i]));
        den_buffer_append_byte(out, MARK_END);
        den_buffer_append_text(out, found + strlen(words->word[i]));
        return;
    }
    den_buffer_append_text(out, text);
}

/* --- snippets --- */

static bool is_boundary(const char *at)
{
    return ((unsigned char)*at & 0xc0) != 0x80;
}

static void append_part(json_t *snippet, const char *text, size_t length, bool is_marked)
{
    json_t *part = json_stringn(text, length);

    if (length > 0 && part)
        json_array_append_new(snippet, json_pack("[O, b]", part, is_marked));
    json_decref(part);
}

static json_t *make_snippet(const char *marked)
{
    const char *first = strchr(marked, MARK_BEGIN), *begin = first ? first : marked;
    const char *end = begin + strnlen(begin, BYTES_AFTER), *at, *part;
    json_t *snippet = json_array();
    bool is_marked = false;

    begin = begin - marked > BYTES_BEFORE ? begin - BYTES_BEFORE : marked;
    while (!is_boundary(begin))
        begin++;
    while (*end && !is_boundary(end))
        end--;
    if (begin > marked)
        append_part(snippet, "\xE2\x80\xA6", 3, false);
    for (at = part = begin; at < end; at++) {
        if (*at != MARK_BEGIN && *at != MARK_END)
            continue;
        append_part(snippet, part, (size_t)(at - part), is_marked);
        is_marked = *at == MARK_BEGIN;
        part = at + 1;
    }
    append_part(snippet, part, (size_t)(end - part), is_marked);
    if (*end)
        append_part(snippet, "\xE2\x80\xA6", 3, false);
    return snippet;
}

/* --- looking --- */

/* Both tables give: thread's id, title, message's id, role, time, marked text, text. */
static const char messages_by_index[] =
    "SELECT t.id, t.title, m.id, m.role, m.created, "
    "highlight(messages_text, 0, char(1), char(2)), m.content FROM messages_text x "
    "JOIN messages m ON m.row = x.rowid JOIN threads t ON t.row = m.thread "
    "WHERE messages_text MATCH ? AND t.deleted IS NULL ORDER BY m.created DESC, m.row DESC";
static const char messages_by_text[] =
    "SELECT t.id, t.title, m.id, m.role, m.created, m.content, m.content FROM messages m "
    "JOIN threads t ON t.row = m.thread WHERE instr(lower(m.content), lower(?)) > 0 "
    "AND t.deleted IS NULL ORDER BY m.row DESC";
static const char titles_by_index[] =
    "SELECT t.id, t.title, NULL, NULL, t.updated, "
    "highlight(threads_text, 0, char(1), char(2)), t.title FROM threads_text x "
    "JOIN threads t ON t.row = x.rowid "
    "WHERE threads_text MATCH ? AND t.deleted IS NULL ORDER BY t.updated DESC, t.row DESC";
static const char titles_by_text[] =
    "SELECT t.id, t.title, NULL, NULL, t.updated, t.title, t.title FROM threads t "
    "WHERE instr(lower(t.title), lower(?)) > 0 AND t.deleted IS NULL "
    "ORDER BY t.updated DESC, t.row DESC";

static json_t *hit_json(struct den_query *query, const char *marked)
{
    bool is_title = den_query_is_null(query, 2);

    return json_pack("{s:o, s:o, s:o, s:o, s:I, s:o}", "thread", den_text_json(query, 0), "title",
                     den_text_json(query, 1), "message",
                     is_title ? json_null() : den_text_json(query, 2), "role",
                     is_title ? json_null() : den_text_json(query, 3), "created",
                     (json_int_t)den_query_integer(query, 4), "snippet", make_snippet(marked));
}

static enum den_status collect(struct den_connection *connection, const char *sql,
                               const struct words *words, size_t limit, json_t *hits,
                               struct den_error *err)
{
    const char *wanted = words->indexed > 0 ? words->match.data : words->word[0];
    struct den_buffer marked;
    struct den_query query;

    den_buffer_init(&marked, DEN_DATABASE_TEXT_BYTES_MAX * 2ul);
    den_query_start(&query, connection, err, sql, "t", wanted);
    while (json_array_size(hits) < limit && den_query_next(&query, err)) {
        if (!has_short_words(words, den_query_text(&query, 6)))
            continue;
        mark(words, den_query_text(&query, 5), &marked);
        if (json_array_append_new(hits, hit_json(&query, marked.data)) != 0)
            den_fail(err, DEN_NO_MEMORY, "search: out of memory");
    }
    den_query_end(&query);
    den_buffer_deinit(&marked);
    return err->status;
}

enum den_status den_threads_search(struct den_threads *threads, const char *text, size_t limit,
                                   json_t **out, struct den_error *err)
{
    struct words words = { .count = 0 };
    struct den_connection *connection;
    json_t *hits = json_array();

    if (limit == 0 || limit > DEN_SEARCH_HITS_MAX)
        limit = DEN_SEARCH_HITS_MAX;
    den_buffer_init(&words.match, DEN_TITLE_BYTES_MAX * 4ul);
    if (split_words(text, &words, err) == DEN_OK && words.count > 0 &&
        den_database_read(threads->database, &connection, err) == DEN_OK) {
        bool by_index = words.indexed > 0;

        collect(connection, by_index ? titles_by_index : titles_by_text, &words, limit, hits, err);
        collect(connection, by_index ? messages_by_index : messages_by_text, &words, limit, hits,
                err);
        den_connection_end(connection, err);
    }
    den_buffer_deinit(&words.match);
    if (err->status == DEN_OK)
        *out = json_pack("{s:O}", "hits", hits);
    json_decref(hits);
    return err->status;
}
