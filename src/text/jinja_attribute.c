/* Attributes, items and slices, with the two orders of lookup that Jinja has and the refusals of
 * its sandbox: what begins with an underscore, or would change a list or dict, is undefined. */
#include "text/jinja_eval.h"

#include <string.h>

#include "text/jinja_string.h"

static bool is_listed(const struct den_jinja_text *name, const char *const *list)
{
    struct den_jinja_value value = { .kind = JINJA_TEXT, .text = name };

    for (; *list; list++)
        if (den_jinja_text_is(value, *list))
            return true;
    return false;
}

/* Python has this attribute, and the sandbox hides it. */
static bool is_hidden(struct den_jinja_value object, const struct den_jinja_text *name)
{
    static const char *const of_lists[] = { "append", "clear",  "pop",    "reverse", "insert",
                                            "sort",   "extend", "remove", NULL };
    static const char *const of_dicts[] = {
        "clear", "pop", "popitem", "setdefault", "update", NULL
    };
    static const char *const of_all[] = { "__class__",   "__doc__",  "__dict__", "__init__",
                                          "__getitem__", "__len__",  "__iter__", "__contains__",
                                          "__eq__",      "__hash__", "__repr__", "__str__",
                                          "__module__",  "__add__",  "__call__", "__globals__",
                                          NULL };

    if (object.kind == JINJA_LIST && is_listed(name, of_lists))
        return true;
    if (object.kind == JINJA_DICT && is_listed(name, of_dicts))
        return true;
    return object.kind != JINJA_NAMESPACE && name->length > 2 && name->bytes[0] == '_' &&
           is_listed(name, of_all);
}

static bool make_hidden(struct den_jinja_run *run, struct den_jinja_value object,
                        const struct den_jinja_text *name, struct den_jinja_value *out)
{
    static const char format[] = "access to attribute '%.*s' of '%s' object is unsafe: templates "
                                 "can't change lists and dicts or reach Python's internals";
    size_t size = sizeof format + name->length + 32;
    char *hint = den_jinja_alloc(run, size, 1);
    struct den_buffer text;

    if (!hint)
        return false;
    den_buffer_init(&text, size);
    den_buffer_appendf(&text, format, (int)name->length, name->bytes, den_jinja_type_name(object));
    memcpy(hint, text.data, text.length < size ? text.length : 0);
    den_buffer_deinit(&text);
    return den_jinja_undefined_hint(run, hint, out);
}

static bool special_attribute(struct den_jinja_run *run, struct den_jinja_value object,
                              const struct den_jinja_text *name, struct den_jinja_value *out,
                              bool *out_found)
{
    const struct den_jinja_value *found = NULL;
    struct den_jinja_value key = { .kind = JINJA_TEXT, .text = name };

    *out_found = false;
    if (object.kind == JINJA_LOOP)
        return den_jinja_loop_attribute(run, object.loop, name, out, out_found);
    if (object.kind == JINJA_NAMESPACE) {
        if (!den_jinja_dict_find(run, object.dict, key, &found))
            return false;
    } else if (object.kind == JINJA_TUPLE && object.list->name) { /* from groupby */
        if (den_jinja_text_is(key, "grouper"))
            found = &object.list->items[0];
        else if (den_jinja_text_is(key, "list"))
            found = &object.list->items[1];
    } else if (object.kind == JINJA_CYCLER && den_jinja_text_is(key, "current")) {
        found = &object.cycler->items->items[object.cycler->position];
    } else if (object.kind == JINJA_MACRO && den_jinja_text_is(key, "name")) {
        *out = (struct den_jinja_value){ .kind = JINJA_TEXT, .text = object.macro->node->name };
        *out_found = true;
    }
    if (found) {
        *out = *found;
        *out_found = true;
    }
    return true;
}

