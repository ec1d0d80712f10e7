/* Drives the real constraint with a dice-throwing "model": a program for structured.py.
 *
 * quality_structured TOKENIZER.json|MODEL.gguf [masks]
 *
 * reads lines of JSON from standard input, {"schema": ...} or {"grammar": "..."}, each with
 * "count" and "seed" (texts to generate) and "accept" (texts to try), and answers each with a
 * line: {"texts": [...], "cut": number that did not end, "accepted": [true, ...]} or {"error",
 * "status"}.
 *
 * With `masks`, each mask is compared with a trial of every token by its bytes.
 *
 * A text is drawn token by token out of the mask. How dice are loaded changes from text to text:
 * all tokens alike, or those that close things likelier, by a factor that is itself drawn. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/buffer.h"
#include "base/file.h"
#include "base/utf8.h"
#include "text/constraint_parts.h"

enum { TOKENS_MAX = 3000, TEXT_BYTES_MAX = 1 << 20 };

static uint64_t state;
static bool checks_masks;

static uint64_t draw(void)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state * 0x2545F4914F6CDD1Du >> 16;
}

static void require(enum den_status status, const struct den_error *err)
{
    if (status == DEN_OK)
        return;
    fprintf(stderr, "%s\n", err->message);
    exit(1);
}

static struct den_tokenizer *open_tokenizer(const char *path)
{
    struct den_tokenizer *tokenizer = NULL;
    struct den_weights *weights = NULL;
    struct den_error err = { 0 };
    struct den_buffer text;

    if (strlen(path) > 5 && strcmp(path + strlen(path) - 5, ".json") == 0) {
        den_buffer_init(&text, DEN_FILE_TEXT_BYTES_MAX);
        require(den_file_read(path, &text, &err), &err);
        require(den_tokenizer_create_json(text.data, text.length, NULL, &tokenizer, &err), &err);
        den_buffer_deinit(&text);
        return tokenizer;
    }
    require(den_weights_open(path, &weights, &err), &err);
    require(den_tokenizer_create(weights, &tokenizer, &err), &err);
    den_weights_close(weights); /* the tokenizer has its own copy of all that it needs */
    return tokenizer;
}

/* Weights that make quotes, brackets and ends likelier by `bias`. */
static void weigh(const struct den_grammar_vocabulary *vocabulary, double bias, double *weights)
{
    size_t i, k;

    for (i = 0; i < vocabulary->size; i++) {
        struct den_token_text text = vocabulary->texts[i];

        weights[i] = vocabulary->kinds[i] == DEN_ROLE_END ? bias : 1;
        for (k = 0; k < text.length && k < 4; k++)
            if (memchr("\"]}", text.bytes[k], 3))
                weights[i] = bias / (double)(text.length * text.length);
    }
}

static den_token choose(const uint32_t *mask, size_t size, const double *weights)
{
    double total = 0, point;
    den_token token, last = DEN_TOKEN_NONE;

    for (token = 0; (size_t)token < size; token++)
        if (den_mask_has(mask, token))
            total += weights[token];
    point = (double)(draw() & 0xFFFFFFFF) / 4294967296.0 * total;
    for (token = 0; (size_t)token < size; token++) {
        if (!den_mask_has(mask, token))
            continue;
        last = token;
        point -= weights[token];
        if (point < 0)
            break;
    }
    return last;
}

/* Takes each token by itself from where `text` has led to. */
static void check_mask(const struct den_grammar *grammar,
                       const struct den_grammar_vocabulary *vocabulary,
                       const struct den_buffer *text, const uint32_t *mask)
{
    struct den_error err = { 0 };
    struct den_sets sets;
    den_token token;
    uint32_t set;

    require(den_sets_init(&sets, grammar, &err), &err);
    set = den_sets_start(&sets);
    if (text->length > 0)
        set =
            den_sets_accept(&sets, set, (struct den_token_text){ text->data, text->length }, false);
    for (token = 0; (size_t)token < vocabulary->size; token++) {
        bool control = vocabulary->kinds[token] == DEN_ROLE_CONTROL;

        if (vocabulary->kinds[token] == DEN_ROLE_END ||
            den_mask_has(mask, token) ==
                (den_sets_accept(&sets, set, vocabulary->texts[token], control) != DEN_SET_NONE))
            continue;
        fprintf(stderr, "token %d '%s' is wrong in the mask after: %s\n", token,
                vocabulary->texts[token].bytes, text->length > 0 ? text->data : "");
        exit(1);
    }
    den_sets_deinit(&sets);
}

