/* See part_writer.h.
 *
 * Text is copied in runs of plain ASCII and character by character between them; nothing is looked
 * at twice. Memory is one part: its text grows to DEN_DOCUMENT_PART_TEXT_MAX and is kept from part
 * to part. */
#include "input/part_writer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"

enum {
    GAP_NORMAL = 2,
    GAP_MAX = 8,      /* more blank lines say nothing more */
    SPLIT_SPARE = 64, /* bytes left in a part for gaps and the longest character */
    ITEMS_FIRST = 64
};

static const char replacement[] = "\xEF\xBF\xBD";

void den_writer_init(struct den_writer *writer, const struct den_document_sink *sink,
                     size_t first_number)
{
    *writer = (struct den_writer){ .sink = sink, .first_number = first_number ? first_number : 1 };
    den_buffer_init(&writer->text, DEN_DOCUMENT_PART_TEXT_MAX);
    den_buffer_init(&writer->note, DEN_DOCUMENT_NOTE_BYTES_MAX);
}

static void forget_strings(struct den_writer *writer)
{
    while (writer->string_count > 0)
        free(writer->strings[--writer->string_count]);
}

void den_writer_deinit(struct den_writer *writer)
{
    forget_strings(writer);
    free(writer->strings);
    free(writer->blocks);
    free(writer->words);
    free(writer->label);
    free(writer->title);
    free(writer->author);
    den_buffer_deinit(&writer->text);
    den_buffer_deinit(&writer->note);
}

/* --- failures --- */

bool den_writer_failed(const struct den_writer *writer)
{
    return writer->failure.status != DEN_OK;
}

enum den_status den_writer_fail(struct den_writer *writer, const struct den_error *failure)
{
    if (!den_writer_failed(writer))
        writer->failure = *failure;
    return writer->failure.status;
}

enum den_status den_writer_status(const struct den_writer *writer, struct den_error *err)
{
    if (den_writer_failed(writer))
        *err = writer->failure;
    return writer->failure.status;
}

static void fail_memory(struct den_writer *writer)
{
    if (!den_writer_failed(writer))
        den_fail(&writer->failure, DEN_NO_MEMORY, "document: out of memory");
}

/* Room for one more of `size` bytes; doubles. */
static bool grow(struct den_writer *writer, void *items, size_t count, size_t *capacity,
                 size_t size)
{
    void **array = items;
    size_t wanted = *capacity ? *capacity * 2 : ITEMS_FIRST;
    void *grown;

    if (count < *capacity)
        return true;
    grown = realloc(*array, wanted * size);
    if (!grown) {
        fail_memory(writer);
        return false;
    }
    *array = grown;
    *capacity = wanted;
    return true;
}

/* --- labels --- */

static bool is_space_code(uint32_t code)
{
    return code <= ' ' || code == 0x7F || code == 0xA0 || code == 0x2028 || code == 0x2029 ||
           code == 0x3000;
}

/* Marks that show nothing: byte order mark, zero width space, soft hyphen. */
static bool is_nothing(uint32_t code)
{
    return code == 0xFEFF || code == 0x200B || code == 0xAD;
}

char *den_label_make(const char *text, size_t length, size_t length_max)
{
    char *label = malloc(length_max + 1);
    size_t used = 0, at = 0;
    bool space = false;

    while (label && at < length) {
        uint32_t code;
        char bytes[4];
        size_t count;

        at += den_utf8_decode(text + at, length - at, &code);
        if (is_space_code(code)) {
            space = used > 0;
            continue;
        }
        count = den_utf8_encode(code, bytes);
        if (used + space + count > length_max)
            break;
        if (space)
            label[used++] = ' ';
        space = false;
        memcpy(label + used, bytes, count);
        used += count;
    }
    if (label)
        label[used] = '\0';
    return label;
}

static const char *keep_string(struct den_writer *writer, const char *text)
{
    char *copy;

    if (!grow(writer, &writer->strings, writer->string_count, &writer->string_capacity,
              sizeof *writer->strings))
        return NULL;
    copy = den_label_make(text, strlen(text), DEN_DOCUMENT_LABEL_BYTES_MAX);
    if (!copy)
        fail_memory(writer);
    else
        writer->strings[writer->string_count++] = copy;
    return copy;
}

/* --- parts --- */

