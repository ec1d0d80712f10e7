/* Bundle: one zip file that carries a workspace or everything, written and read with bounds.
 *
 * Written: files are added by their paths and go into the zip when it is finished, one after the
 * other, so that memory stays that of one block. It is made under a temporary name, flushed and
 * renamed. zip's 64-bit sizes are used where they are needed.
 *
 * Read: whoever made it may be hostile. No member's name is ever used as a path; names that are not
 * expected are refused by who reads. Sizes in its headers are claims: what counts is what comes
 * out, up to the caller's ceiling. zip's checksum of each member is compared at its end. */
#ifndef DEN_DESK_BUNDLE_H
#define DEN_DESK_BUNDLE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/status.h"

/* --- writing --- */

struct den_bundle_writer;

/* `path` is where the finished file is to be. */
enum den_status den_bundle_create(const char *path, struct den_bundle_writer **out,
                                  struct den_error *err);
/* The file at `path` under `name`, at den_bundle_finish(); it must be there until then. `packs`: it
 * is compressed. */
enum den_status den_bundle_add_file(struct den_bundle_writer *writer, const char *name,
                                    const char *path, bool packs, struct den_error *err);
enum den_status den_bundle_add_json(struct den_bundle_writer *writer, const char *name,
                                    const json_t *value, struct den_error *err);
/* On the disk under its name when this returns, or not there. Frees the writer in any case. */
enum den_status den_bundle_finish(struct den_bundle_writer *writer, struct den_error *err);
void den_bundle_drop(struct den_bundle_writer *writer);

/* --- reading --- */

struct den_bundle;
struct den_bundle_member;

/* DEN_BAD_FILE: no zip, damaged, or cut; DEN_TOO_LARGE: more than DEN_BUNDLE_ENTRIES_MAX members.
 */
enum den_status den_bundle_open(const char *path, struct den_bundle **out, struct den_error *err);
void den_bundle_close(struct den_bundle *bundle);
size_t den_bundle_count(const struct den_bundle *bundle);
/* "" for one without a name. */
const char *den_bundle_name(const struct den_bundle *bundle, size_t index);
/* -1: there is none. */
int64_t den_bundle_find(const struct den_bundle *bundle, const char *name);
/* What its header says. */
uint64_t den_bundle_bytes(const struct den_bundle *bundle, size_t index);

/* At most `bytes_max` come out of it: DEN_TOO_LARGE. DEN_BAD_FILE: no such member. */
enum den_status den_bundle_member_open(struct den_bundle *bundle, const char *name,
                                       uint64_t bytes_max, struct den_bundle_member **out,
                                       struct den_error *err);
void den_bundle_member_close(struct den_bundle_member *member);
/* *out_length 0: the end, at which the checksum was right. */
enum den_status den_bundle_read(struct den_bundle_member *member, void *bytes, size_t capacity,
                                size_t *out_length, struct den_error *err);
/* Exactly `length` bytes; DEN_BAD_FILE where there are fewer. */
enum den_status den_bundle_read_exactly(struct den_bundle_member *member, void *bytes,
                                        size_t length, struct den_error *err);
/* The next line as JSON, an object; false: the end, or a failure. */
bool den_bundle_next(struct den_bundle_member *member, json_t **out, struct den_error *err);
/* The whole of a small member as a JSON object. */
enum den_status den_bundle_json(struct den_bundle *bundle, const char *name, json_t **out,
                                struct den_error *err);

#endif
