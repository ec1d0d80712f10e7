/* Web page: a file's name for an address. The last part of its path where that says something, else
 * the host's name; with the ending that the media type wants, because names decide between formats
 * that are all plain text. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/utf8.h"
#include "desk/web_page.h"

static const struct {
    const char *type, *endings; /* those that fit, the first is given */
} kinds[] = {
    { "text/html", ".html .htm .xhtml" },
    { "application/xhtml+xml", ".xhtml .html .htm" },
    { "text/plain", ".txt" }, /* and any ending that is there */
    { "text/markdown", ".md .markdown" },
    { "text/csv", ".csv" },
    { "application/json", ".json .jsonl .geojson" },
    { "application/pdf", ".pdf" },
    { "application/rtf", ".rtf" },
    { "application/epub+zip", ".epub" },
    { "application/zip", ".zip" },
    { "message/rfc822", ".eml" },
    { "image/png", ".png" },
    { "image/jpeg", ".jpg .jpeg" },
    { "image/webp", ".webp" },
    { "image/tiff", ".tif .tiff" },
    { "application/vnd.openxmlformats-officedocument.wordprocessingml.document", ".docx" },
    { "application/vnd.openxmlformats-officedocument.presentationml.presentation", ".pptx" },
    { "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", ".xlsx" },
    { "application/vnd.oasis.opendocument.text", ".odt" },
    { "application/vnd.oasis.opendocument.spreadsheet", ".ods" },
    { "application/vnd.oasis.opendocument.presentation", ".odp" },
};

/* Percent-encoding undone, and what no name should hold made a dash. */
static void decode(const char *from, size_t length, char *out, size_t capacity)
{
    char bytes[256];
    size_t count = 0, at = 0, used = 0;

    while (at < length && count + 1 < sizeof bytes) {
        char digits[3] = "";

        if (from[at] == '%' && at + 2 < length)
            memcpy(digits, from + at + 1, 2);
        if (digits[0] && strspn(digits, "0123456789abcdefABCDEF") == 2) {
            bytes[count++] = (char)strtoul(digits, NULL, 16);
            at += 3;
        } else {
            bytes[count++] = from[at++];
        }
    }
    for (at = 0; at < count && used + 5 < capacity;) {
        uint32_t code;

        at += den_utf8_decode(bytes + at, count - at, &code);
        if (code < 0x20 || code == 0x7F || (code < 0x80 && strchr("/\\:*?\"<>|", (int)code)))
            code = '-';
        used += den_utf8_encode(code, out + used);
    }
    out[used] = '\0';
    if (out[0] == '.')
        out[0] = '-'; /* neither hidden nor ".." */
}

static bool ends_with_one_of(const char *name, const char *endings)
{
    const size_t length = strlen(name);

    while (*endings) {
        size_t ending = strcspn(endings, " ");

        if (length > ending && strncasecmp(name + length - ending, endings, ending) == 0)
            return true;
        endings += ending + (endings[ending] == ' ');
    }
    return false;
}

void den_web_page_name(const char *address, const char *media_type, char out[256])
{
    const char *host = strstr(address, "://"), *end, *start;
    size_t i, length;

    host = host ? host + 3 : address;
    end = host + strcspn(host, "?#");
    for (start = end; start > host && start[-1] != '/'; start--)
        continue;
    if (start == end || start == host)
        decode(host, strcspn(host, "/?#"), out, 240);
    else
        decode(start, (size_t)(end - start), out, 240);
    for (i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (strcasecmp(kinds[i].type, media_type) != 0 || ends_with_one_of(out, kinds[i].endings) ||
            (strcmp(media_type, "text/plain") == 0 && strrchr(out, '.') && start != end &&
             start != host))
            continue;
        length = strlen(out);
        snprintf(out + length, 256 - length, "%.*s", (int)strcspn(kinds[i].endings, " "),
                 kinds[i].endings);
        return;
    }
}
