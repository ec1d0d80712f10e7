/* Origin: which web pages may talk to a server on this machine.
 *
 * A browser will send requests to 127.0.0.1 on behalf of any page on the web. Two headers, which a
 * page can't forge, tell who is asking. `Host` is the name the browser believes it talks to: a page
 * that pointed its own name at 127.0.0.1 (DNS rebinding) shows itself there. `Origin` is the page
 * that asks: anything but our own is foreign. These are pure functions on text.
 *
 * Host must name the machine itself: a loopback name ("localhost", a name ending in ".localhost",
 * 127.x.y.z, [::1]) or the address that the server is bound to; on a wildcard address (0.0.0.0, ::)
 * any address literal will do, since only names can be rebound. The port is not compared, so that a
 * forwarded port works. Origin, where there is one, must be http or https at exactly the Host. */
#ifndef DEN_GUARD_ORIGIN_H
#define DEN_GUARD_ORIGIN_H

#include <stdbool.h>

/* "127.0.0.1", "::1", "localhost" ... without brackets or port */
bool den_address_is_loopback(const char *address);

/* `host` is the header's value; `bound` the address that the server listens on. */
bool den_host_is_allowed(const char *host, const char *bound);
/* `origin` is NULL when there was no such header: not a browser, or a plain link. */
bool den_origin_is_allowed(const char *origin, const char *host);

#endif
