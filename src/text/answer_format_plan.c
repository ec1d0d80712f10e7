/* What holds a model to its format: a grammar of all calls that are possible with the tools given.
 *
 *     root ::= OPEN one ( BETWEEN one ){0,15} SHUT
 *     one  ::= c0 | c1
 *     c0   ::= CALL NAME MIDDLE @0 CLOSE          @0: the first tool's argument schema
 *
 * Where a call must be, a model that reasons may do so first (write_reasoning()):
 *
 *     root ::= ( THINK free END [ \n]* )? OPEN ...
 *
 * With tool_choice "auto" it sleeps until a trigger has been written. Llama 3 has no mark of its
 * own for calls: {"name": " may begin any JSON. There the grammar has a second branch, which is
 * free as soon as the name has become different from every tool's. */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "text/answer_format_table.h"

enum {
    GRAMMAR_BYTES_MAX = 4 << 20,
    FREE_NAMES_BYTES_MAX = 2048 /* of all names: each byte is a branch of the grammar */
};

struct tool {
    size_t index; /* in the request's list */
    const char *name;
    const json_t *schema; /* of the arguments */
    bool strict;
};

struct plan {
    const struct den_answer_format *format;
    struct tool *tools;
    size_t count;
    bool required, single, reasons, opened;
    json_t *schemas; /* of the holes, owned; the list that the grammar gets borrows from it */
    struct den_buffer text;
};

static json_t *any_object(void)
{
    return json_pack("{s:s}", "type", "object");
}

static void write_literal(struct den_buffer *out, const char *text)
{
    den_buffer_append_byte(out, '"');
    for (; *text; text++) {
        if (*text == '\n')
            den_buffer_append_text(out, "\\n");
        else if (*text == '"' || *text == '\\')
            den_buffer_appendf(out, "\\%c", *text);
        else
            den_buffer_append_byte(out, *text);
    }
    den_buffer_append_text(out, "\" ");
}

/* --- what the client asked for --- */

static enum den_status check_name(const char *name, size_t index, struct den_error *err)
{
    size_t length = name ? strlen(name) : 0;

    if (length == 0 || length > 128)
        return den_fail(err, DEN_INVALID,
                        "'tools[%zu].function.name' must be a string of 1 to 128 characters",
                        index);
    if (strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.:/") !=
        length)
        return den_fail(err, DEN_INVALID,
                        "'tools[%zu].function.name' is '%s'; it may hold letters, digits, '_', "
                        "'-', '.', ':' and '/' only",
                        index, name);
    return DEN_OK;
}

static enum den_status read_tools(struct plan *plan, const json_t *tools, struct den_error *err)
{
    size_t i;

    plan->tools = calloc(json_array_size(tools) + 1, sizeof *plan->tools);
    if (!plan->tools)
        return den_fail(err, DEN_NO_MEMORY, "tools: out of memory");
    for (i = 0; i < json_array_size(tools); i++) {
        const json_t *tool = json_array_get(tools, i);
        const json_t *function = json_object_get(tool, "function");
        struct tool *out = &plan->tools[i];

        out->index = i;
        out->name = json_string_value(json_object_get(function, "name"));
        out->schema = json_object_get(function, "parameters");
        out->strict = json_is_true(json_object_get(function, "strict"));
        if (check_name(out->name, i, err) != DEN_OK)
            return err->status;
        if (out->schema && !json_is_null(out->schema) && !json_is_object(out->schema))
            return den_fail(err, DEN_INVALID,
                            "'tools[%zu].function.parameters' must be a JSON Schema", i);
        if (json_object_size(out->schema) == 0)
            out->schema = NULL;
    }
    plan->count = json_array_size(tools);
    return DEN_OK;
}

/* The name in {"type": "function", "function": {"name"}} or {"type": "function", "name"}. */
static const char *chosen_name(const json_t *choice)
{
    const json_t *function = json_object_get(choice, "function");

    return json_string_value(json_object_get(function ? function : choice, "name"));
}

