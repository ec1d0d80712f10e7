/* Word (.docx): the main part's paragraphs and tables in order, with headings by style, and notes
 * behind the paragraph that refers to them.
 *
 * A file with headings of level 1 becomes sections, one for each. Where pages end only Word knows,
 * but it leaves marks of what it saw when it saved the file last; where there are any, a section is
 * cut at them, between paragraphs, and its label says the page. A page break that somebody set is
 * followed by such a mark, as a rule, and counts once. Numbers that Word counts itself ("4.2") are
 * not in the text and not made up here. What was deleted under change tracking is left out; what
 * was inserted is text. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "input/xml.h"

enum {
    STYLES_MAX = 10000,
    STYLE_BYTES = 128,
    NOTES_MAX = 100000,
    NOTES_BYTES_MAX = 32 << 20,
    CHAPTER_BYTES = 512,
    MARK_CHUNK_BYTES = 65536
};

static const char page_mark[] = "lastRenderedPageBreak";

struct style {
    char *id, *based_on;
    int level; /* of a heading; 0: none */
    bool is_list;
};

struct note {
    char kind; /* 'f' footnote, 'e' endnote, 'c' comment */
    long id;
    size_t start, end; /* in `note_text` */
};

struct word_file {
    struct den_package *package;
    struct den_writer *writer;
    struct den_xml *xml;
    struct den_error *err;
    struct style *styles;
    size_t style_count;
    struct note *notes;
    size_t note_count;
    struct den_buffer note_text;
    size_t *pending; /* notes that the open paragraph refers to */
    size_t pending_count;
    /* the open paragraph */
    int paragraphs; /* how many are open in each other: text boxes */
    int tables;
    bool row_begun, cell_begun;
    long span;
    bool is_list;
    int level;
    struct den_buffer text;
    /* pages, where the file says how they were */
    bool has_pages, break_counted;
    size_t page, paragraph_page, part_page; /* here, where the paragraph began, of the open part */
    char chapter[CHAPTER_BYTES];            /* the heading of level 1 */
};

/* --- styles --- */

static struct style *find_style(const struct word_file *word, const char *id)
{
    size_t i;

    for (i = 0; i < word->style_count; i++)
        if (strcmp(word->styles[i].id, id) == 0)
            return &word->styles[i];
    return NULL;
}

/* "heading 2" as Word names it in every language; "Title" is the first. */
static int level_of_name(const char *name)
{
    if (strncasecmp(name, "heading ", 8) == 0 && name[8] >= '1' && name[8] <= '9')
        return name[8] - '0';
    return strcasecmp(name, "title") == 0 ? 1 : 0;
}

static bool add_style(struct word_file *word)
{
    char id[STYLE_BYTES];
    struct style *grown;

    if (word->style_count >= STYLES_MAX || !den_xml_attribute(word->xml, "styleId", id, sizeof id))
        return false;
    grown = realloc(word->styles, (word->style_count + 1) * sizeof *grown);
    if (!grown)
        return false;
    word->styles = grown;
    word->styles[word->style_count] = (struct style){ .id = strdup(id) };
    if (!word->styles[word->style_count].id)
        return false;
    word->style_count++;
    return true;
}

static enum den_status read_styles(struct word_file *word, const char *member)
{
    char value[STYLE_BYTES];
    struct style *style = NULL;
    enum den_xml_event event;

    if (!member || !den_package_has(word->package, member))
        return DEN_OK;
    if (den_xml_open(word->package, member, &word->xml, word->err) != DEN_OK)
        return word->err->status;
    while ((event = den_xml_next(word->xml)) != DEN_XML_DONE) {
        if (event != DEN_XML_START)
            continue;
        if (den_xml_is(word->xml, "style"))
            style = add_style(word) ? &word->styles[word->style_count - 1] : NULL;
        else if (!style)
            continue;
        else if (den_xml_is(word->xml, "name") &&
                 den_xml_attribute(word->xml, "val", value, sizeof value))
            style->level = level_of_name(value);
        else if (den_xml_is(word->xml, "numPr"))
            style->is_list = true;
        else if (den_xml_is(word->xml, "outlineLvl") && style->level == 0)
            style->level = (int)(den_xml_attribute_number(word->xml, "val", 9) % 10) + 1;
        else if (den_xml_is(word->xml, "basedOn") && !style->based_on &&
                 den_xml_attribute(word->xml, "val", value, sizeof value))
            style->based_on = strdup(value);
    }
    return den_xml_close(word->xml, word->err);
}

static int level_of_style(const struct word_file *word, const char *id)
{
    const struct style *style = find_style(word, id);
    int steps;

    for (steps = 0; style && steps < 16; steps++) {
        if (style->level > 0)
            return style->level > 9 ? 0 : style->level;
        style = style->based_on ? find_style(word, style->based_on) : NULL;
    }
    return 0;
}

