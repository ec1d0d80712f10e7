/* for loops and the `loop` object; see jinja_eval.h.
 *
 * A filter (`for x in y if ...`) is applied item by item as the loop proceeds, because the body may
 * change a namespace that the filter reads; loop.length and its like walk the rest at once, and
 * loop.last looks one item ahead, as in Jinja. */
#include "text/jinja_eval.h"

#include <string.h>

/* Moves items from the source through the filter until `items` has more than `wanted`. */
static bool pull(struct den_jinja_run *run, struct den_jinja_loop *loop, size_t wanted)
{
    struct den_jinja_scope *outer = run->scope;
    struct den_jinja_scope *scope;

    if (!loop->node->third)
        return true;
    scope = den_jinja_scope_new(run, loop->outer);
    if (!scope)
        return false;
    while (loop->items->count <= wanted && loop->source_next < loop->source->count) {
        struct den_jinja_value item = loop->source->items[loop->source_next++];
        struct den_jinja_value value;
        bool is_done;

        run->scope = scope;
        is_done = den_jinja_spend(run, 1) && den_jinja_assign(run, loop->node->first, item) &&
                  den_jinja_eval(run, loop->node->third, &value);
        run->scope = outer;
        if (!is_done || (den_jinja_is_true(value) && !den_jinja_list_add(run, loop->items, item)))
            return false;
    }
    return true;
}

static bool item_at(struct den_jinja_run *run, struct den_jinja_loop *loop, size_t index,
                    struct den_jinja_value *out, bool *out_found)
{
    if (!pull(run, loop, index))
        return false;
    *out_found = index < loop->items->count;
    if (*out_found)
        *out = loop->items->items[index];
    return true;
}

/* --- loop.NAME --- */

static bool get_length(struct den_jinja_run *run, struct den_jinja_loop *loop, int64_t *out)
{
    if (!pull(run, loop, SIZE_MAX - 1))
        return false;
    *out = (int64_t)loop->items->count;
    return true;
}

static bool get_neighbour(struct den_jinja_run *run, struct den_jinja_loop *loop, bool is_next,
                          struct den_jinja_value *out)
{
    bool is_found = false;

    if (is_next || loop->index > 0)
        if (!item_at(run, loop, is_next ? loop->index + 1 : loop->index - 1, out, &is_found))
            return false;
    return is_found ||
           den_jinja_undefined_hint(
               run, is_next ? "there is no next item" : "there is no previous item", out);
}

static bool get_count(struct den_jinja_run *run, struct den_jinja_loop *loop, const char *name,
                      struct den_jinja_value *out)
{
    int64_t index = (int64_t)loop->index;
    int64_t length;

    if (!get_length(run, loop, &length))
        return false;
    *out = den_jinja_integer(strcmp(name, "revindex") == 0    ? length - index
                             : strcmp(name, "revindex0") == 0 ? length - index - 1
                                                              : length);
    return true;
}

bool den_jinja_loop_attribute(struct den_jinja_run *run, struct den_jinja_loop *loop,
                              const struct den_jinja_text *name, struct den_jinja_value *out,
                              bool *out_found)
{
    static const char *const names[] = { "index",    "index0",   "first",     "last",
                                         "length",   "revindex", "revindex0", "previtem",
                                         "nextitem", "depth",    "depth0" };
    struct den_jinja_value key = { .kind = JINJA_TEXT, .text = name };
    bool has_next;
    size_t i;

    for (i = 0; i < sizeof names / sizeof names[0]; i++)
        if (den_jinja_text_is(key, names[i]))
            break;
    *out_found = i < sizeof names / sizeof names[0];
    switch (i) {
    case 0:
    case 1:
        *out = den_jinja_integer((int64_t)loop->index + (i == 0));
        return true;
    case 2:
        *out = den_jinja_bool(loop->index == 0);
        return true;
    case 3:
        if (!item_at(run, loop, loop->index + 1, out, &has_next))
            return false;
        *out = den_jinja_bool(!has_next);
        return true;
    case 4:
    case 5:
    case 6:
        return get_count(run, loop, names[i], out);
    case 7:
    case 8:
        return get_neighbour(run, loop, i == 8, out);
    case 9:
    case 10:
        *out = den_jinja_integer((int64_t)loop->depth + (i == 9));
        return true;
    default:
        return true;
    }
}

/* --- running --- */

