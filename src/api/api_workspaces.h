/* Workspaces and searching: handlers for the table in routes.c. */
#ifndef DEN_API_API_WORKSPACES_H
#define DEN_API_API_WORKSPACES_H

#include "api/http_request.h"

enum MHD_Result den_route_workspaces_list(struct den_request *request);
enum MHD_Result den_route_workspaces_create(struct den_request *request);
enum MHD_Result den_route_workspace_get(struct den_request *request);
enum MHD_Result den_route_workspace_change(struct den_request *request);
enum MHD_Result den_route_workspace_delete(struct den_request *request);
enum MHD_Result den_route_workspace_documents(struct den_request *request);
enum MHD_Result den_route_workspace_link(struct den_request *request);
enum MHD_Result den_route_workspace_pin(struct den_request *request);
enum MHD_Result den_route_workspace_unlink(struct den_request *request);
enum MHD_Result den_route_thread_attach(struct den_request *request);
enum MHD_Result den_route_thread_detach(struct den_request *request);

enum MHD_Result den_route_search(struct den_request *request);

#endif
