/* Statements of the Jinja grammar; see jinja_parser.h. A body runs up to one of the tags that may
 * end it; the parser then stands on that tag's name. */
#include "text/jinja_parser.h"

#include <stdio.h>
#include <string.h>

static struct den_jinja_node *parse_statement(struct den_jinja_parser *parser);

static bool expect_block_end(struct den_jinja_parser *parser)
{
    char text[64];

    if (parser->current.kind == JINJA_TOKEN_BLOCK_END)
        return den_jinja_advance(parser);
    den_jinja_parser_fail(parser, "expected '%%}', got %s", den_jinja_describe(parser, text));
    return false;
}

static bool is_end_tag(const struct den_jinja_parser *parser, const char *const *ends)
{
    for (; *ends; ends++)
        if (den_jinja_at_name(parser, *ends))
            return true;
    return false;
}

static bool parse_output(struct den_jinja_parser *parser, struct den_jinja_node ***end)
{
    struct den_jinja_node *node = den_jinja_node_new(parser, JINJA_NODE_OUTPUT);
    char text[64];

    if (!node || !den_jinja_advance(parser))
        return false;
    node->first = den_jinja_parse_tuple(parser, true, NULL);
    if (!node->first)
        return false;
    if (parser->current.kind != JINJA_TOKEN_VARIABLE_END) {
        den_jinja_parser_fail(parser, "expected '}}', got %s", den_jinja_describe(parser, text));
        return false;
    }
    return den_jinja_append(end, node) && den_jinja_advance(parser);
}

static bool parse_data(struct den_jinja_parser *parser, struct den_jinja_node ***end)
{
    struct den_jinja_node *node = den_jinja_node_new(parser, JINJA_NODE_DATA);

    if (!node)
        return false;
    node->value.kind = JINJA_TEXT;
    node->value.text =
        den_jinja_text_wrap(parser->arena, parser->current.bytes, parser->current.length);
    if (!node->value.text) {
        den_jinja_parser_fail(parser, "out of memory");
        return false;
    }
    return den_jinja_append(end, node) && den_jinja_advance(parser);
}

/* Statements up to a tag of `ends` (NULL: up to the end of the template). */
static bool parse_until(struct den_jinja_parser *parser, const char *const *ends,
                        struct den_jinja_node **out_body)
{
    struct den_jinja_node **end = out_body;

    for (;;) {
        struct den_jinja_node *node;

        switch (parser->current.kind) {
        case JINJA_TOKEN_DATA:
            if (!parse_data(parser, &end))
                return false;
            continue;
        case JINJA_TOKEN_VARIABLE_BEGIN:
            if (!parse_output(parser, &end))
                return false;
            continue;
        case JINJA_TOKEN_BLOCK_BEGIN:
            break;
        default:
            if (!ends)
                return true;
            den_jinja_parser_fail(
                parser, "the template ends inside a block; '{%% %s %%}' is missing", ends[0]);
            return false;
        }
        if (!den_jinja_advance(parser))
            return false;
        if (ends && is_end_tag(parser, ends))
            return true;
        node = parse_statement(parser);
        if (!den_jinja_append(&end, node) || !expect_block_end(parser))
            return false;
    }
}

/* The rest of the opening tag and the body after it. */
static bool parse_body(struct den_jinja_parser *parser, const char *const *ends,
                       struct den_jinja_node **out_body)
{
    bool has_colon; /* allowed by Jinja for those who think in Python */
    bool is_done;

    if (!den_jinja_pass_operator(parser, JINJA_COLON, &has_colon) || !expect_block_end(parser) ||
        !den_jinja_parser_enter(parser))
        return false;
    is_done = parse_until(parser, ends, out_body);
    parser->depth--;
    return is_done;
}

/* A body with one possible end, which is passed over. */
static bool parse_whole_body(struct den_jinja_parser *parser, const char *end,
                             struct den_jinja_node **out_body)
{
    const char *const ends[] = { end, NULL };

    return parse_body(parser, ends, out_body) && den_jinja_advance(parser);
}

static struct den_jinja_node *parse_if(struct den_jinja_parser *parser)
{
    static const char *const ends[] = { "endif", "elif", "else", NULL };
    struct den_jinja_node *node = den_jinja_node_new(parser, JINJA_NODE_IF);
    struct den_jinja_node **end;

