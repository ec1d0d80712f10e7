/* The stack of layers that one thread runs alone: the same bits as the operations that all threads
 * share, one after the other, for texts of many lengths. */
#include "device_case.h"

#include "device/text_attention.h"
#include "device/text_stack.h"

enum { WIDTH = 64, FFN = 100, HEADS = 4, LAYERS = 2, ROWS = 131, TEXTS = 4 };

static const size_t begin[TEXTS + 1] = { 0, 100, 101, 113, ROWS };

static struct den_matrix *matrix_of(struct den_device *device, size_t in, size_t out,
                                    enum den_precision precision)
{
    struct den_error err = { 0 };
    struct den_tensor tensor = random_tensor(DEN_TYPE_F32, in, out);
    const struct den_tensor *tensors[] = { &tensor };
    struct den_matrix *matrix = NULL;

    assert_int_equal(den_matrix_create(device, tensors, 1, precision, &matrix, &err), DEN_OK);
    free((void *)(uintptr_t)tensor.data);
    return matrix;
}

static struct den_norm norm_of(void)
{
    return (struct den_norm){ .weight = random_floats(WIDTH, 0.5f, 1.5f),
                              .bias = random_floats(WIDTH, -0.1f, 0.1f),
                              .epsilon = 1e-6f };
}

static void make_layers(struct den_device *device, struct den_text_layer layers[LAYERS],
                        enum den_precision precision)
{
    size_t i;

    for (i = 0; i < LAYERS; i++)
        layers[i] = (struct den_text_layer){ .qkv = matrix_of(device, WIDTH, 3 * WIDTH, precision),
                                             .output = matrix_of(device, WIDTH, WIDTH, precision),
                                             .up = matrix_of(device, WIDTH, FFN, precision),
                                             .down = matrix_of(device, FFN, WIDTH, precision),
                                             .qkv_bias = random_floats(3 * WIDTH, -0.1f, 0.1f),
                                             .output_bias = random_floats(WIDTH, -0.1f, 0.1f),
                                             .up_bias = random_floats(FFN, -0.1f, 0.1f),
                                             .down_bias = random_floats(WIDTH, -0.1f, 0.1f),
                                             .attention_norm = norm_of(),
                                             .ffn_norm = norm_of() };
}

static void free_norm(const struct den_norm *norm)
{
    free((void *)(uintptr_t)norm->weight);
    free((void *)(uintptr_t)norm->bias);
}

static void free_layers(struct den_text_layer layers[LAYERS])
{
    size_t i;

    for (i = 0; i < LAYERS; i++) {
        den_matrix_destroy(layers[i].qkv);
        den_matrix_destroy(layers[i].output);
        den_matrix_destroy(layers[i].up);
        den_matrix_destroy(layers[i].down);
        free((void *)(uintptr_t)layers[i].qkv_bias);
        free((void *)(uintptr_t)layers[i].output_bias);
        free((void *)(uintptr_t)layers[i].up_bias);
        free((void *)(uintptr_t)layers[i].down_bias);
        free_norm(&layers[i].attention_norm);
        free_norm(&layers[i].ffn_norm);
    }
}

static void norm_rows(struct den_device *device, const struct den_norm *norm, float *hidden)
{
    struct den_normalize op = {
        .norm = *norm, .input = hidden, .rows = ROWS, .width = WIDTH, .output = hidden
    };

    den_device_norm(device, &op);
}

/* input (ROWS, in) to output (ROWS, out). */
static void product(struct den_device *device, const struct den_linear *how, const float *input,
                    float *output)
{
    struct den_linear op = *how;

    op.rows = ROWS;
    op.input = input;
    op.input_stride = den_matrix_in(how->matrix);
    op.output = output;
    op.output_stride = den_matrix_out(how->matrix);
    den_device_linear(device, &op);
}

