/* See desk.h. */
#include "desk/desk.h"

#include <stdlib.h>

#include "base/file.h"
#include "desk/answers.h"
#include "desk/events.h"
#include "desk/threads.h"
#include "store/database.h"

struct den_desk {
    struct den_roster *roster;
    struct den_database *database;
    struct den_events *events;
    struct den_threads *threads;
    struct den_answers *answers;
};

static enum den_status open_database(const char *given, struct den_database **out,
                                     struct den_error *err)
{
    char home[DEN_PATH_BYTES_MAX], path[DEN_PATH_BYTES_MAX];

    if (given)
        return den_database_open(given, out, err);
    if (den_path_home(home, sizeof home, err) != DEN_OK || den_folder_create(home, err) != DEN_OK ||
        den_path_join(path, sizeof path, home, "den.db", err) != DEN_OK)
        return err->status;
    return den_database_open(path, out, err);
}

static enum den_status open_threads(struct den_desk *desk, struct den_error *err)
{
    const struct den_answer_source source = den_answer_source_of(desk->roster);

    if (den_events_create(&desk->events, err) != DEN_OK ||
        den_threads_open(desk->database, desk->events, &desk->threads, err) != DEN_OK)
        return err->status;
    return den_answers_open(desk->threads, &source, &desk->answers, err);
}

enum den_status den_desk_create(const struct den_desk_options *options, struct den_desk **out,
                                struct den_error *err)
{
    struct den_desk *desk = calloc(1, sizeof *desk);

    if (!desk)
        return den_fail(err, DEN_NO_MEMORY, "desk: out of memory");
    if (open_database(options->database, &desk->database, err) != DEN_OK ||
        den_roster_create(&options->roster, &desk->roster, err) != DEN_OK ||
        open_threads(desk, err) != DEN_OK)
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
    den_answers_close(desk->answers); /* first: what they write needs all the others */
    den_threads_close(desk->threads);
    den_events_destroy(desk->events);
    den_roster_destroy(desk->roster);
    den_database_close(desk->database);
    free(desk);
}

struct den_roster *den_desk_roster(const struct den_desk *desk)
{
    return desk->roster;
}

struct den_threads *den_desk_threads(const struct den_desk *desk)
{
    return desk->threads;
}

struct den_answers *den_desk_answers(const struct den_desk *desk)
{
    return desk->answers;
}
