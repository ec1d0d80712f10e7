/* The inside of a tokenizer, shared by the files that build it and the files that run it.
 *
 * Encoding is a pipeline. Added tokens ("<|im_start|>") are cut out of the raw text; the text
 * between them is normalized; added tokens that are written in normalized form are cut out of
 * that; what is left is pre-tokenized into words; the model turns words into tokens; the template
 * puts tokens before and after. tokenizer.json describes these parts, GGUF implies them. */
#ifndef DEN_TEXT_TOKENIZER_PARTS_H
#define DEN_TEXT_TOKENIZER_PARTS_H

#include "text/bpe.h"
#include "text/normalizer.h"
#include "text/pretokenizer.h"
#include "text/tokenizer_trie.h"
#include "text/tokenizer_vocabulary.h"
#include "text/unigram.h"
#include "text/wordpiece.h"

enum den_model_kind { DEN_MODEL_BPE, DEN_MODEL_UNIGRAM, DEN_MODEL_WORDPIECE };

struct den_added_token {
    struct den_token_text text; /* as it is searched: normalized where the token is */
    den_token token;
    bool special;
    bool strip_left; /* white space before (after) it belongs to it */
    bool strip_right;
    bool single_word; /* only where no \w adjoins */
};

/* Added tokens that are searched in the same text. */
struct den_added_set {
    struct den_added_token *items;
    size_t count;
    size_t capacity;
    struct den_trie trie; /* values index `items` */
    bool leads[256];      /* bytes that some token begins with */
};

enum den_decoder_kind {
    DEN_DECODER_BYTE_ALPHABET,
    DEN_DECODER_BYTE_FALLBACK, /* "<0xXX>" is that byte */
    DEN_DECODER_REPLACE,       /* `from` by `to` */
    DEN_DECODER_METASPACE,     /* `from` is a space, and nothing at the start where `drop_first` */
    DEN_DECODER_WORDPIECE,     /* `from` continues a word; others get a space before */
    DEN_DECODER_WORD_SUFFIX,   /* BPEDecoder: `from` is a space, and nothing at the end */
    DEN_DECODER_STRIP          /* of each token, `left` and `right` times the character `from` */
};

struct den_decoder_step {
    enum den_decoder_kind kind;
    struct den_token_text from;
    struct den_token_text to;
    bool drop_first;
    bool clean_up;
    size_t left;
    size_t right;
};

#define DEN_DECODER_STEPS_MAX 16 /* real files have at most six */

struct den_decoder {
    struct den_decoder_step steps[DEN_DECODER_STEPS_MAX];
    size_t count;
    bool spaced; /* no decoder: tokens are joined by spaces */
    /* After Fuse, strips are of the whole text. */
    struct den_token_text strip;
    size_t strip_left;
    size_t strip_right;
};

struct den_tokenizer {
    struct den_vocabulary vocabulary;
    struct den_token_text *pieces; /* per token: its bytes in the middle of a text */
    struct den_buffer piece_bytes;
    bool *ends; /* per token: it ends an answer */
    struct den_added_set raw_added;
    struct den_added_set normalized_added;
    struct den_normalizer normalizer;
    struct den_pretokenizer pretokenizer;
    enum den_model_kind model;
    struct den_bpe bpe;
    struct den_unigram unigram;
    struct den_wordpiece wordpiece;
    struct den_decoder decoder;
    struct den_tokens prefix; /* what ADD_SPECIAL puts before and after */
    struct den_tokens suffix;
    den_token bos;
    den_token eos;
};

/* An empty tokenizer with room for `capacity` tokens. */
enum den_status den_tokenizer_create_empty(size_t capacity, size_t bytes_max,
                                           struct den_tokenizer **out, struct den_error *err);
/* A copy of `text` that lives as long as the tokenizer; .bytes == NULL: out of memory. */
struct den_token_text den_tokenizer_keep(struct den_tokenizer *tokenizer, const char *text,
                                         size_t length);
/* Adds a token to the set for raw or for normalized text. An empty text is ignored. */
enum den_status den_tokenizer_add(struct den_tokenizer *tokenizer, struct den_added_token added,
                                  bool normalized, struct den_error *err);
/* When all parts are set: finds ends of generation and makes the pieces. */
enum den_status den_tokenizer_finish(struct den_tokenizer *tokenizer, struct den_error *err);

/* A match of an added token, with the white space it strips. */
struct den_added_match {
    const struct den_added_token *added;
    size_t start;
    size_t end;
    size_t next; /* where the search goes on */
};
/* The first added token at or after `at` that `flags` let through, the longest of those that begin
 * there. `done` is the end of the previous match, which stripping does not cross. */
bool den_added_find(const struct den_added_set *set, struct den_token_text text, size_t at,
                    size_t done, unsigned flags, struct den_added_match *out);

/* Adds a step to the decoder. */
enum den_status den_decoder_add(struct den_decoder *decoder, struct den_decoder_step step,
                                struct den_error *err);
/* Appends what `name` becomes, at the start of a text or inside it. */
void den_decoder_append(const struct den_decoder *decoder, struct den_token_text name, bool first,
                        bool last, struct den_buffer *out);

#endif
