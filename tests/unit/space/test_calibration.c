/* The probes and what is measured with them; what it is worth is in test_confidence.c. */
#include "scratch_space.h"

enum { WIDTH = DEN_SPACE_PROBES };

static void probes_are_texts_that_differ(void **state)
{
    size_t i, j;

    (void)state;
    for (i = 0; i < DEN_SPACE_PROBES; i++) {
        const size_t length = strlen(den_space_probes[i]);

        assert_true(length > 10 && length < 200);
        assert_true((den_space_probes[i][length - 1] == '?') == (i % 2 == 0));
        for (j = 0; j < i; j++)
            assert_string_not_equal(den_space_probes[i], den_space_probes[j]);
    }
}

/* Each pair lies on an axis of its own, so that all other cosines are `shared`. */
static void make_probes(float *vectors, double between, double shared)
{
    size_t i;

    memset(vectors, 0, DEN_SPACE_PROBES * WIDTH * sizeof *vectors);
    for (i = 0; i < DEN_SPACE_PROBES; i++) {
        float *vector = vectors + i * WIDTH;

        vector[0] = (float)sqrt(shared);
        vector[1 + i / 2] = (float)sqrt(between - shared);
        vector[25 + i % 2] = (float)sqrt(1 - between);
    }
}

static void the_two_means_are_kept(void **state)
{
    static float vectors[DEN_SPACE_PROBES * WIDTH];
    struct den_space_embedder embedder;
    struct den_error err = { 0 };

    (void)state;
    den_space_embedder(space, "e", WIDTH, &embedder, &err);
    succeed(&err);
    assert_false(embedder.is_calibrated);
    make_probes(vectors, 0.9, 0.64);
    den_space_calibrate(space, &embedder, vectors, &err);
    succeed(&err);
    den_space_current_embedder(space, &embedder, &err);
    succeed(&err);
    assert_true(embedder.is_calibrated);
    assert_true(fabs(embedder.related - 0.9) < 1e-5);
    assert_true(fabs(embedder.unrelated - 0.64) < 1e-5);
    vectors[7] = NAN;
    assert_int_equal(den_space_calibrate(space, &embedder, vectors, &err), DEN_INVALID);
}

int space_test_calibration(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(probes_are_texts_that_differ),
        cmocka_unit_test_setup_teardown(the_two_means_are_kept, open_space, close_space),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
