/* See template.h. A compiled template is an arena with the syntax tree and the names it uses; a
 * render is an arena of its own, freed at the end, so that many threads can render one template. */
#include "text/template.h"

#include <stdlib.h>

#include "text/jinja_eval.h"
#include "text/jinja_parser.h"
#include "text/template_limits.h"

struct den_template {
    struct den_arena *arena;
    struct den_jinja_node *body;
    const struct den_jinja_text *special[JINJA_NAME_COUNT];
};

static bool intern_special(struct den_jinja_parser *parser, struct den_template *compiled)
{
    static const char *const names[JINJA_NAME_COUNT] = {
        [JINJA_NAME_LOOP] = "loop",
        [JINJA_NAME_CALLER] = "caller",
        [JINJA_NAME_KWARGS] = "kwargs",
        [JINJA_NAME_VARARGS] = "varargs",
    };
    int i;

    for (i = 0; i < JINJA_NAME_COUNT; i++) {
        size_t length = 0;

        while (names[i][length])
            length++;
        compiled->special[i] = den_jinja_intern(parser, names[i], length);
        if (!compiled->special[i])
            return false;
    }
    return true;
}

enum den_status den_template_create(const char *source, size_t length, struct den_template **out,
                                    struct den_error *err)
{
    struct den_template *compiled;
    struct den_jinja_parser parser;

    if (length > DEN_TEMPLATE_SOURCE_BYTES_MAX)
        return den_fail(err, DEN_TOO_LARGE,
                        "template: the source has %zu bytes; at most %u are "
                        "allowed",
                        length, DEN_TEMPLATE_SOURCE_BYTES_MAX);
    compiled = calloc(1, sizeof *compiled);
    if (!compiled)
        return den_fail(err, DEN_NO_MEMORY, "template: out of memory");
    compiled->arena = den_arena_create(DEN_TEMPLATE_MEMORY_BYTES_MAX);
    if (!compiled->arena) {
        den_fail(err, DEN_NO_MEMORY, "template: out of memory");
        goto fail;
    }
    if (den_jinja_parse(&parser, compiled->arena, source, length, &compiled->body, err) != DEN_OK ||
        !intern_special(&parser, compiled))
        goto fail;
    *out = compiled;
    return DEN_OK;
fail:
    den_template_destroy(compiled);
    return err->status;
}

void den_template_destroy(struct den_template *compiled)
{
    if (!compiled)
        return;
    den_arena_destroy(compiled->arena);
    free(compiled);
}

enum den_status den_template_render_limited(const struct den_template *compiled,
                                            const json_t *variables, int64_t now,
                                            const struct den_template_limits *limits,
                                            struct den_buffer *out, struct den_error *err)
{
    struct den_buffer text;
    struct den_jinja_run run = { .err = err,
                                 .out = &text,
                                 .variables = variables,
                                 .special = compiled->special,
                                 .now = now,
                                 .steps_left = limits->steps_max,
                                 .steps_max = limits->steps_max,
                                 .memory_bytes_max = limits->memory_bytes_max,
                                 .line = 1 };

    run.arena = den_arena_create(limits->memory_bytes_max);
    if (!run.arena)
        return den_fail(err, DEN_NO_MEMORY, "template: out of memory");
    den_buffer_init(&text, DEN_TEMPLATE_OUTPUT_BYTES_MAX);
    run.root = den_jinja_scope_new(&run, NULL);
    run.scope = run.root;
    if (run.root && den_jinja_run_body(&run, compiled->body) != JINJA_FLOW_FAILED) {
        den_buffer_append(out, text.data, text.length);
        den_buffer_status(out, "template", err);
    }
    den_buffer_deinit(&text);
    den_arena_destroy(run.arena);
    return err->status;
}

enum den_status den_template_render(const struct den_template *compiled, const json_t *variables,
                                    int64_t now, struct den_buffer *out, struct den_error *err)
{
    static const struct den_template_limits limits = { .steps_max = DEN_TEMPLATE_STEPS_MAX,
                                                       .memory_bytes_max =
                                                           DEN_TEMPLATE_MEMORY_BYTES_MAX };

    return den_template_render_limited(compiled, variables, now, &limits, out, err);
}
