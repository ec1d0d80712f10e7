/* See download_journal.h. A journal that was damaged is as good as none: the file begins anew. */
#include "desk/download_journal.h"

#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/json.h"

static bool read_parts(const json_t *list, struct den_download_journal *out)
{
    const json_t *one;
    size_t i;

    if (!json_is_array(list) || json_array_size(list) > DEN_DOWNLOAD_CONNECTIONS_MAX)
        return false;
    json_array_foreach(list, i, one)
    {
        const json_int_t at = json_integer_value(json_array_get(one, 0));
        const json_int_t end = json_integer_value(json_array_get(one, 1));

        if (at < 0 || end < at || (uint64_t)end > out->bytes)
            return false;
        out->parts[out->count++] =
            (struct den_download_part){ .at = (uint64_t)at, .end = (uint64_t)end };
    }
    return true;
}

bool den_download_journal_read(const char *path, struct den_download_journal *out)
{
    struct den_error ignored = { 0 };
    const char *identity = NULL;
    json_t *root = NULL;
    int64_t bytes = 0;
    bool is_good;

    *out = (struct den_download_journal){ 0 };
    if (!den_file_exists(path) || den_json_read_file(path, &root, &ignored) != DEN_OK)
        return false;
    is_good = json_integer_value(json_object_get(root, "version")) == 1 &&
              den_json_get_text(root, "of", &identity, &ignored) == DEN_OK && identity &&
              strlen(identity) < sizeof out->identity &&
              den_json_get_integer(root, "bytes", 1, (int64_t)DEN_DOWNLOAD_BYTES_MAX, &bytes,
                                   &ignored) == DEN_OK &&
              bytes > 0;
    if (is_good) {
        snprintf(out->identity, sizeof out->identity, "%s", identity);
        out->bytes = (uint64_t)bytes;
        is_good = read_parts(json_object_get(root, "parts"), out);
    }
    json_decref(root);
    return is_good;
}

enum den_status den_download_journal_write(const char *path,
                                           const struct den_download_journal *journal,
                                           struct den_error *err)
{
    json_t *parts = json_array(), *root;
    struct den_buffer text;
    size_t i;

    for (i = 0; i < journal->count; i++)
        json_array_append_new(parts, json_pack("[I, I]", (json_int_t)journal->parts[i].at,
                                               (json_int_t)journal->parts[i].end));
    root = json_pack("{s:i, s:s, s:I, s:o}", "version", 1, "of", journal->identity, "bytes",
                     (json_int_t)journal->bytes, "parts", parts);
    den_buffer_init(&text, 1 << 16);
    if (!root)
        den_fail(err, DEN_NO_MEMORY, "download: out of memory");
    else if (den_json_write(root, &text, err) == DEN_OK)
        den_file_write(path, text.data, text.length, err);
    den_buffer_deinit(&text);
    json_decref(root);
    return err->status;
}

void den_download_journal_divide(struct den_download_journal *journal, bool takes_ranges)
{
    uint64_t count = journal->bytes / DEN_DOWNLOAD_SEGMENT_BYTES_MIN, i;

    if (count > DEN_DOWNLOAD_CONNECTIONS_MAX)
        count = DEN_DOWNLOAD_CONNECTIONS_MAX;
    if (count < 1 || !takes_ranges)
        count = 1;
    journal->count = (size_t)count;
    for (i = 0; i < count; i++)
        journal->parts[i] = (struct den_download_part){
            .at = journal->bytes / count * i,
            .end = i + 1 == count ? journal->bytes : journal->bytes / count * (i + 1),
        };
    if (journal->bytes == 0)
        journal->parts[0].end = UINT64_MAX;
}

uint64_t den_download_journal_missing(const struct den_download_journal *journal)
{
    uint64_t missing = 0;
    size_t i;

    for (i = 0; i < journal->count; i++)
        missing += journal->parts[i].end - journal->parts[i].at;
    return missing;
}