/* Keeps the tools that are named: one choice, or a list of them. */
static enum den_status keep_named(struct plan *plan, const json_t *choices, struct den_error *err)
{
    size_t kept = 0, i, j;

    for (i = 0; i < json_array_size(choices); i++) {
        const char *name = chosen_name(json_array_get(choices, i));

        for (j = 0; j < plan->count && (!name || strcmp(plan->tools[j].name, name) != 0); j++)
            ;
        if (j == plan->count)
            return den_fail(err, DEN_INVALID,
                            "'tool_choice' names '%.64s', which is not in 'tools'",
                            name ? name : "");
        if (j >= kept) { /* not kept before */
            struct tool tool = plan->tools[j];

            plan->tools[j] = plan->tools[kept];
            plan->tools[kept++] = tool;
        }
    }
    plan->count = kept;
    return DEN_OK;
}

static enum den_status read_choice(struct plan *plan, const json_t *choice, struct den_error *err)
{
    const char *text = json_string_value(choice);
    const char *type = json_string_value(json_object_get(choice, "type"));

    if (!choice || json_is_null(choice) || (text && strcmp(text, "auto") == 0))
        return DEN_OK;
    if (text && strcmp(text, "none") == 0) {
        plan->count = 0;
        return DEN_OK;
    }
    plan->required = true;
    if (text && strcmp(text, "required") == 0)
        return plan->count > 0 ? DEN_OK
                               : den_fail(err, DEN_INVALID,
                                          "'tool_choice' is 'required', but there are no 'tools'");
    if (type && strcmp(type, "allowed_tools") == 0) {
        const json_t *allowed = json_object_get(choice, "allowed_tools");
        const char *mode;

        allowed = allowed ? allowed : choice;
        mode = json_string_value(json_object_get(allowed, "mode"));
        plan->required = mode && strcmp(mode, "required") == 0;
        return keep_named(plan, json_object_get(allowed, "tools"), err);
    }
    if (type && strcmp(type, "function") == 0) {
        json_t *list = json_pack("[O]", choice);

        plan->single = true;
        keep_named(plan, list, err);
        json_decref(list);
        return err->status;
    }
    return den_fail(err, DEN_INVALID,
                    "'tool_choice' must be 'none', 'auto', 'required' or {\"type\": \"function\", "
                    "\"function\": {\"name\": ...}}");
}

/* --- the grammar --- */

/* A hole for `schema`, which is stolen. */
static void write_hole(struct plan *plan, json_t *schema)
{
    den_buffer_appendf(&plan->text, "@%zu ", json_array_size(plan->schemas));
    if (json_array_append_new(plan->schemas, schema) != 0)
        plan->text.status = DEN_NO_MEMORY;
}

/* A part of a schema, which may refer to definitions of the whole. */
static json_t *part_schema(const json_t *whole, const json_t *part)
{
    static const char *const names[] = { "$defs", "definitions" };
    json_t *copy = json_copy((json_t *)part);
    size_t i;

    for (i = 0; i < 2 && json_is_object(copy); i++) {
        json_t *definitions = json_object_get(whole, names[i]);

        if (definitions && !json_object_get(copy, names[i]))
            json_object_set(copy, names[i], definitions);
    }
    return copy;
}

static bool is_required(const json_t *schema, const char *key)
{
    const json_t *required = json_object_get(schema, "required");
    size_t i;

    for (i = 0; i < json_array_size(required); i++) {
        const char *name = json_string_value(json_array_get(required, i));

        if (name && strcmp(name, key) == 0)
            return true;
    }
    return false;
}

