/* The inside of hub.h: hub.c asks, hub_choose.c picks. */
#ifndef DEN_DESK_HUB_PARTS_H
#define DEN_DESK_HUB_PARTS_H

#include "desk/hub.h"

/* HUB/OWNER/REPO/resolve/main/PATH. */
enum den_status den_hub_address(struct den_hub_file *file, const char *hub, const char *repository,
                                const char *path, struct den_error *err);

#endif
