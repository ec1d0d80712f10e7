/* See doctor_library.h. */
#include "cli/doctor_library.h"

#include <stdio.h>

#include "cli/home_files.h"
#include "cli/model_options.h"
#include "desk/library_check.h"

struct report {
    bool as_json;
    json_t *wrong;
};

static void tell(void *context, const char *what, bool repaired)
{
    struct report *report = context;

    if (!report->as_json)
        printf("  %s%s\n", what, repaired ? " (repaired)" : "");
    json_array_append_new(report->wrong,
                          json_pack("{s:s, s:b}", "what", what, "repaired", repaired));
}

static enum den_status conclude(const struct report *report,
                                const struct den_library_health *health, struct den_error *err)
{
    if (report->as_json)
        den_cli_print_json(json_pack("{s:I, s:I, s:I, s:O}", "documents",
                                     (json_int_t)health->documents, "passages",
                                     (json_int_t)health->passages, "originals",
                                     (json_int_t)health->originals, "wrong", report->wrong),
                           err);
    else
        printf("%zu documents, %zu passages, %zu files looked at: %zu things wrong, %zu repaired\n",
               health->documents, health->passages, health->originals, health->wrong,
               health->repaired);
    if (err->status == DEN_OK && health->wrong > health->repaired)
        return den_fail(err, DEN_BAD_FILE, "%zu things are wrong%s",
                        health->wrong - health->repaired,
                        health->repaired > 0 ? " still"
                                             : "; den doctor --repair puts right what "
                                               "can be");
    return err->status;
}

enum den_status den_doctor_library(bool repairs, bool as_json, struct den_error *err)
{
    struct report report = { .as_json = as_json, .wrong = json_array() };
    struct den_library_check check = { .repairs = repairs, .tell = tell, .context = &report };
    struct den_library_health health;
    struct den_cli_home home;

    if (den_cli_home_open(&home, err) == DEN_OK) {
        check.database = home.files.database;
        check.originals = home.originals;
        if (den_library_check(&check, &health, err) == DEN_OK)
            conclude(&report, &health, err);
        den_cli_home_close(&home);
    }
    json_decref(report.wrong);
    return err->status;
}
