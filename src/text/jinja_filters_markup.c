/* Filters that come from the web, where Jinja grew up: escape, urlencode, xmlattr, striptags,
 * wordwrap. */
#include "text/jinja_filters.h"

#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "text/jinja_print.h"
#include "text/jinja_string.h"
#include "text/jinja_unicode.h"

static bool as_text(struct den_jinja_run *run, struct den_jinja_value value,
                    const struct den_jinja_text **out)
{
    struct den_jinja_value text;

    if (!den_jinja_to_text(run, value, &text))
        return false;
    *out = text.text;
    return true;
}

static void append_escaped(const struct den_jinja_text *text, struct den_buffer *out)
{
    size_t i;

    for (i = 0; i < text->length; i++) {
        char c = text->bytes[i];

        if (c == '&')
            den_buffer_append_text(out, "&amp;");
        else if (c == '<')
            den_buffer_append_text(out, "&lt;");
        else if (c == '>')
            den_buffer_append_text(out, "&gt;");
        else if (c == '"')
            den_buffer_append_text(out, "&#34;");
        else if (c == '\'')
            den_buffer_append_text(out, "&#39;");
        else
            den_buffer_append_byte(out, c);
    }
}

static bool escape(struct den_jinja_run *run, const struct den_jinja_call *call,
                   struct den_jinja_value *out)
{
    const struct den_jinja_text *text;
    struct den_buffer buffer;

    if (!as_text(run, call->values[0], &text))
        return false;
    den_jinja_buffer_init(&buffer);
    append_escaped(text, &buffer);
    return den_jinja_buffer_finish(run, &buffer, out);
}

static bool append_quoted(struct den_jinja_run *run, struct den_jinja_value value, bool is_query,
                          struct den_buffer *out)
{
    const struct den_jinja_text *text;
    size_t i;

    if (!as_text(run, value, &text))
        return false;
    for (i = 0; i < text->length; i++) {
        char c = text->bytes[i];
        bool is_plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                        (c >= '0' && c <= '9') || (c != '\0' && strchr("_.-~", c)) ||
                        (c == '/' && !is_query);

        if (is_plain)
            den_buffer_append_byte(out, c);
        else if (c == ' ' && is_query)
            den_buffer_append_byte(out, '+');
        else
            den_buffer_appendf(out, "%%%02X", (unsigned char)c);
    }
    return true;
}

static bool append_query(struct den_jinja_run *run, struct den_jinja_value value,
                         struct den_buffer *out)
{
    struct den_jinja_list *items;
    size_t i;

    if (value.kind == JINJA_DICT) {
        for (i = 0; i < value.dict->count; i++) {
            if (i > 0)
                den_buffer_append_byte(out, '&');
            if (!append_quoted(run, value.dict->entries[i].key, true, out))
                return false;
            den_buffer_append_byte(out, '=');
            if (!append_quoted(run, value.dict->entries[i].value, true, out))
                return false;
        }
        return true;
    }
    if (!den_jinja_items(run, value, &items))
        return false;
    for (i = 0; i < items->count; i++) {
        struct den_jinja_list *pair;

        if (!den_jinja_items(run, items->items[i], &pair))
            return false;
        if (pair->count != 2)
            return den_jinja_fail(run, "urlencode: pairs of key and value were expected");
        if (i > 0)
            den_buffer_append_byte(out, '&');
        if (!append_quoted(run, pair->items[0], true, out))
            return false;
        den_buffer_append_byte(out, '=');
        if (!append_quoted(run, pair->items[1], true, out))
            return false;
    }
    return true;
}

static bool urlencode(struct den_jinja_run *run, const struct den_jinja_call *call,
                      struct den_jinja_value *out)
{
    struct den_jinja_value value = call->values[0];
    struct den_buffer buffer;
    bool is_done;

    den_jinja_buffer_init(&buffer);
    if (value.kind == JINJA_TEXT || !den_jinja_is_iterable(value))
        is_done = append_quoted(run, value, false, &buffer);
    else
        is_done = append_query(run, value, &buffer);
    if (is_done)
        return den_jinja_buffer_finish(run, &buffer, out);
    den_buffer_deinit(&buffer);
    return false;
}

