/* See answers.h. */
#include "desk/answers.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#include "base/json.h"
#include "desk/answer_parameters.h"
#include "desk/answers_parts.h"
#include "desk/thread_messages.h"
#include "store/database_copy.h"

/* --- opening --- */

/* The lock belongs to the open file: a crash lets it go. -1: another Den has it. */
static int lock_serving(const char *database)
{
    char path[DEN_PATH_BYTES_MAX + 16];
    int fd;

    snprintf(path, sizeof path, "%s.serving", database);
    fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) != 0) {
        close(fd);
        fd = -1;
    }
    return fd;
}

#define INTERRUPT                                                                                  \
    "UPDATE messages SET finish = 'error', error_code = 'interrupted', "                           \
    "error_message = 'Den was ended while it wrote this' WHERE finish IS NULL"

static enum den_status mark_interrupted(struct den_answers *answers, struct den_error *err)
{
    struct den_connection *connection;

    if (den_database_write(answers->threads->database, &connection, err) != DEN_OK)
        return err->status;
    den_execute(connection, err, INTERRUPT, "");
    return den_connection_end(connection, err);
}

enum den_status den_answers_open(struct den_threads *threads,
                                 const struct den_answer_source *source, struct den_answers **out,
                                 struct den_error *err)
{
    struct den_answers *answers = calloc(1, sizeof *answers);

    if (!answers)
        return den_fail(err, DEN_NO_MEMORY, "answers: out of memory");
    answers->threads = threads;
    answers->source = *source;
    pthread_mutex_init(&answers->lock, NULL);
    pthread_cond_init(&answers->less, NULL);
    answers->lock_fd = lock_serving(den_database_path(threads->database));
    if (answers->lock_fd >= 0 && mark_interrupted(answers, err) != DEN_OK) {
        den_answers_close(answers);
        return err->status;
    }
    *out = answers;
    return DEN_OK;
}

void den_answers_close(struct den_answers *answers)
{
    struct den_answer_job *job;

    if (!answers)
        return;
    pthread_mutex_lock(&answers->lock);
    answers->is_closing = true;
    for (job = answers->jobs; job; job = job->next)
        den_answer_job_stop(job, false);
    while (answers->count > 0)
        pthread_cond_wait(&answers->less, &answers->lock);
    pthread_mutex_unlock(&answers->lock);
    if (answers->lock_fd >= 0)
        close(answers->lock_fd);
    pthread_cond_destroy(&answers->less);
    pthread_mutex_destroy(&answers->lock);
    free(answers);
}

size_t den_answers_running(struct den_answers *answers)
{
    size_t count;

    pthread_mutex_lock(&answers->lock);
    count = answers->count;
    pthread_mutex_unlock(&answers->lock);
    return count;
}

/* --- places --- */

static enum den_status reserve_place(struct den_answers *answers, struct den_error *err)
{
    pthread_mutex_lock(&answers->lock);
    if (answers->is_closing || answers->count >= DEN_ANSWERS_MAX)
        den_fail(err, DEN_BUSY, "%zu answers are being written; try again when one has ended",
                 answers->count);
    else if (!den_database_hold(answers->threads->database)) /* the job carries row numbers */
        den_fail(err, DEN_BUSY, "a backup is being restored; try again in a moment");
    else
        answers->count++;
    pthread_mutex_unlock(&answers->lock);
    return err->status;
}

static void free_place(struct den_answers *answers)
{
    pthread_mutex_lock(&answers->lock);
    answers->count--;
    den_database_let_go(answers->threads->database);
    pthread_cond_broadcast(&answers->less);
    pthread_mutex_unlock(&answers->lock);
}

/* --- jobs --- */

