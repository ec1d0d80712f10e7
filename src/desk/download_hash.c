/* See download_hash.h. The file is read once more from its beginning: parts arrive side by side, so
 * there is no order in which to hash them as they come. */
#include "desk/download_hash.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { BLOCK_BYTES = 1 << 20 };

static enum den_status hash_all(int fd, EVP_MD_CTX *context, unsigned char *block,
                                struct den_download_progress *progress, struct den_error *err)
{
    off_t at = 0;
    ssize_t length;

    while ((length = pread(fd, block, BLOCK_BYTES, at)) > 0) {
        EVP_DigestUpdate(context, block, (size_t)length);
        at += length;
        if (progress && atomic_load(&progress->must_stop))
            return den_fail(err, DEN_CANCELLED, "the download was stopped");
        if (progress && progress->tick && at % (64 * (off_t)BLOCK_BYTES) == 0)
            progress->tick(progress->context);
    }
    return length < 0 ? den_fail_errno(err, DEN_IO, "read the file back") : DEN_OK;
}

static enum den_status check_one(int fd, const EVP_MD *kind, const char *prefix,
                                 size_t prefix_bytes, const char *wanted,
                                 struct den_download_progress *progress, struct den_error *err)
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    unsigned char *block = malloc(BLOCK_BYTES), digest[EVP_MAX_MD_SIZE];
    char text[2 * EVP_MAX_MD_SIZE + 1] = "";
    unsigned length = 0, i;

    if (!context || !block || EVP_DigestInit_ex(context, kind, NULL) != 1) {
        den_fail(err, DEN_NO_MEMORY, "download: out of memory");
    } else {
        EVP_DigestUpdate(context, prefix, prefix_bytes);
        if (hash_all(fd, context, block, progress, err) == DEN_OK)
            EVP_DigestFinal_ex(context, digest, &length);
    }
    for (i = 0; i < length; i++)
        snprintf(text + 2 * i, 3, "%02x", digest[i]);
    EVP_MD_CTX_free(context);
    free(block);
    if (err->status == DEN_OK && strcmp(text, wanted) != 0)
        return den_fail(err, DEN_BAD_FILE,
                        "the file is not what its publisher says: its hash is %s and should be %s",
                        text, wanted);
    return err->status;
}

enum den_status den_download_check(int fd, uint64_t bytes, const char *sha256, const char *git_hash,
                                   struct den_download_progress *progress, struct den_error *err)
{
    char prefix[32];
    int length;

    if (*sha256)
        return check_one(fd, EVP_sha256(), "", 0, sha256, progress, err);
    if (!*git_hash)
        return DEN_OK;
    length = snprintf(prefix, sizeof prefix, "blob %llu", (unsigned long long)bytes);
    return check_one(fd, EVP_sha1(), prefix, (size_t)length + 1, git_hash, progress, err);
}
