/* See draft_model.h. */
#include "engine/draft_model.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "engine/engine_parts.h"
#include "text/sampler.h"

enum {
    GUESSES_MAX = 8,    /* in one step: chances fall from guess to guess */
    PIECE_TOKENS = 128, /* of a text that is read: nobody's stream waits longer than for that */
    PAUSE_MIN = 8,      /* steps until guesses that did not pay are tried again ... */
    PAUSE_MAX = 256     /* ... and at the most */
};
static const float sure = 0.3f;         /* below this share of its own, the model stops guessing */
static const double chance_first = 0.6; /* that a guess is right, before any was evaluated ... */
static const double weight_first = 8;   /* ... and as how many evaluated ones that counts */
static const double memory = 0.98;
static const double time_speed = 0.1;
static const double margin = 1.05;

struct den_draft_model {
    struct den_engine *engine;
    struct den_step *steps;         /* (sequences) */
    struct den_draft_wish **wishes; /* (sequences): who still guesses */
    double seconds;                 /* of a step of one row; 0: not known */
    double right, evaluated;        /* older ones counting less */
    size_t pause, paused;
};

struct den_draft_text {
    struct den_draft_model *model;
    struct den_session *session;
    size_t agreed; /* so many tokens of the session are known to be the answer's */
};

/* Guesses are tokens, so the two models must mean the same by them. */
static enum den_status compare_tokens(const struct den_tokenizer *one,
                                      const struct den_tokenizer *other, const char *path,
                                      struct den_error *err)
{
    size_t size = den_tokenizer_size(one), i;

    if (den_tokenizer_size(other) != size)
        return den_fail(err, DEN_INVALID,
                        "draft model: %s: it has %zu tokens, the model that it is to draft for has "
                        "%zu; a draft model needs the same vocabulary",
                        path, den_tokenizer_size(other), size);
    for (i = 0; i < size; i++) {
        struct den_token_text a = den_tokenizer_name(one, (den_token)i);
        struct den_token_text b = den_tokenizer_name(other, (den_token)i);

        if (a.length != b.length || memcmp(a.bytes, b.bytes, a.length) != 0)
            return den_fail(err, DEN_INVALID,
                            "draft model: %s: its token %zu is another one than that of the model "
                            "that it is to draft for; a draft model needs the same vocabulary",
                            path, i);
    }
    return DEN_OK;
}

enum den_status den_draft_model_open(const struct den_engine_options *options,
                                     const struct den_engine *engine, struct den_draft_model **out,
                                     struct den_error *err)
{
    struct den_engine_options own = { .path = options->draft_path,
                                      .threads = options->threads,
                                      .cpu_features = options->cpu_features,
                                      .precision = options->precision,
                                      .sequences = engine->sequences,
                                      .speculation = DEN_SPECULATION_OFF };
    struct den_draft_model *model = calloc(1, sizeof *model);

    if (!model)
        return den_fail(err, DEN_NO_MEMORY, "draft model: out of memory");
    if (den_engine_open(&own, &model->engine, err) != DEN_OK ||
        compare_tokens(engine->tokenizer, model->engine->tokenizer, options->draft_path, err) !=
            DEN_OK)
        goto fail;
    if (den_engine_description(model->engine)->vocabulary >
        den_engine_description(engine)->vocabulary) {
        den_fail(err, DEN_INVALID,
                 "draft model: %s: its vocabulary of %zu is larger than that of the model that it "
                 "is to draft for, %zu",
                 options->draft_path, den_engine_description(model->engine)->vocabulary,
                 den_engine_description(engine)->vocabulary);
        goto fail;
    }
    model->steps = calloc(engine->sequences, sizeof *model->steps);
    model->wishes = calloc(engine->sequences, sizeof *model->wishes);
    if (!model->steps || !model->wishes) {
        den_fail(err, DEN_NO_MEMORY, "draft model: out of memory");
        goto fail;
    }
    model->pause = PAUSE_MIN;
    *out = model;
    return DEN_OK;
fail:
    den_draft_model_close(model);
    return err->status;
}

void den_draft_model_close(struct den_draft_model *model)
{
    if (!model)
        return;
    den_engine_close(model->engine);
    free(model->steps);
    free(model->wishes);
    free(model);
}

enum den_status den_draft_text_create(struct den_draft_model *model, struct den_draft_text **out,
                                      struct den_error *err)
{
    struct den_draft_text *text = calloc(1, sizeof *text);

    if (!text)
        return den_fail(err, DEN_NO_MEMORY, "draft model: out of memory");
    text->model = model;
    if (den_session_create(model->engine, &text->session, err) != DEN_OK) {
        free(text);
        return err->status;
    }
    *out = text;
    return DEN_OK;
}

void den_draft_text_destroy(struct den_draft_text *text)
{
    if (!text)
        return;
    den_session_destroy(text->session);
    free(text);
}

/* --- whether --- */

static double chance_of(const struct den_draft_model *model)
{
    return (model->right + chance_first * weight_first) / (model->evaluated + weight_first);
}

