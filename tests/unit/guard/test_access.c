/* Tokens with scopes, the file they live in, and sessions. */
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "guard/access_parts.h"

static char folder[] = "/tmp/den-access-XXXXXX";
static char path[64];

static const char *bearer(const char *token)
{
    static char text[256];

    snprintf(text, sizeof text, "Bearer %s", token);
    return text;
}

static struct den_access *open_access(const char *master, bool required)
{
    const struct den_access_options options = { .path = path,
                                                .master = master,
                                                .required = required };
    struct den_access *access;
    struct den_error err = { 0 };

    assert_int_equal(den_access_open(&options, &access, &err), DEN_OK);
    return access;
}

/* The scope that is given, or -1. */
static int judge(struct den_access *access, const char *authorization, const char *key,
                 const char *cookie)
{
    const struct den_credentials shown = { authorization, key, cookie };
    enum den_scope scope = DEN_SCOPE_NONE;
    struct den_error err = { 0 };

    if (den_access_judge(access, &shown, &scope, &err) == DEN_OK)
        return (int)scope;
    assert_int_equal(err.status, DEN_UNAUTHORIZED);
    return -1;
}

static struct den_access_token create(struct den_access *access, enum den_scope scope, char *text)
{
    struct den_access_token token;
    struct den_error err = { 0 };

    assert_int_equal(den_access_create(access, "of a test", scope, &token, text, &err), DEN_OK);
    assert_int_equal(strlen(text), DEN_ACCESS_TOKEN_LENGTH);
    return token;
}

static int clean(void **state)
{
    char lock[80];

    snprintf(lock, sizeof lock, "%s.lock", path);
    unlink(path);
    unlink(lock);
    return 0;
}

static int make_folder(void **state)
{
    if (!mkdtemp(folder))
        return -1;
    snprintf(path, sizeof path, "%s/tokens.json", folder);
    return 0;
}

static int remove_folder(void **state)
{
    clean(state);
    return rmdir(folder);
}

static void scopes(void **state)
{
    enum den_scope scope;
    struct den_error err = { 0 };
    int held, needed;

    for (held = DEN_SCOPE_ADMIN; held <= DEN_SCOPE_READ; held++) {
        assert_int_equal(den_scope_read(den_scope_text((enum den_scope)held), &scope, &err),
                         DEN_OK);
        assert_int_equal(scope, held);
        for (needed = DEN_SCOPE_ADMIN; needed <= DEN_SCOPE_NONE; needed++)
            assert_int_equal(den_scope_allows((enum den_scope)held, (enum den_scope)needed),
                             held <= needed);
    }
    assert_int_equal(den_scope_read("none", &scope, &err), DEN_INVALID);
    assert_int_equal(den_scope_read("Admin", &scope, &err), DEN_INVALID);
}

static void tokens_give_their_scope(void **state)
{
    struct den_access *access = open_access("master-of-the-house-1", true);
    char read_text[64], chat_text[64];

    create(access, DEN_SCOPE_READ, read_text);
    create(access, DEN_SCOPE_CHAT, chat_text);
    assert_int_equal(judge(access, bearer("master-of-the-house-1"), NULL, NULL), DEN_SCOPE_ADMIN);
    assert_int_equal(judge(access, bearer(chat_text), NULL, NULL), DEN_SCOPE_CHAT);
    assert_int_equal(judge(access, NULL, chat_text, NULL), DEN_SCOPE_CHAT);
    /* with both headers, the lesser right: a strong key can't be smuggled past a weak one */
    assert_int_equal(judge(access, bearer(read_text), chat_text, NULL), DEN_SCOPE_READ);
    assert_int_equal(judge(access, bearer(chat_text), read_text, NULL), DEN_SCOPE_READ);
    assert_int_equal(judge(access, bearer("wrong-wrong-wrong-wrong"), chat_text, NULL), -1);
    assert_int_equal(judge(access, bearer(chat_text), "wrong", NULL), -1);
    assert_int_equal(judge(access, NULL, NULL, NULL), -1);
    assert_int_equal(judge(access, chat_text, NULL, NULL), -1); /* no "Bearer" */
    assert_int_equal(judge(access, "Basic YWRtaW46YWRtaW4=", NULL, NULL), -1);
    chat_text[20] ^= 1;
    assert_int_equal(judge(access, bearer(chat_text), NULL, NULL), -1);
    chat_text[20] = '\0';
    assert_int_equal(judge(access, bearer(chat_text), NULL, NULL), -1);
    den_access_close(access);
}

