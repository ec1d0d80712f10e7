/* Worker: runs one model for the front. This header is all that desk/ sees of everything below it.
 *
 * A worker is a process of its own, in a sandbox, with the model's files as its only descriptors
 * besides the wire (worker/wire.h). It takes requests from any thread and runs them together, one
 * batch a step (continuous batching). What comes back are events, delivered in order on a thread of
 * this handle: progress while a prompt is read, then text, reasoning and tool calls, and one end.
 *
 * If the process dies, it is started again and every unfinished request is replayed from its prompt
 * and the tokens so far: the client sees a pause. A request that is there at two deaths in a row
 * ends with an error, and the others go on. After `idle_seconds` without a request the process is
 * ended, which gives all of its memory back; the next request starts it again. */
#ifndef DEN_WORKER_WORKER_H
#define DEN_WORKER_WORKER_H

#include "worker/request.h"

struct den_worker;

struct den_worker_options {
    const char *model_path;
    const char *model_name;   /* what clients see */
    int threads;              /* 0: all */
    const char *cpu_features; /* NULL: all that the processor has */
    size_t context_tokens;
    size_t sequences; /* requests run together; more wait in line. 0: 8 */
    bool fp32;
    bool int8_cache; /* keys and values in 8 bits */
    bool no_speculation;
    /* A smaller model with the same tokens, which guesses for a model that writes answers; NULL:
     * none. Where it has other tokens, or is the model itself, it is left out. */
    const char *draft_path;
    bool require_sandbox; /* DEN_FORBIDDEN unless the sandbox is whole */
    double idle_seconds;  /* 0: never put to sleep */
    /* Where prompts that were read are kept for the next process (engine/prefix_file.h), one file a
     * model; NULL: nowhere. With 0 bytes the model's file is removed. */
    const char *prefix_folder;
    uint64_t prefix_bytes; /* of each file, at most */
    /* With work to do and silent for so long, even to pings, the process is taken for hung, and is
     * ended and replaced as if it had died. 0: DEN_WORKER_SILENT_SECONDS_MAX */
    double silent_seconds;
};

/* Starts the process and waits until the model is loaded (or has failed to). */
enum den_status den_worker_start(const struct den_worker_options *options, struct den_worker **out,
                                 struct den_error *err);
/* Cancels what runs, ends the process. */
void den_worker_stop(struct den_worker *worker);

enum den_worker_role { DEN_WORKER_CHAT, DEN_WORKER_EMBEDDING, DEN_WORKER_RERANKER };
enum { DEN_WORKER_ROLES = 3 };

struct den_worker_info {
    enum den_worker_role role;
    const char *model_name;
    const char *architecture;
    const char *description; /* "135M Q4_1" */
    size_t context_tokens;
    size_t vocabulary;
    size_t parameters;
    size_t width; /* of an embedding, or of the residual stream; 1: of a score */
    int threads;
    const char *cpu_features;
    const char *sandbox;       /* "full", "no namespaces", "Landlock only", "none" */
    const char *chat_template; /* source; "" where the model has none */
    bool knows_tools;          /* the template takes tools */
    bool knows_reasoning;      /* answers may begin with reasoning */
    const json_t *shape;       /* for worker/forecast.h; NULL: it told none */
};
/* What is true of the model; stays valid, and the same, as long as the worker. */
const struct den_worker_info *den_worker_info(const struct den_worker *worker);

/* What is true now. */
enum den_worker_state {
    DEN_WORKER_ASLEEP,
    DEN_WORKER_LOADING,
    DEN_WORKER_READY,
    DEN_WORKER_FAILED
};
struct den_worker_status {
    enum den_worker_state state;
    int64_t pid;             /* of the process; 0: there is none */
    size_t resident_bytes;   /* of the process, from /proc */
    const char *packed;      /* its weights: "mapped" from a packed file, "made" into one, "none" */
    size_t running, waiting; /* requests */
    size_t restarts;         /* deaths so far */
    double idle_seconds;     /* since the last request ended; 0 while any runs */
    uint64_t prompt_tokens, cached_tokens, generated_tokens, requests; /* ever */
    double prompt_seconds, generate_seconds;                           /* sums */
    double busy_seconds;      /* in which there was a request */
    double peak_tokens_per_s; /* of the prompt that was read fastest; 0: none was long enough */
};
void den_worker_status(const struct den_worker *worker, struct den_worker_status *out);

