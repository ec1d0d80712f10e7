/* See report_model.h. */
#include "desk/report_model.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/utf8.h"
#include "desk/sentences.h"
#include "desk/support.h"
#include "worker/request.h"

enum {
    SENTENCE_TOKENS = 56,  /* that a sentence may have, on average */
    OVERHEAD_TOKENS = 160, /* the instruction, fences, the template */
    BUDGET_MIN = 64,       /* tokens of a text that are worth asking about */
    SMALL_BUDGET = 1200,   /* small models lose the thread in more ... */
    LARGE_BUDGET = 4000,   /* ... and a step should not last for minutes */
    BUSY_TRIES = 120,      /* seconds until a busy model is held to be out of reach */
    SENTENCES_LOOKED_AT = 64,
    CHINESE_SHARE = 5 /* one in so many characters */
};

/* As desk/grounding_prompt.c has them, with the measurement. */
static const size_t SMALL_PARAMETERS = 1500000000, TINY_PARAMETERS = 500000000;

/* --- the model --- */

/* A second, unless the report is to end. */
static void wait_a_second(struct den_reports *reports)
{
    struct timespec until;

    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec++;
    pthread_mutex_lock(&reports->lock);
    if (!reports->wants_stop)
        pthread_cond_timedwait(&reports->wake, &reports->lock, &until);
    pthread_mutex_unlock(&reports->lock);
}

/* The model's name goes into what is shown; what was asked for stays, so that the same model is
 * taken the next time. */
static void note_model(struct den_report *report, const char *name)
{
    struct den_connection *connection;
    struct den_error ignored = { 0 };

    report->has_model_noted = true;
    json_object_set_new(report->fields, "used", json_string(name));
    if (den_database_write(report->reports->database, &connection, &ignored) != DEN_OK)
        return;
    den_execute(connection, &ignored,
                "UPDATE jobs SET fields = json_set(fields, '$.used', ?) WHERE row = ?", "ti", name,
                report->row);
    den_connection_end(connection, &ignored);
}

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

static enum den_status measure_room(const struct den_answer_source *source,
                                    struct den_worker *worker, struct den_report_room *room,
                                    struct den_error *err)
{
    const size_t parameters = source->parameters ? source->parameters(worker) : 0;
    const bool is_tiny = parameters > 0 && parameters < TINY_PARAMETERS;
    size_t taken;

    room->is_small = parameters > 0 && parameters < SMALL_PARAMETERS;
    room->sentences = is_tiny ? 2 : room->is_small ? 3 : 6;
    room->answer_tokens = smaller(room->sentences * SENTENCE_TOKENS, room->context_tokens / 4);
    room->counter = (struct den_token_counter){ worker, source->tokenize };
    taken = room->answer_tokens + OVERHEAD_TOKENS;
    if (room->context_tokens < taken + BUDGET_MIN)
        return den_fail(err, DEN_CONTEXT_FULL,
                        "the model's context of %zu tokens is too small for a report; it needs %d",
                        room->context_tokens, 2 * (OVERHEAD_TOKENS + BUDGET_MIN));
    room->budget_tokens =
        smaller(room->context_tokens - taken, room->is_small ? SMALL_BUDGET : LARGE_BUDGET);
    return DEN_OK;
}

enum den_status den_report_take(struct den_report *report, struct den_worker **out,
                                struct den_report_room *out_room, struct den_error *err)
{
    const struct den_answer_source *source = &report->reports->source;
    const char *asked = json_string_value(json_object_get(report->fields, "model"));
    const char *name = "";
    struct den_report_room room = { 0 };
    struct den_worker *worker;
    int tries;

    for (tries = 0; tries < BUSY_TRIES; tries++) {
        *err = (struct den_error){ 0 };
        if (den_report_go_on(report, err) != DEN_OK ||
            source->take(source->context, asked ? asked : "", &worker, &name, &room.context_tokens,
                         err) != DEN_BUSY)
            break;
        wait_a_second(report->reports);
    }
    if (err->status != DEN_OK)
        return err->status;
    if (!report->has_model_noted)
        note_model(report, name);
    if (measure_room(source, worker, &room, err) != DEN_OK) {
        source->give_back(source->context, worker);
        return err->status;
    }
    *out = worker;
    *out_room = room;
    return DEN_OK;
}

