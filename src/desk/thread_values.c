/* Values that cross the border between JSON and the database: ids, times, texts. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/utf8.h"
#include "desk/threads_parts.h"

enum den_status den_id_make(char out[DEN_ID_LENGTH_MAX + 1], struct den_error *err)
{
    uint64_t random;

    if (getrandom(&random, sizeof random, 0) != (ssize_t)sizeof random)
        return den_fail_errno(err, DEN_IO, "no random bytes from the kernel");
    snprintf(out, DEN_ID_LENGTH_MAX + 1, "%011llx-%012llx", (unsigned long long)den_clock_unix_ms(),
             (unsigned long long)(random >> 16));
    return DEN_OK;
}

bool den_id_is_valid(const char *id)
{
    static const char allowed[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-";
    size_t length = strlen(id);

    return length > 0 && length <= DEN_ID_LENGTH_MAX && strspn(id, allowed) == length;
}

enum den_status den_id_choose(const json_t *fields, const char *key,
                              char out[DEN_ID_LENGTH_MAX + 1], struct den_error *err)
{
    const char *id = NULL;

    if (den_json_get_text(fields, key, &id, err) != DEN_OK)
        return err->status;
    if (!id)
        return den_id_make(out, err);
    if (!den_id_is_valid(id))
        return den_fail(err, DEN_INVALID, "'%s' must be 1 to %d of the characters A-Z a-z 0-9 _ -",
                        key, DEN_ID_LENGTH_MAX);
    snprintf(out, DEN_ID_LENGTH_MAX + 1, "%s", id);
    return DEN_OK;
}

enum den_status den_text_get(const json_t *fields, const char *key, size_t bytes_max,
                             const char **out, struct den_error *err)
{
    const char *text = NULL;

    if (den_json_get_text(fields, key, &text, err) != DEN_OK)
        return err->status;
    if (text && strlen(text) > bytes_max)
        return den_fail(err, DEN_TOO_LARGE, "'%s' has %zu bytes; at most %zu are possible", key,
                        strlen(text), bytes_max);
    if (text)
        *out = text;
    return DEN_OK;
}

json_t *den_text_json(struct den_query *query, int column)
{
    json_t *text = json_stringn(den_query_text(query, column), den_query_bytes(query, column));

    return text ? text : json_string("");
}

json_t *den_value_json(struct den_query *query, int column)
{
    struct den_error err = { 0 };
    json_t *value = NULL;

    if (!den_query_is_null(query, column))
        den_json_parse(den_query_text(query, column), den_query_bytes(query, column), "database",
                       &value, &err);
    return value ? value : json_null();
}

enum den_status den_json_text(const json_t *value, char **out, struct den_error *err)
{
    struct den_buffer text;

    den_buffer_init(&text, DEN_HTTP_BODY_BYTES_MAX * 2ul);
    if (den_json_write(value, &text, err) == DEN_OK) {
        *out = den_buffer_take(&text);
        if (!*out)
            den_fail(err, DEN_NO_MEMORY, "desk: out of memory");
    }
    den_buffer_deinit(&text);
    return err->status;
}

static bool is_space(uint32_t code)
{
    return code <= ' ' || code == 0x7f || code == 0xa0 || code == 0x3000;
}

void den_text_shorten(const char *text, size_t characters_max, char *out, size_t capacity)
{
    static const char ellipsis[] = "\xE2\x80\xA6";
    size_t length = strlen(text), used = 0, characters = 0, step;
    bool has_gap = false;
    uint32_t code;

    for (; length > 0; text += step, length -= step) {
        step = den_utf8_decode(text, length, &code);
        if (is_space(code)) {
            has_gap = used > 0;
            continue;
        }
        if (characters + has_gap >= characters_max || used + 10 > capacity)
            break;
        if (has_gap)
            out[used++] = ' ';
        characters += has_gap + 1u;
        has_gap = false;
        used += den_utf8_encode(code, out + used);
    }
    out[used] = '\0';
    if (length > 0 && used + sizeof ellipsis <= capacity)
        memcpy(out + used, ellipsis, sizeof ellipsis);
}

enum den_status den_folder_choose(struct den_connection *connection, const json_t *fields,
                                  const char **out, struct den_error *err)
{
    const char *id = NULL;
    struct den_query query;

    if (den_json_get_text(fields, "folder", &id, err) != DEN_OK)
        return err->status;
    if (id) {
        den_query_start(&query, connection, err, "SELECT 1 FROM folders WHERE id = ?", "t", id);
        if (!den_query_next(&query, err) && err->status == DEN_OK)
            den_fail(err, DEN_NOT_FOUND, "'folder': there is no folder '%.64s'", id);
        den_query_end(&query);
    }
    if (err->status == DEN_OK)
        *out = id;
    return err->status;
}
