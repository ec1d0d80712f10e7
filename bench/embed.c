/* Embeds the texts of a JSON-lines file, as often as told, and prints the seconds of each pass.
 *
 *     bench_embed MODEL TEXTS.jsonl [--threads N] [--precision int16|fp32] [--cpu-features LIST]
 *                 [--vectors OUT.f32]
 *
 * Texts are the "text" members of the lines, or the lines where they are JSON strings. Each line on
 * standard input starts a pass; its result is one line of JSON on standard output. bench/embed.py
 * drives it in turn with its rival. Without input it runs once. --vectors writes the vectors of the
 * first pass, (texts, width) little-endian f32. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "base/clock.h"
#include "encode/embedder.h"

struct texts {
    const char **items;
    size_t *lengths;
    size_t *tokens;
    size_t count;
};

static void stop(const char *what)
{
    fprintf(stderr, "bench_embed: %s\n", what);
    exit(2);
}

/* Texts live in JSON values that are never freed. */
static struct texts read_texts(const char *path)
{
    struct texts texts = { 0 };
    FILE *file = fopen(path, "r");
    char *line = NULL;
    size_t capacity = 0, room = 0;

    if (!file)
        stop("the file of texts can't be opened");
    while (getline(&line, &capacity, file) > 0) {
        json_t *value = json_loads(line, JSON_DECODE_ANY, NULL);
        json_t *text = json_is_string(value) ? value : json_object_get(value, "text");

        if (!json_is_string(text))
            stop("a line is neither a JSON string nor an object with \"text\"");
        if (texts.count == room) {
            room = room ? 2 * room : 1024;
            texts.items = realloc(texts.items, room * sizeof *texts.items);
            texts.lengths = realloc(texts.lengths, room * sizeof *texts.lengths);
            texts.tokens = realloc(texts.tokens, room * sizeof *texts.tokens);
        }
        if (!texts.items || !texts.lengths || !texts.tokens)
            stop("out of memory");
        texts.items[texts.count] = json_string_value(text);
        texts.lengths[texts.count++] = json_string_length(text);
    }
    free(line);
    fclose(file);
    return texts;
}

/* Seconds of processor time of all threads so far. */
static double processor_seconds(void)
{
    struct rusage usage;

    getrusage(RUSAGE_SELF, &usage);
    return (double)usage.ru_utime.tv_sec + (double)usage.ru_stime.tv_sec +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

static void run_pass(struct den_embedder *embedder, const struct texts *texts, float *vectors)
{
    struct den_embed_request request = {
        .texts = texts->items, .lengths = texts->lengths, .count = texts->count, .truncate = true
    };
    struct den_error err = { 0 };
    size_t tokens = 0, i;
    double processor = processor_seconds(), start = den_clock_seconds(), took;

    if (den_embedder_run(embedder, &request, vectors, texts->tokens, &err) != DEN_OK)
        stop(err.message);
    took = den_clock_seconds() - start;
    processor = processor_seconds() - processor;
    for (i = 0; i < texts->count; i++)
        tokens += texts->tokens[i];
    printf("{\"seconds\": %.4f, \"processor_s\": %.4f, \"texts\": %zu, \"tokens\": %zu, "
           "\"tokens_per_s\": %.0f, \"features\": \"%s\"}\n",
           took, processor, texts->count, tokens, (double)tokens / took,
           den_device_features(den_embedder_device(embedder)));
    fflush(stdout);
}

static void write_vectors(const char *path, const float *vectors, size_t count)
{
    FILE *file = path ? fopen(path, "wb") : NULL;

    if (!path)
        return;
    if (!file || fwrite(vectors, sizeof *vectors, count, file) != count || fclose(file) != 0)
        stop("the vectors can't be written");
}

int main(int argc, char **argv)
{
    struct den_embedder_options options = { .precision = DEN_PRECISION_INT16 };
    struct den_embedder *embedder = NULL;
    struct den_error err = { 0 };
    const char *output = NULL;
    struct texts texts;
    float *vectors;
    char line[64];
    int i;

    for (i = 3; i + 1 < argc; i += 2) {
        if (strcmp(argv[i], "--threads") == 0)
            options.threads = (int)strtol(argv[i + 1], NULL, 10);
        else if (strcmp(argv[i], "--precision") == 0)
            options.precision =
                strcmp(argv[i + 1], "fp32") == 0 ? DEN_PRECISION_FP32 : DEN_PRECISION_INT16;
        else if (strcmp(argv[i], "--cpu-features") == 0)
            options.cpu_features = argv[i + 1];
        else if (strcmp(argv[i], "--vectors") == 0)
            output = argv[i + 1];
        else
            break;
    }
    if (argc < 3 || i < argc)
        stop("usage: bench_embed MODEL TEXTS.jsonl [--threads N] [--precision int16|fp32] "
             "[--cpu-features LIST] [--vectors OUT.f32]");
    texts = read_texts(argv[2]);
    options.path = argv[1];
    if (den_embedder_open(&options, &embedder, &err) != DEN_OK)
        stop(err.message);
    vectors = malloc((texts.count + 1) * den_embedder_width(embedder) * sizeof *vectors);
    if (!vectors)
        stop("out of memory");
    for (i = 0; fgets(line, sizeof line, stdin) || i == 0; i++) {
        run_pass(embedder, &texts, vectors);
        if (i == 0)
            write_vectors(output, vectors, texts.count * den_embedder_width(embedder));
    }
    den_embedder_close(embedder);
    return 0;
}
