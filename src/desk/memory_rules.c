/* See memory_rules.h. A sentence is taken for a fact when it begins as facts about oneself do ("I
 * am", "I live", "My daughter"), and what follows is not what people say about the moment ("I am
 * trying", "I have a question", "my code"). */
#include "desk/memory_rules.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/utf8.h"
#include "desk/sentences.h"
#include "desk/support.h"

enum {
    SENTENCES_LOOKED_AT = 40, /* of a message: who writes more pastes something */
    SENTENCE_BYTES_MIN = 6,
    SENTENCE_BYTES_MAX = 300,
    WORDS_MAX = 12, /* looked at in a sentence, from its beginning */
    WORD_BYTES = 24,
    SECRET_DIGITS = 9, /* in a row: a date has eight */
    KEY_BYTES = 20     /* of letters and digits mixed */
};

static const double SAME_COSINE = 0.88;

struct words {
    char items[WORDS_MAX][WORD_BYTES]; /* lower case; "i'm" is "i", "am" */
    size_t count;
};

/* --- words --- */

static bool is_listed(const char *const *list, size_t count, const char *word)
{
    size_t i;

    for (i = 0; i < count; i++)
        if (strcmp(list[i], word) == 0)
            return true;
    return false;
}

#define LISTED(list, word) is_listed(list, sizeof(list) / sizeof(list)[0], word)

static void add_word(struct words *words, const char *text, size_t length)
{
    char *word;
    size_t i;

    if (words->count == WORDS_MAX || length == 0)
        return;
    word = words->items[words->count++];
    for (i = 0; i < length && i < WORD_BYTES - 1; i++)
        word[i] = (char)tolower((unsigned char)text[i]);
    word[i] = '\0';
}

/* Bytes of an apostrophe at `at`, straight or curly. */
static size_t apostrophe(const char *text, size_t length, size_t at)
{
    if (text[at] == '\'')
        return 1;
    return at + 3 <= length && memcmp(text + at, "\xE2\x80\x99", 3) == 0 ? 3 : 0;
}

static void split(const char *text, size_t length, struct words *out)
{
    size_t at = 0, start, step;

    out->count = 0;
    while (at < length && out->count < WORDS_MAX) {
        for (start = at; at < length && isalnum((unsigned char)text[at]); at++)
            ;
        add_word(out, text + start, at - start);
        if (at == length)
            break;
        step = at > start ? apostrophe(text, length, at) : 0;
        if (step > 0 && at + step < length) {
            const char next = text[at + step];

            if (next == 'm')
                add_word(out, "am", 2);
            else if (next == 'v')
                add_word(out, "have", 4);
            else if (next == 's')
                add_word(out, "is", 2);
            else if (next == 't')
                add_word(out, "not", 3);
            else
                add_word(out, "would", 5);
            for (at += step; at < length && isalnum((unsigned char)text[at]); at++)
                ;
        } else {
            at++;
        }
    }
}

/* --- English --- */

static const char *const openings[] = {
    "also", "and", "btw", "but", "fyi", "hello", "hey", "hi", "oh", "ok", "okay", "so", "well",
};
static const char *const said_of_oneself[] = {
    "always", "am",    "dislike", "drive", "enjoy", "grew", "hate",   "have",    "like",
    "live",   "love",  "moved",   "never", "own",   "play", "prefer", "retired", "run",
    "speak",  "study", "suffer",  "teach", "use",   "was",  "wear",   "work",
};
/* After "I am": of the moment. */
static const char *const of_the_moment[] = {
    "about",  "afraid", "aware", "back",    "confused", "curious", "done",  "fine",  "glad",
    "going",  "good",   "here",  "late",    "lost",     "not",     "ok",    "okay",  "ready",
    "so",     "sorry",  "stuck", "sure",    "thinking", "tired",   "too",   "very",  "well",
    "hungry", "unsure", "happy", "certain", "unable",   "able",    "using", "happy", "interested",
};
static const char *const lasting_doings[] = { "learning", "living", "studying", "training",
                                              "working" };
/* After "I have". */
static const char *const not_had[] = {
    "done", "found",   "gone",  "had",  "heard",   "lost",    "made",    "no",      "read",
    "seen", "taken",   "the",   "this", "thought", "to",      "tried",   "written", "not",
    "just", "already", "never", "one",  "some",    "another", "started",
};
static const char *const not_lasting_things[] = {
    "question", "questions", "problem", "problems", "idea",  "issue", "doubt", "feeling",
    "look",     "meeting",   "chance",  "minute",   "error", "few",   "file",  "bug",
};
static const char *const not_mine[] = {
    "answer",  "attempt", "bad",      "code",      "computer", "document", "error", "file",
    "goal",    "guess",   "idea",     "issue",     "list",     "message",  "point", "problem",
    "program", "project", "question", "questions", "script",   "screen",   "text",  "understanding",
    "aim",     "task",    "first",    "next",      "last",     "current",
};
static const char *const verbs_of_mine[] = {
    "is",   "are",   "was",    "has",   "have", "lives",
    "live", "works", "called", "named", "goes", "studies",
};

