/* Folders that threads are put into, and prompt templates: two small lists that people keep.
 *
 * A folder is {"id", "name"}; the threads of one that is deleted are in none afterwards. A prompt
 * is {"id", "name", "text"}; the page asks for the values of {{variables}} in its text. Ids may be
 * chosen by the caller; making one twice with the same content is making it once. */
#ifndef DEN_DESK_FOLDERS_H
#define DEN_DESK_FOLDERS_H

#include "desk/threads.h"

enum den_shelf { DEN_SHELF_FOLDERS, DEN_SHELF_PROMPTS };

/* {"folders": [...]} or {"prompts": [...]}, by name. */
enum den_status den_shelf_list(struct den_threads *threads, enum den_shelf shelf, json_t **out,
                               struct den_error *err);
/* `fields`: id, name and, of a prompt, text. */
enum den_status den_shelf_add(struct den_threads *threads, enum den_shelf shelf,
                              const json_t *fields, json_t **out, bool *out_existed,
                              struct den_error *err);
/* Changes what `fields` gives. */
enum den_status den_shelf_change(struct den_threads *threads, enum den_shelf shelf, const char *id,
                                 const json_t *fields, json_t **out, struct den_error *err);
enum den_status den_shelf_delete(struct den_threads *threads, enum den_shelf shelf, const char *id,
                                 struct den_error *err);

#endif
