/* See bundle.h: reading. bundle_write.c writes. */
#include "desk/bundle.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zip.h>

#include "base/json.h"
#include "base/limits.h"

enum { BLOCK_BYTES = 256 << 10 };

struct den_bundle {
    zip_t *zip;
    char *path;
    size_t count;
};

struct den_bundle_member {
    const struct den_bundle *bundle;
    zip_file_t *file;
    char *name;
    uint64_t read, bytes_max;
    struct den_buffer line; /* bytes that were read, for den_bundle_next() ... */
    size_t start;           /* ... of which so many were handed out ... */
    size_t searched;        /* ... and up to here there is no other end of a line */
    size_t number;          /* of the line, from 1 */
    bool has_ended;
};

/* --- opening --- */

static enum den_status fail_open(const char *path, int code, struct den_error *err)
{
    zip_error_t error;

    zip_error_init_with_code(&error, code);
    if (code == ZIP_ER_OPEN || code == ZIP_ER_READ)
        den_fail_errno(err, DEN_IO, "%s can't be read", path);
    else if (code == ZIP_ER_NOENT)
        den_fail(err, DEN_NOT_FOUND, "%s: there is no such file", path);
    else if (code == ZIP_ER_MEMORY)
        den_fail(err, DEN_NO_MEMORY, "%s: out of memory", path);
    else
        den_fail(err, DEN_BAD_FILE,
                 "%s is none of Den's exports or backups, or is cut or damaged (%s)", path,
                 zip_error_strerror(&error));
    zip_error_fini(&error);
    return err->status;
}

enum den_status den_bundle_open(const char *path, struct den_bundle **out, struct den_error *err)
{
    struct den_bundle *bundle = calloc(1, sizeof *bundle);
    zip_int64_t count;
    int code = 0;

    if (!bundle || !(bundle->path = strdup(path))) {
        den_fail(err, DEN_NO_MEMORY, "%s: out of memory", path);
        goto fail;
    }
    bundle->zip = zip_open(path, ZIP_RDONLY, &code);
    if (!bundle->zip) {
        fail_open(path, code, err);
        goto fail;
    }
    count = zip_get_num_entries(bundle->zip, 0);
    if (count > DEN_BUNDLE_ENTRIES_MAX) {
        den_fail(err, DEN_TOO_LARGE, "%s: has %lld members; at most %d are read", path,
                 (long long)count, DEN_BUNDLE_ENTRIES_MAX);
        goto fail;
    }
    bundle->count = count > 0 ? (size_t)count : 0;
    *out = bundle;
    return DEN_OK;
fail:
    den_bundle_close(bundle);
    return err->status;
}

void den_bundle_close(struct den_bundle *bundle)
{
    if (!bundle)
        return;
    if (bundle->zip)
        zip_discard(bundle->zip);
    free(bundle->path);
    free(bundle);
}

size_t den_bundle_count(const struct den_bundle *bundle)
{
    return bundle->count;
}

const char *den_bundle_name(const struct den_bundle *bundle, size_t index)
{
    const char *name = zip_get_name(bundle->zip, index, ZIP_FL_ENC_RAW);

    return name ? name : "";
}

int64_t den_bundle_find(const struct den_bundle *bundle, const char *name)
{
    return zip_name_locate(bundle->zip, name, ZIP_FL_ENC_RAW);
}

uint64_t den_bundle_bytes(const struct den_bundle *bundle, size_t index)
{
    zip_stat_t about;

    if (zip_stat_index(bundle->zip, index, 0, &about) != 0 || !(about.valid & ZIP_STAT_SIZE))
        return 0;
    return about.size;
}

/* --- members --- */

enum den_status den_bundle_member_open(struct den_bundle *bundle, const char *name,
                                       uint64_t bytes_max, struct den_bundle_member **out,
                                       struct den_error *err)
{
    struct den_bundle_member *member = calloc(1, sizeof *member);
    const int64_t index = den_bundle_find(bundle, name);
    zip_stat_t about;

    if (!member || !(member->name = strdup(name))) {
        free(member);
        return den_fail(err, DEN_NO_MEMORY, "%s: out of memory", bundle->path);
    }
    den_buffer_init(&member->line, DEN_BUNDLE_LINE_BYTES_MAX);
    member->bundle = bundle;
    member->bytes_max = bytes_max;
    if (index < 0)
        den_fail(err, DEN_BAD_FILE, "%s: has no '%.80s'", bundle->path, name);
    else if (zip_stat_index(bundle->zip, (zip_uint64_t)index, 0, &about) == 0 &&
             (about.valid & ZIP_STAT_ENCRYPTION_METHOD) && about.encryption_method != ZIP_EM_NONE)
        den_fail(err, DEN_UNSUPPORTED, "%s: '%.80s' is protected by a password", bundle->path,
                 name);
    else if ((member->file = zip_fopen_index(bundle->zip, (zip_uint64_t)index, 0)) == NULL)
        den_fail(err, DEN_BAD_FILE, "%s: '%.80s' can't be read (%s)", bundle->path, name,
                 zip_strerror(bundle->zip));
    if (err->status != DEN_OK) {
        den_bundle_member_close(member);
        return err->status;
    }
    *out = member;
    return DEN_OK;
}

