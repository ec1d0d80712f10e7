/* The journal of a file that is being fetched: download_file.h has its form. */
#ifndef DEN_DESK_DOWNLOAD_JOURNAL_H
#define DEN_DESK_DOWNLOAD_JOURNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

struct den_download_part {
    uint64_t at, end; /* missing: [at, end); end UINT64_MAX: as far as it goes */
};

struct den_download_journal {
    char identity[256]; /* "": the server has no word for the version */
    uint64_t bytes;     /* 0: not known */
    size_t count;
    struct den_download_part parts[DEN_DOWNLOAD_CONNECTIONS_MAX];
};

/* False: there is none, or none that makes sense. */
bool den_download_journal_read(const char *path, struct den_download_journal *out);
enum den_status den_download_journal_write(const char *path,
                                           const struct den_download_journal *journal,
                                           struct den_error *err);
/* One part for each connection, none smaller than is worth one. */
void den_download_journal_divide(struct den_download_journal *journal, bool takes_ranges);
uint64_t den_download_journal_missing(const struct den_download_journal *journal);

#endif
