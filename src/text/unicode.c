/* See unicode.h.
 *
 * Normalization works on an array of codes: decompose everything, put runs of combining marks into
 * canonical order, compose where the form asks for it, write UTF-8. The generated tables hold full
 * decompositions, so that no step recurses. Hangul is computed (Unicode 15, section 3.12). An
 * ill-formed byte travels as RAW_BYTE | byte, a starter that nothing composes with. */
#include "text/unicode.h"

#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "base/utf8.h"

struct class_run {
    uint32_t first;
    uint32_t last;
    uint8_t class;
};

struct decomposition {
    uint32_t code;
    uint16_t canonical;
    uint16_t compatible;
    uint8_t canonical_length; /* 0: none */
    uint8_t compatible_length;
};

struct composition {
    uint32_t first;
    uint32_t second;
    uint32_t result;
};

struct lowercase_run {
    uint32_t first;
    uint32_t last;
    uint32_t step;
    int32_t distance;
};

#include "text/unicode_tables.inc"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

enum {
    RAW_BYTE = 1 << 24,
    HANGUL_S = 0xAC00,
    HANGUL_L = 0x1100,
    HANGUL_V = 0x1161,
    HANGUL_T = 0x11A7,
    HANGUL_L_COUNT = 19,
    HANGUL_V_COUNT = 21,
    HANGUL_T_COUNT = 28,
    HANGUL_S_COUNT = HANGUL_L_COUNT * HANGUL_V_COUNT * HANGUL_T_COUNT,
    SHORT_RUN_MAX = 16 /* marks sorted by insertion; longer runs by counting, to stay linear */
};

bool den_unicode_next(const char *text, size_t length, uint32_t *out_code, size_t *out_used)
{
    size_t used;

    if ((unsigned char)text[0] < 0x80) {
        *out_code = (unsigned char)text[0];
        *out_used = 1;
        return true;
    }
    used = den_utf8_decode(text, length, out_code);
    if (*out_code == DEN_UTF8_REPLACEMENT && (used != 3 || memcmp(text, "\xEF\xBF\xBD", 3) != 0)) {
        *out_used = 1;
        return false;
    }
    *out_used = used;
    return true;
}

enum den_category den_unicode_category(uint32_t code)
{
    size_t low = 0;
    size_t high = COUNT(category_runs);

    while (high - low > 1) {
        size_t middle = (low + high) / 2;

        if (category_runs[middle] >> 8 <= code)
            low = middle;
        else
            high = middle;
    }
    return (enum den_category)(category_runs[low] & 0xFF);
}

bool den_unicode_is_space(uint32_t code)
{
    if (code < 0x80)
        return code == ' ' || (code >= '\t' && code <= '\r');
    return code == 0x85 || code == 0xA0 || code == 0x1680 || (code >= 0x2000 && code <= 0x200A) ||
           code == 0x2028 || code == 0x2029 || code == 0x202F || code == 0x205F || code == 0x3000;
}

bool den_unicode_is_mark(uint32_t code)
{
    enum den_category category = den_unicode_category(code);

    return category >= DEN_CATEGORY_MN && category <= DEN_CATEGORY_ME;
}

bool den_unicode_is_number(uint32_t code)
{
    enum den_category category;

    if (code < 0x80)
        return code >= '0' && code <= '9';
    category = den_unicode_category(code);
    return category >= DEN_CATEGORY_ND && category <= DEN_CATEGORY_NO;
}

bool den_unicode_is_punctuation(uint32_t code)
{
    enum den_category category;

    if (code < 0x80)
        return (code > ' ' && code < '0') || (code > '9' && code < 'A') ||
               (code > 'Z' && code < 'a') || (code > 'z' && code < 0x7F);
    category = den_unicode_category(code);
    return category >= DEN_CATEGORY_PC && category <= DEN_CATEGORY_PO;
}

bool den_unicode_is_word(uint32_t code)
{
    enum den_category category;

    if (code < 0x80)
        return code == '_' || (code >= '0' && code <= '9') ||
               ((code | 32) >= 'a' && (code | 32) <= 'z');
    category = den_unicode_category(code);
    if (category <= DEN_CATEGORY_NL || category == DEN_CATEGORY_PC)
        return true;
    return code == 0x200C || code == 0x200D || (code >= 0x24B6 && code <= 0x24E9) ||
           (code >= 0x1F130 && code <= 0x1F149) || (code >= 0x1F150 && code <= 0x1F169) ||
           (code >= 0x1F170 && code <= 0x1F189);
}

