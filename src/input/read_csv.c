/* Comma-separated values (RFC 4180), and those with semicolons, tabs or bars.
 *
 * One table block a part; a file too long for one part goes on in the next with its first row
 * repeated, so that every part says what its columns are. */
#include "input/readers.h"

#include <string.h>

struct csv {
    struct den_decoded text;
    struct den_writer *writer;
    char separator;
};

/* The one that the first lines have most often outside of quotes. */
static char find_separator(const char *text, size_t length)
{
    static const char candidates[] = ",;\t|";
    size_t counts[4] = { 0 }, best = 0, lines = 0;
    bool quoted = false;
    size_t i;

    for (i = 0; i < length && i < 65536 && lines < 20; i++) {
        const char *found = text[i] ? strchr(candidates, text[i]) : NULL;

        if (text[i] == '"')
            quoted = !quoted;
        else if (found && !quoted)
            counts[found - candidates]++;
        lines += text[i] == '\n' && !quoted;
    }
    for (i = 1; i < 4; i++)
        if (counts[i] > counts[best])
            best = i;
    return candidates[best];
}

/* Writes the row at `at`; returns where the next one begins. */
static size_t write_row(struct csv *csv, size_t at)
{
    const char *text = csv->text.text;
    size_t length = csv->text.length;

    for (;;) {
        size_t start = at;

        if (at < length && text[at] == '"') {
            for (start = ++at; at < length; at++) {
                if (text[at] != '"')
                    continue;
                den_writer_text(csv->writer, text + start, at - start);
                start = at + 1;
                if (at + 1 >= length || text[at + 1] != '"')
                    break;
                at++; /* a doubled quote: the second one is text */
                start = at;
            }
            if (at >= length)
                den_writer_text(csv->writer, text + start, at - start);
            else
                at++;
            start = at;
        }
        while (at < length && text[at] != csv->separator && text[at] != '\n' && text[at] != '\r')
            at++;
        if (start < at)
            den_writer_text(csv->writer, text + start, at - start);
        if (at >= length || text[at] != csv->separator)
            break;
        den_writer_break(csv->writer, '\t');
        at++;
    }
    if (at < length && text[at] == '\r')
        at++;
    if (at < length && text[at] == '\n')
        at++;
    return at;
}

static void write_rows(struct csv *csv)
{
    size_t at = 0, block = 0;

    while (at < csv->text.length && !den_writer_failed(csv->writer)) {
        size_t from;

        den_writer_block_begin(csv->writer, DEN_BLOCK_TABLE, 0);
        if (at > 0)
            write_row(csv, 0);
        block = at;
        from = den_decoded_source(&csv->text, block);
        while (at < csv->text.length && !den_writer_is_nearly_full(csv->writer) &&
               !den_writer_failed(csv->writer)) {
            if (at > 0)
                den_writer_break(csv->writer, '\n');
            at = write_row(csv, at);
        }
        den_writer_source(csv->writer, from, den_decoded_source(&csv->text, at));
        den_writer_part_continue(csv->writer);
    }
}

enum den_status den_read_csv(const struct den_input *input, struct den_writer *writer,
                             struct den_error *err)
{
    struct csv csv = { .writer = writer };

    if (den_decode(input->data, input->length, input->charset, &csv.text, err) != DEN_OK)
        return den_fail_at(err, "%s", input->name);
    csv.separator = find_separator(csv.text.text, csv.text.length);
    den_writer_part_begin(writer, DEN_PART_FILE, 0, "");
    write_rows(&csv);
    den_writer_part_end(writer);
    den_decoded_free(&csv.text);
    return den_writer_status(writer, err);
}
