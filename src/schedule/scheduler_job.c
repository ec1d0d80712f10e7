/* A job's own copy of all that its options point to: the caller's may be gone before its turn. */
#include "schedule/scheduler_parts.h"

#include <stdlib.h>
#include <string.h>

#include "base/checked.h"

/* A copy of `count` items of `size` bytes; an empty one is not NULL. */
static void *copy_items(const void *items, size_t count, size_t size)
{
    void *copy = calloc(count ? count : 1, size);

    if (copy && count > 0)
        memcpy(copy, items, count * size);
    return copy;
}

static bool copy_stops(struct den_job *job, const char *const *stops, size_t count)
{
    size_t i;

    job->stops = calloc(count ? count : 1, sizeof *job->stops);
    for (i = 0; job->stops && i < count; i++) {
        job->stops[i] = strdup(stops[i]);
        if (!job->stops[i])
            return false;
    }
    return job->stops != NULL;
}

enum den_status den_job_create(struct den_scheduler *scheduler,
                               const struct den_job_options *options, struct den_job **out,
                               struct den_error *err)
{
    const struct den_generation_options *from = &options->generation;
    struct den_job *job = calloc(1, sizeof *job);
    size_t bytes;

    if (!job || !den_checked_multiply(from->prompt_count, sizeof *from->prompt, &bytes))
        goto fail;
    job->scheduler = scheduler;
    job->options = *options;
    job->options.generation.stop_count = 0; /* until they are copied */
    job->prompt = copy_items(from->prompt, from->prompt_count, sizeof *from->prompt);
    job->logit_bias = copy_items(from->sampler.logit_bias, from->sampler.logit_bias_count,
                                 sizeof *job->logit_bias);
    job->resume = copy_items(from->resume, from->resume_count, sizeof *from->resume);
    job->predicted = copy_items(from->predicted, from->predicted_count, sizeof *from->predicted);
    if (!job->prompt || !job->logit_bias || !job->resume || !job->predicted)
        goto fail;
    job->options.generation.stop_count = from->stop_count;
    if (!copy_stops(job, from->stops, from->stop_count))
        goto fail;
    job->options.generation.prompt = job->prompt;
    job->options.generation.resume = job->resume;
    job->options.generation.predicted = job->predicted;
    job->options.generation.stops = (const char *const *)job->stops;
    job->options.generation.sampler.logit_bias = job->logit_bias;
    *out = job;
    return DEN_OK;
fail:
    den_job_free(job);
    return den_fail(err, DEN_NO_MEMORY, "request: out of memory for a prompt of %zu tokens",
                    from->prompt_count);
}

void den_job_free(struct den_job *job)
{
    size_t i;

    if (!job)
        return;
    for (i = 0; job->stops && i < job->options.generation.stop_count; i++)
        free(job->stops[i]);
    free(job->stops);
    free(job->prompt);
    free(job->resume);
    free(job->predicted);
    free(job->logit_bias);
    free(job);
}
