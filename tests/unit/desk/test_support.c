/* Support: words, numbers, names and negations of pairs, and how often the score is right. */
#include "test.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "desk/support.h"

static double score(const char *claim, const char *piece, double cosine)
{
    struct den_terms left, right;

    den_terms_read(claim, strlen(claim), &left);
    den_terms_read(piece, strlen(piece), &right);
    return den_support_score(&left, &right, NULL, cosine);
}

static void terms_are_read(void **state)
{
    struct den_terms terms;
    const char *text = "The Rent isn't 1,200.50 euros, says Anna Becker; rents are two.";

    den_terms_read(text, strlen(text), &terms);
    assert_int_equal(terms.number_count, 2); /* 1200.5 and 2 */
    assert_int_equal(terms.word_count, 5);   /* rent, euro, say, anna, beck(er) */
    assert_int_equal(terms.name_count, 3);   /* Rent as well: it does not begin the sentence */
    assert_true(terms.is_negated);
    den_terms_read("", 0, &terms);
    assert_int_equal(terms.word_count + terms.number_count, 0);
    assert_false(terms.is_negated);
}

static void what_is_missing_counts(void **state)
{
    const char *piece = "The tenant pays a rent of 1,200 euros each month.";

    assert_true(score("The tenant pays 1200 euros rent.", piece, NAN) > 0.9);
    assert_true(score("The tenant pays 900 euros rent.", piece, NAN) < DEN_SUPPORT_MIN);
    assert_true(score("The tenant never pays 1200 euros rent.", piece, NAN) < DEN_SUPPORT_MIN);
    assert_true(score("The tenant pays Boris 1200 euros rent.", piece, NAN) <
                score("The tenant pays landlords 1200 euros rent.", piece, NAN));
    assert_true(score("It is so.", piece, 0.9) <= DEN_SUPPORT_MIN); /* says nothing */
}

/* Of pairs of a sentence and a passage: `right` by the threshold. */
static void pairs_are_told_apart(void **state)
{
    json_t *pairs = json_load_file(DEN_FIXTURES "/support.json", 0, NULL), *pair;
    FILE *file = fopen(DEN_FIXTURES "/support.f32", "rb");
    size_t asked[3] = { 0 }, right[3] = { 0 }, i;
    float cosine;

    assert_non_null(pairs);
    assert_non_null(file);
    json_array_foreach(pairs, i, pair)
    {
        const char *kind = json_string_value(json_object_get(pair, "kind"));
        const size_t k = *kind == 's' ? 0 : *kind == 'c' ? 1 : 2;
        double found;

        assert_int_equal(fread(&cosine, sizeof cosine, 1, file), 1);
        found = score(json_string_value(json_object_get(pair, "claim")),
                      json_string_value(json_object_get(pair, "passage")), (double)cosine);
        asked[k]++;
        right[k] += (found >= DEN_SUPPORT_MIN) == (k == 0);
        if ((found >= DEN_SUPPORT_MIN) != (k == 0) && getenv("DEN_SHOW"))
            printf("%s %.2f (cosine %.2f): %s\n", kind, found, (double)cosine,
                   json_string_value(json_object_get(pair, "claim")));
    }
    fclose(file);
    json_decref(pairs);
    printf("supported %zu of %zu, contradicted %zu of %zu, unrelated %zu of %zu\n", right[0],
           asked[0], right[1], asked[1], right[2], asked[2]);
    assert_true(asked[0] == 20 && asked[1] == 18 && asked[2] == 16);
    assert_true(right[0] >= 17);
    assert_true(right[1] >= 15);
    assert_int_equal(right[2], asked[2]);
}

int desk_test_support(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(terms_are_read),
        cmocka_unit_test(what_is_missing_counts),
        cmocka_unit_test(pairs_are_told_apart),
    };

    return cmocka_run_group_tests_name("desk/support", tests, NULL, NULL);
}
