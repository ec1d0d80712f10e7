/* tokenizer.json: the vocabulary, the model and the added tokens. The file is untrusted: ids index
 * nothing before they are checked, merges and templates may name only tokens that exist. */
#include "text/tokenizer_json.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "text/tokenizer_config.h"

enum { HOLES_MAX = 65536 }; /* unused ids: what a small file can make us allocate */

static enum den_status bad(struct den_error *err, const char *what)
{
    return den_fail(err, DEN_BAD_FILE, "tokenizer.json: %s", what);
}

/* Grows *capacity to hold the id, which must be in range. */
static enum den_status count_id(const json_t *id, size_t *capacity, struct den_error *err)
{
    json_int_t value = json_is_integer(id) ? json_integer_value(id) : -1;

    if (value < 0 || value >= DEN_VOCABULARY_MAX)
        return den_fail(err, DEN_BAD_FILE,
                        "tokenizer.json: a token's id is %lld; it must be an integer from 0 to %d",
                        (long long)value, DEN_VOCABULARY_MAX - 1);
    if ((size_t)value >= *capacity)
        *capacity = (size_t)value + 1;
    return DEN_OK;
}

static enum den_status count_ids(const json_t *root, const json_t *vocabulary, size_t *capacity,
                                 struct den_error *err)
{
    const json_t *added = json_object_get(root, "added_tokens");
    const char *name;
    json_t *id;
    size_t i;

    if (json_is_array(vocabulary))
        *capacity = json_array_size(vocabulary);
    json_object_foreach((json_t *)vocabulary, name,
                        id) if (count_id(id, capacity, err) != DEN_OK) return err->status;
    for (i = 0; i < json_array_size(added); i++)
        if (count_id(json_object_get(json_array_get(added, i), "id"), capacity, err) != DEN_OK)
            return err->status;
    if (*capacity > HOLES_MAX + 8 * (json_object_size(vocabulary) + json_array_size(vocabulary)))
        return den_fail(err, DEN_BAD_FILE,
                        "tokenizer.json: ids up to %zu for %zu tokens; ids must be dense",
                        *capacity, json_object_size(vocabulary) + json_array_size(vocabulary));
    return DEN_OK;
}

/* {"name": id, ...}, or for unigram [["name", score], ...]. */
static enum den_status read_vocabulary(struct den_tokenizer *tokenizer, const json_t *vocabulary,
                                       struct den_error *err)
{
    const char *name;
    json_t *id;
    size_t i;

    json_object_foreach((json_t *)vocabulary, name, id)
    {
        if (den_vocabulary_set(&tokenizer->vocabulary, (size_t)json_integer_value(id), name,
                               strlen(name), err) != DEN_OK)
            return err->status;
    }
    for (i = 0; i < json_array_size(vocabulary); i++) {
        const json_t *pair = json_array_get(vocabulary, i);
        const json_t *piece = json_array_get(pair, 0);

        if (!json_is_string(piece) || !json_is_number(json_array_get(pair, 1)))
            return bad(err, "an entry of the vocabulary must be a piece and its score");
        if (den_vocabulary_set(&tokenizer->vocabulary, i, json_string_value(piece),
                               json_string_length(piece), err) != DEN_OK)
            return err->status;
    }
    return DEN_OK;
}

static bool flag(const json_t *object, const char *key, bool absent)
{
    const json_t *value = json_object_get(object, key);

    return json_is_boolean(value) ? json_is_true(value) : absent;
}

/* An added token takes the id of the vocabulary's token of that name, else its own. */
static enum den_status read_added_token(struct den_tokenizer *tokenizer, const json_t *object,
                                        struct den_error *err)
{
    struct den_vocabulary *vocabulary = &tokenizer->vocabulary;
    const json_t *content = json_object_get(object, "content");
    struct den_added_token added = { .special = flag(object, "special", false),
                                     .strip_left = flag(object, "lstrip", false),
                                     .strip_right = flag(object, "rstrip", false),
                                     .single_word = flag(object, "single_word", false) };
    bool normalized = flag(object, "normalized", !added.special);
    struct den_buffer buffers[2];
    struct den_words words;
    struct den_token_text text;

