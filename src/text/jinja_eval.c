/* Evaluation of expressions; see jinja_eval.h. Recursion follows the nesting of the template's
 * text and calls, and den_jinja_enter() bounds it. */
#include "text/jinja_eval.h"

#include <string.h>

#include "text/jinja_compare.h"
#include "text/jinja_print.h"

static bool eval_items(struct den_jinja_run *run, const struct den_jinja_node *node,
                       enum den_jinja_kind kind, struct den_jinja_value *out)
{
    struct den_jinja_list *list = den_jinja_list_new(run, 0);
    const struct den_jinja_node *item;

    if (!list)
        return false;
    for (item = node->first; item; item = item->next) {
        struct den_jinja_value value;

        if (!den_jinja_eval(run, item, &value) || !den_jinja_list_add(run, list, value))
            return false;
    }
    *out = den_jinja_of_list(list, kind);
    return true;
}

static bool eval_dict(struct den_jinja_run *run, const struct den_jinja_node *node,
                      struct den_jinja_value *out)
{
    struct den_jinja_dict *dict = den_jinja_dict_new(run);
    const struct den_jinja_node *pair;

    if (!dict)
        return false;
    for (pair = node->first; pair; pair = pair->next) {
        struct den_jinja_value key;
        struct den_jinja_value value;

        if (!den_jinja_eval(run, pair->first, &key) || !den_jinja_eval(run, pair->second, &value) ||
            !den_jinja_dict_set(run, dict, key, value))
            return false;
    }
    *out = (struct den_jinja_value){ .kind = JINJA_DICT, .dict = dict };
    return true;
}

static bool eval_math(struct den_jinja_run *run, const struct den_jinja_node *node,
                      struct den_jinja_value *out)
{
    const struct den_jinja_node *operand;
    struct den_jinja_value left;

    if (!den_jinja_eval(run, node->first, &left))
        return false;
    for (operand = node->second; operand; operand = operand->next) {
        struct den_jinja_value right;

        if (!den_jinja_eval(run, operand->first, &right))
            return false;
        run->line = operand->line;
        if (!den_jinja_operate(run, operand->op, left, right, &left))
            return false;
    }
    *out = left;
    return true;
}

static bool compare_pair(struct den_jinja_run *run, enum den_jinja_operator op,
                         struct den_jinja_value left, struct den_jinja_value right, bool *out)
{
    int order;

    switch (op) {
    case JINJA_EQUAL:
        return den_jinja_equal(run, left, right, out);
    case JINJA_NOT_EQUAL:
        if (!den_jinja_equal(run, left, right, out))
            return false;
        *out = !*out;
        return true;
    case JINJA_IN:
        return den_jinja_contains(run, right, left, out);
    case JINJA_NOT_IN:
        if (!den_jinja_contains(run, right, left, out))
            return false;
        *out = !*out;
        return true;
    default:
        break;
    }
    if (!den_jinja_compare(run, left, right, den_jinja_operator_text(op), &order))
        return false;
    *out = op == JINJA_LESS         ? order == -1
           : op == JINJA_LESS_EQUAL ? order <= 0
           : op == JINJA_GREATER    ? order == 1
                                    : order == 0 || order == 1;
    return true;
}

static bool eval_compare(struct den_jinja_run *run, const struct den_jinja_node *node,
                         struct den_jinja_value *out)
{
    const struct den_jinja_node *operand;
    struct den_jinja_value left;
    bool is_true = true;

    if (!den_jinja_eval(run, node->first, &left))
        return false;
    for (operand = node->second; operand && is_true; operand = operand->next) {
        struct den_jinja_value right;

        if (!den_jinja_eval(run, operand->first, &right) ||
            !compare_pair(run, operand->op, left, right, &is_true))
            return false;
        left = right;
    }
    *out = den_jinja_bool(is_true);
    return true;
}

static bool eval_concat(struct den_jinja_run *run, const struct den_jinja_node *node,
                        struct den_jinja_value *out)
{
    struct den_buffer buffer;
    const struct den_jinja_node *item;

    den_jinja_buffer_init(&buffer);
    for (item = node->first; item; item = item->next) {
        struct den_jinja_value value;

        if (!den_jinja_eval(run, item, &value) || !den_jinja_print(run, value, &buffer)) {
            den_buffer_deinit(&buffer);
            return false;
        }
    }
    return den_jinja_buffer_finish(run, &buffer, out);
}

/* The first operand that decides, as in Python: its value, not a boolean. */
static bool eval_logic(struct den_jinja_run *run, const struct den_jinja_node *node,
                       struct den_jinja_value *out)
{
    bool decides = node->kind == JINJA_NODE_OR;
    const struct den_jinja_node *item;

