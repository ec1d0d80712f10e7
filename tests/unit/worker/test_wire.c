/* Frames over a real socketpair: what is sent arrives, inline and by sealed memory; what is no
 * frame is refused, and no descriptor that came with it stays open. */
#include "test.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "worker/wire.h"

static int ends[2];
static struct den_wire_inbox inbox;

static int set_up(void **state)
{
    struct den_error err = { 0 };

    return den_wire_pair(ends, &err) == DEN_OK ? 0 : -1;
}

static int tear_down(void **state)
{
    close(ends[0]);
    close(ends[1]);
    return 0;
}

static void frames_arrive_whole_and_in_order(void **state)
{
    const size_t lengths[] = {
        0, 1, 1000, DEN_WIRE_INLINE_BYTES_MAX, DEN_WIRE_INLINE_BYTES_MAX + 1, 5 << 20
    };
    unsigned char *bytes = malloc(5 << 20);
    struct den_error err = { 0 };
    size_t i, k;

    for (k = 0; k < 5 << 20; k++)
        bytes[k] = (unsigned char)(k * 7);
    for (i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        struct den_wire_frame sent = {
            .kind = DEN_WIRE_TOKEN, .id = 1000 + i, .payload = bytes, .length = lengths[i]
        };
        struct den_wire_frame got;

        assert_int_equal(den_wire_send(ends[0], &sent, &err), DEN_OK);
        assert_int_equal(den_wire_receive(ends[1], true, &inbox, &got, &err), DEN_OK);
        assert_int_equal(got.kind, DEN_WIRE_TOKEN);
        assert_int_equal(got.id, 1000 + i);
        assert_int_equal(got.length, lengths[i]);
        assert_memory_equal(got.payload, bytes, lengths[i]);
        assert_int_equal(got.is_mapped, lengths[i] > DEN_WIRE_INLINE_BYTES_MAX);
        den_wire_release(&got);
    }
    free(bytes);
}

static void the_end_is_told(void **state)
{
    struct den_wire_frame frame = { .kind = DEN_WIRE_READY };
    struct den_error err = { 0 };

    shutdown(ends[0], SHUT_RDWR);
    assert_int_equal(den_wire_receive(ends[1], true, &inbox, &frame, &err), DEN_CANCELLED);
    err = (struct den_error){ 0 };
    assert_int_equal(den_wire_send(ends[1], &frame, &err), DEN_CANCELLED);
}

static void a_full_socket_is_busy(void **state)
{
    static unsigned char bytes[60000];
    struct den_wire_frame frame = { .kind = DEN_WIRE_TOKEN,
                                    .payload = bytes,
                                    .length = sizeof bytes };
    struct den_error err = { 0 };
    int i;

    fcntl(ends[0], F_SETFL, O_NONBLOCK);
    fcntl(ends[1], F_SETFL, O_NONBLOCK);
    assert_int_equal(den_wire_receive(ends[1], true, &inbox, &frame, &err), DEN_BUSY);
    err = (struct den_error){ 0 };
    for (i = 0; i < 1000 && err.status == DEN_OK; i++)
        den_wire_send(ends[0], &frame, &err);
    assert_int_equal(err.status, DEN_BUSY);
}

/* --- what a process that was taken over might send --- */

static void put(unsigned char *out, uint64_t value, int bytes)
{
    memcpy(out, &value, (size_t)bytes); /* the machines that run this are little-endian */
}

static void make_header(unsigned char out[DEN_WIRE_HEADER_BYTES], unsigned kind, unsigned flags,
                        uint64_t length)
{
    put(out, DEN_WIRE_MAGIC, 4);
    put(out + 4, kind, 2);
    put(out + 6, flags, 2);
    put(out + 8, 5, 8);
    put(out + 16, length, 8);
}

static void send_raw(const void *bytes, size_t length, const int *descriptors, size_t count)
{
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(16 * sizeof(int))];
    } control = { 0 };
    struct iovec part = { (void *)(uintptr_t)bytes, length };
    struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1 };

    if (count > 0) {
        struct cmsghdr *head;

        message.msg_control = control.bytes;
        message.msg_controllen = CMSG_SPACE(count * sizeof(int));
        head = CMSG_FIRSTHDR(&message);
        head->cmsg_level = SOL_SOCKET;
        head->cmsg_type = SCM_RIGHTS;
        head->cmsg_len = CMSG_LEN(count * sizeof(int));
        memcpy(CMSG_DATA(head), descriptors, count * sizeof(int));
    }
    assert_int_equal(sendmsg(ends[0], &message, 0), length);
}