static char *make_part_label(const struct den_writer *writer, const char *label)
{
    struct den_buffer whole;
    char *made;

    den_buffer_init(&whole, 2 * DEN_DOCUMENT_LABEL_BYTES_MAX + 8);
    if (writer->prefix) {
        den_buffer_append_text(&whole, writer->prefix);
        if (label[0])
            den_buffer_append_text(&whole, " > ");
    }
    den_buffer_append(&whole, label, strnlen(label, DEN_DOCUMENT_LABEL_BYTES_MAX));
    made = den_label_make(whole.data, whole.length, DEN_DOCUMENT_LABEL_BYTES_MAX);
    den_buffer_deinit(&whole);
    return made;
}

void den_writer_part_begin(struct den_writer *writer, enum den_part_kind kind, size_t number,
                           const char *label)
{
    if (den_writer_failed(writer))
        return;
    if (writer->in_part)
        den_writer_part_end(writer);
    writer->number = number ? number : writer->number + 1;
    free(writer->label);
    writer->label = make_part_label(writer, label ? label : "");
    if (!writer->label) {
        fail_memory(writer);
        return;
    }
    writer->part = (struct den_part){ .kind = kind,
                                      .number = writer->number + writer->first_number - 1,
                                      .label = writer->label };
    writer->in_part = true;
    writer->continued = false;
    writer->labelled = label && label[0];
    writer->gap = GAP_NORMAL;
}

void den_writer_label(struct den_writer *writer, const char *label)
{
    char *made;

    if (!writer->in_part || writer->labelled || writer->continued || den_writer_failed(writer))
        return;
    made = make_part_label(writer, label);
    if (!made) {
        fail_memory(writer);
        return;
    }
    free(writer->label);
    writer->part.label = writer->label = made;
    writer->labelled = label[0] != '\0';
}

/* Hands over what is there and empties it. */
static void hand_over(struct den_writer *writer)
{
    struct den_error err = { 0 };

    if (writer->part_count >= DEN_DOCUMENT_PARTS_MAX)
        den_fail(&writer->failure, DEN_TOO_LARGE, "document: more than %d parts",
                 DEN_DOCUMENT_PARTS_MAX);
    den_buffer_status(&writer->text, "document", &writer->failure);
    if (den_writer_failed(writer))
        return;
    writer->part.text = writer->text.data;
    writer->part.length = writer->text.length;
    writer->part.blocks = writer->blocks;
    writer->part.block_count = writer->block_count;
    writer->part.words = writer->words;
    writer->part.word_count = writer->word_count;
    if (den_part_check(&writer->part, &err) != DEN_OK ||
        writer->sink->part(writer->sink->context, &writer->part, &err) != DEN_OK)
        den_writer_fail(writer, &err);
    writer->part_count++;
    writer->continued = true;
    den_buffer_clear(&writer->text);
    writer->block_count = 0;
    writer->word_count = 0;
}

static void end_part(struct den_writer *writer, bool drop_empty)
{
    if (!writer->in_part || den_writer_failed(writer))
        return;
    den_writer_block_end(writer);
    if (writer->block_count > 0 || (!drop_empty && !writer->continued))
        hand_over(writer);
    forget_strings(writer);
    den_buffer_clear(&writer->text);
    writer->in_part = false;
}

void den_writer_part_end(struct den_writer *writer)
{
    end_part(writer, false);
}

void den_writer_part_end_or_drop(struct den_writer *writer)
{
    end_part(writer, true);
}

/* The open part goes on in another one; an open block too. */
static void split_part(struct den_writer *writer)
{
    struct den_block open = writer->block;
    bool in_block = writer->in_block;

    den_writer_block_end(writer);
    hand_over(writer);
    if (!in_block || den_writer_failed(writer))
        return;
    writer->block = open;
    writer->block.start = 0;
    writer->block_mark = 0;
    writer->in_block = true;
}

void den_writer_part_continue(struct den_writer *writer)
{
    den_writer_block_end(writer);
    if (writer->block_count > 0 && !den_writer_failed(writer))
        hand_over(writer);
}

bool den_writer_is_nearly_full(const struct den_writer *writer)
{
    return writer->text.length > DEN_DOCUMENT_PART_TEXT_MAX / 4 * 3;
}

enum den_status den_writer_member(struct den_writer *writer, const void *bytes, size_t length,
                                  struct den_error *err)
{
    const struct den_document_sink *sink = writer->sink;
    const struct den_document_member member = { .path = writer->prefix ? writer->prefix : "",
                                                .bytes = bytes,
                                                .length = length };
    char note[DEN_MEMBER_NOTE_BYTES] = "";

    den_writer_part_end_or_drop(writer);
    if (den_writer_failed(writer))
        return den_writer_status(writer, err);
    if (sink->member(sink->context, &member, note, err) == DEN_OK && *note)
        den_writer_note(writer, "%.200s: %s", member.path, note);
    return err->status;
}

