/* Regex: the patterns of tokenizer files, run by PCRE2.
 *
 * tokenizer.json is written for Oniguruma in Ruby's syntax. A pattern is translated to PCRE2's
 * where the two differ: \s without U+180E, \w and \d over Unicode, \h for hex digits, class
 * intersection (&&) and nesting, long property names, `{1,3}+` as a repeated group, (?m:) for
 * dot-all, `^` and `$` at every line. A compiled pattern is read-only and shared; what a match
 * writes to is a den_regex_work of the caller's. */
#ifndef DEN_TEXT_PRETOKENIZER_REGEX_H
#define DEN_TEXT_PRETOKENIZER_REGEX_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buffer.h"
#include "base/status.h"
#include "text/tokenizer.h"

struct den_regex;
struct den_regex_work;

/* DEN_UNSUPPORTED names the construct that has no translation, DEN_BAD_FILE the syntax error. */
enum den_status den_regex_create(const char *pattern, size_t length, struct den_regex **out,
                                 struct den_error *err);
void den_regex_destroy(struct den_regex *regex);

/* Appends PCRE2's form of an Oniguruma pattern. */
enum den_status den_regex_translate(const char *pattern, size_t length, struct den_buffer *out,
                                    struct den_error *err);

struct den_regex_work *den_regex_work_create(void); /* NULL: out of memory */
void den_regex_work_destroy(struct den_regex_work *work);

struct den_regex_match {
    size_t start; /* SIZE_MAX: no match */
    size_t end;
};

/* Finds the first match in well-formed `text` at or after `start`. A pattern that backtracks past
 * the limits is DEN_TOO_LARGE. */
enum den_status den_regex_find(const struct den_regex *regex, struct den_regex_work *work,
                               struct den_token_text text, size_t start,
                               struct den_regex_match *out, struct den_error *err);

#endif