void den_report_give_back(struct den_report *report, struct den_worker *worker)
{
    report->reports->source.give_back(report->reports->source.context, worker);
}

/* --- asking --- */

/* What the worker's thread gathers. */
struct answer {
    pthread_mutex_t lock;
    pthread_cond_t ended;
    struct den_buffer text;
    struct den_error error;
    bool has_ended, is_cancelled, was_cut;
};

static void on_event(void *context, const struct den_worker_event *event)
{
    struct answer *answer = context;

    pthread_mutex_lock(&answer->lock);
    if (event->kind == DEN_WORKER_TEXT)
        den_buffer_append(&answer->text, event->text, event->text_length);
    if (event->kind == DEN_WORKER_END) {
        if (event->error)
            answer->error = *event->error;
        answer->is_cancelled = strcmp(event->finish, "cancelled") == 0;
        answer->was_cut = strcmp(event->finish, "length") == 0;
        answer->has_ended = true;
        pthread_cond_signal(&answer->ended);
    }
    pthread_mutex_unlock(&answer->lock);
}

/* Others may cancel it from here on. */
static void show_ticket(struct den_reports *reports, struct den_ticket *ticket)
{
    pthread_mutex_lock(&reports->lock);
    reports->ticket = ticket;
    if (ticket && reports->wants_stop)
        reports->source.cancel(ticket);
    pthread_mutex_unlock(&reports->lock);
}

static enum den_status wait_for_answer(struct den_report *report, struct den_ticket *ticket,
                                       struct answer *answer, struct den_error *err)
{
    show_ticket(report->reports, ticket);
    pthread_mutex_lock(&answer->lock);
    while (!answer->has_ended)
        pthread_cond_wait(&answer->ended, &answer->lock);
    pthread_mutex_unlock(&answer->lock);
    show_ticket(report->reports, NULL);
    report->reports->source.release(ticket);
    if (answer->is_cancelled)
        return den_fail(err, DEN_CANCELLED, "the report was interrupted");
    if (answer->error.status != DEN_OK)
        *err = answer->error;
    return err->status;
}

static enum den_status submit(struct den_report *report, struct den_worker *worker,
                              const struct den_worker_request *request, struct answer *answer,
                              struct den_error *err)
{
    struct den_ticket *ticket = NULL;
    int tries;

    for (tries = 0; tries < BUSY_TRIES; tries++) {
        *err = (struct den_error){ 0 };
        if (den_report_go_on(report, err) != DEN_OK)
            break;
        if (report->reports->source.submit(worker, request, on_event, answer, &ticket, err) ==
            DEN_OK)
            return wait_for_answer(report, ticket, answer, err);
        if (err->status != DEN_BUSY)
            break;
        wait_a_second(report->reports);
    }
    return err->status;
}

/* Without white space around. */
static char *take_text(struct den_buffer *text)
{
    size_t start = 0, end = text->length;

    while (start < end && isspace((unsigned char)text->data[start]))
        start++;
    while (end > start && isspace((unsigned char)text->data[end - 1]))
        end--;
    return strndup(text->data + start, end - start);
}

enum den_status den_report_ask(struct den_report *report, struct den_worker *worker,
                               const struct den_report_question *question, char **out,
                               bool *out_cut, struct den_error *err)
{
    struct answer answer = { .lock = PTHREAD_MUTEX_INITIALIZER, .ended = PTHREAD_COND_INITIALIZER };
    struct den_worker_request request = den_worker_request_defaults();
    json_t *messages = json_pack("[{s:s, s:s}]", "role", "user", "content", question->prompt),
           *variables = json_pack("{s:b}", "enable_thinking", 0);

    if (!messages) {
        json_decref(variables);
        return den_fail(err, DEN_NO_MEMORY, "reports: out of memory");
    }
    den_buffer_init(&answer.text, DEN_ANSWER_BYTES_MAX);
    request.messages = messages;
    request.template_variables = variables;
    request.grammar = question->grammar;
    request.batch = true;
    request.surface = "report";
    request.temperature = 0;
    request.max_tokens = (int64_t)question->max_tokens;
    if (submit(report, worker, &request, &answer, err) == DEN_OK) {
        *out = take_text(&answer.text);
        *out_cut = answer.was_cut;
        if (!*out)
            den_fail(err, DEN_NO_MEMORY, "reports: out of memory");
    }
    den_buffer_deinit(&answer.text);
    json_decref(messages);
    json_decref(variables);
    return err->status;
}

