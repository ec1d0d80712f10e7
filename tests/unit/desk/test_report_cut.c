/* Cutting long texts, and the tree that joins what was made of the pieces. */
#include "test.h"

#include <stdlib.h>
#include <string.h>

#include "desk/report_cut.h"

static struct den_error err;

static size_t cut(const size_t *tokens, size_t count, size_t budget, struct den_cut_piece *out)
{
    struct den_cut_item items[64];
    struct den_cut_piece *pieces = NULL;
    size_t made = 0, i;

    for (i = 0; i < count; i++)
        items[i] = (struct den_cut_item){ (int64_t)i + 10, tokens[i] };
    assert_int_equal(den_report_cut(items, count, budget, &pieces, &made, &err), DEN_OK);
    if (made > 0)
        memcpy(out, pieces, made * sizeof *pieces);
    free(pieces);
    return made;
}

/* Every item is in one piece, in order; whole pieces keep the budget. */
static void pieces_hold_everything_once(void **state)
{
    struct den_cut_piece pieces[512];
    size_t tokens[64], count, made, i, k, seed = 1;
    int round;

    (void)state;
    for (round = 0; round < 300; round++) {
        const size_t budget = 50 + (size_t)round;
        int64_t next = 10;

        count = (size_t)round % 64;
        for (i = 0; i < count; i++) {
            seed = seed * 6364136223846793005u + 1442695040888963407u;
            tokens[i] = (seed >> 33) % 90;
        }
        made = cut(tokens, count, budget, pieces);
        for (i = 0; i < made; i++) {
            size_t sum = 0;

            if (pieces[i].slices > 1 && pieces[i].slice > 0) {
                assert_int_equal(pieces[i].first, next - 1);
                assert_int_equal(pieces[i].slice, pieces[i - 1].slice + 1);
                continue;
            }
            assert_int_equal(pieces[i].first, next);
            next = pieces[i].last + 1;
            for (k = (size_t)pieces[i].first - 10; k <= (size_t)pieces[i].last - 10; k++)
                sum += tokens[k];
            assert_true(sum <= budget || pieces[i].slices > 1);
        }
        assert_int_equal(next, 10 + count);
    }
}

static void pieces_are_about_equally_long(void **state)
{
    const size_t tokens[] = { 30, 30, 30, 30, 30, 30, 30 };
    struct den_cut_piece pieces[16];

    (void)state;
    /* 210 tokens: three pieces of 70 rather than two of 90 and one of 30 */
    assert_int_equal(cut(tokens, 7, 100, pieces), 3);
    assert_int_equal(pieces[0].last, 12);
    assert_int_equal(pieces[1].last, 15);
    assert_int_equal(pieces[2].last, 16);
}

static void an_item_beyond_the_budget_is_sliced(void **state)
{
    const size_t tokens[] = { 10, 250, 10 };
    struct den_cut_piece pieces[16];

    (void)state;
    assert_int_equal(cut(tokens, 3, 100, pieces), 6);
    assert_int_equal(pieces[1].slices, 4);
    assert_int_equal(pieces[4].slice, 3);
    assert_int_equal(pieces[5].first, 12);
    assert_int_equal(cut(tokens, 0, 100, pieces), 0);
}

static void slices_join_to_the_text(void **state)
{
    static const char text[] = "a\xC3\xA9\xE6\x97\xA5\xF0\x9F\x98\x80 and so on \xE6\x9C\xAC";
    const size_t length = sizeof text - 1;
    size_t slices, i, start, end, last;

    (void)state;
    for (slices = 1; slices < 40; slices++)
        for (i = 0, last = 0; i < slices; i++, last = end) {
            den_report_slice(text, length, i, slices, &start, &end);
            assert_int_equal(start, last);
            assert_true(end >= start && end <= length);
            assert_true(end == length || ((unsigned char)text[end] & 0xC0) != 0x80);
            if (i + 1 == slices)
                assert_int_equal(end, length);
        }
}

static void groups_always_become_fewer(void **state)
{
    size_t count, fan, groups, group, size;

    (void)state;
    for (count = 2; count < 300; count++)
        for (fan = 2; fan < 12; fan++) {
            groups = den_report_groups(count, fan);
            assert_true(groups < count);
            assert_int_equal(den_report_group_first(count, groups, 0), 0);
            assert_int_equal(den_report_group_first(count, groups, groups), count);
            for (group = 0; group < groups; group++) {
                size = den_report_group_first(count, groups, group + 1) -
                       den_report_group_first(count, groups, group);
                assert_true(size >= 1 && size <= fan);
            }
        }
    assert_int_equal(den_report_tree(0, 4), 0);
    assert_int_equal(den_report_tree(1, 4), 0);
    assert_int_equal(den_report_tree(4, 4), 1);
    assert_int_equal(den_report_tree(17, 4), 5 + 2 + 1);
}

int desk_test_report_cut(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pieces_hold_everything_once),
        cmocka_unit_test(pieces_are_about_equally_long),
        cmocka_unit_test(an_item_beyond_the_budget_is_sliced),
        cmocka_unit_test(slices_join_to_the_text),
        cmocka_unit_test(groups_always_become_fewer),
    };

    (void)argc;
    (void)argv;
    return cmocka_run_group_tests_name("desk/report_cut", tests, NULL, NULL);
}
