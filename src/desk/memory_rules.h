/* Memory rules: which sentences of a message say something lasting about its writer, told by their
 * words alone, in English and Chinese. It costs microseconds, so that models are asked about few
 * messages. What the rules let through wrongly costs a proposal that nobody keeps; what they miss
 * the user can add. Whatever looks like a secret (a password, a PIN, the number of a card, an
 * account or a telephone, a key) is never let through. */
#ifndef DEN_DESK_MEMORY_RULES_H
#define DEN_DESK_MEMORY_RULES_H

#include <stdbool.h>
#include <stddef.h>

struct den_memory_span {
    size_t start, length; /* bytes of the message */
    bool is_chinese;
};
/* The sentences that may be remembered, at most `capacity`; returns how many. */
size_t den_memory_sentences(const char *message, struct den_memory_span *out, size_t capacity);

bool den_memory_is_secret(const char *text);

/* Whether two facts say the same by their words; with `cosine` (NAN: there is none) by their
 * meaning, too. Numbers, names and negations that differ make them two. */
bool den_memory_is_same(const char *left, const char *right, double cosine);

/* Whether `worded` says what `sentence` says, in other words of the same meaning: what a small
 * model makes up is refused. */
bool den_memory_is_faithful(const char *worded, const char *sentence);

#endif
