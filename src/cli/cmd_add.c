/* den add: files, folders and web pages into the library, and how far it is.
 *
 * The verb works on the database itself. Where den serve is running on it, that one does the work
 * and this only waits and shows; else it is done here. Either way the job is in the database: what
 * Ctrl-C leaves goes on when Den runs the next time. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/json.h"
#include "cli/model_options.h"
#include "cli/thread_files.h"
#include "desk/ingest.h"
#include "desk/jobs.h"
#include "desk/library.h"
#include "desk/model_manager.h"
#include "desk/watched.h"
#include "desk/workspaces.h"
#include "space/space.h"

enum { LOOK_MS = 250, PLAIN_TICKS = 20 };

struct adding {
    const struct den_arguments *arguments;
    struct den_cli_threads files;
    struct den_roster *roster;
    struct den_space *space;
    struct den_library *library;
    json_t *workspace; /* id; NULL: none */
    long long missing; /* operands that are not there */
    bool is_terminal, is_json;
};

/* --- the pieces --- */

static enum den_status open_library(struct adding *adding, struct den_error *err)
{
    char kept[DEN_MODEL_NAME_BYTES_MAX];
    struct den_roster_options roster = { 0 };
    struct den_library_options library = { 0 };

    if (den_cli_threads_open(&adding->files, err) != DEN_OK)
        return err->status;
    den_models_kept_role(DEN_WORKER_EMBEDDING, kept, sizeof kept);
    roster.embedding_model = *kept ? kept : NULL;
    if (den_roster_create(&roster, &adding->roster, err) != DEN_OK ||
        den_space_open(adding->files.database, &adding->space, err) != DEN_OK)
        return err->status;
    library.database = adding->files.database;
    library.space = adding->space;
    library.roster = adding->roster;
    return den_library_open(&library, &adding->library, err);
}

static void close_library(struct adding *adding)
{
    den_library_close(adding->library);
    den_space_close(adding->space);
    den_roster_destroy(adding->roster);
    den_cli_threads_close(&adding->files);
    json_decref(adding->workspace);
}

/* By name; one that is not there is made. */
static enum den_status find_workspace(struct adding *adding, struct den_error *err)
{
    const char *name = den_argument_text(adding->arguments, "workspace");
    json_t *workspace = NULL, *fields;
    bool existed;

    if (!name)
        return DEN_OK;
    if (den_workspace_by_name(adding->files.threads, name, &workspace, err) == DEN_NOT_FOUND) {
        *err = (struct den_error){ 0 };
        fields = json_pack("{s:s}", "name", name);
        if (!fields)
            return den_fail(err, DEN_INVALID, "the workspace's name is not valid UTF-8");
        den_workspace_create(adding->files.threads, fields, &workspace, &existed, err);
        json_decref(fields);
    }
    if (err->status == DEN_OK)
        adding->workspace = json_incref(json_object_get(workspace, "id"));
    json_decref(workspace);
    return err->status;
}

/* --- asking for it --- */

static json_t *make_fields(const struct adding *adding)
{
    const char *const *tags;
    const size_t count = den_argument_all(adding->arguments, "tag", &tags);
    json_t *fields = json_object(), *list = json_array();
    size_t i;

    for (i = 0; i < count; i++)
        json_array_append_new(list, json_string(tags[i]));
    if (count > 0)
        json_object_set(fields, "tags", list);
    json_decref(list);
    if (adding->workspace)
        json_object_set(fields, "workspace", adding->workspace);
    return fields;
}

static bool is_web(const char *operand)
{
    return strncmp(operand, "http://", 7) == 0 || strncmp(operand, "https://", 8) == 0;
}

static void note_job(json_t *jobs, json_t *added)
{
    json_array_append(jobs, json_object_get(json_object_get(added, "job"), "id"));
    json_decref(added);
}

static enum den_status add_paths(struct adding *adding, json_t *paths, json_t *jobs,
                                 struct den_error *err)
{
    json_t *fields, *added = NULL;

    if (json_array_size(paths) == 0)
        return DEN_OK;
    fields = make_fields(adding);
    json_object_set(fields, "paths", paths);
    if (den_ingest_add_paths(den_library_ingest(adding->library), fields, &added, err) == DEN_OK)
        note_job(jobs, added);
    json_decref(fields);
    return err->status;
}

static enum den_status add_page(struct adding *adding, const char *address, json_t *jobs,
                                struct den_error *err)
{
    json_t *fields = make_fields(adding), *added = NULL;

    json_object_set_new(fields, "address", json_string(address));
    if (den_ingest_add_web(den_library_ingest(adding->library), fields, &added, err) == DEN_OK)
        note_job(jobs, added);
    json_decref(fields);
    return err->status;
}

static enum den_status watch_folder(struct adding *adding, const char *path, struct den_error *err)
{
    json_t *fields = make_fields(adding), *folder = NULL;
    bool existed;

