/* A chat's body to the options of a call, for tests of what reads it. */
#ifndef DEN_TESTS_UNIT_API_DECODE_CHAT_H
#define DEN_TESTS_UNIT_API_DECODE_CHAT_H

#include "api/openai.h"

static inline enum den_status decode(const char *text, struct den_call_options *out,
                                     struct den_error *err)
{
    *out = den_call_defaults(&den_surface_chat);
    out->state = calloc(1, sizeof(struct den_openai_state));
    out->body = json_loads(text, 0, NULL);
    assert_non_null(out->body);
    if (!json_object_get(out->body, "messages"))
        json_object_set_new(out->body, "messages",
                            json_pack("[{s:s, s:s}]", "role", "user", "content", "hi"));
    *err = (struct den_error){ 0 };
    return den_chat_options_read(out, err);
}

#endif
