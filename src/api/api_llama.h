/* What the routes in llama-server's manner share. */
#ifndef DEN_API_API_LLAMA_H
#define DEN_API_API_LLAMA_H

#include "api/routes.h"

/* llama-server's errors: {"error": {"code": 400, "message", "type"}}. */
json_t *den_llama_error(unsigned http, const struct den_error *error, const char *code);

enum MHD_Result den_route_llama_tokenize(struct den_request *request);
enum MHD_Result den_route_llama_detokenize(struct den_request *request);
enum MHD_Result den_route_llama_template(struct den_request *request);
enum MHD_Result den_route_llama_completion(struct den_request *request);
enum MHD_Result den_route_llama_props(struct den_request *request);
enum MHD_Result den_route_llama_slots(struct den_request *request);
enum MHD_Result den_route_rerank(struct den_request *request);
enum MHD_Result den_route_metrics(struct den_request *request);

#endif
