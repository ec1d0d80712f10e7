/* See wordpiece.h. */
#include "text/wordpiece.h"

#include "base/utf8.h"

enum { CHARACTERS_MAX_DEFAULT = 100 };

enum den_status den_wordpiece_init(struct den_wordpiece *wordpiece,
                                   const struct den_vocabulary *vocabulary,
                                   struct den_token_text continue_mark, struct den_error *err)
{
    size_t i;

    wordpiece->characters_max = CHARACTERS_MAX_DEFAULT;
    if (den_trie_init(&wordpiece->trie, err) != DEN_OK)
        return err->status;
    for (i = 0; i < vocabulary->count; i++) {
        struct den_token_text name = vocabulary->names[i];

        if (vocabulary->kinds[i] != DEN_TOKEN_NORMAL || name.length == 0)
            continue;
        if (den_trie_add(&wordpiece->trie, name.bytes, name.length, (den_token)i, err) != DEN_OK)
            return err->status;
    }
    wordpiece->continues =
        den_trie_walk(&wordpiece->trie, continue_mark.bytes, continue_mark.length);
    return DEN_OK;
}

void den_wordpiece_deinit(struct den_wordpiece *wordpiece)
{
    den_trie_deinit(&wordpiece->trie);
    *wordpiece = (struct den_wordpiece){ 0 };
}

enum den_status den_wordpiece_encode(const struct den_wordpiece *wordpiece, const char *word,
                                     size_t length, struct den_tokens *out, struct den_error *err)
{
    size_t kept = out->count;
    size_t at = 0;

    if (den_utf8_count(word, length) > wordpiece->characters_max)
        goto unknown;
    while (at < length) {
        uint32_t node = at == 0 ? 0 : wordpiece->continues;
        den_token best = DEN_TOKEN_NONE;
        size_t best_end = at;
        size_t end = at;

        while (end < length && node != DEN_TRIE_NONE) {
            node = den_trie_next(&wordpiece->trie, node, (unsigned char)word[end++]);
            if (node != DEN_TRIE_NONE && wordpiece->trie.values[node] != DEN_TOKEN_NONE) {
                best = wordpiece->trie.values[node];
                best_end = end;
            }
        }
        if (best == DEN_TOKEN_NONE)
            goto unknown;
        if (den_tokens_append(out, &best, 1, err) != DEN_OK)
            return err->status;
        at = best_end;
    }
    return DEN_OK;
unknown:
    out->count = kept;
    if (wordpiece->unknown == DEN_TOKEN_NONE)
        return DEN_OK;
    return den_tokens_append(out, &wordpiece->unknown, 1, err);
}
