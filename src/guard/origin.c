/* See origin.h. */
#include "guard/origin.h"

#include <arpa/inet.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { HOST_NAME_MAX_LENGTH = 253 };

static bool is_port(const char *text)
{
    size_t digits = strspn(text, "0123456789");

    return digits >= 1 && digits <= 5 && text[digits] == '\0' && strtoul(text, NULL, 10) <= 65535;
}

/* Cuts "name", "name:port", "[v6]" or "[v6]:port" to the bare name; false for anything else. */
static bool read_host(const char *host, char name[HOST_NAME_MAX_LENGTH + 1])
{
    const char *end;

    if (*host == '[') {
        host++;
        end = strchr(host, ']');
        if (!end || (end[1] != '\0' && !(end[1] == ':' && is_port(end + 2))))
            return false;
    } else {
        end = strchr(host, ':');
        if (end && !is_port(end + 1))
            return false;
        end = end ? end : host + strlen(host);
    }
    if (end == host || end - host > HOST_NAME_MAX_LENGTH)
        return false;
    memcpy(name, host, (size_t)(end - host));
    name[end - host] = '\0';
    return true;
}

static bool ends_with(const char *text, const char *ending)
{
    size_t length = strlen(text), tail = strlen(ending);

    return length > tail && strcasecmp(text + length - tail, ending) == 0;
}

bool den_address_is_loopback(const char *address)
{
    struct in6_addr v6;
    struct in_addr v4;

    if (inet_pton(AF_INET, address, &v4) == 1)
        return (ntohl(v4.s_addr) >> 24) == 127;
    if (inet_pton(AF_INET6, address, &v6) == 1)
        return IN6_IS_ADDR_LOOPBACK(&v6) || (IN6_IS_ADDR_V4MAPPED(&v6) && v6.s6_addr[12] == 127);
    return strcasecmp(address, "localhost") == 0 || ends_with(address, ".localhost");
}

static bool is_literal(const char *name)
{
    unsigned char address[16];

    return inet_pton(AF_INET, name, address) == 1 || inet_pton(AF_INET6, name, address) == 1;
}

static bool is_same_address(const char *a, const char *b)
{
    unsigned char bytes_a[16], bytes_b[16];

    if (inet_pton(AF_INET, a, bytes_a) == 1 && inet_pton(AF_INET, b, bytes_b) == 1)
        return memcmp(bytes_a, bytes_b, 4) == 0;
    if (inet_pton(AF_INET6, a, bytes_a) == 1 && inet_pton(AF_INET6, b, bytes_b) == 1)
        return memcmp(bytes_a, bytes_b, 16) == 0;
    return strcasecmp(a, b) == 0;
}

static bool is_wildcard(const char *address)
{
    return is_same_address(address, "0.0.0.0") || is_same_address(address, "::");
}

bool den_host_is_allowed(const char *host, const char *bound)
{
    char name[HOST_NAME_MAX_LENGTH + 1];

    if (!host || !read_host(host, name))
        return false;
    if (den_address_is_loopback(name))
        return true;
    return is_wildcard(bound) ? is_literal(name) : is_same_address(name, bound);
}

bool den_origin_is_allowed(const char *origin, const char *host)
{
    if (!origin)
        return true;
    if (!host)
        return false;
    if (strncasecmp(origin, "http://", 7) == 0)
        return strcasecmp(origin + 7, host) == 0;
    if (strncasecmp(origin, "https://", 8) == 0)
        return strcasecmp(origin + 8, host) == 0;
    return false;
}
