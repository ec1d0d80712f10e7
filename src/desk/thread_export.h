/* Thread export: conversations as files for people and for programs.
 *
 * Markdown holds the path to the message last looked at, as it reads on the page. JSON holds whole
 * trees, and is what thread_import.h reads back without loss:
 *
 *     {"format": "den.threads", "version": 1, "exported": Unix milliseconds,
 *      "folders": [{"id", "name"}], "threads": [a thread with its messages, as in docs/API.md,
 *      and "workspace_name"]}
 *
 * A thread finds its workspace again by its id or, on another machine, by its name. */
#ifndef DEN_DESK_THREAD_EXPORT_H
#define DEN_DESK_THREAD_EXPORT_H

#include "base/buffer.h"
#include "desk/threads.h"

enum den_export_format { DEN_EXPORT_MARKDOWN, DEN_EXPORT_JSON };

enum { DEN_EXPORT_NAME_BYTES = 96 };

/* Appends the file to `out`; its name, made from the title, goes to `name`. */
enum den_status den_thread_export(struct den_threads *threads, const char *id,
                                  enum den_export_format format, struct den_buffer *out,
                                  char name[DEN_EXPORT_NAME_BYTES], struct den_error *err);

/* Takes the next bytes of a file; false ends the export. */
typedef bool (*den_export_sink)(void *context, const char *bytes, size_t length);

/* All threads as JSON, one settled state, a thread at a time. DEN_IO where the sink refuses. */
enum den_status den_threads_export(struct den_threads *threads, den_export_sink sink, void *context,
                                   struct den_error *err);

#endif
