/* See format.h.
 *
 * The order of the tests is the rule: magic numbers first, then what a text begins with, then the
 * name's ending among plain texts. Nothing is decompressed: a zip's members are found by their
 * local headers, which stand before each member's data. */
#include "input/format.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

#include "base/limits.h"

struct row {
    const char *text, *media_type;
};
static const struct row rows[] = {
    [DEN_FORMAT_UNKNOWN] = { "unknown", "application/octet-stream" },
    [DEN_FORMAT_PDF] = { "pdf", "application/pdf" },
    [DEN_FORMAT_WORD] = { "word", "application/vnd.openxmlformats-officedocument.wordprocessingml."
                                  "document" },
    [DEN_FORMAT_SLIDES] = { "slides", "application/vnd.openxmlformats-officedocument."
                                      "presentationml.presentation" },
    [DEN_FORMAT_SHEETS] = { "sheets",
                            "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet" },
    [DEN_FORMAT_OPEN_TEXT] = { "open_text", "application/vnd.oasis.opendocument.text" },
    [DEN_FORMAT_OPEN_SHEETS] = { "open_sheets", "application/vnd.oasis.opendocument.spreadsheet" },
    [DEN_FORMAT_OPEN_SLIDES] = { "open_slides", "application/vnd.oasis.opendocument.presentation" },
    [DEN_FORMAT_RTF] = { "rtf", "application/rtf" },
    [DEN_FORMAT_EPUB] = { "epub", "application/epub+zip" },
    [DEN_FORMAT_HTML] = { "html", "text/html" },
    [DEN_FORMAT_MARKDOWN] = { "markdown", "text/markdown" },
    [DEN_FORMAT_TEXT] = { "text", "text/plain" },
    [DEN_FORMAT_CODE] = { "code", "text/plain" },
    [DEN_FORMAT_CSV] = { "csv", "text/csv" },
    [DEN_FORMAT_JSON] = { "json", "application/json" },
    [DEN_FORMAT_MAIL] = { "mail", "message/rfc822" },
    [DEN_FORMAT_MAILBOX] = { "mailbox", "application/mbox" },
    [DEN_FORMAT_PICTURE] = { "picture", "application/octet-stream" },
    [DEN_FORMAT_ARCHIVE] = { "archive", "application/zip" },
};

const char *den_format_text(enum den_format format)
{
    return (size_t)format < sizeof rows / sizeof rows[0] ? rows[format].text : "unknown";
}

int den_format_reader_version(enum den_format format)
{
    switch (format) {
    case DEN_FORMAT_ARCHIVE: /* 2: PDFs and pictures within */
    case DEN_FORMAT_MAIL:    /* 2: attachments */
    case DEN_FORMAT_MAILBOX:
    case DEN_FORMAT_PICTURE: /* 2: all pages of a TIFF */
    case DEN_FORMAT_WORD:    /* 2: pages */
    case DEN_FORMAT_UNKNOWN: /* the highest of all: it may be known now */
        return 2;
    default:
        return 1;
    }
}

/* --- names --- */

/* "tar" of "a/b.tar"; "" where there is none. */
static const char *ending_of(const char *name)
{
    const char *slash = strrchr(name, '/');
    const char *base = slash ? slash + 1 : name;
    const char *dot = strrchr(base, '.');

    return dot && dot > base ? dot + 1 : "";
}

/* `list` holds words with a space around each. */
static bool is_listed(const char *word, const char *list)
{
    size_t length = strlen(word);
    const char *at = list;

    if (length == 0)
        return false;
    while (*at) {
        size_t span = strcspn(at, " ");

        if (span == length && strncasecmp(at, word, span) == 0)
            return true;
        at += span;
        at += strspn(at, " ");
    }
    return false;
}

static const char code_endings[] =
    "c h cc hh cpp hpp cxx hxx m mm cs java kt kts scala groovy go rs swift zig d nim v py pyi pyx "
    "rb pl pm php js mjs cjs jsx ts tsx vue svelte lua r jl hs ml mli fs fsx ex exs erl clj cljs "
    "lisp el scm sh bash zsh fish ps1 bat cmd sql css scss sass less yaml yml toml ini cfg conf "
    "cmake mk make gradle xml xsd xsl svg proto graphql tf asm s vhd vhdl sv f f90 f95 pas dart "
    "tcl awk sed diff patch dockerfile ipynb tex bib sty properties env plist lock";
static const char code_names[] = "makefile dockerfile cmakelists.txt rakefile gemfile jenkinsfile "
                                 "vagrantfile .gitignore .bashrc .profile .editorconfig";

static enum den_format format_of_name(const char *name)
{
    const char *ending = ending_of(name);
    const char *slash = strrchr(name, '/');

