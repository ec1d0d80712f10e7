/* What a workspace's file says, judged: see portable.h. Nothing here touches disk or database: the
 * fuzzer drives it with anything. A text that is taken is UTF-8 without NUL and within its limit; a
 * number is in its range; what is missing has its default or is refused by name. */
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "desk/documents_parts.h"
#include "desk/originals_parts.h"
#include "desk/portable_parts.h"

enum { WORD_BYTES_MAX = 64, HEADING_BYTES_MAX = 65536, SOURCES_MAX = 1000 };

static const int64_t time_max = 100000000000000; /* the year 5138 */

static enum den_status blame_file(struct den_error *err)
{
    if (err->status == DEN_INVALID || err->status == DEN_TOO_LARGE)
        err->status = DEN_BAD_FILE;
    return err->status;
}

/* "" where it is absent or null. */
static enum den_status read_text(const json_t *json, const char *key, size_t bytes_max,
                                 const char **out, struct den_error *err)
{
    *out = NULL;
    if (den_text_get(json, key, bytes_max, out, err) != DEN_OK)
        return blame_file(err);
    if (!*out)
        *out = "";
    return DEN_OK;
}

/* One of our own words: letters, digits, '_', '-'. */
static enum den_status read_word(const json_t *json, const char *key, const char **out,
                                 struct den_error *err)
{
    static const char allowed[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";

    if (read_text(json, key, WORD_BYTES_MAX, out, err) != DEN_OK)
        return err->status;
    if ((*out)[strspn(*out, allowed)] != '\0')
        return den_fail(err, DEN_BAD_FILE, "'%s' is no word", key);
    return DEN_OK;
}

static enum den_status read_count(const json_t *json, const char *key, int64_t maximum, size_t *out,
                                  struct den_error *err)
{
    int64_t value = 0;

    if (den_json_get_integer(json, key, 0, maximum, &value, err) != DEN_OK)
        return blame_file(err);
    *out = (size_t)value;
    return DEN_OK;
}

/* A time that can't be one is not known. */
static int64_t time_of(const json_t *json, const char *key)
{
    const int64_t time = json_integer_value(json_object_get(json, key));

    return time > 0 && time < time_max ? time : 0;
}

/* --- members --- */

const char *den_portable_hash(const char *member)
{
    static const char folder[] = "originals/";

    if (strncmp(member, folder, sizeof folder - 1) != 0 ||
        !den_hash_is_well_formed(member + sizeof folder - 1))
        return NULL;
    return member + sizeof folder - 1;
}

bool den_portable_is_member(const char *name)
{
    static const char *const names[] = { "manifest.json", "workspace.json", "documents.jsonl",
                                         "vectors.f16", "threads.jsonl" };
    size_t i;

    for (i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strcmp(name, names[i]) == 0)
            return true;
    return den_portable_hash(name) != NULL;
}

/* --- the manifest --- */

static enum den_status read_embedder(const json_t *embedder, struct den_portable_manifest *out,
                                     struct den_error *err)
{
    const char *name = NULL;
    int64_t width = 0;

    if (!embedder || json_is_null(embedder))
        return DEN_OK;
    if (!json_is_object(embedder))
        return den_fail(err, DEN_BAD_FILE, "'embedder' is no object");
    if (den_text_get(embedder, "name", sizeof out->embedder - 1, &name, err) != DEN_OK ||
        den_json_get_integer(embedder, "width", 1, DEN_SPACE_WIDTH_MAX, &width, err) != DEN_OK)
        return blame_file(err);
    if (!name || !*name || width == 0)
        return den_fail(err, DEN_BAD_FILE, "'embedder' has no name or no width");
    snprintf(out->embedder, sizeof out->embedder, "%s", name);
    out->width = (size_t)width;
    return DEN_OK;
}

enum den_status den_portable_read_manifest(const json_t *manifest,
                                           struct den_portable_manifest *out, struct den_error *err)
{
    struct den_portable_manifest read = { 0 };
    const char *format = "";
    int64_t version = 0;

    if (read_text(manifest, "format", WORD_BYTES_MAX, &format, err) != DEN_OK)
        return den_fail_at(err, "manifest.json");
    if (strcmp(format, "den.backup") == 0)
        return den_fail(err, DEN_BAD_FILE,
                        "this is a backup of everything, not one workspace; den restore puts it "
                        "back");
    if (strcmp(format, "den.workspace") != 0)
        return den_fail(err, DEN_BAD_FILE, "manifest.json: this is no workspace of Den's");
    if (den_json_get_integer(manifest, "version", 1, INT32_MAX, &version, err) != DEN_OK) {
        blame_file(err);
        return den_fail_at(err, "manifest.json");
    }
    if (version != DEN_PORTABLE_VERSION)
        return den_fail(err, DEN_BAD_FILE,
                        "the file is of version %lld, and this Den reads version %d: %s",
                        (long long)version, DEN_PORTABLE_VERSION,
                        version > DEN_PORTABLE_VERSION ? "update Den" : "it names none");
    if (read_embedder(json_object_get(manifest, "embedder"), &read, err) != DEN_OK)
        return den_fail_at(err, "manifest.json");
    *out = read;
    return DEN_OK;
}

/* --- documents --- */

static enum den_status read_tags(const json_t *json, const json_t **out, struct den_error *err)
{
    const json_t *tags = json_object_get(json, "tags"), *tag;
    size_t i;

