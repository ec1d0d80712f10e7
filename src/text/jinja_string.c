/* See jinja_string.h. Searching works on bytes, which is safe in UTF-8: no character's bytes occur
 * inside another's. */
#include "text/jinja_string.h"

#include <string.h>

#include "base/checked.h"
#include "base/utf8.h"
#include "text/jinja_run.h"
#include "text/jinja_unicode.h"

size_t den_jinja_offset(const struct den_jinja_text *text, size_t index)
{
    size_t at = 0;

    if (text->count == text->length || index == 0)
        return index;
    if (index >= text->count)
        return text->length;
    while (index > 0) {
        at++;
        if (((unsigned char)text->bytes[at] & 0xC0) != 0x80)
            index--;
    }
    return at;
}

bool den_jinja_substring(struct den_jinja_run *run, const struct den_jinja_text *text, size_t from,
                         size_t to, struct den_jinja_value *out)
{
    size_t start = den_jinja_offset(text, from);
    size_t end = den_jinja_offset(text, to);

    return den_jinja_spend_bytes(run, text->length) &&
           den_jinja_text_view(run, text->bytes + start, end - start, out);
}

size_t den_jinja_clamp_index(int64_t index, size_t count)
{
    if (index < 0)
        index = index < -(int64_t)count ? 0 : index + (int64_t)count;
    return (uint64_t)index > count ? count : (size_t)index;
}

static const char *find_last(const char *bytes, size_t length, const struct den_jinja_text *needle)
{
    size_t at;

    if (needle->length > length)
        return NULL;
    for (at = length - needle->length + 1; at-- > 0;)
        if (memcmp(bytes + at, needle->bytes, needle->length) == 0)
            return bytes + at;
    return NULL;
}

bool den_jinja_find(struct den_jinja_run *run, const struct den_jinja_text *text,
                    const struct den_jinja_text *needle, const size_t bounds[2], bool from_right,
                    int64_t *out_index)
{
    size_t start = den_jinja_offset(text, bounds[0]);
    size_t end = den_jinja_offset(text, bounds[1]);
    size_t cost = from_right ? needle->length : 1;
    const char *found;

    *out_index = -1;
    if (bounds[0] > bounds[1])
        return true;
    if (!den_jinja_spend_bytes(run, text->length) ||
        (from_right && !den_jinja_spend(run, text->length / 16 * (cost / 16 + 1))))
        return false;
    if (from_right)
        found = find_last(text->bytes + start, end - start, needle);
    else if (needle->length == 0)
        found = text->bytes + start;
    else
        found = memmem(text->bytes + start, end - start, needle->bytes, needle->length);
    if (found)
        *out_index = (int64_t)den_utf8_count(text->bytes, (size_t)(found - text->bytes));
    return true;
}

bool den_jinja_count(struct den_jinja_run *run, const struct den_jinja_text *text,
                     const struct den_jinja_text *needle, int64_t *out_count)
{
    const char *at = text->bytes;
    const char *end = text->bytes + text->length;

    *out_count = 0;
    if (!den_jinja_spend_bytes(run, text->length))
        return false;
    if (needle->length == 0) {
        *out_count = (int64_t)text->count + 1;
        return true;
    }
    while ((at = memmem(at, (size_t)(end - at), needle->bytes, needle->length)) != NULL) {
        (*out_count)++;
        at += needle->length;
    }
    return true;
}

/* An empty pattern matches before every character and at the end. */
static void replace_empty(const struct den_jinja_text *text, const struct den_jinja_text *to,
                          int64_t limit, struct den_buffer *buffer)
{
    size_t at = 0;
    bool is_limited = limit >= 0;

    while (!is_limited || limit-- > 0) {
        uint32_t code;
        size_t used;

        den_buffer_append(buffer, to->bytes, to->length);
        if (at >= text->length || buffer->status != DEN_OK)
            break;
        used = den_utf8_decode(text->bytes + at, text->length - at, &code);
        den_buffer_append(buffer, text->bytes + at, used);
        at += used;
    }
    den_buffer_append(buffer, text->bytes + at, text->length - at);
}

bool den_jinja_replace(struct den_jinja_run *run, const struct den_jinja_text *text,
                       const struct den_jinja_text *const from_to[2], int64_t limit,
                       struct den_jinja_value *out)
{
    const struct den_jinja_text *from = from_to[0];
    const char *at = text->bytes;
    const char *end = text->bytes + text->length;
    struct den_buffer buffer;

    den_jinja_buffer_init(&buffer);
    if (from->length == 0) {
        replace_empty(text, from_to[1], limit, &buffer);
        return den_jinja_buffer_finish(run, &buffer, out);
    }
    while (limit != 0 && buffer.status == DEN_OK) {
        const char *found = memmem(at, (size_t)(end - at), from->bytes, from->length);

        if (!found)
            break;
        den_buffer_append(&buffer, at, (size_t)(found - at));
        den_buffer_append(&buffer, from_to[1]->bytes, from_to[1]->length);
        at = found + from->length;
        limit--;
    }
    den_buffer_append(&buffer, at, (size_t)(end - at));
    if (den_jinja_spend_bytes(run, text->length))
        return den_jinja_buffer_finish(run, &buffer, out);
    den_buffer_deinit(&buffer);
    return false;
}

