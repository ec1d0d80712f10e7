/* rooms: worker schedule guard base */
/* Both ends of the wire. The first byte chooses: 0, a process that was taken over talks to the
 * front (frames, each after its length in two bytes, meet a handle with a request and two
 * questions, and the teller delivers what came of them); 1, a front's request meets the worker;
 * 2, single messages. */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "worker/front.h"
#include "worker/request_json.h"
#include "worker/worker_request.h"

static volatile size_t sum; /* keeps the reads */

static void read_text(const char *text, size_t length)
{
    size_t i;

    for (i = 0; i < length; i++)
        sum += (unsigned char)text[i];
}

static void on_event(void *context, const struct den_worker_event *event)
{
    size_t *ends = context, i;

    if (*ends > 0)
        abort(); /* END is the last */
    read_text(event->text, event->text_length);
    if (event->tool_id)
        read_text(event->tool_id, strlen(event->tool_id));
    if (event->tool_name)
        read_text(event->tool_name, strlen(event->tool_name));
    for (i = 0; i < event->top_count; i++)
        read_text(event->top[i].text, event->top[i].length);
    if (event->kind != DEN_WORKER_END)
        return;
    read_text(event->finish, strlen(event->finish));
    if ((strcmp(event->finish, "error") == 0) != (event->error != NULL))
        abort();
    *ends += 1;
}

static struct den_ticket *add(struct den_worker *worker, enum den_wire_kind kind)
{
    struct den_ticket *ticket = calloc(1, sizeof *ticket);

    if (!ticket)
        abort();
    ticket->kind = kind;
    ticket->handler = on_event;
    den_buffer_init(&ticket->reply, DEN_WIRE_PAYLOAD_BYTES_MAX);
    den_front_add(worker, ticket);
    ticket->is_sent = true;
    return ticket;
}

static void meet_front(const uint8_t *data, size_t size)
{
    struct den_worker worker = { .next_id = 1, .state = DEN_WORKER_READY, .wake = -1 };
    struct den_ticket *ticket, *questions[2], *out = NULL;
    bool is_sound = true;
    size_t ends = 0;

    if (size > 0 && data[0] & 1)
        worker.state = DEN_WORKER_LOADING;
    pthread_mutex_init(&worker.lock, NULL);
    pthread_cond_init(&worker.changed, NULL);
    pthread_cond_init(&worker.told, NULL);
    ticket = add(&worker, DEN_WIRE_SUBMIT);
    ticket->context = &ends;
    ticket->out = &out;
    questions[0] = add(&worker, DEN_WIRE_TOKENIZE);
    questions[1] = add(&worker, DEN_WIRE_EMBED);
    for (size -= size > 0, data++; is_sound && size > 2;) {
        size_t length = (size_t)(data[0] | data[1] << 8) % (size - 1);
        struct den_wire_frame frame;
        struct den_error err = { 0 };

        is_sound = den_wire_parse(data + 2, length, false, true, &frame, &err) == DEN_OK &&
                   den_front_take_frame(&worker, &frame);
        data += 2 + length;
        size -= 2 + length;
    }
    den_front_count_death(&worker, "fuzz");
    den_front_end_all(&worker, NULL);
    worker.teller_stop = true;
    den_front_tell(&worker);
    if (ticket->was_accepted ? ends != 1 || out != ticket : ends != 0)
        abort();
    den_front_free_ticket(ticket);
    den_front_free_ticket(questions[0]);
    den_front_free_ticket(questions[1]);
    json_decref(worker.info_document);
    pthread_cond_destroy(&worker.told);
    pthread_cond_destroy(&worker.changed);
    pthread_mutex_destroy(&worker.lock);
}

static void meet_worker(const uint8_t *data, size_t size)
{
    struct den_sampler_options sampler;
    struct den_request_copy copy;
    struct den_wire_frame frame;
    struct den_error err = { 0 };
    json_t *document;

    if (den_wire_parse(data, size, false, false, &frame, &err) != DEN_OK)
        return;
    if (den_json_parse((const char *)frame.payload, frame.length, "fuzz", &document, &err) !=
            DEN_OK ||
        den_request_from_json(document, &copy, &err) != DEN_OK)
        return;
    if (den_worker_check(&copy.request, &err) == DEN_OK &&
        den_worker_sampler(&copy.request, 1000, &sampler, &err) == DEN_OK &&
        sampler.logit_bias_count > 0)
        free((void *)(uintptr_t)sampler.logit_bias);
    den_request_copy_deinit(&copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct den_error error;

    if (size == 0)
        return 0;
    if (data[0] == 0)
        meet_front(data + 1, size - 1);
    else if (data[0] == 1)
        meet_worker(data + 1, size - 1);
    sum += den_message_token_is_sound(data + 1, size - 1);
    sum += den_message_end_is_sound(data + 1, size - 1);
    sum += den_message_get_error(data + 1, size - 1, &error);
    return 0;
}
