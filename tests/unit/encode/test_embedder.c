/* The embedder against sentence-transformers on tiny models, and its edges: nothing to embed, empty
 * and enormous texts, truncation, fewer dimensions, cancelling, and files that do not belong. */
#include "model/encoder_fixture.h"

#include "encode/embedder.h"

enum { TEXTS = 7, WIDTH = 32 };

static struct den_embedder *open_embedder(const char *name, enum den_precision precision)
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
}

static double cosine(const json_t *expected, const float *found)
{
    double dot = 0, a = 0, b = 0;
    size_t i;

    for (i = 0; i < WIDTH; i++) {
        double x = json_number_value(json_array_get(expected, i));

        dot += x * (double)found[i];
        a += x * x;
        b += (double)found[i] * (double)found[i];
    }
    assert_true(fabs(b - 1) < 1e-5);
    return dot / sqrt(a * b);
}

static void agrees_with_sentence_transformers(void **state)
{
    static const char *const models[][2] = { { "bert", "bert/expected.json" },
                                             { "bert.gguf", "bert/expected.json" },
                                             { "roberta", "roberta/expected.json" } };
    float vectors[TEXTS * WIDTH];
    size_t tokens[TEXTS], m, i;
    int fp32;

    for (m = 0; m < 3; m++)
        for (fp32 = 0; fp32 < 2; fp32++) {
            struct den_embedder *embedder =
                open_embedder(models[m][0], fp32 ? DEN_PRECISION_FP32 : DEN_PRECISION_INT8);
            struct den_error err = { 0 };
            struct given given;

            give(&given, models[m][1]);
            assert_int_equal(den_embedder_run(embedder, &given.request, vectors, tokens, &err),
                             DEN_OK);
            for (i = 0; i < TEXTS; i++) {
                const json_t *want = json_array_get(json_object_get(given.expected, "vectors"), i);
                size_t count =
                    json_array_size(json_array_get(json_object_get(given.expected, "tokens"), i));
                double found = cosine(want, vectors + i * WIDTH);

                if (i == 4 && m == 1) /* a GGUF file knows no shorter length than its positions */
                    continue;
                assert_int_equal(tokens[i], count);
                if (!(found > (fp32 ? 0.9999999 : 0.9999)))
                    fail_msg("%s, text %zu: cosine %.7f", models[m][0], i, found);
            }
            json_decref(given.expected);
            den_embedder_close(embedder);
        }
}

static void describes_the_model(void **state)
{
    struct den_embedder *embedder = open_embedder("roberta", DEN_PRECISION_INT8);

    assert_int_equal(den_embedder_width(embedder), 32);
    assert_int_equal(den_embedder_context(embedder), 30);
    assert_true(den_embedder_parameters(embedder) > 10000);
    assert_string_equal(den_embedder_name(embedder), "roberta");
    assert_string_equal(den_embedder_architecture(embedder), "xlm-roberta");
    assert_int_equal(den_tokenizer_size(den_embedder_tokenizer(embedder)), 91);
    assert_int_equal(den_device_threads(den_embedder_device(embedder)), 2);
    den_embedder_close(embedder);
}

/* More than a batch holds, a megabyte, no texts; each vector as for its text alone. */
static void any_number_and_length_of_texts(void **state)
{
    enum { MANY = 300 };
    struct den_embedder *embedder = open_embedder("bert", DEN_PRECISION_INT8);
    struct den_error err = { 0 };
    char *big = malloc(1 << 20);
    const char *texts[MANY];
    size_t lengths[MANY], tokens[MANY], i;
    float *vectors = malloc(MANY * WIDTH * sizeof *vectors), alone[WIDTH];
    struct den_embed_request request = {
        .texts = texts, .lengths = lengths, .count = MANY, .truncate = true
    };

    for (i = 0; i < 1 << 20; i++)
        big[i] = "the cat "[i % 8];
    for (i = 0; i < MANY; i++) {
        texts[i] = big;
        lengths[i] = i * 7 % 97;
    }
    lengths[5] = 1 << 20;
    assert_int_equal(den_embedder_run(embedder, &request, vectors, tokens, &err), DEN_OK);
    assert_int_equal(tokens[5], 24);
    assert_int_equal(tokens[0], 2);
    for (i = 0; i < MANY; i += 13) {
        request.texts = &texts[i];
        request.lengths = &lengths[i];
        request.count = 1;
        assert_int_equal(den_embedder_run(embedder, &request, alone, NULL, &err), DEN_OK);
        assert_memory_equal(alone, vectors + i * WIDTH, sizeof alone);
    }
    request.count = 0;
    assert_int_equal(den_embedder_run(embedder, &request, NULL, NULL, &err), DEN_OK);
    free(big);
    free(vectors);
    den_embedder_close(embedder);
}

