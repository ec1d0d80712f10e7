/* tokenizer_config.json and generation_config.json over the template of tokenizer.json. */
#include "tokenizer_fixture.h"

#include "text/tokenizer_config.h"

static void obeys_tokenizer_config(void **state)
{
    json_t *base = read_json("llama.json");
    json_t *config = json_pack("{s:s, s:{s:s}, s:s, s:b, s:b}", "tokenizer_class",
                               "LlamaTokenizerFast", "bos_token", "content", "<s>", "eos_token",
                               "</s>", "add_bos_token", 0, "add_eos_token", 1);
    struct den_tokenizer *tokenizer = create_json(base, config);
    struct den_tokens tokens = { 0 };

    assert_int_equal(den_tokenizer_bos(tokenizer), 1);
    assert_int_equal(den_tokenizer_eos(tokenizer), 2);
    encode(tokenizer, "a", 1, DEN_ENCODE_ADD_SPECIAL, &tokens);
    assert_true(tokens.count >= 2);
    assert_int_not_equal(tokens.items[0], 1);
    assert_int_equal(tokens.items[tokens.count - 1], 2);
    den_tokens_deinit(&tokens);
    den_tokenizer_destroy(tokenizer);
    json_decref(base);
    json_decref(config);
}

static void guesses_without_a_config(void **state)
{
    json_t *base = read_json("llama.json");
    struct den_tokenizer *tokenizer = create_json(base, NULL);

    assert_int_equal(den_tokenizer_bos(tokenizer), 1); /* the template's */
    assert_int_equal(den_tokenizer_eos(tokenizer), 2); /* by name */
    den_tokenizer_destroy(tokenizer);
    json_decref(base);
}

static void takes_ends_from_the_generation_config(void **state)
{
    json_t *base = read_json("llama.json");
    json_t *generation = json_pack("{s:[i,i,i]}", "eos_token_id", 2, 300, 1 << 30);
    struct den_tokenizer *tokenizer = create_json(base, NULL);

    assert_false(den_tokenizer_is_end(tokenizer, 300));
    den_tokenizer_apply_ends(tokenizer, generation);
    assert_true(den_tokenizer_is_end(tokenizer, 300));
    assert_true(den_tokenizer_is_end(tokenizer, 2));
    assert_false(den_tokenizer_is_end(tokenizer, 301));
    den_tokenizer_destroy(tokenizer);
    json_decref(generation);
    json_decref(base);
}

static void leaves_the_template_of_other_classes(void **state)
{
    json_t *base = read_json("llama.json");
    json_t *config = json_pack("{s:s, s:s, s:b}", "tokenizer_class", "PreTrainedTokenizerFast",
                               "bos_token", "<s>", "add_bos_token", 0);
    struct den_tokenizer *tokenizer = create_json(base, config);
    struct den_tokens tokens = { 0 };

    encode(tokenizer, "a", 1, DEN_ENCODE_ADD_SPECIAL, &tokens);
    assert_int_equal(tokens.items[0], 1);
    den_tokens_deinit(&tokens);
    den_tokenizer_destroy(tokenizer);
    json_decref(config);
    json_decref(base);
}

int text_test_tokenizer_config(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(obeys_tokenizer_config),
        cmocka_unit_test(guesses_without_a_config),
        cmocka_unit_test(takes_ends_from_the_generation_config),
        cmocka_unit_test(leaves_the_template_of_other_classes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