void den_bundle_member_close(struct den_bundle_member *member)
{
    if (!member)
        return;
    if (member->file)
        zip_fclose(member->file);
    den_buffer_deinit(&member->line);
    free(member->name);
    free(member);
}

enum den_status den_bundle_read(struct den_bundle_member *member, void *bytes, size_t capacity,
                                size_t *out_length, struct den_error *err)
{
    zip_int64_t length = zip_fread(member->file, bytes, capacity);

    if (length < 0) {
        zip_error_t *error = zip_file_get_error(member->file);

        return den_fail(err, zip_error_code_zip(error) == ZIP_ER_READ ? DEN_IO : DEN_BAD_FILE,
                        "%s: '%.80s' is damaged (%s)", member->bundle->path, member->name,
                        zip_error_strerror(error));
    }
    member->read += (uint64_t)length;
    if (member->read > member->bytes_max)
        return den_fail(err, DEN_TOO_LARGE, "%s: '%.80s' has more than %llu bytes",
                        member->bundle->path, member->name, (unsigned long long)member->bytes_max);
    *out_length = (size_t)length;
    return DEN_OK;
}

enum den_status den_bundle_read_exactly(struct den_bundle_member *member, void *bytes,
                                        size_t length, struct den_error *err)
{
    char *at = bytes;

    while (length > 0) {
        size_t got = 0;

        if (den_bundle_read(member, at, length, &got, err) != DEN_OK)
            return err->status;
        if (got == 0)
            return den_fail(err, DEN_BAD_FILE, "%s: '%.80s' ends too early", member->bundle->path,
                            member->name);
        at += got;
        length -= got;
    }
    return DEN_OK;
}

/* --- lines --- */

static enum den_status read_more(struct den_bundle_member *member, struct den_error *err)
{
    struct den_buffer *line = &member->line;
    size_t got = 0;

    den_buffer_consume(line, member->start);
    member->searched -= member->start;
    member->start = 0;
    if (!den_buffer_reserve(line, BLOCK_BYTES))
        return line->status == DEN_TOO_LARGE
                   ? den_fail(err, DEN_TOO_LARGE, "%s: '%.80s', line %zu: more than %u bytes",
                              member->bundle->path, member->name, member->number + 1,
                              DEN_BUNDLE_LINE_BYTES_MAX)
                   : den_fail(err, DEN_NO_MEMORY, "%s: out of memory", member->bundle->path);
    if (den_bundle_read(member, line->data + line->length, BLOCK_BYTES, &got, err) != DEN_OK)
        return err->status;
    line->length += got;
    line->data[line->length] = '\0';
    member->has_ended = got == 0;
    return DEN_OK;
}

/* Reads on until a line's end is among the bytes, or the end. */
static enum den_status find_line(struct den_bundle_member *member, char **out_end,
                                 struct den_error *err)
{
    const struct den_buffer *line = &member->line;

    for (;;) {
        *out_end = memchr(line->data + member->searched, '\n', line->length - member->searched);
        if (*out_end || member->has_ended)
            return DEN_OK;
        member->searched = line->length;
        if (read_more(member, err) != DEN_OK)
            return err->status;
    }
}

bool den_bundle_next(struct den_bundle_member *member, json_t **out, struct den_error *err)
{
    json_t *value = NULL;
    char *end = NULL, what[160];
    const char *start;
    size_t length;

    if (err->status != DEN_OK || find_line(member, &end, err) != DEN_OK ||
        (!end && member->line.length == member->start))
        return false;
    start = member->line.data + member->start;
    length = end ? (size_t)(end - start) : member->line.length - member->start;
    snprintf(what, sizeof what, "'%.80s', line %zu", member->name, ++member->number);
    if (den_json_parse(start, length, what, &value, err) != DEN_OK) {
        if (err->status == DEN_INVALID)
            err->status = DEN_BAD_FILE;
        return false;
    }
    member->start += length + (end != NULL);
    member->searched = member->start;
    if (!json_is_object(value)) {
        json_decref(value);
        den_fail(err, DEN_BAD_FILE, "%s is no JSON object", what);
        return false;
    }
    *out = value;
    return true;
}

enum den_status den_bundle_json(struct den_bundle *bundle, const char *name, json_t **out,
                                struct den_error *err)
{
    struct den_bundle_member *member = NULL;
    struct den_buffer text;
    json_t *value = NULL;
    char block[4096];
    size_t got = 1;

    den_buffer_init(&text, DEN_BUNDLE_JSON_BYTES_MAX);
    if (den_bundle_member_open(bundle, name, DEN_BUNDLE_JSON_BYTES_MAX, &member, err) == DEN_OK)
        while (got > 0 && den_bundle_read(member, block, sizeof block, &got, err) == DEN_OK)
            den_buffer_append(&text, block, got);
    if (err->status == DEN_OK && den_buffer_status(&text, name, err) == DEN_OK &&
        den_json_parse(text.data, text.length, name, &value, err) == DEN_OK &&
        !json_is_object(value))
        den_fail(err, DEN_BAD_FILE, "'%s' is no JSON object", name);
    if (err->status == DEN_INVALID)
        err->status = DEN_BAD_FILE;
    den_bundle_member_close(member);
    den_buffer_deinit(&text);
    if (err->status == DEN_OK)
        *out = value;
    else
        json_decref(value);
    return err->status;
}