    if (!json_is_string(content))
        return bad(err, "an added token has no content");
    text = (struct den_token_text){ json_string_value(content), json_string_length(content) };
    added.token = den_vocabulary_find(vocabulary, text.bytes, text.length);
    if (added.token == DEN_TOKEN_NONE) {
        size_t id = (size_t)json_integer_value(json_object_get(object, "id"));

        if (den_vocabulary_set(vocabulary, id, text.bytes, text.length, err) != DEN_OK)
            return err->status;
        added.token = (den_token)id;
    }
    vocabulary->kinds[added.token] = added.special ? DEN_TOKEN_CONTROL : DEN_TOKEN_USER;
    if (!normalized) {
        added.text = vocabulary->names[added.token];
        return den_tokenizer_add(tokenizer, added, false, err);
    }
    den_buffer_init(&buffers[0], 16u * DEN_TOKEN_BYTES_MAX);
    den_buffer_init(&buffers[1], 16u * DEN_TOKEN_BYTES_MAX);
    if (den_words_init(&words, err) == DEN_OK &&
        den_normalizer_run(&tokenizer->normalizer, words.regex_work, text, buffers, &text, err) ==
            DEN_OK) {
        added.text = den_tokenizer_keep(tokenizer, text.bytes, text.length);
        if (!added.text.bytes)
            den_fail(err, DEN_NO_MEMORY, "tokenizer.json: out of memory");
        else
            den_tokenizer_add(tokenizer, added, true, err);
    }
    den_words_deinit(&words);
    den_buffer_deinit(&buffers[0]);
    den_buffer_deinit(&buffers[1]);
    return err->status;
}

/* "left right", or ["left", "right"]. */
static enum den_status read_merge(struct den_bpe *bpe, const json_t *merge, uint32_t rank,
                                  struct den_error *err)
{
    const json_t *left = json_array_get(merge, 0);
    const json_t *right = json_array_get(merge, 1);
    const char *text = json_string_value(merge);
    size_t length = json_string_length(merge);
    const char *space;

    if (json_is_string(left) && json_is_string(right))
        return den_bpe_add_merge(
            bpe, rank, (struct den_token_text){ json_string_value(left), json_string_length(left) },
            (struct den_token_text){ json_string_value(right), json_string_length(right) }, err);
    space = text ? memchr(text, ' ', length) : NULL;
    if (!space)
        return den_fail(err, DEN_BAD_FILE, "tokenizer.json: merge %u isn't two tokens", rank);
    return den_bpe_add_merge(
        bpe, rank, (struct den_token_text){ text, (size_t)(space - text) },
        (struct den_token_text){ space + 1, length - (size_t)(space - text) - 1 }, err);
}

static den_token find_named(struct den_tokenizer *tokenizer, const json_t *model, const char *key)
{
    const json_t *name = json_object_get(model, key);

    return den_vocabulary_find(&tokenizer->vocabulary,
                               json_is_string(name) ? json_string_value(name) : "",
                               json_string_length(name));
}

/* An affix of BPE, NULL where it is absent or empty. */
static enum den_status read_affix(struct den_tokenizer *tokenizer, const json_t *model,
                                  const char *key, const char **out, struct den_error *err)
{
    struct den_token_text text;

    if (den_tokenizer_read_text(tokenizer, model, key, "", &text, err) != DEN_OK)
        return err->status;
    *out = text.length > 0 ? text.bytes : NULL;
    return DEN_OK;
}

static enum den_status read_bpe(struct den_tokenizer *tokenizer, const json_t *model,
                                struct den_error *err)
{
    const json_t *merges = json_object_get(model, "merges");
    struct den_pretokenizer *pretokenizer = &tokenizer->pretokenizer;
    struct den_bpe *bpe = &tokenizer->bpe;
    size_t i;

    tokenizer->model = DEN_MODEL_BPE;
    bpe->unknown = find_named(tokenizer, model, "unk_token");
    bpe->fuse_unknown = flag(model, "fuse_unk", false);
    bpe->byte_fallback = flag(model, "byte_fallback", false);
    bpe->ignore_merges = flag(model, "ignore_merges", false);
    if (read_affix(tokenizer, model, "continuing_subword_prefix", &bpe->prefix, err) != DEN_OK ||
        read_affix(tokenizer, model, "end_of_word_suffix", &bpe->suffix, err) != DEN_OK ||
        den_bpe_init_merges(bpe, json_array_size(merges), err) != DEN_OK)
        return err->status;
    for (i = 0; i < json_array_size(merges); i++)
        if (read_merge(bpe, json_array_get(merges, i), (uint32_t)i, err) != DEN_OK)
            return err->status;
    /* words can stay bytes when nothing but the model sees them in the byte alphabet */
    if (pretokenizer->count > 0 && !bpe->prefix && !bpe->suffix &&
        pretokenizer->steps[pretokenizer->count - 1].kind == DEN_PRETOKENIZER_BYTE_ALPHABET) {
        pretokenizer->count--;
        bpe->raw_bytes = true;
    }
    den_bpe_finish(bpe);
    return DEN_OK;
}

static enum den_status read_unigram(struct den_tokenizer *tokenizer, const json_t *model,
                                    struct den_error *err)
{
    const json_t *pairs = json_object_get(model, "vocab");
    struct den_unigram *unigram = &tokenizer->unigram;
    double *scores = calloc(tokenizer->vocabulary.count + 1, sizeof *scores);
    int64_t unknown = -1;
    size_t i;

