/* /api/jobs: work that goes on while nobody waits for it. */
#include "api/api_documents.h"
#include "api/api_threads.h"
#include "api/reply.h"
#include "desk/jobs.h"
#include "desk/library.h"

static struct den_jobs *jobs_of(const struct den_request *request)
{
    return den_library_jobs(den_desk_library(den_request_desk(request)));
}

enum MHD_Result den_route_jobs_list(struct den_request *request)
{
    struct den_error err = { 0 };
    json_t *list = NULL;

    den_jobs_list(jobs_of(request), &list, &err);
    return den_reply_result(request, MHD_HTTP_OK, list, &err);
}

enum MHD_Result den_route_job_get(struct den_request *request)
{
    struct den_error err = { 0 };
    json_t *job = NULL;

    den_job_get(jobs_of(request), den_request_value(request, 0), &job, &err);
    return den_reply_result(request, MHD_HTTP_OK, job, &err);
}

enum MHD_Result den_route_job_change(struct den_request *request)
{
    json_t *fields = NULL, *job = NULL;
    struct den_error err = { 0 };
    const char *state = NULL;

    if (den_request_json(request, &fields, &err) == DEN_OK &&
        den_json_get_text(fields, "state", &state, &err) == DEN_OK)
        den_job_set(jobs_of(request), den_request_value(request, 0), state ? state : "", &job,
                    &err);
    json_decref(fields);
    return den_reply_result(request, MHD_HTTP_OK, job, &err);
}

enum MHD_Result den_route_job_delete(struct den_request *request)
{
    struct den_error err = { 0 };

    den_jobs_cancel(jobs_of(request), den_request_value(request, 0), &err);
    return den_reply_result(request, MHD_HTTP_OK, json_object(), &err);
}

enum MHD_Result den_route_job_retry(struct den_request *request)
{
    struct den_error err = { 0 };
    json_t *job = NULL;

    den_job_retry(jobs_of(request), den_request_value(request, 0), &job, &err);
    return den_reply_result(request, MHD_HTTP_OK, job, &err);
}
