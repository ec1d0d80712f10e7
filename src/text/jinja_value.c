/* See jinja_value.h. Texts, lists and dicts, and what all kinds share: truth, length, iteration. */
#include "text/jinja_value.h"

#include <math.h>
#include <string.h>

#include "base/checked.h"
#include "base/utf8.h"
#include "text/jinja_compare.h"
#include "text/jinja_run.h"

enum { LIST_CAPACITY_MIN = 4, DICT_CAPACITY_MIN = 8 };

const struct den_jinja_text *den_jinja_text_wrap(struct den_arena *arena, const char *bytes,
                                                 size_t length)
{
    struct den_jinja_text *text = den_arena_alloc(arena, sizeof *text);

    if (text)
        *text = (struct den_jinja_text){ .bytes = bytes,
                                         .length = length,
                                         .count = den_utf8_count(bytes, length) };
    return text;
}

bool den_jinja_text_view(struct den_jinja_run *run, const char *bytes, size_t length,
                         struct den_jinja_value *out)
{
    struct den_jinja_text *text = den_jinja_alloc(run, 1, sizeof *text);

    if (!text || !den_jinja_spend_bytes(run, length))
        return false;
    *text = (struct den_jinja_text){ .bytes = bytes,
                                     .length = length,
                                     .count = den_utf8_count(bytes, length) };
    *out = (struct den_jinja_value){ .kind = JINJA_TEXT, .text = text };
    return true;
}

bool den_jinja_text(struct den_jinja_run *run, const char *bytes, size_t length,
                    struct den_jinja_value *out)
{
    char *copy;

    if (length == 0)
        return den_jinja_text_view(run, "", 0, out);
    copy = den_jinja_alloc(run, length, 1);
    if (!copy)
        return false;
    memcpy(copy, bytes, length);
    return den_jinja_text_view(run, copy, length, out);
}

bool den_jinja_text_is(struct den_jinja_value value, const char *literal)
{
    size_t length = strlen(literal);

    return value.kind == JINJA_TEXT && value.text->length == length &&
           memcmp(value.text->bytes, literal, length) == 0;
}

struct den_jinja_list *den_jinja_list_new(struct den_jinja_run *run, size_t capacity)
{
    struct den_jinja_list *list = den_jinja_alloc(run, 1, sizeof *list);

    if (!list)
        return NULL;
    if (capacity > 0) {
        list->items = den_jinja_alloc(run, capacity, sizeof *list->items);
        if (!list->items)
            return NULL;
        list->capacity = capacity;
    }
    return list;
}

bool den_jinja_list_add(struct den_jinja_run *run, struct den_jinja_list *list,
                        struct den_jinja_value item)
{
    if (!den_jinja_spend(run, 1))
        return false;
    if (list->count == list->capacity) {
        size_t capacity = list->capacity ? list->capacity * 2 : LIST_CAPACITY_MIN;
        struct den_jinja_value *items = den_jinja_alloc(run, capacity, sizeof *items);

        if (!items)
            return false;
        if (list->count > 0)
            memcpy(items, list->items, list->count * sizeof *items);
        list->items = items;
        list->capacity = capacity;
    }
    list->items[list->count++] = item;
    return true;
}

struct den_jinja_value den_jinja_iterator(struct den_jinja_list *list, const char *name)
{
    list->name = name;
    list->next = 0;
    return den_jinja_of_list(list, JINJA_ITERATOR);
}

struct den_jinja_dict *den_jinja_dict_new(struct den_jinja_run *run)
{
    return den_jinja_alloc(run, 1, sizeof(struct den_jinja_dict));
}

static void put_slot(struct den_jinja_dict *dict, size_t index)
{
    size_t slot = dict->entries[index].hash & (dict->slot_count - 1);

    while (dict->slots[slot] != 0)
        slot = (slot + 1) & (dict->slot_count - 1);
    dict->slots[slot] = (uint32_t)(index + 1);
}

