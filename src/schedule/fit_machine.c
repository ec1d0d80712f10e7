/* See fit_machine.h. The file:
 *
 *     {"cpu": "Intel ...", "cores": 8, "read_bytes_per_s": 4.1e10, "read_share": 0.78,
 *      "measurements": 3, "measured_at": 1790000000}
 *
 * A neighbour can only make memory look slower. So the first figure is not the last: MEASUREMENTS
 * times, each at least PAUSE_SECONDS after the one before, it is measured again; the best counts.
 *
 * It is a cache: one that is absent, broken or of another machine is measured and written anew, and
 * one that can't be written costs a quarter of a second each time and is no error. */
#include "schedule/fit_machine.h"

#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"
#include "hardware/bandwidth.h"
#include "hardware/cpu.h"

/* Of the bandwidth; one conversation, 4-bit weights, bench/compare.py on two Cascade Lake cores. */
static const double SHARE = 0.75;

enum { MEASUREMENTS = 5, PAUSE_SECONDS = 60 };

struct kept {
    double rate, share;
    int64_t measurements, measured_at; /* Unix time */
};

static bool read_kept(const char *path, const struct den_cpu *cpu, struct kept *out)
{
    struct den_error err = { 0 };
    const char *model = NULL;
    json_t *value = NULL;
    int64_t cores = 0;

    *out = (struct kept){ .share = SHARE };
    if (!path || den_json_read_file(path, &value, &err) != DEN_OK)
        return false;
    den_json_get_text(value, "cpu", &model, &err);
    den_json_get_integer(value, "cores", 1, INT32_MAX, &cores, &err);
    den_json_get_number(value, "read_bytes_per_s", 1e6, 1e15, &out->rate, &err);
    den_json_get_number(value, "read_share", 0.01, 2, &out->share, &err);
    den_json_get_integer(value, "measurements", 0, INT32_MAX, &out->measurements, &err);
    den_json_get_integer(value, "measured_at", 0, INT64_MAX, &out->measured_at, &err);
    if (err.status == DEN_OK && (!model || strcmp(model, cpu->model) != 0 || cores != cpu->cores))
        err.status = DEN_NOT_FOUND;
    json_decref(value);
    if (err.status != DEN_OK || out->rate <= 0)
        *out = (struct kept){ .share = SHARE };
    return out->rate > 0;
}

static void keep(const char *path, const struct den_cpu *cpu, const struct kept *kept)
{
    struct den_error ignored = { 0 };
    json_t *value =
        json_pack("{s:s, s:i, s:f, s:f, s:I, s:I}", "cpu", cpu->model, "cores", cpu->cores,
                  "read_bytes_per_s", kept->rate, "read_share", kept->share, "measurements",
                  (json_int_t)kept->measurements, "measured_at", (json_int_t)kept->measured_at);
    struct den_buffer text;

    den_buffer_init(&text, 4096);
    if (path && value && den_json_write(value, &text, &ignored) == DEN_OK)
        den_file_write(path, text.data, text.length, &ignored);
    den_buffer_deinit(&text);
    json_decref(value);
}

enum den_status den_fit_machine_read(const char *path, struct den_fit_machine *out,
                                     struct den_error *err)
{
    const struct den_bandwidth_options options = { 0 };
    const int64_t now = den_clock_unix();
    struct den_memory memory;
    struct den_cpu cpu;
    struct kept kept;
    double rate;

    den_cpu_read(&cpu);
    den_memory_read(&memory);
    if (!read_kept(path, &cpu, &kept) ||
        (kept.measurements < MEASUREMENTS && now >= kept.measured_at + PAUSE_SECONDS)) {
        if (den_bandwidth_measure(&options, &rate, err) != DEN_OK)
            return err->status;
        kept.rate = rate > kept.rate ? rate : kept.rate;
        kept.measurements++;
        kept.measured_at = now;
        keep(path, &cpu, &kept);
    }
    *out = (struct den_fit_machine){
        .total_bytes = memory.total_bytes,
        .free_bytes = memory.available_bytes,
        .read_bytes_per_s = kept.rate,
        .read_share = kept.share,
        .threads = cpu.cores,
    };
    return DEN_OK;
}

enum den_status den_fit_machine_learn(const char *path, double bytes, double tokens_per_s,
                                      struct den_error *err)
{
    struct den_cpu cpu;
    struct kept kept;
    double share;

    den_cpu_read(&cpu);
    if (!read_kept(path, &cpu, &kept))
        return den_fail(err, DEN_NOT_FOUND, "fit: the bandwidth has not been measured yet");
    share = bytes * tokens_per_s / kept.rate;
    if (share >
        1.5) /* a neighbour was busy when the bandwidth was measured, or it fits in a cache */
        share = 1.5;
    if (share < kept.share * 1.05)
        return DEN_OK;
    kept.share = share;
    keep(path, &cpu, &kept);
    return DEN_OK;
}
