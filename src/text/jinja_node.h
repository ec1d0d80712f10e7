/* Jinja syntax tree: one node type for all constructs. Nodes live in the arena of the compiled
 * template and are read-only once parsed. Chains of one precedence (a + b + c, a or b or c) are one
 * node with a list, so that their length costs no recursion. */
#ifndef DEN_TEXT_JINJA_NODE_H
#define DEN_TEXT_JINJA_NODE_H

#include "text/jinja_lexer.h"
#include "text/jinja_value.h"

enum den_jinja_node_kind {
    /* expressions */
    JINJA_NODE_CONSTANT,  /* value */
    JINJA_NODE_NAME,      /* name */
    JINJA_NODE_TUPLE,     /* first: list of expressions */
    JINJA_NODE_LIST,      /* likewise */
    JINJA_NODE_DICT,      /* first: list of PAIR */
    JINJA_NODE_PAIR,      /* first, second */
    JINJA_NODE_OPERAND,   /* op, first; in the list of the next two */
    JINJA_NODE_MATH,      /* first, then the OPERANDs of second from left to right */
    JINJA_NODE_COMPARE,   /* likewise, chained as in 1 < x < 5 */
    JINJA_NODE_CONCAT,    /* first: list */
    JINJA_NODE_AND,       /* first: list */
    JINJA_NODE_OR,        /* first: list */
    JINJA_NODE_NOT,       /* first */
    JINJA_NODE_NEGATIVE,  /* first */
    JINJA_NODE_POSITIVE,  /* first */
    JINJA_NODE_CONDITION, /* first if second else third (may be NULL) */
    JINJA_NODE_ATTRIBUTE, /* first, name */
    JINJA_NODE_ITEM,      /* first, second */
    JINJA_NODE_SLICE,     /* first, and second : third : fourth, each may be NULL */
    JINJA_NODE_CALL,      /* first, second: list of ARGUMENT */
    JINJA_NODE_ARGUMENT,  /* first; name for a keyword; op MULTIPLY for *x, POWER for **x */
    JINJA_NODE_FILTER, /* first (NULL: what the block captured), name, builtin, second: ARGUMENTs */
    JINJA_NODE_TEST,   /* first, name, builtin, second: ARGUMENTs */
    JINJA_NODE_FIELD,  /* name, other: `namespace.attribute` as an assignment's target */
    /* statements */
    JINJA_NODE_DATA,         /* value */
    JINJA_NODE_OUTPUT,       /* first */
    JINJA_NODE_IF,           /* first: list of BRANCH, second: body of else */
    JINJA_NODE_BRANCH,       /* first: condition, second: body */
    JINJA_NODE_FOR,          /* first in second if third; fourth: body, fifth: else; is_recursive */
    JINJA_NODE_SET,          /* first = second */
    JINJA_NODE_SET_BLOCK,    /* first = third, through the filters of second (may be NULL) */
    JINJA_NODE_WITH,         /* first: list of PAIR, second: body */
    JINJA_NODE_MACRO,        /* name, first: list of PARAMETER, second: body, uses */
    JINJA_NODE_PARAMETER,    /* name, first: default or NULL */
    JINJA_NODE_CALL_BLOCK,   /* first: CALL, second: MACRO for `caller` */
    JINJA_NODE_FILTER_BLOCK, /* first: FILTERs, second: body */
    JINJA_NODE_SCOPE,        /* second: body with its own names (block, generation, autoescape) */
    JINJA_NODE_BREAK,
    JINJA_NODE_CONTINUE
};

/* Which of the special names a macro's body reads. */
enum den_jinja_uses { JINJA_USES_CALLER = 1, JINJA_USES_KWARGS = 2, JINJA_USES_VARARGS = 4 };

struct den_jinja_builtin;

struct den_jinja_node {
    enum den_jinja_node_kind kind;
    enum den_jinja_operator op;
    unsigned line;
    unsigned uses; /* MACRO: enum den_jinja_uses */
    bool is_recursive;
    const struct den_jinja_text *name; /* interned: equal names have equal addresses */
    const struct den_jinja_text *other;
    const struct den_jinja_builtin *builtin; /* NULL: there is none of that name */
    struct den_jinja_value value;
    struct den_jinja_node *first;
    struct den_jinja_node *second;
    struct den_jinja_node *third;
    struct den_jinja_node *fourth;
    struct den_jinja_node *fifth;
    struct den_jinja_node *next; /* the list this node is in */
};

#endif
