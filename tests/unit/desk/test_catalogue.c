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
#include "worker/forecast.h"

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
    assert_non_null(strstr(err.message, "den pull smollm2"));
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
    assert_ptr_equal(den_catalogue_find(catalogue, den_catalogue_default), first);
    assert_null(den_catalogue_find(catalogue, ""));
    assert_null(den_catalogue_find(catalogue, "nothing-like-it"));
    den_catalogue_destroy(catalogue);
}

/* Of each listed model the fit formula can say something before it is there, and `den pull` knows
 * where it is. */
static void every_listed_model_has_a_shape_a_size_and_a_source(void **state)
{
    struct den_error err = { 0 };
    struct den_catalogue *catalogue;
    size_t i;

    assert_int_equal(den_catalogue_create(&catalogue, &err), DEN_OK);
    assert_true(den_catalogue_count(catalogue) > 15);
    for (i = 0; i < den_catalogue_count(catalogue); i++) {
        const struct den_catalogue_entry *entry = den_catalogue_at(catalogue, i);
        struct den_fit_shape shape;
        double matrices;

        if (!entry->in_catalogue)
            continue;
        assert_ptr_equal(den_catalogue_find(catalogue, entry->name), entry);
        assert_int_equal(den_fit_shape_read(entry->shape, &shape, &err), DEN_OK);
        assert_true(entry->bytes > 0 && json_is_array(entry->modalities) && *entry->license);
        assert_true(strncmp(entry->source, "hf:", 3) == 0 ||
                    strncmp(entry->source, "package ", 8) == 0);
        /* 16 bits a parameter at most, and at least 4 */
        matrices = shape.layer_file_bytes + shape.embedding_file_bytes + shape.head_file_bytes;
        assert_true(matrices > (double)entry->parameters / 2);
        assert_true((double)entry->bytes < 4.5 * (double)entry->parameters);
    }
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
        cmocka_unit_test(every_listed_model_has_a_shape_a_size_and_a_source),
    };

    return cmocka_run_group_tests(tests, make_home, NULL);
}
