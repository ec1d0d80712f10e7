/* EPUB: the pages of its spine in order, each a section that is named by its title. */
#include <stdlib.h>
#include <string.h>

#include "input/html_blocks.h"
#include "input/xml.h"

enum { NAME_BYTES = 1024, ITEMS_MAX = 50000 };

struct manifest_item {
    char *id, *path;
};

struct book {
    struct den_package *package;
    struct den_writer *writer;
    struct den_error *err;
    struct manifest_item *items;
    size_t count;
};

/* The package document that META-INF/container.xml names; freed with free(). */
static char *find_root(struct book *book)
{
    struct den_xml *xml;
    char path[NAME_BYTES] = "";

    if (den_xml_open(book->package, "META-INF/container.xml", &xml, book->err) != DEN_OK)
        return NULL;
    while (!path[0] && den_xml_next(xml) != DEN_XML_DONE)
        if (den_xml_is(xml, "rootfile"))
            den_xml_attribute(xml, "full-path", path, sizeof path);
    if (den_xml_close(xml, book->err) != DEN_OK)
        return NULL;
    if (!path[0] || !den_package_has(book->package, path)) {
        den_fail(book->err, DEN_BAD_FILE, "%s: an EPUB that does not say what is in it",
                 den_package_file(book->package));
        return NULL;
    }
    return strdup(path);
}

/* "%20" and the like, in place; what is behind "#" is dropped. */
static void decode_address(char *address)
{
    char *out = address;

    for (; *address && *address != '#'; address++) {
        unsigned code;
        char hex[3] = "";

        if (*address == '%' && address[1] && address[2]) {
            memcpy(hex, address + 1, 2);
            code = (unsigned)strtoul(hex, NULL, 16);
            if (code > 0) {
                *out++ = (char)code;
                address += 2;
                continue;
            }
        }
        *out++ = *address;
    }
    *out = '\0';
}

static bool add_item(struct book *book, struct den_xml *xml, const char *root)
{
    char id[NAME_BYTES], href[NAME_BYTES];
    struct manifest_item *grown;

    if (book->count >= ITEMS_MAX || !den_xml_attribute(xml, "id", id, sizeof id) ||
        !den_xml_attribute(xml, "href", href, sizeof href))
        return true;
    grown = realloc(book->items, (book->count + 1) * sizeof *grown);
    if (!grown)
        return false;
    book->items = grown;
    decode_address(href);
    grown[book->count] = (struct manifest_item){ strdup(id), den_package_path(root, href) };
    return grown[book->count++].id != NULL;
}

static enum den_status read_chapter(struct book *book, const char *path)
{
    struct den_html_options options = { .name = path, .label = true };
    struct den_member *member = NULL;
    struct den_buffer text;

    den_buffer_init(&text, DEN_DOCUMENT_HTML_MAX);
    if (den_package_member_open(book->package, path, &member, book->err) == DEN_OK &&
        den_member_read_all(member, &text, book->err) == DEN_OK) {
        den_writer_part_begin(book->writer, DEN_PART_SECTION, 0, "");
        if (den_html_write(book->writer, text.data, text.length, &options, book->err) == DEN_OK)
            den_writer_part_end_or_drop(book->writer);
    }
    den_member_close(member);
    den_buffer_deinit(&text);
    return book->err->status;
}

static enum den_status read_spine_item(struct book *book, const char *id)
{
    size_t i;

    for (i = 0; i < book->count; i++)
        if (strcmp(book->items[i].id, id) == 0 && book->items[i].path &&
            den_package_has(book->package, book->items[i].path))
            return read_chapter(book, book->items[i].path);
    den_writer_note(book->writer, "A chapter that the book lists is missing in the file.");
    return DEN_OK;
}

static enum den_status read_book(struct book *book, const char *root)
{
    struct den_xml *xml;
    enum den_xml_event event;

    den_package_facts(book->package, root, book->writer);
    if (den_xml_open(book->package, root, &xml, book->err) != DEN_OK)
        return book->err->status;
    while (book->err->status == DEN_OK && (event = den_xml_next(xml)) != DEN_XML_DONE) {
        char id[NAME_BYTES];

        if (event != DEN_XML_START)
            continue;
        if (den_xml_is(xml, "item") && !add_item(book, xml, root))
            den_fail(book->err, DEN_NO_MEMORY, "%s: out of memory", root);
        else if (den_xml_is(xml, "itemref") && den_xml_attribute(xml, "idref", id, sizeof id))
            read_spine_item(book, id);
    }
    return den_xml_close(xml, book->err);
}

enum den_status den_read_epub(const struct den_input *input, struct den_writer *writer,
                              struct den_error *err)
{
    struct book book = { .writer = writer, .err = err };
    char *root = NULL;
    size_t i;

    if (den_package_open(input, &book.package, err) == DEN_OK)
        root = find_root(&book);
    if (root && read_book(&book, root) == DEN_OK)
        den_writer_status(writer, err);
    for (i = 0; i < book.count; i++) {
        free(book.items[i].id);
        free(book.items[i].path);
    }
    free(book.items);
    free(root);
    den_package_close(book.package);
    return err->status;
}