    if (is_listed(slash ? slash + 1 : name, code_names))
        return DEN_FORMAT_CODE;
    if (is_listed(ending, "md markdown mdown mkd mdx"))
        return DEN_FORMAT_MARKDOWN;
    if (is_listed(ending, "csv tsv tab"))
        return DEN_FORMAT_CSV;
    if (is_listed(ending, "json jsonl ndjson geojson ipynb webmanifest"))
        return DEN_FORMAT_JSON;
    if (is_listed(ending, "htm html xhtml"))
        return DEN_FORMAT_HTML;
    if (is_listed(ending, "eml"))
        return DEN_FORMAT_MAIL;
    if (is_listed(ending, "mbox mbx"))
        return DEN_FORMAT_MAILBOX;
    if (is_listed(ending, code_endings))
        return DEN_FORMAT_CODE;
    return DEN_FORMAT_TEXT;
}

const char *den_format_media_type(enum den_format format, const char *name)
{
    const char *ending = ending_of(name ? name : "");

    if (format == DEN_FORMAT_PICTURE && is_listed(ending, "png"))
        return "image/png";
    if (format == DEN_FORMAT_PICTURE && is_listed(ending, "jpg jpeg jpe"))
        return "image/jpeg";
    if (format == DEN_FORMAT_PICTURE && is_listed(ending, "webp"))
        return "image/webp";
    if (format == DEN_FORMAT_PICTURE && is_listed(ending, "tif tiff"))
        return "image/tiff";
    if (format == DEN_FORMAT_CSV && is_listed(ending, "tsv tab"))
        return "text/tab-separated-values";
    return (size_t)format < sizeof rows / sizeof rows[0] ? rows[format].media_type
                                                         : rows[0].media_type;
}

/* --- zip --- */

static unsigned read_u16(const unsigned char *bytes)
{
    return (unsigned)bytes[0] | (unsigned)bytes[1] << 8;
}

static size_t read_u32(const unsigned char *bytes)
{
    return (size_t)read_u16(bytes) | (size_t)read_u16(bytes + 2) << 16;
}

static bool begins(const char *text, size_t length, const char *with)
{
    return length >= strlen(with) && memcmp(text, with, strlen(with)) == 0;
}

/* What the first member of OpenDocument and EPUB files says, which is not compressed. */
static enum den_format format_of_mimetype(const char *text, size_t length)
{
    static const enum den_format formats[] = { DEN_FORMAT_OPEN_TEXT, DEN_FORMAT_OPEN_SHEETS,
                                               DEN_FORMAT_OPEN_SLIDES, DEN_FORMAT_EPUB };
    size_t i;

    for (i = 0; i < sizeof formats / sizeof formats[0]; i++)
        if (begins(text, length, rows[formats[i]].media_type))
            return formats[i];
    return DEN_FORMAT_UNKNOWN;
}

static enum den_format format_of_member(const char *name, size_t length)
{
    if (begins(name, length, "word/document"))
        return DEN_FORMAT_WORD;
    if (begins(name, length, "xl/workbook") || begins(name, length, "xl/worksheets/"))
        return DEN_FORMAT_SHEETS;
    if (begins(name, length, "ppt/presentation") || begins(name, length, "ppt/slides/"))
        return DEN_FORMAT_SLIDES;
    return DEN_FORMAT_UNKNOWN;
}

static enum den_format format_of_zip(const unsigned char *start, size_t length)
{
    enum {
        FLAGS_AT = 6,
        SIZE_AT = 18,
        NAME_LENGTH_AT = 26,
        EXTRA_LENGTH_AT = 28,
        HEADER_BYTES = 30,
        SIZE_FOLLOWS = 8 /* the flag: the size stands behind the member */
    };
    size_t at = 0;

    while (at + HEADER_BYTES < length) {
        const unsigned char *found = memmem(start + at, length - at, "PK\3\4", 4);
        size_t name_length, left, extra;
        const char *name;
        enum den_format format;

        if (!found || (size_t)(found - start) + HEADER_BYTES >= length)
            break;
        at = (size_t)(found - start);
        name = (const char *)found + HEADER_BYTES;
        name_length = read_u16(found + NAME_LENGTH_AT);
        extra = read_u16(found + EXTRA_LENGTH_AT);
        left = length - at - HEADER_BYTES;
        if (name_length > left)
            name_length = left;
        format = format_of_member(name, name_length);
        if (at == 0 && name_length == 8 && memcmp(name, "mimetype", 8) == 0 && 8 + extra < left)
            format = format_of_mimetype(name + 8 + extra, left - 8 - extra);
        if (format != DEN_FORMAT_UNKNOWN)
            return format;
        /* what lies within a member is not this file's: a zip may hold an office file as it is */
        at += read_u16(found + FLAGS_AT) & SIZE_FOLLOWS
                  ? 4
                  : HEADER_BYTES + name_length + extra + read_u32(found + SIZE_AT);
    }
    return DEN_FORMAT_ARCHIVE;
}

/* --- texts --- */

/* A text has no zero bytes and hardly any other control characters. */
static bool is_text(const unsigned char *start, size_t length)
{
    size_t odd = 0;
    size_t i;

    if (length >= 2 &&
        ((start[0] == 0xFF && start[1] == 0xFE) || (start[0] == 0xFE && start[1] == 0xFF)))
        return true;
    for (i = 0; i < length; i++) {
        if (start[i] == 0)
            odd += 100;
        else
            odd += start[i] < ' ' && !strchr("\t\n\r\f\v\b\033", start[i]);
    }
    return odd * 100 <= length + 200;
}

