/* See bench_ablate.h. Rows are printed as they are measured, as text or as one line of JSON each
 * with the whole in the last. */
#include "cli/bench_ablate.h"

#include <stdio.h>

#include "base/json.h"
#include "cli/model_options.h"
#include "engine/ablation.h"

enum { SEQUENCES = 16, DEPTH = 256 };

struct output {
    json_t *rows; /* NULL: text */
};

static json_t *figure_json(const struct den_ablation_figure *figure)
{
    return json_pack("{s:f, s:f, s:f}", "median", figure->median, "low", figure->low, "high",
                     figure->high);
}

static void take_row(void *context, const struct den_ablation_row *row)
{
    struct output *output = context;

    if (output->rows) {
        json_array_append_new(output->rows,
                              json_pack("{s:s, s:s, s:o, s:o, s:f}", "name", row->name, "figure",
                                        row->figure, "with", figure_json(&row->with), "without",
                                        figure_json(&row->without), "gain", row->gain));
        return;
    }
    printf("%-48s %-12s %8.1f %8.1f %6.2fx   %.0f to %.0f, %.0f to %.0f\n", row->name, row->figure,
           row->with.median, row->without.median, row->gain, row->with.low, row->with.high,
           row->without.low, row->without.high);
    fflush(stdout);
}

enum den_status den_cli_bench_ablate(const struct den_arguments *arguments, struct den_error *err)
{
    char path[DEN_PATH_BYTES_MAX];
    size_t sequences = (size_t)den_argument_integer(arguments, "sequences");
    const struct den_ablation_options options = {
        .engine = { .path = path,
                    .threads = (int)den_argument_integer(arguments, "threads"),
                    .cpu_features = den_argument_text(arguments, "cpu-features") },
        .prompt = (size_t)den_argument_integer(arguments, "prompt"),
        .generate = (size_t)den_argument_integer(arguments, "generate"),
        .sequences = den_argument_given(arguments, "sequences") ? sequences : SEQUENCES,
        .depth = den_argument_given(arguments, "depth")
                     ? (size_t)den_argument_integer(arguments, "depth")
                     : DEPTH,
        .runs = (size_t)den_argument_integer(arguments, "runs"),
        .cancel = den_cli_interrupted(),
    };
    struct output output = { 0 };

    if (den_cli_model_path(arguments, path, sizeof path, err) != DEN_OK)
        return err->status;
    if (den_argument_flag(arguments, "json"))
        output.rows = json_array();
    else
        printf("%-48s %-12s %8s %8s %7s   spreads, tokens/s\n", "", "", "with", "without", "gain");
    if (den_ablation_run(&options, take_row, &output, err) != DEN_OK) {
        json_decref(output.rows);
        return err->status;
    }
    if (!output.rows)
        return DEN_OK;
    return den_cli_print_json(
        json_pack("{s:s, s:s, s:s, s:I, s:I, s:I, s:I, s:I, s:o}", "engine", "den", "version",
                  DEN_VERSION, "model", den_argument_text(arguments, "model"), "prompt",
                  (json_int_t)options.prompt, "generate", (json_int_t)options.generate, "sequences",
                  (json_int_t)options.sequences, "depth", (json_int_t)options.depth, "rounds",
                  (json_int_t)options.runs, "rows", output.rows),
        err);
}
