/* See inside.h: requests and their answers, inside the process.
 *
 * An answer exists from the moment its SUBMIT has been received, so that a CANCEL that follows
 * finds it, to the moment when both its clerk has submitted it and its last event has been sent.
 * A clerk frees it then: the scheduler's thread may not release its own job.
 *
 * On the scheduler's thread each token becomes one frame: the token, so that the front could replay
 * it, and the parts that its text adds to the answer. What is held back to the end goes with END,
 * so that a death in between neither loses nor doubles it. */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "worker/inside.h"
#include "worker/message.h"
#include "worker/request_json.h"
#include "worker/worker_request.h"

struct den_inside_answer {
    struct den_inside_answer *next;       /* in the list of all */
    struct den_inside_answer *next_ended; /* in the list of those to be freed */
    struct den_inside *inside;
    uint64_t id;
    /* guarded by the lock of `inside` */
    bool is_cancelled, is_submitted, is_ended;
    struct den_job *job;
    /* of its clerk, then of the scheduler's thread */
    struct den_request_copy copy;
    struct den_turn *turn;
    bool is_muted; /* parts were told before */
    size_t part_count;
    struct den_buffer payload, parts, rest;
    struct den_error error; /* of reading the answer */
};

/* --- the list --- */

bool den_inside_expect(struct den_inside *inside, uint64_t id)
{
    struct den_inside_answer *answer = calloc(1, sizeof *answer);

    if (!answer)
        return false;
    answer->inside = inside;
    answer->id = id;
    den_buffer_init(&answer->payload, DEN_WIRE_PAYLOAD_BYTES_MAX);
    den_buffer_init(&answer->parts, DEN_WIRE_PAYLOAD_BYTES_MAX);
    den_buffer_init(&answer->rest, DEN_WIRE_PAYLOAD_BYTES_MAX);
    pthread_mutex_lock(&inside->lock);
    answer->next = inside->answers;
    inside->answers = answer;
    pthread_mutex_unlock(&inside->lock);
    return true;
}

static struct den_inside_answer *find(const struct den_inside *inside, uint64_t id)
{
    struct den_inside_answer *answer = inside->answers;

    while (answer && answer->id != id)
        answer = answer->next;
    return answer;
}

void den_inside_cancel(struct den_inside *inside, uint64_t id)
{
    struct den_inside_answer *answer;

    pthread_mutex_lock(&inside->lock);
    answer = find(inside, id);
    if (answer) {
        answer->is_cancelled = true;
        if (answer->job)
            den_job_cancel(answer->job);
    }
    pthread_mutex_unlock(&inside->lock);
}

struct den_inside_answer *den_inside_take_ended(struct den_inside *inside)
{
    struct den_inside_answer *answer = inside->ended, **link = &inside->answers;

    if (!answer)
        return NULL;
    inside->ended = answer->next_ended;
    while (*link != answer)
        link = &(*link)->next;
    *link = answer->next;
    return answer;
}

void den_inside_free_answer(struct den_inside_answer *answer)
{
    den_job_release(answer->job);
    den_turn_destroy(answer->turn);
    den_request_copy_deinit(&answer->copy);
    den_buffer_deinit(&answer->payload);
    den_buffer_deinit(&answer->parts);
    den_buffer_deinit(&answer->rest);
    free(answer);
}

/* Whoever comes second of clerk and scheduler hands it to be freed. */
static void leave(struct den_inside_answer *answer, struct den_job *job, bool is_ended)
{
    struct den_inside *inside = answer->inside;

    pthread_mutex_lock(&inside->lock);
    if (job)
        answer->job = job;
    *(is_ended ? &answer->is_ended : &answer->is_submitted) = true;
    if (answer->is_ended && answer->is_submitted) {
        answer->next_ended = inside->ended;
        inside->ended = answer;
        pthread_cond_signal(&inside->work);
    } else if (job && answer->is_cancelled) {
        den_job_cancel(job);
    }
    pthread_mutex_unlock(&inside->lock);
}

/* --- on the scheduler's thread --- */

static void on_part(void *context, const struct den_answer_part *part)
{
    static const enum den_worker_event_kind kinds[] = {
        [DEN_ANSWER_TEXT] = DEN_WORKER_TEXT,
        [DEN_ANSWER_REASONING] = DEN_WORKER_REASONING,
        [DEN_ANSWER_TOOL_CALL] = DEN_WORKER_TOOL_CALL,
        [DEN_ANSWER_TOOL_ARGUMENTS] = DEN_WORKER_TOOL_ARGUMENTS,
    };
    struct den_inside_answer *answer = context;
    const struct den_message_part out = { .kind = kinds[part->kind],
                                          .tool_index = part->tool_index,
                                          .text = { part->text, part->length } };

    if (answer->is_muted || part->tool_index >= DEN_TOOL_CALLS_MAX)
        return;
    den_message_put_part(&answer->parts, &out);
    answer->part_count++;
}

/* Gathers in `parts` what the text adds. */
static void push(struct den_inside_answer *answer, const char *text, size_t length)
{
    if (answer->error.status == DEN_OK)
        den_turn_push(answer->turn, text, length, &answer->error);
}

