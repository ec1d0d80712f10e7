/* See reading_tools.h. Tesseract's languages are files of its data folder, which packages put at
 * /usr/share/tesseract-ocr/VERSION/tessdata or /usr/share/tessdata. */
#include "desk/reading_tools.h"

#include <glob.h>
#include <stdio.h>
#include <string.h>

#include "guard/sandbox_program.h"

static const struct den_reading_tool tools[DEN_READING_TOOLS] = {
    { "pdfinfo", "poppler-utils", "PDF files can't be read", false },
    { "pdftotext", "poppler-utils", "PDF files can't be read", false },
    { "pdftoppm", "poppler-utils", "scanned pages can't be recognised, nor pages shown", false },
    { "tesseract", "tesseract-ocr", "scanned pages and pictures can't be recognised", false },
};

void den_reading_tools_find(struct den_reading_tool out[DEN_READING_TOOLS])
{
    char path[64];
    size_t i;

    for (i = 0; i < DEN_READING_TOOLS; i++) {
        out[i] = tools[i];
        out[i].is_there = den_sandbox_program_find(tools[i].name, path);
    }
}

const char *den_reading_package(const char *tool)
{
    size_t i;

    for (i = 0; i < DEN_READING_TOOLS; i++)
        if (strcmp(tools[i].name, tool) == 0)
            return tools[i].package;
    return "of that name";
}

/* Appends "+name" as long as all fits. */
static void append(const char *name, size_t length, char *out, size_t capacity)
{
    size_t used = strlen(out);

    if (length > 0 && used + length + 2 <= capacity)
        snprintf(out + used, capacity - used, "%s%.*s", used ? "+" : "", (int)length, name);
}

void den_reading_languages(char *out, size_t capacity)
{
    static const char *const patterns[] = { "/usr/share/tesseract-ocr/*/tessdata/*.traineddata",
                                            "/usr/share/tessdata/*.traineddata" };
    size_t i, j;

    *out = '\0';
    for (i = 0; i < sizeof patterns / sizeof patterns[0]; i++) {
        glob_t found;

        if (glob(patterns[i], 0, NULL, &found) != 0)
            continue;
        for (j = 0; j < found.gl_pathc; j++) {
            const char *name = strrchr(found.gl_pathv[j], '/') + 1;
            size_t length = strlen(name) - sizeof "traineddata";

            if (strncmp(name, "osd.", 4) != 0) /* finds how a page is turned; no language */
                append(name, length, out, capacity);
        }
        globfree(&found);
        return;
    }
}

void den_reading_languages_choose(const char *wanted, char *out, size_t capacity)
{
    char present[512];
    const char *at = wanted;

    *out = '\0';
    den_reading_languages(present, sizeof present);
    while (*at) {
        size_t length = strcspn(at, "+");
        const char *found = present;

        while (*found) {
            size_t other = strcspn(found, "+");

            if (other == length && memcmp(found, at, length) == 0)
                append(at, length, out, capacity);
            found += other + (found[other] == '+');
        }
        at += length + (at[length] == '+');
    }
}
