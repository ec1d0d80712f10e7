/* PowerPoint (.pptx): each slide a part in the order of the show, its speaker's notes as notes.
 *
 * The shape that holds the title is the heading; text of other shapes is paragraphs, of the body
 * placeholder a list; tables are tables. Shapes come in the order of the file, which is the order
 * in which they lie upon each other and mostly that in which they are read. */
#include <stdlib.h>
#include <string.h>

#include "input/xml.h"

enum { TYPE_BYTES = 32, ID_BYTES = 256, SLIDES_MAX = 100000, TEXT_BYTES_MAX = 4 << 20 };

struct slide_shapes {
    struct den_package *package;
    struct den_writer *writer;
    struct den_error *err;
    struct den_xml *xml;
    bool notes; /* of a slide: only the body's text counts */
    enum den_block_kind kind;
    bool is_title, skipped;
    int tables;
    bool row_begun, cell_begun;
    struct den_buffer text;
};

/* What the shape is for, of its placeholder. */
static void take_placeholder(struct slide_shapes *shapes)
{
    char type[TYPE_BYTES] = "";
    bool has_type = den_xml_attribute(shapes->xml, "type", type, sizeof type);

    shapes->is_title = strcmp(type, "title") == 0 || strcmp(type, "ctrTitle") == 0;
    if (!has_type || strcmp(type, "body") == 0 || strcmp(type, "obj") == 0)
        shapes->kind = DEN_BLOCK_LIST;
    if (shapes->notes)
        shapes->skipped = strcmp(type, "body") != 0;
    else
        shapes->skipped =
            strcmp(type, "sldNum") == 0 || strcmp(type, "dt") == 0 || strcmp(type, "ftr") == 0;
}

static void write_paragraph(struct slide_shapes *shapes)
{
    struct den_writer *writer = shapes->writer;
    enum den_block_kind kind = shapes->notes      ? DEN_BLOCK_NOTE
                               : shapes->is_title ? DEN_BLOCK_HEADING
                                                  : shapes->kind;

    if (shapes->tables > 0)
        return; /* the cell writes it */
    if (!shapes->skipped && shapes->text.data[strspn(shapes->text.data, " \t\n")]) {
        if (kind == DEN_BLOCK_HEADING)
            den_writer_label(writer, shapes->text.data);
        if (kind == DEN_BLOCK_LIST && writer->block_count > 0 &&
            writer->blocks[writer->block_count - 1].kind == DEN_BLOCK_LIST)
            den_writer_gap(writer, 1);
        den_writer_block_begin_verbatim(writer, kind, 1);
        if (kind == DEN_BLOCK_LIST)
            den_writer_string(writer, "- ");
        den_writer_text(writer, shapes->text.data, shapes->text.length);
        den_writer_block_end(writer);
    }
    den_buffer_clear(&shapes->text);
}

static void start_element(struct slide_shapes *shapes)
{
    struct den_xml *xml = shapes->xml;

    if (den_xml_is(xml, "sp") || den_xml_is(xml, "graphicFrame")) {
        shapes->kind = DEN_BLOCK_PARAGRAPH;
        shapes->is_title = false;
        shapes->skipped = shapes->notes;
    } else if (den_xml_is(xml, "ph")) {
        take_placeholder(shapes);
    } else if (den_xml_is(xml, "br")) {
        den_buffer_append_byte(&shapes->text, '\n');
    } else if (den_xml_is(xml, "tbl") && shapes->tables++ == 0) {
        den_writer_block_begin(shapes->writer, DEN_BLOCK_TABLE, 0);
        shapes->row_begun = false;
    } else if (shapes->tables > 0 && den_xml_is(xml, "tr")) {
        if (shapes->row_begun)
            den_writer_break(shapes->writer, '\n');
        shapes->row_begun = true;
        shapes->cell_begun = false;
    } else if (shapes->tables > 0 && den_xml_is(xml, "tc")) {
        if (shapes->cell_begun)
            den_writer_break(shapes->writer, '\t');
        shapes->cell_begun = true;
    } else if (shapes->tables > 0 && den_xml_is(xml, "p") && shapes->text.length > 0) {
        den_buffer_append_byte(&shapes->text, ' ');
    }
}

static void end_element(struct slide_shapes *shapes)
{
    struct den_xml *xml = shapes->xml;

    if (den_xml_is(xml, "p")) {
        write_paragraph(shapes);
    } else if (shapes->tables > 0 && den_xml_is(xml, "tc")) {
        den_writer_text(shapes->writer, shapes->text.data, shapes->text.length);
        den_buffer_clear(&shapes->text);
    } else if (shapes->tables > 0 && den_xml_is(xml, "tbl") && --shapes->tables == 0) {
        den_writer_block_end(shapes->writer);
    }
}

