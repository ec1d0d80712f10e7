/* Reading tools: which programs for PDF and pictures this machine has, and what it lacks. */
#ifndef DEN_DESK_READING_TOOLS_H
#define DEN_DESK_READING_TOOLS_H

#include <stdbool.h>
#include <stddef.h>

enum { DEN_READING_TOOLS = 4 };
struct den_reading_tool {
    const char *name;    /* "pdftotext" */
    const char *package; /* "poppler-utils": where it comes from */
    const char *without; /* what can't be done without it */
    bool is_there;
};
/* Looks anew at each call. */
void den_reading_tools_find(struct den_reading_tool out[DEN_READING_TOOLS]);
const char *den_reading_package(const char *tool);

/* Tesseract's languages on this machine, sorted: "chi_sim+eng"; "" where there are none. */
void den_reading_languages(char *out, size_t capacity);
/* Those of `wanted` ("eng+chi_sim") that are there; "" where none is. */
void den_reading_languages_choose(const char *wanted, char *out, size_t capacity);

#endif
