/* A tokenizer from a GGUF file's keys tokenizer.ggml.*.
 *
 * | tokenizer.ggml.model | family | what the file leaves unsaid |
 * |---|---|---|
 * | gpt2 | byte-level BPE with merges | the pre-tokenizer hides behind a name (`pre`) |
 * | gemma4 | BPE with merges on escaped text | ' ' is U+2581, bytes are <0xXX> |
 * | llama | SentencePiece BPE with scores | a space is put first; BOS is added |
 * | t5 | SentencePiece unigram | white space is collapsed; EOS is added |
 * | bert | WordPiece | words begin with U+2581 where Hugging Face marks their rest with ## |
 *
 * Token types: normal 1, unknown 2, control 3, user-defined 4, unused 5, byte 6. Control and
 * unknown tokens are special; they and the user-defined ones are found in the text itself. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "tensor/gguf.h"
#include "text/tokenizer_parts.h"

#define KEY(name) "tokenizer.ggml." name
#define BLOCK     "\xE2\x96\x81" /* U+2581, SentencePiece's space */

static struct den_token_text literal(const char *text)
{
    return (struct den_token_text){ text, strlen(text) };
}

static bool equals(struct den_gguf_string text, const char *other)
{
    return text.length == strlen(other) && memcmp(text.text, other, text.length) == 0;
}

/* An optional flag; false when the file is bad. */
static bool read_flag(const struct den_gguf *gguf, const char *key, bool *value,
                      struct den_error *err)
{
    enum den_status status = den_gguf_get_bool(gguf, key, value, err);

    return status == DEN_OK || status == DEN_NOT_FOUND;
}

/* An optional token id. Some files hold -1 or 2^32 - 1 for "none". */
static bool read_id(const struct den_gguf *gguf, const struct den_tokenizer *tokenizer,
                    const char *key, den_token *id, struct den_error *err)
{
    uint64_t value;
    enum den_status status = den_gguf_get_u64(gguf, key, &value, err);

    if (status == DEN_OK)
        *id = value < tokenizer->vocabulary.count ? (den_token)value : DEN_TOKEN_NONE;
    return status == DEN_OK || status == DEN_NOT_FOUND;
}

static enum den_status create_vocabulary(const struct den_gguf *gguf, struct den_tokenizer **out,
                                         struct den_error *err)
{
    enum den_gguf_kind kind;
    const struct den_gguf_key *tokens = den_gguf_array(gguf, KEY("tokens"));
    size_t bytes = 1 << 20;
    size_t count;
    size_t i;

    if (den_gguf_get_array(gguf, KEY("tokens"), &kind, &count, err) != DEN_OK ||
        kind != DEN_GGUF_STRING || count == 0)
        return den_fail(err, DEN_BAD_FILE,
                        "tokenizer: %s: the key " KEY("tokens") " must be an array of strings",
                        den_gguf_path(gguf));
    for (i = 0; i < count; i++)
        if (!den_checked_add(bytes, den_gguf_array_string(tokens, i).length + 2, &bytes))
            return den_fail(err, DEN_TOO_LARGE, "tokenizer: the vocabulary is too large");
    return den_tokenizer_create_empty(count, bytes, out, err);
}

/* WordPiece names in Hugging Face's form: "▁the" is "the", "ing" is "##ing", "[CLS]" stays. U+2581
 * alone can only be the rest of a word. */
static struct den_token_text rename_wordpiece(struct den_token_text name, struct den_buffer *buffer)
{
    if (name.length > 3 && memcmp(name.bytes, BLOCK, 3) == 0)
        return (struct den_token_text){ name.bytes + 3, name.length - 3 };
    if (name.length > 2 && name.bytes[0] == '[' && name.bytes[name.length - 1] == ']')
        return name;
    den_buffer_clear(buffer);
    den_buffer_append_text(buffer, "##");
    den_buffer_append(buffer, name.bytes, name.length);
    return (struct den_token_text){ buffer->data, buffer->length };
}