/* --- blocks --- */

static void begin_block(struct den_writer *writer, enum den_block_kind kind, int level)
{
    size_t i;

    if (den_writer_failed(writer))
        return;
    den_writer_block_end(writer);
    if (!writer->in_part)
        den_writer_part_begin(writer, DEN_PART_FILE, 0, "");
    if (writer->block_count >= DEN_DOCUMENT_PART_BLOCKS_MAX - 1 ||
        writer->text.length + SPLIT_SPARE >= DEN_DOCUMENT_PART_TEXT_MAX)
        split_part(writer);
    if (kind == DEN_BLOCK_HEADING)
        level = level < 1 ? 1 : level > 6 ? 6 : level;
    else
        level = 0;
    writer->block_mark = writer->text.length;
    for (i = 0; i < writer->gap && writer->text.length > 0; i++)
        den_buffer_append_byte(&writer->text, '\n');
    writer->block = (struct den_block){ .kind = kind, .level = level };
    writer->block.start = writer->text.length;
    writer->in_block = true;
    writer->space_owed = false;
    writer->gap = GAP_NORMAL;
}

void den_writer_block_begin(struct den_writer *writer, enum den_block_kind kind, int level)
{
    begin_block(writer, kind, level);
    writer->collapse = true;
}

void den_writer_block_begin_verbatim(struct den_writer *writer, enum den_block_kind kind, int level)
{
    begin_block(writer, kind, level);
    writer->collapse = false;
}

void den_writer_block_end(struct den_writer *writer)
{
    size_t end = writer->text.length;
    size_t at;

    if (!writer->in_block || den_writer_failed(writer))
        return;
    writer->in_block = false;
    while (end > writer->block.start && strchr(" \t\n", writer->text.data[end - 1]))
        end--;
    for (at = writer->block.start; at < end && strchr(" \t\n", writer->text.data[at]);)
        at++;
    if (at == end)
        end = writer->block_mark;
    writer->text.length = end;
    if (writer->text.capacity > 0)
        writer->text.data[end] = '\0';
    if (at == end || end == writer->block_mark)
        return;
    if (!grow(writer, &writer->blocks, writer->block_count, &writer->block_capacity,
              sizeof *writer->blocks))
        return;
    while (writer->text.data[writer->block.start] == '\n')
        writer->block.start++; /* of a verbatim block: its indentation stays */
    writer->block.end = end;
    writer->blocks[writer->block_count++] = writer->block;
}

void den_writer_source(struct den_writer *writer, size_t start, size_t end)
{
    if (writer->inside)
        return; /* bytes of a member are not the file's */
    writer->block.source_start = start;
    writer->block.source_end = end;
}

void den_writer_range(struct den_writer *writer, const char *range)
{
    if (writer->in_block && !den_writer_failed(writer))
        writer->block.range = keep_string(writer, range);
}

void den_writer_anchor(struct den_writer *writer, const char *anchor)
{
    if (writer->in_block && !den_writer_failed(writer) && anchor[0])
        writer->block.anchor = keep_string(writer, anchor);
}

void den_writer_gap(struct den_writer *writer, size_t newlines)
{
    writer->gap = newlines > GAP_MAX ? GAP_MAX : newlines;
}

/* --- text --- */

static void put(struct den_writer *writer, const char *bytes, size_t length)
{
    if (writer->text.length + length + SPLIT_SPARE > DEN_DOCUMENT_PART_TEXT_MAX)
        split_part(writer);
    if (writer->space_owed && writer->text.length > writer->block.start &&
        !strchr("\t\n", writer->text.data[writer->text.length - 1]))
        den_buffer_append_byte(&writer->text, ' ');
    writer->space_owed = false;
    den_buffer_append(&writer->text, bytes, length);
}

static bool is_plain(char byte)
{
    return byte > ' ' && byte < 0x7F;
}

static void put_collapsed(struct den_writer *writer, uint32_t code, const char *bytes, size_t used)
{
    if (is_space_code(code))
        writer->space_owed = true;
    else if (code == DEN_UTF8_REPLACEMENT)
        put(writer, replacement, 3);
    else if (!is_nothing(code))
        put(writer, bytes, used);
}

