/* den embed: texts to vectors, or how alike texts are. Loads the model into this process. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "cli/model_options.h"
#include "cli/model_packed.h"
#include "encode/embedder.h"

enum { INPUT_BYTES_MAX = 1 << 30 };

/* The texts of one run: operands, or lines of standard input that live in `input`. */
struct texts {
    struct den_buffer input;
    const char **items;
    size_t *lengths;
    size_t *tokens;
    size_t count;
};

static bool from_input(const struct den_arguments *arguments)
{
    return den_operand_count(arguments) == 0 ||
           (den_operand_count(arguments) == 1 && strcmp(den_operand(arguments, 0), "-") == 0);
}

/* A last line without its end counts; "\r\n" ends a line too. */
static void split_lines(struct texts *texts)
{
    char *at = texts->input.data, *end = at + texts->input.length;

    while (at < end) {
        char *stop = memchr(at, '\n', (size_t)(end - at));
        size_t length = (size_t)((stop ? stop : end) - at);

        texts->items[texts->count] = at;
        texts->lengths[texts->count++] = length - (length > 0 && at[length - 1] == '\r');
        at += length + 1;
    }
}

static enum den_status read_texts(const struct den_arguments *arguments, struct texts *texts,
                                  struct den_error *err)
{
    size_t count = den_operand_count(arguments), i;

    if (from_input(arguments)) {
        if (den_cli_read_operand("-", &texts->input, err) != DEN_OK)
            return err->status;
        for (count = 1, i = 0; i < texts->input.length; i++)
            count += texts->input.data[i] == '\n';
    }
    if (count > DEN_EMBED_TEXTS_MAX)
        return den_fail(err, DEN_TOO_LARGE, "%zu texts; %d at a time are possible", count,
                        DEN_EMBED_TEXTS_MAX);
    texts->items = calloc(count + 1, sizeof *texts->items);
    texts->lengths = calloc(count + 1, sizeof *texts->lengths);
    texts->tokens = calloc(count + 1, sizeof *texts->tokens);
    if (!texts->items || !texts->lengths || !texts->tokens)
        return den_fail(err, DEN_NO_MEMORY, "the texts: out of memory");
    if (from_input(arguments)) {
        split_lines(texts);
        return DEN_OK;
    }
    for (i = 0; i < count; i++) {
        texts->items[i] = den_operand(arguments, i);
        texts->lengths[i] = strlen(texts->items[i]);
    }
    texts->count = count;
    return DEN_OK;
}

static void free_texts(struct texts *texts)
{
    den_buffer_deinit(&texts->input);
    free(texts->items);
    free(texts->lengths);
    free(texts->tokens);
}

/* --- output --- */

static void print_vectors(const struct texts *texts, const float *vectors, size_t width)
{
    size_t t, i;

    for (t = 0; t < texts->count; t++)
        for (i = 0; i < width; i++)
            printf("%.7g%c", (double)vectors[t * width + i], i + 1 < width ? ' ' : '\n');
}

static json_t *vector_json(const float *vector, size_t width)
{
    json_t *list = json_array();
    size_t i;

    for (i = 0; i < width; i++)
        json_array_append_new(list, json_real((double)vector[i]));
    return list;
}

static enum den_status print_json(const struct den_embedder *embedder, const struct texts *texts,
                                  const float *vectors, size_t width, struct den_error *err)
{
    json_t *list = json_array(), *tokens = json_array();
    size_t t;

    for (t = 0; t < texts->count; t++) {
        json_array_append_new(list, vector_json(vectors + t * width, width));
        json_array_append_new(tokens, json_integer((json_int_t)texts->tokens[t]));
    }
    return den_cli_print_json(json_pack("{s:s, s:I, s:o, s:o}", "model",
                                        den_embedder_name(embedder), "dimensions",
                                        (json_int_t)width, "tokens", tokens, "vectors", list),
                              err);
}

static double dot(const float *a, const float *b, size_t width)
{
    double sum = 0;
    size_t i;

    for (i = 0; i < width; i++)
        sum += (double)a[i] * (double)b[i];
    return sum;
}

/* The first text beside each of the others. */
static enum den_status print_similarities(const struct den_arguments *arguments,
                                          const struct texts *texts, const float *vectors,
                                          size_t width, struct den_error *err)
{
    json_t *list = json_array();
    size_t t;

    for (t = 1; t < texts->count; t++) {
        double cosine = dot(vectors, vectors + t * width, width);

        json_array_append_new(list, json_real(cosine));
        if (!den_argument_flag(arguments, "json"))
            printf("%7.4f  %.*s\n", cosine, (int)texts->lengths[t], texts->items[t]);
    }
    if (den_argument_flag(arguments, "json"))
        return den_cli_print_json(json_pack("{s:o}", "similarities", list), err);
    json_decref(list);
    return DEN_OK;
}

