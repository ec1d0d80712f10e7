/* tokenizer.json's normalizer and pre_tokenizer (see tokenizer_json.h).
 *
 * A Sequence holds further ones; the JSON's own depth limit bounds the recursion. */
#include <string.h>

#include "base/json.h"
#include "text/tokenizer_json.h"

const char *den_tokenizer_type(const json_t *object)
{
    const char *type = json_string_value(json_object_get(object, "type"));

    return type ? type : "";
}

enum den_status den_tokenizer_read_text(struct den_tokenizer *tokenizer, const json_t *object,
                                        const char *key, const char *fallback,
                                        struct den_token_text *out, struct den_error *err)
{
    const json_t *value = json_object_get(object, key);

    if (value && !json_is_null(value) && !json_is_string(value))
        return den_fail(err, DEN_BAD_FILE, "tokenizer.json: '%s' of %s must be a string", key,
                        den_tokenizer_type(object));
    *out = json_is_string(value)
               ? den_tokenizer_keep(tokenizer, json_string_value(value), json_string_length(value))
               : den_tokenizer_keep(tokenizer, fallback, strlen(fallback));
    if (!out->bytes)
        return den_fail(err, DEN_NO_MEMORY, "tokenizer.json: out of memory");
    return DEN_OK;
}

enum den_status den_tokenizer_read_pattern(struct den_tokenizer *tokenizer, const json_t *object,
                                           struct den_token_text *out_text,
                                           struct den_regex **out_regex, struct den_error *err)
{
    const json_t *pattern = json_object_get(object, "pattern");
    const json_t *regex = json_object_get(pattern, "Regex");
    const json_t *text = json_object_get(pattern, "String");

    if (json_is_string(regex))
        return den_regex_create(json_string_value(regex), json_string_length(regex), out_regex,
                                err);
    if (!json_is_string(text))
        return den_fail(err, DEN_BAD_FILE,
                        "tokenizer.json: the pattern of %s must have a String or a Regex",
                        den_tokenizer_type(object));
    *out_text = den_tokenizer_keep(tokenizer, json_string_value(text), json_string_length(text));
    return out_text->bytes ? DEN_OK : den_fail(err, DEN_NO_MEMORY, "tokenizer.json: out of memory");
}

static enum den_status add_simple(struct den_tokenizer *tokenizer, enum den_normalizer_kind kind,
                                  struct den_error *err)
{
    return den_normalizer_add(&tokenizer->normalizer, (struct den_normalizer_step){ .kind = kind },
                              err);
}

static enum den_status add_form(struct den_tokenizer *tokenizer, enum den_unicode_form form,
                                struct den_error *err)
{
    return den_normalizer_add(
        &tokenizer->normalizer,
        (struct den_normalizer_step){ .kind = DEN_NORMALIZER_FORM, .form = form }, err);
}

/* Cleaning, ideographs, accents, case: in this order. Accents go by default where case does. */
static enum den_status read_bert_normalizer(struct den_tokenizer *tokenizer, const json_t *object,
                                            struct den_error *err)
{
    bool clean = true;
    bool ideographs = true;
    bool lower = true;
    bool accents;

    if (den_json_get_bool(object, "clean_text", &clean, err) != DEN_OK ||
        den_json_get_bool(object, "handle_chinese_chars", &ideographs, err) != DEN_OK ||
        den_json_get_bool(object, "lowercase", &lower, err) != DEN_OK)
        return err->status;
    accents = lower;
    if (den_json_get_bool(object, "strip_accents", &accents, err) != DEN_OK)
        return err->status;
    if (clean)
        add_simple(tokenizer, DEN_NORMALIZER_CLEAN, err);
    if (ideographs && err->status == DEN_OK)
        add_simple(tokenizer, DEN_NORMALIZER_SPACE_IDEOGRAPHS, err);
    if (accents && err->status == DEN_OK && add_form(tokenizer, DEN_UNICODE_NFD, err) == DEN_OK)
        add_simple(tokenizer, DEN_NORMALIZER_DROP_NONSPACING, err);
    if (lower && err->status == DEN_OK)
        add_simple(tokenizer, DEN_NORMALIZER_LOWERCASE, err);
    return err->status;
}

