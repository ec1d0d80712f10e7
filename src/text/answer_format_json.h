/* JSON, a byte at a time: whether what has come so far is the beginning of a JSON object, where in
 * it we are, and when it is whole. Nothing is kept but the place, so that a call's arguments can
 * be passed on while they are still being written. */
#ifndef DEN_TEXT_ANSWER_FORMAT_JSON_H
#define DEN_TEXT_ANSWER_FORMAT_JSON_H

#include <stdbool.h>
#include <stdint.h>

enum den_json_place {
    DEN_JSON_VALUE,      /* a value must follow */
    DEN_JSON_FIRST_ITEM, /* after '[': a value or ']' */
    DEN_JSON_FIRST_KEY,  /* after '{': a key or '}' */
    DEN_JSON_KEY,        /* after ',': a key */
    DEN_JSON_COLON,
    DEN_JSON_TEXT, /* inside quotes: a key's where `in_key` */
    DEN_JSON_ESCAPE,
    DEN_JSON_UNICODE,
    DEN_JSON_SIGN, /* the parts of a number */
    DEN_JSON_ZERO,
    DEN_JSON_DIGITS,
    DEN_JSON_POINT,
    DEN_JSON_FRACTION,
    DEN_JSON_EXPONENT,
    DEN_JSON_EXPONENT_SIGN,
    DEN_JSON_EXPONENT_DIGITS,
    DEN_JSON_WORD, /* true, false, null */
    DEN_JSON_AFTER /* a value has ended */
};

struct den_json_scan {
    enum den_json_place place;
    bool in_key;
    unsigned unicode_left;
    const char *word; /* what is still missing of it */
    unsigned depth;   /* open brackets */
    uint64_t objects; /* bit d: the bracket at depth d + 1 is '{' */
};

void den_json_scan_init(struct den_json_scan *scan);
/* False: `byte` can't follow, and the scan must not be used any more. Inside quotes control
 * characters are let through, which JSON forbids and models write: den_json_scan_is_raw() tells. */
bool den_json_scan_byte(struct den_json_scan *scan, char byte);
/* The value is whole (numbers aside: they end where something else begins). */
bool den_json_scan_is_whole(const struct den_json_scan *scan);
/* The next byte stands inside quotes, so that a control character has to be escaped. */
bool den_json_scan_in_text(const struct den_json_scan *scan);

#endif
