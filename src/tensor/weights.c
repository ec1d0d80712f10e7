/* See weights.h.
 *
 * What a path can be, and what is done with it:
 *     a file                              GGUF, or a message saying what it is instead
 *     a folder with config.json and       Hugging Face: the configuration is parsed, the tensors
 *       model.safetensors[.index.json]      mapped, text files are read when asked for
 *     a folder with one GGUF model        that model
 *     anything else                       a message that says what was found and what would do
 * The form is decided by what is there, never by the name of the folder. */
#include "tensor/weights.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/json.h"
#include "tensor/packed_file.h"
#include "tensor/quoted.h"
#include "tensor/safetensors.h"

struct den_weights {
    char *path;
    struct den_gguf *gguf;
    struct den_safetensors *safetensors;
    json_t *config;
};

/* --- what a folder holds --- */

enum { CONTENT_NAME_BYTES_MAX = 256 };

struct content {
    bool has_config;
    bool has_safetensors; /* in the names that are opened */
    bool has_other_safetensors;
    bool has_pickle; /* *.bin, *.pt, *.pth */
    int ggufs;       /* models: later parts of split ones don't count */
    char gguf[CONTENT_NAME_BYTES_MAX];
};

static bool ends_with(const char *name, const char *suffix)
{
    size_t length = strlen(name);
    size_t wanted = strlen(suffix);

    return length >= wanted && strcmp(name + length - wanted, suffix) == 0;
}

/* True of "...-00002-of-00005.gguf" and so on, but not of the first part. */
static bool is_later_part(const char *name)
{
    size_t length = strlen(name);
    const char *suffix = name + length - 20;

    return length > 20 && suffix[0] == '-' && strncmp(suffix + 6, "-of-", 4) == 0 &&
           strspn(suffix + 1, "0123456789") == 5 && strncmp(suffix + 1, "00001", 5) != 0;
}

static void note_entry(void *context, const char *name)
{
    struct content *content = context;

    if (strcmp(name, "config.json") == 0)
        content->has_config = true;
    else if (strcmp(name, "model.safetensors") == 0 ||
             strcmp(name, "model.safetensors.index.json") == 0)
        content->has_safetensors = true;
    else if (ends_with(name, ".safetensors"))
        content->has_other_safetensors = true;
    else if (ends_with(name, ".bin") || ends_with(name, ".pt") || ends_with(name, ".pth"))
        content->has_pickle = true;
    else if (ends_with(name, ".gguf") && !is_later_part(name) &&
             strlen(name) < sizeof content->gguf) {
        content->ggufs++;
        memcpy(content->gguf, name, strlen(name) + 1);
    }
}

static enum den_status list_folder(const char *path, struct content *out, struct den_error *err)
{
    if (den_folder_list(path, note_entry, out, err) != DEN_OK)
        return den_fail_at(err, "model");
    return DEN_OK;
}

/* --- opening --- */

static enum den_status open_config(struct den_weights *weights, struct den_error *err)
{
    char path[DEN_PATH_BYTES_MAX];

    if (den_path_join(path, sizeof path, weights->path, "config.json", err) != DEN_OK ||
        den_json_read_file(path, &weights->config, err) != DEN_OK)
        return den_fail_at(err, "model");
    if (!json_is_object(weights->config))
        return den_fail(err, DEN_BAD_FILE, "model: %s: is no JSON object", path);
    return DEN_OK;
}

static enum den_status no_model_in(const char *path, const struct content *content,
                                   struct den_error *err)
{
    if (content->ggufs > 1)
        return den_fail(err, DEN_INVALID,
                        "model: %s: holds %d GGUF models; name one of them, such as '%s'", path,
                        content->ggufs, den_quoted(content->gguf, strlen(content->gguf)).text);
    if (content->has_safetensors)
        return den_fail(err, DEN_NOT_FOUND,
                        "model: %s: holds safetensors but no config.json; a complete model "
                        "folder has both",
                        path);
    if (content->has_other_safetensors)
        return den_fail(err, DEN_NOT_FOUND,
                        "model: %s: holds safetensors under other names; the weights must be "
                        "model.safetensors, or shards that model.safetensors.index.json lists",
                        path);
    if (content->has_pickle)
        return den_fail(err, DEN_UNSUPPORTED,
                        "model: %s: holds a PyTorch checkpoint only, which can run code when "
                        "read; get the model as safetensors or GGUF",
                        path);
    return den_fail(err, DEN_NOT_FOUND,
                    "model: %s: holds no weights; a model is a .gguf file, or a folder with "
                    "config.json and model.safetensors",
                    path);
}

static enum den_status open_folder(struct den_weights *weights, struct den_error *err)
{
    struct content content = { 0 };
    char path[DEN_PATH_BYTES_MAX];

    if (list_folder(weights->path, &content, err) != DEN_OK)
        return err->status;
    if (content.has_config && content.has_safetensors) {
        if (open_config(weights, err) != DEN_OK)
            return err->status;
        return den_safetensors_open(weights->path, &weights->safetensors, err);
    }
    if (content.ggufs != 1)
        return no_model_in(weights->path, &content, err);
    if (den_path_join(path, sizeof path, weights->path, content.gguf, err) != DEN_OK)
        return err->status;
    return den_gguf_open(path, &weights->gguf, err);
}

