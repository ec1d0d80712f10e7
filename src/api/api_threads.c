/* /api/threads: the list, the search, and each thread as a whole. */
#include "api/api_threads.h"

#include "api/reply.h"
#include "desk/answers.h"
#include "desk/thread_search.h"
#include "desk/threads.h"

/* --- what the handlers share --- */

struct den_threads *den_request_threads(const struct den_request *request)
{
    return den_desk_threads(den_request_desk(request));
}

enum MHD_Result den_reply_result(struct den_request *request, unsigned http, json_t *value,
                                 const struct den_error *err)
{
    if (err->status == DEN_OK)
        return den_reply_json(request, http, value);
    json_decref(value);
    return den_reply_error(request, err, NULL);
}

enum den_status den_request_fields(const struct den_request *request, json_t **out,
                                   struct den_error *err)
{
    if (request->body.length > 0)
        return den_request_json(request, out, err);
    *out = json_object();
    return *out ? DEN_OK : den_fail(err, DEN_NO_MEMORY, "out of memory");
}

/* --- the list and the search --- */

enum MHD_Result den_route_threads_list(struct den_request *request)
{
    struct den_thread_list list = { .before = den_request_query(request, "before"),
                                    .folder = den_request_query(request, "folder"),
                                    .workspace = den_request_query(request, "workspace") };
    const char *words = den_request_query(request, "q");
    struct den_error err = { 0 };
    json_t *found = NULL;

    if (den_request_limit(request, DEN_PAGE_THREADS_MAX, &list.limit, &err) == DEN_OK) {
        if (words)
            den_threads_search(den_request_threads(request), words, list.limit, &found, &err);
        else
            den_threads_list(den_request_threads(request), &list, &found, &err);
    }
    return den_reply_result(request, MHD_HTTP_OK, found, &err);
}

/* --- each thread --- */

enum MHD_Result den_route_threads_create(struct den_request *request)
{
    json_t *fields = NULL, *thread = NULL;
    struct den_error err = { 0 };
    bool existed = false;

    if (den_request_fields(request, &fields, &err) == DEN_OK)
        den_thread_create(den_request_threads(request), fields, &thread, &existed, &err);
    json_decref(fields);
    return den_reply_result(request, existed ? MHD_HTTP_OK : MHD_HTTP_CREATED, thread, &err);
}

enum MHD_Result den_route_thread_get(struct den_request *request)
{
    struct den_error err = { 0 };
    json_t *thread = NULL;

    den_answers_get_thread(den_desk_answers(den_request_desk(request)),
                           den_request_value(request, 0), &thread, &err);
    return den_reply_result(request, MHD_HTTP_OK, thread, &err);
}

enum MHD_Result den_route_thread_change(struct den_request *request)
{
    json_t *fields = NULL, *thread = NULL;
    struct den_error err = { 0 };

    if (den_request_json(request, &fields, &err) == DEN_OK)
        den_thread_change(den_request_threads(request), den_request_value(request, 0), fields,
                          &thread, &err);
    json_decref(fields);
    return den_reply_result(request, MHD_HTTP_OK, thread, &err);
}

/* What is being written in it stops: nobody will see it. */
static void stop_answers(struct den_request *request)
{
    struct den_error ignored = { 0 };

    den_answers_stop(den_desk_answers(den_request_desk(request)), den_request_value(request, 0),
                     NULL, &ignored);
}

enum MHD_Result den_route_thread_delete(struct den_request *request)
{
    struct den_error err = { 0 };
    json_t *answer = NULL;

    stop_answers(request);
    den_thread_delete(den_request_threads(request), den_request_value(request, 0), &answer, &err);
    return den_reply_result(request, MHD_HTTP_OK, answer, &err);
}

enum MHD_Result den_route_thread_restore(struct den_request *request)
{
    struct den_error err = { 0 };
    json_t *thread = NULL;

    den_thread_restore(den_request_threads(request), den_request_value(request, 0), &thread, &err);
    return den_reply_result(request, MHD_HTTP_OK, thread, &err);
}

enum MHD_Result den_route_thread_purge(struct den_request *request)
{
    struct den_error err = { 0 };

    stop_answers(request);
    den_thread_purge(den_request_threads(request), den_request_value(request, 0), &err);
    return den_reply_result(request, MHD_HTTP_OK, json_object(), &err);
}

enum MHD_Result den_route_thread_fork(struct den_request *request)
{
    json_t *fields = NULL, *thread = NULL;
    const char *message = NULL;
    struct den_error err = { 0 };

    if (den_request_json(request, &fields, &err) == DEN_OK &&
        den_json_get_text(fields, "message", &message, &err) == DEN_OK) {
        if (!message)
            den_fail(&err, DEN_INVALID, "'message' is missing; it must be a message's id");
        else
            den_thread_fork(den_request_threads(request), den_request_value(request, 0), message,
                            &thread, &err);
    }
    json_decref(fields);
    return den_reply_result(request, MHD_HTTP_CREATED, thread, &err);
}