static enum den_status read_tokens(const struct den_gguf *gguf, bool wordpiece,
                                   struct den_tokenizer *tokenizer, struct den_error *err)
{
    struct den_vocabulary *vocabulary = &tokenizer->vocabulary;
    const struct den_gguf_key *tokens = den_gguf_array(gguf, KEY("tokens"));
    const struct den_gguf_key *kinds = den_gguf_array(gguf, KEY("token_type"));
    const struct den_gguf_key *scores = den_gguf_array(gguf, KEY("scores"));
    bool typed = den_gguf_has(gguf, KEY("token_type"));
    bool scored = den_gguf_has(gguf, KEY("scores"));
    struct den_buffer buffer;
    size_t i;

    den_buffer_init(&buffer, 2 * DEN_TOKEN_BYTES_MAX);
    for (i = 0; i < vocabulary->capacity && err->status == DEN_OK; i++) {
        struct den_gguf_string text = den_gguf_array_string(tokens, i);
        struct den_token_text name = { text.text, text.length };
        int64_t kind = typed ? den_gguf_array_integer(kinds, i) : 1;

        if (wordpiece && kind != DEN_TOKEN_CONTROL && kind != DEN_TOKEN_UNKNOWN)
            name = rename_wordpiece(name, &buffer);
        if (den_vocabulary_set(vocabulary, i, name.bytes, name.length, err) != DEN_OK)
            break;
        if (kind >= DEN_TOKEN_NORMAL && kind <= DEN_TOKEN_BYTE)
            vocabulary->kinds[i] = (uint8_t)kind;
        if (scored)
            vocabulary->scores[i] = (float)den_gguf_array_number(scores, i);
    }
    den_buffer_deinit(&buffer);
    return err->status;
}

/* phi-3's markers swallow the white space after them, which GGUF has no field for. */
static bool strips_right(const struct den_gguf *gguf, struct den_gguf_string model,
                         struct den_token_text name)
{
    struct den_gguf_string family;
    struct den_error ignored = { 0 };

    if (den_gguf_get_string(gguf, "general.architecture", &family, &ignored) != DEN_OK ||
        !equals(family, "phi3") || !equals(model, "llama"))
        return false;
    return !(name.length == 5 && memcmp(name.bytes, "<unk>", 5) == 0) &&
           !(name.length == 3 && memcmp(name.bytes, "<s>", 3) == 0) &&
           !(name.length == 13 && memcmp(name.bytes, "<|endoftext|>", 13) == 0);
}

static enum den_status add_tokens(const struct den_gguf *gguf, struct den_gguf_string model,
                                  struct den_tokenizer *tokenizer, struct den_error *err)
{
    const struct den_vocabulary *vocabulary = &tokenizer->vocabulary;
    size_t i;

    for (i = 0; i < vocabulary->count; i++) {
        struct den_added_token added = { .text = vocabulary->names[i], .token = (den_token)i };

        if (vocabulary->kinds[i] != DEN_TOKEN_CONTROL && vocabulary->kinds[i] != DEN_TOKEN_USER &&
            vocabulary->kinds[i] != DEN_TOKEN_UNKNOWN)
            continue;
        added.special = vocabulary->kinds[i] != DEN_TOKEN_USER;
        added.strip_right = strips_right(gguf, model, added.text);
        if (den_tokenizer_add(tokenizer, added, false, err) != DEN_OK)
            return err->status;
    }
    return DEN_OK;
}

/* Merges that name no tokens can't yield one and are passed over: files with cut vocabularies have
 * them. */
static enum den_status read_merges(const struct den_gguf *gguf, struct den_tokenizer *tokenizer,
                                   struct den_error *err)
{
    const struct den_gguf_key *merges = den_gguf_array(gguf, KEY("merges"));
    enum den_gguf_kind kind;
    size_t count = 0;
    size_t i;

