/* The charsmap: one made by hand, unit by unit, and blobs that lie. The fixtures hold real ones. */
#include "test.h"

#include <string.h>

#include "text/normalizer_charsmap.h"

/* A trie of one rule, "A" -> "b". The root's offset is 64 and 64 ^ 'A' = 1: unit 1 is the node of
 * 'A', its offset 2 leads to unit 3, whose lower bits are the value 0. */
static const uint32_t units[] = { 64u << 10, 2u << 10 | 1u << 8 | 'A', 0, 0x80000000u };

static size_t make_blob(char *blob)
{
    uint32_t bytes = sizeof units;

    memcpy(blob, &bytes, 4);
    memcpy(blob + 4, units, sizeof units);
    memcpy(blob + 4 + sizeof units, "b", 2);
    return 4 + sizeof units + 2;
}

static void matches_its_rules(void **state)
{
    struct den_charsmap *map = NULL;
    struct den_error err = { 0 };
    const char *to = NULL;
    char blob[64];
    size_t used;

    assert_int_equal(den_charsmap_create(blob, make_blob(blob), &map, &err), DEN_OK);
    den_charsmap_match(map, "AA", 2, false, &used, &to);
    assert_int_equal(used, 1);
    assert_string_equal(to, "b");
    den_charsmap_match(map, "B", 1, false, &used, &to);
    assert_int_equal(used, 0);
    den_charsmap_match(map, "", 0, true, &used, &to);
    assert_int_equal(used, 0);
    den_charsmap_destroy(map);
}

/* Whatever the units say, a walk stays inside. The sanitizers are the judge. */
static void survives_lies(void **state)
{
    uint64_t seed = 5;
    int round;

    for (round = 0; round < 2000; round++) {
        struct den_charsmap *map = NULL;
        struct den_error err = { 0 };
        const char *to;
        char blob[64];
        size_t length = make_blob(blob);
        size_t used;
        size_t i;

        for (i = 0; i < 3; i++) {
            seed = seed * 6364136223846793005u + 1442695040888963407u;
            blob[4 + (seed >> 33) % (length - 4)] = (char)(seed >> 50);
        }
        assert_int_equal(den_charsmap_create(blob, length, &map, &err), DEN_OK);
        den_charsmap_match(map,
                           "A\xFF"
                           "BCDEF",
                           7, false, &used, &to);
        assert_true(used <= 7);
        den_charsmap_destroy(map);
    }
}

static void refuses_wrong_sizes(void **state)
{
    struct den_charsmap *map = NULL;
    struct den_error err = { 0 };
    char blob[64];
    size_t length = make_blob(blob);

    assert_int_equal(den_charsmap_create(blob, 3, &map, &err), DEN_BAD_FILE);
    assert_int_equal(den_charsmap_create(blob, 8, &map, &err), DEN_BAD_FILE);
    blob[0] = 15;
    assert_int_equal(den_charsmap_create(blob, length, &map, &err), DEN_BAD_FILE);
    blob[3] = 127;
    assert_int_equal(den_charsmap_create(blob, length, &map, &err), DEN_BAD_FILE);
    assert_null(map);
}

static void decodes_base64(void **state)
{
    struct den_error err = { 0 };
    struct den_buffer out;

    den_buffer_init(&out, 64);
    assert_int_equal(den_base64_decode("AP9+Lw==", 8, &out, &err), DEN_OK);
    assert_int_equal(out.length, 4);
    assert_memory_equal(out.data, "\x00\xFF\x7E\x2F", 4);
    assert_int_equal(den_base64_decode("A*", 2, &out, &err), DEN_BAD_FILE);
    den_buffer_deinit(&out);
}

int text_test_normalizer_charsmap(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(matches_its_rules),
        cmocka_unit_test(survives_lies),
        cmocka_unit_test(refuses_wrong_sizes),
        cmocka_unit_test(decodes_base64),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
