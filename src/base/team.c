/* See team.h. Two counters make the whole protocol: `generation` grows with every job and wakes the
 * members, `arrived` counts them at a barrier. The last to arrive resets what the next phase needs
 * and bumps `phase`, on which the others wait.
 *
 * Waking costs a system call even when nobody sleeps, and a token passes hundreds of barriers, so
 * `parked` counts the sleepers and an empty count skips the call. The order that makes this safe:
 * a waiter counts itself, then looks at the word once more; a changer changes the word, then looks
 * at the count. All four are sequentially consistent, so at least one of the two sees the other.
 *
 * A shared job has a door instead of a barrier: `door` counts the members inside and says whether
 * it is open. The caller opens it, works, closes it, and waits until it is empty. `job` and
 * `context` change only while it is shut and empty, so whoever got in reads the right ones; a
 * member that comes late finds it shut and goes back to wait. The lowest bit of `generation` tells
 * the two kinds of job apart, since a member that slept through shared jobs knows only the last. */
#include "base/team.h"

#include <linux/futex.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/clock.h"

/* How long a waiter spins before it parks: longer than a gap between layers, shorter than a time
 * slice. One spin takes 5 to 60 ns, by processor, so it is timed when a team is created. */
static const double spin_seconds = 50e-6;
enum { DOOR_OPEN = 1 << 16 };
enum { SPINS_TIMED = 256, SPINS_MIN = 200, SPINS_MAX = 100000 };

struct member {
    struct den_team *team;
    pthread_t thread;
    int index;
};

struct den_team {
    _Alignas(64) atomic_uint generation; /* jobs started, times two; odd: the last one is shared */
    _Alignas(64) atomic_uint phase;      /* barriers passed */
    _Alignas(64) atomic_uint door;       /* members inside a shared job; DOOR_OPEN */
    _Alignas(64) atomic_int parked;      /* members asleep, on either word */
    _Alignas(64) atomic_int arrived;
    _Alignas(64) atomic_size_t claimed;
    _Alignas(64) den_team_job job;
    void *context;
    atomic_bool stop;
    int size;
    int spins;
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

/* How many spins fill spin_seconds here. */
static int time_spins(void)
{
    double start = den_clock_seconds();
    double spent;
    double spins;
    int i;

    for (i = 0; i < SPINS_TIMED; i++)
        relax();
    spent = den_clock_seconds() - start;
    spins = spent > 0 ? spin_seconds / spent * SPINS_TIMED : SPINS_MAX;
    if (spins > SPINS_MAX)
        return SPINS_MAX;
    return spins < SPINS_MIN ? SPINS_MIN : (int)spins;
}

/* Returns once *word differs from `old`. */
static void wait_for_change(struct den_team *team, atomic_uint *word, unsigned old)
{
    int spins;

    for (spins = 0; spins < team->spins; spins++) {
        if (atomic_load_explicit(word, memory_order_acquire) != old)
            return;
        relax();
    }
    atomic_fetch_add(&team->parked, 1);
    while (atomic_load(word) == old)
        futex(word, FUTEX_WAIT, old);
    atomic_fetch_sub(&team->parked, 1);
}

static void wake(struct den_team *team, atomic_uint *word)
{
    if (atomic_load(&team->parked) > 0)
        futex(word, FUTEX_WAKE, DEN_THREADS_MAX);
}

static void change(struct den_team *team, atomic_uint *word)
{
    atomic_fetch_add(word, 1);
    wake(team, word);
}

/* The next job is a shared one, or one for all. */
static void start(struct den_team *team, unsigned shared)
{
    unsigned last = atomic_load_explicit(&team->generation, memory_order_relaxed);

    atomic_store(&team->generation, ((last | 1) + 1) | shared);
    wake(team, &team->generation);
}

void den_team_barrier(struct den_team *team)
{
    unsigned phase = atomic_load_explicit(&team->phase, memory_order_acquire);

    if (atomic_fetch_add_explicit(&team->arrived, 1, memory_order_acq_rel) + 1 < team->size) {
        wait_for_change(team, &team->phase, phase);
        return;
    }
    atomic_store_explicit(&team->arrived, 0, memory_order_relaxed);
    atomic_store_explicit(&team->claimed, 0, memory_order_relaxed);
    if (team->size > 1)
        change(team, &team->phase);
}

size_t den_team_claim(struct den_team *team, size_t block)
{
    return atomic_fetch_add_explicit(&team->claimed, block, memory_order_relaxed);
}

/* A shared job, if its door is still open. */
static void join_shared(struct den_team *team, int member)
{
    unsigned door = atomic_load_explicit(&team->door, memory_order_relaxed);

    do
        if (!(door & DOOR_OPEN))
            return;
    while (!atomic_compare_exchange_weak_explicit(&team->door, &door, door + 1,
                                                  memory_order_acquire, memory_order_relaxed));
    team->job(team->context, team, member);
    atomic_fetch_sub(&team->door, 1);
    wake(team, &team->door);
}

static void *serve(void *argument)
{
    struct member *member = argument;
    struct den_team *team = member->team;
    unsigned seen = 0;

    for (;;) {
        wait_for_change(team, &team->generation, seen);
        seen = atomic_load_explicit(&team->generation, memory_order_acquire);
        if (atomic_load_explicit(&team->stop, memory_order_relaxed))
            return NULL;
        if (seen & 1) {
            join_shared(team, member->index);
            continue;
        }
        team->job(team->context, team, member->index);
        den_team_barrier(team);
    }
}

void den_team_run(struct den_team *team, den_team_job job, void *context)
{
    team->job = job;
    team->context = context;
    if (team->size > 1)
        start(team, 0);
    job(context, team, 0);
    den_team_barrier(team);
}

void den_team_share(struct den_team *team, den_team_job job, void *context)
{
    unsigned door;

    team->job = job;
    team->context = context;
    if (team->size > 1) {
        atomic_store_explicit(&team->door, DOOR_OPEN, memory_order_release);
        start(team, 1);
    }
    job(context, team, 0);
    if (team->size > 1)
        atomic_fetch_and(&team->door, ~(unsigned)DOOR_OPEN);
    while ((door = atomic_load_explicit(&team->door, memory_order_acquire)) != 0)
        wait_for_change(team, &team->door, door);
    atomic_store_explicit(&team->claimed, 0, memory_order_relaxed);
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
    *team = (struct den_team){ .size = size, .spins = size > 1 ? time_spins() : 0, .started = 1 };
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
        start(team, 0);
    for (i = 1; i < team->started; i++)
        pthread_join(team->members[i].thread, NULL);
    free(team);
}

int den_team_size(const struct den_team *team)
{
    return team->size;
}