static void only_hashes_are_kept(void **state)
{
    struct den_access *access = open_access(NULL, true);
    char text[64], bytes[4096] = "";
    struct stat info;
    FILE *file;

    create(access, DEN_SCOPE_ADMIN, text);
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0600);
    file = fopen(path, "r");
    assert_true(fread(bytes, 1, sizeof bytes - 1, file) > 100);
    fclose(file);
    assert_null(strstr(bytes, text));
    assert_null(strstr(bytes, text + 4));
    assert_non_null(strstr(bytes, "of a test"));
    den_access_close(access);
}

static void where_none_is_required(void **state)
{
    struct den_access *access = open_access(NULL, false);
    char text[64];
    struct den_access_token token = create(access, DEN_SCOPE_READ, text);
    struct den_error err = { 0 };

    assert_int_equal(judge(access, NULL, NULL, NULL), DEN_SCOPE_ADMIN);
    assert_int_equal(judge(access, bearer("none"), NULL, NULL), DEN_SCOPE_ADMIN);
    assert_int_equal(judge(access, "Basic x", NULL, NULL), DEN_SCOPE_ADMIN);
    assert_int_equal(judge(access, bearer(text), NULL, NULL), DEN_SCOPE_READ); /* held to it */
    assert_int_equal(den_access_revoke(access, token.id, &err), DEN_OK);
    assert_int_equal(judge(access, bearer(text), NULL, NULL), -1); /* not merely anybody */
    den_access_close(access);
}

static void two_programs_see_each_other(void **state)
{
    struct den_access *server = open_access(NULL, true), *verb = open_access(NULL, false);
    struct den_access_token first, second, *list;
    char one[64], two[64];
    struct den_error err = { 0 };
    size_t count;

    first = create(verb, DEN_SCOPE_CHAT, one);
    assert_int_equal(judge(server, bearer(one), NULL, NULL), DEN_SCOPE_CHAT);
    second = create(server, DEN_SCOPE_READ, two);
    assert_int_equal(den_access_list(verb, &list, &count, &err), DEN_OK);
    assert_int_equal(count, 2);
    assert_string_equal(list[0].id, first.id);
    assert_true(list[0].created_ms > 1000000000000);
    free(list);
    assert_int_equal(den_access_revoke(verb, first.id, &err), DEN_OK);
    assert_int_equal(judge(server, bearer(one), NULL, NULL), -1);
    assert_int_equal(judge(server, bearer(two), NULL, NULL), DEN_SCOPE_READ);
    assert_int_equal(den_access_revoke(verb, first.id, &err), DEN_NOT_FOUND);
    err = (struct den_error){ 0 };
    assert_int_equal(den_access_list(server, &list, &count, &err), DEN_OK);
    assert_int_equal(count, 1);
    assert_string_equal(list[0].id, second.id);
    assert_true(list[0].last_used_ms >= list[0].created_ms);
    free(list);
    den_access_close(server);
    den_access_close(verb);
}

static void sessions(void **state)
{
    struct den_access *access = open_access("master-of-the-house-1", true);
    char text[64], secret[64], cookie[256], other[256];
    struct den_access_token token = create(access, DEN_SCOPE_CHAT, text);
    struct den_error err = { 0 };
    size_t i;

    assert_int_equal(den_access_login(access, "wrong", secret, &err), DEN_UNAUTHORIZED);
    err = (struct den_error){ 0 };
    assert_int_equal(den_access_login(access, text, secret, &err), DEN_OK);
    snprintf(cookie, sizeof cookie, "theme=dark; den_session=%s; x=y", secret);
    assert_int_equal(judge(access, NULL, NULL, cookie), DEN_SCOPE_CHAT);
    assert_int_equal(judge(access, bearer("wrong"), NULL, cookie), -1); /* what is shown counts */
    assert_int_equal(judge(access, bearer(secret), NULL, NULL), -1);    /* a cookie is no token */
    snprintf(other, sizeof other, "xden_session=%s", secret);
    assert_int_equal(judge(access, NULL, NULL, other), -1);
    snprintf(other, sizeof other, "den_session=%sx", secret);
    assert_int_equal(judge(access, NULL, NULL, other), -1);
    assert_int_equal(judge(access, NULL, NULL, "den_session="), -1);
    assert_int_equal(den_access_revoke(access, token.id, &err), DEN_OK);
    assert_int_equal(judge(access, NULL, NULL, cookie), -1); /* goes with its token */
    assert_int_equal(den_access_login(access, "master-of-the-house-1", secret, &err), DEN_OK);
    snprintf(cookie, sizeof cookie, "den_session=%s", secret);
    assert_int_equal(judge(access, NULL, NULL, cookie), DEN_SCOPE_ADMIN);
    den_access_logout(access, cookie);
    assert_int_equal(judge(access, NULL, NULL, cookie), -1);
    den_access_login(access, "master-of-the-house-1", secret, &err);
    snprintf(cookie, sizeof cookie, "den_session=%s", secret);
    for (i = 0; i < DEN_SESSIONS_MAX; i++) /* the oldest makes room */
        assert_int_equal(den_access_login(access, "master-of-the-house-1", secret, &err), DEN_OK);
    assert_int_equal(judge(access, NULL, NULL, cookie), -1);
    den_access_close(access);
}