    if (den_gguf_get_array(gguf, KEY("merges"), &kind, &count, err) != DEN_OK ||
        kind != DEN_GGUF_STRING)
        return den_fail(err, DEN_BAD_FILE,
                        "tokenizer: %s: the key " KEY("merges") " must be an array of strings",
                        den_gguf_path(gguf));
    if (den_bpe_init_merges(&tokenizer->bpe, count, err) != DEN_OK)
        return err->status;
    for (i = 0; i < count; i++) {
        struct den_gguf_string text = den_gguf_array_string(merges, i);
        const char *space = text.length > 1 ? memchr(text.text + 1, ' ', text.length - 1) : NULL;
        struct den_error missing = { 0 };
        size_t left;

        if (!space)
            return den_fail(err, DEN_BAD_FILE, "tokenizer: %s: merge %zu isn't two tokens",
                            den_gguf_path(gguf), i);
        left = (size_t)(space - text.text);
        den_bpe_add_merge(&tokenizer->bpe, (uint32_t)i, (struct den_token_text){ text.text, left },
                          (struct den_token_text){ space + 1, text.length - left - 1 }, &missing);
    }
    return DEN_OK;
}

static enum den_status add_step(struct den_tokenizer *tokenizer, enum den_normalizer_kind kind,
                                struct den_error *err)
{
    return den_normalizer_add(
        &tokenizer->normalizer,
        (struct den_normalizer_step){
            .kind = kind, .form = DEN_UNICODE_NFC, .from = literal(" "), .to = literal(BLOCK) },
        err);
}

/* U+2581 back to ' ', <0xXX> to bytes, one leading space away where one was put. */
static enum den_status set_escaped_decoder(struct den_tokenizer *tokenizer, bool space_first,
                                           struct den_error *err)
{
    struct den_decoder_step spaces = { .kind = DEN_DECODER_REPLACE,
                                       .from = literal(BLOCK),
                                       .to = literal(" ") };
    struct den_decoder_step bytes = { .kind = DEN_DECODER_BYTE_FALLBACK };

    tokenizer->decoder.strip = literal(" ");
    tokenizer->decoder.strip_left = space_first ? 1 : 0;
    if (den_decoder_add(&tokenizer->decoder, spaces, err) != DEN_OK)
        return err->status;
    return den_decoder_add(&tokenizer->decoder, bytes, err);
}

static enum den_status read_bpe(const struct den_gguf *gguf, struct den_gguf_string model,
                                struct den_tokenizer *tokenizer, bool *add_bos,
                                struct den_error *err)
{
    struct den_decoder_step alphabet = { .kind = DEN_DECODER_BYTE_ALPHABET };
    struct den_gguf_string pre = { "default", 7 };
    struct den_pretokenizer_traits traits;
    enum den_status status = den_gguf_get_string(gguf, KEY("pre"), &pre, err);

    if (status != DEN_OK && status != DEN_NOT_FOUND)
        return err->status;
    if (equals(model, "gemma4"))
        pre = (struct den_gguf_string){ "gemma4", 6 };
    tokenizer->model = DEN_MODEL_BPE;
    if (den_pretokenizer_add_named(&tokenizer->pretokenizer,
                                   (struct den_token_text){ pre.text, pre.length }, &traits,
                                   err) != DEN_OK ||
        read_merges(gguf, tokenizer, err) != DEN_OK)
        return err->status;
    *add_bos = traits.add_bos;
    tokenizer->bpe.ignore_merges = traits.ignore_merges;
    tokenizer->bpe.whole_newlines = traits.spaces_escaped;
    tokenizer->bpe.raw_bytes = !traits.spaces_escaped;
    tokenizer->bpe.byte_fallback = traits.spaces_escaped;
    den_bpe_finish(&tokenizer->bpe);
    if (traits.nfc && add_step(tokenizer, DEN_NORMALIZER_FORM, err) != DEN_OK)
        return err->status;
    if (!traits.spaces_escaped)
        return den_decoder_add(&tokenizer->decoder, alphabet, err);
    if (add_step(tokenizer, DEN_NORMALIZER_REPLACE, err) != DEN_OK)
        return err->status;
    return set_escaped_decoder(tokenizer, false, err);
}

static enum den_status read_sentencepiece(const struct den_gguf *gguf,
                                          struct den_tokenizer *tokenizer, struct den_error *err)
{
    bool space_first = true;

