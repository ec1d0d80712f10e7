/* Filters of sequences; see jinja_filters.h. Those that Python makes lazy give iterators here too,
 * but filled at once. */
#include "text/jinja_filters.h"

#include <string.h>

#include "text/jinja_compare.h"
#include "text/jinja_eval.h"
#include "text/jinja_literal.h"
#include "text/jinja_methods.h"
#include "text/jinja_print.h"
#include "text/jinja_string.h"

static bool follow_text(struct den_jinja_run *run, struct den_jinja_value item,
                        const struct den_jinja_text *path, struct den_jinja_value fallback,
                        struct den_jinja_value *out)
{
    static const struct den_jinja_text dot = { .bytes = ".", .length = 1, .count = 1 };
    struct den_jinja_list *parts;
    size_t i;

    if (!den_jinja_split(run, path, &dot, -1, &parts))
        return false;
    for (i = 0; i < parts->count; i++) {
        const struct den_jinja_text *part = parts->items[i].text;
        struct den_jinja_value key = parts->items[i];
        int64_t index;
        bool overflow;

        if (part->length > 0 && strspn(part->bytes, "0123456789") >= part->length &&
            den_jinja_parse_integer(part->bytes, part->length, 10, &index, &overflow))
            key = den_jinja_integer(index);
        if (!den_jinja_get_item(run, item, key, &item))
            return false;
        if (item.kind == JINJA_UNDEFINED && fallback.kind != JINJA_MISSING &&
            fallback.kind != JINJA_NONE)
            item = fallback;
    }
    *out = item;
    return true;
}

bool den_jinja_follow(struct den_jinja_run *run, struct den_jinja_value item,
                      struct den_jinja_value attribute, struct den_jinja_value fallback,
                      struct den_jinja_value *out)
{
    *out = item;
    if (attribute.kind == JINJA_MISSING || attribute.kind == JINJA_NONE)
        return true;
    if (attribute.kind == JINJA_TEXT)
        return follow_text(run, item, attribute.text, fallback, out);
    if (!den_jinja_get_item(run, item, attribute, out))
        return false;
    if (out->kind == JINJA_UNDEFINED && fallback.kind != JINJA_MISSING &&
        fallback.kind != JINJA_NONE)
        *out = fallback;
    return true;
}

/* The key by which sort, unique, min, max and groupby compare: the attribute, lower case unless
 * case_sensitive. */
static bool sort_key(struct den_jinja_run *run, struct den_jinja_value item,
                     struct den_jinja_value attribute, bool is_case_sensitive,
                     struct den_jinja_value *out)
{
    if (!den_jinja_follow(run, item, attribute, JINJA_VALUE_MISSING, out))
        return false;
    if (is_case_sensitive || out->kind != JINJA_TEXT)
        return true;
    return den_jinja_change_case(run, out->text, JINJA_LOWER, out);
}

static bool copy_list(struct den_jinja_run *run, const struct den_jinja_list *source,
                      struct den_jinja_list **out)
{
    size_t i;

    *out = den_jinja_list_new(run, source->count);
    if (!*out)
        return false;
    for (i = 0; i < source->count; i++)
        if (!den_jinja_list_add(run, *out, source->items[i]))
            return false;
    return true;
}

static bool first(struct den_jinja_run *run, const struct den_jinja_call *call,
                  struct den_jinja_value *out)
{
    struct den_jinja_value value = call->values[0];
    struct den_jinja_list *items;

    if (value.kind == JINJA_ITERATOR) { /* takes one and leaves the rest */
        if (value.list->next < value.list->count) {
            *out = value.list->items[value.list->next++];
            return true;
        }
        return den_jinja_undefined_hint(run, "No first item, sequence was empty.", out);
    }
    if (!den_jinja_items(run, value, &items))
        return false;
    if (items->count == 0)
        return den_jinja_undefined_hint(run, "No first item, sequence was empty.", out);
    *out = items->items[0];
    return true;
}

static bool last(struct den_jinja_run *run, const struct den_jinja_call *call,
                 struct den_jinja_value *out)
{
    struct den_jinja_list *items;

    if (call->values[0].kind == JINJA_ITERATOR)
        return den_jinja_fail(run, "last: a '%s' can't be reversed; pass it through 'list' first",
                              den_jinja_type_name(call->values[0]));
    if (!den_jinja_items(run, call->values[0], &items))
        return false;
    if (items->count == 0)
        return den_jinja_undefined_hint(run, "No last item, sequence was empty.", out);
    *out = items->items[items->count - 1];
    return true;
}

