/* Encoding and decoding: the pipeline of tokenizer_parts.h at work.
 *
 * All that changes lives in a struct encoding of the call, so that many threads can use one
 * tokenizer. Long texts remember the tokens of recent words: most words of a page have been seen on
 * it before (English text encodes three times as fast). */
#include <stdlib.h>
#include <string.h>

#include "text/tokenizer_parts.h"

enum {
    CACHE_SLOTS = 4096,
    CACHE_TEXT_BYTES_MIN = 4096, /* shorter texts don't repay clearing the cache */
    CACHE_KEY_MAX = 30,
    CACHE_TOKENS_MAX = 8
};

struct cached_word {
    uint8_t length; /* 0: free */
    uint8_t count;
    char key[CACHE_KEY_MAX];
    den_token tokens[CACHE_TOKENS_MAX];
};

struct encoding {
    const struct den_tokenizer *tokenizer;
    unsigned flags;
    struct den_tokens *out;
    struct den_words words;
    struct den_bpe_work bpe;
    struct den_unigram_work unigram;
    struct den_buffer normalized[2];
    struct cached_word *cache; /* CACHE_SLOTS, or NULL */
};

static enum den_status encode_word(struct encoding *encoding, const char *word, size_t length,
                                   struct den_error *err)
{
    const struct den_tokenizer *tokenizer = encoding->tokenizer;

    switch (tokenizer->model) {
    case DEN_MODEL_BPE:
        return den_bpe_encode(&tokenizer->bpe, word, length, &encoding->bpe, encoding->out, err);
    case DEN_MODEL_UNIGRAM:
        return den_unigram_encode(&tokenizer->unigram, word, length, &encoding->unigram,
                                  encoding->out, err);
    case DEN_MODEL_WORDPIECE:
        return den_wordpiece_encode(&tokenizer->wordpiece, word, length, encoding->out, err);
    }
    return den_fail(err, DEN_INTERNAL, "tokenizer: no model");
}

static enum den_status encode_cached(struct encoding *encoding, const char *word, size_t length,
                                     struct den_error *err)
{
    size_t slot = den_vocabulary_hash(word, length) & (CACHE_SLOTS - 1);
    struct cached_word *cached = &encoding->cache[slot];
    size_t before = encoding->out->count;
    size_t count;

    if (cached->length == length && memcmp(cached->key, word, length) == 0)
        return den_tokens_append(encoding->out, cached->tokens, cached->count, err);
    if (encode_word(encoding, word, length, err) != DEN_OK)
        return err->status;
    count = encoding->out->count - before;
    if (count > CACHE_TOKENS_MAX)
        return DEN_OK;
    cached->length = (uint8_t)length;
    cached->count = (uint8_t)count;
    memcpy(cached->key, word, length);
    if (count > 0)
        memcpy(cached->tokens, encoding->out->items + before, count * sizeof(den_token));
    return DEN_OK;
}

/* Text in which no added token is left. */
static enum den_status encode_plain(struct encoding *encoding, struct den_token_text text,
                                    bool first, struct den_error *err)
{
    struct den_words *words = &encoding->words;
    size_t i;

    if (den_pretokenizer_run(&encoding->tokenizer->pretokenizer, text, first, words, err) != DEN_OK)
        return err->status;
    for (i = 0; i < words->spans.count; i++) {
        struct den_span span = words->spans.items[i];
        const char *word = words->text + span.start;

        if (encoding->cache && span.length > 0 && span.length <= CACHE_KEY_MAX)
            encode_cached(encoding, word, span.length, err);
        else
            encode_word(encoding, word, span.length, err);
        if (err->status != DEN_OK)
            return err->status;
    }
    return DEN_OK;
}

static enum den_status encode_normalized(struct encoding *encoding, struct den_token_text text,
                                         bool first, struct den_error *err);

/* Cuts the tokens of a set out of `text`; what lies between them goes to the next stage. */
static enum den_status cut_added(struct encoding *encoding, const struct den_added_set *set,
                                 struct den_token_text text, bool first, struct den_error *err)
{
    bool raw = set == &encoding->tokenizer->raw_added;
    size_t done = 0;
    size_t at = 0;
    bool found = true;

    while (found) {
        struct den_added_match match;
        struct den_token_text gap = { text.bytes + done, text.length - done };
        bool gap_first = first && done == 0;

        found = den_added_find(set, text, at, done, encoding->flags, &match);
        if (found)
            gap.length = match.start - done;
        if (gap.length > 0 && (raw ? encode_normalized(encoding, gap, gap_first, err)
                                   : encode_plain(encoding, gap, gap_first, err)) != DEN_OK)
            return err->status;
        if (!found)
            break;
        if (den_tokens_append(encoding->out, &match.added->token, 1, err) != DEN_OK)
            return err->status;
        done = match.end;
        at = match.next;
    }
    return DEN_OK;
}

