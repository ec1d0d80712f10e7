/* den models: what is installed, and what Den knows by name. */
#include <stdio.h>

#include "cli/model_options.h"
#include "desk/catalogue.h"

#include "base/json.h"

static json_t *entry_json(const struct den_catalogue_entry *entry)
{
    return json_pack("{s:s, s:s, s:s, s:s, s:I, s:I, s:b, s:s}", "name", entry->name, "title",
                     entry->title, "role", entry->role, "license", entry->license, "parameters",
                     (json_int_t)entry->parameters, "bytes", (json_int_t)entry->bytes, "installed",
                     (int)entry->installed, "path", entry->path);
}

static enum den_status run(const struct den_arguments *arguments, struct den_error *err)
{
    struct den_catalogue *catalogue;
    json_t *list = json_array();
    size_t i;

    if (den_catalogue_create(&catalogue, err) != DEN_OK) {
        json_decref(list);
        return err->status;
    }
    for (i = 0; i < den_catalogue_count(catalogue); i++) {
        const struct den_catalogue_entry *entry = den_catalogue_at(catalogue, i);

        json_array_append_new(list, entry_json(entry));
        if (!den_argument_flag(arguments, "json"))
            printf("%-24s %-14s %8.1f MiB  %-12s %s\n", entry->name,
                   entry->installed ? "installed" : "not installed",
                   (double)entry->bytes / 1048576.0, entry->license, entry->path);
    }
    den_catalogue_destroy(catalogue);
    if (den_argument_flag(arguments, "json"))
        return den_cli_print_json(list, err);
    json_decref(list);
    return DEN_OK;
}

static const struct den_option options[] = { DEN_OPTION_JSON };

const struct den_verb den_verb_models = {
    .name = "models",
    .summary = "list the models that are installed or known by name",
    .operands = "",
    .description = "A model is named by its catalogue name, by a GGUF file or by a Hugging Face "
                   "folder. Files and folders in "
                   "$DEN_HOME/models go by their name.",
    .examples = "den models\n",
    .options = options,
    .option_count = sizeof options / sizeof options[0],
    .run = run,
};
