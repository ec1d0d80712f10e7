/* See constraint.h and constraint_parts.h. Tokens are sorted by their bytes, and a trie in preorder
 * falls out of the sorted list by comparing neighbours. 49,000 tokens take some 30 to 50 ms. */
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "text/constraint_parts.h"

void den_grammar_vocabulary_destroy(struct den_grammar_vocabulary *vocabulary)
{
    if (!vocabulary)
        return;
    free(vocabulary->texts);
    free(vocabulary->plain.nodes);
    free(vocabulary->other.nodes);
    free(vocabulary->control.nodes);
    free(vocabulary->below);
    free(vocabulary->begins.items);
    free(vocabulary->holds.items);
    free(vocabulary->twins);
    free(vocabulary->plain_masks[0]);
    free(vocabulary->long_plain);
    free(vocabulary->long_lengths);
    free(vocabulary->end_mask);
    free(vocabulary->kinds);
    free(vocabulary);
}

/* --- sorting and tries --- */

struct entry {
    uint64_t head; /* the first eight bytes, big-endian: decides most comparisons */
    struct den_token_text text;
    den_token token;
};

static int compare_entries(const void *a, const void *b)
{
    const struct entry *x = a, *y = b;
    size_t shorter = x->text.length < y->text.length ? x->text.length : y->text.length;
    int order;

    if (x->head != y->head)
        return x->head < y->head ? -1 : 1;
    order = memcmp(x->text.bytes, y->text.bytes, shorter);
    if (order != 0)
        return order;
    if (x->text.length != y->text.length)
        return x->text.length < y->text.length ? -1 : 1;
    return (x->token > y->token) - (x->token < y->token);
}

static bool add_node(struct den_token_trie *trie, uint8_t byte, size_t depth)
{
    if (trie->count == trie->capacity) {
        size_t capacity = trie->capacity ? trie->capacity * 2 : 1024;
        struct den_token_node *grown = realloc(trie->nodes, capacity * sizeof *grown);

        if (!grown)
            return false;
        trie->nodes = grown;
        trie->capacity = capacity;
    }
    trie->nodes[trie->count++] =
        (struct den_token_node){ .token = DEN_TOKEN_NONE, .byte = byte, .depth = (uint8_t)depth };
    return true;
}

/* Ends the nodes of `path` (one a byte) that are deeper than `depth`. */
static void close_nodes(struct den_token_trie *trie, const uint32_t *path, size_t *length,
                        size_t depth)
{
    while (*length > depth)
        trie->nodes[path[--*length]].end = (uint32_t)trie->count;
}

static bool build_trie(struct den_grammar_vocabulary *vocabulary, struct den_token_trie *trie,
                       struct entry *entries, size_t count)
{
    uint32_t path[DEN_TOKEN_TRIE_BYTES_MAX];
    const struct entry *previous = NULL;
    size_t length = 0, i;

    qsort(entries, count, sizeof *entries, compare_entries);
    for (i = 0; i < count; i++) {
        const struct den_token_text text = entries[i].text;
        size_t common = 0;

        while (previous && common < text.length && common < previous->text.length &&
               text.bytes[common] == previous->text.bytes[common])
            common++;
        if (previous && common == text.length && common == previous->text.length) {
            vocabulary->twins[entries[i].token] = vocabulary->twins[previous->token];
            vocabulary->twins[previous->token] = entries[i].token;
            continue;
        }
        close_nodes(trie, path, &length, common);
        for (; length < text.length; length++) {
            path[length] = (uint32_t)trie->count;
            if (!add_node(trie, (uint8_t)text.bytes[length], length + 1))
                return false;
        }
        trie->nodes[path[length - 1]].token = entries[i].token;
        previous = &entries[i];
    }
    close_nodes(trie, path, &length, 0);
    return true;
}

/* --- plain tokens --- */

