/* den doctor: what this machine has, what Den can do with it, and what would be better. Advice
 * follows the figures of docs/internals/hardware.md: at least 8 cores, 32 GB of memory and 8 GB on
 * a GPU are comfortable for a 7B model; less works for smaller ones, and the verb says which. */
#include <stdio.h>
#include <string.h>
#include <sys/statvfs.h>

#include "base/file.h"
#include "base/json.h"
#include "cli/doctor_documents.h"
#include "cli/doctor_library.h"
#include "cli/model_options.h"
#include "desk/catalogue.h"
#include "guard/sandbox_report.h"
#include "hardware/bandwidth.h"
#include "hardware/cpu.h"
#include "kernels/self_check.h"

struct machine {
    struct den_cpu cpu;
    struct den_memory memory;
    struct den_kernels kernels; /* those that computed right numbers here */
    double bandwidth;           /* bytes/s */
    char home[DEN_PATH_BYTES_MAX];
    uint64_t disk_free;
    bool has_nvidia;
    bool has_render_node; /* any other GPU's */
    struct den_sandbox_report sandbox;
};

static enum den_status look(struct machine *machine, struct den_error *err)
{
    const struct den_bandwidth_options options = { 0 };
    struct statvfs disk;
    char existing[DEN_PATH_BYTES_MAX];
    char *slash;

    den_cpu_read(&machine->cpu);
    den_memory_read(&machine->memory);
    den_kernels_select_proven(machine->cpu.features, &machine->kernels);
    if (den_bandwidth_measure(&options, &machine->bandwidth, err) != DEN_OK ||
        den_path_home(machine->home, sizeof machine->home, err) != DEN_OK ||
        den_sandbox_probe(&machine->sandbox, err) != DEN_OK)
        return err->status;
    memcpy(existing, machine->home, sizeof existing);
    while (!den_file_exists(existing) && (slash = strrchr(existing, '/')) != NULL &&
           slash != existing)
        *slash = '\0';
    if (statvfs(existing, &disk) == 0)
        machine->disk_free = (uint64_t)disk.f_bavail * disk.f_frsize;
    machine->has_nvidia =
        den_file_exists("/proc/driver/nvidia/version") || den_file_exists("/dev/nvidiactl");
    machine->has_render_node = den_file_exists("/dev/dri/renderD128");
    return DEN_OK;
}

/* The largest 4-bit model that leaves half of the memory to everything else, in billions of
 * parameters: 0.6 bytes a parameter with its cache. */
static double largest_model(const struct machine *machine)
{
    return (double)machine->memory.total_bytes / 2.0 / 0.6e9;
}

/* Tokens a second of decoding that bandwidth allows for a 4-bit model of `billions` parameters. */
static double speed_of(const struct machine *machine, double billions)
{
    return machine->bandwidth / (billions * 0.56e9);
}

static void print_models(const struct den_catalogue *catalogue)
{
    size_t i;

    printf("\nModels\n");
    for (i = 0; i < den_catalogue_count(catalogue); i++) {
        const struct den_catalogue_entry *entry = den_catalogue_at(catalogue, i);

        printf("  %-22s %s\n", entry->name,
               entry->installed ? "ready" : "not installed; den pull installs it");
    }
}

/* The names of the sets of kernels that are used here (or: that failed their self-check), oldest
 * first. */
static json_t *kernel_sets(const struct machine *machine, bool failed)
{
    size_t count, i;
    const struct den_kernel_set *sets = den_kernel_sets(&count);
    json_t *names = json_array();

    for (i = 0; i < count; i++)
        if ((sets[i].features & machine->cpu.features) == sets[i].features &&
            (machine->kernels.left_out >> i & 1) == (uint32_t)failed)
            json_array_append_new(names, json_string(sets[i].name));
    return names;
}

static void print_kernels(const struct machine *machine)
{
    json_t *used = kernel_sets(machine, false), *failed = kernel_sets(machine, true);
    const json_t *name;
    size_t i;

    printf("  kernels                ");
    json_array_foreach(used, i, name) printf("%s%s", i ? ", " : "", json_string_value(name));
    printf(" (each checked against the first)\n");
    json_array_foreach(failed, i, name)
        printf("  left out               %s: it computes wrong numbers on this machine\n",
               json_string_value(name));
    json_decref(used);
    json_decref(failed);
}

static void print_machine(const struct machine *machine)
{
    char features[DEN_CPU_FEATURES_BYTES];
    double gib = 1073741824.0;

    den_cpu_features_text(machine->cpu.features, features);
    printf("Machine\n");
    printf("  processor              %s\n", machine->cpu.model);
    printf("  cores                  %d usable of %d\n", machine->cpu.cores,
           machine->cpu.cores_online);
    printf("  instruction sets       %s\n", features);
    print_kernels(machine);
    printf("  caches                 L1 %zu KiB, L2 %zu KiB, L3 %zu KiB\n",
           machine->cpu.l1_bytes >> 10, machine->cpu.l2_bytes >> 10, machine->cpu.l3_bytes >> 10);
    printf("  memory                 %.1f GiB, %.1f GiB available\n",
           (double)machine->memory.total_bytes / gib,
           (double)machine->memory.available_bytes / gib);
    printf("  memory bandwidth       %.1f GB/s (measured, reading)\n", machine->bandwidth / 1e9);
    printf("  disk free              %.1f GiB for %s\n", (double)machine->disk_free / gib,
           machine->home);
    printf("  GPU                    %s\n", machine->has_nvidia ? "NVIDIA, not used by this version"
                                            : machine->has_render_node
                                                ? "present, not used by this version"
                                                : "none found");
}

