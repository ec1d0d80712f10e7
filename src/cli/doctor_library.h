/* den doctor --check and --repair: whether what was added is whole. */
#ifndef DEN_CLI_DOCTOR_LIBRARY_H
#define DEN_CLI_DOCTOR_LIBRARY_H

#include <stdbool.h>

#include "base/status.h"

/* Prints what it finds; DEN_BAD_FILE where something is wrong and stays so. */
enum den_status den_doctor_library(bool repairs, bool as_json, struct den_error *err);

#endif
