/* See query_rewrite.h. */
#include "desk/query_rewrite.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/utf8.h"

enum {
    WORDS_MAX = 64,           /* looked at in a question; longer ones stand alone */
    WORD_BYTES = 48,          /* of one, in lower case, cut beyond */
    SHORT_WORDS = 3,          /* that carry meaning: with more, a question stands alone */
    CHINESE_SHORT = 10,       /* characters */
    MAY_LEAN_WORDS = 8,       /* that carry meaning: with more, no model need be asked */
    COMPLETED_BYTES_MAX = 600 /* what is put before a question; an embedder reads 256 tokens */
};

/* Words that carry no meaning of their own. */
static const char *const empty_words[] = {
    "a",    "about", "also",   "am",   "an",    "and",    "any",  "are",   "as",    "at",
    "be",   "been",  "but",    "by",   "can",   "could",  "did",  "do",    "does",  "for",
    "from", "had",   "has",    "have", "he",    "her",    "here", "hers",  "him",   "his",
    "how",  "i",     "if",     "in",   "is",    "it",     "its",  "just",  "many",  "may",
    "me",   "more",  "much",   "my",   "no",    "not",    "of",   "on",    "one",   "ones",
    "or",   "our",   "please", "same", "she",   "should", "so",   "tell",  "than",  "that",
    "the",  "their", "them",   "then", "there", "these",  "they", "this",  "those", "to",
    "too",  "us",    "was",    "we",   "were",  "what",   "when", "where", "which", "who",
    "whom", "whose", "why",    "will", "with",  "would",  "you",  "your",
};
/* Words that point to what was said before. */
static const char *const pointing_words[] = {
    "he",   "her",   "hers", "him",   "his",  "it",    "its",  "one",    "ones",   "same",  "she",
    "that", "their", "them", "these", "they", "those", "this", "former", "latter", "there",
};
/* Beginnings of a question that goes on from another, where little follows. */
static const char *const going_on[] = {
    "and",   "also", "at",   "but", "by",   "for",  "from",  "how",   "in",  "of",  "on",   "or",
    "since", "so",   "then", "to",  "what", "when", "where", "which", "who", "why", "with",
};
static const char *const chinese_pointing[] = {
    "\xE5\xAE\x83" /* it */,
    "\xE4\xBB\x96" /* he */,
    "\xE5\xA5\xB9" /* she */,
    "\xE8\xBF\x99" /* this */,
    "\xE9\x82\xA3" /* that */,
    "\xE5\x85\xB6" /* its */,
    "\xE5\x91\xA2" /* "and ...?" */,
    "\xE8\xBF\x98\xE6\x9C\x89" /* also */,
    "\xE4\xB8\x8A\xE8\xBF\xB0" /* above */,
};

struct word {
    char text[WORD_BYTES]; /* lower case */
    size_t at, length;     /* in the question */
    bool is_number;
};
struct words {
    struct word items[WORDS_MAX];
    size_t count;
    size_t chinese; /* characters */
};

static bool is_listed(const char *const *list, size_t count, const char *word)
{
    size_t i;

    for (i = 0; i < count; i++)
        if (strcmp(list[i], word) == 0)
            return true;
    return false;
}

#define LISTED(list, word) is_listed(list, sizeof(list) / sizeof(list)[0], word)

static bool is_chinese(uint32_t code)
{
    return (code >= 0x3400 && code <= 0x9fff) || (code >= 0x20000 && code <= 0x3ffff);
}

/* Bytes beyond ASCII belong to words, but for Chinese characters, which are counted. */
static bool is_word_byte(unsigned char byte)
{
    return isalnum(byte) || byte == '_' || byte >= 0x80;
}

static void add_word(struct words *words, const char *text, size_t at, size_t length)
{
    struct word *word = &words->items[words->count++];
    size_t i, kept = length < WORD_BYTES - 1 ? length : WORD_BYTES - 1;

    word->at = at;
    word->length = length;
    word->is_number = true;
    for (i = 0; i < kept; i++) {
        word->text[i] = (char)tolower((unsigned char)text[at + i]);
        word->is_number = word->is_number && isdigit((unsigned char)text[at + i]);
    }
    word->text[kept] = '\0';
}

static void split(const char *text, struct words *out)
{
    const size_t length = strlen(text);
    size_t at = 0, start = 0, step;
    uint32_t code;
    bool is_inside = false, is_part;

    *out = (struct words){ 0 };
    while (at <= length && out->count < WORDS_MAX) {
        step = at < length ? den_utf8_decode(text + at, length - at, &code) : 1;
        is_part = at < length && is_word_byte((unsigned char)text[at]) && !is_chinese(code) &&
                  !(code >= 0x3000 && code <= 0x303f) && !(code >= 0xff00 && code <= 0xff65);
        if (at < length && is_chinese(code))
            out->chinese++;
        if (is_inside && !is_part)
            add_word(out, text, start, at - start);
        else if (!is_inside && is_part)
            start = at;
        is_inside = is_part;
        at += step;
    }
}

static size_t count_meaning(const struct words *words)
{
    size_t i, count = 0;

    for (i = 0; i < words->count; i++)
        count += !LISTED(empty_words, words->items[i].text);
    return count;
}