/* The gathered parts, with their count, at the end of `payload`. */
static void put_parts(struct den_inside_answer *answer)
{
    den_message_put(&answer->payload, answer->part_count, 4);
    den_inside_check(&answer->parts);
    den_buffer_append(&answer->payload, answer->parts.data, answer->parts.length);
    den_buffer_clear(&answer->parts);
    answer->part_count = 0;
}

/* Control tokens add no bytes to a text; their names stand for them in a list of alternatives. */
static struct den_message_alternative show_token(const struct den_inside_answer *answer,
                                                 den_token token, float logprob)
{
    const struct den_tokenizer *tokenizer = den_engine_tokenizer(answer->inside->engine);
    struct den_token_text text = { .bytes = "", .length = 0 };

    if (token >= 0 && (size_t)token < answer->inside->vocabulary) {
        text = den_tokenizer_piece(tokenizer, token);
        if (text.length == 0)
            text = den_tokenizer_name(tokenizer, token);
    }
    return (struct den_message_alternative){
        .text = { text.bytes ? text.bytes : "", text.length },
        .logprob = logprob < 0 ? logprob : 0, /* a hair above it, or a NaN, is none */
    };
}

static void put_token(struct den_inside_answer *answer, const struct den_generation_event *event)
{
    struct den_message_token token = { .token = event->token,
                                       .drawn = event->drawn,
                                       .told = answer->copy.request.logprobs >= 0 };
    size_t i;

    if (token.told) {
        token.own = show_token(answer, event->token, event->logprob);
        for (i = 0; i < event->top_count && i < DEN_MESSAGE_ALTERNATIVES_MAX; i++)
            token.top[i] = show_token(answer, event->top[i].token, event->top[i].logprob);
        token.top_count = i;
    }
    den_message_put_token(&answer->payload, &token);
}

static void on_begin(void *context)
{
    const struct den_inside_answer *answer = context;

    den_inside_send(DEN_WIRE_BEGUN, answer->id, NULL);
}

static void on_progress(struct den_inside_answer *answer, const struct den_generation_event *event)
{
    if (answer->copy.extra.token_count > 0) /* the prompt had been read once */
        return;
    den_message_put(&answer->payload, event->prompt_done, 8);
    den_message_put(&answer->payload, event->prompt_total, 8);
    den_inside_send(DEN_WIRE_PROGRESS, answer->id, &answer->payload);
}

static void on_event(void *context, const struct den_generation_event *event)
{
    struct den_inside_answer *answer = context;

    den_buffer_clear(&answer->payload);
    if (event->resumed) {
        answer->is_muted = true;
        push(answer, event->text, event->text_length);
        answer->is_muted = false;
    } else if (event->token != DEN_TOKEN_NONE) {
        put_token(answer, event);
        push(answer, event->text, event->text_length);
        put_parts(answer);
        den_inside_send(DEN_WIRE_TOKEN, answer->id, &answer->payload);
    } else if (event->text_length > 0) {
        den_buffer_append(&answer->rest, event->text, event->text_length);
    } else {
        on_progress(answer, event);
    }
}

static enum den_message_finish translate(enum den_finish finish, size_t calls)
{
    switch (finish) {
    case DEN_FINISH_STOP:
        return calls > 0 ? DEN_MESSAGE_TOOL_CALLS : DEN_MESSAGE_STOP;
    case DEN_FINISH_LENGTH:
        return DEN_MESSAGE_LENGTH;
    case DEN_FINISH_ERROR:
        return DEN_MESSAGE_ERROR;
    default:
        return DEN_MESSAGE_CANCELLED;
    }
}

static void fill_figures(struct den_message_end *out, const struct den_generation_result *result)
{
    static const enum den_message_miss misses[DEN_PREFIX_MISSES] = {
        [DEN_PREFIX_NO_MISS] = DEN_MESSAGE_NO_MISS, [DEN_PREFIX_FIRST_USE] = DEN_MESSAGE_FIRST_USE,
        [DEN_PREFIX_ENDS] = DEN_MESSAGE_ENDS,       [DEN_PREFIX_DIFFERS] = DEN_MESSAGE_DIFFERS,
        [DEN_PREFIX_EVICTED] = DEN_MESSAGE_EVICTED,
    };

    out->prompt_tokens = result->prompt_tokens;
    out->cached_tokens = result->cached_tokens;
    out->generated_tokens = result->generated_tokens;
    out->predicted_tokens = result->predicted_tokens;
    out->foretold_tokens = result->foretold_tokens;
    out->miss = misses[result->miss];
    out->miss_at = result->miss_at;
    out->prompt_seconds = result->prompt_seconds;
    out->generate_seconds = result->generate_seconds;
    out->seed = result->seed;
}

