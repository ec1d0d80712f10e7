/* See bpe.h.
 *
 * A word becomes an array of symbols, doubly linked by index. Joining keeps the left symbol and
 * marks the right one with length 0; no symbol moves. In the heap an entry names its left symbol
 * and the bytes both covered when it was pushed. Lengths only grow, so an entry whose sum no longer
 * agrees is stale and is dropped when it comes up: nothing is ever searched for or removed from the
 * middle. Each join pushes at most two entries, hence at most 3n entries for n symbols. */
#include "text/bpe.h"

#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "base/utf8.h"
#include "text/unicode.h"

enum { SHORT_WORD_MAX = 32, NONE = -1, JOINED_BYTES = 128 };
#define NO_SYMBOL UINT32_MAX
#define NO_RANK   UINT32_MAX

uint32_t den_bpe_byte_to_code(unsigned char byte)
{
    if (byte <= ' ')
        return 256u + byte;
    if (byte >= 0x7F && byte <= 0xA0)
        return 256u + 33 + (byte - 0x7Fu);
    if (byte == 0xAD)
        return 256u + 33 + 34;
    return byte;
}

int den_bpe_code_to_byte(uint32_t code)
{
    if (code >= 256 && code <= 256 + ' ')
        return (int)code - 256;
    if (code > 256 + ' ' && code < 256 + 33 + 34)
        return (int)code - 256 - 33 + 0x7F;
    if (code == 256 + 33 + 34)
        return 0xAD;
    if (code < 256 && den_bpe_byte_to_code((unsigned char)code) == code)
        return (int)code;
    return NONE;
}

void den_bpe_append_mapped(struct den_buffer *out, const char *bytes, size_t length)
{
    size_t i;

    if (length > SIZE_MAX / 2 || !den_buffer_reserve(out, 2 * length))
        return;
    for (i = 0; i < length; i++) {
        uint32_t code = den_bpe_byte_to_code((unsigned char)bytes[i]);

        out->length += den_utf8_encode(code, out->data + out->length);
    }
    out->data[out->length] = '\0';
}

void den_bpe_work_init(struct den_bpe_work *work)
{
    *work = (struct den_bpe_work){ 0 };
    den_buffer_init(&work->name, 4 * DEN_TOKEN_BYTES_MAX);
}

void den_bpe_work_deinit(struct den_bpe_work *work)
{
    free(work->symbols);
    free(work->heap);
    den_buffer_deinit(&work->name);
}

enum den_status den_bpe_init_merges(struct den_bpe *bpe, size_t count, struct den_error *err)
{
    size_t capacity = 64;
    size_t i;

    if (count > 4 * (size_t)DEN_VOCABULARY_MAX)
        return den_fail(err, DEN_TOO_LARGE, "tokenizer: %zu merges; at most %d", count,
                        4 * DEN_VOCABULARY_MAX);
    while (capacity < 2 * count)
        capacity *= 2;
    bpe->merges = reallocarray(NULL, capacity, sizeof *bpe->merges);
    if (!bpe->merges)
        return den_fail(err, DEN_NO_MEMORY, "tokenizer: out of memory for %zu merges", count);
    bpe->merge_capacity = capacity;
    for (i = 0; i < capacity; i++)
        bpe->merges[i] = (struct den_bpe_merge){ 0, NO_RANK, DEN_TOKEN_NONE };
    return DEN_OK;
}

static struct den_bpe_merge *merge_of(const struct den_bpe *bpe, den_token left, den_token right)
{
    uint64_t pair = (uint64_t)left << 32 | (uint32_t)right;
    uint64_t hash = pair * 0x9E3779B97F4A7C15u;
    size_t at = (size_t)((hash ^ hash >> 29) >> 20) & (bpe->merge_capacity - 1);

    while (bpe->merges[at].rank != NO_RANK && bpe->merges[at].pair != pair)
        at = (at + 1) & (bpe->merge_capacity - 1);
    return &bpe->merges[at];
}

static int shown_length(size_t length)
{
    return (int)(length > 64 ? 64 : length);
}

