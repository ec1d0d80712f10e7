/* Unigram: the segmentation of a word into pieces whose scores (log probabilities) add up highest.
 *
 * Viterbi over the word's characters: at each the best way to get there is known, and a trie lists
 * the pieces that begin there, so that the cost is the text's length times the pieces that match at
 * a place. A character that no piece covers costs 10 more than the worst piece. (Kudo 2018.) */
#ifndef DEN_TEXT_UNIGRAM_H
#define DEN_TEXT_UNIGRAM_H

#include "text/tokenizer_trie.h"
#include "text/tokenizer_vocabulary.h"

struct den_unigram {
    const struct den_vocabulary *vocabulary;
    struct den_trie trie;
    double *scores; /* per token */
    double unknown_score;
    bool single_precision; /* sums in float, as SentencePiece does */
    bool byte_fallback;
    den_token unknown;
    den_token fallback[256];
};

struct den_unigram_node {
    double score;
    uint32_t start; /* of the best piece that ends here; UINT32_MAX: none yet */
    den_token token;
};

struct den_unigram_work {
    struct den_unigram_node *nodes;
    size_t capacity;
    struct den_tokens reversed;
};

void den_unigram_work_deinit(struct den_unigram_work *work);

/* `scores` has an entry per token and is taken over. Control, unknown and byte tokens match no
 * text. */
enum den_status den_unigram_init(struct den_unigram *unigram,
                                 const struct den_vocabulary *vocabulary, double *scores,
                                 struct den_error *err);
void den_unigram_deinit(struct den_unigram *unigram);
enum den_status den_unigram_encode(const struct den_unigram *unigram, const char *word,
                                   size_t length, struct den_unigram_work *work,
                                   struct den_tokens *out, struct den_error *err);

#endif
