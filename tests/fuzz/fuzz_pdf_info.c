/* rooms: desk base */
/* What pdfinfo prints, with what a PDF had it print: texts come out valid and sizes as numbers. */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "desk/reading_pdf_info.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct den_pdf_info info;

    den_pdf_info_parse((const char *)data, size, &info);
    if (!den_utf8_is_valid(info.title, strlen(info.title)) ||
        !den_utf8_is_valid(info.author, strlen(info.author)) || !isfinite(info.width) ||
        !isfinite(info.height) || info.width < 0 || info.height < 0)
        abort();
    return 0;
}
