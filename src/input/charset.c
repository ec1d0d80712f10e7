/* See charset.h.
 *
 * UTF-16 and windows-1252 are decoded here, so that a stray never stops them and each character's
 * place in the original is known by counting; GB18030 and what headers name goes through iconv. */
#include "input/charset.h"

#include <ctype.h>
#include <errno.h>
#include <iconv.h>
#include <string.h>

#include "base/utf8.h"

enum { CHARSET_NAME_MAX = 40 };

/* Of 0x80 to 0x9F; the rest of windows-1252 is as in Unicode. */
static const uint16_t windows_codes[32] = { 0x20AC, 0xFFFD, 0x201A, 0x0192, 0x201E, 0x2026, 0x2020,
                                            0x2021, 0x02C6, 0x2030, 0x0160, 0x2039, 0x0152, 0xFFFD,
                                            0x017D, 0xFFFD, 0xFFFD, 0x2018, 0x2019, 0x201C, 0x201D,
                                            0x2022, 0x2013, 0x2014, 0x02DC, 0x2122, 0x0161, 0x203A,
                                            0x0153, 0xFFFD, 0x017E, 0x0178 };

void den_charset_prepare(void)
{
    static const char *const names[] = {
        "GB18030",      "GBK",          "GB2312",       "BIG5",         "BIG5-HKSCS",
        "SHIFT_JIS",    "CP932",        "EUC-JP",       "ISO-2022-JP",  "EUC-KR",
        "CP949",        "KOI8-R",       "KOI8-U",       "ISO-8859-1",   "ISO-8859-2",
        "ISO-8859-4",   "ISO-8859-5",   "ISO-8859-6",   "ISO-8859-7",   "ISO-8859-8",
        "ISO-8859-9",   "ISO-8859-13",  "ISO-8859-15",  "WINDOWS-1250", "WINDOWS-1251",
        "WINDOWS-1252", "WINDOWS-1253", "WINDOWS-1254", "WINDOWS-1255", "WINDOWS-1256",
        "WINDOWS-1257", "WINDOWS-1258", "CP850",        "CP437",        "MACINTOSH",
        "TIS-620",      "UTF-7",        "UTF-16"
    };
    static iconv_t kept[sizeof names / sizeof names[0]]; /* open for the process's life */
    size_t i;

    for (i = 0; i < sizeof names / sizeof names[0]; i++)
        if (!kept[i])
            kept[i] = iconv_open("UTF-8", names[i]);
}

/* --- what it is --- */

struct tally {
    size_t strays; /* bytes that are not UTF-8 */
    size_t wide;   /* characters of several bytes */
};

static struct tally count_utf8(const char *bytes, size_t length)
{
    struct tally tally = { 0 };
    size_t at = 0;

    while (at < length) {
        uint32_t code;
        size_t used;

        if ((unsigned char)bytes[at] < 0x80) {
            at++;
            continue;
        }
        used = den_utf8_decode(bytes + at, length - at, &code);
        tally.strays += code == DEN_UTF8_REPLACEMENT && used < 3;
        tally.wide += code != DEN_UTF8_REPLACEMENT;
        at += used;
    }
    return tally;
}

/* GB18030 if high bytes come in pairs, most of them in the rows of GB 2312, and everything is
 * valid. Latin texts have single high bytes between letters. */
static bool is_chinese(const unsigned char *bytes, size_t length)
{
    size_t common = 0, other = 0;
    size_t at = 0;

    while (at < length) {
        if (bytes[at] < 0x80) {
            at++;
        } else if (at + 1 >= length || bytes[at] == 0x80 || bytes[at] == 0xFF) {
            other++;
            at++;
        } else if (bytes[at + 1] >= 0xA1 && bytes[at] >= 0xA1 && bytes[at] <= 0xF7) {
            common++;
            at += 2;
        } else if (at + 3 < length && isdigit(bytes[at + 1]) && bytes[at + 2] > 0x80 &&
                   isdigit(bytes[at + 3])) {
            at += 4;
        } else {
            other += 1;
            at += bytes[at + 1] >= 0x40 ? 2 : 1;
        }
    }
    return common > 0 && common >= 4 * other;
}

static bool is_wide_little(const unsigned char *bytes, size_t length, bool *out_little)
{
    size_t looked = length < 4096 ? length : 4096;
    size_t zeros[2] = { 0, 0 };
    size_t i;

    for (i = 0; i < looked; i++)
        zeros[i % 2] += bytes[i] == 0;
    *out_little = zeros[1] > zeros[0];
    return looked >= 16 && (zeros[0] + zeros[1]) * 4 > looked && (zeros[0] == 0 || zeros[1] == 0);
}