size_t den_unicode_lower(uint32_t code, uint32_t out[2])
{
    size_t low = 0;
    size_t high = COUNT(lowercase_runs);

    out[0] = code;
    if (code < 0x80) {
        if (code >= 'A' && code <= 'Z')
            out[0] = code + 32;
        return 1;
    }
    if (code == 0x130) {
        out[0] = 'i';
        out[1] = 0x307;
        return 2;
    }
    while (high - low > 1) {
        size_t middle = (low + high) / 2;

        if (lowercase_runs[middle].first <= code)
            low = middle;
        else
            high = middle;
    }
    if (code >= lowercase_runs[low].first && code <= lowercase_runs[low].last &&
        (code - lowercase_runs[low].first) % lowercase_runs[low].step == 0)
        out[0] = (uint32_t)((int32_t)code + lowercase_runs[low].distance);
    return 1;
}

static unsigned combining_class(uint32_t code)
{
    size_t low = 0;
    size_t high = COUNT(class_runs);

    if (code < 0x300 || code >= RAW_BYTE)
        return 0;
    while (high - low > 1) {
        size_t middle = (low + high) / 2;

        if (class_runs[middle].first <= code)
            low = middle;
        else
            high = middle;
    }
    return code >= class_runs[low].first && code <= class_runs[low].last ? class_runs[low].class
                                                                         : 0;
}

/* A growable array of codes. */
struct codes {
    uint32_t *items;
    size_t count;
    size_t capacity;
};

static bool reserve(struct codes *codes, size_t more)
{
    size_t capacity = codes->capacity;
    uint32_t *items;

    if (codes->count + more <= capacity)
        return true;
    while (capacity < codes->count + more)
        if (!den_checked_multiply(capacity ? capacity : 256, 2, &capacity))
            return false;
    items = reallocarray(codes->items, capacity, sizeof *items);
    if (!items)
        return false;
    codes->items = items;
    codes->capacity = capacity;
    return true;
}

static const struct decomposition *find_decomposition(uint32_t code)
{
    size_t low = 0;
    size_t high = COUNT(decompositions);

    if (code < decompositions[0].code)
        return NULL;
    while (high - low > 1) {
        size_t middle = (low + high) / 2;

        if (decompositions[middle].code <= code)
            low = middle;
        else
            high = middle;
    }
    return decompositions[low].code == code ? &decompositions[low] : NULL;
}

/* The longest decomposition (U+FDFA) has 18 codes. */
static bool push_decomposed(struct codes *codes, uint32_t code, bool compatible)
{
    const struct decomposition *found;
    const uint32_t *from = &code;
    size_t length = 1;
    uint32_t jamo[3];

    if (code >= HANGUL_S && code < HANGUL_S + HANGUL_S_COUNT) {
        uint32_t index = code - HANGUL_S;

        jamo[0] = HANGUL_L + index / (HANGUL_V_COUNT * HANGUL_T_COUNT);
        jamo[1] = HANGUL_V + index % (HANGUL_V_COUNT * HANGUL_T_COUNT) / HANGUL_T_COUNT;
        jamo[2] = HANGUL_T + index % HANGUL_T_COUNT;
        from = jamo;
        length = jamo[2] == HANGUL_T ? 2 : 3;
    } else if ((found = find_decomposition(code)) != NULL) {
        if (compatible) {
            from = decomposition_pool + found->compatible;
            length = found->compatible_length;
        } else if (found->canonical_length > 0) {
            from = decomposition_pool + found->canonical;
            length = found->canonical_length;
        }
    }
    if (!reserve(codes, length))
        return false;
    memcpy(codes->items + codes->count, from, length * sizeof *from);
    codes->count += length;
    return true;
}

static void sort_short_run(uint32_t *run, size_t count)
{
    size_t i;

    for (i = 1; i < count; i++) {
        uint32_t code = run[i];
        unsigned class = combining_class(code);
        size_t at = i;

        for (; at > 0 && combining_class(run[at - 1]) > class; at--)
            run[at] = run[at - 1];
        run[at] = code;
    }
}

static bool sort_long_run(uint32_t *run, size_t count)
{
    size_t starts[257] = { 0 };
    uint32_t *sorted = malloc(count * sizeof *sorted);
    size_t i;

    if (!sorted)
        return false;
    for (i = 0; i < count; i++)
        starts[combining_class(run[i]) + 1]++;
    for (i = 1; i < COUNT(starts); i++)
        starts[i] += starts[i - 1];
    for (i = 0; i < count; i++)
        sorted[starts[combining_class(run[i])]++] = run[i];
    memcpy(run, sorted, count * sizeof *sorted);
    free(sorted);
    return true;
}

