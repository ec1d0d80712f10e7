/* Statements; see jinja_eval.h. Scopes follow the blocks: for bodies, macros, with, filter, set and
 * generation blocks have names of their own; `if` has not. */
#include "text/jinja_eval.h"

#include "text/jinja_print.h"

static enum den_jinja_flow flow_of(bool is_done)
{
    return is_done ? JINJA_FLOW_ON : JINJA_FLOW_FAILED;
}

static bool unpack(struct den_jinja_run *run, const struct den_jinja_node *target,
                   struct den_jinja_value value)
{
    const struct den_jinja_node *item;
    struct den_jinja_list *list;
    size_t wanted = 0;
    size_t i = 0;
    bool is_done = true;

    if (!den_jinja_items(run, value, &list) || !den_jinja_enter(run))
        return false;
    for (item = target->first; item; item = item->next)
        wanted++;
    if (wanted != list->count)
        return den_jinja_fail(run, "can't unpack %zu values into %zu names", list->count, wanted);
    for (item = target->first; item && is_done; item = item->next)
        is_done = den_jinja_assign(run, item, list->items[i++]);
    den_jinja_leave(run);
    return is_done;
}

static bool assign_field(struct den_jinja_run *run, const struct den_jinja_node *target,
                         struct den_jinja_value value)
{
    struct den_jinja_value object;
    struct den_jinja_value key = { .kind = JINJA_TEXT, .text = target->other };

    if (!den_jinja_scope_get(run, target->name, &object))
        return false;
    if (object.kind != JINJA_NAMESPACE)
        return den_jinja_fail(run,
                              "cannot assign attribute on non-namespace object; make '%.*s' a "
                              "namespace() first",
                              (int)target->name->length, target->name->bytes);
    if (target->other->bytes[0] == '_')
        return den_jinja_fail(run, "a namespace can't hold names that begin with an underscore");
    return den_jinja_dict_set(run, object.dict, key, value);
}

bool den_jinja_assign(struct den_jinja_run *run, const struct den_jinja_node *target,
                      struct den_jinja_value value)
{
    if (target->kind == JINJA_NODE_NAME)
        return den_jinja_scope_set(run, run->scope, target->name, value);
    if (target->kind == JINJA_NODE_FIELD)
        return assign_field(run, target, value);
    return unpack(run, target, value);
}

bool den_jinja_capture_body(struct den_jinja_run *run, const struct den_jinja_node *body,
                            struct den_jinja_scope *scope, struct den_jinja_value *out)
{
    struct den_buffer *outer_out = run->out;
    struct den_jinja_scope *outer_scope = run->scope;
    bool was_capturing = run->is_capturing;
    struct den_buffer buffer;
    enum den_jinja_flow flow;

    den_jinja_buffer_init(&buffer);
    run->out = &buffer;
    run->scope = scope;
    run->is_capturing = true;
    flow = den_jinja_run_body(run, body);
    run->out = outer_out;
    run->scope = outer_scope;
    run->is_capturing = was_capturing;
    if (flow != JINJA_FLOW_FAILED)
        return den_jinja_buffer_finish(run, &buffer, out);
    den_buffer_deinit(&buffer);
    return false;
}

/* A body in a scope of its own, output going where it went. */
static enum den_jinja_flow run_in_scope(struct den_jinja_run *run,
                                        const struct den_jinja_node *body,
                                        struct den_jinja_scope *scope)
{
    struct den_jinja_scope *outer = run->scope;
    enum den_jinja_flow flow;

    run->scope = scope;
    flow = den_jinja_run_body(run, body);
    run->scope = outer;
    return flow;
}

static bool emit_value(struct den_jinja_run *run, const struct den_jinja_node *node)
{
    struct den_jinja_value value;
    struct den_jinja_value text;

    if (!den_jinja_eval(run, node->first, &value))
        return false;
    return den_jinja_to_text(run, value, &text) &&
           den_jinja_emit(run, text.text->bytes, text.text->length);
}

static enum den_jinja_flow run_if(struct den_jinja_run *run, const struct den_jinja_node *node)
{
    const struct den_jinja_node *branch;

    for (branch = node->first; branch; branch = branch->next) {
        struct den_jinja_value value;

        if (!den_jinja_eval(run, branch->first, &value))
            return JINJA_FLOW_FAILED;
        if (den_jinja_is_true(value))
            return den_jinja_run_body(run, branch->second);
    }
    return den_jinja_run_body(run, node->second);
}

static bool run_set(struct den_jinja_run *run, const struct den_jinja_node *node)
{
    struct den_jinja_value value;

    return den_jinja_eval(run, node->second, &value) && den_jinja_assign(run, node->first, value);
}

static bool run_set_block(struct den_jinja_run *run, const struct den_jinja_node *node)
{
    struct den_jinja_scope *scope = den_jinja_scope_new(run, run->scope);
    struct den_jinja_value value;

    if (!scope || !den_jinja_capture_body(run, node->third, scope, &value))
        return false;
    if (node->second && !den_jinja_eval_filters(run, node->second, value, &value))
        return false;
    return den_jinja_assign(run, node->first, value);
}

