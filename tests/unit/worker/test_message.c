/* Payloads: what is put is got; what does not add up is noticed at every length. */
#include "test.h"

#include <math.h>
#include <string.h>

#include "worker/message.h"

static void put_a_token(struct den_buffer *out)
{
    struct den_message_token token = { .token = 42, .drawn = 7, .told = true, .top_count = 2 };
    struct den_message_part parts[3] = {
        { DEN_WORKER_REASONING, 0, { "hm", 2 } },
        { DEN_WORKER_TOOL_CALL, 1, { "look", 4 } },
        { DEN_WORKER_TEXT, 0, { "\xc3\xa9", 2 } },
    };
    size_t place, i;

    token.own = (struct den_message_alternative){ -0.5f, { "a\0b", 3 } };
    token.top[0] = (struct den_message_alternative){ -0.25f, { "\xff", 1 } };
    token.top[1] = (struct den_message_alternative){ 0, { "", 0 } };
    den_message_put_token(out, &token);
    place = den_message_begin_parts(out);
    for (i = 0; i < 3; i++)
        den_message_put_part(out, &parts[i]);
    den_message_end_parts(out, place, 3);
}

static void tokens_are_read_back(void **state)
{
    struct den_message_reader reader;
    struct den_message_token token;
    struct den_message_part part;
    struct den_buffer bytes;

    den_buffer_init(&bytes, 10000);
    put_a_token(&bytes);
    assert_true(den_message_token_is_sound(bytes.data, bytes.length));
    reader = den_message_reader(bytes.data, bytes.length);
    den_message_get_token(&reader, &token);
    assert_int_equal(token.token, 42);
    assert_int_equal(token.drawn, 7);
    assert_int_equal(token.top_count, 2);
    assert_int_equal(token.own.text.length, 3);
    assert_true(token.top[0].logprob == -0.25f);
    assert_int_equal(den_message_get(&reader, 4), 3);
    part = den_message_get_part(&reader);
    assert_int_equal(part.kind, DEN_WORKER_REASONING);
    part = den_message_get_part(&reader);
    assert_int_equal(part.tool_index, 1);
    assert_memory_equal(part.text.text, "look", 4);
    part = den_message_get_part(&reader);
    assert_int_equal(part.text.length, 2);
    assert_true(den_message_is_whole(&reader));
    den_buffer_deinit(&bytes);
}

static void put_an_end(struct den_buffer *out)
{
    const struct den_message_end end = { .finish = DEN_MESSAGE_ERROR,
                                         .status = DEN_IO,
                                         .error = { "broke", 5 },
                                         .stopped = true,
                                         .stop = { "###", 3 },
                                         .noted = false,
                                         .note = { "", 0 },
                                         .prompt_tokens = 10,
                                         .generated_tokens = 20,
                                         .predicted_tokens = 30,
                                         .foretold_tokens = 12,
                                         .miss = DEN_MESSAGE_DIFFERS,
                                         .miss_at = 7,
                                         .seed = UINT64_MAX,
                                         .prompt_seconds = 0.5 };

    den_message_put_end(out, &end);
    den_message_end_parts(out, den_message_begin_parts(out), 0);
}

static void ends_are_read_back(void **state)
{
    struct den_message_reader reader;
    struct den_message_end end;
    struct den_buffer bytes;

    den_buffer_init(&bytes, 10000);
    put_an_end(&bytes);
    assert_true(den_message_end_is_sound(bytes.data, bytes.length));
    reader = den_message_reader(bytes.data, bytes.length);
    den_message_get_end(&reader, &end);
    assert_int_equal(end.finish, DEN_MESSAGE_ERROR);
    assert_int_equal(end.status, DEN_IO);
    assert_int_equal(end.stop.length, 3);
    assert_true(end.stopped && !end.noted && end.seed == UINT64_MAX);
    assert_true(end.prompt_seconds == 0.5 && end.generated_tokens == 20);
    assert_true(end.predicted_tokens == 30 && end.foretold_tokens == 12);
    assert_true(end.miss == DEN_MESSAGE_DIFFERS && end.miss_at == 7);
    assert_string_equal(den_message_miss_text(end.miss), "differs");
    den_buffer_deinit(&bytes);
}

static void every_cut_is_noticed(void **state)
{
    struct den_buffer token, end;
    size_t i;

    den_buffer_init(&token, 10000);
    den_buffer_init(&end, 10000);
    put_a_token(&token);
    put_an_end(&end);
    for (i = 0; i < token.length; i++)
        assert_false(den_message_token_is_sound(token.data, i));
    for (i = 0; i < end.length; i++)
        assert_false(den_message_end_is_sound(end.data, i));
    den_buffer_append_byte(&token, 'x');
    den_buffer_append_byte(&end, 'x');
    assert_false(den_message_token_is_sound(token.data, token.length));
    assert_false(den_message_end_is_sound(end.data, end.length));
    den_buffer_deinit(&token);
    den_buffer_deinit(&end);
}

static bool token_with(struct den_message_token token, struct den_message_part part)
{
    struct den_buffer bytes;
    bool sound;

    den_buffer_init(&bytes, 10000);
    den_message_put_token(&bytes, &token);
    den_message_put(&bytes, 1, 4);
    den_message_put_part(&bytes, &part);
    sound = den_message_token_is_sound(bytes.data, bytes.length);
    den_buffer_deinit(&bytes);
    return sound;
}

static void lies_are_noticed(void **state)
{
    const struct den_message_part part = { DEN_WORKER_TEXT, 0, { "ok", 2 } };
    struct den_message_part bad = part;
    struct den_message_token token = { .token = 1 };

    assert_true(token_with(token, part));
    bad.text = (struct den_message_bytes){ "\xff", 1 }; /* no UTF-8 */
    assert_false(token_with(token, bad));
    bad = part;
    bad.kind = DEN_WORKER_END; /* no part */
    assert_false(token_with(token, bad));
    bad = part;
    bad.tool_index = DEN_TOOL_CALLS_MAX;
    assert_false(token_with(token, bad));
    token.token = -2;
    assert_false(token_with(token, part));
    token = (struct den_message_token){ .token = 1, .told = true };
    token.own = (struct den_message_alternative){ NAN, { "", 0 } };
    assert_false(token_with(token, part));
    token.own.logprob = 5;
    assert_false(token_with(token, part));
}

static void errors_are_read_back(void **state)
{
    struct den_error error = { 0 }, got;
    struct den_buffer bytes;

    den_fail(&error, DEN_CONTEXT_FULL, "the prompt has %d tokens", 5);
    den_buffer_init(&bytes, 10000);
    den_message_put_error(&bytes, &error);
    assert_true(den_message_get_error(bytes.data, bytes.length, &got));
    assert_int_equal(got.status, DEN_CONTEXT_FULL);
    assert_string_equal(got.message, error.message);
    bytes.data[0] = (char)200; /* no status */
    assert_false(den_message_get_error(bytes.data, bytes.length, &got));
    bytes.data[0] = DEN_OK; /* no error */
    assert_false(den_message_get_error(bytes.data, bytes.length, &got));
    den_buffer_deinit(&bytes);
}

int worker_test_message(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tokens_are_read_back), cmocka_unit_test(ends_are_read_back),
        cmocka_unit_test(every_cut_is_noticed), cmocka_unit_test(lies_are_noticed),
        cmocka_unit_test(errors_are_read_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
