/* RTF: its text, paragraph by paragraph, with tables and footnotes.
 *
 * A small interpreter of groups and control words. Each group has the state of the one around it:
 * whether its text is shown, how many bytes stand for a "\u" character. Words that are not known
 * are passed over, groups that begin with "\*" too, as the format asks. Characters come as "\'xx"
 * in the document's code page, or as "\uN". */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "input/readers.h"

enum { GROUPS_MAX = 1000, WORD_BYTES = 32, LEVELS = 9, STYLES_MAX = 512 };

enum target { TARGET_TEXT, TARGET_NOTHING, TARGET_NOTE, TARGET_TITLE, TARGET_AUTHOR, TARGET_STYLE };

struct group {
    enum target target;
    unsigned skip; /* bytes that follow a "\u" for readers that don't know it */
};

struct rtf {
    const char *text;
    size_t length, at;
    struct den_writer *writer;
    struct group groups[GROUPS_MAX];
    size_t depth;
    struct den_buffer paragraph, note, title, author, style_name;
    struct den_buffer bytes; /* of the code page, not decoded yet */
    size_t skip;             /* characters to pass over behind a "\u" */
    uint32_t high;           /* surrogate */
    char charset[24];
    bool in_table, row_begun, cell_begun;
    int level;
    long style; /* being declared, or of the paragraph */
    unsigned char style_levels[STYLES_MAX];
};

static struct group *top(struct rtf *rtf)
{
    return &rtf->groups[rtf->depth];
}

static struct den_buffer *target_of(struct rtf *rtf)
{
    switch (top(rtf)->target) {
    case TARGET_TEXT:
        return &rtf->paragraph;
    case TARGET_NOTE:
        return &rtf->note;
    case TARGET_TITLE:
        return &rtf->title;
    case TARGET_AUTHOR:
        return &rtf->author;
    case TARGET_STYLE:
        return &rtf->style_name;
    default:
        return NULL;
    }
}

/* --- characters --- */

/* Bytes of a code page are decoded together: some take two. */
static void flush_bytes(struct rtf *rtf)
{
    struct den_buffer *target = target_of(rtf);

    if (rtf->bytes.length > 0 && target &&
        !den_charset_append(target, rtf->charset, rtf->bytes.data, rtf->bytes.length))
        den_charset_append(target, "WINDOWS-1252", rtf->bytes.data, rtf->bytes.length);
    den_buffer_clear(&rtf->bytes);
}

static void put_byte(struct rtf *rtf, char byte)
{
    if (rtf->skip > 0)
        rtf->skip--;
    else if (target_of(rtf))
        den_buffer_append_byte(&rtf->bytes, byte);
}

static void put_code(struct rtf *rtf, uint32_t code)
{
    struct den_buffer *target = target_of(rtf);
    char bytes[4];

    flush_bytes(rtf);
    if (target)
        den_buffer_append(target, bytes, den_utf8_encode(code, bytes));
}

/* "\u-10179" is half of a character beyond the first 65,536. */
static void put_unicode(struct rtf *rtf, long value)
{
    uint32_t code = (uint32_t)(value < 0 ? value + 65536 : value) & 0x1FFFFF;

    rtf->skip = top(rtf)->skip;
    if (code >= 0xD800 && code <= 0xDBFF) {
        rtf->high = code;
        return;
    }
    if (code >= 0xDC00 && code <= 0xDFFF && rtf->high)
        code = 0x10000 + ((rtf->high - 0xD800) << 10) + (code - 0xDC00);
    rtf->high = 0;
    if (code > 0)
        put_code(rtf, code);
}

/* --- paragraphs --- */

static void write_note(struct rtf *rtf)
{
    if (rtf->note.data[strspn(rtf->note.data, " \t\n")]) {
        den_writer_block_begin(rtf->writer, DEN_BLOCK_NOTE, 0);
        den_writer_string(rtf->writer, "Note: ");
        den_writer_text(rtf->writer, rtf->note.data, rtf->note.length);
        den_writer_block_end(rtf->writer);
    }
    den_buffer_clear(&rtf->note);
}

