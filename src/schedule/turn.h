/* Turn: one exchange with a model, as tokens on one side and as a conversation on the other.
 *
 * A turn turns messages, tools and a schema into a prompt and what the answer is held to (a grammar
 * compiled to a mask over tokens), and the answer's text, as it comes, into text, reasoning and
 * calls. Making one takes milliseconds and can be done on any thread, several at once; afterwards
 * one thread uses it at a time. */
#ifndef DEN_SCHEDULE_TURN_H
#define DEN_SCHEDULE_TURN_H

#include "engine/engine.h"
#include "text/answer_format.h"
#include "text/constraint.h"

/* What the turns of a model share: its grammar vocabulary, made when it is first needed. */
struct den_turn_model;
enum den_status den_turn_model_create(const struct den_engine *engine, struct den_turn_model **out,
                                      struct den_error *err);
void den_turn_model_destroy(struct den_turn_model *model);
bool den_turn_model_knows_tools(const struct den_turn_model *model);
bool den_turn_model_knows_reasoning(const struct den_turn_model *model);

/* See struct den_worker_request for what each means; JSON is borrowed while the turn lives. */
struct den_turn_options {
    const json_t *messages;
    const char *prompt;
    const json_t *prompt_tokens;
    const json_t *tools;
    const json_t *tool_choice;
    bool single_tool_call;
    const json_t *template_variables;
    const json_t *schema;
    const char *grammar;
    const json_t *prediction;
    int64_t now;
    den_answer_handler handler; /* gets the answer's parts */
    void *context;
};

struct den_turn;
enum den_status den_turn_create(struct den_turn_model *model,
                                const struct den_turn_options *options, struct den_turn **out,
                                struct den_error *err);
void den_turn_destroy(struct den_turn *turn);
const struct den_tokens *den_turn_prompt(const struct den_turn *turn);
/* What the client thinks that the answer will be; empty where it does not say. */
const struct den_tokens *den_turn_predicted(const struct den_turn *turn);
/* What the answer is held to: both NULL, or the first, or one of the two. */
struct den_constraint *den_turn_constraint(const struct den_turn *turn);
struct den_constraint *den_turn_alternative(const struct den_turn *turn);
/* True where marks that are control tokens must be in the text. */
bool den_turn_reads_marks(const struct den_turn *turn);

/* Takes text of the answer; calls the handler with what has become certain. */
enum den_status den_turn_push(struct den_turn *turn, const char *text, size_t length,
                              struct den_error *err);
/* The answer's end. *out_note: why what looks like a call came as text; NULL: all is well. */
enum den_status den_turn_finish(struct den_turn *turn, const char **out_note,
                                struct den_error *err);
size_t den_turn_calls(const struct den_turn *turn);

/* The prompt as text, of a request with messages. */
enum den_status den_turn_render(struct den_turn_model *model,
                                const struct den_turn_options *options, struct den_buffer *out,
                                struct den_error *err);

#endif
