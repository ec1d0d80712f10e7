/* See download_address.h. The rules for addresses are the IANA special-purpose registries (RFC 6890
 * and what came after it), written as a list of what is refused for IPv4 and of what is allowed for
 * IPv6: only 2000::/3 is handed out at all. */
#include "desk/download_address.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <curl/curl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"

enum { PIN_BYTES_MAX = 8192 };

static enum den_status take_part(CURLU *handle, CURLUPart part, unsigned flags, char *out,
                                 size_t capacity, struct den_error *err)
{
    char *text = NULL;
    int length;

    if (curl_url_get(handle, part, &text, flags) != CURLUE_OK)
        return den_fail(err, DEN_INVALID,
                        "the address is incomplete; it must look like "
                        "https://host/file.gguf");
    length = snprintf(out, capacity, "%s", text);
    curl_free(text);
    if (length < 0 || (size_t)length >= capacity)
        return den_fail(err, DEN_INVALID, "the address is longer than %zu bytes", capacity - 1);
    return DEN_OK;
}

static bool has_part(CURLU *handle, CURLUPart part)
{
    char *text = NULL;
    const bool has = curl_url_get(handle, part, &text, 0) == CURLUE_OK;

    curl_free(text);
    return has;
}

static enum den_status take_apart(CURLU *handle, struct den_download_url *out,
                                  struct den_error *err)
{
    char port[8];
    size_t i;

    if (has_part(handle, CURLUPART_USER) || has_part(handle, CURLUPART_PASSWORD))
        return den_fail(err, DEN_INVALID,
                        "an address with a user or a password in it is not taken");
    if (has_part(handle, CURLUPART_ZONEID))
        return den_fail(err, DEN_INVALID, "an address with an IPv6 zone in it is not taken");
    curl_url_set(handle, CURLUPART_FRAGMENT, NULL, 0);
    if (take_part(handle, CURLUPART_SCHEME, 0, out->scheme, sizeof out->scheme, err) != DEN_OK)
        return err->status;
    if (strcmp(out->scheme, "https") != 0 && strcmp(out->scheme, "http") != 0)
        return den_fail(err, DEN_INVALID, "'%s' addresses are not taken; http and https are",
                        out->scheme);
    if (take_part(handle, CURLUPART_HOST, 0, out->host, sizeof out->host, err) != DEN_OK ||
        take_part(handle, CURLUPART_PORT, CURLU_DEFAULT_PORT, port, sizeof port, err) != DEN_OK ||
        take_part(handle, CURLUPART_URL, 0, out->text, sizeof out->text, err) != DEN_OK)
        return err->status;
    for (i = 0; out->host[i]; i++)
        out->host[i] = (char)tolower((unsigned char)out->host[i]);
    out->port = (unsigned)strtoul(port, NULL, 10);
    return DEN_OK;
}

static enum den_status read_url(const char *base, const char *text, struct den_download_url *out,
                                struct den_error *err)
{
    CURLU *handle;
    size_t i;

    for (i = 0; text[i]; i++)
        if ((unsigned char)text[i] <= ' ' || (unsigned char)text[i] >= 0x7f)
            return den_fail(err, DEN_INVALID,
                            "the address has a character in it that must be written as %%XX");
    handle = curl_url();
    if (!handle)
        return den_fail(err, DEN_NO_MEMORY, "download: out of memory");
    if ((base && curl_url_set(handle, CURLUPART_URL, base, 0) != CURLUE_OK) ||
        curl_url_set(handle, CURLUPART_URL, text, CURLU_NON_SUPPORT_SCHEME) != CURLUE_OK)
        den_fail(err, DEN_INVALID,
                 "'%.200s' is not an address; it must look like "
                 "https://host/file.gguf",
                 text);
    else
        take_apart(handle, out, err);
    curl_url_cleanup(handle);
    return err->status;
}

enum den_status den_download_url_parse(const char *text, struct den_download_url *out,
                                       struct den_error *err)
{
    return read_url(NULL, text, out, err);
}

enum den_status den_download_url_follow(const struct den_download_url *base, const char *location,
                                        struct den_download_url *out, struct den_error *err)
{
    if (read_url(base->text, location, out, err) != DEN_OK)
        return den_fail_at(err, "%s sends us on", base->host);
    if (strcmp(base->scheme, "https") == 0 && strcmp(out->scheme, "https") != 0)
        return den_fail(err, DEN_FORBIDDEN, "%s sends us on to %s without encryption", base->host,
                        out->host);
    return DEN_OK;
}

bool den_download_url_same_origin(const struct den_download_url *a,
                                  const struct den_download_url *b)
{
    return a->port == b->port && strcmp(a->scheme, b->scheme) == 0 && strcmp(a->host, b->host) == 0;
}

/* --- which machines --- */

