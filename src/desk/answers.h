/* Answers: models write into threads, whether or not anybody looks on.
 *
 * An answer begins as a row whose `finish` is null, on the disk before the client hears of it. A
 * thread of this program then takes a worker, hands it the path from the root to the question, and
 * keeps what comes: in memory at once, told to those who listen as deltas, in the database each
 * second and at the end. A page that is closed misses nothing; one that is opened reads the thread
 * and goes on from the delta it is at (`seq`). When this program ends or dies in the middle, the
 * text so far is kept and the answer is marked as interrupted, which the user may continue. */
#ifndef DEN_DESK_ANSWERS_H
#define DEN_DESK_ANSWERS_H

#include <stddef.h>

#include "desk/threads.h"
#include "worker/request.h"

struct den_answers;
struct den_retrieval;
struct den_roster;
struct den_ticket;
struct den_worker;

/* What answers need of the world below; tests put a writer of their own here. */
struct den_answer_source {
    void *context;
    /* A worker for the model, which may take as long as loading one; *out_context_tokens: its
     * context. `model` "": the default. */
    enum den_status (*take)(void *context, const char *model, struct den_worker **out,
                            const char **out_model, size_t *out_context_tokens,
                            struct den_error *err);
    void (*give_back)(void *context, struct den_worker *worker);
    /* As den_worker_submit() and what follows it in worker/worker.h. */
    enum den_status (*submit)(struct den_worker *worker, const struct den_worker_request *request,
                              den_worker_handler handler, void *context, struct den_ticket **out,
                              struct den_error *err);
    void (*cancel)(struct den_ticket *ticket);
    void (*release)(struct den_ticket *ticket);
    /* As those of worker/worker.h: how many tokens a passage and a conversation have. NULL: it is
     * guessed by their bytes. */
    enum den_status (*tokenize)(struct den_worker *worker, const char *text, size_t length,
                                unsigned flags, json_t *out_ids, struct den_error *err);
    enum den_status (*apply_template)(struct den_worker *worker,
                                      const struct den_worker_request *request, json_t **out,
                                      struct den_error *err);
    size_t (*parameters)(struct den_worker *worker); /* of its model; NULL: not known */
    struct den_retrieval *retrieval;                 /* NULL: no documents are asked */
};
struct den_answer_source den_answer_source_of(struct den_roster *roster,
                                              struct den_retrieval *retrieval);

/* `threads` must outlive the answers. What a crash left unfinished is marked as interrupted, unless
 * another Den that uses the same database is running. */
enum den_status den_answers_open(struct den_threads *threads,
                                 const struct den_answer_source *source, struct den_answers **out,
                                 struct den_error *err);
/* Ends what is being written, keeps its text, and waits for it. */
void den_answers_close(struct den_answers *answers);

/* As den_thread_get(), with the text so far of what is being written. */
enum den_status den_answers_get_thread(struct den_answers *answers, const char *id, json_t **out,
                                       struct den_error *err);
/* Adds a question (thread_messages.h says its fields) and, unless its "answer" is false, begins the
 * answer, by documents alone where "only_documents" says so: {"message", "answer"}. DEN_BUSY beyond
 * DEN_ANSWERS_MAX, before anything is added. */
enum den_status den_answers_ask(struct den_answers *answers, const char *thread,
                                const json_t *fields, json_t **out, bool *out_existed,
                                struct den_error *err);
/* Another answer to the question "parent", with a model and parameters of its own if it has them;
 * or more of the answer "continue": {"answer"}. */
enum den_status den_answers_answer(struct den_answers *answers, const char *thread,
                                   const json_t *fields, json_t **out, bool *out_existed,
                                   struct den_error *err);
/* Stops the answer `message`, or all of the thread where it is NULL. Stopping what has ended is
 * fine. */
enum den_status den_answers_stop(struct den_answers *answers, const char *thread,
                                 const char *message, struct den_error *err);
/* Stops all that are being written: they are marked as stopped, with the text so far. */
void den_answers_stop_all(struct den_answers *answers);
/* How many are being written. */
size_t den_answers_running(struct den_answers *answers);

#endif