static struct den_answer_job *make_job(struct den_answers *answers, const char *thread,
                                       const json_t *answer, int64_t row, struct den_error *err)
{
    struct den_answer_job *job = calloc(1, sizeof *job);
    pthread_condattr_t attributes;

    if (!job) {
        den_fail(err, DEN_NO_MEMORY, "answers: out of memory");
        return NULL;
    }
    job->answers = answers;
    den_side_question_init(&job->side, &answers->source);
    job->retrieval = den_retrieval_defaults();
    job->row = row;
    job->seq = json_integer_value(json_object_get(answer, "seq"));
    snprintf(job->thread, sizeof job->thread, "%s", thread);
    snprintf(job->message, sizeof job->message, "%s",
             json_string_value(json_object_get(answer, "id")));
    den_buffer_init(&job->content, DEN_CONTENT_BYTES_MAX);
    den_buffer_init(&job->reasoning, DEN_CONTENT_BYTES_MAX);
    den_buffer_append_text(&job->content, json_string_value(json_object_get(answer, "content")));
    den_buffer_append_text(&job->reasoning,
                           json_string_value(json_object_get(answer, "reasoning")));
    pthread_mutex_init(&job->lock, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&job->changed, &attributes);
    pthread_condattr_destroy(&attributes);
    if (den_buffer_status(&job->content, "answers", err) != DEN_OK ||
        den_buffer_status(&job->reasoning, "answers", err) != DEN_OK) {
        den_answer_job_destroy(job);
        return NULL;
    }
    return job;
}

static void choose_documents(struct den_query *query, struct den_answer_job *job)
{
    json_t *settings = den_value_json(query, 3);
    struct den_error ignored = { 0 };

    snprintf(job->workspace, sizeof job->workspace, "%s", den_query_text(query, 2));
    job->has_documents = den_query_integer(query, 4) != 0;
    den_retrieval_settings_read(settings, &job->retrieval, &ignored);
    json_decref(settings);
}

static enum den_status read_question(struct den_connection *connection, int64_t row,
                                     struct den_answer_job *job, struct den_error *err)
{
    struct den_query query;

    den_query_start(&query, connection, err, "SELECT content FROM messages WHERE row = ?", "i",
                    row);
    if (den_query_next(&query, err)) {
        job->question = strdup(den_query_text(&query, 0));
        if (!job->question)
            den_fail(err, DEN_NO_MEMORY, "answers: out of memory");
    }
    den_query_end(&query);
    return err->status;
}

/* An override of the request, else what the thread says, else its workspace. */
static enum den_status choose_settings(struct den_connection *connection, int64_t thread,
                                       const json_t *fields, struct den_answer_job *job,
                                       struct den_error *err)
{
    static const char sql[] =
        "SELECT CASE t.model WHEN '' THEN coalesce(w.model, '') ELSE t.model END, "
        "CASE t.parameters WHEN '{}' THEN coalesce(w.parameters, '{}') ELSE t.parameters END, "
        "w.id, w.retrieval, EXISTS (SELECT 1 FROM thread_documents l WHERE l.thread = t.row) "
        "FROM threads t LEFT JOIN workspaces w ON w.row = t.workspace WHERE t.row = ?";
    const json_t *parameters = json_object_get(fields, "parameters");
    const char *model = json_string_value(json_object_get(fields, "model"));
    struct den_query query;

    den_query_start(&query, connection, err, sql, "i", thread);
    if (den_query_next(&query, err)) {
        choose_documents(&query, job);
        job->model = strdup(model && *model ? model : den_query_text(&query, 0));
        job->parameters =
            json_is_object(parameters) ? json_deep_copy(parameters) : den_value_json(&query, 1);
    }
    den_query_end(&query);
    if (err->status == DEN_OK && (!job->model || !job->parameters))
        den_fail(err, DEN_NO_MEMORY, "answers: out of memory");
    return err->status;
}