static bool bind_item(struct den_jinja_run *run, struct den_jinja_loop *loop,
                      struct den_jinja_scope **scope)
{
    struct den_jinja_value self = { .kind = JINJA_LOOP, .loop = loop };

    if (!*scope || (*scope)->is_kept) {
        *scope = den_jinja_scope_new(run, loop->outer);
        if (!*scope)
            return false;
    }
    (*scope)->count = 0;
    run->scope = *scope;
    return den_jinja_scope_set(run, *scope, run->special[JINJA_NAME_LOOP], self) &&
           den_jinja_assign(run, loop->node->first, loop->items->items[loop->index]);
}

static enum den_jinja_flow run_else(struct den_jinja_run *run, struct den_jinja_loop *loop)
{
    struct den_jinja_scope *scope = den_jinja_scope_new(run, loop->outer);
    struct den_jinja_scope *outer = run->scope;
    enum den_jinja_flow flow;

    if (!scope)
        return JINJA_FLOW_FAILED;
    run->scope = scope;
    flow = den_jinja_run_body(run, loop->node->fifth);
    run->scope = outer;
    return flow;
}

static enum den_jinja_flow run_items(struct den_jinja_run *run, struct den_jinja_loop *loop)
{
    struct den_jinja_scope *outer = run->scope;
    struct den_jinja_scope *scope = NULL;
    struct den_jinja_value item;
    bool has_finished = false; /* a body ran to its end, without break or continue */
    bool is_found;

    for (;; loop->index++) {
        enum den_jinja_flow flow;

        if (!item_at(run, loop, loop->index, &item, &is_found))
            return JINJA_FLOW_FAILED;
        if (!is_found)
            break;
        if (!den_jinja_spend(run, 1) || !bind_item(run, loop, &scope))
            return JINJA_FLOW_FAILED;
        flow = den_jinja_run_body(run, loop->node->fourth);
        run->scope = outer;
        if (flow == JINJA_FLOW_FAILED)
            return flow;
        if (flow == JINJA_FLOW_BREAK)
            break;
        has_finished = has_finished || flow == JINJA_FLOW_ON;
    }
    return !has_finished && loop->node->fifth ? run_else(run, loop) : JINJA_FLOW_ON;
}

static enum den_jinja_flow run_over(struct den_jinja_run *run, const struct den_jinja_node *node,
                                    struct den_jinja_value iterable, struct den_jinja_scope *outer,
                                    unsigned depth)
{
    struct den_jinja_loop *loop = den_jinja_alloc(run, 1, sizeof *loop);

    if (!loop || !den_jinja_items(run, iterable, &loop->source))
        return JINJA_FLOW_FAILED;
    loop->node = node;
    loop->outer = outer;
    loop->depth = depth;
    loop->items = node->third ? den_jinja_list_new(run, 0) : loop->source;
    return loop->items ? run_items(run, loop) : JINJA_FLOW_FAILED;
}

enum den_jinja_flow den_jinja_run_for(struct den_jinja_run *run, const struct den_jinja_node *node)
{
    struct den_jinja_value iterable;
    enum den_jinja_flow flow;

    if (!den_jinja_eval(run, node->second, &iterable))
        return JINJA_FLOW_FAILED;
    flow = run_over(run, node, iterable, run->scope, 0);
    return flow;
}

bool den_jinja_loop_call(struct den_jinja_run *run, struct den_jinja_loop *loop,
                         const struct den_jinja_arguments *arguments, struct den_jinja_value *out)
{
    struct den_buffer *outer_out = run->out;
    bool was_capturing = run->is_capturing;
    struct den_buffer buffer;
    enum den_jinja_flow flow;

    if (!loop->node->is_recursive)
        return den_jinja_fail(run, "the loop must have the 'recursive' marker to be called");
    if (arguments->count != 1 || arguments->keyword_count != 0)
        return den_jinja_fail(run, "loop() takes exactly one argument: what to loop over");
    if (!den_jinja_enter(run))
        return false;
    den_jinja_buffer_init(&buffer);
    run->out = &buffer;
    run->is_capturing = true;
    flow = run_over(run, loop->node, arguments->items[0], loop->outer, loop->depth + 1);
    run->out = outer_out;
    run->is_capturing = was_capturing;
    den_jinja_leave(run);
    if (flow != JINJA_FLOW_FAILED)
        return den_jinja_buffer_finish(run, &buffer, out);
    den_buffer_deinit(&buffer);
    return false;
}
