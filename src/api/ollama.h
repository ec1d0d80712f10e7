/* Ollama's API: what its routes share. Its streams are lines of JSON, its times nanoseconds, its
 * model names end in a tag, its errors are {"error": "text"}. */
#ifndef DEN_API_OLLAMA_H
#define DEN_API_OLLAMA_H

#include "api/fields.h"

struct den_ollama_state {
    bool is_generate;      /* /api/generate rather than /api/chat */
    double started_at;     /* den_clock_seconds() */
    double loaded_seconds; /* from the request to its first event: loading and waiting */
};

/* From options->body, whose state is set. *out_is_empty: there is nothing to answer, which asks to
 * load the model, or with keep_alive 0 to unload it. */
enum den_status den_ollama_read(struct den_call_options *options, bool *out_is_empty,
                                struct den_error *err);
/* True where the body has "keep_alive": 0, "0", "0s" ... */
bool den_ollama_wants_unload(const json_t *body);

/* {"error": "text"}, a struct den_route's error shape. */
json_t *den_ollama_error_json(unsigned http, const struct den_error *error, const char *code);
/* "smollm2:latest" */
json_t *den_ollama_name_json(const char *name);

enum MHD_Result den_route_ollama_chat(struct den_request *request);
enum MHD_Result den_route_ollama_generate(struct den_request *request);
enum MHD_Result den_route_ollama_embed(struct den_request *request);
enum MHD_Result den_route_ollama_embeddings(struct den_request *request); /* the older form */
enum MHD_Result den_route_ollama_tags(struct den_request *request);
enum MHD_Result den_route_ollama_show(struct den_request *request);
enum MHD_Result den_route_ollama_ps(struct den_request *request);
enum MHD_Result den_route_ollama_version(struct den_request *request);
enum MHD_Result den_route_ollama_pull(struct den_request *request);
enum MHD_Result den_route_ollama_absent(struct den_request *request); /* create, copy, push */

#endif
