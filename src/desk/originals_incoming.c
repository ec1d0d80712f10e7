/* Originals: files on their way in. See originals.h and, for the locks, originals.c.
 *
 * What can go wrong is the disk: it is full, or it fails. Both are told with the sizes, the
 * unfinished file is removed, and nothing was promised yet. */
#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "desk/originals_parts.h"

enum { BLOCK_BYTES = 256 << 10 };

struct den_incoming {
    struct den_originals *originals;
    char path[DEN_PATH_BYTES_MAX]; /* "": it was renamed */
    int fd;
    EVP_MD_CTX *digest;
    uint64_t bytes;
};

static void write_hexadecimal(EVP_MD_CTX *digest, char out[DEN_HASH_HEX + 1])
{
    unsigned char hash[EVP_MAX_MD_SIZE];
    unsigned length = 0, i;

    EVP_DigestFinal_ex(digest, hash, &length);
    for (i = 0; i < length && i < DEN_HASH_HEX / 2; i++)
        snprintf(out + 2 * i, 3, "%02x", hash[i]);
}

enum den_status den_hash_file(int fd, char out[DEN_HASH_HEX + 1], struct den_error *err)
{
    EVP_MD_CTX *digest = EVP_MD_CTX_new();
    unsigned char *block = malloc(BLOCK_BYTES);
    ssize_t length;
    off_t at = 0;

    if (!digest || !block || EVP_DigestInit_ex(digest, EVP_sha256(), NULL) != 1) {
        den_fail(err, DEN_NO_MEMORY, "originals: out of memory");
        goto end;
    }
    while ((length = pread(fd, block, BLOCK_BYTES, at)) != 0) {
        if (length < 0 && errno == EINTR)
            continue;
        if (length < 0) {
            den_fail_errno(err, DEN_IO, "originals: a file can't be read back");
            goto end;
        }
        EVP_DigestUpdate(digest, block, (size_t)length);
        at += length;
    }
    write_hexadecimal(digest, out);
end:
    EVP_MD_CTX_free(digest);
    free(block);
    return err->status;
}

/* --- receiving --- */

enum den_status den_incoming_begin(struct den_originals *originals, struct den_incoming **out,
                                   struct den_error *err)
{
    struct den_incoming *incoming = calloc(1, sizeof *incoming);
    int length;

    if (!incoming)
        return den_fail(err, DEN_NO_MEMORY, "originals: out of memory");
    incoming->originals = originals;
    incoming->fd = -1;
    incoming->digest = EVP_MD_CTX_new();
    if (!incoming->digest || EVP_DigestInit_ex(incoming->digest, EVP_sha256(), NULL) != 1) {
        den_fail(err, DEN_NO_MEMORY, "originals: out of memory");
        goto fail;
    }
    length = snprintf(incoming->path, sizeof incoming->path, "%s/" DEN_INCOMING_PREFIX "XXXXXX",
                      den_originals_folder(originals));
    if (length < 0 || (size_t)length >= sizeof incoming->path) {
        incoming->path[0] = '\0';
        den_fail(err, DEN_INVALID, "originals: the path of its folder is too long");
        goto fail;
    }
    incoming->fd = mkostemp(incoming->path, O_CLOEXEC);
    if (incoming->fd < 0) {
        den_fail_errno(err, DEN_IO, "originals: no file can be made in %s",
                       den_originals_folder(originals));
        incoming->path[0] = '\0';
        goto fail;
    }
    *out = incoming;
    return DEN_OK;
fail:
    den_incoming_drop(incoming);
    return err->status;
}

void den_incoming_drop(struct den_incoming *incoming)
{
    if (!incoming)
        return;
    if (incoming->path[0])
        unlink(incoming->path);
    if (incoming->fd >= 0)
        close(incoming->fd);
    EVP_MD_CTX_free(incoming->digest);
    free(incoming);
}

static enum den_status fail_to_write(const struct den_incoming *incoming, size_t length,
                                     struct den_error *err)
{
    const int error = errno;
    const char *folder = den_originals_folder(incoming->originals);
    struct statvfs disk;

    if ((error == ENOSPC || error == EDQUOT) && statvfs(folder, &disk) == 0)
        return den_fail(err, DEN_IO,
                        "originals: the disk of %s is full: %llu MiB are free, and the file has "
                        "%llu MiB so far and goes on",
                        folder,
                        (unsigned long long)disk.f_bavail * (unsigned long long)disk.f_frsize >> 20,
                        (unsigned long long)(incoming->bytes + length) >> 20);
    errno = error;
    return den_fail_errno(err, DEN_IO, "originals: writing to %s, after %llu bytes", folder,
                          (unsigned long long)incoming->bytes);
}

enum den_status den_incoming_append(struct den_incoming *incoming, const void *bytes, size_t length,
                                    struct den_error *err)
{
    const char *at = bytes;

    if (length > DEN_DOCUMENT_BYTES_MAX - incoming->bytes)
        return den_fail(err, DEN_TOO_LARGE,
                        "the file has more than %llu MiB, which is the most that one may have",
                        (unsigned long long)DEN_DOCUMENT_BYTES_MAX >> 20);
    EVP_DigestUpdate(incoming->digest, bytes, length);
    while (length > 0) {
        ssize_t count = write(incoming->fd, at, length);

        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0)
            return fail_to_write(incoming, length, err);
        at += count;
        length -= (size_t)count;
        incoming->bytes += (uint64_t)count;
    }
    return DEN_OK;
}