/* What Python's getattr() would find. */
static bool own_attribute(struct den_jinja_run *run, struct den_jinja_value object,
                          const struct den_jinja_text *name, struct den_jinja_value *out,
                          bool *out_found)
{
    const struct den_jinja_builtin *builtin;
    struct den_jinja_method *method;

    if (!special_attribute(run, object, name, out, out_found) || *out_found)
        return *out_found;
    if (is_hidden(object, name)) {
        *out_found = true;
        return make_hidden(run, object, name, out);
    }
    builtin = den_jinja_method_find(object, name);
    if (!builtin)
        return true;
    method = den_jinja_alloc(run, 1, sizeof *method);
    if (!method)
        return false;
    *method = (struct den_jinja_method){ .self = object, .builtin = builtin };
    *out = (struct den_jinja_value){ .kind = JINJA_METHOD, .method = method };
    *out_found = true;
    return true;
}

/* What Python's object[key] would find; TypeError and LookupError both count as not found. */
static bool own_item(struct den_jinja_run *run, struct den_jinja_value object,
                     struct den_jinja_value key, struct den_jinja_value *out, bool *out_found)
{
    const struct den_jinja_value *found;
    int64_t index;
    size_t length;
    bool has_length;

    *out_found = false;
    if (object.kind == JINJA_DICT) {
        if (!den_jinja_dict_find(run, object.dict, key, &found))
            return false;
        *out_found = found != NULL;
        if (found)
            *out = *found;
        return true;
    }
    den_jinja_length(object, &length, &has_length);
    if (!has_length || object.kind == JINJA_VIEW || !den_jinja_as_integer(key, &index))
        return true;
    if (index < 0)
        index += (int64_t)length;
    if (index < 0 || (uint64_t)index >= length)
        return true;
    *out_found = true;
    if (object.kind == JINJA_TEXT)
        return den_jinja_substring(run, object.text, (size_t)index, (size_t)index + 1, out);
    if (object.kind == JINJA_RANGE)
        *out = den_jinja_integer(den_jinja_range_at(object.range, (size_t)index));
    else
        *out = object.list->items[index];
    return true;
}

bool den_jinja_get_attribute(struct den_jinja_run *run, struct den_jinja_value object,
                             const struct den_jinja_text *name, struct den_jinja_value *out)
{
    struct den_jinja_value key = { .kind = JINJA_TEXT, .text = name };
    bool is_found;

    if (object.kind == JINJA_UNDEFINED)
        return den_jinja_undefined_fail(run, object);
    if (!own_attribute(run, object, name, out, &is_found))
        return false;
    if (!is_found && !own_item(run, object, key, out, &is_found))
        return false;
    return is_found || den_jinja_undefined_item(run, object, key, out);
}

bool den_jinja_get_item(struct den_jinja_run *run, struct den_jinja_value object,
                        struct den_jinja_value key, struct den_jinja_value *out)
{
    bool is_found;

    if (object.kind == JINJA_UNDEFINED)
        return den_jinja_undefined_fail(run, object);
    if (!own_item(run, object, key, out, &is_found))
        return false;
    if (!is_found && key.kind == JINJA_TEXT &&
        !own_attribute(run, object, key.text, out, &is_found))
        return false;
    return is_found || den_jinja_undefined_item(run, object, key, out);
}

/* --- slices --- */

struct slice {
    int64_t start;
    int64_t step;
    size_t count;
};

static bool slice_bound(struct den_jinja_run *run, struct den_jinja_value bound, int64_t fallback,
                        int64_t *out)
{
    *out = fallback;
    if (bound.kind == JINJA_NONE || den_jinja_as_integer(bound, out))
        return true;
    if (bound.kind == JINJA_UNDEFINED)
        return den_jinja_undefined_fail(run, bound);
    return den_jinja_fail(run, "slice indices must be integers or none, not %s",
                          den_jinja_type_name(bound));
}

static int64_t clamp(int64_t value, int64_t low, int64_t high)
{
    return value < low ? low : value > high ? high : value;
}

