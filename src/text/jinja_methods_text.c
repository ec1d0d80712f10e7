/* The methods of texts, as Python's str has them. */
#include "text/jinja_methods_text.h"

#include <string.h>

#include "base/utf8.h"
#include "text/jinja_format.h"
#include "text/jinja_methods.h"
#include "text/jinja_print.h"
#include "text/jinja_string.h"
#include "text/jinja_unicode.h"

static const struct den_jinja_text *self_of(const struct den_jinja_call *call)
{
    return call->values[0].text;
}

#define CASE_METHOD(name, casing)                                                                  \
    static bool name(struct den_jinja_run *run, const struct den_jinja_call *call,                 \
                     struct den_jinja_value *out)                                                  \
    {                                                                                              \
        return den_jinja_change_case(run, self_of(call), casing, out);                             \
    }

CASE_METHOD(upper, JINJA_UPPER)
CASE_METHOD(lower, JINJA_LOWER)
CASE_METHOD(title, JINJA_TITLE)
CASE_METHOD(capitalize, JINJA_CAPITALIZE)
CASE_METHOD(swapcase, JINJA_SWAPCASE)

static bool strip_side(struct den_jinja_run *run, const struct den_jinja_call *call,
                       enum den_jinja_side side, struct den_jinja_value *out)
{
    const struct den_jinja_text *characters;

    return den_jinja_argument_text(run, call, 1, &characters) &&
           den_jinja_strip(run, self_of(call), characters, side, out);
}

static bool strip(struct den_jinja_run *run, const struct den_jinja_call *call,
                  struct den_jinja_value *out)
{
    return strip_side(run, call, JINJA_BOTH, out);
}

static bool lstrip(struct den_jinja_run *run, const struct den_jinja_call *call,
                   struct den_jinja_value *out)
{
    return strip_side(run, call, JINJA_LEFT, out);
}

static bool rstrip(struct den_jinja_run *run, const struct den_jinja_call *call,
                   struct den_jinja_value *out)
{
    return strip_side(run, call, JINJA_RIGHT, out);
}

/* split and rsplit: which end the limit is counted from is all that differs. */
static bool split_by(struct den_jinja_run *run, const struct den_jinja_call *call, bool from_right,
                     struct den_jinja_value *out)
{
    const struct den_jinja_text *separator;
    struct den_jinja_list *list;
    int64_t limit;

    if (!den_jinja_argument_text(run, call, 1, &separator) ||
        !den_jinja_argument_integer(run, call, 2, -1, &limit) ||
        !(from_right ? den_jinja_split_right : den_jinja_split)(run, self_of(call), separator,
                                                                limit, &list))
        return false;
    *out = den_jinja_of_list(list, JINJA_LIST);
    return true;
}

static bool split(struct den_jinja_run *run, const struct den_jinja_call *call,
                  struct den_jinja_value *out)
{
    return split_by(run, call, false, out);
}

static bool rsplit(struct den_jinja_run *run, const struct den_jinja_call *call,
                   struct den_jinja_value *out)
{
    return split_by(run, call, true, out);
}

static bool splitlines(struct den_jinja_run *run, const struct den_jinja_call *call,
                       struct den_jinja_value *out)
{
    struct den_jinja_list *list;

    if (!den_jinja_split_lines(run, self_of(call), den_jinja_argument_flag(call, 1), &list))
        return false;
    *out = den_jinja_of_list(list, JINJA_LIST);
    return true;
}

/* startswith and endswith take a text or a tuple of texts, and bounds as a slice has them. */
static bool match_end(struct den_jinja_run *run, const struct den_jinja_call *call, bool is_start,
                      struct den_jinja_value *out)
{
    const struct den_jinja_text *self = self_of(call);
    struct den_jinja_value wanted = call->values[1];
    struct den_jinja_value part;
    int64_t from;
    int64_t to;
    size_t start;
    size_t end;
    size_t count = wanted.kind == JINJA_TUPLE ? wanted.list->count : 1;
    size_t i;
    bool is_match = false;

