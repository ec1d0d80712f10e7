/* Wire: frames between the front and a worker process, over one socketpair (SOCK_SEQPACKET).
 *
 * A frame is one message of the socket. All numbers are little-endian.
 *
 *     offset  bytes
 *     0       4      magic 0x314e4544 ("DEN1")
 *     4       2      kind (enum den_wire_kind)
 *     6       2      flags: bit 0: the payload is in the descriptor that comes with the frame
 *     8       8      id: of the request it belongs to; 0 where it belongs to none
 *     16      8      length of the payload in bytes, at most DEN_WIRE_PAYLOAD_BYTES_MAX
 *     24      length payload, unless bit 0 of the flags is set; nothing follows it
 *
 * A payload beyond DEN_WIRE_INLINE_BYTES_MAX comes as a memfd of exactly `length` bytes that can
 * neither shrink, grow nor be written any more (seals), so that what was checked stays as it was
 * and reading it can't fault. It is mapped read-only.
 *
 * The front trusts no byte that a worker sends, for whoever fed it a model may run it by now: a
 * frame that is cut (MSG_TRUNC, MSG_CTRUNC), has a descriptor it should not have, lacks one,
 * names a kind of the other direction or does not add up is DEN_BAD_FILE, and the receiver ends
 * the conversation. What payloads hold is in worker/message.h. */
#ifndef DEN_WORKER_WIRE_H
#define DEN_WORKER_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

enum { DEN_WIRE_HEADER_BYTES = 24, DEN_WIRE_IN_DESCRIPTOR = 1 };
#define DEN_WIRE_MAGIC 0x314e4544u

enum den_wire_kind {
    /* front to worker */
    DEN_WIRE_LOAD = 1,   /* JSON: the model and the options; once, first */
    DEN_WIRE_SUBMIT,     /* JSON: a request, perhaps with the tokens of an answer that was begun */
    DEN_WIRE_CANCEL,     /* of a submitted request; no payload */
    DEN_WIRE_TOKENIZE,   /* u32 flags, bytes */
    DEN_WIRE_DETOKENIZE, /* i32 ids */
    DEN_WIRE_TEMPLATE,   /* JSON: a request */
    DEN_WIRE_EMBED,      /* see message.h */
    DEN_WIRE_PING,       /* are you there? no payload */
    DEN_WIRE_ROOM,       /* u8: 1, there is room; the answer to NEED_ROOM */
    DEN_WIRE_FRONT_END,
    /* worker to front */
    DEN_WIRE_READY = 64, /* JSON: what is true of the model */
    DEN_WIRE_REFUSED,    /* u32 status, message: of a load (id 0), a request or a question */
    DEN_WIRE_ACCEPTED,   /* a submitted request is in line; no payload */
    DEN_WIRE_BEGUN,      /* it has left the line; no payload */
    DEN_WIRE_PROGRESS,   /* u64 done, u64 total */
    DEN_WIRE_TOKEN,      /* a token and what it adds to the answer: see message.h */
    DEN_WIRE_END,        /* the last of an accepted request: see message.h */
    DEN_WIRE_REPLY,      /* to a question */
    DEN_WIRE_PONG,       /* here I am; no payload, id 0 */
    DEN_WIRE_NEED_ROOM,  /* u64 bytes of the packed file to be made; once, before READY, id 0 */
    DEN_WIRE_WORKER_END
};

struct den_wire_frame {
    enum den_wire_kind kind;
    uint64_t id;
    const unsigned char *payload;
    size_t length;
    bool is_mapped; /* `payload` is a mapping of its own */
};

/* Both ends, close-on-exec. */
enum den_status den_wire_pair(int out[2], struct den_error *err);

/* Safe from any thread: a frame is sent whole. Blocks while the peer is slow, or, where the socket
 * does not block, is DEN_BUSY. DEN_CANCELLED when the peer is gone. */
enum den_status den_wire_send(int descriptor, const struct den_wire_frame *frame,
                              struct den_error *err);

/* Where frames are received; one thread uses it at a time. */
struct den_wire_inbox {
    unsigned char bytes[DEN_WIRE_HEADER_BYTES + DEN_WIRE_INLINE_BYTES_MAX];
};

/* Waits for a frame (DEN_BUSY where the socket does not block and there is none). DEN_CANCELLED
 * at the end of the conversation, DEN_BAD_FILE for what is no frame of this direction. The
 * payload is in the inbox (valid until the next call) or mapped; hand every frame back with
 * den_wire_release(). */
enum den_status den_wire_receive(int descriptor, bool from_worker, struct den_wire_inbox *inbox,
                                 struct den_wire_frame *out, struct den_error *err);
void den_wire_release(struct den_wire_frame *frame);

/* The part of den_wire_receive() that looks at bytes: a message of `length` bytes that came with a
 * descriptor (which is `payload_bytes` long and sealed) or without. */
enum den_status den_wire_parse(const unsigned char *bytes, size_t length, bool has_descriptor,
                               bool from_worker, struct den_wire_frame *out, struct den_error *err);

#endif
