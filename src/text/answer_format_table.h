/* The families of answer formats as data: what plan, description and parser read.
 *
 * A call is written as
 *     open  ( call NAME middle ARGUMENTS close, joined by `between` )  shut
 * and read back more loosely: models add blanks, lists and keys that nobody asked for. */
#ifndef DEN_TEXT_ANSWER_FORMAT_TABLE_H
#define DEN_TEXT_ANSWER_FORMAT_TABLE_H

#include "text/answer_format.h"

enum den_answer_shape {
    DEN_ANSWER_OBJECT,  /* {"name": NAME, "arguments": {...}}, alone or in a list */
    DEN_ANSWER_HEAD,    /* NAME in marks of its own, then {...} */
    DEN_ANSWER_XML,     /* <function=NAME><parameter=KEY>VALUE</parameter></function> */
    DEN_ANSWER_CHANNELS /* gpt-oss: messages with a header, see answer_format_harmony.c */
};

enum { DEN_ANSWER_MARKS_MAX = 4 };

struct den_answer_syntax {
    const char *name;
    enum den_answer_shape shape;
    const char *signs[3];   /* a template that holds all of these is of this family */
    const char *forbidden;  /* ... unless it holds this */
    const char *tools_sign; /* held by templates that write tools; NULL: the word `tools` */
    const char *begins[DEN_ANSWER_MARKS_MAX]; /* marks that calls begin with */
    const char *vanish[DEN_ANSWER_MARKS_MAX]; /* marks that may follow a call, and say nothing */
    const char *again;     /* the mark of each call inside a list of its own (HEAD) */
    const char *separator; /* HEAD: what parts the name from what surrounds it */
    const char *drop[DEN_ANSWER_MARKS_MAX]; /* marks that vanish wherever they stand in text */
    bool bare;                              /* an answer that begins with '{' is a call */
    bool single;                            /* one call an answer */
    const char *name_key, *arguments_key;
    /* how calls are written */
    const char *open, *call, *middle, *close, *between, *shut;
    const char *triggers[DEN_ANSWER_TRIGGERS_MAX];
};

/* How reasoning is set apart. */
struct den_answer_thought {
    const char *sign; /* in a template, or the name of a token */
    const char *open, *close;
};

struct den_answer_format {
    const struct den_answer_syntax *syntax;
    const struct den_answer_thought *thought; /* NULL: none */
    bool knows_tools;
};

#endif
