/* den backup: everything that was made with Den as one file; works beside a running den serve. */
#include <stdio.h>
#include <sys/stat.h>

#include "base/file.h"
#include "cli/home_files.h"
#include "cli/model_options.h"
#include "desk/backup.h"

static void print(const char *path, const json_t *manifest)
{
    printf("%s: %lld documents with %.1f MiB of files, %lld conversations\n", path,
           (long long)json_integer_value(json_object_get(manifest, "documents")),
           (double)json_integer_value(json_object_get(manifest, "originals_bytes")) / 1048576.0,
           (long long)json_integer_value(json_object_get(manifest, "threads")));
}

static enum den_status run(const struct den_arguments *arguments, struct den_error *err)
{
    const char *path = den_operand(arguments, 0);
    struct den_backup backup = { 0 };
    struct den_cli_home home;
    json_t *manifest = NULL;

    if (den_file_exists(path))
        return den_fail(err, DEN_IN_USE, "%s is there already; a backup replaces no file", path);
    umask(077); /* it is as private as the home */
    if (den_cli_home_open(&home, err) != DEN_OK)
        return err->status;
    backup.database = home.files.database;
    backup.originals = home.originals;
    den_backup_write(&backup, path, &manifest, err);
    den_cli_home_close(&home);
    if (err->status != DEN_OK)
        return err->status;
    if (den_argument_flag(arguments, "json"))
        return den_cli_print_json(manifest, err);
    print(path, manifest);
    json_decref(manifest);
    return DEN_OK;
}

static const struct den_option options[] = { DEN_OPTION_JSON };

const struct den_verb den_verb_backup = {
    .name = "backup",
    .summary = "write everything but models to one file",
    .operands = "FILE",
    .operands_min = 1,
    .operands_max = 1,
    .description = "Writes the conversations, workspaces, documents with their files, what was "
                   "read from them, and settings of $DEN_HOME to a new file, as they are at one "
                   "moment, while den serve runs or not. The file is whole, checked and flushed "
                   "when it has its name. Models and API tokens are not in it; it is not "
                   "encrypted.",
    .examples = "den backup ~/den-monday.den-backup\n",
    .options = options,
    .option_count = sizeof options / sizeof options[0],
    .run = run,
};
