/* One file of a download: fetched in parts side by side, and only ever whole under its name.
 *
 * While it is fetched the file is PATH.part, with PATH.journal beside it: which parts are there,
 * and of which version of the file. Both survive whatever happens, and the next call goes on from
 * them if the server still has that version, or else begins anew. Once all is there the hash is
 * checked, the file is synced, renamed to PATH, and the folder is synced.
 *
 * The journal is JSON: {"version": 1, "of": IDENTITY, "bytes": N, "parts": [[at, end], ...]}, where
 * IDENTITY is the server's word for the version (the hub's hash, else ETag, else Last-Modified) and
 * of each part the bytes from `at` to `end` are missing. It is written after the bytes it speaks of
 * have been synced. */
#ifndef DEN_DESK_DOWNLOAD_FILE_H
#define DEN_DESK_DOWNLOAD_FILE_H

#include "desk/download_http.h"

struct den_download_file {
    const char *url;
    const char *path;     /* its folder must be there */
    uint64_t bytes;       /* 0: not known */
    const char *sha256;   /* hexadecimal; "": not known */
    const char *git_hash; /* "": not known */
};

/* Adds to progress->bytes_done as bytes come; what a part that was there before holds is added at
 * the start, and taken off again where it turns out to be of no use. DEN_BAD_FILE where the hash is
 * another: the bytes are thrown away. */
enum den_status den_download_file(struct den_http *http, struct den_download_progress *progress,
                                  const struct den_download_file *file, struct den_error *err);

/* True if the file is there and is what `file` says (size and hash, where known). */
bool den_download_is_there(const struct den_download_file *file);

#endif
