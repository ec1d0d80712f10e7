/* See tokenizer_config.h. */
#include "text/tokenizer_config.h"

#include <string.h>

#include "base/json.h"
#include "text/tokenizer_parts.h"

/* "bos_token" is a text, or an added token with a "content". */
static den_token named_token(const struct den_tokenizer *tokenizer, const json_t *config,
                             const char *key)
{
    const json_t *value = json_object_get(config, key);

    if (json_is_object(value))
        value = json_object_get(value, "content");
    if (!json_is_string(value))
        return DEN_TOKEN_NONE;
    return den_tokenizer_find(tokenizer, json_string_value(value), json_string_length(value));
}

static den_token first_known(const struct den_tokenizer *tokenizer, const char *const *names)
{
    for (; *names; names++) {
        den_token token = den_tokenizer_find(tokenizer, *names, strlen(*names));

        if (token != DEN_TOKEN_NONE && den_tokenizer_is_special(tokenizer, token))
            return token;
    }
    return DEN_TOKEN_NONE;
}

/* Classes whose fast tokenizers rebuild their template from add_bos_token and add_eos_token. */
static bool obeys_flags(const json_t *config)
{
    static const char *const classes[] = { "LlamaTokenizer", "CodeLlamaTokenizer", "GemmaTokenizer",
                                           "CohereTokenizer" };
    const char *name = json_string_value(json_object_get(config, "tokenizer_class"));
    size_t i;

    for (i = 0; name && i < sizeof classes / sizeof classes[0]; i++)
        if (strncmp(name, classes[i], strlen(classes[i])) == 0)
            return true;
    return false;
}

static bool contains(const struct den_tokens *tokens, den_token token)
{
    size_t i;

    for (i = 0; i < tokens->count; i++)
        if (tokens->items[i] == token)
            return true;
    return false;
}

static enum den_status set_presence(struct den_tokens *tokens, den_token token, bool wanted,
                                    struct den_error *err)
{
    if (token == DEN_TOKEN_NONE || contains(tokens, token) == wanted)
        return DEN_OK;
    if (wanted)
        return den_tokens_append(tokens, &token, 1, err);
    if (tokens->count == 1)
        tokens->count = 0;
    return DEN_OK;
}

enum den_status den_tokenizer_apply_config(struct den_tokenizer *tokenizer, const json_t *config,
                                           struct den_error *err)
{
    static const char *const bos_names[] = { "<s>",   "<bos>",           "<|begin_of_text|>",
                                             "[CLS]", "<|startoftext|>", NULL };
    static const char *const eos_names[] = { "</s>",       "<eos>",         "<|end_of_text|>",
                                             "<|im_end|>", "<|endoftext|>", "[SEP]",
                                             NULL };
    bool add_bos;
    bool add_eos;

    tokenizer->bos = named_token(tokenizer, config, "bos_token");
    tokenizer->eos = named_token(tokenizer, config, "eos_token");
    if (!config) {
        tokenizer->bos = tokenizer->prefix.count > 0 ? tokenizer->prefix.items[0]
                                                     : first_known(tokenizer, bos_names);
        tokenizer->eos = first_known(tokenizer, eos_names);
        return DEN_OK;
    }
    add_bos = contains(&tokenizer->prefix, tokenizer->bos);
    add_eos = contains(&tokenizer->suffix, tokenizer->eos);
    if (!obeys_flags(config))
        return DEN_OK;
    if (den_json_get_bool(config, "add_bos_token", &add_bos, err) != DEN_OK ||
        den_json_get_bool(config, "add_eos_token", &add_eos, err) != DEN_OK)
        return den_fail_at(err, "tokenizer_config.json");
    if (set_presence(&tokenizer->prefix, tokenizer->bos, add_bos, err) != DEN_OK)
        return err->status;
    return set_presence(&tokenizer->suffix, tokenizer->eos, add_eos, err);
}

static void mark_end(struct den_tokenizer *tokenizer, const json_t *id)
{
    json_int_t token = json_is_integer(id) ? json_integer_value(id) : -1;

    if (token >= 0 && (uint64_t)token < tokenizer->vocabulary.count)
        tokenizer->ends[token] = true;
}

void den_tokenizer_apply_ends(struct den_tokenizer *tokenizer, const json_t *generation)
{
    const json_t *ids = json_object_get(generation, "eos_token_id");
    size_t i;

    mark_end(tokenizer, ids);
    for (i = 0; i < json_array_size(ids); i++)
        mark_end(tokenizer, json_array_get(ids, i));
}
