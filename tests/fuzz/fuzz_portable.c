/* rooms: desk store worker base */
/* What a workspace's file says, judged line by line: what is accepted holds what is promised. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/utf8.h"
#include "desk/originals_parts.h"
#include "desk/portable_parts.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void want_text(const char *text, size_t bytes_max)
{
    if (!text || strlen(text) > bytes_max || !den_utf8_is_valid(text, strlen(text)))
        abort();
}

static void want_reason(const struct den_error *err)
{
    if (err->status != DEN_BAD_FILE || err->message[0] == '\0')
        abort();
}

static void judge_document(const json_t *json)
{
    struct den_portable_document document;
    struct den_error err = { 0 };

    if (den_portable_read_document(json, &document, &err) != DEN_OK) {
        want_reason(&err);
        return;
    }
    want_text(document.name, DEN_DOCUMENT_NAME_BYTES_MAX);
    want_text(document.title, DEN_DOCUMENT_LABEL_BYTES_MAX);
    want_text(document.note, 2 * DEN_DOCUMENT_NOTE_BYTES_MAX);
    if (!den_hash_is_well_formed(document.hash) || !*document.name || document.name[0] == '/' ||
        strstr(document.name, "../") || (document.pinned && !document.linked))
        abort();
}

static void judge_item(const json_t *json)
{
    struct den_portable_item item;
    struct den_error err = { 0 };

    if (den_portable_read_item(json, &item, &err) != DEN_OK)
        want_reason(&err);
    else if (item.start > item.stop || item.length == 0 || item.stop > DEN_DOCUMENT_PART_TEXT_MAX)
        abort();
}

static void judge_manifest(const json_t *json)
{
    struct den_portable_manifest manifest;
    struct den_error err = { 0 };

    if (den_portable_read_manifest(json, &manifest, &err) != DEN_OK)
        want_reason(&err);
    else if (manifest.width > DEN_SPACE_WIDTH_MAX || (manifest.width > 0) != !!*manifest.embedder)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct den_error err = { 0 };
    json_t *json = NULL, *ids;

    if (den_json_parse((const char *)data, size, "fuzz", &json, &err) != DEN_OK)
        return 0;
    if (json_is_object(json)) {
        ids = json_pack("{s:s}", "a", "b");
        judge_manifest(json);
        judge_document(json_object_get(json, "document"));
        judge_item(json_object_get(json, "item"));
        if (json_object_get(json, "sources") &&
            den_portable_read_sources(json_object_get(json, "sources"), ids) &&
            !json_is_array(json_object_get(json_object_get(json, "sources"), "passages")))
            abort();
        json_decref(ids);
    }
    json_decref(json);
    return 0;
}
