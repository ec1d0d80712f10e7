/* See constraint_parts.h. Sets of readings, as a deterministic automaton that is built while it is
 * walked: a set is a state, and a step that has been computed once is a look-up afterwards.
 *
 * A step takes the readings that have an edge for the byte and follows what comes after it through
 * choices, calls, repeats and returns until each stands before a byte again. Frames are interned
 * like sets, so two readings that are inside of the same calls share them, and equal sets are
 * found equal. A reading that can't be finished within the stack's limit is dropped: every reading
 * that is kept can reach the end (grammar.c), and so can every set that is not empty.
 *
 * Numbers grow with every new set; between two tokens, when there are too many, all but the present
 * set is forgotten. */
#include <stdlib.h>
#include <string.h>

#include "text/constraint_parts.h"

static uint64_t mix(uint64_t hash, uint64_t value)
{
    hash = (hash ^ value) * 0x9E3779B97F4A7C15u;
    return hash ^ hash >> 32;
}

static bool grow(void **items, size_t *capacity, size_t needed, size_t size)
{
    size_t room = *capacity ? *capacity : 256;
    void *grown;

    if (needed <= *capacity)
        return true;
    while (room < needed)
        room *= 2;
    grown = realloc(*items, room * size);
    if (!grown)
        return false;
    *items = grown;
    *capacity = room;
    return true;
}

/* --- frames --- */

static uint64_t frame_hash(const struct den_frame *frame)
{
    return mix(mix(mix(1, frame->node), frame->count), frame->parent);
}

static bool rehash_frames(struct den_sets *sets)
{
    size_t capacity = sets->frame_table.capacity ? sets->frame_table.capacity * 2 : 1024, i;
    uint32_t *items = calloc(capacity, sizeof *items);

    if (!items)
        return false;
    for (i = 1; i < sets->frame_count; i++) {
        size_t at = frame_hash(&sets->frames[i]) & (capacity - 1);

        while (items[at])
            at = (at + 1) & (capacity - 1);
        items[at] = (uint32_t)i;
    }
    free(sets->frame_table.items);
    sets->frame_table.items = items;
    sets->frame_table.capacity = capacity;
    return true;
}

/* The number of the frame, or 0 where it can't be had. */
static uint32_t intern_frame(struct den_sets *sets, uint32_t node, uint32_t count, uint32_t parent)
{
    struct den_frame frame = {
        .node = node, .count = count, .parent = parent, .depth = sets->frames[parent].depth + 1
    };
    size_t at;

    if (sets->frame_count * 2 >= sets->frame_table.capacity && !rehash_frames(sets)) {
        sets->out_of_memory = true;
        return 0;
    }
    at = frame_hash(&frame) & (sets->frame_table.capacity - 1);
    for (; sets->frame_table.items[at]; at = (at + 1) & (sets->frame_table.capacity - 1)) {
        const struct den_frame *old = &sets->frames[sets->frame_table.items[at]];

        if (old->node == node && old->count == count && old->parent == parent)
            return sets->frame_table.items[at];
    }
    if (!grow((void **)&sets->frames, &sets->frame_capacity, sets->frame_count + 1,
              sizeof *sets->frames)) {
        sets->out_of_memory = true;
        return 0;
    }
    sets->frames[sets->frame_count] = frame;
    sets->frame_table.items[at] = (uint32_t)sets->frame_count;
    return (uint32_t)sets->frame_count++;
}

/* --- following a reading to where it needs a byte --- */

enum { SEEN_CAPACITY = DEN_GRAMMAR_CONFIGS_MAX * 4, SEEN_TABLE = SEEN_CAPACITY * 2 };

static void follow(struct den_sets *sets, uint32_t node, uint32_t frame)
{
    const struct den_grammar_node *place = &sets->grammar->nodes[node];
    size_t at;

    if (place->need + sets->frames[frame].depth > DEN_GRAMMAR_FRAMES_MAX ||
        sets->seen_count == SEEN_CAPACITY)
        return;
    at = mix(mix(2, node), frame) & (SEEN_TABLE - 1);
    for (; sets->seen_table.items[at]; at = (at + 1) & (SEEN_TABLE - 1)) {
        const struct den_reading *old = &sets->seen[sets->seen_table.items[at] - 1];

        if (old->node == node && old->frame == frame)
            return;
    }
    sets->seen[sets->seen_count++] = (struct den_reading){ node, frame };
    sets->seen_table.items[at] = (uint32_t)sets->seen_count;
    sets->work[sets->work_count++] = (struct den_reading){ node, frame };
    sets->effort++;
}

