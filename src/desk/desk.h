/* Desk: what can be asked of Den, with no HTTP and no argv.
 *
 * A desk owns what the use cases share: the database, the roster of models, and one object for each
 * family of use cases, found through the functions below. A message that concerns a field begins
 * with the field's name in quotes ("'messages[2].role' is ..."), which is how the HTTP interface
 * tells clients which one it was. */
#ifndef DEN_DESK_DESK_H
#define DEN_DESK_DESK_H

#include "desk/roster.h"

struct den_desk;

struct den_desk_options {
    struct den_roster_options roster;
    const char *database; /* path; NULL: $DEN_HOME/den.db */
};
enum den_status den_desk_create(const struct den_desk_options *options, struct den_desk **out,
                                struct den_error *err);
void den_desk_destroy(struct den_desk *desk);

struct den_roster *den_desk_roster(const struct den_desk *desk);
struct den_database;
struct den_threads;
struct den_answers;
struct den_database *den_desk_database(const struct den_desk *desk); /* store/database.h */
struct den_threads *den_desk_threads(const struct den_desk *desk);   /* desk/threads.h */
struct den_answers *den_desk_answers(const struct den_desk *desk);   /* desk/answers.h */
struct den_downloads;
struct den_downloads *den_desk_downloads(const struct den_desk *desk); /* desk/downloads.h */
struct den_space;
struct den_space *den_desk_space(const struct den_desk *desk); /* space/space.h */
struct den_library;
struct den_library *den_desk_library(const struct den_desk *desk); /* desk/library.h */
struct den_retrieval;
struct den_retrieval *den_desk_retrieval(const struct den_desk *desk); /* desk/retrieval.h */
struct den_reports;
struct den_reports *den_desk_reports(const struct den_desk *desk); /* desk/reports.h */

#endif
