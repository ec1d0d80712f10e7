/* Ranks by a reranker, by a chat model and by embeddings: the fake's vectors are (length, 0.5, 0.5,
 * 0.5), so that longer is nearer. */
#include "test.h"

#include <math.h>
#include <sys/stat.h>
#include <unistd.h>

#include "http_client.h"

#define RERANK "POST /v1/rerank HTTP/1.1"

static uint16_t port_of(void **state)
{
    return ((struct fixture *)*state)->port;
}

static void sorts_documents(void **state)
{
    json_t *answer = ask_json(port_of(state), RERANK,
                              "{\"query\":\"ab\",\"documents\":[\"a\",\"long one\",{\"text\":"
                              "\"four\"}],\"return_documents\":true}",
                              200);

    assert_string_equal(text_at(answer, "object"), "list");
    assert_string_equal(text_at(answer, "model"), "fake-embed");
    assert_int_equal(json_integer_value(get(answer, "results.0.index")), 1);
    assert_true(json_real_value(get(answer, "results.0.relevance_score")) == 2 * 8 + 0.75);
    assert_string_equal(text_at(answer, "results.1.document.text"), "four");
    assert_int_equal(json_integer_value(get(answer, "results.2.index")), 0);
    assert_int_equal(json_integer_value(get(answer, "usage.total_tokens")), 2 + 1 + 8 + 4);
    json_decref(answer);
    answer = ask_json(port_of(state), "POST /reranking HTTP/1.1",
                      "{\"query\":\"ab\",\"documents\":[\"bb\",\"aa\",\"c\"],\"top_n\":2}", 200);
    assert_int_equal(json_array_size(get(answer, "results")), 2);
    assert_int_equal(json_integer_value(get(answer, "results.0.index")), 0); /* equals keep order */
    json_decref(answer);
}

static void knows_the_other_shape(void **state)
{
    json_t *answer = ask_json(port_of(state), "POST /rerank HTTP/1.1",
                              "{\"query\":\"ab\",\"texts\":[\"a\",\"bcd\",\"\"],\"return_text\":"
                              "true}",
                              200);

    assert_int_equal(json_array_size(answer), 3);
    assert_int_equal(json_integer_value(get(answer, "0.index")), 1);
    assert_string_equal(text_at(answer, "0.text"), "bcd");
    assert_true(json_is_real(get(answer, "0.score")));
    json_decref(answer);
}

static void wrong_fields_are_named(void **state)
{
    static const char *const cases[][2] = {
        { "{}", "'query'" },
        { "{\"query\":\"\"}", "'query'" },
        { "{\"query\":\"a\"}", "'documents'" },
        { "{\"query\":\"a\",\"documents\":\"b\"}", "'documents'" },
        { "{\"query\":\"a\",\"documents\":[]}", "'documents'" },
        { "{\"query\":\"a\",\"documents\":[\"b\",5]}", "'documents[1]'" },
        { "{\"query\":\"a\",\"texts\":[{}]}", "'texts[0]'" },
        { "{\"query\":\"a\",\"documents\":[\"b\"],\"top_n\":0}", "top_n" },
    };
    size_t i;

    for (i = 0; i < sizeof cases / sizeof cases[0]; i++)
        http_expect(port_of(state), RERANK, cases[i][0], 400, cases[i][1]);
    http_expect(port_of(state), RERANK,
                "{\"query\":\"a\",\"documents\":[\"b\"],\"model\":\"absent\"}", 404,
                "\"code\":404");
}

/* A cross-encoder's logits become probabilities, unless they are wanted as they are. */
static void asks_a_reranker(void **state)
{
    json_t *answer;
    char folder[512];

    snprintf(folder, sizeof folder, "%s/models/fake-rerank", getenv("DEN_HOME"));
    assert_int_equal(mkdir(folder, 0700), 0);
    answer =
        ask_json(port_of(state), RERANK, "{\"query\":\"abc\",\"documents\":[\"x\",\"abd\"]}", 200);

    assert_string_equal(text_at(answer, "model"), "fake-rerank");
    assert_int_equal(json_integer_value(get(answer, "results.0.index")), 1);
    assert_true(fabs(json_real_value(get(answer, "results.0.relevance_score")) - 0.880797) < 1e-5);
    assert_true(json_real_value(get(answer, "results.1.relevance_score")) == 0.5);
    json_decref(answer);
    answer = ask_json(port_of(state), RERANK,
                      "{\"query\":\"abc\",\"texts\":[\"x\",\"abd\"],\"model\":\"fake-rerank\","
                      "\"raw_scores\":true}",
                      200);
    assert_true(json_real_value(get(answer, "0.score")) == 2);
    json_decref(answer);
    assert_int_equal(rmdir(folder), 0);
}

/* The fake writes two words, each with the logarithm -0.5, whatever it is asked. */
static void a_chat_model_scores_late(void **state)
{
    json_t *answer =
        ask_json(port_of(state), RERANK,
                 "{\"query\":\"four\",\"documents\":[\"x\",\"y\"],\"model\":\"fake\"}", 200);

    assert_string_equal(text_at(answer, "model"), "fake");
    assert_true(json_real_value(get(answer, "results.0.relevance_score")) < 0);
    assert_int_equal(json_integer_value(get(answer, "results.0.index")), 0);
    assert_non_null(strstr(fake_seen, "A question that this passage answers:"));
    json_decref(answer);
}

int api_test_api_rerank(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sorts_documents),        cmocka_unit_test(knows_the_other_shape),
        cmocka_unit_test(wrong_fields_are_named), cmocka_unit_test(a_chat_model_scores_late),
        cmocka_unit_test(asks_a_reranker),
    };

    return cmocka_run_group_tests(tests, start_server, stop_server);
}
