/* Team: a persistent group of threads that runs one job at a time, in step.
 *
 * den_team_run() calls `job` once on every member, the caller being member 0, and returns when all
 * are done. Between jobs members spin briefly (the next job of a decode step comes within
 * microseconds), then park on a futex, so that an idle program costs nothing and a busy neighbour
 * does not turn the barrier into a fight for the core. Within a job, den_team_barrier() lets every
 * member arrive before any goes on. Rows are shared out with den_team_claim(), which hands out
 * blocks first come first served: a member that lost its core to another process simply takes
 * fewer. One job runs at a time; a team is driven by one thread at a time. */
#ifndef DEN_BASE_TEAM_H
#define DEN_BASE_TEAM_H

#include <stddef.h>

#include "base/status.h"

struct den_team;

/* `member` is 0 .. size - 1. */
typedef void (*den_team_job)(void *context, struct den_team *team, int member);

/* `size` members (1 to DEN_THREADS_MAX), size - 1 of them new threads. */
enum den_status den_team_create(int size, struct den_team **out_team, struct den_error *err);
void den_team_destroy(struct den_team *team);
int den_team_size(const struct den_team *team);

void den_team_run(struct den_team *team, den_team_job job, void *context);

/* As den_team_run() for work that is shared out by den_team_claim() alone: members join as they
 * come, and the call returns when nobody is inside any more. A member that another process keeps
 * off its core is not waited for; the others do its share. No barriers in such a job, and a member
 * may find everything claimed, or be called twice. */
void den_team_share(struct den_team *team, den_team_job job, void *context);

/* Inside a job of den_team_run(): waits for all members, and resets the counter that
 * den_team_claim() hands out. */
void den_team_barrier(struct den_team *team);
/* Inside a job: the first of `block` unclaimed items; >= the caller's total when none are left.
 * Starts at 0 in each job and after each barrier. */
size_t den_team_claim(struct den_team *team, size_t block);

#endif
