/* Confidence and ranking on a household's papers (tests/fixtures/make_space.py): of the questions
 * that nothing was chosen by, those that the papers answer are believed and find their passage,
 * those on other matters are not; also with an embedder whose cosines are all high, and with one
 * that knows nothing, once they were measured. */
#include "scratch_space.h"

#include <jansson.h>

#include "tensor/half.h"

enum { WIDTH = 384, PASSAGES = 60, QUESTIONS = 120 };

static float vectors[PASSAGES + QUESTIONS][WIDTH];
static json_t *questions;
static int64_t items[PASSAGES];

static void read_halves(const char *path, size_t count, float (*out)[WIDTH])
{
    static uint16_t halves[PASSAGES + QUESTIONS][WIDTH];
    FILE *file = fopen(path, "rb");
    size_t i, j;

    assert_non_null(file);
    assert_int_equal(fread(halves, sizeof halves[0], count, file), count);
    fclose(file);
    for (i = 0; i < count; i++)
        for (j = 0; j < WIDTH; j++)
            out[i][j] = den_half_to_f32(halves[i][j]);
}

static json_t *read_lines(const char *path)
{
    json_t *lines = json_array();
    FILE *file = fopen(path, "r");
    char line[4096];

    assert_non_null(file);
    while (fgets(line, sizeof line, file))
        json_array_append_new(lines, json_loads(line, 0, NULL));
    fclose(file);
    return lines;
}

static const char *member(json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));

    return text ? text : "";
}

/* Another embedder: MiniLM's vectors, changed. */
typedef void change_vector(float *vector);

static void keep_it(float *vector)
{
    (void)vector;
}

/* All in one corner, as many models have theirs: a cosine of 0 becomes 0.6. */
static void move_to_a_corner(float *vector)
{
    float corner[WIDTH];
    uint64_t state = 11;
    size_t i;

    for (i = 0; i < WIDTH; i++)
        corner[i] = noise(&state);
    make_unit(corner, WIDTH);
    for (i = 0; i < WIDTH; i++)
        vector[i] += 1.2247f * corner[i];
    make_unit(vector, WIDTH);
}

/* Some direction for each text, which has nothing to do with what it says. */
static void forget_it(float *vector)
{
    uint64_t state = 0;
    size_t i;

    for (i = 0; i < WIDTH; i++)
        state = state * 31 + (uint64_t)(int64_t)(vector[i] * 1e6f);
    for (i = 0; i < WIDTH; i++)
        vector[i] = noise(&state);
    make_unit(vector, WIDTH);
}

static struct den_space_embedder embedder;
static change_vector *change;

static void calibrate(void)
{
    static float probes[DEN_SPACE_PROBES][WIDTH];
    struct den_error err = { 0 };
    size_t i;

    read_halves(DEN_FIXTURES "/space/probes.f16", DEN_SPACE_PROBES, probes);
    for (i = 0; i < DEN_SPACE_PROBES; i++)
        change(probes[i]);
    den_space_calibrate(space, &embedder, probes[0], &err);
    succeed(&err);
}

static int fill(void **state, const char *name, change_vector *with)
{
    struct den_error err = { 0 };
    json_t *passages;
    size_t i;

    if (open_space(state) != 0)
        return 1;
    change = with;
    read_halves(DEN_FIXTURES "/space/vectors.f16", PASSAGES + QUESTIONS, vectors);
    for (i = 0; i < PASSAGES + QUESTIONS; i++)
        change(vectors[i]);
    passages = read_lines(DEN_FIXTURES "/space/passages.jsonl");
    questions = read_lines(DEN_FIXTURES "/space/questions.jsonl");
    if (json_array_size(passages) != PASSAGES || json_array_size(questions) != QUESTIONS)
        return 1;
    den_space_embedder(space, name, WIDTH, &embedder, &err);
    succeed(&err);
    for (i = 0; i < PASSAGES; i++) {
        json_t *passage = json_array_get(passages, i);

        items[i] =
            add_item(add_document(member(passage, "id"), "text", "[]", 1), member(passage, "title"),
                     member(passage, "text"), &embedder, vectors[i]);
    }
    json_decref(passages);
    return 0;
}

