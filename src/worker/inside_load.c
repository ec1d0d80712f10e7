/* See inside.h: from the LOAD frame to a model that can be asked.
 *
 * The order is the point of it: what comes from the front (trusted) is read first, then the process
 * locks itself in, and only then is the first byte of a model file read. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/given_files.h"
#include "base/json.h"
#include "guard/sandbox.h"
#include "schedule/fit_describe.h"
#include "worker/inside.h"
#include "worker/worker.h"

enum { CONTEXT_DEFAULT = 8192 }; /* as engine.h has it */

struct load {
    json_t *document;
    const char *path, *cpu_features, *draft;
    int64_t threads, context, sequences;
    bool fp32, int8_cache, no_speculation, require_sandbox;
    size_t open_files;
    struct den_inside_packed packed;
    struct den_inside_prefix prefix;
};

static enum den_status read_load(const struct den_wire_frame *frame, struct load *out,
                                 struct den_error *err)
{
    if (den_json_parse((const char *)frame->payload, frame->length, "load", &out->document, err) !=
        DEN_OK)
        return err->status;
    if (den_json_get_text(out->document, "path", &out->path, err) != DEN_OK ||
        den_json_get_text(out->document, "cpu_features", &out->cpu_features, err) != DEN_OK ||
        den_json_get_text(out->document, "draft", &out->draft, err) != DEN_OK ||
        den_json_get_integer(out->document, "threads", 1, INT32_MAX, &out->threads, err) !=
            DEN_OK ||
        den_json_get_integer(out->document, "context", 0, INT64_MAX, &out->context, err) !=
            DEN_OK ||
        den_json_get_integer(out->document, "sequences", 1, INT64_MAX, &out->sequences, err) !=
            DEN_OK ||
        den_json_get_bool(out->document, "fp32", &out->fp32, err) != DEN_OK ||
        den_json_get_bool(out->document, "int8_cache", &out->int8_cache, err) != DEN_OK ||
        den_json_get_bool(out->document, "no_speculation", &out->no_speculation, err) != DEN_OK ||
        den_json_get_bool(out->document, "require_sandbox", &out->require_sandbox, err) != DEN_OK ||
        den_inside_prefix_read(out->document, &out->prefix, err) != DEN_OK)
        return err->status;
    if (!out->path)
        return den_fail(err, DEN_INVALID, "load: there is no path");
    return DEN_OK;
}

/* The files' descriptors follow the wire's, in the order of the names that are open. */
static enum den_status take_files(struct load *load, struct den_error *err)
{
    const json_t *names = json_object_get(load->document, "files"), *name;
    struct den_given_file *files = calloc(json_array_size(names) + 1, sizeof *files);
    size_t i;

    if (!files)
        return den_fail(err, DEN_NO_MEMORY, "load: out of memory");
    json_array_foreach(names, i, name)
    {
        files[i].path = json_string_value(json_object_get(name, "path"));
        files[i].descriptor = -1;
        if (json_is_true(json_object_get(name, "open")))
            files[i].descriptor = DEN_INSIDE_WIRE + 1 + (int)load->open_files++;
    }
    den_given_files_set(files, json_array_size(names), err);
    free(files);
    return err->status;
}

static uint64_t model_bytes(const struct load *load)
{
    uint64_t sum = 0;
    size_t i;

    for (i = 0; i < load->open_files; i++) {
        struct stat info;

        if (fstat(DEN_INSIDE_WIRE + 1 + (int)i, &info) == 0)
            sum += (uint64_t)info.st_size;
    }
    return sum;
}

/* A ceiling on address space, set before the model is known: only its size and what was asked for
 * are. It stops a file that makes some reader ask for more and more; it is far above what any
 * legal model takes, because most of a cache is reserved and never touched. Weights may grow
 * sixteenfold (2 bits to 32). A token's keys and values are less than a hundredth of the weights
 * in any model but toys, for which the minimum is enough. */
