/* Access, inside: the file of tokens (access_file.c) and who is let in (access.c). */
#ifndef DEN_GUARD_ACCESS_PARTS_H
#define DEN_GUARD_ACCESS_PARTS_H

#include "guard/access.h"

struct den_access_tokens {
    size_t count;
    struct den_access_token tokens[DEN_TOKENS_MAX];
};

/* What the file was when it was read, to see when it is another. */
struct den_access_stamp {
    uint64_t inode, bytes;
    int64_t changed_ns;
};
/* All zero when there is no file. */
struct den_access_stamp den_access_stamp_of(const char *path);

/* No file: no tokens. DEN_BAD_FILE when it is not what den_access_write() writes, DEN_FORBIDDEN
 * when others can read it. */
enum den_status den_access_read(const char *path, struct den_access_tokens *out,
                                struct den_error *err);
enum den_status den_access_write(const char *path, const struct den_access_tokens *tokens,
                                 struct den_error *err);
/* Held while the file is read, changed and written; close() ends it. -1: failed. */
int den_access_lock(const char *path, struct den_error *err);

#endif