    if (!den_jinja_argument_integer(run, call, 2, 0, &from) ||
        !den_jinja_argument_integer(run, call, 3, INT64_MAX, &to))
        return false;
    start = den_jinja_clamp_index(from, self->count);
    end = den_jinja_clamp_index(to, self->count);
    if (from > (int64_t)self->count || start > end)
        return *out = den_jinja_bool(false), true;
    if (!den_jinja_substring(run, self, start, end, &part))
        return false;
    for (i = 0; i < count && !is_match; i++) {
        struct den_jinja_value item = wanted.kind == JINJA_TUPLE ? wanted.list->items[i] : wanted;

        if (item.kind != JINJA_TEXT)
            return item.kind == JINJA_UNDEFINED
                       ? den_jinja_undefined_fail(run, item)
                       : den_jinja_fail(run,
                                        "%s: a string or a tuple of strings was expected, not %s",
                                        call->name, den_jinja_type_name(item));
        is_match = is_start ? den_jinja_starts_with(part.text, item.text)
                            : den_jinja_ends_with(part.text, item.text);
    }
    *out = den_jinja_bool(is_match);
    return true;
}

static bool startswith(struct den_jinja_run *run, const struct den_jinja_call *call,
                       struct den_jinja_value *out)
{
    return match_end(run, call, true, out);
}

static bool endswith(struct den_jinja_run *run, const struct den_jinja_call *call,
                     struct den_jinja_value *out)
{
    return match_end(run, call, false, out);
}

/* A required text argument. */
static bool want_text(struct den_jinja_run *run, const struct den_jinja_call *call, size_t index,
                      const struct den_jinja_text **out)
{
    if (!den_jinja_argument_text(run, call, index, out))
        return false;
    return *out ||
           den_jinja_fail(run, "%s: argument %zu must be a string, not None", call->name, index);
}

static bool replace(struct den_jinja_run *run, const struct den_jinja_call *call,
                    struct den_jinja_value *out)
{
    const struct den_jinja_text *from_to[2];
    int64_t limit;

    return want_text(run, call, 1, &from_to[0]) && want_text(run, call, 2, &from_to[1]) &&
           den_jinja_argument_integer(run, call, 3, -1, &limit) &&
           den_jinja_replace(run, self_of(call), from_to, limit, out);
}

static bool search(struct den_jinja_run *run, const struct den_jinja_call *call, bool from_right,
                   int64_t *out)
{
    const struct den_jinja_text *self = self_of(call);
    const struct den_jinja_text *needle;
    size_t bounds[2];
    int64_t from;
    int64_t to;

    if (!want_text(run, call, 1, &needle) || !den_jinja_argument_integer(run, call, 2, 0, &from) ||
        !den_jinja_argument_integer(run, call, 3, INT64_MAX, &to))
        return false;
    bounds[0] = den_jinja_clamp_index(from, self->count);
    bounds[1] = den_jinja_clamp_index(to, self->count);
    if (from > (int64_t)self->count)
        bounds[0] = self->count + 1;
    return den_jinja_find(run, self, needle, bounds, from_right, out);
}

#define FIND_METHOD(function, from_right, must_find)                                               \
    static bool function(struct den_jinja_run *run, const struct den_jinja_call *call,             \
                         struct den_jinja_value *out)                                              \
    {                                                                                              \
        int64_t index;                                                                             \
                                                                                                   \
        if (!search(run, call, from_right, &index))                                                \
            return false;                                                                          \
        if ((must_find) && index < 0)                                                              \
            return den_jinja_fail(run, "%s: substring not found", call->name);                     \
        *out = den_jinja_integer(index);                                                           \
        return true;                                                                               \
    }

FIND_METHOD(find, false, false)
FIND_METHOD(rfind, true, false)
FIND_METHOD(index_of, false, true)
FIND_METHOD(rindex_of, true, true)

static bool count_of(struct den_jinja_run *run, const struct den_jinja_call *call,
                     struct den_jinja_value *out)
{
    const struct den_jinja_text *self = self_of(call);
    const struct den_jinja_text *needle;
    struct den_jinja_value part;
    int64_t from;
    int64_t to;
    int64_t count;
    size_t start;
    size_t end;