/* --- notes --- */

static bool add_note(struct word_file *word, char kind)
{
    struct note *grown;

    if (word->note_count >= NOTES_MAX)
        return false;
    if ((word->note_count & (word->note_count - 1)) == 0) {
        grown = realloc(word->notes, (word->note_count ? 2 * word->note_count : 1) * sizeof *grown);
        if (!grown)
            return false;
        word->notes = grown;
    }
    word->notes[word->note_count++] =
        (struct note){ .kind = kind,
                       .id = den_xml_attribute_number(word->xml, "id", -1),
                       .start = word->note_text.length,
                       .end = word->note_text.length };
    return true;
}

static enum den_status read_notes(struct word_file *word, const char *member, const char *element,
                                  char kind)
{
    bool in_note = false, in_text = false;
    enum den_xml_event event;
    char author[STYLE_BYTES];

    if (!member || !den_package_has(word->package, member))
        return DEN_OK;
    if (den_xml_open(word->package, member, &word->xml, word->err) != DEN_OK)
        return word->err->status;
    while ((event = den_xml_next(word->xml)) != DEN_XML_DONE) {
        if (event == DEN_XML_TEXT) {
            if (in_note && in_text)
                den_buffer_append_text(&word->note_text, den_xml_text(word->xml));
            continue;
        }
        if (den_xml_is(word->xml, element)) {
            if (event == DEN_XML_START) {
                in_note = add_note(word, kind);
                if (in_note && kind == 'c' &&
                    den_xml_attribute(word->xml, "author", author, sizeof author) && author[0])
                    den_buffer_appendf(&word->note_text, "%s: ", author);
            }
            if (word->note_count > 0)
                word->notes[word->note_count - 1].end = word->note_text.length;
        }
        in_text = event == DEN_XML_START && den_xml_is(word->xml, "t");
        if (in_note && event == DEN_XML_END && den_xml_is(word->xml, "p"))
            den_buffer_append_byte(&word->note_text, ' ');
    }
    return den_xml_close(word->xml, word->err);
}

static void refer_to_note(struct word_file *word, char kind)
{
    long id = den_xml_attribute_number(word->xml, "id", -1);
    size_t i;

    for (i = 0; i < word->note_count && word->pending_count < NOTES_MAX; i++) {
        size_t *grown;

        if (word->notes[i].kind != kind || word->notes[i].id != id ||
            word->notes[i].start == word->notes[i].end)
            continue;
        grown = realloc(word->pending, (word->pending_count + 1) * sizeof *grown);
        if (!grown)
            return;
        word->pending = grown;
        word->pending[word->pending_count++] = i;
        word->notes[i].id = -2; /* once */
        return;
    }
}

static void write_notes(struct word_file *word)
{
    size_t i;

    for (i = 0; i < word->pending_count; i++) {
        const struct note *note = &word->notes[word->pending[i]];

        den_writer_block_begin(word->writer, DEN_BLOCK_NOTE, 0);
        den_writer_string(word->writer, note->kind == 'c' ? "Comment: " : "Note: ");
        den_writer_text(word->writer, word->note_text.data + note->start, note->end - note->start);
        den_writer_block_end(word->writer);
    }
    word->pending_count = 0;
}

/* --- pages --- */

/* Whether the member has marks of pages; it is inflated for it, not parsed. */
static bool find_page_marks(struct den_package *package, const char *name)
{
    struct den_member *member = NULL;
    struct den_error ignored = { 0 };
    char *chunk = malloc(MARK_CHUNK_BYTES);
    size_t kept = 0;
    bool found = false;
    long count;

    if (!chunk || den_package_member_open(package, name, &member, &ignored) != DEN_OK) {
        free(chunk);
        return false;
    }
    while (!found && (count = den_member_read(member, chunk + kept, MARK_CHUNK_BYTES - kept)) > 0) {
        size_t length = kept + (size_t)count;

        found = memmem(chunk, length, page_mark, sizeof page_mark - 1) != NULL;
        kept = length < sizeof page_mark - 1 ? length : sizeof page_mark - 2;
        memmove(chunk, chunk + length - kept, kept);
    }
    den_member_close(member);
    free(chunk);
    return found;
}

/* A mark behind a break that was counted is the same page. */
static void turn_page(struct word_file *word, bool is_mark)
{
    if (!is_mark || !word->break_counted)
        word->page++;
    word->break_counted = !is_mark;
}

