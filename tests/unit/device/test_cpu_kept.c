/* Matrices kept on disk: the second loading takes the very bytes that the first one packed, a
 * damaged part is packed again in memory with the same results, and so is everything after it. */
#include "device_case.h"

#include <stdio.h>
#include <unistd.h>

#include "tensor/packed_store.h"
#include "tensor/weights.h"

enum { IN = 2048, OUT = 1100, PART_MIDDLE = 1 << 20 };

static bool make_room(void *context, uint64_t bytes)
{
    return ftruncate(*(int *)context, (off_t)bytes) == 0;
}

struct load {
    struct den_packed_store *store;
    struct den_device *device;
    struct den_matrix *matrices[2];
    float output[2][OUT];
};

/* One product with each matrix. */
static void multiply(struct load *load)
{
    float *input = malloc(IN * sizeof *input);
    struct den_error err = { 0 };
    size_t i;

    for (i = 0; i < IN; i++)
        input[i] = sinf((float)i);
    assert_int_equal(den_device_workspace(load->device, 1, IN, 1, 2, &err), DEN_OK);
    for (i = 0; i < 2; i++)
        den_device_linear(load->device, &(struct den_linear){ .matrix = load->matrices[i],
                                                              .rows = 1,
                                                              .input = input,
                                                              .input_stride = IN,
                                                              .output = load->output[i],
                                                              .output_stride = OUT });
    free(input);
}

/* The tensors stand for what a model takes from the weights of a fixture. */
static enum den_packed_state load_all(struct load *load, struct den_packed_place place,
                                      const struct den_tensor tensors[2])
{
    struct den_packed_key key = { .version = 1 };
    struct den_error err = { 0 };
    int i;

    assert_int_equal(den_packed_store_create(&place, &load->store, &err), DEN_OK);
    assert_int_equal(
        den_device_create(&(struct den_device_options){ .threads = 2, .packed = load->store },
                          &load->device, &err),
        DEN_OK);
    den_packed_store_begin(load->store, &key, 8 << 20);
    load->device->is_keeping = true;
    for (i = 0; i < 2; i++) {
        const struct den_tensor *tensor = &tensors[i];

        assert_int_equal(den_matrix_create(load->device, &tensor, 1, DEN_PRECISION_INT8,
                                           &load->matrices[i], &err),
                         DEN_OK);
    }
    den_device_end_weights(load->device);
    multiply(load);
    return den_packed_store_state(load->store);
}

static void unload(struct load *load)
{
    den_matrix_destroy(load->matrices[0]);
    den_matrix_destroy(load->matrices[1]);
    den_device_destroy(load->device);
    den_packed_store_destroy(load->store);
    memset(load, 0, sizeof *load);
}

static void flip(int descriptor, off_t at)
{
    unsigned char byte;

    assert_int_equal(pread(descriptor, &byte, 1, at), 1);
    byte ^= 1;
    assert_int_equal(pwrite(descriptor, &byte, 1, at), 1);
}

