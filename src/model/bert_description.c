/* See bert_description.h. A sentence encoder's folder spreads its definition over four files:
 *
 *     config.json                  the transformer
 *     modules.json                 what follows it: pooling, normalisation, sometimes a dense layer
 *     1_Pooling/config.json        how token vectors become one; named by modules.json
 *     sentence_bert_config.json    the length it was trained for, often half of what fits
 *
 * All but the first may be missing: then it is the mean over tokens, as sentence-transformers does
 * it, and the length is that of the position table. In GGUF one key says how to pool.
 *
 * A cross-encoder's config.json names a "...ForSequenceClassification" as its architecture and one
 * label; in GGUF its pooling is 4 ("rank"). */
#include "model/bert_description.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"

/* --- a Hugging Face folder --- */

static enum den_status read_count(const json_t *config, const char *key, size_t *out,
                                  struct den_error *err)
{
    int64_t value = 0;

    if (den_json_get_integer(config, key, 1, INT32_MAX, &value, err) != DEN_OK)
        return den_fail(err, DEN_BAD_FILE, "config.json: '%s' is not a whole number above 0", key);
    if (value == 0)
        return den_fail(err, DEN_BAD_FILE, "config.json: '%s' is missing", key);
    *out = (size_t)value;
    return DEN_OK;
}

static enum den_status read_activation(const json_t *config, struct den_bert_description *out,
                                       struct den_error *err)
{
    const char *name = "gelu";

    if (den_json_get_text(config, "hidden_act", &name, err) != DEN_OK)
        return err->status;
    if (strcmp(name, "gelu") == 0)
        out->activation = DEN_ACTIVATION_GELU_ERF;
    else if (strcmp(name, "gelu_new") == 0 || strcmp(name, "gelu_pytorch_tanh") == 0)
        out->activation = DEN_ACTIVATION_GELU_TANH;
    else
        return den_fail(err, DEN_UNSUPPORTED,
                        "config.json: activation '%.40s'; encoders with gelu, gelu_new and "
                        "gelu_pytorch_tanh are known",
                        name);
    return DEN_OK;
}

/* The table of tensors, in words: model_type and what would change the arithmetic. */
static enum den_status read_family(const json_t *config, struct den_bert_description *out,
                                   struct den_error *err)
{
    const char *type = "", *positions = "absolute";
    int64_t padding = 1;
    bool decoder = false;

    if (den_json_get_text(config, "model_type", &type, err) != DEN_OK ||
        den_json_get_text(config, "position_embedding_type", &positions, err) != DEN_OK ||
        den_json_get_bool(config, "is_decoder", &decoder, err) != DEN_OK)
        return err->status;
    if (strcmp(type, "bert") != 0 && strcmp(type, "roberta") != 0 &&
        strcmp(type, "xlm-roberta") != 0)
        return den_fail(err, DEN_UNSUPPORTED,
                        "config.json: model type '%.40s' is no sentence encoder that is known; "
                        "bert, roberta and xlm-roberta are",
                        type);
    if (strcmp(positions, "absolute") != 0 || decoder)
        return den_fail(err, DEN_UNSUPPORTED,
                        "config.json: %.20s %s; encoders with learned absolute positions are known",
                        decoder ? "a decoder" : positions, decoder ? "" : "positions");
    snprintf(out->architecture, sizeof out->architecture, "%s", type);
    if (strcmp(type, "bert") == 0)
        return DEN_OK;
    if (den_json_get_integer(config, "pad_token_id", 0, INT32_MAX, &padding, err) != DEN_OK)
        return err->status;
    out->position_offset = (size_t)padding + 1; /* RoBERTa counts from behind its padding */
    return DEN_OK;
}

/* An optional text file of the folder as JSON; *out stays NULL where it is absent. */
static enum den_status read_json(const struct den_weights *weights, const char *name, json_t **out,
                                 struct den_error *err)
{
    struct den_buffer text;
    enum den_status status;

    den_buffer_init(&text, 1 << 20);
    status = den_weights_read_text(weights, name, &text, err);
    if (status == DEN_OK)
        status = den_json_parse(text.data, text.length, name, out, err);
    else if (status == DEN_NOT_FOUND)
        err->status = status = DEN_OK;
    den_buffer_deinit(&text);
    return status;
}