    *out = NULL;
    if (!tags || json_is_null(tags))
        return DEN_OK;
    if (!json_is_array(tags) || json_array_size(tags) > DEN_DOCUMENT_TAGS_MAX)
        return den_fail(err, DEN_BAD_FILE, "'tags' is no list of at most %d texts",
                        DEN_DOCUMENT_TAGS_MAX);
    json_array_foreach(tags, i, tag)
    {
        const size_t length = json_string_length(tag);

        if (length == 0 || length > DEN_NAME_BYTES_MAX || strlen(json_string_value(tag)) != length)
            return den_fail(err, DEN_BAD_FILE, "'tags[%zu]' is no text of 1 to %d bytes", i,
                            DEN_NAME_BYTES_MAX);
    }
    *out = tags;
    return DEN_OK;
}

static enum den_status read_origin(const json_t *json, struct den_portable_document *out,
                                   struct den_error *err)
{
    const char *origin = "", *address = "";

    if (read_word(json, "origin", &origin, err) != DEN_OK ||
        read_text(json, "address", DEN_URL_BYTES_MAX, &address, err) != DEN_OK)
        return err->status;
    out->address = strcmp(origin, "web") == 0 && (strncmp(address, "http://", 7) == 0 ||
                                                  strncmp(address, "https://", 8) == 0)
                       ? address
                       : "";
    return DEN_OK;
}

static enum den_status read_state(const json_t *json, struct den_portable_document *out,
                                  struct den_error *err)
{
    static const char *const states[] = { "waiting", "reading", "embedding", "ready", "failed" };
    const json_t *error = json_object_get(json, "error");
    size_t i;

    if (read_word(json, "state", &out->state, err) != DEN_OK)
        return err->status;
    for (i = 0; i < sizeof states / sizeof states[0] && strcmp(states[i], out->state) != 0; i++)
        ;
    if (i == sizeof states / sizeof states[0])
        return den_fail(err, DEN_BAD_FILE, "'state' is '%s', which no document has", out->state);
    out->error_code = out->error_message = "";
    if (!json_is_object(error))
        return DEN_OK;
    if (read_word(error, "code", &out->error_code, err) != DEN_OK)
        return err->status;
    return read_text(error, "message", DEN_ERROR_BYTES_MAX, &out->error_message, err);
}

enum den_status den_portable_read_document(const json_t *json, struct den_portable_document *out,
                                           struct den_error *err)
{
    struct den_portable_document read = { 0 };
    const char *name = "";

    if (!json_is_object(json))
        return den_fail(err, DEN_BAD_FILE, "a document is no object");
    if (read_text(json, "id", DEN_ID_LENGTH_MAX, &read.id, err) != DEN_OK ||
        read_text(json, "original", DEN_HASH_HEX, &read.hash, err) != DEN_OK ||
        read_text(json, "name", DEN_DOCUMENT_NAME_BYTES_MAX, &name, err) != DEN_OK ||
        read_text(json, "title", DEN_DOCUMENT_LABEL_BYTES_MAX, &read.title, err) != DEN_OK ||
        read_text(json, "author", DEN_DOCUMENT_LABEL_BYTES_MAX, &read.author, err) != DEN_OK ||
        read_text(json, "media_type", 127, &read.media_type, err) != DEN_OK ||
        read_word(json, "format", &read.format, err) != DEN_OK ||
        read_text(json, "note", 2 * DEN_DOCUMENT_NOTE_BYTES_MAX, &read.note, err) != DEN_OK ||
        read_origin(json, &read, err) != DEN_OK || read_state(json, &read, err) != DEN_OK ||
        read_tags(json, &read.tags, err) != DEN_OK)
        return den_fail_at(err, "a document");
    if (!den_hash_is_well_formed(read.hash))
        return den_fail(err, DEN_BAD_FILE, "a document: 'original' is no SHA-256");
    if (read.media_type[strcspn(read.media_type, "\r\n")] != '\0')
        return den_fail(err, DEN_BAD_FILE, "a document: 'media_type' has several lines");
    den_document_clean_name(name, read.name);
    read.modified = time_of(json, "modified");
    read.created = time_of(json, "created");
    read.linked = json_is_true(json_object_get(json, "linked"));
    read.pinned = read.linked && json_is_true(json_object_get(json, "pinned"));
    *out = read;
    return DEN_OK;
}

/* --- passages --- */

enum den_status den_portable_read_item(const json_t *json, struct den_portable_item *out,
                                       struct den_error *err)
{
    struct den_portable_item read = { 0 };

