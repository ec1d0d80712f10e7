/* Packed weights for verbs that run a model in this process: found or begun before it is opened,
 * finished in the background after it. The store lives as long as the process, as models that
 * verbs open do. */
#ifndef DEN_CLI_MODEL_PACKED_H
#define DEN_CLI_MODEL_PACKED_H

#include <stdbool.h>

#include "tensor/packed_store.h"

struct den_cli_packed;

/* Never fails; a model that can have no packed file has a store that gives no place. NULL: out of
 * memory. */
struct den_cli_packed *den_cli_packed_begin(const char *model_path);
struct den_packed_store *den_cli_packed_store(struct den_cli_packed *packed);
/* After the model was opened, or was not. */
void den_cli_packed_end(struct den_cli_packed *packed, bool is_loaded);
/* "mapped", "made", "bad", "none": of the model opened last. */
const char *den_cli_packed_state(void);

#endif
