/* See tokenizer.h. Creation's common part, and what a tokenizer tells about its tokens. */
#include "text/tokenizer.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "text/tokenizer_config.h"
#include "text/tokenizer_parts.h"

/* Names that end an answer in the models that have them, where they are control or user-defined
 * tokens. Sources: the models' chat templates and generation_config.json. */
static const char *const end_names[] = {
    "</s>",
    "<eos>",
    "[EOS]",
    "<|eos|>",
    "<|eot_id|>",
    "<|eom_id|>",
    "<|eot|>",
    "<|im_end|>",
    "<|end|>",
    "<|return|>",
    "<|call|>",
    "<end_of_turn>",
    "<turn|>",
    "<|endoftext|>",
    "<|end_of_text|>",
    "<|end_of_turn|>",
    "<|endofturn|>",
    "<|END_OF_TURN_TOKEN|>",
    "<|EOT|>",
    "<EOT>",
    "_<EOT>",
    "<eot>",
    "<|role_end|>",
    "<|turn_end|>",
    "[e~[",
    "<seed:eos>",
    "<end_of_utterance>",
    "<\357\275\234end\342\226\201of\342\226\201sentence\357\275\234>", /* deepseek */
};

enum den_status den_tokenizer_create_empty(size_t capacity, size_t bytes_max,
                                           struct den_tokenizer **out, struct den_error *err)
{
    struct den_tokenizer *tokenizer = calloc(1, sizeof *tokenizer);

    if (!tokenizer)
        return den_fail(err, DEN_NO_MEMORY, "tokenizer: out of memory");
    den_buffer_init(&tokenizer->piece_bytes, SIZE_MAX / 2);
    tokenizer->bos = DEN_TOKEN_NONE;
    tokenizer->eos = DEN_TOKEN_NONE;
    tokenizer->bpe.vocabulary = &tokenizer->vocabulary;
    tokenizer->bpe.unknown = DEN_TOKEN_NONE;
    tokenizer->unigram.unknown = DEN_TOKEN_NONE;
    tokenizer->wordpiece.unknown = DEN_TOKEN_NONE;
    if (den_vocabulary_init(&tokenizer->vocabulary, capacity, bytes_max, err) != DEN_OK) {
        den_tokenizer_destroy(tokenizer);
        return err->status;
    }
    *out = tokenizer;
    return DEN_OK;
}

void den_tokenizer_destroy(struct den_tokenizer *tokenizer)
{
    if (!tokenizer)
        return;
    free(tokenizer->pieces);
    free(tokenizer->ends);
    den_buffer_deinit(&tokenizer->piece_bytes);
    free(tokenizer->raw_added.items);
    free(tokenizer->normalized_added.items);
    den_trie_deinit(&tokenizer->raw_added.trie);
    den_trie_deinit(&tokenizer->normalized_added.trie);
    den_normalizer_deinit(&tokenizer->normalizer);
    den_pretokenizer_deinit(&tokenizer->pretokenizer);
    den_bpe_deinit(&tokenizer->bpe);
    den_unigram_deinit(&tokenizer->unigram);
    den_wordpiece_deinit(&tokenizer->wordpiece);
    den_tokens_deinit(&tokenizer->prefix);
    den_tokens_deinit(&tokenizer->suffix);
    den_vocabulary_deinit(&tokenizer->vocabulary);
    free(tokenizer);
}

struct den_token_text den_tokenizer_keep(struct den_tokenizer *tokenizer, const char *text,
                                         size_t length)
{
    return (struct den_token_text){ den_arena_text(tokenizer->vocabulary.arena, text, length),
                                    length };
}

static void mark_ends(struct den_tokenizer *tokenizer)
{
    struct den_vocabulary *vocabulary = &tokenizer->vocabulary;
    bool harmony = den_tokenizer_find(tokenizer, "<|return|>", 10) != DEN_TOKEN_NONE &&
                   den_tokenizer_find(tokenizer, "<|call|>", 8) != DEN_TOKEN_NONE;
    size_t i;

    for (i = 0; i < sizeof end_names / sizeof end_names[0]; i++) {
        den_token token = den_tokenizer_find(tokenizer, end_names[i], strlen(end_names[i]));

        if (token == DEN_TOKEN_NONE || (vocabulary->kinds[token] != DEN_TOKEN_CONTROL &&
                                        vocabulary->kinds[token] != DEN_TOKEN_USER))
            continue;
        /* in the harmony format <|end|> only ends a message, and an answer has several */
        if (harmony && strcmp(end_names[i], "<|end|>") == 0)
            continue;
        tokenizer->ends[token] = true;
    }
    if (tokenizer->eos != DEN_TOKEN_NONE)
        tokenizer->ends[tokenizer->eos] = true;
}

enum den_status den_tokenizer_finish(struct den_tokenizer *tokenizer, struct den_error *err)
{
    struct den_vocabulary *vocabulary = &tokenizer->vocabulary;
    struct den_buffer *bytes = &tokenizer->piece_bytes;
    size_t i;

