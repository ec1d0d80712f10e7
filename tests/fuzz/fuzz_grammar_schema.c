/* rooms: text tensor base */
/* JSON Schemas of arbitrary bytes: compiled, and what compiles is walked. */
#include "grammar_walk.h"

#include "base/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct den_grammar *grammar = NULL;
    struct den_error err = { 0 };
    json_t *schema = NULL;

    if (den_json_parse((const char *)data, size, "schema", &schema, &err) != DEN_OK)
        return 0;
    if (den_grammar_from_schema(schema, &grammar, &err) == DEN_OK)
        walk_grammar(grammar, (unsigned)size * 2654435761u);
    else if (grammar || err.message[0] == '\0')
        abort();
    den_grammar_destroy(grammar);
    json_decref(schema);
    return 0;
}
