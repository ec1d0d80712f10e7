/* The functions every template can call: range, dict, namespace, cycler, joiner, raise_exception
 * and strftime_now. */
#include "text/jinja_call.h"

#include <string.h>

#include "text/jinja_print.h"
#include "text/jinja_time.h"

enum { RANGE_ITEMS_MAX = 100000 }; /* Jinja's sandbox has the same bound */

static bool make_range(struct den_jinja_run *run, const struct den_jinja_call *call,
                       struct den_jinja_value *out)
{
    struct den_jinja_range *range = den_jinja_alloc(run, 1, sizeof *range);
    bool has_start = call->values[1].kind != JINJA_MISSING;
    uint64_t span;
    uint64_t step;
    uint64_t count = 0;
    size_t i;

    if (!range)
        return false;
    for (i = 0; i < 3; i++)
        if (call->values[i].kind == JINJA_NONE)
            return den_jinja_fail(run, "range: arguments must be integers, not None");
    if (!den_jinja_argument_integer(run, call, 0, 0, has_start ? &range->start : &range->stop) ||
        (has_start && !den_jinja_argument_integer(run, call, 1, 0, &range->stop)) ||
        !den_jinja_argument_integer(run, call, 2, 1, &range->step))
        return false;
    if (range->step == 0)
        return den_jinja_fail(run, "range: the step must not be zero");
    step = range->step > 0 ? (uint64_t)range->step : 0 - (uint64_t)range->step;
    span = range->step > 0 ? (uint64_t)range->stop - (uint64_t)range->start
                           : (uint64_t)range->start - (uint64_t)range->stop;
    if (range->step > 0 ? range->stop > range->start : range->stop < range->start)
        count = (span - 1) / step + 1;
    if (count > RANGE_ITEMS_MAX)
        return den_jinja_fail_bound(run, "range: more than %d items", RANGE_ITEMS_MAX);
    range->count = (size_t)count;
    *out = (struct den_jinja_value){ .kind = JINJA_RANGE, .range = range };
    return true;
}

static bool copy_entries(struct den_jinja_run *run, struct den_jinja_value source,
                         struct den_jinja_dict *dict)
{
    struct den_jinja_list *items;
    size_t i;

    if (source.kind == JINJA_DICT) {
        for (i = 0; i < source.dict->count; i++)
            if (!den_jinja_dict_set(run, dict, source.dict->entries[i].key,
                                    source.dict->entries[i].value))
                return false;
        return true;
    }
    if (!den_jinja_items(run, source, &items))
        return false;
    for (i = 0; i < items->count; i++) {
        struct den_jinja_list *pair;

        if (!den_jinja_items(run, items->items[i], &pair))
            return false;
        if (pair->count != 2)
            return den_jinja_fail(run,
                                  "dict: item %zu has %zu values; pairs of key and value were "
                                  "expected",
                                  i, pair->count);
        if (!den_jinja_dict_set(run, dict, pair->items[0], pair->items[1]))
            return false;
    }
    return true;
}

static bool make_dict(struct den_jinja_run *run, const struct den_jinja_call *call,
                      struct den_jinja_value *out)
{
    struct den_jinja_dict *dict = den_jinja_dict_new(run);
    size_t i;

    if (!dict)
        return false;
    if (call->rest.count > 1)
        return den_jinja_fail(run, "%s: at most one positional argument", call->name);
    if (call->rest.count == 1 && !copy_entries(run, call->rest.items[0], dict))
        return false;
    for (i = 0; i < call->rest.keyword_count; i++) {
        struct den_jinja_value key = { .kind = JINJA_TEXT, .text = call->rest.keywords[i].name };

        if (!den_jinja_dict_set(run, dict, key, call->rest.keywords[i].value))
            return false;
    }
    *out = (struct den_jinja_value){ .kind = JINJA_DICT, .dict = dict };
    return true;
}