/* What the model is to read: up to the question, and for one that goes on the answer so far. */
static enum den_status read_conversation(struct den_answers *answers, struct den_answer_job *job,
                                         const json_t *fields, bool goes_on, struct den_error *err)
{
    struct den_connection *connection;
    struct den_query query;
    int64_t thread = 0, question = 0;

    if (den_database_read(answers->threads->database, &connection, err) != DEN_OK)
        return err->status;
    den_query_start(&query, connection, err, "SELECT thread, parent FROM messages WHERE row = ?",
                    "i", job->row);
    if (den_query_next(&query, err)) {
        thread = den_query_integer(&query, 0);
        question = den_query_integer(&query, 1);
    }
    den_query_end(&query);
    if (err->status == DEN_OK && question == 0)
        den_fail(err, DEN_NOT_FOUND, "the question was deleted meanwhile");
    if (err->status == DEN_OK && read_question(connection, question, job, err) == DEN_OK &&
        den_answer_prompt(connection, thread, goes_on ? job->row : question, &job->messages, err) ==
            DEN_OK)
        choose_settings(connection, thread, fields, job, err);
    return den_connection_end(connection, err);
}

/* Nobody will write this row: it must not look as if somebody did. */
static void give_up_row(struct den_answers *answers, int64_t row)
{
    struct den_connection *connection;
    struct den_error err = { 0 };

    if (den_database_write(answers->threads->database, &connection, &err) != DEN_OK)
        return; /* the next start marks it */
    den_execute(connection, &err, INTERRUPT " AND row = ?", "i", row);
    den_connection_end(connection, &err);
}

/* What a request wants of its answer, besides a question. */
struct wish {
    const json_t *fields;         /* "model" and "parameters"; NULL: the thread's */
    const json_t *only_documents; /* a boolean; anything else: the workspace's */
    bool goes_on;
};

/* Uses the reserved place, or frees it. */
static enum den_status begin(struct den_answers *answers, const char *thread,
                             const struct wish *wish, const struct den_message_added *added,
                             struct den_error *err)
{
    struct den_answer_job *job;

    if (added->answer_row == 0) { /* it was there already */
        free_place(answers);
        return DEN_OK;
    }
    job = make_job(answers, thread, added->answer, added->answer_row, err);
    if (job && read_conversation(answers, job, wish->fields, wish->goes_on, err) == DEN_OK) {
        if (json_is_boolean(wish->only_documents))
            job->retrieval.only_documents = json_is_true(wish->only_documents);
        den_answer_job_start(job);
        return DEN_OK;
    }
    den_answer_job_destroy(job);
    give_up_row(answers, added->answer_row);
    free_place(answers);
    return err->status;
}

/* --- what the header promises --- */

enum den_status den_answers_ask(struct den_answers *answers, const char *thread,
                                const json_t *fields, json_t **out, bool *out_existed,
                                struct den_error *err)
{
    const struct wish wish = { .only_documents = json_object_get(fields, "only_documents") };
    struct den_message_added added = { 0 };
    bool wants_answer = true;

    if (den_json_get_bool(fields, "answer", &wants_answer, err) != DEN_OK ||
        (wants_answer && reserve_place(answers, err) != DEN_OK))
        return err->status;
    if (den_message_add(answers->threads, thread, fields, wants_answer, &added, err) != DEN_OK) {
        if (wants_answer)
            free_place(answers);
        return err->status;
    }
    if (wants_answer)
        begin(answers, thread, &wish, &added, err);
    if (err->status == DEN_OK) {
        *out = json_pack("{s:O, s:O?}", "message", added.message, "answer", added.answer);
        *out_existed = added.existed;
    }
    den_message_added_deinit(&added);
    return err->status;
}

static enum den_status check_settings(const json_t *fields, struct den_error *err)
{
    const char *model = NULL;

    if (den_text_get(fields, "model", DEN_NAME_BYTES_MAX, &model, err) != DEN_OK)
        return err->status;
    return den_answer_parameters_check(json_object_get(fields, "parameters"), err);
}

enum den_status den_answers_answer(struct den_answers *answers, const char *thread,
                                   const json_t *fields, json_t **out, bool *out_existed,
                                   struct den_error *err)
{
    struct wish wish = { .fields = fields,
                         .only_documents = json_object_get(fields, "only_documents") };
    struct den_message_added added = { 0 };
    const char *cut = NULL;

