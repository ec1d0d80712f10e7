/* Poles: words that say the opposite of each other, by groups of two sides. "Rose" and "fell" are
 * as alike as can be to an embedding model, and neither is a negation. */
#ifndef DEN_DESK_SUPPORT_POLES_H
#define DEN_DESK_SUPPORT_POLES_H

#include <stddef.h>
#include <stdint.h>

/* The group of an English word in lower case (in any of its usual forms), negative for its other
 * side; 0: the word has no opposite that is known. */
int8_t den_support_pole(const char *word);
/* The same of a pair of Chinese characters, six bytes. */
int8_t den_support_pole_chinese(const char *pair);

#endif