/* At a REPEAT, inside of `frame`, having gone through it `count` times. */
static void follow_repeat(struct den_sets *sets, uint32_t node, uint32_t count, uint32_t frame)
{
    const struct den_grammar_node *place = &sets->grammar->nodes[node];
    uint32_t inner;

    if (count >= place->minimum)
        follow(sets, place->next, frame);
    if (count >= place->maximum)
        return;
    if (place->maximum != DEN_GRAMMAR_FOREVER || count < place->minimum)
        count++; /* otherwise what is counted no longer matters */
    inner = intern_frame(sets, node, count, frame);
    if (inner != 0)
        follow(sets, sets->grammar->rules[place->rule], inner);
}

static void follow_return(struct den_sets *sets, uint32_t frame)
{
    struct den_frame top = sets->frames[frame];
    const struct den_grammar_node *place = &sets->grammar->nodes[top.node];

    if (place->kind == DEN_GRAMMAR_CALL)
        follow(sets, place->next, top.parent);
    else
        follow_repeat(sets, top.node, top.count, top.parent);
}

static void follow_call(struct den_sets *sets, uint32_t node, uint32_t frame)
{
    const struct den_grammar_node *place = &sets->grammar->nodes[node];
    uint32_t inner = frame;

    if (place->next != DEN_NODE_END) { /* else returning there would only return again */
        inner = intern_frame(sets, node, 0, frame);
        if (inner == 0)
            return;
    }
    follow(sets, sets->grammar->rules[place->rule], inner);
}

/* Empties `work` into `found`. */
static void settle(struct den_sets *sets)
{
    const struct den_grammar *grammar = sets->grammar;
    uint32_t i;

    while (sets->work_count > 0) {
        struct den_reading reading = sets->work[--sets->work_count];
        const struct den_grammar_node *place = &grammar->nodes[reading.node];

        switch (place->kind) {
        case DEN_GRAMMAR_BYTES:
            if (sets->found_count < DEN_GRAMMAR_CONFIGS_MAX)
                sets->found[sets->found_count++] = reading;
            break;
        case DEN_GRAMMAR_END:
            if (reading.frame != 0)
                follow_return(sets, reading.frame);
            else if (sets->found_count < DEN_GRAMMAR_CONFIGS_MAX)
                sets->found[sets->found_count++] = reading;
            break;
        case DEN_GRAMMAR_CHOICE:
            for (i = 0; i < place->count; i++)
                follow(sets, grammar->targets[place->first + i], reading.frame);
            break;
        case DEN_GRAMMAR_CALL:
            follow_call(sets, reading.node, reading.frame);
            break;
        case DEN_GRAMMAR_REPEAT:
            follow_repeat(sets, reading.node, 0, reading.frame);
            break;
        default:
            break;
        }
    }
}

static void begin(struct den_sets *sets)
{
    if (sets->seen_count * 8 > SEEN_TABLE) {
        memset(sets->seen_table.items, 0, SEEN_TABLE * sizeof *sets->seen_table.items);
    } else {
        size_t i;

        for (i = 0; i < sets->seen_count; i++) {
            size_t at = mix(mix(2, sets->seen[i].node), sets->seen[i].frame) & (SEEN_TABLE - 1);

            /* a run of collisions is cleared with its members, each from its own place on */
            while (sets->seen_table.items[at]) {
                sets->seen_table.items[at] = 0;
                at = (at + 1) & (SEEN_TABLE - 1);
            }
        }
    }
    sets->seen_count = 0;
    sets->work_count = 0;
    sets->found_count = 0;
}

/* --- sets --- */

static int compare_readings(const void *a, const void *b)
{
    const struct den_reading *x = a, *y = b;

    if (x->node != y->node)
        return x->node < y->node ? -1 : 1;
    return (x->frame > y->frame) - (x->frame < y->frame);
}

static void sort_found(struct den_sets *sets)
{
    size_t i, j;

    if (sets->found_count > 24) {
        qsort(sets->found, sets->found_count, sizeof *sets->found, compare_readings);
        return;
    }
    for (i = 1; i < sets->found_count; i++) {
        struct den_reading reading = sets->found[i];

        for (j = i; j > 0 && compare_readings(&sets->found[j - 1], &reading) > 0; j--)
            sets->found[j] = sets->found[j - 1];
        sets->found[j] = reading;
    }
}

