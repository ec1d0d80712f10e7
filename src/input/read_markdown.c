/* Markdown: blocks by line, as CommonMark draws them, without its inline marks.
 *
 * Emphasis and links stay as they were typed: a quotation must be found in the original. What is
 * left off is what says "this is a block": the "#" of headings, the fences of code, the rule under
 * a table's head, the ">" of quotations. */
#include "input/readers.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "input/lines.h"

struct markdown {
    struct den_decoded text;
    struct den_writer *writer;
    size_t at; /* of the next line */
};

static bool next_line(struct markdown *markdown, struct den_line *out)
{
    if (markdown->at >= markdown->text.length || den_writer_failed(markdown->writer))
        return false;
    *out = den_line_at(markdown->text.text, markdown->text.length, markdown->at);
    return true;
}

static size_t indent_of(const struct den_line *line)
{
    size_t i = 0;

    while (i < line->length && line->text[i] == ' ')
        i++;
    return i;
}

/* 1 to 6, and where the title begins; 0: no heading. */
static int heading_level(const struct den_line *line, size_t *out_title)
{
    size_t at = indent_of(line);
    int level = 0;

    if (at > 3)
        return 0;
    while (at < line->length && line->text[at] == '#') {
        at++;
        level++;
    }
    if (level > 6 || (at < line->length && line->text[at] != ' ' && line->text[at] != '\t'))
        return 0;
    *out_title = at;
    return level;
}

/* The fence's character, and how many; 0: none. */
static size_t fence_length(const struct den_line *line, char *out_mark)
{
    size_t at = indent_of(line), count = 0;

    if (at > 3 || at >= line->length || (line->text[at] != '`' && line->text[at] != '~'))
        return 0;
    *out_mark = line->text[at];
    while (at + count < line->length && line->text[at + count] == *out_mark)
        count++;
    if (count < 3 ||
        (*out_mark == '`' && memchr(line->text + at + count, '`', line->length - at - count)))
        return 0;
    return count;
}

/* "===" gives 1, "---" 2. */
static int underline_level(const struct den_line *line)
{
    size_t at = indent_of(line);
    char mark = at < line->length ? line->text[at] : '\0';
    size_t count = 0;

    if (at > 3 || (mark != '=' && mark != '-'))
        return 0;
    while (at < line->length && line->text[at] == mark) {
        at++;
        count++;
    }
    while (at < line->length && (line->text[at] == ' ' || line->text[at] == '\t'))
        at++;
    if (at < line->length || (mark == '-' && count < 2))
        return 0;
    return mark == '=' ? 1 : 2;
}

static bool is_list_item(const struct den_line *line)
{
    size_t at = 0, digits = 0;

    while (at < line->length && (line->text[at] == ' ' || line->text[at] == '\t'))
        at++;
    if (at + 1 < line->length && strchr("-*+", line->text[at]) && line->text[at])
        return line->text[at + 1] == ' ' || line->text[at + 1] == '\t';
    while (at + digits < line->length && isdigit((unsigned char)line->text[at + digits]))
        digits++;
    at += digits;
    return digits > 0 && digits < 10 && at + 1 < line->length &&
           (line->text[at] == '.' || line->text[at] == ')') && line->text[at + 1] == ' ';
}

/* The second line of a table: only dashes, colons, pipes, with at least one of each. */
static bool is_table_rule(const struct den_line *line)
{
    bool dash = false, pipe = false;
    size_t i;

    for (i = 0; i < line->length; i++) {
        dash = dash || line->text[i] == '-';
        pipe = pipe || line->text[i] == '|';
        if (!strchr("|-: \t", line->text[i]) || !line->text[i])
            return false;
    }
    return dash && pipe;
}

static bool is_table_start(struct markdown *markdown, const struct den_line *line)
{
    struct den_line rule;

    if (!memchr(line->text, '|', line->length) || line->next >= markdown->text.length)
        return false;
    rule = den_line_at(markdown->text.text, markdown->text.length, line->next);
    return is_table_rule(&rule);
}