    for (item = node->first; item; item = item->next) {
        if (!den_jinja_eval(run, item, out))
            return false;
        if (den_jinja_is_true(*out) == decides)
            break;
    }
    return true;
}

static bool eval_condition(struct den_jinja_run *run, const struct den_jinja_node *node,
                           struct den_jinja_value *out)
{
    struct den_jinja_value test;

    if (!den_jinja_eval(run, node->second, &test))
        return false;
    if (den_jinja_is_true(test))
        return den_jinja_eval(run, node->first, out);
    if (node->third)
        return den_jinja_eval(run, node->third, out);
    return den_jinja_undefined_hint(run,
                                    "an inline 'if' without 'else' was false, so its value is "
                                    "undefined",
                                    out);
}

static bool eval_slice(struct den_jinja_run *run, const struct den_jinja_node *node,
                       struct den_jinja_value *out)
{
    const struct den_jinja_node *parts[3] = { node->second, node->third, node->fourth };
    struct den_jinja_value bounds[3];
    struct den_jinja_value object;
    int i;

    if (!den_jinja_eval(run, node->first, &object))
        return false;
    for (i = 0; i < 3; i++) {
        bounds[i] = JINJA_VALUE_NONE;
        if (parts[i] && !den_jinja_eval(run, parts[i], &bounds[i]))
            return false;
    }
    return den_jinja_get_slice(run, object, bounds, out);
}

static bool add_keyword(struct den_jinja_run *run, struct den_jinja_arguments *arguments,
                        struct den_jinja_keyword keyword)
{
    struct den_jinja_keyword *grown;
    size_t i;

    for (i = 0; i < arguments->keyword_count; i++) {
        struct den_jinja_value a = { .kind = JINJA_TEXT, .text = keyword.name };
        struct den_jinja_value b = { .kind = JINJA_TEXT, .text = arguments->keywords[i].name };
        bool is_equal;

        if (!den_jinja_spend(run, 1) || !den_jinja_equal(run, a, b, &is_equal))
            return false;
        if (is_equal)
            return den_jinja_fail(run, "the keyword argument '%.*s' is given twice",
                                  (int)keyword.name->length, keyword.name->bytes);
    }
    if ((arguments->keyword_count & (arguments->keyword_count - 1)) == 0) { /* 0 or a power of 2 */
        size_t capacity = arguments->keyword_count ? arguments->keyword_count * 2 : 1;

        grown = den_jinja_alloc(run, capacity, sizeof *grown);
        if (!grown)
            return false;
        if (arguments->keyword_count > 0)
            memcpy(grown, arguments->keywords, arguments->keyword_count * sizeof *grown);
        arguments->keywords = grown;
    }
    arguments->keywords[arguments->keyword_count++] = keyword;
    return true;
}

static bool spread_keywords(struct den_jinja_run *run, struct den_jinja_value value,
                            struct den_jinja_arguments *arguments)
{
    size_t i;

    if (value.kind != JINJA_DICT)
        return den_jinja_fail(run, "the argument after ** must be a mapping, not %s",
                              den_jinja_type_name(value));
    for (i = 0; i < value.dict->count; i++) {
        const struct den_jinja_entry *entry = &value.dict->entries[i];

        if (entry->key.kind != JINJA_TEXT)
            return den_jinja_fail(run, "keywords must be strings, not %s",
                                  den_jinja_type_name(entry->key));
        if (!add_keyword(
                run, arguments,
                (struct den_jinja_keyword){ .name = entry->key.text, .value = entry->value }))
            return false;
    }
    return true;
}

bool den_jinja_eval_arguments(struct den_jinja_run *run, const struct den_jinja_node *list,
                              struct den_jinja_arguments *out)
{
    struct den_jinja_list positional = { .count = 0 };
    const struct den_jinja_node *node;

    *out = (struct den_jinja_arguments){ .count = 0 };
    for (node = list; node; node = node->next) {
        struct den_jinja_value value;
        struct den_jinja_list *items;
        size_t i;

        if (!den_jinja_eval(run, node->first, &value))
            return false;
        if (node->name) {
            if (!add_keyword(run, out,
                             (struct den_jinja_keyword){ .name = node->name, .value = value }))
                return false;
        } else if (node->op == JINJA_POWER) {
            if (!spread_keywords(run, value, out))
                return false;
        } else if (node->op == JINJA_MULTIPLY) {
            if (!den_jinja_items(run, value, &items))
                return false;
            for (i = 0; i < items->count; i++)
                if (!den_jinja_list_add(run, &positional, items->items[i]))
                    return false;
        } else if (!den_jinja_list_add(run, &positional, value)) {
            return false;
        }
    }
    out->items = positional.items;
    out->count = positional.count;
    return true;
}