static size_t address_space(const struct load *load)
{
    const uint64_t files = model_bytes(load);
    uint64_t tokens = (uint64_t)(load->context > 0 ? load->context : CONTEXT_DEFAULT);
    uint64_t token_bytes = files / 100;
    double all;

    if (token_bytes < DEN_WORKER_KV_BYTES_MIN)
        token_bytes = DEN_WORKER_KV_BYTES_MIN;
    if (token_bytes > DEN_WORKER_KV_BYTES_MAX)
        token_bytes = DEN_WORKER_KV_BYTES_MAX;
    if (tokens > DEN_CONTEXT_TOKENS_MAX)
        tokens = DEN_CONTEXT_TOKENS_MAX;
    all = 16.0 * (double)files + (double)tokens * (double)load->sequences * (double)token_bytes +
          (double)DEN_WORKER_SPARE_BYTES;
    return all < 1e18 ? (size_t)all : 0;
}

static enum den_status lock_in(const struct load *load, struct den_sandbox_report *out,
                               struct den_error *err)
{
    const struct den_sandbox_lock options = {
        .files_max = DEN_INSIDE_WIRE + 1 + load->open_files + DEN_WORKER_FILES_MAX + 16,
        .memory_bytes = address_space(load),
        .file_bytes = (size_t)load->prefix.bytes,
        .require_full = load->require_sandbox,
    };

    return den_sandbox_lock(&options, out, err);
}

/* --- what is told of the model --- */

/* The type that most weights have: what people call a model's quantization. */
static const char *main_type(const char *path)
{
    size_t elements[DEN_TYPE_COUNT] = { 0 }, best = 0, i;
    struct den_weights *weights = NULL;
    struct den_error err = { 0 };
    const char *text;

    if (den_weights_open(path, &weights, &err) != DEN_OK)
        return "";
    for (i = 0; i < den_weights_tensor_count(weights); i++) {
        const struct den_tensor *tensor = den_weights_tensor(weights, i);

        if (tensor->type < DEN_TYPE_COUNT)
            elements[tensor->type] += den_tensor_elements(tensor);
    }
    den_weights_close(weights);
    for (i = 0; i < DEN_TYPE_COUNT; i++)
        if (elements[i] > elements[best])
            best = i;
    text = den_type_info((uint32_t)best)->text;
    return text ? text : "";
}

/* "135M Q4_1" */
static void describe_size(const char *path, size_t parameters, char out[64])
{
    double millions = (double)parameters / 1e6;

    if (millions >= 999.5)
        snprintf(out, 64, "%.1fB %s", millions / 1e3, main_type(path));
    else
        snprintf(out, 64, "%.0fM %s", millions, main_type(path));
}

/* What the fit formula needs to know of the model (schedule/fit.h). An encoder's description is
 * read again: the embedder keeps its own to itself. */
static void add_shape(json_t *info, const struct den_inside *inside, const char *path)
{
    struct den_bert_description encoder;
    struct den_weights *weights = NULL;
    struct den_error err = { 0 };
    json_t *shape = NULL;

    if (!info || den_weights_open(path, &weights, &err) != DEN_OK)
        return;
    if (inside->engine)
        shape = den_fit_describe_decoder(den_engine_description(inside->engine), weights);
    else if (den_bert_description_read(weights, &encoder, &err) == DEN_OK)
        shape = den_fit_describe_encoder(&encoder, weights);
    den_weights_close(weights);
    if (shape)
        json_object_set_new(info, "shape", shape);
}

static json_t *describe_engine(const struct den_inside *inside, const char *path)
{
    const struct den_description *model = den_engine_description(inside->engine);
    const struct den_device *device = den_engine_device(inside->engine);
    char size[64];

    describe_size(path, model->parameters, size);
    return json_pack("{s:i, s:s, s:s, s:I, s:I, s:I, s:I, s:i, s:s, s:s, s:b, s:b}", "role",
                     DEN_WORKER_CHAT, "architecture", model->architecture, "description", size,
                     "context", (json_int_t)den_engine_context(inside->engine), "vocabulary",
                     (json_int_t)inside->vocabulary, "parameters", (json_int_t)model->parameters,
                     "width", (json_int_t)model->width, "threads", den_device_threads(device),
                     "cpu_features", den_device_features(device), "chat_template",
                     den_chat_template_source(den_engine_chat(inside->engine)), "knows_tools",
                     den_turn_model_knows_tools(inside->turns), "knows_reasoning",
                     den_turn_model_knows_reasoning(inside->turns));
}

