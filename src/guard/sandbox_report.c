/* See sandbox_report.h. */
#include "guard/sandbox_report.h"

json_t *den_sandbox_report_json(const struct den_sandbox_report *report)
{
    json_t *walls = json_array();
    size_t i;

    for (i = 0; i < report->wall_count; i++) {
        const struct den_sandbox_wall *wall = &report->walls[i];

        json_array_append_new(walls, json_pack("{s:s, s:b, s:s}", "name", wall->name, "up",
                                               (int)wall->up, "why", wall->why));
    }
    return json_pack("{s:s, s:o}", "level", den_sandbox_level_text(report->level), "walls", walls);
}
