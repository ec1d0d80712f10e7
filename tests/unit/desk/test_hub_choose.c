/* What of a listing is the model. tests/api/test_pull.py asks the same of a whole hub. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "desk/hub.h"

static struct den_error err;
static struct den_hub_plan plan;

/* `paths` are separated by '|'; each file has as many bytes as its place, from 1 on. */
static enum den_status choose(const char *paths, const char *selector)
{
    struct den_hub_source source = { .kind = DEN_HUB_REPOSITORY, .repository = "owner/repo" };
    json_t *listing = json_array();
    char *copy = strdup(paths), *rest = copy, *path;
    int bytes = 0;

    snprintf(source.selector, sizeof source.selector, "%s", selector);
    while ((path = strsep(&rest, "|")) != NULL)
        json_array_append_new(listing, json_pack("{s:s, s:s, s:i, s:s}", "type", "file", "path",
                                                 path, "size", ++bytes, "oid",
                                                 "0123456789012345678901234567890123456789"));
    err = (struct den_error){ 0 };
    memset(&plan, 0, sizeof plan);
    den_hub_choose(&source, listing, "https://hub.example", &plan, &err);
    json_decref(listing);
    free(copy);
    return err.status;
}

static void quantizations_have_an_order(void **state)
{
    assert_int_equal(choose("m-Q8_0.gguf|m-Q4_0.gguf|m-Q4_K_M.gguf|m-F16.gguf", ""), DEN_OK);
    assert_string_equal(plan.name, "m-Q4_K_M.gguf");
    assert_true(plan.is_file);
    assert_int_equal(plan.bytes, 3);
    assert_string_equal(plan.files[0].address,
                        "https://hub.example/owner/repo/resolve/main/m-Q4_K_M.gguf");
    assert_int_equal(choose("m-Q8_0.gguf|m-Q5_K_M.gguf|m-F16.gguf", ""), DEN_OK);
    assert_string_equal(plan.name, "m-Q5_K_M.gguf");
    assert_int_equal(choose("m-Q4_K_M_L.gguf|m-IQ4_K_M.gguf|m.Q8_0.gguf", ""), DEN_OK);
    assert_string_equal(plan.name, "m.Q8_0.gguf");
    assert_int_equal(choose("only.gguf", ""), DEN_OK);
    assert_string_equal(plan.name, "only.gguf");
    assert_int_equal(choose("one.gguf|two.gguf", ""), DEN_NOT_FOUND);
    assert_non_null(strstr(err.message, "one.gguf"));
}

static void a_tag_or_a_file_is_found(void **state)
{
    assert_int_equal(choose("a-q8_0.gguf|a-Q4_0.gguf", "Q8_0"), DEN_OK);
    assert_string_equal(plan.name, "a-q8_0.gguf");
    assert_int_equal(choose("a-Q8_0.gguf|b-Q8_0.gguf", "Q8_0"), DEN_NOT_FOUND);
    assert_int_equal(choose("a-Q8_0.gguf|b-Q8_0.gguf", "b-Q8_0.gguf"), DEN_OK);
    assert_string_equal(plan.name, "b-Q8_0.gguf");
    assert_int_equal(choose("sub dir/a+b.gguf", "sub dir/a+b.gguf"), DEN_OK);
    assert_string_equal(plan.name, "a+b.gguf");
    assert_string_equal(plan.files[0].path, "a+b.gguf");
    assert_string_equal(plan.files[0].address,
                        "https://hub.example/owner/repo/resolve/main/sub%20dir/a%2Bb.gguf");
    assert_int_equal(choose("a-Q8_0.gguf", "Q4_0"), DEN_NOT_FOUND);
}

static void parts_are_whole_or_not_at_all(void **state)
{
    assert_int_equal(choose("m-Q8_0-00002-of-00002.gguf|m-Q8_0-00001-of-00002.gguf", ""), DEN_OK);
    assert_string_equal(plan.name, "m-Q8_0");
    assert_false(plan.is_file);
    assert_int_equal(plan.count, 2);
    assert_string_equal(plan.files[0].path, "m-Q8_0-00001-of-00002.gguf");
    assert_int_equal(choose("m-Q8_0-00001-of-00003.gguf|m-Q8_0-00003-of-00003.gguf", ""),
                     DEN_BAD_FILE);
    assert_int_equal(choose("m-Q8_0-00002-of-00002.gguf", ""), DEN_BAD_FILE);
}

static void a_folder_has_what_is_read(void **state)
{
    assert_int_equal(choose("config.json|model.safetensors|README.md|pytorch_model.bin|"
                            "1_Pooling/config.json|onnx/a.json|tokenizer.model|../x.json|"
                            "consolidated.safetensors",
                            ""),
                     DEN_OK);
    assert_string_equal(plan.name, "repo");
    assert_int_equal(plan.count, 4);
    assert_string_equal(plan.files[2].path, "1_Pooling/config.json");
    assert_int_equal(strlen(plan.files[0].git_hash), 40);
    assert_int_equal(choose("config.json|pytorch_model.bin", ""), DEN_UNSUPPORTED);
    assert_int_equal(choose("README.md", ""), DEN_NOT_FOUND);
}

static void hostile_listings_are_harmless(void **state)
{
    static const char *const texts[] = {
        "[]",
        "[1, null, \"a\", [], {}]",
        "[{\"path\": 1}]",
        "[{\"path\": \"a.gguf\", \"size\": -1}]",
        "[{\"path\": \"a.gguf\", \"lfs\": {\"size\": 9000000000000000000}}]",
    };
    struct den_hub_source source = { .kind = DEN_HUB_REPOSITORY, .repository = "owner/repo" };
    size_t i;

    for (i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        json_t *listing = json_loads(texts[i], 0, NULL);

        err = (struct den_error){ 0 };
        memset(&plan, 0, sizeof plan);
        assert_int_not_equal(den_hub_choose(&source, listing, "https://h", &plan, &err), DEN_OK);
        json_decref(listing);
    }
    assert_int_equal(choose("../a.gguf|/b.gguf|.c.gguf|d\x1b.gguf|-e.gguf", ""), DEN_NOT_FOUND);
}

int desk_test_hub_choose(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(quantizations_have_an_order),
        cmocka_unit_test(a_tag_or_a_file_is_found),
        cmocka_unit_test(parts_are_whole_or_not_at_all),
        cmocka_unit_test(a_folder_has_what_is_read),
        cmocka_unit_test(hostile_listings_are_harmless),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
