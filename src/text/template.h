/* Template: the Jinja that models ship as their chat template, compiled once, rendered with bounds.
 *
 * A template is untrusted text. It has no access to files, environment, clock (but strftime_now,
 * whose time the caller gives) or memory beyond the limits of base/limits.h: source and output
 * bytes, evaluation steps, nesting and live values are all bounded, and passing a bound is an
 * error, never a crash. Values are JSON. Source of the language: Jinja 3.1 with transformers'
 * settings (trim_blocks, lstrip_blocks, loop controls, the `generation` block). */
#ifndef DEN_TEXT_TEMPLATE_H
#define DEN_TEXT_TEMPLATE_H

#include <jansson.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/status.h"

struct den_template;

enum den_status den_template_create(const char *source, size_t length, struct den_template **out,
                                    struct den_error *err);
void den_template_destroy(struct den_template *compiled);

/* Appends to `out`. `variables` is an object: messages, tools, add_generation_prompt, bos_token,
 * ... `now` is the Unix time strftime_now() formats. raise_exception('x') becomes DEN_INVALID with
 * the message x. Thread-safe: a compiled template is read-only. */
enum den_status den_template_render(const struct den_template *compiled, const json_t *variables,
                                    int64_t now, struct den_buffer *out, struct den_error *err);

#endif