static void set_source(struct markdown *markdown, size_t start, size_t end)
{
    size_t from = den_decoded_source(&markdown->text, start);

    den_writer_source(markdown->writer, from, den_decoded_source(&markdown->text, end));
}

static void write_heading(struct markdown *markdown, const struct den_line *line, int level,
                          size_t title)
{
    const char *text = line->text + title;
    size_t length = line->length - title, end;
    char *label;

    while (length > 0 && strchr(" \t", text[length - 1]))
        length--;
    for (end = length; end > 0 && text[end - 1] == '#';)
        end--;
    if (end == 0 || text[end - 1] == ' ' || text[end - 1] == '\t')
        length = end;
    den_writer_block_begin(markdown->writer, DEN_BLOCK_HEADING, level);
    set_source(markdown, line->at, line->at + line->length);
    den_writer_text(markdown->writer, text, length);
    den_writer_block_end(markdown->writer);
    if (level == 1 && (label = den_label_make(text, length, DEN_DOCUMENT_LABEL_BYTES_MAX))) {
        den_writer_title(markdown->writer, label);
        free(label);
    }
}

/* From the line after the fence to its like. */
static void write_fenced(struct markdown *markdown, const struct den_line *opening, char mark,
                         size_t count)
{
    struct den_line line;
    size_t end = opening->next;

    markdown->at = opening->next;
    den_writer_block_begin_verbatim(markdown->writer, DEN_BLOCK_CODE, 0);
    while (next_line(markdown, &line)) {
        char other;
        size_t closing = fence_length(&line, &other);

        markdown->at = line.next;
        if (closing >= count && other == mark)
            break;
        end = line.next;
    }
    if (opening->next < end)
        set_source(markdown, opening->next, end);
    den_writer_text(markdown->writer, markdown->text.text + opening->next, end - opening->next);
    den_writer_block_end(markdown->writer);
}

static void write_row(struct den_writer *writer, const struct den_line *line)
{
    size_t at = indent_of(line), end = line->length;
    size_t start;

    while (end > at && strchr(" \t", line->text[end - 1]))
        end--;
    if (at < end && line->text[at] == '|')
        at++;
    if (end > at && line->text[end - 1] == '|' && (end < 2 || line->text[end - 2] != '\\'))
        end--;
    for (start = at; at <= end; at++) {
        if (at < end && line->text[at] == '\\') {
            at++;
            continue;
        }
        if (at < end && line->text[at] != '|')
            continue;
        while (start < at && start < end && line->text[start] == ' ')
            start++;
        den_writer_text(writer, line->text + start, (at < end ? at : end) - start);
        if (at < end)
            den_writer_break(writer, '\t');
        start = at + 1;
    }
}

static void write_table(struct markdown *markdown, const struct den_line *head)
{
    size_t end = head->next;
    struct den_line line;
    bool first = true;

    markdown->at = head->at;
    den_writer_block_begin(markdown->writer, DEN_BLOCK_TABLE, 0);
    while (next_line(markdown, &line) && memchr(line.text, '|', line.length)) {
        markdown->at = line.next;
        if (!(line.at == head->next && is_table_rule(&line))) {
            if (!first)
                den_writer_break(markdown->writer, '\n');
            write_row(markdown->writer, &line);
            first = false;
        }
        end = line.at + line.length;
    }
    set_source(markdown, head->at, end);
    den_writer_block_end(markdown->writer);
}

/* Whether `line` ends a paragraph or list without a blank line before it. */
static bool begins_other(struct markdown *markdown, const struct den_line *line)
{
    size_t title;
    char mark;

    return heading_level(line, &title) > 0 || fence_length(line, &mark) > 0 ||
           is_table_start(markdown, line);
}

