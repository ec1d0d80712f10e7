/* See grammar_regex.h. The tree of a pattern is built into an automaton with empty moves
 * (Thompson's construction); then the empty moves are eliminated.
 *
 * Anchors: the string is thought of as between two marks, BEGIN and END. "^" takes the one and "$"
 * the other; what the pattern does not anchor may begin with "BEGIN anything" and end with
 * "anything END". Strings are the ways from BEGIN to END that have no mark in between. */
#include "text/grammar_regex.h"

#include "text/grammar_regex_tree.h"

#define NONE UINT32_MAX

enum { BEGIN = DEN_REGEX_BEGIN, END = DEN_REGEX_END, EMPTY_MOVE = DEN_REGEX_END + 1 };

/* --- the automaton with empty moves --- */

struct draft {
    struct den_grammar_builder *builder;
    struct den_automaton *automaton;
};

static uint32_t add_state(struct draft *draft)
{
    return den_automaton_add_state(draft->builder, draft->automaton, false);
}

static void add_move(struct draft *draft, uint32_t from, uint32_t to, uint32_t low, uint32_t high)
{
    den_automaton_add_arc(draft->builder, draft->automaton, from, to,
                          (struct den_range){ low, high });
}

static void add_empty(struct draft *draft, uint32_t from, uint32_t to)
{
    add_move(draft, from, to, EMPTY_MOVE, EMPTY_MOVE);
}

static uint32_t build(struct draft *draft, const struct den_regex *tree, uint32_t from);

static uint32_t build_repeat(struct draft *draft, const struct den_regex *tree, uint32_t from)
{
    uint32_t done, i, loop;

    for (i = 0; i < tree->minimum && !den_grammar_failed(draft->builder); i++)
        from = build(draft, tree->first, from);
    if (tree->maximum == DEN_GRAMMAR_FOREVER) {
        loop = add_state(draft);
        add_empty(draft, from, loop);
        add_empty(draft, build(draft, tree->first, loop), loop);
        return loop;
    }
    done = add_state(draft);
    for (; i < tree->maximum && !den_grammar_failed(draft->builder); i++) {
        add_empty(draft, from, done);
        from = build(draft, tree->first, from);
    }
    add_empty(draft, from, done);
    return done;
}

/* Adds what `tree` takes after the state `from`; returns the state after it. */
static uint32_t build(struct draft *draft, const struct den_regex *tree, uint32_t from)
{
    const struct den_regex *item;
    uint32_t to, inner;
    size_t i;

    if (den_grammar_failed(draft->builder))
        return 0;
    switch (tree->kind) {
    case DEN_REGEX_SET:
        to = add_state(draft);
        for (i = 0; i < tree->set.count; i++)
            add_move(draft, from, to, tree->set.items[i].low, tree->set.items[i].high);
        return to;
    case DEN_REGEX_JOIN:
        for (item = tree->first; item; item = item->next)
            from = build(draft, item, from);
        return from;
    case DEN_REGEX_EITHER:
        to = add_state(draft);
        for (item = tree->first; item; item = item->next) {
            inner = add_state(draft);
            add_empty(draft, from, inner);
            add_empty(draft, build(draft, item, inner), to);
        }
        return to;
    case DEN_REGEX_REPEAT:
        return build_repeat(draft, tree, from);
    default:
        return from;
    }
}

/* --- elimination --- */

struct elimination {
    struct den_grammar_builder *builder;
    const struct den_automaton *draft;
    struct den_automaton *out;
    uint32_t accept;
    uint32_t *numbers; /* (draft states): number in `out` + 1 */
    uint32_t *order;   /* (out states): the draft state */
    uint32_t *closure; /* what empty moves reach */
    uint32_t *stamps;
    uint32_t count, round;
};

/* Fills `closure` with what empty moves reach from `state`. */
static void close_over(struct elimination *job, uint32_t state)
{
    uint32_t done, arc;

    job->round++;
    job->count = 0;
    job->closure[job->count++] = state;
    job->stamps[state] = job->round;
    for (done = 0; done < job->count; done++) {
        for (arc = job->draft->states[job->closure[done]].arcs; arc != NONE;
             arc = job->draft->arcs[arc].following) {
            const struct den_arc *one = &job->draft->arcs[arc];

            if (one->range.low != EMPTY_MOVE || job->stamps[one->target] == job->round)
                continue;
            job->stamps[one->target] = job->round;
            job->closure[job->count++] = one->target;
        }
    }
}

