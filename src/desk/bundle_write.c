/* Bundles, written: see bundle.h. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zip.h>

#include "base/json.h"
#include "base/limits.h"
#include "desk/bundle.h"
#include "desk/scratch_folder.h"

struct den_bundle_writer {
    zip_t *zip;
    char path[DEN_PATH_BYTES_MAX];      /* when it is finished */
    char temporary[DEN_PATH_BYTES_MAX]; /* until then */
};

enum den_status den_bundle_create(const char *path, struct den_bundle_writer **out,
                                  struct den_error *err)
{
    struct den_bundle_writer *writer = calloc(1, sizeof *writer);
    int code = 0, length;

    if (!writer)
        return den_fail(err, DEN_NO_MEMORY, "%s: out of memory", path);
    length =
        snprintf(writer->temporary, sizeof writer->temporary, "%s.%ld.part", path, (long)getpid());
    if (length < 0 || (size_t)length >= sizeof writer->temporary) {
        free(writer);
        return den_fail(err, DEN_INVALID, "%.100s...: the path is too long", path);
    }
    snprintf(writer->path, sizeof writer->path, "%s", path);
    writer->zip = zip_open(writer->temporary, ZIP_CREATE | ZIP_TRUNCATE, &code);
    if (!writer->zip) {
        den_disk_fail(err, "the file can't be made", path);
        free(writer);
        return err->status;
    }
    *out = writer;
    return DEN_OK;
}

static enum den_status fail_zip(struct den_bundle_writer *writer, const char *name,
                                struct den_error *err)
{
    return den_fail(err, DEN_IO, "%s: '%.80s' can't be added: %s", writer->path, name,
                    zip_strerror(writer->zip));
}

static enum den_status add(struct den_bundle_writer *writer, const char *name, zip_source_t *source,
                           bool packs, struct den_error *err)
{
    zip_int64_t index;

    if (!source)
        return fail_zip(writer, name, err);
    index = zip_file_add(writer->zip, name, source, ZIP_FL_ENC_UTF_8);
    if (index < 0) {
        fail_zip(writer, name, err);
        zip_source_free(source);
        return err->status;
    }
    if (zip_set_file_compression(writer->zip, (zip_uint64_t)index,
                                 packs ? ZIP_CM_DEFLATE : ZIP_CM_STORE, packs ? 1 : 0) != 0)
        return fail_zip(writer, name, err);
    return DEN_OK;
}

enum den_status den_bundle_add_file(struct den_bundle_writer *writer, const char *name,
                                    const char *path, bool packs, struct den_error *err)
{
    return add(writer, name, zip_source_file(writer->zip, path, 0, -1), packs, err);
}

enum den_status den_bundle_add_json(struct den_bundle_writer *writer, const char *name,
                                    const json_t *value, struct den_error *err)
{
    struct den_buffer text;
    size_t length;
    char *bytes;

    den_buffer_init(&text, DEN_BUNDLE_JSON_BYTES_MAX);
    if (den_json_write(value, &text, err) == DEN_OK)
        den_buffer_status(&text, name, err);
    length = text.length;
    bytes = err->status == DEN_OK ? den_buffer_take(&text) : NULL;
    den_buffer_deinit(&text);
    if (!bytes)
        return err->status != DEN_OK ? err->status
                                     : den_fail(err, DEN_NO_MEMORY, "%s: out of memory", name);
    return add(writer, name, zip_source_buffer(writer->zip, bytes, length, 1), true, err);
}

/* zip_close() says "Write error: No space left on device" or the like; the errno under it is what
 * tells a full disk. */
static enum den_status close_zip(struct den_bundle_writer *writer, struct den_error *err)
{
    zip_error_t *error;

    if (zip_close(writer->zip) == 0) {
        writer->zip = NULL;
        return DEN_OK;
    }
    error = zip_get_error(writer->zip);
    errno = zip_error_code_system(error);
    if (zip_error_system_type(error) == ZIP_ET_SYS && errno != 0)
        return den_disk_fail(err, "writing the file", writer->path);
    return den_fail(err, DEN_IO, "%s can't be written: %s", writer->path,
                    zip_error_strerror(error));
}

enum den_status den_bundle_finish(struct den_bundle_writer *writer, struct den_error *err)
{
    if (close_zip(writer, err) == DEN_OK && chmod(writer->temporary, 0600) != 0)
        den_disk_fail(err, "writing the file", writer->path);
    if (err->status == DEN_OK)
        den_disk_settle(writer->temporary, writer->path, err);
    den_bundle_drop(writer);
    return err->status;
}

void den_bundle_drop(struct den_bundle_writer *writer)
{
    if (!writer)
        return;
    if (writer->zip)
        zip_discard(writer->zip);
    unlink(writer->temporary);
    free(writer);
}
