/* Thread messages: adding, changing and removing what a thread consists of.
 *
 * Rows of answers are made here and filled by answers.h: an answer whose `finish` is null is being
 * written. */
#ifndef DEN_DESK_THREAD_MESSAGES_H
#define DEN_DESK_THREAD_MESSAGES_H

#include <stdint.h>

#include "base/limits.h"
#include "desk/threads.h"

struct den_message_added {
    json_t *message, *answer; /* owned by the caller; NULL: none */
    bool existed;             /* it was there already, and nothing was changed */
    int64_t answer_row;
};
void den_message_added_deinit(struct den_message_added *added);

/* `fields`: id, parent, role ("user"), content, attachments; with an answer to be written also
 * answer_id. Both rows are on the disk before this returns. */
enum den_status den_message_add(struct den_threads *threads, const char *thread,
                                const json_t *fields, bool with_answer,
                                struct den_message_added *out, struct den_error *err);
/* `fields`: id, parent (a question). Only `answer` is set. */
enum den_status den_message_add_answer(struct den_threads *threads, const char *thread,
                                       const json_t *fields, struct den_message_added *out,
                                       struct den_error *err);
/* Makes the answer `message`, which was stopped or cut, one that is being written. */
enum den_status den_message_reopen(struct den_threads *threads, const char *thread,
                                   const char *message, struct den_message_added *out,
                                   struct den_error *err);
/* `fields`: content. DEN_IN_USE while it is being written. */
enum den_status den_message_change(struct den_threads *threads, const char *thread,
                                   const char *message, const json_t *fields, json_t **out,
                                   struct den_error *err);
/* With all below it. */
enum den_status den_message_delete(struct den_threads *threads, const char *thread,
                                   const char *message, struct den_error *err);

#endif
