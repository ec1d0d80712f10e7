/* See team.h. Two counters make the whole protocol: `generation` grows with every job and wakes the
 * members, `arrived` counts them at a barrier. The last to arrive resets what the next phase needs
 * and bumps `phase`, on which the others wait. */
#include "base/team.h"

#include <linux/futex.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

enum {
    SPINS_BEFORE_PARK = 4000
}; /* about 50 us: longer than a gap between layers, shorter than a time slice */

struct member {
    struct den_team *team;
    pthread_t thread;
    int index;
};

struct den_team {
    _Alignas(64)
        atomic_uint generation;     /* jobs started; odd or even means nothing, only change does */
    _Alignas(64) atomic_uint phase; /* barriers passed */
    _Alignas(64) atomic_int arrived;
    _Alignas(64) atomic_size_t claimed;
    _Alignas(64) den_team_job job;
    void *context;
    bool stop;
    int size;
    int started; /* threads running, for a destroy half-way */
    struct member members[];
};

static void relax(void)
{
#if defined(__x86_64__)
    __builtin_ia32_pause();
#endif
}

static long futex(atomic_uint *word, int operation, unsigned value)
{
    return syscall(SYS_futex, (unsigned *)word, operation | FUTEX_PRIVATE_FLAG, value, NULL, NULL,
                   0);
}

/* Returns once *word differs from `old`. */
static void wait_for_change(atomic_uint *word, unsigned old)
{
    int spins;

    for (spins = 0; spins < SPINS_BEFORE_PARK; spins++) {
        if (atomic_load_explicit(word, memory_order_acquire) != old)
            return;
        relax();
    }
    while (atomic_load_explicit(word, memory_order_acquire) == old)
        futex(word, FUTEX_WAIT, old);
}

static void change(atomic_uint *word)
{
    atomic_fetch_add_explicit(word, 1, memory_order_release);
    futex(word, FUTEX_WAKE, DEN_THREADS_MAX);
}

void den_team_barrier(struct den_team *team)
{
    unsigned phase = atomic_load_explicit(&team->phase, memory_order_acquire);

    if (atomic_fetch_add_explicit(&team->arrived, 1, memory_order_acq_rel) + 1 < team->size) {
        wait_for_change(&team->phase, phase);
        return;
    }
    atomic_store_explicit(&team->arrived, 0, memory_order_relaxed);
    atomic_store_explicit(&team->claimed, 0, memory_order_relaxed);
    if (team->size > 1)
        change(&team->phase);
}

size_t den_team_claim(struct den_team *team, size_t block)
{
    return atomic_fetch_add_explicit(&team->claimed, block, memory_order_relaxed);
}

static void *serve(void *argument)
{
    struct member *member = argument;
    struct den_team *team = member->team;
    unsigned seen = 0;

    for (;;) {
        wait_for_change(&team->generation, seen);
        seen++;
        if (team->stop)
            return NULL;
        team->job(team->context, team, member->index);
        den_team_barrier(team);
    }
}

void den_team_run(struct den_team *team, den_team_job job, void *context)
{
    team->job = job;
    team->context = context;
    if (team->size > 1)
        change(&team->generation);
    job(context, team, 0);
    den_team_barrier(team);
}

enum den_status den_team_create(int size, struct den_team **out_team, struct den_error *err)
{
    struct den_team *team;
    size_t bytes;
    int i;

    if (size < 1 || size > DEN_THREADS_MAX)
        return den_fail(err, DEN_INVALID, "threads: %d given, 1 to %d possible", size,
                        DEN_THREADS_MAX);
    bytes = (sizeof *team + (size_t)size * sizeof team->members[0] + 63) & ~(size_t)63;
    team = aligned_alloc(64, bytes);
    if (!team)
        return den_fail(err, DEN_NO_MEMORY, "threads: out of memory");
    *team = (struct den_team){ .size = size, .started = 1 };
    for (i = 1; i < size; i++) {
        team->members[i] = (struct member){ .team = team, .index = i };
        if (pthread_create(&team->members[i].thread, NULL, serve, &team->members[i]) != 0) {
            den_team_destroy(team);
            return den_fail(err, DEN_NO_MEMORY, "threads: the system gives no more than %d", i);
        }
        team->started++;
    }
    *out_team = team;
    return DEN_OK;
}

void den_team_destroy(struct den_team *team)
{
    int i;

    if (!team)
        return;
    team->stop = true;
    if (team->started > 1)
        change(&team->generation);
    for (i = 1; i < team->started; i++)
        pthread_join(team->members[i].thread, NULL);
    free(team);
}

int den_team_size(const struct den_team *team)
{
    return team->size;
}
