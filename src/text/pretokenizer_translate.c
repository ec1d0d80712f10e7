/* From Oniguruma's Ruby syntax to PCRE2's (see pretokenizer_regex.h).
 *
 * One pass over the pattern that copies what is common and rewrites the rest. To wrap `X{1,3}+` in
 * a group, the pass remembers where the last atom began in the output; open groups keep their
 * beginnings on a small stack. Classes are the only recursive part (a class within a class),
 * bounded by CLASS_DEPTH_MAX. A class with && becomes a lookahead before a class: [A&&B] is
 * (?:(?=[B])[A]). */
#include "text/pretokenizer_regex.h"

#include <ctype.h>
#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/limits.h"
#include "base/utf8.h"

enum { CLASS_DEPTH_MAX = 8, GROUP_DEPTH_MAX = 200, NAME_BYTES_MAX = 48 };

#define SPACE "\\t-\\r\\x{85}\\p{Z}"
/* With the superscripts and fractions of Latin-1, as Oniguruma has it. */
#define WORD "\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}\\xB2\\xB3\\xB9\\xBC-\\xBE"
#define HEX  "0-9A-Fa-f"

struct translation {
    const char *pattern;
    size_t length;
    size_t at;
    struct den_buffer *out;
    size_t groups[GROUP_DEPTH_MAX]; /* where each open group begins in the output */
    size_t group_count;
    size_t atom; /* where the last atom begins in the output */
    struct den_error *err;
};

/* Long names that PCRE2 10.42 lacks, squeezed as squeeze_name() does. */
static const struct {
    const char *name;
    const char *class;
} property_names[] = {
    { "letter", "\\p{L}" },
    { "uppercaseletter", "\\p{Lu}" },
    { "lowercaseletter", "\\p{Ll}" },
    { "titlecaseletter", "\\p{Lt}" },
    { "modifierletter", "\\p{Lm}" },
    { "otherletter", "\\p{Lo}" },
    { "mark", "\\p{M}" },
    { "nonspacingmark", "\\p{Mn}" },
    { "spacingmark", "\\p{Mc}" },
    { "enclosingmark", "\\p{Me}" },
    { "number", "\\p{N}" },
    { "decimalnumber", "\\p{Nd}" },
    { "letternumber", "\\p{Nl}" },
    { "othernumber", "\\p{No}" },
    { "punctuation", "\\p{P}" },
    { "punct", "\\p{P}" },
    { "symbol", "\\p{S}" },
    { "mathsymbol", "\\p{Sm}" },
    { "currencysymbol", "\\p{Sc}" },
    { "separator", "\\p{Z}" },
    { "spaceseparator", "\\p{Zs}" },
    { "other", "\\p{C}" },
    { "control", "\\p{Cc}" },
    { "cntrl", "\\p{Cc}" },
    { "format", "\\p{Cf}" },
    { "alpha", "\\p{Alphabetic}" },
    { "digit", "\\p{Nd}" },
    { "upper", "\\p{Uppercase}" },
    { "lower", "\\p{Lowercase}" },
    { "space", "\\p{White_Space}" },
};

static bool fail_at(struct translation *t, const char *what)
{
    den_fail(t->err, DEN_UNSUPPORTED,
             "tokenizer: regular expression '%.*s': %s at byte %zu isn't supported",
             (int)(t->length > 200 ? 200 : t->length), t->pattern, what, t->at);
    return false;
}

static char peek(const struct translation *t, size_t ahead)
{
    return t->at + ahead < t->length ? t->pattern[t->at + ahead] : '\0';
}

static bool starts(const struct translation *t, const char *text)
{
    size_t length = strlen(text);

    return t->length - t->at >= length && memcmp(t->pattern + t->at, text, length) == 0;
}

/* True where PCRE2 knows a script of that name. Its \p{Han} means the script's extensions too
 * (since 10.40), Oniguruma's means the script alone, which PCRE2 writes \p{sc:Han}. */
static bool is_script(const char *name)
{
    char pattern[NAME_BYTES_MAX + 16];
    PCRE2_SIZE offset;
    pcre2_code *code;
    int error;

    snprintf(pattern, sizeof pattern, "\\p{sc:%s}", name);
    code =
        pcre2_compile((PCRE2_SPTR)pattern, PCRE2_ZERO_TERMINATED, PCRE2_UTF, &error, &offset, NULL);
    pcre2_code_free(code);
    return code != NULL;
}