static bool append_attribute(struct den_jinja_run *run, const struct den_jinja_entry *entry,
                             bool has_space, struct den_buffer *out)
{
    const struct den_jinja_text *key;
    const struct den_jinja_text *value;
    size_t i;

    if (entry->value.kind == JINJA_NONE || entry->value.kind == JINJA_UNDEFINED)
        return true;
    if (entry->key.kind != JINJA_TEXT)
        return den_jinja_fail(run, "xmlattr: names must be strings");
    key = entry->key.text;
    for (i = 0; i < key->length; i++)
        if (key->bytes[i] == '\0' || strchr(" \t\n\r\f\v/>=", key->bytes[i]))
            return den_jinja_fail(run, "xmlattr: invalid character in an attribute name");
    if (!as_text(run, entry->value, &value))
        return false;
    if (has_space || out->length > 0)
        den_buffer_append_byte(out, ' ');
    append_escaped(key, out);
    den_buffer_append_text(out, "=\"");
    append_escaped(value, out);
    den_buffer_append_byte(out, '"');
    return true;
}

static bool xmlattr(struct den_jinja_run *run, const struct den_jinja_call *call,
                    struct den_jinja_value *out)
{
    bool has_space = call->values[1].kind == JINJA_MISSING || den_jinja_argument_flag(call, 1);
    struct den_buffer buffer;
    size_t i;

    if (call->values[0].kind == JINJA_UNDEFINED)
        return den_jinja_undefined_fail(run, call->values[0]);
    if (call->values[0].kind != JINJA_DICT)
        return den_jinja_fail(run, "xmlattr: a mapping was expected, not %s",
                              den_jinja_type_name(call->values[0]));
    den_jinja_buffer_init(&buffer);
    for (i = 0; i < call->values[0].dict->count; i++)
        if (!append_attribute(run, &call->values[0].dict->entries[i], has_space, &buffer)) {
            den_buffer_deinit(&buffer);
            return false;
        }
    return den_jinja_buffer_finish(run, &buffer, out);
}

/* Length of the tag or comment at `at`, or 0. */
static size_t tag_length(const char *at, const char *end)
{
    const char *close;

    if (end - at >= 4 && memcmp(at, "<!--", 4) == 0) {
        close = memmem(at + 4, (size_t)(end - at - 4), "-->", 3);
        if (close)
            return (size_t)(close + 3 - at);
    }
    close = memchr(at, '>', (size_t)(end - at));
    return close ? (size_t)(close + 1 - at) : 0;
}

/* The entity at `at` ("&amp;"): its length, and its character. */
static size_t read_entity(const char *at, const char *end, uint32_t *out_code)
{
    static const struct {
        const char *name;
        uint32_t code;
    } entities[] = { { "&amp;", '&' },  { "&lt;", '<' },    { "&gt;", '>' },
                     { "&quot;", '"' }, { "&apos;", '\'' }, { "&nbsp;", 0xA0 } };
    char digits[12] = "";
    char *stop;
    size_t i;

    for (i = 0; i < sizeof entities / sizeof entities[0]; i++) {
        size_t length = strlen(entities[i].name);

        if ((size_t)(end - at) >= length && memcmp(at, entities[i].name, length) == 0) {
            *out_code = entities[i].code;
            return length;
        }
    }
    if (end - at < 4 || at[1] != '#')
        return 0;
    for (i = 0; i + 1 < sizeof digits && at + 2 + i < end && at[2 + i] != ';'; i++)
        digits[i] = at[2 + i];
    if (at + 2 + i >= end || at[2 + i] != ';' || i == 0)
        return 0;
    if (digits[0] == 'x' || digits[0] == 'X')
        *out_code = (uint32_t)strtoul(digits + 1, &stop, 16);
    else
        *out_code = (uint32_t)strtoul(digits, &stop, 10);
    return *stop == '\0' && *out_code > 0 && *out_code <= 0x10FFFF ? i + 3 : 0;
}

/* Drops tags and comments, resolves the common entities, makes white space single. */
static bool striptags(struct den_jinja_run *run, const struct den_jinja_call *call,
                      struct den_jinja_value *out)
{
    const struct den_jinja_text *text;
    struct den_jinja_list *words;
    struct den_jinja_value bare;
    struct den_buffer buffer;
    static const struct den_jinja_text space = { .bytes = " ", .length = 1, .count = 1 };
    size_t i;