static enum den_status no_such_token(uint32_t rank, struct den_token_text name,
                                     struct den_error *err)
{
    return den_fail(err, DEN_BAD_FILE, "tokenizer: merge %u names '%.*s', which is no token", rank,
                    shown_length(name.length), name.bytes);
}

/* The token that two texts make, one behind the other. A vocabulary has tens of thousands of
 * merges, and nearly all their names are short: these are joined without a buffer. */
static den_token find_joined(const struct den_vocabulary *vocabulary, struct den_token_text left,
                             struct den_token_text right)
{
    char joined[JOINED_BYTES];
    struct den_buffer name;
    den_token token;

    if (left.length + right.length <= sizeof joined) {
        memcpy(joined, left.bytes, left.length);
        memcpy(joined + left.length, right.bytes, right.length);
        return den_vocabulary_find(vocabulary, joined, left.length + right.length);
    }
    den_buffer_init(&name, 2 * DEN_TOKEN_BYTES_MAX);
    den_buffer_append(&name, left.bytes, left.length);
    den_buffer_append(&name, right.bytes, right.length);
    token = name.status == DEN_OK ? den_vocabulary_find(vocabulary, name.data, name.length)
                                  : DEN_TOKEN_NONE;
    den_buffer_deinit(&name);
    return token;
}

enum den_status den_bpe_add_merge(struct den_bpe *bpe, uint32_t rank, struct den_token_text left,
                                  struct den_token_text right, struct den_error *err)
{
    den_token left_id = den_vocabulary_find(bpe->vocabulary, left.bytes, left.length);
    den_token right_id = den_vocabulary_find(bpe->vocabulary, right.bytes, right.length);
    size_t skip = bpe->prefix ? strlen(bpe->prefix) : 0;
    struct den_bpe_merge *merge;
    den_token joined;

    if (left_id == DEN_TOKEN_NONE)
        return no_such_token(rank, left, err);
    if (right_id == DEN_TOKEN_NONE)
        return no_such_token(rank, right, err);
    if (skip > right.length || (skip && memcmp(right.bytes, bpe->prefix, skip) != 0))
        skip = 0;
    joined = find_joined(bpe->vocabulary, left,
                         (struct den_token_text){ right.bytes + skip, right.length - skip });
    if (joined == DEN_TOKEN_NONE)
        return den_fail(err, DEN_BAD_FILE,
                        "tokenizer: merge %u names '%.*s%.*s', which is no token", rank,
                        shown_length(left.length), left.bytes, shown_length(right.length - skip),
                        right.bytes + skip);
    merge = merge_of(bpe, left_id, right_id);
    *merge = (struct den_bpe_merge){ (uint64_t)left_id << 32 | (uint32_t)right_id, rank, joined };
    return DEN_OK;
}

void den_bpe_finish(struct den_bpe *bpe)
{
    int byte;

    for (byte = 0; byte < 256; byte++) {
        char name[4];
        size_t length = den_utf8_encode(den_bpe_byte_to_code((unsigned char)byte), name);

        bpe->byte_ids[byte] = den_vocabulary_find(bpe->vocabulary, name, length);
        bpe->fallback[byte] = bpe->byte_fallback
                                  ? den_vocabulary_find_byte(bpe->vocabulary, (unsigned char)byte)
                                  : DEN_TOKEN_NONE;
    }
}

void den_bpe_deinit(struct den_bpe *bpe)
{
    free(bpe->merges);
    *bpe = (struct den_bpe){ 0 };
}

static bool reserve_symbols(struct den_bpe_work *work, size_t count)
{
    if (count > work->symbol_capacity) {
        size_t capacity = count + count / 2 + 64;
        struct den_bpe_symbol *symbols =
            reallocarray(work->symbols, capacity, sizeof *work->symbols);

        if (!symbols)
            return false;
        work->symbols = symbols;
        work->symbol_capacity = capacity;
    }
    return true;
}

static void push_symbol(struct den_bpe_work *work, den_token token, size_t start, size_t length)
{
    uint32_t at = (uint32_t)work->symbol_count++;

    work->symbols[at] = (struct den_bpe_symbol){ token, (uint32_t)start, (uint32_t)length,
                                                 at == 0 ? NO_SYMBOL : at - 1, at + 1 };
}

