/* XML events, through a package of one member. */
#include "test.h"

#include <string.h>
#include <zip.h>

#include "input/xml.h"

/* A zip with `text` as a.xml; freed with free(). */
static char *pack(const char *text, size_t *out_length)
{
    zip_source_t *source = zip_source_buffer_create(NULL, 0, 0, NULL);
    zip_t *zip = zip_open_from_source(source, ZIP_TRUNCATE, NULL);
    zip_stat_t about;
    char *bytes;

    zip_source_keep(source);
    zip_file_add(zip, "a.xml", zip_source_buffer(zip, text, strlen(text), 0), 0);
    assert_int_equal(zip_close(zip), 0);
    zip_source_stat(source, &about);
    bytes = malloc(about.size);
    zip_source_open(source);
    assert_int_equal(zip_source_read(source, bytes, about.size), about.size);
    zip_source_close(source);
    zip_source_free(source);
    *out_length = about.size;
    return bytes;
}

/* The events as "<a x=1>text</a>"; "!" and the message where it fails. */
static const char *events(const char *text)
{
    static struct den_buffer out;
    struct den_error err = { 0 };
    struct den_input input = { .name = "f" };
    struct den_package *package;
    uint64_t inflated = 0;
    struct den_xml *xml;
    enum den_xml_event event;
    char *bytes = pack(text, &input.length);

    if (out.length_max == 0)
        den_buffer_init(&out, 65536);
    den_buffer_clear(&out);
    input.data = bytes;
    input.inflated = &inflated;
    assert_int_equal(den_package_open(&input, &package, &err), DEN_OK);
    assert_int_equal(den_xml_open(package, "a.xml", &xml, &err), DEN_OK);
    while ((event = den_xml_next(xml)) != DEN_XML_DONE) {
        char value[8];

        if (event == DEN_XML_TEXT)
            den_buffer_append_text(&out, den_xml_text(xml));
        else
            den_buffer_appendf(&out, "<%s%d%s", event == DEN_XML_END ? "/" : "", den_xml_depth(xml),
                               den_xml_name(xml));
        if (event == DEN_XML_START && den_xml_attribute(xml, "x", value, sizeof value))
            den_buffer_appendf(&out, " %s", value);
        if (event != DEN_XML_TEXT)
            den_buffer_append_byte(&out, '>');
        if (event == DEN_XML_START && den_xml_is(xml, "skip"))
            den_xml_skip(xml);
    }
    if (den_xml_close(xml, &err) != DEN_OK)
        den_buffer_appendf(&out, "!%s", err.message);
    den_package_close(package);
    free(bytes);
    return out.data;
}

static void gives_events(void **state)
{
    assert_string_equal(events("<w:a xmlns:w='w' w:x='1'>t&amp;<b/><![CDATA[<c>]]></w:a>"),
                        "<0a 1>t&<1b></1b><c></0a>");
    assert_string_equal(events("<a><skip><b>no</b></skip><skip/><c x='123456789'/></a>"),
                        "<0a><1skip><1skip><1c 1234567></1c></0a>");
    assert_string_equal(events("<q:a><q:b/></q:a>"), "<0a><1b></1b></0a>");
}

static void tells_failures(void **state)
{
    assert_non_null(strstr(events("<a><b></a>"), "!f: 'a.xml' is no valid XML at line 1"));
    assert_non_null(strstr(events(""), "!f: 'a.xml'"));
    assert_non_null(strstr(events("<!DOCTYPE a [<!ENTITY e 'x'>]><a>&e;</a>"), "entities"));
    assert_string_equal(events("<!DOCTYPE a><a>ok</a>"), "<0a>ok</0a>");
}

int input_test_xml(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gives_events),
        cmocka_unit_test(tells_failures),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