static enum den_charset guess(const unsigned char *bytes, size_t length, size_t *out_mark)
{
    struct tally tally;
    bool little;

    *out_mark = 0;
    if (length >= 3 && memcmp(bytes, "\xEF\xBB\xBF", 3) == 0) {
        *out_mark = 3;
        return DEN_CHARSET_UTF8;
    }
    if (length >= 2 && (memcmp(bytes, "\xFF\xFE", 2) == 0 || memcmp(bytes, "\xFE\xFF", 2) == 0)) {
        *out_mark = 2;
        return bytes[0] == 0xFF ? DEN_CHARSET_UTF16_LE : DEN_CHARSET_UTF16_BE;
    }
    if (is_wide_little(bytes, length, &little))
        return little ? DEN_CHARSET_UTF16_LE : DEN_CHARSET_UTF16_BE;
    tally = count_utf8((const char *)bytes, length);
    if (tally.strays == 0 || tally.strays * 20 < tally.wide)
        return DEN_CHARSET_UTF8;
    return is_chinese(bytes, length) ? DEN_CHARSET_GB18030 : DEN_CHARSET_WINDOWS_1252;
}

/* --- decoding --- */

static void append_code(struct den_buffer *out, uint32_t code)
{
    char bytes[4];

    den_buffer_append(out, bytes, den_utf8_encode(code, bytes));
}

/* The code at `at`; *out_used is 2 or 4. An odd byte at the end is dropped. */
static uint32_t code_of_utf16(const unsigned char *bytes, size_t length, bool little,
                              size_t *out_used)
{
    unsigned high = little ? 1 : 0, low = 1 - high;
    uint32_t first = (uint32_t)bytes[high] << 8 | bytes[low];

    *out_used = 2;
    if (first < 0xD800 || first > 0xDFFF)
        return first;
    if (first < 0xDC00 && length >= 4) {
        uint32_t second = (uint32_t)bytes[2 + high] << 8 | bytes[2 + low];

        if (second >= 0xDC00 && second <= 0xDFFF) {
            *out_used = 4;
            return 0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00);
        }
    }
    return DEN_UTF8_REPLACEMENT;
}

static void append_utf16(struct den_buffer *out, const unsigned char *bytes, size_t length,
                         bool little)
{
    size_t at = 0, used;

    while (at + 2 <= length) {
        append_code(out, code_of_utf16(bytes + at, length - at, little, &used));
        at += used;
    }
}

static void append_windows(struct den_buffer *out, const unsigned char *bytes, size_t length)
{
    size_t at;

    for (at = 0; at < length; at++) {
        unsigned char byte = bytes[at];

        if (byte < 0x80)
            den_buffer_append_byte(out, (char)byte);
        else
            append_code(out, byte < 0xA0 ? windows_codes[byte - 0x80] : byte);
    }
}

/* Names of mails and pages that mean a larger set than they say. */
static const char *better_name(const char *charset)
{
    if (strcasecmp(charset, "gb2312") == 0 || strcasecmp(charset, "gbk") == 0 ||
        strcasecmp(charset, "x-gbk") == 0)
        return "GB18030";
    if (strcasecmp(charset, "iso-8859-1") == 0 || strcasecmp(charset, "latin1") == 0 ||
        strcasecmp(charset, "us-ascii") == 0 || strcasecmp(charset, "ascii") == 0)
        return "WINDOWS-1252";
    if (strcasecmp(charset, "ks_c_5601-1987") == 0 || strcasecmp(charset, "euc-kr") == 0)
        return "CP949";
    if (strcasecmp(charset, "shift_jis") == 0)
        return "CP932";
    return charset;
}

static bool is_charset_name(const char *charset)
{
    size_t length = strlen(charset);
    size_t i;

    for (i = 0; i < length; i++)
        if (!isalnum((unsigned char)charset[i]) && !strchr("-_.:", charset[i]))
            return false;
    return length > 0 && length < CHARSET_NAME_MAX;
}

