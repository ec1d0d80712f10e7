/* See desk.h: what the use cases share, made in the order in which each needs the one before. */
#include "desk/desk.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "desk/answers.h"
#include "desk/downloads.h"
#include "desk/events.h"
#include "desk/library.h"
#include "desk/reports.h"
#include "desk/retrieval.h"
#include "store/database.h"

struct den_desk {
    struct den_roster *roster;
    struct den_database *database;
    struct den_events *events;
    struct den_threads *threads;
    struct den_space *space;
    struct den_retrieval *retrieval;
    struct den_library *library;
    struct den_answers *answers;
    struct den_reports *reports;
    struct den_downloads *downloads;
};

/* $DEN_HOME/den.db, in a folder that is there. */
static enum den_status default_database(char *out, size_t capacity, struct den_error *err)
{
    char home[DEN_PATH_BYTES_MAX];

    if (den_path_home(home, sizeof home, err) != DEN_OK || den_folder_create(home, err) != DEN_OK)
        return err->status;
    return den_path_join(out, capacity, home, "den.db", err);
}

/* The models folder is the home's; the list of downloads lies beside the database. */
static enum den_status open_downloads(struct den_desk *desk, const char *database,
                                      struct den_error *err)
{
    char home[DEN_PATH_BYTES_MAX], models[DEN_PATH_BYTES_MAX], folder[DEN_PATH_BYTES_MAX];
    const struct den_downloads_options options = { .models = models,
                                                   .folder = folder,
                                                   .events = desk->events };
    const char *slash = strrchr(database, '/');

    if (den_path_home(home, sizeof home, err) != DEN_OK ||
        den_path_join(models, sizeof models, home, "models", err) != DEN_OK)
        return err->status;
    snprintf(home, sizeof home, "%.*s", slash ? (int)(slash - database) : 1,
             slash ? database : ".");
    if (den_path_join(folder, sizeof folder, home, "downloads", err) != DEN_OK)
        return err->status;
    return den_downloads_open(&options, &desk->downloads, err);
}

/* What finds passages: the index, and the models that embed questions. */
static enum den_status open_retrieval(struct den_desk *desk, struct den_error *err)
{
    const struct den_embed_source source = den_embed_source_of(desk->roster);
    const struct den_rerank_source rerank = den_rerank_source_of(desk->roster);

    if (den_space_open(desk->database, &desk->space, err) != DEN_OK)
        return err->status;
    if (den_retrieval_open(desk->space, &source, &desk->retrieval, err) == DEN_OK)
        den_retrieval_rerank_with(desk->retrieval, &rerank);
    return err->status;
}

static enum den_status open_library(struct den_desk *desk, struct den_error *err)
{
    const struct den_library_options options = { .database = desk->database,
                                                 .events = desk->events,
                                                 .space = desk->space,
                                                 .roster = desk->roster };

    return den_library_open(&options, &desk->library, err);
}

static enum den_status open_reports(struct den_desk *desk, const struct den_answer_source *source,
                                    struct den_error *err)
{
    const struct den_reports_options options = { .database = desk->database,
                                                 .events = desk->events,
                                                 .source = *source };

    return den_reports_open(&options, &desk->reports, err);
}

enum den_status den_desk_create(const struct den_desk_options *options, struct den_desk **out,
                                struct den_error *err)
{
    struct den_desk *desk = calloc(1, sizeof *desk);
    struct den_answer_source source;
    char path[DEN_PATH_BYTES_MAX];

    if (!desk)
        return den_fail(err, DEN_NO_MEMORY, "desk: out of memory");
    if (den_roster_create(&options->roster, &desk->roster, err) != DEN_OK ||
        (!options->database && default_database(path, sizeof path, err) != DEN_OK) ||
        den_database_open(options->database ? options->database : path, &desk->database, err) !=
            DEN_OK ||
        den_events_create(&desk->events, err) != DEN_OK ||
        den_threads_open(desk->database, desk->events, &desk->threads, err) != DEN_OK ||
        open_retrieval(desk, err) != DEN_OK || open_library(desk, err) != DEN_OK)
        goto fail;
    source = den_answer_source_of(desk->roster, desk->retrieval);
    if (den_answers_open(desk->threads, &source, &desk->answers, err) != DEN_OK ||
        open_reports(desk, &source, err) != DEN_OK ||
        open_downloads(desk, options->database ? options->database : path, err) != DEN_OK)
        goto fail;
    *out = desk;
    return DEN_OK;
fail:
    den_desk_destroy(desk);
    return err->status;
}

void den_desk_destroy(struct den_desk *desk)
{
    if (!desk)
        return;
    den_downloads_close(desk->downloads);
    den_reports_close(desk->reports);
    den_answers_close(desk->answers);
    den_library_close(desk->library);
    den_retrieval_close(desk->retrieval);
    den_space_close(desk->space);
    den_threads_close(desk->threads);
    den_events_destroy(desk->events);
    den_database_close(desk->database);
    den_roster_destroy(desk->roster);
    free(desk);
}

struct den_roster *den_desk_roster(const struct den_desk *desk)
{
    return desk->roster;
}

struct den_database *den_desk_database(const struct den_desk *desk)
{
    return desk->database;
}

struct den_threads *den_desk_threads(const struct den_desk *desk)
{
    return desk->threads;
}

struct den_answers *den_desk_answers(const struct den_desk *desk)
{
    return desk->answers;
}

struct den_space *den_desk_space(const struct den_desk *desk)
{
    return desk->space;
}

struct den_library *den_desk_library(const struct den_desk *desk)
{
    return desk->library;
}

struct den_retrieval *den_desk_retrieval(const struct den_desk *desk)
{
    return desk->retrieval;
}

struct den_reports *den_desk_reports(const struct den_desk *desk)
{
    return desk->reports;
}

struct den_downloads *den_desk_downloads(const struct den_desk *desk)
{
    return desk->downloads;
}
