/* Plain text and source code: one part; a block is what stands between blank lines.
 *
 * In code a blank line ends a block only before a line that is not indented, so that a function
 * stays whole as far as that shows without knowing the language. */
#include "input/readers.h"

#include <string.h>

#include "input/lines.h"

enum { CODE_BLOCK_BYTES_MAX = 65536 }; /* minified code has no other end */

static bool is_indented(const struct den_line *line)
{
    return line->length > 0 && strchr(" \t})]", line->text[0]);
}

static void write_block(struct den_decoded *decoded, struct den_writer *writer, bool code,
                        size_t start, size_t end)
{
    size_t from = den_decoded_source(decoded, start);

    den_writer_block_begin_verbatim(writer, code ? DEN_BLOCK_CODE : DEN_BLOCK_PARAGRAPH, 0);
    den_writer_source(writer, from, den_decoded_source(decoded, end));
    den_writer_text(writer, decoded->text + start, end - start);
    den_writer_block_end(writer);
}

static void write_blocks(struct den_decoded *decoded, struct den_writer *writer, bool code)
{
    const char *text = decoded->text;
    size_t start = 0, end = 0; /* of the block that is open; empty: none is */
    size_t blank = 0;          /* lines since it */
    size_t at = 0;

    while (at < decoded->length && !den_writer_failed(writer)) {
        struct den_line line = den_line_at(text, decoded->length, at);

        at = line.next;
        if (den_line_is_blank(&line)) {
            blank++;
            continue;
        }
        if (end > start && (blank > 0 || end - start > CODE_BLOCK_BYTES_MAX) &&
            (!code || !is_indented(&line) || end - start > CODE_BLOCK_BYTES_MAX)) {
            write_block(decoded, writer, code, start, end);
            den_writer_gap(writer, blank + 1);
            start = end = line.at;
        }
        if (end == start)
            start = line.at;
        end = line.at + line.length;
        blank = 0;
    }
    if (end > start)
        write_block(decoded, writer, code, start, end);
}

enum den_status den_read_text(const struct den_input *input, struct den_writer *writer,
                              struct den_error *err)
{
    struct den_decoded decoded;

    if (den_decode(input->data, input->length, input->charset, &decoded, err) != DEN_OK)
        return den_fail_at(err, "%s", input->name);
    den_writer_part_begin(writer, DEN_PART_FILE, 0, "");
    write_blocks(&decoded, writer, input->format == DEN_FORMAT_CODE);
    den_writer_part_end(writer);
    den_decoded_free(&decoded);
    return den_writer_status(writer, err);
}