/* Each byte that iconv refuses becomes U+FFFD. */
static void convert(iconv_t converter, struct den_buffer *out, const char *bytes, size_t length)
{
    char *from = (char *)(uintptr_t)bytes;
    char room[4096];

    while (out->status == DEN_OK) {
        char *to = room;
        size_t left = sizeof room;
        size_t done = iconv(converter, length ? &from : NULL, &length, &to, &left);
        int why = errno;

        den_buffer_append(out, room, sizeof room - left);
        if (done != (size_t)-1 && length == 0)
            break;
        if (done == (size_t)-1 && why != E2BIG && length > 0) {
            append_code(out, DEN_UTF8_REPLACEMENT);
            from++;
            length--;
        } else if (done == (size_t)-1 && length == 0 && why != E2BIG) {
            break;
        }
    }
}

bool den_charset_append(struct den_buffer *out, const char *charset, const char *bytes,
                        size_t length)
{
    iconv_t converter;

    if (!is_charset_name(charset))
        return false;
    charset = better_name(charset);
    if (strcasecmp(charset, "WINDOWS-1252") == 0) {
        append_windows(out, (const unsigned char *)bytes, length);
        return true;
    }
    converter = iconv_open("UTF-8", charset);
    if (converter == (iconv_t)-1)
        return false;
    convert(converter, out, bytes, length);
    iconv_close(converter);
    return true;
}

static void decode_guessed(struct den_decoded *decoded, size_t length)
{
    if (decoded->charset == DEN_CHARSET_GB18030 &&
        !den_charset_append(&decoded->owned, "GB18030", (const char *)decoded->bytes, length))
        decoded->charset = DEN_CHARSET_WINDOWS_1252;
    if (decoded->charset == DEN_CHARSET_UTF16_LE || decoded->charset == DEN_CHARSET_UTF16_BE)
        append_utf16(&decoded->owned, decoded->bytes, length,
                     decoded->charset == DEN_CHARSET_UTF16_LE);
    if (decoded->charset == DEN_CHARSET_WINDOWS_1252)
        append_windows(&decoded->owned, decoded->bytes, length);
}

enum den_status den_decode(const void *bytes, size_t length, const char *charset,
                           struct den_decoded *out, struct den_error *err)
{
    *out = (struct den_decoded){ 0 };
    den_buffer_init(&out->owned, DEN_DOCUMENT_DECODED_MAX);
    out->charset = guess(bytes, length, &out->skipped);
    out->bytes = (const unsigned char *)bytes + out->skipped;
    length -= out->skipped;
    if (charset && out->skipped == 0 && strcasecmp(charset, "utf-8") != 0 &&
        (out->charset != DEN_CHARSET_UTF8 || strncasecmp(charset, "iso-2022", 8) == 0) &&
        den_charset_append(&out->owned, charset, (const char *)out->bytes, length)) {
        out->charset = DEN_CHARSET_NAMED;
    } else if (out->charset == DEN_CHARSET_UTF8) {
        out->text = (const char *)out->bytes;
        out->length = length;
        return DEN_OK;
    } else {
        decode_guessed(out, length);
    }
    out->text = out->owned.data;
    out->length = out->owned.length;
    if (den_buffer_status(&out->owned, "text", err) != DEN_OK)
        den_decoded_free(out);
    return err->status;
}

void den_decoded_free(struct den_decoded *decoded)
{
    den_buffer_deinit(&decoded->owned);
}

/* --- places --- */

static size_t bytes_of_code(const struct den_decoded *decoded, uint32_t code)
{
    const unsigned char *byte = decoded->bytes + decoded->byte_at;

    switch (decoded->charset) {
    case DEN_CHARSET_UTF16_LE:
    case DEN_CHARSET_UTF16_BE:
        return code >= 0x10000 ? 4 : 2;
    case DEN_CHARSET_GB18030:
        if (code < 0x80 || code == DEN_UTF8_REPLACEMENT)
            return 1;
        return isdigit(byte[1]) ? 4 : 2;
    default:
        return 1;
    }
}

size_t den_decoded_source(struct den_decoded *decoded, size_t at)
{
    if (decoded->charset == DEN_CHARSET_UTF8)
        return decoded->skipped + at;
    if (decoded->charset == DEN_CHARSET_NAMED)
        return 0;
    while (decoded->text_at < at && decoded->text_at < decoded->length) {
        uint32_t code;
        size_t used = den_utf8_decode(decoded->text + decoded->text_at,
                                      decoded->length - decoded->text_at, &code);

        decoded->byte_at += bytes_of_code(decoded, code);
        decoded->text_at += used;
    }
    return decoded->skipped + decoded->byte_at;
}