/* What begins on `page` and is not in the open part's place becomes a part of its own. */
static void begin_part(struct word_file *word, size_t page)
{
    struct den_writer *writer = word->writer;
    char label[CHAPTER_BYTES + 64];

    if (word->has_pages)
        snprintf(label, sizeof label, "%s%spage %zu as last saved", word->chapter,
                 *word->chapter ? ", " : "", page);
    else
        snprintf(label, sizeof label, "%s", word->chapter);
    word->part_page = page;
    if (writer->block_count > 0 || writer->continued) {
        den_writer_part_end(writer);
        den_writer_part_begin(writer, DEN_PART_SECTION, 0, label);
    } else {
        den_writer_label(writer, label);
    }
}

static void follow_pages(struct word_file *word, size_t page)
{
    if (word->has_pages && page != word->part_page && page <= DEN_PDF_PAGES_MAX)
        begin_part(word, page);
}

/* --- paragraphs and tables --- */

static void write_paragraph(struct word_file *word)
{
    struct den_writer *writer = word->writer;
    const char *text = word->text.data;

    if (!text[strspn(text, " \t\n")]) {
        den_buffer_clear(&word->text);
        return;
    }
    if (word->level == 1) {
        snprintf(word->chapter, sizeof word->chapter, "%s", text);
        begin_part(word, word->paragraph_page);
    } else {
        follow_pages(word, word->paragraph_page);
    }
    if (word->is_list && writer->block_count > 0 &&
        writer->blocks[writer->block_count - 1].kind == DEN_BLOCK_LIST)
        den_writer_gap(writer, 1);
    if (word->level > 0)
        den_writer_block_begin(writer, DEN_BLOCK_HEADING, word->level);
    else
        den_writer_block_begin_verbatim(writer,
                                        word->is_list ? DEN_BLOCK_LIST : DEN_BLOCK_PARAGRAPH, 0);
    if (word->is_list && word->level == 0)
        den_writer_string(writer, "- ");
    den_writer_text(writer, text, word->text.length);
    den_writer_block_end(writer);
    den_buffer_clear(&word->text);
}

static void end_cell(struct word_file *word)
{
    long i;

    den_writer_text(word->writer, word->text.data, word->text.length);
    den_buffer_clear(&word->text);
    for (i = 1; i < word->span && i < 64; i++)
        den_writer_break(word->writer, '\t');
}

static void start_element(struct word_file *word)
{
    struct den_xml *xml = word->xml;
    char value[STYLE_BYTES];

    if (den_xml_is(xml, "p")) {
        if (word->paragraphs++ == 0 && word->tables == 0) {
            word->level = 0;
            word->is_list = false;
        } else if (word->text.length > 0) {
            den_buffer_append_byte(&word->text, ' ');
        }
    } else if (den_xml_is(xml, "pStyle")) {
        if (word->paragraphs == 1 && den_xml_attribute(xml, "val", value, sizeof value)) {
            const struct style *style = find_style(word, value);

            word->level = level_of_style(word, value);
            word->is_list = style && style->is_list;
        }
    } else if (den_xml_is(xml, "outlineLvl")) {
        if (word->paragraphs == 1 && den_xml_attribute_number(xml, "val", 9) < 9)
            word->level = (int)den_xml_attribute_number(xml, "val", 0) + 1;
    } else if (den_xml_is(xml, "numPr")) {
        word->is_list = true;
    } else if (den_xml_is(xml, "tbl")) {
        if (word->tables++ == 0) {
            follow_pages(word, word->page);
            den_writer_block_begin(word->writer, DEN_BLOCK_TABLE, 0);
        }
        word->row_begun = word->tables > 1 && word->row_begun;
    } else if (word->tables == 1 && den_xml_is(xml, "tr")) {
        if (word->row_begun)
            den_writer_break(word->writer, '\n');
        word->row_begun = true;
        word->cell_begun = false;
    } else if (word->tables == 1 && den_xml_is(xml, "tc")) {
        if (word->cell_begun)
            den_writer_break(word->writer, '\t');
        word->cell_begun = true;
        word->span = 1;
    } else if (word->tables == 1 && den_xml_is(xml, "gridSpan")) {
        word->span = den_xml_attribute_number(xml, "val", 1);
    } else if (den_xml_is(xml, "footnoteReference")) {
        refer_to_note(word, 'f');
    } else if (den_xml_is(xml, "endnoteReference")) {
        refer_to_note(word, 'e');
    } else if (den_xml_is(xml, "commentReference")) {
        refer_to_note(word, 'c');
    }
}

static void end_element(struct word_file *word)
{
    struct den_xml *xml = word->xml;

    if (den_xml_is(xml, "p")) {
        if (word->paragraphs > 0)
            word->paragraphs--;
        if (word->paragraphs == 0 && word->tables == 0) {
            write_paragraph(word);
            write_notes(word);
        }
    } else if (word->tables == 1 && den_xml_is(xml, "tc")) {
        end_cell(word);
    } else if (word->tables > 0 && den_xml_is(xml, "tbl")) {
        if (--word->tables == 0) {
            den_writer_block_end(word->writer);
            write_notes(word);
        }
    }
}

