/* Responses: answers that are kept by their id, so that a client goes on from one without sending
 * the conversation again.
 *
 * Each is one JSON object that the interface gives and gets back whole: the response, what was
 * asked, and what came before it, so that deleting one does not cut the others off. They are kept
 * for thirty days, as OpenAI does, and the oldest go when there are too many. */
#ifndef DEN_DESK_RESPONSES_H
#define DEN_DESK_RESPONSES_H

#include <jansson.h>

#include "base/status.h"

struct den_database;

/* On the disk when it returns. An id that is there already is replaced. */
enum den_status den_response_keep(struct den_database *database, const char *id,
                                  const json_t *content, struct den_error *err);
/* DEN_NOT_FOUND names the id. The caller owns *out. */
enum den_status den_response_find(struct den_database *database, const char *id, json_t **out,
                                  struct den_error *err);
enum den_status den_response_forget(struct den_database *database, const char *id,
                                    struct den_error *err);

#endif