/* \p{Name}, \p{^Name}, \P{Name}: at the backslash. */
static bool translate_property(struct translation *t, struct den_buffer *out)
{
    const char *from = t->pattern + t->at;
    const char *end = memchr(from, '}', t->length - t->at);
    char name[NAME_BYTES_MAX];
    bool negated = from[1] == 'P';
    size_t count = 0;
    const char *c;
    size_t i;

    if (peek(t, 2) != '{' || !end || end - from > NAME_BYTES_MAX) {
        den_buffer_append(out, from, 2); /* \pL, or PCRE2's own complaint */
        t->at += 2;
        return true;
    }
    c = from + 3;
    if (*c == '^') {
        negated = !negated;
        c++;
    }
    den_buffer_append_text(out, negated ? "\\P{" : "\\p{");
    for (i = 0; c + i < end; i++)
        if (c[i] != ' ' && c[i] != '_' && c[i] != '-')
            name[count++] = (char)tolower((unsigned char)c[i]);
    name[count] = '\0';
    t->at += (size_t)(end - from) + 1;
    for (i = 0; i < sizeof property_names / sizeof property_names[0]; i++)
        if (strcmp(property_names[i].name, name) == 0)
            return den_buffer_append_text(out, property_names[i].class + 3);
    if (count > 2 && is_script(name))
        den_buffer_append_text(out, "sc:");
    den_buffer_append(out, c, (size_t)(end - c) + 1);
    return true;
}

/* A shorthand class such as \s: its members where `members` isn't NULL. */
static const char *shorthand_members(char letter)
{
    switch (letter) {
    case 's':
    case 'S':
        return SPACE;
    case 'w':
    case 'W':
        return WORD;
    case 'h':
    case 'H':
        return HEX;
    default:
        return NULL;
    }
}

/* An escape, at the backslash. */
static bool translate_escape(struct translation *t, struct den_buffer *out, bool in_class)
{
    char letter = peek(t, 1);
    const char *members = shorthand_members(letter);

    if (t->at + 1 >= t->length)
        return fail_at(t, "a backslash at the end");
    if (letter == 'p' || letter == 'P')
        return translate_property(t, out);
    if (letter == 'u' && t->length - t->at >= 6) {
        den_buffer_append_text(out, "\\x{");
        den_buffer_append(out, t->pattern + t->at + 2, 4);
        den_buffer_append_byte(out, '}');
        t->at += 6;
        return true;
    }
    if (members && in_class && letter == 'H')
        return fail_at(t, "\\H within a class");
    if (members && in_class && islower((unsigned char)letter)) {
        den_buffer_append_text(out, members);
    } else if (members && !in_class) {
        den_buffer_append_text(out, islower((unsigned char)letter) ? "[" : "[^");
        den_buffer_append_text(out, members);
        den_buffer_append_byte(out, ']');
    } else {
        den_buffer_append(out, t->pattern + t->at, 2);
    }
    t->at += 2;
    return true;
}

static bool translate_class(struct translation *t, struct den_buffer *out, int depth);

/* A class inside a class. A plain one adds its members to the outer; one that negates can only be a
 * whole operand of &&, where its form is kept. `whole` gets it. */
static bool translate_nested(struct translation *t, struct den_buffer *members,
                             struct den_buffer *whole, int depth)
{
    struct den_buffer inner;
    bool good;

    den_buffer_init(&inner, members->length_max);
    good = translate_class(t, &inner, depth + 1);
    if (good && inner.length > 2 && inner.data[0] == '[' && inner.data[1] != '^')
        den_buffer_append(members, inner.data + 1, inner.length - 2);
    else if (good && members->length == 0 && whole->length == 0)
        den_buffer_append(whole, inner.data, inner.length);
    else if (good)
        good = fail_at(t, "a negated class joined to another");
    den_buffer_deinit(&inner);
    return good;
}

/* The members of one operand of &&, up to "&&" or the closing bracket. */
static bool translate_operand(struct translation *t, struct den_buffer *out, int depth)
{
    struct den_buffer members;
    struct den_buffer whole;
    bool first = true;
    bool good = true;

    den_buffer_init(&members, out->length_max);
    den_buffer_init(&whole, out->length_max);
    for (; good && t->at < t->length && (first || peek(t, 0) != ']') && !starts(t, "&&");
         first = false) {
        const char *colon;

        if (starts(t, "[:") && (colon = memmem(t->pattern + t->at, t->length - t->at, ":]", 2))) {
            size_t length = (size_t)(colon + 2 - (t->pattern + t->at));

            if (starts(t, "[:punct:]"))
                den_buffer_append_text(&members, "\\p{P}\\p{S}");
            else
                den_buffer_append(&members, t->pattern + t->at, length);
            t->at += length;
        } else if (peek(t, 0) == '[') {
            good = translate_nested(t, &members, &whole, depth);
        } else if (peek(t, 0) == '\\') {
            good = translate_escape(t, &members, true);
        } else {
            den_buffer_append_byte(&members, t->pattern[t->at++]);
        }
    }
    if (good && whole.length > 0 && members.length > 0)
        good = fail_at(t, "a negated class joined to another");
    if (good && whole.length > 0)
        den_buffer_append(out, whole.data, whole.length);
    if (good && whole.length == 0) {
        den_buffer_append_byte(out, '[');
        den_buffer_append(out, members.data, members.length);
        den_buffer_append_byte(out, ']');
    }
    den_buffer_deinit(&members);
    den_buffer_deinit(&whole);
    return good;
}

