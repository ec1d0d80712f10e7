/* The documents that an answer stands on: searched before the model is asked, quoted in its prompt,
 * and compared with what it wrote. All of it runs on the job's own thread, so that neither the
 * worker nor those who listen wait for it. */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "desk/answer_parameters.h"
#include "desk/answers_parts.h"
#include "desk/events.h"

enum { ANSWER_TOKENS = 512, ANSWER_SHARE = 4, TOKEN_BYTES_GUESS = 4 };

/* --- telling and keeping --- */

static void tell(struct den_answer_job *job, const char *state)
{
    struct den_events *events = job->answers->threads->events;

    if (events)
        den_events_publish(events, job->thread, "retrieval",
                           json_pack("{s:s, s:s, s:s, s:O?}", "thread", job->thread, "message",
                                     job->message, "state", state, "sources", job->sources));
}

static void set_sources(struct den_answer_job *job)
{
    json_t *sources = den_grounding_sources(job->grounding);

    pthread_mutex_lock(&job->lock);
    json_decref(job->sources);
    job->sources = sources;
    pthread_mutex_unlock(&job->lock);
}

/* So that a page that is opened meanwhile shows them; the answer's end writes them again. */
static void keep_sources(struct den_answer_job *job)
{
    struct den_connection *connection;
    struct den_error ignored = { 0 };
    char *text = json_dumps(job->sources, JSON_COMPACT);

    if (text &&
        den_database_write(job->answers->threads->database, &connection, &ignored) == DEN_OK) {
        den_execute(connection, &ignored, "UPDATE messages SET sources = ? WHERE row = ?", "ti",
                    text, job->row);
        den_connection_end(connection, &ignored);
    }
    free(text);
}

/* --- before the model --- */

/* The answer is `text`, and whole. */
static void answer_with(struct den_answer_job *job, const char *text)
{
    struct den_events *events = job->answers->threads->events;

    pthread_mutex_lock(&job->lock);
    if (!job->is_settled) {
        den_buffer_clear(&job->content);
        den_buffer_append_text(&job->content, text);
        job->seq++;
        strncpy(job->finish, "stop", sizeof job->finish - 1);
        job->has_ended = true;
        if (events)
            den_events_publish(events, job->thread, "delta",
                               json_pack("{s:s, s:s, s:s, s:I}", "thread", job->thread, "message",
                                         job->message, "text", text, "seq", (json_int_t)job->seq));
    }
    pthread_mutex_unlock(&job->lock);
}

enum den_status den_answer_ground_begin(struct den_answer_job *job, bool *out_refused,
                                        struct den_error *err)
{
    struct den_retrieval *retrieval = job->answers->source.retrieval;
    const struct den_grounding_options options = {
        .workspace = job->workspace[0] ? job->workspace : NULL,
        .thread = job->thread,
        .question = job->question,
        .conversation = job->messages,
        .model = job->model,
        .settings = job->retrieval,
    };
    const char *refusal;
    json_t *question;
    size_t last = json_array_size(job->messages);

    *out_refused = false;
    if (!retrieval || (!job->workspace[0] && !job->has_documents))
        return DEN_OK;
    tell(job, "searching");
    /* the conversation before the question: answers that go on have their own beginning last */
    while (last > 0 && strcmp(json_string_value(
                                  json_object_get(json_array_get(job->messages, last - 1), "role")),
                              "user") != 0)
        last--;
    question = last > 0 ? json_incref(json_array_get(job->messages, last - 1)) : NULL;
    if (question)
        json_array_remove(job->messages, last - 1);
    den_grounding_begin(retrieval, job->answers->threads, &options, &job->grounding, err);
    if (question)
        json_array_insert_new(job->messages, last - 1, question);
    if (err->status != DEN_OK || !job->grounding)
        return err->status;
    refusal = den_grounding_refusal(job->grounding);
    if (refusal) {
        set_sources(job);
        tell(job, "done");
        answer_with(job, refusal);
        *out_refused = true;
    }
    return DEN_OK;
}

/* Tokens of the conversation as it is. */
static enum den_status count_messages(struct den_answer_job *job, struct den_worker *worker,
                                      size_t *out, struct den_error *err)
{
    const struct den_answer_source *source = &job->answers->source;
    struct den_worker_request request = den_worker_request_defaults();
    json_t *applied = NULL, *message;
    size_t i;

    *out = 0;
    if (!source->apply_template) {
        json_array_foreach(job->messages, i, message) *out +=
            json_string_length(json_object_get(message, "content")) / TOKEN_BYTES_GUESS + 8;
        return DEN_OK;
    }
    request.messages = job->messages;
    if (source->apply_template(worker, &request, &applied, err) == DEN_OK)
        *out = (size_t)json_integer_value(json_object_get(applied, "tokens"));
    json_decref(applied);
    return err->status;
}

enum den_status den_answer_ground_fit(struct den_answer_job *job, struct den_worker *worker,
                                      struct den_error *err)
{
    struct den_grounding_room room = { .counter = { worker, job->answers->source.tokenize },
                                       .context_tokens = job->context_tokens };
    const bool goes_on = job->content.length > 0; /* from the middle of a sentence, perhaps */
    int64_t wanted = ANSWER_TOKENS;
    size_t share = job->context_tokens / ANSWER_SHARE;

    if (!job->grounding)
        return DEN_OK;
    if (job->answers->source.parameters)
        room.parameters = job->answers->source.parameters(worker);
    if (count_messages(job, worker, &room.used_tokens, err) != DEN_OK ||
        den_json_get_integer(job->parameters, "max_tokens", 1, DEN_CONTEXT_TOKENS_MAX, &wanted,
                             err) != DEN_OK)
        return err->status;
    room.answer_tokens = (size_t)wanted < share ? (size_t)wanted : share;
    if (den_grounding_fit(job->grounding, &room, job->messages, err) != DEN_OK)
        return err->status;
    job->grammar = goes_on ? NULL : den_grounding_grammar(job->grounding);
    job->answer_tokens = (int64_t)room.answer_tokens;
    set_sources(job);
    keep_sources(job);
    tell(job, "done");
    return DEN_OK;
}

/* --- after the model --- */

void den_answer_ground_cite(struct den_answer_job *job)
{
    struct den_error ignored = { 0 };
    char *content, *marked = NULL;

    if (!job->grounding)
        return;
    pthread_mutex_lock(&job->lock);
    content = job->is_settled || job->is_broken
                  ? NULL
                  : strndup(job->content.data ? job->content.data : "", job->content.length);
    pthread_mutex_unlock(&job->lock);
    if (content && den_grounding_cite(job->grounding, content, &marked, &ignored) == DEN_OK) {
        set_sources(job);
        pthread_mutex_lock(&job->lock);
        den_buffer_clear(&job->content);
        den_buffer_append_text(&job->content, marked);
        pthread_mutex_unlock(&job->lock);
    }
    free(content);
    free(marked);
}