/* Small dicts are searched in order; from DICT_CAPACITY_MIN entries on there are slots, at most
 * half of them full. */
static bool grow_dict(struct den_jinja_run *run, struct den_jinja_dict *dict)
{
    size_t capacity = dict->capacity ? dict->capacity * 2 : DICT_CAPACITY_MIN;
    struct den_jinja_entry *entries = den_jinja_alloc(run, capacity, sizeof *entries);
    size_t i;

    if (!entries)
        return false;
    if (dict->count > 0)
        memcpy(entries, dict->entries, dict->count * sizeof *entries);
    dict->entries = entries;
    dict->capacity = capacity;
    if (capacity == DICT_CAPACITY_MIN)
        return true;
    dict->slots = den_jinja_alloc(run, capacity * 2, sizeof *dict->slots);
    if (!dict->slots)
        return false;
    dict->slot_count = capacity * 2;
    for (i = 0; i < dict->count; i++)
        put_slot(dict, i);
    return true;
}

static bool find_slots(struct den_jinja_run *run, const struct den_jinja_dict *dict,
                       struct den_jinja_value key, uint64_t hash, struct den_jinja_entry **out)
{
    size_t slot = hash & (dict->slot_count - 1);

    for (; dict->slots[slot] != 0; slot = (slot + 1) & (dict->slot_count - 1)) {
        struct den_jinja_entry *entry = &dict->entries[dict->slots[slot] - 1];
        bool is_equal = false;

        if (!den_jinja_spend(run, 1))
            return false;
        if (entry->hash == hash && !den_jinja_equal(run, entry->key, key, &is_equal))
            return false;
        if (is_equal) {
            *out = entry;
            return true;
        }
    }
    return true;
}

static bool find_entry(struct den_jinja_run *run, const struct den_jinja_dict *dict,
                       struct den_jinja_value key, uint64_t hash, struct den_jinja_entry **out)
{
    size_t i;

    *out = NULL;
    if (dict->slots)
        return find_slots(run, dict, key, hash, out);
    for (i = 0; i < dict->count; i++) {
        bool is_equal = false;

        if (dict->entries[i].hash == hash &&
            !den_jinja_equal(run, dict->entries[i].key, key, &is_equal))
            return false;
        if (is_equal) {
            *out = &dict->entries[i];
            return true;
        }
    }
    return true;
}

bool den_jinja_dict_set(struct den_jinja_run *run, struct den_jinja_dict *dict,
                        struct den_jinja_value key, struct den_jinja_value value)
{
    struct den_jinja_entry *entry;
    uint64_t hash;
    bool is_hashable;

    if (!den_jinja_spend(run, 1) || !den_jinja_hash(run, key, &hash, &is_hashable))
        return false;
    if (!is_hashable)
        return den_jinja_fail(run, "a %s can't be the key of a dict (unhashable type)",
                              den_jinja_type_name(key));
    if (!find_entry(run, dict, key, hash, &entry))
        return false;
    if (entry) {
        entry->value = value;
        return true;
    }
    if (dict->count == dict->capacity && !grow_dict(run, dict))
        return false;
    dict->entries[dict->count] =
        (struct den_jinja_entry){ .key = key, .value = value, .hash = hash };
    if (dict->slots)
        put_slot(dict, dict->count);
    dict->count++;
    return true;
}

bool den_jinja_dict_find(struct den_jinja_run *run, const struct den_jinja_dict *dict,
                         struct den_jinja_value key, const struct den_jinja_value **out_found)
{
    struct den_jinja_entry *entry;
    uint64_t hash;
    bool is_hashable;

    *out_found = NULL;
    if (dict->count == 0)
        return true;
    if (!den_jinja_hash(run, key, &hash, &is_hashable))
        return false;
    if (!is_hashable)
        return true;
    if (!find_entry(run, dict, key, hash, &entry))
        return false;
    if (entry)
        *out_found = &entry->value;
    return true;
}