static enum den_status read_shapes(struct slide_shapes *shapes, const char *member)
{
    bool in_text = false;
    enum den_xml_event event;

    if (!member || !den_package_has(shapes->package, member))
        return DEN_OK;
    if (den_xml_open(shapes->package, member, &shapes->xml, shapes->err) != DEN_OK)
        return shapes->err->status;
    shapes->tables = 0;
    while ((event = den_xml_next(shapes->xml)) != DEN_XML_DONE &&
           !den_writer_failed(shapes->writer)) {
        char shown[8];

        if (event == DEN_XML_TEXT) {
            if (in_text)
                den_buffer_append_text(&shapes->text, den_xml_text(shapes->xml));
            continue;
        }
        in_text = event == DEN_XML_START && den_xml_is(shapes->xml, "t");
        if (event == DEN_XML_START && den_xml_is(shapes->xml, "sld") &&
            den_xml_attribute(shapes->xml, "show", shown, sizeof shown) && shown[0] == '0')
            den_writer_note(shapes->writer, "The hidden slide %zu was read too.",
                            shapes->writer->part.number);
        if (event == DEN_XML_START && den_xml_is(shapes->xml, "Fallback"))
            den_xml_skip(shapes->xml);
        else if (event == DEN_XML_START)
            start_element(shapes);
        else
            end_element(shapes);
        if (shapes->text.status != DEN_OK)
            den_buffer_clear(&shapes->text);
    }
    return den_xml_close(shapes->xml, shapes->err);
}

static enum den_status read_slide(struct slide_shapes *shapes, const char *member, size_t number)
{
    struct den_relations relations;
    size_t i;

    if (den_relations_read(shapes->package, member, &relations, shapes->err) != DEN_OK)
        return shapes->err->status;
    den_writer_part_begin(shapes->writer, DEN_PART_SLIDE, number, "");
    shapes->notes = false;
    read_shapes(shapes, member);
    for (i = 0; i < relations.count && shapes->err->status == DEN_OK; i++)
        if (strcmp(relations.items[i].type, "diagramData") == 0)
            read_shapes(shapes, relations.items[i].target);
    shapes->notes = true;
    if (shapes->err->status == DEN_OK)
        read_shapes(shapes, den_relations_by_type(&relations, "notesSlide"));
    den_writer_part_end(shapes->writer);
    den_relations_free(&relations);
    return shapes->err->status;
}

static enum den_status read_show(struct slide_shapes *shapes, const char *presentation)
{
    struct den_relations relations;
    struct den_xml *xml = NULL;
    size_t number = 0;
    enum den_xml_event event;

    if (den_relations_read(shapes->package, presentation, &relations, shapes->err) != DEN_OK)
        return shapes->err->status;
    if (den_xml_open(shapes->package, presentation, &xml, shapes->err) == DEN_OK) {
        while ((event = den_xml_next(xml)) != DEN_XML_DONE && shapes->err->status == DEN_OK &&
               number < SLIDES_MAX) {
            char id[ID_BYTES];
            const char *member;

            if (event != DEN_XML_START || !den_xml_is(xml, "sldId") ||
                !den_xml_relation(xml, id, sizeof id))
                continue;
            member = den_relations_by_id(&relations, id);
            number++;
            if (member && den_package_has(shapes->package, member))
                read_slide(shapes, member, number);
        }
        den_xml_close(xml, shapes->err);
    }
    den_relations_free(&relations);
    return shapes->err->status;
}

enum den_status den_read_slides(const struct den_input *input, struct den_writer *writer,
                                struct den_error *err)
{
    struct slide_shapes shapes = { .writer = writer, .err = err };
    char *presentation = NULL;

    den_buffer_init(&shapes.text, TEXT_BYTES_MAX);
    if (den_package_open(input, &shapes.package, err) == DEN_OK)
        presentation = den_package_main(shapes.package, "ppt/presentation.xml", err);
    if (presentation) {
        den_package_facts(shapes.package, "docProps/core.xml", writer);
        if (read_show(&shapes, presentation) == DEN_OK)
            den_writer_status(writer, err);
    }
    free(presentation);
    den_buffer_deinit(&shapes.text);
    den_package_close(shapes.package);
    return err->status;
}
