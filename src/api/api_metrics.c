/* GET /metrics in Prometheus's text format: llama-server's names, summed over all models, so that
 * its dashboards work; then Den's own, by model and by route. No text of any user is in them. */
#include <stdlib.h>

#include "api/api_llama.h"
#include "api/metrics.h"
#include "api/reply.h"
#include "api/server_parts.h"

static const char *const state_names[] = {
    [DEN_WORKER_ASLEEP] = "asleep",
    [DEN_WORKER_LOADING] = "loading",
    [DEN_WORKER_READY] = "ready",
    [DEN_WORKER_FAILED] = "failed",
};

/* One family of numbers over all models. */
struct family {
    const char *name, *type, *help;
    double (*value)(const struct den_worker_status *status);
};

static double prompt_tokens(const struct den_worker_status *status)
{
    return (double)status->prompt_tokens;
}

static double cached_tokens(const struct den_worker_status *status)
{
    return (double)status->cached_tokens;
}

static double generated_tokens(const struct den_worker_status *status)
{
    return (double)status->generated_tokens;
}

static double requests(const struct den_worker_status *status)
{
    return (double)status->requests;
}

static double prompt_seconds(const struct den_worker_status *status)
{
    return status->prompt_seconds;
}

static double generate_seconds(const struct den_worker_status *status)
{
    return status->generate_seconds;
}

static double running(const struct den_worker_status *status)
{
    return (double)status->running;
}

static double waiting(const struct den_worker_status *status)
{
    return (double)status->waiting;
}

static double restarts(const struct den_worker_status *status)
{
    return (double)status->restarts;
}

static double resident_bytes(const struct den_worker_status *status)
{
    return (double)status->resident_bytes;
}

static double busy_seconds(const struct den_worker_status *status)
{
    return status->busy_seconds;
}

static double peak_rate(const struct den_worker_status *status)
{
    return status->peak_tokens_per_s;
}

/* Of what could have been computed while there were requests, the share that was. */
static double utilisation(const struct den_worker_status *status)
{
    double most = status->busy_seconds * status->peak_tokens_per_s;
    double computed =
        (double)(status->prompt_tokens - status->cached_tokens + status->generated_tokens);

    return most > 0 ? computed / most : 0;
}

/* Tokens that were computed, and not found in the cache. */
static double read_tokens(const struct den_worker_status *status)
{
    return (double)(status->prompt_tokens - status->cached_tokens);
}

static const struct family llama_families[] = {
    { "llamacpp:prompt_tokens_total", "counter", "Prompt tokens processed.", read_tokens },
    { "llamacpp:prompt_seconds_total", "counter", "Prompt process time.", prompt_seconds },
    { "llamacpp:tokens_predicted_total", "counter", "Generated tokens.", generated_tokens },
    { "llamacpp:tokens_predicted_seconds_total", "counter", "Predict process time.",
      generate_seconds },
    { "llamacpp:requests_processing", "gauge", "Requests being processed.", running },
    { "llamacpp:requests_deferred", "gauge", "Requests waiting in line.", waiting },
};

static const struct family den_families[] = {
    { "den_worker_requests_total", "counter", "Requests that a model was asked.", requests },
    { "den_worker_prompt_tokens_total", "counter", "Prompt tokens, cached ones included.",
      prompt_tokens },
    { "den_worker_cached_tokens_total", "counter", "Prompt tokens found in the cache.",
      cached_tokens },
    { "den_worker_generated_tokens_total", "counter", "Generated tokens.", generated_tokens },
    { "den_worker_prompt_seconds_total", "counter", "Time spent on prompts.", prompt_seconds },
    { "den_worker_generate_seconds_total", "counter", "Time spent on answers.", generate_seconds },
    { "den_worker_busy_seconds_total", "counter", "Time in which there was a request.",
      busy_seconds },
    { "den_worker_peak_tokens_per_second", "gauge",
      "The fastest that a long prompt was read; 0 before one was.", peak_rate },
    { "den_worker_utilisation_ratio", "gauge",
      "Tokens computed, of those that the peak would have computed in the busy time.",
      utilisation },
    { "den_worker_requests_running", "gauge", "Requests that run now.", running },
    { "den_worker_requests_waiting", "gauge", "Requests in line.", waiting },
    { "den_worker_restarts_total", "counter", "Times that the model's process died.", restarts },
    { "den_worker_resident_bytes", "gauge", "Memory of the model's process.", resident_bytes },
};