/* The id of one character at [start, start + length) of a word of `total` bytes, with the marks of
 * continuation and of the word's end where the model has them. */
static den_token find_character(const struct den_bpe *bpe, struct den_bpe_work *work,
                                const char *word, size_t start, size_t length, size_t total)
{
    if (!(bpe->prefix && start > 0) && !(bpe->suffix && start + length == total))
        return den_vocabulary_find(bpe->vocabulary, word + start, length);
    den_buffer_clear(&work->name);
    if (bpe->prefix && start > 0)
        den_buffer_append_text(&work->name, bpe->prefix);
    den_buffer_append(&work->name, word + start, length);
    if (bpe->suffix && start + length == total)
        den_buffer_append_text(&work->name, bpe->suffix);
    return den_vocabulary_find(bpe->vocabulary, work->name.data, work->name.length);
}

/* True where a piece may take part in joins by score: text, not control or byte tokens. */
static bool is_piece(const struct den_bpe *bpe, den_token token)
{
    return token != DEN_TOKEN_NONE && (bpe->vocabulary->kinds[token] == DEN_TOKEN_NORMAL ||
                                       bpe->vocabulary->kinds[token] == DEN_TOKEN_USER);
}

/* A character that is no token: its bytes' tokens, the unknown token, or nothing. */
static void push_unknown(const struct den_bpe *bpe, struct den_bpe_work *work, const char *word,
                         size_t start, size_t length, bool *fusing)
{
    struct den_bpe_symbol *last;
    bool all = true;
    size_t i;

    for (i = 0; i < length; i++)
        all = all && bpe->fallback[(unsigned char)word[start + i]] != DEN_TOKEN_NONE;
    if (all) {
        for (i = 0; i < length; i++)
            push_symbol(work, bpe->fallback[(unsigned char)word[start + i]], start + i, 1);
        *fusing = false;
        return;
    }
    if (bpe->unknown == DEN_TOKEN_NONE)
        return;
    if (*fusing && bpe->fuse_unknown) {
        last = &work->symbols[work->symbol_count - 1];
        last->length = (uint32_t)(start + length) - last->start;
    } else {
        push_symbol(work, bpe->unknown, start, length);
    }
    *fusing = true;
}

static void split_characters(const struct den_bpe *bpe, const char *word, size_t length,
                             struct den_bpe_work *work)
{
    bool fusing = false; /* the last symbol is an unknown one */
    size_t at = 0;

    while (at < length) {
        size_t used = 1;
        den_token token;
        uint32_t code;

        if (bpe->raw_bytes) {
            token = bpe->byte_ids[(unsigned char)word[at]];
        } else {
            den_unicode_next(word + at, length - at, &code, &used);
            token = find_character(bpe, work, word, at, used, length);
        }
        if (!bpe->merges) {
            push_symbol(work, is_piece(bpe, token) ? token : DEN_TOKEN_NONE, at, used);
        } else if (token != DEN_TOKEN_NONE) {
            push_symbol(work, token, at, used);
            fusing = false;
        } else {
            push_unknown(bpe, work, word, at, used, &fusing);
        }
        at += used;
    }
}

/* A float as an unsigned number that falls as the score rises. */
static uint32_t rank_of_score(float score)
{
    uint32_t bits;

    memcpy(&bits, &score, sizeof bits);
    return bits & 0x80000000u ? bits : ~(bits | 0x80000000u);
}

/* The rank of joining two neighbours, or NO_RANK; *out_joined gets the token. */
static uint32_t rank_pair(const struct den_bpe *bpe, const char *word,
                          const struct den_bpe_symbol *left, const struct den_bpe_symbol *right,
                          den_token *out_joined)
{
    const struct den_bpe_merge *merge;
    den_token token;

    if (!bpe->merges) {
        token = den_vocabulary_find(bpe->vocabulary, word + left->start,
                                    (size_t)left->length + right->length);
        if (!is_piece(bpe, token))
            return NO_RANK;
        *out_joined = token;
        return rank_of_score(bpe->vocabulary->scores[token]);
    }
    merge = merge_of(bpe, left->token, right->token);
    *out_joined = merge->joined;
    return merge->rank;
}

