/* Constraints with a small vocabulary: masks against a byte-by-byte trial of every token, triggers,
 * ends, control tokens, and restarts of the cache. Wide places, where masks are put together from
 * runs, have a vocabulary of their own that is large enough for branches to be taken whole. */
#include "grammar_try.h"

#include <stdlib.h>

static const char *const words[] = {
    "{\"",    "\":",     "\"",   "}",    "a",        "b",   "abc", "\"}", "\",\"", " ", "1",   "12",
    "true",   "\xe6",    "\xbc", "\xa2", "\xe6\xbc", "\\",  "n",   "u00", "e9",    "[", "]",   ",",
    "<tool>", "<tool>{", "<to",  "ol>",  "ol>x",     "abc", "{",   "\n",  "   ",   ":", "call"
};
enum { WORDS = sizeof words / sizeof words[0], CONTROL = WORDS, ENDING = WORDS + 1, SIZE };

static void get(const void *context, den_token token, struct den_token_text *out_text,
                enum den_token_role *out_role)
{
    if (token < WORDS) {
        *out_text = (struct den_token_text){ words[token], strlen(words[token]) };
    } else if (token == CONTROL) {
        *out_text = (struct den_token_text){ "<tool>", 6 };
        *out_role = DEN_ROLE_CONTROL;
    } else {
        *out_role = DEN_ROLE_END;
    }
}

static struct den_grammar_vocabulary *vocabulary_of(void)
{
    const struct den_token_list list = { .count = SIZE, .get = get };
    struct den_grammar_vocabulary *vocabulary = NULL;
    struct den_error err = { 0 };

    assert_int_equal(den_grammar_vocabulary_create_core(&list, &vocabulary, &err), DEN_OK);
    return vocabulary;
}

static struct den_constraint *constraint_of(const struct den_grammar *grammar,
                                            const struct den_grammar_vocabulary *vocabulary,
                                            const char *trigger, bool once)
{
    struct den_constraint_options options = { .grammar = grammar,
                                              .vocabulary = vocabulary,
                                              .triggers = &trigger,
                                              .trigger_count = trigger != NULL,
                                              .once = once };
    struct den_constraint *constraint = NULL;
    struct den_error err = { 0 };

    assert_int_equal(den_constraint_create(&options, &constraint, &err), DEN_OK);
    return constraint;
}

static den_token token_of(const char *word)
{
    den_token token;

    for (token = 0; token < WORDS; token++)
        if (strcmp(words[token], word) == 0)
            return token;
    fail_msg("no token '%s'", word);
    return 0;
}

static void accept(struct den_constraint *constraint, den_token token)
{
    struct den_error err = { 0 };

    if (den_constraint_accept(constraint, token, &err) != DEN_OK)
        fail_msg("%s", err.message);
}

static bool allows(struct den_constraint *constraint, const char *word)
{
    const uint32_t *mask = den_constraint_mask(constraint);

    return !mask || den_mask_has(mask, token_of(word));
}

/* Walks at random; every mask must be what trying each token by itself says. */
static void masks_agree_with_trials(void **state)
{
    static const char *const sources[] = {
        "{\"type\": \"object\"}",
        "{\"type\": \"string\", \"maxLength\": 4}",
        "{\"properties\": {\"a\": {\"maxLength\": 2, \"minLength\": 1, \"type\": \"string\"}, "
        "\"abc\": "
        "{\"items\": {\"enum\": [1, 12, true, \"a\"]}}}}",
        "{\"anyOf\": [{\"type\": \"string\", \"maxLength\": 2}, {\"pattern\": \"^(abc)+$\"}]}",
        "root ::= \"abc\" [^a] root | \"<tool>\" | [a-z]{2,9} \"\\n\"",
    };
    struct den_grammar_vocabulary *vocabulary = vocabulary_of();
    struct den_error err;
    unsigned dice = 1, walk, i;
    size_t s;

    for (s = 0; s < sizeof sources / sizeof sources[0]; s++) {
        struct den_grammar *grammar = grammar_of(sources[s], &err);

        assert_non_null(grammar);
        for (walk = 0; walk < 40; walk++) {
            struct den_constraint *constraint = constraint_of(grammar, vocabulary, NULL, false);

            for (i = 0; i < 30; i++) {
                const uint32_t *mask = den_constraint_mask(constraint);
                den_token allowed[SIZE], token;
                size_t count = 0;

                for (token = 0; token < SIZE; token++)
                    if (den_mask_has(mask, token))
                        allowed[count++] = token;
                assert_true(count > 0);
                for (token = 0; token < SIZE; token++) {
                    if (den_mask_has(mask, token))
                        continue;
                    assert_int_equal(den_constraint_accept(constraint, token, &err), DEN_INVALID);
                    err = (struct den_error){ 0 };
                }
                dice = dice * 1103515245u + 12345;
                token = allowed[(dice >> 16) % count];
                accept(constraint, token);
                if (token == ENDING)
                    break;
            }
            den_constraint_destroy(constraint);
        }
        den_grammar_destroy(grammar);
    }
    den_grammar_vocabulary_destroy(vocabulary);
}

