/* See inside.h: the process's part in packed weights. The descriptors come after those of the
 * model's files; room in a file that is to be filled is asked of the front, which owns the disk. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/json.h"
#include "worker/inside.h"
#include "worker/message.h"

/* The wire is silent while a model is loaded, but for this answer. */
static bool ask_for_room(void *context, uint64_t bytes)
{
    struct den_wire_inbox *inbox = malloc(sizeof *inbox);
    struct den_wire_frame frame = { 0 };
    struct den_error err = { 0 };
    struct den_buffer question;
    bool has_room;

    (void)context;
    if (!inbox)
        return false;
    den_buffer_init(&question, DEN_WIRE_INLINE_BYTES_MAX);
    den_message_put(&question, bytes, 8);
    den_inside_send(DEN_WIRE_NEED_ROOM, 0, &question);
    den_buffer_deinit(&question);
    if (den_wire_receive(DEN_INSIDE_WIRE, false, inbox, &frame, &err) != DEN_OK ||
        frame.kind != DEN_WIRE_ROOM || frame.length != 1)
        _exit(0); /* the front is gone */
    has_room = frame.payload[0] == 1;
    den_wire_release(&frame);
    free(inbox);
    return has_room;
}

enum den_status den_inside_packed_open(const json_t *document, size_t open_files,
                                       struct den_inside_packed *out, struct den_error *err)
{
    const json_t *given = json_object_get(document, "packed");
    int next = DEN_INSIDE_WIRE + 1 + (int)open_files;
    struct den_packed_place place = { .finished = -1, .unfinished = -1, .make_room = ask_for_room };

    place.files = (uint64_t)json_integer_value(json_object_get(given, "files"));
    place.is_trusted = json_is_true(json_object_get(given, "trusted"));
    if (json_is_true(json_object_get(given, "finished")))
        place.finished = next++;
    if (json_is_true(json_object_get(given, "unfinished")))
        place.unfinished = next++;
    out->finished = place.finished;
    out->unfinished = place.unfinished;
    return den_packed_store_create(&place, &out->store, err);
}

const char *den_inside_packed_close(struct den_inside_packed *packed)
{
    if (packed->finished >= 0)
        close(packed->finished);
    if (packed->unfinished >= 0)
        close(packed->unfinished);
    packed->finished = packed->unfinished = -1;
    return den_packed_state_text(den_packed_store_state(packed->store));
}
