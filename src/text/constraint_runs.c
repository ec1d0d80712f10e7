/* See constraint_parts.h. Runs: which plain tokens a set takes without a look at each of them.
 *
 * Wide places in a grammar (a pattern's [^/]+, a format, a name that is none of those known) take
 * most of a vocabulary, and a walk through all of it costs a millisecond. But what such a place
 * does with a character is mostly the same for all of them: it stays where it is, or counts. So
 * follow the set to which most characters lead, and from there again: as long as the same kinds of
 * characters lead on, a token made of nothing else is taken, and masks of tokens by the kinds of
 * their characters, made with the vocabulary, stand in for the walk. It is left to the walk to
 * find what else is taken: tokens with a character that leads elsewhere.
 *
 * A run says only what is taken for sure. Where effort or memory ends in the middle it is short. */
#include "text/constraint_parts.h"

enum {
    RUN_KINDS_MIN = 16,     /* for fewer a walk is as good */
    RUN_CHARACTERS_MAX = 24 /* a place that counts is followed so far; few tokens are longer */
};

/* Whether the edges could take enough characters: a cheap test that spares most sets the rest. */
static bool is_wide(const struct den_sets *sets, uint32_t set)
{
    const struct den_reading_set *items = &sets->sets[set];
    unsigned width = 0;
    uint32_t i, k;

    for (i = 0; i < items->count; i++) {
        const struct den_grammar_node *node =
            &sets->grammar->nodes[sets->readings[items->first + i].node];

        for (k = 0; node->kind == DEN_GRAMMAR_BYTES && k < node->count; k++) {
            const struct den_grammar_edge *edge = &sets->grammar->edges[node->first + k];

            if (edge->low >= 0x20 && edge->low < 0x80)
                width += (unsigned)edge->high - edge->low + 1;
        }
    }
    return width >= RUN_KINDS_MIN;
}

/* Whether each byte of [low, high] followed by `more` continuation bytes leads to `target`. */
static bool all_lead(struct den_sets *sets, uint32_t set, uint32_t target, const uint8_t range[2],
                     unsigned more)
{
    static const uint8_t any[2] = { 0x80, 0xBF };
    uint32_t next, previous = DEN_SET_NONE;
    unsigned byte;

    for (byte = range[0]; byte <= range[1]; byte++) {
        if (byte > range[0] && sets->grammar->classes[byte] == sets->grammar->classes[byte - 1])
            continue;
        next = den_sets_step(sets, set, (uint8_t)byte);
        if (next == previous && next != DEN_SET_NONE)
            continue;
        if (more == 0 ? next != target
                      : next == DEN_SET_NONE || !all_lead(sets, next, target, any, more - 1))
            return false;
        previous = next;
    }
    return true;
}

/* Adds the kinds of characters beyond ASCII of which every one leads to `target`. */
static void add_wide_kinds(struct den_sets *sets, uint32_t set, uint32_t target,
                           struct den_kinds *kinds)
{
    const uint8_t *classes = sets->grammar->classes;
    struct den_kinds failed = { 0 };
    uint8_t previous = 0;
    bool leads = false;
    unsigned lead;

    for (lead = 0xC2; lead <= 0xF4; lead++) {
        unsigned more = lead < 0xE0 ? 0 : lead < 0xF0 ? 1 : 2;
        uint8_t second[2] = { lead == 0xE0   ? 0xA0
                              : lead == 0xF0 ? 0x90
                                             : 0x80,
                              lead == 0xED   ? 0x9F
                              : lead == 0xF4 ? 0x8F
                                             : 0xBF };
        bool special = second[0] != 0x80 || second[1] != 0xBF;
        uint8_t kind = den_kind_of((uint8_t)lead);

        if (special || previous == 0 || classes[lead] != classes[previous]) {
            uint32_t next = den_sets_step(sets, set, (uint8_t)lead);

            leads = next != DEN_SET_NONE && all_lead(sets, next, target, second, more);
        }
        previous = special ? 0 : (uint8_t)lead;
        den_kinds_add(leads ? kinds : &failed, kind);
    }
    kinds->bits[0] &= ~failed.bits[0];
}

