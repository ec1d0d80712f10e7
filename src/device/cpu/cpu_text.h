/* What the CPU's two ways to run an encoder share. */
#ifndef DEN_DEVICE_CPU_CPU_TEXT_H
#define DEN_DEVICE_CPU_CPU_TEXT_H

#include "device/text_attention.h"

/* Head unit % heads of text unit / heads, in `member`'s scratch. */
void den_cpu_attend_unit(struct den_device *device, const struct den_text_attention *op,
                         size_t unit, int member);

#endif
