/* den export: all conversations as one JSON file, or one as Markdown; works beside a running den
 * serve. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cli/thread_files.h"
#include "desk/thread_export.h"

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

/* A half-written file is removed: it would look like a whole one. */
static enum den_status run(const struct den_arguments *arguments, struct den_error *err)
{
    const char *path = den_operand_count(arguments) > 0 ? den_operand(arguments, 0) : "-";
    FILE *file;

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
    { .name = "format",
      .kind = DEN_OPTION_TEXT,
      .value = "FORMAT",
      .choices = "json|markdown",
      .fallback = "json",
      .help = "json keeps everything and can be imported; markdown is for reading" },
};

const struct den_verb den_verb_export = {
    .name = "export",
    .summary = "write conversations to a file",
    .operands = "[FILE]",
    .operands_max = 1,
    .description = "Writes all conversations of $DEN_HOME/den.db as JSON to a new file, or to "
                   "standard output without one. Works while den serve runs; what is being "
                   "written at that moment is in the file as far as it has come.",
    .examples = "den export conversations.json\nden export --thread "
                "abc --format markdown talk.md\n",
    .options = options,
    .option_count = sizeof options / sizeof options[0],
    .run = run,
};
