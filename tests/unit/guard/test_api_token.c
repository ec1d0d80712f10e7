/* The token's file and its comparison. */
#include "test.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "guard/api_token.h"

static char folder[] = P_tmpdir "/den-token-XXXXXX";
static char path[64];

static int make_folder(void **state)
{
    if (!mkdtemp(folder))
        return -1;
    snprintf(path, sizeof path, "%s/token", folder);
    return 0;
}

static int remove_folder(void **state)
{
    unlink(path);
    return rmdir(folder); /* fails if a temporary file was left */
}

static void write_file(const char *text, mode_t mode)
{
    FILE *file;

    unlink(path);
    file = fopen(path, "w");
    fputs(text, file);
    fclose(file);
    chmod(path, mode);
}

static void made_once_and_private(void **state)
{
    char first[DEN_API_TOKEN_LENGTH_MAX + 1], second[DEN_API_TOKEN_LENGTH_MAX + 1];
    struct den_error err = { 0 };
    struct stat info;

    assert_int_equal(den_api_token_load(path, first, &err), DEN_OK);
    assert_int_equal(strlen(first), DEN_API_TOKEN_LENGTH);
    assert_int_equal(strspn(first, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                   "0123456789-_"),
                     DEN_API_TOKEN_LENGTH);
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0600);
    assert_int_equal(den_api_token_load(path, second, &err), DEN_OK);
    assert_string_equal(first, second);
    unlink(path);
    assert_int_equal(den_api_token_load(path, second, &err), DEN_OK);
    assert_string_not_equal(first, second);
}

static void bad_files_are_refused(void **state)
{
    static const struct {
        const char *text;
        mode_t mode;
        enum den_status status;
        const char *part;
    } cases[] = {
        { "a-token-of-twenty-letters\n", 0644, DEN_FORBIDDEN, "chmod 600" },
        { "a-token-of-twenty-letters\n", 0620, DEN_FORBIDDEN, "chmod 600" },
        { "", 0600, DEN_BAD_FILE, "delete it" },
        { "short\n", 0600, DEN_BAD_FILE, "delete it" },
        { "two words are not one token\n", 0600, DEN_BAD_FILE, "delete it" },
        { "a-token-of-twenty-letters\xC3\xA9\n", 0600, DEN_BAD_FILE, "delete it" },
    };
    char out[DEN_API_TOKEN_LENGTH_MAX + 1] = "untouched", large[400];
    struct den_error err;
    size_t i;

    for (i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        err = (struct den_error){ 0 };
        write_file(cases[i].text, cases[i].mode);
        assert_int_equal(den_api_token_load(path, out, &err), cases[i].status);
        assert_non_null(strstr(err.message, cases[i].part));
        assert_string_equal(out, "untouched");
    }
    memset(large, 'a', sizeof large - 1);
    large[sizeof large - 1] = '\0';
    write_file(large, 0600);
    err = (struct den_error){ 0 };
    assert_int_equal(den_api_token_load(path, out, &err), DEN_BAD_FILE);
    err = (struct den_error){ 0 };
    assert_int_equal(den_api_token_load("/nowhere/at/all/token", out, &err), DEN_IO);
    write_file("a-token-of-twenty-letters\r\n", 0600);
    err = (struct den_error){ 0 };
    assert_int_equal(den_api_token_load(path, out, &err), DEN_OK);
    assert_string_equal(out, "a-token-of-twenty-letters");
}

int guard_test_api_token(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(made_once_and_private),
        cmocka_unit_test(bad_files_are_refused),
    };

    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
