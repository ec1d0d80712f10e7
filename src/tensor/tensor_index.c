/* See tensor_index.h. */
#include "tensor/tensor_index.h"

#include <stdlib.h>
#include <string.h>

#include "tensor/quoted.h"

enum den_status den_tensor_index_reserve(struct den_tensor_index *index, size_t total,
                                         const char *what, struct den_error *err)
{
    if (total > DEN_TENSORS_MAX)
        return den_fail(err, DEN_BAD_FILE, "%s: has %zu tensors in all files; %d are allowed", what,
                        total, DEN_TENSORS_MAX);
    index->tensors = calloc(total + 1, sizeof *index->tensors); /* + 1: never of no bytes */
    index->by_name = calloc(total + 1, sizeof *index->by_name);
    if (!index->tensors || !index->by_name)
        return den_fail(err, DEN_NO_MEMORY, "%s: out of memory", what);
    return DEN_OK;
}

void den_tensor_index_add(struct den_tensor_index *index, const struct den_tensor *tensors,
                          size_t count)
{
    if (count > 0)
        memcpy(index->tensors + index->count, tensors, count * sizeof *tensors);
    index->count += count;
}

static int compare_names(const void *left, const void *right)
{
    const struct den_tensor *const *a = left;
    const struct den_tensor *const *b = right;

    return strcmp((*a)->name, (*b)->name);
}

enum den_status den_tensor_index_sort(struct den_tensor_index *index, const char *what,
                                      struct den_error *err)
{
    size_t i;

    for (i = 0; i < index->count; i++)
        index->by_name[i] = &index->tensors[i];
    qsort(index->by_name, index->count, sizeof *index->by_name, compare_names);
    for (i = 1; i < index->count; i++) {
        const char *name = index->by_name[i]->name;

        if (strcmp(index->by_name[i - 1]->name, name) == 0)
            return den_fail(err, DEN_BAD_FILE, "%s: tensor '%s' appears twice", what,
                            den_quoted(name, strlen(name)).text);
    }
    return DEN_OK;
}

void den_tensor_index_deinit(struct den_tensor_index *index)
{
    free(index->tensors);
    free(index->by_name);
    *index = (struct den_tensor_index){ 0 };
}

const struct den_tensor *den_tensor_index_at(const struct den_tensor_index *index, size_t at)
{
    return at < index->count ? &index->tensors[at] : NULL;
}

const struct den_tensor *den_tensor_index_find(const struct den_tensor_index *index,
                                               const char *name)
{
    size_t low = 0;
    size_t high = index->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(name, index->by_name[middle]->name);

        if (order == 0)
            return index->by_name[middle];
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return NULL;
}
