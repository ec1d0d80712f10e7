/* XML, pulled event by event: what the readers of office formats share.
 *
 * Memory stays bounded whatever the document's size; nesting is bounded by libxml2 itself (256). No
 * network, no files, and a document that declares entities is refused: none of these formats do. */
#ifndef DEN_INPUT_XML_H
#define DEN_INPUT_XML_H

#include "input/package.h"

enum den_xml_event { DEN_XML_DONE, DEN_XML_START, DEN_XML_END, DEN_XML_TEXT };

struct den_xml;

enum den_status den_xml_open(struct den_package *package, const char *member, struct den_xml **out,
                             struct den_error *err);
/* DEN_XML_DONE at the end and on failure. An empty element gives a start and an end. */
enum den_xml_event den_xml_next(struct den_xml *xml);
/* Of the element that starts or ends; without its prefix. */
const char *den_xml_name(const struct den_xml *xml);
bool den_xml_is(const struct den_xml *xml, const char *name);
/* How deep the element lies that started, ended, or holds the text; the outermost: 0. */
int den_xml_depth(const struct den_xml *xml);
const char *den_xml_text(const struct den_xml *xml);
/* The attribute `name`, whatever its prefix, into `out`, cut to `capacity`; false: none. */
bool den_xml_attribute(struct den_xml *xml, const char *name, char *out, size_t capacity);
/* The id of a relationship ("r:id"), where the element has an "id" of its own too. */
bool den_xml_relation(struct den_xml *xml, char *out, size_t capacity);
long den_xml_attribute_number(struct den_xml *xml, const char *name, long otherwise);
/* Passes over what is inside the element that has just started, and its end. */
void den_xml_skip(struct den_xml *xml);
/* The failure, if there was one; closes. */
enum den_status den_xml_close(struct den_xml *xml, struct den_error *err);

#endif
