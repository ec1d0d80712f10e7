/* The bytes of a cache page, for who moves pages out of the pool and back (engine/prefix_file.h).
 * What they mean is device.h's to say; any bytes may be put back without harm to memory, but what
 * is computed from bytes that were not a page of the same layout means nothing. */
#ifndef DEN_DEVICE_KV_PAGES_H
#define DEN_DEVICE_KV_PAGES_H

#include "device/device.h"

/* den_kv_pool_page_bytes() of them; valid as long as the pool. */
unsigned char *den_kv_pool_page(struct den_kv_pool *pool, int32_t page);

#endif
