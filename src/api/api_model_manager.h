/* Handlers of the model manager, for the table in routes.c. */
#ifndef DEN_API_API_MODEL_MANAGER_H
#define DEN_API_API_MODEL_MANAGER_H

#include "api/http_request.h"

enum MHD_Result den_route_models_list(struct den_request *request);
enum MHD_Result den_route_models_load(struct den_request *request);
enum MHD_Result den_route_models_unload(struct den_request *request);
enum MHD_Result den_route_models_remove(struct den_request *request);
enum MHD_Result den_route_models_import(struct den_request *request);
enum MHD_Result den_route_roles(struct den_request *request);
enum MHD_Result den_route_roles_change(struct den_request *request);
enum MHD_Result den_route_fit(struct den_request *request);
enum MHD_Result den_route_ollama_delete(struct den_request *request);

#endif
