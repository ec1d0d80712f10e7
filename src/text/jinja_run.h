/* Jinja run: the state of one rendering, and the bounds it keeps.
 *
 * Functions of the interpreter return false after they have put the reason into run->err through
 * den_jinja_fail(), which adds the line; callers just pass false on. Everything is charged:
 * evaluated nodes and walked items as steps, values as arena bytes, captured output (macros,
 * block set) as bytes, nesting as depth. */
#ifndef DEN_TEXT_JINJA_RUN_H
#define DEN_TEXT_JINJA_RUN_H

#include <jansson.h>

#include "base/arena.h"
#include "base/buffer.h"
#include "base/status.h"
#include "text/jinja_value.h"

struct den_jinja_node;

struct den_jinja_variable {
    const struct den_jinja_text *name; /* interned: compared by address */
    struct den_jinja_value value;
};

/* Names that the interpreter itself sets, interned as the template's own are. */
enum den_jinja_special_name {
    JINJA_NAME_LOOP,
    JINJA_NAME_CALLER,
    JINJA_NAME_KWARGS,
    JINJA_NAME_VARARGS,
    JINJA_NAME_COUNT
};

/* Names of one block; a name not found here is looked up in the parent. */
struct den_jinja_scope {
    struct den_jinja_scope *parent;
    struct den_jinja_variable *variables;
    size_t count;
    size_t capacity;
    bool is_kept; /* a macro was defined here: it may outlive the block */
};

struct den_jinja_run {
    struct den_arena *arena;
    struct den_error *err;
    struct den_buffer *out; /* the output, or what a macro captures */
    const json_t *variables;
    const struct den_jinja_text *const *special; /* by enum den_jinja_special_name */
    struct den_jinja_scope *scope;
    struct den_jinja_scope *root;
    int64_t now;
    size_t steps_left;
    size_t steps_max;
    size_t memory_bytes_max;
    size_t captured_bytes;
    unsigned depth;
    unsigned line;
    bool is_capturing;
};

/* Always false. The message gets "template: line N: " in front. */
bool den_jinja_fail(struct den_jinja_run *run, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* As den_jinja_fail() for a bound that was passed. */
bool den_jinja_fail_bound(struct den_jinja_run *run, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* Uses up `count` steps. */
bool den_jinja_spend(struct den_jinja_run *run, size_t count);
/* Work on `bytes` bytes of text costs a step for every 16. */
bool den_jinja_spend_bytes(struct den_jinja_run *run, size_t bytes);
bool den_jinja_enter(struct den_jinja_run *run);
static inline void den_jinja_leave(struct den_jinja_run *run)
{
    run->depth--;
}
/* Zeroed memory for as long as the run; NULL after a failure was reported. */
void *den_jinja_alloc(struct den_jinja_run *run, size_t count, size_t size);
bool den_jinja_emit(struct den_jinja_run *run, const char *bytes, size_t length);
/* A buffer with the ceiling of values, and its content as a value; deinits the buffer. */
void den_jinja_buffer_init(struct den_buffer *buffer);
bool den_jinja_buffer_finish(struct den_jinja_run *run, struct den_buffer *buffer,
                             struct den_jinja_value *out);

struct den_jinja_scope *den_jinja_scope_new(struct den_jinja_run *run,
                                            struct den_jinja_scope *parent);
bool den_jinja_scope_set(struct den_jinja_run *run, struct den_jinja_scope *scope,
                         const struct den_jinja_text *name, struct den_jinja_value value);
/* Looks through the scopes, then the caller's variables, then the globals. */
bool den_jinja_scope_get(struct den_jinja_run *run, const struct den_jinja_text *name,
                         struct den_jinja_value *out);
/* The template's view of JSON. Texts are not copied: `json` must outlive the run. */
bool den_jinja_from_json(struct den_jinja_run *run, const json_t *json,
                         struct den_jinja_value *out);

#endif