static bool has_thing(const struct words *words, size_t from, size_t until)
{
    size_t i;

    for (i = from; i < words->count && i < until; i++)
        if (LISTED(not_lasting_things, words->items[i]))
            return true;
    return false;
}

static bool ends_with(const char *word, const char *end)
{
    const size_t length = strlen(word), tail = strlen(end);

    return length > tail + 1 && strcmp(word + length - tail, end) == 0;
}

/* Behind "I am", at word `at`. */
static bool is_being(const struct words *words, size_t at)
{
    const char *word = at < words->count ? words->items[at] : "";

    if (strcmp(word, "not") == 0 && at + 1 < words->count) /* "not a drinker", not "not sure" */
        return strcmp(words->items[at + 1], "a") == 0 || strcmp(words->items[at + 1], "an") == 0;
    if (ends_with(word, "ing"))
        return LISTED(lasting_doings, word);
    return *word && !LISTED(of_the_moment, word);
}

/* Behind "I have". */
static bool is_having(const struct words *words, size_t at)
{
    const char *word = at < words->count ? words->items[at] : "";

    if (strcmp(word, "been") == 0)
        return at + 1 < words->count && !ends_with(words->items[at + 1], "ing");
    return *word && !LISTED(not_had, word) && !ends_with(word, "ed") &&
           !has_thing(words, at, at + 4);
}

/* Behind "I". */
static bool is_of_oneself(const struct words *words, size_t at)
{
    const char *verb = at < words->count ? words->items[at] : "";
    const char *next = at + 1 < words->count ? words->items[at + 1] : "";

    if (strcmp(verb, "am") == 0)
        return is_being(words, at + 1);
    if (strcmp(verb, "have") == 0)
        return is_having(words, at + 1);
    if (strcmp(verb, "was") == 0)
        return strcmp(next, "born") == 0 || strcmp(next, "raised") == 0;
    if (strcmp(verb, "come") == 0)
        return strcmp(next, "from") == 0;
    if (strcmp(verb, "take") == 0) /* medicine, mostly */
        return words->count > at + 2 && strcmp(next, "a") != 0 && strcmp(next, "it") != 0;
    if (strcmp(verb, "do") == 0 || strcmp(verb, "don") == 0 || strcmp(verb, "can") == 0 ||
        strcmp(verb, "cannot") == 0) {
        const size_t behind = strcmp(next, "not") == 0 ? at + 2 : at + 1;
        static const char *const doings[] = { "eat",  "drink", "smoke", "drive", "speak", "like",
                                              "work", "swim",  "see",   "hear",  "walk" };

        return behind < words->count && LISTED(doings, words->items[behind]) &&
               (behind > at + 1 || strcmp(verb, "cannot") == 0 || strcmp(verb, "can") == 0);
    }
    if (strcmp(next, "it") == 0 || strcmp(next, "this") == 0 || strcmp(next, "that") == 0)
        return false;
    return LISTED(said_of_oneself, verb) && words->count > at + 1;
}

/* Behind "my". */
static bool is_of_mine(const struct words *words, size_t at)
{
    size_t i;

    if (at >= words->count || LISTED(not_mine, words->items[at]))
        return false;
    for (i = at + 1; i < words->count && i < at + 5; i++)
        if (LISTED(verbs_of_mine, words->items[i]))
            return i + 1 < words->count;
    return false;
}

static bool is_english_fact(const char *text, size_t length)
{
    struct words words;
    size_t at = 0;
    const char *word;

    split(text, length, &words);
    while (at < words.count && LISTED(openings, words.items[at]))
        at++;
    word = at < words.count ? words.items[at] : "";
    if (strcmp(word, "please") == 0 && at + 1 < words.count)
        word = words.items[++at];
    if (strcmp(word, "remember") == 0 || strcmp(word, "note") == 0)
        return at + 1 < words.count && strcmp(words.items[at + 1], "that") == 0;
    if (strcmp(word, "as") == 0 && at + 1 < words.count && strcmp(words.items[at + 1], "i") == 0)
        return false;
    if (strcmp(word, "i") == 0)
        return is_of_oneself(&words, at + 1);
    if (strcmp(word, "my") == 0)
        return is_of_mine(&words, at + 1);
    return strcmp(word, "call") == 0 && at + 2 < words.count &&
           strcmp(words.items[at + 1], "me") == 0 && strcmp(words.items[at + 2], "when") != 0;
}

