/* Den's side of bench/space.py and bench/retrieval.py: a space in a database of its own.
 *
 *     bench_space DATABASE --vectors ITEMS.f32 --width N --question-vectors QUESTIONS.f32
 *                 [--texts ITEMS.jsonl] [--questions QUESTIONS.jsonl] [--without PAIRS.tsv]
 *                 [--mode vectors|words|fused|full] [--count N] [--candidates N] [--diversity D]
 *                 [--hits OUT.jsonl]
 *
 * Vectors are little-endian f32, one after the other. A database that is not there is made first:
 * each line of ITEMS.jsonl is a document of one item with "title" as its heading and "text";
 * without it items have no words. Each line on standard input starts a pass over all questions,
 * whose result is one line of JSON on standard output; without input it runs once. --hits writes
 * what the first pass found, a line for each question. --without has "QUESTION<TAB>ITEM" lines:
 * those items (by "id") are not to be found by that question, which makes a question of it that
 * nothing answers. */
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "space/space.h"
#include "store/database.h"
#include "store/query.h"

enum { BATCH = 1000, IDS_MAX = 1 << 16 };

struct bench {
    struct den_database *database;
    struct den_space *space;
    float *vectors, *question_vectors;
    size_t width, items, questions;
    json_t *texts, *question_texts; /* arrays of objects, or NULL */
    json_t *without;                /* {question id: {item id: true}}, or NULL */
    const char *mode;
    size_t count, candidates;
    double diversity, build_s;
    FILE *hits;
};

static void stop(const char *what)
{
    fprintf(stderr, "bench_space: %s\n", what);
    exit(2);
}

static void check(const struct den_error *err)
{
    if (err->status != DEN_OK)
        stop(err->message);
}

static float *read_vectors(const char *path, size_t width, size_t *out_count)
{
    FILE *file = path ? fopen(path, "rb") : NULL;
    struct stat status;
    float *vectors;

    if (!file || fstat(fileno(file), &status) != 0)
        stop("a file of vectors can't be opened");
    *out_count = (size_t)status.st_size / sizeof(float) / width;
    vectors = malloc((size_t)status.st_size + 1);
    if (!vectors || fread(vectors, sizeof(float) * width, *out_count, file) != *out_count)
        stop("a file of vectors can't be read");
    fclose(file);
    return vectors;
}

static json_t *read_lines(const char *path)
{
    json_t *lines = json_array();
    FILE *file = path ? fopen(path, "r") : NULL;
    char *line = NULL;
    size_t capacity = 0;

    if (!path)
        return NULL;
    if (!file)
        stop("a file of texts can't be opened");
    while (getline(&line, &capacity, file) > 0) {
        json_t *value = json_loads(line, 0, NULL);

        if (!value)
            stop("a line is no JSON object");
        json_array_append_new(lines, value);
    }
    free(line);
    fclose(file);
    return lines;
}

/* The "id" of a line as text. */
static const char *id_of(const json_t *lines, size_t i, char scratch[32])
{
    const json_t *id = lines ? json_object_get(json_array_get(lines, i), "id") : NULL;

    if (json_is_string(id))
        return json_string_value(id);
    snprintf(scratch, 32, "%lld",
             json_is_integer(id) ? (long long)json_integer_value(id) : (long long)i);
    return scratch;
}

static json_t *read_pairs(const char *path)
{
    json_t *pairs = path ? json_object() : NULL;
    FILE *file = path ? fopen(path, "r") : NULL;
    char question[64], item[64];

    if (path && !file)
        stop("the file of pairs can't be opened");
    while (file && fscanf(file, "%63s %63s", question, item) == 2) {
        json_t *of = json_object_get(pairs, question);

        if (!of) {
            of = json_object();
            json_object_set_new(pairs, question, of);
        }
        json_object_set_new(of, item, json_true());
    }
    if (file)
        fclose(file);
    return pairs;
}

/* --- building --- */

static int64_t add_document(struct den_connection *connection, const char *id, const char *title,
                            struct den_error *err)
{
    den_execute(connection, err,
                "INSERT INTO documents (id, original, name, origin, title, bytes, created, "
                "updated, state) VALUES (?1, '0', ?1, 'upload', ?2, 1, 1, 1, 'ready')",
                "tt", id, title);
    return den_connection_last_row(connection);
}

static const char *member(const struct bench *bench, size_t i, const char *name)
{
    const char *text = json_string_value(json_object_get(json_array_get(bench->texts, i), name));

    return text ? text : "";
}