static int next_descriptor(void)
{
    int fd = dup(0);

    close(fd);
    return fd;
}

static void expect_refused(void)
{
    struct den_wire_frame frame = { 0 };
    struct den_error err = { 0 };

    assert_int_equal(den_wire_receive(ends[1], true, &inbox, &frame, &err), DEN_BAD_FILE);
    assert_null(frame.payload);
}

static void what_is_no_frame_is_refused(void **state)
{
    static unsigned char bytes[DEN_WIRE_HEADER_BYTES + DEN_WIRE_INLINE_BYTES_MAX + 10];
    const struct {
        unsigned kind, flags;
        uint64_t length;
        size_t sent;
    } cases[] = {
        { DEN_WIRE_SUBMIT, 0, 0, 24 }, /* of the other direction */
        { 0, 0, 0, 24 },               /* no kind at all */
        { 9999, 0, 0, 24 },
        { DEN_WIRE_TOKEN, 0, 5, 24 },      /* shorter than said */
        { DEN_WIRE_TOKEN, 0, 0, 29 },      /* longer */
        { DEN_WIRE_TOKEN, 2, 0, 24 },      /* an unknown flag */
        { DEN_WIRE_TOKEN, 1, 100000, 24 }, /* where is the descriptor? */
        { DEN_WIRE_TOKEN, 0, UINT64_MAX, 24 },
        { DEN_WIRE_TOKEN, 0, 0, 23 }, /* cut in the header */
        { DEN_WIRE_TOKEN, 0, DEN_WIRE_INLINE_BYTES_MAX + 10, sizeof bytes },
    };
    size_t i;

    for (i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        make_header(bytes, cases[i].kind, cases[i].flags, cases[i].length);
        send_raw(bytes, cases[i].sent, NULL, 0);
        expect_refused();
    }
    make_header(bytes, DEN_WIRE_TOKEN, 0, 0);
    bytes[0] ^= 1;
    send_raw(bytes, 24, NULL, 0);
    expect_refused();
}

static int memory_file(size_t length, int seals)
{
    int fd = memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING);

    assert_int_equal(ftruncate(fd, (off_t)length), 0);
    if (seals)
        assert_int_equal(fcntl(fd, F_ADD_SEALS, seals), 0);
    return fd;
}

static void descriptors_are_checked_and_closed(void **state)
{
    const int all = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;
    unsigned char header[DEN_WIRE_HEADER_BYTES];
    int files[6], free_before, i;

    files[0] = memory_file(100000, 0);                          /* may change under our eyes */
    files[1] = memory_file(100000, F_SEAL_GROW | F_SEAL_WRITE); /* may be truncated */
    files[2] = memory_file(99999, all);                         /* is shorter than said */
    files[3] = open("/etc/passwd", O_RDONLY | O_CLOEXEC);       /* is no memory */
    files[4] = socket(AF_UNIX, SOCK_STREAM, 0);
    files[5] = memory_file(100000, all);
    free_before = next_descriptor();
    for (i = 0; i < 5; i++) {
        make_header(header, DEN_WIRE_TOKEN, DEN_WIRE_IN_DESCRIPTOR, 100000);
        send_raw(header, sizeof header, &files[i], 1);
        expect_refused();
    }
    send_raw(header, sizeof header, files, 2); /* two are one too many */
    expect_refused();
    send_raw(header, sizeof header, files, 6); /* more than are taken in (MSG_CTRUNC) */
    expect_refused();
    make_header(header, DEN_WIRE_TOKEN, 0, 0);
    send_raw(header, sizeof header, &files[5], 1); /* a frame that should have none */
    expect_refused();
    assert_int_equal(next_descriptor(), free_before);
    for (i = 0; i < 6; i++)
        close(files[i]);
}

int worker_test_wire(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(frames_arrive_whole_and_in_order, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_end_is_told, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_full_socket_is_busy, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_no_frame_is_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(descriptors_are_checked_and_closed, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
