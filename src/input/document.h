/* Document: what reading a file gives, whatever its format was.
 *
 * A document is a row of parts: a page, a sheet, a slide, a chapter, a mail. A part is one text in
 * UTF-8 with "\n" between lines, and blocks that say what stretches of it are: headings,
 * paragraphs, tables, code. Blocks follow each other, do not overlap, and cover all of the text
 * but the blank between them. Where the original has pages, words say where they lie, so that a
 * citation can be marked on the page's picture; where it is a text of its own, `source_start` says
 * at which bytes of the file a block lies.
 *
 * Cells of a table are separated by tabs, its rows by newlines; tabs and newlines within a cell
 * have become spaces.
 *
 * Everything here comes from readers that saw hostile bytes. den_part_check() is what makes it
 * trustworthy: valid UTF-8 without NUL, offsets in range and in order, sizes below the limits. */
#ifndef DEN_INPUT_DOCUMENT_H
#define DEN_INPUT_DOCUMENT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

enum den_part_kind {
    DEN_PART_PAGE,
    DEN_PART_SHEET,
    DEN_PART_SLIDE,
    DEN_PART_SECTION, /* a chapter; of a format without pages */
    DEN_PART_MAIL,
    DEN_PART_FILE /* the whole of a file that has no parts, or one file of an archive */
};
const char *den_part_kind_text(enum den_part_kind kind); /* "page" ... */

enum den_block_kind {
    DEN_BLOCK_PARAGRAPH,
    DEN_BLOCK_HEADING,
    DEN_BLOCK_LIST,
    DEN_BLOCK_TABLE,
    DEN_BLOCK_CODE,
    DEN_BLOCK_NOTE /* speaker's notes, comments, footnotes, mail headers */
};
const char *den_block_kind_text(enum den_block_kind kind); /* "paragraph" ... */

struct den_block {
    enum den_block_kind kind;
    int level;         /* HEADING: 1 to 6 */
    size_t start, end; /* bytes of the part's text */
    size_t source_start,
        source_end;     /* bytes of the original file; both 0: not known (a compressed format) */
    const char *range;  /* TABLE of a sheet: "A1:D20"; NULL: none */
    const char *anchor; /* what its original calls the place (an id in HTML); NULL: none */
};

/* Where a word lies, in the part's units from its top left corner. */
struct den_word {
    size_t start, end; /* bytes of the part's text */
    float left, top, right, bottom;
};

struct den_part {
    enum den_part_kind kind;
    size_t number;       /* as people count: from 1 */
    const char *label;   /* "Sheet1", "iv", "Re: invoice", the path in an archive; never NULL */
    float width, height; /* of a page, in points; 0: it has none */
    bool scanned;        /* its text was recognised in a picture */
    const char *text;
    size_t length;
    const struct den_block *blocks;
    size_t block_count;
    const struct den_word *words;
    size_t word_count;
};

/* What is known of the whole; "" where nothing is. */
struct den_document_facts {
    const char *title, *author;
    const char *note;  /* what was left out, in a sentence */
    size_t part_count; /* that there will be; 0: not known yet */
    int64_t created;   /* Unix milliseconds; 0: not known */
};

/* A PDF or a picture within an archive or a mail, which a program of its own has to read. */
struct den_document_member {
    const char *path; /* "letters/may.pdf"; a label, never opened */
    const void *bytes;
    size_t length;
};
enum { DEN_MEMBER_NOTE_BYTES = 512 };

/* Takes parts and facts as they are read. A failure ends the reading with that failure. */
struct den_document_sink {
    void *context;
    enum den_status (*part)(void *context, const struct den_part *part, struct den_error *err);
    enum den_status (*facts)(void *context, const struct den_document_facts *facts,
                             struct den_error *err);
    /* Reads a member; its parts come before this returns, wherever they go. A failure is the
     * member's alone. `out_note`: what was left out of it. NULL: nobody can; the reader's note
     * names it. */
    enum den_status (*member)(void *context, const struct den_document_member *member,
                              char out_note[DEN_MEMBER_NOTE_BYTES], struct den_error *err);
};

/* DEN_BAD_FILE says what is not as it is promised above. */
enum den_status den_part_check(const struct den_part *part, struct den_error *err);

/* Parts and facts as JSON, one line each, which is how a reader's process hands them to the front:
 * {"part": {"kind", "number", "label", "width", "height", "scanned", "text", "blocks": [[kind,
 * level, start, end, source_start, source_end, range or null, anchor or null]], "words": [[start,
 * end, left, top, right, bottom]]}}, {"member": {"path", "bytes"}}, {"facts": {...}}, and last
 * {"end": {"status", "message"}}.
 * The arrays are also what the database keeps of blocks and words. */
json_t *den_part_json(const struct den_part *part);
json_t *den_blocks_json(const struct den_block *blocks, size_t count);
json_t *den_words_json(const struct den_word *words, size_t count);

/* The other way, with everything checked. What is read points into `json` and arrays that
 * den_part_free() frees. */
enum den_status den_part_from_json(const json_t *json, struct den_part *out, struct den_error *err);
void den_part_free(struct den_part *part);
/* Blocks as the database keeps them, for a text of `length` bytes; *out_blocks is freed with
 * free(). */
enum den_status den_blocks_from_json(const json_t *json, size_t length,
                                     struct den_block **out_blocks, size_t *out_count,
                                     struct den_error *err);

#endif