static void add_item(const struct bench *bench, struct den_connection *connection, size_t i,
                     const struct den_space_embedder *embedder)
{
    struct den_space_item item = { .vector = bench->vectors + i * bench->width };
    struct den_error err = { 0 };
    int64_t document, part;
    char scratch[32];

    document =
        add_document(connection, id_of(bench->texts, i, scratch), member(bench, i, "title"), &err);
    den_execute(connection, &err,
                "INSERT INTO parts (document, ordinal, kind, number, text) "
                "VALUES (?, 0, 'file', 1, ?)",
                "it", document, member(bench, i, "text"));
    part = den_connection_last_row(connection);
    den_execute(connection, &err,
                "INSERT INTO items (document, part, ordinal, start, stop, heading, text, tokens) "
                "VALUES (?1, ?2, 0, 0, ?3, ?4, ?5, 1)",
                "iiitt", document, part, (int64_t)strlen(member(bench, i, "text")),
                member(bench, i, "title"), member(bench, i, "text"));
    item.row = den_connection_last_row(connection);
    if (err.status == DEN_OK)
        den_space_put_vectors(connection, embedder, &item, 1, &err);
    check(&err);
}

static void build(struct bench *bench)
{
    struct den_space_embedder embedder;
    struct den_connection *connection;
    struct den_error err = { 0 };
    double start = den_clock_seconds();
    size_t i, j;

    den_space_embedder(bench->space, "bench", bench->width, &embedder, &err);
    check(&err);
    for (i = 0; i < bench->items; i = j) {
        den_database_write(bench->database, &connection, &err);
        check(&err);
        den_execute(connection, &err, "INSERT OR IGNORE INTO originals VALUES ('0', 1, 1)", "");
        for (j = i; j < bench->items && j < i + BATCH; j++)
            add_item(bench, connection, j, &embedder);
        den_connection_end(connection, &err);
        check(&err);
    }
    bench->build_s = den_clock_seconds() - start;
}

/* --- asking --- */

/* Ids of all items but those that the question may not find. */
static size_t allowed(const struct bench *bench, size_t question, const char **ids)
{
    char scratch[32];
    const json_t *without =
        json_object_get(bench->without, id_of(bench->question_texts, question, scratch));
    size_t count = 0, i;

    if (!without)
        return 0;
    for (i = 0; i < bench->items && count < IDS_MAX; i++) {
        const char *id = json_string_value(json_object_get(json_array_get(bench->texts, i), "id"));

        if (id && !json_object_get(without, id))
            ids[count++] = id;
    }
    return count;
}

static struct den_space_result ask(const struct bench *bench, size_t i, double *out_seconds)
{
    static const char *ids[IDS_MAX];
    bool by_words = strcmp(bench->mode, "vectors") != 0 && bench->question_texts;
    struct den_space_query query = { .width = bench->width,
                                     .count = bench->count,
                                     .candidates = bench->candidates,
                                     .diversity = bench->diversity,
                                     .no_feedback = strcmp(bench->mode, "full") != 0 };
    struct den_space_result result = { 0 };
    struct den_error err = { 0 };
    double start;

    if (by_words)
        query.words =
            json_string_value(json_object_get(json_array_get(bench->question_texts, i), "text"));
    if (strcmp(bench->mode, "words") != 0)
        query.vector = bench->question_vectors + i * bench->width;
    query.filter.documents = ids;
    query.filter.document_count = allowed(bench, i, ids);
    start = den_clock_seconds();
    den_space_search(bench->space, &query, &result, &err);
    *out_seconds = den_clock_seconds() - start;
    check(&err);
    return result;
}

static void write_hits(const struct bench *bench, size_t question,
                       const struct den_space_result *result)
{
    json_t *hits = json_array(), *fused = json_array(), *line;
    char scratch[32];
    size_t i;

    for (i = 0; i < result->count; i++) { /* items have the numbers of the file's lines */
        json_array_append_new(
            hits, json_string(id_of(bench->texts, (size_t)result->hits[i].item - 1, scratch)));
        json_array_append_new(fused, json_real(result->hits[i].fused));
    }
    line = json_pack("{s:s, s:o, s:o, s:f, s:f, s:f, s:f}", "question",
                     id_of(bench->question_texts, question, scratch), "hits", hits, "fused", fused,
                     "confidence", result->confidence, "cosine_top", result->cosine_top,
                     "cosine_tail", result->cosine_tail, "words_share", result->words_share);
    json_dumpf(line, bench->hits, 0);
    fputc('\n', bench->hits);
    json_decref(line);
}

static int ascending(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;

    return (a > b) - (a < b);
}

static size_t resident_bytes(void)
{
    FILE *file = fopen("/proc/self/statm", "r");
    unsigned long total = 0, resident = 0;

    if (!file || fscanf(file, "%lu %lu", &total, &resident) != 2)
        resident = 0;
    if (file)
        fclose(file);
    return resident * (size_t)sysconf(_SC_PAGESIZE);
}

