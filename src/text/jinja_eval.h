/* Jinja evaluation: expressions to values, statements to output. All functions return false after
 * den_jinja_fail(). */
#ifndef DEN_TEXT_JINJA_EVAL_H
#define DEN_TEXT_JINJA_EVAL_H

#include "text/jinja_call.h"
#include "text/jinja_node.h"
#include "text/jinja_run.h"

struct den_jinja_macro {
    const struct den_jinja_node *node;
    struct den_jinja_scope
        *scope; /* where it was defined: names it does not know are looked up there */
};

/* A running for loop; what the template sees as `loop`. */
struct den_jinja_loop {
    const struct den_jinja_node *node;
    struct den_jinja_scope *outer; /* the scope around the loop */
    struct den_jinja_list *source;
    size_t source_next;           /* first item not yet pulled through the loop's filter */
    struct den_jinja_list *items; /* those that passed it; the same list as source without one */
    size_t index;                 /* of the current item in items */
    unsigned depth;               /* of recursion, from 0 */
    bool has_changed_before;
    struct den_jinja_value changed; /* the tuple last given to loop.changed() */
};

bool den_jinja_eval(struct den_jinja_run *run, const struct den_jinja_node *node,
                    struct den_jinja_value *out);
bool den_jinja_eval_arguments(struct den_jinja_run *run, const struct den_jinja_node *list,
                              struct den_jinja_arguments *out);
/* Applies the filters of `node` to what a block captured. */
bool den_jinja_eval_filters(struct den_jinja_run *run, const struct den_jinja_node *node,
                            struct den_jinja_value captured, struct den_jinja_value *out);

bool den_jinja_operate(struct den_jinja_run *run, enum den_jinja_operator op,
                       struct den_jinja_value left, struct den_jinja_value right,
                       struct den_jinja_value *out);
bool den_jinja_negate(struct den_jinja_run *run, struct den_jinja_value value, bool is_minus,
                      struct den_jinja_value *out);

/* object.name: methods and attributes first, then items. */
bool den_jinja_get_attribute(struct den_jinja_run *run, struct den_jinja_value object,
                             const struct den_jinja_text *name, struct den_jinja_value *out);
/* object[key]: items first, then attributes. */
bool den_jinja_get_item(struct den_jinja_run *run, struct den_jinja_value object,
                        struct den_jinja_value key, struct den_jinja_value *out);
/* bounds: start, stop, step, each MISSING or none where not given. */
bool den_jinja_get_slice(struct den_jinja_run *run, struct den_jinja_value object,
                         const struct den_jinja_value bounds[3], struct den_jinja_value *out);

/* Runs a body; the output goes to run->out. */
enum den_jinja_flow { JINJA_FLOW_ON, JINJA_FLOW_BREAK, JINJA_FLOW_CONTINUE, JINJA_FLOW_FAILED };
enum den_jinja_flow den_jinja_run_body(struct den_jinja_run *run,
                                       const struct den_jinja_node *body);
/* As den_jinja_run_body() in `scope`, with the output as a text. */
bool den_jinja_capture_body(struct den_jinja_run *run, const struct den_jinja_node *body,
                            struct den_jinja_scope *scope, struct den_jinja_value *out);
bool den_jinja_assign(struct den_jinja_run *run, const struct den_jinja_node *target,
                      struct den_jinja_value value);

bool den_jinja_macro_call(struct den_jinja_run *run, const struct den_jinja_macro *macro,
                          const struct den_jinja_arguments *arguments, struct den_jinja_value *out);
/* loop(items) in a recursive loop. */
bool den_jinja_loop_call(struct den_jinja_run *run, struct den_jinja_loop *loop,
                         const struct den_jinja_arguments *arguments, struct den_jinja_value *out);
/* loop.index and the like; *out_found is false where there is no such attribute. */
bool den_jinja_loop_attribute(struct den_jinja_run *run, struct den_jinja_loop *loop,
                              const struct den_jinja_text *name, struct den_jinja_value *out,
                              bool *out_found);
enum den_jinja_flow den_jinja_run_for(struct den_jinja_run *run, const struct den_jinja_node *node);

#endif