/* A value in tags: bare text for texts, JSON for all else. */
static void write_xml_value(struct plan *plan, const json_t *whole, const json_t *schema)
{
    const char *type = json_string_value(json_object_get(schema, "type"));
    const json_t *choices = json_object_get(schema, "enum");
    size_t i;

    if (!type || strcmp(type, "string") != 0) {
        write_hole(plan, part_schema(whole, schema));
        return;
    }
    if (json_array_size(choices) == 0) {
        den_buffer_append_text(&plan->text, "text ");
        return;
    }
    den_buffer_append_text(&plan->text, "( ");
    for (i = 0; i < json_array_size(choices); i++) {
        const char *choice = json_string_value(json_array_get(choices, i));

        den_buffer_append_text(&plan->text, i > 0 ? "| " : "");
        write_literal(&plan->text, choice ? choice : "");
    }
    den_buffer_append_text(&plan->text, ") ");
}

static void write_xml_members(struct plan *plan, const json_t *schema)
{
    json_t *properties = json_object_get(schema, "properties");
    struct den_buffer *text = &plan->text;
    const char *key;
    json_t *member;

    if (json_object_size(properties) == 0) {
        if (!schema)
            den_buffer_append_text(text, "( \"<parameter=\" [a-zA-Z0-9_]+ \">\\n\" text "
                                         "\"\\n</parameter>\\n\" )* ");
        return;
    }
    json_object_foreach(properties, key, member)
    {
        den_buffer_append_text(text, "( \"<parameter=\" ");
        write_literal(text, key);
        den_buffer_append_text(text, "\">\\n\" ");
        write_xml_value(plan, schema, member);
        den_buffer_append_text(text, "\"\\n</parameter>\\n\" ) ");
        if (!is_required(schema, key))
            den_buffer_append_text(text, "? ");
    }
}

static void write_call(struct plan *plan, size_t place)
{
    const struct den_answer_syntax *syntax = plan->format->syntax;
    const struct tool *tool = &plan->tools[place];
    struct den_buffer *text = &plan->text;

    den_buffer_appendf(text, "c%zu ::= ", place);
    write_literal(text, syntax->call);
    write_literal(text, tool->name);
    write_literal(text, syntax->middle);
    if (syntax->shape == DEN_ANSWER_XML)
        write_xml_members(plan, tool->schema);
    else
        write_hole(plan, tool->schema ? json_incref((json_t *)tool->schema) : any_object());
    write_literal(text, syntax->close);
    den_buffer_append_byte(text, '\n');
}

/* Texts that differ from the names of all tools in [from, to), which share their first `depth`
 * bytes, followed by anything. The tools are sorted by name. */
static void write_free(struct plan *plan, size_t from, size_t to, size_t depth)
{
    struct den_buffer *text = &plan->text;
    size_t i = from;

    den_buffer_append_text(text, "( [^");
    for (; i < to; i++) {
        char c = plan->tools[i].name[depth];

        if (i > from && c == plan->tools[i - 1].name[depth])
            continue;
        if (c == '\0')
            den_buffer_append_text(text, "\"");
        else
            den_buffer_appendf(text, "\\x%02x", (unsigned)(unsigned char)c);
    }
    den_buffer_append_text(text, "] any ");
    for (i = from; i < to;) {
        char c = plan->tools[i].name[depth];
        size_t end = i;

        while (end < to && plan->tools[end].name[depth] == c)
            end++;
        if (c != '\0') {
            den_buffer_appendf(text, "| \"%c\" ", c);
            write_free(plan, i, end, depth + 1);
        }
        i = end;
    }
    den_buffer_append_text(text, ") ");
}

static int compare_names(const void *left, const void *right)
{
    return strcmp(((const struct tool *)left)->name, ((const struct tool *)right)->name);
}

/* Whether {"name": " may be a trigger although it also begins other JSON. */
static bool can_be_free(struct plan *plan)
{
    size_t bytes = 0, i;

    for (i = 0; i < plan->count; i++)
        bytes += strlen(plan->tools[i].name);
    return bytes <= FREE_NAMES_BYTES_MAX;
}

/* One character in a class, whatever it means there. */
static void write_in_class(struct den_buffer *out, const char *character, size_t length)
{
    if (length == 1)
        den_buffer_appendf(out, "\\x%02x", (unsigned)(unsigned char)*character);
    else
        den_buffer_append(out, character, length);
}

