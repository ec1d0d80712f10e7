/* See normalizer.h. */
#include "text/normalizer.h"

#include <string.h>

#include "base/utf8.h"
#include "text/bpe.h"

void den_normalizer_deinit(struct den_normalizer *normalizer)
{
    size_t i;

    for (i = 0; i < normalizer->count; i++) {
        den_regex_destroy(normalizer->steps[i].regex);
        den_charsmap_destroy(normalizer->steps[i].charsmap);
    }
    *normalizer = (struct den_normalizer){ 0 };
}

enum den_status den_normalizer_add(struct den_normalizer *normalizer,
                                   struct den_normalizer_step step, struct den_error *err)
{
    if (normalizer->count == DEN_NORMALIZER_STEPS_MAX) {
        den_regex_destroy(step.regex);
        den_charsmap_destroy(step.charsmap);
        return den_fail(err, DEN_TOO_LARGE, "tokenizer: more than %d normalizer steps",
                        DEN_NORMALIZER_STEPS_MAX);
    }
    normalizer->steps[normalizer->count++] = step;
    return DEN_OK;
}

static void append_code(struct den_buffer *out, uint32_t code)
{
    char bytes[4];

    den_buffer_append(out, bytes, den_utf8_encode(code, bytes));
}

static void append_lower(struct den_buffer *out, uint32_t code)
{
    uint32_t lower[2];
    size_t count = den_unicode_lower(code, lower);
    size_t i;

    for (i = 0; i < count; i++)
        append_code(out, lower[i]);
}

/* BERT's cleaning: NUL, U+FFFD and control characters vanish. */
static bool is_unclean(uint32_t code)
{
    enum den_category category;

    if (code == '\t' || code == '\n' || code == '\r')
        return false;
    category = den_unicode_category(code);
    return code == 0 || code == 0xFFFD ||
           (category >= DEN_CATEGORY_CC && category <= DEN_CATEGORY_CO);
}

static bool is_ideograph(uint32_t code)
{
    return (code >= 0x4E00 && code <= 0x9FFF) || (code >= 0x3400 && code <= 0x4DBF) ||
           (code >= 0x20000 && code <= 0x2A6DF) || (code >= 0x2A700 && code <= 0x2B73F) ||
           (code >= 0x2B740 && code <= 0x2B81F) || (code >= 0x2B920 && code <= 0x2CEAF) ||
           (code >= 0xF900 && code <= 0xFAFF) || (code >= 0x2F800 && code <= 0x2FA1F);
}

static bool is_nmt_dropped(uint32_t code)
{
    return (code >= 0x1 && code <= 0x8) || code == 0xB || (code >= 0xE && code <= 0x1F) ||
           code == 0x7F || code == 0x8F || code == 0x9F;
}

static bool is_nmt_space(uint32_t code)
{
    return code == 0x9 || code == 0xA || code == 0xC || code == 0xD || code == 0x1680 ||
           (code >= 0x200B && code <= 0x200F) || code == 0x2028 || code == 0x2029 ||
           code == 0x2581 || code == 0xFEFF || code == 0xFFFD;
}

/* A step that looks at one character at a time. */
static void map_character(enum den_normalizer_kind kind, uint32_t code, struct den_buffer *out)
{
    switch (kind) {
    case DEN_NORMALIZER_LOWERCASE:
        append_lower(out, code);
        return;
    case DEN_NORMALIZER_DROP_MARKS:
        if (code < 0x300 || !den_unicode_is_mark(code))
            append_code(out, code);
        return;
    case DEN_NORMALIZER_DROP_NONSPACING:
        if (code < 0x300 || den_unicode_category(code) != DEN_CATEGORY_MN)
            append_code(out, code);
        return;
    case DEN_NORMALIZER_CLEAN:
        if (!is_unclean(code))
            append_code(out, den_unicode_is_space(code) ? ' ' : code);
        return;
    case DEN_NORMALIZER_SPACE_IDEOGRAPHS:
        if (is_ideograph(code)) {
            den_buffer_append_byte(out, ' ');
            append_code(out, code);
            den_buffer_append_byte(out, ' ');
        } else {
            append_code(out, code);
        }
        return;
    default: /* DEN_NORMALIZER_NMT */
        if (!is_nmt_dropped(code))
            append_code(out, is_nmt_space(code) ? ' ' : code);
        return;
    }
}

