/* See xml.h. */
#include "input/xml.h"

#include <libxml/xmlreader.h>
#include <stdlib.h>
#include <string.h>

struct den_xml {
    xmlTextReaderPtr reader;
    struct den_member *member;
    char *name;
    const char *file;
    enum den_xml_event event;
    bool end_owed; /* of an empty element */
    struct den_error failure;
};

static int read_member(void *context, char *bytes, int length)
{
    return (int)den_member_read(context, bytes, (size_t)length);
}

static int close_member(void *context)
{
    (void)context;
    return 0;
}

static void take_error(void *context, xmlErrorPtr error)
{
    struct den_xml *xml = context;
    size_t length = error->message ? strcspn(error->message, "\n") : 0;

    if (error->level < XML_ERR_ERROR || xml->failure.status != DEN_OK)
        return;
    if (error->domain == XML_FROM_NAMESPACE) /* an undeclared prefix says nothing to us */
        return;
    if (error->code == XML_ERR_NO_MEMORY && error->message && strstr(error->message, "huge"))
        den_fail(&xml->failure, DEN_TOO_LARGE,
                 "%s: '%s' has a text of more than 10 MB in one piece", xml->file, xml->name);
    else if (error->code == XML_ERR_NO_MEMORY)
        den_fail(&xml->failure, DEN_NO_MEMORY, "%s: out of memory", xml->file);
    else
        den_fail(&xml->failure, DEN_BAD_FILE, "%s: '%s' is no valid XML at line %d: %.*s",
                 xml->file, xml->name, error->line, (int)length,
                 error->message ? error->message : "");
}

enum den_status den_xml_open(struct den_package *package, const char *member, struct den_xml **out,
                             struct den_error *err)
{
    struct den_xml *xml = calloc(1, sizeof *xml);

    if (!xml)
        return den_fail(err, DEN_NO_MEMORY, "%s: out of memory", member);
    xml->file = den_package_file(package);
    xml->name = strdup(member);
    if (!xml->name) {
        den_fail(err, DEN_NO_MEMORY, "%s: out of memory", member);
        goto fail;
    }
    if (den_package_member_open(package, member, &xml->member, err) != DEN_OK)
        goto fail;
    xml->reader = xmlReaderForIO(read_member, close_member, xml->member, NULL, NULL,
                                 XML_PARSE_NONET | XML_PARSE_NOWARNING | XML_PARSE_NOCDATA);
    if (!xml->reader) {
        den_fail(err, DEN_NO_MEMORY, "%s: out of memory", member);
        goto fail;
    }
    xmlTextReaderSetStructuredErrorHandler(xml->reader, take_error, xml);
    *out = xml;
    return DEN_OK;
fail:
    den_xml_close(xml, &(struct den_error){ 0 });
    return err->status;
}

static enum den_xml_event fail_entities(struct den_xml *xml)
{
    if (xml->failure.status == DEN_OK)
        den_fail(&xml->failure, DEN_BAD_FILE,
                 "%s: '%s' declares entities of its own, which no such document does", xml->file,
                 xml->name);
    return xml->event = DEN_XML_DONE;
}

static bool has_declarations(xmlTextReaderPtr reader)
{
    const xmlNode *node = xmlTextReaderCurrentNode(reader);

    return node && node->children;
}

enum den_xml_event den_xml_next(struct den_xml *xml)
{
    if (xml->end_owed) {
        xml->end_owed = false;
        return xml->event = DEN_XML_END;
    }
    while (xml->failure.status == DEN_OK && xmlTextReaderRead(xml->reader) == 1) {
        switch (xmlTextReaderNodeType(xml->reader)) {
        case XML_READER_TYPE_ELEMENT:
            xml->end_owed = xmlTextReaderIsEmptyElement(xml->reader) == 1;
            return xml->event = DEN_XML_START;
        case XML_READER_TYPE_END_ELEMENT:
            return xml->event = DEN_XML_END;
        case XML_READER_TYPE_TEXT:
        case XML_READER_TYPE_CDATA:
        case XML_READER_TYPE_SIGNIFICANT_WHITESPACE:
            return xml->event = DEN_XML_TEXT;
        case XML_READER_TYPE_DOCUMENT_TYPE:
            if (has_declarations(xml->reader))
                return fail_entities(xml);
            break;
        case XML_READER_TYPE_ENTITY_REFERENCE:
            return fail_entities(xml);
        default:
            break;
        }
    }
    return xml->event = DEN_XML_DONE;
}

const char *den_xml_name(const struct den_xml *xml)
{
    const xmlChar *name = xmlTextReaderConstLocalName(xml->reader);
    const char *colon = name ? strrchr((const char *)name, ':') : NULL;

    return colon ? colon + 1 : name ? (const char *)name : "";
}

bool den_xml_is(const struct den_xml *xml, const char *name)
{
    return strcmp(den_xml_name(xml), name) == 0;
}

int den_xml_depth(const struct den_xml *xml)
{
    return xmlTextReaderDepth(xml->reader) - (xml->event == DEN_XML_TEXT);
}

const char *den_xml_text(const struct den_xml *xml)
{
    const xmlChar *text = xmlTextReaderConstValue(xml->reader);

    return text ? (const char *)text : "";
}

static bool is_qualified(const struct den_xml *xml)
{
    const char *name = (const char *)xmlTextReaderConstName(xml->reader);

    return name && strchr(name, ':');
}

static bool find_attribute(struct den_xml *xml, const char *name, bool qualified, char *out,
                           size_t capacity)
{
    bool found = false;
    int more = xmlTextReaderMoveToFirstAttribute(xml->reader);

    while (more == 1 && !found) {
        const char *value = (const char *)xmlTextReaderConstValue(xml->reader);

        if (den_xml_is(xml, name) && value && (!qualified || is_qualified(xml))) {
            size_t length = strnlen(value, capacity - 1);

            memcpy(out, value, length);
            out[length] = '\0';
            found = true;
        }
        more = xmlTextReaderMoveToNextAttribute(xml->reader);
    }
    xmlTextReaderMoveToElement(xml->reader);
    return found;
}

bool den_xml_attribute(struct den_xml *xml, const char *name, char *out, size_t capacity)
{
    return find_attribute(xml, name, false, out, capacity);
}

bool den_xml_relation(struct den_xml *xml, char *out, size_t capacity)
{
    return find_attribute(xml, "id", true, out, capacity);
}

long den_xml_attribute_number(struct den_xml *xml, const char *name, long otherwise)
{
    char text[24], *end;
    long value;

    if (!den_xml_attribute(xml, name, text, sizeof text))
        return otherwise;
    value = strtol(text, &end, 10);
    return end == text ? otherwise : value;
}

void den_xml_skip(struct den_xml *xml)
{
    int depth = xmlTextReaderDepth(xml->reader);

    while (den_xml_next(xml) != DEN_XML_DONE)
        if (xml->event == DEN_XML_END && xmlTextReaderDepth(xml->reader) <= depth)
            break;
}

enum den_status den_xml_close(struct den_xml *xml, struct den_error *err)
{
    enum den_status status;

    if (!xml)
        return DEN_OK;
    if (xml->member && den_member_status(xml->member, &xml->failure) != DEN_OK &&
        xml->failure.status == DEN_OK)
        xml->failure.status = DEN_BAD_FILE;
    if (xml->failure.status != DEN_OK)
        *err = xml->failure;
    status = xml->failure.status;
    if (xml->reader)
        xmlFreeTextReader(xml->reader);
    den_member_close(xml->member);
    free(xml->name);
    free(xml);
    return status;
}