static enum den_status print_result(const struct den_arguments *arguments,
                                    const struct den_embedder *embedder, const struct texts *texts,
                                    const float *vectors, size_t width, struct den_error *err)
{
    if (den_argument_flag(arguments, "similarity"))
        return print_similarities(arguments, texts, vectors, width, err);
    if (den_argument_flag(arguments, "json"))
        return print_json(embedder, texts, vectors, width, err);
    print_vectors(texts, vectors, width);
    return DEN_OK;
}

static enum den_status embed(const struct den_arguments *arguments, const struct texts *texts,
                             struct den_error *err)
{
    char path[DEN_PATH_BYTES_MAX];
    const char *precision = den_argument_text(arguments, "precision");
    struct den_embedder_options options = {
        .path = path,
        .threads = (int)den_argument_integer(arguments, "threads"),
        .cpu_features = den_argument_text(arguments, "cpu-features"),
        .precision = strcmp(precision, "fp32") == 0 ? DEN_PRECISION_FP32 : DEN_PRECISION_INT16,
    };
    struct den_embed_request request = {
        .texts = texts->items,
        .lengths = texts->lengths,
        .count = texts->count,
        .truncate = !den_argument_flag(arguments, "no-truncate"),
        .dimensions = (size_t)den_argument_integer(arguments, "dimensions"),
        .cancel = den_cli_interrupted(),
    };
    struct den_embedder *embedder = NULL;
    struct den_cli_packed *packed = NULL;
    float *vectors = NULL;
    size_t width;

    if (den_cli_model_path(arguments, path, sizeof path, err) != DEN_OK)
        return err->status;
    if (options.precision != DEN_PRECISION_FP32)
        packed = den_cli_packed_begin(path);
    options.packed = den_cli_packed_store(packed);
    den_embedder_open(&options, &embedder, err);
    den_cli_packed_end(packed, err->status == DEN_OK);
    if (err->status != DEN_OK)
        return err->status;
    width = request.dimensions ? request.dimensions : den_embedder_width(embedder);
    vectors = calloc(texts->count + 1, width * sizeof *vectors);
    if (!vectors)
        den_fail(err, DEN_NO_MEMORY, "no memory for %zu vectors", texts->count);
    else if (den_embedder_run(embedder, &request, vectors, texts->tokens, err) == DEN_OK)
        print_result(arguments, embedder, texts, vectors, width, err);
    free(vectors);
    den_embedder_close(embedder);
    return err->status;
}

static enum den_status run(const struct den_arguments *arguments, struct den_error *err)
{
    struct texts texts = { 0 };

    den_buffer_init(&texts.input, INPUT_BYTES_MAX);
    den_cli_catch_interrupt();
    if (read_texts(arguments, &texts, err) == DEN_OK) {
        if (den_argument_flag(arguments, "similarity") && texts.count < 2)
            den_fail(err, DEN_INVALID,
                     "--similarity compares the first text with the others; give "
                     "two at least");
        else
            embed(arguments, &texts, err);
    }
    free_texts(&texts);
    return err->status;
}

static const struct den_option options[] = {
    { .name = "model",
      .letter = 'm',
      .kind = DEN_OPTION_TEXT,
      .value = "MODEL",
      .fallback = "all-minilm",
      .help = "catalogue name, Hugging Face folder or GGUF file of a sentence encoder" },
    { .name = "similarity",
      .kind = DEN_OPTION_FLAG,
      .help = "print the cosine of the first text with each of the others" },
    { .name = "dimensions",
      .letter = 'd',
      .kind = DEN_OPTION_INTEGER,
      .value = "N",
      .fallback = "0",
      .minimum = 0,
      .maximum = DEN_WIDTH_MAX,
      .help = "keep the first N components, at unit length again; 0: all" },
    { .name = "no-truncate",
      .kind = DEN_OPTION_FLAG,
      .help = "a text longer than the model reads is an error, not cut" },
    { .name = "precision",
      .kind = DEN_OPTION_TEXT,
      .value = "P",
      .choices = "int16|fp32",
      .fallback = "int16",
      .help = "int16: products of 13-bit codes; fp32: everything in 32-bit floats, half as fast" },
    DEN_OPTIONS_DEVICE,
    DEN_OPTION_JSON,
};

const struct den_verb den_verb_embed = {
    .name = "embed",
    .summary = "turn texts into vectors",
    .operands = "[TEXT...]",
    .operands_min = 0,
    .operands_max = -1,
    .description =
        "Prints each text's vector, of unit length, a line each; texts alike in meaning "
        "have vectors of a cosine near 1. Without TEXT, or with -, each line of standard "
        "input is a text.",
    .examples = "den embed --similarity \"a cat on the mat\" \"a kitten on a rug\" \"tax law\"\n"
                "den embed --json \"What is the boundary layer?\"\n"
                "den embed --dimensions 128 - < lines.txt > vectors.txt\n",
    .options = options,
    .option_count = sizeof options / sizeof options[0],
    .run = run,
};