static bool resolve_slice(struct den_jinja_run *run, size_t length,
                          const struct den_jinja_value bounds[3], struct slice *out)
{
    int64_t size = (int64_t)length;
    int64_t stop;
    int64_t low;
    int64_t high;

    if (!slice_bound(run, bounds[2], 1, &out->step))
        return false;
    if (out->step == 0)
        return den_jinja_fail(run, "the step of a slice can't be zero");
    low = out->step > 0 ? 0 : -1;
    high = out->step > 0 ? size : size - 1;
    if (!slice_bound(run, bounds[0], out->step > 0 ? 0 : INT64_MAX, &out->start) ||
        !slice_bound(run, bounds[1], out->step > 0 ? INT64_MAX : INT64_MIN, &stop))
        return false;
    if (out->start < 0 && bounds[0].kind != JINJA_NONE)
        out->start = out->start < -size ? -1 : out->start + size;
    if (stop < 0 && bounds[1].kind != JINJA_NONE)
        stop = stop < -size ? -1 : stop + size;
    out->start = clamp(out->start, low, high);
    stop = clamp(stop, low, high);
    out->count = 0;
    if (out->step > 0 && stop > out->start)
        out->count = (size_t)((stop - out->start - 1) / out->step + 1);
    else if (out->step < 0 && stop < out->start)
        out->count = (size_t)((uint64_t)(out->start - stop - 1) / (0 - (uint64_t)out->step) + 1);
    return true;
}

static bool slice_text(struct den_jinja_run *run, const struct den_jinja_text *text,
                       struct slice slice, struct den_jinja_value *out)
{
    struct den_buffer buffer;
    size_t *offsets;
    size_t i;

    if (slice.step == 1)
        return den_jinja_substring(run, text, (size_t)slice.start,
                                   (size_t)slice.start + slice.count, out);
    offsets = den_jinja_alloc(run, text->count + 1, sizeof *offsets);
    if (!offsets || !den_jinja_spend(run, text->count))
        return false;
    for (i = 0; i < text->count; i++) {
        offsets[i + 1] = offsets[i] + 1;
        while (offsets[i + 1] < text->length &&
               ((unsigned char)text->bytes[offsets[i + 1]] & 0xC0) == 0x80)
            offsets[i + 1]++;
    }
    den_jinja_buffer_init(&buffer);
    for (i = 0; i < slice.count; i++) {
        size_t at = (size_t)(slice.start + (int64_t)i * slice.step);

        den_buffer_append(&buffer, text->bytes + offsets[at], offsets[at + 1] - offsets[at]);
    }
    return den_jinja_buffer_finish(run, &buffer, out);
}

static bool slice_items(struct den_jinja_run *run, struct den_jinja_value object,
                        struct slice slice, struct den_jinja_value *out)
{
    struct den_jinja_list *items;
    struct den_jinja_list *list = den_jinja_list_new(run, slice.count);
    size_t i;

    if (!list || !den_jinja_items(run, object, &items))
        return false;
    for (i = 0; i < slice.count; i++)
        if (!den_jinja_list_add(run, list, items->items[slice.start + (int64_t)i * slice.step]))
            return false;
    *out = den_jinja_of_list(list, object.kind);
    return true;
}

static bool slice_range(struct den_jinja_run *run, const struct den_jinja_range *source,
                        struct slice slice, struct den_jinja_value *out)
{
    struct den_jinja_range *range = den_jinja_alloc(run, 1, sizeof *range);

    if (!range)
        return false;
    range->start = den_jinja_range_at(source, (size_t)slice.start);
    range->count = slice.count;
    range->step = (int64_t)((uint64_t)source->step * (uint64_t)slice.step);
    range->stop = (int64_t)((uint64_t)range->start + (uint64_t)range->step * slice.count);
    *out = (struct den_jinja_value){ .kind = JINJA_RANGE, .range = range };
    return true;
}

bool den_jinja_get_slice(struct den_jinja_run *run, struct den_jinja_value object,
                         const struct den_jinja_value bounds[3], struct den_jinja_value *out)
{
    struct slice slice;
    size_t length;
    bool has_length;

    if (object.kind == JINJA_UNDEFINED)
        return den_jinja_undefined_fail(run, object);
    den_jinja_length(object, &length, &has_length);
    if (!has_length || object.kind == JINJA_DICT || object.kind == JINJA_VIEW)
        return den_jinja_fail(run, "'%s' object can't be sliced; a text or list was expected",
                              den_jinja_type_name(object));
    if (!resolve_slice(run, length, bounds, &slice))
        return false;
    if (object.kind == JINJA_TEXT)
        return slice_text(run, object.text, slice, out);
    if (object.kind == JINJA_RANGE)
        return slice_range(run, object.range, slice, out);
    return slice_items(run, object, slice, out);
}
