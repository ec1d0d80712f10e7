/* Fusions switched off, to measure what they bring: `den bench --ablate`. In all other use every
 * one is on. */
#ifndef DEN_DEVICE_FUSION_H
#define DEN_DEVICE_FUSION_H

#include "device/device.h"

/* What den_device_linear() does on the way and would else be a pass of its own over memory. */
enum den_fusion {
    DEN_FUSION_NORM = 1,    /* norms fold into the quantization of the product that reads them */
    DEN_FUSION_GATE = 2,    /* so do gated activations */
    DEN_FUSION_STACK = 4,   /* tensors stacked in one matrix share one prepared input and one job */
    DEN_FUSION_RESIDUAL = 8 /* a product adds to the residual as it writes */
};

/* Switches off those in `fusions`, a sum of enum den_fusion, and on all others. After
 * den_device_workspace(): it takes scratch memory for as many rows. */
enum den_status den_device_unfuse(struct den_device *device, unsigned fusions,
                                  struct den_error *err);

#endif