static enum den_status read_pooling(const json_t *config, struct den_bert_description *out,
                                    struct den_error *err)
{
    static const struct {
        const char *key;
        int pooling; /* -1: not known here */
    } modes[] = {
        { "pooling_mode_mean_tokens", DEN_POOLING_MEAN },
        { "pooling_mode_cls_token", DEN_POOLING_FIRST },
        { "pooling_mode_max_tokens", DEN_POOLING_MAX },
        { "pooling_mode_lasttoken", DEN_POOLING_LAST },
        { "pooling_mode_mean_sqrt_len_tokens", DEN_POOLING_MEAN }, /* alike but for the length */
        { "pooling_mode_weightedmean_tokens", -1 },
    };
    int chosen = 0;
    size_t i;

    for (i = 0; i < sizeof modes / sizeof modes[0]; i++) {
        bool on = false;

        if (den_json_get_bool(config, modes[i].key, &on, err) != DEN_OK)
            return err->status;
        if (on && modes[i].pooling < 0)
            return den_fail(err, DEN_UNSUPPORTED,
                            "pooling '%s'; mean, cls, max and last token are known", modes[i].key);
        if (on)
            out->pooling = (enum den_pooling)modes[i].pooling;
        chosen += on;
    }
    if (chosen > 1)
        return den_fail(err, DEN_UNSUPPORTED,
                        "%d poolings joined; models with one of mean, cls, max and last token are "
                        "known",
                        chosen);
    return DEN_OK;
}

static enum den_status read_module(const struct den_weights *weights, const json_t *module,
                                   struct den_bert_description *out, struct den_error *err)
{
    const char *type = "", *path = "", *kind;
    char name[256];
    json_t *config = NULL;
    enum den_status status;

    if (den_json_get_text(module, "type", &type, err) != DEN_OK ||
        den_json_get_text(module, "path", &path, err) != DEN_OK)
        return err->status;
    kind = strrchr(type, '.') ? strrchr(type, '.') + 1 : type;
    if (strcmp(kind, "Transformer") == 0 || strcmp(kind, "Normalize") == 0)
        return DEN_OK;
    if (strcmp(kind, "Pooling") != 0)
        return den_fail(
            err, DEN_UNSUPPORTED,
            "modules.json: module '%.60s'; Transformer, Pooling and Normalize are known", kind);
    if (strchr(path, '/') || strchr(path, '\\') || path[0] == '.' || strlen(path) > 100)
        return den_fail(err, DEN_BAD_FILE,
                        "modules.json: path '%.60s'; a folder's name was expected", path);
    snprintf(name, sizeof name, "%s%sconfig.json", path, path[0] ? "/" : "");
    if (read_json(weights, name, &config, err) != DEN_OK || !config)
        return err->status;
    status = read_pooling(config, out, err);
    json_decref(config);
    return status == DEN_OK ? DEN_OK : den_fail_at(err, "%s", name);
}

static enum den_status read_modules(const struct den_weights *weights,
                                    struct den_bert_description *out, struct den_error *err)
{
    json_t *modules = NULL, *lengths = NULL;
    int64_t length = 0;
    size_t i;

    if (read_json(weights, "modules.json", &modules, err) != DEN_OK)
        return err->status;
    if (modules && !json_is_array(modules))
        den_fail(err, DEN_BAD_FILE, "modules.json: is not a list of modules");
    for (i = 0; err->status == DEN_OK && i < json_array_size(modules); i++)
        (void)read_module(weights, json_array_get(modules, i), out, err);
    json_decref(modules);
    if (err->status != DEN_OK ||
        read_json(weights, "sentence_bert_config.json", &lengths, err) != DEN_OK)
        return err->status;
    if (lengths &&
        den_json_get_integer(lengths, "max_seq_length", 1, INT32_MAX, &length, err) != DEN_OK)
        den_fail_at(err, "sentence_bert_config.json");
    json_decref(lengths);
    if (length > 0 && (size_t)length < out->context_tokens)
        out->context_tokens = (size_t)length;
    return err->status;
}

static void name_by_folder(const struct den_weights *weights, struct den_bert_description *out)
{
    const char *start = den_weights_path(weights), *end = start + strlen(start), *p;

    while (end > start && end[-1] == '/')
        end--;
    for (p = end; p > start && p[-1] != '/';)
        p--;
    snprintf(out->name, sizeof out->name, "%.*s", (int)(end - p < 127 ? end - p : 127), p);
}

