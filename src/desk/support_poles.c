/* See support_poles.h. */
#include "desk/support_poles.h"

#include <stdbool.h>
#include <string.h>

struct pole {
    const char *word;
    int8_t group;
};

static const struct pole english[] = {
    { "rose", 1 },        { "rise", 1 },        { "risen", 1 },       { "increase", 1 },
    { "grew", 1 },        { "grow", 1 },        { "grown", 1 },       { "climb", 1 },
    { "raise", 1 },       { "fell", -1 },       { "fall", -1 },       { "fallen", -1 },
    { "decrease", -1 },   { "shrank", -1 },     { "drop", -1 },       { "decline", -1 },
    { "sank", -1 },       { "lower", -1 },      { "allow", 2 },       { "permit", 2 },
    { "legal", 2 },       { "forbid", -2 },     { "forbidden", -2 },  { "prohibit", -2 },
    { "ban", -2 },        { "illegal", -2 },    { "accept", 3 },      { "approve", 3 },
    { "agree", 3 },       { "grant", 3 },       { "reject", -3 },     { "refuse", -3 },
    { "disagree", -3 },   { "open", 4 },        { "close", -4 },      { "shut", -4 },
    { "include", 5 },     { "exclude", -5 },    { "begin", 6 },       { "began", 6 },
    { "start", 6 },       { "end", -6 },        { "stop", -6 },       { "finish", -6 },
    { "buy", 7 },         { "bought", 7 },      { "purchase", 7 },    { "sell", -7 },
    { "sold", -7 },       { "win", 8 },         { "won", 8 },         { "lose", -8 },
    { "lost", -8 },       { "early", 9 },       { "earlier", 9 },     { "late", -9 },
    { "later", -9 },      { "safe", 10 },       { "dangerous", -10 }, { "unsafe", -10 },
    { "better", 11 },     { "best", 11 },       { "worse", -11 },     { "worst", -11 },
    { "above", 12 },      { "below", -12 },     { "high", 13 },       { "higher", 13 },
    { "low", -13 },       { "large", 14 },      { "big", 14 },        { "small", -14 },
    { "hot", 15 },        { "warm", 15 },       { "cold", -15 },      { "cool", -15 },
    { "morning", 16 },    { "evening", -16 },   { "arrive", 17 },     { "arrival", 17 },
    { "depart", -17 },    { "departure", -17 }, { "pass", 18 },       { "fail", -18 },
    { "maximum", 19 },    { "minimum", -19 },   { "landlord", 20 },   { "tenant", -20 },
    { "buyer", 21 },      { "seller", -21 },    { "employer", 22 },   { "employee", -22 },
    { "north", 23 },      { "northern", 23 },   { "south", -23 },     { "southern", -23 },
    { "east", 24 },       { "eastern", 24 },    { "west", -24 },      { "western", -24 },
    { "left", 25 },       { "right", -25 },     { "more", 26 },       { "less", -26 },
    { "fewer", -26 },     { "enable", 27 },     { "disable", -27 },   { "public", 28 },
    { "private", -28 },   { "true", 29 },       { "correct", 29 },    { "false", -29 },
    { "incorrect", -29 }, { "wrong", -29 },     { "mandatory", 30 },  { "compulsory", 30 },
    { "optional", -30 },  { "voluntary", -30 }, { "cheap", 31 },      { "expensive", -31 },
    { "profit", 32 },     { "gain", 32 },       { "loss", -32 },      { "longer", 33 },
    { "shorter", -33 },   { "older", 34 },      { "younger", -34 },
};
/* The same groups, and others, in Chinese: two characters each. */
static const struct pole chinese[] = {
    { "\xE5\xA2\x9E\xE9\x95\xBF", 1 } /* rose */,
    { "\xE5\xA2\x9E\xE5\x8A\xA0", 1 } /* rose */,
    { "\xE4\xB8\x8A\xE5\x8D\x87", 1 } /* rose */,
    { "\xE6\x8F\x90\xE9\xAB\x98", 1 } /* rose */,
    { "\xE4\xB8\x8B\xE9\x99\x8D", -1 } /* fell */,
    { "\xE5\x87\x8F\xE5\xB0\x91", -1 } /* fell */,
    { "\xE4\xB8\x8B\xE8\xB7\x8C", -1 } /* fell */,
    { "\xE9\x99\x8D\xE4\xBD\x8E", -1 } /* fell */,
    { "\xE5\x85\x81\xE8\xAE\xB8", 2 } /* allow */,
    { "\xE5\x8F\xAF\xE4\xBB\xA5", 2 } /* allow */,
    { "\xE7\xA6\x81\xE6\xAD\xA2", -2 } /* forbid */,
    { "\xE5\x90\x8C\xE6\x84\x8F", 3 } /* accept */,
    { "\xE6\x89\xB9\xE5\x87\x86", 3 } /* accept */,
    { "\xE6\x8E\xA5\xE5\x8F\x97", 3 } /* accept */,
    { "\xE6\x8B\x92\xE7\xBB\x9D", -3 } /* reject */,
    { "\xE5\xBC\x80\xE6\x94\xBE", 4 } /* open */,
    { "\xE6\x89\x93\xE5\xBC\x80", 4 } /* open */,
    { "\xE5\x85\xB3\xE9\x97\xAD", -4 } /* close */,
    { "\xE5\x8C\x85\xE6\x8B\xAC", 5 } /* include */,
    { "\xE5\x8C\x85\xE5\x90\xAB", 5 } /* include */,
    { "\xE5\xBC\x80\xE5\xA7\x8B", 6 } /* begin */,
    { "\xE7\xBB\x93\xE6\x9D\x9F", -6 } /* end */,
    { "\xE5\x81\x9C\xE6\xAD\xA2", -6 } /* end */,
    { "\xE8\xB4\xAD\xE4\xB9\xB0", 7 } /* buy */,
    { "\xE4\xB9\xB0\xE5\x85\xA5", 7 } /* buy */,
    { "\xE5\x87\xBA\xE5\x94\xAE", -7 } /* sell */,
    { "\xE5\x8D\x96\xE5\x87\xBA", -7 } /* sell */,
    { "\xE8\xB5\xA2\xE5\xBE\x97", 8 } /* win */,
    { "\xE8\xBE\x93\xE6\x8E\x89", -8 } /* lose */,
    { "\xE6\x8F\x90\xE5\x89\x8D", 9 } /* early */,
    { "\xE6\x8E\xA8\xE8\xBF\x9F", -9 } /* late */,
    { "\xE5\xAE\x89\xE5\x85\xA8", 10 } /* safe */,
    { "\xE5\x8D\xB1\xE9\x99\xA9", -10 } /* dangerous */,
    { "\xE9\xAB\x98\xE4\xBA\x8E", 12 } /* above */,
    { "\xE5\xA4\xA7\xE4\xBA\x8E", 12 } /* above */,
    { "\xE4\xBD\x8E\xE4\xBA\x8E", -12 } /* below */,
    { "\xE5\xB0\x8F\xE4\xBA\x8E", -12 } /* below */,
    { "\xE6\x97\xA9\xE4\xB8\x8A", 16 } /* morning */,
    { "\xE4\xB8\x8A\xE5\x8D\x88", 16 } /* morning */,
    { "\xE6\x99\x9A\xE4\xB8\x8A", -16 } /* evening */,
    { "\xE4\xB8\x8B\xE5\x8D\x88", -16 } /* evening */,
    { "\xE5\x88\xB0\xE8\xBE\xBE", 17 } /* arrive */,
    { "\xE5\x87\xBA\xE5\x8F\x91", -17 } /* depart */,
    { "\xE9\x80\x9A\xE8\xBF\x87", 18 } /* pass */,
    { "\xE6\x9C\x80\xE9\xAB\x98", 19 } /* maximum */,
    { "\xE6\x9C\x80\xE5\xA4\xA7", 19 } /* maximum */,
    { "\xE6\x9C\x80\xE4\xBD\x8E", -19 } /* minimum */,
    { "\xE6\x9C\x80\xE5\xB0\x8F", -19 } /* minimum */,
    { "\xE6\x88\xBF\xE4\xB8\x9C", 20 } /* landlord */,
    { "\xE7\xA7\x9F\xE5\xAE\xA2", -20 } /* tenant */,
    { "\xE4\xB9\xB0\xE6\x96\xB9", 21 } /* buyer */,
    { "\xE5\x8D\x96\xE6\x96\xB9", -21 } /* seller */,
    { "\xE5\x8C\x97\xE9\x83\xA8", 23 } /* north */,
    { "\xE5\x8D\x97\xE9\x83\xA8", -23 } /* south */,
    { "\xE4\xB8\x9C\xE9\x83\xA8", 24 } /* east */,
    { "\xE8\xA5\xBF\xE9\x83\xA8", -24 } /* west */,
    { "\xE5\xB7\xA6\xE4\xBE\xA7", 25 } /* left */,
    { "\xE5\x8F\xB3\xE4\xBE\xA7", -25 } /* right */,
    { "\xE5\x90\xAF\xE7\x94\xA8", 27 } /* enable */,
    { "\xE7\xA6\x81\xE7\x94\xA8", -27 } /* disable */,
    { "\xE6\xAD\xA3\xE7\xA1\xAE", 29 } /* true */,
    { "\xE9\x94\x99\xE8\xAF\xAF", -29 } /* false */,
    { "\xE4\xBE\xBF\xE5\xAE\x9C", 31 } /* cheap */,
    { "\xE6\x98\x82\xE8\xB4\xB5", -31 } /* expensive */,
    { "\xE7\x9B\x88\xE5\x88\xA9", 32 } /* profit */,
    { "\xE4\xBA\x8F\xE6\x8D\x9F", -32 } /* loss */,
};