/* Characters in `text` when all of them are plain, else 0. */
static size_t plain_length(struct den_token_text text)
{
    size_t i;

    for (i = 0; i < text.length; i++) {
        unsigned char c = (unsigned char)text.bytes[i];

        if (c < 0x20 || c == '"' || c == '\\')
            return 0;
    }
    if (!den_utf8_is_valid(text.bytes, text.length))
        return 0;
    return den_utf8_count(text.bytes, text.length);
}

uint8_t den_kind_of(uint8_t byte)
{
    static const uint8_t greek_on[] = { 20, 20, 21, 21, 21, 21, 22, 22, 22,
                                        22, 23, 24, 25, 26, 27, 27, 27, 27 }; /* from 0xCE */

    if (byte < 0x80)
        return byte;
    if (byte >= 0xF0)
        return byte == 0xF0 ? 28 : 29;
    if (byte >= 0xE0)
        return byte - 0xE0; /* three bytes: most scripts, and the odd blanks and marks */
    if (byte >= 0xCE)
        return greek_on[byte - 0xCE];
    return byte <= 0xC3 ? (uint8_t)(16 + (byte == 0xC3)) : (uint8_t)(byte < 0xCA ? 18 : 19);
}

bool den_kinds_have(const struct den_kinds *kinds, uint8_t kind)
{
    return kinds->bits[kind >> 6] >> (kind & 63) & 1;
}

void den_kinds_add(struct den_kinds *kinds, uint8_t kind)
{
    kinds->bits[kind >> 6] |= (uint64_t)1 << (kind & 63);
}

bool den_kinds_within(const struct den_kinds *kinds, const struct den_kinds *all)
{
    return !(kinds->bits[0] & ~all->bits[0]) && !(kinds->bits[1] & ~all->bits[1]);
}

static bool begins_character(uint8_t byte)
{
    return (byte & 0xC0) != 0x80;
}

/* Kinds of the token's characters, or of the first alone. */
static struct den_kinds kinds_of(struct den_token_text text, bool first_only)
{
    struct den_kinds kinds = { { 0 } };
    size_t i;

    for (i = 0; i < text.length && !(first_only && i > 0); i++) {
        if (!begins_character((uint8_t)text.bytes[i]))
            continue;
        den_kinds_add(&kinds, den_kind_of((uint8_t)text.bytes[i]));
        if ((uint8_t)text.bytes[i] >= 0x80)
            den_kinds_add(&kinds, DEN_KIND_ANY_WIDE);
    }
    return kinds;
}

/* Lays `table` out for `counts` tokens a kind. */
static bool lay_out(const struct den_grammar_vocabulary *vocabulary, const uint32_t *counts,
                    struct den_kind_tokens *table)
{
    uint32_t kind;

    for (kind = 0; kind < DEN_KINDS; kind++) {
        table->dense[kind] = counts[kind] > vocabulary->words / 2;
        table->firsts[kind + 1] =
            table->firsts[kind] + (table->dense[kind] ? (uint32_t)vocabulary->words : counts[kind]);
    }
    table->items = calloc((size_t)table->firsts[DEN_KINDS] + 1, sizeof *table->items);
    return table->items != NULL;
}

/* Fills `table` with the plain tokens: in one pass they are counted, in another entered. */
static bool sort_by_kind(const struct den_grammar_vocabulary *vocabulary,
                         const struct entry *entries, size_t count, bool first_only,
                         struct den_kind_tokens *table)
{
    uint32_t filled[DEN_KINDS] = { 0 };
    bool entering;
    size_t i;
    int pass, half;

    for (pass = 0; pass < 2; pass++) {
        entering = pass == 1;
        if (entering && !lay_out(vocabulary, filled, table))
            return false;
        if (entering)
            memcpy(filled, table->firsts, sizeof filled);
        for (i = 0; i < count; i++) {
            struct den_kinds kinds = kinds_of(entries[i].text, first_only);

            for (half = 0; half < 2; half++) {
                for (; kinds.bits[half]; kinds.bits[half] &= kinds.bits[half] - 1) {
                    int kind = half * 64 + __builtin_ctzll(kinds.bits[half]);

                    if (entering && table->dense[kind])
                        den_mask_set(table->items + table->firsts[kind], entries[i].token);
                    else if (entering)
                        table->items[filled[kind]] = (uint32_t)entries[i].token;
                    filled[kind]++;
                }
            }
        }
    }
    return true;
}