static enum den_status read_charsmap(struct den_tokenizer *tokenizer, const json_t *object,
                                     struct den_error *err)
{
    struct den_normalizer_step step = { .kind = DEN_NORMALIZER_CHARSMAP_BY_CLUSTER };
    const json_t *text = json_object_get(object, "precompiled_charsmap");
    struct den_buffer blob;

    if (!json_is_string(text) || json_string_length(text) == 0)
        return DEN_OK;
    den_buffer_init(&blob, DEN_FILE_TEXT_BYTES_MAX);
    if (den_base64_decode(json_string_value(text), json_string_length(text), &blob, err) ==
            DEN_OK &&
        den_charsmap_create(blob.data, blob.length, &step.charsmap, err) == DEN_OK &&
        den_regex_create("\\X", 2, &step.regex, err) == DEN_OK)
        den_normalizer_add(&tokenizer->normalizer, step, err);
    else
        den_charsmap_destroy(step.charsmap);
    den_buffer_deinit(&blob);
    return err->status;
}

static enum den_status read_replace(struct den_tokenizer *tokenizer, const json_t *object,
                                    struct den_error *err)
{
    struct den_normalizer_step step = { .kind = DEN_NORMALIZER_REPLACE };

    if (den_tokenizer_read_text(tokenizer, object, "content", "", &step.to, err) != DEN_OK ||
        den_tokenizer_read_pattern(tokenizer, object, &step.from, &step.regex, err) != DEN_OK)
        return err->status;
    return den_normalizer_add(&tokenizer->normalizer, step, err);
}

static enum den_status read_prepend_or_strip(struct den_tokenizer *tokenizer, const json_t *object,
                                             struct den_error *err)
{
    struct den_normalizer_step step = { .kind = DEN_NORMALIZER_STRIP, .left = true, .right = true };

    if (strcmp(den_tokenizer_type(object), "Prepend") == 0) {
        step.kind = DEN_NORMALIZER_PREPEND;
        if (den_tokenizer_read_text(tokenizer, object, "prepend", "", &step.to, err) != DEN_OK)
            return err->status;
    } else if (den_json_get_bool(object, "strip_left", &step.left, err) != DEN_OK ||
               den_json_get_bool(object, "strip_right", &step.right, err) != DEN_OK) {
        return err->status;
    }
    return den_normalizer_add(&tokenizer->normalizer, step, err);
}

enum den_status den_tokenizer_read_normalizer(struct den_tokenizer *tokenizer, const json_t *object,
                                              struct den_error *err)
{
    static const char *const forms[] = { "NFC", "NFD", "NFKC", "NFKD" };
    const char *type = den_tokenizer_type(object);
    const json_t *items = json_object_get(object, "normalizers");
    size_t i;

    if (!object || json_is_null(object))
        return DEN_OK;
    for (i = 0; i < sizeof forms / sizeof forms[0]; i++)
        if (strcmp(type, forms[i]) == 0)
            return add_form(tokenizer, (enum den_unicode_form)i, err);
    if (strcmp(type, "Sequence") == 0) {
        for (i = 0; i < json_array_size(items); i++)
            if (den_tokenizer_read_normalizer(tokenizer, json_array_get(items, i), err) != DEN_OK)
                return err->status;
        return DEN_OK;
    }
    if (strcmp(type, "Lowercase") == 0)
        return add_simple(tokenizer, DEN_NORMALIZER_LOWERCASE, err);
    if (strcmp(type, "StripAccents") == 0)
        return add_simple(tokenizer, DEN_NORMALIZER_DROP_MARKS, err);
    if (strcmp(type, "Nmt") == 0)
        return add_simple(tokenizer, DEN_NORMALIZER_NMT, err);
    if (strcmp(type, "ByteLevel") == 0)
        return add_simple(tokenizer, DEN_NORMALIZER_BYTE_ALPHABET, err);
    if (strcmp(type, "BertNormalizer") == 0)
        return read_bert_normalizer(tokenizer, object, err);
    if (strcmp(type, "Precompiled") == 0)
        return read_charsmap(tokenizer, object, err);
    if (strcmp(type, "Replace") == 0)
        return read_replace(tokenizer, object, err);
    if (strcmp(type, "Prepend") == 0 || strcmp(type, "Strip") == 0)
        return read_prepend_or_strip(tokenizer, object, err);
    return den_fail(err, DEN_UNSUPPORTED, "tokenizer.json: the normalizer '%.64s' isn't known",
                    type);
}

