/* Settings: what the page keeps for its user, so that it is the same in each browser: theme,
 * language, shortcuts, default parameters. One flat object of JSON values; Den does not look into
 * them. */
#ifndef DEN_DESK_SETTINGS_H
#define DEN_DESK_SETTINGS_H

#include "desk/threads.h"

enum den_status den_settings_get(struct den_threads *threads, json_t **out, struct den_error *err);
/* Sets what `changes` has, removes what is null in it, keeps the rest; gives all. DEN_TOO_LARGE
 * where all together would have more than DEN_SETTINGS_BYTES_MAX bytes of JSON. */
enum den_status den_settings_change(struct den_threads *threads, const json_t *changes,
                                    json_t **out, struct den_error *err);

#endif