    tokenizer->model = DEN_MODEL_BPE;
    tokenizer->bpe.byte_fallback = true;
    tokenizer->bpe.unknown = 0;
    tokenizer->bos = 1;
    tokenizer->eos = 2;
    if (!read_flag(gguf, KEY("add_space_prefix"), &space_first, err) ||
        !read_id(gguf, tokenizer, KEY("unknown_token_id"), &tokenizer->bpe.unknown, err))
        return err->status;
    if (tokenizer->vocabulary.count < 3)
        return den_fail(err, DEN_BAD_FILE, "tokenizer: %s: a vocabulary of %zu tokens",
                        den_gguf_path(gguf), tokenizer->vocabulary.count);
    den_bpe_finish(&tokenizer->bpe);
    if ((space_first && add_step(tokenizer, DEN_NORMALIZER_PREPEND, err) != DEN_OK) ||
        add_step(tokenizer, DEN_NORMALIZER_REPLACE, err) != DEN_OK)
        return err->status;
    return set_escaped_decoder(tokenizer, space_first, err);
}

static enum den_status read_charsmap(const struct den_gguf *gguf, struct den_tokenizer *tokenizer,
                                     struct den_error *err)
{
    const struct den_gguf_key *bytes = den_gguf_array(gguf, KEY("precompiled_charsmap"));
    struct den_normalizer_step step = { .kind = DEN_NORMALIZER_CHARSMAP };
    enum den_gguf_kind kind;
    struct den_buffer blob;
    size_t count = 0;
    size_t i;

    if (!den_gguf_has(gguf, KEY("precompiled_charsmap")))
        return DEN_OK;
    if (den_gguf_get_array(gguf, KEY("precompiled_charsmap"), &kind, &count, err) != DEN_OK)
        return err->status;
    den_buffer_init(&blob, DEN_FILE_TEXT_BYTES_MAX);
    for (i = 0; i < count && blob.status == DEN_OK; i++)
        den_buffer_append_byte(&blob, (char)(den_gguf_array_integer(bytes, i) & 0xFF));
    if (den_buffer_status(&blob, "tokenizer: charsmap", err) == DEN_OK && blob.length > 0 &&
        den_charsmap_create(blob.data, blob.length, &step.charsmap, err) == DEN_OK)
        den_normalizer_add(&tokenizer->normalizer, step, err);
    den_buffer_deinit(&blob);
    return err->status;
}

static enum den_status read_unigram(const struct den_gguf *gguf, struct den_tokenizer *tokenizer,
                                    struct den_error *err)
{
    const struct den_vocabulary *vocabulary = &tokenizer->vocabulary;
    double *scores = calloc(vocabulary->count, sizeof *scores);
    bool space_first = true;
    bool collapse = true;
    size_t i;

    if (!scores)
        return den_fail(err, DEN_NO_MEMORY, "tokenizer: out of memory");
    for (i = 0; i < vocabulary->count; i++)
        scores[i] = (double)vocabulary->scores[i];
    tokenizer->model = DEN_MODEL_UNIGRAM;
    tokenizer->eos = vocabulary->count > 1 ? 1 : DEN_TOKEN_NONE;
    tokenizer->unigram.unknown = vocabulary->count > 2 ? 2 : DEN_TOKEN_NONE;
    tokenizer->unigram.single_precision = true;
    tokenizer->unigram.byte_fallback = true; /* where the vocabulary has byte tokens */
    if (den_unigram_init(&tokenizer->unigram, vocabulary, scores, err) != DEN_OK ||
        !read_flag(gguf, KEY("add_space_prefix"), &space_first, err) ||
        !read_flag(gguf, KEY("remove_extra_whitespaces"), &collapse, err) ||
        !read_id(gguf, tokenizer, KEY("unknown_token_id"), &tokenizer->unigram.unknown, err) ||
        read_charsmap(gguf, tokenizer, err) != DEN_OK)
        return err->status;
    if ((collapse && add_step(tokenizer, DEN_NORMALIZER_COLLAPSE, err) != DEN_OK) ||
        (space_first && add_step(tokenizer, DEN_NORMALIZER_PREPEND, err) != DEN_OK) ||
        add_step(tokenizer, DEN_NORMALIZER_REPLACE, err) != DEN_OK)
        return err->status;
    return set_escaped_decoder(tokenizer, space_first, err);
}