static void end_table(struct rtf *rtf)
{
    if (rtf->row_begun)
        den_writer_block_end(rtf->writer);
    rtf->row_begun = rtf->cell_begun = false;
}

static void end_paragraph(struct rtf *rtf)
{
    flush_bytes(rtf);
    if (rtf->in_table) {
        den_buffer_append_byte(&rtf->paragraph, ' ');
        return;
    }
    end_table(rtf);
    if (rtf->paragraph.data[strspn(rtf->paragraph.data, " \t\n")]) {
        int level = rtf->level;

        if (level == 0 && rtf->style >= 0 && rtf->style < STYLES_MAX)
            level = rtf->style_levels[rtf->style];
        den_writer_block_begin_verbatim(rtf->writer,
                                        level > 0 ? DEN_BLOCK_HEADING : DEN_BLOCK_PARAGRAPH, level);
        den_writer_text(rtf->writer, rtf->paragraph.data, rtf->paragraph.length);
        den_writer_block_end(rtf->writer);
    }
    den_buffer_clear(&rtf->paragraph);
    write_note(rtf);
}

static void end_cell(struct rtf *rtf)
{
    flush_bytes(rtf);
    if (!rtf->row_begun)
        den_writer_block_begin(rtf->writer, DEN_BLOCK_TABLE, 0);
    else if (!rtf->cell_begun)
        den_writer_break(rtf->writer, '\n');
    if (rtf->cell_begun)
        den_writer_break(rtf->writer, '\t');
    rtf->row_begun = rtf->cell_begun = true;
    den_writer_text(rtf->writer, rtf->paragraph.data, rtf->paragraph.length);
    den_buffer_clear(&rtf->paragraph);
}

/* --- control words --- */

static bool begin_target(struct rtf *rtf, const char *word)
{
    static const char *const nothing[] = {
        "fonttbl",           "colortbl", "pict",      "header",    "footer",
        "headerl",           "headerr",  "headerf",   "footerl",   "footerr",
        "footerf",           "object",   "fldinst",   "filetbl",   "listtable",
        "listoverridetable", "rsidtbl",  "generator", "themedata", "datastore",
        "latentstyles",      "xmlnstbl", "revtbl",    "listtext",  "company",
        "operator"
    };
    size_t i;

    for (i = 0; i < sizeof nothing / sizeof nothing[0]; i++)
        if (strcmp(word, nothing[i]) == 0) {
            top(rtf)->target = TARGET_NOTHING;
            return true;
        }
    if (strcmp(word, "info") == 0)
        top(rtf)->target = TARGET_NOTHING;
    else if (strcmp(word, "title") == 0)
        top(rtf)->target = TARGET_TITLE;
    else if (strcmp(word, "author") == 0)
        top(rtf)->target = TARGET_AUTHOR;
    else if (strcmp(word, "stylesheet") == 0)
        top(rtf)->target = TARGET_STYLE;
    else if (top(rtf)->target == TARGET_TEXT &&
             (strcmp(word, "footnote") == 0 || strcmp(word, "annotation") == 0))
        top(rtf)->target = TARGET_NOTE;
    else
        return false;
    return true;
}

static void set_code_page(struct rtf *rtf, long page)
{
    if (page == 936)
        memcpy(rtf->charset, "GB18030", 8);
    else if (page == 950)
        memcpy(rtf->charset, "BIG5", 5);
    else if (page == 932 || page == 949)
        memcpy(rtf->charset, page == 932 ? "CP932" : "CP949", 6);
    else if (page >= 1250 && page <= 1258) {
        memcpy(rtf->charset, "WINDOWS-125x", 13);
        rtf->charset[11] = (char)('0' + page - 1250);
    }
}