static json_t *describe_embedder(const struct den_inside *inside, const char *path)
{
    const struct den_embedder *embedder = inside->embedder;
    const struct den_device *device = den_embedder_device(embedder);
    char size[64];

    describe_size(path, den_embedder_parameters(embedder), size);
    return json_pack("{s:i, s:s, s:s, s:I, s:I, s:I, s:I, s:i, s:s}", "role",
                     den_embedder_ranks(embedder) ? DEN_WORKER_RERANKER : DEN_WORKER_EMBEDDING,
                     "architecture", den_embedder_architecture(embedder), "description", size,
                     "context", (json_int_t)den_embedder_context(embedder), "vocabulary",
                     (json_int_t)inside->vocabulary, "parameters",
                     (json_int_t)den_embedder_parameters(embedder), "width",
                     (json_int_t)den_embedder_width(embedder), "threads",
                     den_device_threads(device), "cpu_features", den_device_features(device));
}

/* --- loading --- */

static enum den_status open_engine(struct den_inside *inside, const struct load *load,
                                   struct den_error *err)
{
    const struct den_engine_options options = {
        .path = load->path,
        .threads = (int)load->threads,
        .cpu_features = load->cpu_features,
        .precision = load->fp32 ? DEN_PRECISION_FP32 : DEN_PRECISION_INT8,
        .int8_cache = load->int8_cache,
        .speculation = load->no_speculation ? DEN_SPECULATION_OFF : DEN_SPECULATION_AUTO,
        .draft_path = load->draft,
        .draft_if_fits = true,
        .context_tokens = (size_t)load->context,
        .sequences = (size_t)load->sequences,
        .packed = load->packed.store,
    };

    if (den_engine_open(&options, &inside->engine, err) != DEN_OK ||
        den_turn_model_create(inside->engine, &inside->turns, err) != DEN_OK)
        return err->status;
    den_inside_prefix_use(&load->prefix, inside->engine, load->open_files);
    return den_scheduler_create(inside->engine, (size_t)load->sequences, &inside->scheduler, err);
}

/* DEN_UNSUPPORTED: the model is neither a sentence encoder nor a reranker. */
static enum den_status open_embedder(struct den_inside *inside, const struct load *load,
                                     struct den_error *err)
{
    const struct den_embedder_options options = {
        .path = load->path,
        .threads = (int)load->threads,
        .cpu_features = load->cpu_features,
        .precision = load->fp32 ? DEN_PRECISION_FP32 : DEN_PRECISION_INT8,
        .packed = load->packed.store,
    };

    if (den_embedder_open(&options, &inside->embedder, err) != DEN_OK)
        return err->status;
    return den_embed_queue_create(inside->embedder, &inside->embedding, err);
}

static enum den_status open_model(struct den_inside *inside, const struct load *load,
                                  json_t **out_info, struct den_error *err)
{
    struct den_error other = { 0 };
    json_t *info;

    if (open_embedder(inside, load, &other) == DEN_UNSUPPORTED)
        open_engine(inside, load, err);
    else
        *err = other;
    if (err->status != DEN_OK)
        return err->status;
    inside->vocabulary = den_tokenizer_size(den_inside_tokenizer(inside));
    info = inside->engine ? describe_engine(inside, load->path)
                          : describe_embedder(inside, load->path);
    if (!info)
        return den_fail(err, DEN_BAD_FILE, "model: %s: has names that are not valid UTF-8",
                        load->path);
    add_shape(info, inside, load->path);
    *out_info = info;
    return DEN_OK;
}

enum den_status den_inside_load(struct den_inside *inside, const struct den_wire_frame *frame,
                                json_t **out_info, struct den_error *err)
{
    struct load load = { 0 };
    struct den_sandbox_report report;

    if (read_load(frame, &load, err) != DEN_OK || take_files(&load, err) != DEN_OK ||
        lock_in(&load, &report, err) != DEN_OK ||
        den_inside_packed_open(load.document, load.open_files, &load.packed, err) != DEN_OK)
        return err->status; /* the process ends: nothing is given back */
    if (open_model(inside, &load, out_info, err) != DEN_OK)
        return err->status;
    json_object_set_new(*out_info, "packed", json_string(den_inside_packed_close(&load.packed)));
    json_object_set_new(*out_info, "sandbox", json_string(den_sandbox_level_text(report.level)));
    if (inside->engine && den_engine_draft_refusal(inside->engine))
        json_object_set_new(*out_info, "draft_refusal",
                            json_string(den_engine_draft_refusal(inside->engine)));
    json_decref(load.document);
    return DEN_OK;
}
