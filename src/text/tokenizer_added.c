/* Added tokens: those that are found in the text itself, before any splitting.
 *
 * At each place the longest token wins, and earlier places win over later ones. A special token
 * that the caller doesn't want is still matched, and then left in the text as the letters it is:
 * nothing inside it is looked at, as in the tokenizers package. */
#include <stdlib.h>

#include "text/tokenizer_parts.h"

enum den_status den_tokenizer_add(struct den_tokenizer *tokenizer, struct den_added_token added,
                                  bool normalized, struct den_error *err)
{
    struct den_added_set *set = normalized ? &tokenizer->normalized_added : &tokenizer->raw_added;

    if (added.text.length == 0)
        return DEN_OK;
    if (set->count == set->capacity) {
        size_t capacity = set->capacity ? 2 * set->capacity : 32;
        struct den_added_token *items = reallocarray(set->items, capacity, sizeof *items);

        if (!items)
            return den_fail(err, DEN_NO_MEMORY, "tokenizer: out of memory for added tokens");
        set->items = items;
        set->capacity = capacity;
    }
    if (!set->trie.steps && den_trie_init(&set->trie, err) != DEN_OK)
        return err->status;
    if (den_trie_add(&set->trie, added.text.bytes, added.text.length, (den_token)set->count, err) !=
        DEN_OK)
        return err->status;
    set->leads[(unsigned char)added.text.bytes[0]] = true;
    set->items[set->count++] = added;
    return DEN_OK;
}

/* The longest added token that begins at `at`, or NULL. */
static const struct den_added_token *match_at(const struct den_added_set *set,
                                              struct den_token_text text, size_t at)
{
    const struct den_added_token *best = NULL;
    uint32_t node = 0;

    if (!set->leads[(unsigned char)text.bytes[at]])
        return NULL;
    while (at < text.length) {
        node = den_trie_next(&set->trie, node, (unsigned char)text.bytes[at++]);
        if (node == DEN_TRIE_NONE)
            break;
        if (set->trie.values[node] != DEN_TOKEN_NONE)
            best = &set->items[set->trie.values[node]];
    }
    return best;
}

/* The character that ends just before `at`; false where it is ill-formed or there is none. */
static bool character_before(struct den_token_text text, size_t at, uint32_t *out_code,
                             size_t *out_used)
{
    size_t back;

    for (back = 1; back <= 4 && back <= at; back++)
        if (((unsigned char)text.bytes[at - back] & 0xC0) != 0x80)
            return den_unicode_next(text.bytes + at - back, back, out_code, out_used) &&
                   *out_used == back;
    return false;
}

static bool is_in_word(struct den_token_text text, size_t start, size_t end)
{
    uint32_t code;
    size_t used;

    if (character_before(text, start, &code, &used) && den_unicode_is_word(code))
        return true;
    return end < text.length &&
           den_unicode_next(text.bytes + end, text.length - end, &code, &used) &&
           den_unicode_is_word(code);
}

bool den_added_find(const struct den_added_set *set, struct den_token_text text, size_t at,
                    size_t done, unsigned flags, struct den_added_match *out)
{
    if (set->count == 0)
        return false;
    for (; at < text.length; at++) {
        const struct den_added_token *added = match_at(set, text, at);
        size_t end;
        uint32_t code;
        size_t used;

        if (!added)
            continue;
        end = at + added->text.length;
        if ((added->special && !(flags & DEN_ENCODE_PARSE_SPECIAL)) ||
            (added->single_word && is_in_word(text, at, end))) {
            at = end - 1;
            continue;
        }
        *out = (struct den_added_match){ added, at, end, end };
        while (added->strip_left && out->start > done &&
               character_before(text, out->start, &code, &used) && den_unicode_is_space(code))
            out->start -= used;
        while (added->strip_right && out->end < text.length &&
               den_unicode_next(text.bytes + out->end, text.length - out->end, &code, &used) &&
               den_unicode_is_space(code))
            out->end += used;
        if (out->next < out->end)
            out->next = out->end;
        return true;
    }
    return false;
}
