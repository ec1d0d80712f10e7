/* API token: the password of the HTTP interface.
 *
 * 32 random bytes from the kernel, written in base64url (43 letters), kept in a file that only its
 * owner can read ($DEN_HOME/token). It is made when it is first needed and never shown in a log.
 * access.h compares it with what clients show. */
#ifndef DEN_GUARD_API_TOKEN_H
#define DEN_GUARD_API_TOKEN_H

#include <stdbool.h>
#include <stddef.h>

#include "base/status.h"

enum { DEN_API_TOKEN_LENGTH = 43, DEN_API_TOKEN_LENGTH_MAX = 255 };

/* 32 random bytes as base64url. */
enum den_status den_api_token_make(char out[DEN_API_TOKEN_LENGTH + 1], struct den_error *err);

/* Reads the token at `path`, or makes it (mode 0600). `out` takes DEN_API_TOKEN_LENGTH_MAX + 1
 * bytes. A file that others can read, or whose content can't be a token (20 to 255 visible ASCII
 * characters), is refused with the remedy. */
enum den_status den_api_token_load(const char *path, char *out, struct den_error *err);
bool den_api_token_is_well_formed(const char *token);

#endif
