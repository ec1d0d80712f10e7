/* Prefix file: cache pages that outlive the process.
 *
 * The file holds a tree of pages as prefix_tree.h has one in memory: each page in a slot, with the
 * tokens it stands for and the slot of the page before it. It is made for one model in one
 * arrangement: another identity, another page or another version, and it starts anew.
 *
 * Format, version 1; numbers are little-endian, as is every machine that Den runs on:
 *
 *     0      8   "DENPREFX"
 *     8      4   version
 *     12     4   tokens of a page
 *     16     8   bytes of a page
 *     24     8   slots: what fits into the size that the file may have
 *     32     32  identity: whose keys and values these are
 *     64     8   checksum of the 64 bytes before it
 *     4096   slots entries of 32 + 4 * (tokens of a page) bytes:
 *            0   8   checksum of the rest of the entry; 0: the slot is free
 *            8   8   checksum of the page
 *            16  8   last use, Unix seconds
 *            24  4   slot of the page before it, or -1
 *            28  4   pages before it
 *            32      tokens, i32
 *     then, from the next multiple of 4096 on, slots pages
 *
 * A page is written before its entry, and a slot's entry is cleared before its page is written
 * over: whatever moment a crash comes at, an entry whose page is not whole fails its checksum.
 * Nothing is flushed; what the system had not written by a power cut is found missing. The file is
 * sparse: it is as large as the slots in use.
 *
 * Reading trusts nothing: entries that are damaged, hang on no parent, or name tokens that the
 * vocabulary does not have are dropped; a page is checked each time it is read. A file made with
 * intent can hold wrong keys and values, which make wrong answers, and nothing else. Pages that
 * were not used for DEN_PREFIX_FILE_DAYS_MAX are overwritten with zeros when the file is opened. */
#ifndef DEN_ENGINE_PREFIX_FILE_H
#define DEN_ENGINE_PREFIX_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

struct den_prefix_file;

enum { DEN_PREFIX_IDENTITY_BYTES = 32, DEN_PREFIX_SLOT_NONE = -1 };

struct den_prefix_file_options {
    int descriptor; /* of a file that can be read and written; stays the caller's */
    uint64_t bytes_max;
    unsigned char identity[DEN_PREFIX_IDENTITY_BYTES];
    size_t page_tokens, page_bytes, vocabulary;
    int64_t now; /* Unix seconds */
};
/* DEN_TOO_LARGE where not even one page fits; DEN_IO where the file can't be used. */
enum den_status den_prefix_file_open(const struct den_prefix_file_options *options,
                                     struct den_prefix_file **out, struct den_error *err);
void den_prefix_file_close(struct den_prefix_file *file);

/* The slot of the page with these tokens (page_tokens) behind `parent`, or DEN_PREFIX_SLOT_NONE,
 * which as a parent stands for the beginning of a text. */
int32_t den_prefix_file_find(const struct den_prefix_file *file, int32_t parent,
                             const int32_t *tokens);
/* False: the page is damaged; it is forgotten, with all behind it. */
bool den_prefix_file_read(struct den_prefix_file *file, int32_t slot, int64_t now,
                          unsigned char *out_page);
/* Notes a use of a page that was read elsewhere. */
void den_prefix_file_touch(struct den_prefix_file *file, int32_t slot, int64_t now);
/* Writes a page that is not there yet behind `parent`, over the one whose last use is longest ago
 * if need be. DEN_PREFIX_SLOT_NONE: there is no room, or the file can't be written any more. */
int32_t den_prefix_file_write(struct den_prefix_file *file, int32_t parent, const int32_t *tokens,
                              const unsigned char *page, int64_t now);

size_t den_prefix_file_slots(const struct den_prefix_file *file);
size_t den_prefix_file_pages(const struct den_prefix_file *file); /* slots in use */

/* A checksum: finds damage, not malice. */
uint64_t den_prefix_checksum(const void *bytes, size_t count, uint64_t seed);

#endif