/* What the stack does, operation by operation. */
static void run_operations(struct den_device *device, const struct den_text_stack *stack,
                           float *hidden)
{
    float *qkv = malloc(ROWS * 3 * WIDTH * sizeof *qkv);
    float *context = malloc(ROWS * WIDTH * sizeof *context);
    float *inner = malloc(ROWS * FFN * sizeof *inner);
    struct den_text_attention attention = { .qkv = qkv,
                                            .stride = 3 * WIDTH,
                                            .heads = HEADS,
                                            .head_width = WIDTH / HEADS,
                                            .scale = 0.25f,
                                            .begin = begin,
                                            .texts = TEXTS,
                                            .output = context };
    size_t i;

    norm_rows(device, &stack->first_norm, hidden);
    for (i = 0; i < stack->count; i++) {
        const struct den_text_layer *layer = &stack->layers[i];

        product(device, &(struct den_linear){ .matrix = layer->qkv, .bias = layer->qkv_bias },
                hidden, qkv);
        den_device_text_attention(device, &attention);
        product(device,
                &(struct den_linear){
                    .matrix = layer->output, .bias = layer->output_bias, .accumulate = true },
                context, hidden);
        norm_rows(device, &layer->attention_norm, hidden);
        product(device, &(struct den_linear){ .matrix = layer->up, .bias = layer->up_bias }, hidden,
                inner);
        product(device,
                &(struct den_linear){ .matrix = layer->down,
                                      .bias = layer->down_bias,
                                      .activation = stack->activation,
                                      .accumulate = true },
                inner, hidden);
        norm_rows(device, &layer->ffn_norm, hidden);
    }
    free(qkv);
    free(context);
    free(inner);
}

struct copies {
    struct den_device *device;
    const struct den_text_stack *stack;
    const float *input;
    float *hidden;  /* (members, ROWS, WIDTH) */
    size_t done[3]; /* by each member */
    size_t bytes;
    unsigned char *scratch; /* (members, bytes) */
};

static void run_copy(void *context, size_t item, int member)
{
    struct copies *copies = context;
    struct den_text_stack stack = *copies->stack;

    (void)item;
    stack.hidden = copies->hidden + (size_t)member * ROWS * WIDTH;
    stack.scratch = copies->scratch + (size_t)member * copies->bytes;
    memcpy(stack.hidden, copies->input, ROWS * WIDTH * sizeof(float));
    den_device_text_stack(copies->device, &stack, member);
    copies->done[member]++;
}

static void same_as_the_operations(void **state)
{
    static const char *const features[] = { NULL, "avx2,fma,f16c", "scalar" };
    static const enum den_activation activations[] = { DEN_ACTIVATION_GELU_ERF,
                                                       DEN_ACTIVATION_GELU_TANH };
    size_t f, i, m;

    for (f = 0; f < 3; f++) {
        struct den_device *device = device_of(3, features[f]);
        float *input = random_floats(ROWS * WIDTH, -2, 2), *want = malloc(ROWS * WIDTH * 4);
        struct den_text_layer layers[LAYERS];
        struct den_text_stack stack = { .layers = layers,
                                        .count = LAYERS,
                                        .width = WIDTH,
                                        .ffn_width = FFN,
                                        .heads = HEADS,
                                        .activation = activations[f % 2],
                                        .first_norm = norm_of(),
                                        .begin = begin,
                                        .texts = TEXTS };
        struct copies copies = { .device = device, .stack = &stack, .input = input };
        struct den_error err = { 0 };

        make_layers(device, layers, DEN_PRECISION_INT16);
        assert_true(den_device_text_stack_can(&stack));
        assert_int_equal(den_device_workspace(device, ROWS, FFN, 1, 2, &err), DEN_OK);
        assert_int_equal(den_device_text_workspace(device, ROWS, WIDTH / HEADS, &err), DEN_OK);
        assert_true(den_device_text_stack_bytes(&stack, ROWS, &copies.bytes));
        assert_int_equal(copies.bytes % 64, 0);
        copies.scratch = aligned_alloc(64, 3 * copies.bytes);
        copies.hidden = malloc(3 * ROWS * WIDTH * sizeof(float));
        memcpy(want, input, ROWS * WIDTH * sizeof *want);
        run_operations(device, &stack, want);
        den_device_share(device, 6, run_copy, &copies);
        for (i = 0, m = 0; m < 3; m++) {
            i += copies.done[m];
            if (copies.done[m])
                assert_memory_equal(want, copies.hidden + m * ROWS * WIDTH, ROWS * WIDTH * 4);
        }
        assert_int_equal(i, 6);
        free_layers(layers);
        free_norm(&stack.first_norm);
        free(copies.scratch);
        free(copies.hidden);
        free(input);
        free(want);
        den_device_destroy(device);
    }
}

static void not_in_floats(void **state)
{
    struct den_device *device = device_of(1, NULL);
    struct den_text_layer layers[LAYERS];
    struct den_text_stack stack = { .layers = layers, .count = LAYERS, .width = WIDTH };
    size_t bytes;

    make_layers(device, layers, DEN_PRECISION_FP32);
    assert_false(den_device_text_stack_can(&stack));
    assert_false(den_device_text_stack_bytes(&stack, SIZE_MAX / 8, &bytes));
    free_layers(layers);
    den_device_destroy(device);
}

int device_test_cpu_text_stack(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(same_as_the_operations),
        cmocka_unit_test(not_in_floats),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