static bool rehash_sets(struct den_sets *sets)
{
    size_t capacity = sets->set_table.capacity ? sets->set_table.capacity * 2 : 1024, i;
    uint32_t *items = calloc(capacity, sizeof *items);

    if (!items)
        return false;
    for (i = 1; i < sets->set_count; i++) {
        size_t at = sets->sets[i].hash & (capacity - 1);

        while (items[at])
            at = (at + 1) & (capacity - 1);
        items[at] = (uint32_t)i;
    }
    free(sets->set_table.items);
    sets->set_table.items = items;
    sets->set_table.capacity = capacity;
    return true;
}

static bool room_for_set(struct den_sets *sets)
{
    size_t classes = sets->grammar->class_count, capacity = sets->set_capacity;

    if (sets->set_count * 2 >= sets->set_table.capacity && !rehash_sets(sets))
        return false;
    if (!grow((void **)&sets->readings, &sets->reading_capacity,
              sets->reading_count + sets->found_count, sizeof *sets->readings))
        return false;
    if (sets->set_count < capacity)
        return true;
    if (!grow((void **)&sets->sets, &capacity, sets->set_count + 1, sizeof *sets->sets))
        return false;
    capacity = sets->set_capacity;
    if (!grow((void **)&sets->runs, &capacity, sets->set_count + 1, sizeof *sets->runs))
        return false;
    return grow((void **)&sets->steps, &sets->set_capacity, sets->set_count + 1,
                classes * sizeof *sets->steps);
}

/* The number of the set in `found`. */
static uint32_t intern_found(struct den_sets *sets)
{
    size_t bytes = sets->found_count * sizeof *sets->found, at, i;
    uint64_t hash = 3;

    if (sets->found_count == 0)
        return DEN_SET_NONE;
    sort_found(sets);
    for (i = 0; i < sets->found_count; i++)
        hash = mix(hash, (uint64_t)sets->found[i].node << 32 | sets->found[i].frame);
    if (!room_for_set(sets)) {
        sets->out_of_memory = true;
        return DEN_SET_NONE;
    }
    at = hash & (sets->set_table.capacity - 1);
    for (; sets->set_table.items[at]; at = (at + 1) & (sets->set_table.capacity - 1)) {
        const struct den_reading_set *old = &sets->sets[sets->set_table.items[at]];

        if (old->hash == hash && old->count == sets->found_count &&
            memcmp(sets->readings + old->first, sets->found, bytes) == 0)
            return sets->set_table.items[at];
    }
    memcpy(sets->readings + sets->reading_count, sets->found, bytes);
    sets->sets[sets->set_count] =
        (struct den_reading_set){ .first = (uint32_t)sets->reading_count,
                                  .count = (uint32_t)sets->found_count,
                                  .hash = hash,
                                  .ends = sets->found[0].node == DEN_NODE_END };
    sets->reading_count += sets->found_count;
    for (i = 0; i < sets->grammar->class_count; i++)
        sets->steps[sets->set_count * sets->grammar->class_count + i] = DEN_SET_UNKNOWN;
    sets->runs[sets->set_count] = (struct den_run){ 0 };
    sets->set_table.items[at] = (uint32_t)sets->set_count;
    return (uint32_t)sets->set_count++;
}

/* `range` becomes the bytes around `byte` with which the same edges are taken. */
static uint32_t step(struct den_sets *sets, uint32_t set, uint8_t byte, bool literal,
                     uint8_t range[2])
{
    const struct den_grammar *grammar = sets->grammar;
    struct den_reading_set from = sets->sets[set];
    uint32_t i, k;

    if (sets->effort > sets->effort_max || sets->out_of_memory)
        return DEN_SET_NONE;
    begin(sets);
    for (i = 0; i < from.count; i++) {
        struct den_reading reading = sets->readings[from.first + i];
        const struct den_grammar_node *node = &grammar->nodes[reading.node];

        if (node->kind != DEN_GRAMMAR_BYTES)
            continue;
        for (k = node->first; k < node->first + node->count; k++) {
            const struct den_grammar_edge *edge = &grammar->edges[k];

            if (byte < edge->low) {
                range[1] = range[1] < edge->low ? range[1] : edge->low - 1;
            } else if (byte > edge->high) {
                range[0] = range[0] > edge->high ? range[0] : edge->high + 1;
            } else {
                range[0] = range[0] > edge->low ? range[0] : edge->low;
                range[1] = range[1] < edge->high ? range[1] : edge->high;
                if (edge->literal || !literal)
                    follow(sets, edge->next, reading.frame);
            }
        }
        settle(sets);
    }
    sets->effort += from.count;
    return intern_found(sets);
}