/* Tokens of one to thirty pieces, at random. */
enum { PIECES_MAX = 30, MANY = 6000 };

struct many {
    char bytes[MANY][PIECES_MAX * 4];
    size_t lengths[MANY];
};

static void get_many(const void *context, den_token token, struct den_token_text *out_text,
                     enum den_token_role *out_role)
{
    const struct many *many = context;

    *out_role = token == 0 ? DEN_ROLE_END : DEN_ROLE_TEXT;
    *out_text = (struct den_token_text){ many->bytes[token], many->lengths[token] };
}

static unsigned roll(unsigned *dice, unsigned sides)
{
    *dice = *dice * 1103515245u + 12345;
    return (*dice >> 16) % sides;
}

static struct den_grammar_vocabulary *make_many(struct many *many)
{
    static const char *const pieces[] = {
        "a", "b",  "c",  "d",  "e",      "f",      "g", "n",    "o",        "x",  "z", "A", "Z",
        "0", "7",  " ",  "-",  ".",      "@",      "_", "/",    "\xc2\x85", "é",  "ß", "д", "ع",
        "अ", "日", "本", "한", "\u2028", "\ufeff", "😀", "\xe6", "\"",       "\\", "n", "\n"
    };
    const struct den_token_list list = { .count = MANY, .get = get_many, .context = many };
    struct den_grammar_vocabulary *vocabulary = NULL;
    struct den_error err = { 0 };
    unsigned dice = 3, count, i;
    den_token token;

    for (token = 0; token < MANY; token++) {
        /* most are of letters, some long, some of anything */
        unsigned sides = roll(&dice, 3) ? 13 : sizeof pieces / sizeof pieces[0];

        count = roll(&dice, 8) ? 1 + roll(&dice, 6) : 1 + roll(&dice, PIECES_MAX);
        many->lengths[token] = 0;
        for (i = 0; i < count; i++) {
            const char *piece = pieces[roll(&dice, sides)];

            memcpy(many->bytes[token] + many->lengths[token], piece, strlen(piece));
            many->lengths[token] += strlen(piece);
        }
    }
    assert_int_equal(den_grammar_vocabulary_create_core(&list, &vocabulary, &err), DEN_OK);
    return vocabulary;
}

/* Compares a mask with a trial of each token from `set`; returns one that is allowed, at random. */
static den_token check_mask(const char *source, const uint32_t *mask,
                            const struct den_grammar_vocabulary *vocabulary, struct den_sets *sets,
                            uint32_t set, unsigned *dice)
{
    den_token token, chosen = 0;
    unsigned count = 0;

    for (token = 1; token < MANY; token++) {
        bool fits = den_sets_accept(sets, set, vocabulary->texts[token], false) != DEN_SET_NONE;

        if (fits != den_mask_has(mask, token))
            fail_msg("%s: token '%.*s'", source, (int)vocabulary->texts[token].length,
                     vocabulary->texts[token].bytes);
        if (fits && roll(dice, ++count) == 0)
            chosen = token;
    }
    assert_int_equal(den_mask_has(mask, 0), sets->sets[set].ends || count == 0);
    return chosen;
}

