/* Forecast: what the front sees of schedule/'s fit formula: numbers in, numbers out, and no model
 * file is opened. */
#ifndef DEN_WORKER_FORECAST_H
#define DEN_WORKER_FORECAST_H

#include "schedule/fit.h"         /* IWYU pragma: export */
#include "schedule/fit_machine.h" /* IWYU pragma: export */

#endif
