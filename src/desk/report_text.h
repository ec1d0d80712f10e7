/* Report text: a text that grows with the passages that it stands on and the markers that say
 * where.
 *
 * Passages are numbered as they come, each once. What was written by a model is added by
 * den_report_text_cited(), which looks for passages that support its sentences; what is known to
 * stand on certain passages (a quotation) by den_report_text_marker(). Places of markers are
 * counted in UTF-16 code units of the whole text, as pages count. */
#ifndef DEN_DESK_REPORT_TEXT_H
#define DEN_DESK_REPORT_TEXT_H

#include "base/buffer.h"
#include "desk/retrieval.h"

struct den_report_text {
    struct den_buffer text;
    size_t units; /* UTF-16, so far */
    json_t *passages, *citations;
    size_t first; /* passages before this one are known to be of other documents than what comes */
};
void den_report_text_init(struct den_report_text *out);
void den_report_text_deinit(struct den_report_text *text);
/* {"text", "passages", "citations"}; the text is emptied. */
enum den_status den_report_text_take(struct den_report_text *text, json_t **out,
                                     struct den_error *err);

/* Its number, from 1: that of the same place where it is there already. `passage` stays the
 * caller's; 0: no memory. */
size_t den_report_text_passage(struct den_report_text *text, const json_t *passage);

/* As it is. */
void den_report_text_plain(struct den_report_text *text, const char *words);
/* A marker of passage `number`. */
void den_report_text_marker(struct den_report_text *text, size_t number, double score);

/* `words`, sentence by sentence, each with the marker of a passage of these documents that supports
 * it best; where none does, that of the nearest one, which is told to be unsupported. */
struct den_report_sources {
    struct den_retrieval *retrieval;
    const char *const *documents; /* ids */
    size_t document_count;
};
enum den_status den_report_text_cited(struct den_report_text *text,
                                      const struct den_report_sources *sources, const char *words,
                                      struct den_error *err);

#endif
