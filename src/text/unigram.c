/* See unigram.h. */
#include "text/unigram.h"

#include <stdlib.h>

#include "text/unicode.h"

#define UNREACHED UINT32_MAX

static const double unknown_penalty = 10.0; /* SentencePiece's kUnkPenalty */

void den_unigram_work_deinit(struct den_unigram_work *work)
{
    free(work->nodes);
    den_tokens_deinit(&work->reversed);
}

enum den_status den_unigram_init(struct den_unigram *unigram,
                                 const struct den_vocabulary *vocabulary, double *scores,
                                 struct den_error *err)
{
    double minimum = 0;
    bool any = false;
    size_t i;

    unigram->vocabulary = vocabulary;
    unigram->scores = scores;
    if (den_trie_init(&unigram->trie, err) != DEN_OK)
        return err->status;
    for (i = 0; i < vocabulary->count; i++) {
        struct den_token_text name = vocabulary->names[i];

        if (vocabulary->kinds[i] != DEN_TOKEN_NORMAL || name.length == 0)
            continue;
        if (!any || scores[i] < minimum)
            minimum = scores[i];
        any = true;
        if (den_trie_add(&unigram->trie, name.bytes, name.length, (den_token)i, err) != DEN_OK)
            return err->status;
    }
    unigram->unknown_score = minimum - unknown_penalty;
    for (i = 0; i < 256; i++)
        unigram->fallback[i] = unigram->byte_fallback
                                   ? den_vocabulary_find_byte(vocabulary, (unsigned char)i)
                                   : DEN_TOKEN_NONE;
    return DEN_OK;
}

void den_unigram_deinit(struct den_unigram *unigram)
{
    den_trie_deinit(&unigram->trie);
    free(unigram->scores);
    *unigram = (struct den_unigram){ 0 };
}

/* Takes the way over `token` to `node` where it is the first or better. */
static void offer(const struct den_unigram *unigram, struct den_unigram_node *node, double score,
                  size_t start, den_token token)
{
    if (unigram->single_precision)
        score = (double)(float)score;
    if (node->start == UNREACHED || score > node->score)
        *node = (struct den_unigram_node){ score, (uint32_t)start, token };
}

static void extend(const struct den_unigram *unigram, const char *word, size_t length, size_t at,
                   struct den_unigram_node *nodes)
{
    double so_far = nodes[at].score;
    uint32_t node = 0;
    bool single = false; /* a piece is exactly this character */
    uint32_t code;
    size_t used;
    size_t end;

    den_unicode_next(word + at, length - at, &code, &used);
    for (end = at; end < length;) {
        den_token token;

        node = den_trie_next(&unigram->trie, node, (unsigned char)word[end++]);
        if (node == DEN_TRIE_NONE)
            break;
        token = unigram->trie.values[node];
        if (token == DEN_TOKEN_NONE)
            continue;
        offer(unigram, &nodes[end], so_far + unigram->scores[token], at, token);
        single = single || end == at + used;
    }
    if (!single)
        offer(unigram, &nodes[at + used], so_far + unigram->unknown_score, at, DEN_TOKEN_NONE);
}

/* A run of characters that no piece covers is one unknown token, or the tokens of its bytes. */
static enum den_status append_unknown(const struct den_unigram *unigram, const char *text,
                                      size_t length, struct den_tokens *reversed,
                                      struct den_error *err)
{
    bool all = true;
    size_t i;

    for (i = 0; i < length; i++)
        all = all && unigram->fallback[(unsigned char)text[i]] != DEN_TOKEN_NONE;
    for (i = length; all && i-- > 0;)
        if (den_tokens_append(reversed, &unigram->fallback[(unsigned char)text[i]], 1, err) !=
            DEN_OK)
            return err->status;
    if (all || unigram->unknown == DEN_TOKEN_NONE)
        return DEN_OK;
    return den_tokens_append(reversed, &unigram->unknown, 1, err);
}

static enum den_status walk_back(const struct den_unigram *unigram, const char *word, size_t length,
                                 struct den_unigram_work *work, struct den_error *err)
{
    size_t end = length;

    work->reversed.count = 0;
    while (end > 0) {
        const struct den_unigram_node *node = &work->nodes[end];
        size_t start = node->start;

        if (node->token != DEN_TOKEN_NONE) {
            if (den_tokens_append(&work->reversed, &node->token, 1, err) != DEN_OK)
                return err->status;
        } else {
            while (start > 0 && work->nodes[start].token == DEN_TOKEN_NONE)
                start = work->nodes[start].start;
            if (append_unknown(unigram, word + start, end - start, &work->reversed, err) != DEN_OK)
                return err->status;
        }
        end = start;
    }
    return DEN_OK;
}

enum den_status den_unigram_encode(const struct den_unigram *unigram, const char *word,
                                   size_t length, struct den_unigram_work *work,
                                   struct den_tokens *out, struct den_error *err)
{
    size_t i;

    if (length >= UINT32_MAX)
        return den_fail(err, DEN_TOO_LARGE, "tokenizer: a word of %zu bytes", length);
    if (length + 1 > work->capacity) {
        size_t capacity = length + length / 2 + 64;
        struct den_unigram_node *nodes = reallocarray(work->nodes, capacity, sizeof *nodes);

        if (!nodes)
            return den_fail(err, DEN_NO_MEMORY, "tokenizer: out of memory for %zu bytes", length);
        work->nodes = nodes;
        work->capacity = capacity;
    }
    for (i = 0; i <= length; i++)
        work->nodes[i] = (struct den_unigram_node){ 0, UNREACHED, DEN_TOKEN_NONE };
    work->nodes[0].start = 0;
    for (i = 0; i < length; i++) /* places inside a character are never reached */
        if (work->nodes[i].start != UNREACHED)
            extend(unigram, word, length, i, work->nodes);
    if (walk_back(unigram, word, length, work, err) != DEN_OK)
        return err->status;
    for (i = work->reversed.count; i-- > 0;)
        if (den_tokens_append(out, &work->reversed.items[i], 1, err) != DEN_OK)
            return err->status;
    return DEN_OK;
}