static bool add_part(struct den_jinja_run *run, struct den_jinja_list *list, const char *from,
                     const char *to)
{
    struct den_jinja_value part;

    return den_jinja_text_view(run, from, (size_t)(to - from), &part) &&
           den_jinja_list_add(run, list, part);
}

/* Length of the white space character at `at`, or 0. */
static size_t space_at(const char *at, const char *end)
{
    uint32_t code;
    size_t used;

    if (at >= end)
        return 0;
    used = den_utf8_decode(at, (size_t)(end - at), &code);
    return den_jinja_char_is(code, JINJA_IS_SPACE) ? used : 0;
}

static const char *character_before(const char *start, const char *at)
{
    at--;
    while (at > start && ((unsigned char)*at & 0xC0) == 0x80)
        at--;
    return at;
}

static bool split_spaces(struct den_jinja_run *run, const struct den_jinja_text *text,
                         int64_t limit, struct den_jinja_list *list)
{
    const char *at = text->bytes;
    const char *end = at + text->length;

    for (;;) {
        const char *start;
        size_t used;

        while ((used = space_at(at, end)) > 0)
            at += used;
        if (at >= end)
            return true;
        if (limit == 0)
            return add_part(run, list, at, end);
        start = at;
        while (at < end && space_at(at, end) == 0)
            at++;
        if (!add_part(run, list, start, at))
            return false;
        limit--;
    }
}

bool den_jinja_split(struct den_jinja_run *run, const struct den_jinja_text *text,
                     const struct den_jinja_text *separator, int64_t limit,
                     struct den_jinja_list **out)
{
    struct den_jinja_list *list = den_jinja_list_new(run, 0);
    const char *at = text->bytes;
    const char *end = at + text->length;

    *out = list;
    if (!list || !den_jinja_spend_bytes(run, text->length))
        return false;
    if (!separator)
        return split_spaces(run, text, limit, list);
    if (separator->length == 0)
        return den_jinja_fail(run,
                              "split: empty separator; give a character, or none for white space");
    while (limit != 0) {
        const char *found = memmem(at, (size_t)(end - at), separator->bytes, separator->length);

        if (!found)
            break;
        if (!add_part(run, list, at, found))
            return false;
        at = found + separator->length;
        limit--;
    }
    return add_part(run, list, at, end);
}

static void reverse(struct den_jinja_list *list)
{
    size_t i;

    for (i = 0; i < list->count / 2; i++) {
        struct den_jinja_value swapped = list->items[i];

        list->items[i] = list->items[list->count - 1 - i];
        list->items[list->count - 1 - i] = swapped;
    }
}

static const char *skip_spaces_back(const char *start, const char *end)
{
    while (end > start) {
        const char *before = character_before(start, end);

        if (space_at(before, end) == 0)
            break;
        end = before;
    }
    return end;
}

static bool split_spaces_right(struct den_jinja_run *run, const struct den_jinja_text *text,
                               int64_t limit, struct den_jinja_list *list)
{
    const char *start = text->bytes;
    const char *end = start + text->length;

    for (;;) {
        const char *at;

        end = skip_spaces_back(start, end);
        if (end == start)
            return true;
        if (limit == 0)
            return add_part(run, list, start, end);
        at = end;
        while (at > start && space_at(character_before(start, at), at) == 0)
            at = character_before(start, at);
        if (!add_part(run, list, at, end))
            return false;
        end = at;
        limit--;
    }
}

bool den_jinja_split_right(struct den_jinja_run *run, const struct den_jinja_text *text,
                           const struct den_jinja_text *separator, int64_t limit,
                           struct den_jinja_list **out)
{
    struct den_jinja_list *list = den_jinja_list_new(run, 0);
    const char *end = text->bytes + text->length;
    bool is_done;

    *out = list;
    if (!list || !den_jinja_spend_bytes(run, text->length))
        return false;
    if (separator && separator->length == 0)
        return den_jinja_fail(run,
                              "rsplit: empty separator; give a character, or none for white space");
    if (!separator) {
        is_done = split_spaces_right(run, text, limit, list);
        reverse(list);
        return is_done;
    }
    while (limit != 0) {
        const char *found = find_last(text->bytes, (size_t)(end - text->bytes), separator);

        if (!found)
            break;
        if (!den_jinja_spend_bytes(run, separator->length) ||
            !add_part(run, list, found + separator->length, end))
            return false;
        end = found;
        limit--;
    }
    is_done = add_part(run, list, text->bytes, end);
    reverse(list);
    return is_done;
}

