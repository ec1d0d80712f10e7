/* Team: every member runs each job once, barriers hold, claims cover everything exactly once. Run
 * it under ThreadSanitizer as well (preset tsan): shared data here is plain, so that a barrier
 * that orders too little is reported as a race. */
#include "test.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/team.h"

enum { MEMBERS_MAX = 4, ITEMS = 10007 };

static struct den_team *create(int size)
{
    struct den_error err = { 0 };
    struct den_team *team = NULL;

    assert_int_equal(den_team_create(size, &team, &err), DEN_OK);
    assert_int_equal(den_team_size(team), size);
    return team;
}

static void count_member(void *context, struct den_team *team, int member)
{
    int *counts = context;

    counts[member]++; /* each its own: no lock needed */
}

static void runs_each_job_on_every_member(void **state)
{
    int size;

    for (size = 1; size <= MEMBERS_MAX; size++) {
        struct den_team *team = create(size);
        int counts[MEMBERS_MAX] = { 0 };
        int i;

        for (i = 0; i < 500; i++)
            den_team_run(team, count_member, counts);
        for (i = 0; i < MEMBERS_MAX; i++)
            assert_int_equal(counts[i], i < size ? 500 : 0);
        den_team_destroy(team);
    }
}

struct steps {
    int values[MEMBERS_MAX];
    int size;
    atomic_int faults;
};

/* Each member writes its own value, all read all values after the barrier. */
static void step_together(void *context, struct den_team *team, int member)
{
    struct steps *steps = context;
    int step;

    for (step = 1; step <= 300; step++) {
        int i;

        steps->values[member] = step;
        den_team_barrier(team);
        for (i = 0; i < steps->size; i++)
            if (steps->values[i] != step)
                atomic_fetch_add(&steps->faults, 1);
        den_team_barrier(team);
    }
}

static void holds_at_barriers(void **state)
{
    int size;

    for (size = 1; size <= MEMBERS_MAX; size++) {
        struct den_team *team = create(size);
        struct steps steps = { .size = size };

        den_team_run(team, step_together, &steps);
        assert_int_equal(atomic_load(&steps.faults), 0);
        den_team_destroy(team);
    }
}

struct claims {
    unsigned char taken[2][ITEMS]; /* in each of two phases */
    size_t block;
};

static void take(struct claims *claims, struct den_team *team, int phase)
{
    size_t first;

    while ((first = den_team_claim(team, claims->block)) < ITEMS) {
        size_t i;

        for (i = first; i < first + claims->block && i < ITEMS; i++)
            claims->taken[phase][i]++; /* a race where two members get the same */
    }
}

static void take_in_two_phases(void *context, struct den_team *team, int member)
{
    take(context, team, 0);
    den_team_barrier(team);
    take(context, team, 1);
}

static void claims_cover_all_items_once(void **state)
{
    static const size_t blocks[] = { 1, 7, 64, ITEMS, 2 * ITEMS };
    static struct claims claims;
    int size;
    size_t b;

    for (size = 1; size <= MEMBERS_MAX; size++) {
        struct den_team *team = create(size);

        for (b = 0; b < sizeof blocks / sizeof blocks[0]; b++) {
            size_t i;

            memset(&claims, 0, sizeof claims);
            claims.block = blocks[b];
            den_team_run(team, take_in_two_phases, &claims);
            for (i = 0; i < ITEMS; i++) {
                assert_int_equal(claims.taken[0][i], 1);
                assert_int_equal(claims.taken[1][i], 1);
            }
        }
        den_team_destroy(team);
    }
}

/* Members that have parked (here: slept past their spinning) must wake up. */
static void wakes_parked_members(void **state)
{
    struct den_team *team = create(3);
    int counts[MEMBERS_MAX] = { 0 };
    int i;

    for (i = 0; i < 10; i++) {
        usleep(5000);
        den_team_run(team, count_member, counts);
    }
    assert_int_equal(counts[2], 10);
    usleep(5000);
    den_team_destroy(team); /* also out of their sleep */
}

/* One member late at a barrier: the others park there and must be woken. */
static void come_late(void *context, struct den_team *team, int member)
{
    int i;

    for (i = 0; i < 6; i++) {
        if (member == i % 3)
            usleep(3000);
        den_team_barrier(team);
    }
    count_member(context, team, member);
}

static void wakes_members_parked_at_a_barrier(void **state)
{
    struct den_team *team = create(3);
    int counts[MEMBERS_MAX] = { 0 };

    den_team_run(team, come_late, counts);
    assert_int_equal(counts[0] + counts[1] + counts[2], 3);
    den_team_destroy(team);
}

static void comes_and_goes(void **state)
{
    struct den_error err = { 0 };
    struct den_team *team = NULL;
    int i;

    for (i = 0; i < 50; i++)
        den_team_destroy(create(1 + i % MEMBERS_MAX)); /* without any job */
    assert_int_equal(den_team_create(0, &team, &err), DEN_INVALID);
    assert_string_equal(err.message, "threads: 0 given, 1 to 256 possible");
    assert_int_equal(den_team_create(DEN_THREADS_MAX + 1, &team, &err), DEN_INVALID);
    assert_null(team);
    den_team_destroy(NULL);
}

static void take_once(void *context, struct den_team *team, int member)
{
    take(context, team, 0);
}

/* Thousands of jobs in a row, so that members come early, late and not at all; jobs for all of them
 * in between. */
static void shared_jobs_do_everything_once(void **state)
{
    static struct claims claims;
    int size, round;

    for (size = 1; size <= MEMBERS_MAX; size++) {
        struct den_team *team = create(size);

        for (round = 0; round < 500; round++) {
            size_t i;

            memset(&claims, 0, sizeof claims);
            claims.block = round % 3 ? 7 : ITEMS;
            if (round % 5 == 4)
                den_team_run(team, take_in_two_phases, &claims);
            else
                den_team_share(team, take_once, &claims);
            for (i = 0; i < ITEMS; i++)
                if (claims.taken[0][i] != 1)
                    fail_msg("%d members, round %d: item %zu done %d times", size, round, i,
                             claims.taken[0][i]);
        }
        den_team_destroy(team);
    }
}

int base_test_team(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(runs_each_job_on_every_member),
        cmocka_unit_test(holds_at_barriers),
        cmocka_unit_test(claims_cover_all_items_once),
        cmocka_unit_test(shared_jobs_do_everything_once),
        cmocka_unit_test(wakes_parked_members),
        cmocka_unit_test(wakes_members_parked_at_a_barrier),
        cmocka_unit_test(comes_and_goes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