    json_object_del(fields, "tags");
    json_object_set_new(fields, "path", json_string(path));
    if (den_watched_add(den_library_watched(adding->library), fields, &folder, &existed, err) ==
            DEN_OK &&
        !adding->is_json)
        printf("%s is watched%s\n", path,
               existed ? " already" : ": den serve keeps it up to date from now on");
    json_decref(folder);
    json_decref(fields);
    return err->status;
}

/* Documents whose readers have learned something since they were read. */
static enum den_status read_again(struct adding *adding, json_t *jobs, struct den_error *err)
{
    json_t *fields = json_object(), *added = NULL;

    if (den_ingest_read_again(den_library_ingest(adding->library), fields, &added, err) == DEN_OK) {
        if (json_is_object(json_object_get(added, "job")))
            json_array_append(jobs, json_object_get(json_object_get(added, "job"), "id"));
        else if (!adding->is_json)
            puts("nothing to read again: this Den would find no more in any document");
    }
    json_decref(added);
    json_decref(fields);
    return err->status;
}

/* The rest is added all the same. */
static void note_missing(struct adding *adding, const char *operand)
{
    fprintf(stderr, "den: %.500s: %s\n", operand, strerror(errno));
    adding->missing++;
}

/* The jobs' ids. */
static enum den_status ask(struct adding *adding, json_t *jobs, struct den_error *err)
{
    const bool again = den_argument_flag(adding->arguments, "again");
    json_t *paths = json_array();
    size_t i;

    if (again)
        read_again(adding, jobs, err);
    else if (den_operand_count(adding->arguments) == 0)
        den_fail(err, DEN_INVALID, "what is to be added? Name files, folders or addresses");
    for (i = 0; i < den_operand_count(adding->arguments) && err->status == DEN_OK; i++) {
        const char *operand = den_operand(adding->arguments, i);
        char *whole;

        if (is_web(operand)) {
            add_page(adding, operand, jobs, err);
            continue;
        }
        whole = realpath(operand, NULL);
        if (!whole)
            note_missing(adding, operand);
        else if (den_argument_flag(adding->arguments, "watch"))
            watch_folder(adding, whole, err);
        else if (json_array_append_new(paths, json_string(whole)) != 0)
            den_fail(err, DEN_INVALID, "the name of %.500s is not valid UTF-8", operand);
        free(whole);
    }
    if (err->status == DEN_OK)
        add_paths(adding, paths, jobs, err);
    if (err->status == DEN_OK && adding->missing > 0 && json_array_size(jobs) == 0)
        den_fail(err, DEN_NOT_FOUND, "none of it is there");
    json_decref(paths);
    return err->status;
}

/* --- waiting for it --- */

static long long number_of(const json_t *job, const char *key)
{
    return (long long)json_integer_value(json_object_get(job, key));
}

static void show(const struct adding *adding, const json_t *job)
{
    const long long left = number_of(job, "seconds_left");

    fprintf(stderr, "%s%lld of %lld files, %lld passed over, %lld failed, %.1f files/s",
            adding->is_terminal ? "\r\033[K" : "", number_of(job, "done"), number_of(job, "total"),
            number_of(job, "skipped"), number_of(job, "failed"),
            json_number_value(json_object_get(job, "files_per_s")));
    if (left > 0)
        fprintf(stderr, ", %lld:%02lld left", left / 60, left % 60);
    fputs(adding->is_terminal ? "" : "\n", stderr);
}

static bool has_ended(const json_t *job)
{
    return json_is_integer(json_object_get(job, "ended"));
}

/* *out: the job with its tasks, ended; DEN_CANCELLED by Ctrl-C. */
static enum den_status wait_for(struct adding *adding, const char *id, json_t **out,
                                struct den_error *err)
{
    size_t tick;

    for (tick = 0;; tick++) {
        json_t *job = NULL;

        if (den_job_get(den_library_jobs(adding->library), id, &job, err) != DEN_OK)
            return err->status;
        if (has_ended(job)) {
            if (adding->is_terminal)
                fputs("\r\033[K", stderr);
            *out = job;
            return DEN_OK;
        }
        if (adding->is_terminal || (!adding->is_json && tick % PLAIN_TICKS == PLAIN_TICKS - 1))
            show(adding, job);
        json_decref(job);
        if (atomic_load(den_cli_interrupted()))
            return den_fail(err, DEN_CANCELLED,
                            "stopped waiting; what is left goes on when Den runs, and den serve "
                            "shows it");
        usleep(LOOK_MS * 1000);
    }
}

static void print_reason(const char *name, const char *why)
{
    if (why && name && strncmp(why, name, strlen(name)) == 0)
        printf("  %s\n", why);
    else
        printf("  %s: %s\n", name ? name : "?", why ? why : "failed");
}

static void print_failures(const json_t *job)
{
    const json_t *task;
    size_t i;

    json_array_foreach(json_object_get(job, "tasks"), i, task)
    {
        print_reason(json_string_value(json_object_get(task, "name")),
                     json_string_value(json_object_get(json_object_get(task, "error"), "message")));
    }
}

