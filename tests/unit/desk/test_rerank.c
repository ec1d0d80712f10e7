/* Reranking: the order that comes of two lists of scores, and what a search does with a model, with
 * none, and with one that fails. */
#include "passage_scratch.h"

#include "desk/rerank.h"

static size_t asked;                 /* texts that were scored */
static enum den_status score_status; /* not DEN_OK: the model fails so */
static bool has_model;

/* The better, the more of the letter 'z' the text has. */
static enum den_status count_letters(void *context, const struct den_rerank_question *question,
                                     struct den_rerank_scores *out, struct den_error *error)
{
    size_t i, j;

    (void)context;
    if (score_status != DEN_OK)
        return den_fail(error, score_status, "there is no such model");
    for (i = 0; i < question->count; i++) {
        out->scores[i] = 0;
        for (j = 0; question->texts[i][j]; j++)
            out->scores[i] += question->texts[i][j] == 'z';
    }
    asked += question->count;
    out->way = question->way;
    snprintf(out->model, sizeof out->model, "letters");
    return DEN_OK;
}

static bool can(void *context, enum den_rerank_way way)
{
    (void)context;
    return has_model && way == DEN_RERANK_CROSS_ENCODER;
}

static int open_reranked(void **state)
{
    const struct den_rerank_source source = { .score = count_letters, .can = can };
    int failed = open_passages(state);

    asked = 0;
    score_status = DEN_OK;
    has_model = true;
    den_retrieval_rerank_with(retrieval, &source);
    return failed;
}

static json_t *search(const char *fields)
{
    json_t *given = parse(fields), *found = NULL;

    assert_ok(den_retrieval_answer(retrieval, threads, given, &found, &err));
    json_decref(given);
    return found;
}

static void fill(void)
{
    add_passages("a", NULL, "apples grow on trees|apples are red or green or yellow");
    add_passages("b", NULL, "apples zzzzzz");
    add_passages("c", NULL, "pears and apples zz|cars");
}

static void ways_have_names(void **state)
{
    enum den_rerank_way way = DEN_RERANK_AUTO;

    assert_ok(den_rerank_way_read("off", &way, &err));
    assert_int_equal(way, DEN_RERANK_OFF);
    assert_ok(den_rerank_way_read("cross_encoder", &way, &err));
    assert_int_equal(way, DEN_RERANK_CROSS_ENCODER);
    assert_ok(den_rerank_way_read("language_model", &way, &err));
    assert_int_equal(way, DEN_RERANK_LANGUAGE_MODEL);
    assert_ok(den_rerank_way_read("auto", &way, &err));
    assert_int_equal(way, DEN_RERANK_AUTO);
    assert_fails(den_rerank_way_read("best", &way, &err), DEN_INVALID);
    assert_int_equal(way, DEN_RERANK_AUTO);
    assert_true(den_rerank_candidates(DEN_RERANK_LANGUAGE_MODEL) <
                den_rerank_candidates(DEN_RERANK_AUTO));
}

static void neither_list_decides_alone(void **state)
{
    static const double search[] = { 0.9, 0.8, 0.2, 0.1 };
    size_t order[4];

    /* says nothing: the search's order stays */
    den_rerank_order(DEN_RERANK_CROSS_ENCODER, search, (double[]){ 3, 3, 3, 3 }, 4, order);
    assert_memory_equal(order, ((size_t[]){ 0, 1, 2, 3 }), sizeof order);
    /* what the search puts second and the model first is first; the last of both stays last */
    den_rerank_order(DEN_RERANK_CROSS_ENCODER, search, (double[]){ -2, 5, 4, -3 }, 4, order);
    assert_memory_equal(order, ((size_t[]){ 1, 2, 0, 3 }), sizeof order);
    /* a language model's word weighs less: the search's best stays before its worst */
    den_rerank_order(DEN_RERANK_LANGUAGE_MODEL, search, (double[]){ -2, -2, -2, -1 }, 4, order);
    assert_memory_equal(order, ((size_t[]){ 0, 1, 3, 2 }), sizeof order);
    /* however large the numbers are, and however many */
    den_rerank_order(DEN_RERANK_CROSS_ENCODER, search, (double[]){ 1e300, 0, 0, -1e300 }, 4, order);
    assert_int_equal(order[0], 0);
    den_rerank_order(DEN_RERANK_CROSS_ENCODER, search, search, 0, order);
    den_rerank_order(DEN_RERANK_CROSS_ENCODER, search, search, 1, order);
    assert_int_equal(order[0], 0);
}