    if (!json_is_object(json))
        return den_fail(err, DEN_BAD_FILE, "a passage is no object");
    if (read_count(json, "part", DEN_DOCUMENT_PARTS_MAX, &read.part, err) != DEN_OK ||
        read_count(json, "start", DEN_DOCUMENT_PART_TEXT_MAX, &read.start, err) != DEN_OK ||
        read_count(json, "stop", DEN_DOCUMENT_PART_TEXT_MAX, &read.stop, err) != DEN_OK ||
        read_count(json, "tokens", INT32_MAX, &read.tokens, err) != DEN_OK ||
        read_word(json, "kind", &read.kind, err) != DEN_OK ||
        read_word(json, "modality", &read.modality, err) != DEN_OK ||
        read_text(json, "heading", HEADING_BYTES_MAX, &read.heading, err) != DEN_OK ||
        read_text(json, "text", DEN_DOCUMENT_PART_TEXT_MAX, &read.text, err) != DEN_OK)
        return den_fail_at(err, "a passage");
    if (read.start > read.stop || !*read.text)
        return den_fail(err, DEN_BAD_FILE, "a passage has no text, or ends before it begins");
    read.length = strlen(read.text);
    read.has_vector = json_is_true(json_object_get(json, "vector"));
    *out = read;
    return DEN_OK;
}

/* --- sources --- */

static bool is_text(const json_t *value)
{
    return json_is_string(value) && strlen(json_string_value(value)) == json_string_length(value);
}

/* What is not known here may be a number or a text, nothing that could be deep. */
static bool has_plain_rest(const json_t *object, const char *one, const char *two)
{
    const char *key;
    json_t *value;

    json_object_foreach((json_t *)(uintptr_t)object, key, value)
    {
        if (strcmp(key, one) != 0 && strcmp(key, two) != 0 &&
            (json_is_object(value) || json_is_array(value) ||
             (json_is_string(value) && !is_text(value))))
            return false;
    }
    return true;
}

static bool read_passage(json_t *passage, const json_t *ids)
{
    static const char *const texts[] = { "document", "name", "title", "format", "heading", "text" };
    static const char *const numbers[] = { "number", "start", "end" };
    const json_t *part = json_object_get(passage, "part"), *id;
    size_t i;

    for (i = 0; i < sizeof texts / sizeof texts[0]; i++)
        if (!is_text(json_object_get(passage, texts[i])))
            return false;
    for (i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
        if (!json_is_integer(json_object_get(passage, numbers[i])))
            return false;
    if (!json_is_integer(json_object_get(part, "ordinal")) ||
        !is_text(json_object_get(part, "kind")) ||
        !json_is_integer(json_object_get(part, "number")) ||
        !is_text(json_object_get(part, "label")) || !has_plain_rest(part, "", "") ||
        !has_plain_rest(passage, "part", ""))
        return false;
    id = json_object_get(ids, json_string_value(json_object_get(passage, "document")));
    return !id || json_object_set(passage, "document", (json_t *)(uintptr_t)id) == 0;
}

static bool is_citation(const json_t *citation)
{
    const json_t *passages = json_object_get(citation, "passages"), *number;
    size_t i;

    if (!json_is_integer(json_object_get(citation, "start")) ||
        !json_is_integer(json_object_get(citation, "end")) || !json_is_array(passages) ||
        !has_plain_rest(citation, "passages", ""))
        return false;
    json_array_foreach(passages, i, number)
    {
        if (!json_is_integer(number))
            return false;
    }
    return true;
}

bool den_portable_read_sources(json_t *sources, const json_t *ids)
{
    const json_t *passages = json_object_get(sources, "passages");
    const json_t *citations = json_object_get(sources, "citations");
    json_t *entry;
    size_t i;

    if (!json_is_boolean(json_object_get(sources, "found")) ||
        !is_text(json_object_get(sources, "query")) || !json_is_array(passages) ||
        json_array_size(passages) > SOURCES_MAX || !json_is_array(citations) ||
        json_array_size(citations) > SOURCES_MAX ||
        !has_plain_rest(sources, "passages", "citations"))
        return false;
    json_array_foreach(passages, i, entry)
    {
        if (!read_passage(entry, ids))
            return false;
    }
    json_array_foreach(citations, i, entry)
    {
        if (!is_citation(entry))
            return false;
    }
    return true;
}