/* Classes are numbered in the order of their bytes, and no edge ends inside of one. */
uint32_t den_sets_compute(struct den_sets *sets, uint32_t set, uint8_t byte)
{
    const struct den_grammar *grammar = sets->grammar;
    uint8_t range[2] = { 0, 255 };
    uint32_t next = step(sets, set, byte, false, range), i;

    /* a step cut short for want of effort or memory may be taken in full another time */
    if (sets->effort <= sets->effort_max && !sets->out_of_memory)
        for (i = grammar->classes[range[0]]; i <= grammar->classes[range[1]]; i++)
            sets->steps[(size_t)set * grammar->class_count + i] = next;
    return next;
}

uint32_t den_sets_step_literal(struct den_sets *sets, uint32_t set, uint8_t byte)
{
    uint8_t range[2] = { 0, 255 };

    return step(sets, set, byte, true, range);
}

uint32_t den_sets_start(struct den_sets *sets)
{
    begin(sets);
    follow(sets, sets->grammar->rules[0], 0);
    settle(sets);
    return intern_found(sets);
}

/* --- lifetime --- */

static enum den_status add_empty(struct den_sets *sets, struct den_error *err)
{
    size_t i;

    if (!rehash_frames(sets) || !rehash_sets(sets) || !room_for_set(sets) ||
        !grow((void **)&sets->frames, &sets->frame_capacity, 1, sizeof *sets->frames))
        return den_fail(err, DEN_NO_MEMORY, "constraint: out of memory");
    sets->frames[0] = (struct den_frame){ 0 };
    sets->frame_count = 1;
    sets->sets[0] = (struct den_reading_set){ 0 };
    sets->runs[0] = (struct den_run){ 0 };
    sets->set_count = 1;
    for (i = 0; i < sets->grammar->class_count; i++)
        sets->steps[i] = DEN_SET_NONE;
    return DEN_OK;
}

enum den_status den_sets_init(struct den_sets *sets, const struct den_grammar *grammar,
                              struct den_error *err)
{
    *sets = (struct den_sets){ .grammar = grammar, .effort_max = UINT64_MAX };
    sets->found = calloc(DEN_GRAMMAR_CONFIGS_MAX, sizeof *sets->found);
    sets->work = calloc(SEEN_CAPACITY, sizeof *sets->work);
    sets->seen = calloc(SEEN_CAPACITY, sizeof *sets->seen);
    sets->seen_table.items = calloc(SEEN_TABLE, sizeof *sets->seen_table.items);
    if (!sets->found || !sets->work || !sets->seen || !sets->seen_table.items)
        return den_fail(err, DEN_NO_MEMORY, "constraint: out of memory");
    return add_empty(sets, err);
}

void den_sets_deinit(struct den_sets *sets)
{
    free(sets->frames);
    free(sets->readings);
    free(sets->sets);
    free(sets->steps);
    free(sets->runs);
    free(sets->frame_table.items);
    free(sets->set_table.items);
    free(sets->found);
    free(sets->work);
    free(sets->seen);
    free(sets->seen_table.items);
    memset(sets, 0, sizeof *sets);
}

bool den_sets_full(const struct den_sets *sets)
{
    return sets->set_count > DEN_GRAMMAR_SETS_MAX || sets->frame_count > DEN_GRAMMAR_SETS_MAX * 4 ||
           sets->reading_count > DEN_GRAMMAR_SETS_MAX * 16 || sets->out_of_memory;
}

/* Frames are numbered after their parents, so a marked few can be renumbered in one pass. */
uint32_t den_sets_restart(struct den_sets *sets, uint32_t set)
{
    struct den_reading_set kept = sets->sets[set];
    uint32_t *numbers = calloc(sets->frame_count, sizeof *numbers);
    size_t count = sets->frame_count, i;
    uint32_t frame;

    if (!numbers)
        return set;
    begin(sets);
    for (i = 0; i < kept.count; i++) {
        sets->found[sets->found_count++] = sets->readings[kept.first + i];
        for (frame = sets->found[i].frame; frame != 0; frame = sets->frames[frame].parent)
            numbers[frame] = 1;
    }
    memset(sets->frame_table.items, 0,
           sets->frame_table.capacity * sizeof *sets->frame_table.items);
    memset(sets->set_table.items, 0, sets->set_table.capacity * sizeof *sets->set_table.items);
    sets->frame_count = 1;
    sets->set_count = 1;
    sets->reading_count = 0;
    sets->out_of_memory = false;
    for (i = 1; i < count; i++) {
        struct den_frame old = sets->frames[i];

        if (numbers[i])
            numbers[i] = intern_frame(sets, old.node, old.count, numbers[old.parent]);
    }
    for (i = 0; i < sets->found_count; i++)
        sets->found[i].frame = numbers[sets->found[i].frame];
    free(numbers);
    return intern_found(sets);
}