static void keeps_matrices(void **state)
{
    struct den_tensor tensors[2] = { random_tensor(DEN_TYPE_Q8_0, IN, OUT),
                                     random_tensor(DEN_TYPE_Q4_0, IN, OUT) };
    FILE *file = tmpfile();
    int descriptor = fileno(file);
    struct den_packed_place fill = { -1, descriptor, 1, false, make_room, &descriptor };
    struct den_packed_place read = { descriptor, -1, 1, false, make_room, &descriptor };
    struct load first = { 0 }, second = { 0 };

    assert_int_equal(
        load_all(&first, (struct den_packed_place){ .finished = -1, .unfinished = -1 }, tensors),
        DEN_PACKED_NONE);
    assert_int_equal(load_all(&second, fill, tensors), DEN_PACKED_MADE);
    assert_memory_equal(first.output, second.output, sizeof first.output);
    unload(&second);
    assert_int_equal(load_all(&second, read, tensors), DEN_PACKED_MAPPED);
    assert_true(second.matrices[0]->parts[0].is_kept && second.matrices[1]->parts[0].is_kept);
    assert_memory_equal(first.output, second.output, sizeof first.output);
    unload(&second);
    /* in the first part's second block */
    flip(descriptor, DEN_PACKED_DATA_AT + PART_MIDDLE + 5);
    assert_int_equal(load_all(&second, read, tensors), DEN_PACKED_BAD);
    assert_false(second.matrices[0]->parts[0].is_kept || second.matrices[1]->parts[0].is_kept);
    assert_memory_equal(first.output, second.output, sizeof first.output);
    unload(&second);
    /* who trusts the file does not look */
    read.is_trusted = true;
    assert_int_equal(load_all(&second, read, tensors), DEN_PACKED_MAPPED);
    unload(&second);
    read.is_trusted = false;
    flip(descriptor, DEN_PACKED_DATA_AT + PART_MIDDLE + 5);
    /* the second part: the first stays where it is */
    flip(descriptor, DEN_PACKED_DATA_AT + (off_t)first.matrices[0]->bytes + 77);
    assert_int_equal(load_all(&second, read, tensors), DEN_PACKED_BAD);
    assert_true(second.matrices[0]->parts[0].is_kept && !second.matrices[1]->parts[0].is_kept);
    assert_memory_equal(first.output, second.output, sizeof first.output);
    unload(&second);
    unload(&first);
    fclose(file);
    free((void *)tensors[0].data);
    free((void *)tensors[1].data);
}

/* begin_weights() asks for room that suffices, whatever the model's types are, and cuts the file
 * to what was used. */
static void asks_for_enough_room(void **state)
{
    static const char *const models[] = { DEN_FIXTURES "/models/llama",
                                          DEN_FIXTURES "/models/mixtral" };
    size_t i;

    for (i = 0; i < sizeof models / sizeof models[0]; i++) {
        struct den_packed_place place = { -1, -1, 1, false, make_room, NULL };
        struct den_packed_store *store = NULL;
        struct den_weights *weights = NULL;
        struct den_device *device = NULL;
        struct den_error err = { 0 };
        size_t t, used = 0;
        FILE *file = tmpfile();
        int descriptor = fileno(file);

        place.unfinished = descriptor;
        place.context = &descriptor;
        if (den_weights_open(models[i], &weights, &err) != DEN_OK)
            fail_msg("%s", err.message);
        assert_int_equal(den_packed_store_create(&place, &store, &err), DEN_OK);
        assert_int_equal(
            den_device_create(&(struct den_device_options){ .threads = 1, .packed = store },
                              &device, &err),
            DEN_OK);
        den_device_begin_weights(device, weights, DEN_PRECISION_INT8);
        for (t = 0; t < den_weights_tensor_count(weights); t++) {
            const struct den_tensor *tensor = den_weights_tensor(weights, t);
            struct den_matrix *matrix = NULL;

            if (tensor->dims < 2)
                continue;
            assert_int_equal(
                den_matrix_create(device, &tensor, 1, DEN_PRECISION_INT8, &matrix, &err), DEN_OK);
            assert_true(matrix->parts[0].is_kept);
            used += matrix->bytes;
            den_matrix_destroy(matrix);
        }
        den_device_end_weights(device);
        assert_int_equal(den_packed_store_state(store), DEN_PACKED_MADE);
        assert_true(den_packed_store_bytes(store) >= used + DEN_PACKED_DATA_AT);
        assert_int_equal(lseek(descriptor, 0, SEEK_END), den_packed_store_bytes(store));
        den_device_destroy(device);
        den_packed_store_destroy(store);
        den_weights_close(weights);
        fclose(file);
    }
}

int device_test_cpu_kept(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keeps_matrices),
        cmocka_unit_test(asks_for_enough_room),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
