/* Page layout: words with boxes, in lines and blocks, to a part with paragraphs and headings.
 *
 * What pdftotext and tesseract print has the same shape, so one thing reads both. A page is
 * gathered whole, because what a heading is shows only beside the rest: it is set larger than most
 * of the text so far. Lines of a block become one paragraph; a line that ends early, where the
 * next word would have fitted, keeps its end. Lines that stand beside each other make a block a
 * table. */
#ifndef DEN_INPUT_PAGE_LAYOUT_H
#define DEN_INPUT_PAGE_LAYOUT_H

#include "input/part_writer.h"

struct den_page_layout_word {
    size_t text, length; /* in `texts` */
    float left, top, right, bottom;
};

struct den_page_layout_line {
    size_t first, count; /* of its words */
    float height;
    float right; /* of its block */
    bool opens;  /* a block */
    bool beside; /* the line before it, in one row of a table */
    bool table;  /* its block has rows */
    int level;   /* of a heading; 0: none */
};

enum { DEN_LAYOUT_HEIGHTS = 400 };

struct den_page_layout {
    struct den_writer *writer;
    float larger; /* how much a heading's lines are higher than the usual */
    bool scanned;
    float width, height;
    bool in_page;
    struct den_buffer texts;
    struct den_page_layout_word *words;
    size_t word_count, word_capacity;
    struct den_page_layout_line *lines;
    size_t line_count, line_capacity;
    bool block_begins, line_begins;
    float block_right;
    size_t heights[DEN_LAYOUT_HEIGHTS]; /* bytes of text by its lines' height in half points */
};

void den_page_layout_init(struct den_page_layout *layout, struct den_writer *writer, bool scanned);
void den_page_layout_deinit(struct den_page_layout *layout);

void den_page_layout_page_begin(struct den_page_layout *layout, float width, float height);
/* `right`: where the block ends. */
void den_page_layout_block_begin(struct den_page_layout *layout, float right);
void den_page_layout_line_begin(struct den_page_layout *layout);
void den_page_layout_word(struct den_page_layout *layout, const char *text, size_t length,
                          const struct den_word *box);
void den_page_layout_page_end(struct den_page_layout *layout);

/* A number as "-12.5" at `text`; 0 where there is none or it is no place on a page. */
float den_page_layout_number(const char *text, size_t length);

#endif
