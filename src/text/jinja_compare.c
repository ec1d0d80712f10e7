/* Equality, order, hashes and membership of Jinja values, as Python defines them: 1 == 1.0 == True,
 * lists and tuples compare item by item, dicts regardless of order; only numbers, texts, lists and
 * tuples are ordered. See jinja_value.h. */
#include "text/jinja_compare.h"

#include <math.h>
#include <string.h>

#include "text/jinja_run.h"

/* Exact also where a double can't hold the integer: -1, 0, 1, or 2 for NaN. */
static int compare_integer_number(int64_t integer, double number)
{
    double whole;

    if (isnan(number))
        return 2;
    if (number >= 9223372036854775808.0)
        return -1;
    if (number < -9223372036854775808.0)
        return 1;
    whole = floor(number);
    if (integer != (int64_t)whole)
        return integer < (int64_t)whole ? -1 : 1;
    return number > whole ? -1 : 0;
}

static int compare_numbers(struct den_jinja_value a, struct den_jinja_value b)
{
    int64_t x;
    int64_t y;
    bool is_a_integer = den_jinja_as_integer(a, &x);
    bool is_b_integer = den_jinja_as_integer(b, &y);
    int order;

    if (is_a_integer && is_b_integer)
        return x < y ? -1 : x > y;
    if (is_a_integer)
        return compare_integer_number(x, b.number);
    if (is_b_integer) {
        order = compare_integer_number(y, a.number);
        return order == 2 ? 2 : -order;
    }
    if (isnan(a.number) || isnan(b.number))
        return 2;
    return a.number < b.number ? -1 : a.number > b.number;
}

/* Byte order of UTF-8 is code point order. */
static int compare_texts(const struct den_jinja_text *a, const struct den_jinja_text *b)
{
    size_t shorter = a->length < b->length ? a->length : b->length;
    int order = shorter > 0 ? memcmp(a->bytes, b->bytes, shorter) : 0;

    if (order != 0)
        return order < 0 ? -1 : 1;
    return a->length < b->length ? -1 : a->length > b->length;
}

static bool equal_lists(struct den_jinja_run *run, const struct den_jinja_list *a,
                        const struct den_jinja_list *b, bool *out)
{
    size_t i;

    *out = a->count == b->count;
    for (i = 0; i < a->count && *out; i++)
        if (!den_jinja_equal(run, a->items[i], b->items[i], out))
            return false;
    return true;
}

static bool equal_dicts(struct den_jinja_run *run, const struct den_jinja_dict *a,
                        const struct den_jinja_dict *b, bool *out)
{
    size_t i;

    *out = a->count == b->count;
    for (i = 0; i < a->count && *out; i++) {
        const struct den_jinja_value *other;

        if (!den_jinja_dict_find(run, b, a->entries[i].key, &other))
            return false;
        if (!other)
            *out = false;
        else if (!den_jinja_equal(run, a->entries[i].value, *other, out))
            return false;
    }
    return true;
}

static bool equal_ranges(const struct den_jinja_range *a, const struct den_jinja_range *b)
{
    if (a->count != b->count)
        return false;
    return a->count == 0 || (a->start == b->start && (a->count == 1 || a->step == b->step));
}

static bool equal_same_kind(struct den_jinja_run *run, struct den_jinja_value a,
                            struct den_jinja_value b, bool *out)
{
    switch (a.kind) {
    case JINJA_MISSING:
    case JINJA_UNDEFINED:
    case JINJA_NONE:
        *out = true;
        return true;
    case JINJA_TEXT:
        *out = a.text->length == b.text->length && compare_texts(a.text, b.text) == 0;
        return den_jinja_spend_bytes(run, *out ? a.text->length : 0);
    case JINJA_LIST:
    case JINJA_TUPLE:
        return equal_lists(run, a.list, b.list, out);
    case JINJA_DICT:
        return equal_dicts(run, a.dict, b.dict, out);
    case JINJA_RANGE:
        *out = equal_ranges(a.range, b.range);
        return true;
    case JINJA_METHOD:
        *out = a.method->builtin == b.method->builtin && a.method->self.list == b.method->self.list;
        return true;
    default:
        *out = a.list == b.list; /* everything else: the same object */
        return true;
    }
}

bool den_jinja_equal(struct den_jinja_run *run, struct den_jinja_value a, struct den_jinja_value b,
                     bool *out)
{
    bool is_done;

    if (den_jinja_is_number(a) && den_jinja_is_number(b)) {
        *out = compare_numbers(a, b) == 0;
        return true;
    }
    *out = false;
    if (a.kind != b.kind)
        return true;
    if (!den_jinja_enter(run))
        return false;
    is_done = equal_same_kind(run, a, b, out);
    den_jinja_leave(run);
    return is_done;
}

static bool order_lists(struct den_jinja_run *run, const struct den_jinja_list *a,
                        const struct den_jinja_list *b, const char *sign, int *out_order)
{
    size_t shorter = a->count < b->count ? a->count : b->count;
    size_t i;

    for (i = 0; i < shorter; i++) {
        bool is_equal;

        if (!den_jinja_equal(run, a->items[i], b->items[i], &is_equal))
            return false;
        if (!is_equal)
            return den_jinja_compare(run, a->items[i], b->items[i], sign, out_order);
    }
    *out_order = a->count < b->count ? -1 : a->count > b->count;
    return true;
}

bool den_jinja_compare(struct den_jinja_run *run, struct den_jinja_value a,
                       struct den_jinja_value b, const char *sign, int *out_order)
{
    bool is_done;