static void on_end(void *context, const struct den_job_end *end)
{
    struct den_inside_answer *answer = context;
    const struct den_worker_request *request = &answer->copy.request;
    struct den_message_end out = { .wait_seconds = end->wait_seconds,
                                   .seed = (uint64_t)request->seed,
                                   .error = { .text = "" },
                                   .stop = { .text = "" },
                                   .note = { .text = "" } };
    const struct den_error *error = end->error;
    const char *note = NULL;

    den_buffer_clear(&answer->payload);
    push(answer, answer->rest.data, answer->rest.length);
    if (answer->error.status == DEN_OK)
        den_turn_finish(answer->turn, &note, &answer->error);
    if (!error && answer->error.status != DEN_OK)
        error = &answer->error;
    out.finish = error ? DEN_MESSAGE_ERROR : translate(end->finish, den_turn_calls(answer->turn));
    if (end->result)
        fill_figures(&out, end->result);
    if (end->result && end->result->stop >= 0 && (size_t)end->result->stop < request->stop_count) {
        out.stopped = true;
        out.stop.text = request->stops[end->result->stop];
        out.stop.length = strlen(out.stop.text);
    }
    if (error) {
        out.status = error->status;
        out.error = (struct den_message_bytes){ error->message, strlen(error->message) };
    }
    if (note) {
        out.noted = true;
        out.note = (struct den_message_bytes){ note, strlen(note) };
    }
    den_message_put_end(&answer->payload, &out);
    put_parts(answer);
    den_inside_send(DEN_WIRE_END, answer->id, &answer->payload);
    leave(answer, NULL, true);
}

/* --- on a clerk's thread --- */

static enum den_status make_turn(struct den_inside_answer *answer, struct den_error *err)
{
    const struct den_worker_request *request = &answer->copy.request;
    const struct den_turn_options options = {
        .messages = request->messages,
        .prompt = request->prompt,
        .prompt_tokens = request->prompt_tokens,
        .tools = request->tools,
        .tool_choice = request->tool_choice,
        .single_tool_call = request->single_tool_call,
        .template_variables = request->template_variables,
        .schema = request->schema,
        .grammar = request->grammar,
        .prediction = request->prediction,
        .now = answer->copy.extra.now,
        .handler = on_part,
        .context = answer,
    };

    return den_turn_create(answer->inside->turns, &options, &answer->turn, err);
}

static enum den_status enqueue(struct den_inside_answer *answer, struct den_job **out_job,
                               struct den_error *err)
{
    const struct den_request_copy *copy = &answer->copy;
    const struct den_worker_request *request = &copy->request;
    struct den_sampler_options sampler = { 0 };
    struct den_job_options job = {
        .batch = request->batch, .again = copy->extra.again, .on_begin = on_begin, .on_end = on_end
    };

    if (den_worker_sampler(request, answer->inside->vocabulary, &sampler, err) != DEN_OK)
        return err->status;
    job.generation = (struct den_generation_options){
        .prompt = den_turn_prompt(answer->turn)->items,
        .prompt_count = den_turn_prompt(answer->turn)->count,
        .sampler = sampler,
        .stops = request->stops,
        .stop_count = request->stop_count,
        .max_tokens = request->max_tokens > 0 ? (size_t)request->max_tokens : 0,
        .ignore_end = request->ignore_end,
        .logprobs = request->logprobs,
        .constraint = den_turn_constraint(answer->turn),
        .alternative = den_turn_alternative(answer->turn),
        .marks = den_turn_reads_marks(answer->turn),
        .predicted = den_turn_predicted(answer->turn)->items,
        .predicted_count = den_turn_predicted(answer->turn)->count,
        .resume = copy->extra.tokens,
        .resume_count = copy->extra.token_count,
        .resume_drawn = copy->extra.drawn,
        .on_event = on_event,
        .context = answer,
    };
    den_scheduler_submit(answer->inside->scheduler, &job, out_job, err);
    if (sampler.logit_bias_count > 0)
        free((void *)(uintptr_t)sampler.logit_bias);
    return err->status;
}

/* Reads, checks, renders, compiles, puts in line. */
static enum den_status begin(struct den_inside_answer *answer, const struct den_wire_frame *frame,
                             struct den_job **out_job, struct den_error *err)
{
    json_t *document = NULL;

    if (!answer->inside->engine)
        return den_fail(err, DEN_UNSUPPORTED,
                        "the model makes embeddings; it can't write an answer");
    if (den_json_parse((const char *)frame->payload, frame->length, "request", &document, err) !=
            DEN_OK ||
        den_request_from_json(document, &answer->copy, err) != DEN_OK ||
        den_worker_check(&answer->copy.request, err) != DEN_OK || make_turn(answer, err) != DEN_OK)
        return err->status;
    return enqueue(answer, out_job, err);
}

void den_inside_submit(struct den_inside *inside, const struct den_wire_frame *frame)
{
    struct den_inside_answer *answer;
    struct den_error err = { 0 };
    struct den_job *job = NULL;

    pthread_mutex_lock(&inside->lock);
    answer = find(inside, frame->id);
    pthread_mutex_unlock(&inside->lock);
    if (begin(answer, frame, &job, &err) == DEN_OK) {
        den_inside_send(DEN_WIRE_ACCEPTED, frame->id, NULL);
        leave(answer, job, false);
        return;
    }
    den_inside_refuse(frame->id, &err);
    leave(answer, NULL, true);
    leave(answer, NULL, false);
}
