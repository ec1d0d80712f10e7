/* Numbers and quoted texts inside tags. */
#ifndef DEN_TEXT_JINJA_LITERAL_H
#define DEN_TEXT_JINJA_LITERAL_H

#include "text/jinja_lexer.h"

/* The lexer stands on a digit, or on a quote; each passes over what it reads. */
bool den_jinja_read_number(struct den_jinja_lexer *lexer, struct den_jinja_token *out);
bool den_jinja_read_text(struct den_jinja_lexer *lexer, struct den_jinja_token *out);

/* Python's int(text, base) and float(text) over a whole text, surrounding space allowed.
 * *out_overflow: the number is an integer past 64 bits. False where it is no number. */
bool den_jinja_parse_integer(const char *bytes, size_t length, int base, int64_t *out,
                             bool *out_overflow);
bool den_jinja_parse_float(const char *bytes, size_t length, double *out);

#endif
