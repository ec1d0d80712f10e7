/* A regular expression as a tree: what grammar_regex_tree.c parses and grammar_regex.c builds. */
#ifndef DEN_TEXT_GRAMMAR_REGEX_TREE_H
#define DEN_TEXT_GRAMMAR_REGEX_TREE_H

#include "text/grammar_characters.h"

/* The marks that "^" and "$" take: code points beyond the last. */
enum { DEN_REGEX_BEGIN = 0x110000, DEN_REGEX_END = 0x110001 };

enum den_regex_kind {
    DEN_REGEX_EMPTY,
    DEN_REGEX_SET,
    DEN_REGEX_JOIN,   /* all of the list, in turn */
    DEN_REGEX_EITHER, /* one of the list */
    DEN_REGEX_REPEAT  /* `first`, minimum to maximum times */
};

struct den_regex {
    enum den_regex_kind kind;
    struct den_characters set;
    struct den_regex *first; /* of the list below */
    struct den_regex *next;  /* in the list above */
    uint32_t minimum, maximum;
};

struct den_regex *den_regex_parse(struct den_grammar_builder *builder, const char *pattern,
                                  size_t length);

#endif
