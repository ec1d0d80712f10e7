/* For the tests of grammars: whether a text fits a schema or a GBNF grammar, byte by byte. */
#ifndef DEN_TESTS_UNIT_TEXT_GRAMMAR_TRY_H
#define DEN_TESTS_UNIT_TEXT_GRAMMAR_TRY_H

#include <string.h>

#include "test.h"
#include "text/constraint_parts.h"

static inline struct den_grammar *grammar_of(const char *source, struct den_error *err)
{
    struct den_grammar *grammar = NULL;
    json_t *schema = NULL;

    *err = (struct den_error){ 0 };
    if (strstr(source, "::=")) {
        den_grammar_from_gbnf(source, strlen(source), NULL, 0, &grammar, err);
        return grammar;
    }
    schema = json_loads(source, JSON_DECODE_ANY, NULL);
    assert_non_null(schema);
    den_grammar_from_schema(schema, &grammar, err);
    json_decref(schema);
    return grammar;
}

static inline bool grammar_takes(const struct den_grammar *grammar, const char *text)
{
    struct den_token_text bytes = { text, strlen(text) };
    struct den_error err = { 0 };
    struct den_sets sets;
    uint32_t set;
    bool takes;

    assert_int_equal(den_sets_init(&sets, grammar, &err), DEN_OK);
    set = den_sets_start(&sets);
    if (bytes.length > 0)
        set = den_sets_accept(&sets, set, bytes, false);
    takes = sets.sets[set].ends;
    den_sets_deinit(&sets);
    return takes;
}

/* `texts` are separated by newlines; each must be taken, or each refused. */
static inline void check_texts(const char *source, const char *texts, bool expected)
{
    struct den_error err;
    struct den_grammar *grammar = grammar_of(source, &err);
    char text[512];

    if (!grammar)
        fail_msg("%s: %s", source, err.message);
    while (*texts) {
        size_t length = strcspn(texts, "\n");

        assert_true(length < sizeof text);
        memcpy(text, texts, length);
        text[length] = '\0';
        if (grammar_takes(grammar, text) != expected)
            fail_msg("%s %s %s", source, expected ? "refuses" : "takes", text);
        texts += length + (texts[length] == '\n');
    }
    den_grammar_destroy(grammar);
}

static inline void takes(const char *source, const char *texts)
{
    check_texts(source, texts, true);
}

static inline void refuses(const char *source, const char *texts)
{
    check_texts(source, texts, false);
}

/* Compiling fails with `status`, and the message has `part` in it. */
static inline void fails(const char *source, enum den_status status, const char *part)
{
    struct den_error err;
    struct den_grammar *grammar = grammar_of(source, &err);

    assert_null(grammar);
    if (err.status != status || !strstr(err.message, part))
        fail_msg("%s: %s", source, err.message);
}

#endif
