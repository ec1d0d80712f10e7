/* See kv_pages.h: on the CPU a page lies where its first head's keys do. */
#include "device/kv_pages.h"

#include <assert.h>

#include "device/cpu/cpu_device.h"

unsigned char *den_kv_pool_page(struct den_kv_pool *pool, int32_t page)
{
    return den_kv_keys(pool, page, 0, 0);
}
