/* Reports as files: CSV that no spreadsheet runs, Markdown with its sources. */
#include "test.h"

#include <string.h>

#include "desk/report_export.h"

static const char table[] =
    "{'title':'Table of House','kind':'table','columns':[{'name':'Amount'},{'name':'Note, short'}],"
    "'result':{'rows':["
    "{'document':'d1','name':'a.pdf','cells':[{'text':'340.50 euros','passage':0,'supported':true},"
    "{'text':'=HYPERLINK(1)','passage':1,'supported':false}]},"
    "{'document':'d2','name':'-b|c.txt','cells':[{'text':'1,275','passage':null,'supported':false},"
    "{'text':'says \\\"no\\\"\\nand @home','passage':null,'supported':false}]}],"
    "'passages':[{'name':'a.pdf','part':{'kind':'page','number':7}},"
    "{'name':'a.pdf','part':{'kind':'file','number':1}}]}}";

static json_t *parse(const char *text)
{
    char copy[2048];
    size_t i;
    json_t *value;

    for (i = 0; text[i]; i++)
        copy[i] = text[i] == '\'' ? '"' : text[i];
    copy[i] = '\0';
    value = json_loads(copy, 0, NULL);
    assert_non_null(value);
    return value;
}

static void csv_is_quoted_and_defused(void **state)
{
    json_t *report = parse(table);
    struct den_buffer out;

    (void)state;
    den_buffer_init(&out, 4096);
    den_report_write_csv(report, &out);
    assert_string_equal(out.data,
                        "Document,Amount,\"Note, short\",Sources\r\n"
                        "a.pdf,340.50 euros,'=HYPERLINK(1),\"Amount: page 7; Note, short: (not "
                        "supported)\"\r\n"
                        "'-b|c.txt,\"1,275\",\"says \"\"no\"\"\nand @home\",\r\n");
    den_buffer_deinit(&out);
    json_decref(report);
}

static void formulas_are_defused_wherever_they_begin(void **state)
{
    static const char *const cells[] = { "=1", "+1", "-1", "@a", "\\t=1", "\\r=1" };
    char text[512];
    size_t i;

    (void)state;
    for (i = 0; i < sizeof cells / sizeof cells[0]; i++) {
        struct den_buffer out;
        json_t *report;

        snprintf(text, sizeof text,
                 "{'columns':[{'name':'A'}],'result':{'rows':[{'name':'d','cells':[{'text':'%s'}]}]"
                 ",'passages':[]}}",
                 cells[i]);
        report = parse(text);
        den_buffer_init(&out, 4096);
        den_report_write_csv(report, &out);
        assert_true(strstr(out.data, ",'") || strstr(out.data, ",\"'"));
        den_buffer_deinit(&out);
        json_decref(report);
    }
}

static void a_table_is_markdown(void **state)
{
    json_t *report = parse(table);
    struct den_buffer out;

    (void)state;
    den_buffer_init(&out, 4096);
    den_report_write_markdown(report, &out);
    assert_non_null(strstr(out.data, "# Table of House\n\n| Document | Amount | Note, short |\n"
                                     "|---|---|---|\n| a.pdf | 340.50 euros [1] |"));
    assert_non_null(strstr(out.data, "| -b\\|c.txt | 1,275 | says \"no\" and @home |\n"));
    assert_non_null(strstr(out.data, "\n[1] a.pdf, page 7  \n[2] a.pdf  \n"));
    den_buffer_deinit(&out);
    json_decref(report);
}

static void a_text_is_markdown(void **state)
{
    json_t *report = parse("{'title':'S','result':{'text':'It is so. [1]','passages':[{'name':"
                           "'x.pdf','part':{'kind':'page','number':2}}]}}");
    struct den_buffer out;

    (void)state;
    den_buffer_init(&out, 4096);
    den_report_write_markdown(report, &out);
    assert_string_equal(out.data, "# S\n\nIt is so. [1]\n\n[1] x.pdf, page 2  \n");
    den_buffer_deinit(&out);
    json_decref(report);
}

int desk_test_report_export(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(csv_is_quoted_and_defused),
        cmocka_unit_test(formulas_are_defused_wherever_they_begin),
        cmocka_unit_test(a_table_is_markdown),
        cmocka_unit_test(a_text_is_markdown),
    };

    (void)argc;
    (void)argv;
    return cmocka_run_group_tests_name("desk/report_export", tests, NULL, NULL);
}
