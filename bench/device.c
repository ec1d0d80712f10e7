/* Times one forward pass of a decoder, operation by operation, and prints JSON.
 *
 *     bench_device [--depth N] [--rows N] [--threads N] [--runs N] [--features LIST]
 *
 * The shape is SmolLM2-135M's: 30 layers of width 576, 9 heads on 3 key heads of 64, feed-forward
 * 1536, vocabulary 49152, Q4_1 weights (random), an f16 cache with `depth` tokens in it. `rows` 1
 * is a decode step, 512 a prompt; logits are computed for the last row. Each of a pass's operations
 * counts with the fastest of all runs, since a neighbour can only slow it down; figures are sums
 * over the layers in microseconds. On a quiet machine the median pass is as fast, and it is printed
 * beside. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "device/device.h"

enum {
    LAYERS = 30,
    WIDTH = 576,
    HEADS = 9,
    KV_HEADS = 3,
    HEAD = 64,
    FFN = 1536,
    VOCABULARY = 49152,
    PAGE = 64,
    QKV = (HEADS + 2 * KV_HEADS) * HEAD
};

enum operation {
    EMBED,
    LINEAR_QKV,
    ROPE,
    ATTENTION,
    LINEAR_OUT,
    LINEAR_UP,
    LINEAR_DOWN,
    LOGITS,
    OPERATIONS
};
static const char *const operation_names[OPERATIONS] = { "embed",     "qkv",           "rope",
                                                         "attention", "attention_out", "gate_up",
                                                         "down",      "logits" };

enum { STEPS = 2 + LAYERS * (OPERATIONS - 2), RUNS_MAX = 10000 };

/* What one pass took, step by step. */
struct timing {
    double last;
    size_t steps;
    double seconds[STEPS];
    enum operation operation[STEPS];
};

struct layer {
    struct den_matrix *qkv, *out, *up, *down;
};

struct bench {
    struct den_device *device;
    struct layer layers[LAYERS];
    struct den_matrix *embedding;
    struct den_kv_pool *pool;
    float *x, *qkv, *attended, *up, *logits, norm[FFN], frequency[HEAD / 2];
    int32_t *tokens, *position, *sequence, *pages;
    size_t depth, rows, weight_bytes;
    int threads;
    size_t runs;
    const char *features;
};

static void stop(const struct den_error *err)
{
    fprintf(stderr, "bench_device: %s\n", err->message);
    exit(den_status_exit(err->status));
}

static void *allocate(size_t count, size_t size)
{
    void *memory = calloc(count, size);

    if (!memory) {
        fprintf(stderr, "bench_device: out of memory\n");
        exit(den_status_exit(DEN_NO_MEMORY));
    }
    return memory;
}

/* A matrix of random Q4_1 blocks whose scales are small. */
static struct den_matrix *make_matrix(struct bench *bench, size_t in, size_t out)
{
    struct den_tensor tensor = {
        .name = "random", .type = DEN_TYPE_Q4_1, .dims = 2, .size = { in, out, 1, 1 }
    };
    const struct den_tensor *tensors[] = { &tensor };
    struct den_matrix *matrix = NULL;
    struct den_error err = { 0 };
    unsigned char *data;
    size_t i, j;

    tensor.row_bytes = in / 32 * 20;
    tensor.bytes = tensor.row_bytes * out;
    tensor.data = data = allocate(tensor.bytes, 1);
    for (i = 0; i < tensor.bytes; i += 20) {
        const uint16_t scale = 0x2000, minimum = 0xA400; /* 0.0078, -0.0156 */

        memcpy(data + i, &scale, 2);
        memcpy(data + i + 2, &minimum, 2);
        for (j = 4; j < 20; j++)
            data[i + j] = (unsigned char)rand();
    }
    if (den_matrix_create(bench->device, tensors, 1, DEN_PRECISION_INT8, &matrix, &err) != DEN_OK)
        stop(&err);
    free(data);
    bench->weight_bytes += den_matrix_bytes(matrix);
    return matrix;
}