/* "banned" of "ban", "closing" of "close", "opens" of "open". */
static bool is_form(const char *word, const char *base)
{
    static const char *const ends[] = { "", "s", "d", "ed", "es", "ing", "ly" };
    const size_t length = strlen(base);
    const char *rest = word + length;
    size_t i;

    if (*word != *base || strlen(word) + 1 < length)
        return false;
    if (base[length - 1] == 'e' && strncmp(word, base, length - 1) == 0 &&
        strcmp(word + length - 1, "ing") == 0)
        return true;
    if (strncmp(word, base, length) != 0)
        return false;
    if (*rest == base[length - 1] && (strcmp(rest + 1, "ed") == 0 || strcmp(rest + 1, "ing") == 0))
        return true;
    for (i = 0; i < sizeof ends / sizeof ends[0]; i++)
        if (strcmp(rest, ends[i]) == 0)
            return true;
    return false;
}

int8_t den_support_pole(const char *word)
{
    size_t i;

    for (i = 0; *word && i < sizeof english / sizeof english[0]; i++)
        if (is_form(word, english[i].word))
            return english[i].group;
    return 0;
}

int8_t den_support_pole_chinese(const char *pair)
{
    size_t i;

    for (i = 0; i < sizeof chinese / sizeof chinese[0]; i++)
        if (memcmp(pair, chinese[i].word, 6) == 0)
            return chinese[i].group;
    return 0;
}
