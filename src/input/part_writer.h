/* Part writer: where readers put what they find, and what becomes parts (input/document.h).
 *
 * A reader says what it meets: a part begins, a block begins, text, the block ends. The writer
 * makes the text clean (UTF-8 without NUL, "\n" between lines, no control characters), keeps
 * blocks in order, drops empty ones, and hands a part to the sink when it ends. A part that grows
 * past its limits is handed over and continued in another of the same number and label; a block
 * that long becomes several.
 *
 * Failures stick: after the first, calls do nothing, and den_writer_status() tells it. So a reader
 * may write freely and ask once in a while. */
#ifndef DEN_INPUT_PART_WRITER_H
#define DEN_INPUT_PART_WRITER_H

#include "base/buffer.h"
#include "input/document.h"

struct den_writer {
    const struct den_document_sink *sink;
    struct den_error failure;
    struct den_part part; /* that is being written; its label lies in `labels` */
    bool in_part, in_block;
    bool collapse;   /* white space in the block becomes one space */
    bool space_owed; /* one is to come before the next text */
    bool continued;  /* the sink has the part's beginning */
    bool labelled;
    size_t gap;        /* newlines before the next block */
    size_t block_mark; /* where the text ended before the open block */
    size_t number;     /* of the last part, as it was counted here */
    size_t part_count; /* that the sink has */
    size_t first_number;
    struct den_buffer text;
    struct den_block *blocks;
    size_t block_count, block_capacity;
    struct den_word *words;
    size_t word_count, word_capacity;
    struct den_block block; /* that is being written */
    char *label;
    char **strings; /* ranges and anchors of this part */
    size_t string_count, string_capacity;
    struct den_buffer note;
    char *title, *author;
    int64_t created;
    const char *prefix; /* put before labels: the path in an archive; NULL: none */
    bool inside;        /* of an archive or mail: facts of the whole are not this file's */
};

void den_writer_init(struct den_writer *writer, const struct den_document_sink *sink,
                     size_t first_number);
void den_writer_deinit(struct den_writer *writer);

/* `number` counts from 1 (the stretch's first number is added); 0: one more than the part before.
 */
void den_writer_part_begin(struct den_writer *writer, enum den_part_kind kind, size_t number,
                           const char *label);
/* Names the open part, unless it has a label already or its beginning was handed over. */
void den_writer_label(struct den_writer *writer, const char *label);
/* An empty part is handed over too. */
void den_writer_part_end(struct den_writer *writer);
/* Hands over what is there; the part goes on in another of the same number and label. */
void den_writer_part_continue(struct den_writer *writer);
/* As den_writer_part_end(), but a part without text is dropped. */
void den_writer_part_end_or_drop(struct den_writer *writer);

/* Ends an open block. `level` counts for headings; it is brought into 1 to 6. */
void den_writer_block_begin(struct den_writer *writer, enum den_block_kind kind, int level);
/* As above; white space in it is kept as it is, but at its ends. */
void den_writer_block_begin_verbatim(struct den_writer *writer, enum den_block_kind kind,
                                     int level);
void den_writer_text(struct den_writer *writer, const char *text, size_t length);
void den_writer_string(struct den_writer *writer, const char *text);
/* A tab between cells or a newline within a block, where collapsing would make it a space. */
void den_writer_break(struct den_writer *writer, char byte);
void den_writer_block_end(struct den_writer *writer);
/* For the block that is open. */
void den_writer_source(struct den_writer *writer, size_t start, size_t end);
void den_writer_range(struct den_writer *writer, const char *range);
void den_writer_anchor(struct den_writer *writer, const char *anchor);
/* A space, if text follows in the block. */
void den_writer_space(struct den_writer *writer);
/* A whole word of the open block with its place. */
void den_writer_word(struct den_writer *writer, const char *text, size_t length,
                     const struct den_word *box);
/* The blank between the block before and the next one: `newlines` of them (2 by itself). */
void den_writer_gap(struct den_writer *writer, size_t newlines);

/* A file within this one that the sink has to read; its path is `writer->prefix`, and the open part
 * ends. */
enum den_status den_writer_member(struct den_writer *writer, const void *bytes, size_t length,
                                  struct den_error *err);

/* The sentence is kept once, however often it is said. */
void den_writer_note(struct den_writer *writer, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* Each is kept when it is the first; NULL and blank ones say nothing. */
void den_writer_title(struct den_writer *writer, const char *title);
void den_writer_author(struct den_writer *writer, const char *author);
/* Hands the facts over; at the end of all. */
void den_writer_finish(struct den_writer *writer);

enum den_status den_writer_fail(struct den_writer *writer, const struct den_error *failure);
bool den_writer_failed(const struct den_writer *writer);
enum den_status den_writer_status(const struct den_writer *writer, struct den_error *err);
/* Whether the open part is nearly full, so that a reader of rows may begin a new block. */
bool den_writer_is_nearly_full(const struct den_writer *writer);

/* `text` as a label: one line, valid, at most `length_max` bytes. NULL: out of memory. Freed with
 * free(). */
char *den_label_make(const char *text, size_t length, size_t length_max);

#endif