    if (!want_text(run, call, 1, &needle) || !den_jinja_argument_integer(run, call, 2, 0, &from) ||
        !den_jinja_argument_integer(run, call, 3, INT64_MAX, &to))
        return false;
    start = den_jinja_clamp_index(from, self->count);
    end = den_jinja_clamp_index(to, self->count);
    if (start > end || from > (int64_t)self->count)
        return *out = den_jinja_integer(0), true;
    if (!den_jinja_substring(run, self, start, end, &part) ||
        !den_jinja_count(run, part.text, needle, &count))
        return false;
    *out = den_jinja_integer(count);
    return true;
}

bool den_jinja_join(struct den_jinja_run *run, const struct den_jinja_text *separator,
                    const struct den_jinja_list *items, bool converts, struct den_jinja_value *out)
{
    struct den_buffer buffer;
    size_t i;

    den_jinja_buffer_init(&buffer);
    for (i = 0; i < items->count; i++) {
        bool is_done = den_jinja_spend(run, 1);

        if (i > 0)
            den_buffer_append(&buffer, separator->bytes, separator->length);
        if (is_done && !converts && items->items[i].kind != JINJA_TEXT)
            is_done = den_jinja_fail(run, "join: item %zu is %s; only strings can be joined", i,
                                     den_jinja_type_name(items->items[i]));
        if (!is_done || !den_jinja_print(run, items->items[i], &buffer)) {
            den_buffer_deinit(&buffer);
            return false;
        }
    }
    return den_jinja_buffer_finish(run, &buffer, out);
}

static bool join(struct den_jinja_run *run, const struct den_jinja_call *call,
                 struct den_jinja_value *out)
{
    struct den_jinja_list *items;

    return den_jinja_items(run, call->values[1], &items) &&
           den_jinja_join(run, self_of(call), items, false, out);
}

static bool format(struct den_jinja_run *run, const struct den_jinja_call *call,
                   struct den_jinja_value *out)
{
    return den_jinja_format_braces(run, self_of(call), &call->rest, out);
}

static bool format_map(struct den_jinja_run *run, const struct den_jinja_call *call,
                       struct den_jinja_value *out)
{
    struct den_jinja_arguments arguments = { .count = 0 };
    struct den_jinja_value map = call->values[1];
    size_t i;

    if (map.kind != JINJA_DICT)
        return den_jinja_fail(run, "format_map: a mapping was expected, not %s",
                              den_jinja_type_name(map));
    arguments.keywords = den_jinja_alloc(run, map.dict->count + 1, sizeof *arguments.keywords);
    if (!arguments.keywords)
        return false;
    for (i = 0; i < map.dict->count; i++)
        if (map.dict->entries[i].key.kind == JINJA_TEXT)
            arguments.keywords[arguments.keyword_count++] =
                (struct den_jinja_keyword){ .name = map.dict->entries[i].key.text,
                                            .value = map.dict->entries[i].value };
    return den_jinja_format_braces(run, self_of(call), &arguments, out);
}

typedef bool (*character_test)(uint32_t code);

static bool is_alpha(uint32_t code)
{
    return den_jinja_char_is(code, JINJA_IS_ALPHA);
}

static bool is_digit(uint32_t code)
{
    return den_jinja_char_is(code, JINJA_IS_DIGIT);
}

static bool is_decimal(uint32_t code)
{
    return den_jinja_char_is(code, JINJA_IS_DECIMAL);
}

static bool is_numeric(uint32_t code)
{
    return den_jinja_char_is(code, JINJA_IS_NUMERIC);
}

static bool is_space(uint32_t code)
{
    return den_jinja_char_is(code, JINJA_IS_SPACE);
}

static bool all_characters(struct den_jinja_run *run, const struct den_jinja_call *call,
                           character_test test, struct den_jinja_value *out)
{
    const struct den_jinja_text *text = self_of(call);
    bool is_all = text->length > 0;
    size_t at = 0;

    if (!den_jinja_spend_bytes(run, text->length))
        return false;
    while (at < text->length && is_all) {
        uint32_t code;

        at += den_utf8_decode(text->bytes + at, text->length - at, &code);
        is_all = test(code);
    }
    *out = den_jinja_bool(is_all);
    return true;
}

#define IS_METHOD(name, test)                                                                      \
    static bool name(struct den_jinja_run *run, const struct den_jinja_call *call,                 \
                     struct den_jinja_value *out)                                                  \
    {                                                                                              \
        return all_characters(run, call, test, out);                                               \
    }

