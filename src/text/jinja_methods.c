/* Methods by kind of object: dicts, lists, tuples, ranges, loops, cyclers. Those that would
 * change a list or dict are hidden by the sandbox (jinja_attribute.c). */
#include "text/jinja_methods.h"

#include <string.h>

#include "text/jinja_compare.h"
#include "text/jinja_eval.h"
#include "text/jinja_methods_text.h"

enum part { KEYS, VALUES, ITEMS };

static bool view_of(struct den_jinja_run *run, const struct den_jinja_call *call, enum part part,
                    struct den_jinja_value *out)
{
    static const char *const names[] = { "dict_keys", "dict_values", "dict_items" };
    const struct den_jinja_dict *dict = call->values[0].dict;
    struct den_jinja_list *list = den_jinja_list_new(run, dict->count);
    size_t i;

    if (!list)
        return false;
    for (i = 0; i < dict->count; i++) {
        struct den_jinja_value item = part == KEYS ? dict->entries[i].key : dict->entries[i].value;

        if (part == ITEMS) {
            struct den_jinja_list *pair = den_jinja_list_new(run, 2);

            if (!pair || !den_jinja_list_add(run, pair, dict->entries[i].key) ||
                !den_jinja_list_add(run, pair, dict->entries[i].value))
                return false;
            item = den_jinja_of_list(pair, JINJA_TUPLE);
        }
        if (!den_jinja_list_add(run, list, item))
            return false;
    }
    list->name = names[part];
    *out = den_jinja_of_list(list, JINJA_VIEW);
    return true;
}

static bool keys(struct den_jinja_run *run, const struct den_jinja_call *call,
                 struct den_jinja_value *out)
{
    return view_of(run, call, KEYS, out);
}

static bool values(struct den_jinja_run *run, const struct den_jinja_call *call,
                   struct den_jinja_value *out)
{
    return view_of(run, call, VALUES, out);
}

static bool items(struct den_jinja_run *run, const struct den_jinja_call *call,
                  struct den_jinja_value *out)
{
    return view_of(run, call, ITEMS, out);
}

static bool get(struct den_jinja_run *run, const struct den_jinja_call *call,
                struct den_jinja_value *out)
{
    const struct den_jinja_value *found;
    uint64_t hash;
    bool is_hashable;

    if (!den_jinja_hash(run, call->values[1], &hash, &is_hashable))
        return false;
    if (!is_hashable)
        return den_jinja_fail(run, "get: a %s can't be a key",
                              den_jinja_type_name(call->values[1]));
    if (!den_jinja_dict_find(run, call->values[0].dict, call->values[1], &found))
        return false;
    *out = found ? *found : call->values[2];
    if (out->kind == JINJA_MISSING)
        *out = JINJA_VALUE_NONE;
    return true;
}

static bool copy(struct den_jinja_run *run, const struct den_jinja_call *call,
                 struct den_jinja_value *out)
{
    (void)run;
    *out = call->values[0]; /* nothing can change it, so sharing is copying */
    return true;
}

static bool index_of(struct den_jinja_run *run, const struct den_jinja_call *call,
                     struct den_jinja_value *out)
{
    const struct den_jinja_list *list = call->values[0].list;
    size_t i;

    for (i = 0; i < list->count; i++) {
        bool is_equal;

        if (!den_jinja_spend(run, 1) ||
            !den_jinja_equal(run, list->items[i], call->values[1], &is_equal))
            return false;
        if (is_equal) {
            *out = den_jinja_integer((int64_t)i);
            return true;
        }
    }
    return den_jinja_fail(run, "index: the value is not in the list");
}

static bool count_of(struct den_jinja_run *run, const struct den_jinja_call *call,
                     struct den_jinja_value *out)
{
    const struct den_jinja_list *list = call->values[0].list;
    int64_t count = 0;
    size_t i;

    for (i = 0; i < list->count; i++) {
        bool is_equal;

        if (!den_jinja_spend(run, 1) ||
            !den_jinja_equal(run, list->items[i], call->values[1], &is_equal))
            return false;
        count += is_equal;
    }
    *out = den_jinja_integer(count);
    return true;
}

static bool cycle(struct den_jinja_run *run, const struct den_jinja_call *call,
                  struct den_jinja_value *out)
{
    if (call->rest.count == 0)
        return den_jinja_fail(run, "cycle: no items for cycling given");
    *out = call->rest.items[call->values[0].loop->index % call->rest.count];
    return true;
}