    if (check_settings(fields, err) != DEN_OK ||
        den_text_get(fields, "continue", DEN_ID_LENGTH_MAX, &cut, err) != DEN_OK ||
        reserve_place(answers, err) != DEN_OK)
        return err->status;
    if ((cut ? den_message_reopen(answers->threads, thread, cut, &added, err)
             : den_message_add_answer(answers->threads, thread, fields, &added, err)) != DEN_OK) {
        free_place(answers);
        return err->status;
    }
    wish.goes_on = cut != NULL;
    if (begin(answers, thread, &wish, &added, err) == DEN_OK) {
        *out = json_pack("{s:O}", "answer", added.answer);
        *out_existed = added.existed;
    }
    den_message_added_deinit(&added);
    return err->status;
}

/* A row that is marked as being written, but by nobody here: its end could not be saved. */
static enum den_status stop_orphans(struct den_answers *answers, const char *thread,
                                    const char *message, struct den_error *err)
{
    struct den_connection *connection;
    int64_t row;

    if (answers->lock_fd < 0)
        return DEN_OK; /* perhaps another Den writes it */
    if (den_database_write(answers->threads->database, &connection, err) != DEN_OK)
        return err->status;
    if (den_thread_find(connection, thread, &row, err) == DEN_OK)
        den_execute(connection, err, INTERRUPT " AND thread = ? AND (?2 IS NULL OR id = ?2)", "it",
                    row, message);
    return den_connection_end(connection, err);
}

enum den_status den_answers_stop(struct den_answers *answers, const char *thread,
                                 const char *message, struct den_error *err)
{
    struct den_answer_job *job;
    bool found = false;

    pthread_mutex_lock(&answers->lock);
    for (job = answers->jobs; job; job = job->next)
        if (strcmp(job->thread, thread) == 0 && (!message || strcmp(job->message, message) == 0)) {
            den_answer_job_stop(job, true);
            found = true;
        }
    pthread_mutex_unlock(&answers->lock);
    return found ? DEN_OK : stop_orphans(answers, thread, message, err);
}

void den_answers_stop_all(struct den_answers *answers)
{
    struct den_answer_job *job;

    pthread_mutex_lock(&answers->lock);
    for (job = answers->jobs; job; job = job->next)
        den_answer_job_stop(job, true);
    pthread_mutex_unlock(&answers->lock);
}

/* --- reading a thread that is being written --- */

/* {message id: {"content", "reasoning", "seq"}} of the thread's running answers. */
static json_t *copy_running(struct den_answers *answers, const char *thread)
{
    json_t *running = json_object();
    struct den_answer_job *job;

    pthread_mutex_lock(&answers->lock);
    for (job = answers->jobs; job; job = job->next) {
        if (strcmp(job->thread, thread) != 0)
            continue;
        pthread_mutex_lock(&job->lock);
        json_object_set_new(running, job->message,
                            json_pack("{s:s%, s:s%, s:I, s:s}", "content", job->content.data,
                                      job->content.length, "reasoning", job->reasoning.data,
                                      job->reasoning.length, "seq", (json_int_t)job->seq, "model",
                                      job->model_name));
        pthread_mutex_unlock(&job->lock);
    }
    pthread_mutex_unlock(&answers->lock);
    return running;
}

/* The copies are older than the rows: a row that has ended meanwhile is right, and so is one with
 * more deltas. */
enum den_status den_answers_get_thread(struct den_answers *answers, const char *id, json_t **out,
                                       struct den_error *err)
{
    json_t *running = copy_running(answers, id), *message;
    size_t i;

    if (den_thread_get(answers->threads, id, out, err) == DEN_OK)
        json_array_foreach(json_object_get(*out, "messages"), i, message)
        {
            json_t *live =
                json_object_get(running, json_string_value(json_object_get(message, "id")));

            if (live && json_is_null(json_object_get(message, "finish")) &&
                json_integer_value(json_object_get(live, "seq")) >
                    json_integer_value(json_object_get(message, "seq")))
                json_object_update(message, live);
        }
    json_decref(running);
    return err->status;
}
