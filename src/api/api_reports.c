/* /api/reports: summaries, comparisons and tables of documents. */
#include "api/api_reports.h"

#include <stdio.h>
#include <stdlib.h>

#include "api/api_threads.h"
#include "api/reply.h"
#include "desk/reports.h"

static struct den_reports *reports_of(const struct den_request *request)
{
    return den_desk_reports(den_request_desk(request));
}

enum MHD_Result den_route_reports_list(struct den_request *request)
{
    struct den_report_list list = { .workspace = den_request_query(request, "workspace"),
                                    .before = den_request_query(request, "before") };
    struct den_error err = { 0 };
    json_t *found = NULL;

    if (den_request_limit(request, DEN_PAGE_REPORTS_MAX, &list.limit, &err) == DEN_OK)
        den_reports_list(reports_of(request), &list, &found, &err);
    return den_reply_result(request, MHD_HTTP_OK, found, &err);
}

enum MHD_Result den_route_reports_create(struct den_request *request)
{
    json_t *fields = NULL, *report = NULL;
    struct den_error err = { 0 };

    if (den_request_json(request, &fields, &err) == DEN_OK)
        den_report_create(reports_of(request), fields, &report, &err);
    json_decref(fields);
    return den_reply_result(request, MHD_HTTP_ACCEPTED, report, &err);
}

enum MHD_Result den_route_report_get(struct den_request *request)
{
    struct den_error err = { 0 };
    json_t *report = NULL;

    den_report_get(reports_of(request), den_request_value(request, 0), &report, &err);
    return den_reply_result(request, MHD_HTTP_OK, report, &err);
}

enum MHD_Result den_route_report_change(struct den_request *request)
{
    json_t *fields = NULL, *report = NULL;
    struct den_error err = { 0 };

    if (den_request_json(request, &fields, &err) == DEN_OK)
        den_report_change(reports_of(request), den_request_value(request, 0), fields, &report,
                          &err);
    json_decref(fields);
    return den_reply_result(request, MHD_HTTP_OK, report, &err);
}

enum MHD_Result den_route_report_delete(struct den_request *request)
{
    struct den_error err = { 0 };

    den_report_delete(reports_of(request), den_request_value(request, 0), &err);
    return den_reply_result(request, MHD_HTTP_OK, json_object(), &err);
}

/* As an attachment; its name consists of letters, digits and '-': it needs no escape. */
static enum MHD_Result reply_file(struct den_request *request, enum den_report_format format,
                                  const char *type)
{
    char name[DEN_REPORT_NAME_BYTES], disposition[DEN_REPORT_NAME_BYTES + 32];
    struct MHD_Response *response = NULL;
    struct den_error err = { 0 };
    struct den_buffer file;
    size_t length;
    char *bytes;

    den_buffer_init(&file, DEN_HTTP_REPLY_BYTES_MAX);
    if (den_report_export(reports_of(request), den_request_value(request, 0), format, &file, name,
                          &err) != DEN_OK) {
        den_buffer_deinit(&file);
        return den_reply_error(request, &err, NULL);
    }
    length = file.length;
    bytes = den_buffer_take(&file);
    if (bytes)
        response = MHD_create_response_from_buffer(length, bytes, MHD_RESPMEM_MUST_FREE);
    if (!response) {
        free(bytes);
        return MHD_NO;
    }
    snprintf(disposition, sizeof disposition, "attachment; filename=\"%s\"", name);
    MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, type);
    MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_DISPOSITION, disposition);
    return den_reply_queue(request, MHD_HTTP_OK, response, "no-store");
}

enum MHD_Result den_route_report_csv(struct den_request *request)
{
    return reply_file(request, DEN_REPORT_CSV, "text/csv; charset=utf-8; header=present");
}

enum MHD_Result den_route_report_markdown(struct den_request *request)
{
    return reply_file(request, DEN_REPORT_MARKDOWN, "text/markdown; charset=utf-8");
}