/* UTF-16 without a mark: every second byte of Latin text is zero, and none of the others. */
static bool is_wide_text(const unsigned char *start, size_t length)
{
    size_t zeros[2] = { 0, 0 };
    size_t i;

    for (i = 0; i < length; i++)
        zeros[i % 2] += start[i] == 0;
    return length >= 16 && (zeros[0] == 0 ? zeros[1] : zeros[1] == 0 ? zeros[0] : 0) * 4 > length;
}

static bool begins_caseless(const char *text, size_t length, const char *with)
{
    return length >= strlen(with) && strncasecmp(text, with, strlen(with)) == 0;
}

static bool is_html(const char *text, size_t length)
{
    size_t at = 0;

    if (begins(text, length, "\xEF\xBB\xBF"))
        at = 3;
    while (at < length && strchr(" \t\r\n", text[at]) && text[at])
        at++;
    while (begins(text + at, length - at, "<!--") || begins(text + at, length - at, "<?xml")) {
        const char *end = memchr(text + at, '>', length - at);

        if (!end)
            return false;
        at = (size_t)(end + 1 - text);
        while (at < length && strchr(" \t\r\n", text[at]) && text[at])
            at++;
    }
    return begins_caseless(text + at, length - at, "<!doctype html") ||
           begins_caseless(text + at, length - at, "<html") ||
           begins_caseless(text + at, length - at, "<head") ||
           begins_caseless(text + at, length - at, "<body");
}

/* How many of a mail's usual header lines stand before the first empty line. */
static unsigned count_mail_headers(const char *text, size_t length)
{
    static const char *const names[] = { "From:",         "To:",          "Subject:",
                                         "Date:",         "Received:",    "Message-ID:",
                                         "MIME-Version:", "Return-Path:", "Delivered-To:" };
    unsigned count = 0;
    size_t at = 0;

    while (at < length && text[at] != '\n' && text[at] != '\r') {
        const char *end = memchr(text + at, '\n', length - at);
        const char *colon;
        size_t line = end ? (size_t)(end - text) - at : length - at;
        size_t i;

        colon = memchr(text + at, ':', line);
        if (!colon && text[at] != ' ' && text[at] != '\t')
            return 0;
        for (i = 0; i < sizeof names / sizeof names[0]; i++)
            count += begins_caseless(text + at, line, names[i]);
        at += line + 1;
    }
    return count;
}

/* Its mark may stand behind other bytes; then there must be an object too. */
static bool is_pdf(const char *text, size_t length)
{
    if (begins(text, length, "%PDF-"))
        return true;
    return memmem(text, length < 1024 ? length : 1024, "\n%PDF-", 6) &&
           memmem(text, length, " obj", 4);
}

static enum den_format format_of_text(const char *text, size_t length, const char *name)
{
    enum den_format named = format_of_name(name);
    const char *line = memchr(text, '\n', length);
    size_t first = line ? (size_t)(line - text) + 1 : length;

    if (named == DEN_FORMAT_HTML || named == DEN_FORMAT_MAIL || named == DEN_FORMAT_MAILBOX)
        return named;
    if (named != DEN_FORMAT_TEXT)
        return named;
    if (is_html(text, length))
        return DEN_FORMAT_HTML;
    if (begins(text, length, "From ") && count_mail_headers(text + first, length - first) >= 2)
        return DEN_FORMAT_MAILBOX;
    if (count_mail_headers(text, length) >= 3)
        return DEN_FORMAT_MAIL;
    return DEN_FORMAT_TEXT;
}

enum den_format den_format_sniff(const void *start, size_t length, const char *name)
{
    const char *text = start;

    if (length > DEN_FORMAT_SNIFF_BYTES)
        length = DEN_FORMAT_SNIFF_BYTES;
    if (length == 0)
        return format_of_name(name ? name : "");
    if (begins(text, length, "PK\3\4") || begins(text, length, "PK\5\6"))
        return format_of_zip(start, length);
    if (is_pdf(text, length))
        return DEN_FORMAT_PDF;
    if (begins(text, length, "{\\rtf"))
        return DEN_FORMAT_RTF;
    if (begins(text, length, "\x89PNG\r\n\x1A\n") || begins(text, length, "\xFF\xD8\xFF") ||
        (begins(text, length, "II*") && length > 3 && text[3] == 0) ||
        (length > 3 && memcmp(text, "MM\0*", 4) == 0) ||
        (begins(text, length, "RIFF") && length >= 12 && memcmp(text + 8, "WEBP", 4) == 0))
        return DEN_FORMAT_PICTURE;
    if (!is_text(start, length) && !is_wide_text(start, length))
        return DEN_FORMAT_UNKNOWN;
    return format_of_text(text, length, name ? name : "");
}