static void map_characters(enum den_normalizer_kind kind, struct den_token_text text,
                           struct den_buffer *out)
{
    size_t at = 0;

    while (at < text.length) {
        uint32_t code;
        size_t used;

        if (den_unicode_next(text.bytes + at, text.length - at, &code, &used))
            map_character(kind, code, out);
        else
            den_buffer_append(out, text.bytes + at, used);
        at += used;
    }
}

static void replace_text(const struct den_normalizer_step *step, struct den_token_text text,
                         struct den_buffer *out)
{
    const char *at = text.bytes;
    const char *end = text.bytes + text.length;

    while (step->from.length > 0 && at < end) {
        const char *found = memmem(at, (size_t)(end - at), step->from.bytes, step->from.length);

        if (!found)
            break;
        den_buffer_append(out, at, (size_t)(found - at));
        den_buffer_append(out, step->to.bytes, step->to.length);
        at = found + step->from.length;
    }
    den_buffer_append(out, at, (size_t)(end - at));
}

/* The end of the run of well-formed text that begins at `at`. */
static size_t find_run_end(struct den_token_text text, size_t at)
{
    uint32_t code;
    size_t used;

    while (at < text.length && den_unicode_next(text.bytes + at, text.length - at, &code, &used))
        at += used;
    return at;
}

/* What to do with each match of a regular expression in a run of well-formed text. */
typedef void (*match_action)(const struct den_normalizer_step *step, struct den_token_text match,
                             struct den_buffer *out);

static enum den_status map_matches(const struct den_normalizer_step *step,
                                   struct den_regex_work *work, struct den_token_text text,
                                   match_action action, struct den_buffer *out,
                                   struct den_error *err)
{
    size_t start = 0;

    while (start < text.length) {
        size_t end = find_run_end(text, start);
        struct den_token_text run = { text.bytes + start, end - start };
        size_t at = 0;

        while (at < run.length) {
            struct den_regex_match match;
            size_t next;

            if (den_regex_find(step->regex, work, run, at, &match, err) != DEN_OK)
                return err->status;
            if (match.start == SIZE_MAX)
                break;
            next = match.end;
            den_buffer_append(out, run.bytes + at, match.start - at);
            action(step,
                   (struct den_token_text){ run.bytes + match.start, match.end - match.start },
                   out);
            if (match.end == match.start && match.end < run.length) { /* step over a character */
                uint32_t code;

                next += den_utf8_decode(run.bytes + next, run.length - next, &code);
                den_buffer_append(out, run.bytes + match.end, next - match.end);
            }
            at = next > at ? next : run.length;
        }
        den_buffer_append(out, run.bytes + at, run.length - at);
        if (end < text.length)
            den_buffer_append_byte(out, text.bytes[end++]);
        start = end;
    }
    return DEN_OK;
}

static void append_replacement(const struct den_normalizer_step *step, struct den_token_text match,
                               struct den_buffer *out)
{
    (void)match;
    den_buffer_append(out, step->to.bytes, step->to.length);
}

/* The tokenizers package looks up a whole cluster of under 6 bytes, then single characters, and
 * takes the shortest rule that either begins with. */
static void append_cluster(const struct den_normalizer_step *step, struct den_token_text match,
                           struct den_buffer *out)
{
    const char *replacement;
    size_t at = 0;
    size_t used;

    if (match.length < 6) {
        den_charsmap_match(step->charsmap, match.bytes, match.length, true, &used, &replacement);
        if (used > 0) {
            den_buffer_append_text(out, replacement);
            return;
        }
    }
    while (at < match.length) {
        uint32_t code;
        size_t length = den_utf8_decode(match.bytes + at, match.length - at, &code);

        den_charsmap_match(step->charsmap, match.bytes + at, length, true, &used, &replacement);
        if (used > 0)
            den_buffer_append_text(out, replacement);
        else
            den_buffer_append(out, match.bytes + at, length);
        at += length;
    }
}