    if (!as_text(run, call->values[0], &text) || !den_jinja_spend(run, text->length))
        return false;
    den_jinja_buffer_init(&buffer);
    for (i = 0; i < text->length;) {
        const char *at = text->bytes + i;
        size_t skipped = *at == '<' ? tag_length(at, text->bytes + text->length) : 0;

        if (skipped == 0)
            den_buffer_append_byte(&buffer, *at);
        i += skipped ? skipped : 1;
        if (*at == '<' && !den_jinja_spend_bytes(run, text->length - i + 16)) {
            den_buffer_deinit(&buffer);
            return false;
        }
    }
    if (!den_jinja_buffer_finish(run, &buffer, &bare) ||
        !den_jinja_split(run, bare.text, NULL, -1, &words))
        return false;
    den_jinja_buffer_init(&buffer);
    for (i = 0; i < words->count; i++) {
        const char *at = words->items[i].text->bytes;
        const char *end = at + words->items[i].text->length;

        if (i > 0)
            den_buffer_append(&buffer, space.bytes, 1);
        while (at < end) {
            uint32_t code;
            size_t used = *at == '&' ? read_entity(at, end, &code) : 0;
            char bytes[4];

            if (used > 0)
                den_buffer_append(&buffer, bytes, den_utf8_encode(code, bytes));
            else
                den_buffer_append_byte(&buffer, *at);
            at += used ? used : 1;
        }
    }
    return den_jinja_buffer_finish(run, &buffer, out);
}

struct wrap {
    struct den_buffer buffer;
    const struct den_jinja_text *separator;
    size_t width;
    size_t column;
    bool has_line; /* something was written before the current line */
};

static void start_line(struct wrap *wrap)
{
    if (wrap->has_line)
        den_buffer_append(&wrap->buffer, wrap->separator->bytes, wrap->separator->length);
    wrap->has_line = true;
    wrap->column = 0;
}

/* Greedy filling of one paragraph, words broken where they are longer than a line. */
static bool wrap_line(struct den_jinja_run *run, const struct den_jinja_text *line,
                      bool breaks_words, struct wrap *wrap)
{
    struct den_jinja_list *words;
    size_t i;

    start_line(wrap);
    if (!den_jinja_split(run, line, NULL, -1, &words))
        return false;
    for (i = 0; i < words->count; i++) {
        const struct den_jinja_text *word = words->items[i].text;
        size_t at = 0;

        if (wrap->column > 0 && wrap->column + 1 + word->count > wrap->width)
            start_line(wrap);
        if (wrap->column > 0) {
            den_buffer_append_byte(&wrap->buffer, ' ');
            wrap->column++;
        }
        while (breaks_words && word->count - at > wrap->width) {
            size_t from = den_jinja_offset(word, at);

            if (!den_jinja_spend_bytes(run, word->length + 16))
                return false;
            den_buffer_append(&wrap->buffer, word->bytes + from,
                              den_jinja_offset(word, at + wrap->width) - from);
            at += wrap->width;
            start_line(wrap);
        }
        den_buffer_append(&wrap->buffer, word->bytes + den_jinja_offset(word, at),
                          word->length - den_jinja_offset(word, at));
        wrap->column += word->count - at;
    }
    return true;
}

static bool wordwrap(struct den_jinja_run *run, const struct den_jinja_call *call,
                     struct den_jinja_value *out)
{
    static const struct den_jinja_text newline = { .bytes = "\n", .length = 1, .count = 1 };
    struct wrap wrap = { .column = 0 };
    const struct den_jinja_text *text;
    struct den_jinja_list *lines;
    int64_t width;
    bool breaks_words = call->values[2].kind == JINJA_MISSING || den_jinja_argument_flag(call, 2);
    bool is_done = true;
    size_t i;

    if (!as_text(run, call->values[0], &text) ||
        !den_jinja_argument_integer(run, call, 1, 79, &width) ||
        !den_jinja_argument_text(run, call, 3, &wrap.separator) ||
        !den_jinja_split_lines(run, text, false, &lines))
        return false;
    if (width <= 0)
        return den_jinja_fail(run, "wordwrap: the width must be positive");
    wrap.width = (size_t)width;
    wrap.separator = wrap.separator ? wrap.separator : &newline;
    den_jinja_buffer_init(&wrap.buffer);
    for (i = 0; i < lines->count && is_done; i++)
        is_done = wrap_line(run, lines->items[i].text, breaks_words, &wrap);
    if (is_done)
        return den_jinja_buffer_finish(run, &wrap.buffer, out);
    den_buffer_deinit(&wrap.buffer);
    return false;
}

const struct den_jinja_builtin *den_jinja_markup_filter_find(const struct den_jinja_text *name)
{
    static const struct den_jinja_builtin filters[] = {
        { "escape", "value", escape },
        { "e", "value", escape },
        { "forceescape", "value", escape },
        { "urlencode", "value", urlencode },
        { "xmlattr", "value autospace?", xmlattr },
        { "striptags", "value", striptags },
        { "wordwrap", "value width? break_long_words? wrapstring? break_on_hyphens?", wordwrap },
    };

    return den_jinja_builtin_find(filters, sizeof filters / sizeof filters[0], name);
}
