/* See sniff.h. The cases are the ways in which people end up with the wrong file: a format of
 * another engine, a download that brought a pointer or an error page instead of the model, or one
 * that stopped before its first block was written. */
#include "tensor/sniff.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

enum { SNIFFED_BYTES_MAX = 64 };

static const struct {
    const char *start;
    const char *phrase;
} known[] = {
    { "GGUF", "it looks like a GGUF file" },
    { "PK\x03\x04", "it looks like a zip archive (a PyTorch checkpoint?); Den reads GGUF files and "
                    "folders with safetensors" },
    { "\x80\x02", "it looks like a Python pickle (an old PyTorch checkpoint?); Den never runs "
                  "those, look for the model as GGUF or safetensors" },
    { "version https://git-lfs", "it is a Git LFS pointer: the download is incomplete, fetch the "
                                 "file itself (git lfs pull)" },
    { "lmgg", "it looks like a ggml file from before GGUF; convert the model again" },
    { "fmgg", "it looks like a ggml file from before GGUF; convert the model again" },
    { "tjgg", "it looks like a ggml file from before GGUF; convert the model again" },
    { "algg", "it looks like a ggml adapter file from before GGUF" },
    { "\x89HDF", "it looks like an HDF5 file (a Keras model?)" },
    { "\x1F\x8B", "it is gzip-compressed; unpack it first" },
    { "\x28\xB5\x2F\xFD", "it is zstd-compressed; unpack it first" },
    { "%PDF", "it looks like a PDF document" },
    { "\x7F"
      "ELF",
      "it looks like a program" },
    { "{", "it looks like JSON text" },
};

static bool is_html(const char *text, size_t length)
{
    return (length >= 5 && strncasecmp(text, "<html", 5) == 0) ||
           (length >= 9 && strncasecmp(text, "<!doctype", 9) == 0);
}

/* Eight bytes of a plausible header length, then JSON. */
static bool is_safetensors(const unsigned char *bytes, size_t length)
{
    uint64_t header;

    if (length < 10 || bytes[8] != '{')
        return false;
    memcpy(&header, bytes, sizeof header);
    return header >= 2 && header < (uint64_t)1 << 32;
}

static bool is_zero(const unsigned char *bytes, size_t length)
{
    size_t i;

    for (i = 0; i < length; i++)
        if (bytes[i] != 0)
            return false;
    return true;
}

const char *den_sniff(const void *data, size_t bytes)
{
    size_t length = bytes < SNIFFED_BYTES_MAX ? bytes : SNIFFED_BYTES_MAX;
    size_t i;

    if (is_zero(data, length))
        return "it begins with zeros: the download is incomplete, fetch it again";
    if (is_safetensors(data, length))
        return "it looks like a safetensors file";
    if (is_html(data, length))
        return "it is an HTML page: the download brought an error page, fetch it again";
    for (i = 0; i < sizeof known / sizeof known[0]; i++) {
        size_t wanted = strlen(known[i].start);

        if (length >= wanted && memcmp(data, known[i].start, wanted) == 0)
            return known[i].phrase;
    }
    return "its format is unknown; Den reads GGUF files and folders with safetensors";
}
