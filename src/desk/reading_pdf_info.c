/* See reading_pdf_info.h. */
#include "desk/reading_pdf_info.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/utf8.h"

enum { LINE_MAX = 2048 };

/* Titles that some programs write for want of one. */
static bool is_no_title(const char *text)
{
    return strcasecmp(text, "untitled") == 0 || strcasecmp(text, "(untitled)") == 0;
}

static void take_text(const char *value, char out[DEN_PDF_INFO_TEXT_MAX])
{
    size_t length = strlen(value), at = 0, used = 0;

    while (at < length && used + 5 < DEN_PDF_INFO_TEXT_MAX) {
        uint32_t code;

        at += den_utf8_decode(value + at, length - at, &code);
        if (code >= 0x20 && code != 0x7F && code != DEN_UTF8_REPLACEMENT)
            used += den_utf8_encode(code, out + used);
    }
    out[used] = '\0';
}

/* "2022-04-29T17:19:08Z", "2022-04-29T17:19:08+02"; 0 for what is no time. */
static int64_t read_time(const char *value)
{
    struct tm parts = { 0 };
    int hours = 0;
    const char *rest = strptime(value, "%Y-%m-%dT%H:%M:%S", &parts);
    time_t time;

    if (!rest || parts.tm_year < 0 || parts.tm_year > 1000)
        return 0;
    if ((*rest == '+' || *rest == '-') && sscanf(rest + 1, "%2d", &hours) == 1)
        hours = *rest == '-' ? -hours : hours;
    time = timegm(&parts);
    return ((int64_t)time - (int64_t)hours * 3600) * 1000;
}

static void take_size(const char *value, struct den_pdf_info *out)
{
    double width = 0, height = 0;

    if (sscanf(value, "%lf x %lf", &width, &height) != 2 || !isfinite(width) || !isfinite(height) ||
        width <= 0 || height <= 0)
        return;
    out->width = width;
    out->height = height;
}

/* "Page    2 size", "Page size": `what` is its end. */
static bool is_of_page(const char *key, const char *what)
{
    size_t length = strlen(key), tail = strlen(what);

    return strncmp(key, "Page ", 5) == 0 && length > tail &&
           strcmp(key + length - tail, what) == 0 &&
           strspn(key + 4, " 0123456789") >= length - tail - 4;
}

static void take_line(char *line, struct den_pdf_info *out)
{
    char *value = strchr(line, ':');

    if (!value)
        return;
    *value++ = '\0';
    value += strspn(value, " \t");
    if (strcmp(line, "Title") == 0 && !is_no_title(value)) {
        take_text(value, out->title);
    } else if (strcmp(line, "Author") == 0) {
        take_text(value, out->author);
    } else if (strcmp(line, "CreationDate") == 0) {
        out->created = read_time(value);
    } else if (strcmp(line, "Pages") == 0) {
        out->pages = strtoul(value, NULL, 10);
    } else if (is_of_page(line, "size") && out->width == 0) {
        take_size(value, out);
    } else if (is_of_page(line, "rot") && strtol(value, NULL, 10) % 180 != 0) {
        const double width = out->width;

        out->width = out->height;
        out->height = width;
    }
}

void den_pdf_info_parse(const char *text, size_t length, struct den_pdf_info *out)
{
    char line[LINE_MAX];

    memset(out, 0, sizeof *out);
    while (length > 0) {
        const char *newline = memchr(text, '\n', length);
        size_t bytes = newline ? (size_t)(newline - text) : length;
        size_t kept = bytes < sizeof line ? bytes : sizeof line - 1;

        memcpy(line, text, kept);
        line[kept] = '\0';
        take_line(line, out);
        bytes += newline != NULL;
        text += bytes;
        length -= bytes;
    }
}