    if (vocabulary->count == 0)
        return den_fail(err, DEN_BAD_FILE, "tokenizer: the vocabulary is empty");
    tokenizer->pieces = calloc(vocabulary->count, sizeof *tokenizer->pieces);
    tokenizer->ends = calloc(vocabulary->count, sizeof *tokenizer->ends);
    if (!tokenizer->pieces || !tokenizer->ends)
        return den_fail(err, DEN_NO_MEMORY, "tokenizer: out of memory");
    for (i = 0; i < vocabulary->count; i++) {
        size_t start = bytes->length;

        if (!den_tokenizer_is_special(tokenizer, (den_token)i))
            den_decoder_append(&tokenizer->decoder, vocabulary->names[i], false, false, bytes);
        tokenizer->pieces[i].length = bytes->length - start;
    }
    if (den_buffer_status(bytes, "tokenizer: the vocabulary's text", err) != DEN_OK)
        return err->status;
    tokenizer->pieces[0].bytes = bytes->data; /* the buffer has stopped moving */
    for (i = 1; i < vocabulary->count; i++)
        tokenizer->pieces[i].bytes =
            tokenizer->pieces[i - 1].bytes + tokenizer->pieces[i - 1].length;
    mark_ends(tokenizer);
    return DEN_OK;
}

/* Reads a text file of the folder into a JSON value; leaves NULL where it is absent. */
static enum den_status read_optional(const struct den_weights *weights, const char *name,
                                     json_t **out_value, struct den_error *err)
{
    struct den_buffer text;
    struct den_error absent = { 0 };
    enum den_status status;

    den_buffer_init(&text, DEN_FILE_TEXT_BYTES_MAX);
    status = den_weights_read_text(weights, name, &text, &absent);
    if (status == DEN_OK)
        den_json_parse(text.data, text.length, name, out_value, err);
    else if (status != DEN_NOT_FOUND)
        *err = absent;
    den_buffer_deinit(&text);
    return err->status;
}

static enum den_status create_from_folder(const struct den_weights *weights,
                                          struct den_tokenizer **out, struct den_error *err)
{
    struct den_tokenizer *tokenizer = NULL;
    json_t *config = NULL;
    json_t *generation = NULL;
    struct den_buffer text;

    den_buffer_init(&text, DEN_FILE_TEXT_BYTES_MAX);
    if (den_weights_read_text(weights, "tokenizer.json", &text, err) != DEN_OK) {
        if (err->status == DEN_NOT_FOUND)
            den_fail(err, DEN_NOT_FOUND,
                     "tokenizer: %s has no tokenizer.json; it must lie beside the weights",
                     den_weights_path(weights));
        goto done;
    }
    if (read_optional(weights, "tokenizer_config.json", &config, err) != DEN_OK ||
        read_optional(weights, "generation_config.json", &generation, err) != DEN_OK ||
        den_tokenizer_create_json(text.data, text.length, config, &tokenizer, err) != DEN_OK)
        goto done;
    den_tokenizer_apply_ends(tokenizer, generation);
    *out = tokenizer;
done:
    den_buffer_deinit(&text);
    json_decref(config);
    json_decref(generation);
    return err->status;
}

enum den_status den_tokenizer_create(const struct den_weights *weights, struct den_tokenizer **out,
                                     struct den_error *err)
{
    const struct den_gguf *gguf = den_weights_gguf(weights);

    return gguf ? den_tokenizer_create_gguf(gguf, out, err) : create_from_folder(weights, out, err);
}

struct den_token_text den_tokenizer_piece(const struct den_tokenizer *tokenizer, den_token token)
{
    if (token < 0 || (size_t)token >= tokenizer->vocabulary.count)
        return (struct den_token_text){ "", 0 };
    return tokenizer->pieces[token];
}

struct den_token_text den_tokenizer_name(const struct den_tokenizer *tokenizer, den_token token)
{
    if (token < 0 || (size_t)token >= tokenizer->vocabulary.count)
        return (struct den_token_text){ "", 0 };
    return tokenizer->vocabulary.names[token];
}

size_t den_tokenizer_size(const struct den_tokenizer *tokenizer)
{
    return tokenizer->vocabulary.count;
}

den_token den_tokenizer_bos(const struct den_tokenizer *tokenizer)
{
    return tokenizer->bos;
}

den_token den_tokenizer_eos(const struct den_tokenizer *tokenizer)
{
    return tokenizer->eos;
}

bool den_tokenizer_is_end(const struct den_tokenizer *tokenizer, den_token token)
{
    return token >= 0 && (size_t)token < tokenizer->vocabulary.count && tokenizer->ends[token];
}

bool den_tokenizer_is_special(const struct den_tokenizer *tokenizer, den_token token)
{
    return token >= 0 && (size_t)token < tokenizer->vocabulary.count &&
           (tokenizer->vocabulary.kinds[token] == DEN_TOKEN_CONTROL ||
            tokenizer->vocabulary.kinds[token] == DEN_TOKEN_UNKNOWN);
}

den_token den_tokenizer_find(const struct den_tokenizer *tokenizer, const char *name, size_t length)
{
    return den_vocabulary_find(&tokenizer->vocabulary, name, length);
}
