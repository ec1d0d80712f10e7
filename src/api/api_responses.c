/* /v1/responses: ask, and then find, list and forget what was kept. */
#include <stdlib.h>
#include <string.h>

#include "api/response_state.h"
#include "desk/responses.h"

enum MHD_Result den_route_responses(struct den_request *request)
{
    struct den_call_options options = den_call_defaults(&den_surface_responses);
    struct den_response_state *state = calloc(1, sizeof *state);
    struct den_error err = { 0 };

    options.state = state;
    if (!state) {
        den_fail(&err, DEN_NO_MEMORY, "response: out of memory");
        return den_reply_error(request, &err, NULL);
    }
    state->database = den_desk_database(den_request_desk(request));
    den_buffer_init(&state->text, DEN_ANSWER_BYTES_MAX);
    if (den_request_json(request, &options.body, &err) == DEN_OK &&
        den_response_options_read(&options, &err) == DEN_OK)
        return den_call_answer(request, &options);
    den_call_options_deinit(&options);
    return den_reply_error(request, &err,
                           strstr(err.message, "'previous_response_id' is '") == err.message
                               ? "previous_response_not_found"
                               : NULL);
}

/* What is kept under the path's id. */
static enum den_status find(struct den_request *request, json_t **out, struct den_error *err)
{
    return den_response_find(den_desk_database(den_request_desk(request)),
                             den_request_value(request, 0), out, err);
}

enum MHD_Result den_route_response(struct den_request *request)
{
    const char *stream = den_request_query(request, "stream");
    struct den_error err = { 0 };
    json_t *kept = NULL, *response;

    if (stream && strcmp(stream, "true") == 0)
        den_fail(&err, DEN_UNSUPPORTED, "'stream' of a kept response is not there");
    if (err.status != DEN_OK || find(request, &kept, &err) != DEN_OK)
        return den_reply_error(request, &err, NULL);
    response = json_incref(json_object_get(kept, "response"));
    json_decref(kept);
    return den_reply_json(request, MHD_HTTP_OK, response);
}

enum MHD_Result den_route_response_delete(struct den_request *request)
{
    const char *id = den_request_value(request, 0);
    struct den_error err = { 0 };

    if (den_response_forget(den_desk_database(den_request_desk(request)), id, &err) != DEN_OK)
        return den_reply_error(request, &err, NULL);
    return den_reply_json(
        request, MHD_HTTP_OK,
        json_pack("{s:s, s:s, s:b}", "id", id, "object", "response.deleted", "deleted", 1));
}

/* --- items --- */

struct page {
    bool ascends;
    size_t limit;
    const char *after; /* NULL: from the start */
};

static enum den_status read_page(const struct den_request *request, struct page *out,
                                 struct den_error *err)
{
    const char *order = den_request_query(request, "order");
    const char *limit = den_request_query(request, "limit");
    char *end = NULL;
    unsigned long number = limit ? strtoul(limit, &end, 10) : 20;

    if (order && strcmp(order, "asc") != 0 && strcmp(order, "desc") != 0)
        return den_fail(err, DEN_INVALID, "'order' must be 'asc' or 'desc'");
    if (limit && (*limit < '0' || *limit > '9' || *end || number < 1 || number > 100))
        return den_fail(err, DEN_INVALID, "'limit' must be a number from 1 to 100");
    *out = (struct page){ .ascends = order && strcmp(order, "asc") == 0,
                          .limit = number,
                          .after = den_request_query(request, "after") };
    return DEN_OK;
}

static json_t *page_json(const json_t *items, const struct page *page)
{
    const size_t count = json_array_size(items);
    json_t *data = json_array(), *first, *last;
    bool is_past = page->after == NULL, more = false;
    size_t i;

    for (i = 0; i < count; i++) {
        json_t *item = json_array_get(items, page->ascends ? i : count - 1 - i);
        const char *id = json_string_value(json_object_get(item, "id"));

        if (!is_past) {
            is_past = id && strcmp(id, page->after) == 0;
            continue;
        }
        more = json_array_size(data) == page->limit;
        if (more)
            break;
        json_array_append(data, item);
    }
    first = json_object_get(json_array_get(data, 0), "id");
    last = json_object_get(json_array_get(data, json_array_size(data) - 1), "id");
    return json_pack("{s:s, s:o, s:O?, s:O?, s:b}", "object", "list", "data", data, "first_id",
                     first, "last_id", last, "has_more", (int)more);
}

enum MHD_Result den_route_response_items(struct den_request *request)
{
    struct den_error err = { 0 };
    json_t *kept = NULL, *list;
    struct page page = { 0 };

    if (read_page(request, &page, &err) != DEN_OK || find(request, &kept, &err) != DEN_OK)
        return den_reply_error(request, &err, NULL);
    list = page_json(json_object_get(kept, "input"), &page);
    json_decref(kept);
    return den_reply_json(request, MHD_HTTP_OK, list);
}
