/* A page of HTML: one part, of its main text where it says which that is. */
#include "input/html_blocks.h"

enum den_status den_read_html(const struct den_input *input, struct den_writer *writer,
                              struct den_error *err)
{
    struct den_html_options options = {
        .name = input->name, .charset = input->charset, .only_main = true, .title = true
    };

    den_writer_part_begin(writer, DEN_PART_FILE, 0, "");
    if (den_html_write(writer, input->data, input->length, &options, err) == DEN_OK)
        den_writer_part_end(writer);
    return err->status;
}