static void run_pass(struct bench *bench, bool is_first)
{
    double *seconds = calloc(bench->questions + 1, sizeof *seconds), total = 0, parts[3] = { 0 };
    struct den_space_memory memory;
    size_t i;

    if (!seconds)
        stop("out of memory");
    for (i = 0; i < bench->questions; i++) {
        struct den_space_result result = ask(bench, i, &seconds[i]);

        total += seconds[i];
        parts[0] += result.vectors_seconds;
        parts[1] += result.words_seconds;
        parts[2] += result.fuse_seconds;
        if (is_first && bench->hits)
            write_hits(bench, i, &result);
        den_space_result_free(&result);
    }
    if (is_first && bench->hits)
        fflush(bench->hits);
    den_space_memory(bench->space, &memory);
    qsort(seconds, bench->questions, sizeof *seconds, ascending);
    printf("{\"questions\": %zu, \"mean_ms\": %.4f, \"median_ms\": %.4f, \"p95_ms\": %.4f, "
           "\"vectors_ms\": %.4f, \"words_ms\": %.4f, \"fuse_ms\": %.4f, \"build_s\": %.3f, "
           "\"index_bytes\": %zu, \"resident_bytes\": %zu}\n",
           bench->questions, 1e3 * total / (double)bench->questions,
           1e3 * seconds[bench->questions / 2], 1e3 * seconds[bench->questions * 95 / 100],
           1e3 * parts[0] / (double)bench->questions, 1e3 * parts[1] / (double)bench->questions,
           1e3 * parts[2] / (double)bench->questions, bench->build_s,
           memory.codes_bytes + memory.rows_bytes + memory.find_bytes + memory.sets_bytes,
           resident_bytes());
    fflush(stdout);
    free(seconds);
}

struct paths {
    const char *vectors, *question_vectors, *texts, *questions, *without, *hits;
};

static bool take_option(struct bench *bench, struct paths *paths, const char *name,
                        const char *value)
{
    const struct {
        const char *name;
        const char **to;
    } texts[] = {
        { "--vectors", &paths->vectors }, { "--question-vectors", &paths->question_vectors },
        { "--texts", &paths->texts },     { "--questions", &paths->questions },
        { "--without", &paths->without }, { "--hits", &paths->hits },
        { "--mode", &bench->mode },
    };
    size_t i;

    for (i = 0; i < sizeof texts / sizeof texts[0]; i++)
        if (strcmp(name, texts[i].name) == 0) {
            *texts[i].to = value;
            return true;
        }
    if (strcmp(name, "--width") == 0)
        bench->width = strtoul(value, NULL, 10);
    else if (strcmp(name, "--count") == 0)
        bench->count = strtoul(value, NULL, 10);
    else if (strcmp(name, "--candidates") == 0)
        bench->candidates = strtoul(value, NULL, 10);
    else if (strcmp(name, "--diversity") == 0)
        bench->diversity = strtod(value, NULL);
    else
        return false;
    return true;
}

static void open_all(struct bench *bench, const struct paths *paths, const char *database)
{
    struct den_error err = { 0 };
    bool is_new = access(database, F_OK) != 0;

    bench->vectors = read_vectors(paths->vectors, bench->width, &bench->items);
    bench->question_vectors =
        read_vectors(paths->question_vectors, bench->width, &bench->questions);
    bench->texts = read_lines(paths->texts);
    bench->question_texts = read_lines(paths->questions);
    bench->without = read_pairs(paths->without);
    bench->hits = paths->hits ? fopen(paths->hits, "w") : NULL;
    den_database_open(database, &bench->database, &err);
    check(&err);
    den_space_open(bench->database, &bench->space, &err);
    check(&err);
    if (is_new)
        build(bench);
    free(bench->vectors); /* the space has its own */
}

int main(int argc, char **argv)
{
    struct bench bench = { .mode = "full", .count = 10, .diversity = NAN };
    struct paths paths = { 0 };
    char line[64];
    int i;

    for (i = 2; i + 1 < argc && take_option(&bench, &paths, argv[i], argv[i + 1]); i += 2)
        ;
    if (argc < 2 || i < argc || !bench.width || !paths.vectors || !paths.question_vectors)
        stop("usage: bench_space DATABASE --vectors F --width N --question-vectors F [OPTIONS]");
    open_all(&bench, &paths, argv[1]);
    for (i = 0; fgets(line, sizeof line, stdin) || i == 0; i++)
        run_pass(&bench, i == 0);
    if (bench.hits)
        fclose(bench.hits);
    json_decref(bench.texts);
    json_decref(bench.question_texts);
    json_decref(bench.without);
    free(bench.question_vectors);
    den_space_close(bench.space);
    den_database_close(bench.database);
    return 0;
}
