/* HTML blocks: what a page of HTML says, as blocks of the part that is open.
 *
 * Two passes of libxml2's forgiving parser over the text, without a tree. The first measures: how
 * much text is in <main> and <article>, which tables are only there for the layout. The second
 * writes. Scripts, styles, navigation and what is hidden are left out. */
#ifndef DEN_INPUT_HTML_BLOCKS_H
#define DEN_INPUT_HTML_BLOCKS_H

#include "input/readers.h"

struct den_html_options {
    const char *name;    /* of the file, for messages */
    const char *charset; /* NULL: as it says itself, else guessed */
    bool only_main;      /* <main> or <article> alone, where there is one with text */
    bool title;          /* <title> is the document's */
    bool label;          /* the first heading, or <title>, names the part */
};

enum den_status den_html_write(struct den_writer *writer, const char *bytes, size_t length,
                               const struct den_html_options *options, struct den_error *err);

#endif
