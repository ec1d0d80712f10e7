/* Trie: byte strings that share prefixes, for finding every token that begins at a place.
 *
 * A node is a number, the root is 0. Transitions live in one open-addressed table keyed by node and
 * byte, 8 bytes an entry: XLM-R's 250,000 pieces take 20 MB and a step costs one probe, where
 * binary search over sorted names took four times as long. */
#ifndef DEN_TEXT_TOKENIZER_TRIE_H
#define DEN_TEXT_TOKENIZER_TRIE_H

#include "base/status.h"
#include "text/tokenizer.h"

#define DEN_TRIE_NONE UINT32_MAX

struct den_trie_step {
    uint32_t key;  /* node << 8 | byte */
    uint32_t next; /* DEN_TRIE_NONE: a free entry */
};

struct den_trie {
    struct den_trie_step *steps;
    size_t step_capacity; /* a power of two */
    den_token *values;    /* per node; DEN_TOKEN_NONE where no string ends */
    size_t node_count;
    size_t node_capacity;
};

enum den_status den_trie_init(struct den_trie *trie, struct den_error *err);
void den_trie_deinit(struct den_trie *trie);
/* A string added again takes the later value. */
enum den_status den_trie_add(struct den_trie *trie, const char *text, size_t length,
                             den_token value, struct den_error *err);
/* The node after `byte`, or DEN_TRIE_NONE. */
uint32_t den_trie_next(const struct den_trie *trie, uint32_t node, unsigned char byte);
/* The node that `text` leads to from the root, or DEN_TRIE_NONE. */
uint32_t den_trie_walk(const struct den_trie *trie, const char *text, size_t length);

#endif
