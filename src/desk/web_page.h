/* Web page: a document from an address, fetched without becoming a way into the network around us.
 *
 * The address may have come from anybody: a page, a document, a model. It is taken apart once, by
 * the parser that also connects; its name is resolved once; an address that is not public is
 * refused; the connection goes to the addresses that were looked at and no other. Each redirect,
 * five at most, goes through the same. Nothing is sent along: no cookies, no password, no proxy of
 * the environment. What the site's robots.txt forbids is not fetched. */
#ifndef DEN_DESK_WEB_PAGE_H
#define DEN_DESK_WEB_PAGE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "desk/originals.h"

struct den_web_page_options {
    const char *address;
    const atomic_bool *cancel; /* looked at about every second; NULL: none */
    bool may_be_local;         /* for tests: this machine's own addresses as well */
};
struct den_web_page {
    char address[DEN_URL_BYTES_MAX]; /* where it was in the end */
    char name[256];                  /* "handbook.html": from the address and the media type */
    char media_type[128];            /* "text/html", as the site says; "": it does not */
    int64_t modified;                /* Unix milliseconds; 0: not known */
};
/* Appends the body to `incoming`, which stays the caller's to keep or to drop. DEN_FORBIDDEN where
 * the address may not be asked, or robots.txt says so; DEN_NOT_FOUND, DEN_UNAUTHORIZED as the site
 * says; DEN_TOO_LARGE beyond DEN_WEB_PAGE_BYTES_MAX; DEN_IO for the rest; DEN_CANCELLED. */
enum den_status den_web_page_fetch(const struct den_web_page_options *options,
                                   struct den_incoming *incoming, struct den_web_page *out,
                                   struct den_error *err);

/* A file's name for what `media_type` says is at `address`. */
void den_web_page_name(const char *address, const char *media_type, char out[256]);

#endif