IS_METHOD(isalpha_of, is_alpha)
IS_METHOD(isdigit_of, is_digit)
IS_METHOD(isdecimal_of, is_decimal)
IS_METHOD(isnumeric_of, is_numeric)
IS_METHOD(isspace_of, is_space)
IS_METHOD(isalnum_of, den_jinja_char_is_alnum)

bool den_jinja_has_case(const struct den_jinja_text *text, bool is_upper)
{
    enum den_jinja_property wanted = is_upper ? JINJA_IS_UPPER : JINJA_IS_LOWER;
    bool has_any = false;
    size_t at = 0;

    while (at < text->length) {
        uint32_t code;

        at += den_utf8_decode(text->bytes + at, text->length - at, &code);
        if (!den_jinja_char_is_cased(code))
            continue;
        if (!den_jinja_char_is(code, wanted))
            return false;
        has_any = true;
    }
    return has_any;
}

static bool isupper_of(struct den_jinja_run *run, const struct den_jinja_call *call,
                       struct den_jinja_value *out)
{
    *out = den_jinja_bool(den_jinja_has_case(self_of(call), true));
    return den_jinja_spend_bytes(run, self_of(call)->length);
}

static bool islower_of(struct den_jinja_run *run, const struct den_jinja_call *call,
                       struct den_jinja_value *out)
{
    *out = den_jinja_bool(den_jinja_has_case(self_of(call), false));
    return den_jinja_spend_bytes(run, self_of(call)->length);
}

static bool pad_side(struct den_jinja_run *run, const struct den_jinja_call *call,
                     enum den_jinja_side side, struct den_jinja_value *out)
{
    static const struct den_jinja_text space = { .bytes = " ", .length = 1, .count = 1 };
    const struct den_jinja_text *fill;
    int64_t width;

    if (!den_jinja_argument_integer(run, call, 1, 0, &width) ||
        !den_jinja_argument_text(run, call, 2, &fill))
        return false;
    if (fill && fill->count != 1)
        return den_jinja_fail(run, "%s: the fill must be one character", call->name);
    return den_jinja_pad(run, self_of(call), width, side, fill ? fill : &space, out);
}

static bool ljust(struct den_jinja_run *run, const struct den_jinja_call *call,
                  struct den_jinja_value *out)
{
    return pad_side(run, call, JINJA_RIGHT, out);
}

static bool rjust(struct den_jinja_run *run, const struct den_jinja_call *call,
                  struct den_jinja_value *out)
{
    return pad_side(run, call, JINJA_LEFT, out);
}

static bool center(struct den_jinja_run *run, const struct den_jinja_call *call,
                   struct den_jinja_value *out)
{
    return pad_side(run, call, JINJA_BOTH, out);
}

static bool zfill(struct den_jinja_run *run, const struct den_jinja_call *call,
                  struct den_jinja_value *out)
{
    static const struct den_jinja_text zero = { .bytes = "0", .length = 1, .count = 1 };
    const struct den_jinja_text *self = self_of(call);
    bool has_sign = self->length > 0 && (*self->bytes == '-' || *self->bytes == '+');
    struct den_jinja_text digits = { .bytes = self->bytes + has_sign,
                                     .length = self->length - has_sign,
                                     .count = self->count - has_sign };
    struct den_buffer buffer;
    struct den_jinja_value padded;
    int64_t width;

    if (!den_jinja_argument_integer(run, call, 1, 0, &width) ||
        !den_jinja_pad(run, &digits, width - has_sign, JINJA_LEFT, &zero, &padded))
        return false;
    den_jinja_buffer_init(&buffer);
    den_buffer_append(&buffer, self->bytes, has_sign);
    den_buffer_append(&buffer, padded.text->bytes, padded.text->length);
    return den_jinja_buffer_finish(run, &buffer, out);
}

static bool removeprefix(struct den_jinja_run *run, const struct den_jinja_call *call,
                         struct den_jinja_value *out)
{
    const struct den_jinja_text *self = self_of(call);
    const struct den_jinja_text *prefix;
    size_t skipped;

    if (!want_text(run, call, 1, &prefix))
        return false;
    skipped = den_jinja_starts_with(self, prefix) ? prefix->length : 0;
    return den_jinja_text_view(run, self->bytes + skipped, self->length - skipped, out);
}

