/* Tokenizer: text to token ids and back, exactly as the model was trained.
 *
 * Families: byte-level BPE (GPT-2 and everything after it), SentencePiece BPE (llama, gemma),
 * SentencePiece unigram, WordPiece (BERT). A tokenizer is read-only after creation and may be used
 * by many threads at once. Encoding is linear in the text (times a logarithm), also for a megabyte
 * of one letter. */
#ifndef DEN_TEXT_TOKENIZER_H
#define DEN_TEXT_TOKENIZER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/status.h"
#include "tensor/weights.h"

typedef int32_t
    den_token; /* an index into the vocabulary; the one typedef, because it is everywhere */
#define DEN_TOKEN_NONE (-1)

struct den_tokenizer;

/* A growable list of tokens; zero-initialise, den_tokens_deinit() at the end. */
struct den_tokens {
    den_token *items;
    size_t count;
    size_t capacity;
};

void den_tokens_deinit(struct den_tokens *tokens);
enum den_status den_tokens_append(struct den_tokens *tokens, const den_token *items, size_t count,
                                  struct den_error *err);

/* From GGUF keys tokenizer.ggml.*, or from a folder's tokenizer.json with tokenizer_config.json. */
enum den_status den_tokenizer_create(const struct den_weights *weights, struct den_tokenizer **out,
                                     struct den_error *err);
/* From the bytes of tokenizer.json; `config` is tokenizer_config.json or NULL. */
enum den_status den_tokenizer_create_json(const char *text, size_t length, const json_t *config,
                                          struct den_tokenizer **out, struct den_error *err);
enum den_status den_tokenizer_create_gguf(const struct den_gguf *gguf, struct den_tokenizer **out,
                                          struct den_error *err);
void den_tokenizer_destroy(struct den_tokenizer *tokenizer);

enum den_encode_flags {
    DEN_ENCODE_ADD_SPECIAL = 1,  /* BOS, EOS, [CLS] ... where the model wants them */
    DEN_ENCODE_PARSE_SPECIAL = 2 /* "<|im_start|>" in the text becomes its token, not its letters */
};

/* Appends the tokens of `text` (any bytes) to `out`. */
enum den_status den_tokenizer_encode(const struct den_tokenizer *tokenizer, const char *text,
                                     size_t length, unsigned flags, struct den_tokens *out,
                                     struct den_error *err);
/* Appends the text of `tokens`. Bytes come out as they are: the end may be an unfinished character.
 * With `skip_special` control tokens yield nothing. Ids out of range are DEN_INVALID. */
enum den_status den_tokenizer_decode(const struct den_tokenizer *tokenizer, const den_token *tokens,
                                     size_t count, bool skip_special, struct den_buffer *out,
                                     struct den_error *err);
/* The bytes that one token adds in the middle of a text ("" for control tokens); lives as long as
 * the tokenizer. */
struct den_token_text {
    const char *bytes;
    size_t length;
};
struct den_token_text den_tokenizer_piece(const struct den_tokenizer *tokenizer, den_token token);
/* The token's own name in the vocabulary, control tokens included ("<|im_end|>", "Ġthe"). */
struct den_token_text den_tokenizer_name(const struct den_tokenizer *tokenizer, den_token token);

size_t den_tokenizer_size(
    const struct den_tokenizer *tokenizer); /* vocabulary, added tokens included */
den_token den_tokenizer_bos(
    const struct den_tokenizer *tokenizer); /* DEN_TOKEN_NONE where the model has none */
den_token den_tokenizer_eos(const struct den_tokenizer *tokenizer);
/* True for tokens that end an answer: EOS and the family's <|im_end|>, <|eot_id|>, <end_of_turn>
 * ... */
bool den_tokenizer_is_end(const struct den_tokenizer *tokenizer, den_token token);
bool den_tokenizer_is_special(const struct den_tokenizer *tokenizer, den_token token);
/* The token whose name is exactly `name`, or DEN_TOKEN_NONE. */
den_token den_tokenizer_find(const struct den_tokenizer *tokenizer, const char *name,
                             size_t length);

#endif