static void wide_masks_agree_with_trials(void **state)
{
    static const char *const sources[] = {
        "{\"pattern\": \"^[^/]+$\"}",
        "{\"pattern\": \"^.{2,19}$\"}",
        "{\"pattern\": \"^\\\\S+@\\\\S+[a-z]$\", \"maxLength\": 40}",
        "{\"pattern\": \"^[a-zA-Z0]+(-[a-zA-Z0]+)*$\"}",
        "{\"pattern\": \"\\\\Dx\\\\W\"}",
        "{\"pattern\": \"^[\\u00e9-\\u65e5]{1,9}$|^(日本|a)*$\"}",
        "{\"format\": \"email\"}",
        "{\"format\": \"hostname\"}",
        "{\"type\": \"object\", \"properties\": {\"abc\": {\"type\": \"null\"}, \"été\": true, "
        "\"an\": "
        "true}, \"additionalProperties\": {\"maxLength\": 5, \"type\": \"string\"}}",
        "{\"type\": \"object\", \"propertyNames\": {\"maxLength\": 11}}",
        "{\"anyOf\": [{\"type\": \"string\", \"maxLength\": 3}, {\"pattern\": \"^[a-z@]+$\"}]}",
        "root ::= ([a-z]{1,20} | [^a-c]+ \"/\") \"\\n\"",
        "root ::= [^\\x00-\\x1F]{3,} | (\"é\" | [a-zA-Z .@_0-])* \"n\"",
    };
    struct many *many = malloc(sizeof *many);
    struct den_grammar_vocabulary *vocabulary = make_many(many);
    struct den_error err = { 0 };
    unsigned dice = 9, i, walk;
    size_t s;

    for (s = 0; s < sizeof sources / sizeof sources[0]; s++) {
        struct den_grammar *grammar = grammar_of(sources[s], &err);
        struct den_sets sets;

        if (!grammar)
            fail_msg("%s: %s", sources[s], err.message);
        assert_int_equal(den_sets_init(&sets, grammar, &err), DEN_OK);
        for (walk = 0; walk < 4; walk++) {
            struct den_constraint *constraint = constraint_of(grammar, vocabulary, NULL, false);
            uint32_t set = den_sets_start(&sets);

            for (i = 0; i < 12; i++) {
                den_token token = check_mask(sources[s], den_constraint_mask(constraint),
                                             vocabulary, &sets, set, &dice);

                if (token == 0)
                    break;
                accept(constraint, token);
                set = den_sets_accept(&sets, set, vocabulary->texts[token], false);
            }
            den_constraint_destroy(constraint);
        }
        den_sets_deinit(&sets);
        den_grammar_destroy(grammar);
    }
    den_grammar_vocabulary_destroy(vocabulary);
    free(many);
}

static void ends_come_where_the_text_is_whole(void **state)
{
    struct den_grammar_vocabulary *vocabulary = vocabulary_of();
    struct den_error err;
    struct den_grammar *grammar = grammar_of("{\"const\": \"a\"}", &err);
    struct den_constraint *constraint = constraint_of(grammar, vocabulary, NULL, false);

    assert_false(den_constraint_can_end(constraint));
    assert_false(den_mask_has(den_constraint_mask(constraint), ENDING));
    accept(constraint, token_of("\""));
    assert_true(allows(constraint, "a"));
    assert_false(allows(constraint, "abc"));
    assert_false(allows(constraint, "\""));
    accept(constraint, token_of("a"));
    assert_int_equal(den_constraint_accept(constraint, ENDING, &err), DEN_INVALID);
    accept(constraint, token_of("\""));
    assert_true(den_constraint_can_end(constraint));
    assert_true(den_mask_has(den_constraint_mask(constraint), ENDING));
    assert_false(allows(constraint, "a"));
    accept(constraint, ENDING);
    assert_false(allows(constraint, "a"));
    den_constraint_destroy(constraint);
    den_grammar_destroy(grammar);
    den_grammar_vocabulary_destroy(vocabulary);
}

