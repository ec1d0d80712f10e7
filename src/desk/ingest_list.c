/* Listing: from the paths that a job names to its tasks, one for each file.
 *
 * Tasks are written in batches, so that neither memory nor a transaction grows with the number of
 * files; none is run before the list is complete, so that a listing that was interrupted is simply
 * begun again. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "desk/folder_walk.h"
#include "desk/ingest_parts.h"

struct found {
    char *path, *name;
    uint64_t bytes;
};

struct listing {
    struct den_ingest *ingest;
    struct den_task *task;
    const char *folder; /* the name of the one that is looked through */
    struct found batch[DEN_TASK_BATCH];
    size_t count, total;
};

/* --- writing --- */

static void clear(struct listing *listing)
{
    size_t i;

    for (i = 0; i < listing->count; i++) {
        free(listing->batch[i].path);
        free(listing->batch[i].name);
    }
    listing->count = 0;
}

static enum den_status flush(struct listing *listing, struct den_error *err)
{
    struct den_connection *connection;
    size_t i;

    if (err->status != DEN_OK || listing->count == 0 ||
        den_database_write(listing->ingest->database, &connection, err) != DEN_OK)
        return err->status;
    for (i = 0; i < listing->count; i++) {
        const struct den_task_row row = { .job = listing->task->job,
                                          .name = listing->batch[i].name,
                                          .address = listing->batch[i].path,
                                          .bytes = listing->batch[i].bytes };

        den_task_add(connection, &row, err);
    }
    den_connection_end(connection, err);
    clear(listing);
    den_jobs_changed(listing->ingest->jobs, listing->task->job);
    return err->status;
}

static enum den_status add_file(struct listing *listing, const char *path, const char *name,
                                uint64_t bytes, struct den_error *err)
{
    struct found *found = &listing->batch[listing->count];

    if (listing->total == DEN_JOB_TASKS_MAX)
        return den_fail(err, DEN_TOO_LARGE, "there are more than %d files; add a part of them",
                        DEN_JOB_TASKS_MAX);
    found->path = strdup(path);
    found->name = strdup(name);
    found->bytes = bytes;
    listing->count++;
    listing->total++;
    if (!found->path || !found->name)
        return den_fail(err, DEN_NO_MEMORY, "documents: out of memory");
    return listing->count == DEN_TASK_BATCH ? flush(listing, err) : DEN_OK;
}

/* --- looking --- */

static enum den_status take_file(void *context, const char *path, const char *below,
                                 const struct stat *info, struct den_error *err)
{
    struct listing *listing = context;
    char name[DEN_PATH_BYTES_MAX];

    if (snprintf(name, sizeof name, "%s/%s", listing->folder, below) >= (int)sizeof name)
        return DEN_OK;
    return add_file(listing, path, name, (uint64_t)info->st_size, err);
}

static enum den_status look_at_given(struct listing *listing, const char *given,
                                     struct den_error *err)
{
    const struct den_folder_walk walk = { .context = listing,
                                          .file = take_file,
                                          .cancel = &listing->task->cancel,
                                          .home_device = listing->ingest->home_device,
                                          .home_inode = listing->ingest->home_inode };
    char path[DEN_PATH_BYTES_MAX];
    const char *slash;
    struct stat info;
    size_t length;

    snprintf(path, sizeof path, "%s", given);
    for (length = strlen(path); length > 1 && path[length - 1] == '/'; length--)
        path[length - 1] = '\0';
    slash = strrchr(path, '/');
    if (stat(path, &info) != 0)
        return den_fail_errno(err, DEN_NOT_FOUND, "%.500s", path);
    if (!S_ISDIR(info.st_mode))
        return add_file(listing, path, slash ? slash + 1 : path, (uint64_t)info.st_size, err);
    listing->folder = slash && slash[1] ? slash + 1 : "files";
    return den_folder_walk(path, &walk, err);
}

static void conclude(struct listing *listing, const struct den_error *result)
{
    struct den_connection *connection;
    struct den_error err = { 0 };

    if (den_database_write(listing->ingest->database, &connection, &err) != DEN_OK)
        return;                   /* it is listed again at the next start */
    if (result->status != DEN_OK) /* all of the list or nothing */
        den_execute(connection, &err, "DELETE FROM tasks WHERE job = ?", "i", listing->task->job);
    den_job_listed(connection, listing->task->job, result, &err);
    den_connection_end(connection, &err);
}

void den_ingest_list(struct den_ingest *ingest, struct den_task *task)
{
    const json_t *paths = json_object_get(task->fields, "paths"), *path;
    struct listing *listing = calloc(1, sizeof *listing);
    struct den_error err = { 0 };
    size_t i;

    if (!listing)
        return;
    listing->ingest = ingest;
    listing->task = task;
    json_array_foreach(paths, i, path)
    {
        if (err.status == DEN_OK && json_is_string(path))
            look_at_given(listing, json_string_value(path), &err);
    }
    flush(listing, &err);
    clear(listing);
    if (!atomic_load(&task->cancel))
        conclude(listing, &err);
    free(listing);
}
