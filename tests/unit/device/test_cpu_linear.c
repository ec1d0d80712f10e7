/* Linear layers against sums in double: norms, gates, biases, residuals, experts, every mixture of
 * types, and the same bits whatever the number of threads. */
#include "device_case.h"

struct linear_case {
    const char *name;
    enum den_type types[3];
    int tensors;
    size_t out[3];
    size_t in;
    size_t rows;
    enum den_precision precision;
    int norm; /* 1 RMSNorm, 2 LayerNorm */
    enum den_activation gate;
    int bias;
    int accumulate;
    int gather;  /* rows read random input rows */
    int scatter; /* rows add to few output rows */
};

static const struct linear_case cases[] = {
    { .name = "one row",
      .types = { DEN_TYPE_F32 },
      .tensors = 1,
      .out = { 40 },
      .in = 32,
      .rows = 1,
      .precision = DEN_PRECISION_FP32 },
    { .name = "large row",
      .types = { DEN_TYPE_F32 },
      .tensors = 1,
      .out = { 1500 },
      .in = 416,
      .rows = 1,
      .precision = DEN_PRECISION_FP32,
      .norm = 1 },
    { .name = "rows",
      .types = { DEN_TYPE_F16, DEN_TYPE_BF16 },
      .tensors = 2,
      .out = { 37, 100 },
      .in = 96,
      .rows = 77,
      .precision = DEN_PRECISION_FP32,
      .norm = 2,
      .bias = 1,
      .accumulate = 1 },
    { .name = "gate",
      .types = { DEN_TYPE_F32 },
      .tensors = 1,
      .out = { 130 },
      .in = 160,
      .rows = 50,
      .precision = DEN_PRECISION_FP32,
      .gate = DEN_ACTIVATION_SILU },
    { .name = "Q8 row",
      .types = { DEN_TYPE_Q8_0 },
      .tensors = 1,
      .out = { 700 },
      .in = 576,
      .rows = 1,
      .precision = DEN_PRECISION_INT8,
      .norm = 1 },
    { .name = "Q4 rows",
      .types = { DEN_TYPE_Q4_0 },
      .tensors = 1,
      .out = { 200 },
      .in = 288,
      .rows = 70,
      .precision = DEN_PRECISION_INT8,
      .norm = 2,
      .bias = 1 },
    { .name = "Q4_1 gate",
      .types = { DEN_TYPE_Q4_1 },
      .tensors = 1,
      .out = { 96 },
      .in = 320,
      .rows = 33,
      .precision = DEN_PRECISION_INT8,
      .gate = DEN_ACTIVATION_GELU_ERF,
      .accumulate = 1 },
    { .name = "Q4_1 gate row",
      .types = { DEN_TYPE_Q4_1 },
      .tensors = 1,
      .out = { 960 },
      .in = 320,
      .rows = 1,
      .precision = DEN_PRECISION_INT8,
      .gate = DEN_ACTIVATION_SILU,
      .accumulate = 1 },
    { .name = "blocks of rows",
      .types = { DEN_TYPE_Q4_0 },
      .tensors = 1,
      .out = { 96 },
      .in = 2048,
      .rows = 300,
      .precision = DEN_PRECISION_INT8,
      .accumulate = 1 },
    { .name = "mixed",
      .types = { DEN_TYPE_Q8_0, DEN_TYPE_F16, DEN_TYPE_Q4_1 },
      .tensors = 3,
      .out = { 50, 70, 33 },
      .in = 256,
      .rows = 19,
      .precision = DEN_PRECISION_INT8,
      .norm = 1,
      .bias = 1 },
    { .name = "mixed row",
      .types = { DEN_TYPE_Q8_0, DEN_TYPE_F32, DEN_TYPE_Q4_0 },
      .tensors = 3,
      .out = { 250, 270, 133 },
      .in = 256,
      .rows = 1,
      .precision = DEN_PRECISION_INT8,
      .bias = 1 },
    { .name = "quantized in reference mode",
      .types = { DEN_TYPE_Q4_0 },
      .tensors = 1,
      .out = { 64 },
      .in = 128,
      .rows = 9,
      .precision = DEN_PRECISION_FP32,
      .norm = 1 },
    { .name = "experts",
      .types = { DEN_TYPE_F32 },
      .tensors = 1,
      .out = { 257 },
      .in = 64,
      .rows = 60,
      .precision = DEN_PRECISION_FP32,
      .gate = DEN_ACTIVATION_GELU_TANH,
      .bias = 1,
      .accumulate = 1,
      .gather = 1,
      .scatter = 1 },
    { .name = "experts in int8",
      .types = { DEN_TYPE_Q8_0 },
      .tensors = 1,
      .out = { 257 },
      .in = 64,
      .rows = 60,
      .precision = DEN_PRECISION_INT8,
      .norm = 1,
      .accumulate = 1,
      .gather = 1,
      .scatter = 1 },
    { .name = "a single expert",
      .types = { DEN_TYPE_Q4_0 },
      .tensors = 1,
      .out = { 300 },
      .in = 512,
      .rows = 1,
      .precision = DEN_PRECISION_INT8,
      .norm = 1,
      .accumulate = 1,
      .gather = 1,
      .scatter = 1 },
};