static bool eval_call(struct den_jinja_run *run, const struct den_jinja_node *node,
                      struct den_jinja_value *out)
{
    struct den_jinja_value function;
    struct den_jinja_arguments arguments;

    if (!den_jinja_eval(run, node->first, &function) ||
        !den_jinja_eval_arguments(run, node->second, &arguments))
        return false;
    run->line = node->line;
    return den_jinja_value_call(run, function, &arguments, out);
}

static bool eval_builtin(struct den_jinja_run *run, const struct den_jinja_node *node,
                         struct den_jinja_value input, struct den_jinja_value *out)
{
    struct den_jinja_arguments arguments;

    if (!node->builtin)
        return den_jinja_fail(
            run, "no %s named '%.*s'", node->kind == JINJA_NODE_FILTER ? "filter" : "test",
            (int)(node->name->length < 100 ? node->name->length : 100), node->name->bytes);
    if (!den_jinja_eval_arguments(run, node->second, &arguments))
        return false;
    run->line = node->line;
    return den_jinja_builtin_call(run, node->builtin, input, &arguments, out);
}

static bool eval_filter_or_test(struct den_jinja_run *run, const struct den_jinja_node *node,
                                struct den_jinja_value *out)
{
    struct den_jinja_value input;

    return den_jinja_eval(run, node->first, &input) && eval_builtin(run, node, input, out);
}

bool den_jinja_eval_filters(struct den_jinja_run *run, const struct den_jinja_node *node,
                            struct den_jinja_value captured, struct den_jinja_value *out)
{
    struct den_jinja_value input = captured;
    bool is_done;

    if (!den_jinja_enter(run))
        return false;
    is_done = (!node->first || den_jinja_eval_filters(run, node->first, captured, &input)) &&
              eval_builtin(run, node, input, out);
    den_jinja_leave(run);
    return is_done;
}

static bool eval_compound(struct den_jinja_run *run, const struct den_jinja_node *node,
                          struct den_jinja_value *out)
{
    struct den_jinja_value value;
    struct den_jinja_value key;

    switch (node->kind) {
    case JINJA_NODE_TUPLE:
        return eval_items(run, node, JINJA_TUPLE, out);
    case JINJA_NODE_LIST:
        return eval_items(run, node, JINJA_LIST, out);
    case JINJA_NODE_DICT:
        return eval_dict(run, node, out);
    case JINJA_NODE_MATH:
        return eval_math(run, node, out);
    case JINJA_NODE_COMPARE:
        return eval_compare(run, node, out);
    case JINJA_NODE_CONCAT:
        return eval_concat(run, node, out);
    case JINJA_NODE_AND:
    case JINJA_NODE_OR:
        return eval_logic(run, node, out);
    case JINJA_NODE_NOT:
        if (!den_jinja_eval(run, node->first, &value))
            return false;
        *out = den_jinja_bool(!den_jinja_is_true(value));
        return true;
    case JINJA_NODE_NEGATIVE:
    case JINJA_NODE_POSITIVE:
        return den_jinja_eval(run, node->first, &value) &&
               den_jinja_negate(run, value, node->kind == JINJA_NODE_NEGATIVE, out);
    case JINJA_NODE_CONDITION:
        return eval_condition(run, node, out);
    case JINJA_NODE_ATTRIBUTE:
        return den_jinja_eval(run, node->first, &value) &&
               den_jinja_get_attribute(run, value, node->name, out);
    case JINJA_NODE_ITEM:
        return den_jinja_eval(run, node->first, &value) &&
               den_jinja_eval(run, node->second, &key) && den_jinja_get_item(run, value, key, out);
    case JINJA_NODE_SLICE:
        return eval_slice(run, node, out);
    case JINJA_NODE_CALL:
        return eval_call(run, node, out);
    default:
        return eval_filter_or_test(run, node, out);
    }
}

bool den_jinja_eval(struct den_jinja_run *run, const struct den_jinja_node *node,
                    struct den_jinja_value *out)
{
    bool is_done;

    if (node->kind == JINJA_NODE_CONSTANT) {
        *out = node->value;
        return den_jinja_spend(run, 1);
    }
    run->line = node->line;
    if (node->kind == JINJA_NODE_NAME)
        return den_jinja_spend(run, 1) && den_jinja_scope_get(run, node->name, out);
    if (!den_jinja_enter(run))
        return false;
    is_done = eval_compound(run, node, out);
    den_jinja_leave(run);
    return is_done;
}
