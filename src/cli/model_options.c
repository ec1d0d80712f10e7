/* See model_options.h. */
#include "cli/model_options.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/json.h"
#include "cli/model_packed.h"
#include "desk/catalogue.h"

static enum den_status find_model(const char *name, char *out, size_t capacity,
                                  struct den_error *err)
{
    struct den_catalogue *catalogue;

    if (den_catalogue_create(&catalogue, err) != DEN_OK)
        return err->status;
    den_catalogue_resolve(catalogue, name, out, capacity, err);
    den_catalogue_destroy(catalogue);
    return err->status;
}

enum den_status den_cli_model_path(const struct den_arguments *arguments, char *out,
                                   size_t capacity, struct den_error *err)
{
    return find_model(den_argument_text(arguments, "model"), out, capacity, err);
}

enum den_status den_cli_engine_open(const struct den_arguments *arguments,
                                    const struct den_cli_engine *wanted, struct den_engine **out,
                                    struct den_error *err)
{
    char path[DEN_PATH_BYTES_MAX], draft[DEN_PATH_BYTES_MAX];
    struct den_cli_packed *packed = NULL;
    struct den_engine_options options = {
        .path = path,
        .threads = (int)den_argument_integer(arguments, "threads"),
        .cpu_features = den_argument_text(arguments, "cpu-features"),
        .context_tokens = wanted->context_tokens,
        .sequences = wanted->sequences,
        .int8_cache = strcmp(den_argument_text(arguments, "cache"), "int8") == 0,
    };

    if (options.context_tokens == 0)
        options.context_tokens = (size_t)den_argument_integer(arguments, "context");
    if (wanted->precision && strcmp(wanted->precision, "fp32") == 0)
        options.precision = DEN_PRECISION_FP32;
    if (wanted->speculation && strcmp(wanted->speculation, "off") == 0)
        options.speculation = DEN_SPECULATION_OFF;
    if (den_cli_model_path(arguments, path, sizeof path, err) != DEN_OK ||
        (wanted->draft && find_model(wanted->draft, draft, sizeof draft, err) != DEN_OK))
        return err->status;
    options.draft_path = wanted->draft ? draft : NULL;
    if (options.precision == DEN_PRECISION_INT8)
        packed = den_cli_packed_begin(path);
    options.packed = den_cli_packed_store(packed);
    den_engine_open(&options, out, err);
    den_cli_packed_end(packed, err->status == DEN_OK);
    return err->status;
}

static void take_number(const struct den_arguments *arguments, const char *name, float *field)
{
    if (den_argument_given(arguments, name))
        *field = (float)den_argument_number(arguments, name);
}

enum den_status den_cli_sampler(const struct den_arguments *arguments,
                                struct den_sampler_options *out, struct den_error *err)
{
    struct den_sampler_options options = den_sampler_defaults();
    const char *preset = den_argument_text(arguments, "preset");

    if (preset && den_sampler_apply_preset(&options, preset, err) != DEN_OK)
        return err->status;
    take_number(arguments, "temperature", &options.temperature);
    take_number(arguments, "top-p", &options.top_p);
    take_number(arguments, "min-p", &options.min_p);
    take_number(arguments, "repeat-penalty", &options.repeat_penalty);
    if (den_argument_given(arguments, "repeat-penalty") && options.penalty_last_n == 0)
        options.penalty_last_n = 64;
    if (den_argument_given(arguments, "top-k"))
        options.top_k = (int)den_argument_integer(arguments, "top-k");
    if (den_argument_given(arguments, "seed"))
        options.seed = (uint64_t)den_argument_integer(arguments, "seed");
    *out = options;
    return DEN_OK;
}

static atomic_bool interrupted;

static void on_interrupt(int signal_number)
{
    if (atomic_exchange(&interrupted, true)) {
        signal(signal_number, SIG_DFL);
        raise(signal_number);
    }
}

const atomic_bool *den_cli_interrupted(void)
{
    return &interrupted;
}

void den_cli_catch_interrupt(void)
{
    struct sigaction action = { .sa_handler = on_interrupt };

    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
}

void den_cli_clear_interrupt(void)
{
    atomic_store(&interrupted, false);
}

static enum den_status read_standard_input(struct den_buffer *out, struct den_error *err)
{
    char block[65536];

    for (;;) {
        ssize_t got = read(STDIN_FILENO, block, sizeof block);

        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return den_fail_errno(err, DEN_IO, "standard input");
        if (got == 0 || !den_buffer_append(out, block, (size_t)got))
            return den_buffer_status(out, "standard input", err);
    }
}

enum den_status den_cli_read_operand(const char *operand, struct den_buffer *out,
                                     struct den_error *err)
{
    if (strcmp(operand, "-") == 0)
        return read_standard_input(out, err);
    den_buffer_append_text(out, operand);
    return den_buffer_status(out, "the text", err);
}

enum den_status den_cli_print_json(json_t *value, struct den_error *err)
{
    struct den_buffer text;

    den_buffer_init(&text, SIZE_MAX);
    if (!value)
        den_fail(err, DEN_NO_MEMORY, "JSON: out of memory");
    else if (den_json_show(value, &text, err) == DEN_OK &&
             (fputs(text.data, stdout) < 0 || putchar('\n') < 0))
        den_fail_errno(err, DEN_IO, "standard output");
    den_buffer_deinit(&text);
    json_decref(value);
    return err->status;
}
