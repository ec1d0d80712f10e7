/* PDF info: what pdfinfo prints, as fields.
 *
 * The text is made of lines "Key:   value" whose values come out of the PDF, so that a title may
 * hold anything, what looks like another line among it. pdfinfo prints titles first and what it
 * counted itself later: of a key that comes twice the later one holds. */
#ifndef DEN_DESK_READING_PDF_INFO_H
#define DEN_DESK_READING_PDF_INFO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { DEN_PDF_INFO_TEXT_MAX = 512 };
struct den_pdf_info {
    char title[DEN_PDF_INFO_TEXT_MAX], author[DEN_PDF_INFO_TEXT_MAX]; /* valid UTF-8 */
    size_t pages;
    int64_t created;      /* Unix milliseconds; 0: not known */
    double width, height; /* of the first page that is described, as it is seen; 0: not known */
};
/* `text` need not end with a newline, nor be valid. */
void den_pdf_info_parse(const char *text, size_t length, struct den_pdf_info *out);

#endif
