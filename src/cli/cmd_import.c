/* den import: conversations from files; works beside a running den serve. */
#include <stdio.h>

#include "base/file.h"
#include "base/json.h"
#include "cli/thread_files.h"
#include "cli/model_options.h"
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

static enum den_status run(const struct den_arguments *arguments, struct den_error *err)
{
    bool as_json = den_argument_flag(arguments, "json");
    json_t *all = json_object(), *counts = NULL;
    struct den_cli_threads open;
    size_t i;

    if (den_cli_threads_open(&open, err) == DEN_OK) {
        for (i = 0; i < den_operand_count(arguments); i++) {
            const char *path = den_operand(arguments, i);

            if (import_file(open.threads, path, &counts, err) != DEN_OK)
                break;
            if (!as_json)
                print_counts(path, counts);
            json_object_set_new(all, path, counts);
        }
        den_cli_threads_close(&open);
    }
    if (err->status == DEN_OK && as_json)
        return den_cli_print_json(all, err);
    json_decref(all);
    return err->status;
}

static const struct den_option options[] = { DEN_OPTION_JSON };

const struct den_verb den_verb_import = {
    .name = "import",
    .summary = "read conversations from files of Den and other programs",
    .operands = "FILE...",
    .operands_min = 1,
    .operands_max = -1,
    .description = "Reads Den's own exports, OpenAI's conversations.json and Open WebUI's chat "
                   "exports into $DEN_HOME/den.db. A conversation that is there already, or can't "
                   "be read, is skipped with its reason. Works while den serve runs.",
    .examples = "den import conversations.json\n",
    .options = options,
    .option_count = sizeof options / sizeof options[0],
    .run = run,
};