static bool is_public_ipv4(uint32_t address)
{
    static const struct {
        uint32_t prefix;
        unsigned bits;
    } refused[] = {
        { 0x00000000, 8 },  /* this network */
        { 0x0a000000, 8 },  /* private */
        { 0x64400000, 10 }, /* carriers' own */
        { 0x7f000000, 8 },  /* loopback */
        { 0xa9fe0000, 16 }, /* link-local; 169.254.169.254 is where clouds keep their secrets */
        { 0xac100000, 12 }, /* private */
        { 0xc0000000, 24 }, /* protocol assignments */
        { 0xc0000200, 24 }, /* documentation */
        { 0xc0586300, 24 }, /* 6to4 relays */
        { 0xc0a80000, 16 }, /* private */
        { 0xc6120000, 15 }, /* benchmarks */
        { 0xc6336400, 24 }, /* documentation */
        { 0xcb007100, 24 }, /* documentation */
        { 0xe0000000, 4 },  /* multicast */
        { 0xf0000000, 4 },  /* reserved, broadcast */
    };
    size_t i;

    for (i = 0; i < sizeof refused / sizeof refused[0]; i++)
        if ((address ^ refused[i].prefix) >> (32 - refused[i].bits) == 0)
            return false;
    return true;
}

static bool is_public_ipv6(const unsigned char *address)
{
    if (address[0] >> 5 != 1) /* 2000::/3; so no mapped IPv4, no NAT64, no local ones */
        return false;
    if (address[0] == 0x20 && address[1] == 0x01 &&
        (address[2] < 0x02 ||                         /* protocols: Teredo, ORCHID ... */
         (address[2] == 0x0d && address[3] == 0xb8))) /* documentation */
        return false;
    if (address[0] == 0x20 && address[1] == 0x02) /* 6to4 carries IPv4 */
        return false;
    return !(address[0] == 0x3f && address[1] == 0xff && address[2] < 0x10); /* documentation */
}

bool den_download_address_is_public(const struct sockaddr *address)
{
    if (address->sa_family == AF_INET) {
        struct sockaddr_in ipv4;

        memcpy(&ipv4, address, sizeof ipv4);
        return is_public_ipv4(ntohl(ipv4.sin_addr.s_addr));
    }
    if (address->sa_family == AF_INET6) {
        struct sockaddr_in6 ipv6;

        memcpy(&ipv6, address, sizeof ipv6);
        return is_public_ipv6(ipv6.sin6_addr.s6_addr);
    }
    return false;
}

/* "HOST:PORT:ADDRESS,ADDRESS"; curl wants IPv6 addresses in brackets. */
static enum den_status write_pin(const struct den_download_url *url, const struct addrinfo *found,
                                 bool must_be_public, bool *out_is_public, struct den_buffer *pin,
                                 struct den_error *err)
{
    const struct addrinfo *one;
    char text[NI_MAXHOST];

    den_buffer_appendf(pin, "%s:%u:", url->host, url->port);
    *out_is_public = true;
    for (one = found; one; one = one->ai_next) {
        const bool is_ipv6 = one->ai_family == AF_INET6;

        if (getnameinfo(one->ai_addr, one->ai_addrlen, text, sizeof text, NULL, 0,
                        NI_NUMERICHOST) != 0)
            continue;
        if (!den_download_address_is_public(one->ai_addr)) {
            *out_is_public = false;
            if (must_be_public)
                return den_fail(err, DEN_FORBIDDEN,
                                "%s is at %s, which is not on the public network; only 'den pull' "
                                "on this machine may ask there",
                                url->host, text);
        }
        den_buffer_appendf(pin, is_ipv6 ? "%s[%s]" : "%s%s", one == found ? "" : ",", text);
    }
    return DEN_OK;
}

enum den_status den_download_resolve(const struct den_download_url *url, bool must_be_public,
                                     bool *out_is_public, char **out_pin, struct den_error *err)
{
    const struct addrinfo hints = { .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM };
    struct addrinfo *found = NULL;
    char host[sizeof url->host], port[8];
    struct den_buffer pin;
    int code;

    snprintf(host, sizeof host, "%s", url->host[0] == '[' ? url->host + 1 : url->host);
    if (url->host[0] == '[')
        host[strcspn(host, "]")] = '\0';
    snprintf(port, sizeof port, "%u", url->port);
    code = getaddrinfo(host, port, &hints, &found);
    if (code != 0)
        return den_fail(err, code == EAI_NONAME ? DEN_NOT_FOUND : DEN_IO,
                        "there is no address for %s (%s); check the name and the network",
                        url->host, gai_strerror(code));
    den_buffer_init(&pin, PIN_BYTES_MAX);
    if (write_pin(url, found, must_be_public, out_is_public, &pin, err) == DEN_OK &&
        den_buffer_status(&pin, "the addresses of a host", err) == DEN_OK)
        *out_pin = den_buffer_take(&pin);
    freeaddrinfo(found);
    den_buffer_deinit(&pin);
    return err->status;
}