    if (den_jinja_is_number(a) && den_jinja_is_number(b)) {
        *out_order = compare_numbers(a, b);
        return true;
    }
    if (a.kind == JINJA_UNDEFINED)
        return den_jinja_undefined_fail(run, a);
    if (b.kind == JINJA_UNDEFINED)
        return den_jinja_undefined_fail(run, b);
    if (a.kind == JINJA_TEXT && b.kind == JINJA_TEXT) {
        *out_order = compare_texts(a.text, b.text);
        return den_jinja_spend_bytes(run, a.text->length);
    }
    if (a.kind != b.kind || (a.kind != JINJA_LIST && a.kind != JINJA_TUPLE))
        return den_jinja_fail(run, "'%s' not supported between '%s' and '%s'", sign,
                              den_jinja_type_name(a), den_jinja_type_name(b));
    if (!den_jinja_enter(run))
        return false;
    is_done = order_lists(run, a.list, b.list, sign, out_order);
    den_jinja_leave(run);
    return is_done;
}

/* FNV-1a, finished with a multiply so that the low bits used for slots depend on all input. */
static uint64_t hash_bytes(const char *bytes, size_t length)
{
    uint64_t hash = 0xcbf29ce484222325u;
    size_t i;

    for (i = 0; i < length; i++)
        hash = (hash ^ (unsigned char)bytes[i]) * 0x100000001b3u;
    return (hash ^ (hash >> 29)) * 0x9e3779b97f4a7c15u;
}

static uint64_t hash_number(struct den_jinja_value value)
{
    int64_t integer;

    if (!den_jinja_as_integer(value, &integer)) {
        double number = value.number;

        if (!(number >= -9e18 && number <= 9e18 && floor(number) == number))
            return hash_bytes((const char *)&number, sizeof number);
        integer = (int64_t)number;
    }
    return hash_bytes((const char *)&integer, sizeof integer);
}

static bool hash_tuple(struct den_jinja_run *run, const struct den_jinja_list *tuple,
                       uint64_t *out_hash, bool *out_hashable)
{
    size_t i;

    *out_hash = tuple->count;
    for (i = 0; i < tuple->count && *out_hashable; i++) {
        uint64_t item;

        if (!den_jinja_enter(run))
            return false;
        if (!den_jinja_hash(run, tuple->items[i], &item, out_hashable))
            return false;
        den_jinja_leave(run);
        *out_hash = (*out_hash ^ item) * 0x9e3779b97f4a7c15u;
    }
    return true;
}

bool den_jinja_hash(struct den_jinja_run *run, struct den_jinja_value value, uint64_t *out_hash,
                    bool *out_hashable)
{
    *out_hash = value.kind;
    *out_hashable = true;
    switch (value.kind) {
    case JINJA_TEXT:
        *out_hash = hash_bytes(value.text->bytes, value.text->length);
        return den_jinja_spend_bytes(run, value.text->length);
    case JINJA_BOOL:
    case JINJA_INTEGER:
    case JINJA_FLOAT:
        *out_hash = hash_number(value);
        return true;
    case JINJA_TUPLE:
        return hash_tuple(run, value.list, out_hash, out_hashable);
    case JINJA_LIST:
    case JINJA_DICT:
    case JINJA_VIEW:
        *out_hashable = false;
        return true;
    default:
        return true;
    }
}

static bool contains_text(struct den_jinja_run *run, const struct den_jinja_text *text,
                          struct den_jinja_value item, bool *out)
{
    if (item.kind == JINJA_UNDEFINED)
        return den_jinja_undefined_fail(run, item);
    if (item.kind != JINJA_TEXT)
        return den_jinja_fail(run, "'in <string>' requires a string as left operand, not %s",
                              den_jinja_type_name(item));
    *out = item.text->length == 0 ||
           memmem(text->bytes, text->length, item.text->bytes, item.text->length) != NULL;
    return den_jinja_spend_bytes(run, text->length);
}

static bool contains_key(struct den_jinja_run *run, const struct den_jinja_dict *dict,
                         struct den_jinja_value key, bool *out)
{
    const struct den_jinja_value *found;
    uint64_t hash;
    bool is_hashable;

    if (!den_jinja_hash(run, key, &hash, &is_hashable))
        return false;
    if (!is_hashable)
        return den_jinja_fail(run, "a %s can't be the key of a dict (unhashable type)",
                              den_jinja_type_name(key));
    if (!den_jinja_dict_find(run, dict, key, &found))
        return false;
    *out = found != NULL;
    return true;
}

bool den_jinja_contains(struct den_jinja_run *run, struct den_jinja_value container,
                        struct den_jinja_value item, bool *out)
{
    struct den_jinja_list *list;
    size_t i;

    *out = false;
    if (container.kind == JINJA_TEXT)
        return contains_text(run, container.text, item, out);
    if (container.kind == JINJA_DICT)
        return contains_key(run, container.dict, item, out);
    if (container.kind == JINJA_ITERATOR) { /* walks only as far as the item */
        while (container.list->next < container.list->count && !*out)
            if (!den_jinja_spend(run, 1) ||
                !den_jinja_equal(run, container.list->items[container.list->next++], item, out))
                return false;
        return true;
    }
    if (!den_jinja_is_iterable(container))
        return den_jinja_fail(run,
                              "argument of type '%s' is not iterable: 'in' wants a list or text",
                              den_jinja_type_name(container));
    if (!den_jinja_items(run, container, &list))
        return false;
    for (i = 0; i < list->count && !*out; i++)
        if (!den_jinja_spend(run, 1) || !den_jinja_equal(run, list->items[i], item, out))
            return false;
    return true;
}