static enum den_status open_path(struct den_weights *weights, struct den_error *err)
{
    const char *path = weights->path;

    if (!den_file_exists(path))
        return den_fail(err, DEN_NOT_FOUND,
                        "model: %s: %s; a model is a .gguf file, or a folder with config.json and "
                        "model.safetensors",
                        path, strerror(errno));
    if (den_file_is_folder(path))
        return open_folder(weights, err);
    if (ends_with(path, ".safetensors"))
        return den_fail(err, DEN_INVALID,
                        "model: %s: is one file of a model; name the folder that holds it "
                        "together with config.json",
                        path);
    return den_gguf_open(path, &weights->gguf, err);
}

enum den_status den_weights_open(const char *path, struct den_weights **out, struct den_error *err)
{
    struct den_weights *weights = calloc(1, sizeof *weights);

    if (!weights)
        return den_fail(err, DEN_NO_MEMORY, "model: %s: out of memory", path);
    weights->path = strdup(path);
    if (!weights->path) {
        den_fail(err, DEN_NO_MEMORY, "model: %s: out of memory", path);
        goto fail;
    }
    if (open_path(weights, err) != DEN_OK)
        goto fail;
    *out = weights;
    return DEN_OK;
fail:
    den_weights_close(weights);
    return err->status;
}

void den_weights_close(struct den_weights *weights)
{
    if (!weights)
        return;
    den_gguf_close(weights->gguf);
    den_safetensors_close(weights->safetensors);
    json_decref(weights->config);
    free(weights->path);
    free(weights);
}

/* --- reading --- */

const char *den_weights_path(const struct den_weights *weights)
{
    return weights->path;
}

const struct den_gguf *den_weights_gguf(const struct den_weights *weights)
{
    return weights->gguf;
}

const json_t *den_weights_config(const struct den_weights *weights)
{
    return weights->config;
}

enum den_status den_weights_read_text(const struct den_weights *weights, const char *name,
                                      struct den_buffer *out, struct den_error *err)
{
    char path[DEN_PATH_BYTES_MAX];

    if (weights->gguf)
        return den_fail(err, DEN_NOT_FOUND, "model: %s: is a GGUF file and holds no '%s'",
                        weights->path, name);
    if (den_path_join(path, sizeof path, weights->path, name, err) != DEN_OK ||
        den_file_read(path, out, err) != DEN_OK)
        return den_fail_at(err, "model");
    return DEN_OK;
}

size_t den_weights_tensor_count(const struct den_weights *weights)
{
    return weights->gguf ? den_gguf_tensor_count(weights->gguf)
                         : den_safetensors_count(weights->safetensors);
}

const struct den_tensor *den_weights_tensor(const struct den_weights *weights, size_t index)
{
    return weights->gguf ? den_gguf_tensor(weights->gguf, index)
                         : den_safetensors_tensor(weights->safetensors, index);
}

const struct den_tensor *den_weights_find(const struct den_weights *weights, const char *name)
{
    return weights->gguf ? den_gguf_find_tensor(weights->gguf, name)
                         : den_safetensors_find(weights->safetensors, name);
}

size_t den_weights_bytes(const struct den_weights *weights)
{
    size_t count = den_weights_tensor_count(weights);
    size_t bytes = 0;
    size_t i;

    for (i = 0; i < count; i++)
        bytes += den_weights_tensor(weights, i)->bytes;
    return bytes;
}

/* Samples lie in the middle of tensors: beginnings may be padding that many models share. */
uint64_t den_weights_fingerprint(const struct den_weights *weights)
{
    enum { SAMPLES = 48, SAMPLE_BYTES = 256 };
    size_t count = den_weights_tensor_count(weights), step = count / SAMPLES + 1, i;
    uint64_t sum = count;

    for (i = 0; i < count; i++) {
        const struct den_tensor *tensor = den_weights_tensor(weights, i);
        uint64_t sizes[DEN_TENSOR_DIMS_MAX + 1] = { (uint64_t)tensor->type };
        size_t taken = tensor->bytes < SAMPLE_BYTES ? tensor->bytes : (size_t)SAMPLE_BYTES, d;

        for (d = 0; d < DEN_TENSOR_DIMS_MAX; d++)
            sizes[d + 1] = tensor->size[d];
        sum = den_packed_sum(tensor->name, strlen(tensor->name), sum);
        sum = den_packed_sum(sizes, sizeof sizes, sum);
        if (i % step == 0)
            sum = den_packed_sum((const unsigned char *)tensor->data + (tensor->bytes - taken) / 2,
                                 taken, sum);
    }
    return sum;
}

void den_weights_release(const struct den_weights *weights)
{
    if (weights->gguf)
        den_gguf_release(weights->gguf);
    else
        den_safetensors_release(weights->safetensors);
}
