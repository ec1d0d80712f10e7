/* See side_question.h. */
#include "desk/side_question.h"

#include <stdlib.h>
#include <string.h>

#include "desk/answers.h"

enum { ANSWER_BYTES_MAX = 4096 };

void den_side_question_init(struct den_side_question *question,
                            const struct den_answer_source *source)
{
    *question = (struct den_side_question){ .source = source };
    pthread_mutex_init(&question->lock, NULL);
    pthread_cond_init(&question->changed, NULL);
    den_buffer_init(&question->text, ANSWER_BYTES_MAX);
}

void den_side_question_deinit(struct den_side_question *question)
{
    den_buffer_deinit(&question->text);
    pthread_cond_destroy(&question->changed);
    pthread_mutex_destroy(&question->lock);
}

/* On the worker's thread. */
static void on_event(void *context, const struct den_worker_event *event)
{
    struct den_side_question *question = context;

    pthread_mutex_lock(&question->lock);
    if (event->kind == DEN_WORKER_TEXT)
        den_buffer_append(&question->text, event->text, event->text_length);
    if (event->kind == DEN_WORKER_END) {
        if (event->error)
            question->error = *event->error;
        else if (strcmp(event->finish, "cancelled") == 0)
            den_fail(&question->error, DEN_CANCELLED, "the question was given up");
        question->has_ended = true;
        pthread_cond_signal(&question->changed);
    }
    pthread_mutex_unlock(&question->lock);
}

/* Waits for the end; the ticket, which nobody else finds any more. */
static struct den_ticket *wait(struct den_side_question *question, struct den_ticket *ticket)
{
    pthread_mutex_lock(&question->lock);
    question->ticket = ticket;
    if (question->is_given_up)
        question->source->cancel(ticket);
    while (!question->has_ended)
        pthread_cond_wait(&question->changed, &question->lock);
    question->ticket = NULL;
    pthread_mutex_unlock(&question->lock);
    return ticket;
}

enum den_status den_side_question_ask(struct den_side_question *question, struct den_worker *worker,
                                      const struct den_worker_request *request, char **out,
                                      struct den_error *err)
{
    struct den_ticket *ticket = NULL;
    bool is_given_up;

    pthread_mutex_lock(&question->lock);
    den_buffer_clear(&question->text);
    question->error = (struct den_error){ 0 };
    question->has_ended = false;
    is_given_up = question->is_given_up;
    pthread_mutex_unlock(&question->lock);
    if (is_given_up)
        return den_fail(err, DEN_CANCELLED, "the question was given up");
    if (question->source->submit(worker, request, on_event, question, &ticket, err) != DEN_OK)
        return err->status;
    question->source->release(wait(question, ticket));
    if (question->error.status != DEN_OK) {
        *err = question->error;
        return err->status;
    }
    if (den_buffer_status(&question->text, "a side question's answer", err) != DEN_OK)
        return err->status;
    *out = strndup(question->text.data, question->text.length);
    return *out ? DEN_OK : den_fail(err, DEN_NO_MEMORY, "side question: out of memory");
}

void den_side_question_give_up(struct den_side_question *question)
{
    pthread_mutex_lock(&question->lock);
    question->is_given_up = true;
    if (question->ticket)
        question->source->cancel(question->ticket);
    pthread_mutex_unlock(&question->lock);
}