/* A class, at its opening bracket. */
static bool translate_class(struct translation *t, struct den_buffer *out, int depth)
{
    struct den_buffer operand;
    bool negated = peek(t, 1) == '^';
    bool joined = false;
    bool good;

    if (depth > CLASS_DEPTH_MAX)
        return fail_at(t, "a class nested so deep");
    t->at += negated ? 2 : 1;
    den_buffer_init(&operand, out->length_max);
    good = translate_operand(t, &operand, depth);
    while (good && starts(t, "&&")) {
        t->at += 2;
        if (!joined)
            den_buffer_append_text(out, negated ? "(?:(?!" : "(?:");
        joined = true;
        den_buffer_append_text(out, "(?=");
        good = translate_operand(t, out, depth);
        den_buffer_append_byte(out, ')');
    }
    if (good && peek(t, 0) != ']')
        good = fail_at(t, "a class without an end");
    t->at++;
    if (good && !joined && negated && operand.length > 1 && operand.data[1] == '^')
        good = fail_at(t, "a doubly negated class");
    if (good && !joined && negated && operand.length > 0) {
        den_buffer_append_text(out, "[^");
        den_buffer_append(out, operand.data + 1, operand.length - 1);
    } else if (good) {
        den_buffer_append(out, operand.data, operand.length);
    }
    if (joined)
        den_buffer_append_text(out, negated ? ")(?s:.))" : ")");
    den_buffer_deinit(&operand);
    return good;
}

/* "(", with the flags of a group: m is Ruby's dot-all. */
static bool open_group(struct translation *t)
{
    if (t->group_count == GROUP_DEPTH_MAX)
        return fail_at(t, "a group nested so deep");
    t->groups[t->group_count++] = t->out->length;
    den_buffer_append_byte(t->out, t->pattern[t->at++]);
    if (peek(t, 0) != '?')
        return true;
    den_buffer_append_byte(t->out, t->pattern[t->at++]);
    while (strchr("imx-", peek(t, 0)) && peek(t, 0)) {
        char flag = t->pattern[t->at++];

        den_buffer_append_byte(t->out, flag == 'm' ? 's' : flag);
    }
    return true;
}

/* The length of "{n}", "{n,}", "{,m}" or "{n,m}" here, or 0. */
static size_t interval_length(const struct translation *t)
{
    size_t i = 1;

    if (peek(t, 0) != '{')
        return 0;
    while (isdigit((unsigned char)peek(t, i)) || peek(t, i) == ',')
        i++;
    return i > 1 && peek(t, i) == '}' ? i + 1 : 0;
}

static bool wrap_atom(struct translation *t)
{
    struct den_buffer *out = t->out;

    if (!den_buffer_append_text(out, "   )"))
        return true; /* reported at the end */
    memmove(out->data + t->atom + 3, out->data + t->atom, out->length - 4 - t->atom);
    memcpy(out->data + t->atom, "(?:", 3);
    return true;
}

static bool translate_next(struct translation *t)
{
    char c = peek(t, 0);
    size_t length = interval_length(t);
    uint32_t code;

    if (length > 0) {
        den_buffer_append(t->out, t->pattern + t->at, length);
        t->at += length;
        return peek(t, 0) == '+' ? wrap_atom(t) : true;
    }
    if (c == '(')
        return open_group(t);
    if (c == ')' && t->group_count > 0) {
        t->atom = t->groups[--t->group_count];
    } else if (!strchr("*+?", c) || c == '\0') {
        t->atom = t->out->length;
        if (c == '\\')
            return translate_escape(t, t->out, false);
        if (c == '[')
            return translate_class(t, t->out, 0);
    }
    length = den_utf8_decode(t->pattern + t->at, t->length - t->at, &code);
    den_buffer_append(t->out, t->pattern + t->at, length);
    t->at += length;
    return true;
}

enum den_status den_regex_translate(const char *pattern, size_t length, struct den_buffer *out,
                                    struct den_error *err)
{
    struct translation t = { .pattern = pattern, .length = length, .out = out, .err = err };

    if (length > DEN_REGEX_BYTES_MAX)
        return den_fail(err, DEN_TOO_LARGE,
                        "tokenizer: a regular expression of %zu bytes; at most %d", length,
                        DEN_REGEX_BYTES_MAX);
    while (t.at < t.length)
        if (!translate_next(&t))
            return err->status;
    return den_buffer_status(out, "tokenizer: a regular expression", err);
}