static enum den_status read_behavior(const json_t *object, enum den_split_behavior *out,
                                     struct den_error *err)
{
    static const char *const names[] = { "Removed", "Isolated", "MergedWithPrevious",
                                         "MergedWithNext", "Contiguous" };
    const char *name = json_string_value(json_object_get(object, "behavior"));
    size_t i;

    for (i = 0; name && i < sizeof names / sizeof names[0]; i++)
        if (strcmp(name, names[i]) == 0)
            *out = (enum den_split_behavior)i;
    for (i = 0; name && i < sizeof names / sizeof names[0]; i++)
        if (strcmp(name, names[i]) == 0)
            return DEN_OK;
    return name ? den_fail(err, DEN_UNSUPPORTED,
                           "tokenizer.json: the split behavior '%.64s' isn't "
                           "known",
                           name)
                : DEN_OK;
}

static enum den_status add_step(struct den_tokenizer *tokenizer, enum den_pretokenizer_kind kind,
                                enum den_split_behavior behavior, struct den_error *err)
{
    return den_pretokenizer_add(
        &tokenizer->pretokenizer,
        (struct den_pretokenizer_step){ .kind = kind, .behavior = behavior }, err);
}

/* The two patterns in use that group digits from the right look ahead over the rest of the run at
 * every digit, which is quadratic; a counted step does the same. */
static bool is_digit_grouping(const json_t *object, bool *out_whole_only)
{
    const char *regex =
        json_string_value(json_object_get(json_object_get(object, "pattern"), "Regex"));

    *out_whole_only = regex && strcmp(regex, "\\d{1,3}(?=(?:\\d{3})*\\b)") == 0;
    return regex && (*out_whole_only || strcmp(regex, "(?=(\\d{3})+(?!\\d))") == 0);
}

static enum den_status read_split(struct den_tokenizer *tokenizer, const json_t *object,
                                  struct den_error *err)
{
    struct den_pretokenizer_step step = { .behavior = DEN_SPLIT_ISOLATED };

    if (read_behavior(object, &step.behavior, err) != DEN_OK ||
        den_json_get_bool(object, "invert", &step.invert, err) != DEN_OK ||
        den_tokenizer_read_pattern(tokenizer, object, &step.text, &step.regex, err) != DEN_OK)
        return err->status;
    step.kind = step.regex ? DEN_PRETOKENIZER_REGEX : DEN_PRETOKENIZER_LITERAL;
    if (is_digit_grouping(object, &step.whole_only) && !step.invert &&
        step.behavior == DEN_SPLIT_ISOLATED)
        step.kind = DEN_PRETOKENIZER_DIGIT_GROUPS;
    return den_pretokenizer_add(&tokenizer->pretokenizer, step, err);
}

static enum den_status read_metaspace(struct den_tokenizer *tokenizer, const json_t *object,
                                      struct den_error *err)
{
    struct den_pretokenizer_step step = { .kind = DEN_PRETOKENIZER_METASPACE,
                                          .behavior = DEN_SPLIT_MERGED_WITH_NEXT,
                                          .split = true,
                                          .prefix = DEN_METASPACE_ALWAYS };
    const char *scheme = json_string_value(json_object_get(object, "prepend_scheme"));
    bool prefix = true; /* the older form of the scheme */

    if (den_tokenizer_read_text(tokenizer, object, "replacement", "\xE2\x96\x81", &step.text,
                                err) != DEN_OK ||
        den_json_get_bool(object, "split", &step.split, err) != DEN_OK ||
        den_json_get_bool(object, "add_prefix_space", &prefix, err) != DEN_OK)
        return err->status;
    if (scheme ? strcmp(scheme, "never") == 0 : !prefix)
        step.prefix = DEN_METASPACE_NEVER;
    else if (scheme && strcmp(scheme, "first") == 0)
        step.prefix = DEN_METASPACE_FIRST;
    return den_pretokenizer_add(&tokenizer->pretokenizer, step, err);
}

static enum den_status read_byte_level(struct den_tokenizer *tokenizer, const json_t *object,
                                       struct den_error *err)
{
    bool prefix = true;
    bool regex = true;