    if (!node)
        return NULL;
    end = &node->first;
    do { /* at 'if' or 'elif' */
        struct den_jinja_node *branch = den_jinja_node_new(parser, JINJA_NODE_BRANCH);

        if (!branch || !den_jinja_advance(parser))
            return NULL;
        branch->first = den_jinja_parse_tuple(parser, false, NULL);
        if (!branch->first || !parse_body(parser, ends, &branch->second))
            return NULL;
        den_jinja_append(&end, branch);
    } while (den_jinja_at_name(parser, "elif"));
    if (den_jinja_at_name(parser, "else")) {
        if (!den_jinja_advance(parser) || !parse_whole_body(parser, "endif", &node->second))
            return NULL;
        return node;
    }
    return den_jinja_advance(parser) ? node : NULL;
}

static bool targets_loop(const struct den_jinja_node *target)
{
    const struct den_jinja_node *item;
    struct den_jinja_value name = { .kind = JINJA_TEXT, .text = target->name };

    if (target->kind == JINJA_NODE_NAME)
        return den_jinja_text_is(name, "loop");
    for (item = target->first; item; item = item->next)
        if (targets_loop(item))
            return true;
    return false;
}

static struct den_jinja_node *parse_for(struct den_jinja_parser *parser)
{
    static const char *const ends[] = { "endfor", "else", NULL };
    struct den_jinja_node *node = den_jinja_node_new(parser, JINJA_NODE_FOR);
    struct den_jinja_frame *frame = parser->frame;
    char text[64];
    bool is_passed;

    if (!node || !den_jinja_advance(parser))
        return NULL;
    node->first = den_jinja_parse_target(parser, "in", false);
    if (!node->first)
        return NULL;
    if (targets_loop(node->first))
        return den_jinja_parser_fail(parser, "'loop' can't be the variable of a for loop");
    if (!den_jinja_pass_name(parser, "in", &is_passed))
        return NULL;
    if (!is_passed)
        return den_jinja_parser_fail(parser, "expected 'in', got %s",
                                     den_jinja_describe(parser, text));
    node->second = den_jinja_parse_tuple(parser, false, "recursive");
    if (!node->second || !den_jinja_pass_name(parser, "if", &is_passed))
        return NULL;
    if (is_passed) {
        node->third = den_jinja_parse_expression(parser);
        if (!node->third)
            return NULL;
    }
    if (!den_jinja_pass_name(parser, "recursive", &node->is_recursive))
        return NULL;
    frame->loops++;
    if (!parse_body(parser, ends, &node->fourth))
        return NULL;
    frame->loops--;
    if (den_jinja_at_name(parser, "else")) {
        if (!den_jinja_advance(parser) || !parse_whole_body(parser, "endfor", &node->fifth))
            return NULL;
        return node;
    }
    return den_jinja_advance(parser) ? node : NULL;
}

static struct den_jinja_node *parse_set(struct den_jinja_parser *parser)
{
    struct den_jinja_node *node = den_jinja_node_new(parser, JINJA_NODE_SET);
    bool is_assigned;

    if (!node || !den_jinja_advance(parser))
        return NULL;
    node->first = den_jinja_parse_target(parser, NULL, true);
    if (!node->first || !den_jinja_pass_operator(parser, JINJA_ASSIGN, &is_assigned))
        return NULL;
    if (is_assigned) {
        node->second = den_jinja_parse_tuple(parser, true, NULL);
        return node->second ? node : NULL;
    }
    node->kind = JINJA_NODE_SET_BLOCK;
    if (den_jinja_at_operator(parser, JINJA_PIPE)) {
        node->second = den_jinja_parse_filters(parser, NULL, false);
        if (!node->second)
            return NULL;
    }
    return parse_whole_body(parser, "endset", &node->third) ? node : NULL;
}

static struct den_jinja_node *parse_with(struct den_jinja_parser *parser)
{
    struct den_jinja_node *node = den_jinja_node_new(parser, JINJA_NODE_WITH);
    struct den_jinja_node **end;

    if (!node || !den_jinja_advance(parser))
        return NULL;
    end = &node->first;
    while (parser->current.kind != JINJA_TOKEN_BLOCK_END) {
        struct den_jinja_node *pair = den_jinja_node_new(parser, JINJA_NODE_PAIR);

        if (!pair || (node->first && !den_jinja_expect_operator(parser, JINJA_COMMA)))
            return NULL;
        pair->first = den_jinja_parse_target(parser, NULL, false);
        if (!pair->first || !den_jinja_expect_operator(parser, JINJA_ASSIGN))
            return NULL;
        pair->second = den_jinja_parse_expression(parser);
        if (!pair->second)
            return NULL;
        den_jinja_append(&end, pair);
    }
    return parse_whole_body(parser, "endwith", &node->second) ? node : NULL;
}

