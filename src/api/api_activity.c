/* GET /api/activity: what runs now, for whom and how fast, and the processes that run it. Nothing
 * of what is asked or answered is in it. */
#include "api/reply.h"
#include "base/clock.h"

static const char *const worker_states[] = { [DEN_WORKER_ASLEEP] = "asleep",
                                             [DEN_WORKER_LOADING] = "loading",
                                             [DEN_WORKER_READY] = "ready",
                                             [DEN_WORKER_FAILED] = "failed" };
static const char *const request_states[] = { [DEN_ACTIVITY_WAITING] = "waiting",
                                              [DEN_ACTIVITY_READING] = "reading",
                                              [DEN_ACTIVITY_WRITING] = "writing" };

static json_t *request_json(const struct den_worker_activity *activity, const char *model)
{
    const json_int_t now = (json_int_t)den_clock_unix_ms();

    return json_pack("{s:o, s:s, s:s, s:s, s:I, s:I, s:I, s:I, s:f}", "id",
                     json_sprintf("%s-%llu", model, (unsigned long long)activity->id), "surface",
                     activity->surface, "model", model, "state", request_states[activity->state],
                     "since", now - (json_int_t)(activity->age_seconds * 1000), "prompt_tokens",
                     (json_int_t)activity->prompt_tokens, "prompt_done",
                     (json_int_t)activity->prompt_done, "generated_tokens",
                     (json_int_t)activity->generated_tokens, "tokens_per_s",
                     activity->tokens_per_s);
}

static json_t *worker_json(const struct den_worker_info *info,
                           const struct den_worker_status *status)
{
    const double seconds = status->generate_seconds;

    return json_pack("{s:s, s:s, s:I, s:I, s:s, s:I, s:I, s:I, s:s, s:f}", "model",
                     info->model_name, "state", worker_states[status->state], "pid",
                     (json_int_t)status->pid, "resident_bytes", (json_int_t)status->resident_bytes,
                     "packed", status->packed, "running", (json_int_t)status->running, "waiting",
                     (json_int_t)status->waiting, "restarts", (json_int_t)status->restarts,
                     "sandbox", info->sandbox, "tokens_per_s",
                     seconds > 0 ? (double)status->generated_tokens / seconds : 0);
}

static void add_worker(struct den_worker *worker, json_t *requests, json_t *workers,
                       struct den_worker_status *totals)
{
    const struct den_worker_info *info = den_worker_info(worker);
    struct den_worker_activity running[64];
    struct den_worker_status status = { 0 };
    size_t count = den_worker_activity(worker, running, sizeof running / sizeof running[0]), i;

    for (i = 0; i < count; i++)
        json_array_append_new(requests, request_json(&running[i], info->model_name));
    den_worker_status(worker, &status);
    json_array_append_new(workers, worker_json(info, &status));
    totals->requests += status.requests;
    totals->prompt_tokens += status.prompt_tokens;
    totals->cached_tokens += status.cached_tokens;
    totals->generated_tokens += status.generated_tokens;
}

enum MHD_Result den_route_activity(struct den_request *request)
{
    struct den_worker *running[DEN_MODELS_MAX];
    struct den_worker_status totals = { 0 };
    json_t *requests = json_array(), *workers = json_array();
    size_t count = den_roster_workers(den_desk_roster(den_request_desk(request)), running,
                                      DEN_MODELS_MAX),
           i;

    for (i = 0; i < count; i++)
        add_worker(running[i], requests, workers, &totals);
    return den_reply_json(request, 200,
                          json_pack("{s:o, s:o, s:{s:I, s:I, s:I, s:I}}", "requests", requests,
                                    "workers", workers, "totals", "requests",
                                    (json_int_t)totals.requests, "prompt_tokens",
                                    (json_int_t)totals.prompt_tokens, "cached_tokens",
                                    (json_int_t)totals.cached_tokens, "generated_tokens",
                                    (json_int_t)totals.generated_tokens));
}
