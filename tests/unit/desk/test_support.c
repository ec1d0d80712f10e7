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

static void what_is_turned_round_is_told(void **state)
{
    /* {claim, piece}, which say the same ... */
    static const char *const same[][2] = {
        { "Smoking is not allowed in the hall.", "Smoking is forbidden in the hall." },
        { "The invoice has not been paid.", "The invoice is unpaid." },
        { "A guest may stay for 24 hours.", "A guest may stay for twenty-four hours." },
        { "Turnover was 1,500,000 euros.", "Turnover was 1.5 million euros." },
        { "Adults take eight tablets.", "Adults take no more than eight tablets." },
        { "The mushrooms are edible.", "The mushrooms are edible, but never eat them raw." },
        { "Rooms hold 20, 40 or 60 guests.", "You can not seat others than 20, 40 or 60." },
        { "\xE5\xB9\xB4\xE5\x81\x87\x31\x35\xE5\xA4\xA9",                   /* 15 days of leave */
          "\xE5\xB9\xB4\xE5\x81\x87\xE5\x8D\x81\xE4\xBA\x94\xE5\xA4\xA9" }, /* the same */
    };
    /* ... and which contradict each other. */
    static const char *const other[][2] = {
        { "Prices fell in spring.", "Prices rose in spring." },
        { "The trip takes 90 hours.", "The trip takes 90 minutes." },
        { "Peter Lind gave the lecture.", "Ingrid Hall gave the lecture." },
        { "The shop is closed on Mondays.", "The shop is open on Mondays." },
        { "The invoice was paid.", "The invoice is unpaid." },
        { "Guests may stay 20 days.", "Guests may stay twenty-four days." },
        { "Prices rose by 20, 40 and 60.", "No, all of it fell: 20, 40, 60." },
    };
    size_t i;

    for (i = 0; i < sizeof same / sizeof same[0]; i++)
        if (score(same[i][0], same[i][1], 0.9) < DEN_SUPPORT_MIN)
            fail_msg("'%s' is supported by '%s'", same[i][0], same[i][1]);
    for (i = 0; i < sizeof other / sizeof other[0]; i++)
        if (score(other[i][0], other[i][1], 0.9) >= DEN_SUPPORT_MIN)
            fail_msg("'%s' is contradicted by '%s'", other[i][0], other[i][1]);
}

/* Pairs of a sentence and a passage: those that the weights were set on, and those that they were
 * not. `right` by the threshold, of supported, contradicted and unrelated ones. */
static void pairs_are_told_apart(void **state)
{
    json_t *pairs = json_load_file(DEN_FIXTURES "/support.json", 0, NULL), *pair;
    FILE *file = fopen(DEN_FIXTURES "/support.f32", "rb");
    size_t asked[2][3] = { { 0 } }, right[2][3] = { { 0 } }, i;
    float cosine;

    assert_non_null(pairs);
    assert_non_null(file);
    json_array_foreach(pairs, i, pair)
    {
        const char *kind = json_string_value(json_object_get(pair, "kind"));
        const size_t k = *kind == 's' ? 0 : *kind == 'c' ? 1 : 2;
        const size_t set = strcmp(json_string_value(json_object_get(pair, "set")), "held") == 0;
        double found;

        assert_int_equal(fread(&cosine, sizeof cosine, 1, file), 1);
        found = score(json_string_value(json_object_get(pair, "claim")),
                      json_string_value(json_object_get(pair, "passage")), (double)cosine);
        asked[set][k]++;
        right[set][k] += (found >= DEN_SUPPORT_MIN) == (k == 0);
        if ((found >= DEN_SUPPORT_MIN) != (k == 0) && getenv("DEN_SHOW"))
            printf("%s %.2f (cosine %.2f): %s\n", kind, found, (double)cosine,
                   json_string_value(json_object_get(pair, "claim")));
    }
    fclose(file);
    json_decref(pairs);
    for (i = 0; i < 2; i++)
        printf("%s: supported %zu of %zu, contradicted %zu of %zu, unrelated %zu of %zu\n",
               i ? "held out" : "fitted", right[i][0], asked[i][0], right[i][1], asked[i][1],
               right[i][2], asked[i][2]);
    assert_true(asked[1][0] >= 25 && asked[1][1] >= 25 && asked[1][2] >= 10);
    for (i = 0; i < 2; i++) {
        assert_true(right[i][0] * 20 >= asked[i][0] * 17);
        assert_true(right[i][1] * 20 >= asked[i][1] * 17);
        assert_int_equal(right[i][2], asked[i][2]);
    }
}

int desk_test_support(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(terms_are_read),
        cmocka_unit_test(what_is_missing_counts),
        cmocka_unit_test(what_is_turned_round_is_told),
        cmocka_unit_test(pairs_are_told_apart),
    };

    return cmocka_run_group_tests_name("desk/support", tests, NULL, NULL);
}