static bool make_namespace(struct den_jinja_run *run, const struct den_jinja_call *call,
                           struct den_jinja_value *out)
{
    size_t i;

    if (!make_dict(run, call, out))
        return false;
    for (i = 0; i < out->dict->count; i++) {
        struct den_jinja_value key = out->dict->entries[i].key;

        if (key.kind == JINJA_TEXT && key.text->length > 0 && key.text->bytes[0] == '_')
            return den_jinja_fail(run,
                                  "a namespace can't hold names that begin with an underscore");
    }
    out->kind = JINJA_NAMESPACE;
    return true;
}

static bool make_cycler(struct den_jinja_run *run, const struct den_jinja_call *call,
                        struct den_jinja_value *out)
{
    struct den_jinja_cycler *cycler = den_jinja_alloc(run, 1, sizeof *cycler);
    size_t i;

    if (call->rest.count == 0)
        return den_jinja_fail(run, "cycler: at least one item has to be provided");
    if (!cycler || !(cycler->items = den_jinja_list_new(run, call->rest.count)))
        return false;
    for (i = 0; i < call->rest.count; i++)
        if (!den_jinja_list_add(run, cycler->items, call->rest.items[i]))
            return false;
    *out = (struct den_jinja_value){ .kind = JINJA_CYCLER, .cycler = cycler };
    return true;
}

static bool make_joiner(struct den_jinja_run *run, const struct den_jinja_call *call,
                        struct den_jinja_value *out)
{
    struct den_jinja_joiner *joiner = den_jinja_alloc(run, 1, sizeof *joiner);

    if (!joiner)
        return false;
    joiner->separator = call->values[0];
    if (joiner->separator.kind == JINJA_MISSING &&
        !den_jinja_text_view(run, ", ", 2, &joiner->separator))
        return false;
    *out = (struct den_jinja_value){ .kind = JINJA_JOINER, .joiner = joiner };
    return true;
}

/* The template's author speaks to the user: the message stands alone. */
static bool raise_exception(struct den_jinja_run *run, const struct den_jinja_call *call,
                            struct den_jinja_value *out)
{
    struct den_jinja_value text;

    (void)out;
    if (!den_jinja_to_text(run, call->values[0], &text))
        return false;
    den_fail(
        run->err, DEN_INVALID, "%.*s",
        (int)(text.text->length < DEN_ERROR_BYTES_MAX ? text.text->length : DEN_ERROR_BYTES_MAX),
        text.text->bytes);
    return false;
}

static bool strftime_now(struct den_jinja_run *run, const struct den_jinja_call *call,
                         struct den_jinja_value *out)
{
    struct den_buffer buffer;
    const struct den_jinja_text *format;

    if (!den_jinja_argument_text(run, call, 0, &format))
        return false;
    if (!format)
        return den_jinja_fail(run,
                              "strftime_now: the format must be a string, as in '%%d %%b %%Y'");
    den_jinja_buffer_init(&buffer);
    if (den_jinja_format_time(run->now, format->bytes, format->length, &buffer))
        return den_jinja_buffer_finish(run, &buffer, out);
    den_buffer_deinit(&buffer);
    return den_jinja_fail(run, "strftime_now: the time can't be formatted");
}

bool den_jinja_global_find(const struct den_jinja_text *name, struct den_jinja_value *out)
{
    static const struct den_jinja_builtin globals[] = {
        { "range", "start stop? step?", make_range },
        { "dict", "*", make_dict },
        { "namespace", "*", make_namespace },
        { "cycler", "*", make_cycler },
        { "joiner", "sep?", make_joiner },
        { "raise_exception", "message", raise_exception },
        { "strftime_now", "format", strftime_now },
    };
    const struct den_jinja_builtin *builtin =
        den_jinja_builtin_find(globals, sizeof globals / sizeof globals[0], name);

    *out = (struct den_jinja_value){ .kind = JINJA_FUNCTION, .function = builtin };
    return builtin != NULL;
}