/* Joins by scanning: for a handful of symbols the constant factor wins over the heap. */
static void join_short(const struct den_bpe *bpe, const char *word, struct den_bpe_work *work)
{
    struct den_bpe_symbol *symbols = work->symbols;
    uint32_t ranks[SHORT_WORD_MAX];
    den_token joined[SHORT_WORD_MAX];
    size_t count = work->symbol_count;
    size_t i;

    for (i = 0; i + 1 < count; i++)
        ranks[i] = rank_pair(bpe, word, &symbols[i], &symbols[i + 1], &joined[i]);
    while (count > 1) {
        size_t best = 0;

        for (i = 1; i + 1 < count; i++)
            if (ranks[i] < ranks[best])
                best = i;
        if (ranks[best] == NO_RANK)
            break;
        symbols[best].token = joined[best];
        symbols[best].length += symbols[best + 1].length;
        memmove(symbols + best + 1, symbols + best + 2, (count - best - 2) * sizeof *symbols);
        memmove(ranks + best, ranks + best + 1, (count - best - 2) * sizeof *ranks);
        memmove(joined + best, joined + best + 1, (count - best - 2) * sizeof *joined);
        count--;
        if (best > 0)
            ranks[best - 1] =
                rank_pair(bpe, word, &symbols[best - 1], &symbols[best], &joined[best - 1]);
        if (best + 1 < count)
            ranks[best] = rank_pair(bpe, word, &symbols[best], &symbols[best + 1], &joined[best]);
    }
    work->symbol_count = count;
}

static bool comes_before(const struct den_bpe_pair *a, const struct den_bpe_pair *b)
{
    return a->rank < b->rank || (a->rank == b->rank && a->left < b->left);
}

static void sift_down(struct den_bpe_pair *heap, size_t count, size_t at)
{
    struct den_bpe_pair moving = heap[at];

    for (;;) {
        size_t child = 2 * at + 1;

        if (child >= count)
            break;
        if (child + 1 < count && comes_before(&heap[child + 1], &heap[child]))
            child++;
        if (!comes_before(&heap[child], &moving))
            break;
        heap[at] = heap[child];
        at = child;
    }
    heap[at] = moving;
}

/* The capacity (3 entries a symbol) was reserved before. */
static void push_pair(struct den_bpe_work *work, struct den_bpe_pair pair)
{
    size_t at = work->heap_count++;

    while (at > 0 && comes_before(&pair, &work->heap[(at - 1) / 2])) {
        work->heap[at] = work->heap[(at - 1) / 2];
        at = (at - 1) / 2;
    }
    work->heap[at] = pair;
}

static bool make_pair(const struct den_bpe *bpe, const char *word, const struct den_bpe_work *work,
                      uint32_t left, struct den_bpe_pair *out_pair)
{
    const struct den_bpe_symbol *a = &work->symbols[left];
    const struct den_bpe_symbol *b = &work->symbols[a->next];

    out_pair->left = left;
    out_pair->length = a->length + b->length;
    out_pair->rank = rank_pair(bpe, word, a, b, &out_pair->joined);
    return out_pair->rank != NO_RANK;
}

static bool reserve_heap(struct den_bpe_work *work, size_t count)
{
    struct den_bpe_pair *heap;

    if (count <= work->heap_capacity)
        return true;
    heap = reallocarray(work->heap, count, sizeof *heap);
    if (!heap)
        return false;
    work->heap = heap;
    work->heap_capacity = count;
    return true;
}