static bool length(struct den_jinja_run *run, const struct den_jinja_call *call,
                   struct den_jinja_value *out)
{
    size_t count;
    bool has_length;

    den_jinja_length(call->values[0], &count, &has_length);
    if (!has_length)
        return den_jinja_fail(run, "length: object of type '%s' has no length",
                              den_jinja_type_name(call->values[0]));
    *out = den_jinja_integer((int64_t)count);
    return true;
}

static bool list(struct den_jinja_run *run, const struct den_jinja_call *call,
                 struct den_jinja_value *out)
{
    struct den_jinja_list *items;
    struct den_jinja_list *copy;

    if (!den_jinja_items(run, call->values[0], &items) || !copy_list(run, items, &copy))
        return false;
    *out = den_jinja_of_list(copy, JINJA_LIST);
    return true;
}

static bool items_of(struct den_jinja_run *run, const struct den_jinja_call *call,
                     struct den_jinja_value *out)
{
    struct den_jinja_list *list_of_pairs = den_jinja_list_new(run, 0);
    struct den_jinja_value value = call->values[0];
    size_t i;

    if (!list_of_pairs)
        return false;
    if (value.kind != JINJA_DICT && value.kind != JINJA_UNDEFINED)
        return den_jinja_fail(run, "items: a mapping was expected, not %s",
                              den_jinja_type_name(value));
    for (i = 0; value.kind == JINJA_DICT && i < value.dict->count; i++) {
        struct den_jinja_list *pair = den_jinja_list_new(run, 2);

        if (!pair || !den_jinja_list_add(run, pair, value.dict->entries[i].key) ||
            !den_jinja_list_add(run, pair, value.dict->entries[i].value) ||
            !den_jinja_list_add(run, list_of_pairs, den_jinja_of_list(pair, JINJA_TUPLE)))
            return false;
    }
    *out = den_jinja_iterator(list_of_pairs, "generator");
    return true;
}

static bool join(struct den_jinja_run *run, const struct den_jinja_call *call,
                 struct den_jinja_value *out)
{
    struct den_jinja_value separator;
    struct den_jinja_list *items;
    struct den_jinja_list *chosen;
    size_t i;

    if (!den_jinja_items(run, call->values[0], &items))
        return false;
    if (call->values[1].kind == JINJA_MISSING) {
        if (!den_jinja_text_view(run, "", 0, &separator))
            return false;
    } else if (!den_jinja_to_text(run, call->values[1], &separator)) {
        return false;
    }
    chosen = items;
    if (call->values[2].kind != JINJA_MISSING && call->values[2].kind != JINJA_NONE) {
        chosen = den_jinja_list_new(run, items->count);
        if (!chosen)
            return false;
        for (i = 0; i < items->count; i++) {
            struct den_jinja_value item;

            if (!den_jinja_follow(run, items->items[i], call->values[2], JINJA_VALUE_MISSING,
                                  &item) ||
                !den_jinja_list_add(run, chosen, item))
                return false;
        }
    }
    return den_jinja_join(run, separator.text, chosen, true, out);
}

static bool reverse(struct den_jinja_run *run, const struct den_jinja_call *call,
                    struct den_jinja_value *out)
{
    static const struct den_jinja_value all[3] = { { .kind = JINJA_NONE },
                                                   { .kind = JINJA_NONE },
                                                   { .kind = JINJA_INTEGER, .integer = -1 } };
    struct den_jinja_list *items;
    struct den_jinja_list *reversed;
    size_t i;

    if (call->values[0].kind == JINJA_TEXT)
        return den_jinja_get_slice(run, call->values[0], all, out);
    if (!den_jinja_items(run, call->values[0], &items))
        return false;
    reversed = den_jinja_list_new(run, items->count);
    if (!reversed)
        return false;
    for (i = items->count; i-- > 0;)
        if (!den_jinja_list_add(run, reversed, items->items[i]))
            return false;
    if (call->values[0].kind == JINJA_ITERATOR)
        *out = den_jinja_of_list(reversed, JINJA_LIST);
    else
        *out = den_jinja_iterator(reversed, "list_reverseiterator");
    return true;
}

