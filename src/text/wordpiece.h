/* WordPiece: BERT's greedy model. A word is the longest token that begins it, then the longest that
 * continues it (marked "##"), and so on; a word that can't be covered is one unknown token. Tokens
 * that continue words live in the same trie, under the node of their mark. */
#ifndef DEN_TEXT_WORDPIECE_H
#define DEN_TEXT_WORDPIECE_H

#include "text/tokenizer_trie.h"
#include "text/tokenizer_vocabulary.h"

struct den_wordpiece {
    struct den_trie trie;
    uint32_t continues; /* the node of the mark; DEN_TRIE_NONE where no token has it */
    den_token unknown;
    size_t characters_max; /* of a word; longer ones are unknown */
};

enum den_status den_wordpiece_init(struct den_wordpiece *wordpiece,
                                   const struct den_vocabulary *vocabulary,
                                   struct den_token_text continue_mark, struct den_error *err);
void den_wordpiece_deinit(struct den_wordpiece *wordpiece);
enum den_status den_wordpiece_encode(const struct den_wordpiece *wordpiece, const char *word,
                                     size_t length, struct den_tokens *out, struct den_error *err);

#endif
