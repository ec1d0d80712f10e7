/* Robots: what a site asks programs not to fetch (RFC 9309, the Robots Exclusion Protocol).
 *
 * Groups of rules stand under the names of programs. The groups that name us count, all together;
 * where none does, those for "*"; where there is none either, everything is allowed. Of the rules
 * that fit a path the longest one decides, and "allow" where two are as long. In a rule "*" stands
 * for any bytes and a final "$" for the end; what is written with % is compared as RFC 3986 has it,
 * by the byte that is meant. */
#ifndef DEN_DESK_WEB_ROBOTS_H
#define DEN_DESK_WEB_ROBOTS_H

#include <stdbool.h>
#include <stddef.h>

/* `text`: robots.txt, of which DEN_WEB_ROBOTS_BYTES_MAX are looked at; it may hold anything.
 * `product`: our name, such as "den". `path`: with the query, beginning with '/'. */
bool den_robots_allow(const char *text, size_t length, const char *product, const char *path);

#endif
