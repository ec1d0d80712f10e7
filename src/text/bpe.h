/* Byte-pair encoding: join the best adjacent pair until none is left.
 *
 * Two kinds. With merges (GPT-2 and after), a pair of ids has a rank in the order of training and
 * becomes a third id; the lowest rank goes first. With scores (SentencePiece), a pair may join when
 * its bytes together are a piece of the vocabulary; the highest score goes first. Of equals, the
 * leftmost. Words of up to 32 symbols are scanned for their best pair each time; longer ones keep a
 * heap of pairs, so that a word of n symbols costs O(n log n). */
#ifndef DEN_TEXT_BPE_H
#define DEN_TEXT_BPE_H

#include "text/tokenizer_vocabulary.h"

struct den_bpe_merge {
    uint64_t pair; /* left << 32 | right */
    uint32_t rank; /* UINT32_MAX: a free entry */
    den_token joined;
};

struct den_bpe {
    const struct den_vocabulary *vocabulary;
    struct den_bpe_merge *merges; /* open addressing by pair; NULL: by scores */
    size_t merge_capacity;        /* a power of two */
    const char *prefix;           /* of symbols that continue a word ("##"), or NULL */
    const char *suffix;           /* of a word's last symbol ("</w>"), or NULL */
    den_token unknown;            /* DEN_TOKEN_NONE: what is not in the vocabulary is dropped */
    bool fuse_unknown;
    bool byte_fallback;
    bool ignore_merges;      /* a whole word in the vocabulary is that token */
    bool whole_newlines;     /* so is a word of newlines only (merges can't name them) */
    bool raw_bytes;          /* words are raw bytes, tokens are named in the byte alphabet */
    den_token byte_ids[256]; /* raw_bytes: the token of each byte */
    den_token fallback[256]; /* byte_fallback: "<0xXX>" */
};

struct den_bpe_symbol {
    den_token token; /* DEN_TOKEN_NONE: bytes that are no token (scores only) */
    uint32_t start;  /* into the word */
    uint32_t length; /* 0 once joined to its left neighbour */
    uint32_t previous;
    uint32_t next;
};

struct den_bpe_pair {
    uint32_t rank;
    uint32_t left;
    uint32_t length; /* of both: a stale entry no longer agrees */
    den_token joined;
};

/* Working memory of one encoding, reused from word to word; zero-initialise. */
struct den_bpe_work {
    struct den_bpe_symbol *symbols;
    size_t symbol_count;
    size_t symbol_capacity;
    struct den_bpe_pair *heap;
    size_t heap_count;
    size_t heap_capacity;
    struct den_buffer name; /* initialised by den_bpe_work_init() */
};

void den_bpe_work_init(struct den_bpe_work *work);
void den_bpe_work_deinit(struct den_bpe_work *work);

/* Room for `count` merges. */
enum den_status den_bpe_init_merges(struct den_bpe *bpe, size_t count, struct den_error *err);
/* Adds the merge of rank `rank`: names of the two parts, without their separator. */
enum den_status den_bpe_add_merge(struct den_bpe *bpe, uint32_t rank, struct den_token_text left,
                                  struct den_token_text right, struct den_error *err);
/* Fills byte_ids and fallback; call when the vocabulary is complete. */
void den_bpe_finish(struct den_bpe *bpe);
void den_bpe_deinit(struct den_bpe *bpe);

/* Appends the tokens of one word. */
enum den_status den_bpe_encode(const struct den_bpe *bpe, const char *word, size_t length,
                               struct den_bpe_work *work, struct den_tokens *out,
                               struct den_error *err);

/* The byte alphabet of GPT-2: each byte as a printable character. */
uint32_t den_bpe_byte_to_code(unsigned char byte);
/* The byte of a character of the alphabet, or -1. */
int den_bpe_code_to_byte(uint32_t code);
/* Appends `length` bytes in the alphabet. */
void den_bpe_append_mapped(struct den_buffer *out, const char *bytes, size_t length);

#endif
