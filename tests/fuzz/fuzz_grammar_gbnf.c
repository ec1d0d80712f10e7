/* rooms: text tensor base */
/* GBNF of arbitrary bytes, with two schemas for its holes: compiled, and what compiles is walked.
 */
#include "grammar_walk.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const json_t *schemas[2];
    struct den_grammar *grammar = NULL;
    struct den_error err = { 0 };

    if (!schemas[0]) {
        schemas[0] = json_true();
        schemas[1] = json_loads("{\"type\": \"integer\", \"minimum\": 3}", 0, NULL);
    }
    if (den_grammar_from_gbnf((const char *)data, size, schemas, 2, &grammar, &err) == DEN_OK)
        walk_grammar(grammar, (unsigned)size * 2654435761u);
    else if (grammar || err.message[0] == '\0')
        abort();
    den_grammar_destroy(grammar);
    return 0;
}
