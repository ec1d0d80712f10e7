/* Package: a zip file's members, with bounds on what comes out of them.
 *
 * Sizes in a zip's headers are claims. What counts is what was inflated: all members of a file
 * together at most DEN_DOCUMENT_INFLATED_MAX, and at most DEN_DOCUMENT_RATIO_MAX times the file
 * once it is more than DEN_DOCUMENT_RATIO_BYTES_MIN. */
#ifndef DEN_INPUT_PACKAGE_H
#define DEN_INPUT_PACKAGE_H

#include "input/readers.h"

struct den_package;
struct den_member; /* of a package, being inflated */

/* `input` must outlive it. */
enum den_status den_package_open(const struct den_input *input, struct den_package **out,
                                 struct den_error *err);
void den_package_close(struct den_package *package);

size_t den_package_count(const struct den_package *package);
/* In UTF-8 as far as its maker said so; "" for one without a name. */
const char *den_package_name(const struct den_package *package, size_t index);
bool den_package_has(const struct den_package *package, const char *name);
const char *den_package_file(const struct den_package *package); /* for messages */

enum den_status den_package_member_open(struct den_package *package, const char *name,
                                        struct den_member **out, struct den_error *err);
enum den_status den_package_member_open_at(struct den_package *package, size_t index,
                                           struct den_member **out, struct den_error *err);
/* Bytes read, 0 at the end, -1 on failure, which den_member_status() tells. */
long den_member_read(struct den_member *member, char *bytes, size_t length);
enum den_status den_member_status(const struct den_member *member, struct den_error *err);
void den_member_close(struct den_member *member);
/* The whole of a member, appended; the buffer's ceiling applies. */
enum den_status den_member_read_all(struct den_member *member, struct den_buffer *out,
                                    struct den_error *err);

/* What a part of a package points to: an Office file's relationships. */
struct den_relation {
    char *id, *type, *target; /* the type's last word; the target as a member's name */
};
struct den_relations {
    struct den_relation *items;
    size_t count;
};
/* Those of the member `name` ("" for the package's own). None is no failure. */
enum den_status den_relations_read(struct den_package *package, const char *name,
                                   struct den_relations *out, struct den_error *err);
void den_relations_free(struct den_relations *relations);
/* NULL: none. */
const char *den_relations_by_id(const struct den_relations *relations, const char *id);
const char *den_relations_by_type(const struct den_relations *relations, const char *type);

/* The member that is the document itself; `usual` where the package does not say. Freed with
 * free(); NULL on failure. */
char *den_package_main(struct den_package *package, const char *usual, struct den_error *err);

/* Title, author and date of docProps/core.xml or meta.xml. */
void den_package_facts(struct den_package *package, const char *name, struct den_writer *writer);

/* `target` as seen from the folder of `base`: "word/document.xml" and "../a.xml" give "a.xml".
 * NULL: out of memory, or it leads outside. Freed with free(). */
char *den_package_path(const char *base, const char *target);

#endif