/* A vocabulary in which some word begins with an ASCII capital is a cased model's. */
static bool is_cased(const struct den_vocabulary *vocabulary)
{
    size_t i;

    for (i = 0; i < vocabulary->count; i++)
        if (vocabulary->kinds[i] == DEN_TOKEN_NORMAL && vocabulary->names[i].length > 0 &&
            isupper((unsigned char)vocabulary->names[i].bytes[0]))
            return true;
    return false;
}

static enum den_status read_wordpiece(const struct den_gguf *gguf, struct den_tokenizer *tokenizer,
                                      struct den_error *err)
{
    struct den_decoder_step decoder = { .kind = DEN_DECODER_WORDPIECE,
                                        .from = literal("##"),
                                        .clean_up = true };
    struct den_pretokenizer_step spaces = { .kind = DEN_PRETOKENIZER_SPACES,
                                            .behavior = DEN_SPLIT_REMOVED };
    struct den_pretokenizer_step punctuation = { .kind = DEN_PRETOKENIZER_PUNCTUATION,
                                                 .behavior = DEN_SPLIT_ISOLATED };
    struct den_normalizer_step nfd = { .kind = DEN_NORMALIZER_FORM, .form = DEN_UNICODE_NFD };
    bool lower = !is_cased(&tokenizer->vocabulary);
    bool accents;

    tokenizer->model = DEN_MODEL_WORDPIECE;
    if (!read_flag(gguf, KEY("normalizer.lowercase"), &lower, err))
        return err->status;
    accents = lower;
    tokenizer->wordpiece.unknown = den_tokenizer_find(tokenizer, "[UNK]", 5);
    tokenizer->bos = den_tokenizer_find(tokenizer, "[CLS]", 5);
    tokenizer->eos = den_tokenizer_find(tokenizer, "[SEP]", 5);
    if (!read_flag(gguf, KEY("normalizer.strip_accents"), &accents, err) ||
        !read_id(gguf, tokenizer, KEY("unknown_token_id"), &tokenizer->wordpiece.unknown, err) ||
        !read_id(gguf, tokenizer, KEY("cls_token_id"), &tokenizer->bos, err) ||
        !read_id(gguf, tokenizer, KEY("seperator_token_id"), &tokenizer->eos, err) ||
        den_wordpiece_init(&tokenizer->wordpiece, &tokenizer->vocabulary, literal("##"), err) !=
            DEN_OK ||
        add_step(tokenizer, DEN_NORMALIZER_CLEAN, err) != DEN_OK ||
        add_step(tokenizer, DEN_NORMALIZER_SPACE_IDEOGRAPHS, err) != DEN_OK ||
        (accents && (den_normalizer_add(&tokenizer->normalizer, nfd, err) != DEN_OK ||
                     add_step(tokenizer, DEN_NORMALIZER_DROP_NONSPACING, err) != DEN_OK)) ||
        (lower && add_step(tokenizer, DEN_NORMALIZER_LOWERCASE, err) != DEN_OK) ||
        den_pretokenizer_add(&tokenizer->pretokenizer, spaces, err) != DEN_OK ||
        den_pretokenizer_add(&tokenizer->pretokenizer, punctuation, err) != DEN_OK)
        return err->status;
    return den_decoder_add(&tokenizer->decoder, decoder, err);
}