static uint32_t number_of(struct elimination *job, uint32_t state)
{
    if (job->numbers[state] == 0) {
        uint32_t number = den_automaton_add_state(job->builder, job->out, false);

        if (den_grammar_failed(job->builder))
            return 0;
        job->order[number] = state;
        job->numbers[state] = number + 1;
    }
    return job->numbers[state] - 1;
}

/* Copies the moves of the closure to `number`, a state of `out`. END moves make it final: they lead
 * to the accepting state by empty moves or nowhere. */
static void copy_moves(struct elimination *job, uint32_t number, const bool *ends)
{
    uint32_t i, arc;

    for (i = 0; i < job->count; i++) {
        for (arc = job->draft->states[job->closure[i]].arcs; arc != NONE;
             arc = job->draft->arcs[arc].following) {
            const struct den_arc *one = &job->draft->arcs[arc];

            if (one->range.low == END && ends[one->target])
                job->out->states[number].final = true;
            if (one->range.low <= DEN_CHARACTER_MAX)
                den_automaton_add_arc(job->builder, job->out, number, number_of(job, one->target),
                                      one->range);
            if (den_grammar_failed(job->builder))
                return;
        }
    }
}

/* Marks the states from which empty moves reach the accepting one. */
static void find_ends(struct elimination *job, bool *ends)
{
    uint32_t arc, i;

    for (i = 0; i < job->draft->state_count; i++) {
        bool end_target = false;

        for (arc = job->draft->states[i].arcs; arc != NONE; arc = job->draft->arcs[arc].following)
            end_target |= job->draft->arcs[arc].range.low == END;
        if (!end_target)
            continue;
        for (arc = job->draft->states[i].arcs; arc != NONE; arc = job->draft->arcs[arc].following) {
            uint32_t target = job->draft->arcs[arc].target, k;

            if (job->draft->arcs[arc].range.low != END)
                continue;
            close_over(job, target);
            for (k = 0; k < job->count; k++)
                ends[target] |= job->closure[k] == job->accept;
        }
    }
}

/* A state of the draft with empty moves to where BEGIN leads from `start`. */
static uint32_t begin_at(struct elimination *job, struct draft *draft, uint32_t start,
                         uint32_t begun)
{
    uint32_t i, arc, count;

    close_over(job, start);
    count = job->count;
    for (i = 0; i < count; i++)
        for (arc = job->draft->states[job->closure[i]].arcs; arc != NONE;
             arc = job->draft->arcs[arc].following)
            if (job->draft->arcs[arc].range.low == BEGIN)
                add_empty(draft, begun, job->draft->arcs[arc].target);
    return begun;
}

static struct den_automaton *eliminate(struct draft *draft, uint32_t start, uint32_t accept)
{
    struct elimination job = { .builder = draft->builder,
                               .draft = draft->automaton,
                               .accept = accept };
    uint32_t begun = add_state(draft), done;
    size_t count = draft->automaton->state_count;
    bool *ends = den_grammar_memory(job.builder, count, sizeof *ends);

    job.out = den_automaton_create(job.builder);
    job.numbers = den_grammar_memory(job.builder, count, sizeof *job.numbers);
    job.order = den_grammar_memory(job.builder, count + 1, sizeof *job.order);
    job.closure = den_grammar_memory(job.builder, count, sizeof *job.closure);
    job.stamps = den_grammar_memory(job.builder, count, sizeof *job.stamps);
    if (den_grammar_failed(job.builder))
        return job.out;
    find_ends(&job, ends);
    number_of(&job, begin_at(&job, draft, start, begun));
    for (done = 0; done < job.out->state_count && !den_grammar_failed(job.builder); done++) {
        close_over(&job, job.order[done]);
        copy_moves(&job, done, ends);
    }
    return job.out;
}

struct den_automaton *den_automaton_pattern(struct den_grammar_builder *builder,
                                            const char *pattern, size_t length)
{
    struct draft draft = { .builder = builder, .automaton = den_automaton_create(builder) };
    struct den_regex *tree = den_regex_parse(builder, pattern, length);
    uint32_t start, before, inside, after, rest, accept;

    start = add_state(&draft);
    before = add_state(&draft);
    inside = add_state(&draft);
    add_empty(&draft, start, inside);
    add_move(&draft, start, before, BEGIN, BEGIN);
    add_move(&draft, before, before, 0, DEN_CHARACTER_MAX);
    add_empty(&draft, before, inside);
    after = build(&draft, tree, inside);
    rest = add_state(&draft);
    accept = add_state(&draft);
    add_empty(&draft, after, accept);
    add_empty(&draft, after, rest);
    add_move(&draft, rest, rest, 0, DEN_CHARACTER_MAX);
    add_move(&draft, rest, accept, END, END);
    return eliminate(&draft, start, accept);
}
