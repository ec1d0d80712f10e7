/* Arena: alignment, zeroing, and the ceiling that bounds hostile input. */
#include "test.h"

#include <string.h>

#include "base/arena.h"

static void aligns_and_zeroes(void **state)
{
    struct den_arena *arena = den_arena_create(1 << 20);
    size_t bytes;

    assert_non_null(arena);
    for (bytes = 0; bytes < 300; bytes++) {
        unsigned char *piece = den_arena_alloc(arena, bytes);
        size_t i;

        assert_non_null(piece);
        assert_int_equal((uintptr_t)piece % (bytes >= 64 ? 64 : 16), 0);
        for (i = 0; i < bytes; i++)
            assert_int_equal(piece[i], 0);
        memset(piece, 0xAB, bytes); /* the next piece must be zero all the same */
    }
    assert_int_equal(den_arena_used(arena), 299 * 300 / 2);
    den_arena_destroy(arena);
}

static void keeps_pieces_apart(void **state)
{
    enum { PIECES = 2000 };
    static unsigned char *pieces[PIECES];
    struct den_arena *arena = den_arena_create(64 << 20);
    size_t i;

    for (i = 0; i < PIECES; i++) {
        pieces[i] = den_arena_alloc(arena, i % 701);
        assert_non_null(pieces[i]);
        memset(pieces[i], (int)(i % 251), i % 701);
    }
    for (i = 0; i < PIECES; i++) {
        size_t j;

        for (j = 0; j < i % 701; j++)
            assert_int_equal(pieces[i][j], i % 251);
    }
    den_arena_destroy(arena);
}

static void stops_at_its_ceiling(void **state)
{
    struct den_arena *arena = den_arena_create(100000);
    size_t total = 0;

    while (den_arena_alloc(arena, 1000))
        total += 1000;
    assert_true(total <= 100000);
    assert_true(total > 90000); /* what chunks waste must stay small */
    assert_int_equal(den_arena_used(arena), total);
    assert_null(den_arena_alloc(arena, 1 << 30));
    den_arena_destroy(arena);

    arena = den_arena_create(1000);
    assert_null(den_arena_alloc(arena, 1001));
    assert_non_null(den_arena_alloc(arena, 1000));
    assert_null(den_arena_alloc(arena, 1));
    den_arena_destroy(arena);
}

static void gives_large_pieces(void **state)
{
    struct den_arena *arena = den_arena_create(200 << 20);
    unsigned char *large = den_arena_alloc(arena, 100 << 20);

    assert_non_null(large);
    large[(100 << 20) - 1] = 1;
    assert_non_null(den_arena_alloc(arena, 10));
    den_arena_destroy(arena);
}

static void refuses_sizes_that_wrap(void **state)
{
    struct den_arena *arena = den_arena_create(SIZE_MAX);

    assert_null(den_arena_alloc(arena, SIZE_MAX));
    assert_null(den_arena_alloc(arena, SIZE_MAX - 64));
    assert_null(den_arena_array(arena, SIZE_MAX / 2, 3));
    assert_null(den_arena_array(arena, (size_t)1 << 33, (size_t)1 << 31));
    assert_null(den_arena_text(arena, "x", SIZE_MAX));
    assert_int_equal(den_arena_used(arena), 0);
    assert_non_null(den_arena_alloc(arena, 1)); /* still usable */
    den_arena_destroy(arena);
}

static void copies_text(void **state)
{
    struct den_arena *arena = den_arena_create(1000);
    char *text = den_arena_text(arena, "hello", 4);

    assert_string_equal(text, "hell");
    assert_string_equal(den_arena_text(arena, NULL, 0), "");
    assert_int_equal(den_arena_used(arena), 6);
    den_arena_destroy(arena);
    den_arena_destroy(NULL);
}

int base_test_arena(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(aligns_and_zeroes),       cmocka_unit_test(keeps_pieces_apart),
        cmocka_unit_test(stops_at_its_ceiling),    cmocka_unit_test(gives_large_pieces),
        cmocka_unit_test(refuses_sizes_that_wrap), cmocka_unit_test(copies_text),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
