/* See wire.h. SOCK_SEQPACKET keeps messages whole and in order, tells the end of the conversation
 * and carries descriptors, which is all that is wanted of a transport here. */
#include "worker/wire.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    NEEDED_SEALS = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE,
    DESCRIPTORS_MAX = 4 /* that are taken in to be refused; more are cut off by the kernel */
};

union control {
    struct cmsghdr align;
    char bytes[CMSG_SPACE(DESCRIPTORS_MAX * sizeof(int))];
};

enum den_status den_wire_pair(int out[2], struct den_error *err)
{
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, out) != 0)
        return den_fail_errno(err, DEN_IO, "worker: no socketpair");
    return DEN_OK;
}

/* --- sending --- */

static void put(unsigned char *out, uint64_t value, size_t bytes)
{
    uint64_t little = htole64(value);

    memcpy(out, &little, bytes);
}

static uint64_t get(const unsigned char *bytes, size_t count)
{
    uint64_t little = 0;

    memcpy(&little, bytes, count);
    return le64toh(little);
}

/* A descriptor of a sealed file that holds `length` bytes; -1 with errno. */
static int seal(const unsigned char *bytes, size_t length)
{
    int descriptor = memfd_create("den-wire", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    size_t done = 0;

    while (descriptor >= 0 && done < length) {
        ssize_t put_now = write(descriptor, bytes + done, length - done);

        if (put_now < 0 && errno == EINTR)
            continue;
        if (put_now <= 0)
            break;
        done += (size_t)put_now;
    }
    if (descriptor >= 0 &&
        (done < length || fcntl(descriptor, F_ADD_SEALS, NEEDED_SEALS | F_SEAL_SEAL) != 0)) {
        int why = errno;

        close(descriptor);
        errno = why;
        return -1;
    }
    return descriptor;
}

static enum den_status send_message(int descriptor, const struct msghdr *message,
                                    struct den_error *err)
{
    for (;;) {
        if (sendmsg(descriptor, message, MSG_NOSIGNAL) >= 0)
            return DEN_OK;
        if (errno == EPIPE || errno == ECONNRESET)
            return den_fail(err, DEN_CANCELLED, "worker: the other side is gone");
        if (errno == EAGAIN)
            return den_fail(err, DEN_BUSY, "worker: the socket is full");
        if (errno != EINTR)
            return den_fail_errno(err, DEN_IO, "worker: can't send");
    }
}

static enum den_status send_sealed(int descriptor, struct msghdr *message,
                                   const struct den_wire_frame *frame, struct den_error *err)
{
    int file = seal(frame->payload, frame->length);
    union control control = { 0 };
    struct cmsghdr *head;

    if (file < 0)
        return den_fail_errno(err, DEN_NO_MEMORY, "worker: no shared memory for %zu bytes",
                              frame->length);
    message->msg_iovlen = 1;
    message->msg_control = control.bytes;
    message->msg_controllen = CMSG_SPACE(sizeof(int));
    head = CMSG_FIRSTHDR(message);
    head->cmsg_level = SOL_SOCKET;
    head->cmsg_type = SCM_RIGHTS;
    head->cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(head), &file, sizeof file);
    send_message(descriptor, message, err);
    close(file);
    return err->status;
}

enum den_status den_wire_send(int descriptor, const struct den_wire_frame *frame,
                              struct den_error *err)
{
    unsigned char header[DEN_WIRE_HEADER_BYTES];
    bool is_large = frame->length > DEN_WIRE_INLINE_BYTES_MAX;
    struct iovec parts[2] = { { .iov_base = header, .iov_len = sizeof header },
                              { .iov_base = (void *)(uintptr_t)frame->payload,
                                .iov_len = frame->length } };
    struct msghdr message = { .msg_iov = parts, .msg_iovlen = frame->length > 0 ? 2 : 1 };

    if (frame->length > DEN_WIRE_PAYLOAD_BYTES_MAX)
        return den_fail(err, DEN_TOO_LARGE,
                        "worker: a message of %zu bytes; at most %u can be sent", frame->length,
                        DEN_WIRE_PAYLOAD_BYTES_MAX);
    put(header, DEN_WIRE_MAGIC, 4);
    put(header + 4, frame->kind, 2);
    put(header + 6, is_large ? DEN_WIRE_IN_DESCRIPTOR : 0, 2);
    put(header + 8, frame->id, 8);
    put(header + 16, frame->length, 8);
    if (is_large)
        return send_sealed(descriptor, &message, frame, err);
    return send_message(descriptor, &message, err);
}

/* --- receiving --- */

