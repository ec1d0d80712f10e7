/* Runs the compiled AMX kernels on a processor without AMX. */
#ifndef DEN_TESTS_TILES_TRAP_H
#define DEN_TESTS_TILES_TRAP_H

#include <stdbool.h>

/* From here on tile instructions work: by the processor where it has them and the system allows
 * them, else by a handler of SIGILL. To be called in every test anew, since cmocka sets handlers of
 * its own before each. */
bool tiles_trap_install(void);

#endif