static void map_longest_rules(const struct den_charsmap *map, struct den_token_text text,
                              struct den_buffer *out)
{
    size_t at = 0;

    while (at < text.length) {
        const char *replacement;
        uint32_t code;
        size_t used;

        den_charsmap_match(map, text.bytes + at, text.length - at, false, &used, &replacement);
        if (used > 0) {
            den_buffer_append_text(out, replacement);
        } else {
            den_unicode_next(text.bytes + at, text.length - at, &code, &used);
            den_buffer_append(out, text.bytes + at, used);
        }
        at += used;
    }
}

static void strip(const struct den_normalizer_step *step, struct den_token_text text,
                  struct den_buffer *out)
{
    size_t start = 0;
    size_t end = 0; /* of the last character that isn't white space */
    size_t at = 0;
    bool begun = !step->left;

    while (at < text.length) {
        uint32_t code;
        size_t used;
        bool space = den_unicode_next(text.bytes + at, text.length - at, &code, &used) &&
                     den_unicode_is_space(code);

        if (!begun && space)
            start = at + used;
        begun = begun || !space;
        at += used;
        if (!space)
            end = at;
    }
    if (!step->right)
        end = text.length;
    if (end > start)
        den_buffer_append(out, text.bytes + start, end - start);
}

static void collapse(struct den_token_text text, struct den_buffer *out)
{
    bool pending = false;
    size_t i;

    for (i = 0; i < text.length; i++) {
        if (text.bytes[i] == ' ') {
            pending = out->length > 0;
            continue;
        }
        if (pending)
            den_buffer_append_byte(out, ' ');
        pending = false;
        den_buffer_append_byte(out, text.bytes[i]);
    }
}

static enum den_status run_step(const struct den_normalizer_step *step, struct den_regex_work *work,
                                struct den_token_text text, struct den_buffer *out,
                                struct den_error *err)
{
    switch (step->kind) {
    case DEN_NORMALIZER_FORM:
        return den_unicode_normalize(step->form, text.bytes, text.length, out, err);
    case DEN_NORMALIZER_REPLACE:
        if (step->regex)
            return map_matches(step, work, text, append_replacement, out, err);
        replace_text(step, text, out);
        break;
    case DEN_NORMALIZER_PREPEND:
        if (text.length > 0)
            den_buffer_append(out, step->to.bytes, step->to.length);
        den_buffer_append(out, text.bytes, text.length);
        break;
    case DEN_NORMALIZER_STRIP:
        strip(step, text, out);
        break;
    case DEN_NORMALIZER_CHARSMAP:
        map_longest_rules(step->charsmap, text, out);
        break;
    case DEN_NORMALIZER_CHARSMAP_BY_CLUSTER:
        return map_matches(step, work, text, append_cluster, out, err);
    case DEN_NORMALIZER_COLLAPSE:
        collapse(text, out);
        break;
    case DEN_NORMALIZER_BYTE_ALPHABET:
        den_bpe_append_mapped(out, text.bytes, text.length);
        break;
    default:
        map_characters(step->kind, text, out);
        break;
    }
    return DEN_OK;
}

enum den_status den_normalizer_run(const struct den_normalizer *normalizer,
                                   struct den_regex_work *work, struct den_token_text text,
                                   struct den_buffer buffers[2], struct den_token_text *out,
                                   struct den_error *err)
{
    size_t i;

    for (i = 0; i < normalizer->count; i++) {
        struct den_buffer *buffer = &buffers[i % 2];

        den_buffer_clear(buffer);
        if (run_step(&normalizer->steps[i], work, text, buffer, err) != DEN_OK ||
            den_buffer_status(buffer, "tokenizer: normalized text", err) != DEN_OK)
            return err->status;
        text = (struct den_token_text){ buffer->data, buffer->length };
    }
    *out = text;
    return DEN_OK;
}
