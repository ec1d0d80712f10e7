/* den import: conversations and workspaces from files; works beside a running den serve. */
#include <stdio.h>

#include "base/file.h"
#include "base/json.h"
#include "cli/home_files.h"
#include "cli/model_options.h"
#include "desk/portable.h"
#include "desk/thread_import.h"

static void print_counts(const char *path, const json_t *counts)
{
    const json_t *skipped = json_object_get(counts, "skipped"), *item;
    size_t i;

    printf("%s: %lld conversations with %lld messages\n", path,
           (long long)json_integer_value(json_object_get(counts, "threads")),
           (long long)json_integer_value(json_object_get(counts, "messages")));
    json_array_foreach(skipped, i, item)
    {
        printf("  skipped number %lld: %s\n",
               (long long)json_integer_value(json_object_get(item, "index")) + 1,
               json_string_value(json_object_get(item, "why")));
    }
}

static enum den_status import_file(struct den_threads *threads, const char *path, json_t **out,
                                   struct den_error *err)
{
    struct den_map map;

    if (den_map_open(&map, path, err) != DEN_OK)
        return err->status;
    if (den_threads_import(threads, (const char *)map.data, map.bytes, out, err) != DEN_OK)
        den_fail_at(err, "%s", path);
    den_map_close(&map);
    return err->status;
}

static void print_workspace(const char *path, const json_t *counts)
{
    const json_t *workspace = json_object_get(counts, "workspace");

    printf("%s: workspace '%s' with %lld documents (%lld were there) and %lld conversations\n",
           path, json_string_value(json_object_get(workspace, "name")),
           (long long)json_integer_value(json_object_get(counts, "documents")),
           (long long)json_integer_value(json_object_get(counts, "linked")),
           (long long)json_integer_value(json_object_get(counts, "threads")));
    if (json_integer_value(json_object_get(counts, "waiting")) > 0)
        printf("  %lld documents wait to be read or embedded: den serve does it\n",
               (long long)json_integer_value(json_object_get(counts, "waiting")));
}

static enum den_status import_workspace(const char *path, json_t **out, struct den_error *err)
{
    struct den_portable portable = { 0 };
    struct den_cli_home home;

    if (den_cli_home_open(&home, err) != DEN_OK)
        return err->status;
    portable.database = home.files.database;
    portable.originals = home.originals;
    if (den_workspace_import(&portable, path, out, err) != DEN_OK)
        den_fail_at(err, "%s", path);
    den_cli_home_close(&home);
    return err->status;
}

static enum den_status import_threads(const char *path, json_t **out, struct den_error *err)
{
    struct den_cli_threads open;

    if (den_cli_threads_open(&open, err) != DEN_OK)
        return err->status;
    import_file(open.threads, path, out, err);
    den_cli_threads_close(&open);
    return err->status;
}

static enum den_status run(const struct den_arguments *arguments, struct den_error *err)
{
    bool as_json = den_argument_flag(arguments, "json");
    json_t *all = json_object(), *counts = NULL;
    size_t i;

    for (i = 0; i < den_operand_count(arguments); i++) {
        const char *path = den_operand(arguments, i);
        const bool is_workspace = den_portable_is(path);

        if ((is_workspace ? import_workspace(path, &counts, err)
                          : import_threads(path, &counts, err)) != DEN_OK)
            break;
        if (!as_json)
            (is_workspace ? print_workspace : print_counts)(path, counts);
        json_object_set_new(all, path, counts);
    }
    if (err->status == DEN_OK && as_json)
        return den_cli_print_json(all, err);
    json_decref(all);
    return err->status;
}

static const struct den_option options[] = { DEN_OPTION_JSON };

const struct den_verb den_verb_import = {
    .name = "import",
    .summary = "read conversations and workspaces from files",
    .operands = "FILE...",
    .operands_min = 1,
    .operands_max = -1,
    .description =
        "Reads Den's own exports, OpenAI's conversations.json and Open WebUI's chat "
        "exports into $DEN_HOME/den.db. A conversation that is there already, or can't "
        "be read, is skipped with its reason. A file of den export --workspace brings the "
        "workspace with its documents, all of it or nothing. Works while den serve "
        "runs.",
    .examples = "den import conversations.json\nden import house.den-workspace\n",
    .options = options,
    .option_count = sizeof options / sizeof options[0],
    .run = run,
};