/* What was passed over, by name: `count` of them, not all of which the job names. */
static void print_passed(const json_t *job, bool has_error, long long count)
{
    const json_t *tasks = json_object_get(json_object_get(job, "passed_over"), "tasks"), *task;
    size_t i;

    json_array_foreach(tasks, i, task)
    {
        const json_t *error = json_object_get(task, "error");
        const char *name = json_string_value(json_object_get(task, "name"));
        const char *kept_as = json_string_value(json_object_get(task, "kept_as"));

        if (json_is_object(error) != has_error)
            continue;
        count--;
        if (has_error)
            print_reason(name, json_string_value(json_object_get(error, "message")));
        else if (kept_as && name && strcmp(kept_as, name) != 0)
            printf("  %s: is there already, as %s\n", name, kept_as);
        else
            printf("  %s: is there already\n", name ? name : "?");
    }
    if (count > 0)
        printf("  and %lld more that %s\n", count,
               has_error ? "no reader knows" : "are there already");
}

static void print_job(const json_t *job)
{
    const char *error = json_string_value(json_object_get(job, "error"));
    const json_t *passed = json_object_get(job, "passed_over");
    const long long there = number_of(passed, "there"), unknown = number_of(passed, "unknown");

    printf("%lld added, %lld there already, %lld of no known format, %lld failed\n",
           number_of(job, "done"), there, unknown, number_of(job, "failed"));
    if (error)
        printf("  %s\n", error);
    print_passed(job, false, there);
    print_passed(job, true, unknown);
    print_failures(job);
}

static enum den_status wait_for_all(struct adding *adding, const json_t *jobs, json_t *ended,
                                    struct den_error *err)
{
    long long failed = adding->missing;
    const json_t *id;
    size_t i;

    json_array_foreach(jobs, i, id)
    {
        json_t *job = NULL;

        if (wait_for(adding, json_string_value(id), &job, err) != DEN_OK)
            return err->status;
        failed += number_of(job, "failed") + (json_is_null(json_object_get(job, "error")) ? 0 : 1);
        if (!adding->is_json)
            print_job(job);
        json_array_append_new(ended, job);
    }
    if (adding->is_json)
        den_cli_print_json(json_incref(ended), err);
    if (failed > 0)
        return den_fail(err, DEN_BAD_FILE, "%lld of them could not be added", failed);
    return DEN_OK;
}

static enum den_status run(const struct den_arguments *arguments, struct den_error *err)
{
    struct adding adding = { .arguments = arguments,
                             .is_json = den_argument_flag(arguments, "json") };
    json_t *jobs = json_array(), *ended = json_array();

    adding.is_terminal = !adding.is_json && isatty(STDERR_FILENO);
    den_cli_catch_interrupt();
    if (open_library(&adding, err) == DEN_OK && find_workspace(&adding, err) == DEN_OK &&
        ask(&adding, jobs, err) == DEN_OK)
        wait_for_all(&adding, jobs, ended, err);
    json_decref(jobs);
    json_decref(ended);
    close_library(&adding);
    return err->status;
}

static const struct den_option options[] = {
    { .name = "workspace",
      .letter = 'w',
      .kind = DEN_OPTION_TEXT,
      .value = "NAME",
      .help = "put the documents into this workspace, which is made if it is not there" },
    { .name = "tag",
      .kind = DEN_OPTION_TEXT,
      .value = "TAG",
      .help = "mark the documents with this word; may be given several times" },
    { .name = "watch",
      .kind = DEN_OPTION_FLAG,
      .help = "keep the folders in the library as they are on the disk, from now on" },
    { .name = "again",
      .kind = DEN_OPTION_FLAG,
      .help = "read documents again of which this version of Den finds more than the one that read "
              "them, as after an upgrade" },
    DEN_OPTION_JSON,
};

const struct den_verb den_verb_add = {
    .name = "add",
    .summary = "read files, folders and web pages into the library",
    .operands = "[PATH|ADDRESS...]",
    .operands_min = 0,
    .operands_max = -1,
    .description =
        "Copies each file to $DEN_HOME/originals, reads it in a sandbox and makes its passages "
        "findable by words and by meaning. Folders are looked through with all that is in them; "
        "hidden files and links are left out. A file whose bytes are there already is not read "
        "again. A file that can't be read is named at the end and does not stop the rest.\n\n"
        "Works while den serve runs, which then does the work; Ctrl-C ends only the waiting.",
    .examples = "den add ~/Documents/house --workspace House\n"
                "den add --tag tax 2024.pdf letters/*.docx\n"
                "den add https://example.org/handbook.html\n"
                "den add --watch ~/Notes --workspace Notes\n"
                "den add --again\n",
    .options = options,
    .option_count = sizeof options / sizeof options[0],
    .run = run,
};
