/* Addresses of downloads: which URL means what, and which machines may be asked.
 *
 * What comes through the HTTP interface may come from a page on the web, and a program that fetches
 * any address for anybody is a way into the network behind it. So a URL is taken apart once, by the
 * parser that will also make the connection (two parsers that disagree are how such checks are
 * walked around), its name is resolved once, every address it has is looked at, and the connection
 * then goes to one of these and to nothing else. */
#ifndef DEN_DESK_DOWNLOAD_ADDRESS_H
#define DEN_DESK_DOWNLOAD_ADDRESS_H

#include <stdbool.h>
#include <sys/socket.h>

#include "base/status.h"

struct den_download_url {
    char text[DEN_URL_BYTES_MAX]; /* normalised, without a fragment */
    char scheme[8];               /* "http" or "https" */
    char host[256];               /* in lower case; IPv6 addresses in brackets */
    unsigned port;
};

/* http and https only, no user or password in it, no zone of an IPv6 address. */
enum den_status den_download_url_parse(const char *text, struct den_download_url *out,
                                       struct den_error *err);
/* What a Location header means, relative to `base`. DEN_FORBIDDEN from https to http. */
enum den_status den_download_url_follow(const struct den_download_url *base, const char *location,
                                        struct den_download_url *out, struct den_error *err);
bool den_download_url_same_origin(const struct den_download_url *a,
                                  const struct den_download_url *b);

/* False: loopback, private, link-local (with the cloud's metadata), carrier's, reserved, multicast,
 * and every IPv6 form that carries an IPv4 address. */
bool den_download_address_is_public(const struct sockaddr *address);

/* Resolves the host. *out_pin (free() it) is what curl's RESOLVE option takes: the connection goes
 * to the addresses that were looked at. With `must_be_public`, one that is not is DEN_FORBIDDEN.
 * *out_is_public tells about all. */
enum den_status den_download_resolve(const struct den_download_url *url, bool must_be_public,
                                     bool *out_is_public, char **out_pin, struct den_error *err);

#endif