static void names_are_checked(void **state)
{
    struct den_access *access = open_access(NULL, true);
    struct den_access_token token;
    char text[64], longest[DEN_TOKEN_NAME_BYTES_MAX + 2];
    struct den_error err = { 0 };

    memset(longest, 'n', sizeof longest);
    longest[sizeof longest - 1] = '\0';
    assert_int_equal(den_access_create(access, "", DEN_SCOPE_READ, &token, text, &err),
                     DEN_INVALID);
    assert_int_equal(den_access_create(access, longest, DEN_SCOPE_READ, &token, text, &err),
                     DEN_INVALID);
    assert_int_equal(den_access_create(access, "\xff", DEN_SCOPE_READ, &token, text, &err),
                     DEN_INVALID);
    err = (struct den_error){ 0 };
    longest[DEN_TOKEN_NAME_BYTES_MAX] = '\0';
    assert_int_equal(den_access_create(access, longest, DEN_SCOPE_READ, &token, text, &err),
                     DEN_OK);
    assert_string_equal(token.name, longest);
    den_access_close(access);
}

static void write_file(const char *content, mode_t mode)
{
    FILE *file = fopen(path, "w");

    fputs(content, file);
    fclose(file);
    chmod(path, mode);
}

static void bad_files(void **state)
{
    static const char hash[] = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";
    static const char *const bad[] = {
        "",
        "[]",
        "{\"tokens\": 3}",
        "{\"tokens\": [3]}",
        "{\"tokens\": [{}]}",
        "{\"tokens\": [{\"id\": \"abcdefghijkl\", \"scope\": \"root\", \"sha256\": \"%s\"}]}",
        "{\"tokens\": [{\"id\": \"abc\", \"scope\": \"read\", \"sha256\": \"%s\"}]}",
        "{\"tokens\": [{\"id\": \"abcdefghijkl\", \"scope\": \"read\", \"sha256\": \"%s0\"}]}",
        "{\"tokens\": [{\"id\": \"abcdefghijkl\", \"scope\": \"read\", \"sha256\": \"\"}]}",
        "{\"tokens\": [{\"id\": \"abcdefghijkl\", \"scope\": \"read\", \"sha256\": \"%s\", "
        "\"created\": -1}]}",
    };
    const struct den_access_options options = { .path = path };
    struct den_access *access = NULL;
    char text[512];
    size_t i;

    for (i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct den_error err = { 0 };

        snprintf(text, sizeof text, bad[i], hash);
        write_file(text, 0600);
        assert_int_equal(den_access_open(&options, &access, &err), DEN_BAD_FILE);
        assert_non_null(strstr(err.message, path));
    }
    snprintf(text, sizeof text,
             "{\"tokens\": [{\"id\": \"abcdefghijkl\", \"name\": \"n\", \"scope\": \"read\", "
             "\"sha256\": \"%s\"}]}",
             hash);
    write_file(text, 0644);
    {
        struct den_error err = { 0 };

        assert_int_equal(den_access_open(&options, &access, &err), DEN_FORBIDDEN);
        assert_non_null(strstr(err.message, "chmod 600"));
        err = (struct den_error){ 0 };
        chmod(path, 0600);
        assert_int_equal(den_access_open(&options, &access, &err), DEN_OK);
        write_file("broken", 0600); /* under a running server: no token is valid any more */
        assert_int_equal(judge(access, bearer("den_x"), NULL, NULL), -1);
        den_access_close(access);
    }
}

int guard_test_access(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scopes),
        cmocka_unit_test_teardown(tokens_give_their_scope, clean),
        cmocka_unit_test_teardown(only_hashes_are_kept, clean),
        cmocka_unit_test_teardown(where_none_is_required, clean),
        cmocka_unit_test_teardown(two_programs_see_each_other, clean),
        cmocka_unit_test_teardown(sessions, clean),
        cmocka_unit_test_teardown(names_are_checked, clean),
        cmocka_unit_test_teardown(bad_files, clean),
    };

    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