/* Canonical ordering: each run of marks sorted by class, stably. */
static bool order(struct codes *codes)
{
    size_t at = 0;

    while (at < codes->count) {
        size_t end = at;

        while (end < codes->count && combining_class(codes->items[end]) > 0)
            end++;
        if (end - at > SHORT_RUN_MAX) {
            if (!sort_long_run(codes->items + at, end - at))
                return false;
        } else {
            sort_short_run(codes->items + at, end - at);
        }
        at = end > at ? end : at + 1;
    }
    return true;
}

/* The primary composite of two codes, or 0. */
static uint32_t composite(uint32_t first, uint32_t second)
{
    size_t low = 0;
    size_t high = COUNT(compositions);

    if (first >= HANGUL_L && first < HANGUL_L + HANGUL_L_COUNT && second >= HANGUL_V &&
        second < HANGUL_V + HANGUL_V_COUNT)
        return HANGUL_S +
               ((first - HANGUL_L) * HANGUL_V_COUNT + (second - HANGUL_V)) * HANGUL_T_COUNT;
    if (first >= HANGUL_S && first < HANGUL_S + HANGUL_S_COUNT &&
        (first - HANGUL_S) % HANGUL_T_COUNT == 0 && second > HANGUL_T &&
        second < HANGUL_T + HANGUL_T_COUNT)
        return first + (second - HANGUL_T);
    while (low < high) {
        size_t middle = (low + high) / 2;
        const struct composition *entry = &compositions[middle];

        if (entry->first == first && entry->second == second)
            return entry->result;
        if (entry->first < first || (entry->first == first && entry->second < second))
            low = middle + 1;
        else
            high = middle;
    }
    return 0;
}

/* Canonical composition in place: a code joins the last starter unless something of the same or a
 * higher class stands between them (Unicode 15, D117). */
static void compose(struct codes *codes)
{
    size_t starter = SIZE_MAX;
    unsigned last_class = 0;
    size_t out = 0;
    size_t i;

    for (i = 0; i < codes->count; i++) {
        uint32_t code = codes->items[i];
        unsigned class = combining_class(code);
        bool adjacent = starter != SIZE_MAX && out == starter + 1;

        if (starter != SIZE_MAX && (adjacent || (last_class != 0 && last_class < class))) {
            uint32_t joined = composite(codes->items[starter], code);

            if (joined) {
                codes->items[starter] = joined;
                continue;
            }
        }
        if (class == 0)
            starter = out;
        last_class = class;
        codes->items[out++] = code;
    }
    codes->count = out;
}

static void write_codes(const struct codes *codes, struct den_buffer *out)
{
    size_t i;

    for (i = 0; i < codes->count; i++) {
        uint32_t code = codes->items[i];
        char bytes[4];

        if (code >= RAW_BYTE)
            den_buffer_append_byte(out, (char)(code & 0xFF));
        else
            den_buffer_append(out, bytes, den_utf8_encode(code, bytes));
    }
}

static bool is_ascii(const char *text, size_t length)
{
    size_t i;

    for (i = 0; i < length; i++)
        if ((unsigned char)text[i] >= 0x80)
            return false;
    return true;
}

enum den_status den_unicode_normalize(enum den_unicode_form form, const char *text, size_t length,
                                      struct den_buffer *out, struct den_error *err)
{
    bool compatible = form == DEN_UNICODE_NFKC || form == DEN_UNICODE_NFKD;
    struct codes codes = { 0 };
    bool whole = true;
    size_t at = 0;

    if (is_ascii(text, length)) {
        den_buffer_append(out, text, length);
        return den_buffer_status(out, "normalized text", err);
    }
    while (whole && at < length) {
        uint32_t code;
        size_t used;

        if (!den_unicode_next(text + at, length - at, &code, &used))
            code = RAW_BYTE | (unsigned char)text[at];
        whole = push_decomposed(&codes, code, compatible);
        at += used;
    }
    whole = whole && order(&codes);
    if (whole && (form == DEN_UNICODE_NFC || form == DEN_UNICODE_NFKC))
        compose(&codes);
    if (whole)
        write_codes(&codes, out);
    free(codes.items);
    if (!whole)
        return den_fail(err, DEN_NO_MEMORY, "normalized text: out of memory");
    return den_buffer_status(out, "normalized text", err);
}
