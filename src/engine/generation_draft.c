/* Guesses in steps. Each generation that decodes has guesses at what follows the token that is to
 * be evaluated next (speculation.h). Here they are cut to what could be of use, the batch decides
 * which are worth a row, and these go behind the token in its step:
 *
 *     step:     known   guess   guess   guess
 *     logits:     |       |       |       |
 *     chosen:   guess   guess   other   (never looked at)
 *
 * Of no use are guesses that the answer's limits leave no room for, or that its grammar forbids. */
#include <string.h>

#include "engine/generation_parts.h"
#include "text/constraint.h"

enum { ALWAYS_GUESSES = 5 };           /* of the draft model, in tests */
static const float GOOD_CHANCE = 0.6f; /* of a guess from the text; below it the model is asked */

/* How many guesses could be followed by another token. */
static size_t most_guesses(const struct den_generation *generation)
{
    size_t length = generation->session->length + 1;
    size_t context = generation->engine->context_tokens;
    size_t most = context > length ? context - length : 0;
    size_t told = generation->result.generated_tokens;

    if (generation->max_tokens > 0 && generation->max_tokens - told - 1 < most)
        most = generation->max_tokens - told - 1;
    return most;
}

/* The first so many guesses are allowed, by the same one of two constraints. */
static size_t allowed(const struct den_generation *generation)
{
    const struct den_speculation *speculation = &generation->speculation;
    size_t most = 0;
    int i;

    if (!generation->constraints[0] && !generation->constraints[1])
        return speculation->count;
    for (i = 0; i < 2; i++) {
        size_t count = 0;

        if (generation->constraints[i])
            count = den_constraint_foresee(generation->constraints[i], speculation->guesses,
                                           speculation->count);
        most = count > most ? count : most;
    }
    return most;
}

/* A guess that the answer ends here needs no row: nothing comes behind it. */
static size_t before_end(const struct den_generation *generation)
{
    const struct den_speculation *speculation = &generation->speculation;
    size_t i;

    for (i = 0; i < speculation->count && !generation->ignore_end; i++)
        if (den_tokenizer_is_end(generation->engine->tokenizer, speculation->guesses[i]))
            break;
    return generation->ignore_end ? speculation->count : i;
}

static void cut(struct den_generation *generation)
{
    struct den_speculation *speculation = &generation->speculation;

    speculation->count = before_end(generation);
    if (speculation->count > 0)
        speculation->count = allowed(generation);
}

/* Asks the draft model where the text itself has no good guess. Its failure costs guesses only. */
static void ask_model(struct den_engine *engine, size_t count)
{
    struct den_error ignored = { 0 };
    size_t wishes = 0, guesses = 0, i;
    bool always = false;

    for (i = 0; i < count; i++) {
        struct den_generation *generation = engine->owners[i];
        struct den_speculation *speculation = &generation->speculation;

        if (!generation->draft ||
            (speculation->count > 0 && speculation->chances[0] >= GOOD_CHANCE))
            continue;
        always = always || speculation->always;
        engine->wishes[wishes++] = (struct den_draft_wish){ .text = generation->draft,
                                                            .session = generation->session,
                                                            .known = generation->next[0],
                                                            .most = most_guesses(generation),
                                                            .speculation = speculation };
    }
    if (wishes > 0)
        guesses =
            always ? ALWAYS_GUESSES : den_draft_model_worth(engine->draft, &engine->costs, wishes);
    if (guesses == 0)
        return;
    if (den_draft_model_guess(engine->draft, engine->wishes, wishes, guesses, &ignored) != DEN_OK)
        for (i = 0; i < wishes; i++)
            engine->wishes[i].speculation->count = 0;
    for (i = 0; i < wishes; i++)
        engine->wishes[i].speculation->from_model = true;
}

void den_generations_draft(struct den_engine *engine, size_t count, size_t room)
{
    struct den_speculation_plan plan = { .costs = &engine->costs,
                                         .speculations = engine->speculations,
                                         .rows = count,
                                         .decodes = count,
                                         .room = room };
    size_t i;

    if (room == 0 || count >= DEN_COSTED_ROWS_MAX)
        return;
    for (i = 0; i < count; i++)
        if (engine->owners[i]->is_speculating) {
            engine->speculations[plan.count++] = &engine->owners[i]->speculation;
            den_speculation_guess(&engine->owners[i]->speculation, most_guesses(engine->owners[i]));
        }
    if (plan.count == 0)
        return;
    if (engine->draft)
        ask_model(engine, count);
    for (i = 0; i < count; i++)
        if (engine->owners[i]->is_speculating)
            cut(engine->owners[i]);
    den_speculation_choose(&plan);
    for (i = 0; i < count; i++) {
        struct den_generation *generation = engine->owners[i];
        size_t chosen = generation->is_speculating ? generation->speculation.chosen : 0;

        memcpy(generation->next + 1, generation->speculation.guesses,
               chosen * sizeof *generation->next);
        engine->steps[i].count += chosen;
        engine->steps[i].all_logits = true;
    }
}
