/* rooms: text tensor base */
/* Templates of arbitrary bytes, parsed and rendered with one fixed conversation. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "text/template_limits.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static json_t *variables;

static void make_variables(void)
{
    static const char text[] =
        "{\"messages\":[{\"role\":\"system\",\"content\":\"Be brief.\"},{\"role\":\"user\","
        "\"content\":\"H\\u00e9llo "
        "\\ud83d\\ude00\\n<b>\"},{\"role\":\"assistant\",\"content\":null,"
        "\"tool_calls\":[{\"id\":\"a\",\"function\":{\"name\":\"f\",\"arguments\":{\"x\":[1,2.5,"
        "true,null]}}}]},{\"role\":\"tool\",\"content\":[{\"type\":\"text\",\"text\":\"t\"}]}],"
        "\"tools\":[{\"function\":{\"name\":\"f\",\"parameters\":{\"properties\":{\"x\":{\"type\":"
        "\"integer\"}}}}}],\"add_generation_prompt\":true,\"bos_token\":\"<s>\",\"n\":7,\"f\":2.5,"
        "\"s\":\"Hello, World\",\"l\":[3,1,2],\"d\":{\"b\":1,\"a\":[1]}}";

    variables = json_loads(text, 0, NULL);
    if (!variables)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct den_template_limits limits = { .steps_max = 100000,
                                                       .memory_bytes_max = 8u << 20 };
    struct den_error err = { 0 };
    struct den_template *compiled = NULL;
    struct den_buffer out;

    if (!variables)
        make_variables();
    den_buffer_init(&out, DEN_TEMPLATE_OUTPUT_BYTES_MAX);
    if (den_template_create((const char *)data, size, &compiled, &err) == DEN_OK)
        den_template_render_limited(compiled, variables, 1767225599, &limits, &out, &err);
    if (err.status != DEN_OK && out.length > 0) /* nothing comes out of a failure */
        abort();
    den_buffer_deinit(&out);
    den_template_destroy(compiled);
    return 0;
}
