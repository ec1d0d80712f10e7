/* The page's own interface to what people keep: handlers for the table in routes.c. Each decodes,
 * calls desk/, and encodes. */
#ifndef DEN_API_API_THREADS_H
#define DEN_API_API_THREADS_H

#include "api/http_request.h"

enum MHD_Result den_route_threads_list(struct den_request *request);
enum MHD_Result den_route_threads_create(struct den_request *request);
enum MHD_Result den_route_thread_get(struct den_request *request);
enum MHD_Result den_route_thread_change(struct den_request *request);
enum MHD_Result den_route_thread_delete(struct den_request *request);
enum MHD_Result den_route_thread_restore(struct den_request *request);
enum MHD_Result den_route_thread_purge(struct den_request *request);
enum MHD_Result den_route_thread_fork(struct den_request *request);

enum MHD_Result den_route_messages_add(struct den_request *request);
enum MHD_Result den_route_answers_add(struct den_request *request);
enum MHD_Result den_route_answers_stop(struct den_request *request);
enum MHD_Result den_route_message_change(struct den_request *request);
enum MHD_Result den_route_message_delete(struct den_request *request);

enum MHD_Result den_route_thread_export(struct den_request *request);
enum MHD_Result den_route_export(struct den_request *request);
enum MHD_Result den_route_import(struct den_request *request);

enum MHD_Result den_route_folders_list(struct den_request *request);
enum MHD_Result den_route_folders_add(struct den_request *request);
enum MHD_Result den_route_folder_change(struct den_request *request);
enum MHD_Result den_route_folder_delete(struct den_request *request);
enum MHD_Result den_route_prompts_list(struct den_request *request);
enum MHD_Result den_route_prompts_add(struct den_request *request);
enum MHD_Result den_route_prompt_change(struct den_request *request);
enum MHD_Result den_route_prompt_delete(struct den_request *request);
enum MHD_Result den_route_settings_get(struct den_request *request);
enum MHD_Result den_route_settings_change(struct den_request *request);

enum MHD_Result den_route_memories_list(struct den_request *request);
enum MHD_Result den_route_memories_add(struct den_request *request);
enum MHD_Result den_route_memories_delete(struct den_request *request);
enum MHD_Result den_route_memory_change(struct den_request *request);
enum MHD_Result den_route_memory_delete(struct den_request *request);

enum MHD_Result den_route_events(struct den_request *request);

/* What the handlers share (api_threads.c). */

struct den_threads *den_request_threads(const struct den_request *request);
/* The result, or the error in `err`; takes over `value`. */
enum MHD_Result den_reply_result(struct den_request *request, unsigned http, json_t *value,
                                 const struct den_error *err);
/* The body as an object; an empty one where there is no body. */
enum den_status den_request_fields(const struct den_request *request, json_t **out,
                                   struct den_error *err);

#endif
