/* Collects what a reader hands over, so that tests can look at it. */
#ifndef DEN_TESTS_UNIT_INPUT_COLLECT_H
#define DEN_TESTS_UNIT_INPUT_COLLECT_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "input/reader.h"

enum { COLLECT_PARTS = 256 };

struct collect {
    struct den_part parts[COLLECT_PARTS];
    json_t *json[COLLECT_PARTS]; /* what `parts` point into */
    size_t count;                /* of all; only the first COLLECT_PARTS are kept */
    char title[256], author[256], note[4200];
    size_t facts;
    int64_t created;
};

/* Through JSON and back, which is the way that parts take. */
static inline enum den_status collect_part(void *context, const struct den_part *part,
                                           struct den_error *err)
{
    struct collect *collect = context;
    json_t *json;

    if (collect->count >= COLLECT_PARTS) {
        collect->count++;
        return DEN_OK;
    }
    json = den_part_json(part);
    if (!json)
        return den_fail(err, DEN_INTERNAL, "a part gives no JSON");
    if (den_part_from_json(json, &collect->parts[collect->count], err) != DEN_OK) {
        json_decref(json);
        return err->status;
    }
    collect->json[collect->count++] = json;
    return DEN_OK;
}

static inline enum den_status collect_facts(void *context, const struct den_document_facts *facts,
                                            struct den_error *err)
{
    struct collect *collect = context;

    (void)err;
    snprintf(collect->title, sizeof collect->title, "%s", facts->title);
    snprintf(collect->author, sizeof collect->author, "%s", facts->author);
    snprintf(collect->note, sizeof collect->note, "%s", facts->note);
    collect->created = facts->created;
    collect->facts++;
    return DEN_OK;
}

static inline void collect_free(struct collect *collect)
{
    size_t i;

    for (i = 0; i < collect->count && i < COLLECT_PARTS; i++) {
        den_part_free(&collect->parts[i]);
        json_decref(collect->json[i]);
    }
    memset(collect, 0, sizeof *collect);
}

typedef enum den_status collect_reader(const struct den_reader_source *source,
                                       const struct den_document_sink *sink, struct den_error *err);

static inline int memory_file(const void *bytes, size_t length)
{
    int fd = memfd_create("test", MFD_CLOEXEC);

    if (fd >= 0 && write(fd, bytes, length) != (ssize_t)length) {
        close(fd);
        return -1;
    }
    return fd;
}

static inline enum den_status collect_with(collect_reader *reader, const void *bytes, size_t length,
                                           const char *name, struct collect *collect,
                                           struct den_error *err)
{
    struct den_document_sink sink = { .context = collect,
                                      .part = collect_part,
                                      .facts = collect_facts };
    struct den_reader_source source = { .fd = memory_file(bytes, length), .name = name };

    memset(collect, 0, sizeof *collect);
    *err = (struct den_error){ 0 };
    reader(&source, &sink, err);
    close(source.fd);
    return err->status;
}

static inline enum den_status collect_bytes(const void *bytes, size_t length, const char *name,
                                            struct collect *collect, struct den_error *err)
{
    return collect_with(den_reader_read, bytes, length, name, collect, err);
}

static inline enum den_status collect_text(const char *text, const char *name,
                                           struct collect *collect, struct den_error *err)
{
    return collect_bytes(text, strlen(text), name, collect, err);
}

/* A file of tests/fixtures/documents; freed with free(). */
static inline char *fixture_read(const char *name, size_t *out_length)
{
    char path[512];
    FILE *file;
    char *bytes;

    snprintf(path, sizeof path, "%s/documents/%s", DEN_FIXTURES, name);
    file = fopen(path, "rb");
    if (!file)
        return NULL;
    fseek(file, 0, SEEK_END);
    *out_length = (size_t)ftell(file);
    rewind(file);
    bytes = malloc(*out_length + 1);
    if (bytes && fread(bytes, 1, *out_length, file) != *out_length) {
        free(bytes);
        bytes = NULL;
    }
    fclose(file);
    return bytes;
}

static inline enum den_status collect_fixture(const char *name, struct collect *collect,
                                              struct den_error *err)
{
    size_t length = 0;
    char *bytes = fixture_read(name, &length);

    memset(collect, 0, sizeof *collect);
    *err = (struct den_error){ 0 };
    if (!bytes)
        return den_fail(err, DEN_NOT_FOUND, "%s: is not among the fixtures", name);
    collect_bytes(bytes, length, name, collect, err);
    free(bytes);
    return err->status;
}

/* The block's text; freed with free(). */
static inline char *block_text(const struct den_part *part, size_t block)
{
    if (block >= part->block_count)
        return strdup("(no such block)");
    return strndup(part->text + part->blocks[block].start,
                   part->blocks[block].end - part->blocks[block].start);
}

#define assert_block(part, index, wanted_kind, wanted)                                             \
    do {                                                                                           \
        char *found = block_text(part, index);                                                     \
        assert_string_equal(found, wanted);                                                        \
        assert_string_equal(den_block_kind_text((part)->blocks[index].kind), wanted_kind);         \
        free(found);                                                                               \
    } while (0)

#endif
