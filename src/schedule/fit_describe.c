/* See fit_describe.h. Matrices are told from the rest by having two dimensions or more; the ends
 * (words in, logits out) are told from the layers by their names in both kinds of files. */
#include "schedule/fit_describe.h"

#include <string.h>

static bool has_any(const char *name, const char *const *parts, size_t count)
{
    size_t i;

    for (i = 0; i < count; i++)
        if (strstr(name, parts[i]))
            return true;
    return false;
}

static const char *type_text(const struct den_tensor *tensor)
{
    const char *text = den_type_info((uint32_t)tensor->type)->text;

    return text ? text : "";
}

/* "types", "embedding_type" and "head_type" of the shape. */
static void add_types(json_t *shape, const struct den_weights *weights)
{
    static const char *const tables[] = { "token_embd.weight", "embed_tokens.weight",
                                          "word_embeddings.weight" };
    static const char *const heads[] = { "output.weight", "lm_head.weight" };
    double elements[DEN_TYPE_COUNT] = { 0 };
    json_t *types = json_object();
    size_t i;

    for (i = 0; i < den_weights_tensor_count(weights); i++) {
        const struct den_tensor *tensor = den_weights_tensor(weights, i);
        const char *name = tensor->name ? tensor->name : "";

        if (tensor->dims < 2 || tensor->type >= DEN_TYPE_COUNT || strstr(name, "position") ||
            strstr(name, "token_type"))
            continue;
        if (has_any(name, tables, sizeof tables / sizeof tables[0]))
            json_object_set_new(shape, "embedding_type", json_string(type_text(tensor)));
        else if (strncmp(name, heads[0], strlen(heads[0])) == 0 || strstr(name, heads[1]))
            json_object_set_new(shape, "head_type", json_string(type_text(tensor)));
        else
            elements[tensor->type] += (double)den_tensor_elements(tensor);
    }
    for (i = 0; i < DEN_TYPE_COUNT; i++)
        if (elements[i] > 0)
            json_object_set_new(types, den_type_info((uint32_t)i)->text,
                                json_integer((json_int_t)elements[i]));
    json_object_set_new(shape, "types", types);
}

json_t *den_fit_describe_decoder(const struct den_description *d, const struct den_weights *weights)
{
    json_t *shape = json_pack(
        "{s:b, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "tied", (int)d->tied_embeddings,
        "layers", (json_int_t)d->layers, "width", (json_int_t)d->width, "heads",
        (json_int_t)d->heads, "kv_heads", (json_int_t)d->kv_heads, "head_width",
        (json_int_t)d->head_width, "value_width", (json_int_t)d->value_width, "ffn_width",
        (json_int_t)(d->ffn_width ? d->ffn_width : d->expert_width), "vocabulary",
        (json_int_t)d->vocabulary, "context", (json_int_t)d->context_tokens);

    if (d->experts > 0)
        json_object_update_new(shape,
                               json_pack("{s:I, s:I, s:I}", "experts", (json_int_t)d->experts,
                                         "experts_used", (json_int_t)d->experts_used,
                                         "expert_width", (json_int_t)d->expert_width));
    add_types(shape, weights);
    return shape;
}

json_t *den_fit_describe_encoder(const struct den_bert_description *d,
                                 const struct den_weights *weights)
{
    json_t *shape =
        json_pack("{s:b, s:b, s:I, s:I, s:I, s:I, s:I, s:I}", "encoder", 1, "tied", 1, "layers",
                  (json_int_t)d->layers, "width", (json_int_t)d->width, "heads",
                  (json_int_t)d->heads, "ffn_width", (json_int_t)d->ffn_width, "vocabulary",
                  (json_int_t)d->vocabulary, "context", (json_int_t)d->context_tokens);

    add_types(shape, weights);
    return shape;
}
