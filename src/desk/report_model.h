/* Report model: one question to the model, and what it wrote as whole sentences.
 *
 * Reports ask in the batch class, with temperature 0, and wait for the answer; what is asked can be
 * ended early by den_report_queue_interrupt(). Prompts are short, because small models follow one
 * plain sentence better than four, and small models are held to a few sentences by a grammar, as
 * they go round for ever otherwise. */
#ifndef DEN_DESK_REPORT_MODEL_H
#define DEN_DESK_REPORT_MODEL_H

#include "base/buffer.h"
#include "desk/prompt_block.h"
#include "desk/report_parts.h"

/* What a model has room for. */
struct den_report_room {
    struct den_token_counter counter;
    size_t context_tokens;
    size_t answer_tokens; /* that an answer may have */
    size_t budget_tokens; /* for the texts that it is about */
    size_t sentences;     /* of an answer */
    bool is_small;        /* the model: its answers are held to a form */
};
/* Takes a worker for the report's model, however long loading it takes; waits while none is free.
 * DEN_CONTEXT_FULL: its context is too small for any report. */
enum den_status den_report_take(struct den_report *report, struct den_worker **out,
                                struct den_report_room *out_room, struct den_error *err);
void den_report_give_back(struct den_report *report, struct den_worker *worker);

struct den_report_question {
    const char *prompt;
    const char *grammar; /* NULL: none */
    size_t max_tokens;
};
/* What the model wrote, without white space around; free() it. *out_cut: it was longer. */
enum den_status den_report_ask(struct den_report *report, struct den_worker *worker,
                               const struct den_report_question *question, char **out,
                               bool *out_cut, struct den_error *err);

/* A grammar (GBNF) of one to `sentences` sentences, free() it; NULL: no memory. */
char *den_report_grammar(size_t sentences);
/* Asks for `sentences` sentences in that form, if the model is small; `out` has whole, different
 * sentences, "" where there are none. */
enum den_status den_report_ask_sentences(struct den_report *report, struct den_worker *worker,
                                         const struct den_report_room *room, const char *prompt,
                                         char **out, struct den_error *err);
/* The first `sentences` different sentences of `text`, joined; free() it, NULL: no memory. The last
 * one of a text that was cut is left out, unless it is the only one. */
char *den_report_sentences(const char *text, size_t sentences, bool was_cut);

/* Whether more than a few of its characters are Chinese. */
bool den_report_is_chinese(const char *text);

#endif