size_t den_draft_model_worth(struct den_draft_model *model, const struct den_step_costs *costs,
                             size_t count)
{
    const double chance = chance_of(model), answers = (double)count;
    /* not measured yet: that of a model of a quarter the size */
    const double step = costs->unit > 0 && model->seconds > 0 ? model->seconds / costs->unit : 0.25;
    double tokens = answers, power = 1;
    double best_rate = margin * answers / den_step_costs_estimate(costs, count);
    size_t best = 0, k;

    if (model->paused > 0) {
        model->paused--;
        return 0;
    }
    for (k = 1; k <= GUESSES_MAX && count * (k + 1) <= DEN_COSTED_ROWS_MAX; k++) {
        double rate;

        power *= chance;
        tokens += answers * power;
        /* one step of the draft model more reads what was chosen last */
        rate = tokens / (den_step_costs_estimate(costs, count * (k + 1)) + (double)k * step);
        if (rate > best_rate) {
            best_rate = rate;
            best = k;
        }
    }
    if (best > 0) {
        model->pause = PAUSE_MIN;
        return best;
    }
    model->paused = model->pause;
    model->pause = model->pause * 2 < PAUSE_MAX ? model->pause * 2 : PAUSE_MAX;
    return count * 3 <= DEN_COSTED_ROWS_MAX ? 2 : 0; /* a trial */
}

void den_draft_model_learn(struct den_draft_model *model, size_t evaluated, size_t right)
{
    size_t tried = right < evaluated ? right + 1 : right, i;

    for (i = 0; i < tried; i++) {
        model->right = model->right * memory + (i < right ? 1 : 0);
        model->evaluated = model->evaluated * memory + 1;
    }
}

/* --- guessing --- */

static den_token token_at(const struct den_draft_wish *wish, size_t at)
{
    return at < wish->session->length ? wish->session->tokens[at] : wish->known;
}

/* Forgets what the answer is not, and adds to `step` a piece of what it has more. */
static void follow(struct den_draft_wish *wish, den_token *pieces, struct den_step *step)
{
    struct den_draft_text *text = wish->text;
    struct den_session *session = text->session;
    size_t length = wish->session->length + 1, room = session->engine->context_tokens, i;

    while (text->agreed < session->length && text->agreed < length - 1 &&
           session->tokens[text->agreed] == token_at(wish, text->agreed))
        text->agreed++;
    den_session_truncate(session, text->agreed);
    *step = (struct den_step){ .session = session, .tokens = pieces };
    if (length + wish->most > room)
        return;
    for (i = session->length; i < length && step->count < PIECE_TOKENS; i++)
        pieces[step->count++] = token_at(wish, i);
    step->no_logits = i < length;
}

/* The likeliest token becomes a guess; false where the model is not sure of it. */
static bool take_guess(const struct den_draft_model *model, struct den_draft_wish *wish,
                       const float *logits, double chance)
{
    struct den_speculation *speculation = wish->speculation;
    size_t vocabulary = den_engine_description(model->engine)->vocabulary;
    struct den_token_logprob own, best;
    size_t i = speculation->count;

    den_logprobs_top(logits, vocabulary, 0, &own, &best, 1);
    if (best.logprob < logf(sure) && !speculation->always)
        return false;
    speculation->guesses[i] = best.token;
    speculation->chances[i] = (float)chance * (i > 0 ? speculation->chances[i - 1] : 1);
    speculation->count++;
    return true;
}

/* Each of the first `count` steps reads what its answer has more; those that then know all of it
 * have a first guess and go on. Returns how many do. */
static size_t catch_up(struct den_draft_model *model, struct den_draft_wish *wishes, size_t count,
                       struct den_error *err)
{
    den_token pieces[PIECE_TOKENS];
    size_t going = 0, i;

    for (i = 0; i < count; i++) {
        struct den_step step;

        wishes[i].speculation->count = 0;
        follow(&wishes[i], pieces, &step);
        if (step.count == 0)
            continue;
        if (den_engine_step(model->engine, &step, 1, NULL, err) != DEN_OK)
            return 0;
        wishes[i].text->agreed = wishes[i].text->session->length;
        if (!step.no_logits && wishes[i].most > 0 &&
            take_guess(model, &wishes[i], step.logits, chance_of(model)))
            model->wishes[going++] = &wishes[i];
    }
    return going;
}

enum den_status den_draft_model_guess(struct den_draft_model *model, struct den_draft_wish *wishes,
                                      size_t count, size_t guesses, struct den_error *err)
{
    size_t going = catch_up(model, wishes, count, err), i, left;

    if (err->status != DEN_OK)
        return err->status;
    guesses = guesses < GUESSES_MAX ? guesses : GUESSES_MAX;
    while (going > 0) {
        double start = den_clock_seconds(), seconds;

        for (left = 0, i = 0; i < going; i++) {
            const struct den_speculation *speculation = model->wishes[i]->speculation;

            if (speculation->count >= guesses || speculation->count >= model->wishes[i]->most)
                continue;
            model->steps[left] =
                (struct den_step){ .session = model->wishes[i]->text->session,
                                   .tokens = &speculation->guesses[speculation->count - 1],
                                   .count = 1 };
            model->wishes[left++] = model->wishes[i];
        }
        going = left;
        if (going == 0)
            break;
        if (den_engine_step(model->engine, model->steps, going, NULL, err) != DEN_OK)
            return err->status;
        seconds = den_clock_seconds() - start;
        model->seconds =
            model->seconds > 0 ? model->seconds + time_speed * (seconds - model->seconds) : seconds;
        for (left = 0, i = 0; i < going; i++)
            if (take_guess(model, model->wishes[i], model->steps[i].logits, chance_of(model)))
                model->wishes[left++] = model->wishes[i];
        going = left;
    }
    return DEN_OK;
}