    if (!scores)
        return den_fail(err, DEN_NO_MEMORY, "tokenizer.json: out of memory");
    for (i = 0; i < json_array_size(pairs) && i < tokenizer->vocabulary.count; i++)
        scores[i] = json_number_value(json_array_get(json_array_get(pairs, i), 1));
    tokenizer->model = DEN_MODEL_UNIGRAM;
    unigram->byte_fallback = flag(model, "byte_fallback", false);
    if (den_unigram_init(unigram, &tokenizer->vocabulary, scores, err) != DEN_OK ||
        den_json_get_integer(model, "unk_id", 0, (int64_t)tokenizer->vocabulary.count - 1, &unknown,
                             err) != DEN_OK)
        return err->status;
    unigram->unknown = unknown < 0 ? DEN_TOKEN_NONE : (den_token)unknown;
    return DEN_OK;
}

static enum den_status read_wordpiece(struct den_tokenizer *tokenizer, const json_t *model,
                                      struct den_error *err)
{
    struct den_wordpiece *wordpiece = &tokenizer->wordpiece;
    struct den_token_text mark;
    int64_t characters = 100;

    tokenizer->model = DEN_MODEL_WORDPIECE;
    if (den_tokenizer_read_text(tokenizer, model, "continuing_subword_prefix", "##", &mark, err) !=
            DEN_OK ||
        den_json_get_integer(model, "max_input_chars_per_word", 1, INT32_MAX, &characters, err) !=
            DEN_OK ||
        den_wordpiece_init(wordpiece, &tokenizer->vocabulary, mark, err) != DEN_OK)
        return err->status;
    wordpiece->characters_max = (size_t)characters;
    wordpiece->unknown = find_named(tokenizer, model, "unk_token");
    return DEN_OK;
}

static enum den_status read_model(struct den_tokenizer *tokenizer, const json_t *model,
                                  struct den_error *err)
{
    const char *type = den_tokenizer_type(model);

    if (strcmp(type, "BPE") == 0 || (!*type && json_object_get(model, "merges")))
        return read_bpe(tokenizer, model, err);
    if (strcmp(type, "Unigram") == 0 || (!*type && json_is_array(json_object_get(model, "vocab"))))
        return read_unigram(tokenizer, model, err);
    if (strcmp(type, "WordPiece") == 0)
        return read_wordpiece(tokenizer, model, err);
    return den_fail(err, DEN_UNSUPPORTED,
                    "tokenizer.json: the model '%.64s' isn't known; known are BPE, Unigram and "
                    "WordPiece",
                    type);
}

static enum den_status read_parts(struct den_tokenizer *tokenizer, const json_t *root,
                                  const json_t *config, struct den_error *err)
{
    const json_t *model = json_object_get(root, "model");
    const json_t *added = json_object_get(root, "added_tokens");
    size_t i;

    if (read_vocabulary(tokenizer, json_object_get(model, "vocab"), err) != DEN_OK ||
        den_tokenizer_read_normalizer(tokenizer, json_object_get(root, "normalizer"), err) !=
            DEN_OK ||
        den_tokenizer_read_pretokenizer(tokenizer, json_object_get(root, "pre_tokenizer"), err) !=
            DEN_OK ||
        den_tokenizer_read_decoder(tokenizer, json_object_get(root, "decoder"), err) != DEN_OK)
        return err->status;
    for (i = 0; i < json_array_size(added); i++)
        if (read_added_token(tokenizer, json_array_get(added, i), err) != DEN_OK)
            return err->status;
    if (read_model(tokenizer, model, err) != DEN_OK ||
        den_tokenizer_read_template(tokenizer, json_object_get(root, "post_processor"), err) !=
            DEN_OK ||
        den_tokenizer_apply_config(tokenizer, config, err) != DEN_OK)
        return err->status;
    return den_tokenizer_finish(tokenizer, err);
}

enum den_status den_tokenizer_create_json(const char *text, size_t length, const json_t *config,
                                          struct den_tokenizer **out, struct den_error *err)
{
    struct den_tokenizer *tokenizer = NULL;
    const json_t *vocabulary;
    json_t *root = NULL;
    size_t capacity = 0;

    if (den_json_parse(text, length, "tokenizer.json", &root, err) != DEN_OK)
        goto done;
    vocabulary = json_object_get(json_object_get(root, "model"), "vocab");
    if (!json_is_object(vocabulary) && !json_is_array(vocabulary)) {
        bad(err, "it has no model with a vocab");
        goto done;
    }
    if (count_ids(root, vocabulary, &capacity, err) != DEN_OK ||
        den_tokenizer_create_empty(capacity, 4 * length, &tokenizer, err) != DEN_OK ||
        read_parts(tokenizer, root, config, err) != DEN_OK)
        goto done;
    *out = tokenizer;
    tokenizer = NULL;
done:
    den_tokenizer_destroy(tokenizer);
    json_decref(root);
    return err->status;
}