static enum den_jinja_flow run_with(struct den_jinja_run *run, const struct den_jinja_node *node)
{
    struct den_jinja_scope *scope = den_jinja_scope_new(run, run->scope);
    struct den_jinja_scope *outer = run->scope;
    const struct den_jinja_node *pair;

    if (!scope)
        return JINJA_FLOW_FAILED;
    for (pair = node->first; pair; pair = pair->next) { /* values see the names outside */
        struct den_jinja_value value;
        bool is_done;

        if (!den_jinja_eval(run, pair->second, &value))
            return JINJA_FLOW_FAILED;
        run->scope = scope;
        is_done = den_jinja_assign(run, pair->first, value);
        run->scope = outer;
        if (!is_done)
            return JINJA_FLOW_FAILED;
    }
    return run_in_scope(run, node->second, scope);
}

static bool make_macro(struct den_jinja_run *run, const struct den_jinja_node *node,
                       struct den_jinja_value *out)
{
    struct den_jinja_macro *macro = den_jinja_alloc(run, 1, sizeof *macro);
    struct den_jinja_scope *scope;

    if (!macro)
        return false;
    *macro = (struct den_jinja_macro){ .node = node, .scope = run->scope };
    for (scope = run->scope; scope && !scope->is_kept; scope = scope->parent)
        scope->is_kept = true;
    *out = (struct den_jinja_value){ .kind = JINJA_MACRO, .macro = macro };
    return true;
}

static bool run_call_block(struct den_jinja_run *run, const struct den_jinja_node *node)
{
    const struct den_jinja_node *call = node->first;
    struct den_jinja_keyword keywords[1];
    struct den_jinja_arguments arguments;
    struct den_jinja_value function;
    struct den_jinja_value caller;
    struct den_jinja_value result;
    struct den_jinja_value text;
    struct den_jinja_keyword *joined;
    size_t i;

    if (!make_macro(run, node->second, &caller) || !den_jinja_eval(run, call->first, &function) ||
        !den_jinja_eval_arguments(run, call->second, &arguments))
        return false;
    keywords[0] = (struct den_jinja_keyword){ .name = node->second->name, .value = caller };
    joined = den_jinja_alloc(run, arguments.keyword_count + 1, sizeof *joined);
    if (!joined)
        return false;
    for (i = 0; i < arguments.keyword_count; i++)
        joined[i] = arguments.keywords[i];
    joined[arguments.keyword_count++] = keywords[0];
    arguments.keywords = joined;
    run->line = node->line;
    return den_jinja_value_call(run, function, &arguments, &result) &&
           den_jinja_to_text(run, result, &text) &&
           den_jinja_emit(run, text.text->bytes, text.text->length);
}

static bool run_filter_block(struct den_jinja_run *run, const struct den_jinja_node *node)
{
    struct den_jinja_scope *scope = den_jinja_scope_new(run, run->scope);
    struct den_jinja_value value;
    struct den_jinja_value text;

    return scope && den_jinja_capture_body(run, node->second, scope, &value) &&
           den_jinja_eval_filters(run, node->first, value, &value) &&
           den_jinja_to_text(run, value, &text) &&
           den_jinja_emit(run, text.text->bytes, text.text->length);
}

static enum den_jinja_flow run_statement(struct den_jinja_run *run,
                                         const struct den_jinja_node *node)
{
    struct den_jinja_scope *scope;
    struct den_jinja_value value;

    switch (node->kind) {
    case JINJA_NODE_DATA:
        return flow_of(den_jinja_emit(run, node->value.text->bytes, node->value.text->length));
    case JINJA_NODE_OUTPUT:
        return flow_of(emit_value(run, node));
    case JINJA_NODE_IF:
        return run_if(run, node);
    case JINJA_NODE_FOR:
        return den_jinja_run_for(run, node);
    case JINJA_NODE_SET:
        return flow_of(run_set(run, node));
    case JINJA_NODE_SET_BLOCK:
        return flow_of(run_set_block(run, node));
    case JINJA_NODE_WITH:
        return run_with(run, node);
    case JINJA_NODE_MACRO:
        return flow_of(make_macro(run, node, &value) &&
                       den_jinja_scope_set(run, run->scope, node->name, value));
    case JINJA_NODE_CALL_BLOCK:
        return flow_of(run_call_block(run, node));
    case JINJA_NODE_FILTER_BLOCK:
        return flow_of(run_filter_block(run, node));
    case JINJA_NODE_SCOPE:
        scope = den_jinja_scope_new(run, run->scope);
        return scope ? run_in_scope(run, node->second, scope) : JINJA_FLOW_FAILED;
    case JINJA_NODE_BREAK:
        return JINJA_FLOW_BREAK;
    default:
        return JINJA_FLOW_CONTINUE;
    }
}

enum den_jinja_flow den_jinja_run_body(struct den_jinja_run *run, const struct den_jinja_node *body)
{
    enum den_jinja_flow flow = JINJA_FLOW_ON;
    const struct den_jinja_node *node;

    if (!den_jinja_enter(run))
        return JINJA_FLOW_FAILED;
    for (node = body; node && flow == JINJA_FLOW_ON; node = node->next) {
        run->line = node->line;
        flow = den_jinja_spend(run, 1) ? run_statement(run, node) : JINJA_FLOW_FAILED;
    }
    den_jinja_leave(run);
    return flow;
}
