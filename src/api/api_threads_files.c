/* /api/threads/ID/export, /api/export and /api/import: conversations as files. */
#include <stdio.h>
#include <string.h>

#include "api/api_threads.h"
#include "api/reply.h"
#include "base/limits.h"
#include "desk/thread_export.h"
#include "desk/thread_import.h"

/* `name` consists of letters, digits, '-' and '.': it needs no escape. Takes the bytes over. */
static enum MHD_Result reply_file(struct den_request *request, struct den_buffer *file,
                                  const char *type, const char *name)
{
    char disposition[DEN_EXPORT_NAME_BYTES + 32];
    size_t length = file->length;
    struct MHD_Response *response;
    char *bytes = den_buffer_take(file);

    response = bytes ? MHD_create_response_from_buffer(length, bytes, MHD_RESPMEM_MUST_FREE) : NULL;
    if (!response)
        return MHD_NO;
    snprintf(disposition, sizeof disposition, "attachment; filename=\"%s\"", name);
    MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, type);
    MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_DISPOSITION, disposition);
    return den_reply_queue(request, MHD_HTTP_OK, response, "no-store");
}

static enum den_status read_format(const struct den_request *request, enum den_export_format *out,
                                   struct den_error *err)
{
    const char *format = den_request_query(request, "format");

    if (!format || strcmp(format, "json") == 0)
        *out = DEN_EXPORT_JSON;
    else if (strcmp(format, "markdown") == 0)
        *out = DEN_EXPORT_MARKDOWN;
    else
        return den_fail(err, DEN_INVALID, "'format' must be 'markdown' or 'json'");
    return DEN_OK;
}

enum MHD_Result den_route_thread_export(struct den_request *request)
{
    enum den_export_format format = DEN_EXPORT_JSON;
    char name[DEN_EXPORT_NAME_BYTES] = "";
    struct den_buffer file;
    struct den_error err = { 0 };
    enum MHD_Result result;

    den_buffer_init(&file, DEN_HTTP_REPLY_BYTES_MAX);
    if (read_format(request, &format, &err) == DEN_OK &&
        den_thread_export(den_request_threads(request), den_request_value(request, 0), format,
                          &file, name, &err) == DEN_OK)
        result = reply_file(
            request, &file,
            format == DEN_EXPORT_JSON ? "application/json" : "text/markdown; charset=utf-8", name);
    else
        result = den_reply_error(request, &err, NULL);
    den_buffer_deinit(&file);
    return result;
}

static bool append(void *context, const char *bytes, size_t length)
{
    return den_buffer_append(context, bytes, length);
}

enum MHD_Result den_route_export(struct den_request *request)
{
    struct den_error err = { 0 };
    struct den_buffer file;
    enum MHD_Result result;

    den_buffer_init(&file, DEN_HTTP_REPLY_BYTES_MAX);
    if (den_threads_export(den_request_threads(request), append, &file, &err) == DEN_OK) {
        result = reply_file(request, &file, "application/json", "den-conversations.json");
    } else {
        if (file.status == DEN_TOO_LARGE)
            den_fail(&err, DEN_TOO_LARGE,
                     "all conversations together have more than %u bytes; use 'den export FILE'",
                     DEN_HTTP_REPLY_BYTES_MAX);
        result = den_reply_error(request, &err, NULL);
    }
    den_buffer_deinit(&file);
    return result;
}

enum MHD_Result den_route_import(struct den_request *request)
{
    struct den_error err = { 0 };
    json_t *counts = NULL;

    den_threads_import(den_request_threads(request), request->body.data, request->body.length,
                       &counts, &err);
    return den_reply_result(request, MHD_HTTP_OK, counts, &err);
}
