/* rooms: text */
/* A tokenizer.json of any bytes: creating it must end, and a tokenizer that is created must encode
 * and decode without harm, whatever its ids, merges, patterns and tables say. */
#include <stdint.h>
#include <stdlib.h>

#include "text/tokenizer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void use(const struct den_tokenizer *tokenizer, const char *text, size_t length,
                unsigned flags)
{
    struct den_tokens tokens = { 0 };
    struct den_error err = { 0 };
    struct den_buffer decoded;
    size_t i;

    den_buffer_init(&decoded, 1u << 22);
    if (den_tokenizer_encode(tokenizer, text, length, flags, &tokens, &err) == DEN_OK) {
        for (i = 0; i < tokens.count; i++)
            if (tokens.items[i] < 0 || (size_t)tokens.items[i] >= den_tokenizer_size(tokenizer))
                abort();
        den_tokenizer_decode(tokenizer, tokens.items, tokens.count, (flags & 1) != 0, &decoded,
                             &err);
    }
    den_buffer_deinit(&decoded);
    den_tokens_deinit(&tokens);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char text[] = "Hello  w\xC3\xB6rld, it's 12345!\n\t <s>\xE2\x96\x81 \xF0\x9F\x98"
                               "\x80 \xFF\xC3 e\xCC\x81 \xE4\xBD\xA0\xE5\xA5\xBD [MASK] aaaaaaaaaa"
                               "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
    struct den_tokenizer *tokenizer = NULL;
    struct den_error err = { 0 };
    den_token token;

    if (den_tokenizer_create_json((const char *)data, size, NULL, &tokenizer, &err) != DEN_OK)
        return 0;
    use(tokenizer, text, sizeof text, 0);
    use(tokenizer, text, sizeof text - 1, DEN_ENCODE_ADD_SPECIAL | DEN_ENCODE_PARSE_SPECIAL);
    use(tokenizer, (const char *)data, size < 512 ? size : 512, DEN_ENCODE_PARSE_SPECIAL);
    use(tokenizer, "", 0, DEN_ENCODE_ADD_SPECIAL);
    for (token = 0; token < 64; token++) {
        den_tokenizer_piece(tokenizer, token);
        den_tokenizer_name(tokenizer, token);
        den_tokenizer_is_end(tokenizer, token);
    }
    den_tokenizer_destroy(tokenizer);
    return 0;
}
