/* /api/documents: adding, listing, changing and removing. A file that is uploaded goes from the
 * connection to the disk piece by piece: its size is bounded by DEN_DOCUMENT_BYTES_MAX, the memory
 * it takes by one piece. */
#include "api/api_documents.h"

#include <stdlib.h>
#include <string.h>

#include "api/api_threads.h"
#include "api/reply.h"
#include "desk/documents.h"
#include "desk/ingest.h"
#include "desk/library.h"

static struct den_library *library_of(const struct den_request *request)
{
    return den_desk_library(den_request_desk(request));
}

static struct den_documents *documents_of(const struct den_request *request)
{
    return den_library_documents(library_of(request));
}

/* --- uploads --- */

struct reception {
    struct den_incoming *incoming;
};

static void drop_reception(void *received)
{
    struct reception *reception = received;

    den_incoming_drop(reception->incoming);
    free(reception);
}

/* "a,b" as a list; NULL where there is none. */
static json_t *read_tags(const struct den_request *request)
{
    const char *text = den_request_query(request, "tags");
    json_t *tags = text && *text ? json_array() : NULL;

    while (tags && *text) {
        size_t length = strcspn(text, ",");

        if (length > 0 && json_array_append_new(tags, json_stringn(text, length)) != 0)
            json_array_append_new(tags, json_null()); /* no UTF-8: refused as no text */
        text += length + (text[length] == ',');
    }
    return tags;
}

static const char *query_or_null(const struct den_request *request, const char *key)
{
    const char *value = den_request_query(request, key);

    return value && *value ? value : NULL;
}

static struct den_ingest_upload upload_of(const struct den_request *request, const json_t *tags)
{
    return (struct den_ingest_upload){ .name = den_request_query(request, "name"),
                                       .workspace = query_or_null(request, "workspace"),
                                       .thread = query_or_null(request, "thread"),
                                       .tags = tags };
}

/* The query is checked before the first byte is kept. */
static enum den_status begin_reception(struct den_request *request, struct den_error *err)
{
    json_t *tags = read_tags(request);
    const struct den_ingest_upload upload = upload_of(request, tags);
    struct reception *reception = calloc(1, sizeof *reception);

    if (!reception)
        den_fail(err, DEN_NO_MEMORY, "documents: out of memory");
    else if (den_ingest_check_upload(den_library_ingest(library_of(request)), &upload, err) ==
             DEN_OK)
        den_incoming_begin(den_library_originals(library_of(request)), &reception->incoming, err);
    json_decref(tags);
    if (err->status != DEN_OK) {
        free(reception);
        return err->status;
    }
    request->received = reception;
    request->drop_received = drop_reception;
    return DEN_OK;
}

enum den_status den_receive_document(struct den_request *request, const char *bytes, size_t length,
                                     struct den_error *err)
{
    struct reception *reception;

    if (!request->received && begin_reception(request, err) != DEN_OK)
        return err->status;
    reception = request->received;
    return length > 0 ? den_incoming_append(reception->incoming, bytes, length, err) : DEN_OK;
}

enum MHD_Result den_route_documents_add(struct den_request *request)
{
    json_t *tags = read_tags(request), *added = NULL;
    struct den_ingest_upload upload = upload_of(request, tags);
    char hash[DEN_HASH_HEX + 1];
    struct reception *reception;
    struct den_error err = { 0 };
    bool existed = false;

    if (den_receive_document(request, NULL, 0, &err) == DEN_OK) { /* the body may be empty */
        reception = request->received;
        request->received = NULL;
        if (den_incoming_keep(reception->incoming, hash, &upload.bytes, &err) == DEN_OK) {
            upload.hash = hash;
            den_ingest_add_upload(den_library_ingest(library_of(request)), &upload, &added,
                                  &existed, &err);
        }
        free(reception);
    }
    json_decref(tags);
    return den_reply_result(request, existed ? MHD_HTTP_OK : MHD_HTTP_ACCEPTED, added, &err);
}

typedef enum den_status (*adder)(struct den_ingest *ingest, const json_t *fields, json_t **out,
                                 struct den_error *err);

static enum MHD_Result add_by(struct den_request *request, adder function)
{
    json_t *fields = NULL, *added = NULL;
    struct den_error err = { 0 };

    if (den_request_json(request, &fields, &err) == DEN_OK)
        function(den_library_ingest(library_of(request)), fields, &added, &err);
    json_decref(fields);
    return den_reply_result(request, MHD_HTTP_ACCEPTED, added, &err);
}

enum MHD_Result den_route_documents_paths(struct den_request *request)
{
    return add_by(request, den_ingest_add_paths);
}

enum MHD_Result den_route_documents_web(struct den_request *request)
{
    return add_by(request, den_ingest_add_web);
}

/* --- again --- */

enum MHD_Result den_route_documents_read(struct den_request *request)
{
    return add_by(request, den_ingest_read_again);
}

enum MHD_Result den_route_document_read(struct den_request *request)
{
    struct den_error err = { 0 };
    json_t *added = NULL;

    den_ingest_retry(den_library_ingest(library_of(request)), den_request_value(request, 0), &added,
                     &err);
    return den_reply_result(request, MHD_HTTP_ACCEPTED, added, &err);
}

/* --- the list --- */

enum MHD_Result den_route_documents_list(struct den_request *request)
{
    struct den_document_list list = { .workspace = query_or_null(request, "workspace"),
                                      .thread = query_or_null(request, "thread"),
                                      .words = query_or_null(request, "q"),
                                      .state = query_or_null(request, "state"),
                                      .before = query_or_null(request, "before") };
    struct den_error err = { 0 };
    json_t *found = NULL;

    if (den_request_limit(request, DEN_PAGE_DOCUMENTS_MAX, &list.limit, &err) == DEN_OK)
        den_documents_list(documents_of(request), &list, &found, &err);
    return den_reply_result(request, MHD_HTTP_OK, found, &err);
}

/* --- each --- */

enum MHD_Result den_route_document_get(struct den_request *request)
{
    struct den_error err = { 0 };
    json_t *document = NULL;

    den_document_get(documents_of(request), den_request_value(request, 0), &document, &err);
    return den_reply_result(request, MHD_HTTP_OK, document, &err);
}

enum MHD_Result den_route_document_change(struct den_request *request)
{
    json_t *fields = NULL, *document = NULL;
    struct den_error err = { 0 };

    if (den_request_json(request, &fields, &err) == DEN_OK)
        den_document_change(documents_of(request), den_request_value(request, 0), fields, &document,
                            &err);
    json_decref(fields);
    return den_reply_result(request, MHD_HTTP_OK, document, &err);
}

enum MHD_Result den_route_document_delete(struct den_request *request)
{
    struct den_error err = { 0 };

    den_document_delete(documents_of(request), den_request_value(request, 0), &err);
    return den_reply_result(request, MHD_HTTP_OK, json_object(), &err);
}
