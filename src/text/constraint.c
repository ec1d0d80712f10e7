/* See constraint.h. Awake, a constraint is a set of readings (constraint_parts.h); its masks are
 * kept by set, so coming back to a place, as the inside of a string does at every token, costs
 * nothing. Asleep, it keeps the last bytes of the text, as many as could be the beginning of a
 * trigger. */
#include "text/constraint.h"

#include <stdlib.h>
#include <string.h>

#include "text/constraint_parts.h"

struct trigger {
    char *text;
    size_t length;
};

enum state { ASLEEP, AWAKE, OVER };

struct den_constraint {
    const struct den_grammar *grammar;
    const struct den_grammar_vocabulary *vocabulary;
    struct den_sets sets;
    enum state state;
    bool once;
    uint32_t set; /* AWAKE */
    struct trigger triggers[DEN_GRAMMAR_TRIGGERS_MAX];
    size_t trigger_count;
    char *tail; /* ASLEEP: the last bytes, fewer than the longest trigger has */
    size_t tail_length, tail_max;
    char *kept_tail;    /* while the constraint looks ahead */
    uint32_t *masks;    /* (slots + 1, words); the last is for what is not kept */
    uint32_t *slot_set; /* (slots): whose mask it is */
    size_t slot_count, next_slot;
    uint32_t *set_slot; /* (sets): slot + 1, or 0 */
    size_t set_slot_capacity;
};

/* --- creation --- */

static enum den_status add_trigger(struct den_constraint *constraint, const char *text,
                                   struct den_error *err)
{
    struct trigger *trigger = &constraint->triggers[constraint->trigger_count];
    size_t length = strlen(text);
    uint32_t set = den_sets_start(&constraint->sets);

    if (length == 0 || length > DEN_STOP_STRING_BYTES_MAX)
        return den_fail(err, DEN_INVALID,
                        "constraint: a trigger of %zu bytes; 1 to %d are possible", length,
                        DEN_STOP_STRING_BYTES_MAX);
    if (den_sets_accept(&constraint->sets, set, (struct den_token_text){ text, length }, false) ==
        DEN_SET_NONE)
        return den_fail(err, DEN_INVALID,
                        "constraint: no text of the grammar begins with the trigger '%s'", text);
    trigger->text = strdup(text);
    if (!trigger->text)
        return den_fail(err, DEN_NO_MEMORY, "constraint: out of memory");
    trigger->length = length;
    constraint->trigger_count++;
    if (length > constraint->tail_max)
        constraint->tail_max = length;
    return DEN_OK;
}

static enum den_status allocate(struct den_constraint *constraint, struct den_error *err)
{
    size_t bytes = constraint->vocabulary->words * sizeof *constraint->masks;

    constraint->slot_count = DEN_GRAMMAR_MASKS_BYTES_MAX / bytes;
    if (constraint->slot_count > 512)
        constraint->slot_count = 512;
    if (constraint->slot_count < 4)
        constraint->slot_count = 4;
    constraint->masks = malloc((constraint->slot_count + 1) * bytes);
    constraint->slot_set = calloc(constraint->slot_count, sizeof *constraint->slot_set);
    constraint->tail = calloc(constraint->tail_max + DEN_TOKEN_TRIE_BYTES_MAX + 1, 1);
    constraint->kept_tail = calloc(constraint->tail_max + DEN_TOKEN_TRIE_BYTES_MAX + 1, 1);
    if (!constraint->masks || !constraint->slot_set || !constraint->tail || !constraint->kept_tail)
        return den_fail(err, DEN_NO_MEMORY, "constraint: out of memory");
    return DEN_OK;
}

enum den_status den_constraint_create(const struct den_constraint_options *options,
                                      struct den_constraint **out, struct den_error *err)
{
    struct den_constraint *constraint;
    size_t i;