static void make(struct bench *bench)
{
    struct den_device_options options = { .threads = bench->threads,
                                          .cpu_features = bench->features };
    struct den_kv_layout layout = { .layers = LAYERS,
                                    .kv_heads = KV_HEADS,
                                    .head_width = HEAD,
                                    .value_width = HEAD,
                                    .page_tokens = PAGE,
                                    .type = DEN_TYPE_F16 };
    size_t tokens = bench->depth + bench->rows, pages = tokens / PAGE + 1, i;
    size_t most = tokens > 64 ? tokens : 64;
    struct den_error err = { 0 };

    if (den_device_create(&options, &bench->device, &err) != DEN_OK ||
        den_device_workspace(bench->device, most, FFN, HEADS, HEAD, &err) != DEN_OK ||
        den_kv_pool_create(bench->device, &layout, pages, &bench->pool, &err) != DEN_OK)
        stop(&err);
    for (i = 0; i < LAYERS; i++)
        bench->layers[i] =
            (struct layer){ make_matrix(bench, WIDTH, QKV), make_matrix(bench, WIDTH, WIDTH),
                            make_matrix(bench, WIDTH, 2 * FFN), make_matrix(bench, FFN, WIDTH) };
    bench->embedding = make_matrix(bench, WIDTH, VOCABULARY);
    bench->x = allocate(most, WIDTH * sizeof(float));
    bench->qkv = allocate(most, QKV * sizeof(float));
    bench->attended = allocate(most, WIDTH * sizeof(float));
    bench->up = allocate(most, 2 * FFN * sizeof(float));
    bench->logits = allocate(VOCABULARY, sizeof(float));
    bench->tokens = allocate(most, sizeof(int32_t));
    bench->position = allocate(most, sizeof(int32_t));
    bench->sequence = allocate(most, sizeof(int32_t));
    bench->pages = allocate(pages, sizeof(int32_t));
    for (i = 0; i < pages; i++)
        bench->pages[i] = (int32_t)i;
    for (i = 0; i < FFN; i++)
        bench->norm[i] = 1;
    for (i = 0; i < HEAD / 2; i++)
        bench->frequency[i] = 1 / (float)(i + 1);
}

static void linear(struct bench *bench, const struct den_matrix *matrix, size_t rows,
                   const float *input, bool normed, float *output)
{
    bool gate = input == bench->up;
    size_t in = den_matrix_in(matrix);
    struct den_linear op = { .matrix = matrix,
                             .rows = rows,
                             .input = input,
                             .input_stride = gate ? 2 * in : in,
                             .norm = { .weight = normed ? bench->norm : NULL, .epsilon = 1e-5f },
                             .gate = gate ? DEN_ACTIVATION_SILU : DEN_ACTIVATION_NONE,
                             .output = output,
                             .output_stride = den_matrix_out(matrix),
                             .accumulate = output == bench->x };

    den_device_linear(bench->device, &op);
}

static void tick(struct timing *timing, enum operation operation)
{
    double now = den_clock_seconds();

    timing->operation[timing->steps] = operation;
    timing->seconds[timing->steps++] = now - timing->last;
    timing->last = now;
}

static void cache_and_attend(struct bench *bench, const struct den_rows *where, size_t layer,
                             struct timing *timing)
{
    struct den_rope rope = { .where = where,
                             .qkv = bench->qkv,
                             .stride = QKV,
                             .heads = HEADS,
                             .kv_heads = KV_HEADS,
                             .head_width = HEAD,
                             .value_width = HEAD,
                             .rotary_width = HEAD,
                             .interleaved = true,
                             .inverse_frequency = bench->frequency,
                             .magnitude = 1,
                             .pool = bench->pool,
                             .layer = layer };
    struct den_attention attention = { .where = where,
                                       .queries = bench->qkv,
                                       .stride = QKV,
                                       .heads = HEADS,
                                       .scale = 0.125f,
                                       .pool = bench->pool,
                                       .layer = layer,
                                       .output = bench->attended };

    den_device_rope(bench->device, &rope);
    tick(timing, ROPE);
    den_device_attention(bench->device, &attention);
    tick(timing, ATTENTION);
}

