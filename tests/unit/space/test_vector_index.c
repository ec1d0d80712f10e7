/* The index against a sort of all products in double: the same best, whatever was added, replaced,
 * removed and compacted before. */
#include "scratch_space.h"

#include "base/team.h"
#include "kernels/kernels.h"
#include "space/vector_index.h"

enum { WIDTH = 100, MOST = 6000 };

static struct den_vector_index vectors;
static float (*truth)[WIDTH]; /* by item */
static bool is_there[MOST];
static struct den_kernels kernels;
static uint64_t seed = 7;

static int begin(void **state)
{
    (void)state;
    den_kernels_select(0, &kernels);
    den_vector_index_init(&vectors, WIDTH);
    truth = calloc(MOST, sizeof *truth);
    return !truth;
}

static int end(void **state)
{
    (void)state;
    den_vector_index_deinit(&vectors);
    free(truth);
    return 0;
}

/* Around a few centres, so that many are near each other. */
static void make_vector(float *out)
{
    uint64_t centre = (uint64_t)(noise(&seed) * 8 + 8);
    size_t i;

    for (i = 0; i < WIDTH; i++)
        out[i] = noise(&centre) + 0.3f * noise(&seed);
    make_unit(out, WIDTH);
}

static void put(int64_t item)
{
    struct den_error err = { 0 };

    make_vector(truth[item]);
    is_there[item] = true;
    assert_int_equal(den_vector_index_put(&vectors, item, truth[item], &err), DEN_OK);
}

static void take_out(int64_t item)
{
    is_there[item] = false;
    den_vector_index_remove(&vectors, item);
}

static double product(const float *a, const float *b)
{
    double sum = 0;
    size_t i;

    for (i = 0; i < WIDTH; i++)
        sum += (double)a[i] * (double)b[i];
    return sum;
}

static int descending(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;

    return (a < b) - (a > b);
}

/* What is proposed must hold every item that is truly among the best, and lie in its bounds. */
static void check(const struct den_item_set *set, struct den_team *team, size_t k)
{
    static double all[MOST];
    struct den_index_candidates found = { 0 };
    struct den_index_question question = { .in = set, .count = k };
    struct den_error err = { 0 };
    float vector[WIDTH];
    size_t total = 0, good = 0, i;
    double worst;

    make_vector(vector);
    question.vector = vector;
    den_vector_index_scan(&vectors, &kernels, team, &question, &found, &err);
    succeed(&err);
    for (i = 1; i < MOST; i++)
        if (is_there[i] && (!set || den_item_set_has(set, (int64_t)i)))
            all[total++] = product(vector, truth[i]);
    qsort(all, total, sizeof *all, descending);
    worst = total == 0 ? 2 : all[(k < total ? k : total) - 1];
    for (i = 0; i < found.count; i++) {
        double value = product(vector, truth[found.list[i].item]);

        assert_true(is_there[found.list[i].item]);
        assert_true(value >= (double)found.list[i].low && value <= (double)found.list[i].high);
        assert_true(i == 0 || found.list[i - 1].high >= found.list[i].high);
        good += value >= worst;
    }
    assert_int_equal(good, k < total ? k : total);
    assert_true(found.count <= 3 * k + 100); /* and little else */
    free(found.list);
}

static void check_all(struct den_team *team)
{
    uint64_t bits[MOST / 64 + 1] = { 0 };
    int64_t items[MOST];
    struct den_item_set set = { .bits = bits, .bit_count = MOST, .items = items };
    int64_t i;

    check(NULL, team, 1);
    check(NULL, team, 10);
    check(NULL, team, 100);
    for (i = 1; i < MOST; i += 2) { /* most of the rows: a bitmap */
        bits[i / 64] |= 1ull << (i % 64);
        items[set.count++] = i;
    }
    check(&set, team, 10);
    memset(bits, 0, sizeof bits);
    for (set.count = 0, i = 5; i < MOST; i += 97) { /* few of them: one by one */
        bits[i / 64] |= 1ull << (i % 64);
        items[set.count++] = i;
    }
    check(&set, team, 10);
    check(&set, team, 500);
}

static void the_best_are_proposed_whatever_happened(void **state)
{
    struct den_team *team;
    struct den_error err = { 0 };
    int64_t i;

    (void)state;
    check(NULL, NULL, 10); /* of nothing */
    for (i = 1; i <= 3; i++)
        put(i);
    check(NULL, NULL, 10);
    for (; i < 5000; i++)
        put(i);
    assert_int_equal(den_team_create(3, &team, &err), DEN_OK);
    check_all(NULL);
    check_all(team);
    for (i = 1; i < 5000; i += 3)
        take_out(i);
    for (i = 2; i < 5000; i += 3)
        put(i); /* again */
    for (i = 1; i < 500; i += 6)
        put(i); /* back */
    check_all(team);
    den_vector_index_compact(&vectors);
    assert_int_equal(vectors.holes, 0);
    check_all(NULL);
    for (; i < 6000; i++)
        put(i);
    check_all(team);
    for (i = 1; i < 6000; i++)
        take_out(i);
    check(NULL, team, 10);
    den_vector_index_compact(&vectors);
    assert_int_equal(vectors.rows, 0);
    put(1);
    check(NULL, NULL, 10);
    den_team_destroy(team);
}

static void odd_vectors_do_no_harm(void **state)
{
    float zero[WIDTH] = { 0 }, one[WIDTH] = { 1 };
    struct den_error err = { 0 };

    (void)state;
    assert_int_equal(den_vector_index_put(&vectors, 0, one, &err), DEN_INVALID);
    err = (struct den_error){ 0 };
    assert_int_equal(den_vector_index_put(&vectors, 2, zero, &err), DEN_OK);
    memcpy(truth[2], zero, sizeof zero);
    is_there[2] = true;
    assert_int_equal(den_vector_index_put(&vectors, 3, one, &err), DEN_OK);
    memcpy(truth[3], one, sizeof one);
    is_there[3] = true;
    check(NULL, NULL, 10);
    assert_int_equal(den_vector_index_find(&vectors, 4), -1);
    den_vector_index_remove(&vectors, 4);
}

int space_test_vector_index(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_best_are_proposed_whatever_happened),
        cmocka_unit_test(odd_vectors_do_no_harm),
    };

    return cmocka_run_group_tests(tests, begin, end);
}