static bool sort(struct den_jinja_run *run, const struct den_jinja_call *call,
                 struct den_jinja_value *out)
{
    static const struct den_jinja_text comma = { .bytes = ",", .length = 1, .count = 1 };
    struct den_jinja_value attribute = call->values[3];
    struct den_jinja_list *paths = NULL;
    struct den_jinja_list *items;
    struct den_jinja_list *sorted;
    struct den_jinja_list *keys;
    size_t i;
    size_t j;

    if (!den_jinja_items(run, call->values[0], &items) || !copy_list(run, items, &sorted))
        return false;
    keys = den_jinja_list_new(run, items->count);
    if (!keys ||
        (attribute.kind == JINJA_TEXT && !den_jinja_split(run, attribute.text, &comma, -1, &paths)))
        return false;
    for (i = 0; i < sorted->count; i++) {
        struct den_jinja_list *key = den_jinja_list_new(run, 1);

        if (!key)
            return false;
        for (j = 0; j < (paths ? paths->count : 1); j++) {
            struct den_jinja_value part;

            if (!sort_key(run, sorted->items[i], paths ? paths->items[j] : attribute,
                          den_jinja_argument_flag(call, 2), &part) ||
                !den_jinja_list_add(run, key, part))
                return false;
        }
        if (!den_jinja_list_add(run, keys, den_jinja_of_list(key, JINJA_LIST)))
            return false;
    }
    if (!den_jinja_sort(run, sorted, keys, den_jinja_argument_flag(call, 1)))
        return false;
    *out = den_jinja_of_list(sorted, JINJA_LIST);
    return true;
}

static bool dictsort(struct den_jinja_run *run, const struct den_jinja_call *call,
                     struct den_jinja_value *out)
{
    struct den_jinja_value by = call->values[2];
    struct den_jinja_value pairs;
    struct den_jinja_list *keys;
    size_t position;
    size_t i;

    if (by.kind != JINJA_MISSING && !den_jinja_text_is(by, "key") &&
        !den_jinja_text_is(by, "value"))
        return den_jinja_fail(run, "dictsort: by must be 'key' or 'value'");
    if (call->values[0].kind == JINJA_UNDEFINED)
        return den_jinja_undefined_fail(run, call->values[0]);
    if (!items_of(run, call, &pairs))
        return false;
    position = den_jinja_text_is(by, "value");
    keys = den_jinja_list_new(run, pairs.list->count);
    if (!keys)
        return false;
    for (i = 0; i < pairs.list->count; i++) {
        struct den_jinja_value key;

        if (!sort_key(run, pairs.list->items[i].list->items[position], JINJA_VALUE_MISSING,
                      den_jinja_argument_flag(call, 1), &key) ||
            !den_jinja_list_add(run, keys, key))
            return false;
    }
    if (!den_jinja_sort(run, pairs.list, keys, den_jinja_argument_flag(call, 3)))
        return false;
    *out = den_jinja_of_list(pairs.list, JINJA_LIST);
    return true;
}

static bool unique(struct den_jinja_run *run, const struct den_jinja_call *call,
                   struct den_jinja_value *out)
{
    struct den_jinja_dict *seen = den_jinja_dict_new(run);
    struct den_jinja_list *chosen = den_jinja_list_new(run, 0);
    struct den_jinja_list *items;
    size_t i;

    if (!seen || !chosen || !den_jinja_items(run, call->values[0], &items))
        return false;
    for (i = 0; i < items->count; i++) {
        struct den_jinja_value key;
        size_t before = seen->count;

        if (!sort_key(run, items->items[i], call->values[2], den_jinja_argument_flag(call, 1),
                      &key) ||
            !den_jinja_dict_set(run, seen, key, JINJA_VALUE_NONE) ||
            (seen->count > before && !den_jinja_list_add(run, chosen, items->items[i])))
            return false;
    }
    *out = den_jinja_iterator(chosen, "generator");
    return true;
}

static bool extreme(struct den_jinja_run *run, const struct den_jinja_call *call, int wanted,
                    struct den_jinja_value *out)
{
    struct den_jinja_list *items;
    struct den_jinja_value best = JINJA_VALUE_NONE;
    size_t i;

    if (!den_jinja_items(run, call->values[0], &items))
        return false;
    if (items->count == 0)
        return den_jinja_undefined_hint(run, "No aggregated item, sequence was empty.", out);
    for (i = 0; i < items->count; i++) {
        struct den_jinja_value key;
        int order = wanted;

        if (!sort_key(run, items->items[i], call->values[2], den_jinja_argument_flag(call, 1),
                      &key) ||
            (i > 0 && !den_jinja_compare(run, key, best, wanted < 0 ? "<" : ">", &order)))
            return false;
        if (order == wanted) {
            best = key;
            *out = items->items[i];
        }
    }
    return true;
}