    if (den_json_get_bool(object, "add_prefix_space", &prefix, err) != DEN_OK ||
        den_json_get_bool(object, "use_regex", &regex, err) != DEN_OK)
        return err->status;
    if (prefix &&
        add_step(tokenizer, DEN_PRETOKENIZER_BYTE_PREFIX, DEN_SPLIT_ISOLATED, err) != DEN_OK)
        return err->status;
    if (regex &&
        den_pretokenizer_add_regex(
            &tokenizer->pretokenizer,
            (struct den_token_text){ den_pretokenizer_gpt2, strlen(den_pretokenizer_gpt2) },
            DEN_SPLIT_ISOLATED, false, err) != DEN_OK)
        return err->status;
    return add_step(tokenizer, DEN_PRETOKENIZER_BYTE_ALPHABET, DEN_SPLIT_ISOLATED, err);
}

static enum den_status read_class_split(struct den_tokenizer *tokenizer, const json_t *object,
                                        struct den_error *err)
{
    const char *type = den_tokenizer_type(object);
    enum den_split_behavior behavior = DEN_SPLIT_ISOLATED;
    bool single = false;

    if (strcmp(type, "Digits") == 0) {
        if (den_json_get_bool(object, "individual_digits", &single, err) != DEN_OK)
            return err->status;
        return add_step(tokenizer, DEN_PRETOKENIZER_DIGITS,
                        single ? DEN_SPLIT_ISOLATED : DEN_SPLIT_CONTIGUOUS, err);
    }
    if (strcmp(type, "Punctuation") == 0) {
        if (read_behavior(object, &behavior, err) != DEN_OK)
            return err->status;
        return add_step(tokenizer, DEN_PRETOKENIZER_PUNCTUATION, behavior, err);
    }
    if (strcmp(type, "Whitespace") == 0) {
        struct den_pretokenizer_step words = { .kind = DEN_PRETOKENIZER_WORDS,
                                               .behavior = DEN_SPLIT_REMOVED,
                                               .invert = true };

        return den_pretokenizer_add(&tokenizer->pretokenizer, words, err);
    }
    if (add_step(tokenizer, DEN_PRETOKENIZER_SPACES, DEN_SPLIT_REMOVED, err) != DEN_OK)
        return err->status;
    if (strcmp(type, "BertPreTokenizer") == 0)
        return add_step(tokenizer, DEN_PRETOKENIZER_PUNCTUATION, DEN_SPLIT_ISOLATED, err);
    return DEN_OK;
}

enum den_status den_tokenizer_read_pretokenizer(struct den_tokenizer *tokenizer,
                                                const json_t *object, struct den_error *err)
{
    static const char *const class_splits[] = { "Digits", "Punctuation", "Whitespace",
                                                "WhitespaceSplit", "BertPreTokenizer" };
    const char *type = den_tokenizer_type(object);
    const json_t *items = json_object_get(object, "pretokenizers");
    struct den_pretokenizer_step delimiter = { .kind = DEN_PRETOKENIZER_LITERAL,
                                               .behavior = DEN_SPLIT_REMOVED };
    size_t i;

    if (!object || json_is_null(object))
        return DEN_OK;
    for (i = 0; i < sizeof class_splits / sizeof class_splits[0]; i++)
        if (strcmp(type, class_splits[i]) == 0)
            return read_class_split(tokenizer, object, err);
    if (strcmp(type, "Sequence") == 0) {
        for (i = 0; i < json_array_size(items); i++)
            if (den_tokenizer_read_pretokenizer(tokenizer, json_array_get(items, i), err) != DEN_OK)
                return err->status;
        return DEN_OK;
    }
    if (strcmp(type, "Split") == 0)
        return read_split(tokenizer, object, err);
    if (strcmp(type, "Metaspace") == 0)
        return read_metaspace(tokenizer, object, err);
    if (strcmp(type, "ByteLevel") == 0)
        return read_byte_level(tokenizer, object, err);
    if (strcmp(type, "CharDelimiterSplit") == 0)
        return den_tokenizer_read_text(tokenizer, object, "delimiter", " ", &delimiter.text, err) ==
                       DEN_OK
                   ? den_pretokenizer_add(&tokenizer->pretokenizer, delimiter, err)
                   : err->status;
    return den_fail(err, DEN_UNSUPPORTED, "tokenizer.json: the pre-tokenizer '%.64s' isn't known",
                    type);
}
