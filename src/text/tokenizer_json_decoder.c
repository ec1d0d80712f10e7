/* tokenizer.json's decoder and post_processor (see tokenizer_json.h). */
#include <string.h>

#include "base/json.h"
#include "text/tokenizer_json.h"

static enum den_status read_metaspace(struct den_tokenizer *tokenizer, const json_t *object,
                                      struct den_decoder_step *step, struct den_error *err)
{
    const char *scheme = json_string_value(json_object_get(object, "prepend_scheme"));
    bool prefix = true;

    if (den_json_get_bool(object, "add_prefix_space", &prefix, err) != DEN_OK)
        return err->status;
    step->kind = DEN_DECODER_METASPACE;
    step->drop_first = scheme ? strcmp(scheme, "never") != 0 : prefix;
    return den_tokenizer_read_text(tokenizer, object, "replacement", "\xE2\x96\x81", &step->from,
                                   err);
}

static enum den_status read_strip(struct den_tokenizer *tokenizer, const json_t *object,
                                  struct den_decoder_step *step, struct den_error *err)
{
    int64_t left = 0;
    int64_t right = 0;

    if (den_json_get_integer(object, "start", 0, DEN_TOKEN_BYTES_MAX, &left, err) != DEN_OK ||
        den_json_get_integer(object, "stop", 0, DEN_TOKEN_BYTES_MAX, &right, err) != DEN_OK)
        return err->status;
    step->kind = DEN_DECODER_STRIP;
    step->left = (size_t)left;
    step->right = (size_t)right;
    return den_tokenizer_read_text(tokenizer, object, "content", " ", &step->from, err);
}

static enum den_status read_replace(struct den_tokenizer *tokenizer, const json_t *object,
                                    struct den_decoder_step *step, struct den_error *err)
{
    struct den_regex *regex = NULL;

    step->kind = DEN_DECODER_REPLACE;
    if (den_tokenizer_read_text(tokenizer, object, "content", "", &step->to, err) != DEN_OK ||
        den_tokenizer_read_pattern(tokenizer, object, &step->from, &regex, err) != DEN_OK)
        return err->status;
    den_regex_destroy(regex);
    if (regex)
        return den_fail(err, DEN_UNSUPPORTED,
                        "tokenizer.json: a decoder that replaces by a regular expression");
    return DEN_OK;
}

/* `fused`: a Fuse came before, so that a Strip is of the whole text. */
static enum den_status read_step(struct den_tokenizer *tokenizer, const json_t *object, bool *fused,
                                 struct den_error *err)
{
    struct den_decoder *decoder = &tokenizer->decoder;
    const char *type = den_tokenizer_type(object);
    struct den_decoder_step step = { 0 };

    if (strcmp(type, "Fuse") == 0) {
        *fused = true;
        return DEN_OK;
    }
    if (strcmp(type, "ByteLevel") == 0) {
        step.kind = DEN_DECODER_BYTE_ALPHABET;
    } else if (strcmp(type, "ByteFallback") == 0) {
        step.kind = DEN_DECODER_BYTE_FALLBACK;
    } else if (strcmp(type, "Replace") == 0) {
        read_replace(tokenizer, object, &step, err);
    } else if (strcmp(type, "Metaspace") == 0) {
        read_metaspace(tokenizer, object, &step, err);
    } else if (strcmp(type, "Strip") == 0) {
        read_strip(tokenizer, object, &step, err);
    } else if (strcmp(type, "WordPiece") == 0) {
        step.kind = DEN_DECODER_WORDPIECE;
        step.clean_up = true;
        den_json_get_bool(object, "cleanup", &step.clean_up, err);
        if (err->status == DEN_OK)
            den_tokenizer_read_text(tokenizer, object, "prefix", "##", &step.from, err);
    } else if (strcmp(type, "BPEDecoder") == 0) {
        step.kind = DEN_DECODER_WORD_SUFFIX;
        den_tokenizer_read_text(tokenizer, object, "suffix", "</w>", &step.from, err);
    } else {
        return den_fail(err, DEN_UNSUPPORTED, "tokenizer.json: the decoder '%.64s' isn't known",
                        type);
    }
    if (err->status != DEN_OK)
        return err->status;
    if (*fused && step.kind == DEN_DECODER_STRIP) {
        decoder->strip = step.from;
        decoder->strip_left += step.left;
        decoder->strip_right += step.right;
        return DEN_OK;
    }
    return den_decoder_add(decoder, step, err);
}