enum den_status den_wire_parse(const unsigned char *bytes, size_t length, bool has_descriptor,
                               bool from_worker, struct den_wire_frame *out, struct den_error *err)
{
    uint64_t kind, flags, payload;

    if (length < DEN_WIRE_HEADER_BYTES || get(bytes, 4) != DEN_WIRE_MAGIC)
        return den_fail(err, DEN_BAD_FILE, "wire: a message of %zu bytes that is no frame", length);
    kind = get(bytes + 4, 2);
    flags = get(bytes + 6, 2);
    payload = get(bytes + 16, 8);
    if (from_worker ? kind < DEN_WIRE_READY || kind >= DEN_WIRE_WORKER_END
                    : kind < DEN_WIRE_LOAD || kind >= DEN_WIRE_FRONT_END)
        return den_fail(err, DEN_BAD_FILE, "wire: kind %u is none of this direction",
                        (unsigned)kind);
    if (flags > DEN_WIRE_IN_DESCRIPTOR || (flags == DEN_WIRE_IN_DESCRIPTOR) != has_descriptor)
        return den_fail(err, DEN_BAD_FILE, "wire: flags %u and %s descriptor", (unsigned)flags,
                        has_descriptor ? "a" : "no");
    if (payload > DEN_WIRE_PAYLOAD_BYTES_MAX || (has_descriptor && payload == 0) ||
        length - DEN_WIRE_HEADER_BYTES != (has_descriptor ? 0 : payload))
        return den_fail(err, DEN_BAD_FILE, "wire: a payload of %llu bytes in a message of %zu",
                        (unsigned long long)payload, length);
    *out = (struct den_wire_frame){ .kind = (enum den_wire_kind)kind,
                                    .id = get(bytes + 8, 8),
                                    .payload = bytes + DEN_WIRE_HEADER_BYTES,
                                    .length = (size_t)payload };
    return DEN_OK;
}

/* Takes the descriptors out of a message; returns how many there were. */
static size_t take_descriptors(struct msghdr *message, int out[DESCRIPTORS_MAX])
{
    struct cmsghdr *head;
    size_t count = 0;

    for (head = CMSG_FIRSTHDR(message); head; head = CMSG_NXTHDR(message, head)) {
        size_t bytes = head->cmsg_len - CMSG_LEN(0);

        if (head->cmsg_level != SOL_SOCKET || head->cmsg_type != SCM_RIGHTS)
            continue;
        for (; bytes >= sizeof(int) && count < DESCRIPTORS_MAX; bytes -= sizeof(int))
            memcpy(&out[count], CMSG_DATA(head) + count * sizeof(int), sizeof(int)), count++;
    }
    return count;
}

/* Maps the sealed file that a frame's payload is in. */
static enum den_status map_payload(int descriptor, struct den_wire_frame *frame,
                                   struct den_error *err)
{
    int seals = fcntl(descriptor, F_GET_SEALS);
    struct stat info;
    void *data;

    if (seals < 0 || (seals & NEEDED_SEALS) != NEEDED_SEALS)
        return den_fail(err, DEN_BAD_FILE, "wire: a payload that is not sealed");
    if (fstat(descriptor, &info) != 0 || (uint64_t)info.st_size != frame->length)
        return den_fail(err, DEN_BAD_FILE, "wire: a payload of another size than was said");
    data = mmap(NULL, frame->length, PROT_READ, MAP_PRIVATE, descriptor, 0);
    if (data == MAP_FAILED)
        return den_fail_errno(err, DEN_NO_MEMORY, "wire: can't map %zu bytes", frame->length);
    frame->payload = data;
    frame->is_mapped = true;
    return DEN_OK;
}

static enum den_status read_message(int descriptor, struct msghdr *message, size_t *out_length,
                                    struct den_error *err)
{
    ssize_t got;

    do
        got = recvmsg(descriptor, message, MSG_CMSG_CLOEXEC);
    while (got < 0 && errno == EINTR);
    if (got == 0 || (got < 0 && (errno == ECONNRESET || errno == EPIPE)))
        return den_fail(err, DEN_CANCELLED, "wire: the other side is gone");
    if (got < 0 && errno == EAGAIN)
        return den_fail(err, DEN_BUSY, "wire: nothing has come");
    if (got < 0)
        return den_fail_errno(err, DEN_IO, "wire: can't receive");
    *out_length = (size_t)got;
    return DEN_OK;
}

enum den_status den_wire_receive(int descriptor, bool from_worker, struct den_wire_inbox *inbox,
                                 struct den_wire_frame *out, struct den_error *err)
{
    struct iovec part = { .iov_base = inbox->bytes, .iov_len = sizeof inbox->bytes };
    union control control = { 0 };
    struct msghdr message = { .msg_iov = &part,
                              .msg_iovlen = 1,
                              .msg_control = control.bytes,
                              .msg_controllen = sizeof control.bytes };
    struct den_wire_frame frame = { 0 };
    int descriptors[DESCRIPTORS_MAX];
    size_t count, length = 0, i;

    if (read_message(descriptor, &message, &length, err) != DEN_OK)
        return err->status;
    count = take_descriptors(&message, descriptors);
    if (count > 1 || message.msg_flags & (MSG_TRUNC | MSG_CTRUNC))
        den_fail(err, DEN_BAD_FILE,
                 "wire: a message that is too long, or has more descriptors "
                 "than it should");
    else if (den_wire_parse(inbox->bytes, length, count == 1, from_worker, &frame, err) == DEN_OK &&
             count == 1)
        map_payload(descriptors[0], &frame, err);
    for (i = 0; i < count; i++)
        close(descriptors[i]);
    if (err->status == DEN_OK)
        *out = frame;
    return err->status;
}

void den_wire_release(struct den_wire_frame *frame)
{
    if (frame->is_mapped)
        munmap((void *)(uintptr_t)frame->payload, frame->length);
    *frame = (struct den_wire_frame){ 0 };
}
