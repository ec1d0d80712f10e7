/* Network: sockets of every family. The driver listens, so that a refusal is the sandbox's. */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/netlink.h>
#include <linux/vm_sockets.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "escape.h"

static struct sockaddr_in loopback(int port)
{
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

static int connect_tcp_with(int protocol)
{
    struct sockaddr_in address = loopback(bait.tcp_port);
    int fd = socket(AF_INET, SOCK_STREAM, protocol);

    return fd < 0 ? errno : outcome(connect(fd, (struct sockaddr *)&address, sizeof address));
}
static int connect_tcp(void)
{
    return connect_tcp_with(0);
}
static int connect_mptcp(void)
{
    return connect_tcp_with(262);
}
static int connect_tcp_6(void)
{
    struct sockaddr_in6 address = { .sin6_family = AF_INET6,
                                    .sin6_port = htons((uint16_t)bait.tcp_port) };
    int fd = socket(AF_INET6, SOCK_STREAM, 0);

    /* ::ffff:127.0.0.1 */
    address.sin6_addr.s6_addr[10] = address.sin6_addr.s6_addr[11] = 0xff;
    address.sin6_addr.s6_addr[12] = 127;
    address.sin6_addr.s6_addr[15] = 1;
    return fd < 0 ? errno : outcome(connect(fd, (struct sockaddr *)&address, sizeof address));
}
static int listen_tcp(void)
{
    struct sockaddr_in address = loopback(0);
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof address) != 0)
        return errno;
    return outcome(listen(fd, 1));
}
static int send_udp_to(int port)
{
    struct sockaddr_in address = loopback(port);
    int fd = socket(AF_INET, SOCK_DGRAM, 0);

    if (fd < 0)
        return errno;
    return outcome(sendto(fd, "x", 1, 0, (struct sockaddr *)&address, sizeof address));
}
static int send_udp(void)
{
    return send_udp_to(bait.udp_port);
}
static int ask_dns(void)
{
    return send_udp_to(53);
}
static int send_icmp(void)
{
    struct sockaddr_in address = loopback(0);
    unsigned char echo[8] = { 8 };
    int fd = socket(AF_INET, SOCK_DGRAM, IPPROTO_ICMP);

    if (fd < 0)
        return errno;
    return outcome(sendto(fd, echo, sizeof echo, 0, (struct sockaddr *)&address, sizeof address));
}
static int open_raw(void)
{
    return outcome(socket(AF_INET, SOCK_RAW, IPPROTO_TCP));
}
static int open_packet(void)
{
    return outcome(socket(AF_PACKET, SOCK_RAW, 0));
}
static int connect_unix_to(const char *path, size_t offset)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    size_t length = strlen(path);

    if (fd < 0)
        return errno;
    memcpy(address.sun_path + offset, path, length);
    return outcome(connect(fd, (struct sockaddr *)&address,
                           (socklen_t)(offsetof(struct sockaddr_un, sun_path) + offset + length)));
}
static int connect_unix(void)
{
    char path[100];

    snprintf(path, sizeof path, "%s/socket", bait.folder);
    return connect_unix_to(path, 0);
}
static int connect_abstract(void)
{
    return connect_unix_to(bait.abstract, 1);
}
static int open_vsock(void)
{
    return outcome(socket(AF_VSOCK, SOCK_STREAM, 0));
}
static int open_netlink(void)
{
    return outcome(socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE));
}
static int open_crypto(void)
{
    return outcome(socket(AF_ALG, SOCK_SEQPACKET, 0));
}
static int open_bluetooth(void)
{
    return outcome(socket(31, SOCK_RAW, 1));
}
static int open_can(void)
{
    return outcome(socket(AF_CAN, SOCK_RAW, 1));
}
static int make_pair(void)
{
    int fds[2];

    return outcome(socketpair(AF_UNIX, SOCK_STREAM, 0, fds));
}

const struct attempt network_attempts[] = {
    { "connect by TCP", BY_NAMESPACES | BY_LANDLOCK_4 | BY_SECCOMP, connect_tcp },
    { "connect by TCP over IPv6", BY_NAMESPACES | BY_LANDLOCK_4 | BY_SECCOMP, connect_tcp_6 },
    { "connect by MPTCP", BY_NAMESPACES | BY_SECCOMP, connect_mptcp },
    { "listen on TCP", BY_LANDLOCK_4 | BY_SECCOMP, listen_tcp },
    { "send UDP", BY_NAMESPACES | BY_SECCOMP, send_udp },
    { "ask DNS", BY_NAMESPACES | BY_SECCOMP, ask_dns },
    { "send ICMP", BY_NAMESPACES | BY_SECCOMP, send_icmp },
    { "open a raw socket", BY_SECCOMP | BY_KERNEL, open_raw },
    { "open a packet socket", BY_SECCOMP | BY_KERNEL, open_packet },
    { "connect to a UNIX socket by path", BY_NAMESPACES | BY_SECCOMP, connect_unix },
    { "connect to an abstract UNIX socket", BY_NAMESPACES | BY_LANDLOCK_6 | BY_SECCOMP,
      connect_abstract },
    { "open a vsock", BY_SECCOMP, open_vsock },
    { "open a netlink socket", BY_SECCOMP, open_netlink },
    { "open a crypto socket", BY_SECCOMP, open_crypto },
    { "open a Bluetooth socket", BY_SECCOMP, open_bluetooth },
    { "open a CAN socket", BY_SECCOMP, open_can },
    { "make a socket pair", BY_SECCOMP, make_pair },
};
const size_t network_attempt_count = COUNT(network_attempts);
