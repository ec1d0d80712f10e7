/* See pull_fit.h. The shape of a model of the catalogue is known. That of any other GGUF file
 * stands in the file's first megabytes: they are asked for, laid into an anonymous file as long as
 * the whole one (the rest is a hole, and takes no memory), and read by the parser that will read
 * the model. Only the size is left to guess from where the beginning can't be had, is longer than
 * DIRECTORY_BYTES_MAX, or is hardly worth asking for: a folder of safetensors, a file so small that
 * the question would cost as much as the answer, one so large that its weights alone don't fit.
 *
 * The beginning is fetched again by the download itself: 1 % of a typical file, against hours spent
 * on one that does not run. This is the command's own process: the front never parses a file. */
#include "cli/pull_fit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "cli/model_options.h"
#include "desk/hub.h"
#include "desk/model_manager.h"
#include "model/description.h"
#include "schedule/fit_describe.h"

enum {
    DIRECTORY_BYTES_MIN = 2 << 20,  /* most files' keys and tensor entries fit */
    DIRECTORY_BYTES_MAX = 24 << 20, /* gemma's 262,144 words take 9 MiB */
    WORTH_BYTES_MIN = 64 << 20      /* of smaller files the beginning would be a good part */
};

/* --- the shape of a file whose beginning is known --- */

static json_t *describe(const char *path)
{
    struct den_description *description = calloc(1, sizeof *description);
    struct den_bert_description encoder;
    struct den_weights *weights = NULL;
    struct den_error ignored = { 0 };
    json_t *shape = NULL;

    if (description && den_weights_open(path, &weights, &ignored) == DEN_OK) {
        if (den_description_read(weights, description, &ignored) == DEN_OK) {
            shape = den_fit_describe_decoder(description, weights);
        } else {
            ignored = (struct den_error){ 0 };
            if (den_bert_description_read(weights, &encoder, &ignored) == DEN_OK)
                shape = den_fit_describe_encoder(&encoder, weights);
        }
    }
    den_weights_close(weights);
    free(description);
    return shape;
}

static bool write_all(int fd, const char *data, size_t length)
{
    while (length > 0) {
        const ssize_t written = write(fd, data, length);

        if (written <= 0)
            return false;
        data += written;
        length -= (size_t)written;
    }
    return true;
}

/* NULL: `start` does not hold the whole directory, or it is no model that Den knows. */
static json_t *shape_of_start(const struct den_buffer *start, uint64_t file_bytes)
{
    const int fd = memfd_create("den-directory", MFD_CLOEXEC);
    json_t *shape = NULL;
    char path[64];

    if (fd < 0)
        return NULL;
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    if (write_all(fd, start->data, start->length) && ftruncate(fd, (off_t)file_bytes) == 0)
        shape = describe(path);
    close(fd);
    return shape;
}

/* Asks for the beginning, a short one first. NULL: the size has to do. Only being stopped is an
 * error: what is wrong with the source, the download will say. */
static json_t *ask_shape(struct den_http *http, const char *url, uint64_t file_bytes,
                         struct den_error *err)
{
    static const size_t lengths[] = { DIRECTORY_BYTES_MIN, DIRECTORY_BYTES_MAX };
    struct den_error trouble = { 0 };
    struct den_http_reply reply;
    struct den_buffer start;
    json_t *shape = NULL;
    size_t i;

    for (i = 0; !shape && i < 2 && trouble.status == DEN_OK; i++) {
        den_buffer_init(&start, lengths[i]);
        if (den_http_ask_start(http, url, &start, lengths[i], &reply, &trouble) == DEN_OK &&
            start.length >= 4 && memcmp(start.data, "GGUF", 4) == 0)
            shape = shape_of_start(&start, file_bytes);
        den_buffer_deinit(&start);
    }
    if (trouble.status == DEN_CANCELLED)
        *err = trouble;
    return shape;
}

/* --- what is said --- */

static void write_count(char out[32], size_t number)
{
    if (number >= 1000)
        snprintf(out, 32, "%zu,%03zu", number / 1000, number % 1000);
    else
        snprintf(out, 32, "%zu", number);
}

static void print_fit(const struct den_hub_plan *plan, const struct den_fit *fit)
{
    char context[64] = "", speed[64] = "", tokens[32];

    write_count(tokens, fit->context_tokens);
    if (fit->context_tokens > 0)
        snprintf(context, sizeof context, ", context of %s tokens", tokens);
    if (fit->tokens_per_s > 0)
        snprintf(speed, sizeof speed, ", about %.*f tokens/s", fit->tokens_per_s < 10 ? 1 : 0,
                 fit->tokens_per_s);
    fprintf(stderr, "%s%s: %s%s%s. %s\n", isatty(STDERR_FILENO) ? "\r\033[K" : "", plan->name,
            den_fit_verdict_text(fit->verdict), context, speed, fit->why);
}

static enum den_status tell(const struct den_pull_fit *how, const struct den_hub_plan *plan,
                            const struct den_fit *fit, struct den_error *err)
{
    if (how->is_json)
        den_cli_print_json(json_pack("{s:s, s:s, s:o}", "state", "estimated", "name", plan->name,
                                     "fit", den_fit_json(fit)),
                           err);
    else
        print_fit(plan, fit);
    if (err->status == DEN_OK && fit->verdict == DEN_FIT_TOO_LARGE && !how->is_forced)
        den_fail(err, DEN_TOO_LARGE,
                 "%s would not run on this machine as it is: %s den pull --force downloads it all "
                 "the same",
                 plan->name, fit->why);
    return err->status;
}

enum den_status den_pull_fit_approve(void *context, struct den_http *http,
                                     const struct den_hub_plan *plan, struct den_error *err)
{
    struct den_models_question question = { .source = plan->name, .bytes = plan->bytes };
    struct den_http_reply reply;
    struct den_fit fit;
    json_t *shape = NULL;
    bool is_hopeless;

    if (plan->bytes == 0 && plan->count == 1) { /* a plain address: its server knows */
        if (den_http_ask(http, plan->files[0].address, NULL, NULL, &reply, err) != DEN_OK)
            return err->status;
        question.bytes = reply.linked_bytes ? reply.linked_bytes : reply.total;
    }
    if (question.bytes == 0)
        return DEN_OK; /* nobody says how large it is */
    if (den_models_fit(NULL, &question, &fit, err) != DEN_OK)
        return err->status;
    is_hopeless = fit.verdict == DEN_FIT_TOO_LARGE && fit.context_tokens == 0;
    if (fit.is_guess && !is_hopeless && plan->count == 1 && question.bytes >= WORTH_BYTES_MIN) {
        shape = ask_shape(http, plan->files[0].address, question.bytes, err);
        question.shape = shape;
        if (shape && err->status == DEN_OK)
            den_models_fit(NULL, &question, &fit, err);
    }
    if (err->status == DEN_OK)
        tell(context, plan, &fit, err);
    json_decref(shape);
    return err->status;
}
