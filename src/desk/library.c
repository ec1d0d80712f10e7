/* See library.h. */
#include "desk/library.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "desk/documents.h"
#include "desk/ingest.h"
#include "desk/jobs.h"
#include "desk/originals.h"
#include "desk/scratch_folder.h"
#include "desk/watched.h"
#include "store/database.h"

struct den_library {
    struct den_originals *originals;
    struct den_documents *documents;
    struct den_jobs *jobs;
    struct den_ingest *ingest;
    struct den_watched *watched;
};

/* The folder that the database lies in. */
static void find_home(struct den_database *database, char out[DEN_PATH_BYTES_MAX])
{
    const char *path = den_database_path(database), *slash = strrchr(path, '/');

    snprintf(out, DEN_PATH_BYTES_MAX, "%.*s", slash ? (int)(slash - path) : 1, slash ? path : ".");
}

enum den_status den_library_open(const struct den_library_options *options,
                                 struct den_library **out, struct den_error *err)
{
    struct den_library *library = calloc(1, sizeof *library);
    struct den_documents_options documents = { .database = options->database,
                                               .events = options->events };
    struct den_ingest_options ingest = { .database = options->database,
                                         .space = options->space,
                                         .source = den_ingest_source_of(options->roster) };
    struct den_watched_options watched = { .database = options->database };
    char home[DEN_PATH_BYTES_MAX];

    if (!library)
        return den_fail(err, DEN_NO_MEMORY, "library: out of memory");
    find_home(options->database, home);
    ingest.home = home;
    den_scratch_tidy(home);
    if (den_originals_open(home, options->database, &library->originals, err) != DEN_OK)
        goto fail;
    documents.originals = ingest.originals = library->originals;
    if (den_documents_open(&documents, &library->documents, err) != DEN_OK ||
        den_jobs_open(options->database, options->events, &library->jobs, err) != DEN_OK)
        goto fail;
    ingest.documents = library->documents;
    ingest.jobs = library->jobs;
    if (den_ingest_open(&ingest, &library->ingest, err) != DEN_OK)
        goto fail;
    watched.documents = library->documents;
    watched.jobs = library->jobs;
    watched.ingest = library->ingest;
    if (den_watched_open(&watched, &library->watched, err) != DEN_OK)
        goto fail;
    *out = library;
    return DEN_OK;
fail:
    den_library_close(library);
    return err->status;
}

void den_library_close(struct den_library *library)
{
    if (!library)
        return;
    den_watched_close(library->watched);
    den_ingest_close(library->ingest);
    den_jobs_close(library->jobs);
    den_documents_close(library->documents);
    den_originals_close(library->originals);
    free(library);
}

struct den_originals *den_library_originals(const struct den_library *library)
{
    return library->originals;
}

struct den_documents *den_library_documents(const struct den_library *library)
{
    return library->documents;
}

struct den_jobs *den_library_jobs(const struct den_library *library)
{
    return library->jobs;
}

struct den_ingest *den_library_ingest(const struct den_library *library)
{
    return library->ingest;
}

struct den_watched *den_library_watched(const struct den_library *library)
{
    return library->watched;
}
