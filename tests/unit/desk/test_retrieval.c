/* Searching: what is found where, what is told of it, and what is refused. */
#include "passage_scratch.h"

static json_t *search(const char *fields)
{
    json_t *given = parse(fields), *found = NULL;

    assert_ok(den_retrieval_answer(retrieval, threads, given, &found, &err));
    json_decref(given);
    return found;
}

static double number_at(const json_t *hit, const char *key)
{
    return json_number_value(json_object_get(hit, key));
}

static void fill(void)
{
    make_workspace("{'id':'w1','name':'House','retrieval':{'count':2}}");
    make_workspace("{'id':'w2','name':'Garden'}");
    add_passages("lease", "w1",
                 "The lease of the mill was signed by Anna Becker in March 1999.|"
                 "The tenant pays a rent of 1200 euros each month.|"
                 "Pets are allowed with the written consent of the owner.");
    add_passages("seeds", "w2", "Tomatoes are sown in March and planted after the last frost.");
}

static void finds_with_all_that_led_to_it(void **state)
{
    json_t *found, *hit;

    fill();
    found = search("{'query':'Who signed the lease of the mill?','workspace':'w1'}");
    hit = json_array_get(json_object_get(found, "hits"), 0);
    assert_string_equal(text_at(hit, "document"), "lease");
    assert_string_equal(text_at(hit, "name"), "lease.txt");
    assert_string_equal(text_at(hit, "title"), "Title of lease");
    assert_string_equal(text_at(hit, "heading"), "Terms");
    assert_string_equal(text_at(hit, "part.kind"), "page");
    assert_string_equal(text_at(hit, "part.number"), "7");
    assert_string_equal(text_at(hit, "text"),
                        "The lease of the mill was signed by Anna Becker in March 1999.");
    assert_int_equal(json_integer_value(json_object_get(hit, "end")), strlen(text_at(hit, "text")));
    assert_string_equal(text_at(hit, "word_rank"), "1");
    assert_string_equal(text_at(hit, "vector_rank"), "1");
    assert_string_equal(text_at(hit, "in_prompt"), "true");
    assert_true(number_at(hit, "bm25") > 0 && number_at(hit, "cosine") > 0.5);
    assert_string_equal(text_at(found, "searched"), "3"); /* not what is in the garden */
    assert_true(json_array_size(json_object_get(found, "hits")) <= 2);
    assert_int_equal(embedded, 1 + DEN_SPACE_PROBES);
    forget(found);
}

static void completes_questions(void **state)
{
    json_t *found;

    fill();
    found = search("{'query':'How much does it cost?','workspace':'w1','conversation':["
                   "{'role':'user','content':'What is the rent of the tenant?'}]}");
    assert_string_equal(text_at(found, "query"), "rent tenant How much does it cost?");
    assert_string_equal(text_at(found, "hits.0.part.number"), "7");
    assert_non_null(strstr(text_at(found, "hits.0.text"), "1200 euros"));
    forget(found);
}

static void asks_words_where_no_model_is(void **state)
{
    json_t *found;

    fill();
    embed_status = DEN_NOT_FOUND;
    found = search("{'query':'tomatoes'}");
    assert_string_equal(text_at(found, "hits.0.document"), "seeds");
    assert_string_equal(text_at(found, "hits.0.vector_rank"), "0");
    assert_string_equal(text_at(found, "hits.0.cosine"), "null");
    forget(found);
    embed_status = DEN_NO_MEMORY; /* a failure that is one */
    {
        json_t *fields = parse("{'query':'tomatoes'}");

        assert_fails(den_retrieval_answer(retrieval, threads, fields, &found, &err), DEN_NO_MEMORY);
        json_decref(fields);
    }
}

static void nothing_is_found_in_nothing(void **state)
{
    json_t *found = search("{'query':'tomatoes'}");

    assert_string_equal(text_at(found, "found"), "false");
    assert_int_equal(json_array_size(json_object_get(found, "hits")), 0);
    forget(found);
}

static void few_passages_are_believed_by_their_words(void **state)
{
    static const struct {
        const char *fields, *found;
    } cases[] = {
        { "{'query':'How much is the rent?','workspace':'w1'}", "true" },        /* its one word */
        { "{'query':'Who may write to the tenant?','workspace':'w1'}", "true" }, /* half */
        { "{'query':'How much is the violin?','workspace':'w1'}", "false" },
        { "{'query':'How much?','workspace':'w1'}", "false" },
        { "{'query':'屋顶施工什么时候开始?','workspace':'w3'}", "true" },
        { "{'query':'你最喜欢的电影是什么?','workspace':'w3'}", "false" },
    };
    size_t i;

    fill();
    make_workspace("{'id':'w3','name':'Roof'}");
    add_passages("minutes", "w3", "屋顶施工于4月15日开始，预计持续三周。");
    for (i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        json_t *found = search(cases[i].fields);

        assert_string_equal(text_at(found, "found"), cases[i].found);
        forget(found);
    }
}

static void refuses_what_is_wrong(void **state)
{
    static const struct {
        const char *fields;
        enum den_status status;
    } wrong[] = {
        { "{}", DEN_INVALID },
        { "{'query':''}", DEN_INVALID },
        { "{'query':' \\n '}", DEN_INVALID },
        { "{'query':7}", DEN_INVALID },
        { "{'query':'a','count':0}", DEN_INVALID },
        { "{'query':'a','diversity':-1}", DEN_INVALID },
        { "{'query':'a','documents':'lease'}", DEN_INVALID },
        { "{'query':'a','formats':[1]}", DEN_INVALID },
        { "{'query':'a','conversation':{}}", DEN_INVALID },
        { "{'query':'a','workspace':'absent'}", DEN_NOT_FOUND },
    };
    size_t i;

    for (i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        json_t *fields = parse(wrong[i].fields), *found = NULL;

        assert_fails(den_retrieval_answer(retrieval, threads, fields, &found, &err),
                     wrong[i].status);
        json_decref(fields);
    }
}

int desk_test_retrieval(int argc, char **argv)
{
#define T(name) cmocka_unit_test_setup_teardown(name, open_passages, close_passages)
    const struct CMUnitTest tests[] = {
        T(finds_with_all_that_led_to_it),
        T(completes_questions),
        T(asks_words_where_no_model_is),
        T(nothing_is_found_in_nothing),
        T(few_passages_are_believed_by_their_words),
        T(refuses_what_is_wrong),
    };

    return cmocka_run_group_tests_name("desk/retrieval", tests, NULL, NULL);
}
