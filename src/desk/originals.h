/* Originals: files as they came, under the SHA-256 of their bytes.
 *
 * $DEN_HOME/originals/ab/ab12...: written beside, flushed to the disk, then renamed, so that a name
 * is there only with all of its bytes. The table `originals` says which are wanted; a file that no
 * row wants is removed at the next opening (a crash may leave one), a row whose file is gone is
 * reported by den_originals_check(). */
#ifndef DEN_DESK_ORIGINALS_H
#define DEN_DESK_ORIGINALS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

struct den_connection;
struct den_database;
struct den_originals;

enum { DEN_HASH_HEX = 64 };

/* Removes what is not wanted, unless another Den uses the same home. */
enum den_status den_originals_open(const char *home, struct den_database *database,
                                   struct den_originals **out, struct den_error *err);
void den_originals_close(struct den_originals *originals);

/* A file that is being received: append, then keep or drop. */
struct den_incoming;
enum den_status den_incoming_begin(struct den_originals *originals, struct den_incoming **out,
                                   struct den_error *err);
/* DEN_TOO_LARGE beyond DEN_DOCUMENT_BYTES_MAX; DEN_IO where the disk is full, with the sizes. */
enum den_status den_incoming_append(struct den_incoming *incoming, const void *bytes, size_t length,
                                    struct den_error *err);
/* On the disk when this returns; out_hash: 64 digits and a NUL. Frees `incoming` in any case. The
 * file is protected until its row was written (den_originals_want) or den_originals_let_go(). */
enum den_status den_incoming_keep(struct den_incoming *incoming, char out_hash[DEN_HASH_HEX + 1],
                                  uint64_t *out_bytes, struct den_error *err);
void den_incoming_drop(struct den_incoming *incoming);
/* A copy of the file at `fd`, from its start. */
enum den_status den_originals_add_file(struct den_originals *originals, int fd,
                                       char out_hash[DEN_HASH_HEX + 1], uint64_t *out_bytes,
                                       struct den_error *err);

/* The row of `hash`, in the caller's transaction. */
enum den_status den_originals_want(struct den_connection *connection, const char *hash,
                                   uint64_t bytes, struct den_error *err);
void den_originals_let_go(struct den_originals *originals, const char *hash);
/* Removes rows that no document names (in a transaction of its own) and then their files. */
enum den_status den_originals_sweep(struct den_originals *originals, struct den_error *err);

/* While one is pinned, in whichever program, no file is removed: who copies many, or brings many in
 * whose rows come later, need not hold each. What nobody wants any more goes at the end of the pin.
 */
struct den_originals_pin {
    int fd;
};
enum den_status den_originals_pin(struct den_originals *originals, struct den_originals_pin *out,
                                  struct den_error *err);
void den_originals_unpin(struct den_originals *originals, struct den_originals_pin *pin);
/* The file is removed by the next sweep or at the end of a pin, unless a row wants it by then. */
void den_originals_doubt(struct den_originals *originals, const char *hash);
/* Or now, as far as there is no pin: its row could not be written, and the disk may be full. */
void den_originals_settle(struct den_originals *originals);

/* A descriptor for reading. DEN_NOT_FOUND, DEN_BAD_FILE where its size is not the row's. */
enum den_status den_originals_open_file(struct den_originals *originals, const char *hash,
                                        int *out_fd, struct den_error *err);

/* Reads every file and compares its hash; calls `tell` for each that is damaged or missing. */
enum den_status den_originals_check(struct den_originals *originals,
                                    void (*tell)(void *context, const char *hash, const char *what),
                                    void *context, struct den_error *err);

#endif