/* True where the values differ from those of the call before. */
static bool changed(struct den_jinja_run *run, const struct den_jinja_call *call,
                    struct den_jinja_value *out)
{
    struct den_jinja_loop *loop = call->values[0].loop;
    struct den_jinja_list *now = den_jinja_list_new(run, call->rest.count);
    struct den_jinja_value tuple = den_jinja_of_list(now, JINJA_TUPLE);
    bool is_equal = false;
    size_t i;

    if (!now)
        return false;
    for (i = 0; i < call->rest.count; i++)
        if (!den_jinja_list_add(run, now, call->rest.items[i]))
            return false;
    if (loop->has_changed_before && !den_jinja_equal(run, loop->changed, tuple, &is_equal))
        return false;
    loop->has_changed_before = true;
    loop->changed = tuple;
    *out = den_jinja_bool(!is_equal);
    return true;
}

static bool next_of_cycler(struct den_jinja_run *run, const struct den_jinja_call *call,
                           struct den_jinja_value *out)
{
    struct den_jinja_cycler *cycler = call->values[0].cycler;

    (void)run;
    *out = cycler->items->items[cycler->position];
    cycler->position = (cycler->position + 1) % cycler->items->count;
    return true;
}

static bool reset(struct den_jinja_run *run, const struct den_jinja_call *call,
                  struct den_jinja_value *out)
{
    (void)run;
    call->values[0].cycler->position = 0;
    *out = JINJA_VALUE_NONE;
    return true;
}

static bool bit_length(struct den_jinja_run *run, const struct den_jinja_call *call,
                       struct den_jinja_value *out)
{
    int64_t integer = 0;
    uint64_t magnitude;
    int64_t count = 0;

    (void)run;
    den_jinja_as_integer(call->values[0], &integer);
    magnitude = integer < 0 ? 0 - (uint64_t)integer : (uint64_t)integer;
    for (; magnitude > 0; magnitude >>= 1)
        count++;
    *out = den_jinja_integer(count);
    return true;
}

static bool is_integer(struct den_jinja_run *run, const struct den_jinja_call *call,
                       struct den_jinja_value *out)
{
    double number = call->values[0].number;

    (void)run;
    *out = den_jinja_bool(number > -9.2e18 && number < 9.2e18 && (double)(int64_t)number == number);
    return true;
}

#define FIND_IN(table) den_jinja_builtin_find(table, sizeof(table) / sizeof(table)[0], name)

const struct den_jinja_builtin *den_jinja_method_find(struct den_jinja_value object,
                                                      const struct den_jinja_text *name)
{
    static const struct den_jinja_builtin of_dicts[] = { { "get", "self key default?", get },
                                                         { "items", "self", items },
                                                         { "keys", "self", keys },
                                                         { "values", "self", values },
                                                         { "copy", "self", copy } };
    static const struct den_jinja_builtin of_lists[] = { { "index", "self value", index_of },
                                                         { "count", "self value", count_of },
                                                         { "copy", "self", copy } };
    static const struct den_jinja_builtin of_tuples[] = { { "index", "self value", index_of },
                                                          { "count", "self value", count_of } };
    static const struct den_jinja_builtin of_loops[] = { { "cycle", "self *", cycle },
                                                         { "changed", "self *", changed } };
    static const struct den_jinja_builtin of_cyclers[] = { { "next", "self", next_of_cycler },
                                                           { "reset", "self", reset } };
    static const struct den_jinja_builtin of_integers[] = { { "bit_length", "self", bit_length } };
    static const struct den_jinja_builtin of_floats[] = { { "is_integer", "self", is_integer } };

    switch (object.kind) {
    case JINJA_TEXT:
        return den_jinja_text_method_find(name);
    case JINJA_DICT:
        return FIND_IN(of_dicts);
    case JINJA_LIST:
        return FIND_IN(of_lists);
    case JINJA_TUPLE:
        return FIND_IN(of_tuples);
    case JINJA_LOOP:
        return FIND_IN(of_loops);
    case JINJA_CYCLER:
        return FIND_IN(of_cyclers);
    case JINJA_BOOL:
    case JINJA_INTEGER:
        return FIND_IN(of_integers);
    case JINJA_FLOAT:
        return FIND_IN(of_floats);
    default:
        return NULL;
    }
}