static bool parse_parameters(struct den_jinja_parser *parser, struct den_jinja_node *macro)
{
    struct den_jinja_node **end = &macro->first;
    bool has_default = false;

    if (!den_jinja_expect_operator(parser, JINJA_OPEN_PARENTHESIS))
        return false;
    while (!den_jinja_at_operator(parser, JINJA_CLOSE_PARENTHESIS)) {
        struct den_jinja_node *parameter = den_jinja_node_new(parser, JINJA_NODE_PARAMETER);
        bool is_assigned;

        if (!parameter || (macro->first && !den_jinja_expect_operator(parser, JINJA_COMMA)))
            return false;
        parameter->name = den_jinja_expect_name(parser);
        if (!parameter->name || !den_jinja_pass_operator(parser, JINJA_ASSIGN, &is_assigned))
            return false;
        if (is_assigned) {
            has_default = true;
            parameter->first = den_jinja_parse_expression(parser);
            if (!parameter->first)
                return false;
        } else if (has_default) {
            den_jinja_parser_fail(parser,
                                  "a parameter without a default follows one with a default");
            return false;
        }
        den_jinja_append(&end, parameter);
    }
    return den_jinja_advance(parser);
}

/* A body that becomes a function: what it reads of caller, kwargs and varargs is noted, and loops
 * around it can't be left from within. */
static bool parse_function_body(struct den_jinja_parser *parser, const char *end,
                                struct den_jinja_node *macro)
{
    struct den_jinja_frame frame = { .outer = parser->frame };

    parser->frame = &frame;
    if (!parse_whole_body(parser, end, &macro->second))
        return false;
    parser->frame = frame.outer;
    macro->uses = frame.uses;
    return true;
}

static bool has_bare_caller(const struct den_jinja_node *macro)
{
    const struct den_jinja_node *parameter;

    for (parameter = macro->first; parameter; parameter = parameter->next) {
        struct den_jinja_value name = { .kind = JINJA_TEXT, .text = parameter->name };

        if (!parameter->first && den_jinja_text_is(name, "caller"))
            return true;
    }
    return false;
}

static struct den_jinja_node *parse_macro(struct den_jinja_parser *parser)
{
    struct den_jinja_node *node = den_jinja_node_new(parser, JINJA_NODE_MACRO);

    if (!node || !den_jinja_advance(parser))
        return NULL;
    node->name = den_jinja_expect_name(parser);
    if (!node->name || !parse_parameters(parser, node))
        return NULL;
    if (!parse_function_body(parser, "endmacro", node))
        return NULL;
    if ((node->uses & JINJA_USES_CALLER) && has_bare_caller(node))
        return den_jinja_parser_fail(parser, "the parameter 'caller' of a macro needs a default");
    return node;
}

static struct den_jinja_node *parse_call_block(struct den_jinja_parser *parser)
{
    struct den_jinja_node *node = den_jinja_node_new(parser, JINJA_NODE_CALL_BLOCK);
    struct den_jinja_node *macro = den_jinja_node_new(parser, JINJA_NODE_MACRO);

    if (!node || !macro || !den_jinja_advance(parser))
        return NULL;
    macro->name = den_jinja_intern(parser, "caller", 6);
    if (!macro->name)
        return NULL;
    if (den_jinja_at_operator(parser, JINJA_OPEN_PARENTHESIS) && !parse_parameters(parser, macro))
        return NULL;
    node->second = macro;
    node->first = den_jinja_parse_expression(parser);
    if (!node->first)
        return NULL;
    if (node->first->kind != JINJA_NODE_CALL)
        return den_jinja_parser_fail(parser, "a call block wants the call of a macro, as in "
                                             "'{%% call name() %%}'");
    return parse_function_body(parser, "endcall", macro) ? node : NULL;
}

static struct den_jinja_node *parse_filter_block(struct den_jinja_parser *parser)
{
    struct den_jinja_node *node = den_jinja_node_new(parser, JINJA_NODE_FILTER_BLOCK);

    if (!node || !den_jinja_advance(parser))
        return NULL;
    node->first = den_jinja_parse_filters(parser, NULL, true);
    if (!node->first)
        return NULL;
    return parse_whole_body(parser, "endfilter", &node->second) ? node : NULL;
}

/* {% block name %}, {% generation %}, {% autoescape false %}: a body with names of its own. */
static struct den_jinja_node *parse_scope(struct den_jinja_parser *parser)
{
    struct den_jinja_node *node = den_jinja_node_new(parser, JINJA_NODE_SCOPE);
    const char *name = den_jinja_at_name(parser, "block")        ? "endblock"
                       : den_jinja_at_name(parser, "generation") ? "endgeneration"
                                                                 : "endautoescape";
    bool is_passed;

