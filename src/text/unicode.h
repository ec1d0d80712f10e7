/* Unicode: what tokenizers ask about characters, and the four normalization forms.
 *
 * Data: Unicode 14, the version of Debian's PCRE2, made by scripts/make_unicode_tables.py. Every
 * lookup is a binary search, with ASCII answered first. */
#ifndef DEN_TEXT_UNICODE_H
#define DEN_TEXT_UNICODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/status.h"

/* In the order of the generated table. */
enum den_category {
    DEN_CATEGORY_LU,
    DEN_CATEGORY_LL,
    DEN_CATEGORY_LT,
    DEN_CATEGORY_LM,
    DEN_CATEGORY_LO,
    DEN_CATEGORY_MN,
    DEN_CATEGORY_MC,
    DEN_CATEGORY_ME,
    DEN_CATEGORY_ND,
    DEN_CATEGORY_NL,
    DEN_CATEGORY_NO,
    DEN_CATEGORY_PC,
    DEN_CATEGORY_PD,
    DEN_CATEGORY_PS,
    DEN_CATEGORY_PE,
    DEN_CATEGORY_PI,
    DEN_CATEGORY_PF,
    DEN_CATEGORY_PO,
    DEN_CATEGORY_SM,
    DEN_CATEGORY_SC,
    DEN_CATEGORY_SK,
    DEN_CATEGORY_SO,
    DEN_CATEGORY_ZS,
    DEN_CATEGORY_ZL,
    DEN_CATEGORY_ZP,
    DEN_CATEGORY_CC,
    DEN_CATEGORY_CF,
    DEN_CATEGORY_CS,
    DEN_CATEGORY_CO,
    DEN_CATEGORY_CN
};

enum den_category den_unicode_category(uint32_t code);
bool den_unicode_is_space(uint32_t code);       /* White_Space */
bool den_unicode_is_mark(uint32_t code);        /* Mn, Mc, Me */
bool den_unicode_is_number(uint32_t code);      /* Nd, Nl, No */
bool den_unicode_is_punctuation(uint32_t code); /* P*, and all of ASCII's punctuation and symbols */
bool den_unicode_is_word(uint32_t code); /* \w: alphabetic, marks, decimals, connectors, joiners */
/* Lower case of one character: one code, but U+0130's two. Returns how many. */
size_t den_unicode_lower(uint32_t code, uint32_t out[2]);

enum den_unicode_form { DEN_UNICODE_NFC, DEN_UNICODE_NFD, DEN_UNICODE_NFKC, DEN_UNICODE_NFKD };

/* Appends the normalized `text`. Ill-formed bytes pass unchanged and combine with nothing. Linear
 * in the text, also for a megabyte of combining marks. */
enum den_status den_unicode_normalize(enum den_unicode_form form, const char *text, size_t length,
                                      struct den_buffer *out, struct den_error *err);

/* As den_utf8_decode(), but false where the bytes are ill-formed (U+FFFD itself is well-formed).
 * *out_used gets the bytes consumed, one for an ill-formed byte. */
bool den_unicode_next(const char *text, size_t length, uint32_t *out_code, size_t *out_used);

#endif