/* From the leaves up: a node's children come after it. */
static bool sum_up(struct den_grammar_vocabulary *vocabulary)
{
    const struct den_token_node *nodes = vocabulary->plain.nodes;
    struct den_token_below *below = calloc(vocabulary->plain.count + 1, sizeof *below);
    size_t i, child;

    vocabulary->below = below;
    for (i = vocabulary->plain.count; below && i-- > 0;) {
        for (child = i + 1; child < nodes[i].end; child = nodes[child].end) {
            uint32_t begins = begins_character(nodes[child].byte);

            below[i].kinds.bits[0] |= below[child].kinds.bits[0];
            below[i].kinds.bits[1] |= below[child].kinds.bits[1];
            if (begins)
                den_kinds_add(&below[i].kinds, den_kind_of(nodes[child].byte));
            if (below[i].characters < below[child].characters + begins)
                below[i].characters = below[child].characters + begins;
        }
    }
    return below != NULL;
}

static void add_plain(struct den_grammar_vocabulary *vocabulary, den_token token, size_t length)
{
    if (length > DEN_TOKEN_PLAIN_MAX) {
        vocabulary->long_plain[vocabulary->long_count] = token;
        vocabulary->long_lengths[vocabulary->long_count++] = (uint32_t)length;
        length = DEN_TOKEN_PLAIN_MAX + 1;
    }
    den_mask_set(vocabulary->plain_masks[length], token);
}

static void accumulate_plain(struct den_grammar_vocabulary *vocabulary)
{
    size_t length, i;

    for (length = 1; length < DEN_TOKEN_PLAIN_MAX + 2; length++)
        for (i = 0; i < vocabulary->words; i++)
            vocabulary->plain_masks[length][i] |= vocabulary->plain_masks[length - 1][i];
}

/* --- creation --- */

static enum den_status allocate(struct den_grammar_vocabulary *vocabulary, size_t count,
                                struct den_error *err)
{
    size_t i;

    vocabulary->size = count;
    vocabulary->words = (count + 31) / 32;
    vocabulary->texts = calloc(count, sizeof *vocabulary->texts);
    vocabulary->twins = calloc(count, sizeof *vocabulary->twins);
    vocabulary->kinds = calloc(count, 1);
    vocabulary->long_plain = calloc(count, sizeof *vocabulary->long_plain);
    vocabulary->long_lengths = calloc(count, sizeof *vocabulary->long_lengths);
    vocabulary->end_mask = calloc(vocabulary->words, sizeof *vocabulary->end_mask);
    vocabulary->plain_masks[0] =
        calloc(vocabulary->words * (DEN_TOKEN_PLAIN_MAX + 2), sizeof **vocabulary->plain_masks);
    if (!vocabulary->texts || !vocabulary->twins || !vocabulary->kinds || !vocabulary->long_plain ||
        !vocabulary->long_lengths || !vocabulary->end_mask || !vocabulary->plain_masks[0])
        return den_fail(err, DEN_NO_MEMORY, "grammar: out of memory for %zu tokens", count);
    for (i = 1; i < DEN_TOKEN_PLAIN_MAX + 2; i++)
        vocabulary->plain_masks[i] = vocabulary->plain_masks[i - 1] + vocabulary->words;
    for (i = 0; i < count; i++)
        vocabulary->twins[i] = DEN_TOKEN_NONE;
    return DEN_OK;
}

static struct entry make_entry(den_token token, struct den_token_text text)
{
    struct entry entry = { .token = token, .text = text };
    size_t i;

    for (i = 0; i < 8; i++)
        entry.head = entry.head << 8 | (i < text.length ? (unsigned char)text.bytes[i] : 0);
    return entry;
}

