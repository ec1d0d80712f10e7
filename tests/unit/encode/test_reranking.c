/* The embedder as a reranker, against transformers on tiny cross-encoders: BERT's and RoBERTa's
 * pairs, with and without a pooler, from folders and GGUF files. */
#include "model/encoder_fixture.h"

#include "encode/embedder.h"

enum { TEXTS = 7 };

static struct den_embedder *open_reranker(const char *name, enum den_precision precision)
{
    struct den_embedder_options options = { .path = encoder_path(name),
                                            .threads = 2,
                                            .precision = precision };
    struct den_embedder *embedder = NULL;
    struct den_error err = { 0 };

    if (den_embedder_open(&options, &embedder, &err) != DEN_OK)
        fail_msg("%s", err.message);
    return embedder;
}

struct given {
    json_t *expected;
    const char *texts[TEXTS];
    size_t lengths[TEXTS];
    struct den_embed_request request;
};

static void give(struct given *given, const char *name)
{
    size_t i;

    *given = (struct given){ .expected = encoder_json(name) };
    for (i = 0; i < TEXTS; i++) {
        const json_t *text = json_array_get(json_object_get(given->expected, "texts"), i);

        given->texts[i] = json_string_value(text);
        given->lengths[i] = json_string_length(text);
    }
    given->request = (struct den_embed_request){
        .texts = given->texts, .lengths = given->lengths, .count = TEXTS, .truncate = true
    };
    given->request.query = json_string_value(json_object_get(given->expected, "query"));
    given->request.query_length = strlen(given->request.query);
}

static void agrees_with_transformers(void **state)
{
    static const struct {
        const char *model, *expected, *scores;
    } models[] = { { "reranker", "reranker/expected.json", "scores" },
                   { "reranker.gguf", "reranker/expected.json", "scores" },
                   { "reranker_flat.gguf", "reranker/expected.json", "flat_scores" },
                   { "reranker_roberta", "reranker_roberta/expected.json", "scores" } };
    size_t m, i, tokens[TEXTS];
    float scores[TEXTS];
    int fp32;

    for (m = 0; m < sizeof models / sizeof models[0]; m++)
        for (fp32 = 0; fp32 < 2; fp32++) {
            struct den_embedder *reranker =
                open_reranker(models[m].model, fp32 ? DEN_PRECISION_FP32 : DEN_PRECISION_INT8);
            struct den_error err = { 0 };
            struct given given;
            double most = 0;

            give(&given, models[m].expected);
            assert_true(den_embedder_ranks(reranker));
            assert_int_equal(den_embedder_width(reranker), 1);
            assert_int_equal(den_embedder_run(reranker, &given.request, scores, tokens, &err),
                             DEN_OK);
            for (i = 0; i < TEXTS; i++) {
                const json_t *ids = json_array_get(json_object_get(given.expected, "tokens"), i);
                const json_t *want =
                    json_array_get(json_object_get(given.expected, models[m].scores), i);

                if (tokens[i] != json_array_size(ids))
                    fail_msg("%s, text %zu: %zu tokens", models[m].model, i, tokens[i]);
                most = fmax(most, fabs(json_number_value(want) - (double)scores[i]));
            }
            print_message("%s, %s: %.2g off at most\n", models[m].model, fp32 ? "f32" : "13 bits",
                          most);
            assert_true(most < (fp32 ? 1e-4 : 2e-2));
            json_decref(given.expected);
            den_embedder_close(reranker);
        }
}

/* Alone or in company, by one thread or all of them: the same bits. */
static void a_score_is_the_texts_own(void **state)
{
    enum { MANY = 120 };
    struct den_embedder *reranker = open_reranker("reranker", DEN_PRECISION_INT8);
    const char *texts[MANY];
    size_t lengths[MANY], i;
    float scores[MANY], alone;
    struct den_error err = { 0 };
    struct given given;

    give(&given, "reranker/expected.json");
    for (i = 0; i < MANY; i++) {
        texts[i] = given.texts[i % TEXTS];
        lengths[i] = given.lengths[i % TEXTS];
    }
    given.request.texts = texts;
    given.request.lengths = lengths;
    given.request.count = MANY;
    assert_int_equal(den_embedder_run(reranker, &given.request, scores, NULL, &err), DEN_OK);
    for (i = 0; i < MANY; i++)
        assert_true(scores[i] == scores[i % TEXTS]);
    given.request.count = 1;
    for (i = 0; i < TEXTS; i++) {
        given.request.texts = &texts[i];
        given.request.lengths = &lengths[i];
        assert_int_equal(den_embedder_run(reranker, &given.request, &alone, NULL, &err), DEN_OK);
        assert_true(alone == scores[i]);
    }
    json_decref(given.expected);
    den_embedder_close(reranker);
}

/* A query beyond its half is cut, and the text still has room. */
static void long_queries_leave_room(void **state)
{
    struct den_embedder *reranker = open_reranker("reranker", DEN_PRECISION_INT8);
    struct den_error err = { 0 };
    char query[2000];
    size_t tokens[TEXTS], i;
    float scores[TEXTS];
    struct given given;

    for (i = 0; i + 1 < sizeof query; i++)
        query[i] = "cat "[i % 4];
    query[i] = '\0';
    give(&given, "reranker/expected.json");
    given.request.query = query;
    given.request.query_length = strlen(query);
    assert_int_equal(den_embedder_run(reranker, &given.request, scores, tokens, &err), DEN_OK);
    assert_int_equal(tokens[0], 24 + 10);
    assert_int_equal(tokens[4], 48);
    assert_true(scores[0] != scores[1]);
    json_decref(given.expected);
    den_embedder_close(reranker);
}

static void each_model_does_its_own_work(void **state)
{
    struct den_embedder *reranker = open_reranker("reranker", DEN_PRECISION_INT8);
    struct den_embedder *embedder = open_reranker("bert", DEN_PRECISION_INT8);
    struct den_error err = { 0 };
    float scores[TEXTS * 32];
    struct given given;

    give(&given, "reranker/expected.json");
    assert_false(den_embedder_ranks(embedder));
    assert_int_equal(den_embedder_run(embedder, &given.request, scores, NULL, &err),
                     DEN_UNSUPPORTED);
    assert_non_null(strstr(err.message, "no reranker"));
    given.request.query = NULL;
    err = (struct den_error){ 0 };
    assert_int_equal(den_embedder_run(reranker, &given.request, scores, NULL, &err),
                     DEN_UNSUPPORTED);
    json_decref(given.expected);
    den_embedder_close(reranker);
    den_embedder_close(embedder);
}

int encode_test_reranking(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(agrees_with_transformers),
        cmocka_unit_test(a_score_is_the_texts_own),
        cmocka_unit_test(long_queries_leave_room),
        cmocka_unit_test(each_model_does_its_own_work),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