static bool make_undefined(struct den_jinja_run *run, struct den_jinja_undefined reason,
                           struct den_jinja_value *out)
{
    struct den_jinja_undefined *undefined = den_jinja_alloc(run, 1, sizeof *undefined);

    if (!undefined)
        return false;
    *undefined = reason;
    *out = (struct den_jinja_value){ .kind = JINJA_UNDEFINED, .undefined = undefined };
    return true;
}

bool den_jinja_undefined_name(struct den_jinja_run *run, const struct den_jinja_text *name,
                              struct den_jinja_value *out)
{
    struct den_jinja_undefined reason = { .name = { .kind = JINJA_TEXT, .text = name } };

    return make_undefined(run, reason, out);
}

bool den_jinja_undefined_item(struct den_jinja_run *run, struct den_jinja_value object,
                              struct den_jinja_value key, struct den_jinja_value *out)
{
    struct den_jinja_undefined reason = { .object = den_jinja_type_name(object), .name = key };

    return make_undefined(run, reason, out);
}

bool den_jinja_undefined_hint(struct den_jinja_run *run, const char *hint,
                              struct den_jinja_value *out)
{
    struct den_jinja_undefined reason = { .hint = hint };

    return make_undefined(run, reason, out);
}

bool den_jinja_undefined_fail(struct den_jinja_run *run, struct den_jinja_value value)
{
    const struct den_jinja_undefined *reason = value.undefined;
    const struct den_jinja_text *name = reason->name.kind == JINJA_TEXT ? reason->name.text : NULL;
    int length = name ? (int)(name->length < 200 ? name->length : 200) : 0;

    if (reason->hint)
        return den_jinja_fail(run, "%s", reason->hint);
    if (!reason->object)
        return den_jinja_fail(run, "'%.*s' is undefined", length, name ? name->bytes : "");
    if (name)
        return den_jinja_fail(run, "'%s object' has no attribute '%.*s'", reason->object, length,
                              name->bytes);
    if (reason->name.kind == JINJA_INTEGER)
        return den_jinja_fail(run, "%s object has no element %lld", reason->object,
                              (long long)reason->name.integer);
    return den_jinja_fail(run, "%s object has no such element", reason->object);
}

const char *den_jinja_type_name(struct den_jinja_value value)
{
    static const char *const names[] = {
        [JINJA_MISSING] = "missing", [JINJA_UNDEFINED] = "Undefined", [JINJA_NONE] = "NoneType",
        [JINJA_BOOL] = "bool",       [JINJA_INTEGER] = "int",         [JINJA_FLOAT] = "float",
        [JINJA_TEXT] = "str",        [JINJA_LIST] = "list",           [JINJA_TUPLE] = "tuple",
        [JINJA_DICT] = "dict",       [JINJA_NAMESPACE] = "Namespace", [JINJA_RANGE] = "range",
        [JINJA_VIEW] = "dict_view",  [JINJA_ITERATOR] = "generator",  [JINJA_MACRO] = "Macro",
        [JINJA_METHOD] = "method",   [JINJA_FUNCTION] = "function",   [JINJA_LOOP] = "LoopContext",
        [JINJA_CYCLER] = "Cycler",   [JINJA_JOINER] = "Joiner",
    };

    if ((value.kind == JINJA_VIEW || value.kind == JINJA_ITERATOR) && value.list->name)
        return value.list->name;
    return names[value.kind];
}

bool den_jinja_is_true(struct den_jinja_value value)
{
    size_t length;
    bool has_length;

    switch (value.kind) {
    case JINJA_MISSING:
    case JINJA_UNDEFINED:
    case JINJA_NONE:
        return false;
    case JINJA_BOOL:
        return value.boolean;
    case JINJA_INTEGER:
        return value.integer != 0;
    case JINJA_FLOAT:
        return value.number != 0;
    default:
        den_jinja_length(value, &length, &has_length);
        return !has_length || length > 0;
    }
}