static bool removesuffix(struct den_jinja_run *run, const struct den_jinja_call *call,
                         struct den_jinja_value *out)
{
    const struct den_jinja_text *self = self_of(call);
    const struct den_jinja_text *suffix;
    size_t cut;

    if (!want_text(run, call, 1, &suffix))
        return false;
    cut = den_jinja_ends_with(self, suffix) ? suffix->length : 0;
    return den_jinja_text_view(run, self->bytes, self->length - cut, out);
}

static bool partition_at(struct den_jinja_run *run, const struct den_jinja_call *call,
                         bool from_right, struct den_jinja_value *out)
{
    const struct den_jinja_text *self = self_of(call);
    const struct den_jinja_text *separator;
    const size_t bounds[2] = { 0, self->count };
    struct den_jinja_list *list = den_jinja_list_new(run, 3);
    struct den_jinja_value parts[3];
    int64_t found;
    size_t start;
    size_t end;
    size_t i;

    if (!list || !want_text(run, call, 1, &separator))
        return false;
    if (separator->length == 0)
        return den_jinja_fail(run, "%s: empty separator", call->name);
    if (!den_jinja_find(run, self, separator, bounds, from_right, &found))
        return false;
    start = found >= 0 ? den_jinja_offset(self, (size_t)found) : from_right ? 0 : self->length;
    end = found >= 0 ? start + separator->length : start;
    if (!den_jinja_text_view(run, self->bytes, start, &parts[0]) ||
        !den_jinja_text_view(run, self->bytes + start, end - start, &parts[1]) ||
        !den_jinja_text_view(run, self->bytes + end, self->length - end, &parts[2]))
        return false;
    for (i = 0; i < 3; i++)
        if (!den_jinja_list_add(run, list, parts[i]))
            return false;
    *out = den_jinja_of_list(list, JINJA_TUPLE);
    return true;
}

static bool partition(struct den_jinja_run *run, const struct den_jinja_call *call,
                      struct den_jinja_value *out)
{
    return partition_at(run, call, false, out);
}

static bool rpartition(struct den_jinja_run *run, const struct den_jinja_call *call,
                       struct den_jinja_value *out)
{
    return partition_at(run, call, true, out);
}

const struct den_jinja_builtin *den_jinja_text_method_find(const struct den_jinja_text *name)
{
    static const struct den_jinja_builtin methods[] = {
        { "upper", "self", upper },
        { "lower", "self", lower },
        { "casefold", "self", lower },
        { "title", "self", title },
        { "capitalize", "self", capitalize },
        { "swapcase", "self", swapcase },
        { "strip", "self chars?", strip },
        { "lstrip", "self chars?", lstrip },
        { "rstrip", "self chars?", rstrip },
        { "split", "self sep? maxsplit?", split },
        { "rsplit", "self sep? maxsplit?", rsplit },
        { "splitlines", "self keepends?", splitlines },
        { "startswith", "self prefix start? end?", startswith },
        { "endswith", "self suffix start? end?", endswith },
        { "replace", "self old new count?", replace },
        { "find", "self sub start? end?", find },
        { "rfind", "self sub start? end?", rfind },
        { "index", "self sub start? end?", index_of },
        { "rindex", "self sub start? end?", rindex_of },
        { "count", "self sub start? end?", count_of },
        { "join", "self items", join },
        { "format", "self *", format },
        { "format_map", "self mapping", format_map },
        { "isalpha", "self", isalpha_of },
        { "isdigit", "self", isdigit_of },
        { "isdecimal", "self", isdecimal_of },
        { "isnumeric", "self", isnumeric_of },
        { "isalnum", "self", isalnum_of },
        { "isspace", "self", isspace_of },
        { "isupper", "self", isupper_of },
        { "islower", "self", islower_of },
        { "zfill", "self width", zfill },
        { "ljust", "self width fillchar?", ljust },
        { "rjust", "self width fillchar?", rjust },
        { "center", "self width fillchar?", center },
        { "removeprefix", "self prefix", removeprefix },
        { "removesuffix", "self suffix", removesuffix },
        { "partition", "self sep", partition },
        { "rpartition", "self sep", rpartition },
    };

    return den_jinja_builtin_find(methods, sizeof methods / sizeof methods[0], name);
}