/* Appends one text to `texts`; false: it did not end. */
static bool generate(const struct den_grammar *grammar,
                     const struct den_grammar_vocabulary *vocabulary, double *weights,
                     json_t *texts)
{
    struct den_constraint_options options = { .grammar = grammar, .vocabulary = vocabulary };
    struct den_constraint *constraint = NULL;
    struct den_error err = { 0 };
    struct den_buffer text;
    bool ended = false;
    size_t i;

    require(den_constraint_create(&options, &constraint, &err), &err);
    den_buffer_init(&text, TEXT_BYTES_MAX);
    for (i = 0; i < TOKENS_MAX && !ended; i++) {
        const uint32_t *mask = den_constraint_mask(constraint);
        den_token token = choose(mask, vocabulary->size, weights);

        if (checks_masks)
            check_mask(grammar, vocabulary, &text, mask);
        if (token == DEN_TOKEN_NONE) {
            fprintf(stderr, "an empty mask after: %s\n", text.data);
            exit(1);
        }
        ended = vocabulary->kinds[token] == DEN_ROLE_END;
        if (ended && !den_constraint_can_end(constraint)) {
            fprintf(stderr, "an end that may not come yet after: %s\n", text.data);
            exit(1);
        }
        require(den_constraint_accept(constraint, token, &err), &err);
        if (!ended)
            den_buffer_append(&text, vocabulary->texts[token].bytes,
                              vocabulary->texts[token].length);
    }
    if (ended)
        json_array_append_new(texts, json_stringn(text.data, text.length));
    if (ended && json_array_size(texts) > 0 && !den_utf8_is_valid(text.data, text.length)) {
        fprintf(stderr, "not UTF-8: %s\n", text.data);
        exit(1);
    }
    den_buffer_deinit(&text);
    den_constraint_destroy(constraint);
    return ended;
}

static bool accepts(const struct den_grammar *grammar, const json_t *text)
{
    struct den_token_text bytes = { json_string_value(text), json_string_length(text) };
    struct den_error err = { 0 };
    struct den_sets sets;
    uint32_t set;
    bool fits;

    require(den_sets_init(&sets, grammar, &err), &err);
    set = den_sets_accept(&sets, den_sets_start(&sets), bytes, false);
    fits = sets.sets[set].ends;
    den_sets_deinit(&sets);
    return fits;
}

static json_t *answer(const json_t *line, const struct den_grammar_vocabulary *vocabulary,
                      double *weights)
{
    const json_t *schema = json_object_get(line, "schema");
    const json_t *source = json_object_get(line, "grammar");
    const json_t *tries = json_object_get(line, "accept");
    json_t *texts = json_array(), *accepted = json_array();
    json_int_t count = json_integer_value(json_object_get(line, "count")), cut = 0, i;
    struct den_grammar *grammar = NULL;
    struct den_error err = { 0 };

    if (schema)
        den_grammar_from_schema(schema, &grammar, &err);
    else
        den_grammar_from_gbnf(json_string_value(source), json_string_length(source), NULL, 0,
                              &grammar, &err);
    if (err.status != DEN_OK) {
        json_decref(texts);
        json_decref(accepted);
        return json_pack("{s: s, s: s}", "error", err.message, "status",
                         den_status_text(err.status));
    }
    state = (uint64_t)json_integer_value(json_object_get(line, "seed")) * 2 + 88172645463325253u;
    for (i = 0; i < count; i++) {
        static const double biases[] = { 1, 20, 400, 10000 };

        weigh(vocabulary, biases[draw() % 4], weights);
        cut += !generate(grammar, vocabulary, weights, texts);
    }
    for (i = 0; i < (json_int_t)json_array_size(tries); i++)
        json_array_append_new(accepted,
                              json_boolean(accepts(grammar, json_array_get(tries, (size_t)i))));
    den_grammar_destroy(grammar);
    return json_pack("{s: o, s: I, s: o}", "texts", texts, "cut", cut, "accepted", accepted);
}

int main(int argc, char **argv)
{
    struct den_grammar_vocabulary *vocabulary = NULL;
    struct den_tokenizer *tokenizer;
    struct den_error err = { 0 };
    double *weights;
    char *line = NULL;
    size_t room = 0;

    if (argc < 2) {
        fprintf(stderr, "quality_structured TOKENIZER.json|MODEL.gguf [masks] < LINES\n");
        return 2;
    }
    checks_masks = argc > 2 && strcmp(argv[2], "masks") == 0;
    tokenizer = open_tokenizer(argv[1]);
    require(den_grammar_vocabulary_create(tokenizer, &vocabulary, &err), &err);
    weights = calloc(vocabulary->size, sizeof *weights);
    while (weights && getline(&line, &room, stdin) > 0) {
        json_t *value = json_loads(line, 0, NULL);
        json_t *reply = answer(value, vocabulary, weights);

        json_dumpf(reply, stdout, JSON_COMPACT);
        putchar('\n');
        fflush(stdout);
        json_decref(reply);
        json_decref(value);
    }
    free(line);
    free(weights);
    den_grammar_vocabulary_destroy(vocabulary);
    den_tokenizer_destroy(tokenizer);
    return 0;
}