    if (options->trigger_count > DEN_GRAMMAR_TRIGGERS_MAX)
        return den_fail(err, DEN_INVALID, "constraint: %zu triggers; at most %d are possible",
                        options->trigger_count, DEN_GRAMMAR_TRIGGERS_MAX);
    constraint = calloc(1, sizeof *constraint);
    if (!constraint)
        return den_fail(err, DEN_NO_MEMORY, "constraint: out of memory");
    constraint->grammar = options->grammar;
    constraint->vocabulary = options->vocabulary;
    constraint->once = options->once || options->trigger_count == 0;
    if (den_sets_init(&constraint->sets, options->grammar, err) != DEN_OK)
        goto fail;
    for (i = 0; i < options->trigger_count; i++)
        if (add_trigger(constraint, options->triggers[i], err) != DEN_OK)
            goto fail;
    if (allocate(constraint, err) != DEN_OK)
        goto fail;
    if (options->trigger_count == 0) {
        constraint->state = AWAKE;
        constraint->set = den_sets_start(&constraint->sets);
    }
    *out = constraint;
    return DEN_OK;
fail:
    den_constraint_destroy(constraint);
    return err->status;
}

void den_constraint_destroy(struct den_constraint *constraint)
{
    size_t i;

    if (!constraint)
        return;
    for (i = 0; i < constraint->trigger_count; i++)
        free(constraint->triggers[i].text);
    den_sets_deinit(&constraint->sets);
    free(constraint->tail);
    free(constraint->kept_tail);
    free(constraint->masks);
    free(constraint->slot_set);
    free(constraint->set_slot);
    free(constraint);
}

/* --- masks --- */

static uint32_t *mask_row(struct den_constraint *constraint, size_t slot)
{
    return constraint->masks + slot * constraint->vocabulary->words;
}

static void add_ends(struct den_constraint *constraint, uint32_t *mask)
{
    const struct den_grammar_vocabulary *vocabulary = constraint->vocabulary;
    size_t i;

    for (i = 0; i < vocabulary->words; i++)
        mask[i] |= vocabulary->end_mask[i];
}

static bool is_empty(const uint32_t *mask, size_t words)
{
    size_t i;

    for (i = 0; i < words && mask[i] == 0; i++)
        continue;
    return i == words;
}

static const uint32_t *end_mask(struct den_constraint *constraint)
{
    return constraint->vocabulary->has_end ? constraint->vocabulary->end_mask : NULL;
}

/* Makes `set_slot` cover all sets that there are now. */
static bool cover_sets(struct den_constraint *constraint)
{
    size_t capacity = constraint->sets.set_capacity;
    uint32_t *grown;

    if (capacity <= constraint->set_slot_capacity)
        return true;
    grown = realloc(constraint->set_slot, capacity * sizeof *grown);
    if (!grown)
        return false;
    memset(grown + constraint->set_slot_capacity, 0,
           (capacity - constraint->set_slot_capacity) * sizeof *grown);
    constraint->set_slot = grown;
    constraint->set_slot_capacity = capacity;
    return true;
}

static void restart(struct den_constraint *constraint)
{
    constraint->set = den_sets_restart(&constraint->sets, constraint->set);
    memset(constraint->slot_set, 0, constraint->slot_count * sizeof *constraint->slot_set);
    if (constraint->set_slot)
        memset(constraint->set_slot, 0,
               constraint->set_slot_capacity * sizeof *constraint->set_slot);
}

static const uint32_t *awake_mask(struct den_constraint *constraint)
{
    size_t words = constraint->vocabulary->words, slot = constraint->next_slot;
    uint32_t *mask;

    if (den_sets_full(&constraint->sets))
        restart(constraint);
    if (!cover_sets(constraint))
        slot = constraint->slot_count;
    else if (constraint->set_slot[constraint->set] != 0)
        return mask_row(constraint, constraint->set_slot[constraint->set] - 1);
    mask = mask_row(constraint, slot);
    den_sets_mask(&constraint->sets, constraint->set, constraint->vocabulary, mask);
    if (constraint->sets.sets[constraint->set].ends || is_empty(mask, words))
        add_ends(constraint, mask);
    if (slot == constraint->slot_count)
        return mask;
    if (constraint->slot_set[slot] != DEN_SET_NONE)
        constraint->set_slot[constraint->slot_set[slot]] = 0;
    constraint->slot_set[slot] = constraint->set;
    constraint->set_slot[constraint->set] = (uint32_t)slot + 1;
    constraint->next_slot = (slot + 1) % constraint->slot_count;
    return mask;
}