static enum den_status encode_normalized(struct encoding *encoding, struct den_token_text text,
                                         bool first, struct den_error *err)
{
    const struct den_tokenizer *tokenizer = encoding->tokenizer;

    if (den_normalizer_run(&tokenizer->normalizer, encoding->words.regex_work, text,
                           encoding->normalized, &text, err) != DEN_OK)
        return err->status;
    return cut_added(encoding, &tokenizer->normalized_added, text, first, err);
}

enum den_status den_tokenizer_encode(const struct den_tokenizer *tokenizer, const char *text,
                                     size_t length, unsigned flags, struct den_tokens *out,
                                     struct den_error *err)
{
    struct encoding encoding = { .tokenizer = tokenizer, .flags = flags, .out = out };
    struct den_token_text all = { text, length };
    size_t before = out->count;
    bool special = (flags & DEN_ENCODE_ADD_SPECIAL) != 0;

    if (length > DEN_ENCODE_BYTES_MAX)
        return den_fail(err, DEN_TOO_LARGE, "tokenizer: a text of %zu bytes; at most %u", length,
                        DEN_ENCODE_BYTES_MAX);
    den_bpe_work_init(&encoding.bpe);
    den_buffer_init(&encoding.normalized[0], 4u * DEN_ENCODE_BYTES_MAX - 1);
    den_buffer_init(&encoding.normalized[1], 4u * DEN_ENCODE_BYTES_MAX - 1);
    if (length >= CACHE_TEXT_BYTES_MIN)
        encoding.cache = calloc(CACHE_SLOTS, sizeof *encoding.cache); /* NULL: just slower */
    if (den_words_init(&encoding.words, err) == DEN_OK &&
        (!special ||
         den_tokens_append(out, tokenizer->prefix.items, tokenizer->prefix.count, err) == DEN_OK) &&
        cut_added(&encoding, &tokenizer->raw_added, all, true, err) == DEN_OK && special)
        den_tokens_append(out, tokenizer->suffix.items, tokenizer->suffix.count, err);
    if (err->status != DEN_OK)
        out->count = before;
    den_words_deinit(&encoding.words);
    den_bpe_work_deinit(&encoding.bpe);
    den_unigram_work_deinit(&encoding.unigram);
    den_buffer_deinit(&encoding.normalized[0]);
    den_buffer_deinit(&encoding.normalized[1]);
    free(encoding.cache);
    return err->status;
}

/* Whole-text strips: at most `left` times at the start of what was appended after `start`, at most
 * `right` times at its end. */
static void strip_text(const struct den_decoder *decoder, struct den_buffer *out, size_t start)
{
    struct den_token_text strip = decoder->strip;
    size_t left = 0;
    size_t i;

    if (strip.length == 0)
        return;
    while (left < decoder->strip_left &&
           out->length - start - left * strip.length >= strip.length &&
           memcmp(out->data + start + left * strip.length, strip.bytes, strip.length) == 0)
        left++;
    if (left > 0) {
        memmove(out->data + start, out->data + start + left * strip.length,
                out->length - start - left * strip.length + 1);
        out->length -= left * strip.length;
    }
    for (i = 0; i < decoder->strip_right && out->length - start >= strip.length &&
                memcmp(out->data + out->length - strip.length, strip.bytes, strip.length) == 0;
         i++) {
        out->length -= strip.length;
        out->data[out->length] = '\0';
    }
}

enum den_status den_tokenizer_decode(const struct den_tokenizer *tokenizer, const den_token *tokens,
                                     size_t count, bool skip_special, struct den_buffer *out,
                                     struct den_error *err)
{
    size_t start = out->length;
    size_t last = count;
    bool first = true;
    size_t i;

    for (i = 0; i < count; i++) {
        if (tokens[i] < 0 || (size_t)tokens[i] >= tokenizer->vocabulary.count)
            return den_fail(err, DEN_INVALID, "token %d at place %zu: the vocabulary has %zu",
                            tokens[i], i, tokenizer->vocabulary.count);
        if (!skip_special || !den_tokenizer_is_special(tokenizer, tokens[i]))
            last = i;
    }
    for (i = 0; i < count && out->status == DEN_OK; i++) {
        bool special = den_tokenizer_is_special(tokenizer, tokens[i]);
        struct den_token_text piece = tokenizer->pieces[tokens[i]];

        if (special && skip_special)
            continue;
        if (first || special || i == last)
            den_decoder_append(&tokenizer->decoder, tokenizer->vocabulary.names[tokens[i]], first,
                               i == last, out);
        else
            den_buffer_append(out, piece.bytes, piece.length);
        first = false;
    }
    strip_text(&tokenizer->decoder, out, start);
    return den_buffer_status(out, "decoded text", err);
}
