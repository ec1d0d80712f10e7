/* /api/threads/ID/messages and .../answers: what is asked and what models write. */
#include "api/api_threads.h"
#include "api/reply.h"
#include "desk/answers.h"
#include "desk/thread_messages.h"

static struct den_answers *answers_of(const struct den_request *request)
{
    return den_desk_answers(den_request_desk(request));
}

enum MHD_Result den_route_messages_add(struct den_request *request)
{
    json_t *fields = NULL, *added = NULL;
    struct den_error err = { 0 };
    bool existed = false;

    if (den_request_json(request, &fields, &err) == DEN_OK)
        den_answers_ask(answers_of(request), den_request_value(request, 0), fields, &added,
                        &existed, &err);
    json_decref(fields);
    return den_reply_result(request, existed ? MHD_HTTP_OK : MHD_HTTP_CREATED, added, &err);
}

enum MHD_Result den_route_answers_add(struct den_request *request)
{
    json_t *fields = NULL, *added = NULL;
    struct den_error err = { 0 };
    bool existed = false;

    if (den_request_json(request, &fields, &err) == DEN_OK)
        den_answers_answer(answers_of(request), den_request_value(request, 0), fields, &added,
                           &existed, &err);
    json_decref(fields);
    return den_reply_result(request, existed ? MHD_HTTP_OK : MHD_HTTP_CREATED, added, &err);
}

enum MHD_Result den_route_answers_stop(struct den_request *request)
{
    const char *message = NULL;
    struct den_error err = { 0 };
    json_t *fields = NULL;

    if (den_request_fields(request, &fields, &err) == DEN_OK &&
        den_json_get_text(fields, "message", &message, &err) == DEN_OK)
        den_answers_stop(answers_of(request), den_request_value(request, 0), message, &err);
    json_decref(fields);
    return den_reply_result(request, MHD_HTTP_OK, json_object(), &err);
}

enum MHD_Result den_route_message_change(struct den_request *request)
{
    json_t *fields = NULL, *message = NULL;
    struct den_error err = { 0 };

    if (den_request_json(request, &fields, &err) == DEN_OK)
        den_message_change(den_request_threads(request), den_request_value(request, 0),
                           den_request_value(request, 1), fields, &message, &err);
    json_decref(fields);
    return den_reply_result(request, MHD_HTTP_OK, message, &err);
}

enum MHD_Result den_route_message_delete(struct den_request *request)
{
    struct den_error err = { 0 };

    den_message_delete(den_request_threads(request), den_request_value(request, 0),
                       den_request_value(request, 1), &err);
    return den_reply_result(request, MHD_HTTP_OK, json_object(), &err);
}