static int fill_minilm(void **state)
{
    return fill(state, "all-MiniLM-L6-v2", keep_it);
}

static int fill_corner(void **state)
{
    return fill(state, "corner", move_to_a_corner);
}

static int fill_ignorant(void **state)
{
    return fill(state, "ignorant", forget_it);
}

static int end(void **state)
{
    json_decref(questions);
    return close_space(state);
}

struct rates {
    size_t asked, believed, found_first, found;
};

/* Of the questions of a kind, those with an even number. */
static struct rates ask_kind(const char *kind)
{
    struct rates rates = { 0 };
    size_t i, j;

    for (i = 1; i < QUESTIONS; i += 2) {
        json_t *question = json_array_get(questions, i);
        struct den_space_query query = { .words = member(question, "text"),
                                         .vector = vectors[PASSAGES + i],
                                         .width = WIDTH,
                                         .diversity = NAN };
        struct den_space_result result;
        struct den_error err = { 0 };
        int64_t wanted = 0;

        if (strcmp(member(question, "kind"), kind) != 0)
            continue;
        if (*member(question, "passage"))
            wanted = items[strtol(member(question, "passage") + 1, NULL, 10) - 1];
        den_space_search(space, &query, &result, &err);
        succeed(&err);
        rates.asked++;
        rates.believed += result.confidence >= 0.5;
        rates.found_first += result.count > 0 && result.hits[0].item == wanted;
        for (j = 0; j < result.count && j < 5; j++)
            rates.found += result.hits[j].item == wanted;
        den_space_result_free(&result);
    }
    print_message("%s: %zu asked, %zu believed, %zu first, %zu among five\n", kind, rates.asked,
                  rates.believed, rates.found_first, rates.found);
    return rates;
}

static void what_is_there_is_found_and_believed(void **state)
{
    struct rates rates = ask_kind("answered");

    (void)state;
    assert_int_equal(rates.asked, 30);
    assert_true(rates.believed >= 26);
    assert_true(rates.found_first >= 26);
    assert_true(rates.found >= 29);
}

static void what_is_not_there_is_not_believed(void **state)
{
    struct rates far = ask_kind("far"), near = ask_kind("near");

    (void)state;
    assert_int_equal(far.asked, 18);
    assert_int_equal(far.believed, 0);
    assert_true(near.believed <= near.asked / 2); /* on the same matter: hard to tell */
}

/* The scale is MiniLM's own: measuring it changes nothing. */
static void measuring_minilm_changes_nothing(void **state)
{
    struct rates before = ask_kind("answered"), near = ask_kind("near"), after;

    (void)state;
    calibrate();
    after = ask_kind("answered");
    assert_int_equal(before.believed, after.believed);
    after = ask_kind("near");
    assert_int_equal(near.believed, after.believed);
}

static void high_cosines_are_believed_only_before_they_are_measured(void **state)
{
    struct rates far = ask_kind("far"), answered;

    (void)state;
    assert_int_equal(far.believed, far.asked);
    calibrate();
    far = ask_kind("far");
    answered = ask_kind("answered");
    assert_int_equal(far.believed, 0);
    assert_true(answered.believed >= 25);
    assert_true(ask_kind("near").believed <= 6);
}

/* Words alone remain, and they do not suffice. */
static void a_model_that_knows_nothing_is_not_believed(void **state)
{
    (void)state;
    calibrate();
    assert_int_equal(ask_kind("far").believed, 0);
    assert_int_equal(ask_kind("near").believed, 0);
}

int space_test_confidence(int argc, char **argv)
{
#define T(name, fill) cmocka_unit_test_setup_teardown(name, fill, end)
    const struct CMUnitTest tests[] = {
        T(what_is_there_is_found_and_believed, fill_minilm),
        T(what_is_not_there_is_not_believed, fill_minilm),
        T(measuring_minilm_changes_nothing, fill_minilm),
        T(high_cosines_are_believed_only_before_they_are_measured, fill_corner),
        T(a_model_that_knows_nothing_is_not_believed, fill_ignorant),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