static bool chinese_leans(const char *question, const struct words *words)
{
    size_t i;

    if (words->chinese == 0 || words->chinese > CHINESE_SHORT)
        return false;
    for (i = 0; i < sizeof chinese_pointing / sizeof chinese_pointing[0]; i++)
        if (strstr(question, chinese_pointing[i]))
            return true;
    return false;
}

bool den_query_leans(const char *question)
{
    struct words words;
    size_t i, meaning;

    split(question, &words);
    if (words.chinese > 0)
        return chinese_leans(question, &words);
    if (words.count == 0)
        return false;
    meaning = count_meaning(&words);
    if (meaning <= 1 && LISTED(going_on, words.items[0].text))
        return true;
    if (meaning <= SHORT_WORDS && words.count > 1 &&
        (strcmp(words.items[0].text, "and") == 0 || strcmp(words.items[0].text, "but") == 0))
        return true;
    if (meaning > 2 * SHORT_WORDS)
        return false;
    for (i = 0; i < words.count; i++)
        if (LISTED(pointing_words, words.items[i].text))
            return true;
    return false;
}

/* --- completing --- */

/* The only number in the question; NULL: none, or several. */
static const struct word *only_number(const struct words *words)
{
    const struct word *number = NULL;
    size_t i;

    for (i = 0; i < words->count; i++)
        if (words->items[i].is_number) {
            if (number)
                return NULL;
            number = &words->items[i];
        }
    return number;
}

/* "Revenue in 2023?" and "And in 2024?": the earlier question with the later number. A question
 * that says more than a number is not one that only changes it. */
static bool exchange_number(const char *earlier, const struct words *old, const char *question,
                            const struct words *new, struct den_buffer *out)
{
    const struct word *from = only_number(old), *to = only_number(new);

    if (!from || !to || from->length != to->length || count_meaning(new) > 1)
        return false;
    den_buffer_append(out, earlier, from->at);
    den_buffer_append(out, question + to->at, to->length);
    den_buffer_append_text(out, earlier + from->at + from->length);
    return true;
}

static bool has_word(const struct words *words, const char *text)
{
    size_t i;

    for (i = 0; i < words->count; i++)
        if (strcmp(words->items[i].text, text) == 0)
            return true;
    return false;
}

/* The earlier question's words of meaning, which the later one lacks, then the later one. A number
 * of the later one stands for those of the earlier. */
static void put_before(const char *earlier, const struct words *old, const char *question,
                       const struct words *new, struct den_buffer *out)
{
    const bool has_number = only_number(new) != NULL;
    size_t i;

    if (old->chinese > 0) {
        den_buffer_append(out, earlier, strlen(earlier));
        den_buffer_append_byte(out, ' ');
    }
    for (i = 0; i < old->count && old->chinese == 0; i++) {
        const struct word *word = &old->items[i];

        if (LISTED(empty_words, word->text) || has_word(new, word->text) ||
            (word->is_number && has_number) || out->length > COMPLETED_BYTES_MAX)
            continue;
        den_buffer_append(out, earlier + word->at, word->length);
        den_buffer_append_byte(out, ' ');
    }
    den_buffer_append_text(out, question);
}

static char *complete(const char *earlier, const char *question)
{
    struct words old, new;
    struct den_buffer out;
    char *text;

    split(earlier, &old);
    split(question, &new);
    den_buffer_init(&out, strlen(earlier) + strlen(question) + 4096);
    if (!exchange_number(earlier, &old, question, &new, &out))
        put_before(earlier, &old, question, &new, &out);
    text = den_buffer_take(&out);
    den_buffer_deinit(&out);
    return text;
}

/* The last messages of the user, the newest first. */
size_t den_query_last(const json_t *conversation, const char *out[DEN_QUESTIONS_BACK])
{
    size_t i = json_array_size(conversation), count = 0;

    while (i-- > 0 && count < DEN_QUESTIONS_BACK) {
        const json_t *message = json_array_get(conversation, i);
        const char *role = json_string_value(json_object_get(message, "role"));
        const char *content = json_string_value(json_object_get(message, "content"));

        if (role && content && strcmp(role, "user") == 0 && strlen(content) <= COMPLETED_BYTES_MAX)
            out[count++] = content;
    }
    return count;
}

bool den_query_may_lean(const json_t *conversation, const char *question)
{
    const char *earlier[DEN_QUESTIONS_BACK];
    struct words words;

    split(question, &words);
    return den_query_last(conversation, earlier) > 0 && count_meaning(&words) <= MAY_LEAN_WORDS &&
           words.chinese <= 2 * CHINESE_SHORT;
}

char *den_query_rewrite(const json_t *conversation, const char *question)
{
    const char *earlier[DEN_QUESTIONS_BACK];
    size_t count = den_query_last(conversation, earlier), i = 0;
    char *whole;

    if (count == 0 || !den_query_leans(question))
        return strdup(question);
    while (i + 1 < count && den_query_leans(earlier[i]))
        i++;
    whole = strdup(earlier[i]);
    while (whole && i-- > 0) {
        char *next = complete(whole, earlier[i]);

        free(whole);
        whole = next;
    }
    if (whole) {
        char *next = complete(whole, question);

        free(whole);
        whole = next;
    }
    return whole;
}