/* Fills in `lead` and `target`: of all sets that plain ASCII leads to, that to which most does. */
static void find_lead(struct den_sets *sets, uint32_t set)
{
    struct den_run run = sets->runs[set];
    uint32_t targets[DEN_KINDS], next[DEN_KINDS], count = 0, i = 0;
    unsigned takers[DEN_KINDS], most = 0, byte, end = is_wide(sets, set) ? 0x80 : 0x20;

    run.led = true;
    for (byte = 0x20; byte < end; byte++) {
        next[byte] =
            byte == '"' || byte == '\\' ? DEN_SET_NONE : den_sets_step(sets, set, (uint8_t)byte);
        if (next[byte] == DEN_SET_NONE)
            continue;
        if (i >= count || targets[i] != next[byte]) /* mostly it is that of the byte before */
            for (i = 0; i < count && targets[i] != next[byte]; i++)
                continue;
        if (i == count) {
            targets[count] = next[byte];
            takers[count++] = 0;
        }
        takers[i]++;
        if (takers[i] > most) {
            most = takers[i];
            run.target = next[byte];
        }
    }
    if (most < RUN_KINDS_MIN)
        run.target = DEN_SET_NONE;
    for (byte = 0x20; run.target != DEN_SET_NONE && byte < end; byte++)
        if (next[byte] == run.target)
            den_kinds_add(&run.lead, (uint8_t)byte);
    den_kinds_add(&run.lead, '"'); /* no plain token has these two */
    den_kinds_add(&run.lead, '\\');
    if (run.target != DEN_SET_NONE)
        add_wide_kinds(sets, set, run.target, &run.lead);
    sets->runs[set] = run;
}

static void follow_leads(struct den_sets *sets, uint32_t set, struct den_run *run)
{
    uint32_t at = set;

    find_lead(sets, at);
    *run = sets->runs[set];
    run->first = run->lead;
    while (sets->runs[at].target != DEN_SET_NONE && run->characters < RUN_CHARACTERS_MAX) {
        uint32_t next = sets->runs[at].target;

        if (run->characters == 1)
            run->rest = sets->runs[at].lead;
        else if (run->characters > 1 && !den_kinds_within(&run->rest, &sets->runs[at].lead))
            break;
        run->characters++;
        if (next == at) {
            run->rest = run->characters == 1 ? run->first : run->rest;
            run->characters = DEN_GRAMMAR_FOREVER;
            break;
        }
        at = next;
        if (!sets->runs[at].led)
            find_lead(sets, at);
    }
    if (run->characters == 1)
        run->characters = 0; /* of single characters, which are few, a walk finds more */
}

/* A reading before a character of a JSON string that has no pattern: there what is left of its
 * length says it all. */
static bool find_string(const struct den_sets *sets, uint32_t set, struct den_run *run)
{
    const struct den_grammar *grammar = sets->grammar;
    const struct den_reading_set *items = &sets->sets[set];
    const struct den_kinds all = { { ~(uint64_t)0, ~(uint64_t)0 } };
    uint32_t i, remaining;
    bool other = false;

    for (i = 0; i < items->count; i++) {
        struct den_reading reading = sets->readings[items->first + i];
        const struct den_frame *frame = &sets->frames[reading.frame];
        const struct den_grammar_node *repeat = &grammar->nodes[frame->node];

        if (!grammar->nodes[reading.node].plain)
            continue;
        if (grammar->character_rule == 0 ||
            reading.node != grammar->rules[grammar->character_rule] || reading.frame == 0 ||
            repeat->kind != DEN_GRAMMAR_REPEAT || repeat->rule != grammar->character_rule) {
            other = true;
            continue;
        }
        remaining = repeat->maximum == DEN_GRAMMAR_FOREVER ? DEN_GRAMMAR_FOREVER
                                                           : repeat->maximum - frame->count + 1;
        if (remaining > run->characters)
            run->characters = remaining;
    }
    run->first = run->rest = all;
    run->only = !other || run->characters == DEN_GRAMMAR_FOREVER;
    return run->characters > 0;
}

struct den_run den_sets_run(struct den_sets *sets, uint32_t set)
{
    struct den_run run = sets->runs[set];

    if (run.made)
        return run;
    if (!find_string(sets, set, &run))
        follow_leads(sets, set, &run);
    run.made = true;
    sets->runs[set] = run;
    return run;
}