/* --- asleep --- */

/* Bytes of the trigger that the tail ends with. */
static size_t matched(const struct den_constraint *constraint, const struct trigger *trigger)
{
    size_t length =
        constraint->tail_length < trigger->length ? constraint->tail_length : trigger->length - 1;

    while (length > 0 &&
           memcmp(constraint->tail + constraint->tail_length - length, trigger->text, length) != 0)
        length--;
    return length;
}

static uint32_t set_after_trigger(struct den_constraint *constraint, const struct trigger *trigger)
{
    return den_sets_accept(&constraint->sets, den_sets_start(&constraint->sets),
                           (struct den_token_text){ trigger->text, trigger->length }, false);
}

/* Forbids, of the tokens that complete the trigger and go on, those that the grammar doesn't take
 * as far as they go. The node at `index` is the one whose token completes it. */
static void forbid_beyond(struct den_constraint *constraint, const struct den_token_trie *trie,
                          size_t index, uint32_t set, uint32_t *mask)
{
    const struct den_token_node *nodes = trie->nodes;
    uint32_t path[DEN_TOKEN_TRIE_BYTES_MAX + 1];
    size_t i;

    path[nodes[index].depth] = set;
    for (i = index + 1; i < nodes[index].end; i++) {
        den_token token = nodes[i].token;
        uint32_t after = den_sets_step(&constraint->sets, path[nodes[i].depth - 1], nodes[i].byte);

        path[nodes[i].depth] = after;
        for (; token != DEN_TOKEN_NONE && after == DEN_SET_NONE;
             token = constraint->vocabulary->twins[token])
            mask[token >> 5] &= ~(1u << (token & 31));
    }
}

/* Descends by the rest of the trigger; false where no token goes that way. */
static bool find_node(const struct den_token_trie *trie, const char *bytes, size_t length,
                      size_t *out_index)
{
    size_t i = 0, end = trie->count, depth = 0;

    while (i < end) {
        if (trie->nodes[i].byte != (uint8_t)bytes[depth]) {
            i = trie->nodes[i].end;
            continue;
        }
        if (++depth == length) {
            *out_index = i;
            return true;
        }
        end = trie->nodes[i].end;
        i++;
    }
    return false;
}

static const uint32_t *asleep_mask(struct den_constraint *constraint)
{
    const struct den_token_trie *tries[2] = { &constraint->vocabulary->plain,
                                              &constraint->vocabulary->other };
    uint32_t *mask = NULL;
    size_t i, k, index;

    for (i = 0; i < constraint->trigger_count; i++) {
        const struct trigger *trigger = &constraint->triggers[i];
        size_t length = matched(constraint, trigger);

        for (k = 0; k < 2 && length > 0; k++) {
            if (!find_node(tries[k], trigger->text + length, trigger->length - length, &index))
                continue;
            if (!mask) {
                mask = mask_row(constraint, constraint->slot_count);
                memset(mask, 0xFF, constraint->vocabulary->words * sizeof *mask);
            }
            forbid_beyond(constraint, tries[k], index, set_after_trigger(constraint, trigger),
                          mask);
        }
    }
    return mask;
}

const uint32_t *den_constraint_mask(struct den_constraint *constraint)
{
    if (constraint->state == OVER)
        return end_mask(constraint);
    if (constraint->state == ASLEEP)
        return asleep_mask(constraint);
    if (!constraint->once && constraint->sets.sets[constraint->set].ends)
        return NULL;
    return awake_mask(constraint);
}

/* --- accepting --- */

/* Goes on to `set`, which is not empty; falls asleep, or ends, where nothing can follow. */
static void enter(struct den_constraint *constraint, uint32_t set)
{
    const struct den_reading_set *items = &constraint->sets.sets[set];

    constraint->set = set;
    constraint->state = AWAKE;
    if (!items->ends || items->count > 1)
        return;
    constraint->state = constraint->once ? OVER : ASLEEP;
    constraint->tail_length = 0;
}

