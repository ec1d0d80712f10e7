/* Zip files: each member that can be read becomes a part or more, named by its path.
 *
 * Members are inflated one at a time into memory, up to a bound, and read by the reader of their
 * format; archives in archives too, DEN_DOCUMENT_NESTING_MAX deep. PDFs and pictures go to the
 * sink, which has other programs read them. Paths are only labels here: nothing is ever written to
 * them. A member that fails is named in the note and the rest goes on, but for a bomb, which ends
 * it all. */
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "input/package.h"

enum { MEMBER_BYTES_MAX = 256 << 20 };

/* "a/b.txt" of "/../a/./b.txt" and "..\\a\\b.txt"; freed with free(). */
static char *clean_path(const char *name)
{
    char *label = den_label_make(name, strlen(name), DEN_DOCUMENT_LABEL_BYTES_MAX / 2);
    char *in = label, *out = label;

    if (!label)
        return NULL;
    while (*in) {
        size_t step = strcspn(in, "/\\");

        if (step > 0 && !(step == 1 && in[0] == '.') && !(step == 2 && memcmp(in, "..", 2) == 0)) {
            if (out > label)
                *out++ = '/';
            memmove(out, in, step);
            out += step;
        }
        in += step;
        in += *in != '\0';
    }
    *out = '\0';
    return label;
}

static bool is_ignored(const char *path)
{
    const char *slash = strrchr(path, '/');
    const char *base = slash ? slash + 1 : path;

    return !path[0] || strncmp(path, "__MACOSX/", 9) == 0 || strcmp(base, ".DS_Store") == 0 ||
           strcmp(base, "Thumbs.db") == 0;
}

/* An office file whose first bytes did not show what it is. */
static enum den_format format_of_package(struct den_package *package)
{
    if (den_package_has(package, "word/document.xml"))
        return DEN_FORMAT_WORD;
    if (den_package_has(package, "xl/workbook.xml"))
        return DEN_FORMAT_SHEETS;
    if (den_package_has(package, "ppt/presentation.xml"))
        return DEN_FORMAT_SLIDES;
    if (den_package_has(package, "META-INF/container.xml"))
        return DEN_FORMAT_EPUB;
    return DEN_FORMAT_UNKNOWN;
}

/* Reads the member's bytes; a failure that is its own is told in the note. */
static enum den_status read_bytes(const struct den_input *input, struct den_writer *writer,
                                  const char *path, const struct den_buffer *bytes,
                                  struct den_error *err)
{
    struct den_input inner = { .data = bytes->data,
                               .length = bytes->length,
                               .name = path,
                               .nesting = input->nesting + 1,
                               .inflated = input->inflated };
    struct den_error failure = { 0 };

    inner.format = den_format_sniff(inner.data, inner.length, path);
    if (inner.format == DEN_FORMAT_PICTURE && inner.length < DEN_DOCUMENT_MEMBER_PICTURE_MIN)
        return DEN_OK;
    if (inner.format == DEN_FORMAT_ARCHIVE && inner.nesting > DEN_DOCUMENT_NESTING_MAX) {
        den_writer_note(writer, "Archives more than %d deep in each other were left out: %.200s.",
                        DEN_DOCUMENT_NESTING_MAX, path);
        return DEN_OK;
    }
    if (den_read_any(&inner, writer, &failure) == DEN_OK)
        return DEN_OK;
    if (den_writer_failed(writer) || failure.status == DEN_NO_MEMORY ||
        (failure.status == DEN_TOO_LARGE && *input->inflated > DEN_DOCUMENT_RATIO_BYTES_MIN)) {
        *err = failure;
        return den_fail_at(err, "%s", input->name);
    }
    den_writer_part_end_or_drop(writer);
    den_writer_note(writer, "Left out: %.300s.", failure.message);
    return DEN_OK;
}

static enum den_status read_member(const struct den_input *input, struct den_package *package,
                                   size_t index, struct den_writer *writer, struct den_error *err)
{
    char *path = clean_path(den_package_name(package, index));
    const char *name = den_package_name(package, index);
    const char *outer = writer->prefix;
    bool inside = writer->inside;
    struct den_member *member = NULL;
    struct den_error failure = { 0 };
    struct den_buffer bytes, prefix;

    if (!path)
        return den_fail(err, DEN_NO_MEMORY, "%s: out of memory", input->name);
    den_buffer_init(&bytes, MEMBER_BYTES_MAX);
    den_buffer_init(&prefix, 2 * DEN_DOCUMENT_LABEL_BYTES_MAX);
    if (is_ignored(path) || (name[0] && name[strlen(name) - 1] == '/'))
        goto done;
    if (outer)
        den_buffer_appendf(&prefix, "%s > ", outer);
    den_buffer_append_text(&prefix, path);
    if (den_package_member_open_at(package, index, &member, &failure) == DEN_OK)
        den_member_read_all(member, &bytes, &failure);
    if (failure.status == DEN_TOO_LARGE || failure.status == DEN_NO_MEMORY) {
        *err = failure;
    } else if (failure.status != DEN_OK) {
        den_writer_note(writer, "Left out: %.300s.", failure.message);
    } else if (bytes.length > 0) {
        writer->prefix = prefix.status == DEN_OK ? prefix.data : path;
        writer->inside = true;
        read_bytes(input, writer, path, &bytes, err);
        writer->prefix = outer;
        writer->inside = inside;
    }
done:
    den_member_close(member);
    den_buffer_deinit(&bytes);
    den_buffer_deinit(&prefix);
    free(path);
    return err->status;
}

enum den_status den_read_archive(const struct den_input *input, struct den_writer *writer,
                                 struct den_error *err)
{
    struct den_package *package = NULL;
    struct den_input known = *input;
    size_t i;

    if (den_package_open(input, &package, err) != DEN_OK)
        return err->status;
    known.format = format_of_package(package);
    if (known.format != DEN_FORMAT_UNKNOWN) {
        den_package_close(package);
        return den_read_any(&known, writer, err);
    }
    for (i = 0; i < den_package_count(package) && err->status == DEN_OK; i++)
        if (read_member(input, package, i, writer, err) == DEN_OK)
            den_writer_status(writer, err);
    den_package_close(package);
    return err->status;
}
