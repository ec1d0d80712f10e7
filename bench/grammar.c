/* Masks and compiling of structured output, for bench/grammar.py: what each token costs.
 *
 * bench_grammar MODEL.gguf|TOKENIZER.json [ROUNDS] < LINES
 *
 * Each line is {"schema": ..., "text": "...", "tokens": [...]}: the grammar is compiled ROUNDS
 * times, and each time a new constraint, with nothing cached, is led along `tokens`. The answer
 * has the microseconds of every mask (with the accept that follows it), and of every compilation:
 * processor time, so that other work on the machine does not count. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/buffer.h"
#include "base/file.h"
#include "base/json.h"
#include "text/constraint.h"

static double cpu_seconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static void require(enum den_status status, const struct den_error *err)
{
    if (status == DEN_OK)
        return;
    fprintf(stderr, "%s\n", err->message);
    exit(1);
}

static struct den_tokenizer *open_tokenizer(const char *path)
{
    struct den_tokenizer *tokenizer = NULL;
    struct den_weights *weights = NULL;
    struct den_error err = { 0 };
    struct den_buffer text;

    if (strlen(path) > 5 && strcmp(path + strlen(path) - 5, ".json") == 0) {
        den_buffer_init(&text, DEN_FILE_TEXT_BYTES_MAX);
        require(den_file_read(path, &text, &err), &err);
        require(den_tokenizer_create_json(text.data, text.length, NULL, &tokenizer, &err), &err);
        den_buffer_deinit(&text);
        return tokenizer;
    }
    require(den_weights_open(path, &weights, &err), &err);
    require(den_tokenizer_create(weights, &tokenizer, &err), &err);
    den_weights_close(weights);
    return tokenizer;
}

static void follow(const struct den_grammar *grammar,
                   const struct den_grammar_vocabulary *vocabulary, const json_t *tokens,
                   json_t *times)
{
    struct den_constraint_options options = { .grammar = grammar, .vocabulary = vocabulary };
    struct den_constraint *constraint = NULL;
    struct den_error err = { 0 };
    double start;
    size_t i;

    require(den_constraint_create(&options, &constraint, &err), &err);
    for (i = 0; i < json_array_size(tokens); i++) {
        start = cpu_seconds();
        den_constraint_mask(constraint);
        require(den_constraint_accept(
                    constraint, (den_token)json_integer_value(json_array_get(tokens, i)), &err),
                &err);
        json_array_append_new(times, json_real((cpu_seconds() - start) * 1e6));
    }
    den_constraint_destroy(constraint);
}

static json_t *measure(const json_t *line, const struct den_grammar_vocabulary *vocabulary,
                       int rounds)
{
    json_t *masks = json_array(), *compiles = json_array();
    int i;

    for (i = 0; i < rounds; i++) {
        struct den_grammar *grammar = NULL;
        struct den_error err = { 0 };
        double start = cpu_seconds();

        require(den_grammar_from_schema(json_object_get(line, "schema"), &grammar, &err), &err);
        json_array_append_new(compiles, json_real((cpu_seconds() - start) * 1e6));
        follow(grammar, vocabulary, json_object_get(line, "tokens"), masks);
        den_grammar_destroy(grammar);
    }
    return json_pack("{s: o, s: o}", "mask_us", masks, "compile_us", compiles);
}

int main(int argc, char **argv)
{
    struct den_grammar_vocabulary *vocabulary = NULL;
    struct den_tokenizer *tokenizer;
    struct den_error err = { 0 };
    int rounds = argc > 2 ? (int)strtol(argv[2], NULL, 10) : 1;
    char *line = NULL;
    size_t room = 0;
    double start;

    if (argc < 2) {
        fprintf(stderr, "bench_grammar MODEL.gguf|TOKENIZER.json [ROUNDS] < LINES\n");
        return 2;
    }
    tokenizer = open_tokenizer(argv[1]);
    start = cpu_seconds();
    require(den_grammar_vocabulary_create(tokenizer, &vocabulary, &err), &err);
    printf("{\"vocabulary\": %zu, \"vocabulary_ms\": %.3f}\n", den_tokenizer_size(tokenizer),
           (cpu_seconds() - start) * 1e3);
    while (getline(&line, &room, stdin) > 0) {
        json_t *value = json_loads(line, 0, NULL);
        json_t *reply = measure(value, vocabulary, rounds);

        json_dumpf(reply, stdout, JSON_COMPACT);
        putchar('\n');
        json_decref(reply);
        json_decref(value);
    }
    free(line);
    den_grammar_vocabulary_destroy(vocabulary);
    den_tokenizer_destroy(tokenizer);
    return 0;
}