static void characters_may_come_in_parts(void **state)
{
    struct den_grammar_vocabulary *vocabulary = vocabulary_of();
    struct den_error err;
    struct den_grammar *grammar = grammar_of("{\"type\": \"string\", \"maxLength\": 1}", &err);
    struct den_constraint *constraint = constraint_of(grammar, vocabulary, NULL, false);

    accept(constraint, token_of("\""));
    assert_false(allows(constraint, "\xbc"));
    accept(constraint, token_of("\xe6"));
    assert_true(allows(constraint, "\xbc"));
    assert_false(allows(constraint, "a"));
    assert_false(allows(constraint, "\""));
    accept(constraint, token_of("\xbc"));
    accept(constraint, token_of("\xa2"));
    assert_true(allows(constraint, "\""));
    assert_false(allows(constraint, "a"));
    den_constraint_destroy(constraint);
    den_grammar_destroy(grammar);
    den_grammar_vocabulary_destroy(vocabulary);
}

static void triggers_wake_it(void **state)
{
    struct den_grammar_vocabulary *vocabulary = vocabulary_of();
    struct den_error err;
    struct den_grammar *grammar = grammar_of("root ::= \"<tool>{\" [a-z]+ \"}\"", &err);
    struct den_constraint *constraint = constraint_of(grammar, vocabulary, "<tool>", false);

    assert_null(den_constraint_mask(constraint));
    accept(constraint, token_of("abc"));
    accept(constraint, token_of("<to"));
    assert_true(allows(constraint, "ol>"));
    assert_false(allows(constraint, "ol>x")); /* would complete it and leave the grammar */
    assert_true(allows(constraint, "abc"));
    accept(constraint, token_of("ol>"));
    assert_true(allows(constraint, "{"));
    assert_false(allows(constraint, "a"));
    assert_false(den_constraint_can_end(constraint));
    accept(constraint, token_of("{"));
    accept(constraint, token_of("abc"));
    accept(constraint, token_of("}"));
    assert_true(den_constraint_can_end(constraint)); /* asleep again */
    assert_null(den_constraint_mask(constraint));
    accept(constraint, token_of("<tool>{"));
    assert_false(allows(constraint, "{"));
    accept(constraint, token_of("a"));
    accept(constraint, token_of("}"));
    accept(constraint, CONTROL); /* a control token goes by its name */
    assert_true(allows(constraint, "{"));
    assert_false(allows(constraint, "}"));
    den_constraint_destroy(constraint);

    constraint = constraint_of(grammar, vocabulary, "<tool>", true);
    accept(constraint, token_of("<tool>{"));
    accept(constraint, token_of("a"));
    accept(constraint, token_of("}"));
    assert_false(allows(constraint, "a"));
    assert_true(den_mask_has(den_constraint_mask(constraint), ENDING));
    den_constraint_destroy(constraint);

    /* from the start, the control token may stand for the literal ... */
    constraint = constraint_of(grammar, vocabulary, NULL, false);
    assert_true(den_mask_has(den_constraint_mask(constraint), CONTROL));
    accept(constraint, CONTROL);
    accept(constraint, token_of("{"));
    den_constraint_destroy(constraint);
    den_grammar_destroy(grammar);

    /* ... but not for the inside of a string */
    grammar = grammar_of("{\"enum\": [\"<tool>\"]}", &err);
    constraint = constraint_of(grammar, vocabulary, NULL, false);
    accept(constraint, token_of("\""));
    assert_true(allows(constraint, "<tool>"));
    assert_false(den_mask_has(den_constraint_mask(constraint), CONTROL));
    den_constraint_destroy(constraint);
    den_grammar_destroy(grammar);
    den_grammar_vocabulary_destroy(vocabulary);
}