bool den_jinja_as_integer(struct den_jinja_value value, int64_t *out)
{
    if (value.kind == JINJA_INTEGER)
        *out = value.integer;
    else if (value.kind == JINJA_BOOL)
        *out = value.boolean;
    else
        return false;
    return true;
}

double den_jinja_as_number(struct den_jinja_value value)
{
    if (value.kind == JINJA_FLOAT)
        return value.number;
    return value.kind == JINJA_BOOL ? (double)value.boolean : (double)value.integer;
}

void den_jinja_length(struct den_jinja_value value, size_t *out_length, bool *out_has)
{
    *out_has = true;
    *out_length = 0;
    switch (value.kind) {
    case JINJA_UNDEFINED:
        break;
    case JINJA_TEXT:
        *out_length = value.text->count;
        break;
    case JINJA_LIST:
    case JINJA_TUPLE:
    case JINJA_VIEW:
        *out_length = value.list->count;
        break;
    case JINJA_DICT:
        *out_length = value.dict->count;
        break;
    case JINJA_RANGE:
        *out_length = value.range->count;
        break;
    default:
        *out_has = false;
    }
}

int64_t den_jinja_range_at(const struct den_jinja_range *range, size_t index)
{
    /* the last item fits, so this never wraps; unsigned keeps the intermediate defined */
    return (int64_t)((uint64_t)range->start + (uint64_t)index * (uint64_t)range->step);
}

bool den_jinja_is_iterable(struct den_jinja_value value)
{
    switch (value.kind) {
    case JINJA_UNDEFINED:
    case JINJA_TEXT:
    case JINJA_LIST:
    case JINJA_TUPLE:
    case JINJA_DICT:
    case JINJA_RANGE:
    case JINJA_VIEW:
    case JINJA_ITERATOR:
    case JINJA_LOOP:
        return true;
    default:
        return false;
    }
}

static bool characters(struct den_jinja_run *run, const struct den_jinja_text *text,
                       struct den_jinja_list *list)
{
    size_t at = 0;

    while (at < text->length) {
        struct den_jinja_value item;
        uint32_t code;
        size_t used = den_utf8_decode(text->bytes + at, text->length - at, &code);

        if (!den_jinja_text_view(run, text->bytes + at, used, &item) ||
            !den_jinja_list_add(run, list, item))
            return false;
        at += used;
    }
    return true;
}

static bool rest_of_iterator(struct den_jinja_list *source, struct den_jinja_list *list)
{
    if (source->items) /* an empty one may have none */
        list->items = source->items + source->next;
    list->count = source->count - source->next;
    list->capacity = list->count;
    source->next = source->count;
    return true;
}

bool den_jinja_items(struct den_jinja_run *run, struct den_jinja_value value,
                     struct den_jinja_list **out)
{
    struct den_jinja_list *list;
    size_t length;
    size_t i;
    bool has_length;

    if (value.kind == JINJA_LIST || value.kind == JINJA_TUPLE || value.kind == JINJA_VIEW) {
        *out = value.list;
        return true;
    }
    if (!den_jinja_is_iterable(value) || value.kind == JINJA_LOOP)
        return den_jinja_fail(run, "'%s' object is not iterable; a list or text was expected",
                              den_jinja_type_name(value));
    den_jinja_length(value, &length, &has_length);
    if (!den_jinja_spend(run, length))
        return false;
    list = den_jinja_list_new(run, length);
    if (!list)
        return false;
    *out = list;
    if (value.kind == JINJA_TEXT)
        return characters(run, value.text, list);
    if (value.kind == JINJA_ITERATOR)
        return rest_of_iterator(value.list, list);
    for (i = 0; i < length; i++)
        if (!den_jinja_list_add(run, list,
                                value.kind == JINJA_DICT
                                    ? value.dict->entries[i].key
                                    : den_jinja_integer(den_jinja_range_at(value.range, i))))
            return false;
    return true;
}