/* `rows` tokens from position `from` on. */
static void forward(struct bench *bench, size_t from, size_t rows, struct timing *timing)
{
    const int32_t *const pages[] = { bench->pages };
    struct den_rows where = { rows, bench->position, bench->sequence, pages };
    struct den_embed embed = { .matrix = bench->embedding,
                               .tokens = bench->tokens,
                               .rows = rows,
                               .scale = 1,
                               .output = bench->x,
                               .output_stride = WIDTH };
    size_t l, i;

    timing->last = den_clock_seconds();
    timing->steps = 0;

    for (i = 0; i < rows; i++)
        bench->position[i] = (int32_t)(from + i);
    den_device_embed(bench->device, &embed);
    tick(timing, EMBED);
    for (l = 0; l < LAYERS; l++) {
        const struct layer *layer = &bench->layers[l];

        linear(bench, layer->qkv, rows, bench->x, true, bench->qkv);
        tick(timing, LINEAR_QKV);
        cache_and_attend(bench, &where, l, timing);
        linear(bench, layer->out, rows, bench->attended, false, bench->x);
        tick(timing, LINEAR_OUT);
        linear(bench, layer->up, rows, bench->x, true, bench->up);
        tick(timing, LINEAR_UP);
        linear(bench, layer->down, rows, bench->up, false, bench->x);
        tick(timing, LINEAR_DOWN);
    }
    linear(bench, bench->embedding, 1, bench->x + (rows - 1) * WIDTH, true, bench->logits);
    tick(timing, LOGITS);
}

struct result {
    double total;  /* of the fastest steps */
    double median; /* of whole passes */
    double seconds[OPERATIONS];
};

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static void measure(struct bench *bench, struct result *result)
{
    static double best[STEPS], totals[RUNS_MAX];
    static struct timing timing;
    size_t run, i;

    for (i = 0; i < bench->depth; i += 64)
        forward(bench, i, bench->depth - i < 64 ? bench->depth - i : 64, &timing);
    forward(bench, bench->depth, bench->rows, &timing);
    for (run = 0; run < bench->runs; run++) {
        forward(bench, bench->depth, bench->rows, &timing);
        for (i = 0; i < STEPS; i++) {
            totals[run] += timing.seconds[i];
            if (run == 0 || timing.seconds[i] < best[i])
                best[i] = timing.seconds[i];
        }
    }
    for (i = 0; i < STEPS; i++) {
        result->seconds[timing.operation[i]] += best[i];
        result->total += best[i];
    }
    qsort(totals, bench->runs, sizeof *totals, by_value);
    result->median = totals[bench->runs / 2];
}

static void parse(struct bench *bench, int argc, char **argv)
{
    int i;

    for (i = 1; i + 1 < argc; i += 2) {
        long value = strtol(argv[i + 1], NULL, 10);

        if (strcmp(argv[i], "--depth") == 0)
            bench->depth = (size_t)value;
        else if (strcmp(argv[i], "--rows") == 0)
            bench->rows = (size_t)value;
        else if (strcmp(argv[i], "--threads") == 0)
            bench->threads = (int)value;
        else if (strcmp(argv[i], "--runs") == 0)
            bench->runs = (size_t)value;
        else if (strcmp(argv[i], "--features") == 0)
            bench->features = argv[i + 1];
        else
            break;
    }
    if (i != argc || bench->depth > 1 << 20 || bench->rows - 1 > 1 << 16 ||
        bench->runs - 1 >= RUNS_MAX) {
        fprintf(stderr, "usage: bench_device [--depth N] [--rows N] [--threads N] [--runs N] "
                        "[--features LIST]\n");
        exit(den_status_exit(DEN_INVALID));
    }
}

int main(int argc, char **argv)
{
    struct bench bench = { .rows = 1, .runs = 21 };
    json_t *operations = json_object();
    struct result result = { 0 };
    size_t i;

    parse(&bench, argc, argv);
    make(&bench);
    measure(&bench, &result);
    for (i = 0; i < OPERATIONS; i++)
        json_object_set_new(operations, operation_names[i], json_real(result.seconds[i] * 1e6));
    json_dumpf(json_pack("{s:i, s:s, s:i, s:i, s:f, s:f, s:f, s:f, s:o}", "threads",
                         den_device_threads(bench.device), "features",
                         den_device_features(bench.device), "depth", (int)bench.depth, "rows",
                         (int)bench.rows, "milliseconds", result.total * 1e3, "median_milliseconds",
                         result.median * 1e3, "tokens_per_s", (double)bench.rows / result.total,
                         "weights_gb_per_s", (double)bench.weight_bytes / result.total / 1e9,
                         "microseconds", operations),
               stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(4));
    putchar('\n');
    return 0;
}