/* `rest` bytes are left from `bytes` on; returns how many were taken. */
static size_t put_verbatim(struct den_writer *writer, uint32_t code, const char *bytes, size_t used,
                           size_t rest)
{
    if (code == '\r') {
        put(writer, "\n", 1);
        return rest > 1 && bytes[1] == '\n' ? 2 : 1;
    }
    if (code == '\n' || code == '\t' || code == ' ')
        put(writer, bytes, 1);
    else if (code < ' ' || code == 0x7F)
        put(writer, code == '\f' ? "\n" : " ", 1);
    else if (code == DEN_UTF8_REPLACEMENT)
        put(writer, replacement, 3);
    else if (code != 0xFEFF)
        put(writer, bytes, used);
    return used;
}

void den_writer_text(struct den_writer *writer, const char *text, size_t length)
{
    enum { RUN_MAX = 4096 }; /* so that a split comes in time */
    size_t at = 0;

    if (!writer->in_block)
        return;
    while (at < length && !den_writer_failed(writer)) {
        size_t run = at, used;
        uint32_t code;

        while (run < length && run - at < RUN_MAX && is_plain(text[run]))
            run++;
        if (run > at) {
            put(writer, text + at, run - at);
            at = run;
            continue;
        }
        used = den_utf8_decode(text + at, length - at, &code);
        if (writer->collapse)
            put_collapsed(writer, code, text + at, used);
        else
            used = put_verbatim(writer, code, text + at, used, length - at);
        at += used;
    }
}

void den_writer_string(struct den_writer *writer, const char *text)
{
    den_writer_text(writer, text, strlen(text));
}

void den_writer_break(struct den_writer *writer, char byte)
{
    if (!writer->in_block || den_writer_failed(writer))
        return;
    writer->space_owed = false;
    put(writer, &byte, 1);
}

void den_writer_space(struct den_writer *writer)
{
    writer->space_owed = true;
}

void den_writer_word(struct den_writer *writer, const char *text, size_t length,
                     const struct den_word *box)
{
    struct den_word word = *box;

    if (!writer->in_block || den_writer_failed(writer))
        return;
    if (writer->word_count >= DEN_DOCUMENT_PART_WORDS_MAX ||
        writer->text.length + 3 * length + 2 * SPLIT_SPARE > DEN_DOCUMENT_PART_TEXT_MAX)
        split_part(writer);
    if (!grow(writer, &writer->words, writer->word_count, &writer->word_capacity,
              sizeof *writer->words))
        return;
    word.start = writer->text.length;
    den_writer_text(writer, text, length);
    writer->space_owed = false;
    word.end = writer->text.length;
    while (word.start < word.end && strchr(" \t\n", writer->text.data[word.start]))
        word.start++;
    if (word.start < word.end)
        writer->words[writer->word_count++] = word;
}

/* --- facts --- */

void den_writer_note(struct den_writer *writer, const char *format, ...)
{
    char sentence[512], *clean;
    size_t length;
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(sentence, sizeof sentence, format, arguments);
    va_end(arguments);
    length = strlen(sentence);
    length -= den_utf8_incomplete_tail(sentence, length);
    clean = den_label_make(sentence, length, sizeof sentence); /* names in it may have been cut */
    length = clean ? strlen(clean) : 0;
    if (length > 0 && !strstr(writer->note.data, clean) &&
        writer->note.length + length + 1 <= DEN_DOCUMENT_NOTE_BYTES_MAX) {
        if (writer->note.length > 0)
            den_buffer_append_byte(&writer->note, ' ');
        den_buffer_append(&writer->note, clean, length);
    }
    free(clean);
}

static void keep_fact(struct den_writer *writer, char **fact, const char *text)
{
    if (*fact || writer->inside || !text || !text[strspn(text, " \t\r\n")])
        return;
    *fact = den_label_make(text, strlen(text), DEN_DOCUMENT_LABEL_BYTES_MAX);
    if (!*fact)
        fail_memory(writer);
}

void den_writer_title(struct den_writer *writer, const char *title)
{
    keep_fact(writer, &writer->title, title);
}

void den_writer_author(struct den_writer *writer, const char *author)
{
    keep_fact(writer, &writer->author, author);
}

void den_writer_finish(struct den_writer *writer)
{
    struct den_document_facts facts;
    struct den_error err = { 0 };

    den_writer_part_end(writer);
    facts = (struct den_document_facts){ .title = writer->title ? writer->title : "",
                                         .author = writer->author ? writer->author : "",
                                         .note = writer->note.data,
                                         .part_count = writer->part_count,
                                         .created = writer->created };
    if (!den_writer_failed(writer) && writer->sink->facts &&
        writer->sink->facts(writer->sink->context, &facts, &err) != DEN_OK)
        den_writer_fail(writer, &err);
}