/* Looking ahead tells what accepting will, and leaves the constraint where it is. */
static void foresees_what_it_will_accept(void **state)
{
    static const char *const triggers[] = { NULL, "<tool>" };
    struct den_grammar_vocabulary *vocabulary = vocabulary_of();
    struct den_error err = { 0 };
    struct den_grammar *grammar = grammar_of(
        "{\"type\": \"array\", \"items\": {\"enum\": [true, 12, \"abc\", \"a\"]}}", &err);
    struct den_grammar *call = grammar_of("root ::= \"<tool>{\" [ab]* \"}\"", &err);
    uint32_t random = 7;
    size_t right = 0, wrong = 0;
    int round, i;

    for (round = 0; round < 400; round++) {
        const struct den_grammar *one = round % 2 ? call : grammar;
        struct den_constraint *walked = constraint_of(one, vocabulary, triggers[round % 2], false);
        struct den_constraint *looking = constraint_of(one, vocabulary, triggers[round % 2], false);

        for (i = 0; i < 12; i++) {
            den_token tokens[4];
            size_t count, allowed;

            for (count = 0; count < 4; count++) {
                const uint32_t *mask = den_constraint_mask(walked);

                do {
                    random = random * 1664525u + 1013904223u;
                    tokens[count] = (den_token)(random >> 16) % SIZE;
                } while (random >> 29 && mask && !den_mask_has(mask, tokens[count]));
                if (den_constraint_accept(walked, tokens[count], &err) != DEN_OK)
                    break;
            }
            err = (struct den_error){ 0 };
            allowed = den_constraint_foresee(looking, tokens, count < 4 ? count + 1 : 4);
            assert_int_equal(allowed, count);
            assert_int_equal(den_constraint_foresee(looking, tokens, count), count);
            right += count == 4;
            wrong += count < 4;
            for (allowed = 0; allowed < count; allowed++)
                accept(looking, tokens[allowed]);
        }
        den_constraint_destroy(walked);
        den_constraint_destroy(looking);
    }
    assert_in_range(right, 200, 400 * 12);
    assert_in_range(wrong, 200, 400 * 12);
    den_grammar_vocabulary_destroy(vocabulary);
    den_grammar_destroy(grammar);
    den_grammar_destroy(call);
}

static void a_trigger_must_begin_the_grammar(void **state)
{
    struct den_grammar_vocabulary *vocabulary = vocabulary_of();
    struct den_error err = { 0 };
    struct den_grammar *grammar = grammar_of("root ::= \"abc\"", &err);
    const char *trigger = "<tool>";
    struct den_constraint_options options = {
        .grammar = grammar, .vocabulary = vocabulary, .triggers = &trigger, .trigger_count = 1
    };
    struct den_constraint *constraint = NULL;

    assert_int_equal(den_constraint_create(&options, &constraint, &err), DEN_INVALID);
    assert_non_null(strstr(err.message, "<tool>"));
    den_grammar_destroy(grammar);
    den_grammar_vocabulary_destroy(vocabulary);
}

/* Counting to a million makes ever new sets; the cache starts afresh and nothing else changes. */
static void the_cache_is_bounded(void **state)
{
    struct den_grammar_vocabulary *vocabulary = vocabulary_of();
    struct den_error err;
    struct den_grammar *grammar = grammar_of("root ::= [ab]{1,60000}", &err);
    struct den_constraint *constraint = constraint_of(grammar, vocabulary, NULL, false);
    int i;

    for (i = 0; i < 60000; i++) {
        assert_true(allows(constraint, "a"));
        accept(constraint, token_of("a"));
    }
    assert_false(allows(constraint, "a"));
    assert_true(den_mask_has(den_constraint_mask(constraint), ENDING));
    den_constraint_destroy(constraint);
    den_grammar_destroy(grammar);
    den_grammar_vocabulary_destroy(vocabulary);
}

int text_test_constraint(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(masks_agree_with_trials),
        cmocka_unit_test(wide_masks_agree_with_trials),
        cmocka_unit_test(ends_come_where_the_text_is_whole),
        cmocka_unit_test(characters_may_come_in_parts),
        cmocka_unit_test(triggers_wake_it),
        cmocka_unit_test(foresees_what_it_will_accept),
        cmocka_unit_test(a_trigger_must_begin_the_grammar),
        cmocka_unit_test(the_cache_is_bounded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
