/* Times every matrix product of every instruction set that this processor can run, and prints JSON.
 *
 *     bench_kernels [--set NAME] [--format NAME] [--threads N] [--in K] [--seconds S]
 *
 * Two figures matter. With one row (decoding) a product reads each weight once: GB/s of packed
 * weights, out of a matrix larger than the caches, to be compared with `read_gb_per_s`, what the
 * machine delivers to the same threads. With many rows (reading a prompt) the multipliers count:
 * GMAC/s, a multiplication and an addition each. Best of several passes, since a neighbour can only
 * slow one down. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/clock.h"
#include "base/team.h"
#include "hardware/bandwidth.h"
#include "hardware/cpu.h"
#include "kernels/kernels.h"
#include "kernels/pack.h"

enum { ROWS_LARGE = 512, CLAIM_PANELS = 4 };

struct options {
    const char *set;
    const char *format;
    int threads;
    size_t in;
    double seconds; /* for each figure */
};

struct job {
    struct den_matmul op;
    den_matmul_kernel kernel;
};

static void *allocate(size_t bytes)
{
    void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (memory == MAP_FAILED) {
        fprintf(stderr, "bench_kernels: no memory for %zu bytes\n", bytes);
        exit(1);
    }
    madvise(memory, bytes, MADV_HUGEPAGE);
    return memory;
}

static void run_job(void *context, struct den_team *team, int member)
{
    const struct job *job = context;
    size_t panels = job->op.weights->panels, panel;

    (void)member;
    while ((panel = den_team_claim(team, CLAIM_PANELS)) < panels)
        job->kernel(&job->op, panel, panel + CLAIM_PANELS < panels ? panel + CLAIM_PANELS : panels);
}

/* Seconds of the best pass. */
static double time_job(struct den_team *team, struct job *job, double seconds)
{
    double start = den_clock_seconds(), best = 1e9;
    int pass;

    for (pass = 0; pass < 2 || den_clock_seconds() - start < seconds; pass++) {
        double began = den_clock_seconds(), took;

        den_team_run(team, run_job, job);
        took = den_clock_seconds() - began;
        if (took < best)
            best = took;
    }
    return best;
}

/* Small integers everywhere: as codes they are valid, as scales they are denormal or tiny, and f32
 * arithmetic on them is as fast as on any others. */
static struct den_packed make_weights(enum den_pack_format format, size_t in, size_t bytes_wanted)
{
    struct den_error err = { 0 };
    struct den_packed packed;
    size_t out = 1024, i;

    if (den_pack_plan(format, in, out, &packed, &err) != DEN_OK) {
        fprintf(stderr, "bench_kernels: %s\n", err.message);
        exit(2);
    }
    out = bytes_wanted / packed.panel_bytes * DEN_PANEL;
    (void)den_pack_plan(format, in, out, &packed, &err);
    packed.data = allocate(packed.panels * packed.panel_bytes);
    for (i = 0; i < packed.panels * packed.panel_bytes; i++)
        packed.data[i] = (unsigned char)(i & 1 ? 0x2C : i * 7 >> 3); /* f16 about 0.06 */
    return packed;
}

static json_t *measure(struct den_team *team, const struct den_kernels *kernels,
                       const struct den_packed *packed, size_t rows, const struct options *options)
{
    struct den_activations x;
    struct den_wide_activations wide;
    struct job job = { .kernel = kernels->matmul[packed->format] };
    size_t bytes = 0, wide_bytes = 0, padded = (packed->in_padded + 31) / 32 * 32, i;
    double seconds, products = (double)rows * (double)packed->in * (double)packed->out;
    float *input = allocate(rows * packed->in * sizeof *input);
    float *output = allocate(rows * packed->out * sizeof *output);
    void *memory, *wide_memory;

    if (!den_activations_bytes(rows, packed->in_padded, &bytes) ||
        !den_wide_activations_bytes(rows, padded, &wide_bytes))
        exit(2);
    memory = allocate(bytes);
    wide_memory = allocate(wide_bytes);
    den_activations_place(&x, memory, rows, packed->in_padded);
    den_wide_activations_place(&wide, wide_memory, rows, padded);
    for (i = 0; i < rows * packed->in; i++)
        input[i] = (float)(i * 37 % 101) / 50 - 1;
    for (i = 0; i < rows && den_pack_is_quantized(packed->format); i++)
        kernels->quantize.row(input + i * packed->in, packed->in, &x, i);
    for (i = 0; i < rows && packed->format == DEN_PACK_S16; i++)
        kernels->quantize.wide_row(input + i * packed->in, packed->in, &wide, i);
    job.op = (struct den_matmul){ .weights = packed,
                                  .quantized = &x,
                                  .wide = &wide,
                                  .input = input,
                                  .input_stride = packed->in,
                                  .row_end = rows,
                                  .output = output,
                                  .output_stride = packed->out };
    seconds = time_job(team, &job, options->seconds);
    munmap(memory, bytes);
    munmap(wide_memory, wide_bytes);
    munmap(input, rows * packed->in * sizeof *input);
    munmap(output, rows * packed->out * sizeof *output);
    return json_pack("{s:I, s:f, s:f}", "rows", (json_int_t)rows, "gmac_per_s",
                     products / seconds / 1e9, "weights_gb_per_s",
                     (double)(packed->panels * packed->panel_bytes) / seconds / 1e9);
}