static bool is_line_end(uint32_t code)
{
    return (code >= 0x0A && code <= 0x0D) || (code >= 0x1C && code <= 0x1E) || code == 0x85 ||
           code == 0x2028 || code == 0x2029;
}

bool den_jinja_split_lines(struct den_jinja_run *run, const struct den_jinja_text *text,
                           bool keep_ends, struct den_jinja_list **out)
{
    struct den_jinja_list *list = den_jinja_list_new(run, 0);
    const char *at = text->bytes;
    const char *end = at + text->length;
    const char *start = at;

    *out = list;
    if (!list || !den_jinja_spend_bytes(run, text->length))
        return false;
    while (at < end) {
        uint32_t code;
        const char *line_end = at;

        at += den_utf8_decode(at, (size_t)(end - at), &code);
        if (!is_line_end(code))
            continue;
        if (code == '\r' && at < end && *at == '\n')
            at++;
        if (!add_part(run, list, start, keep_ends ? at : line_end))
            return false;
        start = at;
    }
    return start == end || add_part(run, list, start, end);
}

static bool is_stripped(const char *at, const char *end, const struct den_jinja_text *characters)
{
    uint32_t code;
    size_t used = den_utf8_decode(at, (size_t)(end - at), &code);

    if (!characters)
        return den_jinja_char_is(code, JINJA_IS_SPACE);
    return memmem(characters->bytes, characters->length, at, used) != NULL;
}

bool den_jinja_strip(struct den_jinja_run *run, const struct den_jinja_text *text,
                     const struct den_jinja_text *characters, enum den_jinja_side side,
                     struct den_jinja_value *out)
{
    const char *start = text->bytes;
    const char *end = start + text->length;
    size_t cost = characters ? characters->length / 16 + 1 : 1;

    if (!den_jinja_spend(run, text->length / 16 * cost))
        return false;
    if (side & JINJA_LEFT)
        while (start < end && is_stripped(start, end, characters)) {
            uint32_t code;

            start += den_utf8_decode(start, (size_t)(end - start), &code);
        }
    if (side & JINJA_RIGHT)
        while (end > start && is_stripped(character_before(start, end), end, characters))
            end = character_before(start, end);
    return den_jinja_text_view(run, start, (size_t)(end - start), out);
}

bool den_jinja_pad(struct den_jinja_run *run, const struct den_jinja_text *text, int64_t width,
                   enum den_jinja_side side, const struct den_jinja_text *fill,
                   struct den_jinja_value *out)
{
    struct den_buffer buffer;
    size_t missing;
    size_t left;
    size_t i;

    if (width < 0 || (uint64_t)width <= text->count) {
        *out = (struct den_jinja_value){ .kind = JINJA_TEXT, .text = text };
        return true;
    }
    missing = (size_t)width - text->count;
    if (missing > DEN_TEMPLATE_OUTPUT_BYTES_MAX)
        return den_jinja_fail_bound(run, "a text can't be padded to %lld characters",
                                    (long long)width);
    left = side == JINJA_LEFT ? missing : 0;
    if (side == JINJA_BOTH) /* Python puts the odd one to the left when the width is odd */
        left = missing / 2 + (missing & (size_t)width & 1);
    den_jinja_buffer_init(&buffer);
    for (i = 0; i < left; i++)
        den_buffer_append(&buffer, fill->bytes, fill->length);
    den_buffer_append(&buffer, text->bytes, text->length);
    for (i = left; i < missing; i++)
        den_buffer_append(&buffer, fill->bytes, fill->length);
    return den_jinja_buffer_finish(run, &buffer, out);
}

bool den_jinja_repeat(struct den_jinja_run *run, const struct den_jinja_text *text, int64_t times,
                      struct den_jinja_value *out)
{
    size_t total;
    size_t i;
    char *bytes;

    if (times <= 0 || text->length == 0)
        return den_jinja_text_view(run, "", 0, out);
    if (!den_checked_multiply(text->length, (size_t)times, &total) ||
        total > DEN_TEMPLATE_OUTPUT_BYTES_MAX)
        return den_jinja_fail_bound(run, "a text repeated %lld times is longer than %u MiB",
                                    (long long)times, DEN_TEMPLATE_OUTPUT_BYTES_MAX >> 20);
    bytes = den_jinja_alloc(run, total, 1);
    if (!bytes)
        return false;
    for (i = 0; i < (size_t)times; i++)
        memcpy(bytes + i * text->length, text->bytes, text->length);
    return den_jinja_text_view(run, bytes, total, out);
}

bool den_jinja_starts_with(const struct den_jinja_text *text, const struct den_jinja_text *prefix)
{
    return text->length >= prefix->length &&
           memcmp(text->bytes, prefix->bytes, prefix->length) == 0;
}

bool den_jinja_ends_with(const struct den_jinja_text *text, const struct den_jinja_text *suffix)
{
    return text->length >= suffix->length &&
           memcmp(text->bytes + text->length - suffix->length, suffix->bytes, suffix->length) == 0;
}
