/* See tokenizer_trie.h. */
#include "text/tokenizer_trie.h"

#include <stdlib.h>

enum { STEPS_MIN = 64, NODES_MIN = 32, NODES_MAX = 1 << 24 /* a key holds 24 bits of node */ };

static size_t place_of(const struct den_trie *trie, uint32_t key)
{
    uint64_t hash = key * UINT64_C(0x9E3779B97F4A7C15);
    size_t at = (size_t)(hash >> 32) & (trie->step_capacity - 1);

    while (trie->steps[at].next != DEN_TRIE_NONE && trie->steps[at].key != key)
        at = (at + 1) & (trie->step_capacity - 1);
    return at;
}

static struct den_trie_step *create_steps(size_t capacity)
{
    struct den_trie_step *steps = reallocarray(NULL, capacity, sizeof *steps);
    size_t i;

    for (i = 0; steps && i < capacity; i++)
        steps[i] = (struct den_trie_step){ 0, DEN_TRIE_NONE };
    return steps;
}

enum den_status den_trie_init(struct den_trie *trie, struct den_error *err)
{
    *trie = (struct den_trie){ .step_capacity = STEPS_MIN, .node_capacity = NODES_MIN };
    trie->steps = create_steps(STEPS_MIN);
    trie->values = reallocarray(NULL, NODES_MIN, sizeof *trie->values);
    if (!trie->steps || !trie->values) {
        den_trie_deinit(trie);
        return den_fail(err, DEN_NO_MEMORY, "tokenizer: out of memory");
    }
    trie->values[0] = DEN_TOKEN_NONE;
    trie->node_count = 1;
    return DEN_OK;
}

void den_trie_deinit(struct den_trie *trie)
{
    free(trie->steps);
    free(trie->values);
    *trie = (struct den_trie){ 0 };
}

/* Room for one more node, the table at most half full. */
static bool grow(struct den_trie *trie)
{
    if (trie->node_count == trie->node_capacity) {
        den_token *values = reallocarray(trie->values, 2 * trie->node_capacity, sizeof *values);

        if (!values)
            return false;
        trie->values = values;
        trie->node_capacity *= 2;
    }
    if (2 * trie->node_count >= trie->step_capacity) {
        struct den_trie grown = *trie;
        size_t i;

        grown.step_capacity = 2 * trie->step_capacity;
        grown.steps = create_steps(grown.step_capacity);
        if (!grown.steps)
            return false;
        for (i = 0; i < trie->step_capacity; i++)
            if (trie->steps[i].next != DEN_TRIE_NONE)
                grown.steps[place_of(&grown, trie->steps[i].key)] = trie->steps[i];
        free(trie->steps);
        *trie = grown;
    }
    return true;
}

enum den_status den_trie_add(struct den_trie *trie, const char *text, size_t length,
                             den_token value, struct den_error *err)
{
    uint32_t node = 0;
    size_t i;

    for (i = 0; i < length; i++) {
        uint32_t key = node << 8 | (unsigned char)text[i];
        size_t at = place_of(trie, key);

        if (trie->steps[at].next == DEN_TRIE_NONE) {
            if (trie->node_count >= NODES_MAX)
                return den_fail(err, DEN_TOO_LARGE, "tokenizer: more than %d trie nodes",
                                NODES_MAX);
            if (!grow(trie))
                return den_fail(err, DEN_NO_MEMORY, "tokenizer: out of memory");
            at = place_of(trie, key);
            trie->values[trie->node_count] = DEN_TOKEN_NONE;
            trie->steps[at] = (struct den_trie_step){ key, (uint32_t)trie->node_count++ };
        }
        node = trie->steps[at].next;
    }
    trie->values[node] = value;
    return DEN_OK;
}

uint32_t den_trie_next(const struct den_trie *trie, uint32_t node, unsigned char byte)
{
    return trie->steps[place_of(trie, node << 8 | byte)].next;
}

uint32_t den_trie_walk(const struct den_trie *trie, const char *text, size_t length)
{
    uint32_t node = 0;
    size_t i;

    for (i = 0; i < length && node != DEN_TRIE_NONE; i++)
        node = den_trie_next(trie, node, (unsigned char)text[i]);
    return node;
}