/* --- keeping --- */

static enum den_status sync_folder(const char *path, struct den_error *err)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (fd < 0 || fsync(fd) != 0)
        den_fail_errno(err, DEN_IO, "originals: %s can't be flushed to the disk", path);
    if (fd >= 0)
        close(fd);
    return err->status;
}

/* Makes FOLDER/ab; what was new is flushed with its parent. `path` is that of the file. */
static enum den_status make_folder(const struct den_incoming *incoming, const char *path,
                                   char out[DEN_PATH_BYTES_MAX], struct den_error *err)
{
    snprintf(out, DEN_PATH_BYTES_MAX, "%s", path);
    *strrchr(out, '/') = '\0';
    if (mkdir(out, 0700) == 0)
        return sync_folder(den_originals_folder(incoming->originals), err);
    if (errno == EEXIST)
        return DEN_OK;
    return fail_to_write(incoming, 0, err);
}

/* Takes the lock of a file that is there already; -1: it is not there (any more), or is not
 * whole. */
static int lock_existing(const char *path, uint64_t bytes)
{
    struct stat info;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);

    if (fd < 0)
        return -1;
    while (flock(fd, LOCK_SH) != 0 && errno == EINTR)
        continue;
    /* no link: it was removed between open() and flock() */
    if (fstat(fd, &info) == 0 && info.st_nlink > 0 && S_ISREG(info.st_mode) &&
        (uint64_t)info.st_size == bytes)
        return fd;
    close(fd);
    return -1;
}

/* Gives the file its name, or finds that another has it; *out_fd holds a shared lock. */
static enum den_status settle(struct den_incoming *incoming, const char *path, int *out_fd,
                              struct den_error *err)
{
    while (flock(incoming->fd, LOCK_SH) != 0)
        if (errno != EINTR)
            return den_fail_errno(err, DEN_IO, "originals: %s can't be locked", incoming->path);
    if (renameat2(AT_FDCWD, incoming->path, AT_FDCWD, path, RENAME_NOREPLACE) != 0) {
        int fd = errno == EEXIST ? lock_existing(path, incoming->bytes) : -1;

        if (fd >= 0) {
            *out_fd = fd;
            return DEN_OK; /* den_incoming_drop() removes ours */
        }
        /* gone meanwhile, damaged, or a file system that can't do it without replacing */
        if (rename(incoming->path, path) != 0)
            return fail_to_write(incoming, 0, err);
    }
    incoming->path[0] = '\0';
    *out_fd = incoming->fd;
    incoming->fd = -1;
    return DEN_OK;
}

enum den_status den_incoming_keep(struct den_incoming *incoming, char out_hash[DEN_HASH_HEX + 1],
                                  uint64_t *out_bytes, struct den_error *err)
{
    char path[DEN_PATH_BYTES_MAX], folder[DEN_PATH_BYTES_MAX], hash[DEN_HASH_HEX + 1];
    int fd = -1;

    write_hexadecimal(incoming->digest, hash);
    if (fsync(incoming->fd) != 0) {
        fail_to_write(incoming, 0, err);
        goto end;
    }
    if (den_originals_path(incoming->originals, hash, path, err) != DEN_OK ||
        make_folder(incoming, path, folder, err) != DEN_OK ||
        settle(incoming, path, &fd, err) != DEN_OK || sync_folder(folder, err) != DEN_OK ||
        den_originals_hold(incoming->originals, hash, fd, err) != DEN_OK)
        goto end;
    fd = -1;
    memcpy(out_hash, hash, sizeof hash);
    *out_bytes = incoming->bytes;
end:
    if (fd >= 0)
        close(fd);
    if (err->status != DEN_OK && !incoming->path[0]) /* it has its name, and nobody to want it */
        den_originals_doubt(incoming->originals, hash);
    den_incoming_drop(incoming);
    return err->status;
}

enum den_status den_originals_add_file(struct den_originals *originals, int fd,
                                       char out_hash[DEN_HASH_HEX + 1], uint64_t *out_bytes,
                                       struct den_error *err)
{
    struct den_incoming *incoming = NULL;
    unsigned char *block = malloc(BLOCK_BYTES);
    ssize_t length;
    off_t at = 0;

    if (!block) {
        den_fail(err, DEN_NO_MEMORY, "originals: out of memory");
        goto fail;
    }
    if (den_incoming_begin(originals, &incoming, err) != DEN_OK)
        goto fail;
    while ((length = pread(fd, block, BLOCK_BYTES, at)) != 0) {
        if (length < 0 && errno == EINTR)
            continue;
        if (length < 0) {
            den_fail_errno(err, DEN_IO, "originals: the file can't be read");
            goto fail;
        }
        if (den_incoming_append(incoming, block, (size_t)length, err) != DEN_OK)
            goto fail;
        at += length;
    }
    free(block);
    return den_incoming_keep(incoming, out_hash, out_bytes, err);
fail:
    den_incoming_drop(incoming);
    free(block);
    return err->status;
}
