/* Normalizer: what happens to a text before it is split: Unicode forms, case, accents,
 * replacements.
 *
 * A list of steps, each a function from text to text, in the order of the model's file. Ill-formed
 * bytes pass through every step unchanged. Read-only once built. */
#ifndef DEN_TEXT_NORMALIZER_H
#define DEN_TEXT_NORMALIZER_H

#include "base/arena.h"
#include "text/normalizer_charsmap.h"
#include "text/pretokenizer_regex.h"
#include "text/tokenizer.h"
#include "text/unicode.h"

enum den_normalizer_kind {
    DEN_NORMALIZER_FORM,
    DEN_NORMALIZER_LOWERCASE,
    DEN_NORMALIZER_DROP_MARKS,          /* StripAccents: Mn, Mc, Me */
    DEN_NORMALIZER_DROP_NONSPACING,     /* BERT's accents, after NFD: Mn */
    DEN_NORMALIZER_CLEAN,               /* BERT: control characters out, white space to ' ' */
    DEN_NORMALIZER_SPACE_IDEOGRAPHS,    /* BERT: a space on either side of each CJK ideograph */
    DEN_NORMALIZER_REPLACE,             /* `regex`, or else the text `from`, by `to` */
    DEN_NORMALIZER_PREPEND,             /* `to`, where the text isn't empty */
    DEN_NORMALIZER_STRIP,               /* white space at `left` and `right` */
    DEN_NORMALIZER_NMT,                 /* SentencePiece's nmt: controls out, odd spaces to ' ' */
    DEN_NORMALIZER_CHARSMAP,            /* the longest rule at each place, as SentencePiece does */
    DEN_NORMALIZER_CHARSMAP_BY_CLUSTER, /* by grapheme clusters, as the tokenizers package does */
    DEN_NORMALIZER_COLLAPSE,            /* ' ': none at the ends, one between words */
    DEN_NORMALIZER_BYTE_ALPHABET        /* GPT-2's printable alphabet of bytes */
};

struct den_normalizer_step {
    enum den_normalizer_kind kind;
    enum den_unicode_form form;
    struct den_token_text from;
    struct den_token_text to;
    struct den_regex *regex;
    struct den_charsmap *charsmap;
    bool left;
    bool right;
};

#define DEN_NORMALIZER_STEPS_MAX 32 /* real files have at most six */

struct den_normalizer {
    struct den_normalizer_step steps[DEN_NORMALIZER_STEPS_MAX];
    size_t count;
};

void den_normalizer_deinit(struct den_normalizer *normalizer);
/* Takes over the step's regex and charsmap, also on failure; the texts must outlive it. */
enum den_status den_normalizer_add(struct den_normalizer *normalizer,
                                   struct den_normalizer_step step, struct den_error *err);
/* Normalizes into one of the two buffers, whose content is lost; *out is the text itself where no
 * step applies. */
enum den_status den_normalizer_run(const struct den_normalizer *normalizer,
                                   struct den_regex_work *work, struct den_token_text text,
                                   struct den_buffer buffers[2], struct den_token_text *out,
                                   struct den_error *err);

#endif
