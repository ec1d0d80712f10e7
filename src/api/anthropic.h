/* Anthropic's messages API: reading its bodies into requests, and its errors. */
#ifndef DEN_API_ANTHROPIC_H
#define DEN_API_ANTHROPIC_H

#include "api/fields.h"

/* Where a stream stands: blocks of content begin and end one after the other. */
enum den_anthropic_block { DEN_BLOCK_NONE, DEN_BLOCK_THINKING, DEN_BLOCK_TEXT, DEN_BLOCK_TOOL };
struct den_anthropic_state {
    bool has_begun;
    enum den_anthropic_block open;
    json_int_t index; /* of the open block, or of the next */
};

/* From options->body: messages, system, tools and thinking are converted to the shapes that a
 * worker's request has, in new members of the body. `counting`: only what count_tokens takes. */
enum den_status den_anthropic_read(struct den_call_options *options, bool counting,
                                   struct den_error *err);

/* {"type": "error", "error": {type, message}}, a struct den_route's error shape. */
json_t *den_anthropic_error_json(unsigned http, const struct den_error *error, const char *code);

enum MHD_Result den_route_anthropic_messages(struct den_request *request);
enum MHD_Result den_route_anthropic_count(struct den_request *request);

#endif
