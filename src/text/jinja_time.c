/* See jinja_time.h. One directive at a time goes to the C library, in the C locale, so that a
 * hostile format can't ask for gigabytes of padding and the user's language does not leak into
 * prompts that the model saw in English. */
#include "text/jinja_time.h"

#include <locale.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum { DIRECTIVE_BYTES_MAX = 128 };

/* Length of the directive at `at` ("%d", "%-d", "%Ey"); 0 where it is none that we pass on. */
static size_t directive_length(const char *at, const char *end)
{
    const char *start = at++;

    while (at < end && strchr("-_0^#", *at) && *at)
        at++;
    if (at < end && (*at == 'E' || *at == 'O'))
        at++;
    if (at >= end || !strchr("aAbBcCdDeFgGhHIjklmMnpPrRsStTuUVwWxXyY%", *at) || *at == '\0')
        return 0;
    return (size_t)(at + 1 - start);
}

static void format_directive(const char *at, size_t length, const struct tm *when, locale_t locale,
                             struct den_buffer *out)
{
    char format[16];
    char text[DIRECTIVE_BYTES_MAX];
    size_t used;

    if (length + 1 >= sizeof format) /* a run of flags that no real format has */
        return;
    memcpy(format, at, length);
    format[length] = '\0';
    used = strftime_l(text, sizeof text, format, when, locale);
    den_buffer_append(out, text, used);
}

bool den_jinja_format_time(int64_t now, const char *format, size_t length, struct den_buffer *out)
{
    time_t seconds = (time_t)now;
    const char *end = format + length;
    struct tm when;
    locale_t locale;

    if (!localtime_r(&seconds, &when))
        return false;
    locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    if (!locale)
        return false;
    while (format < end) {
        size_t used = *format == '%' ? directive_length(format, end) : 0;

        if (used > 0) {
            format_directive(format, used, &when, locale, out);
            format += used;
        } else if (*format == '%' && format + 1 < end && format[1] == 'f') {
            den_buffer_append_text(out, "000000");
            format += 2;
        } else if (*format == '%' && format + 1 < end && (format[1] == 'z' || format[1] == 'Z')) {
            format += 2; /* empty: Python's datetime.now() has no zone */
        } else {
            den_buffer_append_byte(out, *format++);
        }
    }
    freelocale(locale);
    return true;
}
