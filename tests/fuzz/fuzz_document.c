/* rooms: input base */
/* Every reader: the first byte picks the format (or leaves it to be sniffed), the rest is the file.
 * What is handed over must pass its check again after JSON, and can be cut into chunks. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "input/chunks.h"
#include "input/reader.h"

enum { WORD_BYTES = 5, KINDS = DEN_FORMAT_ARCHIVE + 3 };

static enum den_status count_tokens(void *context, const char *const *texts, const size_t *lengths,
                                    size_t count, size_t *out_counts, struct den_error *err)
{
    size_t i;

    (void)context;
    (void)texts;
    (void)err;
    for (i = 0; i < count; i++)
        out_counts[i] = lengths[i] / WORD_BYTES;
    return DEN_OK;
}

static void cut(const struct den_part *part, struct den_heading_path *path)
{
    struct den_chunk_options options = { .count_tokens = count_tokens };
    struct den_error err = { 0 };
    struct den_chunk *chunks;
    size_t count, at = 0, i;

    if (den_chunks_make(part, path, &options, &chunks, &count, &err) != DEN_OK)
        abort();
    for (i = 0; i < count; i++) {
        if (chunks[i].start < at || chunks[i].end <= chunks[i].start ||
            chunks[i].end > part->length || chunks[i].tokens > 220)
            abort();
        at = chunks[i].end;
    }
    den_chunks_free(chunks, count);
}

static enum den_status take_part(void *context, const struct den_part *part, struct den_error *err)
{
    json_t *json = den_part_json(part);
    struct den_part back;

    if (!json || den_part_from_json(json, &back, err) != DEN_OK || back.length != part->length)
        abort();
    if (part->length < 65536)
        cut(&back, context);
    den_part_free(&back);
    json_decref(json);
    return DEN_OK;
}

static enum den_status take_facts(void *context, const struct den_document_facts *facts,
                                  struct den_error *err)
{
    (void)context;
    (void)err;
    if (!facts->title || !facts->author || !facts->note)
        abort();
    return DEN_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct den_heading_path path = { 0 };
    struct den_document_sink sink = { .context = &path, .part = take_part, .facts = take_facts };
    struct den_reader_source source = { .name = "fuzz" };
    struct den_error err = { 0 };
    enum den_status status;
    unsigned kind;

    if (size < 2)
        return 0;
    kind = data[0] % KINDS;
    source.fd = memfd_create("fuzz", MFD_CLOEXEC);
    if (source.fd < 0 || write(source.fd, data + 1, size - 1) != (ssize_t)(size - 1))
        abort();
    if (kind == DEN_FORMAT_ARCHIVE + 1)
        status = den_reader_read_pdf_layout(&source, &sink, &err);
    else if (kind == DEN_FORMAT_ARCHIVE + 2)
        status = den_reader_read_recognised(&source, 0.36, &sink, &err);
    else {
        source.format = (enum den_format)kind;
        status = den_reader_read(&source, &sink, &err);
    }
    if ((status != DEN_OK) != (err.message[0] != '\0'))
        abort();
    close(source.fd);
    den_heading_path_free(&path);
    return 0;
}
