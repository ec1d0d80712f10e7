/* The roster, with workers that only pretend: who gets which model, and what a model that is in use
 * is safe from. */
#include "test.h"

#define FAKE_WORKER_HERE
#include "api/fake_worker.h"

#include "base/file.h"
#include "desk/model_manager.h"
#include "desk/roster.h"

static char home[256];

static void touch(const char *path)
{
    struct den_error err = { 0 };
    char full[512], folder[512];

    snprintf(full, sizeof full, "%s/models/%s", home, path);
    snprintf(folder, sizeof folder, "%s", full);
    *strrchr(folder, '/') = '\0';
    assert_int_equal(den_folder_create(folder, &err), DEN_OK);
    assert_int_equal(den_file_write(full, "x", 1, &err), DEN_OK);
}

static int set_up(void **state)
{
    const struct den_roster_options options = { .memory_bytes = 1 << 30 };
    struct den_error err = { 0 };

    snprintf(home, sizeof home, "/tmp/den-roster-XXXXXX");
    assert_non_null(mkdtemp(home));
    setenv("DEN_HOME", home, 1);
    touch("fake/model.gguf");
    touch("other/model.gguf");
    touch("unasked/model.gguf");
    touch("fake-embed/modules.json");
    return den_roster_create(&options, (struct den_roster **)state, &err) == DEN_OK ? 0 : -1;
}

static int tear_down(void **state)
{
    den_roster_destroy(*state);
    return 0;
}

static struct den_worker *take(struct den_roster *roster, const char *name,
                               enum den_worker_role role, enum den_status expected)
{
    struct den_worker *worker = NULL;
    struct den_error err = { 0 };

    assert_int_equal(den_roster_take(roster, name, role, &worker, &err), expected);
    return worker;
}

static void a_name_leads_to_one_worker_however_it_is_written(void **state)
{
    struct den_worker *one = take(*state, "fake", DEN_WORKER_CHAT, DEN_OK);
    struct den_worker *same = take(*state, "fake:latest", DEN_WORKER_CHAT, DEN_OK);
    struct den_worker *other = take(*state, "other", DEN_WORKER_CHAT, DEN_OK);

    assert_ptr_equal(one, same);
    assert_ptr_not_equal(one, other);
    take(*state, "fake-embed", DEN_WORKER_CHAT, DEN_UNSUPPORTED);
    take(*state, "absent", DEN_WORKER_CHAT, DEN_NOT_FOUND);
    take(*state, "/etc/passwd", DEN_WORKER_CHAT, DEN_NOT_FOUND);
    take(*state, "../models/fake", DEN_WORKER_CHAT, DEN_NOT_FOUND);
    den_roster_give_back(*state, one);
    den_roster_give_back(*state, same);
    den_roster_give_back(*state, other);
}

/* What a client reads says what there is, and nothing of this machine's files. */
static void an_unknown_name_is_told_what_there_is(void **state)
{
    static const char *const names[] = { "absent", "/etc/passwd", "../models/fake",
                                         "absent:latest" };
    struct den_worker *worker = NULL;
    struct den_error err;
    size_t i;

    for (i = 0; i < sizeof names / sizeof names[0]; i++) {
        err = (struct den_error){ 0 };
        assert_int_equal(den_roster_take(*state, names[i], DEN_WORKER_CHAT, &worker, &err),
                         DEN_NOT_FOUND);
        assert_non_null(strstr(err.message, "is not known here"));
        assert_non_null(strstr(err.message, "fake"));
        assert_null(strstr(err.message, "no such file"));
        assert_null(strstr(err.message, "qwen3-8b"));
    }
    err = (struct den_error){ 0 };
    assert_int_equal(den_roster_take(*state, "qwen3-8b", DEN_WORKER_CHAT, &worker, &err),
                     DEN_NOT_FOUND);
    assert_non_null(strstr(err.message, "den pull qwen3-8b"));
    assert_null(strstr(err.message, "is missing"));
}

static void what_is_in_use_is_neither_unloaded_nor_removed(void **state)
{
    struct den_worker *worker = take(*state, "fake", DEN_WORKER_CHAT, DEN_OK);
    struct den_error err = { 0 };

    assert_int_equal(den_roster_unload(*state, "fake", &err), DEN_BUSY);
    err = (struct den_error){ 0 };
    assert_int_equal(den_models_remove(*state, "fake", &err), DEN_IN_USE);
    den_roster_give_back(*state, worker);
    err = (struct den_error){ 0 };
    assert_int_equal(den_roster_unload(*state, "fake", &err), DEN_OK);
    assert_int_equal(den_models_remove(*state, "fake:latest", &err), DEN_OK);
    take(*state, "fake", DEN_WORKER_CHAT, DEN_NOT_FOUND);
    touch("fake/model.gguf"); /* it may come back */
    worker = take(*state, "fake", DEN_WORKER_CHAT, DEN_OK);
    den_roster_give_back(*state, worker);
}

int desk_test_roster(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_name_leads_to_one_worker_however_it_is_written),
        cmocka_unit_test(an_unknown_name_is_told_what_there_is),
        cmocka_unit_test(what_is_in_use_is_neither_unloaded_nor_removed),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
