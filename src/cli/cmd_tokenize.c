/* den tokenize: text to token ids and, with --decode, back. No weights are read into memory. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "cli/model_options.h"

enum { TEXT_BYTES_MAX = 1 << 30 };

static enum den_status print_ids(const struct den_tokenizer *tokenizer,
                                 const struct den_tokens *tokens, bool as_json,
                                 struct den_error *err)
{
    json_t *array;
    size_t i;

    if (!as_json) {
        for (i = 0; i < tokens->count; i++) {
            struct den_token_text name = den_tokenizer_name(tokenizer, tokens->items[i]);

            printf("%d\t%.*s\n", tokens->items[i], (int)name.length, name.bytes);
        }
        return DEN_OK;
    }
    array = json_array();
    for (i = 0; i < tokens->count; i++)
        json_array_append_new(array, json_integer(tokens->items[i]));
    return den_cli_print_json(array, err);
}

/* "1, 2 3" or "[1, 2, 3]": whole numbers with anything of " ,[]" and white space between them. */
static enum den_status parse_ids(const char *text, struct den_tokens *out, struct den_error *err)
{
    while (*text) {
        char *end;
        long long id;
        den_token token;

        text += strspn(text, " ,[]\t\r\n");
        if (!*text)
            break;
        id = strtoll(text, &end, 10);
        if (end == text || id < 0 || id > DEN_VOCABULARY_MAX)
            return den_fail(err, DEN_INVALID,
                            "'%.20s' is not a token id; ids are whole numbers, as in \"[1, 2, 3]\"",
                            text);
        token = (den_token)id;
        if (den_tokens_append(out, &token, 1, err) != DEN_OK)
            return err->status;
        text = end;
    }
    return DEN_OK;
}

static enum den_status decode(const struct den_tokenizer *tokenizer,
                              const struct den_arguments *arguments, const char *text,
                              struct den_error *err)
{
    struct den_tokens tokens = { 0 };
    struct den_buffer out;
    json_t *value;

    den_buffer_init(&out, TEXT_BYTES_MAX);
    if (parse_ids(text, &tokens, err) == DEN_OK &&
        den_tokenizer_decode(tokenizer, tokens.items, tokens.count,
                             den_argument_flag(arguments, "no-special"), &out, err) == DEN_OK) {
        if (!den_argument_flag(arguments, "json")) {
            fwrite(out.data, 1, out.length, stdout);
            putchar('\n');
        } else if ((value = json_stringn(out.data, out.length)) != NULL) {
            den_cli_print_json(value, err);
        } else {
            den_fail(
                err, DEN_INVALID,
                "these tokens are not whole characters, which JSON can't hold; leave --json out");
        }
    }
    den_buffer_deinit(&out);
    den_tokens_deinit(&tokens);
    return err->status;
}

static enum den_status encode(const struct den_tokenizer *tokenizer,
                              const struct den_arguments *arguments, const struct den_buffer *text,
                              struct den_error *err)
{
    unsigned flags = DEN_ENCODE_ADD_SPECIAL | DEN_ENCODE_PARSE_SPECIAL;
    struct den_tokens tokens = { 0 };

    if (den_argument_flag(arguments, "no-special"))
        flags &= ~(unsigned)DEN_ENCODE_ADD_SPECIAL;
    if (den_argument_flag(arguments, "literal"))
        flags &= ~(unsigned)DEN_ENCODE_PARSE_SPECIAL;
    if (den_tokenizer_encode(tokenizer, text->data, text->length, flags, &tokens, err) == DEN_OK)
        print_ids(tokenizer, &tokens, den_argument_flag(arguments, "json"), err);
    den_tokens_deinit(&tokens);
    return err->status;
}

static enum den_status run(const struct den_arguments *arguments, struct den_error *err)
{
    char path[DEN_PATH_BYTES_MAX];
    struct den_weights *weights = NULL;
    struct den_tokenizer *tokenizer = NULL;
    struct den_buffer text;

    den_buffer_init(&text, TEXT_BYTES_MAX);
    if (den_cli_read_operand(den_operand(arguments, 0), &text, err) == DEN_OK &&
        den_cli_model_path(arguments, path, sizeof path, err) == DEN_OK &&
        den_weights_open(path, &weights, err) == DEN_OK &&
        den_tokenizer_create(weights, &tokenizer, err) == DEN_OK) {
        if (den_argument_flag(arguments, "decode"))
            decode(tokenizer, arguments, text.data, err);
        else
            encode(tokenizer, arguments, &text, err);
    }
    den_tokenizer_destroy(tokenizer);
    den_weights_close(weights);
    den_buffer_deinit(&text);
    return err->status;
}

static const struct den_option options[] = {
    DEN_OPTION_MODEL,
    { .name = "no-special",
      .kind = DEN_OPTION_FLAG,
      .help = "add no special tokens (BOS, EOS) around the text; with --decode: leave them out" },
    { .name = "literal",
      .kind = DEN_OPTION_FLAG,
      .help = "read \"<|im_end|>\" and its like as letters, not as their special token" },
    { .name = "decode",
      .letter = 'd',
      .kind = DEN_OPTION_FLAG,
      .help = "TEXT is token ids; print their text" },
    DEN_OPTION_JSON,
};

const struct den_verb den_verb_tokenize = {
    .name = "tokenize",
    .summary = "show the tokens of a text",
    .operands = "TEXT",
    .operands_min = 1,
    .operands_max = 1,
    .description = "Prints each token's id and name, a line each; with --json an array of ids. "
                   "TEXT of - is read from "
                   "standard input.",
    .examples = "den tokenize \"Hello world\"\n"
                "den tokenize --json --literal \"<|im_start|> as letters\"\n"
                "den tokenize --decode \"[19556, 905]\"\n",
    .options = options,
    .option_count = sizeof options / sizeof options[0],
    .run = run,
};