static json_t *measure_format(struct den_team *team, const struct den_kernels *kernels,
                              enum den_pack_format format, const struct options *options)
{
    static const size_t rows_few[] = { 1, 2, 4, 8, 16 };
    struct den_packed large = make_weights(format, options->in, (size_t)96 << 20);
    struct den_packed small = large;
    json_t *list = json_array();
    size_t i;

    for (i = 0; i < sizeof rows_few / sizeof rows_few[0]; i++)
        json_array_append_new(list, measure(team, kernels, &large, rows_few[i], options));
    small.panels = small.panels < 16 ? small.panels : 16; /* milliseconds, less than a time slice */
    small.out = small.panels * DEN_PANEL;
    json_array_append_new(list, measure(team, kernels, &small, ROWS_LARGE, options));
    munmap(large.data, large.panels * large.panel_bytes);
    return list;
}

static json_t *measure_sets(struct den_team *team, const struct options *options)
{
    uint32_t present = den_cpu_features();
    size_t count, set;
    const struct den_kernel_set *sets = den_kernel_sets(&count);
    json_t *result = json_object();
    int format;

    for (set = 0; set < count; set++) {
        struct den_kernels kernels;
        json_t *formats = json_object();

        if ((sets[set].features & present) == sets[set].features &&
            (!options->set || strcmp(options->set, sets[set].name) == 0)) {
            den_kernels_select(sets[set].features, &kernels);
            for (format = 0; format < DEN_PACK_FORMATS; format++) {
                const char *name = den_pack_format_text((enum den_pack_format)format);

                if (!options->format || strcmp(options->format, name) == 0)
                    json_object_set_new(
                        formats, name,
                        measure_format(team, &kernels, (enum den_pack_format)format, options));
            }
            json_object_set(result, sets[set].name, formats);
        }
        json_decref(formats);
    }
    return result;
}

static struct options parse(int argc, char **argv)
{
    struct options options = { .in = 2048, .seconds = 0.2 };
    int i;

    for (i = 1; i + 1 < argc; i += 2) {
        if (strcmp(argv[i], "--set") == 0)
            options.set = argv[i + 1];
        else if (strcmp(argv[i], "--format") == 0)
            options.format = argv[i + 1];
        else if (strcmp(argv[i], "--threads") == 0)
            options.threads = (int)strtol(argv[i + 1], NULL, 10);
        else if (strcmp(argv[i], "--in") == 0)
            options.in = strtoul(argv[i + 1], NULL, 10);
        else if (strcmp(argv[i], "--seconds") == 0)
            options.seconds = strtod(argv[i + 1], NULL);
        else
            break;
    }
    if (i < argc) {
        fprintf(stderr, "usage: bench_kernels [--set ref|avx2|avx512|avx512vnni] [--format NAME] "
                        "[--threads N] [--in K] [--seconds S]\n");
        exit(2);
    }
    return options;
}

int main(int argc, char **argv)
{
    struct options options = parse(argc, argv);
    struct den_bandwidth_options bandwidth;
    struct den_team *team = NULL;
    struct den_error err = { 0 };
    struct den_cpu cpu;
    double bytes_per_s = 0;
    json_t *result;

    den_cpu_read(&cpu);
    if (options.threads == 0)
        options.threads = cpu.cores;
    bandwidth = (struct den_bandwidth_options){ .threads = options.threads };
    if (den_bandwidth_measure(&bandwidth, &bytes_per_s, &err) != DEN_OK ||
        den_team_create(options.threads, &team, &err) != DEN_OK) {
        fprintf(stderr, "bench_kernels: %s\n", err.message);
        return den_status_exit(err.status);
    }
    result = json_pack("{s:s, s:i, s:I, s:f, s:o}", "cpu", cpu.model, "threads", options.threads,
                       "in", (json_int_t)options.in, "read_gb_per_s", bytes_per_s / 1e9, "sets",
                       measure_sets(team, &options));
    json_dumpf(result, stdout, JSON_INDENT(1) | JSON_REAL_PRECISION(4) | JSON_PRESERVE_ORDER);
    putchar('\n');
    json_decref(result);
    den_team_destroy(team);
    return 0;
}
