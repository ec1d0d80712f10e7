/* A reranker's head: two layers, one layer, none, and sizes that do not fit. */
#include "model/encoder_fixture.h"

#include "model/bert_head.h"

enum { WIDTH = 32 };

static struct den_bert_head *open_head(const char *name, enum den_status status, const char *word)
{
    struct den_bert_description description;
    struct den_bert_head *head = NULL;
    struct den_weights *weights = NULL;
    struct den_error err = { 0 };

    assert_int_equal(den_weights_open(encoder_path(name), &weights, &err), DEN_OK);
    assert_int_equal(den_bert_description_read(weights, &description, &err), DEN_OK);
    den_bert_head_create(weights, &description, &head, &err);
    if (err.status != status || (word && !strstr(err.message, word)))
        fail_msg("%s: %d '%s'", name, (int)err.status, err.message);
    den_weights_close(weights);
    return head;
}

/* A hyperbolic tangent bounds what a second layer makes of any input; one layer alone grows. */
static void has_one_layer_or_two(void **state)
{
    struct den_bert_head *deep = open_head("reranker.gguf", DEN_OK, NULL);
    struct den_bert_head *flat = open_head("reranker_flat.gguf", DEN_OK, NULL);
    struct den_bert_head *folder = open_head("reranker", DEN_OK, NULL);
    float zeros[WIDTH] = { 0 }, large[WIDTH];
    size_t i;

    for (i = 0; i < WIDTH; i++)
        large[i] = i % 3 ? 1e6f : -1e6f;
    assert_true(den_bert_head_score(deep, large) == den_bert_head_score(folder, large));
    assert_true(fabs(den_bert_head_score(deep, large)) < 100);
    assert_true(fabs(den_bert_head_score(flat, large)) > 1000);
    assert_true(den_bert_head_score(deep, zeros) != den_bert_head_score(flat, zeros));
    den_bert_head_destroy(deep);
    den_bert_head_destroy(flat);
    den_bert_head_destroy(folder);
    den_bert_head_destroy(NULL);
}

static void says_what_is_missing(void **state)
{
    assert_null(open_head("bert", DEN_BAD_FILE, "head of a reranker is missing"));
}

int model_test_bert_head(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(has_one_layer_or_two),
        cmocka_unit_test(says_what_is_missing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
