/* See web_robots.h. Two passes over the text, each line by line: the first finds out whether any
 * group names us, the second weighs the rules of the groups that count. Nothing is kept, so that a
 * file of any shape takes no memory; the steps of matching are counted, and a file that takes too
 * many is one that forbids. */
#include "desk/web_robots.h"

#include <string.h>
#include <strings.h>

#include "base/limits.h"

enum { STEPS_MAX = 20000000 };

struct line {
    const char *key, *value;
    size_t key_length, value_length;
};

struct text {
    const char *at, *end;
};

static bool is_blank(char byte)
{
    return byte == ' ' || byte == '\t';
}

static void trim(const char **start, size_t *length)
{
    while (*length > 0 && is_blank(**start))
        ++*start, --*length;
    while (*length > 0 && is_blank((*start)[*length - 1]))
        --*length;
}

/* The next "key: value"; false at the end. Lines that are none are passed over. */
static bool next_line(struct text *text, struct line *out)
{
    while (text->at < text->end) {
        const char *start = text->at, *end = start, *stop, *colon;

        while (end < text->end && *end != '\n' && *end != '\r')
            end++;
        text->at = end < text->end ? end + 1 : end;
        stop = memchr(start, '#', (size_t)(end - start));
        stop = stop ? stop : end;
        colon = memchr(start, ':', (size_t)(stop - start));
        if (!colon)
            continue;
        out->key = start;
        out->key_length = (size_t)(colon - start);
        out->value = colon + 1;
        out->value_length = (size_t)(stop - colon - 1);
        trim(&out->key, &out->key_length);
        trim(&out->value, &out->value_length);
        return true;
    }
    return false;
}

static bool is_key(const struct line *line, const char *key)
{
    return line->key_length == strlen(key) && strncasecmp(line->key, key, line->key_length) == 0;
}

static bool is_product_byte(char byte)
{
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || byte == '_' ||
           byte == '-';
}

/* "den/1.0 (+https://...)" names "den". */
static bool names(const struct line *line, const char *product)
{
    size_t length = 0;

    if (strcmp(product, "*") == 0)
        return line->value_length > 0 && line->value[0] == '*';
    while (length < line->value_length && is_product_byte(line->value[length]))
        length++;
    return length == strlen(product) && strncasecmp(line->value, product, length) == 0;
}

/* --- one rule against the path --- */

static int hexadecimal(char digit)
{
    if (digit >= '0' && digit <= '9')
        return digit - '0';
    if (digit >= 'a' && digit <= 'f')
        return digit - 'a' + 10;
    return digit >= 'A' && digit <= 'F' ? digit - 'A' + 10 : -1;
}

/* The byte that stands at `at`, and how many characters it takes. "%2F" is not "/", which parts a
 * path: it gets a value of its own, as all reserved ones do. */
static unsigned unit_at(const char *at, const char *end, size_t *out_used)
{
    int high, low;
    unsigned byte;

    *out_used = 1;
    if (*at != '%' || end - at < 3)
        return (unsigned char)*at;
    high = hexadecimal(at[1]);
    low = hexadecimal(at[2]);
    if (high < 0 || low < 0)
        return (unsigned char)*at;
    *out_used = 3;
    byte = (unsigned)high << 4 | (unsigned)low;
    return byte < 0x80 && byte > 0 && strchr("/?#[]@!&'()+,;=%", (int)byte) ? 256 + byte : byte;
}

struct match {
    const char *pattern, *pattern_end, *path, *path_end;
    bool anchored; /* "$" at the pattern's end */
    size_t *steps;
};

/* The usual way with one wildcard to come back to: linear for sane patterns. */
static bool matches(const struct match *match)
{
    const char *pattern = match->pattern, *path = match->path;
    const char *star = NULL, *resume = NULL;

    while (++*match->steps < STEPS_MAX) {
        size_t used_pattern, used_path;

        if (pattern == match->pattern_end) {
            if (!match->anchored || path == match->path_end)
                return true;
        } else if (*pattern == '*') {
            star = ++pattern;
            resume = path;
            continue;
        } else if (path < match->path_end && unit_at(pattern, match->pattern_end, &used_pattern) ==
                                                 unit_at(path, match->path_end, &used_path)) {
            pattern += used_pattern;
            path += used_path;
            continue;
        }
        if (!star || resume == match->path_end)
            return false;
        path = ++resume;
        pattern = star;
    }
    return true;
}

struct verdict {
    size_t longest; /* of the rules that fit; 0: none did */
    bool allow;
    size_t steps;
};

static void weigh(struct verdict *verdict, const struct line *line, const char *path)
{
    struct match match = { .pattern = line->value,
                           .pattern_end = line->value + line->value_length,
                           .path = path,
                           .path_end = path + strlen(path),
                           .steps = &verdict->steps };
    bool allow = is_key(line, "allow");

    if (line->value_length == 0 || (!allow && !is_key(line, "disallow")) ||
        (line->value[0] != '/' && line->value[0] != '*'))
        return;
    if (match.pattern_end[-1] == '$') {
        match.anchored = true;
        match.pattern_end--;
    }
    if (line->value_length < verdict->longest ||
        (line->value_length == verdict->longest && !allow) || !matches(&match))
        return;
    verdict->longest = line->value_length;
    verdict->allow = allow;
}

/* --- groups --- */

/* Runs through the groups that name `product`; true if there is any. `verdict` may be NULL. */
static bool walk(const char *text, size_t length, const char *product, const char *path,
                 struct verdict *verdict)
{
    struct text lines = { text, text + length };
    struct line line;
    bool found = false, ours = false, in_names = false;

    while (next_line(&lines, &line)) {
        if (is_key(&line, "user-agent")) {
            ours = names(&line, product) || (in_names && ours);
            found = found || ours;
            in_names = true;
        } else if (is_key(&line, "allow") || is_key(&line, "disallow")) {
            in_names = false;
            if (ours && verdict)
                weigh(verdict, &line, path);
        }
    }
    return found;
}

bool den_robots_allow(const char *text, size_t length, const char *product, const char *path)
{
    struct verdict verdict = { .allow = true };

    if (length > DEN_WEB_ROBOTS_BYTES_MAX)
        length = DEN_WEB_ROBOTS_BYTES_MAX;
    if (length >= 3 && memcmp(text, "\xEF\xBB\xBF", 3) == 0) {
        text += 3;
        length -= 3;
    }
    if (strcmp(path, "/robots.txt") == 0)
        return true;
    if (!walk(text, length, product, path, NULL))
        product = "*";
    walk(text, length, product, path, &verdict);
    return verdict.steps < STEPS_MAX && verdict.allow;
}
