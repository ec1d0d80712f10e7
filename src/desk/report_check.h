/* Report check: sentences that say something else than the text that they were made from.
 *
 * Small models change numbers: "14 days" becomes "1.4 days". What a summary is made from is at hand
 * when it is made, so each sentence's numbers are looked for in it, within two sentences; a
 * sentence that has numbers of its own, or of many places, is replaced by the sentence of the text
 * that is most like it, which can't be wrong. */
#ifndef DEN_DESK_REPORT_CHECK_H
#define DEN_DESK_REPORT_CHECK_H

/* `text` with such sentences replaced, each sentence once; free() it, NULL: no memory. */
char *den_report_check(const char *text, const char *source);

#endif
