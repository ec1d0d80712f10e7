/* See api_token.h. */
#include "guard/api_token.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

enum { TOKEN_BYTES = 32, TOKEN_LENGTH_MIN = 20 };

/* base64url without padding; `out` takes DEN_API_TOKEN_LENGTH + 1 bytes. */
static void write_base64url(const unsigned char bytes[TOKEN_BYTES], char *out)
{
    static const char letters[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    unsigned bits = 0;
    int held = 0, i;

    for (i = 0; i < TOKEN_BYTES; i++) {
        bits = (bits << 8) | bytes[i];
        for (held += 8; held >= 6; held -= 6)
            *out++ = letters[(bits >> (held - 6)) & 63];
    }
    if (held > 0)
        *out++ = letters[(bits << (6 - held)) & 63];
    *out = '\0';
}

bool den_api_token_is_well_formed(const char *token)
{
    size_t length = strlen(token), i;

    if (length < TOKEN_LENGTH_MIN || length > DEN_API_TOKEN_LENGTH_MAX)
        return false;
    for (i = 0; i < length; i++)
        if (token[i] <= ' ' || token[i] > '~')
            return false;
    return true;
}

enum den_status den_api_token_make(char out[DEN_API_TOKEN_LENGTH + 1], struct den_error *err)
{
    unsigned char bytes[TOKEN_BYTES];

    if (getrandom(bytes, sizeof bytes, 0) != (ssize_t)sizeof bytes)
        return den_fail_errno(err, DEN_IO, "token: no random bytes from the kernel");
    write_base64url(bytes, out);
    OPENSSL_cleanse(bytes, sizeof bytes);
    return DEN_OK;
}

/* Creates the file whole or not at all: under another name first, then linked to its own, which
 * fails if another process was quicker (whose token is then read). */
static enum den_status make_token(const char *path, struct den_error *err)
{
    char temporary[DEN_PATH_BYTES_MAX], text[DEN_API_TOKEN_LENGTH + 1];
    enum den_status status = DEN_OK;
    int fd;

    if (den_api_token_make(text, err) != DEN_OK)
        return err->status;
    if ((size_t)snprintf(temporary, sizeof temporary, "%s.XXXXXX", path) >= sizeof temporary)
        return den_fail(err, DEN_INVALID, "token: the path '%.100s...' is too long", path);
    fd = mkstemp(temporary); /* mode 0600 */
    if (fd < 0)
        return den_fail_errno(err, DEN_IO, "token: can't create %s", temporary);
    if (dprintf(fd, "%s\n", text) != DEN_API_TOKEN_LENGTH + 1 || fsync(fd) != 0)
        status = den_fail_errno(err, DEN_IO, "token: can't write %s", temporary);
    else if (link(temporary, path) != 0 && errno != EEXIST)
        status = den_fail_errno(err, DEN_IO, "token: can't create %s", path);
    OPENSSL_cleanse(text, sizeof text);
    close(fd);
    unlink(temporary);
    return status;
}

static enum den_status read_token(int fd, const char *path, char *out, struct den_error *err)
{
    char text[DEN_API_TOKEN_LENGTH_MAX + 2];
    struct stat info;
    ssize_t length;

    if (fstat(fd, &info) != 0 || !S_ISREG(info.st_mode))
        return den_fail(err, DEN_BAD_FILE, "token: %s is not a regular file", path);
    if (info.st_mode & (S_IRWXG | S_IRWXO))
        return den_fail(err, DEN_FORBIDDEN,
                        "token: %s can be read by others (mode %o); run: chmod 600 %s", path,
                        (unsigned)(info.st_mode & 0777), path);
    length = read(fd, text, sizeof text);
    if (length < 0)
        return den_fail_errno(err, DEN_IO, "token: can't read %s", path);
    while (length > 0 && (text[length - 1] == '\n' || text[length - 1] == '\r'))
        length--;
    if (length > DEN_API_TOKEN_LENGTH_MAX)
        length = 0;
    text[length] = '\0';
    if (strlen(text) != (size_t)length || !den_api_token_is_well_formed(text))
        return den_fail(err, DEN_BAD_FILE,
                        "token: %s must hold %d to %d visible ASCII characters; delete it to get a "
                        "new one",
                        path, TOKEN_LENGTH_MIN, DEN_API_TOKEN_LENGTH_MAX);
    memcpy(out, text, (size_t)length + 1);
    return DEN_OK;
}

enum den_status den_api_token_load(const char *path, char *out, struct den_error *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);

    if (fd < 0 && errno == ENOENT) {
        if (make_token(path, err) != DEN_OK)
            return err->status;
        fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    }
    if (fd < 0)
        return den_fail_errno(err, DEN_IO, "token: can't open %s", path);
    read_token(fd, path, out, err);
    close(fd);
    return err->status;
}