/* The first trigger that is complete at a byte of the new text and leaves a rest that the grammar
 * takes wakes the constraint. */
static void listen(struct den_constraint *constraint, struct den_token_text text)
{
    size_t i, k;

    for (i = 0; i < text.length && constraint->state == ASLEEP; i++) {
        constraint->tail[constraint->tail_length++] = text.bytes[i];
        for (k = 0; k < constraint->trigger_count; k++) {
            const struct trigger *trigger = &constraint->triggers[k];
            struct den_token_text rest = { text.bytes + i + 1, text.length - i - 1 };
            uint32_t set;

            if (constraint->tail_length < trigger->length ||
                memcmp(constraint->tail + constraint->tail_length - trigger->length, trigger->text,
                       trigger->length) != 0)
                continue;
            set = set_after_trigger(constraint, trigger);
            if (rest.length > 0)
                set = den_sets_accept(&constraint->sets, set, rest, false);
            if (set == DEN_SET_NONE)
                continue;
            enter(constraint, set);
            return;
        }
        if (constraint->tail_length >= constraint->tail_max) {
            memmove(constraint->tail, constraint->tail + 1, constraint->tail_length - 1);
            constraint->tail_length--;
        }
    }
}

static bool accept_awake(struct den_constraint *constraint, den_token token, bool control)
{
    struct den_token_text text = constraint->vocabulary->texts[token];
    bool whole = constraint->sets.sets[constraint->set].ends;
    uint32_t set;

    if (constraint->vocabulary->kinds[token] == DEN_ROLE_END) {
        if (!whole && !is_empty(awake_mask(constraint), constraint->vocabulary->words) &&
            !den_mask_has(awake_mask(constraint), token))
            return false;
        constraint->state = constraint->once ? OVER : ASLEEP;
        return true;
    }
    set = den_sets_accept(&constraint->sets, constraint->set, text, control);
    if (set != DEN_SET_NONE) {
        enter(constraint, set);
        return true;
    }
    if (!whole || constraint->once)
        return false;
    constraint->state = ASLEEP;
    constraint->tail_length = 0;
    listen(constraint, text);
    return true;
}

enum den_status den_constraint_accept(struct den_constraint *constraint, den_token token,
                                      struct den_error *err)
{
    const struct den_grammar_vocabulary *vocabulary = constraint->vocabulary;
    bool fits = true;

    if (token < 0 || (size_t)token >= vocabulary->size)
        return den_fail(err, DEN_INVALID, "constraint: token %d; the vocabulary has %zu", token,
                        vocabulary->size);
    if (den_sets_full(&constraint->sets))
        restart(constraint);
    if (constraint->state == ASLEEP)
        listen(constraint, vocabulary->texts[token]);
    else if (constraint->state == OVER)
        fits = vocabulary->kinds[token] == DEN_ROLE_END;
    else
        fits = accept_awake(constraint, token, vocabulary->kinds[token] == DEN_ROLE_CONTROL);
    if (!fits)
        return den_fail(err, DEN_INVALID, "constraint: token %d is not one that may come here",
                        token);
    return DEN_OK;
}

/* Walks there and comes back. Where the sets are full, going on would forget the place to come back
 * to. */
size_t den_constraint_foresee(struct den_constraint *constraint, const den_token *tokens,
                              size_t count)
{
    const enum state state = constraint->state;
    const uint32_t set = constraint->set;
    const size_t tail_length = constraint->tail_length;
    struct den_error ignored = { 0 };
    size_t i;

    memcpy(constraint->kept_tail, constraint->tail, tail_length);
    for (i = 0; i < count && !den_sets_full(&constraint->sets); i++)
        if (den_constraint_accept(constraint, tokens[i], &ignored) != DEN_OK)
            break;
    constraint->state = state;
    constraint->set = set;
    constraint->tail_length = tail_length;
    memcpy(constraint->tail, constraint->kept_tail, tail_length);
    return i;
}

bool den_constraint_can_end(const struct den_constraint *constraint)
{
    return constraint->state != AWAKE || constraint->sets.sets[constraint->set].ends;
}