/* Whether a head follows that scores a pair of texts: one label. */
static enum den_status read_ranking(const json_t *config, struct den_bert_description *out,
                                    struct den_error *err)
{
    static const char ending[] = "ForSequenceClassification";
    const char *kind =
        json_string_value(json_array_get(json_object_get(config, "architectures"), 0));
    const size_t length = kind ? strlen(kind) : 0, tail = sizeof ending - 1;
    const json_t *names = json_object_get(config, "id2label");
    int64_t labels = names ? (int64_t)json_object_size(names) : 2; /* transformers' own default */

    if (length < tail || strcmp(kind + length - tail, ending) != 0)
        return DEN_OK;
    if (den_json_get_integer(config, "num_labels", 1, INT32_MAX, &labels, err) != DEN_OK)
        return err->status;
    if (labels != 1)
        return den_fail(err, DEN_UNSUPPORTED,
                        "config.json: '%.60s' with %lld labels; rerankers, which have one, are "
                        "known",
                        kind, (long long)labels);
    out->ranks = true;
    return DEN_OK;
}

static enum den_status read_config(const struct den_weights *weights,
                                   struct den_bert_description *out, struct den_error *err)
{
    const json_t *config = den_weights_config(weights);
    double epsilon = 1e-12;

    if (read_family(config, out, err) != DEN_OK || read_activation(config, out, err) != DEN_OK ||
        read_ranking(config, out, err) != DEN_OK ||
        read_count(config, "num_hidden_layers", &out->layers, err) != DEN_OK ||
        read_count(config, "hidden_size", &out->width, err) != DEN_OK ||
        read_count(config, "num_attention_heads", &out->heads, err) != DEN_OK ||
        read_count(config, "intermediate_size", &out->ffn_width, err) != DEN_OK ||
        read_count(config, "vocab_size", &out->vocabulary, err) != DEN_OK ||
        read_count(config, "max_position_embeddings", &out->positions, err) != DEN_OK ||
        read_count(config, "type_vocab_size", &out->token_types, err) != DEN_OK ||
        den_json_get_number(config, "layer_norm_eps", 0, 1, &epsilon, err) != DEN_OK)
        return err->status;
    out->epsilon = (float)epsilon;
    out->context_tokens =
        out->positions > out->position_offset ? out->positions - out->position_offset : 0;
    name_by_folder(weights, out);
    return out->ranks ? DEN_OK : read_modules(weights, out, err);
}

/* --- GGUF --- */

static enum den_status read_key(const struct den_gguf *gguf, const char *key, size_t *out,
                                struct den_error *err)
{
    enum den_status status;
    uint64_t value = 0;

    status = den_gguf_get_u64(gguf, key, &value, err);
    if (status == DEN_NOT_FOUND)
        return den_fail(err, DEN_BAD_FILE, "key '%s' is missing", key);
    if (status == DEN_OK)
        *out = (size_t)value;
    return status;
}

static enum den_status read_gguf_pooling(const struct den_gguf *gguf,
                                         struct den_bert_description *out, struct den_error *err)
{
    enum { RANK = 4 };
    static const enum den_pooling types[] = { DEN_POOLING_MEAN, DEN_POOLING_MEAN, DEN_POOLING_FIRST,
                                              DEN_POOLING_LAST };
    uint64_t type = 1;
    enum den_status status = den_gguf_get_u64(gguf, "bert.pooling_type", &type, err);

    if (status != DEN_OK && status != DEN_NOT_FOUND)
        return status;
    out->ranks = type == RANK;
    if (out->ranks)
        return DEN_OK;
    if (type >= sizeof types / sizeof types[0])
        return den_fail(err, DEN_UNSUPPORTED,
                        "key 'bert.pooling_type' is %llu; 1 (mean), 2 (cls), 3 (last) and 4 (rank) "
                        "are known",
                        (unsigned long long)type);
    out->pooling = types[type];
    return DEN_OK;
}

static enum den_status read_gguf(const struct den_gguf *gguf, struct den_bert_description *out,
                                 struct den_error *err)
{
    struct den_gguf_string text = { 0 };
    const struct den_tensor *words = den_gguf_find_tensor(gguf, "token_embd.weight");
    const struct den_tensor *types = den_gguf_find_tensor(gguf, "token_types.weight");
    double epsilon = 1e-12;
    enum den_status status = den_gguf_get_string(gguf, "general.architecture", &text, err);