/* BOS, EOS and their like: the ids, whether they are added, and which of them end an answer. */
static enum den_status read_specials(const struct den_gguf *gguf, struct den_tokenizer *tokenizer,
                                     bool add_bos, bool add_eos, struct den_error *err)
{
    den_token separator = tokenizer->eos;
    bool add_separator = false;

    if (!read_id(gguf, tokenizer, KEY("bos_token_id"), &tokenizer->bos, err) ||
        !read_id(gguf, tokenizer, KEY("eos_token_id"), &tokenizer->eos, err) ||
        !read_id(gguf, tokenizer, KEY("seperator_token_id"), &separator, err) ||
        !read_flag(gguf, KEY("add_bos_token"), &add_bos, err) ||
        !read_flag(gguf, KEY("add_eos_token"), &add_eos, err) ||
        !read_flag(gguf, KEY("add_sep_token"), &add_separator, err))
        return err->status;
    if (tokenizer->model == DEN_MODEL_WORDPIECE) {
        add_bos = true;
        add_separator = true;
        add_eos = false;
    }
    if (add_bos && tokenizer->bos != DEN_TOKEN_NONE)
        den_tokens_append(&tokenizer->prefix, &tokenizer->bos, 1, err);
    if (add_eos && tokenizer->eos != DEN_TOKEN_NONE && err->status == DEN_OK)
        den_tokens_append(&tokenizer->suffix, &tokenizer->eos, 1, err);
    if (add_separator && separator != DEN_TOKEN_NONE && err->status == DEN_OK)
        den_tokens_append(&tokenizer->suffix, &separator, 1, err);
    return err->status;
}

static enum den_status read_ends(const struct den_gguf *gguf, struct den_tokenizer *tokenizer,
                                 struct den_error *err)
{
    static const char *const keys[] = { KEY("eot_token_id"), KEY("eom_token_id") };
    size_t i;

    for (i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        den_token token = DEN_TOKEN_NONE;

        if (!read_id(gguf, tokenizer, keys[i], &token, err))
            return err->status;
        if (token != DEN_TOKEN_NONE)
            tokenizer->ends[token] = true;
    }
    return DEN_OK;
}

static enum den_status read_model(const struct den_gguf *gguf, struct den_gguf_string model,
                                  struct den_tokenizer *tokenizer, struct den_error *err)
{
    bool add_bos = false;
    bool add_eos = false;

    if (equals(model, "gpt2") || equals(model, "gemma4"))
        read_bpe(gguf, model, tokenizer, &add_bos, err);
    else if (equals(model, "llama"))
        read_sentencepiece(gguf, tokenizer, err);
    else if (equals(model, "t5"))
        read_unigram(gguf, tokenizer, err);
    else if (equals(model, "bert"))
        read_wordpiece(gguf, tokenizer, err);
    else
        den_fail(err, DEN_UNSUPPORTED,
                 "tokenizer: %s: the model '%.*s' isn't known; known are gpt2, gemma4, llama, t5 "
                 "and bert",
                 den_gguf_path(gguf), (int)(model.length > 64 ? 64 : model.length), model.text);
    if (err->status != DEN_OK)
        return err->status;
    add_bos = add_bos || equals(model, "llama");
    add_eos = equals(model, "t5");
    return read_specials(gguf, tokenizer, add_bos, add_eos, err);
}

enum den_status den_tokenizer_create_gguf(const struct den_gguf *gguf, struct den_tokenizer **out,
                                          struct den_error *err)
{
    struct den_tokenizer *tokenizer = NULL;
    struct den_gguf_string model;

    if (den_gguf_get_string(gguf, KEY("model"), &model, err) != DEN_OK)
        return den_fail(err, DEN_BAD_FILE,
                        "tokenizer: %s has no key " KEY("model") ": it holds no tokenizer",
                        den_gguf_path(gguf));
    if (create_vocabulary(gguf, &tokenizer, err) != DEN_OK)
        return err->status;
    if (read_tokens(gguf, equals(model, "bert"), tokenizer, err) != DEN_OK ||
        add_tokens(gguf, model, tokenizer, err) != DEN_OK ||
        read_model(gguf, model, tokenizer, err) != DEN_OK ||
        den_tokenizer_finish(tokenizer, err) != DEN_OK ||
        read_ends(gguf, tokenizer, err) != DEN_OK) {
        den_tokenizer_destroy(tokenizer);
        return err->status;
    }
    *out = tokenizer;
    return DEN_OK;
}
