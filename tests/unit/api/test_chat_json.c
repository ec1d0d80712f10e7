/* The objects themselves, without a worker: odd tokens, missing speeds, several answers. */
#include "test.h"

#include <math.h>
#include <string.h>

#include "api/chat_json.h"

static const struct den_worker_info info = { .model_name = "m", .context_tokens = 99 };
static const struct den_desk_model model = { .name = "m", .info = &info };

static void prepare(struct den_chat_call *call, size_t count)
{
    size_t i;

    memset(call, 0, sizeof *call);
    strncpy(call->id, "chatcmpl-1", sizeof call->id - 1);
    call->options.model = &model;
    call->options.count = count;
    for (i = 0; i < count; i++) {
        call->choices[i] = (struct den_chat_choice){ .call = call,
                                                     .index = i,
                                                     .finish = "stop",
                                                     .prompt_tokens = 7,
                                                     .cached_tokens = 2,
                                                     .generated_tokens = i + 1 };
        den_buffer_init(&call->choices[i].text, 100);
    }
}

static void usage_counts_the_prompt_once(void **state)
{
    static struct den_chat_call call;
    json_int_t prompt, generated, total, cached;
    json_t *object;

    prepare(&call, 3);
    object = den_chat_completion_json(&call);
    assert_int_equal(json_unpack(object, "{s:{s:I, s:I, s:I, s:{s:I}}}", "usage", "prompt_tokens",
                                 &prompt, "completion_tokens", &generated, "total_tokens", &total,
                                 "prompt_tokens_details", "cached_tokens", &cached),
                     0);
    assert_true(prompt == 7 && generated == 6 && total == 13 && cached == 2);
    json_decref(object);
}

static void no_time_is_no_speed(void **state)
{
    static struct den_chat_call call;
    json_t *object;

    prepare(&call, 1);
    object = den_chat_measures_json(&call.choices[0]);
    assert_true(json_real_value(json_object_get(object, "tokens_per_s")) == 0);
    assert_int_equal(json_integer_value(json_object_get(object, "context_tokens")), 99);
    json_decref(object);
}

static void tokens_keep_their_bytes(void **state)
{
    const struct den_worker_logprob own = { .text = "a\0\xE2\x82", .length = 4, .logprob = 0 };
    const struct den_worker_logprob top = { .text = "", .length = 0, .logprob = -INFINITY };
    const struct den_worker_event event = { .logprob = &own, .top = &top, .top_count = 1 };
    json_t *object = den_chat_logprob_json(&event), *bytes = json_object_get(object, "bytes");
    const json_t *token = json_object_get(object, "token");

    assert_int_equal(json_string_length(token), 5);
    assert_memory_equal(json_string_value(token), "a\0\xEF\xBF\xBD", 5);
    assert_int_equal(json_array_size(bytes), 4);
    assert_int_equal(json_integer_value(json_array_get(bytes, 3)), 0x82);
    assert_true(
        json_real_value(json_object_get(json_array_get(json_object_get(object, "top_logprobs"), 0),
                                        "logprob")) == -9999.0);
    json_decref(object);
}

static void chunks_have_usage_only_when_asked(void **state)
{
    static struct den_chat_call call;
    json_t *chunk;

    prepare(&call, 1);
    chunk = den_chat_chunk_json(&call, 0, json_object(), NULL, NULL);
    assert_null(json_object_get(chunk, "usage"));
    json_decref(chunk);
    call.options.include_usage = true;
    chunk = den_chat_chunk_json(&call, 0, json_object(), NULL, "stop");
    assert_true(json_is_null(json_object_get(chunk, "usage")));
    json_decref(chunk);
    chunk = den_chat_usage_chunk_json(&call);
    assert_int_equal(json_array_size(json_object_get(chunk, "choices")), 0);
    assert_true(json_is_object(json_object_get(chunk, "usage")));
    json_decref(chunk);
}

int api_test_chat_json(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(usage_counts_the_prompt_once),
        cmocka_unit_test(no_time_is_no_speed),
        cmocka_unit_test(tokens_keep_their_bytes),
        cmocka_unit_test(chunks_have_usage_only_when_asked),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
