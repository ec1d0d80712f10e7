/* See ingest_draft.h. The file is a row of records, each a part: its header, then label, text,
 * blocks and words (both as the database keeps them), then its items. Only this process writes and
 * reads it, on one machine, so numbers are as they lie in memory. */
#include "desk/ingest_draft.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/json.h"
#include "store/query.h"

struct den_draft {
    FILE *file;
    struct den_chunk_options chunks;
    struct den_heading_path headings;
    size_t parts, items, tokens;
    char *title, *author, *note;
};

struct part_record {
    size_t kind, number, label_bytes, text_bytes, blocks_bytes, words_bytes, items;
    float width, height;
    bool scanned;
};

struct item_record {
    size_t start, end, tokens, heading_bytes;
    enum den_block_kind kind;
};

static enum den_status fail_io(struct den_error *err)
{
    return den_fail_errno(err, DEN_IO,
                          "what was read of the document can't be kept on the disk of Den's home");
}

/* A file without a name; where the file system has none, one whose name is removed at once. */
static int open_nameless(const char *folder)
{
    char path[DEN_PATH_BYTES_MAX];
    int fd = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

    if (fd >= 0)
        return fd;
    if (snprintf(path, sizeof path, "%s/.draft-XXXXXX", folder) >= (int)sizeof path)
        return -1;
    fd = mkostemp(path, O_CLOEXEC);
    if (fd >= 0)
        unlink(path);
    return fd;
}

enum den_status den_draft_create(const char *folder, const struct den_chunk_options *chunks,
                                 struct den_draft **out, struct den_error *err)
{
    struct den_draft *draft = calloc(1, sizeof *draft);
    int fd;

    if (!draft)
        return den_fail(err, DEN_NO_MEMORY, "draft: out of memory");
    draft->chunks = *chunks;
    fd = open_nameless(folder);
    draft->file = fd >= 0 ? fdopen(fd, "w+") : NULL;
    if (!draft->file) {
        fail_io(err);
        if (fd >= 0)
            close(fd);
        free(draft);
        return err->status;
    }
    *out = draft;
    return DEN_OK;
}

void den_draft_destroy(struct den_draft *draft)
{
    if (!draft)
        return;
    fclose(draft->file);
    den_heading_path_free(&draft->headings);
    free(draft->title);
    free(draft->author);
    free(draft->note);
    free(draft);
}

/* --- writing --- */

static void put(struct den_draft *draft, const void *bytes, size_t length, struct den_error *err)
{
    if (err->status == DEN_OK && length > 0 && fwrite(bytes, 1, length, draft->file) != length)
        fail_io(err);
}

static enum den_status dump(json_t *value, char **out, struct den_error *err)
{
    *out = value ? json_dumps(value, JSON_COMPACT) : NULL;
    json_decref(value);
    return *out ? DEN_OK : den_fail(err, DEN_NO_MEMORY, "draft: out of memory");
}

static void put_items(struct den_draft *draft, const struct den_chunk *chunks, size_t count,
                      struct den_error *err)
{
    size_t i;

    for (i = 0; i < count; i++) {
        const char *heading = chunks[i].heading ? chunks[i].heading : "";
        struct item_record record = { .start = chunks[i].start,
                                      .end = chunks[i].end,
                                      .tokens = chunks[i].tokens,
                                      .heading_bytes = strlen(heading),
                                      .kind = chunks[i].kind };

        put(draft, &record, sizeof record, err);
        put(draft, heading, record.heading_bytes, err);
        draft->tokens += chunks[i].tokens;
    }
}

static enum den_status take_part(void *context, const struct den_part *part, struct den_error *err)
{
    struct den_draft *draft = context;
    struct part_record record = { .kind = part->kind,
                                  .number = part->number,
                                  .label_bytes = strlen(part->label),
                                  .text_bytes = part->length,
                                  .width = part->width,
                                  .height = part->height,
                                  .scanned = part->scanned };
    struct den_chunk *chunks = NULL;
    char *blocks = NULL, *words = NULL;

    if (den_chunks_make(part, &draft->headings, &draft->chunks, &chunks, &record.items, err) !=
            DEN_OK ||
        dump(den_blocks_json(part->blocks, part->block_count), &blocks, err) != DEN_OK ||
        dump(den_words_json(part->words, part->word_count), &words, err) != DEN_OK)
        goto done;
    record.blocks_bytes = strlen(blocks);
    record.words_bytes = strlen(words);
    put(draft, &record, sizeof record, err);
    put(draft, part->label, record.label_bytes, err);
    put(draft, part->text, record.text_bytes, err);
    put(draft, blocks, record.blocks_bytes, err);
    put(draft, words, record.words_bytes, err);
    put_items(draft, chunks, record.items, err);
    draft->parts++;
    draft->items += record.items;
done:
    den_chunks_free(chunks, record.items);
    free(blocks);
    free(words);
    return err->status;
}

