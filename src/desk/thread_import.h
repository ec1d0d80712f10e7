/* Thread import: conversations from a file of Den, OpenAI (conversations.json) or Open WebUI.
 *
 * Which it is shows in each conversation, not in the file's name. Each is one transaction: a bad
 * one is skipped with its reason, the others are there. One whose id is there already is skipped
 * too, so that importing a newer export adds what is new. */
#ifndef DEN_DESK_THREAD_IMPORT_H
#define DEN_DESK_THREAD_IMPORT_H

#include "desk/threads.h"

/* {"threads": count, "messages": count, "skipped": [{"index", "why"}]}. DEN_BAD_FILE: nothing in
 * the file can be read. The database's own failures (a full disk) end the import; what was imported
 * before stays. */
enum den_status den_threads_import(struct den_threads *threads, const char *data, size_t length,
                                   json_t **out, struct den_error *err);

#endif