static size_t character_bytes(const char *text)
{
    size_t length = 1;

    while (((unsigned char)text[length] & 0xC0) == 0x80)
        length++;
    return length;
}

/* Anything up to `mark`, whose first character stands in it once, and the mark. After the mark's
 * first character comes either more of them, or something that the mark does not go on with. */
static void write_until(struct plan *plan, const char *mark)
{
    struct den_buffer *text = &plan->text;
    const size_t first = character_bytes(mark);
    size_t at, open = 0;

    den_buffer_append_text(text, "( [^");
    write_in_class(text, mark, first);
    den_buffer_append_text(text, "] | \"");
    den_buffer_append(text, mark, first);
    den_buffer_append_text(text, "\"+ ");
    for (at = first; mark[at]; at += character_bytes(mark + at)) {
        const size_t length = character_bytes(mark + at);

        den_buffer_append_text(text, "( [^");
        write_in_class(text, mark + at, length);
        write_in_class(text, mark, first);
        den_buffer_append_text(text, "] ");
        open++;
        if (mark[at + length] == '\0')
            break;
        den_buffer_append_text(text, "| \"");
        den_buffer_append(text, mark + at, length);
        den_buffer_append_text(text, "\" ");
    }
    while (open-- > 0)
        den_buffer_append_text(text, ") ");
    den_buffer_append_text(text, ")* \"");
    den_buffer_append(text, mark, first);
    den_buffer_append_text(text, "\"* ");
    write_literal(text, mark);
}

/* The reasoning before a call that must be: optional, but where the prompt has opened it. */
static void write_reasoning(struct plan *plan)
{
    const bool is_channel = plan->format->syntax->shape == DEN_ANSWER_CHANNELS;
    const struct den_answer_thought *thought = plan->format->thought;
    struct den_buffer *text = &plan->text;

    if (!plan->opened) {
        den_buffer_append_text(text, "( ");
        write_literal(text, is_channel ? "<|channel|>analysis<|message|>" : thought->open);
    }
    write_until(plan, is_channel ? "<|end|>" : thought->close);
    den_buffer_append_text(text, is_channel ? "\"<|start|>assistant\" " : "[ \\n]* ");
    if (!plan->opened)
        den_buffer_append_text(text, ")? ");
}

static void write_root(struct plan *plan, bool may_be_free)
{
    const struct den_answer_syntax *syntax = plan->format->syntax;
    struct den_buffer *text = &plan->text;

    den_buffer_append_text(text, "root ::= ");
    if (plan->reasons)
        write_reasoning(plan);
    if (syntax->bare && !plan->required)
        den_buffer_append_text(text, "\"<|python_tag|>\"? ");
    write_literal(text, syntax->open);
    den_buffer_append_text(text, "one ");
    if (!plan->single && !syntax->single) {
        den_buffer_append_text(text, "( ");
        write_literal(text, syntax->between);
        den_buffer_appendf(text, "one ){0,%d} ", DEN_TOOL_CALLS_PLANNED_MAX - 1);
    }
    write_literal(text, syntax->shut);
    if (may_be_free) {
        den_buffer_append_text(text, "| ");
        write_literal(text, syntax->call);
        write_free(plan, 0, plan->count, 0);
    }
    den_buffer_append_text(text, "\n");
    if (may_be_free)
        den_buffer_append_text(text, "any ::= [^\\x00]*\n");
    if (syntax->shape == DEN_ANSWER_XML) /* no "</pa" inside */
        den_buffer_append_text(text, "text ::= ( [^<] | \"<\"+ ( [^/<] | \"/\" ( [^p<] | \"p\" "
                                     "[^a<] ) ) )*\n");
}

static enum den_status compile(struct plan *plan, struct den_grammar **out, struct den_error *err)
{
    const json_t **schemas = NULL;
    bool may_be_free = plan->format->syntax->bare && !plan->required && can_be_free(plan);
    size_t i;

