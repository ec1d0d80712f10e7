/* Workspaces and everything as files, over HTTP: handlers for the table in routes.c. */
#ifndef DEN_API_API_PORTABLE_H
#define DEN_API_API_PORTABLE_H

#include "api/http_request.h"

/* Takes the body of a POST as it comes, to the disk (routes.h). */
enum den_status den_receive_bundle(struct den_request *request, const char *bytes, size_t length,
                                   struct den_error *err);
enum MHD_Result den_route_workspace_export(struct den_request *request);
enum MHD_Result den_route_workspace_import(struct den_request *request);
enum MHD_Result den_route_backup(struct den_request *request);
enum MHD_Result den_route_restore(struct den_request *request);

#endif
