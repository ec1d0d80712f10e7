/* See package.h. */
#include "input/package.h"

#include <stdlib.h>
#include <string.h>
#include <zip.h>

struct den_package {
    const struct den_input *input;
    zip_t *zip;
    size_t count;
};

struct den_member {
    struct den_package *package;
    zip_file_t *file;
    char *name;
    struct den_error failure;
};

/* --- the package --- */

static enum den_status fail_zip(const char *file, zip_error_t *error, struct den_error *err)
{
    int code = zip_error_code_zip(error);

    if (code == ZIP_ER_MEMORY)
        return den_fail(err, DEN_NO_MEMORY, "%s: out of memory", file);
    if (code == ZIP_ER_NOZIP || code == ZIP_ER_INCONS)
        return den_fail(err, DEN_BAD_FILE,
                        "%s: a zip file (as Office documents are) that is damaged or not whole "
                        "(%s); fetch or save it again",
                        file, zip_error_strerror(error));
    return den_fail(err, DEN_BAD_FILE, "%s: %s", file, zip_error_strerror(error));
}

enum den_status den_package_open(const struct den_input *input, struct den_package **out,
                                 struct den_error *err)
{
    struct den_package *package = calloc(1, sizeof *package);
    zip_source_t *source = NULL;
    zip_error_t error;

    zip_error_init(&error);
    if (!package) {
        den_fail(err, DEN_NO_MEMORY, "%s: out of memory", input->name);
        goto fail;
    }
    package->input = input;
    source = zip_source_buffer_create(input->data, input->length, 0, &error);
    if (source)
        package->zip = zip_open_from_source(source, ZIP_RDONLY, &error);
    if (!package->zip) {
        zip_source_free(source);
        fail_zip(input->name, &error, err);
        goto fail;
    }
    package->count = (size_t)zip_get_num_entries(package->zip, 0);
    zip_error_fini(&error);
    *out = package;
    return DEN_OK;
fail:
    zip_error_fini(&error);
    den_package_close(package);
    return err->status;
}

void den_package_close(struct den_package *package)
{
    if (!package)
        return;
    if (package->zip)
        zip_discard(package->zip);
    free(package);
}

size_t den_package_count(const struct den_package *package)
{
    return package->count;
}

const char *den_package_name(const struct den_package *package, size_t index)
{
    const char *name = zip_get_name(package->zip, index, ZIP_FL_ENC_GUESS);

    return name ? name : "";
}

bool den_package_has(const struct den_package *package, const char *name)
{
    return zip_name_locate(package->zip, name, ZIP_FL_ENC_RAW) >= 0;
}

const char *den_package_file(const struct den_package *package)
{
    return package->input->name;
}

/* --- members --- */

enum den_status den_package_member_open_at(struct den_package *package, size_t index,
                                           struct den_member **out, struct den_error *err)
{
    struct den_member *member = calloc(1, sizeof *member);
    const char *name = den_package_name(package, index);
    zip_stat_t about;

    if (!member || !(member->name = strdup(name))) {
        free(member);
        return den_fail(err, DEN_NO_MEMORY, "%s: out of memory", package->input->name);
    }
    member->package = package;
    if (zip_stat_index(package->zip, index, 0, &about) == 0 &&
        (about.valid & ZIP_STAT_ENCRYPTION_METHOD) && about.encryption_method != ZIP_EM_NONE) {
        den_member_close(member);
        return den_fail(err, DEN_UNSUPPORTED,
                        "%s: '%s' is protected by a password; save it without one",
                        package->input->name, name);
    }
    member->file = zip_fopen_index(package->zip, index, 0);
    if (!member->file) {
        fail_zip(package->input->name, zip_get_error(package->zip), err);
        den_member_close(member);
        return err->status;
    }
    *out = member;
    return DEN_OK;
}

enum den_status den_package_member_open(struct den_package *package, const char *name,
                                        struct den_member **out, struct den_error *err)
{
    zip_int64_t index = zip_name_locate(package->zip, name, ZIP_FL_ENC_RAW);

    if (index < 0)
        return den_fail(err, DEN_BAD_FILE, "%s: has no '%s'", package->input->name, name);
    return den_package_member_open_at(package, (size_t)index, out, err);
}

static bool is_bomb(const struct den_package *package)
{
    uint64_t inflated = *package->input->inflated;

    return inflated > DEN_DOCUMENT_INFLATED_MAX ||
           (inflated > DEN_DOCUMENT_RATIO_BYTES_MIN &&
            inflated / DEN_DOCUMENT_RATIO_MAX > package->input->length);
}

long den_member_read(struct den_member *member, char *bytes, size_t length)
{
    zip_int64_t got;

    if (member->failure.status != DEN_OK)
        return -1;
    got = zip_fread(member->file, bytes, length);
    if (got < 0) {
        den_fail(&member->failure, DEN_BAD_FILE, "%s: '%s' is damaged (%s)",
                 member->package->input->name, member->name, zip_file_strerror(member->file));
        return -1;
    }
    *member->package->input->inflated += (uint64_t)got;
    if (is_bomb(member->package)) {
        den_fail(&member->failure, DEN_TOO_LARGE,
                 "%s: grows to more than %llu MiB when it is unpacked, %llu times its size",
                 member->package->input->name,
                 (unsigned long long)(*member->package->input->inflated >> 20),
                 (unsigned long long)(*member->package->input->inflated /
                                      (member->package->input->length + 1)));
        return -1;
    }
    return (long)got;
}

enum den_status den_member_status(const struct den_member *member, struct den_error *err)
{
    if (member->failure.status != DEN_OK)
        *err = member->failure;
    return member->failure.status;
}

void den_member_close(struct den_member *member)
{
    if (!member)
        return;
    if (member->file)
        zip_fclose(member->file);
    free(member->name);
    free(member);
}

enum den_status den_member_read_all(struct den_member *member, struct den_buffer *out,
                                    struct den_error *err)
{
    char bytes[16384];
    long got;

    while ((got = den_member_read(member, bytes, sizeof bytes)) > 0)
        if (!den_buffer_append(out, bytes, (size_t)got))
            return den_buffer_status(out, member->name, err);
    return den_member_status(member, err);
}

/* --- paths --- */

char *den_package_path(const char *base, const char *target)
{
    const char *slash = target[0] == '/' ? NULL : strrchr(base, '/');
    size_t folder = slash ? (size_t)(slash - base) + 1 : 0;
    size_t length = folder + strlen(target);
    char *path = malloc(length + 1);
    size_t used = folder;

    if (!path)
        return NULL;
    memcpy(path, base, folder);
    target += target[0] == '/';
    while (*target) {
        size_t step = strcspn(target, "/");

        if (step == 2 && memcmp(target, "..", 2) == 0) {
            if (used == 0) {
                free(path);
                return NULL;
            }
            for (used--; used > 0 && path[used - 1] != '/';)
                used--;
        } else if (step > 0 && !(step == 1 && *target == '.')) {
            memcpy(path + used, target, step);
            used += step;
            if (target[step] == '/')
                path[used++] = '/';
        }
        target += step;
        target += *target == '/';
    }
    path[used] = '\0';
    return path;
}