    den_buffer_clear(&plan->text);
    json_decref(plan->schemas);
    plan->schemas = json_array();
    qsort(plan->tools, plan->count, sizeof *plan->tools, compare_names);
    write_root(plan, may_be_free);
    den_buffer_append_text(&plan->text, "one ::= ");
    for (i = 0; i < plan->count; i++)
        den_buffer_appendf(&plan->text, "%sc%zu ", i > 0 ? "| " : "", i);
    den_buffer_append_text(&plan->text, "\n");
    for (i = 0; i < plan->count; i++)
        write_call(plan, i);
    schemas = calloc(json_array_size(plan->schemas) + 1, sizeof(json_t *));
    if (!schemas || !plan->schemas)
        den_fail(err, DEN_NO_MEMORY, "tools: out of memory");
    else if (den_buffer_status(&plan->text, "tools", err) == DEN_OK) {
        for (i = 0; i < json_array_size(plan->schemas); i++)
            schemas[i] = json_array_get(plan->schemas, i);
        den_grammar_from_gbnf(plan->text.data, plan->text.length, schemas,
                              json_array_size(plan->schemas), out, err);
    }
    free(schemas);
    return err->status;
}

/* Which schema the grammar failed on: an error where the tool is strict, any object otherwise.
 * *out_changed tells whether to try again. */
static enum den_status loosen(struct plan *plan, bool *out_changed, struct den_error *err)
{
    size_t i;

    *out_changed = false;
    for (i = 0; i < plan->count; i++) {
        struct tool *tool = &plan->tools[i];
        struct den_grammar *grammar = NULL;
        struct den_error trouble = { 0 };

        if (!tool->schema || den_grammar_from_schema(tool->schema, &grammar, &trouble) == DEN_OK) {
            den_grammar_destroy(grammar);
            continue;
        }
        if (tool->strict || trouble.status == DEN_INVALID || trouble.status == DEN_NO_MEMORY) {
            *err = trouble;
            return den_fail_at(err, "'tools[%zu].function.parameters'", tool->index);
        }
        tool->schema = NULL;
        *out_changed = true;
    }
    return DEN_OK;
}

enum den_status den_answer_format_plan(const struct den_answer_format *format, const json_t *tools,
                                       const json_t *tool_choice, unsigned flags,
                                       struct den_answer_plan *out, struct den_error *err)
{
    struct plan plan = { .format = format,
                         .single = (flags & DEN_ANSWER_SINGLE) != 0,
                         .opened = (flags & DEN_ANSWER_OPENED) != 0 };
    struct den_answer_plan result = { .once = true };
    struct den_error first = { 0 };
    bool has_changed = false;

    den_buffer_init(&plan.text, GRAMMAR_BYTES_MAX);
    if (read_tools(&plan, tools, err) != DEN_OK || read_choice(&plan, tool_choice, err) != DEN_OK)
        goto done;
    plan.reasons = plan.required && format->thought && (flags & DEN_ANSWER_DIRECT) == 0;
    if (plan.count > 0 && compile(&plan, &result.grammar, &first) != DEN_OK) {
        if (loosen(&plan, &has_changed, err) != DEN_OK)
            goto done;
        if (!has_changed) {
            *err = first;
            den_fail_at(err, "'tools'");
            goto done;
        }
        if (compile(&plan, &result.grammar, err) != DEN_OK)
            goto done;
    }
    result.reasons = result.grammar && plan.reasons;
    while (result.grammar && !plan.required && result.trigger_count < DEN_ANSWER_TRIGGERS_MAX &&
           format->syntax->triggers[result.trigger_count] &&
           (format->syntax->triggers[result.trigger_count][0] != '{' || can_be_free(&plan))) {
        result.triggers[result.trigger_count] = format->syntax->triggers[result.trigger_count];
        result.trigger_count++;
    }
    *out = result;
done:
    json_decref(plan.schemas);
    den_buffer_deinit(&plan.text);
    free(plan.tools);
    return err->status;
}
