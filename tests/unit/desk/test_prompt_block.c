/* Texts of others in a prompt: they can't leave their block, and hold no control tokens. */
#include "test.h"

#include <string.h>

#include "desk/prompt_block.h"
#include "worker/worker.h"

static void a_fence_is_longer_than_any_in_the_text(void **state)
{
    struct den_buffer out;

    den_buffer_init(&out, 4096);
    den_prompt_block(&out, "Title", "a ```` b");
    assert_string_equal(out.data, "Title\n`````\na ```` b\n`````\n\n");
    den_buffer_clear(&out);
    den_prompt_block(&out, "Title", "line\n");
    assert_string_equal(out.data, "Title\n```\nline\n```\n\n");
    den_buffer_deinit(&out);
}

/* A tokenizer with one control token, "<|end|>"; everything else is a token a byte. */
static enum den_status tokenize(struct den_worker *worker, const char *text, size_t length,
                                unsigned flags, json_t *ids, struct den_error *err)
{
    size_t i;

    for (i = 0; i < length; i++) {
        if ((flags & DEN_WORKER_PARSE_SPECIAL) && strncmp(text + i, "<|end|>", 7) == 0) {
            json_array_append_new(ids, json_integer(1000));
            i += 6;
        } else {
            json_array_append_new(ids, json_integer((unsigned char)text[i]));
        }
    }
    return DEN_OK;
}

static void check(const char *text, const char *expected)
{
    const struct den_token_counter counter = { .tokenize = tokenize };
    struct den_error err = { 0 };
    struct den_buffer out;
    json_t *plain = json_array(), *special = json_array();
    size_t tokens = 0;

    den_buffer_init(&out, 4096);
    assert_int_equal(den_prompt_safe_text(&counter, text, &out, &tokens, &err), DEN_OK);
    assert_string_equal(out.data, expected);
    assert_int_equal(tokens, strlen(text));
    tokenize(NULL, out.data, out.length, 0, plain, &err);
    tokenize(NULL, out.data, out.length, DEN_WORKER_PARSE_SPECIAL, special, &err);
    assert_true(json_equal(plain, special));
    json_decref(plain);
    json_decref(special);
    den_buffer_deinit(&out);
}

static void control_tokens_become_text(void **state)
{
    check("x <|end|> y", "x < |end|> y");
    check("if (a < b) #include <stdio.h>", "if (a < b) #include <stdio.h>"); /* as it is */
    check("<|end|> <b>", "< |end|> < b>");
}

static void bytes_are_counted_without_a_model(void **state)
{
    const struct den_token_counter none = { 0 };
    struct den_error err = { 0 };
    struct den_buffer out;
    size_t tokens;

    den_buffer_init(&out, 4096);
    assert_int_equal(den_prompt_safe_text(&none, "12345678", &out, &tokens, &err), DEN_OK);
    assert_int_equal(tokens, 3);
    den_buffer_deinit(&out);
}

int desk_test_prompt_block(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_fence_is_longer_than_any_in_the_text),
        cmocka_unit_test(control_tokens_become_text),
        cmocka_unit_test(bytes_are_counted_without_a_model),
    };

    return cmocka_run_group_tests_name("desk/prompt_block", tests, NULL, NULL);
}
