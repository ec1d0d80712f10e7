/* See request_json.h. Fields that were not set are left out. One table names the numbers, so that
 * writing and reading can't disagree. */
#include "worker/request_json.h"

#include <math.h>
#include <stddef.h>
#include <stdlib.h>

#include "base/json.h"

struct den_worker_request den_worker_request_defaults(void)
{
    return (struct den_worker_request){
        .temperature = NAN,
        .top_p = NAN,
        .min_p = NAN,
        .typical_p = NAN,
        .frequency_penalty = NAN,
        .presence_penalty = NAN,
        .repeat_penalty = NAN,
        .top_n_sigma = NAN,
        .xtc_probability = NAN,
        .xtc_threshold = NAN,
        .dry_multiplier = NAN,
        .dry_base = NAN,
        .top_k = -1,
        .max_tokens = -1,
        .repeat_last_n = INT64_MIN,
        .seed = -1,
        .logprobs = -1,
    };
}

#define NUMBERS(X)                                                                                 \
    X(temperature)                                                                                 \
    X(top_p)                                                                                       \
    X(min_p)                                                                                       \
    X(typical_p)                                                                                   \
    X(frequency_penalty)                                                                           \
    X(presence_penalty)                                                                            \
    X(repeat_penalty)                                                                              \
    X(top_n_sigma)                                                                                 \
    X(xtc_probability)                                                                             \
    X(xtc_threshold)                                                                               \
    X(dry_multiplier)                                                                              \
    X(dry_base)
#define INTEGERS(X)                                                                                \
    X(top_k)                                                                                       \
    X(max_tokens)                                                                                  \
    X(repeat_last_n)                                                                               \
    X(seed)
#define FLAGS(X)                                                                                   \
    X(single_tool_call)                                                                            \
    X(batch)                                                                                       \
    X(ignore_end)
#define VALUES(X)                                                                                  \
    X(messages)                                                                                    \
    X(prompt_tokens)                                                                               \
    X(tools)                                                                                       \
    X(tool_choice)                                                                                 \
    X(template_variables)                                                                          \
    X(schema)                                                                                      \
    X(prediction)                                                                                  \
    X(logit_bias)
#define TEXTS(X)                                                                                   \
    X(prompt)                                                                                      \
    X(grammar)                                                                                     \
    X(preset)

/* Takes the reference to `value`; NULL is out of memory. */
static bool set(json_t *object, const char *key, json_t *value)
{
    return value && json_object_set_new(object, key, value) == 0;
}

static json_t *stops_to_json(const struct den_worker_request *request)
{
    json_t *stops = json_array();
    size_t i;

    for (i = 0; i < request->stop_count; i++)
        if (json_array_append_new(stops, json_string(request->stops[i])) != 0) {
            json_decref(stops);
            return NULL;
        }
    return stops;
}