static bool minimum(struct den_jinja_run *run, const struct den_jinja_call *call,
                    struct den_jinja_value *out)
{
    return extreme(run, call, -1, out);
}

static bool maximum(struct den_jinja_run *run, const struct den_jinja_call *call,
                    struct den_jinja_value *out)
{
    return extreme(run, call, 1, out);
}

static bool sum(struct den_jinja_run *run, const struct den_jinja_call *call,
                struct den_jinja_value *out)
{
    struct den_jinja_value total = call->values[2];
    struct den_jinja_list *items;
    size_t i;

    if (total.kind == JINJA_MISSING)
        total = den_jinja_integer(0);
    if (total.kind == JINJA_TEXT)
        return den_jinja_fail(run, "sum: strings can't be summed; use 'join'");
    if (!den_jinja_items(run, call->values[0], &items))
        return false;
    for (i = 0; i < items->count; i++) {
        struct den_jinja_value item;

        if (!den_jinja_follow(run, items->items[i], call->values[1], JINJA_VALUE_MISSING, &item) ||
            !den_jinja_operate(run, JINJA_ADD, total, item, &total))
            return false;
    }
    *out = total;
    return true;
}

static bool batch(struct den_jinja_run *run, const struct den_jinja_call *call,
                  struct den_jinja_value *out)
{
    struct den_jinja_list *rows = den_jinja_list_new(run, 0);
    struct den_jinja_list *row = den_jinja_list_new(run, 0);
    struct den_jinja_list *items;
    struct den_jinja_value filler = call->values[2];
    int64_t width;
    size_t i;

    if (!rows || !row || !den_jinja_argument_integer(run, call, 1, 1, &width) ||
        !den_jinja_items(run, call->values[0], &items))
        return false;
    for (i = 0; i < items->count; i++) {
        if ((int64_t)row->count == width) {
            if (!den_jinja_list_add(run, rows, den_jinja_of_list(row, JINJA_LIST)))
                return false;
            row = den_jinja_list_new(run, 0);
            if (!row)
                return false;
        }
        if (!den_jinja_list_add(run, row, items->items[i]))
            return false;
    }
    while (row->count > 0 && filler.kind != JINJA_MISSING && filler.kind != JINJA_NONE &&
           (int64_t)row->count < width)
        if (!den_jinja_list_add(run, row, filler))
            return false;
    if (row->count > 0 && !den_jinja_list_add(run, rows, den_jinja_of_list(row, JINJA_LIST)))
        return false;
    *out = den_jinja_iterator(rows, "generator");
    return true;
}

static bool slice(struct den_jinja_run *run, const struct den_jinja_call *call,
                  struct den_jinja_value *out)
{
    struct den_jinja_list *columns = den_jinja_list_new(run, 0);
    struct den_jinja_value filler = call->values[2];
    struct den_jinja_list *items;
    int64_t count;
    int64_t column;
    size_t at = 0;

    if (!columns || !den_jinja_argument_integer(run, call, 1, 1, &count) ||
        !den_jinja_items(run, call->values[0], &items))
        return false;
    if (count == 0)
        return den_jinja_fail(run, "slice: the number of slices must not be zero");
    for (column = 0; column < count; column++) {
        size_t extra = items->count % (size_t)count;
        size_t wanted = items->count / (size_t)count + ((size_t)column < extra);
        struct den_jinja_list *part = den_jinja_list_new(run, wanted);

        if (!part || !den_jinja_list_add(run, columns, den_jinja_of_list(part, JINJA_LIST)))
            return false;
        while (wanted-- > 0)
            if (!den_jinja_list_add(run, part, items->items[at++]))
                return false;
        if (filler.kind != JINJA_MISSING && filler.kind != JINJA_NONE && (size_t)column >= extra &&
            !den_jinja_list_add(run, part, filler))
            return false;
    }
    *out = den_jinja_iterator(columns, "generator");
    return true;
}

static bool add_group(struct den_jinja_run *run, struct den_jinja_list *groups,
                      struct den_jinja_value key, struct den_jinja_list **out_members)
{
    struct den_jinja_list *group = den_jinja_list_new(run, 2);

