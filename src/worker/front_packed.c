/* See front.h: the front's part in packed weights. Files are opened before a process is started and
 * go to it as descriptors; the process says which room it needs, and with READY what became of
 * them. Syncing a file that is complete can take seconds, so a thread of its own does it while the
 * keeper goes on; the next start waits for it.
 *
 * What a process says of packed files is believed as far as it harms nobody: it may ask for room
 * once, in reason, and it may have its own model's packed file removed. */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "worker/front.h"

void den_front_packed_open(struct den_worker *worker, const struct den_model_files *files)
{
    struct den_front_packed *packed = &worker->packed;

    den_front_packed_wait(worker);
    packed->has_asked = false;
    if (worker->options.fp32)
        packed->files = (struct den_packed_files){ .finished = -1, .unfinished = -1 };
    else
        den_packed_files_open(worker->model_path, files, &packed->files);
}

size_t den_front_packed_descriptors(const struct den_worker *worker, int out[2])
{
    const struct den_packed_files *files = &worker->packed.files;
    size_t count = 0;

    if (files->finished >= 0)
        out[count++] = files->finished;
    if (files->unfinished >= 0)
        out[count++] = files->unfinished;
    return count;
}

json_t *den_front_packed_describe(const struct den_worker *worker)
{
    const struct den_front_packed *packed = &worker->packed;
    const struct den_packed_files *files = &packed->files;

    return json_pack("{s:I, s:b, s:b, s:b}", "files", (json_int_t)files->files, "finished",
                     files->finished >= 0, "unfinished", files->unfinished >= 0, "trusted",
                     files->finished >= 0 && packed->trusted_stamp == files->finished_stamp);
}

bool den_front_packed_take_room(struct den_worker *worker, const struct den_wire_frame *frame)
{
    struct den_message_reader reader = den_message_reader(frame->payload, frame->length);
    uint64_t bytes = den_message_get(&reader, 8);
    unsigned char made;
    const struct den_wire_frame reply = { .kind = DEN_WIRE_ROOM, .payload = &made, .length = 1 };
    struct den_error ignored = { 0 };

    if (!den_message_is_whole(&reader) || frame->id != 0 || worker->packed.has_asked ||
        worker->state != DEN_WORKER_LOADING)
        return false;
    worker->packed.has_asked = true;
    made = den_packed_files_make_room(&worker->packed.files, bytes);
    den_wire_send(worker->socket, &reply, &ignored); /* a dead process needs none */
    return true;
}

static void *finish(void *context)
{
    struct den_front_packed *packed = context;
    struct den_error ignored = { 0 }; /* the next process tries again */

    den_packed_files_finish(&packed->finishing, &ignored);
    return NULL;
}

/* The descriptor goes to the thread. */
static void begin_finishing(struct den_front_packed *packed)
{
    packed->finishing = packed->files;
    packed->finishing.finished = -1;
    packed->is_finishing = pthread_create(&packed->finisher, NULL, finish, packed) == 0;
    if (packed->is_finishing)
        packed->files.unfinished = -1;
}

void den_front_packed_ready(struct den_worker *worker, const char *state)
{
    struct den_front_packed *packed = &worker->packed;

    packed->state = DEN_PACKED_NONE;
    while (packed->state < DEN_PACKED_STATES &&
           strcmp(state, den_packed_state_text(packed->state)) != 0)
        packed->state++;
    if (packed->state == DEN_PACKED_STATES || packed->state == DEN_PACKED_FILLING)
        packed->state = DEN_PACKED_NONE;
    if (packed->state == DEN_PACKED_MAPPED)
        packed->trusted_stamp = packed->files.finished_stamp;
    if (packed->state == DEN_PACKED_BAD)
        den_packed_files_reject(&packed->files);
    if (packed->state == DEN_PACKED_MADE && packed->files.unfinished >= 0 && packed->has_asked)
        begin_finishing(packed);
    den_packed_files_close(&packed->files);
}

void den_front_packed_close(struct den_worker *worker)
{
    den_packed_files_close(&worker->packed.files);
    worker->packed.state = DEN_PACKED_NONE;
}

void den_front_packed_wait(struct den_worker *worker)
{
    if (worker->packed.is_finishing)
        pthread_join(worker->packed.finisher, NULL);
    worker->packed.is_finishing = false;
}
