/* Layout of one formatted value (jinja_format.h): digits, sign, grouping, padding. Widths and
 * precisions come from the template and are bounded before anything is printed. */
#include "text/jinja_format.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/utf8.h"
#include "text/jinja_print.h"
#include "text/jinja_string.h"

enum { PRECISION_MAX = 400, DIGITS_BYTES = 1024 };

static void fill(struct den_buffer *out, const struct den_jinja_layout *layout, char fallback,
                 size_t count)
{
    while (count-- > 0 && out->status == DEN_OK) {
        if (layout->fill_length > 0)
            den_buffer_append(out, layout->fill, layout->fill_length);
        else
            den_buffer_append_byte(out, fallback);
    }
}

/* `sign` goes before zeros that fill the width, and after other padding. */
static void pad(struct den_buffer *out, const struct den_jinja_layout *layout, const char *sign,
                const char *body, size_t body_length, size_t characters)
{
    char align = layout->align ? layout->align : '>';
    size_t used = strlen(sign) + characters;
    size_t missing =
        layout->width > 0 && (size_t)layout->width > used ? (size_t)layout->width - used : 0;
    size_t before = align == '>' ? missing : align == '^' ? missing / 2 : 0;

    if (align != '=')
        fill(out, layout, ' ', before);
    den_buffer_append_text(out, sign);
    if (align == '=') {
        fill(out, layout, '0', missing);
        before = missing;
    }
    den_buffer_append(out, body, body_length);
    fill(out, layout, ' ', missing - before);
}

static bool check(struct den_jinja_run *run, const struct den_jinja_layout *layout)
{
    if (layout->width > DEN_TEMPLATE_OUTPUT_BYTES_MAX)
        return den_jinja_fail_bound(run, "format: the width %lld is too large",
                                    (long long)layout->width);
    return true;
}

bool den_jinja_format_text(struct den_jinja_run *run, const struct den_jinja_text *text,
                           const struct den_jinja_layout *layout, struct den_buffer *out)
{
    struct den_jinja_layout left = *layout;
    size_t count = text->count;

    if (!check(run, layout))
        return false;
    if (layout->precision >= 0 && (uint64_t)layout->precision < count)
        count = (size_t)layout->precision;
    if (left.align == 0)
        left.align = '<';
    pad(out, &left, "", text->bytes, den_jinja_offset(text, count), count);
    return true;
}

/* Puts a separator between groups of digits before the point. */
static void group(const char *digits, char separator, int size, char *out)
{
    size_t whole = strspn(digits, "0123456789abcdefABCDEF");
    size_t i;

    for (i = 0; i < whole; i++) {
        if (i > 0 && (whole - i) % (size_t)size == 0)
            *out++ = separator;
        *out++ = digits[i];
    }
    memcpy(out, digits + whole, strlen(digits + whole) + 1);
}

static void print_integer(uint64_t magnitude, const struct den_jinja_layout *layout, char *digits)
{
    char reversed[72];
    unsigned base = layout->type == 'x' || layout->type == 'X' ? 16
                    : layout->type == 'o'                      ? 8
                    : layout->type == 'b'                      ? 2
                                                               : 10;
    const char *symbols = layout->type == 'X' ? "0123456789ABCDEF" : "0123456789abcdef";
    size_t count = 0;
    size_t i = 0;

    do {
        reversed[count++] = symbols[magnitude % base];
        magnitude /= base;
    } while (magnitude > 0);
    for (; layout->precision > 0 && count + i < (size_t)layout->precision && i < PRECISION_MAX; i++)
        digits[i] = '0';
    while (count > 0)
        digits[i++] = reversed[--count];
    digits[i] = '\0';
}

static const char *prefix_of(const struct den_jinja_layout *layout)
{
    if (!layout->has_prefix)
        return "";
    switch (layout->type) {
    case 'x':
        return "0x";
    case 'X':
        return "0X";
    case 'o':
        return "0o";
    case 'b':
        return "0b";
    default:
        return "";
    }
}

static void print_float(double number, const struct den_jinja_layout *layout, char *digits)
{
    char format[16] = "%.*f";
    int precision = layout->precision < 0 ? 6 : (int)layout->precision;

    if (layout->type == '%')
        number *= 100;
    if (isnan(number) || isinf(number)) {
        bool is_upper = layout->type == 'E' || layout->type == 'F' || layout->type == 'G';

        snprintf(digits, DIGITS_BYTES, "%s",
                 isnan(number) ? (is_upper ? "NAN" : "nan") : (is_upper ? "INF" : "inf"));
        return;
    }
    if (layout->type == 0 && layout->precision < 0) {
        char text[JINJA_FLOAT_BYTES];

        den_jinja_print_float(number, text);
        snprintf(digits, DIGITS_BYTES, "%s", text);
        return;
    }
    if (layout->type == 0)
        memcpy(format, "%.*g", 5);
    else if (layout->type != '%')
        format[3] = layout->type;
    if (layout->has_prefix)
        snprintf(format, sizeof format, "%%#.*%c", layout->type ? layout->type : 'g');
    snprintf(digits, DIGITS_BYTES, format, precision, number);
    if (layout->type == 0 && !strpbrk(digits, ".en"))
        memcpy(digits + strlen(digits), ".0", 3);
    if (layout->type == '%')
        memcpy(digits + strlen(digits), "%", 2);
}

bool den_jinja_format_number(struct den_jinja_run *run, struct den_jinja_value value,
                             const struct den_jinja_layout *layout, struct den_buffer *out)
{
    struct den_jinja_layout laid = *layout;
    bool is_float =
        value.kind == JINJA_FLOAT || (layout->type && strchr("eEfFgG%", layout->type) != NULL);
    char digits[DIGITS_BYTES];
    char grouped[DIGITS_BYTES * 2];
    char sign[8] = "";
    double number = den_jinja_as_number(value);
    int64_t integer = 0;
    bool is_negative;

    if (!check(run, layout))
        return false;
    if (layout->precision > PRECISION_MAX)
        return den_jinja_fail_bound(run, "format: the precision %lld is too large",
                                    (long long)layout->precision);
    den_jinja_as_integer(value, &integer);
    is_negative = is_float ? signbit(number) && !isnan(number) : integer < 0;
    if (is_float)
        print_float(fabs(number), layout, digits);
    else
        print_integer(is_negative ? 0 - (uint64_t)integer : (uint64_t)integer, layout, digits);
    if (is_negative)
        sign[0] = '-';
    else if (layout->sign == '+' || layout->sign == ' ')
        sign[0] = layout->sign;
    if (!is_float)
        memcpy(sign + strlen(sign), prefix_of(layout), strlen(prefix_of(layout)) + 1);
    if (layout->grouping) {
        bool is_binary = !is_float && layout->type && strchr("xXob", layout->type);

        group(digits, layout->grouping, is_binary ? 4 : 3, grouped);
    } else {
        memcpy(grouped, digits, strlen(digits) + 1);
    }
    if (layout->has_zeros && laid.align == 0)
        laid.align = '=';
    pad(out, &laid, sign, grouped, strlen(grouped), strlen(grouped));
    return true;
}
