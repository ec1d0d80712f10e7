/* Matrices that are kept packed on disk: between den_device_begin_weights() and end_weights(), each
 * part of a matrix is taken from the device's packed store (tensor/packed_store.h), or packed into
 * it.
 *
 * A part of a finished file is summed by the whole team before it is used, unless the store trusts
 * the file. That costs one pass over the weights at the speed of memory, and finds pages that a
 * disk gave back wrong before a model has spoken nonsense; it also brings the pages in, which the
 * first token would have waited for. Where a sum is wrong, this part and those after it are packed
 * in memory, and the file is remade the next time. */
#include <stdatomic.h>
#include <string.h>

#include "base/checked.h"
#include "device/cpu/cpu_device.h"
#include "kernels/pack.h"
#include "tensor/packed_store.h"
#include "tensor/weights.h"

struct sum_job {
    const unsigned char *data;
    size_t bytes;
    atomic_uint_least64_t sum;
};

static void sum_blocks(void *context, struct den_team *team, int member)
{
    struct sum_job *job = context;
    size_t blocks = (job->bytes + DEN_PACKED_BLOCK_BYTES - 1) / DEN_PACKED_BLOCK_BYTES, block;

    (void)member;
    while ((block = den_team_claim(team, 1)) < blocks)
        atomic_fetch_add(&job->sum, den_packed_block_sum(job->data, job->bytes, block));
}

static uint64_t sum_of(struct den_device *device, const struct den_packed *packed,
                       const unsigned char *data)
{
    struct sum_job job = { .data = data, .bytes = packed->panels * packed->panel_bytes };

    den_team_share(device->team, sum_blocks, &job);
    return atomic_load(&job.sum);
}

unsigned char *den_kept_take(struct den_device *device, const struct den_packed *packed,
                             const char *name, bool *out_is_packed)
{
    const struct den_packed_part wanted = {
        .name = name ? den_packed_sum(name, strlen(name), 0) : 0,
        .format = (uint32_t)packed->format,
        .in = packed->in,
        .out = packed->out,
        .bytes = packed->panels * packed->panel_bytes,
    };
    struct den_packed_store *store = device->is_keeping ? device->store : NULL;
    unsigned char *data;
    uint64_t sum = 0;

    data = store ? den_packed_store_take(store, &wanted, &sum) : NULL;
    if (!data || den_packed_store_state(store) != DEN_PACKED_MAPPED)
        return data;
    if (den_packed_store_needs_sums(store) && sum_of(device, packed, data) != sum) {
        den_packed_store_reject(store);
        return NULL;
    }
    *out_is_packed = true;
    return data;
}

void den_kept_filled(struct den_device *device, const struct den_packed *packed)
{
    den_packed_store_filled(device->store, sum_of(device, packed, packed->data));
}

/* At most what all matrices of the file can take: a tensor is packed once, if at all. 0: nothing
 * can be said. */
static uint64_t room_for(const struct den_weights *weights, enum den_precision precision)
{
    size_t total = 0, count = den_weights_tensor_count(weights), i;

    for (i = 0; i < count; i++) {
        const struct den_tensor *tensor = den_weights_tensor(weights, i);
        struct den_error ignored = { 0 };
        struct den_packed packed;
        enum den_pack_format format;
        size_t bytes = 0;

        if (tensor->dims < 2 || den_pack_choose(tensor->type, precision == DEN_PRECISION_INT8,
                                                &format, &ignored) != DEN_OK)
            continue;
        if (precision == DEN_PRECISION_INT16 && tensor->size[0] % 2 == 0)
            format = DEN_PACK_S16;
        if (den_pack_plan(format, tensor->size[0], den_tensor_rows(tensor), &packed, &ignored) !=
            DEN_OK)
            continue;
        /* slices of stacked experts are padded one by one */
        if (!den_checked_multiply(packed.panels + tensor->size[2], packed.panel_bytes, &bytes) ||
            !den_checked_add(bytes,
                             (DEN_PACKED_ALIGNMENT + DEN_PACKED_ENTRY_BYTES) * tensor->size[2] *
                                 tensor->size[3],
                             &bytes) ||
            !den_checked_add(total, bytes, &total))
            return 0;
    }
    return total;
}

void den_device_begin_weights(struct den_device *device, const struct den_weights *weights,
                              enum den_precision precision)
{
    const struct den_packed_key key = { .version = DEN_PACK_VERSION,
                                        .precision = (uint32_t)precision,
                                        .fingerprint = den_weights_fingerprint(weights) };

    if (!device->store || precision == DEN_PRECISION_FP32)
        return; /* the reference mode is for measuring, and takes eight times the room */
    device->is_keeping = true;
    den_packed_store_begin(device->store, &key, room_for(weights, precision));
}

void den_device_end_weights(struct den_device *device)
{
    if (device->is_keeping)
        den_packed_store_end(device->store);
    device->is_keeping = false;
}
