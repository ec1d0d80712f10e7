/* Left recursion, found by a depth-first walk over "rule A can enter rule B before it has taken a
 * byte": a circle there is a rule that begins with itself. Linear in the graph. */
#include "text/grammar_parts.h"

enum { UNSEEN, OPEN, DONE };

struct graph {
    struct den_grammar_builder *builder;
    const struct den_grammar *grammar;
    uint32_t *visited; /* (nodes): rule + 1 whose search saw the node last */
    uint32_t *work;    /* (nodes) */
    uint32_t *first;   /* (rules + 1): where in `entered` the rule's list begins */
    uint32_t *entered; /* rules */
    uint32_t entered_count, entered_capacity;
};

static void visit(struct graph *graph, uint32_t node, uint32_t rule, uint32_t *todo)
{
    if (graph->visited[node] == rule + 1)
        return;
    graph->visited[node] = rule + 1;
    graph->work[(*todo)++] = node;
}

/* Appends the rules that `rule` can enter before it has taken a byte; false: too many. */
static bool list_entered(struct graph *graph, uint32_t rule)
{
    const struct den_grammar *grammar = graph->grammar;
    uint32_t todo = 0, i;

    visit(graph, grammar->rules[rule], rule, &todo);
    while (todo > 0) {
        const struct den_grammar_node *node = &grammar->nodes[graph->work[--todo]];

        for (i = 0; node->kind == DEN_GRAMMAR_CHOICE && i < node->count; i++)
            visit(graph, grammar->targets[node->first + i], rule, &todo);
        if (node->kind != DEN_GRAMMAR_CALL && node->kind != DEN_GRAMMAR_REPEAT)
            continue;
        if (graph->entered_count == graph->entered_capacity)
            return false;
        graph->entered[graph->entered_count++] = node->rule;
        if (grammar->nodes[grammar->rules[node->rule]].nullable ||
            (node->kind == DEN_GRAMMAR_REPEAT && node->minimum == 0))
            visit(graph, node->next, rule, &todo);
    }
    return true;
}

/* Returns a rule on a circle that `root` leads to, or the rule count. */
static uint32_t find_circle(const struct graph *graph, uint32_t root, uint8_t *marks,
                            uint32_t *path, uint32_t *places)
{
    uint32_t depth = 0;

    path[0] = root;
    places[0] = graph->first[root];
    marks[root] = OPEN;
    for (;;) {
        uint32_t rule = path[depth], next;

        if (places[depth] == graph->first[rule + 1]) {
            marks[rule] = DONE;
            if (depth-- == 0)
                return graph->grammar->rule_count;
            continue;
        }
        next = graph->entered[places[depth]++];
        if (marks[next] == OPEN)
            return next;
        if (marks[next] == DONE)
            continue;
        marks[next] = OPEN;
        path[++depth] = next;
        places[depth] = graph->first[next];
    }
}

enum den_status den_grammar_check_recursion(struct den_grammar_builder *builder,
                                            const char *const *names, size_t name_count)
{
    const struct den_grammar *grammar = builder->grammar;
    struct graph graph = { .builder = builder,
                           .grammar = grammar,
                           .entered_capacity = grammar->node_count * 2 };
    uint8_t *marks = den_grammar_memory(builder, grammar->rule_count, 1);
    uint32_t *path = den_grammar_memory(builder, grammar->rule_count, sizeof *path);
    uint32_t *places = den_grammar_memory(builder, grammar->rule_count, sizeof *places);
    uint32_t i;

    graph.visited = den_grammar_memory(builder, grammar->node_count, sizeof *graph.visited);
    graph.work = den_grammar_memory(builder, grammar->node_count, sizeof *graph.work);
    graph.first = den_grammar_memory(builder, grammar->rule_count + 1, sizeof *graph.first);
    graph.entered = den_grammar_memory(builder, graph.entered_capacity, sizeof *graph.entered);
    if (den_grammar_failed(builder))
        return builder->err->status;
    for (i = 0; i < grammar->rule_count; i++) {
        graph.first[i] = graph.entered_count;
        if (!list_entered(&graph, i))
            return den_fail(builder->err, DEN_TOO_LARGE, "grammar: its rules are too entangled");
    }
    graph.first[i] = graph.entered_count;
    for (i = 0; i < grammar->rule_count; i++) {
        uint32_t rule = grammar->rule_count;

        if (marks[i] == UNSEEN)
            rule = find_circle(&graph, i, marks, path, places);
        if (rule < grammar->rule_count)
            return den_fail(builder->err, DEN_INVALID,
                            "grammar: rule '%s' is left-recursive (it begins with itself); put "
                            "what is repeated on the right",
                            rule < name_count ? names[rule] : "(anonymous)");
    }
    return DEN_OK;
}