static bool join_long(const struct den_bpe *bpe, const char *word, struct den_bpe_work *work)
{
    struct den_bpe_symbol *symbols = work->symbols;
    struct den_bpe_pair pair;
    size_t i;

    if (!reserve_heap(work, 3 * work->symbol_count))
        return false;
    work->heap_count = 0;
    symbols[work->symbol_count - 1].next = NO_SYMBOL;
    for (i = 0; i + 1 < work->symbol_count; i++)
        if (make_pair(bpe, word, work, (uint32_t)i, &pair))
            work->heap[work->heap_count++] = pair;
    for (i = work->heap_count / 2; i-- > 0;)
        sift_down(work->heap, work->heap_count, i);
    while (work->heap_count > 0) {
        struct den_bpe_symbol *left;
        struct den_bpe_symbol *right;

        pair = work->heap[0];
        work->heap[0] = work->heap[--work->heap_count];
        if (work->heap_count > 1)
            sift_down(work->heap, work->heap_count, 0);
        left = &symbols[pair.left];
        if (left->length == 0 || left->next == NO_SYMBOL ||
            left->length + symbols[left->next].length != pair.length)
            continue;
        right = &symbols[left->next];
        left->token = pair.joined;
        left->length = pair.length;
        left->next = right->next;
        right->length = 0;
        if (left->next != NO_SYMBOL) {
            symbols[left->next].previous = pair.left;
            if (make_pair(bpe, word, work, pair.left, &pair))
                push_pair(work, pair);
        }
        if (left->previous != NO_SYMBOL && make_pair(bpe, word, work, left->previous, &pair))
            push_pair(work, pair);
    }
    return true;
}

/* A symbol that never became a token (by scores): its bytes, the unknown token, or nothing. */
static enum den_status append_bytes(const struct den_bpe *bpe, const char *word,
                                    const struct den_bpe_symbol *symbol, struct den_tokens *out,
                                    struct den_error *err)
{
    bool all = true;
    size_t i;

    for (i = 0; i < symbol->length; i++)
        all = all && bpe->fallback[(unsigned char)word[symbol->start + i]] != DEN_TOKEN_NONE;
    for (i = 0; all && i < symbol->length; i++)
        if (den_tokens_append(out, &bpe->fallback[(unsigned char)word[symbol->start + i]], 1,
                              err) != DEN_OK)
            return err->status;
    if (all || bpe->unknown == DEN_TOKEN_NONE)
        return DEN_OK;
    return den_tokens_append(out, &bpe->unknown, 1, err);
}

static bool is_newlines(const char *word, size_t length)
{
    size_t i;

    for (i = 0; i < length; i++)
        if (word[i] != '\n')
            return false;
    return true;
}

/* The whole word as one token, for ignore_merges. Control tokens are no words. */
static den_token find_word(const struct den_bpe *bpe, const char *word, size_t length,
                           struct den_bpe_work *work)
{
    den_token token;

    if (length > bpe->vocabulary->name_bytes_max)
        return DEN_TOKEN_NONE;
    if (bpe->raw_bytes) {
        den_buffer_clear(&work->name);
        den_bpe_append_mapped(&work->name, word, length);
        token = den_vocabulary_find(bpe->vocabulary, work->name.data, work->name.length);
    } else {
        token = den_vocabulary_find(bpe->vocabulary, word, length);
    }
    return is_piece(bpe, token) ? token : DEN_TOKEN_NONE;
}

enum den_status den_bpe_encode(const struct den_bpe *bpe, const char *word, size_t length,
                               struct den_bpe_work *work, struct den_tokens *out,
                               struct den_error *err)
{
    size_t i;

    if (length >= UINT32_MAX)
        return den_fail(err, DEN_TOO_LARGE, "tokenizer: a word of %zu bytes", length);
    if (bpe->ignore_merges || (bpe->whole_newlines && is_newlines(word, length))) {
        den_token whole = find_word(bpe, word, length, work);

        if (whole != DEN_TOKEN_NONE)
            return den_tokens_append(out, &whole, 1, err);
    }
    work->symbol_count = 0;
    if (!reserve_symbols(work, length))
        goto no_memory;
    split_characters(bpe, word, length, work);
    if (work->symbol_count <= SHORT_WORD_MAX)
        join_short(bpe, word, work);
    else if (!join_long(bpe, word, work))
        goto no_memory;
    for (i = 0; i < work->symbol_count; i++) {
        const struct den_bpe_symbol *symbol = &work->symbols[i];

        if (symbol->length == 0)
            continue;
        if (symbol->token != DEN_TOKEN_NONE)
            den_tokens_append(out, &symbol->token, 1, err);
        else
            append_bytes(bpe, word, symbol, out, err);
        if (err->status != DEN_OK)
            return err->status;
    }
    return DEN_OK;
no_memory:
    return den_fail(err, DEN_NO_MEMORY, "tokenizer: out of memory for a word of %zu bytes", length);
}