/* --- Chinese --- */

static bool holds_any(const char *text, size_t length, const char *const *list, size_t count)
{
    size_t i;

    for (i = 0; i < count; i++)
        if (memmem(text, length, list[i], strlen(list[i])))
            return true;
    return false;
}

#define HOLDS(text, length, list) holds_any(text, length, list, sizeof(list) / sizeof(list)[0])

static bool is_chinese_fact(const char *text, size_t length)
{
    static const char *const facts[] = {
        "\xE6\x88\x91\xE6\x98\xAF",                         /* I am */
        "\xE6\x88\x91\xE5\x8F\xAB",                         /* I am called */
        "\xE6\x88\x91\xE4\xBD\x8F",                         /* I live */
        "\xE6\x88\x91\xE6\x9C\x89",                         /* I have */
        "\xE6\x88\x91\xE5\x96\x9C\xE6\xAC\xA2",             /* I like */
        "\xE6\x88\x91\xE4\xB8\x8D\xE5\x96\x9C\xE6\xAC\xA2", /* I don't like */
        "\xE6\x88\x91\xE4\xB8\x8D\xE5\x90\x83",             /* I don't eat */
        "\xE6\x88\x91\xE4\xB8\x8D\xE5\x96\x9D",             /* I don't drink */
        "\xE6\x88\x91\xE5\xAF\xB9",                         /* I am (allergic) to */
        "\xE6\x88\x91\xE6\x9D\xA5\xE8\x87\xAA",             /* I come from */
        "\xE6\x88\x91\xE5\x87\xBA\xE7\x94\x9F",             /* I was born */
        "\xE6\x88\x91\xE4\xBB\x8A\xE5\xB9\xB4",             /* this year I (am ... old) */
        "\xE6\x88\x91\xE4\xBB\x8E\xE4\xB8\x8D",             /* I never */
        "\xE6\x88\x91\xE5\x9C\xA8",                         /* I (work, live) in */
        "\xE6\x88\x91\xE7\x9A\x84",                         /* my */
        "\xE8\xAF\xB7\xE8\xAE\xB0\xE4\xBD\x8F",             /* please remember */
    };
    static const char *const of_now[] = {
        "\xE6\x88\x91\xE6\x98\xAF\xE8\xAF\xB4",             /* I mean */
        "\xE6\x88\x91\xE6\x98\xAF\xE4\xB8\x8D\xE6\x98\xAF", /* am I */
        "\xE6\x88\x91\xE6\x9C\x89\xE6\xB2\xA1\xE6\x9C\x89", /* have I */
        "\xE9\x97\xAE\xE9\xA2\x98",                         /* question, problem */
        "\xE6\x88\x91\xE5\x9C\xA8\xE6\x83\xB3",             /* I am thinking */
        "\xE5\x90\x97",                                     /* ends a question */
        "\xE4\xBB\x80\xE4\xB9\x88",                         /* what */
        "\xE6\x80\x8E\xE4\xB9\x88",                         /* how */
        "\xE5\xA6\x82\xE4\xBD\x95",                         /* how */
        "\xE4\xBB\xA3\xE7\xA0\x81",                         /* code */
    };

    return HOLDS(text, length, facts) && !HOLDS(text, length, of_now);
}

/* --- */

static bool has_chinese(const char *text, size_t length)
{
    uint32_t code;
    size_t at = 0;

    for (; at < length; at += den_utf8_decode(text + at, length - at, &code)) {
        den_utf8_decode(text + at, length - at, &code);
        if (code >= 0x3400 && code <= 0x9fff)
            return true;
    }
    return false;
}

static bool is_question(const char *text, size_t length)
{
    return text[length - 1] == '?' || text[length - 1] == ':' ||
           (length >= 3 && memcmp(text + length - 3, "\xEF\xBC\x9F", 3) == 0);
}

static bool is_fact(const char *text, size_t length, bool is_chinese)
{
    char copy[SENTENCE_BYTES_MAX + 1];

    if (length < SENTENCE_BYTES_MIN || length > SENTENCE_BYTES_MAX || is_question(text, length))
        return false;
    snprintf(copy, sizeof copy, "%.*s", (int)length, text);
    if (den_memory_is_secret(copy))
        return false;
    return is_chinese ? is_chinese_fact(text, length) : is_english_fact(text, length);
}

