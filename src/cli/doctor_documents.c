/* See doctor_documents.h. */
#include "cli/doctor_documents.h"

#include <stdio.h>
#include <string.h>

#include "desk/reading_tools.h"
#include "guard/sandbox_program.h"
#include "guard/sandbox_report.h"

void den_doctor_documents_print(void)
{
    struct den_reading_tool tools[DEN_READING_TOOLS];
    struct den_sandbox_report report;
    struct den_error err = { 0 };
    char languages[512];
    size_t i;

    den_reading_tools_find(tools);
    den_reading_languages(languages, sizeof languages);
    printf("\nDocuments\n");
    for (i = 0; i < DEN_READING_TOOLS; i++)
        if (tools[i].is_there)
            printf("  %-22s yes\n", tools[i].name);
        else
            printf("  %-22s no: %s; apt install %s\n", tools[i].name, tools[i].without,
                   tools[i].package);
    printf("  %-22s %s\n", "languages of scans",
           *languages ? languages : "none; apt install tesseract-ocr-eng tesseract-ocr-chi-sim");
    if (den_sandbox_program_probe(&report, &err) != DEN_OK)
        printf("  %-22s %s\n", "their sandbox", err.message);
    else
        printf("  %-22s %s\n", "their sandbox", den_sandbox_level_text(report.level));
}

static json_t *list_languages(void)
{
    json_t *list = json_array();
    char languages[512];
    const char *at = languages;

    den_reading_languages(languages, sizeof languages);
    while (*at) {
        size_t length = strcspn(at, "+");

        json_array_append_new(list, json_stringn(at, length));
        at += length + (at[length] == '+');
    }
    return list;
}

json_t *den_doctor_documents_json(void)
{
    struct den_reading_tool tools[DEN_READING_TOOLS];
    struct den_sandbox_report report;
    struct den_error err = { 0 };
    json_t *list = json_array();
    size_t i;

    den_reading_tools_find(tools);
    for (i = 0; i < DEN_READING_TOOLS; i++)
        json_array_append_new(list,
                              json_pack("{s:s, s:s, s:b}", "name", tools[i].name, "package",
                                        tools[i].package, "installed", (int)tools[i].is_there));
    return json_pack("{s:o, s:o, s:o}", "tools", list, "languages", list_languages(), "sandbox",
                     den_sandbox_program_probe(&report, &err) == DEN_OK
                         ? den_sandbox_report_json(&report)
                         : json_null());
}