/* --- sentences --- */

char *den_report_grammar(size_t sentences)
{
    static const char sentence[] =
        "sentence ::= [A-Z0-9\\u00c0-\\u02ff\\u0370-\\u06ff\\u3040-\\u9fff\\uac00-\\ud7af] "
        "rest{1,240} (\".\" [0-9] rest{0,40}){0,4} [.!?\\u3002\\uff01\\uff1f]\n"
        "rest ::= [^.!?:\"\\n\\[\\]\\u3002\\uff01\\uff1f]\n";
    struct den_buffer out;
    char *text;

    den_buffer_init(&out, 4096);
    den_buffer_appendf(&out, "root ::= sentence (\" \"? sentence){0,%zu}\n%s", sentences - 1,
                       sentence);
    text = den_buffer_take(&out);
    den_buffer_deinit(&out);
    return text;
}

enum den_status den_report_ask_sentences(struct den_report *report, struct den_worker *worker,
                                         const struct den_report_room *room, const char *prompt,
                                         char **out, struct den_error *err)
{
    char *grammar = room->is_small ? den_report_grammar(room->sentences) : NULL, *text = NULL;
    const struct den_report_question question = { prompt, grammar, room->answer_tokens };
    bool was_cut = false;

    if (den_report_ask(report, worker, &question, &text, &was_cut, err) == DEN_OK) {
        *out = den_report_sentences(text, room->sentences, was_cut);
        if (!*out)
            den_fail(err, DEN_NO_MEMORY, "reports: out of memory");
    }
    free(text);
    free(grammar);
    return err->status;
}

static bool is_same(const struct den_terms *a, const struct den_terms *b)
{
    return a->word_count == b->word_count && a->number_count == b->number_count &&
           memcmp(a->words, b->words, a->word_count * sizeof a->words[0]) == 0 &&
           memcmp(a->numbers, b->numbers, a->number_count * sizeof a->numbers[0]) == 0;
}

/* "Here is a summary:" is none; a sentence says something. */
static bool is_worth(const char *text, const struct den_sentence *place,
                     const struct den_terms *terms)
{
    return !place->is_code && terms->word_count + terms->number_count > 0 &&
           text[place->end - 1] != ':';
}

/* Line breaks and runs of blanks become one blank. */
static void append_flat(struct den_buffer *out, const char *text, size_t length)
{
    size_t i;

    for (i = 0; i < length; i++)
        if (!isspace((unsigned char)text[i]))
            den_buffer_append_byte(out, text[i]);
        else if (i > 0 && !isspace((unsigned char)text[i - 1]))
            den_buffer_append_byte(out, ' ');
}

char *den_report_sentences(const char *text, size_t sentences, bool was_cut)
{
    struct den_sentence *places = calloc(SENTENCES_LOOKED_AT, sizeof *places);
    struct den_terms *terms = calloc(SENTENCES_LOOKED_AT, sizeof *terms);
    struct den_buffer out;
    char *joined = NULL;
    size_t count, kept = 0, i, k;

    den_buffer_init(&out, DEN_CONTENT_BYTES_MAX);
    if (places && terms) {
        count = den_sentences_split(text, strlen(text), places, SENTENCES_LOOKED_AT);
        for (i = 0; i < count && kept < sentences; i++) {
            den_terms_read(text + places[i].start, places[i].end - places[i].start, &terms[kept]);
            for (k = 0; k < kept && !is_same(&terms[k], &terms[kept]); k++)
                ;
            if (k < kept || !is_worth(text, &places[i], &terms[kept]) ||
                (was_cut && i + 1 == count && kept > 0))
                continue;
            if (kept++ > 0)
                den_buffer_append_byte(&out, ' ');
            append_flat(&out, text + places[i].start, places[i].end - places[i].start);
        }
        joined = out.length > 0 ? den_buffer_take(&out) : strdup("");
    }
    den_buffer_deinit(&out);
    free(places);
    free(terms);
    return joined;
}

bool den_report_is_chinese(const char *text)
{
    size_t length = strlen(text), step, chinese = 0, all = 0;
    uint32_t code;

    for (; length > 0; text += step, length -= step) {
        step = den_utf8_decode(text, length, &code);
        all++;
        chinese += code >= 0x3400 && code <= 0x9fff;
    }
    return chinese * CHINESE_SHARE > all;
}
