/* Originals, inside: the store (originals.c) and files on their way in (originals_incoming.c). */
#ifndef DEN_DESK_ORIGINALS_PARTS_H
#define DEN_DESK_ORIGINALS_PARTS_H

#include "desk/originals.h"

#define DEN_INCOMING_PREFIX "incoming-"

const char *den_originals_folder(const struct den_originals *originals);
bool den_hash_is_well_formed(const char *hash);
/* Where the file of `hash` is or will be: FOLDER/ab/ab12... */
enum den_status den_originals_path(const struct den_originals *originals, const char *hash,
                                   char out[DEN_PATH_BYTES_MAX], struct den_error *err);

/* Takes `fd`, which has a shared lock, until den_originals_let_go(). On failure it stays the
 * caller's. */
enum den_status den_originals_hold(struct den_originals *originals, const char *hash, int fd,
                                   struct den_error *err);

/* SHA-256 of the file at `fd`, from its start. */
enum den_status den_hash_file(int fd, char out[DEN_HASH_HEX + 1], struct den_error *err);

#endif
