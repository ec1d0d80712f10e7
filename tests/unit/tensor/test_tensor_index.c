/* The table of a model's tensors. */
#include "test.h"

#include <stdio.h>
#include <string.h>

#include "tensor/tensor_index.h"

enum { COUNT = 1000 };

static char names[COUNT][24];

static void fill(struct den_tensor *tensors)
{
    int i;

    for (i = 0; i < COUNT; i++) {
        snprintf(names[i], sizeof names[i], "blk.%d.weight", i * 7919 % COUNT);
        tensors[i] = (struct den_tensor){ .name = names[i], .bytes = (size_t)i };
    }
}

static void finds_every_name(void **state)
{
    static struct den_tensor tensors[COUNT];
    struct den_tensor_index index = { 0 };
    struct den_error err = { 0 };
    size_t i;

    fill(tensors);
    assert_int_equal(den_tensor_index_reserve(&index, COUNT, "x", &err), DEN_OK);
    den_tensor_index_add(&index, tensors, 400);
    den_tensor_index_add(&index, NULL, 0);
    den_tensor_index_add(&index, tensors + 400, COUNT - 400);
    assert_int_equal(den_tensor_index_sort(&index, "x", &err), DEN_OK);
    for (i = 0; i < COUNT; i++) {
        assert_int_equal(den_tensor_index_at(&index, i)->bytes, i);
        assert_int_equal(den_tensor_index_find(&index, names[i])->bytes, i);
    }
    assert_null(den_tensor_index_at(&index, COUNT));
    assert_null(den_tensor_index_find(&index, "blk."));
    assert_null(den_tensor_index_find(&index, "zzz"));
    den_tensor_index_deinit(&index);
}

static void refuses_duplicates_and_too_many(void **state)
{
    static struct den_tensor tensors[COUNT];
    struct den_tensor_index index = { 0 };
    struct den_error err = { 0 };

    fill(tensors);
    tensors[3].name = "blk.900.weight";
    assert_int_equal(den_tensor_index_reserve(&index, COUNT, "x", &err), DEN_OK);
    den_tensor_index_add(&index, tensors, COUNT);
    assert_int_equal(den_tensor_index_sort(&index, "gguf: m", &err), DEN_BAD_FILE);
    assert_string_equal(err.message, "gguf: m: tensor 'blk.900.weight' appears twice");
    den_tensor_index_deinit(&index);
    assert_int_equal(den_tensor_index_reserve(&index, DEN_TENSORS_MAX + 1, "x", &err),
                     DEN_BAD_FILE);
    den_tensor_index_deinit(&index);
}

static void is_fine_when_empty(void **state)
{
    struct den_tensor_index index = { 0 };
    struct den_error err = { 0 };

    assert_int_equal(den_tensor_index_reserve(&index, 0, "x", &err), DEN_OK);
    assert_int_equal(den_tensor_index_sort(&index, "x", &err), DEN_OK);
    assert_null(den_tensor_index_at(&index, 0));
    assert_null(den_tensor_index_find(&index, ""));
    den_tensor_index_deinit(&index);
}

int tensor_test_tensor_index(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_every_name),
        cmocka_unit_test(refuses_duplicates_and_too_many),
        cmocka_unit_test(is_fine_when_empty),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