static void write_head(const char *name, const char *type, const char *help, struct den_buffer *out)
{
    den_buffer_appendf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static double sum_of(double (*value)(const struct den_worker_status *status),
                     const struct den_roster_entry *entries, size_t count)
{
    double sum = 0;
    size_t i;

    for (i = 0; i < count; i++)
        sum += value(&entries[i].status);
    return sum;
}

static void write_rate(const char *name, const char *help, double tokens, double seconds,
                       struct den_buffer *out)
{
    write_head(name, "gauge", help, out);
    den_buffer_appendf(out, "%s %.6g\n", name, seconds > 0 ? tokens / seconds : 0.0);
}

static void write_llama(const struct den_roster_entry *entries, size_t count,
                        struct den_buffer *out)
{
    size_t i;

    for (i = 0; i < sizeof llama_families / sizeof llama_families[0]; i++) {
        const struct family *family = &llama_families[i];

        write_head(family->name, family->type, family->help, out);
        den_buffer_appendf(out, "%s %.17g\n", family->name, sum_of(family->value, entries, count));
    }
    write_rate("llamacpp:prompt_tokens_seconds", "Average prompt throughput in tokens/s.",
               sum_of(read_tokens, entries, count), sum_of(prompt_seconds, entries, count), out);
    write_rate("llamacpp:predicted_tokens_seconds", "Average generation throughput in tokens/s.",
               sum_of(generated_tokens, entries, count), sum_of(generate_seconds, entries, count),
               out);
}

static void write_model(const char *name, const struct den_roster_entry *entry,
                        struct den_buffer *out)
{
    den_buffer_appendf(out, "%s{model=\"", name);
    den_metrics_label(entry->name, out);
    den_buffer_append_text(out, "\"");
}

static void write_models(const struct den_roster_entry *entries, size_t count,
                         struct den_buffer *out)
{
    size_t i, j;

    for (i = 0; i < sizeof den_families / sizeof den_families[0]; i++) {
        const struct family *family = &den_families[i];

        write_head(family->name, family->type, family->help, out);
        for (j = 0; j < count; j++) {
            write_model(family->name, &entries[j], out);
            den_buffer_appendf(out, "} %.17g\n", family->value(&entries[j].status));
        }
    }
    write_head("den_worker_state", "gauge", "1 for the state that a model's process is in.", out);
    for (j = 0; j < count; j++)
        for (i = 0; i < sizeof state_names / sizeof state_names[0]; i++) {
            write_model("den_worker_state", &entries[j], out);
            den_buffer_appendf(out, ",state=\"%s\"} %d\n", state_names[i],
                               (size_t)entries[j].status.state == i);
        }
}

enum MHD_Result den_route_metrics(struct den_request *request)
{
    struct den_roster_entry *entries = NULL;
    struct den_error err = { 0 };
    struct MHD_Response *response;
    struct den_buffer out;
    size_t count = 0;

    if (den_roster_list(den_desk_roster(den_request_desk(request)), &entries, &count, &err) !=
        DEN_OK)
        return den_reply_error(request, &err, NULL);
    den_buffer_init(&out, DEN_HTTP_REPLY_BYTES_MAX);
    write_llama(entries, count, &out);
    write_head("den_build_info", "gauge", "1; the label is the version.", &out);
    den_buffer_append_text(&out, "den_build_info{version=\"" DEN_VERSION "\"} 1\n");
    write_models(entries, count, &out);
    den_metrics_write(request->server->metrics, &out);
    free(entries);
    response = out.status == DEN_OK
                   ? MHD_create_response_from_buffer(out.length, out.data, MHD_RESPMEM_MUST_COPY)
                   : NULL;
    den_buffer_deinit(&out);
    if (response)
        MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE,
                                "text/plain; version=0.0.4; charset=utf-8");
    return den_reply_queue(request, MHD_HTTP_OK, response, "no-store");
}