    if (!node || !den_jinja_advance(parser))
        return NULL;
    if (name[3] == 'b') {
        const struct den_jinja_text *block = den_jinja_expect_name(parser);

        if (!block || !den_jinja_pass_name(parser, "scoped", &is_passed) ||
            !den_jinja_pass_name(parser, "required", &is_passed))
            return NULL;
        if (!parse_function_body(parser, name, node))
            return NULL;
        if (parser->current.kind == JINJA_TOKEN_NAME && parser->current.length == block->length &&
            memcmp(parser->current.bytes, block->bytes, block->length) == 0)
            return den_jinja_advance(parser) ? node : NULL;
        return node;
    }
    if (name[3] == 'a') {
        struct den_jinja_node *flag = den_jinja_parse_expression(parser);

        if (!flag)
            return NULL;
        if (flag->kind != JINJA_NODE_CONSTANT || den_jinja_is_true(flag->value))
            return den_jinja_parser_fail(parser,
                                         "autoescape is not supported: prompts are plain text; "
                                         "only '{%% autoescape false %%}' is");
        return parse_whole_body(parser, name, &node->second) ? node : NULL;
    }
    return parse_function_body(parser, name, node) ? node : NULL;
}

static struct den_jinja_node *parse_print(struct den_jinja_parser *parser)
{
    struct den_jinja_node *node = den_jinja_node_new(parser, JINJA_NODE_OUTPUT);
    struct den_jinja_node *concat = den_jinja_node_new(parser, JINJA_NODE_CONCAT);
    struct den_jinja_node **end;

    if (!node || !concat || !den_jinja_advance(parser))
        return NULL;
    node->first = concat;
    end = &concat->first;
    while (parser->current.kind != JINJA_TOKEN_BLOCK_END) {
        if (concat->first && !den_jinja_expect_operator(parser, JINJA_COMMA))
            return NULL;
        if (!den_jinja_append(&end, den_jinja_parse_expression(parser)))
            return NULL;
    }
    return node;
}

static struct den_jinja_node *parse_loop_control(struct den_jinja_parser *parser)
{
    bool is_break = den_jinja_at_name(parser, "break");
    struct den_jinja_node *node =
        den_jinja_node_new(parser, is_break ? JINJA_NODE_BREAK : JINJA_NODE_CONTINUE);

    if (node && parser->frame->loops == 0)
        return den_jinja_parser_fail(parser, "'%s' outside of a for loop",
                                     is_break ? "break" : "continue");
    return node && den_jinja_advance(parser) ? node : NULL;
}

static struct den_jinja_node *reject_loading(struct den_jinja_parser *parser)
{
    char text[64];

    return den_jinja_parser_fail(parser,
                                 "%s is not supported: a chat template stands alone and can't load "
                                 "other files",
                                 den_jinja_describe(parser, text));
}

static struct den_jinja_node *parse_statement(struct den_jinja_parser *parser)
{
    static const struct {
        const char *name;
        struct den_jinja_node *(*parse)(struct den_jinja_parser *parser);
    } statements[] = {
        { "if", parse_if },
        { "for", parse_for },
        { "set", parse_set },
        { "with", parse_with },
        { "macro", parse_macro },
        { "call", parse_call_block },
        { "filter", parse_filter_block },
        { "block", parse_scope },
        { "generation", parse_scope },
        { "autoescape", parse_scope },
        { "print", parse_print },
        { "break", parse_loop_control },
        { "continue", parse_loop_control },
        { "include", reject_loading },
        { "import", reject_loading },
        { "from", reject_loading },
        { "extends", reject_loading },
    };
    char text[64];
    size_t i;

    for (i = 0; i < sizeof statements / sizeof statements[0]; i++)
        if (den_jinja_at_name(parser, statements[i].name))
            return statements[i].parse(parser);
    return den_jinja_parser_fail(parser, "unknown tag %s", den_jinja_describe(parser, text));
}

enum den_status den_jinja_parse(struct den_jinja_parser *parser, struct den_arena *arena,
                                const char *source, size_t length, struct den_jinja_node **out_body,
                                struct den_error *err)
{
    struct den_jinja_frame frame = { .outer = NULL };
    struct den_jinja_node *body = NULL;

    *parser = (struct den_jinja_parser){ .arena = arena, .err = err, .frame = &frame };
    if (den_jinja_lexer_init(&parser->lexer, arena, source, length, err) != DEN_OK)
        return err->status;
    if (!den_jinja_advance(parser) || !parse_until(parser, NULL, &body))
        return err->status;
    *out_body = body;
    return DEN_OK;
}