static void print_sandbox(const struct den_sandbox_report *sandbox)
{
    size_t i;

    printf("\nSandbox of a model's process\n");
    printf("  level                  %s\n", den_sandbox_level_text(sandbox->level));
    for (i = 0; i < sandbox->wall_count; i++) {
        const struct den_sandbox_wall *wall = &sandbox->walls[i];

        printf("  %-24s %s%s%s\n", wall->name, wall->up ? "yes" : "no", *wall->why ? ": " : "",
               wall->why);
    }
}

static void print_advice(const struct machine *machine)
{
    double billions = largest_model(machine);
    const double example = billions >= 7 ? 7 : billions >= 1 ? 1 : 0.135;
    const double speed = speed_of(machine, example);

    printf("\nAdvice\n");
    printf("  models up to about %.1f billion parameters in 4 bits fit beside everything else\n",
           billions);
    printf("  a %.3g-billion one can reach at most %.*f tokens/s here (memory bandwidth)\n",
           example, speed < 10 ? 1 : 0, speed);
    if (machine->cpu.cores < 8)
        printf("  %d cores: 8 and more are comfortable, 16 recommended\n", machine->cpu.cores);
    if (!(machine->cpu.features & DEN_CPU_AVX2))
        printf("  without AVX2 the scalar kernels are used: expect a few percent of the usual "
               "speed\n");
    if (machine->memory.total_bytes < (uint64_t)31 << 30)
        printf("  memory: 32 GB are comfortable for a 7-billion model, 64 GB recommended\n");
    if (machine->disk_free < (uint64_t)10 << 30)
        printf("  disk: little room; models take 0.1 to 5 GB each\n");
}

static json_t *machine_json(const struct machine *machine)
{
    char features[DEN_CPU_FEATURES_BYTES];

    den_cpu_features_text(machine->cpu.features, features);
    return json_pack(
        "{s:s, s:i, s:i, s:s, s:o, s:o, s:I, s:I, s:I, s:I, s:I, s:f, s:s, s:I, s:b, s:f}", "cpu",
        machine->cpu.model, "cores", machine->cpu.cores, "cores_online", machine->cpu.cores_online,
        "cpu_features", features, "kernels", kernel_sets(machine, false), "kernels_left_out",
        kernel_sets(machine, true), "l1_bytes", (json_int_t)machine->cpu.l1_bytes, "l2_bytes",
        (json_int_t)machine->cpu.l2_bytes, "l3_bytes", (json_int_t)machine->cpu.l3_bytes,
        "memory_bytes", (json_int_t)machine->memory.total_bytes, "memory_available_bytes",
        (json_int_t)machine->memory.available_bytes, "read_bytes_per_s", machine->bandwidth, "home",
        machine->home, "disk_free_bytes", (json_int_t)machine->disk_free, "nvidia_gpu",
        (int)machine->has_nvidia, "largest_4bit_model_billions", largest_model(machine));
}

static enum den_status run(const struct den_arguments *arguments, struct den_error *err)
{
    struct den_catalogue *catalogue;
    struct machine machine = { 0 };

    if (den_argument_flag(arguments, "check") || den_argument_flag(arguments, "repair"))
        return den_doctor_library(den_argument_flag(arguments, "repair"),
                                  den_argument_flag(arguments, "json"), err);
    if (look(&machine, err) != DEN_OK)
        return err->status;
    if (den_argument_flag(arguments, "json")) {
        json_t *json = machine_json(&machine);

        json_object_set_new(json, "sandbox", den_sandbox_report_json(&machine.sandbox));
        json_object_set_new(json, "documents", den_doctor_documents_json());
        return den_cli_print_json(json, err);
    }
    if (den_catalogue_create(&catalogue, err) != DEN_OK)
        return err->status;
    print_machine(&machine);
    print_models(catalogue);
    print_sandbox(&machine.sandbox);
    den_doctor_documents_print();
    print_advice(&machine);
    den_catalogue_destroy(catalogue);
    return DEN_OK;
}

static const struct den_option options[] = {
    { .name = "check",
      .kind = DEN_OPTION_FLAG,
      .help =
          "instead, look whether everything that was added is whole: the database, its indexes, "
          "and each file by its hash" },
    { .name = "repair",
      .kind = DEN_OPTION_FLAG,
      .help = "as --check, and put right what can be; nothing that somebody made is removed" },
    DEN_OPTION_JSON,
};

const struct den_verb den_verb_doctor = {
    .name = "doctor",
    .summary = "show what this machine has and what it can run",
    .operands = "",
    .description =
        "Looks at processor, memory, measured memory bandwidth, disk and installed "
        "models, says what size of model fits and how fast it can be at best, which walls "
        "of the sandbox stand around the process that runs a model, and which programs "
        "that read PDF and scans are there.",
    .examples = "den doctor\nden doctor --json\nden doctor --check\n",
    .options = options,
    .option_count = sizeof options / sizeof options[0],
    .run = run,
};