struct data {
    struct den_tensor tensors[3];
    size_t out, input_width, input_rows, output_rows;
    float *input, *weight, *norm_bias, *bias, *before, *scales;
    int32_t *from, *to;
    double *want, *reach; /* reach: what int8 errors are measured by */
};

static double activate(enum den_activation gate, double x)
{
    switch (gate) {
    case DEN_ACTIVATION_SILU:
        return x / (1 + exp(-x));
    case DEN_ACTIVATION_GELU_TANH:
        return x / 2 * (1 + tanh(0.7978845608028654 * (x + 0.044715 * x * x * x)));
    case DEN_ACTIVATION_GELU_ERF:
        return x / 2 * (1 + erf(x / sqrt(2)));
    default:
        return x;
    }
}

static void prepare(const struct linear_case *c, const struct data *data, const float *x, double *f)
{
    double mean = 0, squares = 0;
    size_t i;

    for (i = 0; i < c->in; i++)
        mean += c->norm == 2 ? x[i] / (double)c->in : 0;
    for (i = 0; i < c->in; i++)
        squares += (x[i] - mean) * (x[i] - mean);
    for (i = 0; i < c->in; i++) {
        f[i] = x[i];
        if (c->gate)
            f[i] = activate(c->gate, x[i]) * x[i + c->in];
        if (c->norm)
            f[i] = (x[i] - mean) / sqrt(squares / (double)c->in + 1e-5) * data->weight[i];
        if (c->norm == 2)
            f[i] += data->norm_bias[i];
    }
}

static void reference(const struct linear_case *c, struct data *data)
{
    double *f = malloc(c->in * sizeof *f);
    float *w = malloc(c->in * sizeof *w);
    size_t r, t, o, i, column;

    for (i = 0; i < data->output_rows * data->out; i++) {
        data->want[i] = c->accumulate ? data->before[i] : 0;
        data->reach[i] = 0;
    }
    for (r = 0; r < c->rows; r++) {
        size_t from = c->gather ? (size_t)data->from[r] : r;
        size_t to = c->scatter ? (size_t)data->to[r] : r;
        double scale = c->scatter ? data->scales[r] : 1;

        prepare(c, data, data->input + from * data->input_width, f);
        for (t = 0, column = 0; t < (size_t)c->tensors; t++)
            for (o = 0; o < c->out[t]; o++, column++) {
                double sum = c->bias ? data->bias[column] : 0, squares = 0;

                den_type_to_f32(
                    c->types[t],
                    (const char *)data->tensors[t].data + o * data->tensors[t].row_bytes, w, c->in);
                for (i = 0; i < c->in; i++) {
                    sum += w[i] * f[i];
                    squares += w[i] * f[i] * w[i] * f[i];
                }
                data->want[to * data->out + column] += scale * sum;
                data->reach[to * data->out + column] += fabs(scale) * sqrt(squares);
            }
    }
    free(f);
    free(w);
}

static void make(const struct linear_case *c, struct data *data)
{
    size_t i;

    *data = (struct data){ 0 };
    for (i = 0; i < (size_t)c->tensors; i++) {
        data->tensors[i] = random_tensor(c->types[i], c->in, c->out[i]);
        data->out += c->out[i];
    }
    data->input_width = (c->gate ? 2 * c->in : c->in) + 5;
    data->input_rows = c->gather ? 11 : c->rows;
    data->output_rows = c->scatter ? 7 : c->rows;
    data->input = random_floats(data->input_rows * data->input_width, -2, 2);
    data->weight = random_floats(c->in, -1, 1);
    data->norm_bias = random_floats(c->in, -1, 1);
    data->bias = random_floats(data->out, -1, 1);
    data->before = random_floats(data->output_rows * data->out, -1, 1);
    data->scales = random_floats(c->rows, 0, 1);
    data->from = malloc(c->rows * sizeof *data->from);
    data->to = malloc(c->rows * sizeof *data->to);
    for (i = 0; i < c->rows; i++) {
        data->from[i] = (int32_t)(random_bits() % data->input_rows);
        data->to[i] = (int32_t)(random_bits() % data->output_rows);
    }
    data->want = malloc(data->output_rows * data->out * sizeof *data->want);
    data->reach = malloc(data->output_rows * data->out * sizeof *data->reach);
    reference(c, data);
}

