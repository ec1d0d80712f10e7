/* Drafts by a smaller model: a second engine, of a model with the same vocabulary, writes a few
 * tokens ahead, and the large one checks them in a step.
 *
 * The draft model takes the likeliest token each time, whatever the sampler of the answer does: a
 * guess need not be drawn as the answer is, it must only be right often. It stops where it is not
 * sure itself. Its texts follow the answers': what the large model did not choose is taken back.
 *
 * A step of the draft model costs, so unlike guesses from the text these are made only where they
 * should pay: the share that is right is learned from those that were evaluated, the time from the
 * steps that were taken. Where they don't pay, they are tried again after ever longer pauses. */
#ifndef DEN_ENGINE_DRAFT_MODEL_H
#define DEN_ENGINE_DRAFT_MODEL_H

#include "engine/speculation.h"

struct den_draft_model;
struct den_draft_text; /* one answer, as the draft model follows it */
struct den_engine;
struct den_engine_options;
struct den_session;

/* `options` are those of `engine`. DEN_INVALID where the two models' tokens are not the same. */
enum den_status den_draft_model_open(const struct den_engine_options *options,
                                     const struct den_engine *engine, struct den_draft_model **out,
                                     struct den_error *err);
void den_draft_model_close(struct den_draft_model *model);

enum den_status den_draft_text_create(struct den_draft_model *model, struct den_draft_text **out,
                                      struct den_error *err);
void den_draft_text_destroy(struct den_draft_text *text);

/* What is wanted of the model for one answer: tokens behind those that `session` holds and `known`,
 * up to `most` of them, into the speculation. */
struct den_draft_wish {
    struct den_draft_text *text;
    const struct den_session *session;
    den_token known;
    size_t most;
    struct den_speculation *speculation;
};
/* How many guesses each of `count` answers should have so that the batch gains; 0: none. */
size_t den_draft_model_worth(struct den_draft_model *model, const struct den_step_costs *costs,
                             size_t count);
/* Guesses for all of them, in steps that they share. A text that the model has yet to read is read
 * a piece at a time and has no guesses before it has been. */
enum den_status den_draft_model_guess(struct den_draft_model *model, struct den_draft_wish *wishes,
                                      size_t count, size_t guesses, struct den_error *err);
/* `right` of `evaluated` guesses were chosen, and none behind them. */
void den_draft_model_learn(struct den_draft_model *model, size_t evaluated, size_t right);

#endif