    *out_members = den_jinja_list_new(run, 0);
    if (!group || !*out_members)
        return false;
    group->name = "tuple";
    return den_jinja_list_add(run, group, key) &&
           den_jinja_list_add(run, group, den_jinja_of_list(*out_members, JINJA_LIST)) &&
           den_jinja_list_add(run, groups, den_jinja_of_list(group, JINJA_TUPLE));
}

static bool groupby(struct den_jinja_run *run, const struct den_jinja_call *call,
                    struct den_jinja_value *out)
{
    struct den_jinja_list *groups = den_jinja_list_new(run, 0);
    struct den_jinja_list *members = NULL;
    struct den_jinja_list *items;
    struct den_jinja_list *sorted;
    struct den_jinja_list *keys;
    bool is_case_sensitive = den_jinja_argument_flag(call, 3);
    size_t i;

    if (!groups || !den_jinja_items(run, call->values[0], &items) ||
        !copy_list(run, items, &sorted))
        return false;
    keys = den_jinja_list_new(run, items->count);
    if (!keys)
        return false;
    for (i = 0; i < sorted->count; i++) {
        struct den_jinja_value key;

        if (!den_jinja_follow(run, sorted->items[i], call->values[1], call->values[2], &key) ||
            (!is_case_sensitive &&
             !sort_key(run, key, JINJA_VALUE_MISSING, is_case_sensitive, &key)) ||
            !den_jinja_list_add(run, keys, key))
            return false;
    }
    if (!den_jinja_sort(run, sorted, keys, false))
        return false;
    for (i = 0; i < sorted->count; i++) {
        struct den_jinja_value shown = keys->items[i];
        bool is_same = false;

        if (i > 0 && !den_jinja_equal(run, keys->items[i - 1], keys->items[i], &is_same))
            return false;
        if (!is_same &&
            (!den_jinja_follow(run, sorted->items[i], call->values[1], call->values[2], &shown) ||
             !add_group(run, groups, shown, &members)))
            return false;
        if (!den_jinja_list_add(run, members, sorted->items[i]))
            return false;
    }
    *out = den_jinja_of_list(groups, JINJA_LIST);
    return true;
}

/* --- map, select and their kin --- */

static bool take_keyword(const struct den_jinja_arguments *arguments, const char *name,
                         struct den_jinja_value *out)
{
    size_t i;

    *out = JINJA_VALUE_MISSING;
    for (i = 0; i < arguments->keyword_count; i++) {
        struct den_jinja_value given = { .kind = JINJA_TEXT, .text = arguments->keywords[i].name };

        if (den_jinja_text_is(given, name)) {
            *out = arguments->keywords[i].value;
            return true;
        }
    }
    return false;
}

static bool map_filter(struct den_jinja_run *run, const struct den_jinja_call *call,
                       const struct den_jinja_builtin **out_filter,
                       struct den_jinja_arguments *out_rest)
{
    if (call->rest.count == 0)
        return den_jinja_fail(run, "map: the name of a filter or attribute= was expected");
    if (call->rest.items[0].kind != JINJA_TEXT)
        return den_jinja_fail(run, "map: the filter's name must be a string");
    *out_filter = den_jinja_filter_find(call->rest.items[0].text);
    if (!*out_filter)
        return den_jinja_fail(run, "map: no filter named '%.*s'",
                              (int)(call->rest.items[0].text->length & 0xFF),
                              call->rest.items[0].text->bytes);
    *out_rest = call->rest;
    out_rest->items++;
    out_rest->count--;
    return true;
}

static bool map(struct den_jinja_run *run, const struct den_jinja_call *call,
                struct den_jinja_value *out)
{
    struct den_jinja_list *mapped = den_jinja_list_new(run, 0);
    const struct den_jinja_builtin *filter = NULL;
    struct den_jinja_arguments rest = { .count = 0 };
    struct den_jinja_value attribute;
    struct den_jinja_value fallback;
    struct den_jinja_list *items;
    bool has_attribute = take_keyword(&call->rest, "attribute", &attribute);
    size_t i;