/* One request that has not ended. */
struct den_worker_activity {
    uint64_t id;
    char surface[32];
    enum { DEN_ACTIVITY_WAITING, DEN_ACTIVITY_READING, DEN_ACTIVITY_WRITING } state;
    double age_seconds;                /* since it was submitted */
    size_t prompt_done, prompt_tokens; /* 0 of 0 while it waits */
    size_t generated_tokens;
    double tokens_per_s; /* since the first one */
};
/* Writes up to `capacity` of them, oldest first, and returns how many it wrote. */
size_t den_worker_activity(struct den_worker *worker, struct den_worker_activity *out,
                           size_t capacity);
/* Ends the process of an idle worker now; DEN_BUSY while requests run. */
enum den_status den_worker_sleep(struct den_worker *worker, struct den_error *err);

struct den_ticket; /* a request in line or running */

/* Checks and enqueues; everything is copied. Errors of the request itself (a prompt beyond the
 * context, a bad message, a schema that can't be compiled) come back here, not as events. DEN_BUSY
 * when the line is full. After DEN_OK exactly one END event follows. */
enum den_status den_worker_submit(struct den_worker *worker,
                                  const struct den_worker_request *request,
                                  den_worker_handler handler, void *context,
                                  struct den_ticket **out, struct den_error *err);
/* From any thread; within one token an END with finish "cancelled" follows (unless it had ended).
 */
void den_ticket_cancel(struct den_ticket *ticket);
/* Gives the ticket up: cancels if needed and waits until no more events can come. Not from the
 * handler. */
void den_ticket_release(struct den_ticket *ticket);

/* Questions that are answered at once. Each waits for a worker that is asleep or restarting. */

/* Appends the ids to `out_ids`, a JSON array; with DEN_WORKER_PIECES, objects {"id", "piece"},
 * where a piece that is not valid UTF-8 is an array of bytes. */
enum den_worker_tokenize_flags {
    DEN_WORKER_ADD_SPECIAL = 1,   /* BOS and the like where the model wants them */
    DEN_WORKER_PARSE_SPECIAL = 2, /* the names of control tokens become those tokens */
    DEN_WORKER_PIECES = 4
};
enum den_status den_worker_tokenize(struct den_worker *worker, const char *text, size_t length,
                                    unsigned flags, json_t *out_ids, struct den_error *err);
/* Text of the ids, as a JSON string with U+FFFD for bytes that are no character. */
enum den_status den_worker_detokenize(struct den_worker *worker, const json_t *ids,
                                      json_t **out_text, struct den_error *err);
/* The prompt that a chat request would become: {"prompt": text, "tokens": count}. */
enum den_status den_worker_apply_template(struct den_worker *worker,
                                          const struct den_worker_request *request, json_t **out,
                                          struct den_error *err);

struct den_worker_embed_request {
    const char *const *texts; /* (count), each of lengths[i] bytes */
    const size_t *lengths;
    size_t count;
    bool truncate;     /* cut what is longer than the model's context; else DEN_CONTEXT_FULL */
    size_t dimensions; /* keep the first so many and normalise again; 0: all */
    bool batch;        /* as in a den_worker_request */
};
/* Vectors of unit length: out_vectors (count, dimensions or info->width), tokens read for each in
 * out_tokens (count; may be NULL). DEN_UNSUPPORTED where the model's role is not embedding. */
enum den_status den_worker_embed(struct den_worker *worker,
                                 const struct den_worker_embed_request *request, float *out_vectors,
                                 size_t *out_tokens, struct den_error *err);
/* How well each text answers `query`: out_scores (count), logits, higher is better. Tokens are
 * those of the query and the text. DEN_UNSUPPORTED where the model's role is not reranking. */
enum den_status den_worker_rerank(struct den_worker *worker, const char *query,
                                  const struct den_worker_embed_request *request, float *out_scores,
                                  size_t *out_tokens, struct den_error *err);

#endif