/* Words that stand for a character. */
static uint32_t code_of_word(const char *word)
{
    static const struct {
        const char *word;
        uint32_t code;
    } codes[] = { { "tab", '\t' },         { "line", '\n' },        { "emdash", 0x2014 },
                  { "endash", 0x2013 },    { "lquote", 0x2018 },    { "rquote", 0x2019 },
                  { "ldblquote", 0x201C }, { "rdblquote", 0x201D }, { "bullet", 0x2022 } };
    size_t i;

    for (i = 0; i < sizeof codes / sizeof codes[0]; i++)
        if (strcmp(word, codes[i].word) == 0)
            return codes[i].code;
    return 0;
}

static void apply_word(struct rtf *rtf, const char *word, bool has_number, long number)
{
    bool shown = top(rtf)->target == TARGET_TEXT;
    uint32_t code = code_of_word(word);

    if (code > 0) {
        put_code(rtf, code);
    } else if (strcmp(word, "u") == 0) {
        put_unicode(rtf, number);
    } else if (strcmp(word, "uc") == 0) {
        top(rtf)->skip = has_number && number >= 0 && number < 16 ? (unsigned)number : 1;
    } else if (strcmp(word, "ansicpg") == 0) {
        set_code_page(rtf, number);
    } else if (strcmp(word, "par") == 0 || strcmp(word, "sect") == 0 || strcmp(word, "page") == 0) {
        if (shown)
            end_paragraph(rtf);
        else if (top(rtf)->target == TARGET_NOTE)
            put_code(rtf, ' ');
    } else if (strcmp(word, "pard") == 0 && shown) {
        rtf->in_table = false;
        rtf->level = 0;
        rtf->style = -1;
    } else if (strcmp(word, "intbl") == 0 && shown) {
        rtf->in_table = true;
    } else if (strcmp(word, "cell") == 0 && shown) {
        end_cell(rtf);
    } else if (strcmp(word, "row") == 0 && shown) {
        rtf->cell_begun = false;
    } else if (strcmp(word, "outlinelevel") == 0 && shown) {
        rtf->level = number >= 0 && number < LEVELS ? (int)number + 1 : 0;
    } else if (strcmp(word, "s") == 0) {
        rtf->style = number;
    } else if (strcmp(word, "bin") == 0 && number > 0) {
        rtf->at = (size_t)number < rtf->length - rtf->at ? rtf->at + (size_t)number : rtf->length;
    } else {
        flush_bytes(rtf);
        begin_target(rtf, word);
    }
}

static void take_word(struct rtf *rtf)
{
    char word[WORD_BYTES];
    size_t used = 0;
    bool negative, has_number = false;
    long number = 0;

    while (rtf->at < rtf->length && isalpha((unsigned char)rtf->text[rtf->at])) {
        if (used < WORD_BYTES - 1)
            word[used++] = rtf->text[rtf->at];
        rtf->at++;
    }
    word[used] = '\0';
    negative = rtf->at < rtf->length && rtf->text[rtf->at] == '-';
    rtf->at += negative;
    while (rtf->at < rtf->length && isdigit((unsigned char)rtf->text[rtf->at])) {
        if (number < 100000000)
            number = number * 10 + (rtf->text[rtf->at] - '0');
        has_number = true;
        rtf->at++;
    }
    if (rtf->at < rtf->length && rtf->text[rtf->at] == ' ')
        rtf->at++;
    apply_word(rtf, word, has_number, negative ? -number : number);
}

static void take_control(struct rtf *rtf)
{
    char c = rtf->at < rtf->length ? rtf->text[rtf->at] : '\0';

    if (isalpha((unsigned char)c)) {
        take_word(rtf);
        return;
    }
    rtf->at++;
    if (c == '\'' && rtf->at + 2 <= rtf->length) {
        char hex[3] = { rtf->text[rtf->at], rtf->text[rtf->at + 1], '\0' };

        rtf->at += 2;
        put_byte(rtf, (char)strtoul(hex, NULL, 16));
    } else if (c == '*') {
        top(rtf)->target = TARGET_NOTHING;
    } else if (c == '~') {
        put_code(rtf, ' ');
    } else if (c == '_') {
        put_code(rtf, '-');
    } else if (c == '\\' || c == '{' || c == '}') {
        put_byte(rtf, c);
    } else if ((c == '\n' || c == '\r') && top(rtf)->target == TARGET_TEXT) {
        end_paragraph(rtf);
    }
}

