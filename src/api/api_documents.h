/* Documents, jobs and watched folders over HTTP: handlers for the table in routes.c. */
#ifndef DEN_API_API_DOCUMENTS_H
#define DEN_API_API_DOCUMENTS_H

#include "api/http_request.h"

/* Takes the body of a POST as it comes (routes.h). */
enum den_status den_receive_document(struct den_request *request, const char *bytes, size_t length,
                                     struct den_error *err);
enum MHD_Result den_route_documents_add(struct den_request *request);
enum MHD_Result den_route_documents_list(struct den_request *request);
enum MHD_Result den_route_documents_paths(struct den_request *request);
enum MHD_Result den_route_documents_web(struct den_request *request);
enum MHD_Result den_route_documents_read(struct den_request *request);
enum MHD_Result den_route_document_read(struct den_request *request);
enum MHD_Result den_route_document_get(struct den_request *request);
enum MHD_Result den_route_document_change(struct den_request *request);
enum MHD_Result den_route_document_delete(struct den_request *request);
enum MHD_Result den_route_document_original(struct den_request *request);
enum MHD_Result den_route_document_part(struct den_request *request);
enum MHD_Result den_route_document_page(struct den_request *request);

/* The header by which a browser saves the reply under `name`, in UTF-8. */
void den_reply_attachment(struct MHD_Response *response, const char *name);

enum MHD_Result den_route_jobs_list(struct den_request *request);
enum MHD_Result den_route_job_get(struct den_request *request);
enum MHD_Result den_route_job_change(struct den_request *request);
enum MHD_Result den_route_job_delete(struct den_request *request);
enum MHD_Result den_route_job_retry(struct den_request *request);

enum MHD_Result den_route_watched_list(struct den_request *request);
enum MHD_Result den_route_watched_add(struct den_request *request);
enum MHD_Result den_route_watched_remove(struct den_request *request);

#endif