/* Sorts the tokens into the three tries. `lists` has room for all tokens in each. */
static enum den_status fill(struct den_grammar_vocabulary *vocabulary,
                            const struct den_token_list *list, struct entry *lists[3],
                            struct den_error *err)
{
    struct den_token_trie *tries[3] = { &vocabulary->plain, &vocabulary->other,
                                        &vocabulary->control };
    size_t counts[3] = { 0 };
    den_token token;
    size_t i;

    for (token = 0; (size_t)token < list->count; token++) {
        struct den_token_text text = { "", 0 };
        enum den_token_role role = DEN_ROLE_TEXT;
        size_t which = 1, plain;

        list->get(list->context, token, &text, &role);
        vocabulary->kinds[token] = (uint8_t)role;
        if (role == DEN_ROLE_END) {
            den_mask_set(vocabulary->end_mask, token);
            vocabulary->has_end = true;
        }
        if (role == DEN_ROLE_END || text.length == 0 || text.length > DEN_TOKEN_TRIE_BYTES_MAX)
            continue;
        vocabulary->texts[token] = text;
        plain = plain_length(text);
        if (role == DEN_ROLE_CONTROL)
            which = 2;
        else if (plain > 0)
            which = 0;
        if (which == 0)
            add_plain(vocabulary, token, plain);
        lists[which][counts[which]++] = make_entry(token, text);
    }
    accumulate_plain(vocabulary);
    for (i = 0; i < 3; i++)
        if (!build_trie(vocabulary, tries[i], lists[i], counts[i]))
            break;
    if (i < 3 || !sum_up(vocabulary) ||
        !sort_by_kind(vocabulary, lists[0], counts[0], true, &vocabulary->begins) ||
        !sort_by_kind(vocabulary, lists[0], counts[0], false, &vocabulary->holds))
        return den_fail(err, DEN_NO_MEMORY, "grammar: out of memory for %zu tokens", list->count);
    return DEN_OK;
}

enum den_status den_grammar_vocabulary_create_core(const struct den_token_list *list,
                                                   struct den_grammar_vocabulary **out,
                                                   struct den_error *err)
{
    struct den_grammar_vocabulary *vocabulary = NULL;
    struct entry *lists[3] = { NULL };

    if (list->count == 0 || list->count > DEN_VOCABULARY_MAX)
        return den_fail(err, DEN_INVALID, "grammar: a vocabulary of %zu; 1 to %d is possible",
                        list->count, DEN_VOCABULARY_MAX);
    vocabulary = calloc(1, sizeof *vocabulary);
    lists[0] = calloc(list->count * 3, sizeof *lists[0]);
    if (!vocabulary || !lists[0]) {
        den_fail(err, DEN_NO_MEMORY, "grammar: out of memory for %zu tokens", list->count);
        goto fail;
    }
    lists[1] = lists[0] + list->count;
    lists[2] = lists[1] + list->count;
    if (allocate(vocabulary, list->count, err) != DEN_OK ||
        fill(vocabulary, list, lists, err) != DEN_OK)
        goto fail;
    free(lists[0]);
    *out = vocabulary;
    return DEN_OK;
fail:
    free(lists[0]);
    den_grammar_vocabulary_destroy(vocabulary);
    return err->status;
}

static void get_from_tokenizer(const void *context, den_token token,
                               struct den_token_text *out_text, enum den_token_role *out_role)
{
    const struct den_tokenizer *tokenizer = context;

    if (den_tokenizer_is_end(tokenizer, token)) {
        *out_role = DEN_ROLE_END;
    } else if (den_tokenizer_is_special(tokenizer, token)) {
        *out_role = DEN_ROLE_CONTROL;
        *out_text = den_tokenizer_name(tokenizer, token);
    } else {
        *out_text = den_tokenizer_piece(tokenizer, token);
    }
}

enum den_status den_grammar_vocabulary_create(const struct den_tokenizer *tokenizer,
                                              struct den_grammar_vocabulary **out,
                                              struct den_error *err)
{
    struct den_token_list list = { .count = den_tokenizer_size(tokenizer),
                                   .get = get_from_tokenizer,
                                   .context = tokenizer };

    return den_grammar_vocabulary_create_core(&list, out, err);
}