size_t den_memory_sentences(const char *message, struct den_memory_span *out, size_t capacity)
{
    struct den_sentence sentences[SENTENCES_LOOKED_AT];
    const size_t count =
        den_sentences_split(message, strlen(message), sentences, SENTENCES_LOOKED_AT);
    size_t i, found = 0;

    for (i = 0; i < count && found < capacity; i++) {
        const struct den_sentence *sentence = &sentences[i];
        const size_t length = sentence->end - sentence->start;
        const char *text = message + sentence->start;
        bool is_chinese;

        if (sentence->is_code || length == 0)
            continue;
        is_chinese = has_chinese(text, length);
        if (is_fact(text, length, is_chinese))
            out[found++] = (struct den_memory_span){ sentence->start, length, is_chinese };
    }
    return found;
}

/* --- secrets --- */

/* Digits in a row, with single blanks, dashes and points between them. */
static bool has_long_number(const char *text)
{
    size_t digits = 0;

    for (; *text; text++) {
        if (isdigit((unsigned char)*text)) {
            if (++digits >= SECRET_DIGITS)
                return true;
        } else if (!(digits > 0 && strchr(" -./", *text) && isdigit((unsigned char)text[1]))) {
            digits = 0;
        }
    }
    return false;
}

/* "sk-4fQx81...", "GB29NWBK6016...": letters and digits mixed, without a blank. */
static bool has_key(const char *text)
{
    while (*text) {
        size_t length = 0, digits = 0, letters = 0;

        while (text[length] && !isspace((unsigned char)text[length])) {
            digits += isdigit((unsigned char)text[length]) != 0;
            letters += isalpha((unsigned char)text[length]) != 0;
            length++;
        }
        if (length >= KEY_BYTES && digits >= 3 && letters >= 1)
            return true;
        text += length ? length : 1;
    }
    return false;
}

bool den_memory_is_secret(const char *text)
{
    static const char *const names[] = {
        "password",
        "passwort",
        "passphrase",
        "passcode",
        "passwd",
        "api key",
        "apikey",
        "secret key",
        "private key",
        "access key",
        "token",
        "cvv",
        "cvc",
        "iban",
        "social security",
        "credit card",
        "debit card",
        "card number",
        "account number",
        "sort code",
        "routing number",
        "seed phrase",
        "login is",
        "\xE5\xAF\x86\xE7\xA0\x81",             /* password */
        "\xE5\x8F\xA3\xE4\xBB\xA4",             /* pass phrase */
        "\xE5\x8D\xA1\xE5\x8F\xB7",             /* number of a card */
        "\xE8\xB4\xA6\xE5\x8F\xB7",             /* account */
        "\xE8\xBA\xAB\xE4\xBB\xBD\xE8\xAF\x81", /* identity card */
    };
    struct words words;
    size_t i;

    for (i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strcasestr(text, names[i]))
            return true;
    split(text, strlen(text), &words);
    for (i = 0; i < words.count; i++)
        if (strcmp(words.items[i], "pin") == 0 || strcmp(words.items[i], "ssn") == 0 ||
            strcmp(words.items[i], "otp") == 0)
            return true;
    return has_long_number(text) || has_key(text);
}

/* --- comparing --- */

/* Words that facts about a user have because of their form. */
static const char form[] = " user user's users they their them themselves called said";

static void read_terms(const char *text, struct den_terms *out)
{
    char all[2048];

    snprintf(all, sizeof all, "%s%s", text, form);
    den_terms_read(all, strlen(all), out);
}

/* Numbers and names of `left` stand in `right`. */
static bool holds_facts(const struct den_terms *left, const struct den_terms *right)
{
    size_t i, k;

    for (i = 0; i < left->number_count; i++) {
        for (k = 0; k < right->number_count && right->numbers[k] != left->numbers[i]; k++)
            ;
        if (k == right->number_count)
            return false;
    }
    for (i = 0; i < left->name_count; i++) {
        for (k = 0; k < right->word_count && right->words[k] != left->names[i]; k++)
            ;
        if (k == right->word_count)
            return false;
    }
    return left->is_negated == right->is_negated;
}

bool den_memory_is_same(const char *left, const char *right, double cosine)
{
    struct den_terms a, b;

    read_terms(left, &a);
    read_terms(right, &b);
    if (!holds_facts(&a, &b) || !holds_facts(&b, &a))
        return false;
    return cosine >= SAME_COSINE ||
           (den_support_words(&a, &b, NULL) > 0.99 && den_support_words(&b, &a, NULL) > 0.99);
}

bool den_memory_is_faithful(const char *worded, const char *sentence)
{
    struct den_terms said, made;

    read_terms(sentence, &said);
    read_terms(worded, &made);
    return holds_facts(&said, &made) && holds_facts(&made, &said) &&
           den_support_words(&made, &said, NULL) > 0.99 &&
           den_support_words(&said, &made, NULL) > 0.6;
}
