/* The model manager, with workers that only pretend (test_roster.c defines them): what is listed,
 * which model serves a role, what is known of one that is not there. */
#include "test.h"

#include "api/fake_worker.h"
#include "base/file.h"
#include "desk/model_manager.h"

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

static const json_t *find(const json_t *list, const char *name)
{
    const json_t *model;
    size_t i;

    json_array_foreach(json_object_get(list, "models"), i, model)
    {
        if (strcmp(json_string_value(json_object_get(model, "name")), name) == 0)
            return model;
    }
    return NULL;
}

static const char *text(const json_t *model, const char *key)
{
    return json_string_value(json_object_get(model, key));
}

static void the_list_has_installed_models_first_and_the_catalogue_after(void **state)
{
    struct den_worker *worker = take(*state, "fake", DEN_WORKER_CHAT, DEN_OK);
    struct den_error err = { 0 };
    json_t *list = NULL;

    assert_int_equal(den_models_list(*state, &list, &err), DEN_OK);
    assert_true(json_is_true(
        json_object_get(json_array_get(json_object_get(list, "models"), 0), "installed")));
    assert_string_equal(text(find(list, "fake"), "state"), "ready");
    assert_string_equal(text(find(list, "unasked"), "state"), "asleep");
    assert_string_equal(text(find(list, "fake-embed"), "role"), "embedding");
    assert_string_equal(text(find(list, "qwen3-4b"), "state"), "absent");
    assert_non_null(json_object_get(json_object_get(find(list, "qwen3-4b"), "fit"), "verdict"));
    json_decref(list);
    den_roster_give_back(*state, worker);
}

static void a_role_is_kept_for_the_next_start(void **state)
{
    json_t *change = json_pack("{s:s}", "chat", "other"), *roles = NULL;
    struct den_error err = { 0 };
    char kept[DEN_MODEL_NAME_BYTES_MAX];

    den_models_kept_role(DEN_WORKER_CHAT, kept, sizeof kept);
    assert_string_equal(kept, "");
    assert_int_equal(den_models_set_roles(*state, change, &err), DEN_OK);
    den_models_kept_role(DEN_WORKER_CHAT, kept, sizeof kept);
    assert_string_equal(kept, "other");
    assert_int_equal(den_models_roles(*state, &roles, &err), DEN_OK);
    assert_string_equal(text(roles, "chat"), "other");
    assert_string_equal(text(roles, "embedding"), "fake-embed");
    json_object_set_new(change, "chat", json_string("fake-embed"));
    assert_int_equal(den_models_set_roles(*state, change, &err), DEN_UNSUPPORTED);
    err = (struct den_error){ 0 };
    assert_int_equal(den_models_remove(*state, "other", &err), DEN_OK);
    den_models_kept_role(DEN_WORKER_CHAT, kept, sizeof kept);
    assert_string_equal(kept, "");
    json_decref(roles);
    json_decref(change);
}

static void a_question_about_what_nobody_knows_needs_its_size(void **state)
{
    struct den_models_question question = { .source = "hf:some/body" };
    struct den_error err = { 0 };
    struct den_fit fit = { 0 };

    assert_int_equal(den_models_fit(*state, &question, &fit, &err), DEN_NOT_FOUND);
    err = (struct den_error){ 0 };
    question.bytes = 100 << 20;
    assert_int_equal(den_models_fit(*state, &question, &fit, &err), DEN_OK);
    assert_true(fit.memory_bytes > question.bytes);
    assert_non_null(strstr(fit.why, "guess"));
    question =
        (struct den_models_question){ .source = "hf:Qwen/Qwen3-4B-GGUF:Qwen3-4B-Q4_K_M.gguf" };
    assert_int_equal(den_models_fit(*state, &question, &fit, &err), DEN_OK);
    assert_null(strstr(fit.why, "guess"));
}

int desk_test_model_manager(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_list_has_installed_models_first_and_the_catalogue_after),
        cmocka_unit_test(a_role_is_kept_for_the_next_start),
        cmocka_unit_test(a_question_about_what_nobody_knows_needs_its_size),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