json_t *den_request_to_json(const struct den_worker_request *request)
{
    const struct den_worker_request unset = den_worker_request_defaults();
    json_t *object = json_object();
    bool done = object != NULL;

#define SET_NUMBER(name)                                                                           \
    if (!isnan(request->name))                                                                     \
        done = done && set(object, #name, json_real(request->name));
#define SET_INTEGER(name)                                                                          \
    if (request->name != unset.name)                                                               \
        done = done && set(object, #name, json_integer(request->name));
#define SET_FLAG(name)                                                                             \
    if (request->name)                                                                             \
        done = done && set(object, #name, json_true());
#define SET_VALUE(name)                                                                            \
    if (request->name)                                                                             \
        done = done && set(object, #name, json_incref((json_t *)(uintptr_t)request->name));
#define SET_TEXT(name)                                                                             \
    if (request->name)                                                                             \
        done = done && set(object, #name, json_string(request->name));
    NUMBERS(SET_NUMBER)
    INTEGERS(SET_INTEGER)
    FLAGS(SET_FLAG)
    VALUES(SET_VALUE)
    TEXTS(SET_TEXT)
    done = done && set(object, "logprobs", json_integer(request->logprobs));
    if (request->stop_count > 0)
        done = done && set(object, "stops", stops_to_json(request));
    if (done)
        return object;
    json_decref(object);
    return NULL;
}

bool den_request_set_extra(json_t *object, const struct den_request_extra *extra)
{
    json_t *tokens = json_array();
    bool done = tokens != NULL;
    size_t i;

    for (i = 0; i < extra->token_count && done; i++)
        done = json_array_append_new(tokens, json_integer(extra->tokens[i])) == 0;
    if (!done) {
        json_decref(tokens);
        return false;
    }
    return set(object, "resume", tokens) && set(object, "now", json_integer(extra->now)) &&
           set(object, "again", json_boolean(extra->again)) &&
           set(object, "drawn", json_integer((json_int_t)extra->drawn));
}

/* --- reading --- */

static enum den_status read_stops(struct den_request_copy *copy, struct den_error *err)
{
    const json_t *stops = json_object_get(copy->document, "stops"), *stop;
    size_t i;

    if (!stops)
        return DEN_OK;
    copy->stops = calloc(json_array_size(stops) + 1, sizeof *copy->stops);
    if (!copy->stops)
        return den_fail(err, DEN_NO_MEMORY, "request: out of memory");
    json_array_foreach(stops, i, stop)
    {
        copy->stops[i] = json_string_value(stop);
        if (!copy->stops[i])
            return den_fail(err, DEN_INVALID, "'stops[%zu]' is no text", i);
    }
    copy->request.stops = copy->stops;
    copy->request.stop_count = json_array_size(stops);
    return DEN_OK;
}

static enum den_status read_tokens(struct den_request_copy *copy, struct den_error *err)
{
    const json_t *tokens = json_object_get(copy->document, "resume"), *token;
    size_t i;

    copy->tokens = calloc(json_array_size(tokens) + 1, sizeof *copy->tokens);
    if (!copy->tokens)
        return den_fail(err, DEN_NO_MEMORY, "request: out of memory");
    json_array_foreach(tokens, i, token)
    {
        json_int_t id = json_is_integer(token) ? json_integer_value(token) : -1;

        if (id < 0 || id > INT32_MAX)
            return den_fail(err, DEN_INVALID, "'resume[%zu]' is no token", i);
        copy->tokens[i] = (int32_t)id;
    }
    copy->extra.tokens = copy->tokens;
    copy->extra.token_count = json_array_size(tokens);
    return DEN_OK;
}

static enum den_status read_fields(struct den_request_copy *copy, struct den_error *err)
{
    struct den_worker_request *request = &copy->request;
    json_t *object = copy->document;
    int64_t logprobs = -1, drawn = 0;

#define GET_NUMBER(name)                                                                           \
    if (den_json_get_number(object, #name, -1e308, 1e308, &request->name, err) != DEN_OK)          \
        return err->status;
#define GET_INTEGER(name)                                                                          \
    if (den_json_get_integer(object, #name, INT64_MIN, INT64_MAX, &request->name, err) != DEN_OK)  \
        return err->status;
#define GET_FLAG(name)                                                                             \
    if (den_json_get_bool(object, #name, &request->name, err) != DEN_OK)                           \
        return err->status;
#define GET_VALUE(name) request->name = json_object_get(object, #name);
#define GET_TEXT(name)                                                                             \
    if (den_json_get_text(object, #name, &request->name, err) != DEN_OK)                           \
        return err->status;
    NUMBERS(GET_NUMBER)
    INTEGERS(GET_INTEGER)
    FLAGS(GET_FLAG)
    VALUES(GET_VALUE)
    TEXTS(GET_TEXT)
    if (den_json_get_integer(object, "logprobs", -1, INT32_MAX, &logprobs, err) != DEN_OK ||
        den_json_get_integer(object, "now", INT64_MIN, INT64_MAX, &copy->extra.now, err) !=
            DEN_OK ||
        den_json_get_integer(object, "drawn", 0, INT64_MAX, &drawn, err) != DEN_OK ||
        den_json_get_bool(object, "again", &copy->extra.again, err) != DEN_OK)
        return err->status;
    request->logprobs = (int)logprobs;
    copy->extra.drawn = (uint64_t)drawn;
    return DEN_OK;
}

enum den_status den_request_from_json(json_t *document, struct den_request_copy *out,
                                      struct den_error *err)
{
    struct den_request_copy copy = { .request = den_worker_request_defaults(),
                                     .document = document };

    if (!json_is_object(document)) {
        den_fail(err, DEN_INVALID, "a request must be an object");
        goto fail;
    }
    if (read_fields(&copy, err) != DEN_OK || read_stops(&copy, err) != DEN_OK ||
        read_tokens(&copy, err) != DEN_OK)
        goto fail;
    *out = copy;
    return DEN_OK;
fail:
    den_request_copy_deinit(&copy);
    return err->status;
}

void den_request_copy_deinit(struct den_request_copy *copy)
{
    json_decref(copy->document);
    free(copy->stops);
    free(copy->tokens);
    *copy = (struct den_request_copy){ 0 };
}