static void truncation_is_asked_for(void **state)
{
    struct den_embedder *embedder = open_embedder("bert", DEN_PRECISION_INT8);
    struct den_error err = { 0 };
    float vectors[TEXTS * WIDTH];
    struct given given;

    give(&given, "bert/expected.json");
    given.request.truncate = false;
    assert_int_equal(den_embedder_run(embedder, &given.request, vectors, NULL, &err),
                     DEN_CONTEXT_FULL);
    assert_non_null(strstr(err.message, "text 4: has 42 tokens; the model reads 24"));
    json_decref(given.expected);
    den_embedder_close(embedder);
}

static void fewer_dimensions(void **state)
{
    struct den_embedder *embedder = open_embedder("bert", DEN_PRECISION_INT8);
    float whole[TEXTS * WIDTH], part[TEXTS * 8];
    struct den_error err = { 0 };
    struct given given;
    size_t t, i;

    give(&given, "bert/expected.json");
    assert_int_equal(den_embedder_run(embedder, &given.request, whole, NULL, &err), DEN_OK);
    given.request.dimensions = 8;
    assert_int_equal(den_embedder_run(embedder, &given.request, part, NULL, &err), DEN_OK);
    for (t = 0; t < TEXTS; t++) {
        double squares = 0;

        for (i = 0; i < 8; i++)
            squares += (double)whole[t * WIDTH + i] * (double)whole[t * WIDTH + i];
        for (i = 0; i < 8; i++)
            assert_true(fabs((double)whole[t * WIDTH + i] / sqrt(squares) -
                             (double)part[t * 8 + i]) < 1e-6);
    }
    given.request.dimensions = 33;
    assert_int_equal(den_embedder_run(embedder, &given.request, part, NULL, &err), DEN_INVALID);
    json_decref(given.expected);
    den_embedder_close(embedder);
}

static void cancels(void **state)
{
    struct den_embedder *embedder = open_embedder("bert", DEN_PRECISION_INT8);
    float vectors[TEXTS * WIDTH];
    struct den_error err = { 0 };
    atomic_bool cancel = true;
    struct given given;

    give(&given, "bert/expected.json");
    given.request.cancel = &cancel;
    assert_int_equal(den_embedder_run(embedder, &given.request, vectors, NULL, &err),
                     DEN_CANCELLED);
    atomic_store(&cancel, false);
    err = (struct den_error){ 0 };
    assert_int_equal(den_embedder_run(embedder, &given.request, vectors, NULL, &err), DEN_OK);
    json_decref(given.expected);
    den_embedder_close(embedder);
}

static void refuse(const char *path, enum den_status status, const char *word)
{
    struct den_embedder_options options = { .path = path, .threads = 1 };
    struct den_embedder *embedder = NULL;
    struct den_error err = { 0 };

    if (den_embedder_open(&options, &embedder, &err) != status || !strstr(err.message, word))
        fail_msg("%s: %d, '%s'", word, (int)err.status, err.message);
    assert_null(embedder);
}

static void refuses_what_does_not_belong(void **state)
{
    const char *folder = copy_encoder();
    char path[512];

    snprintf(path, sizeof path, "%s/tokenizer.json", folder);
    assert_int_equal(unlink(path), 0);
    refuse(folder, DEN_NOT_FOUND, "tokenizer.json");
    remove_encoder(folder);
    snprintf(path, sizeof path, "%s/models/llama.gguf", DEN_FIXTURES);
    refuse(path, DEN_UNSUPPORTED, "llama");
    refuse("/nonexistent", DEN_NOT_FOUND, "/nonexistent");
}

int encode_test_embedder(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(agrees_with_sentence_transformers),
        cmocka_unit_test(describes_the_model),
        cmocka_unit_test(any_number_and_length_of_texts),
        cmocka_unit_test(truncation_is_asked_for),
        cmocka_unit_test(fewer_dimensions),
        cmocka_unit_test(cancels),
        cmocka_unit_test(refuses_what_does_not_belong),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
