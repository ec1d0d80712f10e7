/* Decoder: from a token's name to the bytes it stands for.
 *
 * The steps of tokenizer.json's decoder, which look at one token at a time, so that a token's
 * bytes can be made once. Only a few look at where the token stands: some drop a space from the
 * first one, one drops it from the last. What a decoder does to the whole text (strip its ends) is
 * kept apart, in struct den_decoder. */
#include <string.h>

#include "base/utf8.h"
#include "text/tokenizer_parts.h"

enum den_status den_decoder_add(struct den_decoder *decoder, struct den_decoder_step step,
                                struct den_error *err)
{
    if (decoder->count == DEN_DECODER_STEPS_MAX)
        return den_fail(err, DEN_TOO_LARGE, "tokenizer: more than %d decoder steps",
                        DEN_DECODER_STEPS_MAX);
    decoder->steps[decoder->count++] = step;
    return DEN_OK;
}

static bool begins_with(struct den_token_text text, struct den_token_text start)
{
    return text.length >= start.length && memcmp(text.bytes, start.bytes, start.length) == 0;
}

static void append_replaced(struct den_token_text text, struct den_token_text from,
                            struct den_token_text to, struct den_buffer *out)
{
    const char *end = text.bytes + text.length;

    while (from.length > 0 && text.bytes < end) {
        const char *found = memmem(text.bytes, (size_t)(end - text.bytes), from.bytes, from.length);

        if (!found)
            break;
        den_buffer_append(out, text.bytes, (size_t)(found - text.bytes));
        den_buffer_append(out, to.bytes, to.length);
        text.bytes = found + from.length;
    }
    den_buffer_append(out, text.bytes, (size_t)(end - text.bytes));
}

/* Names in the byte alphabet become their bytes; others (added tokens) stay. */
static void append_unmapped(struct den_token_text text, struct den_buffer *out)
{
    size_t start = out->length;
    size_t at = 0;

    if (!den_buffer_reserve(out, text.length)) /* as many bytes at most, or the text itself */
        return;
    while (at < text.length) {
        uint32_t code;
        int byte;

        at += den_utf8_decode(text.bytes + at, text.length - at, &code);
        byte = den_bpe_code_to_byte(code);
        if (byte < 0) {
            out->length = start;
            den_buffer_append(out, text.bytes, text.length);
            return;
        }
        out->data[out->length++] = (char)byte;
    }
    out->data[out->length] = '\0';
}

static struct den_token_text literal(const char *text)
{
    return (struct den_token_text){ text, strlen(text) };
}

/* The clean-up of English spacing that BERT's decoder does, in its order. */
static void clean_up(struct den_buffer *text, struct den_buffer *spare)
{
    static const char *const rules[][2] = {
        { " .", "." },   { " ?", "?" },     { " !", "!" },     { " ,", "," },
        { " ' ", "'" },  { " n't", "n't" }, { " 'm", "'m" },   { " do not", " don't" },
        { " 's", "'s" }, { " 've", "'ve" }, { " 're", "'re" },
    };
    size_t i;

    for (i = 0; i < sizeof rules / sizeof rules[0]; i++) {
        struct den_buffer swap = *text;

        if (!memmem(text->data, text->length, rules[i][0], strlen(rules[i][0])))
            continue;
        den_buffer_clear(spare);
        append_replaced((struct den_token_text){ text->data, text->length }, literal(rules[i][0]),
                        literal(rules[i][1]), spare);
        *text = *spare;
        *spare = swap;
    }
}

static void append_wordpiece(const struct den_decoder_step *step, struct den_token_text text,
                             bool first, struct den_buffer *out)
{
    bool continues = !first && begins_with(text, step->from);

    if (continues) {
        text.bytes += step->from.length;
        text.length -= step->from.length;
    }
    if (!first && !continues)
        den_buffer_append_byte(out, ' ');
    den_buffer_append(out, text.bytes, text.length);
}

static void append_stripped(const struct den_decoder_step *step, struct den_token_text text,
                            struct den_buffer *out)
{
    size_t i;

    for (i = 0; i < step->left && step->from.length > 0 && begins_with(text, step->from); i++) {
        text.bytes += step->from.length;
        text.length -= step->from.length;
    }
    for (i = 0; i < step->right && step->from.length > 0 && text.length >= step->from.length &&
                memcmp(text.bytes + text.length - step->from.length, step->from.bytes,
                       step->from.length) == 0;
         i++)
        text.length -= step->from.length;
    den_buffer_append(out, text.bytes, text.length);
}

static void run_step(const struct den_decoder_step *step, struct den_token_text text, bool first,
                     bool last, struct den_buffer *out)
{
    const struct den_token_text nothing = { "", 0 };
    unsigned char byte;

    switch (step->kind) {
    case DEN_DECODER_BYTE_ALPHABET:
        append_unmapped(text, out);
        return;
    case DEN_DECODER_BYTE_FALLBACK:
        if (den_vocabulary_is_byte_name(text, &byte))
            den_buffer_append_byte(out, (char)byte);
        else
            den_buffer_append(out, text.bytes, text.length);
        return;
    case DEN_DECODER_REPLACE:
        append_replaced(text, step->from, step->to, out);
        return;
    case DEN_DECODER_METASPACE:
        append_replaced(text, step->from, first && step->drop_first ? nothing : literal(" "), out);
        return;
    case DEN_DECODER_WORD_SUFFIX:
        append_replaced(text, step->from, last ? nothing : literal(" "), out);
        return;
    case DEN_DECODER_WORDPIECE:
        append_wordpiece(step, text, first, out);
        return;
    case DEN_DECODER_STRIP:
        append_stripped(step, text, out);
        return;
    }
}

void den_decoder_append(const struct den_decoder *decoder, struct den_token_text name, bool first,
                        bool last, struct den_buffer *out)
{
    struct den_buffer buffers[2];
    struct den_token_text text = name;
    size_t i;

    if (decoder->spaced && !first)
        den_buffer_append_byte(out, ' ');
    if (decoder->count == 1 && !decoder->steps[0].clean_up) { /* most: no second buffer */
        run_step(&decoder->steps[0], name, first, last, out);
        return;
    }
    den_buffer_init(&buffers[0], 64u * DEN_TOKEN_BYTES_MAX);
    den_buffer_init(&buffers[1], 64u * DEN_TOKEN_BYTES_MAX);
    for (i = 0; i < decoder->count; i++) {
        den_buffer_clear(&buffers[0]);
        run_step(&decoder->steps[i], text, first, last, &buffers[0]);
        if (decoder->steps[i].clean_up)
            clean_up(&buffers[0], &buffers[1]);
        if (buffers[0].status != DEN_OK && out->status == DEN_OK)
            out->status = buffers[0].status;
        text = (struct den_token_text){ buffers[0].data, buffers[0].length };
        if (i + 1 < decoder->count) {
            struct den_buffer swap = buffers[0];

            buffers[0] = buffers[1];
            buffers[1] = swap;
        }
    }
    den_buffer_append(out, text.bytes, text.length);
    den_buffer_deinit(&buffers[0]);
    den_buffer_deinit(&buffers[1]);
}
