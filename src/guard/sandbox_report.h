/* Sandbox report: what den_sandbox_lock() found, for people and programs. */
#ifndef DEN_GUARD_SANDBOX_REPORT_H
#define DEN_GUARD_SANDBOX_REPORT_H

#include <jansson.h>

#include "guard/sandbox.h"

/* {"level": text, "walls": [{"name", "up", "why"}]}; NULL when out of memory. */
json_t *den_sandbox_report_json(const struct den_sandbox_report *report);

#endif
