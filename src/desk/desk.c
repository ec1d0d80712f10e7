/* See desk.h. */
#include "desk/desk.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

struct den_desk {
    struct den_worker *worker;
    struct den_desk_model model;
};

enum den_status den_desk_create(struct den_worker *worker, struct den_desk **out,
                                struct den_error *err)
{
    struct den_desk *desk = calloc(1, sizeof *desk);
    const struct den_worker_info *info = den_worker_info(worker);

    if (!desk)
        return den_fail(err, DEN_NO_MEMORY, "desk: out of memory");
    desk->worker = worker;
    desk->model = (struct den_desk_model){ .name = info->model_name,
                                           .info = info,
                                           .loaded_at = den_clock_unix() };
    *out = desk;
    return DEN_OK;
}

void den_desk_destroy(struct den_desk *desk)
{
    free(desk);
}

size_t den_desk_model_count(const struct den_desk *desk)
{
    (void)desk;
    return 1;
}

const struct den_desk_model *den_desk_model(const struct den_desk *desk, size_t index)
{
    return index == 0 ? &desk->model : NULL;
}

enum den_status den_desk_find_model(const struct den_desk *desk, const char *name,
                                    const struct den_desk_model **out, struct den_error *err)
{
    if (name && *name && strcmp(name, desk->model.name) != 0)
        return den_fail(err, DEN_NOT_FOUND, "the model '%.128s' is not served here; '%s' is", name,
                        desk->model.name);
    *out = &desk->model;
    return DEN_OK;
}

enum den_status den_desk_chat(struct den_desk *desk, const struct den_worker_request *request,
                              den_worker_handler handler, void *context, struct den_ticket **out,
                              struct den_error *err)
{
    if (den_desk_check_messages(request->messages, err) != DEN_OK)
        return err->status;
    return den_worker_submit(desk->worker, request, handler, context, out, err);
}