static void a_model_reads_the_best_again(void **state)
{
    json_t *found;

    fill();
    found = search("{'query':'apples','count':2}");
    assert_string_equal(text_at(found, "reranked_by"), "letters");
    assert_int_equal(asked, 5);
    assert_int_equal(json_array_size(json_object_get(found, "hits")), 2);
    assert_string_equal(text_at(found, "hits.0.document"), "b");
    assert_true(json_real_value(json_object_get(json_array_get(json_object_get(found, "hits"), 0),
                                                "rerank_score")) == 6);
    assert_string_equal(text_at(found, "hits.0.rerank_rank"), "1");
    json_decref(found);
}

static void nothing_is_reranked_without_a_model(void **state)
{
    json_t *found;

    fill();
    has_model = false;
    found = search("{'query':'apples','count':2}");
    assert_string_equal(text_at(found, "reranked_by"), "null");
    assert_string_equal(text_at(found, "hits.0.rerank_score"), "null");
    assert_string_equal(text_at(found, "hits.0.rerank_rank"), "null");
    assert_int_equal(json_array_size(json_object_get(found, "hits")), 2);
    json_decref(found);
    has_model = true;
    found = search("{'query':'apples','rerank':'off'}");
    assert_string_equal(text_at(found, "reranked_by"), "null");
    json_decref(found);
    assert_int_equal(asked, 0);
}

/* One that nobody asked for by name must not stand in the way of an answer. */
static void a_damaged_model_is_passed_over(void **state)
{
    static const char *const named = "{'query':'apples','rerank':'cross_encoder'}";
    json_t *found, *given;

    fill();
    score_status = DEN_BAD_FILE;
    found = search("{'query':'apples','count':3}");
    assert_string_equal(text_at(found, "reranked_by"), "null");
    assert_int_equal(json_array_size(json_object_get(found, "hits")), 3);
    json_decref(found);
    given = parse(named);
    assert_fails(den_retrieval_answer(retrieval, threads, given, &found, &err), DEN_BAD_FILE);
    json_decref(given);
    score_status = DEN_NO_MEMORY;
    given = parse("{'query':'apples'}");
    assert_fails(den_retrieval_answer(retrieval, threads, given, &found, &err), DEN_NO_MEMORY);
    json_decref(given);
}

static void other_names_are_refused(void **state)
{
    json_t *given = parse("{'query':'apples','rerank':'best'}"), *found = NULL;

    assert_fails(den_retrieval_answer(retrieval, threads, given, &found, &err), DEN_INVALID);
    json_decref(given);
}

/* Each embedder is measured before its first search, and not again. */
static void an_embedder_is_measured_once(void **state)
{
    struct den_space_embedder current;
    size_t before;

    fill();
    assert_ok(den_space_current_embedder(space, &current, &err));
    assert_false(current.is_calibrated);
    before = embedded;
    json_decref(search("{'query':'apples'}"));
    assert_int_equal(embedded - before, 1 + DEN_SPACE_PROBES);
    assert_ok(den_space_current_embedder(space, &current, &err));
    assert_true(current.is_calibrated);
    assert_true(current.related > current.unrelated - 1);
    before = embedded;
    json_decref(search("{'query':'pears'}"));
    assert_int_equal(embedded - before, 1);
}

int desk_test_rerank(int argc, char **argv)
{
#define T(name) cmocka_unit_test_setup_teardown(name, open_reranked, close_passages)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ways_have_names), cmocka_unit_test(neither_list_decides_alone),
        T(a_model_reads_the_best_again),   T(nothing_is_reranked_without_a_model),
        T(a_damaged_model_is_passed_over), T(other_names_are_refused),
        T(an_embedder_is_measured_once),
    };

    return cmocka_run_group_tests_name("desk/rerank", tests, NULL, NULL);
}
