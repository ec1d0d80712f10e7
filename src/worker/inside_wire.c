/* See inside.h: the process itself, its threads and how they speak. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/json.h"
#include "worker/inside.h"
#include "worker/message.h"
#include "worker/process.h"

/* Ends at once: exit handlers are nothing for a locked process, and nobody reads what they say. */
__attribute__((noreturn)) static void leave(void)
{
    _exit(0);
}

void den_inside_check(const struct den_buffer *payload)
{
    if (payload->status != DEN_OK)
        _exit(den_status_exit(DEN_NO_MEMORY));
}

void den_inside_send(enum den_wire_kind kind, uint64_t id, const struct den_buffer *payload)
{
    struct den_wire_frame frame = { .kind = kind, .id = id };
    struct den_error err = { 0 };

    if (payload) {
        den_inside_check(payload);
        frame.payload = (const unsigned char *)payload->data;
        frame.length = payload->length;
    }
    if (den_wire_send(DEN_INSIDE_WIRE, &frame, &err) != DEN_OK)
        leave();
}

void den_inside_refuse(uint64_t id, const struct den_error *error)
{
    struct den_buffer payload;

    den_buffer_init(&payload, DEN_WIRE_INLINE_BYTES_MAX);
    den_message_put_error(&payload, error);
    den_inside_send(DEN_WIRE_REFUSED, id, &payload);
    den_buffer_deinit(&payload);
}

const struct den_tokenizer *den_inside_tokenizer(const struct den_inside *inside)
{
    return inside->engine ? den_engine_tokenizer(inside->engine)
                          : den_embedder_tokenizer(inside->embedder);
}

/* --- clerks --- */

static void free_task(struct den_inside_task *task)
{
    den_wire_release(&task->frame);
    free(task->copy);
    free(task);
}

static void do_task(struct den_inside *inside, const struct den_wire_frame *frame)
{
    switch (frame->kind) {
    case DEN_WIRE_SUBMIT:
        den_inside_submit(inside, frame);
        break;
    case DEN_WIRE_TOKENIZE:
        den_inside_tokenize(inside, frame);
        break;
    case DEN_WIRE_DETOKENIZE:
        den_inside_detokenize(inside, frame);
        break;
    case DEN_WIRE_TEMPLATE:
        den_inside_template(inside, frame);
        break;
    default:
        den_inside_embed(inside, frame);
        break;
    }
}

static void *be_clerk(void *context)
{
    struct den_inside *inside = context;

    for (;;) {
        struct den_inside_answer *ended;
        struct den_inside_task *task = NULL;

        pthread_mutex_lock(&inside->lock);
        while (!inside->first && !inside->ended)
            pthread_cond_wait(&inside->work, &inside->lock);
        ended = den_inside_take_ended(inside);
        if (!ended) {
            task = inside->first;
            inside->first = task->next;
            if (!inside->first)
                inside->last = NULL;
        }
        pthread_mutex_unlock(&inside->lock);
        if (ended) {
            den_inside_free_answer(ended);
        } else {
            do_task(inside, &task->frame);
            free_task(task);
        }
    }
    return NULL;
}

/* Puts the frame in the clerks' line; its payload, where it is in the inbox, is copied. */
static void hand_on(struct den_inside *inside, const struct den_wire_frame *frame)
{
    struct den_inside_task *task = calloc(1, sizeof *task);

    if (!task)
        leave();
    task->frame = *frame;
    if (!frame->is_mapped) {
        task->copy = malloc(frame->length + 1);
        if (!task->copy)
            leave();
        memcpy(task->copy, frame->payload, frame->length);
        task->frame.payload = task->copy;
    }
    pthread_mutex_lock(&inside->lock);
    if (inside->last)
        inside->last->next = task;
    else
        inside->first = task;
    inside->last = task;
    pthread_cond_signal(&inside->work);
    pthread_mutex_unlock(&inside->lock);
}

/* --- the reader --- */

static void receive(struct den_wire_inbox *inbox, struct den_wire_frame *out)
{
    struct den_error err = { 0 };

    if (den_wire_receive(DEN_INSIDE_WIRE, false, inbox, out, &err) != DEN_OK)
        leave();
}

static void read_frames(struct den_inside *inside, struct den_wire_inbox *inbox)
{
    for (;;) {
        struct den_wire_frame frame;

        receive(inbox, &frame);
        if (frame.kind == DEN_WIRE_LOAD) { /* once is enough */
            leave();
        } else if (frame.kind == DEN_WIRE_PING) {
            den_inside_send(DEN_WIRE_PONG, 0, NULL);
            den_wire_release(&frame);
        } else if (frame.kind == DEN_WIRE_CANCEL) {
            den_inside_cancel(inside, frame.id);
            den_wire_release(&frame);
        } else {
            if (frame.kind == DEN_WIRE_SUBMIT && !den_inside_expect(inside, frame.id))
                leave();
            hand_on(inside, &frame);
        }
    }
}

static void start_clerks(struct den_inside *inside)
{
    pthread_t thread;
    int i;

    for (i = 0; i < DEN_INSIDE_CLERKS; i++)
        if (pthread_create(&thread, NULL, be_clerk, inside) != 0)
            leave();
}

static void serve(void)
{
    static struct den_wire_inbox inbox;
    static struct den_inside inside;
    struct den_wire_frame frame;
    struct den_error err = { 0 };
    struct den_buffer text;
    json_t *info = NULL;

    pthread_mutex_init(&inside.lock, NULL);
    pthread_cond_init(&inside.work, NULL);
    receive(&inbox, &frame);
    den_buffer_init(&text, DEN_WIRE_PAYLOAD_BYTES_MAX);
    if (frame.kind != DEN_WIRE_LOAD)
        leave();
    if (den_inside_load(&inside, &frame, &info, &err) != DEN_OK ||
        den_json_write(info, &text, &err) != DEN_OK) {
        den_inside_refuse(0, &err);
        leave();
    }
    den_wire_release(&frame);
    den_inside_send(DEN_WIRE_READY, 0, &text);
    den_buffer_deinit(&text);
    json_decref(info);
    start_clerks(&inside);
    read_frames(&inside, &inbox);
}

void den_worker_serve_if_asked(int argc, char **argv)
{
    int type = 0;
    socklen_t length = sizeof type;

    if (argc != 2 || strcmp(argv[1], "worker") != 0 ||
        getsockopt(DEN_INSIDE_WIRE, SOL_SOCKET, SO_TYPE, &type, &length) != 0 ||
        type != SOCK_SEQPACKET)
        return;
    serve();
    leave();
}
