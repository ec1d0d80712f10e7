/* See desk.h. */
#include "desk/desk.h"

#include <stdlib.h>

struct den_desk {
    struct den_roster *roster;
};

enum den_status den_desk_create(const struct den_desk_options *options, struct den_desk **out,
                                struct den_error *err)
{
    struct den_desk *desk = calloc(1, sizeof *desk);

    if (!desk)
        return den_fail(err, DEN_NO_MEMORY, "desk: out of memory");
    if (den_roster_create(&options->roster, &desk->roster, err) != DEN_OK)
        goto fail;
    *out = desk;
    return DEN_OK;
fail:
    den_desk_destroy(desk);
    return err->status;
}

void den_desk_destroy(struct den_desk *desk)
{
    if (!desk)
        return;
    den_roster_destroy(desk->roster);
    free(desk);
}

struct den_roster *den_desk_roster(const struct den_desk *desk)
{
    return desk->roster;
}
