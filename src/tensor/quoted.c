/* See quoted.h. */
#include "tensor/quoted.h"

#include <string.h>

enum { SHOWN_BYTES_MAX = 80 };

struct den_quoted den_quoted(const char *name, size_t length)
{
    struct den_quoted quoted = { 0 };
    size_t shown = length < SHOWN_BYTES_MAX ? length : SHOWN_BYTES_MAX;
    size_t i;

    for (i = 0; i < shown; i++)
        quoted.text[i] = name[i] >= ' ' && name[i] <= '~' ? name[i] : '?';
    if (shown < length)
        memcpy(quoted.text + shown, "...", 4);
    return quoted;
}