    if (status != DEN_OK || text.length != 4 || memcmp(text.text, "bert", 4) != 0)
        return den_fail(err, DEN_UNSUPPORTED,
                        "architecture '%.*s' is no sentence encoder that is known; bert is",
                        (int)(text.length < 40 ? text.length : 40), text.text ? text.text : "");
    snprintf(out->architecture, sizeof out->architecture, "bert");
    if (den_gguf_get_string(gguf, "general.name", &text, err) == DEN_OK)
        snprintf(out->name, sizeof out->name, "%.*s", (int)(text.length < 127 ? text.length : 127),
                 text.text);
    if (read_key(gguf, "bert.block_count", &out->layers, err) != DEN_OK ||
        read_key(gguf, "bert.embedding_length", &out->width, err) != DEN_OK ||
        read_key(gguf, "bert.attention.head_count", &out->heads, err) != DEN_OK ||
        read_key(gguf, "bert.feed_forward_length", &out->ffn_width, err) != DEN_OK ||
        read_key(gguf, "bert.context_length", &out->positions, err) != DEN_OK ||
        read_gguf_pooling(gguf, out, err) != DEN_OK)
        return err->status;
    status = den_gguf_get_f64(gguf, "bert.attention.layer_norm_epsilon", &epsilon, err);
    if (status != DEN_OK && status != DEN_NOT_FOUND)
        return status;
    out->epsilon = (float)epsilon;
    out->vocabulary = words ? den_tensor_rows(words) : 0;
    out->token_types = types ? den_tensor_rows(types) : 0;
    out->context_tokens = out->positions;
    out->activation = DEN_ACTIVATION_GELU_ERF;
    return DEN_OK;
}

/* --- both --- */

static enum den_status check(const struct den_bert_description *d, struct den_error *err)
{
    if (d->layers == 0 || d->layers > DEN_LAYERS_MAX || d->heads == 0 || d->heads > DEN_HEADS_MAX ||
        d->width == 0 || d->width > DEN_WIDTH_MAX || d->ffn_width == 0 ||
        d->ffn_width > DEN_WIDTH_MAX || d->vocabulary == 0 || d->vocabulary > DEN_VOCABULARY_MAX)
        return den_fail(err, DEN_BAD_FILE,
                        "%zu layers, width %zu (inner %zu), %zu heads, %zu words; 1 to %d layers, "
                        "width 1 to %d, 1 to %d heads and %d words are possible",
                        d->layers, d->width, d->ffn_width, d->heads, d->vocabulary, DEN_LAYERS_MAX,
                        DEN_WIDTH_MAX, DEN_HEADS_MAX, DEN_VOCABULARY_MAX);
    if (d->width % d->heads != 0 || d->width / d->heads > DEN_HEAD_WIDTH_MAX)
        return den_fail(err, DEN_BAD_FILE,
                        "width %zu in %zu heads; heads of equal width, %d at most, were expected",
                        d->width, d->heads, DEN_HEAD_WIDTH_MAX);
    if (d->context_tokens < 3 || d->context_tokens > DEN_ENCODER_ROWS_MAX)
        return den_fail(err, DEN_BAD_FILE,
                        "texts of %zu tokens (%zu positions); 3 to %d are possible",
                        d->context_tokens, d->positions, DEN_ENCODER_ROWS_MAX);
    return DEN_OK;
}

enum den_status den_bert_description_read(const struct den_weights *weights,
                                          struct den_bert_description *out, struct den_error *err)
{
    const struct den_gguf *gguf = den_weights_gguf(weights);
    struct den_bert_description read = { .pooling = DEN_POOLING_MEAN };
    size_t i;

    if ((gguf ? read_gguf(gguf, &read, err) : read_config(weights, &read, err)) != DEN_OK ||
        check(&read, err) != DEN_OK) {
        if (err->status == DEN_INVALID) /* of a JSON field: the file's fault, not the caller's */
            err->status = DEN_BAD_FILE;
        return den_fail_at(err, "model: %s", den_weights_path(weights));
    }
    for (i = 0; i < den_weights_tensor_count(weights); i++)
        if (den_weights_tensor(weights, i)->type != DEN_TYPE_I64) /* position_ids: 0, 1, 2 ... */
            read.parameters += den_tensor_elements(den_weights_tensor(weights, i));
    *out = read;
    return DEN_OK;
}