static enum den_status read_steps(struct den_tokenizer *tokenizer, const json_t *object,
                                  bool *fused, struct den_error *err)
{
    const json_t *items = json_object_get(object, "decoders");
    size_t i;

    if (strcmp(den_tokenizer_type(object), "Sequence") != 0)
        return read_step(tokenizer, object, fused, err);
    for (i = 0; i < json_array_size(items); i++)
        if (read_steps(tokenizer, json_array_get(items, i), fused, err) != DEN_OK)
            return err->status;
    return DEN_OK;
}

enum den_status den_tokenizer_read_decoder(struct den_tokenizer *tokenizer, const json_t *object,
                                           struct den_error *err)
{
    bool fused = false;

    tokenizer->decoder.spaced = !object || json_is_null(object);
    if (tokenizer->decoder.spaced)
        return DEN_OK;
    return read_steps(tokenizer, object, &fused, err);
}

static enum den_status append_id(struct den_tokenizer *tokenizer, const json_t *id,
                                 struct den_tokens *out, struct den_error *err)
{
    json_int_t value = json_is_integer(id) ? json_integer_value(id) : -1;
    den_token token;

    if (value < 0 || (uint64_t)value >= tokenizer->vocabulary.count)
        return den_fail(err, DEN_BAD_FILE,
                        "tokenizer.json: the post-processor names token %lld of a vocabulary of "
                        "%zu",
                        (long long)value, tokenizer->vocabulary.count);
    token = (den_token)value;
    return den_tokens_append(out, &token, 1, err);
}

static enum den_status read_sequence_template(struct den_tokenizer *tokenizer, const json_t *object,
                                              struct den_error *err)
{
    const json_t *single = json_object_get(object, "single");
    const json_t *specials = json_object_get(object, "special_tokens");
    struct den_tokens *out = &tokenizer->prefix;
    size_t i;
    size_t j;

    for (i = 0; i < json_array_size(single); i++) {
        const json_t *special = json_object_get(json_array_get(single, i), "SpecialToken");
        const char *name = json_string_value(json_object_get(special, "id"));
        const json_t *ids = json_object_get(json_object_get(specials, name ? name : ""), "ids");

        if (!special) {
            out = &tokenizer->suffix;
            continue;
        }
        if (!json_is_array(ids))
            return den_fail(err, DEN_BAD_FILE,
                            "tokenizer.json: the template's '%.64s' isn't among its special_tokens",
                            name ? name : "");
        for (j = 0; j < json_array_size(ids); j++)
            if (append_id(tokenizer, json_array_get(ids, j), out, err) != DEN_OK)
                return err->status;
    }
    return DEN_OK;
}

enum den_status den_tokenizer_read_template(struct den_tokenizer *tokenizer, const json_t *object,
                                            struct den_error *err)
{
    const char *type = den_tokenizer_type(object);
    const json_t *items = json_object_get(object, "processors");
    size_t i;

    if (!object || json_is_null(object) || strcmp(type, "ByteLevel") == 0)
        return DEN_OK;
    if (strcmp(type, "Sequence") == 0) {
        for (i = 0; i < json_array_size(items); i++)
            if (den_tokenizer_read_template(tokenizer, json_array_get(items, i), err) != DEN_OK)
                return err->status;
        return DEN_OK;
    }
    if (strcmp(type, "TemplateProcessing") == 0)
        return read_sequence_template(tokenizer, object, err);
    if (strcmp(type, "BertProcessing") == 0 || strcmp(type, "RobertaProcessing") == 0) {
        const json_t *cls = json_array_get(json_object_get(object, "cls"), 1);
        const json_t *sep = json_array_get(json_object_get(object, "sep"), 1);

        if (append_id(tokenizer, cls, &tokenizer->prefix, err) != DEN_OK)
            return err->status;
        return append_id(tokenizer, sep, &tokenizer->suffix, err);
    }
    return den_fail(err, DEN_UNSUPPORTED, "tokenizer.json: the post-processor '%.64s' isn't known",
                    type);
}
