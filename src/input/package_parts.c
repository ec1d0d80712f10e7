/* What all office formats keep in the same way: relationships and facts (package.h). */
#include <stdlib.h>
#include <string.h>

#include "input/dates.h"
#include "input/xml.h"

enum { RELATIONS_MAX = 200000, ATTRIBUTE_BYTES = 1024 };

/* "word/document.xml" has its relationships in "word/_rels/document.xml.rels". */
static char *relations_member(const char *name)
{
    const char *slash = strrchr(name, '/');
    size_t folder = slash ? (size_t)(slash - name) + 1 : 0;
    struct den_buffer text;
    char *made;

    den_buffer_init(&text, 65536);
    den_buffer_append(&text, name, folder);
    den_buffer_append_text(&text, "_rels/");
    den_buffer_append_text(&text, name + folder);
    den_buffer_append_text(&text, ".rels");
    made = den_buffer_take(&text);
    den_buffer_deinit(&text);
    return made;
}

static enum den_status keep_relation(struct den_relations *relations, struct den_xml *xml,
                                     const char *base, struct den_error *err)
{
    char id[ATTRIBUTE_BYTES], type[ATTRIBUTE_BYTES], target[ATTRIBUTE_BYTES], mode[16];
    const char *slash;
    struct den_relation *grown, *item;

    if (!den_xml_attribute(xml, "Id", id, sizeof id) ||
        !den_xml_attribute(xml, "Type", type, sizeof type) ||
        !den_xml_attribute(xml, "Target", target, sizeof target) ||
        (den_xml_attribute(xml, "TargetMode", mode, sizeof mode) && strcmp(mode, "External") == 0))
        return DEN_OK;
    if (relations->count >= RELATIONS_MAX)
        return den_fail(err, DEN_TOO_LARGE, "%s: more than %d relationships", base, RELATIONS_MAX);
    grown = realloc(relations->items, (relations->count + 1) * sizeof *grown);
    if (!grown)
        return den_fail(err, DEN_NO_MEMORY, "%s: out of memory", base);
    relations->items = grown;
    slash = strrchr(type, '/');
    item = &relations->items[relations->count];
    item->id = strdup(id);
    item->type = strdup(slash ? slash + 1 : type);
    item->target = den_package_path(base, target);
    relations->count++;
    return item->id && item->type ? DEN_OK
                                  : den_fail(err, DEN_NO_MEMORY, "%s: out of memory", base);
}

enum den_status den_relations_read(struct den_package *package, const char *name,
                                   struct den_relations *out, struct den_error *err)
{
    struct den_relations relations = { 0 };
    struct den_xml *xml = NULL;
    char *member = relations_member(name);

    *out = relations;
    if (!member)
        return den_fail(err, DEN_NO_MEMORY, "%s: out of memory", name);
    if (den_package_has(package, member) && den_xml_open(package, member, &xml, err) == DEN_OK) {
        while (den_xml_next(xml) != DEN_XML_DONE)
            if (den_xml_is(xml, "Relationship") &&
                keep_relation(&relations, xml, name, err) != DEN_OK)
                break;
        den_xml_close(xml, err);
    }
    free(member);
    if (err->status != DEN_OK)
        den_relations_free(&relations);
    else
        *out = relations;
    return err->status;
}

void den_relations_free(struct den_relations *relations)
{
    size_t i;

    for (i = 0; i < relations->count; i++) {
        free(relations->items[i].id);
        free(relations->items[i].type);
        free(relations->items[i].target);
    }
    free(relations->items);
    *relations = (struct den_relations){ 0 };
}

const char *den_relations_by_id(const struct den_relations *relations, const char *id)
{
    size_t i;

    for (i = 0; i < relations->count; i++)
        if (relations->items[i].target && strcmp(relations->items[i].id, id) == 0)
            return relations->items[i].target;
    return NULL;
}

const char *den_relations_by_type(const struct den_relations *relations, const char *type)
{
    size_t i;

    for (i = 0; i < relations->count; i++)
        if (relations->items[i].target && strcmp(relations->items[i].type, type) == 0)
            return relations->items[i].target;
    return NULL;
}

char *den_package_main(struct den_package *package, const char *usual, struct den_error *err)
{
    struct den_relations relations;
    const char *named;
    char *made;

    if (den_relations_read(package, "", &relations, err) != DEN_OK)
        return NULL;
    named = den_relations_by_type(&relations, "officeDocument");
    made = strdup(named && den_package_has(package, named) ? named : usual);
    den_relations_free(&relations);
    if (!made)
        den_fail(err, DEN_NO_MEMORY, "%s: out of memory", usual);
    return made;
}

/* --- facts --- */

static void take_fact(struct den_writer *writer, const char *name, const char *text)
{
    if (strcmp(name, "title") == 0)
        den_writer_title(writer, text);
    else if (strcmp(name, "creator") == 0 || strcmp(name, "initial-creator") == 0)
        den_writer_author(writer, text);
    else if ((strcmp(name, "created") == 0 || strcmp(name, "creation-date") == 0 ||
              strcmp(name, "date") == 0) &&
             !writer->inside && writer->created == 0)
        writer->created = den_date_milliseconds(text);
}

void den_package_facts(struct den_package *package, const char *name, struct den_writer *writer)
{
    struct den_error ignored = { 0 }; /* facts are no reason to fail */
    struct den_xml *xml;
    char element[32] = "";

    if (!den_package_has(package, name) || den_xml_open(package, name, &xml, &ignored) != DEN_OK)
        return;
    for (;;) {
        enum den_xml_event event = den_xml_next(xml);

        if (event == DEN_XML_DONE)
            break;
        if (event == DEN_XML_START)
            strncpy(element, den_xml_name(xml), sizeof element - 1);
        else if (event == DEN_XML_TEXT)
            take_fact(writer, element, den_xml_text(xml));
        else
            element[0] = '\0';
    }
    den_xml_close(xml, &ignored);
}
