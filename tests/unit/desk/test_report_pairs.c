/* What two documents say of the same, by words alone and with vectors. */
#include "test.h"

#include <stdlib.h>
#include <string.h>

#include "desk/report_pairs.h"

static struct den_error err;

static size_t fill(struct den_unit *units, const char *const *texts)
{
    size_t count = 0;

    for (; texts[count]; count++) {
        units[count] = (struct den_unit){ .text = texts[count], .length = strlen(texts[count]) };
        den_terms_read(texts[count], strlen(texts[count]), &units[count].terms);
    }
    return count;
}

static size_t find(const char *const *left, const char *const *right, struct den_pair *out)
{
    static struct den_unit a[16], b[16];
    const struct den_aligner aligner = {
        .a = a, .b = b, .a_count = fill(a, left), .b_count = fill(b, right)
    };
    struct den_pair *pairs = NULL;
    size_t count = 0;

    assert_int_equal(den_report_align(&aligner, &err), DEN_OK);
    assert_int_equal(den_report_find_pairs(&aligner, &pairs, &count, &err), DEN_OK);
    if (count > 0)
        memcpy(out, pairs, count * sizeof *pairs);
    free(pairs);
    return count;
}

static void numbers_come_first(void **state)
{
    static const char *const left[] = { "Pets are allowed with the written consent of the owner.",
                                        "The tenant pays a rent of 1,200 euros each month.",
                                        "The lease was signed by Becker on 14 March 1999.",
                                        "The roof was repaired by Lindner.", NULL };
    static const char *const right[] = { "The lease was signed by Becker on 14 April 1999.",
                                         "The tenant pays a rent of 1,350 euros each month.",
                                         "Pets are not allowed with the written consent of the "
                                         "owner.",
                                         "Heating costs belong to nobody.", NULL };
    struct den_pair pairs[16];

    (void)state;
    assert_int_equal(find(left, right, pairs), 5);
    assert_int_equal(pairs[0].kind, DEN_PAIR_NUMBERS);
    assert_int_equal(pairs[0].a, 1);
    assert_int_equal(pairs[0].b, 1);
    assert_int_equal(pairs[1].kind, DEN_PAIR_NUMBERS); /* the month */
    assert_int_equal(pairs[1].a, 2);
    assert_int_equal(pairs[2].kind, DEN_PAIR_DIFFERS); /* the negation */
    assert_int_equal(pairs[2].b, 2);
    assert_int_equal(pairs[3].kind, DEN_PAIR_ONLY_A);
    assert_int_equal(pairs[3].a, 3);
    assert_int_equal(pairs[4].kind, DEN_PAIR_ONLY_B);
    assert_int_equal(pairs[4].b, 3);
}

static void the_same_is_the_same(void **state)
{
    static const char *const text[] = { "The garden is kept by the tenant.",
                                        "The rent of 900 euros is due in advance.", NULL };
    struct den_pair pairs[16];

    (void)state;
    assert_int_equal(find(text, text, pairs), 2);
    assert_int_equal(pairs[0].kind, DEN_PAIR_AGREES);
    assert_int_equal(pairs[1].kind, DEN_PAIR_AGREES);
}

static void number_words_and_digits_are_the_same(void **state)
{
    static const char *const left[] = { "The notice period is six months to the end.", NULL };
    static const char *const right[] = { "The notice period is 6 months to the end.", NULL };
    static const char *const third[] = { "The notice period is three months to the end.", NULL };
    struct den_pair pairs[16];

    (void)state;
    assert_int_equal(find(left, right, pairs), 1);
    assert_int_equal(pairs[0].kind, DEN_PAIR_AGREES);
    assert_int_equal(find(left, third, pairs), 1);
    assert_int_equal(pairs[0].kind, DEN_PAIR_NUMBERS);
}

static void nothing_is_like_nothing(void **state)
{
    static const char *const none[] = { NULL };
    static const char *const some[] = { "The garden is kept by the tenant.", "Yes.", NULL };
    struct den_pair pairs[16];

    (void)state;
    assert_int_equal(find(none, none, pairs), 0);
    assert_int_equal(find(none, some, pairs), 1); /* "Yes." says nothing */
    assert_int_equal(pairs[0].kind, DEN_PAIR_ONLY_B);
    assert_int_equal(find(some, none, pairs), 1);
    assert_int_equal(pairs[0].kind, DEN_PAIR_ONLY_A);
}

/* Words have nothing in common, vectors do. */
static void meaning_pairs_as_well(void **state)
{
    static const float same[] = { 0.6f, 0.8f, 0, 0, 0 }, other[] = { 0, 0, 0, 0, 1 };
    static const char *const left[] = { "Dogs may live there.", NULL };
    static const char *const right[] = { "Costs are shared equally.", "Animals can stay inside.",
                                         NULL };
    static struct den_unit a[2], b[2];
    struct den_aligner aligner = { .a = a, .b = b, .width = 5 };

    (void)state;
    aligner.a_count = fill(a, left);
    aligner.b_count = fill(b, right);
    a[0].vector = b[1].vector = same;
    b[0].vector = other;
    assert_int_equal(den_report_align(&aligner, &err), DEN_OK);
    assert_int_equal(a[0].nearest, 1);
    assert_true(a[0].score > 0.49 && a[0].score < 0.51);
    assert_true(b[0].score < 0.01);
}

int desk_test_report_pairs(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_come_first),
        cmocka_unit_test(the_same_is_the_same),
        cmocka_unit_test(number_words_and_digits_are_the_same),
        cmocka_unit_test(nothing_is_like_nothing),
        cmocka_unit_test(meaning_pairs_as_well),
    };

    (void)argc;
    (void)argv;
    return cmocka_run_group_tests_name("desk/report_pairs", tests, NULL, NULL);
}
