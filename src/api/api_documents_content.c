/* What is in a document: its file as it came, its parts as they were read, its pages as pictures.
 *
 * A file that somebody else wrote must not run in Den's origin: it goes out as an attachment, of no
 * type that a browser would guess anew, in a sandbox without scripts should one show it even so. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/api_documents.h"
#include "api/api_threads.h"
#include "api/reply.h"
#include "desk/documents.h"
#include "desk/library.h"

enum { WIDTH_DEFAULT = 1000, WIDTH_MAX = 4000 };

static struct den_documents *documents_of(const struct den_request *request)
{
    return den_library_documents(den_desk_library(den_request_desk(request)));
}

static enum den_status read_number(const char *text, const char *noun, int64_t minimum,
                                   int64_t maximum, int64_t *out, struct den_error *err)
{
    char *end;
    long long number;

    errno = 0;
    number = strtoll(text, &end, 10);
    if (errno || end == text || *end || number < minimum || number > maximum)
        return den_fail(err, DEN_INVALID, "'%s' must be a number from %" PRId64 " to %" PRId64,
                        noun, minimum, maximum);
    *out = number;
    return DEN_OK;
}

/* --- parts --- */

enum MHD_Result den_route_document_part(struct den_request *request)
{
    struct den_error err = { 0 };
    json_t *part = NULL;
    int64_t ordinal = 0;

    if (read_number(den_request_value(request, 1), "ordinal", 0, INT32_MAX, &ordinal, &err) ==
        DEN_OK)
        den_document_part(documents_of(request), den_request_value(request, 0), ordinal, &part,
                          &err);
    return den_reply_result(request, MHD_HTTP_OK, part, &err);
}

/* --- the file --- */

/* RFC 6266: the name in UTF-8, percent-encoded, beside one of plain letters. */
static void write_disposition(const char *name, struct den_buffer *out)
{
    const char *at;

    den_buffer_append_text(out, "attachment; filename=\"");
    for (at = name; *at; at++)
        den_buffer_append_byte(out, *at >= ' ' && *at < 0x7f && !strchr("\"\\%", *at) ? *at : '_');
    den_buffer_append_text(out, "\"; filename*=UTF-8''");
    for (at = name; *at; at++) {
        if ((*at >= 'a' && *at <= 'z') || (*at >= 'A' && *at <= 'Z') ||
            (*at >= '0' && *at <= '9') || strchr("-._~", *at))
            den_buffer_append_byte(out, *at);
        else
            den_buffer_appendf(out, "%%%02X", (unsigned char)*at);
    }
}

void den_reply_attachment(struct MHD_Response *response, const char *name)
{
    struct den_buffer text;

    den_buffer_init(&text, 8192);
    write_disposition(name, &text);
    if (text.status == DEN_OK)
        MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_DISPOSITION, text.data);
    den_buffer_deinit(&text);
}

enum MHD_Result den_route_document_original(struct den_request *request)
{
    struct den_document_file file;
    struct MHD_Response *response;
    struct den_error err = { 0 };

    if (den_document_open(documents_of(request), den_request_value(request, 0), &file, &err) !=
        DEN_OK)
        return den_reply_error(request, &err, NULL);
    response = MHD_create_response_from_fd64(file.bytes, file.fd);
    if (!response) {
        den_document_file_close(&file);
        return MHD_NO;
    }
    file.fd = -1; /* the response closes it */
    MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE,
                            *file.media_type ? file.media_type : "application/octet-stream");
    MHD_add_response_header(response, "Content-Security-Policy",
                            "sandbox; default-src 'none'; frame-ancestors 'none'");
    den_reply_attachment(response, file.name);
    den_document_file_close(&file);
    return den_reply_queue(request, MHD_HTTP_OK, response, "no-store");
}

/* --- pages --- */

static enum MHD_Result reply_picture(struct den_request *request, void *png, size_t length,
                                     const char *tag)
{
    const char *type = den_document_picture_type(png, length);
    struct MHD_Response *response =
        MHD_create_response_from_buffer(length, png, MHD_RESPMEM_MUST_FREE);

    if (!response) {
        free(png);
        return MHD_NO;
    }
    MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, type ? type : "image/png");
    MHD_add_response_header(response, "Content-Security-Policy",
                            "sandbox; default-src 'none'; frame-ancestors 'none'");
    MHD_add_response_header(response, MHD_HTTP_HEADER_ETAG, tag);
    return den_reply_queue(request, MHD_HTTP_OK, response, "private, no-cache");
}

static enum MHD_Result reply_unchanged(struct den_request *request, const char *tag)
{
    struct MHD_Response *response =
        MHD_create_response_from_buffer(0, NULL, MHD_RESPMEM_PERSISTENT);

    if (response)
        MHD_add_response_header(response, MHD_HTTP_HEADER_ETAG, tag);
    return den_reply_queue(request, MHD_HTTP_NOT_MODIFIED, response, "private, no-cache");
}

enum MHD_Result den_route_document_page(struct den_request *request)
{
    const char *wanted = den_request_query(request, "width");
    const char *known = den_request_header(request, MHD_HTTP_HEADER_IF_NONE_MATCH);
    struct den_document_file file = { .fd = -1 };
    int64_t page = 0, width = WIDTH_DEFAULT;
    struct den_error err = { 0 };
    enum MHD_Result result;
    void *png = NULL;
    size_t length = 0;
    char tag[128];

    if (read_number(den_request_value(request, 1), "number", 1, INT32_MAX, &page, &err) == DEN_OK &&
        (!wanted || read_number(wanted, "width", 16, WIDTH_MAX, &width, &err) == DEN_OK))
        den_document_open(documents_of(request), den_request_value(request, 0), &file, &err);
    if (err.status != DEN_OK)
        return den_reply_error(request, &err, NULL);
    snprintf(tag, sizeof tag, "\"%s-%" PRId64 "-%" PRId64 "\"", file.hash, page, width);
    if (known && strcmp(known, tag) == 0)
        result = reply_unchanged(request, tag);
    else if (den_document_picture(&file, (size_t)page, (size_t)width, &png, &length, &err) ==
             DEN_OK)
        result = reply_picture(request, png, length, tag);
    else
        result = den_reply_error(request, &err, NULL);
    den_document_file_close(&file);
    return result;
}
