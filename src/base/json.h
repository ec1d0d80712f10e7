/* JSON: jansson, with the bounds and the error idiom of this project.
 *
 * Reading goes through den_json_parse(), which caps depth and rejects duplicate keys. Fields are
 * fetched with typed getters that name the field and the type they wanted. Absent and null fields
 * leave the default in place. */
#ifndef DEN_BASE_JSON_H
#define DEN_BASE_JSON_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/status.h"

/* Parses `length` bytes; `what` names them in messages. The caller owns *out_value (json_decref).
 */
enum den_status den_json_parse(const char *text, size_t length, const char *what,
                               json_t **out_value, struct den_error *err);
/* Malformed content is DEN_BAD_FILE. */
enum den_status den_json_read_file(const char *path, json_t **out_value, struct den_error *err);
/* Appends `value` as compact text. Non-ASCII characters stay as they are; numbers read back as they
 * are, which makes 0.8 0.80000000000000004. */
enum den_status den_json_write(const json_t *value, struct den_buffer *out, struct den_error *err);
/* As den_json_write(), for clients and people: numbers have 15 digits at most. */
enum den_status den_json_show(const json_t *value, struct den_buffer *out, struct den_error *err);

/* Each writes *out_value only when `object` has a non-null `key`. DEN_INVALID when it is of another
 * type or out of [minimum, maximum]; numbers accept integers and, for den_json_get_number, reals.
 */
enum den_status den_json_get_integer(const json_t *object, const char *key, int64_t minimum,
                                     int64_t maximum, int64_t *out_value, struct den_error *err);
enum den_status den_json_get_number(const json_t *object, const char *key, double minimum,
                                    double maximum, double *out_value, struct den_error *err);
enum den_status den_json_get_bool(const json_t *object, const char *key, bool *out_value,
                                  struct den_error *err);
/* The text lives as long as `object`. One with a U+0000 in it is refused: as a C string it would be
 * cut there. */
enum den_status den_json_get_text(const json_t *object, const char *key, const char **out_value,
                                  struct den_error *err);

#endif
