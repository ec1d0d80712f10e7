/* Where a model's name leads: catalogue, path, models folder; and what is said when it leads
 * nowhere. */
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "desk/catalogue.h"

static char home[256];

static void touch(const char *name)
{
    struct den_error err = { 0 };
    char path[512];

    snprintf(path, sizeof path, "%s/models/%s", home, name);
    assert_int_equal(den_file_write(path, "x", 1, &err), DEN_OK);
}

static int make_home(void **state)
{
    struct den_error err = { 0 };
    char folder[512];

    snprintf(home, sizeof home, "/tmp/den-catalogue-XXXXXX");
    assert_non_null(mkdtemp(home));
    snprintf(folder, sizeof folder, "%s/models", home);
    assert_int_equal(den_folder_create(folder, &err), DEN_OK);
    setenv("DEN_HOME", home, 1);
    return 0;
}

static const char *resolve(const char *name, struct den_error *err)
{
    static char path[4096];
    struct den_catalogue *catalogue;

    *err = (struct den_error){ 0 };
    assert_int_equal(den_catalogue_create(&catalogue, err), DEN_OK);
    den_catalogue_resolve(catalogue, name, path, sizeof path, err);
    den_catalogue_destroy(catalogue);
    return err->status == DEN_OK ? path : NULL;
}

static void a_known_model_that_is_missing_says_how_to_install_it(void **state)
{
    struct den_error err;

    assert_null(resolve(den_catalogue_default, &err));
    assert_int_equal(err.status, DEN_NOT_FOUND);
    assert_non_null(strstr(err.message, "./run"));
}

static void files_in_the_folder_go_by_their_name(void **state)
{
    struct den_error err;
    const char *path;

    touch("other.gguf");
    touch(".hidden.gguf");
    touch("notes.txt");
    path = resolve("other", &err);
    assert_non_null(path);
    assert_non_null(strstr(path, "/models/other.gguf"));
    assert_non_null(resolve("other.gguf", &err));
    assert_null(resolve(".hidden", &err));
    assert_null(resolve("notes", &err));
}

static void an_unknown_name_lists_what_there_is(void **state)
{
    struct den_error err;

    assert_null(resolve("nothing-like-it", &err));
    assert_non_null(strstr(err.message, "smollm2"));
    assert_non_null(strstr(err.message, "other.gguf"));
}

static void a_path_is_taken_as_it_is(void **state)
{
    struct den_error err;

    assert_string_equal(resolve("/tmp", &err), "/tmp");
}

static void entries_say_what_they_are(void **state)
{
    struct den_error err = { 0 };
    struct den_catalogue *catalogue;
    const struct den_catalogue_entry *first;

    assert_int_equal(den_catalogue_create(&catalogue, &err), DEN_OK);
    first = den_catalogue_at(catalogue, 0);
    assert_string_equal(first->name, den_catalogue_default);
    assert_true(first->in_catalogue && !first->installed);
    assert_string_equal(first->license, "Apache-2.0");
    assert_true(first->bytes > 1000000 && first->parameters > 1000000);
    assert_int_equal(den_catalogue_count(catalogue), 2);
    den_catalogue_destroy(catalogue);
}

int desk_test_catalogue(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_known_model_that_is_missing_says_how_to_install_it),
        cmocka_unit_test(files_in_the_folder_go_by_their_name),
        cmocka_unit_test(an_unknown_name_lists_what_there_is),
        cmocka_unit_test(a_path_is_taken_as_it_is),
        cmocka_unit_test(entries_say_what_they_are),
    };

    return cmocka_run_group_tests(tests, make_home, NULL);
}
