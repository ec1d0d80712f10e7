/* The inside of an answer parser, shared by the files that read its parts. */
#ifndef DEN_TEXT_ANSWER_FORMAT_PARTS_H
#define DEN_TEXT_ANSWER_FORMAT_PARTS_H

#include "text/answer_format_json.h"
#include "text/answer_format_table.h"

enum den_answer_state {
    DEN_ANSWER_IN_TEXT,
    DEN_ANSWER_IN_REASONING,
    DEN_ANSWER_IN_CALL,    /* after a mark: JSON objects, or a head */
    DEN_ANSWER_AFTER_CALL, /* marks that vanish, blanks, perhaps the next call */
    DEN_ANSWER_IN_XML,
    DEN_ANSWER_IN_HEADER, /* harmony: before <|message|> ... */
    DEN_ANSWER_IN_BODY    /* ... and after it */
};

/* What the value being read is for. */
enum den_answer_target { DEN_ANSWER_SKIP, DEN_ANSWER_NAME, DEN_ANSWER_VALUE, DEN_ANSWER_QUOTED };

struct den_answer_call {
    struct den_json_scan scan;
    enum den_answer_target target;
    bool in_list;        /* '[' was read */
    bool in_object;      /* between '{' and its '}' */
    bool in_head;        /* reading a name that is not JSON */
    bool only_values;    /* the object is the arguments themselves */
    bool is_speculative; /* no mark said that this is a call */
    bool is_told;        /* the client knows of it */
    unsigned vanished;   /* AFTER_CALL: bit i: the format's vanish[i] has, once a call */
    bool has_arguments;
    size_t in_section; /* calls read since the mark */
    struct den_buffer key;
    struct den_buffer name;
    struct den_buffer value; /* arguments that came before the name, or in quotes */
};

struct den_answer_parser {
    const struct den_answer_format *format;
    bool tools, reasoning;
    den_answer_handler handler;
    void *context;
    const json_t *tool_list;

    enum den_answer_state state;
    enum den_answer_part_kind outer; /* TEXT or REASONING: what surrounds the calls */
    bool at_start;                   /* nothing but blanks so far */
    bool is_fresh;                   /* blanks are dropped until something else comes */
    size_t calls;
    const char *note;
    enum den_status status;

    struct den_buffer input; /* still to be read, from `read` on */
    size_t read;
    struct den_buffer spaces; /* blanks that may be dropped */
    struct den_buffer held;   /* perhaps the beginning of a mark */
    struct den_buffer raw;    /* of the call being read: what was not told of yet */
    struct den_buffer out;    /* told at the end of a push, or when the kind changes */
    enum den_answer_part_kind out_kind;

    struct den_answer_call call;
    struct {
        unsigned place; /* enum of answer_format_xml.c */
        size_t members;
    } xml;
    enum { DEN_BODY_TEXT, DEN_BODY_REASONING, DEN_BODY_CALL } body;
};

/* How a piece of held text relates to marks. */
enum den_answer_match { DEN_MATCH_NONE, DEN_MATCH_BEGUN, DEN_MATCH_WHOLE };
/* `mark` may be NULL. */
enum den_answer_match den_answer_match(const char *mark, const char *text, size_t length);

bool den_answer_is_blank(char c);
void den_answer_emit(struct den_answer_parser *parser, enum den_answer_part_kind kind,
                     const char *text, size_t length);
void den_answer_emit_text(struct den_answer_parser *parser, const char *text, size_t length);

/* A call begins: its mark is in `raw`. */
void den_answer_call_begin(struct den_answer_parser *parser);
void den_answer_call_byte(struct den_answer_parser *parser, char byte);
void den_answer_after_call_byte(struct den_answer_parser *parser, char byte);
/* Tells of the call named call.name; then the arguments' parts. */
void den_answer_call_tell(struct den_answer_parser *parser);
void den_answer_call_tell_byte(struct den_answer_parser *parser, char byte);
/* Back to text: the first byte of `raw` becomes text as it is, the rest is read again. */
void den_answer_call_fail(struct den_answer_parser *parser, const char *note);
/* As above, without the exception for the first byte: for text that follows a call. */
void den_answer_call_leave(struct den_answer_parser *parser);
void den_answer_call_finish(struct den_answer_parser *parser);

void den_answer_xml_begin(struct den_answer_parser *parser);
void den_answer_xml_byte(struct den_answer_parser *parser, char byte);

void den_answer_header_byte(struct den_answer_parser *parser, char byte);
void den_answer_body_byte(struct den_answer_parser *parser, char byte);
void den_answer_harmony_finish(struct den_answer_parser *parser);

#endif
