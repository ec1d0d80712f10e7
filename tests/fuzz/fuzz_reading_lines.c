/* rooms: desk input base */
/* What a reader's child may say once a document has taken it over: what reaches the sink is good,
 * and no status but those of readers comes out. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "desk/reading_lines.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static enum den_status take_part(void *context, const struct den_part *part, struct den_error *err)
{
    (void)context;
    if (den_part_check(part, err) != DEN_OK)
        abort();
    return DEN_OK;
}

static enum den_status take_facts(void *context, const struct den_document_facts *facts,
                                  struct den_error *err)
{
    (void)context;
    (void)err;
    if (strlen(facts->title) > DEN_DOCUMENT_LABEL_BYTES_MAX ||
        strlen(facts->note) > DEN_DOCUMENT_NOTE_BYTES_MAX)
        abort();
    return DEN_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct den_document_sink sink = { .part = take_part, .facts = take_facts };
    const size_t cut = size > 0 ? data[0] % size : 0; /* the bytes come in two pieces */
    struct den_reading_lines lines;
    struct den_error err = { 0 };

    den_reading_lines_init(&lines, "fuzz", &sink);
    if (den_reading_lines_take(&lines, (const char *)data, cut, &err) == DEN_OK)
        den_reading_lines_take(&lines, (const char *)data + cut, size - cut, &err);
    if (err.status == DEN_CANCELLED || lines.ending.status == DEN_CANCELLED ||
        lines.ending.status == DEN_INTERNAL)
        abort();
    den_reading_lines_deinit(&lines);
    return 0;
}