static void discard(struct data *data)
{
    size_t i;

    for (i = 0; i < 3; i++)
        free((void *)data->tensors[i].data);
    free(data->input);
    free(data->weight);
    free(data->norm_bias);
    free(data->bias);
    free(data->before);
    free(data->scales);
    free(data->from);
    free(data->to);
    free(data->want);
    free(data->reach);
}

/* Runs the case on `threads` threads into `output`, which has 3 floats beyond each row. */
static void run(const struct linear_case *c, const struct data *data, int threads,
                const char *features, float *output)
{
    const struct den_tensor *tensors[3] = { &data->tensors[0], &data->tensors[1],
                                            &data->tensors[2] };
    struct den_device *device = device_of(threads, features);
    struct den_matrix *matrix = NULL;
    struct den_error err = { 0 };
    size_t stride = data->out + 3, i;
    struct den_linear op = { .rows = c->rows,
                             .input = data->input,
                             .input_stride = data->input_width,
                             .norm = { .weight = c->norm ? data->weight : NULL,
                                       .bias = c->norm == 2 ? data->norm_bias : NULL,
                                       .epsilon = 1e-5f },
                             .gate = c->gate,
                             .bias = c->bias ? data->bias : NULL,
                             .output = output,
                             .output_stride = stride,
                             .accumulate = c->accumulate,
                             .input_rows = c->gather ? data->from : NULL,
                             .output_rows = c->scatter ? data->to : NULL,
                             .scales = c->scatter ? data->scales : NULL };

    workspace_of(device, c->rows, c->in, 1, 16);
    if (den_matrix_create(device, tensors, c->tensors, c->precision, &matrix, &err) != DEN_OK)
        fail_msg("%s: %s", c->name, err.message);
    assert_int_equal(den_matrix_in(matrix), c->in);
    assert_int_equal(den_matrix_out(matrix), data->out);
    for (i = 0; i < data->output_rows * stride; i++)
        output[i] = 77;
    for (i = 0; i < data->output_rows; i++)
        memcpy(output + i * stride, data->before + i * data->out, data->out * sizeof *output);
    op.matrix = matrix;
    den_device_linear(device, &op);
    den_matrix_destroy(matrix);
    den_device_destroy(device);
}

static void check(const struct linear_case *c, const struct data *data, const float *output)
{
    size_t r, o, stride = data->out + 3;
    double squares = 0, reach = 0;

    for (r = 0; r < data->output_rows; r++) {
        for (o = data->out; o < stride; o++)
            assert_true(output[r * stride + o] == 77);
        for (o = 0; o < data->out; o++) {
            double value = output[r * stride + o], want = data->want[r * data->out + o];
            double size = data->reach[r * data->out + o];
            double error = fabs(value - want);

            if (size == 0 && (!c->scatter || value == want)) /* nobody wrote there */
                continue;
            squares += error * error;
            reach += size * size;
            if (!(error <= (c->precision == DEN_PRECISION_INT8 ? 0.06 : 3e-6) * size + 1e-5))
                fail_msg("%s: row %zu, output %zu is %.8g, not %.8g", c->name, r, o, value, want);
        }
    }
    /* int8 rounding: amax / 127 / sqrt(12) of values that are a third of amax: under 1 % */
    assert_true(sqrt(squares) <= (c->precision == DEN_PRECISION_INT8 ? 0.012 : 1e-6) * sqrt(reach));
}

static void cases_agree_on(const char *features)
{
    size_t i;
    int threads;

    for (i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        float *first, *output;
        struct data data;
        size_t bytes;

        make(&cases[i], &data);
        bytes = data.output_rows * (data.out + 3) * sizeof *output;
        first = malloc(bytes);
        output = malloc(bytes);
        run(&cases[i], &data, 1, features, first);
        check(&cases[i], &data, first);
        for (threads = 2; threads <= 3; threads++) {
            run(&cases[i], &data, threads, features, output);
            if (memcmp(first, output, bytes) != 0)
                fail_msg("%s: %d threads compute something else", cases[i].name, threads);
        }
        free(first);
        free(output);
        discard(&data);
    }
}

static void agrees_with_double(void **state)
{
    cases_agree_on(NULL);
}

static void agrees_with_double_scalar(void **state)
{
    cases_agree_on("scalar");
}

int device_test_cpu_linear(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(agrees_with_double),
        cmocka_unit_test(agrees_with_double_scalar),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
