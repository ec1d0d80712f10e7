/* den export: all conversations as one JSON file, one as Markdown, or a workspace with its
 * documents as a file that den import reads; works beside a running den serve. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "cli/home_files.h"
#include "desk/portable.h"
#include "desk/thread_export.h"
#include "desk/workspaces.h"

static bool write_file(void *context, const char *bytes, size_t length)
{
    return fwrite(bytes, 1, length, context) == length;
}

static enum den_status export_one(const struct den_arguments *arguments,
                                  struct den_threads *threads, FILE *file, struct den_error *err)
{
    bool is_json = strcmp(den_argument_text(arguments, "format"), "json") == 0;
    char name[DEN_EXPORT_NAME_BYTES];
    struct den_buffer text;

    den_buffer_init(&text, DEN_EXPORT_BYTES_MAX);
    if (den_thread_export(threads, den_argument_text(arguments, "thread"),
                          is_json ? DEN_EXPORT_JSON : DEN_EXPORT_MARKDOWN, &text, name,
                          err) == DEN_OK &&
        !write_file(file, text.data, text.length))
        den_fail_errno(err, DEN_IO, "the export can't be written");
    den_buffer_deinit(&text);
    return err->status;
}

static enum den_status export_to(const struct den_arguments *arguments, FILE *file,
                                 struct den_error *err)
{
    struct den_cli_threads open;

    if (den_cli_threads_open(&open, err) != DEN_OK)
        return err->status;
    if (den_argument_text(arguments, "thread"))
        export_one(arguments, open.threads, file, err);
    else if (strcmp(den_argument_text(arguments, "format"), "json") != 0)
        den_fail(err, DEN_INVALID,
                 "--format markdown writes one conversation: name it with --thread");
    else
        den_threads_export(open.threads, write_file, file, err);
    den_cli_threads_close(&open);
    return err->status;
}

static enum den_status export_named(struct den_cli_home *home, const char *name, const char *path,
                                    struct den_error *err)
{
    const struct den_portable portable = { .database = home->files.database,
                                           .originals = home->originals,
                                           .threads = home->files.threads };
    json_t *workspace = NULL, *manifest = NULL;

    if (den_workspace_by_name(home->files.threads, name, &workspace, err) == DEN_OK)
        den_workspace_export(&portable, json_string_value(json_object_get(workspace, "id")), path,
                             &manifest, err);
    if (err->status == DEN_OK)
        printf("%s: %lld documents, %lld conversations\n", path,
               (long long)json_integer_value(json_object_get(manifest, "documents")),
               (long long)json_integer_value(json_object_get(manifest, "threads")));
    json_decref(workspace);
    json_decref(manifest);
    return err->status;
}

static enum den_status export_workspace(const struct den_arguments *arguments,
                                        struct den_error *err)
{
    const char *name = den_argument_text(arguments, "workspace"), *path;
    struct den_cli_home home;

    if (den_argument_text(arguments, "thread") || den_argument_given(arguments, "format") ||
        den_operand_count(arguments) == 0)
        return den_fail(err, DEN_INVALID,
                        "--workspace writes a whole workspace: it takes a FILE, and neither "
                        "--thread nor --format");
    path = den_operand(arguments, 0);
    if (den_file_exists(path))
        return den_fail(err, DEN_IN_USE, "%s is there already", path);
    umask(077); /* it is as private as the home */
    if (den_cli_home_open(&home, err) != DEN_OK)
        return err->status;
    export_named(&home, name, path, err);
    den_cli_home_close(&home);
    return err->status;
}

/* A half-written file is removed: it would look like a whole one. */
static enum den_status run(const struct den_arguments *arguments, struct den_error *err)
{
    const char *path = den_operand_count(arguments) > 0 ? den_operand(arguments, 0) : "-";
    FILE *file;

    if (den_argument_text(arguments, "workspace"))
        return export_workspace(arguments, err);
    if (strcmp(path, "-") == 0) {
        if (export_to(arguments, stdout, err) == DEN_OK && fflush(stdout) != 0)
            den_fail_errno(err, DEN_IO, "standard output can't be written");
        return err->status;
    }
    file = fopen(path, "wxe");
    if (!file)
        return den_fail_errno(err, errno == EEXIST ? DEN_IN_USE : DEN_IO, "%s", path);
    export_to(arguments, file, err);
    if (fclose(file) != 0 && err->status == DEN_OK)
        den_fail_errno(err, DEN_IO, "%s can't be written", path);
    if (err->status != DEN_OK)
        remove(path);
    return err->status;
}

static const struct den_option options[] = {
    { .name = "thread",
      .kind = DEN_OPTION_TEXT,
      .value = "ID",
      .help = "only this conversation (its id is in the page's address)" },
    { .name = "workspace",
      .kind = DEN_OPTION_TEXT,
      .value = "NAME",
      .help = "this workspace with its documents, their files and vectors, and its conversations, "
              "for den import" },
    { .name = "format",
      .kind = DEN_OPTION_TEXT,
      .value = "FORMAT",
      .choices = "json|markdown",
      .fallback = "json",
      .help = "json keeps everything and can be imported; markdown is for reading" },
};

const struct den_verb den_verb_export = {
    .name = "export",
    .summary = "write conversations, or a workspace, to a file",
    .operands = "[FILE]",
    .operands_max = 1,
    .description = "Writes all conversations of $DEN_HOME/den.db as JSON to a new file, or to "
                   "standard output without one. Works while den serve runs; what is being "
                   "written at that moment is in the file as far as it has come.",
    .examples = "den export conversations.json\nden export --thread "
                "abc --format markdown talk.md\nden export --workspace House house.den-workspace\n",
    .options = options,
    .option_count = sizeof options / sizeof options[0],
    .run = run,
};
