/* Is a file what its publisher says? SHA-256 for large ones; for small ones the hub knows git's
 * hash, SHA-1 of "blob SIZE\0" and the content, which is good against damage, not against
 * malice. */
#ifndef DEN_DESK_DOWNLOAD_HASH_H
#define DEN_DESK_DOWNLOAD_HASH_H

#include "desk/download_http.h"

/* Both may be "". DEN_BAD_FILE where one differs; DEN_CANCELLED when the download shall stop. */
enum den_status den_download_check(int fd, uint64_t bytes, const char *sha256, const char *git_hash,
                                   struct den_download_progress *progress, struct den_error *err);

#endif