static void set_text(char **place, const char *text, struct den_error *err)
{
    char *copy;

    if (!text || !*text)
        return;
    copy = strdup(text);
    if (!copy) {
        den_fail(err, DEN_NO_MEMORY, "draft: out of memory");
        return;
    }
    free(*place);
    *place = copy;
}

static enum den_status take_facts(void *context, const struct den_document_facts *facts,
                                  struct den_error *err)
{
    struct den_draft *draft = context;

    set_text(&draft->title, facts->title, err);
    set_text(&draft->author, facts->author, err);
    set_text(&draft->note, facts->note, err);
    return err->status;
}

struct den_document_sink den_draft_sink(struct den_draft *draft)
{
    return (struct den_document_sink){ .context = draft, .part = take_part, .facts = take_facts };
}

struct den_draft_facts den_draft_facts(const struct den_draft *draft)
{
    return (struct den_draft_facts){ .parts = draft->parts,
                                     .items = draft->items,
                                     .tokens = draft->tokens,
                                     .title = draft->title ? draft->title : "",
                                     .author = draft->author ? draft->author : "",
                                     .note = draft->note ? draft->note : "" };
}

/* --- into the database --- */

/* The next `length` bytes, with a NUL; NULL and an error where they are not there. */
static char *get(struct den_draft *draft, size_t length, struct den_error *err)
{
    char *bytes = err->status == DEN_OK ? malloc(length + 1) : NULL;

    if (!bytes) {
        if (err->status == DEN_OK)
            den_fail(err, DEN_NO_MEMORY, "draft: out of memory");
        return NULL;
    }
    if (fread(bytes, 1, length, draft->file) != length) {
        fail_io(err);
        free(bytes);
        return NULL;
    }
    bytes[length] = '\0';
    return bytes;
}

struct place {
    struct den_connection *connection;
    int64_t document, part;
    size_t ordinal; /* of the next item */
    const char *text;
    size_t length;
};

static enum den_status keep_item(struct den_draft *draft, struct place *place,
                                 struct den_error *err)
{
    struct item_record record;
    char *heading = NULL;

    if (fread(&record, sizeof record, 1, draft->file) != 1)
        return fail_io(err);
    heading = get(draft, record.heading_bytes, err);
    if (heading && record.start <= record.end && record.end <= place->length)
        den_execute(place->connection, err,
                    "INSERT INTO items (document, part, ordinal, kind, start, stop, heading, text, "
                    "tokens) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                    "iiitiitbi", place->document, place->part, (int64_t)place->ordinal++,
                    den_block_kind_text(record.kind), (int64_t)record.start, (int64_t)record.end,
                    heading, place->text + record.start, record.end - record.start,
                    (int64_t)record.tokens);
    free(heading);
    return err->status;
}

static enum den_status keep_part(struct den_draft *draft, struct place *place, size_t ordinal,
                                 struct den_error *err)
{
    struct part_record record;
    char *label, *text, *blocks, *words;
    size_t i;

    if (fread(&record, sizeof record, 1, draft->file) != 1)
        return fail_io(err);
    label = get(draft, record.label_bytes, err);
    text = get(draft, record.text_bytes, err);
    blocks = get(draft, record.blocks_bytes, err);
    words = get(draft, record.words_bytes, err);
    if (err->status == DEN_OK &&
        den_execute(place->connection, err,
                    "INSERT INTO parts (document, ordinal, kind, number, label, width, height, "
                    "scanned, text, blocks, words) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                    "iititrribtt", place->document, (int64_t)ordinal,
                    den_part_kind_text((enum den_part_kind)record.kind), (int64_t)record.number,
                    label, (double)record.width, (double)record.height, (int64_t)record.scanned,
                    text, record.text_bytes, blocks, words) == DEN_OK) {
        place->part = den_connection_last_row(place->connection);
        place->text = text;
        place->length = record.text_bytes;
        for (i = 0; i < record.items && err->status == DEN_OK; i++)
            keep_item(draft, place, err);
    }
    free(label);
    free(text);
    free(blocks);
    free(words);
    return err->status;
}

enum den_status den_draft_keep(struct den_draft *draft, struct den_connection *connection,
                               int64_t row, struct den_error *err)
{
    struct place place = { .connection = connection, .document = row };
    size_t i;

    if (fflush(draft->file) != 0)
        return fail_io(err);
    rewind(draft->file);
    den_execute(connection, err, "DELETE FROM parts WHERE document = ?", "i", row);
    for (i = 0; i < draft->parts && err->status == DEN_OK; i++)
        keep_part(draft, &place, i, err);
    return err->status;
}
