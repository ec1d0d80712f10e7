/* rooms: input base */
/* A reader's line as the front takes it: what is accepted holds what a part promises. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/utf8.h"
#include "input/document.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct den_error err = { 0 };
    struct den_part part;
    json_t *json = NULL;
    size_t at = 0, i;

    if (den_json_parse((const char *)data, size, "fuzz", &json, &err) != DEN_OK)
        return 0;
    if (den_part_from_json(json, &part, &err) == DEN_OK) {
        if (!den_utf8_is_valid(part.text, part.length) || strlen(part.text) != part.length)
            abort();
        for (i = 0; i < part.block_count; i++) {
            if (part.blocks[i].start < at || part.blocks[i].end > part.length)
                abort();
            at = part.blocks[i].end;
        }
        for (i = 0; i < part.word_count; i++)
            if (part.words[i].start >= part.words[i].end || part.words[i].end > part.length)
                abort();
        den_part_free(&part);
    } else if (err.message[0] == '\0') {
        abort();
    }
    json_decref(json);
    return 0;
}
