/* See bandwidth.h. A team of readers sums a buffer that no cache holds, each its own contiguous
 * part, as a product does with its panels; the best of several passes counts, since a neighbour can
 * only slow one down. The sum is 64 bits wide in eight independent chains so that the adders keep
 * ahead of the memory; SSE2, which every x86-64 has, is enough for that: one core draws far less
 * than the 16 bytes a cycle that it can add. */
#include "hardware/bandwidth.h"

#include <stdatomic.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

#include "base/clock.h"
#include "base/team.h"
#include "hardware/cpu.h"

enum { LINE_BYTES = 64, PASSES_MIN = 2 };
static const size_t BYTES_MIN = (size_t)256 << 20;

typedef uint64_t lanes __attribute__((vector_size(16)));

struct sweep {
    const unsigned char *data;
    size_t bytes; /* of one member's part, a multiple of LINE_BYTES */
    atomic_uint_least64_t sum;
};

static uint64_t read_part(const unsigned char *data, size_t bytes)
{
    lanes sum[8] = { { 0 } };
    const lanes *at = (const lanes *)(const void *)data;
    const lanes *end = at + bytes / sizeof *at;
    uint64_t total = 0;
    int i;

    for (; at + 8 <= end; at += 8) {
        __builtin_prefetch(at + 128);
        sum[0] += at[0];
        sum[1] += at[1];
        sum[2] += at[2];
        sum[3] += at[3];
        sum[4] += at[4];
        sum[5] += at[5];
        sum[6] += at[6];
        sum[7] += at[7];
    }
    for (i = 0; i < 8; i++)
        total += sum[i][0] + sum[i][1];
    return total;
}

static void read_member(void *context, struct den_team *team, int member)
{
    struct sweep *sweep = context;
    uint64_t sum;

    (void)team;
    sum = read_part(sweep->data + (size_t)member * sweep->bytes, sweep->bytes);
    atomic_fetch_add(&sweep->sum, sum); /* so that no compiler finds the reading useless */
}

enum den_status den_bandwidth_measure(const struct den_bandwidth_options *options,
                                      double *out_bytes_per_s, struct den_error *err)
{
    struct den_team *team = NULL;
    struct sweep sweep = { 0 };
    struct den_cpu cpu;
    size_t bytes;
    double best = 0;
    double start;
    void *data = MAP_FAILED;
    int threads;
    int pass;

    den_cpu_read(&cpu);
    threads = options->threads ? options->threads : cpu.cores;
    bytes = options->bytes ? options->bytes : 4 * cpu.l3_bytes;
    if (!options->bytes && bytes < BYTES_MIN)
        bytes = BYTES_MIN;
    if (den_team_create(threads, &team, err) != DEN_OK)
        return err->status;
    sweep.bytes = bytes / (size_t)threads / LINE_BYTES * LINE_BYTES;
    if (sweep.bytes == 0) {
        den_fail(err, DEN_INVALID, "bandwidth: %zu bytes are less than a line for each thread",
                 bytes);
        goto fail;
    }
    data = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (data == MAP_FAILED) {
        den_fail(err, DEN_NO_MEMORY, "bandwidth: no memory for a buffer of %zu bytes", bytes);
        goto fail;
    }
    madvise(data, bytes, MADV_HUGEPAGE); /* as weights are; refused by some kernels, no matter */
    memset(data, 1, bytes);              /* untouched pages are all one page of zeros */
    sweep.data = data;
    start = den_clock_seconds();
    for (pass = 0; pass < PASSES_MIN ||
                   den_clock_seconds() - start < (options->seconds > 0 ? options->seconds : 0.25);
         pass++) {
        double began = den_clock_seconds();
        double rate;

        den_team_run(team, read_member, &sweep);
        rate = (double)(sweep.bytes * (size_t)threads) / (den_clock_seconds() - began);
        if (rate > best)
            best = rate;
    }
    munmap(data, bytes);
    den_team_destroy(team);
    *out_bytes_per_s = best;
    return DEN_OK;
fail:
    den_team_destroy(team);
    return err->status;
}