    take_keyword(&call->rest, "default", &fallback);
    if (!mapped)
        return false;
    *out = den_jinja_iterator(mapped, "generator");
    if (!den_jinja_is_true(call->values[0]))
        return true;
    has_attribute = has_attribute && call->rest.count == 0;
    if (has_attribute && call->rest.keyword_count > 1u + (fallback.kind != JINJA_MISSING))
        return den_jinja_fail(run, "map: only attribute= and default= were expected");
    if ((!has_attribute && !map_filter(run, call, &filter, &rest)) ||
        !den_jinja_items(run, call->values[0], &items))
        return false;
    for (i = 0; i < items->count; i++) {
        struct den_jinja_value item;
        bool is_done = filter ? den_jinja_builtin_call(run, filter, items->items[i], &rest, &item)
                              : den_jinja_follow(run, items->items[i], attribute, fallback, &item);

        if (!is_done || !den_jinja_list_add(run, mapped, item))
            return false;
    }
    return true;
}

/* What select, reject, selectattr and rejectattr share: rest[0] is the attribute when
 * `by_attribute`, then come the name of a test and its arguments. */
static bool choose(struct den_jinja_run *run, const struct den_jinja_call *call, bool by_attribute,
                   bool wanted, struct den_jinja_value *out)
{
    struct den_jinja_list *chosen = den_jinja_list_new(run, 0);
    struct den_jinja_value attribute = JINJA_VALUE_MISSING;
    const struct den_jinja_builtin *test = NULL;
    struct den_jinja_arguments rest = call->rest;
    struct den_jinja_list *items;
    size_t i;

    if (!chosen)
        return false;
    *out = den_jinja_iterator(chosen, "generator");
    if (!den_jinja_is_true(call->values[0]))
        return true;
    if (by_attribute) {
        if (rest.count == 0)
            return den_jinja_fail(run, "%s: the name of an attribute is missing", call->name);
        attribute = *rest.items++;
        rest.count--;
    }
    if (rest.count > 0) {
        if (rest.items[0].kind == JINJA_TEXT)
            test = den_jinja_test_find(rest.items[0].text);
        if (!test)
            return den_jinja_fail(run, "%s: there is no such test", call->name);
        rest.items++;
        rest.count--;
    }
    if (!den_jinja_items(run, call->values[0], &items))
        return false;
    for (i = 0; i < items->count; i++) {
        struct den_jinja_value value;

        if (!den_jinja_follow(run, items->items[i], attribute, JINJA_VALUE_MISSING, &value) ||
            (test && !den_jinja_builtin_call(run, test, value, &rest, &value)) ||
            (den_jinja_is_true(value) == wanted &&
             !den_jinja_list_add(run, chosen, items->items[i])))
            return false;
    }
    return true;
}

static bool select_items(struct den_jinja_run *run, const struct den_jinja_call *call,
                         struct den_jinja_value *out)
{
    return choose(run, call, false, true, out);
}

static bool reject(struct den_jinja_run *run, const struct den_jinja_call *call,
                   struct den_jinja_value *out)
{
    return choose(run, call, false, false, out);
}

static bool selectattr(struct den_jinja_run *run, const struct den_jinja_call *call,
                       struct den_jinja_value *out)
{
    return choose(run, call, true, true, out);
}

static bool rejectattr(struct den_jinja_run *run, const struct den_jinja_call *call,
                       struct den_jinja_value *out)
{
    return choose(run, call, true, false, out);
}

const struct den_jinja_builtin *den_jinja_list_filter_find(const struct den_jinja_text *name)
{
    static const struct den_jinja_builtin filters[] = {
        { "length", "value", length },
        { "count", "value", length },
        { "list", "value", list },
        { "first", "value", first },
        { "last", "value", last },
        { "join", "value d? attribute?", join },
        { "items", "value", items_of },
        { "map", "value *", map },
        { "select", "value *", select_items },
        { "reject", "value *", reject },
        { "selectattr", "value *", selectattr },
        { "rejectattr", "value *", rejectattr },
        { "reverse", "value", reverse },
        { "sort", "value reverse? case_sensitive? attribute?", sort },
        { "dictsort", "value case_sensitive? by? reverse?", dictsort },
        { "unique", "value case_sensitive? attribute?", unique },
        { "min", "value case_sensitive? attribute?", minimum },
        { "max", "value case_sensitive? attribute?", maximum },
        { "sum", "value attribute? start?", sum },
        { "batch", "value linecount fill_with?", batch },
        { "slice", "value slices fill_with?", slice },
        { "groupby", "value attribute default? case_sensitive?", groupby },
    };

    return den_jinja_builtin_find(filters, sizeof filters / sizeof filters[0], name);
}
