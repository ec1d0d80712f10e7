/* See rerank_late.h.
 *
 * A worker has no way to score a text, and needs none: a grammar that allows the question and
 * nothing else makes the model write it, and the logarithm of each token's probability, which is
 * taken before the grammar forbids anything, comes with it. The question is handed over as a
 * prediction as well, so that it is read in a few steps and not token by token. What the passages'
 * prompts begin with is the same and cached; the passage must come before the question, since it is
 * what the question's likelihood depends on, so each passage is read anew unless another question
 * has just been asked of it: then the prefix cache has it.
 *
 * The sum is divided by the question's bytes, which are the same for all passages: the scale then
 * does not depend on how long the question is, nor on how the tokenizer cuts it. */
#include "desk/rerank_late.h"

#include <jansson.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "worker/worker.h"

enum {
    AT_ONCE = 8,               /* passages in the worker: one batch */
    PASSAGE_BYTES_MAX = 1200,  /* read of each: 300 tokens of English */
    QUERY_BYTES_MAX = 512,     /* scored of the question */
    PROMPT_BYTES_MAX = 1 << 16 /* of prompt or grammar: the above, escaped */
};

static const char before_passage[] = "Passage: ";
static const char before_question[] = "\n\nA question that this passage answers:";

/* Passages that are being scored; guarded by `lock`. */
struct scoring {
    pthread_mutex_t lock;
    pthread_cond_t ended;
    size_t running, tokens;
    struct den_error error; /* the first */
};

/* What all passages are asked. */
struct asking {
    struct den_worker *worker;
    const char *grammar;
    const json_t *prediction;
    struct scoring *scoring;
};

struct passage {
    struct scoring *scoring;
    struct den_ticket *ticket;
    double sum; /* of logarithms */
};

static void on_event(void *context, const struct den_worker_event *event)
{
    struct passage *passage = context;
    struct scoring *scoring = passage->scoring;

    if (event->kind == DEN_WORKER_TEXT && event->logprob)
        passage->sum += (double)event->logprob->logprob;
    if (event->kind != DEN_WORKER_END)
        return;
    pthread_mutex_lock(&scoring->lock);
    scoring->running--;
    scoring->tokens += event->prompt_tokens + event->generated_tokens;
    if (strcmp(event->finish, "error") == 0 && scoring->error.status == DEN_OK)
        scoring->error = *event->error;
    else if (strcmp(event->finish, "cancelled") == 0 && scoring->error.status == DEN_OK)
        den_fail(&scoring->error, DEN_CANCELLED, "reranking was cancelled");
    pthread_cond_signal(&scoring->ended);
    pthread_mutex_unlock(&scoring->lock);
}

/* The length that `text` is cut to: whole characters. */
static size_t cut(const char *text, size_t most)
{
    size_t length = strlen(text);

    if (length <= most)
        return length;
    while (most > 0 && ((unsigned char)text[most] & 0xC0) == 0x80)
        most--;
    return most;
}

/* `root ::= " the question"`: the space belongs to the first word, as tokenizers see it. */
static void write_grammar(const char *query, struct den_buffer *out)
{
    const size_t length = cut(query, QUERY_BYTES_MAX);
    size_t i;

    den_buffer_append_text(out, "root ::= \" ");
    for (i = 0; i < length; i++) {
        const char c = query[i];

        if (c == '"' || c == '\\')
            den_buffer_append_byte(out, '\\');
        if ((unsigned char)c < 0x20)
            den_buffer_append_byte(out, ' ');
        else
            den_buffer_append_byte(out, c);
    }
    den_buffer_append_text(out, "\"");
    den_buffer_append_byte(out, '\0');
}

static enum den_status begin(const struct asking *asking, const char *text, struct passage *passage,
                             struct den_error *err)
{
    struct den_worker_request request = den_worker_request_defaults();
    struct den_buffer prompt;

    den_buffer_init(&prompt, PROMPT_BYTES_MAX);
    den_buffer_append_text(&prompt, before_passage);
    den_buffer_append(&prompt, text, cut(text, PASSAGE_BYTES_MAX));
    den_buffer_append_text(&prompt, before_question);
    den_buffer_append_byte(&prompt, '\0');
    request.prompt = prompt.data;
    request.grammar = asking->grammar;
    request.prediction = asking->prediction;
    request.surface = "rerank";
    request.temperature = 0;
    request.logprobs = 0;
    request.max_tokens = (int64_t)json_string_length(asking->prediction) + 1;
    if (den_buffer_status(&prompt, "rerank", err) == DEN_OK)
        den_worker_submit(asking->worker, &request, on_event, passage, &passage->ticket, err);
    den_buffer_deinit(&prompt);
    return err->status;
}

/* Up to AT_ONCE passages, together; none runs any more when it returns. */
static enum den_status score_some(const struct asking *asking, const char *const *texts,
                                  size_t count, double *out_sums, struct den_error *err)
{
    struct passage passages[AT_ONCE] = { 0 };
    struct scoring *scoring = asking->scoring;
    size_t i;

    for (i = 0; i < count && err->status == DEN_OK; i++) {
        passages[i].scoring = scoring;
        pthread_mutex_lock(&scoring->lock);
        scoring->running++;
        pthread_mutex_unlock(&scoring->lock);
        if (begin(asking, texts[i], &passages[i], err) == DEN_OK)
            continue;
        pthread_mutex_lock(&scoring->lock);
        scoring->running--;
        pthread_mutex_unlock(&scoring->lock);
    }
    pthread_mutex_lock(&scoring->lock);
    while (scoring->running > 0)
        pthread_cond_wait(&scoring->ended, &scoring->lock);
    if (err->status == DEN_OK && scoring->error.status != DEN_OK)
        *err = scoring->error;
    pthread_mutex_unlock(&scoring->lock);
    for (i = 0; i < count; i++) {
        if (passages[i].ticket)
            den_ticket_release(passages[i].ticket);
        out_sums[i] = passages[i].sum;
    }
    return err->status;
}

enum den_status den_rerank_late(struct den_worker *worker,
                                const struct den_rerank_question *question,
                                struct den_rerank_scores *out, struct den_error *err)
{
    const size_t bytes = cut(question->query, QUERY_BYTES_MAX), count = question->count;
    json_t *prediction = json_sprintf(" %.*s", (int)bytes, question->query);
    struct scoring scoring = { 0 };
    struct asking asking = { .worker = worker, .prediction = prediction, .scoring = &scoring };
    struct den_buffer grammar;
    size_t i, some;

    pthread_mutex_init(&scoring.lock, NULL);
    pthread_cond_init(&scoring.ended, NULL);
    den_buffer_init(&grammar, PROMPT_BYTES_MAX);
    write_grammar(question->query, &grammar);
    asking.grammar = grammar.data;
    if (!prediction)
        den_fail(err, DEN_NO_MEMORY, "rerank: out of memory");
    else
        den_buffer_status(&grammar, "rerank", err);
    for (i = 0; i < count && err->status == DEN_OK; i += some) {
        some = count - i < AT_ONCE ? count - i : AT_ONCE;
        score_some(&asking, question->texts + i, some, out->scores + i, err);
    }
    for (i = 0; i < count; i++)
        out->scores[i] /= (double)(bytes ? bytes : 1);
    out->tokens = scoring.tokens;
    json_decref(prediction);
    den_buffer_deinit(&grammar);
    pthread_cond_destroy(&scoring.ended);
    pthread_mutex_destroy(&scoring.lock);
    return err->status;
}