/* A style's name ends its group: "heading 2;". */
static void take_style(struct rtf *rtf)
{
    const char *name = rtf->style_name.data;

    if (rtf->style >= 0 && rtf->style < STYLES_MAX && strncasecmp(name, "heading ", 8) == 0 &&
        name[8] >= '1' && name[8] <= '9')
        rtf->style_levels[rtf->style] = (unsigned char)(name[8] - '0');
    den_buffer_clear(&rtf->style_name);
}

static enum den_status walk(struct rtf *rtf, const char *name, struct den_error *err)
{
    while (rtf->at < rtf->length && !den_writer_failed(rtf->writer)) {
        char c = rtf->text[rtf->at++];

        if (c == '{') {
            if (rtf->depth + 1 >= GROUPS_MAX)
                return den_fail(err, DEN_TOO_LARGE, "%s: groups in each other more than %d deep",
                                name, GROUPS_MAX);
            flush_bytes(rtf);
            rtf->groups[rtf->depth + 1] = rtf->groups[rtf->depth];
            rtf->depth++;
        } else if (c == '}') {
            flush_bytes(rtf);
            if (top(rtf)->target == TARGET_STYLE)
                take_style(rtf);
            rtf->depth -= rtf->depth > 0;
        } else if (c == '\\') {
            take_control(rtf);
        } else if (c != '\r' && c != '\n') {
            put_byte(rtf, c);
        }
        if (rtf->paragraph.status != DEN_OK || rtf->note.status != DEN_OK ||
            rtf->bytes.status != DEN_OK)
            return den_fail(err, DEN_TOO_LARGE, "%s: a paragraph of more than %u bytes", name,
                            DEN_DOCUMENT_PART_TEXT_MAX);
    }
    return DEN_OK;
}

enum den_status den_read_rtf(const struct den_input *input, struct den_writer *writer,
                             struct den_error *err)
{
    struct rtf *rtf = calloc(1, sizeof *rtf);

    if (!rtf)
        return den_fail(err, DEN_NO_MEMORY, "%s: out of memory", input->name);
    rtf->text = input->data;
    rtf->length = input->length;
    rtf->writer = writer;
    rtf->groups[0].skip = 1;
    rtf->style = -1;
    memcpy(rtf->charset, "WINDOWS-1252", 13);
    den_buffer_init(&rtf->paragraph, DEN_DOCUMENT_PART_TEXT_MAX);
    den_buffer_init(&rtf->note, DEN_DOCUMENT_PART_TEXT_MAX);
    den_buffer_init(&rtf->title, DEN_DOCUMENT_LABEL_BYTES_MAX);
    den_buffer_init(&rtf->author, DEN_DOCUMENT_LABEL_BYTES_MAX);
    den_buffer_init(&rtf->style_name, DEN_DOCUMENT_LABEL_BYTES_MAX);
    den_buffer_init(&rtf->bytes, DEN_DOCUMENT_PART_TEXT_MAX);
    den_writer_part_begin(writer, DEN_PART_FILE, 0, "");
    if (walk(rtf, input->name, err) == DEN_OK) {
        rtf->in_table = false;
        rtf->depth = 0;
        end_paragraph(rtf);
        den_writer_title(writer, rtf->title.data);
        den_writer_author(writer, rtf->author.data);
        den_writer_part_end(writer);
        den_writer_status(writer, err);
    }
    den_buffer_deinit(&rtf->paragraph);
    den_buffer_deinit(&rtf->note);
    den_buffer_deinit(&rtf->title);
    den_buffer_deinit(&rtf->author);
    den_buffer_deinit(&rtf->style_name);
    den_buffer_deinit(&rtf->bytes);
    free(rtf);
    return err->status;
}
