/* Sources: every way to write one, and names that must never become files. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "desk/hub_source.h"

static struct den_hub_source source;
static struct den_error err;

static enum den_status parse(const char *text)
{
    err = (struct den_error){ 0 };
    return den_hub_source_parse(text, &source, &err);
}

static void sources_are_read(void **state)
{
    static const struct {
        const char *text;
        enum den_hub_source_kind kind;
        const char *repository, *selector, *name;
    } cases[] = {
        { "smollm2", DEN_HUB_CATALOGUE, "", "", "smollm2" },
        { "smollm2:latest", DEN_HUB_CATALOGUE, "", "", "smollm2" },
        { "qwen3-0.6b", DEN_HUB_CATALOGUE, "", "", "qwen3-0.6b" },
        { "hf:owner/repo", DEN_HUB_REPOSITORY, "owner/repo", "", "" },
        { "HF:owner/repo.v1:Q8_0", DEN_HUB_REPOSITORY, "owner/repo.v1", "Q8_0", "" },
        { "hf:owner/repo:sub/a b.gguf", DEN_HUB_REPOSITORY, "owner/repo", "sub/a b.gguf", "" },
        { "hf.co/owner/repo:latest", DEN_HUB_REPOSITORY, "owner/repo", "", "" },
        { "huggingface.co/owner/repo:Q4_0", DEN_HUB_REPOSITORY, "owner/repo", "Q4_0", "" },
        { "https://huggingface.co/owner/repo", DEN_HUB_REPOSITORY, "owner/repo", "", "" },
        { "https://huggingface.co/owner/repo/tree/main", DEN_HUB_REPOSITORY, "owner/repo", "", "" },
        { "https://huggingface.co/owner/repo/blob/main/a.gguf", DEN_HUB_REPOSITORY, "owner/repo",
          "a.gguf", "" },
        { "https://hf.co/owner/repo/resolve/main/b/a.gguf?download=true", DEN_HUB_REPOSITORY,
          "owner/repo", "b/a.gguf", "" },
        { "https://example.org/x/y.gguf?a=/b", DEN_HUB_URL, "", "", "y.gguf" },
        { "http://EXAMPLE.org:8080/Y.GGUF#part", DEN_HUB_URL, "", "", "Y.GGUF" },
    };
    size_t i;

    for (i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        if (parse(cases[i].text) != DEN_OK)
            fail_msg("%s: %s", cases[i].text, err.message);
        assert_int_equal(source.kind, cases[i].kind);
        assert_string_equal(source.repository, cases[i].repository);
        assert_string_equal(source.selector, cases[i].selector);
        assert_string_equal(source.name, cases[i].name);
    }
    assert_string_equal(source.url.text, "http://EXAMPLE.org:8080/Y.GGUF");
    assert_string_equal(source.url.host, "example.org");
    assert_int_equal(source.url.port, 8080);
}

static void others_are_refused(void **state)
{
    static const char *const cases[] = {
        "",
        ".",
        "..",
        "a/b",
        "../smollm2",
        "/etc/passwd",
        "hf:",
        "hf:owner",
        "hf:owner/",
        "hf:/repo",
        "hf:owner/..",
        "hf:owner/.git",
        "hf:a/b/c",
        "hf:owner/repo:",
        "hf:owner/repo:../a",
        "hf:owner/repo:a//b",
        "hf:owner/repo:.a",
        "hf:owner/repo:a\nb",
        "hf:owner/re po",
        "https://example.org/",
        "https://example.org/a.bin",
        "https://example.org/.gguf",
        "https://example.org/a%2fb.gguf",
        "https://user@example.org/a.gguf",
        "https://:pw@example.org/a.gguf",
        "ftp://example.org/a.gguf",
        "file:///a.gguf",
        "https://example.org/a b.gguf",
        "https://[fe80::1%25eth0]/a.gguf",
        "https://example.org/a\r\nX: y.gguf",
        "://a.gguf",
    };
    size_t i;

    for (i = 0; i < sizeof cases / sizeof cases[0]; i++)
        if (parse(cases[i]) != DEN_INVALID)
            fail_msg("'%s' was taken", cases[i]);
}

static void only_plain_names_are_safe(void **state)
{
    char longest[256];

    assert_true(den_hub_name_is_safe("Qwen2.5-0.5B_x+y z.gguf"));
    assert_false(den_hub_name_is_safe("a/b"));
    assert_false(den_hub_name_is_safe("a\\b"));
    assert_false(den_hub_name_is_safe(".hidden"));
    assert_false(den_hub_name_is_safe("-option"));
    assert_false(den_hub_name_is_safe("a\x1b[2J"));
    assert_false(den_hub_name_is_safe("\xe2\x80\xae.gguf"));
    assert_false(den_hub_name_is_safe("a "));
    memset(longest, 'a', sizeof longest);
    longest[200] = '\0';
    assert_true(den_hub_name_is_safe(longest));
    longest[200] = 'a', longest[201] = '\0';
    assert_false(den_hub_name_is_safe(longest));
    assert_true(den_hub_path_is_safe("1_Pooling/config.json"));
    assert_false(den_hub_path_is_safe("a/../b"));
    assert_false(den_hub_path_is_safe("/a"));
    assert_false(den_hub_path_is_safe("a/"));
    assert_false(den_hub_path_is_safe("a/b/c/d"));
}

int desk_test_hub_source(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sources_are_read),
        cmocka_unit_test(others_are_refused),
        cmocka_unit_test(only_plain_names_are_safe),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