/* A symbol or break within a run. */
static const char *mark_of(const struct den_xml *xml)
{
    static const struct {
        const char *name, *mark;
    } marks[] = { { "tab", "\t" }, { "br", "\n" }, { "cr", "\n" }, { "noBreakHyphen", "-" } };
    size_t i;

    for (i = 0; i < sizeof marks / sizeof marks[0]; i++)
        if (den_xml_is(xml, marks[i].name))
            return marks[i].mark;
    return NULL;
}

static bool is_page_break(struct den_xml *xml)
{
    char type[16];

    return den_xml_is(xml, "br") && den_xml_attribute(xml, "type", type, sizeof type) &&
           strcmp(type, "page") == 0;
}

static void add_text(struct word_file *word, const char *text)
{
    if (!word->text.data[strspn(word->text.data, " \t\n")])
        word->paragraph_page = word->page;
    word->break_counted = false;
    den_buffer_append_text(&word->text, text);
}

static void read_body(struct word_file *word)
{
    bool in_text = false, in_run = false;
    enum den_xml_event event;

    while ((event = den_xml_next(word->xml)) != DEN_XML_DONE && !den_writer_failed(word->writer)) {
        if (event == DEN_XML_TEXT) {
            if (in_text)
                add_text(word, den_xml_text(word->xml));
            continue;
        }
        in_text = event == DEN_XML_START && den_xml_is(word->xml, "t");
        if (den_xml_is(word->xml, "r"))
            in_run = event == DEN_XML_START;
        if (event == DEN_XML_START &&
            (den_xml_is(word->xml, "Fallback") || den_xml_is(word->xml, "moveFrom"))) {
            den_xml_skip(word->xml); /* the same text a second time */
        } else if (event == DEN_XML_START) {
            const char *mark = in_run ? mark_of(word->xml) : NULL;

            if (in_run && is_page_break(word->xml))
                turn_page(word, false);
            else if (den_xml_is(word->xml, page_mark))
                turn_page(word, true);
            else if (mark)
                den_buffer_append_text(&word->text, mark);
            else
                start_element(word);
        } else {
            end_element(word);
        }
        if (word->text.status != DEN_OK)
            den_buffer_clear(&word->text); /* a paragraph of 64 MiB is none */
    }
}

static enum den_status read_parts(struct word_file *word, const char *document,
                                  const struct den_relations *relations)
{
    if (read_styles(word, den_relations_by_type(relations, "styles")) != DEN_OK ||
        read_notes(word, den_relations_by_type(relations, "footnotes"), "footnote", 'f') !=
            DEN_OK ||
        read_notes(word, den_relations_by_type(relations, "endnotes"), "endnote", 'e') != DEN_OK ||
        read_notes(word, den_relations_by_type(relations, "comments"), "comment", 'c') != DEN_OK ||
        den_xml_open(word->package, document, &word->xml, word->err) != DEN_OK)
        return word->err->status;
    word->has_pages = find_page_marks(word->package, document);
    den_writer_part_begin(word->writer, DEN_PART_SECTION, 0, "");
    read_body(word);
    den_writer_part_end(word->writer);
    return den_xml_close(word->xml, word->err);
}

static void free_word(struct word_file *word)
{
    size_t i;

    for (i = 0; i < word->style_count; i++) {
        free(word->styles[i].id);
        free(word->styles[i].based_on);
    }
    free(word->styles);
    free(word->notes);
    free(word->pending);
    den_buffer_deinit(&word->note_text);
    den_buffer_deinit(&word->text);
}

enum den_status den_read_word(const struct den_input *input, struct den_writer *writer,
                              struct den_error *err)
{
    struct word_file word = { .writer = writer, .err = err, .page = 1, .paragraph_page = 1 };
    struct den_relations relations = { 0 };
    char *document = NULL;

    den_buffer_init(&word.note_text, NOTES_BYTES_MAX);
    den_buffer_init(&word.text, DEN_DOCUMENT_PART_TEXT_MAX);
    if (den_package_open(input, &word.package, err) != DEN_OK)
        goto done;
    document = den_package_main(word.package, "word/document.xml", err);
    if (!document || den_relations_read(word.package, document, &relations, err) != DEN_OK)
        goto done;
    den_package_facts(word.package, "docProps/core.xml", writer);
    if (read_parts(&word, document, &relations) == DEN_OK)
        den_writer_status(writer, err);
done:
    den_relations_free(&relations);
    free(document);
    free_word(&word);
    den_package_close(word.package);
    return err->status;
}