static void write_line(struct den_writer *writer, const struct den_line *line, bool first)
{
    size_t at = indent_of(line);

    if (at < line->length && line->text[at] == '>') {
        at++;
        if (at < line->length && line->text[at] == ' ')
            at++;
    } else {
        at = 0;
    }
    if (!first)
        den_writer_break(writer, '\n');
    den_writer_text(writer, line->text + at, line->length - at);
}

/* A paragraph or a list (which goes over blank lines while items or indented lines follow). */
static void write_flow(struct markdown *markdown, const struct den_line *start)
{
    bool list = is_list_item(start), first = true;
    size_t end = start->at;
    struct den_line line;

    markdown->at = start->at;
    den_writer_block_begin_verbatim(markdown->writer, list ? DEN_BLOCK_LIST : DEN_BLOCK_PARAGRAPH,
                                    0);
    while (next_line(markdown, &line) && !den_line_is_blank(&line)) {
        int level = first || list ? 0 : underline_level(&line);

        if (level > 0) { /* what was a paragraph is a heading */
            markdown->writer->block.kind = DEN_BLOCK_HEADING;
            markdown->writer->block.level = level;
            markdown->at = line.next;
            break;
        }
        if (!first && (begins_other(markdown, &line) || is_list_item(&line) != list) &&
            !(list && indent_of(&line) >= 2))
            break;
        write_line(markdown->writer, &line, first);
        markdown->at = line.next;
        end = line.at + line.length;
        first = false;
    }
    set_source(markdown, start->at, end);
    den_writer_block_end(markdown->writer);
}

/* "---" lines around YAML; its title is the document's. False: there is none. */
static bool write_front_matter(struct markdown *markdown)
{
    struct den_line line;
    size_t start, end;

    if (!next_line(markdown, &line) || line.length != 3 || memcmp(line.text, "---", 3) != 0)
        return false;
    start = markdown->at = line.next;
    for (;; markdown->at = line.next) {
        if (!next_line(markdown, &line)) {
            markdown->at = 0;
            return false;
        }
        if (line.length == 3 &&
            (memcmp(line.text, "---", 3) == 0 || memcmp(line.text, "...", 3) == 0))
            break;
    }
    end = line.at;
    markdown->at = line.next;
    den_writer_block_begin_verbatim(markdown->writer, DEN_BLOCK_NOTE, 0);
    set_source(markdown, start, end);
    den_writer_text(markdown->writer, markdown->text.text + start, end - start);
    den_writer_block_end(markdown->writer);
    while (start < end) {
        line = den_line_at(markdown->text.text, end, start);
        if (line.length > 6 && strncasecmp(line.text, "title:", 6) == 0) {
            char *title = den_label_make(line.text + 6, line.length - 6, 512);

            den_writer_title(markdown->writer, title);
            free(title);
        }
        start = line.next;
    }
    return true;
}

static void write_all(struct markdown *markdown)
{
    struct den_line line;

    write_front_matter(markdown);
    while (next_line(markdown, &line)) {
        size_t title = 0, count;
        int level;
        char mark;

        if (den_line_is_blank(&line)) {
            markdown->at = line.next;
        } else if ((level = heading_level(&line, &title)) > 0) {
            markdown->at = line.next;
            write_heading(markdown, &line, level, title);
        } else if ((count = fence_length(&line, &mark)) > 0) {
            write_fenced(markdown, &line, mark, count);
        } else if (is_table_start(markdown, &line)) {
            write_table(markdown, &line);
        } else {
            write_flow(markdown, &line);
        }
    }
}

enum den_status den_read_markdown(const struct den_input *input, struct den_writer *writer,
                                  struct den_error *err)
{
    struct markdown markdown = { .writer = writer };

    if (den_decode(input->data, input->length, input->charset, &markdown.text, err) != DEN_OK)
        return den_fail_at(err, "%s", input->name);
    den_writer_part_begin(writer, DEN_PART_FILE, 0, "");
    write_all(&markdown);
    den_writer_part_end(writer);
    den_decoded_free(&markdown.text);
    return den_writer_status(writer, err);
}
